"""Charts of answers: what a header can ask for, what it is told where it asks for something else, and what the page shows."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from onemg_kg import queries, questions
from onemg_kg.errors import QueryError
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.questions import Answer
from onemg_kg.site.charts import Chart, chart_of
from onemg_kg.store import Store
from onemg_kg.terms import text

ROWS = 'SELECT * { VALUES (?n ?what ?where) { (3 "a" "x") (12 "b" UNDEF) (0 <https://example.org/c> "z") } }'


def _answer(tmp_path: Path, header: str, query: str = ROWS) -> Answer:
    path = tmp_path / "one.rq"
    path.write_text(f"#+ title: How many?\n{header}\n{query}\n", encoding="utf-8")
    read = queries.read(path)
    table = None if query.startswith("CONSTRUCT") else Store().select(query)
    return Answer(read, {}, read.text, table, "one.csv", b"")


def _said(chart: Chart) -> list[tuple[list[str], str]]:
    return [([text(node) for node in labels], value) for labels, value in chart.bars]


def test_a_bar_a_row(tmp_path: Path) -> None:
    """Each row is a bar, in the order of the answer, with every label that the row has."""
    chart = chart_of(_answer(tmp_path, "#+ chart: bar ?n by ?what ?where"))
    assert chart is not None
    assert (chart.value, chart.labels, chart.most) == ("n", ["what", "where"], "12")
    assert _said(chart) == [(["a", "x"], "3"), (["b"], "12"), (["https://example.org/c", "z"], "0")]


def test_the_longest_bar_is_found_by_number(tmp_path: Path) -> None:
    """Not by text, in which 9 is more than 12; and where there is no row or no more than zero, there is still a scale."""
    values = "SELECT * {{ VALUES (?n ?l) {{ {} }} }}"
    for rows, most in (('(9 "a") (1.2e1 "b")', "1.2E1"), ('(0 "a")', "1"), ("", "1")):
        chart = chart_of(_answer(tmp_path, "#+ chart: bar ?n by ?l", values.format(rows)))
        assert chart is not None
        assert float(chart.most) == float(most)


def test_without_a_header_there_is_none(tmp_path: Path) -> None:
    assert chart_of(_answer(tmp_path, "#+ asked-by: editor")) is None


@pytest.mark.parametrize(
    ("header", "query", "said"),
    [
        ("pie ?n by ?what", ROWS, "'pie .n by .what'"),
        ("bar n by what", ROWS, "'bar n by what'"),
        ("bar ?n by ?other", ROWS, "[?]other, which is no column"),
        ("bar ?m by ?what", ROWS, "[?]m, which is no column"),
        ("bar ?what by ?n", ROWS, "[?]what, which is 'a' in a row"),
        ("bar ?n by ?l", 'SELECT * { VALUES (?n ?l) { (-1 "a") } }', "[?]n, which is '-1' in a row"),
        ("bar ?n by ?l", 'SELECT * { VALUES (?n ?l) { (UNDEF "a") } }', "[?]n, which is '' in a row"),
        ("bar ?s by ?o", "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "cannot be drawn"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path: Path, header: str, query: str, said: str) -> None:
    """A header that the answer does not fit is a mistake of whoever wrote it, and is told with the file and what to write."""
    with pytest.raises(QueryError, match=said) as raised:
        chart_of(_answer(tmp_path, f"#+ chart: {header}", query))
    assert raised.value.source == str(tmp_path / "one.rq")
    assert "bar ?VALUE by ?LABEL" in str(raised.value.fix)


class _Bars(HTMLParser):
    """The bars of a page: what each stands for, how long it is drawn, and of how much."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._part = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self._part = held.get("class", "") if tag == "span" else self._part
        if self._part == "bar-of" and tag == "span":
            self.found.append({"bar-of": "", "bar-value": ""})
        if tag == "svg" and self.found:
            self.found[-1]["of"] = held["viewbox"].split()[2]
        if tag == "rect" and self.found:
            self.found[-1]["drawn"] = held["width"]

    def handle_endtag(self, tag: str) -> None:
        self._part = "" if tag == "span" else self._part

    def handle_data(self, data: str) -> None:
        if self._part in ("bar-of", "bar-value"):
            self.found[-1][self._part] += data


def test_pages_show_the_chart_of_their_answer(project: Project, loaded: Graph, published: dict[str, bytes]) -> None:
    """The page of a question that asks for a chart has a bar for each row, as long as the row says; no other page has one."""
    charted = 0
    for answer in questions.answers(project, loaded.store):
        shown = _Bars(published[f"questions/{answer.query.name}.html"]).found
        chart = chart_of(answer)
        assert len(shown) == (len(chart.bars) if chart else 0), answer.query.name
        for bar, (_, value) in zip(shown, chart.bars if chart else [], strict=True):
            assert bar["drawn"] == bar["bar-value"] == value
            assert float(value) <= float(bar["of"])
            assert bar["bar-of"]
        charted += chart is not None
    assert charted >= 3
