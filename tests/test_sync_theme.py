"""A checkout of a Jekyll site as files: configuration, front matter, addresses, menus."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onemg_kg.errors import SiteError
from onemg_kg.sync import liquid, theme
from onemg_kg.sync.theme import Notice, Page, Site

MakeSite = Callable[..., Path]


def read(root: Path) -> Site:
    return theme.read_site(root, "https://site.example")


def page(site: Site, source: str) -> Page:
    return next(page for page in site.pages if page.source == source)


# Front matter


def test_the_body_keeps_the_lines_of_the_file(make_site: MakeSite) -> None:
    """The offset of a page is the number of lines before its body."""
    found = page(read(make_site({"a.md": "---\ntitle: A\ndescription: B\n---\nBody\n"})), "a.md")
    assert (found.matter["title"], found.body, found.offset) == ("A", "Body\n", len(["---", "title", "description", "---"]))


def test_a_file_without_front_matter_is_no_page(make_site: MakeSite) -> None:
    """Jekyll copies such a file as it is."""
    assert read(make_site({"a.md": "# Title\n", "b.md": "---\n---\n"})).pages[0].source == "b.md"


@pytest.mark.parametrize(
    "stray", ["stray", "description: a: b", "<<<<<<< HEAD", 'description: "open', "tags: [a, b", "  a: 1", "- a", "%", "@x: y"]
)
def test_a_stray_line_in_front_matter_is_reported_and_the_rest_read(make_site: MakeSite, stray: str) -> None:
    """A line that is not YAML costs nothing but itself."""
    site = read(make_site({"a.md": f"---\ntitle: A\n{stray}\npage_id: one\n---\nBody\n"}))
    assert (page(site, "a.md").matter["title"], page(site, "a.md").matter["page_id"]) == ("A", "one")
    assert [(notice.source, notice.line) for notice in site.notices] == [("a.md", 3)]
    assert page(site, "a.md").body == "Body\n"


def test_a_character_that_yaml_forbids_is_reported_at_its_line(make_site: MakeSite) -> None:
    """The line with the character is left out, not the one before it."""
    site = read(make_site({"a.md": "---\ntitle: A\ndescription: B\x08\n---\n"}))
    assert page(site, "a.md").matter["title"] == "A"
    assert [notice.line for notice in site.notices] == [3]


def test_unclosed_front_matter_is_reported(make_site: MakeSite) -> None:
    """A page whose front matter never ends is no page, and its editor is told."""
    site = read(make_site({"a.md": "---\ntitle: A\n\n# Heading\n"}))
    assert not site.pages
    assert site.notices == [Notice("a.md", 1, "The front matter is not closed by a line `---`.")]


def test_front_matter_that_is_no_mapping_is_reported(make_site: MakeSite) -> None:
    """A list is YAML, but no front matter."""
    site = read(make_site({"a.md": "---\n- title\n---\nBody\n"}))
    assert (page(site, "a.md").matter, [notice.line for notice in site.notices]) == ({}, [2])


def test_front_matter_that_is_nested_too_deeply_is_reported(make_site: MakeSite) -> None:
    """The page is read without it."""
    site = read(make_site({"a.md": "---\n" + "[" * 5000 + "\n---\nBody\n"}))
    assert (page(site, "a.md").body, [notice.line for notice in site.notices]) == ("Body\n", [2])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("country_code: NO", "NO"),  # YAML 1.1 reads it as false
        ("date: 2024-02-31", "2024-02-31"),  # which is no date
        ("page_id: 007", "007"),
        ("page_id: ~", ""),
        ("sidebar: false", ""),
        ("page_id: [a, b]", ""),
    ],
)
def test_a_value_is_the_text_that_its_author_wrote(make_site: MakeSite, written: str, value: str) -> None:
    """Front matter is text; what is a truth value, nothing or a list has none."""
    found = page(read(make_site({"a.md": f"---\n{written}\n---\n"})), "a.md")
    assert theme.text_of(found.matter.get(written.partition(":")[0])) == value


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_the_text(make_site: MakeSite) -> None:
    """A file saved on Windows reads like any other."""
    found = page(read(make_site({"a.md": b"\xef\xbb\xbf---\r\ntitle: A\r\n---\r\nOne\r\nTwo\r\n"})), "a.md")
    assert (found.matter["title"], found.body, found.offset) == ("A", "One\nTwo\n", 3)


# Configuration and addresses


def test_defaults_of_the_configuration_fill_front_matter_in(make_site: MakeSite) -> None:
    """The longer path wins over the shorter, and what a page says wins over both."""
    config = """
defaults:
  - scope: {path: pages/special}
    values: {sidebar: special, layout: page}
  - scope: {path: ""}
    values: {sidebar: main, toc: yes}
"""
    matter = "---\ntitle: A\n---\n"
    pages = {"pages/special/a.md": matter, "pages/b.md": matter, "pages/special/c.md": "---\nsidebar: own\n---\n"}
    site = read(make_site(pages, config))
    assert {page.source: page.matter["sidebar"] for page in site.pages} == {
        "pages/b.md": "main",
        "pages/special/a.md": "special",
        "pages/special/c.md": "own",
    }
    assert page(site, "pages/special/a.md").own == {"title"}


@pytest.mark.parametrize(
    ("file", "permalink", "path", "slug"),
    [
        ("pages/data-models.md", "/:basename", "/data-models", "data-models"),
        ("pages/BE_resources .md", "/:title", "/BE_resources ", "be-resources"),
        ("index.md", "", "/", "index"),
        ("pages/index.md", "", "/pages/", "pages"),
        ("pages/talk/privacy.md", "/lets-talk/:basename:output_ext", "/lets-talk/privacy", "lets-talk-privacy"),
        ("pages/a.md", "/:path/:basename", "/pages/a", "pages-a"),
        ("pages/a.md", "given", "/given", "given"),
    ],
)
def test_a_page_has_the_address_that_jekyll_gives_it(
    make_site: MakeSite, file: str, permalink: str, path: str, slug: str
) -> None:
    """Permalinks are those of Jekyll; a page's name in our IRIs follows from its address."""
    found = page(read(make_site({file: f"---\npermalink: {permalink}\n---\n"})), file)
    assert (found.path, found.slug) == (path, slug)


def test_two_pages_with_one_address_are_reported_and_both_read(make_site: MakeSite) -> None:
    """One hides the other on the web; here each keeps a name of its own."""
    pages = {f"{name}.md": "---\npermalink: /same\n---\n" for name in "abc"}
    site = read(make_site(pages | {"d.md": "---\npermalink: /b\n---\n"}))
    assert [page.slug for page in site.pages] == ["same", "b", "c", "d"]
    assert [notice.source for notice in site.notices] == ["b.md", "c.md"]


def test_pages_of_one_address_never_share_a_name(make_site: MakeSite) -> None:
    """Where the name of the file is taken too, it is numbered."""
    same = "---\npermalink: /a\n---\n"
    slugs = [page.slug for page in read(make_site({"a.html": same, "a.markdown": same, "a.md": same})).pages]
    assert len(set(slugs)) == len(slugs) == 3


def test_what_jekyll_leaves_out_is_left_out(make_site: MakeSite) -> None:
    """Hidden and underscored folders, what the configuration excludes, and the README."""
    matter = "---\ntitle: A\n---\n"
    names = ["_layouts/a.html", ".github/a.md", "vendor/a.md", "drafts/a.md", "README.md", "old.md", "kept.md"]
    site = read(make_site(dict.fromkeys(names, matter), "exclude: [drafts/, old.md]"))
    assert [page.source for page in site.pages] == ["kept.md"]


def test_the_address_of_the_site_is_what_it_says_of_itself(make_site: MakeSite) -> None:
    """``url`` and ``baseurl`` of the configuration, else ``CNAME``, else what the caller knows."""
    assert read(make_site({}, "url: https://a.example/\nbaseurl: /b")).address == "https://a.example/b"
    assert read(make_site({"CNAME": "c.example\n"}, "title: A")).address == "https://c.example"
    assert read(make_site({"CNAME": "\n"}, "title: A")).address == "https://site.example"


@pytest.mark.parametrize(
    ("source", "matter", "kind"),
    [
        ("pages/beacon.md", "", "guidance"),
        ("pages/TEMPLATE_resources.md", "", "template"),
        ("pages/about/roadmap.md", "", "site-information"),
        ("pages/rules.md", "sidebar: contribute", "site-information"),
        ("pages/genes.md", "layout: genomics", "citizen"),
        ("pages/sample_page.md", "", "demonstration"),
        ("pages/test1.md", "", "demonstration"),
        ("pages/test-beds.md", "", "demonstration"),
        ("pages/democracy.md", "", "guidance"),
        ("pages/latest.md", "", "guidance"),
    ],
)
def test_the_type_of_a_page_follows_from_where_it_stands(make_site: MakeSite, source: str, matter: str, kind: str) -> None:
    """Templates and demonstrations go by their name, pages about the site by their folder or sidebar."""
    assert page(read(make_site({source: f"---\n{matter}\n---\n"})), source).type == kind


# Menus


def test_menus_are_read_with_place_and_line(make_site: MakeSite) -> None:
    """The place of an entry is the path of positions from the top."""
    top = "title: Top\nsubitems:\n- title: One\n  url: /one\n- title: Two\n  subitems:\n  - title: Far\n    external_url: https://b.example\n"
    site = read(make_site({"_data/topnav.yml": top, "_data/sidebars/main.yml": "subitems:\n  - title: Side\n"}))
    assert [(e.menu, e.place, e.line, e.title, e.url) for e in site.menu] == [
        ("topnav", (1,), 3, "One", "/one"),
        ("topnav", (2,), 5, "Two", ""),
        ("topnav", (2, 1), 7, "Far", "https://b.example"),
        ("main", (1,), 2, "Side", ""),
    ]


# Liquid


def rendered(body: str, *others: Page) -> liquid.Rendered:
    here = Page("a.md", {"title": "A"}, frozenset(), ["---", "title: A", "other: 1", "---"], body, "/a", "a")
    return liquid.render(here, Site(Path(), "https://site.example", [here, *others]))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{{ '/cancer' | relative_url }}", "/cancer"),
        ("{{ 'cancer' | absolute_url }}", "https://site.example/cancer"),
        ("{{ site.baseurl }}/x.pdf", "/x.pdf"),
        ("{{page.title}}", "A"),
        ("{% link pages/b.md %}", "/b"),
        ("{% link files/x.pdf %}", "/files/x.pdf"),
        ("{% include image.html file='x' %}", ""),
        ("{% raw %}{{ kept }}{% endraw %}", "{{ kept }}"),
        ("{% comment %}[A](https://a.example){% endcomment %}", ""),
    ],
)
def test_liquid_becomes_what_it_stands_for(written: str, read: str) -> None:
    """Outputs and links are evaluated, other tags are taken out."""
    assert rendered(f"[x]({written})", Page("pages/b.md", {}, frozenset(), [], "", "/b", "b")).text == f"[x]({read})"


def test_liquid_over_several_lines_moves_no_line() -> None:
    """What follows a tag stands on the line of the file."""
    text = rendered("{% include tile.html\n  a='1'\n%}\nOne\n{%- comment -%}\nx\n{%- endcomment -%}\n\nTwo\n").text
    assert [number for number, line in enumerate(text.split("\n")) if line.strip()] == [3, 8]


def test_tiles_are_told_by_their_type() -> None:
    """An include of navigation tiles stands for links to every page of a type."""
    assert rendered("{% include section-navigation-tiles.html type='use_case' %}").tiles == ["use_case"]


@pytest.mark.parametrize("broken", ["{{ 'a'", "{% include", "{{ 'a' | nothing }}"])
def test_broken_liquid_is_reported_with_its_line(broken: str) -> None:
    """The page is read nonetheless."""
    found = rendered(f"One\n\n{broken}")
    assert [(notice.source, notice.line) for notice in found.notices] == [("a.md", 4 + 3)]
    assert found.text.startswith("One\n")


# Whatever a file holds


@given(st.text())
def test_any_front_matter_is_read(tmp_path_factory: pytest.TempPathFactory, matter: str) -> None:
    """No front matter crashes the reader, and every report names a line of the file."""
    root = tmp_path_factory.mktemp("site")
    (root / "_config.yml").write_text(matter, "utf-8", "replace")
    (root / "a.md").write_text(f"---\n{matter}\n---\nBody", "utf-8", "replace")
    site = read(root)
    lines = (root / "a.md").read_text("utf-8").count("\n") + 1
    assert all(1 <= notice.line <= lines for notice in site.notices)


@given(
    st.lists(
        st.sampled_from([*"{}%'|", "{{", "}}", "{%", "%}", "-%}", " page.title ", "include", "comment", "raw", "end", "\n"])
    )
)
def test_any_liquid_is_read(pieces: list[str]) -> None:
    """No Liquid crashes the reader, and every report names a line of the file."""
    body = "".join(pieces)
    assert all(5 <= notice.line <= 5 + body.count("\n") for notice in rendered(body).notices)


# What cannot be read


def test_a_folder_without_configuration_is_no_site(tmp_path: Path) -> None:
    """The error names the folder and what to do."""
    with pytest.raises(
        SiteError, match=r"^.*: is not a Jekyll site: it has no _config\.yml\. Name the folder that holds it\.$"
    ) as error:
        read(tmp_path)
    assert error.value.source == str(tmp_path)


def test_a_page_that_is_not_utf_8_is_named(make_site: MakeSite) -> None:
    """The error names the file, the byte and what to do."""
    with pytest.raises(SiteError) as error:
        read(make_site({"pages/a.md": "---\ntitle: é\n---\n".encode("latin-1")}))
    assert str(error.value) == "pages/a.md: is not UTF-8 at byte 11. Save it as UTF-8."
