"""Measure how long the command line takes from its start to its end, beside bare Python and beside rdflib.

Repeat, in an environment with the project, from the root of the checkout::

    python benchmarks/start.py                 # medians of 15; two minutes
    python benchmarks/start.py --repeat 51 --query by-level

Each measurement is a fresh process, and cases take turns, so that what else the machine does weighs on all alike. `cold` has an
empty cache and fills it, `off` has none. The rdflib script is what a user would write: read the Turtle files into a graph and
run the same query; it infers nothing, so its rows may be fewer. Compiled Python files and the cache are in a folder of its own.
On a busy machine user CPU says more than wall time, and the smallest figure more than the median.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = "import sys; sys.argv[0] = 'onemg-kg'; from onemg_kg.cli import main; main()"
RDFLIB = """
import sys
from pathlib import Path
from rdflib import Graph
root, query = Path(sys.argv[1]), Path(sys.argv[2])
graph = Graph()
for folder in ("ontology", "data"):
    for path in (root / folder).rglob("*.ttl"):
        graph.parse(path, format="turtle")
for row in graph.query(query.read_text()):
    print(*row, sep="\\t")
"""

Figures = tuple[float, float, float]
"""Seconds: wall, CPU of the process itself, CPU with that of the system."""


def run(words: list[str], environment: dict[str, str]) -> Figures:
    """One process, from start to end."""
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, cwd=ROOT) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words} failed with exit code {process.returncode}")
    return time.perf_counter() - start, used.ru_utime, used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15, help="how often each case runs (default: 15)")
    parser.add_argument("--query", default="required-of-every-node", help="a question or view (default: %(default)s)")
    options = parser.parse_args()
    (file,) = (ROOT / "queries").glob(f"*/{options.query}.rq")
    program = ["-c", PROGRAM, "--project", str(ROOT)]
    cases = {
        "python -I -S -c pass": (["-I", "-S", "-c", "pass"], "warm"),
        "python -c pass": (["-c", "pass"], "warm"),
        "--help": (["-c", PROGRAM, "--help"], "warm"),
        "list, warm": ([*program, "list"], "warm"),
        "query, warm": ([*program, "query", options.query], "warm"),
        "query, cold": ([*program, "query", options.query], "cold"),
        "query, off": ([*program, "query", options.query], "off"),
        "rdflib": (["-c", RDFLIB, str(ROOT), str(file)], "warm"),
    }
    figures: dict[str, list[Figures]] = {name: [] for name in cases}
    with tempfile.TemporaryDirectory() as folder:
        caches = {name: Path(folder, name) for name in ("warm", "cold", "off")}
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled"))}
        for turn in range(options.repeat + 1):
            for name, (words, state) in cases.items():
                if state == "cold":
                    shutil.rmtree(caches["cold"], ignore_errors=True)
                own = {"XDG_CACHE_HOME": str(caches[state]), "ONEMG_CACHE": "off" if state == "off" else ""}
                figure = run(words, environment | own)
                if turn:  # the first compiles, and fills the cache
                    figures[name].append(figure)
    middle = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in figures.items()}
    least = {name: [min(column) for column in zip(*rows, strict=True)] for name, rows in figures.items()}
    bare, rdflib = "python -c pass", "rdflib"
    print(
        f"{options.query}, {options.repeat} runs; milliseconds, medians (smallest); beyond bare Python, and rdflib through it\n"
    )
    print(f"{'case':<22}{'wall':>16}{'user CPU':>16}{'CPU':>16}{'beyond, wall':>16}{'beyond, user':>16}{'rdflib / it':>13}")
    for name in cases:
        cells = [f"{middle[name][at] * 1e3:.0f} ({least[name][at] * 1e3:.0f})" for at in range(3)]
        for at in range(2):
            more = [(table[name][at] - table[bare][at]) * 1e3 for table in (middle, least)]
            cells.append(f"{more[0]:+.0f} ({more[1]:+.0f})")
        print(f"{name:<22}" + "".join(f"{cell:>16}" for cell in cells) + f"{middle[rdflib][0] / middle[name][0]:>13.1f}")


if __name__ == "__main__":
    main()
