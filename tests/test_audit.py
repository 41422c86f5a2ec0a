"""The audit of the Framework's site: what it finds on the real site, what it leaves alone, each defect on a tiny site."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from onemg_kg import audit, checks
from onemg_kg.errors import SiteError
from onemg_kg.findings import Finding
from onemg_kg.project import Project
from onemg_kg.sync.theme import read_site

MakeSite = Callable[..., Path]
Found = tuple[str, str, int]
"""A rule, a file of the site and a line; 0 for the file as a whole."""


def places(findings: list[Finding]) -> list[Found]:
    return [(found.rule.removeprefix(checks.RULES), found.page, found.page_line) for found in findings]


# The real site


@pytest.fixture(scope="module")
def audited(project: Project, site: Path) -> list[Finding]:
    """What the audit finds on the real site."""
    return audit.run(project, site)


@pytest.mark.parametrize(
    ("rule", "page", "line", "words"),
    [
        # The same resource in two places
        ("record-of-another", "pages/genomics-into-healthcare.md", 35, "the record of B1MG Maturity Level Model Report"),
        ("label-missing", "pages/data-life-cycle/access.md", 30, "Recommended"),
        ("label-missing", "pages/data-quality-inclusion.md", 25, "Informational"),
        ("label-missing", "pages/your-role/data-access-committee-member.md", 31, "Required"),
        ("label-missing", "pages/your-role/data-access-committee-member.md", 37, "Informational"),
        ("label-missing", "pages/your-role/data-access-committee-member.md", 43, "Required"),
        ("limit-missing", "pages/technical-infrastructure/storage-and-interfaces.md", 11, "Rare disease"),
        ("links-differ", "pages/data-life-cycle/access.md", 40, "access-management.md:18"),
        ("resource-names-differ", "pages/data-life-cycle/access.md", 51, "pages/genomics-into-healthcare.md:21"),
        ("abbreviation-differs", "pages/data-life-cycle/access.md", 32, "Resource Entitlement Management System"),
        ("abbreviation-differs", "pages/citizen-hub/glossary.md", 185, "variants of unknown significance"),
        ("label-denied", "pages/technical-infrastructure.md", 39, "Beacon Network"),
        ("progress-contradicted", "pages/usecases/cancer.md", 42, "10.1038/s41588-024-01721-x"),
        ("progress-contradicted", "pages/ehds-data-lifecycle.md", 63, "pages/governance-elsi.md:36"),
        ("listed-twice", "pages/usecases/rare-diseases.md", 57, "line 54"),
        # Links
        ("link-malformed", "pages/data-life-cycle/access.md", 53, "(https://"),
        ("link-malformed", "pages/citizen-hub/vulnerabilities.md", 26, "[https://www.nature.com"),
        ("link-empty", "pages/your-role/product-owner-infrastructure.md", 9, "its target is empty"),
        ("link-by-script", "pages/national-implementation/at_resources.md", 14, "Browse other nations"),
        ("link-text-differs", "pages/contribute/style_guide.md", 75, "mailto:framework@"),
        ("link-tracked", "pages/citizen-hub/personalised-treatment.md", 16, "utm_source=chatgpt.com"),
        ("addresses-nearly-alike", "pages/citizen-hub/newborn-screening.md", 27, "citizen-engagement-initiative-materials.md"),
        ("file-in-two-places", "pages/citizen-hub/citizen-engagement-initiative-materials.md", 148, "newborn-screening.md:47"),
        ("link-not-escaped", "pages/data-models-ontologies.md", 14, "README_ Version 1"),
        ("link-not-escaped", "pages/data-models-ontologies.md", 20, "Metadata Submission"),
        ("link-to-draft", "pages/your-role/data-access-committee-member.md", 31, "10.5281/zenodo.8279851"),
        ("link-to-draft", "pages/your-role/data-access-committee-member.md", 37, "brill.com"),
        ("link-to-draft", "pages/your-role/data-access-committee-member.md", 43, "10.5281/zenodo.8279861"),
        ("link-to-working-document", "pages/technical-infrastructure/data-reception.md", 16, "preview"),
        ("link-to-demo", "pages/data-life-cycle/access.md", 30, "rems-demo"),
        ("link-restricted", "pages/training-materials.md", 6, "sharepoint"),
        ("link-to-missing-anchor", "pages/ehds-data-lifecycle.md", 44, "#data-discoverability"),
        ("link-to-missing-anchor", "pages/citizen-hub/newborn-screening.md", 9, "#Introduction"),
        ("link-to-missing-page", "pages/citizen-hub/about-genomics.md", 35, "citizen-engagement-initiative-materials"),
        ("link-to-another-repository", "pages/contribute/github_way.md", 39, "rdmkit/pulls"),
        ("entry-without-link", "pages/technical-infrastructure/data-discovery.md", 20, "DCAT-AP"),
        ("names-without-links", "pages/usecases/rare-diseases.md", 32, "Beacon, CRAM, Crypt4GH"),
        ("entry-still-to-come", "pages/technical-infrastructure.md", 52, "access-management.md:8"),
        ("entry-still-to-come", "pages/usecases/cancer.md", 17, "B1MG Cancer Proof of Concept"),
        ("heading-not-linked", "pages/national-implementation.md", 31, "Data quality and inclusion"),
        ("national-tag-unfounded", "pages/national-implementation/ie_resources.md", 11, "“ELSI documents”"),
        ("national-entry-not-listed", "pages/national-implementation/de_resources.md", 14, "3 entries"),
        # Menus and names
        ("names-differ", "pages/technical-infrastructure/access-management.md", 2, "“Data Access Management Tools”"),
        ("names-differ", "pages/technical-infrastructure/data-processing.md", 2, "“Processing”"),
        ("names-differ", "pages/citizen-hub/uncertainties.md", 6, "“Uncertainty”"),
        ("menu-picture-differs", "_data/sidebars/framework.yml", 25, "data-governance-v1.svg"),
        ("menu-target-missing", "_data/sidebars/genomics.yml", 4, "/about-genomics"),
        ("menu-target-missing", "_data/sidebars/genomics.yml", 8, "/citizen-engagement-initiative-materials"),
        ("menu-title-differs", "_data/topnav.yml", 22, "The page of that title is pages/about/how-to-use-framework.md."),
        ("menu-title-differs", "_data/sidebars/trust_framework2.yml", 9, "Genomics into healthcare"),
        ("menu-description-differs", "_data/sidebars/framework2.yml", 4, "trust_framework3.yml:4"),
        ("names-differ", "pages/governance-elsi.md", 2, "Governance & ELSI"),
        ("name-of-heading-differs", "pages/ehds-data-lifecycle.md", 39, "Storage & Interfaces"),
        ("page-name-differs", "pages/data-life-cycle/storage.md", 2, "Store and management"),
        # Pages
        ("page-identifier-twice", "pages/data-life-cycle/storage.md", 3, "pages/data-life-cycle/preparation.md"),
        ("page-identifier-twice", "pages/genomics-into-healthcare.md", 4, "pages/your-role/healthcare.md"),
        ("page-title-twice", "pages/sequencing-guidelines.md", 2, "pages/data-quality-inclusion.md"),
        ("page-title-twice", "pages/technical-architecture.md", 2, "pages/technical-infrastructure.md"),
        ("page-near-copy", "pages/technical-architecture.md", 0, "pages/technical-infrastructure.md"),
        ("page-near-copy", "pages/sequencing-guidelines.md", 0, "pages/data-quality-inclusion.md"),
        ("page-near-copy", "pages/healthcare-integration-sustainability.md", 0, "pages/genomics-into-healthcare.md"),
        ("page-not-reached", "pages/technical-architecture.md", 0, ""),
        ("page-not-reached", "pages/sequencing-guidelines.md", 0, ""),
        ("page-not-reached", "pages/healthcare-integration-sustainability.md", 0, ""),
        ("page-not-reached", "pages/your-role.md", 0, "pages/your-role/researcher.md"),
        ("page-not-reached", "pages/data-life-cycle.md", 0, "pages/data-life-cycle/storage.md"),
        ("page-stub", "pages/your-role/devops-infrastructure.md", 0, "researcher.md"),
        ("page-near-copy", "pages/citizen-hub/tabbed-content.md", 0, "pages/citizen-hub/scroll-tab.md"),
        ("form-published", "pages/citizen-hub/sample-accordion.md", 0, "pages/usecases/TEMPLATE_your_usecase.md"),
        ("nothing-announced", "pages/technical-infrastructure/data-processing.md", 24, "Trusted Research Environments:"),
        ("statistics-service-differs", "pages/about/privacy.md", 19, "Matomo"),
        ("section-empty", "pages/usecases/infectious-diseases.md", 20, "Future GDI Outputs"),
        ("description-placeholder", "pages/your-role/healthcare.md", 3, ""),
        ("description-misspelt", "pages/governance-elsi.md", 3, "tolegal"),
        ("placeholder-text", "pages/about/media_kit.md", 5, "Lorem ipsum"),
        ("placeholder-text", "_data/news.yml", 1, "New Item One"),
        # Markup and files
        ("html-not-closed", "pages/national-implementation.md", 6, "<a>"),
        ("broken-link-markup", "pages/citizen-hub/vulnerabilities.md", 43, "time[(https://"),
        ("label-in-another-entry", "pages/governance-elsi.md", 26, "Legal basis"),
        ("tag-like-a-label", "pages/national-implementation/nl_resources.md", 8, "National genomic plans (as Required)"),
        ("file-name", "pages/national-implementation/mt_resources .md", 0, ""),
        ("config-path-missing", "_config.yml", 78, "pages/your-usecase/TEMPLATE_your_usecase.md"),
        ("unlabelled-resources", "", 0, "User Portal"),
    ],
)
def test_what_a_reader_finds_the_audit_finds(audited: list[Finding], rule: str, page: str, line: int, words: str) -> None:
    [found] = [f for f, place in zip(audited, places(audited), strict=True) if place == (rule, page, line)]
    assert words in found.message
    assert found.fix


def test_every_rule_but_the_ones_without_a_case_finds_something(audited: list[Finding], project: Project) -> None:
    """A check that finds nothing on the real site is one of those few, which its example shows at work."""
    silent = {check.name for check in checks.folder(project, "site")} - {rule for rule, _, _ in places(audited)}
    assert silent == {"html-end-without-start", "image-missing", "label-differs", "not-understood"}


def test_each_defect_is_told_once(audited: list[Finding]) -> None:
    assert [place for place, number in Counter(places(audited)).items() if number > 1] == []


def test_every_finding_says_where(audited: list[Finding], site: Path) -> None:
    """Each names a file of the site and a line that the file has; what is about the whole site names none."""
    for found in audited:
        if found.page:
            assert found.page_line <= len((site / found.page).read_text(encoding="utf-8").splitlines())
    assert [rule for rule, page, _ in places(audited) if not page] == ["unlabelled-resources"]


def test_every_finding_is_a_sentence(audited: list[Finding]) -> None:
    for found in audited:
        assert found.message == found.message.strip()
        assert "{" not in found.message + found.fix
        assert found.fix.endswith(".")


def test_forms_and_demonstrations_are_left_alone(audited: list[Finding], site: Path) -> None:
    aside = {page.source for page in read_site(site, "").pages if page.type in {"template", "demonstration"}}
    assert any("TEMPLATE" in source for source in aside)
    assert {rule for rule, page, _ in places(audited) if page in aside} == {"form-published"}


def test_a_page_that_is_to_go_is_not_to_be_mended_first(audited: list[Finding]) -> None:
    """Of a near-copy only what is about the page as a whole is told."""
    copies = {page for rule, page, _ in places(audited) if rule == "page-near-copy"}
    told = {rule for rule, page, _ in places(audited) if page in copies}
    assert told == {"page-near-copy", "page-not-reached", "page-title-twice"}


@pytest.mark.parametrize(
    ("rules", "pattern"),
    [
        ({"link-empty"}, r'\]\(\)|href="#"'),
        ({"link-malformed"}, r"\]\([(\[]"),
        ({"link-not-escaped"}, r"\]\([^)\n]+ [^)\n]+\)"),
        ({"link-restricted"}, r"sharepoint\.com|zenhub\.com|sites\.google\.com"),
        ({"link-to-draft", "link-to-working-document"}, r"docs\.google\.com|/preview/"),
        ({"tag-like-a-label"}, r"badge-(warning|dark) national.*"),
        ({"description-placeholder"}, r"^description: Short text"),
        ({"placeholder-text"}, r"(?i)lorem ipsum|sample text|will be displayed here|news? item \w+"),
        ({"html-not-closed"}, r"<a>"),
    ],
)
def test_there_is_no_more_than_the_text_has(audited: list[Finding], site: Path, rules: set[str], pattern: str) -> None:
    """A ceiling for each rule, counted in the text itself."""
    files = [path for folder in ("pages", "_data") for path in (site / folder).rglob("*") if path.suffix in {".md", ".yml"}]
    stands = sum(len(re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)) for path in files)
    assert 0 < sum(rule in rules for rule, _, _ in places(audited)) <= stands


def test_the_audit_says_the_same_twice(audited: list[Finding], project: Project, site: Path) -> None:
    assert audit.run(project, site) == audited


# Sites of our own

MENU = "subitems:\n  - title: Reading\n    url: /reading\n"


def page(text: str = "", *, title: str = "Reading", matter: str = "") -> str:
    """A page with five lines before its text."""
    return f"---\ntitle: {title}\npermalink: /:basename\n{matter or 'toc: false'}\n---\n{text}\n"


WORDS = (
    "This page has enough words of its own to be more than a stub, since a stub is a page that has next to nothing to say, "
    "and this one goes on for two lines at least."
)
CONFIG = "url: https://site.example"


@pytest.fixture
def found(project: Project, make_site: MakeSite) -> Callable[..., list[Found]]:
    """Audits a site with one page, ``pages/reading.md``, that its menu leads to; and further files."""

    def run(text: str = "", files: Mapping[str, str | bytes] | None = None, config: str = CONFIG) -> list[Found]:
        base = {"pages/reading.md": page(f"{WORDS}\n\n{text}"), "_data/topnav.yml": MENU}
        return places(audit.run(project, make_site({**base, **(files or {})}, config)))

    return run


def test_a_clean_site_gives_no_finding(found: Callable[..., list[Found]]) -> None:
    writing = page(f"{WORDS}\n\n## Steps\n\n[Back](reading#more)\n\n![Map](/assets/map%201.png)", title="Writing")
    text = "## More\n\nSee [writing](/writing#steps), <https://example.org> and <me@example.org>.\n\n* [Atlas](https://example.org/atlas)"
    assert found(text, {"pages/writing.md": writing, "assets/map 1.png": b"\x89PNG"}) == []


def test_a_folder_that_is_no_site_cannot_be_audited(project: Project, tmp_path: Path) -> None:
    with pytest.raises(SiteError):
        audit.run(project, tmp_path)


def test_pictures_are_asked_for_where_the_checkout_has_their_folder(found: Callable[..., list[Found]]) -> None:
    text = '![Map](/assets/map.png)\n\n<img src="/assets/%6Cogo.png" alt="Logo" />\n\n[List](/assets/list.pdf)'
    assert found(text) == []
    there = {"assets/logo.png": b"\x89PNG"}
    assert found(text, there) == [("image-missing", "pages/reading.md", 8), ("image-missing", "pages/reading.md", 12)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('See <a href="https://example.org">here<a>.', [8]),
        ("<div>\n<span>text\n</div>", [9]),
        ("<div>\n\ntext", [8]),
        ("<ul><li>one<li>two</ul>\n\n<p>text\n\n<table><tr><td>cell</table>", []),
        ("one<br>two <img src='https://example.org/a.png' alt='a'> <hr/>", []),
        ("`<b>` and `` `<i>` `` and \\<em\\>", []),
        ("```\n<div>\n```\n\n* text\n\n    ~~~~\n    <span>\n    ~~~\n    ~~~~", []),
        ("<https://example.org/a> <me@example.org>", []),
        ("<!-- <div> -->", []),
        ("Use `git branch` with <your name> in it.", []),
    ],
    ids=["link", "nested", "to the end", "optional", "void", "span", "fenced", "autolink", "comment", "no element"],
)
def test_elements_that_are_not_closed(found: Callable[..., list[Found]], text: str, lines: list[int]) -> None:
    assert found(text) == [("html-not-closed", "pages/reading.md", line) for line in lines]


def test_an_end_tag_of_nothing(found: Callable[..., list[Found]]) -> None:
    assert found("text</p>\n\ntext</div>") == [("html-end-without-start", "pages/reading.md", 10)]


def test_empty_sections(found: Callable[..., list[Found]]) -> None:
    """A heading with a deeper one below it is not empty; one with a note that it is being worked on is."""
    text = (
        "## A\n\n### B\n\ntext\n\n## C\n\n## D\n\nWe are working on the content for this section.\n\n## E\n\n"
        "![e](https://example.org/e.png)\n\n## F"
    )
    assert found(text) == [("section-empty", "pages/reading.md", line) for line in (14, 16, 24)]


def test_placeholders(found: Callable[..., list[Found]]) -> None:
    news = {"_data/news.yml": "- name: New item one\n  description: Something happened.\n"}
    text = "Lorem ipsum dolor sit amet.\n\n[[replace with the link]](https://example.org)\n\nA sample text is not one."
    assert found(text, news) == [
        ("placeholder-text", "_data/news.yml", 1),
        ("placeholder-text", "pages/reading.md", 8),
        ("placeholder-text", "pages/reading.md", 10),
    ]


def test_a_default_for_a_path_that_is_gone(found: Callable[..., list[Found]]) -> None:
    paths = ("", "pages", "pages/*", "old")
    scopes = "".join(f'  - scope:\n      path: "{path}"\n    values:\n      toc: true\n' for path in paths)
    assert found(config=f"{CONFIG}\ndefaults:\n{scopes}") == [("config-path-missing", "_config.yml", 16)]


def test_a_label_that_continues_the_item_before_it(found: Callable[..., list[Found]]) -> None:
    badge = '<span class="badge badge-warning">Required</span>'
    entry = f"[Atlas](https://example.org/atlas) {badge}"
    after = f"[Globe](https://example.org/globe) {badge}"
    at_fault = [("label-in-another-entry", "pages/reading.md", 10)]
    assert found(f"{entry}\n* what it is\n{after}\n* what it is") == at_fault
    assert found(f"{entry}\n* what it is\n\n{after}\n* what it is") == []


LONG = "\n\n".join(f"Sentence {number} says that {number} times {number} is {number * number}." for number in range(20))


@pytest.mark.parametrize(
    ("entries", "reported"),
    [("/reading", "writing"), ("/writing", "reading"), ("/reading /writing", "writing")],
)
def test_of_two_near_copies_one_is_to_go(found: Callable[..., list[Found]], entries: str, reported: str) -> None:
    """The one that no menu leads to; where menus lead to both, one of them."""
    lines = "".join(f"  - title: {url[1:].title()}\n    url: {url}\n" for url in entries.split())
    files = {
        "_data/topnav.yml": "subitems:\n" + lines,
        "pages/reading.md": page(LONG),
        "pages/writing.md": page(LONG.replace("Sentence 3 says", "Line 3 tells"), title="Writing"),
    }
    assert [place for place in found(files=files) if place[0] == "page-near-copy"] == [
        ("page-near-copy", f"pages/{reported}.md", 0)
    ]


def test_pages_that_are_short_or_share_little_are_no_copies(found: Callable[..., list[Found]]) -> None:
    files = {
        "_data/topnav.yml": MENU + "  - title: Writing\n    url: /writing\n",
        "pages/writing.md": page(WORDS, title="Writing"),
    }
    assert found("", files) == []


def test_a_page_that_only_pages_without_a_way_to_them_lead_to(found: Callable[..., list[Found]]) -> None:
    """The page at the top of what nobody reaches is told, not each page below it; an address of errors is no page to reach."""
    files = {
        "pages/writing.md": page(f"{WORDS} [Onward](last)", title="Writing"),
        "pages/last.md": page(WORDS, title="Last"),
        "404.md": page(WORDS, title="Not found"),
    }
    assert found("", files) == [("page-not-reached", "pages/writing.md", 0)]


def test_a_menu_title_with_all_words_of_the_other_is_the_same(found: Callable[..., list[Found]]) -> None:
    pages = {
        "pages/a.md": page(WORDS, title="Rules (C++) & more"),
        "pages/b.md": page(WORDS, title="Big data and AI"),
    }
    entries = (("More rules", "/a"), ("AI", "/b"), ("Reading lists", "/reading"))
    menu = "subitems:\n" + "".join(f"  - title: {title}\n    url: {url}\n" for title, url in entries)
    assert found("", {**pages, "_data/topnav.yml": menu}) == []
    menu = menu.replace("Reading lists", "Lists")
    assert found("", {**pages, "_data/topnav.yml": menu}) == [("menu-title-differs", "_data/topnav.yml", 6)]


def test_pages_for_editors_that_are_published(found: Callable[..., list[Found]]) -> None:
    """Said once; one that the site map leaves out is not asked for."""
    forms = {
        "pages/TEMPLATE_page.md": page("", title="Form", matter="sitemap: false"),
        "pages/sample-tab.md": page("", title="Tabs"),
        "pages/sample-table.md": page("", title="Table"),
    }
    assert found("", forms) == [("form-published", "pages/sample-tab.md", 0)]


def test_a_copy_of_a_demonstration_is_to_go(found: Callable[..., list[Found]]) -> None:
    files = {
        "_data/topnav.yml": MENU + "  - title: Tabs\n    url: /tabs\n",
        "pages/tabs.md": page(LONG, title="Tabs"),
        "pages/sample-tab.md": page(LONG, title="Tabs, a sample", matter="sitemap: false"),
    }
    assert found("", files) == [("page-near-copy", "pages/tabs.md", 0)]


def test_stubs_are_told_once_for_each_folder(found: Callable[..., list[Found]]) -> None:
    files = {f"pages/{name}.md": page("", title=name.title()) for name in ("later/ant", "later/bee", "cat")}
    menu = MENU + "".join(f"  - title: {name.title()}\n    url: /{name}\n" for name in ("ant", "bee", "cat"))
    assert found("", {**files, "_data/topnav.yml": menu}) == [
        ("page-stub", "pages/cat.md", 0),
        ("page-stub", "pages/later/ant.md", 0),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "{% bibliography %}",
        "* {% tool 'atlas' %}",
        "```\nls\n```",
        "    ls -l",
        '<form><input type="search"></form>',
        "<!-- a -->\ntext",
    ],
)
def test_what_is_no_text_fills_a_section(found: Callable[..., list[Found]], content: str) -> None:
    """Liquid that the theme writes something for, code, and forms."""
    assert found(f"## Maps\n\n{content}\n\n## More\n\ntext") == []


def test_a_section_of_a_comment_alone_is_empty(found: Callable[..., list[Found]]) -> None:
    assert found("## Maps\n\n<!-- later -->\n<br />\n\n## More\n\ntext") == [("section-empty", "pages/reading.md", 8)]


def test_a_heading_beside_headings_that_are_links(found: Callable[..., list[Found]]) -> None:
    links = "* ### [Atlases](reading#more)\n* ### [Globes](reading#more)\n"
    assert found(f"## More\n\ntext\n\n{links}* ### Maps") == [("heading-not-linked", "pages/reading.md", 14)]
    assert found("## More\n\ntext\n\n### [Atlases](reading#more)\n\n### Maps") == [("section-empty", "pages/reading.md", 14)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("## Help\n\nWe thank:\n", [10]),
        ("### Help\n\nWe thank:\n\n## More\n\ntext", [10]),
        ("## Help\n\nWe thank:\n\n### Them\n\ntext", []),
        ("## Help\n\nThere are two kinds:\n\n## One\n\ntext", []),
        ("## Help\n\nWe thank:\n\n{% include all.html %}", []),
        ("## Help\n\nWe thank:\n\n* them", []),
    ],
    ids=["last", "end of section", "sections below", "sections beside", "included", "list"],
)
def test_a_text_that_announces_nothing(found: Callable[..., list[Found]], text: str, lines: list[int]) -> None:
    assert found(text) == [("nothing-announced", "pages/reading.md", line) for line in lines]


def test_an_abbreviation_in_different_words(found: Callable[..., list[Found]]) -> None:
    """Spelling, number, small words and hyphens make no difference."""
    two = {
        "_data/topnav.yml": MENU + "  - title: Writing\n    url: /writing\n",
        "pages/writing.md": page(f"{WORDS}\n\nThe RUS (Reading Unit Standard) is new.", title="Writing"),
    }
    assert found("Ask the Readers' Union Service (RUS).", two) == [("abbreviation-differs", "pages/reading.md", 8)]
    assert found("Reading-unit standards (RUS) and the RUS (see below) say so.", two) == []


def test_a_statistics_service_that_is_not_the_one_in_use(found: Callable[..., list[Found]]) -> None:
    wrong = [("statistics-service-differs", "pages/reading.md", 8)]
    assert found("Google Analytics counts visits.", config=f"{CONFIG}\nmatomo: https://m.example/\ngtag:") == wrong
    assert found("Google Analytics counts visits, as Matomo did.", config=f"{CONFIG}\nmatomo: https://m.example/") == []
    assert found("Google Analytics counts visits.", config=f"{CONFIG}\ngtag: G-1") == []
    assert found("Google Analytics counts visits.") == []


def test_pictures_of_menus(found: Callable[..., list[Found]]) -> None:
    """One page has one picture in all menus; a picture is there, in a checkout that has the folder."""
    other = {"_data/sidebars/main.yml": MENU + "    image_url: /assets/pen.svg\n"}
    top = {"_data/topnav.yml": MENU + "    image_url: '/assets/book.svg'\n"}
    assert found("", {**other, **top}) == [("menu-picture-differs", "_data/sidebars/main.yml", 2)]
    same = {name: text.replace("pen", "book") for name, text in {**other, **top}.items()}
    assert found("", same) == []
    assert found("", {**same, "assets/pen.svg": b"<svg/>"}) == [
        ("image-missing", "_data/sidebars/main.yml", 4),
        ("image-missing", "_data/topnav.yml", 4),
    ]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("[a study]([https://example.org/a])", ["link-malformed"]),
        ("[a reader](me@example.org)", ["link-malformed"]),
        ("[a page]((/nowhere))", ["link-malformed"]),
        ("Write `[a]](b)` so.", []),
        ("[old@example.org](mailto:new@example.org)", ["link-text-differs"]),
        ("[new@example.org](mailto:new@example.org?subject=Hello)", []),
        ("[https://www.example.org/a](https://example.org/a/b)", []),
        ("[https://example.org](https://example.net)", ["link-text-differs"]),
        ("See [it](https://example.org/a?b=1&utm_source=c).", ["link-tracked"]),
        ("See [it](https://zenodo.org/record/1#.YXGkS9bMKdY).", ["link-tracked"]),
        ("See [it](https://example.org/a?source=c#.section).", []),
        ('<a class="btn" onclick="history.back()">Back</a>', ["link-by-script"]),
        ('<a href="/reading" onclick="history.back()">Back</a>', []),
    ],
)
def test_links_by_how_they_are_written(found: Callable[..., list[Found]], text: str, rules: list[str]) -> None:
    assert found(text) == [(rule, "pages/reading.md", 8) for rule in rules]


def test_one_file_in_two_places(found: Callable[..., list[Found]]) -> None:
    text = "See [one](https://example.org/{}/reading-for-all.pdf) and [two](https://{}/2/reading-for-all.pdf)."
    assert found(text.format(1, "example.org")) == [("file-in-two-places", "pages/reading.md", 8)]
    assert found(text.format(2, "example.org")) == []
    assert found(text.format(1, "example.net")) == []


BADGE = '<span class="badge badge-warning">Required</span>'


@pytest.mark.parametrize(
    ("below", "rules"),
    [
        ("A book.", ["entry-without-link"]),
        ("It will be available next year. A book.", ["entry-still-to-come"]),
        ("A book. Others are in development.", ["entry-without-link"]),
        ('<iframe src="https://www.youtube.com/embed/6MtIJA4xXdU" title="A talk"></iframe>', []),
        (
            'text\n\n## Talks\n\n<iframe src="https://www.youtube.com/embed/6MtIJA4xXdU" title="A talk"></iframe>',
            ["entry-without-link"],
        ),
    ],
    ids=["named", "to come", "others to come", "shown", "shown elsewhere"],
)
def test_entries_without_a_link(found: Callable[..., list[Found]], below: str, rules: list[str]) -> None:
    text = f"## Reading list {BADGE}\n\n{below}"
    assert found(text) == [(rule, "pages/reading.md", 8) for rule in rules]


def test_a_page_that_denies_the_labels_of_another(found: Callable[..., list[Found]]) -> None:
    writing = {"pages/writing.md": page(f"{WORDS}\n\n## [Atlas](https://example.org/atlas) {BADGE}", title="Writing")}
    text = "[Writing](writing) tells more. While none of these standards are required, they help."
    assert found(text, writing) == [("label-denied", "pages/reading.md", 8)]
    assert found(text, {"pages/writing.md": writing["pages/writing.md"].replace("Required", "Recommended")}) == []


def test_what_two_pages_share_is_told_of_the_one_that_took_it(found: Callable[..., list[Found]]) -> None:
    """An identifier is that of the page whose file has its name; a title is that of the page in the menus."""
    files = {
        "pages/ant.md": page(WORDS, title="Ants", matter="page_id: reading"),
        "pages/reading.md": page(f"{WORDS}\n\n[Ants](ant), [bees](bee)", matter="page_id: reading"),
        "pages/bee.md": page(f"# Reading\n\n{WORDS}").replace("title: Reading", "layout: page"),
    }
    assert found("", files) == [
        ("page-identifier-twice", "pages/ant.md", 4),
        ("page-title-twice", "pages/bee.md", 6),
        ("page-without-title", "pages/bee.md", 0),
    ]


def test_a_page_of_the_framework_that_is_called_by_another_name(found: Callable[..., list[Found]]) -> None:
    """Spelling and number make no other name, and a word within a sentence is none."""
    files = {
        "pages/data-processing.md": page(WORDS, title="Data processing"),
        "_data/topnav.yml": MENU + "  - title: Data processing\n    url: /data-processing\n",
    }
    assert found("* [Processing](data-processing)", files) == [("names-differ", "pages/data-processing.md", 2)]
    assert found("* [Data Processings](data-processing)\n\nWe speak of [processing](data-processing) there.", files) == []


def test_layouts_lead_to_pages(found: Callable[..., list[Found]]) -> None:
    """Pages with a layout of the site's own are asked for where the layout is there to link to them; a layout has one too."""
    files = {f"pages/{name}.md": page(WORDS, title=name, matter="layout: hub") for name in ("Ant", "Bee", "Cat", "Dog")}
    menu = {"_data/topnav.yml": MENU + "  - title: Ant\n    url: /Ant\n"}
    layouts = {
        "_layouts/hub.html": '---\ntitle: Hub\nlayout: base\n---\n<a class="b" href="Bee">Bees</a><a href="#top">Top</a>',
        "_layouts/base.html": '---\nlayout: base\n---\n<a href="/Cat/">Cats</a><a href="{{ page.url }}">Here</a>',
    }
    assert found("", {**files, **menu}) == []
    assert found("", {**files, **menu, **layouts}) == [("page-not-reached", "pages/Dog.md", 0)]
