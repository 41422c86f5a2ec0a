"""Which places of a page list a resource, with which label: every untidy thing that the Framework's pages hold."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onemg_kg.sync import entries, liquid, markup
from onemg_kg.sync.entries import Entry, Reading, Vocabulary
from onemg_kg.sync.theme import Page, Site

REQUIRED = '<span class="badge badge-warning">Required<i class="fa-star"></i></span>'
RECOMMENDED = '<span class="badge badge-dark">Recommended<i class="fa-solid fa-thumbs-up"></i></span>'
INFORMATIONAL = '<span class="badge badge-primary">Informational</span>'
VOCABULARY = Vocabulary(
    levels={"required": "urn:required", "recommended": "urn:recommended", "informational": "urn:informational"},
    use_cases={"rare disease": "urn:rare-disease", "cancer": "urn:cancer"},
    countries={"IE": "urn:ireland"},
    tags=frozenset({"training materials"}),
)
A = "[A](https://a.example)"
B = "[B](https://b.example)"


def read(text: str, source: str = "pages/a.md", matter: dict[str, str] | None = None) -> Reading:
    page = Page(source, matter or {}, frozenset(), [], text, "/a", "a")
    rendered = liquid.render(page, Site(Path(), "https://site.example", [page]))
    return entries.read(page, markup.parse(rendered.text), "https://site.example/a", VOCABULARY)


def shown(entry: Entry) -> str:
    """An entry in one line: ``line: name <link> [label@line]``."""
    link = f" <{entry.link.target}>" if entry.link else ""
    label = f" [{entry.badge.text}@{entry.badge.line}]" if entry.badge else ""
    return f"{entry.line}: {entry.names[0]}{link}{label}"


def listings(text: str, source: str = "pages/a.md", matter: dict[str, str] | None = None) -> list[str]:
    """The entries of a page that are listings whatever the graph knows."""
    return [shown(entry) for entry in read(text, source, matter).entries if entry.listing and not entry.known_only]


def candidates(text: str) -> list[str]:
    """What is a listing if the graph knows a resource of that name."""
    return [shown(entry) for entry in read(text).entries if entry.listing and entry.known_only]


def mentions(text: str, source: str = "pages/a.md", matter: dict[str, str] | None = None) -> list[str]:
    """The links that are a mention if the graph knows where they lead."""
    return [shown(entry) for entry in read(text, source, matter).entries if not entry.listing and entry.link]


A_LISTED = "<https://a.example>"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # headings
        (f"## {A} {REQUIRED}", [f"1: A {A_LISTED} [Required@1]"]),
        (f"## {A}\n{REQUIRED}", [f"1: A {A_LISTED} [Required@2]"]),
        (f"## {A}\n\n{REQUIRED}\n\nWords.", [f"1: A {A_LISTED} [Required@3]"]),
        (f"## Name {REQUIRED}", ["1: Name [Required@1]"]),
        (f"## Name\n\n{REQUIRED}", ["1: Name [Required@3]"]),
        (f"{A} {REQUIRED}\n===", [f"1: A {A_LISTED} [Required@1]"]),
        (f'<h3><a href="https://a.example">A</a>\n{REQUIRED}</h3>', [f"1: A {A_LISTED} [Required@2]"]),
        (
            f"## {A} {REQUIRED}, {B} {RECOMMENDED} / [C](https://c.example)",
            [f"1: A {A_LISTED} [Required@1]", "1: B <https://b.example> [Recommended@1]", "1: C <https://c.example>"],
        ),
        (
            f"## {A} and {B}\n\n{REQUIRED}{RECOMMENDED}",
            [f"1: A {A_LISTED} [Required@3]", "1: B <https://b.example> [Recommended@3]"],
        ),
        # items
        (
            f"- {A} {REQUIRED}\n- {B}\n{RECOMMENDED}",
            [f"1: A {A_LISTED} [Required@1]", "2: B <https://b.example> [Recommended@3]"],
        ),
        (f"- {A}\n  {REQUIRED}", [f"1: A {A_LISTED} [Required@2]"]),
        (f"- {REQUIRED} {A}", [f"1: A {A_LISTED} [Required@1]"]),
        (f"* {A} is what a node of any country needs to be found by all others.", [f"1: A {A_LISTED}"]),
        (f"* **Name** {REQUIRED}\n* Other\n  {RECOMMENDED}", ["1: Name [Required@1]", "2: Other [Recommended@3]"]),
        (f"1. Group\n   - {A} {REQUIRED}\n     - {B}", [f"2: A {A_LISTED} [Required@2]", "3: B <https://b.example>"]),
        (f"- [A {REQUIRED}](https://a.example)", [f"1: A {A_LISTED} [Required@1]"]),
        # paragraphs
        (f"{A} {REQUIRED}", [f"1: A {A_LISTED} [Required@1]"]),
        (f"{A}\n{REQUIRED}\n\nWords.", [f"1: A {A_LISTED} [Required@2]"]),
        (f"**{A}** {REQUIRED}", [f"1: A {A_LISTED} [Required@1]"]),
        (f"**Name** {REQUIRED}", ["1: Name [Required@1]"]),
        (f"Name\n{REQUIRED}", ["1: Name [Required@2]"]),
        (f"{A}\n{B}", [f"1: A {A_LISTED}", "2: B <https://b.example>"]),
        (f"{A}<br>{REQUIRED}", [f"1: A {A_LISTED} [Required@1]"]),
        (f"{A} {REQUIRED} says in many words what every node of the network has to do.", [f"1: A {A_LISTED} [Required@1]"]),
        (f"Term\n: {A} {REQUIRED}", [f"2: A {A_LISTED} [Required@2]"]),
        (f"{A} (the guide of 2024)", [f"1: A {A_LISTED}"]),
        ("Guide: https://a.example/x", ["1: Guide <https://a.example/x>"]),
        ("Guide: <https://a.example/x>", ["1: Guide <https://a.example/x>"]),
        # frames and pictures
        (
            '## Film\n\n<iframe src="https://www.youtube.com/embed/x" title="YouTube video player"></iframe>',
            ["3: Film <https://www.youtube.com/embed/x>"],
        ),
        ('## Film\n\n<iframe src="https://v.example" title="Part 1"></iframe>', ["3: Part 1 <https://v.example>"]),
        ("## Film\n\n[![poster](x.png)](https://v.example)", ["3: Film <https://v.example>"]),
        ('## Film\n\n<a href="https://v.example"><img src="x.png"></a>', ["3: Film <https://v.example>"]),
        # tables
        (
            f"| Name | Label | About |\n|---|---|---|\n| {A} | {REQUIRED} | words |\n| Name | {RECOMMENDED} | words |",
            [f"3: A {A_LISTED} [Required@3]", "4: Name [Recommended@4]"],
        ),
        (
            "<table><tr><th>Initiative</th><th>Kind</th><th>Material</th></tr>\n"
            '<tr><td rowspan="2">Forum</td><td>Report</td>\n<td><a href="https://a.example">https://a.example</a></td></tr>\n'
            '<tr><td>Film</td>\n<td><a href="#">French</a></td></tr></table>',
            ["3: Forum: Report <https://a.example>", "5: Forum: Film <#>"],
        ),
        # links as they should not be written
        ("- [A]((https://a.example))", ["1: A <(https://a.example)>"]),
        ("- [A](https://a.example/a b.pdf)", ["1: A <https://a.example/a b.pdf>"]),
        ("- [A]({{ '/a.pdf' | relative_url }})", ["1: A </a.pdf>"]),
        ("- [A](/files/a.pdf){: .wide}", ["1: A </files/a.pdf>"]),
        (f"- [A]()\n- [B](#)\n- {B}", ["3: B <https://b.example>"]),
        (f"- [A]() {REQUIRED}", ["1: A [Required@1]"]),
        # what a label of another sort leaves alone
        (f'- {A} <span class="badge badge-warning">Training materials</span>', [f"1: A {A_LISTED}"]),
        (f"- {A} [{REQUIRED}](/labels)", [f"1: A {A_LISTED}"]),
        (f"- {A} <!-- {REQUIRED} -->", [f"1: A {A_LISTED}"]),
    ],
)
def test_an_entry_is_found_with_its_label(text: str, found: list[str]) -> None:
    """Whatever it is written as: each with its own line, link and label."""
    assert listings(text) == found


@pytest.mark.parametrize(
    "text",
    [
        f"Every node of the network goes by what {A} says, for that is how it is found by others.",
        f"(see {A})",
        f"- Every node goes by {A} and so do we",
        f"> {A}",
        "See https://a.example for more.",
    ],
)
def test_a_link_in_running_text_is_a_mention(text: str) -> None:
    """A link within a description or a quotation is no entry of the page."""
    assert listings(text) == []


def test_a_link_in_the_description_of_an_entry_is_a_mention() -> None:
    """Only the first link of an item is its entry, with those that are joined to it."""
    text = f"- {A}, {B}: both are explained in the [guide](https://g.example) of the project."
    assert listings(text) == [f"1: A {A_LISTED}", "1: B <https://b.example>"]
    assert mentions(text) == ["1: guide <https://g.example>"]


@pytest.mark.parametrize(
    "link", ["[Home](/)", "[Other](other)", "[Mail](mailto:a@b.example)", "[Here](#here)", "[Go](https://a.example){: .btn}"]
)
def test_what_leads_to_the_site_itself_is_no_resource(link: str) -> None:
    """A page of the site, a mail address, a place on the page or a button is not listed."""
    assert listings(f"- {link}\n\n## {link}") == []


def test_a_line_that_is_a_name_counts_if_the_graph_knows_it() -> None:
    """A heading, an item or a line of its own may name a resource without a link."""
    assert candidates("## Beacon\n\nBeacon v2\n\n- Crypt4GH") == ["1: Beacon", "3: Beacon v2", "5: Crypt4GH"]


def test_an_entry_stands_below_its_headings() -> None:
    """The path of an entry is that of the headings above it; a heading is not above itself."""
    found = read(f"# One\n\n### Two\n\n- {A}\n\n## {B}\n\n{A}").entries
    assert [entry.path for entry in found if entry.link] == [("One", "Two"), ("One",), ("One", "B")]


def test_the_flag_beside_an_entry_is_its_country() -> None:
    """A national resource shows the flag of its country."""
    [entry] = read(f'- {A} <span class="flag-icon flag-icon-ie"></span>').entries
    assert entry.countries == ("IE",)


def test_what_stands_beside_an_entry_is_its_note() -> None:
    """A remark, such as how far it is adopted."""
    [entry] = read(f"- {A} {REQUIRED} (provisionally adopted)").entries
    assert entry.note == "(provisionally adopted)"


def test_a_sentence_below_a_label_may_limit_it() -> None:
    """Only up to the next heading, and only where it says so."""
    text = (
        f"## {A} {REQUIRED}\n\nGood to have.\nIt is only required for the rare disease use case.\n\n## {B} {REQUIRED}\n\nMore."
    )
    found = {entry.names[0]: entry.limit for entry in read(text).entries if entry.badge}
    assert found == {"A": ("urn:rare-disease", 4), "B": None}


@pytest.mark.parametrize(
    "sentence", ["Required for the rare disease use case.", "Only for the cancer use case.", "Only required at night."]
)
def test_a_sentence_that_says_less_limits_nothing(sentence: str) -> None:
    """A limit is never guessed."""
    [entry] = [entry for entry in read(f"## {A} {REQUIRED}\n\n{sentence}").entries if entry.badge]
    assert entry.limit is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"Words.\n\n{REQUIRED}", 3, "stands alone"),
        (f"## {A} {REQUIRED} {RECOMMENDED}", 1, "second label"),
        (f'- {A}\n  <span class="badge">Requried</span>', 2, "'Requried' was left out"),
        (f"A long description, in which {A} is linked, of what the node does.\n\n{REQUIRED}", 3, "stands alone"),
    ],
)
def test_a_label_that_cannot_be_understood_is_reported(text: str, line: int, said: str) -> None:
    """No label is lost in silence, and none is given to what it may not belong to."""
    [notice] = read(text).notices
    assert (notice.source, notice.line) == ("pages/a.md", line)
    assert said in notice.message


def test_pages_about_the_site_list_nothing() -> None:
    """What they link to is a mention, and their labels are examples."""
    text = f"## {A} {REQUIRED}\n\n- {B}\n\n{RECOMMENDED}"
    assert listings(text, "pages/about/labels.md") == []
    assert mentions(text, "pages/about/labels.md") == [f"1: A {A_LISTED} [Required@1]", "3: B <https://b.example>"]
    assert read(text, "pages/about/labels.md").notices == []


def test_pages_for_citizens_list_films_and_tables_only() -> None:
    """They are prose: their other links are references."""
    text = f'- {A}\n\n<iframe src="https://v.example" title="Film"></iframe>\n\n| Name | Link |\n|---|---|\n| Forum | {B} |'
    assert listings(text, matter={"layout": "genomics"}) == ["3: Film <https://v.example>", "7: B <https://b.example>"]
    assert mentions(text, matter={"layout": "genomics"}) == [f"1: A {A_LISTED}"]


def test_a_page_that_is_being_worked_on_says_so() -> None:
    """The call to contribute is no text of the page, up to its next heading."""
    found = read(f"> We are still working on the content for this page.\n\nWrite to {A}.\n\n## {B}\n")
    assert (found.draft, [shown(entry) for entry in found.entries if entry.listing]) == (True, ["5: B <https://b.example>"])


def test_a_page_with_next_to_nothing_is_a_stub() -> None:
    """A page with an entry never is, nor one with some sentences."""
    assert read("## Title\n\nComing soon.").is_stub(listing=False)
    assert not read(f"## Title\n\n- {A}").is_stub(listing=True)
    assert not read("One sentence of six words more. " * 6).is_stub(listing=False)


PIECES = [
    "\n",
    "\n\n",
    "- ",
    "## ",
    "> ",
    "| ",
    "\n|---|---|\n",
    " and ",
    ", ",
    "Name",
    "long words " * 8,
    ": ",
    "https://c.example",
    "[x](#)",
    "[x]()",
]
HTML = [
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</tr>",
    "</table>",
    "<h2>",
    "</h2>",
    "<p>",
    "</p>",
    "<br>",
    "![x](y.png)",
    "<iframe src='https://v.example'>",
]


@example('<td rowspan="99999999999999999999">', "pages/a.md")
@example(f"<td>{A}<h2><td>{REQUIRED}", "pages/a.md")
@given(
    st.lists(st.sampled_from([A, B, REQUIRED, RECOMMENDED, INFORMATIONAL, *PIECES, *HTML])).map("".join) | st.text(),
    st.sampled_from(["pages/a.md", "pages/about/a.md"]),
)
def test_any_page_is_read_and_each_label_is_given_once_or_reported(text: str, source: str) -> None:
    """No page crashes the reader, and every line is one of the file."""
    found = read(text, source)
    lines = range(1, 2 + text.replace("\r\n", "\n").replace("\r", "\n").count("\n"))
    assert {entry.line for entry in found.entries} | {n.line for n in found.notices} | {h.line for h in found.headings} <= set(
        lines
    )
    given_ = [id(entry.badge) for entry in found.entries if entry.badge]
    assert len(given_) == len(set(given_))
