"""Several processes speak HTTP: no client sees which, nothing is lost when one ends, and what is counted is counted once."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from onemg_kg.terms import BASE

ROOT = Path(__file__).resolve().parents[2]
LOOKUP = f"SELECT ?p ?o {{ <{BASE}id/resource/beacon> ?p ?o }}"
WORK = f"SELECT ?p ?o {{ <{BASE}id/resource/beacon> ?p ?o FILTER(true) }}"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
DIRECT = {"Content-Type": "application/sparql-query"}


@pytest.fixture(scope="module")
def shared(small_site: Path, serve: Callable[..., Any]) -> Any:
    """A server of two processes that speak HTTP."""
    return serve(small_site, processes=2, timeout=1.0)


def holder(connection: socket.socket) -> int:
    """The process that has the other end of a connection."""
    ours, theirs = connection.getsockname()[1], connection.getpeername()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if (int(fields[1].split(":")[1], 16), int(fields[2].split(":")[1], 16)) == (theirs, ours):
            link = f"socket:[{fields[9]}]"
            for path in Path("/proc").glob("[0-9]*/fd/*"):
                with contextlib.suppress(OSError):
                    if str(path.readlink()) == link:
                        return int(path.parts[2])
    pytest.fail("nobody has the connection")


@contextlib.contextmanager
def connections(live: Any, count: int) -> Iterator[list[http.client.HTTPConnection]]:
    """Connections, each of which has been used."""
    made = [http.client.HTTPConnection("127.0.0.1", live.port, timeout=20) for _ in range(count)]
    for one in made:
        ask(one, "GET", "/ns.html")
    yield made
    for one in made:
        one.close()


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | None = None,
    fields: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    connection.request(method, target, body, fields or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def elsewhere(live: Any, made: list[http.client.HTTPConnection]) -> http.client.HTTPConnection:
    """A connection that another process than the first one has."""
    return next(one for one in made if holder(one.sock) != live.process.pid)


def counted(live: Any, name: str) -> float:
    text = live.ask("GET", "/metrics").body.decode()
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def test_connections_go_to_all(shared: Any) -> None:
    with connections(shared, 8) as made:
        held = Counter(holder(one.sock) for one in made)
    assert len(held) == 2
    assert min(held.values()) >= 3


REQUESTS: dict[str, tuple[str, str, bytes | None, dict[str, str]]] = {
    "a page": ("GET", "/ns.html", None, {}),
    "a page, compressed": ("GET", "/ns.html", None, {"Accept-Encoding": "br"}),
    "a page, of which only the head is wanted": ("HEAD", "/ns.html", None, {}),
    "a large file, compressed while others wait for nothing": ("GET", "/assets/digits.txt", None, {"Accept-Encoding": "gzip"}),
    "nothing": ("GET", "/nothing", None, {}),
    "a small query": ("GET", "/sparql?" + urlencode({"query": LOOKUP}), None, {}),
    "a query for a worker": ("GET", "/sparql?" + urlencode({"query": WORK}), None, {}),
    "a query that is none": ("GET", "/sparql?query=SELEC", None, {}),
    "a query that is posted": ("POST", "/sparql", WORK.encode(), DIRECT),
    "a long query that is posted": ("POST", "/sparql", WORK.encode() + b" # long" * 30_000, DIRECT),
    "a content that is too long": ("POST", "/sparql", b"#" * 300_000, DIRECT),
    "the service": ("GET", "/sparql", None, {"Accept": "text/turtle"}),
    "the API": ("GET", "/api/resources", None, {}),
    "health": ("GET", "/healthz", None, {}),
    "readiness": ("GET", "/readyz", None, {}),
    "what may be done": ("OPTIONS", "/ns.html", None, {}),
    "what may not": ("DELETE", "/ns.html", None, {}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_every_process_answers_the_same(shared: Any, name: str) -> None:
    """The first time, again, and after it what was asked before."""
    method, target, body, fields = REQUESTS[name]
    answers = set()
    with connections(shared, 4) as made:
        at_first = next(one for one in made if holder(one.sock) == shared.process.pid)
        for connection in (at_first, elsewhere(shared, made)):
            for _ in range(2):
                answers.add(ask(connection, method, target, body, fields))
                if name == "a content that is too long":
                    break  # the server hangs up after that
                assert ask(connection, "GET", "/robots.txt")[0] == 200
    assert len(answers) == 1


def test_requests_that_come_in_parts_or_together_are_answered_in_their_order(shared: Any) -> None:
    def request(target: str) -> bytes:
        return f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

    together = request("/robots.txt") + request("/sparql?" + urlencode({"query": WORK})) + request("/ns.html")
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connections(shared, 4) as made:
        connection = elsewhere(shared, made).sock
        connection.sendall(together[:30])
        time.sleep(0.2)
        connection.sendall(together[30:] + last)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    bodies = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert len(bodies) == 4
    assert b"Allow" in bodies[0]
    assert b"bindings" in bodies[1]
    assert b"doctype" in bodies[2]
    assert bodies[3] == b"ok\n"


def test_a_connection_goes_where_its_request_is_answered_and_comes_back(shared: Any) -> None:
    """So that a proxy that keeps connections for long does not have them all with one process in the end."""
    with connections(shared, 6) as made:
        connection = elsewhere(shared, made)
        end = time.monotonic() + 60
        while holder(connection.sock) != shared.process.pid and time.monotonic() < end:  # it may come back at once
            assert ask(connection, "GET", "/sparql?" + urlencode({"query": WORK + f" # {time.monotonic()}"}))[0] == 200
        assert holder(connection.sock) == shared.process.pid
        for one in made:
            ask(one, "GET", "/sparql?" + urlencode({"query": WORK + f" # {time.monotonic()}"}))
        shared.wait_until(lambda: Counter(holder(one.sock) for one in made)[shared.process.pid] <= 4, 60)
        assert [ask(one, "GET", "/ns.html")[0] for one in made] == [200] * 6


def test_a_query_that_runs_away_is_ended_in_time(shared: Any) -> None:
    with connections(shared, 4) as made:
        connection = elsewhere(shared, made)
        started = time.monotonic()
        status, _ = ask(connection, "GET", "/sparql?" + urlencode({"query": ENDLESS}))
        assert status == 504
        assert time.monotonic() - started < 1.5


def test_all_that_is_asked_is_counted_and_logged_once(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site, processes=2)
    with connections(live, 8) as made:
        for one in made:
            for number in range(100):
                ask(one, "GET", "/ns.html")
                ask(one, "GET", "/sparql?" + urlencode({"query": f"{LOOKUP} # {number % 3}"}))
                if number % 20 == 0:
                    ask(one, "GET", "/sparql?" + urlencode({"query": f"{WORK} # {number}"}))
    assert counted(live, 'onemg_requests_total{route="site"') == 8 * 101
    assert counted(live, 'onemg_requests_total{route="sparql"') == 8 * 105
    assert counted(live, 'onemg_request_seconds_count{route="sparql"') == 8 * 105
    hits = (
        counted(live, "onemg_cache_hits_total")
        + counted(live, "onemg_cache_misses_total")
        + counted(live, "onemg_repeats_total")
    )
    pages = 8 * 101 - 2  # in each process the first is read from its file
    assert hits == 8 * 105 + pages
    live.stop()
    assert Counter(entry["path"] for entry in live.events() if entry["event"] == "request")["/sparql"] == 8 * 105


def test_a_process_that_dies_is_replaced_and_what_it_counted_stays(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site, processes=2)
    with connections(live, 4) as made:
        speaker = holder(elsewhere(live, made).sock)
        os.kill(speaker, signal.SIGKILL)
    live.wait_until(lambda: not Path(f"/proc/{speaker}").exists())
    assert live.ask("GET", "/ns.html").status == 200
    live.wait_for_count("onemg_http_processes 2")
    assert counted(live, 'onemg_requests_total{route="site"') == 5
    with connections(live, 4) as made:
        assert {holder(one.sock) for one in made} > {live.process.pid}


def test_when_the_process_that_forks_dies_they_all_come_back(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site, processes=2)
    with connections(live, 4) as made:
        speaker = holder(elsewhere(live, made).sock)
    os.kill(int(re.search(r"PPid:\t(\d+)", Path(f"/proc/{speaker}/status").read_text())[1]), signal.SIGKILL)  # type: ignore[index]
    live.wait_until(lambda: not Path(f"/proc/{speaker}").exists())
    live.wait_for_count("onemg_http_processes 2")
    with connections(live, 4) as made:
        assert speaker not in {holder(one.sock) for one in made} > {live.process.pid}


def test_a_new_build_comes_to_connections_that_are_kept(tmp_path: Path, small_site: Path, serve: Callable[..., Any]) -> None:
    """None of them is closed, no request is lost, and from the moment it is said on all have the new one."""
    site = tmp_path / "build" / "site"
    shutil.copytree(small_site, site, symlinks=True)
    live = serve(site, watch=0.1, processes=2)
    statuses: list[int] = []
    is_over = threading.Event()

    def go_on(connection: http.client.HTTPConnection, number: int) -> None:
        first = connection.sock
        while not is_over.is_set():
            statuses.append(ask(connection, "GET", "/ns.html")[0])
            query = LOOKUP if len(statuses) % 10 else WORK
            statuses.append(ask(connection, "GET", "/sparql?query=" + quote(f"{query} # {number} {len(statuses)}"))[0])
            if connection.sock is not first:
                statuses.append(0)

    with connections(live, 10) as made:
        busy, idle = made[:6], made[6:]
        threads = [threading.Thread(target=go_on, args=(one, number)) for number, one in enumerate(busy)]
        for thread in threads:
            thread.start()
        for number in range(3):
            new = tmp_path / f"new{number}"
            shutil.copytree(small_site, new, symlinks=True)
            (new / "ns.html").write_text(f"build {number}")
            site.rename(tmp_path / f"old{number}")
            new.rename(site)
            live.wait_for("reloaded", number + 1)
            kept = [one.sock for one in idle]
            assert {ask(one, "GET", "/ns.html") for one in idle} == {(200, f"build {number}".encode())}
            assert [one.sock for one in idle] == kept
        is_over.set()
        for thread in threads:
            thread.join()
        assert set(statuses) == {200}
        assert len(statuses) > 100


def test_one_that_is_told_to_stop_answers_what_was_asked(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site, processes=2, timeout=1.0)
    with connections(live, 6) as made:
        slow = elsewhere(live, made)
        slow.request("GET", "/sparql?" + urlencode({"query": ENDLESS}))
        live.wait_for_count("onemg_queries_running 1")
        live.process.send_signal(signal.SIGTERM)
        assert slow.getresponse().status == 504
        for one in made:
            if one is not slow:
                assert one.sock.recv(1) == b""
    assert live.process.wait(10) == 0


def test_one_process_is_enough(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site, processes=1)
    with connections(live, 3) as made:
        assert {holder(one.sock) for one in made} == {live.process.pid}
    assert counted(live, "onemg_http_processes ") == 1


@pytest.mark.parametrize(
    ("given", "expected"), [("0", "0 processes cannot serve. Say --processes 1, or more."), ("x", "invalid int")]
)
def test_a_number_of_processes_that_is_none_is_said(small_site: Path, given: str, expected: str) -> None:
    words = ["serve", "--build", str(small_site.parent), "--port", "0", "--processes", given]
    command = [sys.executable, "-m", "onemg_kg", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr


def test_one_that_is_told_to_stop_as_it_begins_does_not_wait_for_the_others(tmp_path: Path, small_site: Path) -> None:
    program = "import sys; from pathlib import Path; from onemg_kg.server import Settings, run\n"
    program += "run(Settings(Path(sys.argv[1]), port=0, processes=4))"
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([sys.executable, "-c", program, str(small_site)], cwd=ROOT, stderr=out)
    while b'"ready"' not in log.read_bytes() and server.poll() is None:
        time.sleep(0.005)
    started = time.monotonic()
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0, log.read_text()
    assert time.monotonic() - started < 5


def test_builds_that_were_replaced_take_no_memory(tmp_path: Path, small_site: Path, serve: Callable[..., Any]) -> None:
    """And the files of the one that is served are there once, however many processes serve them."""
    site = tmp_path / "site"
    shutil.copytree(small_site, site, symlinks=True)
    size = 40 << 20
    (site / "assets" / "large.png").write_bytes(os.urandom(size))

    def held(process: int, kinds: str = "Anon|Shmem") -> int:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        return sum(int(kib) for kib in re.findall(rf"^Pss_(?:{kinds}): +(\d+)", rollup, re.MULTILINE)) << 10

    live = serve(site, processes=2, watch=0.0)
    with connections(live, 4) as made:
        speaker = holder(elsewhere(live, made).sock)
        first = held(live.process.pid)
        assert ask(made[0], "GET", "/assets/large.png") == ask(made[1], "GET", "/assets/large.png")
        assert size <= held(live.process.pid, "Shmem") + held(speaker, "Shmem") < 1.5 * size
        for number in range(3):
            live.process.send_signal(signal.SIGHUP)
            live.wait_for("reloaded", number + 1)
    live.wait_until(lambda: held(live.process.pid) < first + size)
