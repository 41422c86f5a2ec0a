"""Measure the server beside the Oxigraph server, rdflib-endpoint and a bare ASGI application: same data, same client.

In an environment with the project, ``pip install oxigraph``, and ``wrk`` (Debian), from the root of the checkout::

    onemg-kg build
    python benchmarks/serve.py                                   # 1x and 100x: an hour
    python benchmarks/serve.py --sizes 1 --seconds 2 --rounds 1  # five minutes
    python benchmarks/serve.py --rdflib VENV/bin/python          # with rdflib-endpoint[cli] of another environment

The servers take turns, round by round, each with 8 clients. Figures are medians. Requests per CPU second count the whole server
with its processes: on a busy machine they say more than requests per second. All servers have the same statements: every one in
its named graph, and once in the default graph. rdflib-endpoint reads files, its default graph is the union.
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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
BASE = "https://w3id.org/oneplusmg/"
CLIENTS = 8
JSON = "application/sparql-results+json"
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


def say(line: str = "") -> None:
    """Writes a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


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
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """The memory of a process and of what it started, in MB: what is shared counts once."""
    lines = "".join(Path(f"/proc/{one}/smaps_rollup").read_text() for one in processes(process)).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def load(server: Server, url: str, accept: str, seconds: float) -> Load:
    """Loads a server with one request, again and again."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % accept)
        script.flush()
        before = cpu(server.process.pid)
        command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds:g}s", "--timeout", "60s", "-s", script.name, url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(said.split("RESULT")[1])
    spent = max(cpu(server.process.pid) - before, 0.01)
    done = max(found["n"], 0.5)  # a server that answers nothing in time is not infinitely slow
    return Load(done / found["us"] * 1e6, done / spent, found["p50"] / 1000, found["p99"] / 1000, found["bad"])


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
        connection.request("GET", target, headers={"Accept": "*/*" if target == "/" else JSON})
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
def running(name: str, command: list[str], port: int, path: str, first: str) -> Iterator[Server]:
    """A server, from its first answer on."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} if command[0] == sys.executable else None
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = Server(name, process, port, path)
        await_answer(server, first)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
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
    return {**found, "a page": f"SELECT ?p ?o {{ <{BASE}voc/role/researcher> ?p ?o }}", "ASK {}": "ASK {}"}


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


def rows(server: Server, text: str) -> int | str:
    """How many rows a server answers a query with, or why it does not."""
    try:
        status, content = get(server.port, server.url(text).removeprefix(f"http://127.0.0.1:{server.port}"))
    except OSError as error:
        return type(error).__name__
    return len(json.loads(content).get("results", {}).get("bindings", ())) if status == 200 else str(status)


def rates(servers: list[Server], seconds: float, rounds: int) -> None:
    """The table of queries, and the ratios that count."""
    base, ratios = servers[0], {server.name: ([], []) for server in servers}  # type: ignore[var-annotated]
    say("| query | server | requests/s | times | per CPU s | times | p50 ms | p99 ms | p99/p50 | bad |\n" + "|---" * 10 + "|")
    for name, text in queries().items():
        sizes = {server.name: rows(server, text) for server in servers}
        if len(set(sizes.values())) > 1:
            say(f"| {name} | the servers do not answer the same number of rows: {sizes} |")
        loads: dict[str, list[Load]] = {server.name: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                loads[server.name].append(load(server, server.url(text), JSON, seconds))
        first = median(loads[base.name])
        if first.rate * seconds < CLIENTS:
            say(f"| {name} | counts in no mean: {base.name} has too few answers in {seconds:g} s |")
        for server in servers:
            found = median(loads[server.name])
            times = found.rate / first.rate, found.per_cpu / first.per_cpu
            if name not in ("a page", "ASK {}") and first.rate * seconds >= CLIENTS:
                for kept, one in zip(ratios[server.name], times, strict=True):
                    kept.append(max(one, 1e-6))
            say(
                f"| {name} | {server.name} | {found.rate:.0f} | {times[0]:.2f} | {found.per_cpu:.0f} | {times[1]:.2f} "
                f"| {found.median:.2f} | {found.p99:.2f} | {found.p99 / max(found.median, 0.001):.1f} | {found.bad} |"
            )
    for name, (rate, per_cpu) in ratios.items():
        mean, mean_cpu = (math.exp(statistics.fmean(map(math.log, values))) for values in (rate, per_cpu))
        say(f"| navigation, geometric mean | {name} | | {mean:.2f} | | {mean_cpu:.2f} |")


def pages(site: Path, seconds: float, rounds: int) -> None:
    """A page beside a bare ASGI application that returns its bytes."""
    page = site / "voc" / "role" / "researcher.html"
    one, other = free_port(), free_port()
    bare = running("bare ASGI", [sys.executable, "-c", BARE, str(page), str(other)], other, "/", "/")
    with running("onemg-kg", ours(site, port=one), one, "/sparql", "/ns.html") as mine, bare as theirs:
        loads: dict[str, list[Load]] = {mine.name: [], theirs.name: []}
        for _ in range(max(rounds, 3)):
            for server in (mine, theirs):
                url = f"http://127.0.0.1:{server.port}/{page.relative_to(site)}"
                loads[server.name].append(load(server, url, "text/html", seconds))
    mine_, theirs_ = median(loads["onemg-kg"]), median(loads["bare ASGI"])
    say(
        f"page: {mine_.rate:.0f}/s, {mine_.per_cpu:.0f} per CPU s; bare ASGI: {theirs_.rate:.0f}/s, {theirs_.per_cpu:.0f} per "
        f"CPU s; times {mine_.rate / theirs_.rate:.2f}, {mine_.per_cpu / theirs_.per_cpu:.2f} by CPU; bad {mine_.bad}"
    )


def first_answers(site: Path, times: int = 5) -> None:
    """How long after the start of the process the first page and the first answer to a query come."""
    for what, target in (("page", "/"), ("query", "/sparql?query=ASK%20%7B%7D")):
        taken = []
        for _ in range(times):
            port = free_port()
            started = time.monotonic()
            with running("onemg-kg", ours(site, port=port), port, "/sparql", target):
                taken.append(time.monotonic() - started)
        say(f"start to first {what}: {statistics.median(taken):.2f} s")


def runaways(site: Path) -> None:
    """When runaway queries are answered, and what light ones notice of it."""
    port = free_port()
    with running(
        "onemg-kg", ours(site, port=port, timeout=TIMEOUT, cache=0), port, "/sparql", "/sparql?query=ASK%7B%7D"
    ) as server:
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
        say(
            f"runaway: statuses {sorted({status for status, _ in taken})}, {min(late):.0f} to {max(late):.0f} ms after its "
            f"deadline; meanwhile a light query takes {statistics.median(pressed):.1f} ms, before {calm:.1f} ms"
        )
        assert server.process.poll() is None


def growth(site: Path, requests: int) -> None:
    """Memory before and after many requests, each a query that was not asked before."""
    port = free_port()
    with running("onemg-kg", ours(site, port=port, log=False), port, "/sparql", "/sparql?query=ASK%7B%7D") as server:

        def ask(numbers: range) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port)
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

        ask_all(0, requests // 2)  # until the caches are full
        before = memory(server.process.pid)
        ask_all(requests // 2, requests - requests // 2)
        say(f"memory: {before:.0f} MB after {requests // 2} requests, {memory(server.process.pid):.0f} MB after {requests}")


def measure(times: int, options: argparse.Namespace) -> None:
    """All figures at one size."""
    with tempfile.TemporaryDirectory() as name:
        site, everything = data(times, options.site, Path(name))
        say(f"\n## {times}x, load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
        oxigraph = str(Path(sys.executable).parent / "oxigraph")
        store = Path(name) / "store"
        subprocess.run(
            [oxigraph, "load", "--location", store, "--file", everything, "--lenient"], check=True, capture_output=True
        )
        first = "?query=ASK%20%7B%7D"
        one, two, three, four = (free_port() for _ in range(4))
        command = [oxigraph, "serve-read-only", "--location", str(store), "--bind", f"127.0.0.1:{one}"]
        with (
            running("Oxigraph", command, one, "/query", "/query" + first) as peer,
            running("onemg-kg, no cache", ours(site, port=two, cache=0), two, "/sparql", "/sparql" + first) as mine,
            running("onemg-kg, cache", ours(site, port=three), three, "/sparql", "/sparql" + first) as cached,
        ):
            servers = [peer, mine, cached]
            if options.rdflib is None:
                say("rdflib-endpoint is left out: name a Python that has it with --rdflib.\n")
                rates(servers, options.seconds, options.rounds)
            else:
                command = [options.rdflib, "-c", RDFLIB, str(site / "data" / "framework.nq"), str(four)]
                with running("rdflib-endpoint", command, four, "/query", "/query" + first) as other:
                    rates([*servers, other], options.seconds, options.rounds)
        say()
        pages(site, options.seconds, options.rounds)
        first_answers(site)
        runaways(site)
        if options.requests:
            growth(site, options.requests)
        say(f"load of the machine {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="the site of a build (default: build/site)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--seconds", type=float, default=5, help="how long each load lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000, help="for the memory; 0 leaves it out")
    parser.add_argument("--rdflib", help="a Python that has rdflib-endpoint[cli]")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    for tool in ("wrk", str(Path(sys.executable).parent / "oxigraph")):
        if shutil.which(tool) is None:
            parser.error(f"{tool} is not installed.")
    for times in options.sizes:
        measure(times, options)


if __name__ == "__main__":
    main()
