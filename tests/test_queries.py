"""Query files: header, parameters, names."""

import multiprocessing
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onemg_kg import queries
from onemg_kg.errors import QueryError
from onemg_kg.graph import GRAPHS, RULES, Graph
from onemg_kg.project import Project
from onemg_kg.store import Store
from onemg_kg.terms import BASE, PREFIXES, expand

KINDS = ("views", "rules", "questions", "facets", "markup", "pictures", "publication")
ROWS = ("checks/data", "facets", "lists", "pictures", "publication", "questions")
"""The folders of queries that give rows, but for views: those say DISTINCT too, but join a dozen patterns first. Where each
statement stands in two graphs every pattern doubles the rows, and most views do not end."""
TEXT = """\
#+ title: Who: all of them
#+ description: Everyone.
#+ parameter.who: voc/role/
#+ parameter.where: country:
#+ parameter.said: text
# a comment of its own
SELECT ?who ?said WHERE { VALUES ?who { UNDEF } VALUES  ?said {UNDEF} BIND(1 AS ?one) }
"""


@pytest.fixture
def query(tmp_path: Path) -> queries.Query:
    path = tmp_path / "who.rq"
    path.write_text(TEXT, encoding="utf-8")
    return queries.read(path)


def test_header(query: queries.Query) -> None:
    """The header is the lines that start with #+ at the top; a title may hold a colon, a comment ends it."""
    assert query.title == "Who: all of them"
    assert query.parameters == {"who": "voc/role/", "where": "country:", "said": "text"}
    assert query.text == TEXT


def test_no_header(tmp_path: Path) -> None:
    """A file of one's own needs no header: its title is its name."""
    path = tmp_path / "mine.rq"
    path.write_text("SELECT * WHERE { ?s ?p ?o }", encoding="utf-8")
    query = queries.read(path)
    assert (query.title, query.parameters) == ("mine", {})


@pytest.mark.parametrize(
    ("name", "value", "iri"),
    [
        ("who", "researcher", BASE + "voc/role/researcher"),
        ("who", "voc/role/healthcare", BASE + "voc/role/healthcare"),
        ("who", "onemg:Role", BASE + "ns#Role"),
        ("who", "https://example.org/x", "https://example.org/x"),
        ("where", "GRC", PREFIXES["country"] + "GRC"),
        ("where", "a/b", PREFIXES["country"] + "a/b"),
    ],
)
def test_value(query: queries.Query, name: str, value: str, iri: str) -> None:
    """A value is an IRI, a prefixed name, a path below the base, or a short name in the parameter's space."""
    assert query.term(name, value) == ox.NamedNode(iri)


def test_bad_value(query: queries.Query) -> None:
    """A value that cannot be an IRI is refused by name, and so is a parameter that the query does not have."""
    with pytest.raises(QueryError, match="'a b' is no IRI for the parameter 'who'"):
        query.term("who", "a b")
    with pytest.raises(QueryError, match=r"no parameter 'whom'; it has who, where, said\."):
        query.term("whom", "researcher")


def test_unbound(query: queries.Query) -> None:
    """What is not given stays open."""
    assert query.bind({}) == TEXT
    assert query.bind({"who": ox.NamedNode("http://example.org/x")}).count("UNDEF") == 1


def test_no_place(tmp_path: Path) -> None:
    """A parameter that the text has no place for is refused, not silently ignored."""
    path = tmp_path / "mine.rq"
    path.write_text("#+ parameter.who: voc/role/\nSELECT * WHERE { ?s ?p ?o }", encoding="utf-8")
    query = queries.read(path)
    with pytest.raises(QueryError, match=r"VALUES \?who \{ UNDEF \}"):
        query.bind({"who": query.term("who", "researcher")})


def test_pages(project: Project) -> None:
    """Every view has pages for one value; what has none, or no value, is told so."""
    for view in queries.folder(project, "views"):
        values = {name: view.term(name, "x") for name in view.parameters}
        assert "LIMIT 20 OFFSET 40" in view.bind(values, queries.Page(3, 20))
        assert "LIMIT 20" not in view.bind(values)
        with pytest.raises(QueryError, match=r"has pages for one \w+ only\. Name it with --param \w+=VALUE"):
            view.bind({}, queries.Page(1, 20))
    with pytest.raises(QueryError, match=r"gives its answer as a whole, not in pages\. Leave --page out"):
        queries.find(project, "not-final").bind({}, queries.Page(1, 20))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_is_bound_not_glued(value: str) -> None:
    """Whatever text is given for a parameter comes back as that text: nothing in it is read as SPARQL."""
    query = queries.Query("q", "", Path("q.rq"), "SELECT ?said { VALUES ?said { UNDEF } }", {"parameter.said": "text"})
    answer = Store().select(query.bind({"said": query.term("said", value)}))
    assert answer.rows == [(ox.Literal(value),)]


def test_unreadable(tmp_path: Path) -> None:
    """A file that is missing or is not UTF-8 is one error with its path."""
    path = tmp_path / "latin.rq"
    path.write_bytes(b"# \xe9")
    for wrong in (path, tmp_path / "missing.rq"):
        with pytest.raises(QueryError, match="cannot be read") as caught:
            queries.read(wrong)
        assert caught.value.source == str(wrong)


def test_find(project: Project, tmp_path: Path) -> None:
    """A query is found by its name or as a file; another name is refused with where to look."""
    for query in queries.named(project):
        assert queries.find(project, query.name) == query
    own = tmp_path / "own.rq"
    own.write_text("ASK { ?s ?p ?o }", encoding="utf-8")
    assert queries.find(project, str(own)).path == own
    with pytest.raises(QueryError, match="onemg-kg list"):
        queries.find(project, "no-such-question")


def test_headers_of_the_project(project: Project) -> None:
    """Every query of the project has a title and a description of its own, and a place for each parameter."""
    seen: dict[str, str] = {}
    for kind in KINDS:
        for query in queries.folder(project, kind):
            assert query.header.get("title"), f"{query.path} has no #+ title"
            assert query.header.get("description"), f"{query.path} has no #+ description"
            assert seen.setdefault(query.title, query.name) == query.name, f"two queries are called {query.title!r}"
            query.bind({name: query.term(name, "x") for name in query.parameters})


def test_names_are_unique(project: Project) -> None:
    """No question has the name of a view: a user names either by its name alone."""
    names = [query.name for query in queries.named(project)]
    assert len(names) == len(set(names))


def test_values_of_parameters_exist(project: Project, loaded: Graph) -> None:
    """The space of each parameter holds something, so that a short value can name it."""
    named = {term.value for quad in loaded.stated for term in (quad.subject, quad.object) if isinstance(term, ox.NamedNode)}
    for query in (*queries.named(project), *queries.folder(project, "lists")):
        for name, space in query.parameters.items():
            held = space == "text" or any(iri.startswith(expand(space)) for iri in named)
            assert held, f"{query.path}: nothing is in {space}, the space of {name}"


_DOUBLED = ox.Store()
"""In a process of its own: a dataset of which every statement stands in two graphs."""


def _load(path: Path) -> None:
    _DOUBLED.bulk_load(path=path, format=ox.RdfFormat.N_QUADS)


def _rows(text: str) -> list[list[str]]:
    answer = _DOUBLED.query(text, use_default_graph_as_union=True)
    assert isinstance(answer, ox.QuerySolutions)
    return [[str(value) for value in row] for row in answer]


def test_statements_in_two_graphs(project: Project, loaded: Graph, tmp_path: Path) -> None:
    """No query repeats a row where every statement stands in two graphs and the store's union counts it twice."""
    quads = [*loaded.stated, *loaded.inferred]
    again = {False: ox.NamedNode(GRAPHS + "data/again"), True: ox.NamedNode(RULES + "again")}
    second = [ox.Quad(*quad.triple, again[quad.graph_name.value.startswith(RULES)]) for quad in quads]
    ox.serialize([*quads, *second], str(tmp_path / "doubled.nq"), format=ox.RdfFormat.N_QUADS)
    asked = 0
    with multiprocessing.get_context("spawn").Pool(1, _load, (tmp_path / "doubled.nq",)) as pool:
        for query in (query for kind in ROWS for query in queries.folder(project, kind)):
            text = query.bind({name: query.term(name, value) for name, value in query.examples.items()})
            # One asks in which graphs a statement stands.
            if loaded.store.is_construct(text) or query.name == "where-a-statement-comes-from":
                continue
            asked += 1
            expected = [[str(value) for value in row] for row in loaded.store.select(text).rows]
            try:
                found = pool.apply_async(_rows, (text,)).get(60)
            except multiprocessing.TimeoutError:
                pytest.fail(f"{query.path} does not end")
            assert sorted(found) == sorted(expected), query.path
    assert asked > 60
