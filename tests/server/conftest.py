"""A small site, a server that runs over it in a process of its own, and a client that sends what it is told, byte for byte."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg.formats import FORMATS
from onemg_kg.terms import BASE, PREFIXES

ROOT = Path(__file__).resolve().parents[2]
START = """
import sys, ast
from pathlib import Path
from onemg_kg.client import Credentials
from onemg_kg.project import find
from onemg_kg.server import Settings, run
given = ast.literal_eval(sys.argv[3])
login = Credentials(*given.pop("login", ()))
run(Settings(Path(sys.argv[1]), port=0, project=find(Path(sys.argv[2])), login=login, **given))
"""
TURTLE = """
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


@dataclass
class Answer:
    """What a server answered. Names of fields are in lower case; a field that came twice is joined by commas."""

    status: int
    fields: dict[str, str]
    body: bytes
    is_cut_off: bool = False

    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass
class Live:
    """A server that runs."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, target: str, fields: dict[str, str] | None = None, body: bytes | None = None, timeout: float = 30
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (fields or {}).items():
                connection.putheader(name, value)
            if body is not None and "Content-Length" not in (fields or {}):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            found: dict[str, str] = {}
            for name, value in response.getheaders():
                key = name.lower()
                found[key] = f"{found[key]}, {value}" if key in found else value
            try:
                return Answer(response.status, found, response.read())
            except http.client.IncompleteRead as error:
                return Answer(response.status, found, error.partial, is_cut_off=True)
        finally:
            connection.close()

    def raw(self, content: bytes, timeout: float = 30) -> bytes:
        """Sends bytes, and gives all that comes until the server hangs up or says nothing more for a while."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(content)
            received = b""
            try:
                while piece := connection.recv(65536):
                    received += piece
            except (TimeoutError, ConnectionResetError):
                pass
            return received

    def events(self) -> list[dict[str, object]]:
        """What it logged."""
        whole = self.log.read_text().rpartition("\n")[0]  # the last line may be half written
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def wait_until(self, what: Callable[[], bool], timeout: float = 20) -> None:
        """Waits until something is so, for as long as it runs."""
        end = time.monotonic() + timeout
        while not what():
            if time.monotonic() > end or self.process.poll() is not None:
                pytest.fail(f"it never came to be, and the server logged:\n{self.log.read_text()}")
            time.sleep(0.02)

    def wait_for(self, event: str, count: int = 1, timeout: float = 60) -> dict[str, object]:
        """Waits until it has logged an event so many times."""

        def found() -> list[dict[str, object]]:
            return [entry for entry in self.events() if entry["event"] == event]

        self.wait_until(lambda: len(found()) >= count, timeout)
        return found()[count - 1]

    def wait_for_count(self, line: str, timeout: float = 20) -> None:
        """Waits until its metrics have a line."""
        self.wait_until(lambda: line in self.ask("GET", "/metrics").body.decode().splitlines(), timeout)

    def wait_for_graph(self) -> None:
        """Waits until the graph is in the process that speaks HTTP."""
        self.wait_until(lambda: self.ask("GET", "/api/resources").status != 503, 30)

    def stop(self) -> None:
        """Stops it and waits for its end, at which all that was to be logged has been."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(site: Path, log: Path, **settings: object) -> Live:
    """Starts a server over a site."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(site), str(ROOT), repr(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=out,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    live = Live(process, 0, log)
    port = live.wait_for("listening")["port"]
    assert isinstance(port, int)
    live.port = port
    live.wait_for("ready")
    if settings.get("processes", 1) != 1:
        live.wait_for("shared")
    return live


def statements() -> list[ox.Quad]:
    """A dataset of three named graphs, of which two hold the same statement."""

    def numbered(n: int) -> str:
        return f'<{BASE}id/n/{n}> dcterms:identifier "{n}" ; dcterms:relation <{BASE}id/n/{(n * 7) % 500}> .'

    text = (
        TURTLE
        + f"""
    GRAPH <{BASE}graph/one> {{
      <{BASE}id/resource/beacon> a <{BASE}ns#Resource> ; dcterms:title "Beacon" ; dcterms:relation <{BASE}voc/role/steward> .
    }}
    GRAPH <{BASE}graph/two> {{
      <{BASE}id/resource/beacon> a <{BASE}ns#Resource> ; dcterms:title "Leuchtfeuer"@de .
    }}
    GRAPH <{BASE}graph/many> {{
      {" ".join(map(numbered, range(500)))}
    }}
    """
    )
    return list(ox.parse(text, format=ox.RdfFormat.TRIG))


def write_site(root: Path, title: str = "Beacon") -> None:
    """Writes a small site, as a build lays it out."""

    def put(path: str, content: str | bytes) -> None:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def page(name: str) -> str:
        return f"<!doctype html><title>{name}</title><p>{name}, which is described here at some length. " + "Words. " * 60

    def describe(path: str, iri: str) -> None:
        triples = list(ox.parse(f'{TURTLE}<{iri}> dcterms:title "{title} {path}" .', format=ox.RdfFormat.TURTLE))
        put(path + ".html", page(f"{title} {path}"))
        for form in FORMATS.values():
            put(path + form.suffix, form.write([quad.triple for quad in triples], PREFIXES))

    for path, iri in {
        "id/resource/beacon": "id/resource/beacon",
        "id/resource/café": "id/resource/café",
        "id/resource/x%2520y": "id/resource/x%20y",
        "voc/role/steward": "voc/role/steward",
        "voc/role": "voc/role",
        "ns": "ns",
        "ns/1.0.0": "ns/1.0.0",
        "shapes": "shapes",
        "data/framework": "data/framework",
        "graph/data/beacon": "graph/data/beacon",
        "data/catalogue": "data/catalogue",
        "index": "",
    }.items():
        describe(path, BASE + iri)
    put("data/framework.nq", b"".join([ox.serialize(statements(), format=ox.RdfFormat.N_QUADS) or b""]))
    for path in ("views/index", "views/by-role", "views/by-country/greece", "explorer", "query", "404", "questions/who"):
        put(path + ".html", page(path))
    put("questions/who.csv", "name\r\nBeacon\r\n")
    put("questions/who.rq", "SELECT ?name { ?thing <http://purl.org/dc/terms/title> ?name }")
    put("assets/site.css", "body { color: black }\n" * 40)
    put("assets/app.js", "export const answer = 42;\n" * 40)
    put("assets/engine.wasm", b"\0asm\1\0\0\0" + bytes(600))
    put("assets/icon.svg", "<svg xmlns='http://www.w3.org/2000/svg'></svg>" + " " * 300)
    put("assets/photo.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    put("assets/empty.txt", b"")
    put("assets/digits.txt", "0123456789" * 30000)
    put("context.jsonld", '{"@context": {}}\n')
    put(".well-known/void", "@prefix void: <http://rdfs.org/ns/void#> .\n")
    put("robots.txt", "User-agent: *\nAllow: /\n")
    put("sitemap.xml", "<urlset/>")
    put("feed.xml", "<feed/>")
    put("deprecated.json", json.dumps({"voc/role/old": {"replacedBy": [BASE + "voc/role/steward"]}, "voc/role/lost": {}}))


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site. Nothing may write to it."""
    root = tmp_path_factory.mktemp("build") / "site"
    write_site(root)
    (root / "assets" / "link.txt").symlink_to("/etc/hostname")
    return root


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Live]]:
    """Starts servers: ``serve(site, timeout=1.0)``; they are stopped in the end."""
    running: list[Live] = []

    def launch(site: Path, **settings: object) -> Live:
        running.append(start(site, tmp_path_factory.mktemp("log") / "log.jsonl", **settings))
        return running[-1]

    yield launch
    for live in running:
        live.stop()


@pytest.fixture(scope="session")
def live(small_site: Path, serve: Callable[..., Live]) -> Live:
    """A server over the small site."""
    return serve(small_site, timeout=2.0, patience=5.0, rows=20_000, answer=20_000_000, processes=2)
