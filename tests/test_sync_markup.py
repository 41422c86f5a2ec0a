"""A page's text as blocks of lines: kramdown and raw HTML, untidy as people write them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onemg_kg.sync import markup
from onemg_kg.sync.markup import Badge, Block, Flag, Line, Link

REQUIRED = '<span class="badge badge-warning">Required<i class="fa-star"></i></span>'


def links(text: str) -> list[tuple[int, str, str]]:
    """The line, text and target of every link, picture and frame."""
    parts = [part for block in markup.parse(text).blocks for line in block.lines for part in line.parts]
    return [(part.line, part.text, part.target) for part in parts if isinstance(part, Link)]


def badges(text: str) -> list[tuple[int, str]]:
    """The line and text of every badge."""
    return [(b.line, b.text) for block in markup.parse(text).blocks for line in block.lines for b in line.badges()]


def anchors(text: str) -> list[str]:
    return [block.anchor for block in markup.parse(text).blocks if block.kind == "heading"]


def blocks(text: str) -> list[tuple[str, int, str]]:
    """The kind, line and words of every block."""
    return [(block.kind, block.line, block.text()) for block in markup.parse(text).blocks]


# Links


@pytest.mark.parametrize(
    ("written", "text", "target"),
    [
        ("[A](https://a.example)", "A", "https://a.example"),
        ("[A *b* `c`](https://a.example)", "A b c", "https://a.example"),
        ('[A](https://a.example "title")', "A", "https://a.example"),
        ("[A]( https://a.example )", "A", "https://a.example"),
        ("[A](https://a.example/a b.pdf)", "A", "https://a.example/a b.pdf"),
        ("[A](<https://a.example/a b.pdf>)", "A", "https://a.example/a b.pdf"),
        ('[A](https://a.example/a b.pdf "title")', "A", "https://a.example/a b.pdf"),
        ("[A](https://a.example/x_(y))", "A", "https://a.example/x_(y)"),
        ("[A]((https://a.example))", "A", "(https://a.example)"),
        ("[A]((https://a.example/x y))", "A", "(https://a.example/x y)"),
        ("[A]()", "A", ""),
        ("[A](#)", "A", "#"),
        ("[A](javascript:void)", "A", "javascript:void"),
        ("[A][1]\n\n[1]: https://a.example", "A", "https://a.example"),
        ("<https://a.example>", "https://a.example", "https://a.example"),
        ('<a href="https://a.example?b=1&amp;c=2">A &amp; B</a>', "A & B", "https://a.example?b=1&c=2"),
        ("<a target=_blank href='https://a.example'>A\nB</a>", "A B", "https://a.example"),
        ("[![A](x.png)](https://a.example)", "A", "https://a.example"),
        ('<iframe src="https://a.example/embed" title="A"></iframe>', "A", "https://a.example/embed"),
    ],
)
def test_a_link_is_its_words_and_its_target_as_written(written: str, text: str, target: str) -> None:
    """However a link is written, kramdown's way or in HTML."""
    assert links(written)[0] == (1, text, target)


@pytest.mark.parametrize("written", ["[A] (https://a.example)", "`[A](https://a.example)`", "```\n[A](https://a.example)\n```"])
def test_what_kramdown_makes_no_link_is_none(written: str) -> None:
    """A space before the target, or code."""
    assert links(written) == []


def test_an_attribute_list_gives_a_link_its_classes() -> None:
    """``{: .class}`` belongs to the link before it and is no text."""
    [block] = markup.parse('[A](https://a.example){: .btn target="_blank"} and [B](https://b.example)').blocks
    assert [(link.text, set(link.classes)) for link in block.lines[0].links()] == [("A", {"btn"}), ("B", set())]
    assert block.text() == "A and B"


def test_a_link_that_is_only_a_picture_says_so() -> None:
    """Its words are the alternative text of the picture."""
    for written in ("[![A](x.png)](https://a.example)", '<a href="https://a.example"><img src="x.png" alt="A"></a>'):
        [block] = markup.parse(written).blocks
        link = block.lines[0].links()[0]
        assert (link.text, link.pictured) == ("A", True)


# Badges and flags


@pytest.mark.parametrize(
    "written",
    [
        f"[A](https://a.example) {REQUIRED}",
        f"[A](https://a.example)\n{REQUIRED}",
        f"- [A](https://a.example)\n{REQUIRED}",
        f"## [A](https://a.example) {REQUIRED}",
        f"<p>\n[A] {REQUIRED}</p>",
        f"| A | {REQUIRED} |\n|---|---|",
        f"[A {REQUIRED}](https://a.example)",
        '<span title="x" class="badge">\nRequired</span>',
        '<span class="badge"><span>Required</span></span>',
        '<span class="badge">Required',
    ],
)
def test_a_badge_is_found_wherever_it_stands(written: str) -> None:
    """A label is a span with the class ``badge``; an icon inside it says nothing."""
    assert [text for _, text in badges(written)] == ["Required"]


def test_a_badge_knows_its_own_line() -> None:
    """The line of a label is not that of its entry."""
    assert badges(f"Intro\n\n[A](https://a.example)\n{REQUIRED}\n") == [(4, "Required")]
    assert badges(f"<div>\n<p>A\n{REQUIRED}</p>\n</div>") == [(3, "Required")]


def test_a_link_that_is_a_badge_is_a_link_and_no_label() -> None:
    """A national tag leads to the page of its category."""
    text = '[<span class="badge badge-warning">Training materials</span>](/training-materials)'
    assert (links(text), badges(text)) == ([(1, "Training materials", "/training-materials")], [])


def test_a_flag_is_its_country() -> None:
    """The country of a flag is in its class."""
    [block] = markup.parse('A <span class="flag-icon flag-icon-ie shadow-sm"></span>').blocks
    assert Flag("ie") in block.lines[0].parts


# Headings

# What kramdown 2.4.0 with kramdown-parser-gfm 1.1.0 makes of each heading of a page, in their order.
KRAMDOWN = """
Hello, World!                              hello-world
Hello World                                hello-world-1
1+MG & GDI: a/b (c)                        1mg--gdi-ab-c
[Link](https://x.example) <span class="badge">Required</span>   link-required
Été *emph* `code` under_score              été-emph-code-under_score
hello - world                              hello---world
A -- b ... "q" it's --- so                 a--b--q-its--so
A &amp; B ![alt](x.png) end                a--b--end
C <b>bold</b> <!-- c --> y                 c-bold--y
Given {#own}                               own
Hello world                                hello-world-2
12. Numbers                                12-numbers
"""


def test_headings_have_the_identifiers_of_kramdown() -> None:
    """Links of the site lead to these identifiers, so that each must be the one on the web."""
    cases = [line.rsplit(maxsplit=1) for line in KRAMDOWN.strip().splitlines()]
    assert anchors("\n\n".join("## " + heading.strip() for heading, _ in cases)) == [anchor for _, anchor in cases]


def test_an_attribute_list_below_a_heading_names_it() -> None:
    """Such a heading takes no number from the others; a list after a blank line belongs to what follows."""
    assert anchors("## A\n{: .x #own}\n\n## A\n\nA\n==\n{: #two}\n\n## B\n\n{: #three}\nText") == ["own", "a", "two", "b"]


def test_a_raw_heading_has_the_identifier_that_it_is_given() -> None:
    """kramdown leaves HTML as it is."""
    document = markup.parse('<h3 id="x">A</h3>\n<h3>B</h3>\n<a name="y"></a>\n\n[C](c){: #z}\n')
    assert [block.anchor for block in document.blocks if block.kind == "heading"] == ["x", ""]
    assert document.anchors == {"x", "y", "z"}


# Blocks


def test_blocks_are_told_apart() -> None:
    """A heading, a paragraph, an item with its second paragraph, a quotation."""
    text = "# A\n\nB\nb\n\n- C\n  - D\n\n  E\n\n> F\n\nG\n===\n"
    assert blocks(text) == [
        ("heading", 1, "A"),
        ("paragraph", 3, "B b"),
        ("item", 6, "C"),
        ("item", 7, "D"),
        ("paragraph", 9, "E"),
        ("quote", 11, "F"),
        ("heading", 13, "G"),
    ]


def test_a_line_that_an_item_takes_lazily_belongs_to_it() -> None:
    """A line at the margin below an item continues it."""
    [block] = markup.parse(f"- [A](https://a.example)\n{REQUIRED}\n").blocks
    assert (block.kind, [line.number for line in block.lines]) == ("item", [1, 2])


def test_raw_html_runs_over_blank_lines() -> None:
    """kramdown reads an element to its end; CommonMark would stop at the blank line and take what is indented for code."""
    text = '<div>\n\n    <p><a href="https://a.example">A</a></p>\n\n</div>\n\n[B](https://b.example)\n'
    assert links(text) == [(3, "A", "https://a.example"), (7, "B", "https://b.example")]


def test_markdown_within_html_is_read_where_the_author_asks_for_it() -> None:
    """``markdown="1"`` (kramdown, HTML Blocks); elsewhere it is text."""
    assert links('<div markdown="1">\n\n- [A](https://a.example)\n\n</div>\n') == [(3, "A", "https://a.example")]
    assert links("<div>\n\n- [A](https://a.example)\n\n</div>\n") == []


def test_html_that_is_never_closed_ends_with_its_paragraph() -> None:
    """What follows is still read."""
    text = '<div>\n<a href="https://a.example">A\n\n[B](https://b.example)\n\n## C\n'
    assert links(text) == [(2, "A", "https://a.example"), (4, "B", "https://b.example")]
    assert anchors(text) == ["c"]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- [B](https://b.example) -->\n\n[A](https://a.example)",
        "<!--\n[B](https://b.example)\n\n## B\n-->\n[A](https://a.example)",
        "<!-- B --> [A](https://a.example)",
        "Text <!-- [B](https://b.example) --> [A](https://a.example)",
        "Text <!-- B\n[B](https://b.example) --> [A](https://a.example)",
        "- <!-- [B](https://b.example) --> [A](https://a.example)",
        '<div>\n<!-- <a href="https://b.example">B</a> -->\n<a href="https://a.example">A</a>\n</div>',
    ],
)
def test_a_comment_says_nothing(text: str) -> None:
    """What an editor commented out is not on the page; what stands beside it is."""
    assert [target for _, _, target in links(text)] == ["https://a.example"]
    assert anchors(text) == []


def test_scripts_and_styles_say_nothing() -> None:
    """What no reader sees is no text."""
    assert blocks('<script>\nvar a = "<a href=x>";\n</script>\n\n<style>a {}</style>\n\nA\n') == [("paragraph", 7, "A")]


def test_a_cell_that_spans_rows_takes_its_column_in_each() -> None:
    """The cells of the next row stand in the columns that are free."""
    rows = ["<tr><th>A</th><th>B</th></tr>", '<tr><td rowspan="2">one</td>', "<td>two</td></tr>", "<tr>", "<td>three</td></tr>"]
    text = "\n".join(["<table>", *rows, "</table>"])
    cells = [(block.text(), block.row, block.rows, block.line) for block in markup.parse(text).blocks]
    assert cells == [
        ("A", (1, 1), 1, 2),
        ("B", (1, 2), 1, 2),
        ("one", (2, 1), 2, 3),
        ("two", (2, 2), 1, 4),
        ("three", (3, 2), 1, 6),
    ]


def test_a_markdown_table_has_rows_and_a_header() -> None:
    """Each row stands on a line of its own."""
    found = markup.parse("Text\n\n| A | B |\n|---|---|\n| [C](c) | d |\n").blocks[1:]
    assert [(b.text(), b.line, b.header, b.row) for b in found] == [
        ("A", 3, True, (1, 1)),
        ("B", 3, True, (1, 2)),
        ("C", 5, False, (2, 1)),
        ("d", 5, False, (2, 2)),
    ]


def test_lines_are_those_of_the_file() -> None:
    """The lines of the front matter count."""
    [block] = markup.parse("A\n[B](b)\n", offset=10).blocks
    assert (block.line, [line.number for line in block.lines], block.lines[1].links()[0].line) == (11, [11, 12], 12)


# Whatever a page holds

MARKDOWN = "\n|\n\n|  |    |\t|- |1. |> |# |===|[A|](|)|[|]|(|*|_|`|```|~~~|{: .c #i}|{#i}|[1]: x|&amp;|a|é|\0|\u2028".split(
    "|"
)
HTML = (
    "<!-- --> <div> </div> <div\tmarkdown=1> <p > <table> <tr> <td\trowspan=3> </td> <a\thref=x> </a> <li> <h2> </h2> <br>"
    " <svg/> <img\tsrc=x> <iframe\tsrc=y> <script> </script> <span\tclass=badge> </span> <![CDATA["
).split(" ")
PIECES = st.sampled_from([*MARKDOWN, *HTML, "| ", "|---|", REQUIRED])


def lines_of(blocks_: list[Block]) -> set[int]:
    lines: list[Line] = [line for block in blocks_ for line in block.lines]
    parts = [part.line for line in lines for part in line.parts if isinstance(part, Link | Badge)]
    return {*(block.line for block in blocks_), *(line.number for line in lines), *parts}


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
@example("<div>\n" * 200)
@example("[" * 200 + "](x)" * 200)
@example("> " * 200 + "a")
@example("<td>\n\n|a|\n|-|\n|b|")
def test_any_text_is_read_and_every_line_is_one_of_the_file(text: str) -> None:
    """No text crashes the reader, and nothing is said to stand where there is no line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = lines_of(markup.parse(text, offset=7).blocks)
    assert found <= set(range(8, 9 + text.count("\n")))
