"""Measure how long the command line takes from its start to its end, beside Python, rdflib, pySHACL and Jena.

Repeat, in an environment with the project, from the root of the checkout::

    python benchmarks/start.py                 # medians of 15; four minutes
    python benchmarks/start.py --repeat 51 --query by-level

Each measurement is a fresh process, and cases take turns, so that what else the machine does weighs on all alike; slow ones
run in every fifth turn. `cold` has an empty cache and fills it, `off` has none. `files` are the Turtle files of the project,
from which the scripts infer nothing, so their rows may differ; `one file` is N-Triples of all, with what follows. The scripts
are what a user would write. Jena's tools are Debian's `libapache-jena-java`: their class path is made here, because as
packaged they do not start. Compiled Python files and the cache are in a folder of its own. On a busy machine user CPU says
more than wall time, and the smallest figure more than the median.
"""

import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import generate
from report import ROOT, Report, table

PROGRAM = "import sys; sys.argv[0] = 'onemg-kg'; from onemg_kg.cli import main; main()"
RDFLIB = """
import sys
from pathlib import Path
from rdflib import Graph
query, graph = Path(sys.argv[1]), Graph()
for place in map(Path, sys.argv[2:]):
    for path in place.rglob("*.ttl") if place.is_dir() else [place]:
        graph.parse(path, format="turtle" if place.is_dir() else "nt")
sys.stdout.buffer.write(graph.query(query.read_text()).serialize(format="csv"))
"""
OXIGRAPH = """
import sys
from pathlib import Path
from pyoxigraph import QueryResultsFormat, RdfFormat, Store
store = Store()
store.bulk_load(path=sys.argv[2], format=RdfFormat.N_TRIPLES, lenient=True)
store.query(Path(sys.argv[1]).read_text()).serialize(sys.stdout.buffer, QueryResultsFormat.CSV)
"""
JARS = Path("/usr/share/java")
JENA = """jena-cmds jena-arq jena-core jena-base jena-iri jena-shacl jena-shex jena-rdfconnection jena-dboe-base
jena-dboe-storage jena-dboe-transaction jena-dboe-index jena-dboe-trans-data jena-tdb jena-tdb2 thrift dexx.collection
protobuf guava commons-codec commons-csv commons-cli commons-lang3 commons-io commons-compress slf4j-api slf4j-nop httpclient
httpcore jsonld-java jackson-core jackson-databind jackson-annotations gson titanium-json-ld jakarta.json-api""".split()
MESSAGES = "org/apache/jena/ext/"
"""Where the packaged Jena has files that it looks for one folder higher."""
BARE = "python -c pass"

Figures = tuple[float, float, float]
"""Milliseconds: wall, CPU of the process itself, CPU with that of the system."""


@dataclass(frozen=True)
class Case:
    """What is run.

    Attributes:
        command: program and arguments.
        state: of the cache.
        slow: it runs in every fifth turn.
        rows: it writes the rows of the query as CSV.
        codes: exit codes that are no failure.
    """

    command: list[str]
    state: str = "warm"
    slow: bool = False
    rows: bool = False
    codes: tuple[int, ...] = (0,)


def run(case: Case, environment: dict[str, str], out: Path) -> Figures:
    """One process, from start to end."""
    with out.open("wb") as file:
        start = time.perf_counter()
        with subprocess.Popen(case.command, env=environment, stdout=file, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
    if process.returncode not in case.codes:
        raise SystemExit(f"{case.command} failed with exit code {process.returncode}")
    return wall * 1e3, used.ru_utime * 1e3, (used.ru_utime + used.ru_stime) * 1e3


def jena(folder: Path, report: Report) -> list[str]:
    """The start of a command line of Jena's tools; empty where they are not installed."""
    java, missing = shutil.which("java"), [name for name in JENA if not (JARS / f"{name}.jar").exists()]
    if java is None or missing:
        report.left_out(f"Jena: {'no Java' if java is None else f'no {missing[0]}.jar'} (Debian: libapache-jena-java, java)")
        return []
    with zipfile.ZipFile(JARS / "jena-core.jar") as packed:
        for name in packed.namelist():
            if name.startswith(MESSAGES) and name.endswith(".properties"):
                path = folder / name.removeprefix(MESSAGES)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(packed.read(name))
    releases = [path.stem.removeprefix("jena-core-") for path in JARS.glob("jena-core-*.jar")]
    report.version("Jena", releases[0] if releases else "unknown")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    report.version("Java", said.partition('"')[2].partition('"')[0])
    return [java, "-cp", ":".join([str(folder), *(str(JARS / f"{name}.jar") for name in JENA)])]


def cases(query: str, folder: Path, report: Report) -> dict[str, Case]:
    """What is run, by name."""
    (file,) = (ROOT / "queries").glob(f"*/{query}.rq")
    python, one, shapes = sys.executable, folder / "everything.nt", folder / "shapes.nt"
    quads, shape_quads = generate.real()
    generate.write(quads, one)
    generate.write(shape_quads, shapes)
    program = [python, "-c", PROGRAM, "--project", str(ROOT)]
    ask = [*program, "query", query, "--format", "csv"]
    files = [str(ROOT / name) for name in ("ontology", "data")]
    found = {
        "python -I -S -c pass": Case([python, "-I", "-S", "-c", "pass"]),
        BARE: Case([python, "-c", "pass"]),
        "onemg-kg --help": Case([python, "-c", PROGRAM, "--help"]),
        "onemg-kg list": Case([*program, "list"]),
        "onemg-kg query": Case(ask, rows=True),
        "onemg-kg query, cold": Case(ask, "cold", rows=True),
        "onemg-kg query, off": Case(ask, "off", rows=True),
        "pyoxigraph, one file": Case([python, "-c", OXIGRAPH, str(file), str(one)], rows=True),
        "rdflib, one file": Case([python, "-c", RDFLIB, str(file), str(one)], slow=True, rows=True),
        "rdflib, files": Case([python, "-c", RDFLIB, str(file), *files], slow=True, rows=True),
    }
    if tools := jena(folder / "jena", report):
        asked = ["arq.sparql", "--data", str(one), "--query", str(file), "--results", "CSV"]
        found["Jena sparql, one file"] = Case([*tools, *asked], slow=True, rows=True)
        found["Jena riot, one file"] = Case([*tools, "riotcmd.riot", "--output=ntriples", str(one)], slow=True)
    validator = [python, "-m", "pyshacl", "-s", str(shapes), "-sf", "nt", "-df", "nt", str(one)]
    return found | {
        "onemg-kg check --only shapes": Case([*program, "check", "--only", "shapes"], slow=True, codes=(0, 1)),
        "pyshacl, one file": Case(validator, slow=True, codes=(0, 1)),
        "onemg-kg check": Case([*program, "check"], slow=True, codes=(0, 1)),
    }


def measure(found: dict[str, Case], repeat: int, folder: Path, report: Report) -> None:
    """All cases in turn; what is told is written into the report."""
    caches = {name: folder / "caches" / name for name in ("warm", "cold", "off")}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    figures: dict[str, list[Figures]] = {name: [] for name in found}
    out, rows = folder / "out", {}
    for turn in range(repeat + 1):
        for name, case in found.items():
            if turn and case.slow and turn % 5 != 1:
                continue
            if case.state == "cold":
                shutil.rmtree(caches["cold"], ignore_errors=True)
            own = {"XDG_CACHE_HOME": str(caches[case.state]), "ONEMG_CACHE": "off" if case.state == "off" else ""}
            figure = run(case, environment | own, out)
            if turn:
                figures[name].append(figure)
            elif case.rows:  # the first run compiles, and fills the cache
                with out.open(encoding="utf-8", newline="") as lines:
                    rows[name] = sum(1 for row in csv.reader(lines) if row) - 1
    for name, measured in figures.items():
        middle, least = ([act(column) for column in zip(*measured, strict=True)] for act in (statistics.median, min))
        report.figures["cases"][name] = {
            "runs": len(measured),
            **{key: round(middle[at], 2) for at, key in enumerate(("wall", "user", "cpu"))},
            **{f"least {key}": round(least[at], 2) for at, key in enumerate(("wall", "user", "cpu"))},
            "rows": rows.get(name),
        }
    report.write()


def rows(figures: dict[str, Any]) -> str:
    """The measurements in Markdown."""
    told = figures["cases"]
    bare = told[BARE]
    head = ["case", "runs", "wall ms", "least", "user CPU ms", "least", "beyond bare, wall", "by least user", "rows"]
    lines = []
    for name, one in told.items():
        beyond = one["wall"] - bare["wall"], one["least user"] - bare["least user"]
        figures_ = [one[key] for key in ("wall", "least wall", "user", "least user")]
        lines.append([f"`{name}`", one["runs"], *figures_, *(f"{value:+.0f}" for value in beyond), one["rows"]])
    return table(head, lines)


def main() -> None:
    """Command line: how often, which query."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15, help="how often each case runs (default: 15)")
    parser.add_argument("--query", default="required-of-every-node", help="a question or view (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    report = Report(options.json, ["pyoxigraph", "pyshacl", "rdflib", "shacl"])
    report.figures |= {"query": options.query, "cases": {}}
    with tempfile.TemporaryDirectory() as folder:
        measure(cases(options.query, Path(folder), report), options.repeat, Path(folder), report)
    sys.stdout.write(rows(report.figures))


if __name__ == "__main__":
    main()
