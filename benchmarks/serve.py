"""Measure the server beside what a user would pick: same data, same client.

In an environment with the project, ``pip install oxigraph``, and ``wrk`` (Debian), from the root of the checkout::

    onemg-kg build
    python benchmarks/serve.py                                   # 1x and 100x: half an hour
    python benchmarks/serve.py --sizes 1 --seconds 2 --rounds 1  # five minutes
    python benchmarks/serve.py --rdflib VENV/bin/python          # with rdflib-endpoint[cli] of another environment
    python benchmarks/serve.py --trifid FOLDER --node NODE       # with Trifid, installed there by npm

The servers take turns, round by round, each with 8 clients; before each load all are idle. Figures are medians.
rdflib-endpoint is started anew for each query and has one round: it works on for long when nobody waits any more. Requests
per CPU second count the whole server with its processes: on a busy machine they say more than requests per second. All
servers have the same statements: every one in its named graph, and once in the default graph. rdflib-endpoint reads files,
its default graph is the union. Oxigraph and onemg-kg use all processors, as they do where nothing is said; a page beside a bare
ASGI application is served by one process each. Trifid makes its pages from our endpoint. A load that takes longer than it
should is named, with its server.
"""

import argparse
import http.client
import json
import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
from report import ROOT, Report, table

BENCHMARKS = ROOT / "benchmarks"
OXIGRAPH = Path(sys.executable).parent / "oxigraph"
BASE = "https://w3id.org/oneplusmg/"
CLIENTS = 8
JSON = "application/sparql-results+json"
LIGHT = ("a page", "ASK {}")
"""The queries that are no views."""
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
TIMEOUT = 2.0

OURS = """
import ast, sys
from pathlib import Path
from onemg_kg.server import Settings, run
run(Settings(Path(sys.argv[1]), **ast.literal_eval(sys.argv[2])))
"""
BARE = """
import sys
from pathlib import Path
import uvicorn
from onemg_kg.server.messages import ALWAYS
body = Path(sys.argv[1]).read_bytes()
fields = [(name.lower().encode(), value.encode()) for name, value in ALWAYS]
fields += [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[2]), http="httptools", loop="uvloop", access_log=False, log_level="error", lifespan="off")
"""
RDFLIB = """
import sys
import uvicorn
from rdflib import Dataset
from rdflib_endpoint import SparqlEndpoint
data = Dataset(default_union=True)
data.parse(sys.argv[1], format="nquads")
uvicorn.run(SparqlEndpoint(graph=data, path="/query"), port=int(sys.argv[2]), log_level="error")
"""
TRIFID = """
server:
  logLevel: fatal
  listener: {{host: 127.0.0.1, port: {port}}}
globals:
  datasetBaseUrl: {base}
  endpoints:
    default:
      url: {endpoint}
plugins:
  entity-renderer:
    module: "@zazuko/trifid-entity-renderer"
"""
LATE = 2.0
"""Seconds: a load that takes so much longer than it should is told, and ten times so much ends it."""
SETTLED = 60.0
"""Seconds that a server may work on what it was asked when nobody waits any more."""
PAGE = "voc/role/researcher"

SCRIPT = """
wrk.headers["Accept"] = "%s"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nRESULT{"n":%%d,"us":%%d,"p50":%%f,"p99":%%f,"bad":%%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass
class Load:
    """What came of a load: requests per second and per CPU second, latencies in milliseconds, and what went wrong."""

    rate: float
    per_cpu: float
    median: float
    p99: float
    bad: int

    def told(self) -> dict[str, float]:
        """As it is written."""
        return {name: digits(value) for name, value in asdict(self).items()}


@dataclass
class Server:
    """A server that runs."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    path: str = "/query"

    def url(self, query: str) -> str:
        """The address that answers a query."""
        return f"http://127.0.0.1:{self.port}{self.path}?query={quote(query, safe='')}"


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def processes(process: int) -> Iterator[int]:
    """A process and what it started."""
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:  # a thread that ended meanwhile
            continue
        for child in children:
            yield from processes(int(child))


def cpu(process: int) -> float:
    """The CPU seconds of a process and of what it started, also of what has ended."""
    ticks = 0
    for one in processes(process):
        with suppress(OSError):  # it ended meanwhile
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """The memory of a process and of what it started, in MB: what is shared counts once."""
    lines = "".join(Path(f"/proc/{one}/smaps_rollup").read_text() for one in processes(process)).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def settle(servers: list[Server]) -> None:
    """Waits until no server works on what nobody waits for any more, so that it does not disturb another's load."""
    end, before = time.monotonic() + SETTLED, [cpu(server.process.pid) for server in servers]
    while True:
        time.sleep(0.1)
        now = [cpu(server.process.pid) for server in servers]
        busy = [server.name for server, one, other in zip(servers, before, now, strict=True) if other - one > 0.02]
        if not busy:
            return
        if time.monotonic() > end:
            complain(f"{', '.join(busy)}: still at work {SETTLED:g} s after a load, so what follows may be slower.")
            return
        before = now


def complain(line: str) -> None:
    """Says at once what went wrong."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def load(server: Server, what: str, url: str, accept: str, seconds: float) -> Load:
    """Loads a server with one request, again and again; ``what`` names it where it takes too long."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % accept)
        script.flush()
        before, started = cpu(server.process.pid), time.monotonic()
        command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds:g}s", "--timeout", "60s", "-s", script.name, url]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 10 * LATE)
        except subprocess.TimeoutExpired:
            complain(
                f"{server.name}, {what}: wrk did not end within {seconds + 10 * LATE:g} s and was ended; counts as no answer."
            )
            return Load(0.5 / seconds, 0.5 / max(cpu(server.process.pid) - before, 0.01), 0, 0, CLIENTS)
        taken = time.monotonic() - started
    if taken > seconds + LATE:
        complain(f"{server.name}, {what}: the load took {taken:.1f} s instead of {seconds:g} s.")
    found = json.loads(ran.stdout.split("RESULT")[1])
    spent = max(cpu(server.process.pid) - before, 0.01)
    done = max(found["n"], 0.5)  # a server that answers nothing in time is not infinitely slow
    return Load(done / found["us"] * 1e6, done / spent, found["p50"] / 1000, found["p99"] / 1000, found["bad"])


def turns(servers: list[Server], what: str, urls: list[str], accept: str, seconds: float, rounds: int) -> list[Load]:
    """Loads servers in turn, round by round; the middle of each."""
    loads: list[list[Load]] = [[] for _ in servers]
    for _ in range(rounds):
        for server, url, kept in zip(servers, urls, loads, strict=True):
            settle(servers)
            kept.append(load(server, what, url, accept, seconds))
    return [median(one) for one in loads]


def median(loads: list[Load]) -> Load:
    """The middle of each figure; of what went wrong, all."""
    rate, per_cpu, middle, p99 = (
        statistics.median(getattr(one, name) for one in loads) for name in ("rate", "per_cpu", "median", "p99")
    )
    return Load(rate, per_cpu, middle, p99, sum(one.bad for one in loads))


def get(port: int, target: str, timeout: float = 60) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", target, headers={"Accept": JSON if "?query=" in target else "*/*"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def await_answer(server: Server, target: str, seconds: float = 600) -> None:
    """Waits for the first 200."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if get(server.port, target)[0] == 200:
                return
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"{server.name} does not answer.")


@contextmanager
def running(
    name: str, command: list[str], port: int, path: str, first: str, folder: Path = ROOT, end: int = signal.SIGTERM
) -> Iterator[Server]:
    """A server, from its first answer on; it runs in a folder and is ended by a signal."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} if command[0] == sys.executable else None
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = Server(name, process, port, path)
        await_answer(server, first)
        yield server
    finally:
        process.send_signal(end)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ours(site: Path, **settings: object) -> list[str]:
    """The command line of our server."""
    return [sys.executable, "-c", OURS, str(site), repr({"timeout": 60.0, **settings})]


def queries() -> dict[str, str]:
    """The navigation queries, and what a page asks."""
    found = {path.stem: path.read_text() for path in sorted((ROOT / "queries" / "views").glob("*.rq"))}
    return {**found, "a page": f"SELECT ?p ?o {{ <{BASE}{PAGE}> ?p ?o }}", "ASK {}": "ASK {}"}


def data(times: int, site: Path, folder: Path) -> tuple[Path, Path]:
    """A site with a graph of that size, and all of its statements as the Oxigraph server is to have them."""
    from onemg_kg.store import in_default_graph

    copy = folder / "site"
    shutil.copytree(site, copy)
    graph = copy / "data" / "framework.nq"
    if times > 1:
        subprocess.run([sys.executable, BENCHMARKS / "generate.py", str(times), graph], cwd=ROOT, check=True)
    quads = list(ox.parse(path=graph, format=ox.RdfFormat.N_QUADS, lenient=True))
    everything = folder / "everything.nq"
    ox.serialize([*quads, *in_default_graph(quad.triple for quad in quads)], everything, format=ox.RdfFormat.N_QUADS)
    return copy, everything


@dataclass
class Alone:
    """What a client who asks alone gets: how many rows, or why none; after how many seconds; CPU seconds of the server."""

    rows: int | str
    wall: float
    cpu: float

    @property
    def load(self) -> Load:
        """The same as a load."""
        return Load(1 / self.wall, 1 / max(self.cpu, 0.01), 0, 0, 0)


def ask(server: Server, what: str, text: str) -> Alone:
    """Asks a server once."""
    started, before = time.monotonic(), cpu(server.process.pid)
    try:
        status, content = get(server.port, server.url(text).removeprefix(f"http://127.0.0.1:{server.port}"))
        why = "" if status == 200 else str(status)
    except (OSError, http.client.HTTPException) as error:
        why = type(error).__name__
    taken, spent = time.monotonic() - started, cpu(server.process.pid) - before
    found = why or len(json.loads(content).get("results", {}).get("bindings", ()))
    if taken > 10 * LATE or why:
        complain(f"{server.name}, {what}: one answer took {taken:.1f} s ({found} rows or status).")
    return Alone(found, taken, spent)


def ask_twice(server: Server, what: str, text: str) -> Alone:
    """The better one of two answers, because caches are cold at first; the first where it took very long."""
    first = ask(server, what, text)
    return min(first, ask(server, what, text), key=lambda one: one.wall) if first.wall < 10 * LATE else first


Start = Callable[[], AbstractContextManager[Server]]


def rates(servers: list[Server], slow: Start | None, seconds: float, rounds: int, told: dict[str, Any]) -> None:
    """Each query on each server, and the ratios that count: the first server is the measure.

    Where a load of the first server would see, or sees, fewer than one answer for each client, all are compared by one client
    who asks alone. Another server that takes as long is not loaded either: its rate is that of one client.

    Args:
        servers: they take turns.
        slow: starts one more, which is started for each query, has one round, and is killed: it would work on for long.
        seconds: how long a load lasts.
        rounds: how often each query is loaded.
        told: where the figures go.
    """
    ratios: dict[str, tuple[list[float], list[float]]] = {}
    enough = told["alone"] = 2 * seconds / CLIENTS
    told |= {"queries": [], "one client": [], "differ": {}}
    base = servers[0].name
    for name, text in queries().items():
        alone: dict[str, Alone] = {}
        for server in servers:
            alone[server.name] = ask_twice(server, name, text)
            settle(servers)  # one that gave up may still be at work
        loaded = [server for server in servers if alone[server.name].wall <= enough] if alone[base].wall <= enough else []
        measured = turns(loaded, name, [server.url(text) for server in loaded], JSON, seconds, rounds)
        found = {server.name: one for server, one in zip(loaded, measured, strict=True)}
        if slow is not None:
            with slow() as server:
                alone[server.name] = ask(server, name, text)
                if loaded and alone[server.name].wall <= enough:
                    found[server.name] = load(server, name, server.url(text), JSON, seconds)
        if base not in found or found[base].rate * seconds < CLIENTS:
            told["one client"].append(name)
            found = {}
        if len({one.rows for one in alone.values()}) > 1:
            told["differ"][name] = {server_name: one.rows for server_name, one in alone.items()}
        every = {server_name: found.get(server_name) or one.load for server_name, one in alone.items()}
        for server_name, one in every.items():
            times = one.rate / every[base].rate, one.per_cpu / every[base].per_cpu
            if name not in LIGHT:
                for kept, value in zip(ratios.setdefault(server_name, ([], [])), times, strict=True):
                    kept.append(value)
            row = {"query": name, "server": server_name, "first": digits(alone[server_name].wall * 1000), **one.told()}
            told["queries"].append(row | {"times": digits(times[0]), "times by CPU": digits(times[1])})
        sys.stderr.write(f"{name}: {', '.join(f'{server} {one.rate:.1f}/s' for server, one in every.items())}\n")
    told["navigation"] = {
        name: {"times": digits(mean(rate)), "times by CPU": digits(mean(per_cpu))} for name, (rate, per_cpu) in ratios.items()
    }


def mean(values: list[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(map(math.log, values)))


def digits(value: float) -> float:
    """Four digits of a figure: more are not worth to be kept."""
    return float(f"{value:.4g}")


def pages(site: Path, seconds: float, rounds: int, told: dict[str, Any]) -> None:
    """A page beside a bare ASGI application that returns its bytes."""
    page = site / f"{PAGE}.html"
    one, other = free_port(), free_port()
    bare = running("bare ASGI", [sys.executable, "-c", BARE, str(page), str(other)], other, "/", "/")
    # One process each, or the number of processes would be compared.
    with running("onemg-kg", ours(site, port=one, processes=1), one, "/sparql", "/ns.html") as mine, bare as theirs:
        urls = [f"http://127.0.0.1:{port}/{PAGE}.html" for port in (one, other)]
        for server, found in zip(
            (mine, theirs), turns([mine, theirs], "page", urls, "text/html", seconds, rounds), strict=True
        ):
            told.setdefault("page", {})[server.name] = found.told()


def front(site: Path, folder: Path, seconds: float, rounds: int, options: argparse.Namespace, told: dict[str, Any]) -> None:
    """A page and its Turtle beside those that Trifid makes from our endpoint."""
    one, other = free_port(), free_port()
    configuration = folder / "trifid.yaml"
    configuration.write_text(TRIFID.format(port=other, base=BASE, endpoint=f"http://127.0.0.1:{one}/sparql"))
    command = [
        str(options.node.resolve()),
        str(options.trifid.resolve() / "node_modules/trifid/server.js"),
        "-c",
        str(configuration),
    ]
    with (
        running("onemg-kg", ours(site, port=one), one, "/sparql", "/ns.html") as mine,
        running("Trifid", command, other, "/", f"/{PAGE}", options.trifid) as theirs,
    ):
        seconds = max(seconds, 5)  # a page of Trifid takes long
        for what, suffix, accept in (("HTML", ".html", "text/html"), ("Turtle", ".ttl", "text/turtle")):
            urls = [f"http://127.0.0.1:{one}/{PAGE}{suffix}", f"http://127.0.0.1:{other}/{PAGE}"]
            for server, found in zip((mine, theirs), turns([mine, theirs], what, urls, accept, seconds, rounds), strict=True):
                told.setdefault("front end", {}).setdefault(what, {})[server.name] = found.told()


def first_answers(site: Path, times: int, told: dict[str, Any]) -> None:
    """How long after the start of the process the first page and the first answer to a query come, in seconds."""
    for what, target in (("page", "/"), ("query", "/sparql?query=ASK%20%7B%7D")):
        taken = []
        for _ in range(times):
            port = free_port()
            started = time.monotonic()
            with running("onemg-kg", ours(site, port=port), port, "/sparql", target):
                taken.append(time.monotonic() - started)
        told.setdefault("first", {})[what] = digits(statistics.median(taken))


def runaways(site: Path, told: dict[str, Any]) -> None:
    """When runaway queries are answered, and what light ones notice of it, in milliseconds."""
    port = free_port()
    # With less memory it would be answered 422 before its deadline where the graph is large.
    settings = ours(site, port=port, timeout=TIMEOUT, cache=0, memory=8 << 30)
    with running("onemg-kg", settings, port, "/sparql", "/sparql?query=ASK%7B%7D") as server:
        taken: list[tuple[int, float]] = []

        def run_away() -> None:
            started = time.monotonic()
            status, _ = get(port, "/sparql?query=" + quote(RUNAWAY))
            taken.append((status, time.monotonic() - started))

        def light(seconds: float) -> list[float]:
            found, end = [], time.monotonic() + seconds
            while (started := time.monotonic()) < end:
                get(port, "/sparql?query=ASK%7B%7D")
                found.append((time.monotonic() - started) * 1000)
            return found

        calm = statistics.median(light(1))
        thread = threading.Thread(target=run_away)
        thread.start()
        pressed = light(TIMEOUT - 0.1)
        thread.join()
        for _ in range(4):
            run_away()
        late = [(seconds - TIMEOUT) * 1000 for _, seconds in taken]
        told["runaway"] = {
            "statuses": sorted({status for status, _ in taken}),
            "late": digits(statistics.median(late)),
            "latest": digits(max(late)),
            "light before": digits(calm),
            "light meanwhile": digits(statistics.median(pressed)),
        }
        assert server.process.poll() is None


def growth(site: Path, requests: int, told: dict[str, Any]) -> None:
    """Memory before and after many requests, each a query that was not asked before, in MB."""
    port = free_port()
    with running("onemg-kg", ours(site, port=port, log=False), port, "/sparql", "/sparql?query=ASK%7B%7D") as server:

        def ask(numbers: range) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            for number in numbers:
                connection.request("GET", "/sparql?query=" + quote(f"ASK {{}} # {number}"))
                connection.getresponse().read()
            connection.close()

        def ask_all(start: int, count: int) -> None:
            threads = [threading.Thread(target=ask, args=(range(start + part, start + count, 4),)) for part in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        settle([server])  # until all its processes are there
        ask_all(0, requests // 2)  # until the caches are full: at some 42,000 answers as short as these
        half = memory(server.process.pid)
        ask_all(requests // 2, requests - requests // 2)
        told["memory"] = {"requests": requests, "half way": digits(half), "at the end": digits(memory(server.process.pid))}


def measure(times: int, options: argparse.Namespace, report: Report) -> None:
    """All figures at one size; each is written as soon as it is there."""
    told = report.figures.setdefault("sizes", {})[str(times)] = {}  # type: dict[str, Any]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site, everything = data(times, options.site, folder)
        with everything.open("rb") as lines:
            told["quads"] = sum(1 for _ in lines)
        store = folder / "store"
        subprocess.run(
            [OXIGRAPH, "load", "--location", store, "--file", everything, "--lenient"], check=True, capture_output=True
        )
        everything.unlink()
        first = "?query=ASK%20%7B%7D"
        one, two, three, four = (free_port() for _ in range(4))
        command = [str(OXIGRAPH), "serve-read-only", "--location", str(store), "--bind", f"127.0.0.1:{one}"]
        with (
            running("Oxigraph", command, one, "/query", "/query" + first) as peer,
            running("onemg-kg, no cache", ours(site, port=two, cache=0), two, "/sparql", "/sparql" + first) as mine,
            running("onemg-kg, cache", ours(site, port=three), three, "/sparql", "/sparql" + first) as cached,
        ):
            slow = None
            if options.rdflib is not None and times <= options.rdflib_up_to:
                command = [str(options.rdflib), "-c", RDFLIB, str(site / "data" / "framework.nq"), str(four)]
                slow = partial(running, "rdflib-endpoint", command, four, "/query", "/query" + first, end=signal.SIGKILL)
            else:
                report.left_out(f"rdflib-endpoint at {times}x")
            rates([peer, mine, cached], slow, options.seconds, options.rounds, told)
        report.write()
        first_answers(site, 5 if times < 10 else 1, told)
        runaways(site, told)
        if times == min(options.sizes):  # a page is a page at every size
            pages(site, options.seconds, options.rounds, told)
            report.write()
            if options.trifid is None:
                report.left_out("Trifid: name its folder with --trifid")
            else:
                front(site, folder, options.seconds, options.rounds, options, told)
        if options.requests and times <= options.requests_up_to:
            growth(site, options.requests, told)
        report.write()


def tables(figures: dict[str, Any]) -> str:
    """The figures in Markdown."""
    return "\n".join(f"### {times}x\n\n{queries_text(told)}\n{others_table(told)}" for times, told in figures["sizes"].items())


def queries_text(told: dict[str, Any]) -> str:
    """The loads of queries in Markdown, with their geometric mean, and what it leaves out."""
    head = ["query", "server", "one answer alone, ms", "requests/s", "times Oxigraph", "per CPU s", "times Oxigraph"]
    lines = []
    for one in told["queries"]:
        figures = [one[key] for key in ("first", "rate", "times", "per_cpu", "times by CPU")]
        latencies = [one["median"], one["p99"], one["p99"] / one["median"]] if one["median"] else [None] * 3
        lines.append([one["query"], one["server"], *figures, *latencies, int(one["bad"])])
    for name, found in told.get("navigation", {}).items():
        means = [None, None, found["times"], None, found["times by CPU"]]
        lines.append(["navigation, geometric mean", name, *means, *[None] * 4])
    text = table([*head, "p50 ms", "p99 ms", "p99/p50", "bad"], lines)
    if told["one client"]:
        text += f"\nCompared by one client who asks alone: {', '.join(told['one client'])}.\n"
    for name, sizes in told["differ"].items():
        rows_ = ", ".join(f"{server} {answer}" for server, answer in sizes.items())
        text += f"\nNot all give the same number of rows for {name}: {rows_}.\n"
    return text


def others_table(told: dict[str, Any]) -> str:
    """Pages and what else was measured, in Markdown."""
    lines = []
    for what, servers in {"page": told.get("page", {}), **told.get("front end", {})}.items():
        for name, found in servers.items():
            lines.append(
                [f"{what}, {name}", f"{found['rate']:,.0f} requests/s, p50 {found['median']:.2f} ms, p99 {found['p99']:.2f} ms"]
            )
    for what, seconds in told.get("first", {}).items():
        lines.append([f"start to first {what}", f"{seconds:.2f} s"])
    if found := told.get("runaway"):
        statuses = ", ".join(map(str, found["statuses"]))
        lines.append(
            ["runaway query", f"{statuses}, {found['late']:.0f} ms after its deadline, the latest {found['latest']:.0f} ms"]
        )
        light = f"{found['light meanwhile']:.1f} ms, before {found['light before']:.1f} ms"
        lines.append(["a light query meanwhile", light])
    if found := told.get("memory"):
        words = f"{found['half way']:.0f} MB half way, {found['at the end']:.0f} MB after {found['requests']:,}"
        lines.append(["memory, each request new", words])
    return table(["what", "measured"], lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="the site of a build (default: build/site)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--seconds", type=int, default=5, help="how long each load lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000, help="for the memory; 0 leaves it out")
    parser.add_argument("--requests-up-to", type=int, default=100, metavar="N", help="the largest size for that (100)")
    parser.add_argument("--rdflib", type=Path, help="a Python that has rdflib-endpoint[cli]")
    parser.add_argument("--rdflib-up-to", type=int, default=1, metavar="N", help="the largest size for that (1)")
    parser.add_argument("--trifid", type=Path, help="a folder in which npm installed trifid")
    parser.add_argument("--node", type=Path, default=Path("node"), help="a Node that runs it: 22 or newer")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that no server stays
    report = Report(options.json, ["pyoxigraph", "uvicorn"])
    if not report.needs("wrk", str(OXIGRAPH)):
        return
    report.version("oxigraph", version("oxigraph"))
    report.version("wrk", subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()[1])
    if options.rdflib is not None:
        ask = "from importlib.metadata import version as v; print(v('rdflib-endpoint'), v('rdflib'))"
        endpoint, rdflib = subprocess.check_output([options.rdflib, "-c", ask], text=True).split()
        report.version("rdflib-endpoint", endpoint)
        report.version("rdflib", rdflib)
    if options.trifid is not None:
        found = json.loads((options.trifid / "node_modules" / "trifid" / "package.json").read_text())
        report.version("Trifid", found["version"])
        report.version("Node", subprocess.check_output([options.node, "--version"], text=True).strip())
    report.figures |= {"seconds": options.seconds, "rounds": options.rounds}
    for times in options.sizes:
        measure(times, options, report)
    sys.stdout.write(tables(report.figures))


if __name__ == "__main__":
    main()
