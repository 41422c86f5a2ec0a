"""Queries over quads in this process."""

import csv
import io
import json

import pyoxigraph as ox
import pytest

from onemg_kg.errors import QueryError
from onemg_kg.store import Store, Table, by_graph, from_lines, to_lines, to_quads

A, B, P, G, H = (ox.NamedNode(f"http://example.org/{name}") for name in "ABPGH")
SELECT = "SELECT ?s ?o WHERE { ?s ?p ?o } ORDER BY ?s"
CONSTRUCT = "CONSTRUCT { ?o ?p ?s } WHERE { ?s ?p ?o }"


@pytest.fixture
def store() -> Store:
    return Store([ox.Quad(A, P, B, G), ox.Quad(A, P, B, H), ox.Quad(B, P, ox.Literal('say "x", y', language="en"), H)])


def test_union_of_graphs(store: Store) -> None:
    """A query without GRAPH sees all named graphs as one, in which a statement of two files counts once."""
    assert store.select(SELECT).rows == [(A, B), (B, ox.Literal('say "x", y', language="en"))]
    assert len(store.select("SELECT ?g WHERE { GRAPH ?g { ?s ?p <http://example.org/B> } }").rows) == 2


def test_unbound(store: Store) -> None:
    """A variable without a value is None in the rows, in the order of the query's columns."""
    table = store.select("SELECT ?none ?s WHERE { ?s ?p <http://example.org/B> }")
    assert table == Table(("none", "s"), [(None, A)])
    assert list(table.records()) == [{"none": None, "s": A}]


def test_add(store: Store) -> None:
    """What is added is seen by the next query."""
    store.add([ox.Quad(P, P, P, G)])
    assert (P, P) in store.select(SELECT).rows


def test_add_lines() -> None:
    """What is added as lines is in its graph and in the union, where a blank node is the same."""
    store = Store()
    store.add_lines(to_lines([ox.Quad(A, P, ox.BlankNode("b"))]), G.value)
    assert store.select("SELECT ?g WHERE { ?s ?p ?o . GRAPH ?g { ?s ?p ?o } }").rows == [(G,)]


@pytest.mark.parametrize("graph", ["", G.value])
def test_lines_come_back(graph: str) -> None:
    """Terms come back from lines as they were, however hard they are to write."""
    texts = ("a .\n", 'say "x" .', "\\\r\t\x85\u2028\x0b", "")
    objects = [
        *map(ox.Literal, texts),
        ox.Literal("01", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#nonNegativeInteger")),
        ox.Literal("x", language="en-GB"),
        ox.NamedNode("http://example.org/\u00e9"),
        ox.BlankNode("b"),
    ]
    lines = to_lines(ox.Triple(A, P, object_) for object_ in objects)
    name = ox.NamedNode(graph) if graph else ox.DefaultGraph()
    assert from_lines(lines, graph) == [ox.Quad(A, P, object_, name) for object_ in objects]


def test_quads_and_back() -> None:
    """Quads come back from lines by graph, those of the default graph too."""
    quads = [ox.Quad(A, P, A, G), ox.Quad(P, P, ox.BlankNode("b"), G), ox.Quad(A, P, ox.Literal("x"))]
    assert to_quads(by_graph(quads)) == quads


def test_construct_lines(store: Store) -> None:
    """The lines are those of the triples."""
    assert sorted(store.construct_lines(CONSTRUCT)) == sorted(to_lines(store.construct(CONSTRUCT)))


def test_ask(store: Store) -> None:
    """An ASK query answers with one row, and as CSV and JSON too."""
    ask = "ASK { <http://example.org/A> ?p ?o }"
    assert store.select(ask).rows == [(ox.Literal(True),)]
    assert store.results(ask, "csv") == "answer\r\ntrue\r\n"
    assert json.loads(store.results(ask, "json"))["boolean"] is True


def test_csv(store: Store) -> None:
    """CSV holds each value as it is, quotes and commas too."""
    rows = list(csv.reader(io.StringIO(store.results(SELECT, "csv"), newline="")))
    assert rows == [["s", "o"], [A.value, B.value], [B.value, 'say "x", y']]


def test_json(store: Store) -> None:
    """JSON results say of each value whether it is an IRI or a literal, and in which language."""
    bindings = json.loads(store.results(SELECT, "json"))["results"]["bindings"]
    assert bindings[0]["o"] == {"type": "uri", "value": B.value}
    assert bindings[1]["o"] == {"type": "literal", "value": 'say "x", y', "xml:lang": "en"}


def test_wrong_form(store: Store) -> None:
    """A query that gives a graph is refused where rows are asked for, and the other way round, with what to use."""
    assert store.is_construct(CONSTRUCT)
    assert not store.is_construct(SELECT)
    assert ox.Triple(B, P, A) in store.construct(CONSTRUCT)
    with pytest.raises(QueryError, match="Use SELECT or ASK"):
        store.select(CONSTRUCT)
    with pytest.raises(QueryError, match="Use SELECT or ASK"):
        store.results(CONSTRUCT, "csv")
    with pytest.raises(QueryError, match="Use CONSTRUCT or DESCRIBE"):
        store.construct(SELECT)


def test_syntax_error(store: Store) -> None:
    """A query that is not SPARQL is refused with its file and line."""
    with pytest.raises(QueryError, match=r"^mine\.rq:2: is not SPARQL 1\.1: ") as caught:
        store.select("SELECT ?s\nWHERE { ?s ?p ?o } LIMIT few\n", "mine.rq")
    assert caught.value.line == 2


def test_undeclared_prefix(store: Store) -> None:
    """A prefix that is not declared is said in one line."""
    with pytest.raises(QueryError, match=r"^query:1: is not SPARQL 1\.1: a prefix is not declared\.$"):
        store.select("SELECT ?s WHERE { ?s a nope:Thing }")
