"""Pushing to real stores, some of them behind a proxy that breaks: no data is lost, no success is told wrongly."""

import http.client
import http.server
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.parse import parse_qsl, quote, urlencode
from urllib.request import Request, urlopen

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onemg_kg import push, spool
from onemg_kg.errors import RdfError
from onemg_kg.graph import GRAPHS, Graph
from onemg_kg.project import Project
from onemg_kg.push.lock import STAGING
from onemg_kg.push.session import MANIFEST, Push
from onemg_kg.store import Term
from onemg_kg.terms import expand

XSD = expand("xsd:")
OURS = expand("")
NO_RETRY = push.Retries(number=0)
AT_ONCE = push.Retries(number=3, sleep=lambda _: None)
STAGED = push.Options(inline=0, chunk=150)


def graphs(version: str, number: int = 1, size: int = 3, letter: str = "π") -> dict[str, list[str]]:
    """A dataset of which every statement says the version; the last graph is of this version only."""
    named = [*(f"data/g{i}" for i in range(number)), f"data/{version}"]
    return {
        GRAPHS + name: sorted(f'<urn:s{i}> <urn:p> "{version} of {name}, {letter} {i}" .\n' for i in range(size))
        for name in sorted(named)
    }


OLD, NEW = graphs("old"), graphs("new")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]", seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args!r} ended"
        with suppress(URLError, ConnectionError, TimeoutError), urlopen(url + "?query=ASK%7B%7D", timeout=5):
            return
        time.sleep(0.05)
    pytest.fail(f"{url} does not answer")


@dataclass
class Oxigraph:
    """An Oxigraph server on a folder, which can be killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        program = Path(sys.executable).with_name("oxigraph")
        found = str(program) if program.is_file() else shutil.which("oxigraph")
        if found is None:
            pytest.skip("no oxigraph on the PATH (PyPI: oxigraph), so nothing is pushed to it")
        command = [found, "serve", "--location", str(self.folder), "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(f"{self.url}/query", self.process)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def endpoint(self, port: int | None = None, *, graph_store: bool = True) -> push.Endpoint:
        base = f"http://127.0.0.1:{port or self.port}"
        return push.Endpoint(f"{base}/query", f"{base}/update", f"{base}/store" if graph_store else None)

    def client(self, port: int | None = None, retries: push.Retries = NO_RETRY, timeout: float = 30) -> push.Client:
        return push.Client(self.endpoint(port), timeout=timeout, retries=retries)

    def update(self, text: str) -> None:
        with urlopen(Request(f"{self.url}/update", text.encode(), {"Content-Type": "application/sparql-update"}), timeout=30):
            pass

    def quads(self) -> list[ox.Quad]:
        with urlopen(Request(f"{self.url}/store", headers={"Accept": "application/n-quads"}), timeout=30) as answer:
            return list(ox.parse(answer.read(), ox.RdfFormat.N_QUADS))

    def held(self) -> dict[str, list[str]]:
        """What readers see below GRAPHS."""
        found: dict[str, list[str]] = {}
        for quad in self.quads():
            name = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else ""
            if name.startswith(GRAPHS) and name != MANIFEST:
                found.setdefault(name, []).append(f"{quad.triple} .\n")
        return {name: sorted(lines) for name, lines in sorted(found.items())}

    def left(self) -> set[str]:
        """Graphs that a push must have tidied up at its end."""
        names = {quad.graph_name.value for quad in self.quads() if isinstance(quad.graph_name, ox.NamedNode)}
        return {name for name in names if name.startswith(STAGING)}

    def reset(self) -> None:
        self.update("DROP ALL")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oxigraph]:
    server = Oxigraph(tmp_path_factory.mktemp("oxigraph"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def oxigraph(server: Oxigraph) -> Oxigraph:
    """An empty Oxigraph."""
    server.reset()
    return server


class Asked(http.server.BaseHTTPRequestHandler):
    """A request to the proxy."""

    body: bytes


Fault = Callable[[int, Asked], "str | int | bytes | None"]
"""What happens to a request: nothing; a status instead; another body; ``reset`` before the store has it; ``lost``, after;
``half`` of the answer comes; or ``ignored``."""


class Proxy:
    """Stands before a store and breaks.

    Attributes:
        count: how many requests came.
    """

    def __init__(self, port: int, fault: Fault) -> None:
        self.count = 0
        self.bodies: list[bytes] = []
        outer = self

        class Handler(Asked):
            def answer(self) -> None:
                number, outer.count = outer.count, outer.count + 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.bodies.append(body)
                self.body = body
                todo = fault(number, self)
                if todo == "reset":
                    self.cut()
                elif isinstance(todo, int):
                    self.send_response(todo)
                    for name, value in (("WWW-Authenticate", 'Basic realm="x"'), ("Content-Length", "0")):
                        self.send_header(name, value)
                    self.end_headers()
                elif todo == "ignored":
                    self.send_response(204)
                    self.end_headers()
                else:
                    body = todo if isinstance(todo, bytes) else body
                    forward = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                    try:
                        ours = {"host", "connection", "content-length"}
                        headers = {k: v for k, v in self.headers.items() if k.lower() not in ours}
                        forward.request(self.command, self.path, body, headers)
                        answer = forward.getresponse()
                        content = answer.read()
                    except (OSError, http.client.HTTPException):
                        self.cut()
                        return
                    finally:
                        forward.close()
                    if todo == "lost":
                        self.cut()
                        return
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2] if todo == "half" else content)
                    self.close_connection = todo == "half"

            do_GET = do_POST = do_PUT = answer

            def cut(self) -> None:
                """Reset the connection."""
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                self.wfile = self.rfile  # nothing is left to flush

            def finish(self) -> None:
                with suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that went away is part of the tests."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])


@contextmanager
def broken(server: Oxigraph, fault: Fault) -> Iterator[Proxy]:
    proxy = Proxy(server.port, fault)
    thread = threading.Thread(target=proxy.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


def nothing(_: int, __: object) -> None:
    return None


def at(place: int, what: "str | int") -> Fault:
    return lambda number, _: what if number == place else None


def writes(request: Asked) -> bool:
    return not request.path.startswith("/query")


# What a push does when nothing breaks


@pytest.mark.parametrize("graph_store", [True, False])
@pytest.mark.parametrize("options", [push.Options(), STAGED, push.Options(inline=0)], ids=["inline", "pieces", "staged"])
def test_the_store_then_holds_the_dataset(
    project: Project, oxigraph: Oxigraph, options: push.Options, *, graph_store: bool
) -> None:
    client = push.Client(oxigraph.endpoint(graph_store=graph_store))
    first = push.push(project, client, OLD, options)
    assert (first.outcome, first.sent, first.removed, oxigraph.held()) == ("equal", list(OLD), [], OLD)
    second = push.push(project, client, NEW, options)
    assert (second.outcome, second.sent, second.removed) == ("equal", list(NEW), [GRAPHS + "data/old"])
    assert oxigraph.held() == NEW
    assert not oxigraph.left()


def test_only_what_changed_travels(project: Project, oxigraph: Oxigraph) -> None:
    with broken(oxigraph, nothing) as proxy:
        push.push(project, oxigraph.client(proxy.port), OLD, STAGED)
        proxy.bodies.clear()
        changed = {**OLD, GRAPHS + "data/g0": ["<urn:a> <urn:b> <urn:changed> .\n"]}
        report = push.push(project, oxigraph.client(proxy.port), changed)
        assert (report.sent, report.unchanged, report.statements) == ([GRAPHS + "data/g0"], 1, 1)
        sent = b"".join(proxy.bodies)
        assert b"changed" in sent
        assert b"old of" not in sent
        proxy.bodies.clear()
        assert push.push(project, oxigraph.client(proxy.port), changed).sent == []
        assert len(proxy.bodies) == 2, "a push of nothing asks for counts and for the manifest"
        full = push.push(project, oxigraph.client(proxy.port), changed, push.Options(full=True))
        assert full.sent == list(changed)


def test_a_dry_run_writes_nothing(project: Project, oxigraph: Oxigraph) -> None:
    push.push(project, oxigraph.client(), OLD)
    with broken(oxigraph, lambda _, request: 500 if writes(request) else None) as proxy:
        report = push.push(project, oxigraph.client(proxy.port), NEW, push.Options(dry_run=True))
    assert (report.outcome, report.sent, report.removed) == ("planned", list(NEW), [GRAPHS + "data/old"])
    assert oxigraph.held() == OLD


def test_nothing_that_is_not_ours_is_touched(project: Project, oxigraph: Oxigraph) -> None:
    others = (
        f'<urn:a> <urn:b> "default" . GRAPH <urn:other> {{ <urn:a> <urn:b> "other" }} '
        f'GRAPH <{OURS}id/resource> {{ <urn:a> <urn:b> "not below graph/" }} '
        f'GRAPH <{GRAPHS[:-1]}> {{ <urn:a> <urn:b> "nor this" }}'
    )
    oxigraph.update(f"INSERT DATA {{ {others} }}")
    before = oxigraph.quads()
    push.push(project, oxigraph.client(), OLD, STAGED)
    push.push(project, oxigraph.client(), {}, STAGED)
    assert oxigraph.held() == {}
    assert set(oxigraph.quads()) == set(before)


def test_a_manifest_that_lies_is_found_out(project: Project, oxigraph: Oxigraph) -> None:
    name = GRAPHS + "data/g0"
    push.push(project, oxigraph.client(), OLD)
    oxigraph.update(f"INSERT DATA {{ GRAPH <{name}> {{ <urn:a> <urn:b> <urn:c> }} }}")
    assert push.push(project, oxigraph.client(), OLD).sent == [name], "one statement more"
    swapped = (
        f"DELETE DATA {{ GRAPH <{name}> {{ {OLD[name][0]} }} }}; INSERT DATA {{ GRAPH <{name}> {{ <urn:a> <urn:b> 'x' }} }}"
    )
    oxigraph.update(swapped)
    assert push.push(project, oxigraph.client(), OLD).sent == [], "as many statements: only --verify looks"
    assert push.push(project, oxigraph.client(), OLD, push.Options(verify=True)).sent == [name]
    assert oxigraph.held() == OLD
    oxigraph.update(f"DROP GRAPH <{MANIFEST}>")
    assert push.push(project, oxigraph.client(), OLD).sent == list(OLD), "no manifest: nothing is known"


def test_what_the_tools_of_a_store_loaded_is_taken_over(project: Project, oxigraph: Oxigraph) -> None:
    """A graph that is too large for one transaction of a store is loaded by its own loader, and pushed to from then on."""
    counted = f'<urn:a> <urn:b> "1"^^<{XSD}nonNegativeInteger> .\n'
    dataset = {**OLD, GRAPHS + "data/numbers": [counted]}
    wrong = GRAPHS + "data/g0"
    lines = {**dataset, wrong: NEW[wrong]}
    loaded = "".join(f"GRAPH <{name}> {{ {''.join(held)} }} " for name, held in lines.items())
    oxigraph.update(f"INSERT DATA {{ {loaded} }}")
    planned = push.push(project, oxigraph.client(), dataset, push.Options(verify=True, dry_run=True))
    assert planned.sent == [wrong]
    assert MANIFEST not in {f"{quad.graph_name}"[1:-1] for quad in oxigraph.quads()}, "a dry run writes nothing"
    report = push.push(project, oxigraph.client(), dataset, push.Options(verify=True))
    assert (report.sent, report.outcome, report.rewritten) == ([wrong], "rewritten", 1)
    assert [difference.missing for difference in report.differences] == [[counted]]
    again = push.push(project, oxigraph.client(), dataset)
    assert (again.sent, again.rewritten) == ([], 1), "from now on the manifest knows it"
    assert push.push(project, oxigraph.client(), dataset, push.Options(verify=True)).sent == []
    assert not oxigraph.left()


def test_rewritten_literals_are_no_success(project: Project, oxigraph: Oxigraph) -> None:
    """Oxigraph writes numbers in their canonical form, as integers; the report says which."""
    name = GRAPHS + "data/numbers"
    counted, one = f'<urn:a> <urn:b> "1"^^<{XSD}nonNegativeInteger> .\n', f'<urn:a> <urn:b> "1"^^<{XSD}integer> .\n'
    padded, text = f'<urn:a> <urn:b> "01"^^<{XSD}integer> .\n', '<urn:a> <urn:b> "1" .\n'
    dataset = {name: sorted([counted, padded, text])}
    for options in (STAGED, push.Options(full=True)):
        report = push.push(project, oxigraph.client(), dataset, options)
        assert (report.outcome, report.rewritten) == ("rewritten", 1)
        [difference] = report.differences
        assert (difference.missing, difference.added) == (sorted([counted, padded]), [one])
    again = push.push(project, oxigraph.client(), dataset)
    assert (again.sent, again.outcome, again.rewritten) == ([], "rewritten", 1), "it is still not what was pushed"
    assert push.push(project, oxigraph.client(), dataset, push.Options(verify=True)).sent == []


def test_blank_nodes_travel(project: Project, oxigraph: Oxigraph, tmp_path: Path) -> None:
    lines = "".join(f'_:a{i} <urn:p> _:b{i} <{GRAPHS}data/b> .\n_:b{i} <urn:p> "_:a{i}" <{GRAPHS}data/b> .\n' for i in range(9))
    path = tmp_path / "framework.nq"
    path.write_text(lines)
    dataset = push.read(path)
    for graph_store in (True, False):
        oxigraph.reset()
        client = push.Client(oxigraph.endpoint(graph_store=graph_store), retries=AT_ONCE)
        assert push.push(project, client, dataset, STAGED).outcome == "equal"
        assert push.push(project, client, dataset, push.Options(verify=True)).sent == []
    path.write_text(f"_:a <urn:p> <urn:o> <{GRAPHS}one> .\n_:a <urn:p> <urn:o> <{GRAPHS}two> .\n")
    with pytest.raises(RdfError, match="blank node in both"):
        push.read(path)
    path.write_text("<urn:a> <urn:p> <urn:o> .\n")
    with pytest.raises(RdfError, match="default graph"):
        push.read(path)
    path.write_text("no N-Quads\n")
    with pytest.raises(RdfError, match="onemg-kg build"):
        push.read(path)
    with pytest.raises(RdfError, match="onemg-kg build"):
        push.read(tmp_path / "none.nq")


text_ = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00", exclude_categories=["Cs", "Cn", "Cc"]), max_size=20)
objects = st.one_of(
    text_.map(ox.Literal),
    st.sampled_from(["\\", '"', "\t\n", "<subject> <predicate> <object> .", "} ; DROP ALL ; {", "_:x", "#+ title"]).map(
        ox.Literal
    ),
    text_.map(lambda value: ox.Literal(value, language="en")),
    text_.map(lambda value: ox.NamedNode("urn:x:" + quote(value, safe="éπ'"))),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.lists(objects, min_size=1, max_size=8), staged=st.booleans())
def test_any_term_travels(project: Project, server: Oxigraph, held: list[Term], *, staged: bool) -> None:
    server.reset()
    lines = sorted({f"<urn:s> <urn:p> {term} .\n" for term in held})
    for graph_store in (True, False):
        client = push.Client(server.endpoint(graph_store=graph_store))
        options = push.Options(full=True, inline=0 if staged else 64_000)
        assert push.push(project, client, {GRAPHS + "x": lines}, options).outcome == "equal"


def test_the_real_graph(
    project: Project, oxigraph: Oxigraph, loaded: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "framework.nq"
    ox.serialize([*loaded.stated, *loaded.inferred], path, format=ox.RdfFormat.N_QUADS)
    dataset = push.read(path)
    report = push.push(project, oxigraph.client(), dataset)
    assert report.statements == len({*loaded.stated, *loaded.inferred})
    assert {name: len(lines) for name, lines in oxigraph.held().items()} == {n: len(lines) for n, lines in dataset.items()}
    lost = [line for difference in report.differences for line in difference.missing]
    assert all("nonNegativeInteger" in line for line in lost), "all else is held as it was sent"
    assert push.push(project, oxigraph.client(), dataset).sent == []
    monkeypatch.setattr(spool, "HELD", 100_000)
    spooled = push.read(path)
    assert not isinstance(spooled, dict), "what does not fit into memory is read from disk, graph by graph"
    assert (list(spooled), dict(spooled)) == (list(dataset), dataset)
    [name, *_] = spooled
    oxigraph.update(f"CLEAR GRAPH <{name}>")
    assert push.push(project, oxigraph.client(), spooled, push.Options(verify=True)).sent == [name]


# What breaks


def requests_of(project: Project, oxigraph: Oxigraph, options: push.Options) -> int:
    """How many requests it takes to push NEW over OLD."""
    oxigraph.reset()
    push.push(project, oxigraph.client(), OLD)
    with broken(oxigraph, nothing) as proxy:
        push.push(project, oxigraph.client(proxy.port), NEW, options)
        return proxy.count


def push_broken(project: Project, oxigraph: Oxigraph, fault: Fault, options: push.Options, retries: push.Retries) -> str:
    """Push NEW over OLD with a fault, look what readers see, repeat; what the first push said."""
    oxigraph.reset()
    push.push(project, oxigraph.client(), OLD)
    with broken(oxigraph, fault) as proxy:
        try:
            outcome = push.push(project, oxigraph.client(proxy.port, retries), NEW, options).outcome
        except push.StoreError:
            outcome = "error"
    if outcome == "error":
        assert oxigraph.held() in (OLD, NEW), "all of the old or all of the new"
    else:
        assert oxigraph.held() == NEW
    again = push.push(project, oxigraph.client(), NEW, options)
    assert (again.outcome, oxigraph.held()) == ("equal", NEW)
    assert not oxigraph.left(), "nothing is left behind"
    return outcome


@pytest.mark.parametrize("options", [push.Options(), STAGED], ids=["inline", "staged"])
@pytest.mark.parametrize("what", ["reset", "lost", "half", 503, 500, 403, "ignored"])
def test_a_fault_at_any_request(project: Project, oxigraph: Oxigraph, what: "str | int", options: push.Options) -> None:
    number = requests_of(project, oxigraph, options)
    assert number > 8
    for place in range(number):
        if what != 503:
            push_broken(project, oxigraph, at(place, what), options, NO_RETRY)
        if what in {"reset", "lost", "half", 503}:
            outcome = push_broken(project, oxigraph, at(place, what), options, AT_ONCE)
            assert outcome == "equal", f"request {place} passes when it is repeated"


def test_a_store_that_cuts_answers_off_in_silence(project: Project, oxigraph: Oxigraph) -> None:
    """The rows that come are counted, and nothing is put in place of what readers see."""

    def cut(_: int, request: Asked) -> bytes | None:
        form = dict(parse_qsl(request.body.decode()))
        if "?subject ?predicate ?object WHERE" not in form.get("query", ""):
            return None
        return urlencode({**form, "query": form["query"] + " LIMIT 2"}).encode()

    push.push(project, oxigraph.client(), OLD)
    with (
        broken(oxigraph, cut) as proxy,
        pytest.raises(push.StoreError, match=r"counts 6 statements and gives 2\. Raise its limit"),
    ):
        push.push(project, oxigraph.client(proxy.port), NEW, STAGED)
    assert (oxigraph.held(), oxigraph.left()) == (OLD, set())


def test_everything_breaks_from_some_request_on(project: Project, oxigraph: Oxigraph) -> None:
    """Then nothing can be tidied up either, and the next push does that."""
    for place in range(requests_of(project, oxigraph, STAGED)):
        push_broken(project, oxigraph, lambda number, _, place=place: "reset" if number >= place else None, STAGED, AT_ONCE)


def test_the_store_is_killed_at_any_request(project: Project, tmp_path: Path) -> None:
    store = Oxigraph(tmp_path / "store")
    store.start()
    try:
        number = requests_of(project, store, STAGED)
        for place in range(number):
            store.reset()
            push.push(project, store.client(), OLD)

            def kill(count: int, _: object, place: int = place) -> None:
                if count == place:
                    threading.Timer(0.002 * (place % 3), store.kill).start()

            with broken(store, kill) as proxy, suppress(push.StoreError):
                push.push(project, store.client(proxy.port), NEW, STAGED)
            time.sleep(0.02)
            store.kill()
            store.start()
            assert store.held() in (OLD, NEW)
            assert push.push(project, store.client(), NEW, STAGED).outcome == "equal"
            assert store.held() == NEW
            assert not store.left()
    finally:
        store.kill()


@pytest.mark.parametrize("graph_store", [True, False])
def test_too_large_requests_become_smaller(project: Project, oxigraph: Oxigraph, *, graph_store: bool) -> None:
    big = graphs("big", 2, 400)

    def limit(_: int, request: Asked) -> int | None:
        return 413 if int(request.headers.get("Content-Length") or 0) > 8_000 else None

    with broken(oxigraph, limit) as proxy:
        endpoint = oxigraph.endpoint(proxy.port, graph_store=graph_store)
        report = push.push(project, push.Client(endpoint, retries=NO_RETRY), big)
    assert (report.outcome, oxigraph.held()) == ("equal", big)
    with broken(oxigraph, lambda _, request: 413 if writes(request) else None) as proxy:
        client = oxigraph.client(proxy.port)
        with pytest.raises(push.StoreError, match=r"413.*Raise the limit"):
            push.push(project, client, OLD)
    assert oxigraph.held() == big


@pytest.mark.parametrize(("status", "fix"), [(401, "ONEMG_STORE_USER"), (403, "right to write"), (404, "URL"), (405, "URLs")])
def test_what_will_not_pass_is_said_at_once(project: Project, oxigraph: Oxigraph, status: int, fix: str) -> None:
    waits: list[float] = []
    with broken(oxigraph, lambda _, __: status) as proxy:
        client = oxigraph.client(proxy.port, push.Retries(sleep=waits.append))
        with pytest.raises(push.StoreError, match=fix) as caught:
            push.push(project, client, NEW)
    assert caught.value.status == status
    assert not waits


def test_a_store_that_does_nothing_is_found_out(project: Project, oxigraph: Oxigraph) -> None:
    with broken(oxigraph, lambda _, request: "ignored" if writes(request) else None) as proxy:
        client = oxigraph.client(proxy.port)
        with pytest.raises(push.StoreError, match="accepts an update and does not do it"):
            push.push(project, client, NEW)


def test_a_store_that_changes_statements_is_found_out(project: Project, oxigraph: Oxigraph) -> None:
    """As many statements, but others: they do not reach readers where they were staged."""
    push.push(project, oxigraph.client(), OLD)

    def change(_: int, request: Asked) -> bytes:
        return request.body.replace(b'<urn:s1> <urn:p> "new', b'<urn:s9> <urn:p> "new')

    with broken(oxigraph, change) as proxy:
        client = oxigraph.client(proxy.port)
        with pytest.raises(push.StoreError, match="nothing was put in place"):
            push.push(project, client, NEW, push.Options(inline=0))
        assert oxigraph.held() == OLD
        with pytest.raises(push.StoreError, match="the readers see it"):
            push.push(project, client, NEW)
    assert push.push(project, oxigraph.client(), OLD).outcome == "equal"
    assert oxigraph.held() == OLD


def test_a_slow_store_is_asked_again_and_then_given_up(project: Project, oxigraph: Oxigraph) -> None:
    slow = {"from": 5, "to": 5}

    def delay(number: int, _: object) -> None:
        if slow["from"] <= number <= slow["to"]:
            time.sleep(0.8)

    with broken(oxigraph, delay) as proxy:
        assert push.push(project, oxigraph.client(proxy.port, AT_ONCE, timeout=0.4), NEW, STAGED).outcome == "equal"
    oxigraph.reset()
    slow["to"] = 10**6
    with broken(oxigraph, delay) as proxy:
        client = oxigraph.client(proxy.port, AT_ONCE, timeout=0.2)
        with pytest.raises(push.StoreError, match=r"timed out.*after 4 attempts"):
            push.push(project, client, NEW, STAGED)
    assert oxigraph.held() in ({}, NEW)


def test_waits_grow_and_follow_what_the_store_asks() -> None:
    waits: list[float] = []
    retries = push.Retries(number=7, first=1, most=10, sleep=waits.append, jitter=lambda: 1)
    for attempt in range(5):
        retries.wait(attempt, None)
    assert waits == [1, 2, 4, 8, 10]
    waits.clear()
    replace(retries, jitter=lambda: 0).wait(1, None)
    retries.wait(0, "7")
    retries.wait(0, "9999")
    retries.wait(0, "tomorrow")
    assert waits == [1, 7, 10, 1]


def test_a_store_that_is_not_there() -> None:
    waits: list[float] = []
    base = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(push.StoreError, match=r"cannot be reached: Connection refused, after 6 attempts"):
        push.find(base, None, None, push.Credentials(), push.Retries(sleep=waits.append))
    assert len(waits) == 5


# Who may push, and who pushes at the same time


def test_credentials_are_sent_and_never_shown(project: Project, oxigraph: Oxigraph, tmp_path: Path) -> None:
    seen: set[str] = set()
    wanted = "Basic " + b64encode(b"me:s3cret").decode()

    def ask(_: int, request: Asked) -> int | None:
        seen.add(request.headers.get("Authorization", ""))
        return None if request.headers.get("Authorization") in {wanted, "Bearer t0ken"} else 401

    file = tmp_path / "credentials"
    file.write_text("ONEMG_STORE_USER=me\nONEMG_STORE_PASSWORD=s3cret\n")
    file.chmod(0o644)
    with pytest.raises(push.StoreError, match="chmod 600"):
        push.credentials({}, file)
    file.chmod(0o600)
    login = push.credentials({}, file)
    assert "s3cret" not in repr(login)
    with broken(oxigraph, ask) as proxy:
        endpoint = oxigraph.endpoint(proxy.port)
        assert push.push(project, push.Client(endpoint, login), OLD, STAGED).outcome == "equal"
        assert proxy.count - push.push(project, push.Client(endpoint, login), OLD).requests < proxy.count
        token = push.credentials({"ONEMG_STORE_TOKEN": "t0ken"})
        assert push.push(project, push.Client(endpoint, token), NEW, STAGED).outcome == "equal"
        wrong = push.Client(endpoint, push.Credentials("me", "wr0ng"))
        with pytest.raises(push.StoreError, match="401") as caught:
            push.push(project, wrong, OLD)
        assert "wr0ng" not in str(caught.value)
    assert seen == {"", wanted, "Bearer t0ken", "Basic " + b64encode(b"me:wr0ng").decode()}
    with pytest.raises(push.StoreError, match="credentials in its URL") as caught:
        push.Client(push.Endpoint("http://me:s3cret@127.0.0.1/q", "http://127.0.0.1/u"))
    assert "s3cret" not in str(caught.value)


def test_a_redirect_is_not_followed(project: Project, oxigraph: Oxigraph) -> None:
    with broken(oxigraph, lambda _, __: 301) as proxy, pytest.raises(push.StoreError, match="redirects to"):
        push.push(project, oxigraph.client(proxy.port), OLD)


@contextmanager
def under_way(project: Project, oxigraph: Oxigraph, before: bytes) -> Iterator[list[object]]:
    """A push of OLD from another machine, which waits for the end of the block before the request that holds a text.

    Yields what it ends with.
    """
    reached, go, ended = threading.Event(), threading.Event(), list[object]()

    def wait(_: int, request: Asked) -> None:
        if before in request.body and not reached.is_set():
            reached.set()
            assert go.wait(30)

    with broken(oxigraph, wait) as proxy:
        other = Push(project, oxigraph.client(proxy.port), OLD, STAGED, lambda _: None)
        other._lock.owner = "elsewhere 1"

        def run() -> None:
            try:
                ended.append(other.run())
            except push.StoreError as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            assert reached.wait(30)
            yield ended
        finally:
            go.set()
            thread.join(30)


def test_a_second_push_is_refused(project: Project, oxigraph: Oxigraph) -> None:
    with under_way(project, oxigraph, b"DELETE") as ended:
        with pytest.raises(push.StoreError, match=r"another push is under way, by elsewhere 1, since .*--force"):
            push.push(project, oxigraph.client(), NEW)
        with pytest.raises(push.StoreError, match="another push is under way"):
            push.rollback(project, oxigraph.client())
    assert isinstance(ended[0], push.Report)
    assert oxigraph.held() == OLD
    assert not oxigraph.left()


@pytest.mark.parametrize("options", [push.Options(force=True), push.Options(stale=timedelta(seconds=-1))])
@pytest.mark.parametrize("before", [b"DROP", b"DELETE { GRAPH ?graph"], ids=["stage", "swap"])
def test_who_was_taken_over_from_changes_nothing(
    project: Project, oxigraph: Oxigraph, options: push.Options, before: bytes
) -> None:
    with under_way(project, oxigraph, before) as ended:
        assert push.push(project, oxigraph.client(), NEW, options).outcome == "equal"
    assert isinstance(ended[0], push.StoreError)
    assert "another push took over" in str(ended[0])
    assert oxigraph.held() == NEW
    assert push.push(project, oxigraph.client(), NEW).sent == []
    assert not oxigraph.left()


def test_two_pushes_begin_at_the_same_time(project: Project, oxigraph: Oxigraph) -> None:
    for _ in range(8):
        oxigraph.reset()
        barrier, ended = threading.Barrier(2), dict[str, str]()

        def run(name: str, dataset: dict[str, list[str]], barrier: threading.Barrier, ended: dict[str, str]) -> None:
            one = Push(project, oxigraph.client(), dataset, STAGED, lambda _: None)
            one._lock.owner = f"{name} 1"
            barrier.wait()
            try:
                ended[name] = one.run().outcome
            except push.StoreError as error:
                ended[name] = "refused" if "another push is under way" in str(error) else str(error)

        threads = [
            threading.Thread(target=run, args=(name, dataset, barrier, ended)) for name, dataset in (("old", OLD), ("new", NEW))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert set(ended.values()) <= {"equal", "refused"}
        assert len(ended) == 2
        done = [dataset for name, dataset in (("old", OLD), ("new", NEW)) if ended[name] == "equal"]
        assert oxigraph.held() in (done or [{}])
        assert not oxigraph.left()


def test_rollback_removes_what_a_push_left(project: Project, oxigraph: Oxigraph) -> None:
    push.push(project, oxigraph.client(), OLD)
    with broken(oxigraph, lambda _, request: "reset" if b"DELETE" in request.body else None) as proxy:
        client = oxigraph.client(proxy.port)
        with pytest.raises(push.StoreError, match="cannot be reached"):
            push.push(project, client, NEW, STAGED)
    oxigraph.update(f"INSERT DATA {{ GRAPH <{STAGING}left/over> {{ <urn:a> <urn:b> <urn:c> }} }}")
    assert f"{STAGING}left/over" in push.rollback(project, oxigraph.client())
    assert (oxigraph.left(), oxigraph.held()) == (set(), OLD)


def test_readers_never_see_a_mixture(project: Project, oxigraph: Oxigraph) -> None:
    old, new = graphs("old", 30, 20), graphs("new", 30, 20)
    push.push(project, oxigraph.client(), old)
    seen = watch(f"{oxigraph.url}/query", lambda: push.push(project, oxigraph.client(), new, STAGED))
    assert seen.keys() == {("old", 31 * 20), ("new", 31 * 20)}, seen


def watch(url: str, act: Callable[[], object]) -> Counter[tuple[object, ...]]:
    """How often readers saw how many statements of which versions, while something was done."""
    query = (
        f"SELECT ?version (COUNT(*) AS ?count) WHERE {{ GRAPH ?graph {{ ?subject <urn:p> ?object }} "
        f"FILTER(STRSTARTS(STR(?graph), '{GRAPHS}')) BIND(STRBEFORE(STR(?object), ' ') AS ?version) }} GROUP BY ?version"
    )
    seen: Counter[tuple[object, ...]] = Counter()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            request = Request(url, urlencode({"query": query}).encode(), {"Accept": "application/sparql-results+json"})
            with urlopen(request, timeout=60) as answer:
                rows = ox.parse_query_results(answer.read(), format=ox.QueryResultsFormat.JSON)
            assert isinstance(rows, ox.QuerySolutions)
            seen[tuple(x for row in rows for x in (row["version"].value, int(row["count"].value)))] += 1  # type: ignore[union-attr]

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    time.sleep(0.2)
    act()
    time.sleep(0.2)
    stop.set()
    for reader in readers:
        reader.join()
    return seen


# Virtuoso

INI = Path(__file__).with_name("virtuoso.ini").read_text(encoding="utf-8")
ROWS = 5_200
"""How many rows it gives at most."""


@pytest.fixture(scope="module")
def virtuoso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a Virtuoso with a folder of its own."""
    program = shutil.which("virtuoso-t")
    if program is None:
        pytest.skip("no virtuoso-t on the PATH (Debian: virtuoso-opensource-7-bin), so nothing is pushed to it")
    folder, port = tmp_path_factory.mktemp("virtuoso"), free_port()
    (folder / "virtuoso.ini").write_text(INI.format(folder=folder, sql=free_port(), port=port, rows=ROWS))
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([program, "-f", "-c", str(folder / "virtuoso.ini")], cwd=folder, stdout=out, stderr=out)
    try:
        wait_for(f"http://127.0.0.1:{port}/sparql", process, 120)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_virtuoso(project: Project, virtuoso: str) -> None:
    login = push.Credentials("dba", "dba")
    endpoint = push.find(virtuoso, None, None, login)
    assert endpoint.graph_store is not None

    def client() -> push.Client:
        return push.Client(endpoint, login, retries=NO_RETRY)

    with pytest.raises(push.StoreError, match="401"):
        push.push(project, push.Client(endpoint, push.Credentials("dba", "wrong"), retries=NO_RETRY), OLD)
    for options in (push.Options(), STAGED, push.Options(full=True, inline=0)):
        for dataset in (OLD, NEW):
            assert push.push(project, client(), dataset, options).outcome == "equal"
            assert push.push(project, client(), dataset, push.Options(verify=True)).sent == []
    assert push.push(project, client(), {**NEW, GRAPHS + "data/new": NEW[GRAPHS + "data/new"][:1]}).statements == 1
    old, new = graphs("old", 12, 20), graphs("new", 12, 20)
    push.push(project, client(), old, STAGED)
    seen = watch(f"{virtuoso}/sparql", lambda: push.push(project, client(), new, STAGED))
    assert seen.keys() == {("old", 13 * 20), ("new", 13 * 20)}, seen


def test_virtuoso_swaps_as_many_graphs_as_there_are(project: Project, virtuoso: str) -> None:
    """It compiles no request with an operation for each of 391 graphs, as many as the real graph has."""
    login = push.Credentials("dba", "dba")
    client = push.Client(push.find(virtuoso, None, None, login), login, retries=NO_RETRY)
    old, new = graphs("old", 390, 2), graphs("new", 390, 2)
    assert push.push(project, client, old).outcome == "equal"
    seen = watch(f"{virtuoso}/sparql", lambda: push.push(project, client, new))
    assert seen.keys() == {("old", 391 * 2), ("new", 391 * 2)}, seen
    assert push.push(project, client, NEW).removed == sorted(set(new) - set(NEW))


def test_virtuoso_cuts_answers_off(project: Project, virtuoso: str) -> None:
    """It gives so many rows and says that all is well."""
    login = push.Credentials("dba", "dba")
    client = push.Client(push.find(virtuoso, None, None, login), login, retries=NO_RETRY)
    push.push(project, client, OLD)
    large = {GRAPHS + "large": sorted(f"<urn:s{i}> <urn:p> <urn:o> .\n" for i in range(ROWS + 1))}
    with pytest.raises(push.StoreError, match=r"cuts an answer off \(ResultSetMaxRows\)"):
        push.push(project, client, large)
    assert push.push(project, client, OLD, push.Options(verify=True)).sent == [], "nothing was put in place"


def test_virtuoso_rewrites_literals(project: Project, virtuoso: str) -> None:
    login = push.Credentials("dba", "dba")
    client = push.Client(push.find(virtuoso, None, None, login), login, retries=NO_RETRY)
    name = GRAPHS + "data/literals"
    values = {"decimal": "1.50", "duration": "P1D", "boolean": "true", "nonNegativeInteger": "1", "gYear": "2026"}
    dataset = {name: sorted(f'<urn:a> <urn:{kind}> "{value}"^^<{XSD}{kind}> .\n' for kind, value in values.items())}
    report = push.push(project, client, dataset)
    assert report.outcome == "rewritten"
    [difference] = report.differences
    assert [line.split("urn:")[2].split(">")[0] for line in difference.missing] == ["boolean", "decimal", "duration"]
    assert f'<urn:a> <urn:decimal> "1.5"^^<{XSD}decimal> .\n' in difference.added
    again = push.push(project, client, dataset, push.Options(verify=True))
    assert (again.sent, again.outcome) == ([], "rewritten")


# A store without the Graph Store Protocol

ENDPOINT = """\
use RDF::Endpoint; use RDF::Trine; use Plack::Request;
my $model = RDF::Trine::Model->new(RDF::Trine::Store::Memory->new());
my $settings = { update => 1, load_data => 0, service_description => { default => 0, named_graphs => 0 }, html => {} };
my $endpoint = RDF::Endpoint->new($model, { endpoint => $settings });
sub { $endpoint->run(Plack::Request->new(shift))->finalize };
"""


@pytest.fixture(scope="module")
def rdf_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of RDF::Endpoint, for queries and updates."""
    program = shutil.which("plackup")
    if program is None or subprocess.run(["perl", "-MRDF::Endpoint", "-e1"], capture_output=True, check=False).returncode:
        pytest.skip("no plackup with RDF::Endpoint (Debian: librdf-endpoint-perl), so nothing is pushed to it")
    folder, port = tmp_path_factory.mktemp("endpoint"), free_port()
    (folder / "endpoint.psgi").write_text(ENDPOINT)
    with (folder / "out").open("wb") as out:
        command = [program, "--host", "127.0.0.1", "--port", str(port), str(folder / "endpoint.psgi")]
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "PLACK_ENV": "deployment"})
    try:
        url = f"http://127.0.0.1:{port}/sparql"
        wait_for(url, process)
        yield url
    finally:
        process.kill()
        process.wait()


def test_rdf_endpoint(project: Project, rdf_endpoint: str) -> None:
    endpoint = push.find(rdf_endpoint, rdf_endpoint, None, push.Credentials())

    def client() -> push.Client:
        return push.Client(endpoint, retries=NO_RETRY)

    for options in (push.Options(), STAGED):
        for dataset in (graphs("old", letter="é"), graphs("new", letter="é")):
            report = push.push(project, client(), dataset, options)
            assert (report.outcome, report.sent) == ("equal", list(dataset))
            assert push.push(project, client(), dataset, push.Options(verify=True)).sent == []
    assert push.push(project, client(), OLD).outcome == "rewritten", "its answers break every letter beyond Latin-1"
    with pytest.raises(push.StoreError, match="neither Oxigraph nor Virtuoso"):
        push.find(rdf_endpoint, None, None, push.Credentials())
