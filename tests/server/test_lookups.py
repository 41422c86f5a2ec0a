"""Small queries, which the process that speaks HTTP answers itself: none that is not small, and none in another way."""

import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery

from onemg_kg.server.lookups import MOST, Lookups, Pattern, patterns
from onemg_kg.store import load
from onemg_kg.terms import BASE

PREFIX = "PREFIX ex: <http://example.org/> PREFIX : <http://example.org/no/>"
NODES = ["?a", "?b", "$c", "<http://example.org/x>", "ex:x", "ex:y.z", ":w", "ex:"]
OBJECTS = [*NODES, '"text"', "'more text'", '""']
PREDICATES = [*NODES, "a"]

LARGER = [
    "SELECT ?x { ?x <http://example.org/p>* ?y }",
    "SELECT ?x { ?x <http://example.org/p>/<http://example.org/q> ?y }",
    "SELECT ?x { ?x ^a ?y }",
    "SELECT ?x { ?x !a ?y }",
    "SELECT ?x { ?x a? ?y }",
    "SELECT ?x { ?x a+ ?y }",
    "SELECT ?x { ?x (a|a) ?y }",
    "SELECT (COUNT(*) AS ?n) { <http://example.org/x> a ?y }",
    "SELECT ?x { { ?x a ?y } }",
    "SELECT ?x { ?x a ?y FILTER(?x != ?y) }",
    "SELECT ?x { ?x a ?y . BIND(?y AS ?z) }",
    "SELECT ?x { ?x a ?y } GROUP BY ?x",
    "SELECT ?x { ?x a ?y } ORDER BY ?x",
    "SELECT ?x { ?x a ?y } VALUES ?x { 1 }",
    "SELECT ?x FROM <http://example.org/g> { ?x a ?y }",
    "SELECT ?x { GRAPH ?g { ?x a ?y } }",
    "SELECT ?x { OPTIONAL { ?x a ?y } }",
    "SELECT ?x { ?x a [] }",
    "SELECT ?x { ?x a (1 2) }",
    "SELECT ?x { ?x a _:b }",
    "SELECT ?x { ?x a <x> }",
    "BASE <http://example.org/> SELECT ?x { ?x a <x> }",
    "SELECT ?x { ?x a ex:undeclared }",
    "PREFIX ex: <http://example.org/> PREFIX ex: <http://example.com/> SELECT ?x { ?x a ex:x }",
    r"SELECT ?x { ?x a <http://example.org/\u0078> }",
    r'SELECT ?x { ?x a "\u0022 . ?s ?p ?o . ?t ?q \u0022" }',
    "SELECT ?x { ?x a 5 }",
    "SELECT ?x { ?x a 'x'@en }",
    "SELECT ?x { ?x a 'x'^^<http://example.org/t> }",
    "DESCRIBE <http://example.org/x>",
    "CONSTRUCT WHERE { <http://example.org/x> ?p ?o }",
    "SELECT ?x { SERVICE <http://127.0.0.1:9/> { ?x a ?y } }",
    "ASK{?s ?p 'x'SERVICE<http://127.0.0.1:9/>{}}",
    "PREFIX e: <http://127.0.0.1:9/> PREFIX SERVICEe: <x:> ASK { SERVICEe:x { ?s ?p ?o } }",
    "ASKFROM<http://127.0.0.1:9/>{ }",
    "SELECT ?x { ?x a ?y",
    "SELECT ?x ?x a ?y }",
    "",
]


@pytest.mark.parametrize("query", LARGER)
def test_what_is_more_than_triple_patterns_is_left_to_a_worker(query: str) -> None:
    assert patterns(query) is None


def triples() -> st.SearchStrategy[str]:
    """Triples as they are written after one another, some sharing a subject or a predicate with those before."""
    pair = st.tuples(st.sampled_from(PREDICATES), st.lists(st.sampled_from(OBJECTS), min_size=1, max_size=2))
    block = st.tuples(st.sampled_from(NODES), st.lists(pair, min_size=1, max_size=2))
    return st.lists(block, min_size=1, max_size=3).map(
        lambda blocks: " . ".join(
            f"{subject} " + " ; ".join(f"{predicate} {' , '.join(objects)}" for predicate, objects in pairs)
            for subject, pairs in blocks
        )
    )


FORMS = ["ASK", "ASK WHERE", "SELECT *", "SELECT DISTINCT *", "select ?a ?b where", "SELECT DISTINCT ?a"]


def of_rdflib(query: str) -> list[Pattern]:
    """The triple patterns as rdflib reads them."""

    def node(term: Any) -> ox.NamedNode | ox.Literal | None:
        if isinstance(term, rdflib.URIRef):
            return ox.NamedNode(str(term))
        return ox.Literal(str(term)) if isinstance(term, rdflib.Literal) else None

    found: list[Pattern] = []

    def walk(part: Any) -> None:
        if getattr(part, "name", "") == "BGP":
            found.extend(tuple(map(node, triple)) for triple in part.triples)  # type: ignore[misc] # three of them
        elif isinstance(part, dict):
            for inner in part.values():
                walk(inner)

    walk(translateQuery(parseQuery(query)).algebra)
    return found


@given(form=st.sampled_from(FORMS), block=triples(), end=st.sampled_from(["", " ."]), limit=st.sampled_from(["", " LIMIT 3"]))
def test_triple_patterns_are_read_as_rdflib_reads_them(form: str, block: str, end: str, limit: str) -> None:
    query = f"{PREFIX} {form} {{ {block}{end} }}{limit} # a comment"
    mine = patterns(query)
    assert mine is not None
    assert sorted(map(str, mine)) == sorted(map(str, of_rdflib(query)))


@pytest.fixture(scope="module")
def store() -> ox.Store:
    """A graph in which each of three predicates has a hundred statements, all in the default graph."""
    made = ox.Store()
    for number in range(300):
        a, b = (ox.NamedNode(f"http://example.org/{name}") for name in (f"n{number % 40}", f"n{number * 7 % 60}"))
        made.add(ox.Quad(a, ox.NamedNode(f"http://example.org/p{number % 3}"), b))
    return made


PARTS = ["?a", "?b", "?c", *(f"ex:n{number}" for number in range(0, 60, 9)), *(f"ex:p{number}" for number in range(4))]


@given(parts=st.lists(st.tuples(*[st.sampled_from(PARTS)] * 3), min_size=1, max_size=3))
def test_a_small_query_has_few_solutions_and_the_same_as_any(store: ox.Store, parts: list[tuple[str, str, str]]) -> None:
    query = f"{PREFIX} SELECT * {{ {' . '.join(map(' '.join, parts))} }}"
    form = ox.QueryResultsFormat.CSV
    answer = Lookups(store).answer(query)
    if answer is not None:
        assert isinstance(answer, ox.QuerySolutions)
        lines = bytes(answer.serialize(format=form) or b"").splitlines()
        expected = bytes(store.query(query).serialize(format=form) or b"")  # type: ignore[union-attr] # of a SELECT
        assert sorted(lines) == sorted(expected.splitlines())
        assert len(lines) <= MOST + 1
    else:
        matches = 1
        for part in parts:
            apart = " ".join(f"?{place}" if term.startswith("?") else term for place, term in zip("spo", part, strict=True))
            matches *= max(1, len(list(store.query(f"{PREFIX} SELECT * {{ {apart} }}"))))  # type: ignore[arg-type] # of a SELECT
        assert matches > MOST


def test_both_small_and_large_queries_are_found(small_site: Path) -> None:
    lookups = Lookups(load(small_site / "data" / "framework.nq"))
    assert lookups.answer(f"ASK {{ <{BASE}id/resource/beacon> ?p ?o }}")
    assert lookups.answer("SELECT ?n { ?s <http://purl.org/dc/terms/identifier> ?n }") is not None
    # Each of the two has 500 matches, and together they may have 250,000 solutions.
    twice = "SELECT * { ?s <http://purl.org/dc/terms/identifier> ?n . ?t <http://purl.org/dc/terms/identifier> ?m }"
    assert lookups.answer(twice) is None
    assert lookups.answer("SELECT * { ?s ?p ?o }") is None


# Against a server that runs.


def ask(live: Any, query: str) -> Any:
    return live.ask("GET", "/sparql?query=" + quote(query), {"Accept": "application/json"}, timeout=5)


def children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def test_a_small_query_needs_no_worker(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site, cache=0, wait=0.5, timeout=1.0)
    small, large = f"ASK {{ <{BASE}id/resource/beacon> ?p ?o }}", "ASK { { ?s ?p ?o } }"
    live.wait_for_graph()
    workers = [worker for zygote in children(live.process.pid) for worker in children(zygote)]
    assert workers
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        assert ask(live, small).json() == {"head": {}, "boolean": True}
        assert ask(live, large).status in (503, 504)
    finally:
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)


def repeats(live: Any) -> int:
    """How many requests came that were known byte for byte."""
    text = live.ask("GET", "/metrics").body.decode()
    return int(float(next(line.split()[1] for line in text.splitlines() if line.startswith("onemg_repeats_total "))))


REQUEST = b"GET /id/resource/beacon.html HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def bodies(received: bytes) -> list[bytes]:
    """Each response without the time at which it was sent."""
    parts = [part for part in received.split(b"HTTP/1.1 ") if part]
    return [b"\r\n".join(line for line in part.split(b"\r\n") if not line.lower().startswith(b"date:")) for part in parts]


def test_a_request_that_comes_again_has_the_same_response(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site)
    before = repeats(live)
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        connection.settimeout(10)
        sent = []
        for piece in (REQUEST, REQUEST, REQUEST[:20]):
            connection.sendall(piece)
            if piece == REQUEST:
                received = connection.recv(65536)
                while b"\r\n\r\n" not in received or len(received) < length(received):
                    received += connection.recv(65536)
                sent.append(received)
        connection.sendall(REQUEST[20:] + REQUEST + LAST)  # in two parts, and then several at once
        rest = b""
        while piece := connection.recv(65536):
            rest += piece
    first, second, third, fourth, last = bodies(sent[0]) + bodies(sent[1]) + bodies(rest)
    assert first == second == third == fourth
    assert last.endswith(b"ok\n")
    assert repeats(live) == before + 1


def length(received: bytes) -> int:
    """How many bytes a response has."""
    head, _, _ = received.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    return len(head) + 4 + int(fields[b"content-length"])


def test_nothing_is_repeated_of_a_build_that_was_replaced(small_site: Path, tmp_path: Path, serve: Callable[..., Any]) -> None:
    site, other = tmp_path / "site", tmp_path / "other"
    for copy in (site, other):
        shutil.copytree(small_site, copy, symlinks=True)
    page = other / "id" / "resource" / "beacon.html"
    page.write_text(page.read_text().replace("Beacon", "Lighthouse"))
    live = serve(site, watch=0.2)
    target = "/id/resource/beacon.html"
    for _ in range(3):
        assert b"Beacon" in live.ask("GET", target).body
    site.rename(tmp_path / "old")
    other.rename(site)
    live.wait_for("reloaded")
    assert b"Lighthouse" in live.ask("GET", target).body


def test_what_may_change_is_not_repeated(live: Any) -> None:
    for target in ("/healthz", "/metrics", "/sparql?query=" + quote("SELECT (RAND() AS ?x) {}")):
        before = repeats(live)
        for _ in range(3):
            live.ask("GET", target)
        assert repeats(live) == before, target
