"""A server that asks a store elsewhere: the same answers as from its own workers, the same safety, whatever the store does."""

import http.client
import http.server
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, quote
from urllib.request import Request, urlopen

import pyoxigraph as ox
import pytest

from onemg_kg.formats import FORMATS
from onemg_kg.terms import BASE, expand, text

DIRECT = {"Content-Type": "application/sparql-query"}
TIMEOUT = 2.0
SECRET = "open-sesame"
TABLES = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "text/csv": None,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Oxigraph:
    """An Oxigraph server over a folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        beside = Path(sys.executable).with_name("oxigraph")
        program = str(beside) if beside.is_file() else shutil.which("oxigraph")
        if program is None:
            pytest.skip("no oxigraph on the PATH (PyPI: oxigraph), so no store is asked")
        command = [program, "serve", "--location", str(self.folder), "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 40
        while time.monotonic() < end:
            with suppress(URLError, ConnectionError, TimeoutError), urlopen(self.url + "/query?query=ASK%7B%7D", timeout=5):
                return
            time.sleep(0.05)
        pytest.fail("Oxigraph does not answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def add(self, quads: bytes) -> None:
        request = Request(f"{self.url}/store", quads, {"Content-Type": "application/n-quads"}, method="POST")
        with urlopen(request, timeout=30):
            pass


@pytest.fixture(scope="module")
def oxigraph(small_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oxigraph]:
    """A store that holds the graph of the small site."""
    store = Oxigraph(tmp_path_factory.mktemp("oxigraph"))
    store.start()
    store.add((small_site / "data" / "framework.nq").read_bytes())
    yield store
    store.stop()


@dataclass
class Proxy:
    """Stands before a store, and does to a query what a comment at its end says.

    Attributes:
        queries: the queries that came.
        authorizations: what they were sent with.
        gone: set when who asked a query that takes for ever hung up.
    """

    port: int
    queries: list[str]
    authorizations: list[str]
    gone: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/query"


@contextmanager
def broken(store: Oxigraph) -> Iterator[Proxy]:
    proxy = Proxy(0, [], [], threading.Event())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            query = parse_qs(body.decode())["query"][0]
            proxy.queries.append(query)
            proxy.authorizations.append(self.headers.get("Authorization", ""))
            fault = query.rpartition("# ")[2].strip() if "# " in query else ""
            if fault == "for ever":
                self.connection.settimeout(30)
                if not self.connection.recv(1):
                    proxy.gone.set()
                return
            if fault.isdecimal():
                self.send_error(int(fault), f"said {SECRET}")
                return
            asked = http.client.HTTPConnection("127.0.0.1", store.port, timeout=30)
            asked.request(
                "POST", "/query", body, {"Content-Type": self.headers["Content-Type"], "Accept": self.headers["Accept"]}
            )
            answer = asked.getresponse()
            content = answer.read()
            asked.close()
            kind = {"page": "text/html", "partial": str(answer.headers["Content-Type"])}.get(
                fault, answer.headers["Content-Type"]
            )
            self.send_response(answer.status)
            self.send_header("Content-Type", kind)
            if fault == "partial":
                self.send_header("X-SPARQL-MaxRows", "2")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if fault == "cut":
                # At the end of a line: as N-Triples, that is a document.
                content = content[: content.rindex(b"\n", 0, -1) + 1] if b"\n" in content[:-1] else content[: len(content) // 2]
            if fault == "garbled":
                content = content[: len(content) // 2] + b"#" * (len(content) - len(content) // 2)
            self.wfile.write(content)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """One that hung up is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    proxy.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def proxy(oxigraph: Oxigraph) -> Iterator[Proxy]:
    with broken(oxigraph) as made:
        yield made


@pytest.fixture(scope="module")
def distant(small_site: Path, serve: Callable[..., Any], proxy: Proxy) -> Any:
    """A server that asks the store, with the limits of the one that does not."""
    return serve(small_site, timeout=TIMEOUT, patience=5.0, rows=20_000, answer=20_000_000, store=proxy.url)


def query(live: Any, asked: str, accept: str = "application/sparql-results+json", timeout: float = 30) -> Any:
    return live.ask("POST", "/sparql", DIRECT | {"Accept": accept}, asked.encode(), timeout)


# The same answers

SELECTED = {
    "rows": "SELECT ?s ?p ?o { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 300",
    "unbound": "SELECT ?s ?x { ?s ?p 'Beacon' OPTIONAL { ?s <x:none> ?x } }",
    "languages": f"SELECT ?o {{ <{BASE}id/resource/beacon> <http://purl.org/dc/terms/title> ?o }} ORDER BY ?o",
    "every kind of term": 'SELECT * { VALUES ?a { <urn:x> "é,\\"\\n"@en-gb 1.50 "2"^^<urn:y> true UNDEF } } ORDER BY ?a',
    "none": "SELECT ?s { ?s <x:none> ?o }",
    "a graph that is named": f"SELECT (COUNT(*) AS ?n) FROM <{BASE}graph/one> {{ ?s ?p ?o }}",
    "named graphs": f"SELECT (COUNT(*) AS ?n) FROM NAMED <{BASE}graph/one> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    "an IRI below the base": "SELECT DISTINCT ?p { <id/resource/beacon> ?p ?o } ORDER BY ?p",
    "a cast": "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> SELECT (xsd:integer('7') AS ?n) {}",
    "yes": "ASK { ?s ?p 'Beacon' }",
    "no": "ASK { ?s ?p 'Lighthouse' }",
}
CONSTRUCTED = {
    "constructed": "CONSTRUCT { ?s <urn:of> ?o } { ?s <http://purl.org/dc/terms/relation> ?o }",
    "described": f"DESCRIBE <{BASE}id/resource/beacon>",
    "empty": "CONSTRUCT WHERE { ?s <x:none> ?o }",
}


@pytest.mark.parametrize("accept", TABLES)
@pytest.mark.parametrize("name", SELECTED)
def test_tables_are_the_same(live: Any, distant: Any, name: str, accept: str) -> None:
    here, there = query(live, SELECTED[name], accept), query(distant, SELECTED[name], accept)
    assert (there.status, there.body) == (here.status, here.body) == (200, here.body)
    assert there.fields["content-type"] == here.fields["content-type"]
    assert there.fields["vary"] == here.fields["vary"]


@pytest.mark.parametrize("form", ["turtle", "jsonld", "ntriples", "rdfxml", "nquads"])
@pytest.mark.parametrize("name", CONSTRUCTED)
def test_graphs_are_the_same(live: Any, distant: Any, name: str, form: str) -> None:
    def triples(server: Any) -> set[ox.Quad]:
        answer = query(server, CONSTRUCTED[name], FORMATS[form].media_type)
        assert answer.status == 200, answer.body
        assert answer.fields["content-type"].startswith(FORMATS[form].media_type)
        kind = ox.RdfFormat.from_media_type(FORMATS[form].media_type)
        assert kind is not None
        return set(ox.parse(answer.body, format=kind))

    assert triples(distant) == triples(live)


def test_the_protocol_is_the_same(live: Any, distant: Any) -> None:
    asked = quote("SELECT ?s { ?s ?p 'Beacon' }")
    for target in (
        f"/sparql?query={asked}&format=csv",
        f"/sparql?query={asked}&default-graph-uri={quote(BASE, safe='')}graph/one",
        f"/sparql?query={asked}&named-graph-uri={quote(BASE, safe='')}graph/one",
        f"/sparql?query={asked}&default-graph-uri=http://elsewhere.example/",
        "/sparql?query=SELECT",
        "/id/resource/beacon.ttl",
    ):
        here, there = live.ask("GET", target), distant.ask("GET", target)
        assert (there.status, there.body) == (here.status, here.body), target
    for accept, asked in (("image/png", "ASK {}"), ("text/turtle", "ASK {}"), ("text/csv", "DESCRIBE <urn:x>")):
        assert query(distant, asked, accept).status == query(live, asked, accept).status == 406
    first = query(distant, "ASK {}")
    again = distant.ask("GET", "/sparql?query=ASK%20%7B%7D", {"If-None-Match": first.fields["etag"]})
    assert again.status == 304


def test_the_service_describes_what_the_store_holds(distant: Any) -> None:
    answer = distant.ask("GET", "/sparql", {"Accept": "application/n-triples"})
    assert answer.status == 200
    said = list(ox.parse(answer.body, format=ox.RdfFormat.N_TRIPLES))
    (entry,) = [quad.subject for quad in said if quad.object == ox.NamedNode(BASE + "graph/many")]
    (graph,) = [quad.object for quad in said if quad.subject == entry and quad.predicate.value.endswith("#graph")]
    assert [text(quad.object) for quad in said if quad.subject == graph and quad.predicate.value.endswith("#triples")] == [
        "1000"
    ]


# The same safety

REFUSED = {
    "an update": ("DELETE WHERE { ?s ?p ?o }", 403),
    "SERVICE": ("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", 403),
    "FROM": ("SELECT * FROM <http://127.0.0.1:9/> { ?s ?p ?o }", 403),
    "FROM a file": ("SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }", 403),
    "the push's own graphs": (f"SELECT * FROM <{BASE}staging/locks> {{ ?s ?p ?o }}", 403),
    "no SPARQL": ("SELECT nonsense", 400),
    "half a query": ("SELECT * {", 400),
    "what Virtuoso takes before a query": ('define get:soft "replace" SELECT * { ?s ?p ?o }', 400),
    "a function of Virtuoso": ("PREFIX bif: <bif:> SELECT (bif:file_to_string('/etc/passwd') AS ?x) {}", 403),
    "a function of Virtuoso in full": ("SELECT (<sql:x>('a') AS ?x) {}", 403),
    "a function of Virtuoso by its other name": ("SELECT (<http://www.openlinksw.com/schemas/bif#x> ('a') AS ?x) {}", 403),
    "a function behind a comment": ("SELECT (<bif:x> # (\n ('a') AS ?x) {}", 403),
    "a function as a filter": ("SELECT * { ?s ?p ?o FILTER <java:x.Y>(?o) }", 403),
    "a prefix of two meanings": (f"PREFIX x: <bif:> PREFIX x: <{expand('xsd:')}> SELECT (x:a(1) AS ?y) {{}}", 400),
    "an escaped quote": ("ASK { ?s ?p 'a\\u0027 . SERVICE <http://127.0.0.1:9/> {} . ?x ?y \\u0027b' }", 400),
    "a name that hides": ("PREFIX service: <x:> SELECT * { service:x{ ?s ?p ?o } }", 403),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_sent_that_is_refused(distant: Any, proxy: Proxy, name: str) -> None:
    asked, status = REFUSED[name]
    answer = query(distant, asked)
    assert answer.status == status, answer.body
    assert answer.json()["detail"]
    assert not any(sent.endswith(asked) for sent in proxy.queries)


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        *((code, {502}) for code in ("401", "403", "404", "405", "418", "500")),
        *((code, {422}) for code in ("400", "413")),
        *((code, {503}) for code in ("429", "502", "503")),
        *((code, {504}) for code in ("408", "504")),
        ("301", {502}),
        ("page", {502}),
        ("partial", {422}),
        ("garbled", {502}),
        ("cut", {502}),
    ],
)
def test_what_goes_wrong_is_told_and_no_answer_is_half(distant: Any, fault: str, statuses: set[int]) -> None:
    for asked, accept in (("SELECT * { ?s ?p ?o }", "text/csv"), ("CONSTRUCT WHERE { ?s ?p ?o }", "application/n-triples")):
        answer = query(distant, f"{asked} # {fault}", accept)
        assert answer.status in statuses or (answer.is_cut_off and fault in ("garbled", "cut")), answer.body[:300]
        assert SECRET.encode() not in answer.body
        if answer.status == 503:
            assert answer.fields["retry-after"] == "1"


def test_a_store_that_hangs_holds_up_nothing(distant: Any, proxy: Proxy) -> None:
    """The query ends in time, and pages go on meanwhile."""
    proxy.gone.clear()
    answers: list[tuple[int, float]] = []

    def ask() -> None:
        started = time.monotonic()
        answers.append((query(distant, "ASK {} # for ever").status, time.monotonic() - started))

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for one in asking:
        one.start()
    time.sleep(0.3)
    for _ in range(20):
        started = time.monotonic()
        assert distant.ask("GET", "/ns.ttl").status == 200
        assert time.monotonic() - started < 1
    for one in asking:
        one.join()
    assert {status for status, _ in answers} == {504}
    assert max(seconds for _, seconds in answers) < TIMEOUT + 2
    assert proxy.gone.wait(5)


def test_the_store_is_let_go_of_when_the_client_goes(distant: Any, proxy: Proxy) -> None:
    time.sleep(0.2)
    proxy.gone.clear()
    before = len(proxy.queries)
    asked = b"ASK {} # for ever"
    with socket.create_connection(("127.0.0.1", distant.port)) as connection:
        head = f"Host: x\r\nContent-Type: application/sparql-query\r\nContent-Length: {len(asked)}\r\n\r\n"
        connection.sendall(b"POST /sparql HTTP/1.1\r\n" + head.encode() + asked)
        distant.wait_until(lambda: any("for ever" in sent for sent in proxy.queries[before:]))
    started = time.monotonic()
    assert proxy.gone.wait(TIMEOUT)
    assert time.monotonic() - started < 1.2


def test_limits_hold(small_site: Path, serve: Callable[..., Any], oxigraph: Oxigraph) -> None:
    few = serve(small_site, rows=10, answer=4_000, store=oxigraph.url)
    assert query(few, "SELECT * { ?s ?p ?o } LIMIT 10").status == 200
    many = query(few, "SELECT * { ?s ?p ?o } LIMIT 12")
    assert (many.status, "more than 10 rows" in many.json()["detail"]) == (422, True)
    large = query(few, f"SELECT ('{'x' * 3_000}' AS ?x) ('{'y' * 3_000}' AS ?y) {{}}", "text/csv")
    assert (large.status, "more than 4000 bytes" in large.json()["detail"]) == (422, True)
    assert query(few, "CONSTRUCT WHERE { ?s ?p ?o }", "application/n-triples").status == 422


def test_only_so_many_are_in_flight(small_site: Path, serve: Callable[..., Any], oxigraph: Oxigraph) -> None:
    with broken(oxigraph) as proxy:
        busy = serve(small_site, timeout=4.0, wait=0.5, queue=1, asked=2, store=proxy.url)
        busy.wait_until(lambda: busy.ask("GET", "/api/resources").status == 200)  # what the API asks for has a place too
        statuses: list[int] = []
        asking = [threading.Thread(target=lambda: statuses.append(query(busy, "ASK {} # for ever").status)) for _ in range(8)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
        assert sum("for ever" in sent for sent in proxy.queries) == 2
        assert sorted(statuses) == [503] * 6 + [504] * 2
        assert query(busy, "ASK {}").status == 200


# A store that goes and comes


def test_a_store_that_goes_and_comes(small_site: Path, serve: Callable[..., Any], tmp_path: Path) -> None:
    """It is waited for; pages are served, readiness and the log tell, and it is found again."""
    store = Oxigraph(tmp_path)
    live = serve(small_site, store=store.url, wait=0.5)
    try:
        for _ in range(2):
            assert live.ask("GET", "/ns.ttl").status == live.ask("GET", "/healthz").status == 200
            live.wait_until(lambda: live.ask("GET", "/readyz").status == 503)
            answer = query(live, "ASK {}")
            assert (answer.status, answer.fields["retry-after"]) == (503, "1"), answer.body
            assert answer.json()["detail"] == "The store does not answer."
            store.start()
            store.add(b"<urn:a> <urn:b> <urn:c> <urn:g> .\n")
            live.wait_until(lambda: live.ask("GET", "/readyz").status == 200)
            assert query(live, "ASK { <urn:a> ?p ?o }").json() == {"head": {}, "boolean": True}
            store.stop()
        told = [entry["answers"] for entry in live.events() if entry["event"] == "store"]
        assert [answers for answers, _ in itertools.groupby(told)][:4] == [False, True, False, True]
    finally:
        store.stop()


def test_a_store_that_hangs_altogether_is_asked_no_more_until_it_answers(
    small_site: Path, serve: Callable[..., Any], tmp_path: Path
) -> None:
    """Else each query would have a place among those that run for as long as it may take."""
    store = Oxigraph(tmp_path)
    store.start()
    try:
        store.add(b"<urn:a> <urn:b> <urn:c> <urn:g> .\n")
        live = serve(small_site, store=store.url)
        live.wait_until(lambda: live.ask("GET", "/readyz").status == 200)
        store.process.send_signal(signal.SIGSTOP)
        live.wait_until(lambda: live.ask("GET", "/readyz").status == 503)
        for _ in range(3):
            started = time.monotonic()
            answer = query(live, "ASK { <urn:a> ?p ?o }")
            assert (answer.status, answer.fields["retry-after"]) == (503, "1")
            assert time.monotonic() - started < 0.5
        store.process.send_signal(signal.SIGCONT)
        live.wait_until(lambda: live.ask("GET", "/readyz").status == 200)
        assert query(live, "ASK { <urn:a> ?p ?o }").json() == {"head": {}, "boolean": True}
    finally:
        store.process.send_signal(signal.SIGCONT)
        store.stop()


def test_what_is_known_of_the_store_follows_it(small_site: Path, serve: Callable[..., Any], tmp_path: Path) -> None:
    """The API and the service description tell of what came after the server started."""
    store = Oxigraph(tmp_path)
    store.start()
    try:
        store.add((small_site / "data" / "framework.nq").read_bytes())
        live = serve(small_site, store=store.url, renew=0.1)
        live.wait_until(lambda: live.ask("GET", "/api/resources").status == 200)
        assert live.ask("GET", "/api/search?q=latecomer").json()["total"] == 0
        told = live.ask("GET", "/sparql", {"Accept": "application/n-triples"}).body
        assert f"{BASE}graph/late".encode() not in told
        new, graph = f"<{BASE}id/resource/late>", f"<{BASE}graph/late>"
        kind = f"{new} <{expand('rdf:type')}> <{BASE}ns#FrameworkResource> {graph} .\n"
        store.add(f'{kind}{new} <{expand("dcterms:title")}> "Latecomer"@en {graph} .\n'.encode())
        live.wait_until(lambda: bool(live.ask("GET", "/api/search?q=latecomer").json()["total"]), 60)
        told = live.ask("GET", "/sparql", {"Accept": "application/n-triples"}).body
        assert f"{BASE}graph/late".encode() in told
    finally:
        store.stop()


def test_the_process_that_forks_is_replaced(small_site: Path, serve: Callable[..., Any], oxigraph: Oxigraph) -> None:
    live = serve(small_site, store=oxigraph.url)
    (child,) = children(live.process.pid)
    os.kill(child, signal.SIGKILL)
    live.wait_until(lambda: bool(children(live.process.pid)) and children(live.process.pid) != [child])
    live.wait_until(lambda: live.ask("GET", "/readyz").status == 200)
    assert query(live, "ASK {}").status == 200


def test_a_new_build_is_served_though_the_store_is_down(small_site: Path, serve: Callable[..., Any], tmp_path: Path) -> None:
    site = tmp_path / "build" / "site"
    shutil.copytree(small_site, site, symlinks=True)
    live = serve(site, store=f"http://127.0.0.1:{free_port()}", watch=0.1)
    (site / "robots.txt").write_text("User-agent: another\n")
    live.process.send_signal(signal.SIGHUP)
    live.wait_for("reloaded")
    assert live.ask("GET", "/robots.txt").body == b"User-agent: another\n"


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("ftp://store.example/", "is no http or https URL"), ("http://u:p@127.0.0.1:1/", "had credentials in its URL")],
)
def test_what_is_no_store_is_said_at_once(small_site: Path, url: str, sentence: str) -> None:
    ended = cli(small_site.parent, "--store", url)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "u:p" not in ended.stderr


def test_an_empty_store_is_said_at_once(small_site: Path, tmp_path: Path) -> None:
    store = Oxigraph(tmp_path / "store")
    store.start()
    try:
        ended = cli(small_site.parent, "--store", store.url)
    finally:
        store.stop()
    assert ended.returncode == 2
    assert "onemg-kg push" in ended.stderr


def cli(build: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """The command, which ends by itself."""
    command = [sys.executable, "-m", "onemg_kg", "serve", "--build", str(build), "--port", "0", *more]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False)


def test_credentials_are_sent_and_never_shown(small_site: Path, serve: Callable[..., Any], oxigraph: Oxigraph) -> None:
    with broken(oxigraph) as proxy:
        live = serve(small_site, store=proxy.url, login=("", "", SECRET))
        shown = [query(live, asked) for asked in ("ASK {}", "ASK {} # 401", "ASK {} # 500", "ASK {} # garbled")]
        shown += [live.ask("GET", target) for target in ("/metrics", "/readyz", "/sparql")]
        assert set(proxy.authorizations) == {f"Bearer {SECRET}"}
        assert not any(SECRET in answer.body.decode() or SECRET in json.dumps(answer.fields) for answer in shown)
        for process in children(live.process.pid):
            assert SECRET.encode() not in Path(f"/proc/{process}/cmdline").read_bytes()
        live.stop()
        assert live.events()
        assert SECRET not in live.log.read_text()
