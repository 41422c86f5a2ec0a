"""Measure how the product grows with the graph: each stage, each query, a whole core build, and a push.

Repeat, in an environment with the project, PyPI `oxigraph` and Linux, from the root of the checkout::

    python benchmarks/scale.py                                     # 1x, 10x, 100x: half an hour
    python benchmarks/scale.py --sizes 1 10 100 700                # ten million statements: hours, and 30 GB of disk
    python benchmarks/scale.py --sizes 10 100 --only views rules   # some stages, or kinds of queries

Graphs are projects that `generate.py` writes: the product reads their Turtle files and runs its own rules. 700x has ten million
statements, stated and inferred.

- One process reads the graph and runs the rules, which is measured, and then forks for each other stage and for each query, so
  that none has what another left in memory. `load` is reading the files into the store; `terms`, `shapes`, `meaning` and
  `logic` are the parts of `onemg-kg check`; `dumps` are written to disk.
- `build` is a process of its own, from start to end: load, rules, shapes, views, dumps written to disk. Its memory is that of
  the process and of those that it forked, together: what is shared counts once (Pss), looked at twice a second. Files that the
  system keeps in memory as long as nobody else wants it are no part of that.
- `site` is a process of its own too: a whole build, which then makes every file of the web site and drops it. Its time is that
  of these files; its memory is counted as that of `build`, from the start of the process. Of a size above `--site`, `--every N`
  makes of the files of single things one in N, which tells the memory of a site that would take too long (`site, one in N`).
- What is large is spooled to the folder of temporary files (TMPDIR), which should be on a disk, not in memory.
- `push` sends the N-Quads of the dumps to an empty Oxigraph server; `push again` the same when nothing has changed.
  `push loaded` takes over what Oxigraph's own loader (`loader`) put there, which is how a large graph gets into it.
- CPU seconds are those of the process and of what it started (HermiT); those of the server are told below the table. Memory is
  the most that the process had, with the graph that it asks; `of it before` is what it had when the stage began.
- A query is run twice, and again while a second has not passed; the least counts, because the first in a copy of a process pays
  for the copy. Questions are asked with the values of their headers, as a build does. `views/one` are what a person asks, the
  view of one role, of one country, and `views/page` are its first page of 50 resources.
- `growth` is the exponent of CPU seconds over statements, by least squares of logarithms, from a tenth of the largest size
  on, where the largest takes more than 20 ms. `> N s`: stopped.
"""

import argparse
import json
import math
import os
import platform
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import generate

from onemg_kg import build, check, dumps, graph, project, push, queries, questions, views
from onemg_kg.database import pieces
from onemg_kg.project import Project
from onemg_kg.spool import Files

ONE, PAGE = "views/one", "views/page"
KINDS = ("rules", "checks/data", "views", ONE, PAGE, "questions", "facets", "lists")
VALUES = {
    "by-country": "LUX",
    "by-data-life-cycle": "access",
    "by-ehds-journey": "data-access",
    "by-functionality": "storage-and-interfaces",
    "by-kind": "api-specification",
    "by-level": "required",
    "by-lifecycle-stage": "collection",
    "by-national-category": "training-materials",
    "by-project": "gdi",
    "by-role": "healthcare",
    "by-section": "access-management",
    "by-use-case": "rare-disease",
    "node-checklist": "rare-disease",
}
"""What a person asks each view for."""
STAGES = ("terms", "shapes", "meaning", "logic", "views", "questions", "dumps", "site", "push", "push loaded", "build")
ALONE = ("push", "push loaded", "site", "build")
"""The stages that do not start from a graph in memory."""
LEAST = 0.002
MOST = 0.02
"""Below so many CPU seconds a measurement is not used, and below so many at the largest size no growth is told."""

Told = dict[str, Any]


def memory(key: str = "VmRSS", process: int | str = "self") -> float:
    """Megabytes that a process has now, or with ``VmHWM`` had at most."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def cpu() -> float:
    """CPU seconds of this process and of those that it waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def server_cpu(process: int) -> float:
    """CPU seconds of another process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(act: Callable[[], object]) -> Told:
    """Do something; tell its time, the memory, and its size if it is told in a number."""
    # 5: forget how much memory there was at most.
    Path("/proc/self/clear_refs").write_text("5")
    before, used, start = memory(), cpu(), time.perf_counter()
    made = act()
    wall, used = time.perf_counter() - start, cpu() - used
    told = {"wall": wall, "cpu": used, "memory": memory("VmHWM"), "before": before}
    return {**told, "made": made} if isinstance(made, int) else told


def forked(act: Callable[[], object], limit: float, repeat: bool = False) -> Told:
    """Measure something in a copy of this process, for so many seconds at most; with ``repeat`` the least of several."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            start = time.perf_counter()
            told = measured(act)
            while repeat:
                again = measured(act)
                told |= {key: min(told[key], again[key]) for key in ("wall", "cpu")}
                repeat = time.perf_counter() - start < 1
        except BaseException as error:  # noqa: BLE001 - a copy must end here whatever happened, and its parent tells
            told = {"error": f"{type(error).__name__}: {error}"[:200]}
        os.write(writer, json.dumps(told).encode())
        os._exit(0)
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], limit)
    if not ready:
        os.kill(child, signal.SIGKILL)
    text = os.read(reader, 1 << 16) if ready else b""
    os.close(reader)
    os.waitpid(child, 0)
    return json.loads(text) if text else {"error": "was killed" if ready else f"> {limit:g} s"}


def write(files: Files, folder: Path) -> int:
    """Write files; how many bytes they have."""
    for name, blocks in files.pieces():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(blocks)
    return sum(files.told(name)[0] for name in files)


def whole(found: Project, folder: Path) -> tuple[Told, Told]:
    """The core of a build, from the files of a project to the dumps on disk: how many statements, and what it took."""
    counts: Told = {}

    def make() -> int:
        made = build.core(found)
        made.dumps.files.hold(made.files)
        counts.update(statements(made.loaded))
        return write(made.dumps.files, folder)

    with tree() as most:
        told = measured(make)
    return counts, told | {"memory": most[0]}


@contextmanager
def tree() -> Iterator[list[float]]:
    """Megabytes that this process and those that it started have together at most, what they share counted once."""
    most = [0.0]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.5):
            here = Path("/proc/self/task")
            started = [number for task in here.iterdir() for number in (task / "children").read_text().split()]
            together = 0.0
            for process in ("self", *started):
                with suppress(OSError):  # it has ended
                    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
                    together += next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
            most[0] = max(most[0], together)

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield most
    finally:
        done.set()
        sampler.join()


def statements(loaded: graph.Graph) -> Told:
    """How many statements a graph has."""
    held = {"stated": loaded.lines, "inferred": loaded.inferred_lines}
    return {name: sum(len(lines) for _, lines in pieces(graphs)) for name, graphs in held.items()}


def pushed(found: Project, path: Path, url: str, *, verify: bool) -> int:
    """Push a file of N-Quads; how many statements were sent."""
    client = push.Client(push.Endpoint(f"{url}/query", f"{url}/update", f"{url}/store"), timeout=3600)
    return push.push(found, client, push.read(path), push.Options(verify=verify)).statements


def oxigraph() -> str:
    """Oxigraph's program."""
    program = Path(sys.executable).with_name("oxigraph")
    command = str(program) if program.is_file() else shutil.which("oxigraph")
    if command is None:
        raise FileNotFoundError("no oxigraph on the PATH: install PyPI oxigraph, or leave out push with --only")
    return command


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, int]]:
    """An Oxigraph server on a folder: its URL and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = free.getsockname()
    arguments = [oxigraph(), "serve", "--location", folder, "--bind", "{}:{}".format(*place)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                with suppress(OSError), socket.create_connection(place, timeout=1):
                    break
                time.sleep(0.05)
            yield "http://{}:{}".format(*place), process.pid
        finally:
            process.kill()


def show(found: Project, loaded: graph.Graph) -> int:
    """Make every view in every form, as a build does, and drop it; how many bytes they have."""
    made = chain.from_iterable(views.forms(view, found.version) for view in views.each(found, loaded.store))
    return sum(len(piece) for _, pieces in made for piece in pieces)


def ask(loaded: graph.Graph, query: queries.Query, values: Mapping[str, str], page: queries.Page | None = None) -> int:
    """Run a query as the product does; how many rows or statements it gives."""
    text = query.bind({name: query.term(name, value) for name, value in values.items()}, page)
    if loaded.store.is_construct(text):
        return len(loaded.store.construct_lines(text))
    return len(loaded.store.select(text).rows)


def measure(folder: Path, scratch: Path, only: list[str], limit: float) -> Iterator[tuple[str, str, Told]]:
    """Measure one size.

    Yields:
        ``stage`` or the kind of a query, the name, and what was measured.
    """
    found = project.find(folder)
    rules: Told = {}
    infer, infer_on_disk = graph.infer, graph.infer_on_disk

    def timed(run: Callable[..., Any]) -> Callable[..., Any]:
        def inside(*arguments: Any) -> Any:
            made: list[Any] = []
            rules.update(measured(lambda: made.append(run(*arguments))))
            return made[0]

        return inside

    graph.infer, graph.infer_on_disk = timed(infer), timed(infer_on_disk)  # reading and inferring is one call
    held: list[graph.Graph] = []
    load = measured(lambda: held.append(graph.load(found)))
    graph.infer, graph.infer_on_disk = infer, infer_on_disk
    loaded = held[0]
    yield "size", "", statements(loaded)
    load |= {"wall": load["wall"] - rules["wall"], "cpu": load["cpu"] - rules["cpu"], "memory": rules["before"]}
    yield "stage", "load", load
    yield "stage", "rules", rules
    stages: dict[str, Callable[[], object]] = {
        **{kind: lambda kind=kind: len(check.run(found, loaded, (kind,))) for kind in check.KINDS},
        "views": lambda: show(found, loaded),
        "questions": lambda: sum(map(len, questions.render(questions.answers(found, loaded.store)).values())),
        "dumps": lambda: write(dumps.write(loaded, found.version, {}).files, scratch),
    }
    for name, act in stages.items():
        if name in only:
            yield "stage", name, forked(act, limit)
    for kind in KINDS:
        narrow = kind in (ONE, PAGE)
        page = queries.Page(1, 50) if kind == PAGE else None
        for query in queries.folder(found, "views" if narrow else kind) if kind in only else ():
            values = dict.fromkeys(query.parameters, VALUES[query.name]) if narrow else query.examples
            yield kind, query.name, forked(partial(ask, loaded, query, values, page), limit, repeat=True)


def sample(built: build.Built, every: int) -> Iterator[Iterable[bytes]]:
    """The files of a site: all but those of single things and of the graphs of single files, and of these one in some."""
    for number, (path, content) in enumerate(built.pages()):
        if number % every == 0 or not path.startswith(("id/", "graph/data/")):
            yield content


def alone(stage: str, folder: Path, scratch: Path, every: int) -> Iterator[tuple[str, str, Told]]:
    """Measure a stage that has a process of its own from the start: ``build``, ``site``, or pushes.

    Args:
        stage: which; for pushes that, and the URL of a server.
        folder: of the project.
        scratch: where files are made.
        every: of the files of single things in a site one in so many is made.
    """
    found = project.find(folder)
    if stage == "build":
        counts, told = whole(found, scratch)
        yield "size", "", counts
        yield "stage", stage, told
    elif stage == "site":
        with tree() as most:
            built = build.make(found)
            told = measured(lambda: sum(len(piece) for content in sample(built, every) for piece in content))
        yield "size", "", {"stated": built.stated, "inferred": built.inferred}
        yield "stage", stage if every == 1 else f"site, one in {every}", told | {"memory": most[0]}
    else:
        first, url = stage.split("=")
        for name in ("push", "push again") if first == "push" else (first,):
            verify = name == "push loaded"
            yield "stage", name, measured(lambda verify=verify: pushed(found, scratch / "framework.nq", url, verify=verify))


def run(times: int, folder: Path, only: list[str], limit: float, every: int) -> Told:
    """Everything of one size, each line of a process as it comes."""
    told: Told = {"times": times, "stages": {}, "queries": {}}
    source, scratch = folder / f"{times}x", folder / f"{times}x-made"
    if not source.is_dir():
        subprocess.run([sys.executable, Path(__file__).with_name("generate.py"), str(times), source], check=True)
    # A graph that was made before may have queries of that time.
    shutil.copytree(project.find(generate.ROOT).folder("queries"), source / "queries", dirs_exist_ok=True)
    command = [sys.executable, __file__, "--folder", source, "--made", scratch, "--limit", str(limit)]
    command += ["--every", str(every), "--only", *only]
    if set(only) - set(ALONE):
        _collect(told, [*command, "--part", "measure"], None)
    for part in (part for part in ALONE if part in only):
        if part.startswith("push"):
            place = scratch / part.replace(" ", "-")
            if part == "push loaded":
                load = [oxigraph(), "load", "--lenient", "--location", place, "--file", scratch / "framework.nq"]
                loaded = measured(lambda load=load: subprocess.run(load, check=True, capture_output=True))
                told["stages"]["loader"] = {name: loaded[name] for name in ("wall", "cpu")}
            with server(place) as (url, process):
                _collect(told, [*command, "--part", f"{part}={url}"], limit, process)
            shutil.rmtree(place)
        else:
            _collect(told, [*command, "--part", part], limit)
        if not any(stage.startswith(part) for stage in told["stages"]):
            told["stages"][part] = {"error": f"> {limit:g} s"}
    shutil.rmtree(scratch, ignore_errors=True)
    return told


def _collect(told: Told, command: list[str | Path], limit: float | None, server: int | None = None) -> None:
    """Add what a process measures, each line as it comes, and what a server used, until it ends or a time has passed."""
    used = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        stop = threading.Timer(limit or 0, process.kill)
        if limit:
            stop.start()
        for line in process.stdout:
            kind, name, one = json.loads(line)
            if server:
                before, used = used, server_cpu(server)
                one |= {"server cpu": used - before, "server memory": memory("VmHWM", server)}
            sys.stderr.write(f"{told['times']}x {kind} {name} {json.dumps(one)}\n")
            if kind == "size":
                told.update(one | {name: told[name] for name in one.keys() & told.keys()})  # the first is of the whole graph
            elif kind == "stage":
                told["stages"][name] = one
            else:
                told["queries"].setdefault(kind, {})[name] = one
        stop.cancel()


def growth(sizes: list[Told], get: Callable[[Told], Told]) -> float | None:
    """The exponent of CPU seconds over statements, from a tenth of the largest size that was measured on."""
    measured = [size for size in sizes if get(size).get("cpu", 0) >= LEAST]
    points = [
        (math.log(size["stated"] + size["inferred"]), math.log(get(size)["cpu"]))
        for size in measured
        if size["times"] * 10 >= measured[-1]["times"]
    ]
    if len(points) < 2 or get(measured[-1])["cpu"] < MOST:
        return None
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def allowed(sizes: list[Told]) -> float:
    """The exponent that n log n has between the same sizes."""
    fitted = [{**size, "cpu": (n := size["stated"] + size["inferred"]) * math.log(n)} for size in sizes]
    return growth(fitted, lambda size: size) or 1.0


def _cell(one: Told, key: str, digits: int = 2) -> str:
    return one["error"] if "error" in one and key == "cpu" else f"{one[key]:,.{digits}f}" if key in one else ""


def table(result: Told) -> str:
    """What was measured, in Markdown."""
    sizes = result["sizes"]
    lines = ["| stage | size | wall s | CPU s | memory MB | of it before | growth |", "|---|---:|---:|---:|---:|---:|---:|"]
    for stage in dict.fromkeys(name for size in sizes for name in size["stages"]):
        measured = [size for size in sizes if stage in size["stages"]]
        for size in measured:
            one = size["stages"][stage]
            told = result["growth"].get(stage) if size is measured[-1] else None
            cells = (_cell(one, "wall"), _cell(one, "cpu"), _cell(one, "memory", 0), _cell(one, "before", 0))
            lines.append(f"| {stage} | {size['times']}x | {' | '.join(cells)} | {'' if told is None else f'{told:.2f}'} |")
    columns = [f"{size['times']}x, CPU s" for size in sizes]
    if any(size["queries"] for size in sizes):
        lines += ["", f"| query | {' | '.join(columns)} | rows | growth |", "|---" + "|---:" * (len(sizes) + 2) + "|"]
    for kind in KINDS:
        for name in dict.fromkeys(name for size in sizes for name in size["queries"].get(kind, ())):
            every = [size["queries"].get(kind, {}).get(name, {}) for size in sizes]
            told = result["growth"].get(f"{kind}/{name}")
            rows = _cell(every[-1], "made", 0)
            cells = " | ".join(_cell(one, "cpu", 3) for one in every)
            lines.append(f"| {kind}/{name} | {cells} | {rows} | {'' if told is None else f'{told:.2f}'} |")
    for size in sizes:
        for name, one in size["stages"].items():
            if "server cpu" in one:
                took = f"{one['server cpu']:.1f} CPU s, {one['server memory']:,.0f} MB"
                lines += ["", f"{name} at {size['times']}x: the server took {took}."]
    faster = [name for name, told in result["growth"].items() if told > result["n log n"] + 0.1]
    statements = ", ".join(f"{size['times']}x {size.get('stated', 0):,} + {size.get('inferred', 0):,}" for size in sizes)
    lines += ["", f"Statements, stated and inferred: {statements}. n log n would grow with {result['n log n']:.2f}."]
    lines.append(f"Faster than that by more than 0.1: {', '.join(faster) or 'nothing'}.")
    lines.append(f"{result['machine']}, {result['date']}; {', '.join(f'{k} {v}' for k, v in result['versions'].items())}.")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line: which sizes, what of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100], help="how many times the real graph (1 10 100)")
    parser.add_argument("--site", type=int, default=10, help="the largest size of which the whole site is made (10)")
    parser.add_argument("--every", type=int, default=0, help="of larger sites make one in so many files of things (0: none)")
    parser.add_argument("--push", type=int, default=100, help="the largest size that is pushed to an empty store (100)")
    parser.add_argument("--only", nargs="+", choices=(*STAGES, *KINDS), default=[*STAGES, *KINDS], help="what to measure")
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which a measurement is stopped (1800)")
    parser.add_argument("--folder", type=Path, help="where graphs are made, and found again (a folder that goes)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--with", type=Path, metavar="FILE", dest="others", help="figures of other sizes, measured before")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--made", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        part, folder, made = arguments.part, arguments.folder, arguments.made
        one = measure(folder, made, arguments.only, arguments.limit)
        for told in one if part == "measure" else alone(part, folder, made, arguments.every):
            print(json.dumps(told), flush=True)
        return
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="onemg-scale-"))
    folder.mkdir(parents=True, exist_ok=True)
    pushes = {"push", "push loaded"} & {*arguments.only}
    only = arguments.only + (["dumps"] if pushes and "dumps" not in arguments.only else [])
    largest = {"site": math.inf if arguments.every else arguments.site, "push": arguments.push}
    sizes = json.loads(arguments.others.read_text())["sizes"] if arguments.others else []
    for times in sorted(arguments.sizes):
        kept = [name for name in only if times <= largest.get(name, times)]
        sizes.append(run(times, folder, kept, arguments.limit, arguments.every if times > arguments.site else 1))
    sizes.sort(key=lambda size: size["times"])
    if arguments.folder is None:
        shutil.rmtree(folder)
    stages = dict.fromkeys(name for size in sizes for name in size["stages"])
    asked = dict.fromkeys((kind, name) for size in sizes for kind, names in size["queries"].items() for name in names)
    exponents = {name: growth(sizes, lambda size, name=name: size["stages"].get(name, {})) for name in stages}
    for kind, name in asked:
        exponents[f"{kind}/{name}"] = growth(sizes, lambda size, k=kind, n=name: size["queries"].get(k, {}).get(n, {}))
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in ("pyoxigraph", "shacl")}},
        "sizes": sizes,
        "growth": {name: told for name, told in exponents.items() if told is not None},
        "n log n": allowed(sizes),
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(table(result))


if __name__ == "__main__":
    main()
