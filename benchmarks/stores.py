"""Measure push beside sending the whole graph again, and the asking of stores beside the store in the process.

Repeat, in an environment with the project and PyPI `oxigraph`, on Linux with curl, from the root of the checkout::

    python benchmarks/stores.py                        # 1x (medians of three) and 10x (once); three minutes
    python benchmarks/stores.py --sizes 1 --repeat 1   # a minute

Each way of pushing has an Oxigraph server of its own on an empty folder, and is a process from start to end: `first` into the
empty store, `nothing new` the same again, `one statement` after one statement was dropped. `curl` puts the N-Quads by the
Graph Store Protocol, which replaces all that the store holds, and looks no further; SPARQLWrapper drops all and inserts all
in one update. Neither reads back, and other graphs of the store are lost. `CPU s` counts client and server.

Asking is done by the functions behind `onemg-kg query`, in one process: every question, every view, the best of the repeats,
on the real graph. Virtuoso is Debian's; where it is not installed it is left out.
"""

import argparse
import json
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import generate
import pyoxigraph as ox
from report import ROOT, Report, table
from serve import OXIGRAPH, Server, complain, cpu, free_port, get, running

PROGRAM = "import sys; sys.argv[0] = 'onemg-kg'; from onemg_kg.cli import main; main()"
WRAPPER = """
import sys
from collections import defaultdict
from pathlib import Path
from SPARQLWrapper import POST, POSTDIRECTLY, SPARQLWrapper
graphs = defaultdict(list)
for line in Path(sys.argv[1]).read_text().splitlines():
    statement, _, graph = line.removesuffix(" .").rpartition(" ")
    graphs[graph].append(statement + " .")
blocks = " ".join("GRAPH %s { %s }" % (name, " ".join(lines)) for name, lines in graphs.items())
wrapper = SPARQLWrapper(sys.argv[2] + "/update")
wrapper.setMethod(POST)
wrapper.setRequestMethod(POSTDIRECTLY)
wrapper.setQuery("DROP ALL ; INSERT DATA { %s }" % blocks)
wrapper.query()
"""
VIRTUOSO = (ROOT / "tests" / "virtuoso.ini").read_text(encoding="utf-8")
TIMES = ("first", "nothing new", "one statement")


@contextmanager
def oxigraph(folder: Path) -> Iterator[tuple[Server, str]]:
    """An Oxigraph server on an empty folder, and its address."""
    port = free_port()
    command = [str(OXIGRAPH), "serve", "--location", str(folder), "--bind", f"127.0.0.1:{port}"]
    with running("Oxigraph", command, port, "/query", "/query?query=ASK%7B%7D") as server:
        yield server, f"http://127.0.0.1:{port}"


@contextmanager
def virtuoso(folder: Path, program: str) -> Iterator[str]:
    """A Virtuoso on an empty folder: its address."""
    folder.mkdir()
    port = free_port()
    settings = folder / "virtuoso.ini"
    settings.write_text(VIRTUOSO.format(folder=folder, sql=free_port(), port=port, rows=10000))
    with running("Virtuoso", [program, "-f", "-c", str(settings)], port, "/sparql", "/sparql?query=ASK%7B%7D", folder):
        yield f"http://127.0.0.1:{port}"


def ways(url: str, made: Path) -> dict[str, list[str]]:
    """How a graph is sent, by name: commands."""
    graph = str(made / "framework.nq")
    put = ["curl", "--silent", "--show-error", "--fail", "--upload-file", graph]
    return {
        "onemg-kg push": [sys.executable, "-c", PROGRAM, "--project", str(ROOT), "push", url, "--build", str(made)],
        "curl PUT": [*put, "--header", "Content-Type: application/n-quads", f"{url}/store"],
        "SPARQLWrapper": [sys.executable, "-c", WRAPPER, graph, url],
    }


def pushes(times: int, repeat: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Push a graph of a size, in every way."""
    made = [folder / f"{times}x-{name}" for name in ("all", "less")]
    quads = list(generate.copies(generate.real()[0], times))
    dropped = next(at for at, quad in enumerate(quads) if isinstance(quad.object, ox.Literal))
    for path, part in zip(made, (quads, quads[:dropped] + quads[dropped + 1 :]), strict=True):
        path.mkdir()
        generate.write(part, path / "framework.nq")
    wanted = {path: len(quads) - at for at, path in enumerate(made)}
    for way in ways("", made[0]):
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in TIMES}
        wrong = ""
        for number in range(repeat):
            with oxigraph(folder / f"{times}x-{way}-{number}") as (server, url):
                for name, path in zip(TIMES, (made[0], made[0], made[1]), strict=True):
                    taken[name].append(sent(server, ways(url, path)[way]))
                    if (count := held(server)) != wanted[path]:
                        wrong = f"the store holds {count:,} statements"
            if wrong:
                complain(f"{times}x {way}: {wrong} instead of {wanted[made[0]]:,}, so this way is not measured further.")
                break
        for name, measured in taken.items():
            wall, used = (round(statistics.median(column), 3) for column in zip(*measured, strict=True))
            row = {"size": times, "statements": len(quads), "way": way, "time": name, "wall": wall, "cpu": used}
            yield row | {"failed": wrong}


def sent(server: Server, command: list[str]) -> tuple[float, float]:
    """Wall seconds of a command, and CPU seconds of it and of the server."""
    before, own, start = cpu(server.process.pid), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    wall, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode and PROGRAM not in command:  # ours tells so that the store writes some literals in another way
        complain(f"{command[0]} failed with exit code {ran.returncode}: {ran.stderr[-500:]}")
    used = now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime
    return wall, used + cpu(server.process.pid) - before


def held(server: Server) -> int:
    """How many statements a store holds in named graphs, without what push notes there for itself."""
    query = 'SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } FILTER (!STRENDS(STR(?g), "/_manifest")) }'
    status, content = get(server.port, "/query?query=" + quote(query))
    return int(json.loads(content)["results"]["bindings"][0]["n"]["value"]) if status == 200 else -1


def asking(repeat: int, folder: Path, report: Report) -> Iterator[dict[str, Any]]:
    """Every question and every view, in the process and on stores to which the graph was pushed."""
    from onemg_kg import graph, project, push, questions, remote, views

    found = project.find(ROOT)
    loaded = graph.load(found)
    made = folder / "asked"
    made.mkdir()
    generate.write([*loaded.stated, *loaded.inferred], made / "framework.nq")
    dataset = push.read(made / "framework.nq")

    def told(name: str, store: Any) -> dict[str, Any]:
        acts: dict[str, Callable[[], object]] = {
            "questions": lambda: questions.answers(found, store),
            "views": lambda: views.collect(found, store),
        }
        return {"store": name, **{what: round(min(timed(act) for _ in range(repeat)), 3) for what, act in acts.items()}}

    yield told("in the process", loaded.store)
    with oxigraph(folder / "asked-oxigraph") as (_, url):
        push.push(found, push.Client(push.find(url, None, None, push.Credentials())), dataset)
        yield told("Oxigraph", remote.find(url))
    program = shutil.which("virtuoso-t")
    if program is None:
        report.left_out("Virtuoso: no virtuoso-t on the PATH (Debian: virtuoso-opensource-7-bin)")
        return
    said = subprocess.run([program, "-?"], capture_output=True, text=True, check=False)
    words = (said.stdout + said.stderr).partition("Version ")[2].split()
    report.version("Virtuoso", words[0].rstrip(",") if words else "unknown")
    login = push.Credentials("dba", "dba")
    with virtuoso(folder / "asked-virtuoso", program) as url:
        client = push.Client(push.find(url, None, None, login), login)
        for name, lines in dataset.items():
            client.add(name, "".join(lines), first=True)
        yield told("Virtuoso", remote.find(url))


def timed(act: Callable[[], object]) -> float:
    """Wall seconds of something."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def push_rows(rows: list[dict[str, Any]]) -> str:
    """The pushes in Markdown."""
    ours = {(row["size"], row["time"]): row for row in rows if row["way"] == "onemg-kg push"}
    head = ["size", "quads", "way", "what changed", "wall s", "CPU s", "times onemg-kg push, wall", "by CPU"]
    lines = []
    for row in rows:
        start = [f"{row['size']}x", row["statements"], row["way"], row["time"]]
        times = [row[key] / max(ours[row["size"], row["time"]][key], 0.001) for key in ("wall", "cpu")]
        lines.append(
            [*start, f"fails: {row['failed']}", *[None] * 3] if row["failed"] else [*start, row["wall"], row["cpu"], *times]
        )
    return table(head, lines)


def asking_rows(rows: list[dict[str, Any]]) -> str:
    """The asking in Markdown."""
    return table(
        ["store", "every question, s", "every view, s"], ([row["store"], row["questions"], row["views"]] for row in rows)
    )


def main() -> None:
    """Command line: which sizes, how often."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10], help="times the real graph (1 10)")
    parser.add_argument("--repeat", type=int, default=3, help="how often each is measured below 10x (3)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that no server stays
    report = Report(options.json, ["pyoxigraph", "SPARQLWrapper"])
    if not report.needs("curl", str(OXIGRAPH)):
        return
    report.version("oxigraph", version("oxigraph"))
    report.version("curl", subprocess.check_output(["curl", "--version"], text=True).split()[1])
    report.figures |= {"repeat": options.repeat, "push": [], "asking": []}
    with tempfile.TemporaryDirectory() as folder:
        for row in asking(options.repeat, Path(folder), report):
            report.figures["asking"].append(row)
            report.write()
        for times in options.sizes:
            repeat = options.repeat if times < 10 else 1
            for row in pushes(times, repeat, Path(folder)):
                report.figures["push"].append(row)
                report.write()
    sys.stdout.write(f"{push_rows(report.figures['push'])}\n{asking_rows(report.figures['asking'])}")


if __name__ == "__main__":
    main()
