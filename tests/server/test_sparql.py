"""The SPARQL 1.1 Protocol, its service description, and the clients that people use."""

import json
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, JSONLD, N3, POST, RDFXML, TSV, TURTLE, XML, SPARQLWrapper

from onemg_kg.terms import BASE

FORM, DIRECT = "application/x-www-form-urlencoded", "application/sparql-query"
SELECT = "SELECT ?title { ?thing <http://purl.org/dc/terms/title> ?title } ORDER BY ?title"
CONSTRUCT = "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o FILTER(isLiteral(?o)) }"
TYPED = f"SELECT (COUNT(*) AS ?n) {{ <{BASE}id/resource/beacon> a ?type }}"
ONE, TWO, MANY = (f"{BASE}graph/{name}" for name in ("one", "two", "many"))
RESULTS = "application/sparql-results+"
W3C = Path(__file__).resolve().parents[3] / "shared" / "w3c" / "sparql" / "sparql11"


def get(live: Any, query: str, fields: dict[str, str] | None = None, **parameters: Any) -> Any:
    return live.ask("GET", "/sparql?" + urlencode({"query": query, **parameters}, doseq=True), fields)


def post(live: Any, body: str | bytes, media_type: str, fields: dict[str, str] | None = None, target: str = "/sparql") -> Any:
    content = body.encode() if isinstance(body, str) else body
    return live.ask("POST", target, {"Content-Type": media_type, **(fields or {})}, content)


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    return [{name: cell["value"] for name, cell in row.items()} for row in answer.json()["results"]["bindings"]]


def test_a_query_comes_in_three_ways(live: Any) -> None:
    expected = [{"title": "Beacon"}, {"title": "Leuchtfeuer"}]
    assert rows(get(live, SELECT)) == expected
    assert rows(post(live, urlencode({"query": SELECT}), FORM)) == expected
    assert rows(post(live, SELECT, DIRECT)) == expected
    assert rows(post(live, SELECT, DIRECT + "; charset=UTF-8")) == expected
    assert rows(live.ask("GET", "/sparql/?" + urlencode({"query": SELECT}))) == expected


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        (None, RESULTS + "json"),
        ("*/*", RESULTS + "json"),
        (RESULTS + "json", RESULTS + "json"),
        ("application/json", RESULTS + "json"),
        (RESULTS + "xml", RESULTS + "xml"),
        ("application/xml", RESULTS + "xml"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("text/csv;q=0.1, application/sparql-results+xml;q=0.2", RESULTS + "xml"),
        ("text/turtle, text/csv;q=0.2", "text/csv; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
def test_a_table_comes_as_it_is_wanted(live: Any, accepted: str | None, sent: str) -> None:
    answer = get(live, SELECT, {"Accept": accepted} if accepted else None)
    assert (answer.status, answer.fields["content-type"], answer.fields["vary"]) == (200, sent, "Accept")


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        (None, "text/turtle; charset=utf-8"),
        ("text/turtle", "text/turtle; charset=utf-8"),
        ("application/n-triples", "application/n-triples"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/ld+json"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("application/n-quads", "application/n-quads"),  # what Trifid asks for
        ("application/sparql-results+json, application/rdf+xml;q=0.5", "application/rdf+xml"),
    ],
)
def test_a_graph_comes_as_it_is_wanted(live: Any, accepted: str | None, sent: str) -> None:
    answer = get(live, CONSTRUCT, {"Accept": accepted} if accepted else None)
    assert (answer.status, answer.fields["content-type"]) == (200, sent)
    names = {"application/ld+json": "json-ld", "application/n-quads": "nt"}  # in the default graph, a quad is a triple
    media_type = sent.partition(";")[0]
    graph = rdflib.Graph().parse(data=answer.body, format=names.get(media_type, media_type))
    assert len(graph) == 502


@pytest.mark.parametrize(
    ("name", "sent"),
    [("json", "json"), ("xml", "xml"), ("csv", "csv"), ("tsv", "tab-separated"), ("srj", "json"), ("nonsense", "json")],
)
def test_a_format_can_be_named(live: Any, name: str, sent: str) -> None:
    assert sent in get(live, SELECT, format=name).fields["content-type"]
    assert sent in get(live, SELECT, output=name).fields["content-type"]


def test_the_formats_of_a_table_say_the_same(live: Any) -> None:
    titles = ["Beacon", "Leuchtfeuer"]
    assert get(live, SELECT, {"Accept": "text/csv"}).body == b"title\r\nBeacon\r\nLeuchtfeuer\r\n"
    assert get(live, SELECT, {"Accept": "text/tab-separated-values"}).body == b'?title\n"Beacon"\n"Leuchtfeuer"@de\n'
    for media_type in ("json", "xml"):
        parsed = rdflib.query.Result.parse(
            source=__import__("io").BytesIO(get(live, SELECT, {"Accept": RESULTS + media_type}).body), format=media_type
        )
        assert [str(row[0]) for row in parsed] == titles


@pytest.mark.parametrize("accepted", [RESULTS + "json", RESULTS + "xml", "text/csv", "text/tab-separated-values"])
def test_ask_has_all_formats(live: Any, accepted: str) -> None:
    assert b"true" in get(live, "ASK {}", {"Accept": accepted}).body


def test_describe_gives_a_graph(live: Any) -> None:
    answer = get(live, f"DESCRIBE <{BASE}id/resource/beacon>", {"Accept": "application/n-triples"})
    assert len(answer.body.splitlines()) == 4


@pytest.mark.parametrize(
    ("query", "accepted"),
    [(SELECT, "text/turtle"), (CONSTRUCT, RESULTS + "json"), (SELECT, "image/png"), (CONSTRUCT, "image/png")],
)
def test_406_lists_the_formats(live: Any, query: str, accepted: str) -> None:
    answer = get(live, query, {"Accept": accepted})
    assert answer.status == 406
    assert "text/turtle" in answer.json()["alternates"]
    assert RESULTS + "json" in answer.json()["alternates"]


# The dataset.


def test_the_default_graph_is_the_union_as_a_set(live: Any) -> None:
    assert rows(get(live, TYPED)) == [{"n": "1"}]
    assert rows(get(live, TYPED.replace("{ <", "{ GRAPH ?g { <").replace("}", "} }"))) == [{"n": "2"}]


@pytest.mark.parametrize(
    ("parameters", "titles"),
    [
        ({"default-graph-uri": ONE}, ["Beacon"]),
        ({"default-graph-uri": TWO}, ["Leuchtfeuer"]),
        ({"default-graph-uri": [ONE, TWO]}, ["Beacon", "Leuchtfeuer"]),
        ({"default-graph-uri": MANY}, []),
        ({"named-graph-uri": ONE}, []),
        ({"default-graph-uri": TWO, "named-graph-uri": ONE}, ["Leuchtfeuer"]),
    ],
)
def test_the_request_chooses_the_default_graph(live: Any, parameters: dict[str, Any], titles: list[str]) -> None:
    for query in (SELECT, SELECT.replace("{", f"FROM <{MANY}> {{", 1)):  # what the request says is stronger
        assert [row["title"] for row in rows(get(live, query, **parameters))] == titles
        assert [row["title"] for row in rows(post(live, urlencode({"query": query, **parameters}, doseq=True), FORM))] == titles
        target = "/sparql?" + urlencode(parameters, doseq=True)
        assert [row["title"] for row in rows(post(live, query, DIRECT, target=target))] == titles


def test_graphs_that_are_merged_are_a_set(live: Any) -> None:
    assert rows(get(live, TYPED, **{"default-graph-uri": [ONE, TWO]})) == [{"n": "1"}]
    assert rows(get(live, TYPED.replace("{", f"FROM <{ONE}> FROM <{TWO}> {{", 1))) == [{"n": "1"}]


def test_the_request_chooses_the_named_graphs(live: Any) -> None:
    query = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"
    assert {row["g"] for row in rows(get(live, query))} == {ONE, TWO, MANY}
    assert {row["g"] for row in rows(get(live, query, **{"named-graph-uri": [ONE, MANY]}))} == {ONE, MANY}
    assert rows(get(live, query, **{"default-graph-uri": ONE})) == []
    assert {row["g"] for row in rows(get(live, query.replace("{", f"FROM NAMED <{TWO}> {{", 1)))} == {TWO}


@pytest.mark.parametrize("graph", ["http://other.example/", "file:///etc/passwd", "relative", BASE + "graph/none"])
def test_other_graphs_are_refused(live: Any, graph: str) -> None:
    assert get(live, SELECT, **{"default-graph-uri": graph}).status == 403
    assert get(live, SELECT, **{"named-graph-uri": graph}).status == 403
    assert get(live, SELECT.replace("{", f"FROM <{graph}> {{", 1)).status == 403
    assert get(live, SELECT.replace("{", f"FROM NAMED <{graph}> {{", 1)).status == 403
    assert get(live, f"PREFIX x: <{graph}> " + SELECT.replace("{", "FROM x: {", 1)).status == 403


# What is wrong.


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [
        ("SELECT * {", 1, 11),
        ("SELECT *\n{ ?s ?p }", 2, 10),
        ("SELECT *\n{\n  ?s ex:a ?o\n}", 3, 6),
        ("", 1, 1),
        ("SELECT *\n{ SERVICE <http://x.example/> {} }", 2, 3),
        ("ASK {}\nDROP ALL", 2, 1),
    ],
)
def test_an_error_says_where(live: Any, query: str, line: int, column: int) -> None:
    answer = get(live, query)
    assert answer.status in (400, 403)
    assert answer.fields["content-type"] == "application/problem+json"
    said = answer.json()
    assert (said["line"], said["column"]) == (line, column), said


@pytest.mark.parametrize(
    ("status", "target", "fields", "body"),
    [
        (400, "/sparql?query=ASK%7B%7D&query=ASK%7B%7D", None, None),
        (400, "/sparql?quer=ASK%7B%7D&default-graph-uri=x", None, None),
        (400, "/sparql?update=CLEAR+ALL", None, None),
        (400, "/sparql?query=%FF%FE", None, None),
        (400, "/sparql", FORM, b"query=%FF"),
        (400, "/sparql", FORM, b"nothing=1"),
        (400, "/sparql", FORM, b""),
        (400, "/sparql", DIRECT, b"ASK { ?s ?p '\xff' }"),
        (400, "/sparql?query=ASK%7B%7D", DIRECT, b"ASK {}"),
        (403, "/sparql", FORM, b"update=CLEAR+ALL"),
        (403, "/sparql", "application/sparql-update", b"CLEAR ALL"),
        (415, "/sparql", "text/plain", b"ASK {}"),
        (415, "/sparql", "application/json", b"{}"),
        (415, "/sparql", "multipart/form-data; boundary=x", b"--x--"),
        (415, "/sparql", None, b"ASK {}"),
        (415, "/sparql", DIRECT + "; charset=utf-16", b"A\0S\0K\0"),
        (413, "/sparql", DIRECT, b"#" * 300_000),
    ],
)
def test_a_request_that_is_none(live: Any, status: int, target: str, fields: str | None, body: bytes | None) -> None:
    answer = live.ask("GET" if body is None else "POST", target, {"Content-Type": fields} if fields else None, body)
    assert answer.status == status
    assert answer.json()["status"] == status


def test_a_content_with_a_coding_is_not_read(live: Any) -> None:
    assert post(live, b"\x1f\x8b", DIRECT, {"Content-Encoding": "gzip"}).status == 415


# Answers that are there already.


def test_an_answer_is_the_same_again(live: Any) -> None:
    first, again = get(live, SELECT), get(live, SELECT)
    assert (first.status, first.fields["etag"], first.body) == (again.status, again.fields["etag"], again.body)
    assert get(live, SELECT, {"If-None-Match": first.fields["etag"]}).status == 304
    head = live.ask("HEAD", "/sparql?" + urlencode({"query": SELECT}))
    assert (head.status, head.body, head.fields["content-length"]) == (200, b"", str(len(first.body)))


@pytest.mark.parametrize("function", ["RAND()", "UUID()", "STRUUID()", "BNODE()"])
def test_what_differs_from_time_to_time_is_not_kept(live: Any, function: str) -> None:
    query = f"SELECT ({function} AS ?x) {{}}"
    assert get(live, query).body != get(live, query).body


LONG = "SELECT ?a ?b { ?a <http://purl.org/dc/terms/identifier> ?x . ?b <http://purl.org/dc/terms/identifier> ?y }"


def test_a_long_answer_comes_in_pieces_and_is_kept(live: Any) -> None:
    """It is packed to be kept: it comes in pieces again, and says from then on how long it is and which."""
    query = LONG + " LIMIT 19000"
    first, again = get(live, query), get(live, query)
    assert first.fields["transfer-encoding"] == "chunked"
    assert len(rows(first)) == 19_000
    assert len(first.body) > 2 << 20
    assert again.body == first.body
    assert again.fields["content-length"] == str(len(first.body))
    assert again.fields["content-type"] == first.fields["content-type"]
    assert again.fields["vary"] == first.fields["vary"] == "Accept"
    known = get(live, query, {"If-None-Match": again.fields["etag"]})
    assert (known.status, known.body) == (304, b"")
    head = live.ask("HEAD", "/sparql?" + urlencode({"query": query}))
    assert (head.status, head.body, head.fields["etag"]) == (200, b"", again.fields["etag"])
    posted = post(live, query, DIRECT)
    assert (posted.body, posted.fields["etag"]) == (first.body, again.fields["etag"])
    assert get(live, query, {"Accept": "text/csv"}).body.count(b"\n") == 19_001


def test_what_is_kept_has_a_limit(small_site: Path, serve: Callable[..., Any]) -> None:
    """Also for long answers: each is kept only where it takes an eighth of the room or less."""
    room = 1 << 20
    live = serve(small_site, cache=room, processes=1)
    for number in range(40):
        assert get(live, f"{LONG} LIMIT {19_000 + number}").status == 200
    kept = int(re.search(rb"^onemg_cache_bytes (\d+)", live.ask("GET", "/metrics").body, re.MULTILINE)[1])  # type: ignore[index]
    assert 0 < kept <= room * 9 // 8
    query = "SELECT (SHA512(CONCAT(STR(?a), STR(?b))) AS ?c)" + LONG.removeprefix("SELECT ?a ?b") + " LIMIT 19000"
    assert "etag" not in get(live, query).fields
    assert "etag" not in get(live, query).fields


def test_a_long_answer_that_differs_from_time_to_time_is_not_kept(live: Any) -> None:
    query = "SELECT (RAND() AS ?random)" + LONG.removeprefix("SELECT ?a ?b") + " LIMIT 60000"
    first, again = get(live, query), get(live, query)
    assert first.fields["transfer-encoding"] == again.fields["transfer-encoding"] == "chunked"
    assert first.body != again.body


def test_a_long_answer_that_breaks_off_is_not_kept(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site, rows=20_000)
    first, again = get(live, LONG), get(live, LONG)
    assert first.is_cut_off
    assert again.is_cut_off


# The endpoint itself.


@pytest.mark.parametrize(
    "accepted",
    [None, "text/turtle", "application/ld+json", "application/n-triples", "application/n-quads", "application/rdf+xml"],
)
def test_the_endpoint_describes_itself(live: Any, accepted: str | None) -> None:
    answer = live.ask("GET", "/sparql", {"Accept": accepted} if accepted else None)
    media_type = answer.fields["content-type"].partition(";")[0]
    assert media_type == (accepted or "text/turtle")
    names = {"application/ld+json": "json-ld", "application/n-quads": "nt"}
    graph = rdflib.Graph().parse(data=answer.body, format=names.get(media_type, media_type))
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    service = rdflib.URIRef(live.url + "/sparql")
    # What the three tests of the W3C look for, and what one needs to ask.
    assert (service, rdflib.RDF.type, sd.Service) in graph
    assert (service, sd.endpoint, service) in graph
    assert (service, sd.supportedLanguage, sd.SPARQL11Query) in graph
    names = {str(name) for name in graph.objects(None, sd.name)}
    assert names == {ONE, TWO, MANY}
    default = graph.value(graph.value(service, sd.defaultDataset), sd.defaultGraph)
    triples = graph.value(default, rdflib.URIRef("http://rdfs.org/ns/void#triples"))
    assert int(str(triples)) == int(rows(get(live, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"))[0]["n"])


def test_a_browser_gets_the_page(live: Any, small_site: Path) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = (small_site / "query.html").read_bytes()
    assert live.ask("GET", "/sparql", browser).body == page
    assert get(live, SELECT, browser).body == page
    assert live.ask("GET", "/sparql?format=html").body == page


def test_a_host_that_is_none_is_not_repeated(live: Any) -> None:
    answer = live.ask("GET", "/sparql", {"Host": 'x"><script>', "Accept": "text/turtle"})
    assert answer.status == 200
    assert b"<script" not in answer.body


# W3C.


def _decoded(text: str) -> str:
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), text)


@pytest.fixture(scope="session")
def w3c(tmp_path_factory: pytest.TempPathFactory, small_site: Path, serve: Callable[..., Any]) -> Any:
    """A server over the graphs that the protocol tests of the W3C use."""
    folder = W3C / "protocol"
    if not folder.is_dir():
        pytest.skip("the W3C's protocol tests are not at ../shared/w3c, so they are not run")
    site = tmp_path_factory.mktemp("w3c") / "site"
    shutil.copytree(small_site, site)
    lines = []
    for number in range(4):
        graph = ox.NamedNode(f"http://kasei.us/2009/09/sparql/data/data{number}.rdf")
        path = folder / f"data{number}.nt"
        quads = ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES) if path.is_file() else [ox.Quad(graph, graph, graph)]
        lines += [ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in quads]
    (site / "data" / "framework.nq").write_bytes(ox.serialize(lines, format=ox.RdfFormat.N_QUADS) or b"")
    return serve(site)


def _w3c_requests() -> list[tuple[str, str, str, dict[str, str], bytes | None, set[str], str | None, str | None]]:
    """Each request of the manifest: test, method, target, fields, content; the classes of status, the boolean, the format."""
    path = W3C / "protocol" / "manifest.ttl"
    if not path.is_file():
        return []
    graph = rdflib.Graph().parse(path, format="turtle")
    ht, cnt = rdflib.Namespace("http://www.w3.org/2011/http#"), rdflib.Namespace("http://www.w3.org/2011/content#")
    mf = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
    found = []
    for test in graph.subjects(rdflib.RDF.type, mf.ProtocolTest):
        action = graph.value(test, mf.action)
        for request in graph.items(graph.value(action, ht.requests)):
            response = graph.value(request, ht.resp)
            body = graph.value(request, ht.body)
            content = None
            if body is not None:
                encoding = str(graph.value(body, cnt.characterEncoding) or "UTF-8")
                content = str(graph.value(body, cnt.chars)).encode(encoding)
            headers = {
                str(graph.value(header, ht.fieldName)): str(graph.value(header, ht.fieldValue))
                for header in graph.items(graph.value(request, ht.headers))
            }
            found.append((
                str(test).rpartition("#")[2],
                str(graph.value(request, ht.methodName)),
                str(graph.value(request, ht.absolutePath)),
                headers,
                content,
                {str(status).rpartition("StatusCode")[2] for status in graph.objects(response, mf.expectedStatus)},
                next((str(value) for value in graph.objects(response, mf.expectedBoolean)), None),
                next((str(value) for value in graph.objects(response, mf.expectedFormat)), None),
            ))  # fmt: skip
    return sorted(found, key=lambda request: request[:3])


@pytest.mark.parametrize("request_", _w3c_requests(), ids=lambda request: request[0])
def test_the_protocol_tests_of_the_w3c(w3c: Any, request_: Any) -> None:
    """Those for updates expect success; this endpoint must refuse each."""
    test, method, target, fields, content, statuses, boolean, form = request_
    answer = w3c.ask(method, target, fields, content)
    status = f"{answer.status // 100}xx"
    if "update" in unquote(target).partition("query=")[0] or "update" in test:
        if test.startswith("update_") and (
            b"query=" in (content or b"") or "query=" in target or fields.get("content-type") == DIRECT
        ):
            return  # asks for what an update would have done
        assert 400 <= answer.status < 500
        return
    assert status in statuses, answer.body
    if boolean is not None:
        assert answer.json()["boolean"] is (boolean == "true")
    media_type = answer.fields.get("content-type", "")
    if form == "tabular":
        assert media_type.startswith((RESULTS, "text/csv", "text/tab-separated-values"))
    elif form == "RDF":
        assert media_type.startswith(("text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json"))


# Clients.


@pytest.mark.parametrize("method", ["GET", POST])
@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV])
def test_sparqlwrapper_reads_a_table(live: Any, form: str, method: str) -> None:
    client = SPARQLWrapper(live.url + "/sparql")
    client.setQuery(SELECT)
    client.setReturnFormat(form)
    client.setMethod(method)
    found = client.query().convert()
    text = json.dumps(found) if form == JSON else found.toxml() if form == XML else found.decode()
    assert "Beacon" in text
    assert "Leuchtfeuer" in text


@pytest.mark.parametrize("form", [TURTLE, N3, RDFXML, JSONLD])
def test_sparqlwrapper_reads_a_graph(live: Any, form: str) -> None:
    client = SPARQLWrapper(live.url + "/sparql")
    client.setQuery(CONSTRUCT)
    client.setReturnFormat(form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = client.query().convert()
    graph = found if isinstance(found, rdflib.Graph) else rdflib.Graph().parse(data=found, format="turtle")
    assert len(graph) == 502


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflib_reads_the_endpoint_as_a_graph(live: Any, method: Any) -> None:
    graph = rdflib.Graph(SPARQLStore(live.url + "/sparql", method=method))
    assert [str(row[0]) for row in graph.query(SELECT)] == ["Beacon", "Leuchtfeuer"]
    assert bool(graph.query("ASK {}")) is True
    beacon = rdflib.URIRef(BASE + "id/resource/beacon")
    assert len(set(graph.triples((beacon, None, None)))) == 4


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_asks(live: Any) -> None:
    def curl(*arguments: str) -> str:
        return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True, timeout=30).stdout

    endpoint = live.url + "/sparql"
    assert "Beacon" in curl("-G", endpoint, "--data-urlencode", f"query={SELECT}", "-H", "Accept: text/csv")
    assert "Beacon" in curl(endpoint, "--data-urlencode", f"query={SELECT}")
    assert "Beacon" in curl(endpoint, "-H", f"Content-Type: {DIRECT}", "--data-binary", SELECT)
    assert curl("-o", "/dev/null", "-w", "%{http_code}", endpoint + "?query=" + quote("nonsense")) == "400"
    assert "Beacon" in curl("-L", "-H", "Accept: text/turtle", live.url + "/id/resource/beacon")
    assert "HTTP/1.1 200" in curl("-I", endpoint + "?query=" + quote(SELECT))
