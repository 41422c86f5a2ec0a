"""What a query may be: the guard against rdflib's parser, and against Oxigraph's, which reads what no token shows."""

import string
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery

from onemg_kg.server.guard import MAX_NESTING, Refused, judge
from onemg_kg.terms import BASE

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "<http://127.0.0.1:9/>"

# Each of these asks another endpoint: Oxigraph takes it, or would with its prefix declared.
ASKS_ANOTHER = [
    f"SELECT * {{ SERVICE {NOWHERE} {{ ?s ?p ?o }} }}",
    f"select*{{service{NOWHERE}{{?s ?p ?o}}}}",
    f"SELECT * {{ SeRvIcE SILENT {NOWHERE} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ SERVICESILENT{NOWHERE}{{ ?s ?p ?o }} }}",
    "SELECT * { BIND(<http://127.0.0.1:9/> AS ?x) SERVICE ?x { ?s ?p ?o } }",
    f"SELECT * {{ ?s ?p trueSERVICE{NOWHERE}{{}} }}",
    f"SELECT * {{ ?s ?p falseservice{NOWHERE}{{}} }}",
    f"SELECT * {{ ?s ?p 1SERVICE{NOWHERE}{{}} }}",
    f"SELECT * {{ ?s ?p 1e5SERVICE{NOWHERE}{{}} }}",
    f"SELECT * {{ ?s ?p 'x'SERVICE{NOWHERE}{{}} }}",
    f"SELECT * {{ ?s ?p ?o.SERVICE{NOWHERE}{{}} }}",
    f"SELECT * {{ {{}}SERVICE{NOWHERE}{{}} }}",
    f"SELECT * {{ #comment\rSERVICE {NOWHERE} {{}} }}",
    f"SELECT * {{ ?s ?p 'a\\u0027 . #' SERVICE {NOWHERE} {{}} }}",
    f'SELECT * {{ ?s ?p """a\\"""" SERVICE {NOWHERE} {{}} }}',
    f'ASK {{ ?s ?p "a\\u0022 . ?x ?y " SERVICE {NOWHERE} {{}} . ?z ?q "b\\u0022" }}',
    "PREFIX ex: <http://127.0.0.1:9/> SELECT * { SERVICEex:foo { ?s ?p ?o } }",
    "PREFIX ex: <http://127.0.0.1:9/> PREFIX SERVICEex: <x:> SELECT * { SERVICEex:foo { ?s ?p ?o } }",
    "PREFIX : <http://127.0.0.1:9/> PREFIX service: <x:> SELECT * { service:foo { ?s ?p ?o } }",
    "PREFIX e: <http://127.0.0.1:9/> PREFIX trueSERVICEe: <x:> SELECT * { ?s ?p trueSERVICEe:foo { ?s ?p ?o } }",
    "SELECT * { BIND(1 AS ?a) BIND(2 AS ?b) FILTER(?a<?b).SERVICE?x#>\n{ ?s ?p ?o } }",
    "SELECT * { FILTER(1<2)SERVICE?x#>\n{ ?s ?p ?o } }",
    f"SELECT * {{ {{ SELECT * {{ SERVICE {NOWHERE} {{}} }} }} }}",
    f"SELECT * {{ FILTER EXISTS {{ SERVICE {NOWHERE} {{}} }} }}",
    f"SELECT * {{ OPTIONAL {{ GRAPH ?g {{ MINUS {{ SERVICE {NOWHERE} {{}} }} }} }} }}",
    f"CONSTRUCT {{ ?s ?p ?o }} {{ SERVICE {NOWHERE} {{ ?s ?p ?o }} }}",
    f"DESCRIBE ?s {{ SERVICE {NOWHERE} {{ ?s ?p ?o }} }}",
    f"ASK {{ SERVICE {NOWHERE} {{}} }}",
]

WRITES = [
    "INSERT DATA { <x:a> <x:b> <x:c> }", "DELETE WHERE { ?s ?p ?o }", "LOAD <http://127.0.0.1:9/>", "LOAD SILENT <file:///etc/passwd>",
    "CLEAR ALL", "DROP GRAPH <x:a>", "CREATE GRAPH <x:a>", "ADD <x:a> TO <x:b>", "MOVE DEFAULT TO <x:b>", "COPY <x:a> TO <x:b>",
    "WITH <x:a> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", "ASK {} ; DROP ALL", "PREFIX x: <x:> insert{?s ?p ?o}where{?s ?p ?o}",
]  # fmt: skip

READS = [
    "ASK { ?s ?p 'SERVICE <x> {}' }",
    'ASK { ?s ?p """LOAD\n\'DROP\' "ALL" """ }',
    "ASK { # SERVICE <x> {}\n ?s ?p ?o }",
    "ASK { ?service ?load $drop }",
    "PREFIX load: <http://x.example/> ASK { load:service load:drop load:insert }",
    "PREFIX service: <http://x.example/> ASK { service:a ?p ?o . GRAPH service:g { ?s ?p ?o } }",
    "ASK { <http://x.example/SERVICE?LOAD=1#DROP> ?p ?o }",
    "ASK { <http://x.example/a(b).service#x> ?p ?o FILTER(?a < ?b) }",
    "ASK { ?s ?p 'x'@service }",
    "ASK { _:service ?p ?o }",
    "ASK { ?s ?p ?o FILTER(?a<?b && ?c>?d) }",
    "ASK { ?s a/^a*|!(a|^a)? ?o }",
    "PREFIX e: <x:> ASK { e:a.b e:c%20d e:e\\,f . e:g ?p 1.5e3, -2, +.5 }",
    "SELECT (COUNT(DISTINCT *) AS ?n) (GROUP_CONCAT(?x; SEPARATOR=', ') AS ?l) "
    "{ VALUES (?x ?y) { (1 UNDEF) } } GROUP BY ?x HAVING(?n>1)",
]


@pytest.mark.parametrize("query", ASKS_ANOTHER)
def test_no_other_endpoint_is_asked(query: str) -> None:
    with pytest.raises(Refused):
        judge(query)


@pytest.mark.parametrize("query", WRITES)
def test_nothing_is_written(query: str) -> None:
    with pytest.raises(Refused) as error:
        judge(query)
    assert error.value.status == 403


@pytest.mark.parametrize("query", READS)
def test_what_only_looks_like_it_is_read(query: str) -> None:
    judge(query)
    if "service#" not in query:  # rdflib and Oxigraph read it as well
        parseQuery(query)
        ox.Store().query(query, base_iri=BASE)


def test_every_query_of_ours_passes() -> None:
    paths = sorted((ROOT / "queries").rglob("*.rq"))
    assert len(paths) > 100
    for path in paths:
        judge(path.read_text(encoding="utf-8"))


def test_the_dataset_is_what_rdflib_finds() -> None:
    query = (
        "BASE <http://b.example/> PREFIX p: <q/> SELECT * FROM <a> FROM NAMED p:c FROM <http://d.example/\\u0065> { ?s ?p ?o }"
    )
    verdict = judge(query)
    assert verdict.default == ("http://b.example/a", "http://d.example/e")
    assert verdict.named == ("http://b.example/q/c",)
    clauses = translateQuery(parseQuery(query.replace("\\u0065", "e"))).algebra.datasetClause
    assert {str(clause.default) for clause in clauses if clause.default} == set(verdict.default)


@pytest.mark.parametrize("opening", ["(", "{", "["])
def test_brackets_have_a_depth(opening: str) -> None:
    with pytest.raises(Refused):
        judge("ASK {" + opening * (MAX_NESTING + 1))


def test_steady_is_what_has_no_clock_and_no_dice() -> None:
    assert judge("SELECT * { ?now ?rand 'UUID()' }").steady
    assert not any(
        judge(f"SELECT ({name} AS ?x) {{}}").steady for name in ("NOW()", "rand()", "Uuid()", "STRUUID()", "BNODE()")
    )


PIECES = st.sampled_from(
    [
        "SELECT * {", "ASK", "{", "}", "(", ")", "?s", "?p", "<a>", "<", ">", ".", ";", ",", "'", '"', "'''", '"""', "\\",
        "\\u0022", "#", "\n", " ", "  ", "SERVICE", "service", "SILENT", NOWHERE, "ex:", "ex:a", "service:", ":a", "true",
        "1", "1.", "e5", "@en", "FILTER", "OPTIONAL", "UNION", "GRAPH", "BIND(1 AS ?a)", "FILTER(?a<?b)",
        "PREFIX ex: <http://127.0.0.1:9/> ", "{?s ?p ?o}", "?x", "_:b", "[]", "^^", "a", "*", "/", "|", "!", "FROM",
        "VALUES ?v {1}", "%20", "\u00e9", "\u200d", "#>\n",
    ]
)  # fmt: skip


def reaches_out(query: str) -> bool:
    """Whether Oxigraph takes the query and then asks another: in a store with one statement, so that a pattern matches."""
    node = ox.NamedNode("http://x.example/")
    store = ox.Store()
    store.add(ox.Quad(node, node, node))
    try:
        answer = store.query("PREFIX : <http://127.0.0.1:9/> PREFIX service: <x:> " + query, base_iri=BASE)
        if not isinstance(answer, ox.QueryBoolean):
            list(answer)
    except (SyntaxError, ValueError):
        return False
    except (OSError, RuntimeError) as error:
        return "service" in str(error).lower() or "HTTP" in str(error) or "port" in str(error)
    return False


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=8), st.lists(PIECES, max_size=8))
def test_what_passes_reaches_nothing(before: list[str], after: list[str]) -> None:
    """Whatever stands around SERVICE: where Oxigraph would ask another, the guard refuses."""
    query = "SELECT * {?s ?p ?o" + "".join(before) + "SERVICE" + "".join(after) + "}"
    if reaches_out(query):
        with pytest.raises(Refused):
            judge("PREFIX : <http://127.0.0.1:9/> PREFIX service: <x:> " + query)


LITERALS = st.text(alphabet=string.ascii_letters + " {}<>#?'\\.:", max_size=30)


@settings(max_examples=200)
@given(LITERALS, LITERALS)
def test_no_literal_and_no_comment_is_taken_for_a_word(one: str, two: str) -> None:
    literal = rdflib.Literal(one + " SERVICE LOAD DROP " + two).n3()
    comment = (one + " SERVICE LOAD " + two).replace("\n", " ")
    query = f"ASK {{ ?s ?p {literal} # {comment}\n }}"
    parseQuery(query)
    judge(query)
