"""The competency questions: all of them are there, each answers as the file beside it says, and all are published."""

import csv
import io
import random
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from markdown_it import MarkdownIt

from onemg_kg import graph, queries, questions
from onemg_kg.errors import QueryError
from onemg_kg.project import Project, find
from onemg_kg.store import Store

PROJECT = find(Path(__file__).resolve().parents[1])
FOLDER = PROJECT.folder("queries") / "questions"
QUESTIONS = {query.name: query for query in queries.folder(PROJECT, "questions")}

ASKED_BY = {
    "node implementer",
    "data access committee member",
    "researcher",
    "editor",
    "national mirror group",
    "integrator",
}

COMPETENCY = {
    1: ("What is required of every node?", ["required-of-every-node"]),
    2: ("What is required for one use case only?", ["required-for-a-use-case"]),
    3: (
        "Which standards does access management require, which tools implement them?",
        ["standards-for-a-functionality", "tools-for-a-functionality"],
    ),
    4: ("What must be in place before data discovery?", ["required-before-a-stage"]),
    5: ("Which required resources have no stable identifier?", ["required-without-a-doi"]),
    6: ("Which policies bear on the permit application?", ["policies-for-a-stage"]),
    7: ("Which resources concern the GDPR, which the EHDS, which both?", ["about-a-law"]),
    8: ("Which policies are provisional or in progress?", ["not-final"]),
    9: ("What comes first for rare disease at the stage of use?", ["first-for-a-use-case-at-a-stage"]),
    10: ("What did the rare disease proof of concept use?", ["used-by-a-proof-of-concept"]),
    11: ("What does the EHDS call the permit application?", ["names-in-the-ehds"]),
    12: ("Which listed resources have no label?", ["without-a-label"]),
    13: ("Which resource has different labels on different pages?", ["different-labels-on-different-pages"]),
    14: ("Which links stand on several pages, which pages are twins?", ["links-on-more-than-one-page", "twin-pages"]),
    15: ("Which Google documents have a published version?", ["google-documents"]),
    16: ("Which sections, use cases or roles have no resource?", ["without-resources", "pages-that-list-nothing"]),
    17: (
        "What has my country published, and what does it not cover yet?",
        ["published-by-a-country", "required-but-not-covered-by-a-country"],
    ),
    18: ("Which countries have a public record of Beacon?", ["countries-that-implement-a-resource"]),
    19: ("What of B1MG did GDI replace?", ["replaced-by-another-project"]),
    20: ("What does 1+MG compliant stand for?", ["what-1mg-compliant-stands-for"]),
    21: ("What are the required standards, as DCAT?", ["required-standards-as-dcat"]),
    22: ("From which page, line and commit does a statement come?", ["where-a-statement-comes-from"]),
}
"""The questions that the graph is there to answer, by number, and the files that answer each."""

NO_ANSWER = {"replaced-by-another-project"}
"""The questions to which the Framework states no answer."""

LONG = 80
"""The most rows that a published answer may have: more are not read, and a parameter is to be bound."""


@pytest.fixture(scope="module")
def files(loaded: graph.Graph) -> dict[str, bytes]:
    return questions.render(questions.answers(PROJECT, loaded.store))


@pytest.fixture
def make_project(tmp_path: Path) -> Project:
    for name in ("ontology", "data", "shapes", "queries/questions"):
        (tmp_path / name).mkdir(parents=True)
    return find(tmp_path)


def _answer(name: str) -> Path:
    """The file with the expected answer of a question."""
    (path,) = (path for path in FOLDER.glob(f"{name}.*") if path.suffix != ".rq")
    return path


def test_every_competency_question_is_there() -> None:
    """The 22 are answered, and every file that the list names exists."""
    assert sorted(COMPETENCY) == list(range(1, 23))
    assert {name for _, names in COMPETENCY.values() for name in names} <= set(QUESTIONS)


def test_everyone_asks() -> None:
    """Each of those for whom the graph is made asks something, and nobody else does."""
    assert {query.header.get("asked-by") for query in QUESTIONS.values()} == ASKED_BY


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_header(name: str) -> None:
    """A question says what it asks in a question, explains itself in sentences, and binds no parameter that it lacks."""
    query = QUESTIONS[name]
    assert query.title.endswith("?")
    assert query.header["description"].endswith(".")
    assert query.examples.keys() <= query.parameters.keys()


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_answer(name: str, files: dict[str, bytes]) -> None:
    """The answer is the one in the file beside the question, byte by byte. Renew it as CONTRIBUTING.md says, and read it."""
    path = _answer(name)
    assert files[f"questions/{path.name}"] == path.read_bytes()


def test_no_answer_without_question() -> None:
    """Every file of the folder is a question or the answer of one."""
    assert {path.stem for path in FOLDER.iterdir()} == set(QUESTIONS)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.stem)
def test_answer_can_be_read(path: Path) -> None:
    """An answer has rows, none twice and not too many, unless the Framework states none."""
    _, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    assert bool(rows) != (path.stem in NO_ANSWER)
    assert len(rows) <= LONG
    assert len({tuple(row) for row in rows}) == len(rows)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ttl")), ids=lambda path: path.stem)
def test_graph_can_be_read(path: Path) -> None:
    """An answer that is a graph is Turtle and says something."""
    assert list(ox.parse(path.read_bytes(), format=ox.RdfFormat.TURTLE))


def test_replacement_is_found_once_it_is_stated() -> None:
    """The question without an answer has one as soon as the data state it, in either direction."""
    query = QUESTIONS["replaced-by-another-project"]
    text = query.bind({name: query.term(name, value) for name, value in query.examples.items()})
    for stated in ("<#old> dcterms:isReplacedBy <#new>", "<#new> dcterms:replaces <#old>"):
        turtle = f"""
            @base <https://w3id.org/oneplusmg/id/resource/> .
            @prefix dcterms: <http://purl.org/dc/terms/> .
            @prefix onemg: <https://w3id.org/oneplusmg/ns#> .
            <#old> dcterms:title "Old"@en ; onemg:producedBy <../project/b1mg> .
            <#new> dcterms:title "New"@en ; onemg:producedBy <../project/gdi> .
            {stated} ."""
        ((old, _, new, _),) = Store(ox.parse(turtle, format=ox.RdfFormat.TURTLE)).select(text).rows
        assert (old, new) == (ox.Literal("Old", language="en"), ox.Literal("New", language="en"))


def test_render(files: dict[str, bytes]) -> None:
    """Each question is published as a page and a file, and the index leads to every page."""
    pages = {f"{name}.md" for name in QUESTIONS}
    assert set(files) == {f"questions/{name}" for name in ("index.md", *pages, *(_answer(name).name for name in QUESTIONS))}
    assert set(re.findall(r"\]\(([^)]+)\)", files["questions/index.md"].decode())) == pages


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_page(name: str, files: dict[str, bytes]) -> None:
    """A page holds the title, who asks, every row of the answer, and a query that gives this answer."""
    query = QUESTIONS[name]
    text = files[f"questions/{name}.md"].decode()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    assert tokens[1].children
    assert "".join(token.content for token in tokens[1].children) == query.title
    assert f"Asked by: {query.header['asked-by']}." in text
    (sparql,) = (token.content for token in tokens if token.type == "fence" and token.info == "sparql")
    assert sparql == query.bind({parameter: query.term(parameter, value) for parameter, value in query.examples.items()})
    if _answer(name).suffix == ".csv":
        header, *rows = csv.reader(io.StringIO(_answer(name).read_text(encoding="utf-8")))
        shown = sum(token.type == "tr_open" for token in tokens)
        assert shown == (len(rows) + 1 if rows else 0)
        assert not rows or sum(token.type == "th_open" for token in tokens) == len(header)


def test_render_does_not_depend_on_order(loaded: graph.Graph, files: dict[str, bytes]) -> None:
    """The same graph gives the same bytes, in whatever order its statements come."""
    quads = [*loaded.stated, *loaded.inferred]
    random.Random(7).shuffle(quads)
    assert questions.render(questions.answers(PROJECT, Store(quads))) == files


def test_nothing_in_an_answer_is_markup(make_project: Project) -> None:
    """What a title holds is shown letter by letter, and only a web address becomes a link."""
    title = "a | b [c](d) <b>e</b>\nf *g* `h` {{ i }}"
    query = make_project.folder("queries") / "questions" / "all.rq"
    query.write_text("#+ title: What?\nSELECT ?o { ?s ?p ?o } ORDER BY ?o", encoding="utf-8")
    subject, predicate = ox.NamedNode("https://example.org/s"), ox.NamedNode("https://example.org/p")
    values = (ox.Literal(title), ox.NamedNode("https://example.org/?a=(b)_c"), ox.NamedNode("urn:x:y"))
    store = Store([ox.Quad(subject, predicate, value) for value in values])
    text = questions.render(questions.answers(make_project, store))["questions/all.md"].decode()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    cells = [tokens[number + 1] for number, token in enumerate(tokens) if token.type == "td_open"]
    assert {"".join(child.content for child in cell.children or []) for cell in cells} == {
        " ".join(title.split()),
        "https://example.org/?a=(b)_c",
        "urn:x:y",
    }
    links = [child.attrs["href"] for cell in cells for child in cell.children or [] if child.type == "link_open"]
    assert links == ["https://example.org/?a=%28b%29_c"]


def test_example_without_parameter(make_project: Project) -> None:
    """A header that binds what the query does not have is refused."""
    path = make_project.folder("queries") / "questions" / "wrong.rq"
    path.write_text("#+ title: Who?\n#+ example.who: researcher\nSELECT * { ?s ?p ?o }", encoding="utf-8")
    with pytest.raises(QueryError, match="no parameter 'who'"):
        questions.render(questions.answers(make_project, Store()))
