"""Measure SHACL validators on the real graph and on graphs of its shape, beside pySHACL.

Each measurement is a fresh process that reads data and shapes from files and validates; importing the library does not count.
The table compares within one run: seconds depend on the machine and on what else it does, ratios much less.
"""

import argparse
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import generate
import rdflib
from rdflib.namespace import RDF, SH

Report = Callable[[], rdflib.Graph]
REPEAT = {1: 5, 10: 3}
"""How often each engine is measured at a size; else once."""


@dataclass(frozen=True)
class Measured:
    """What one process says, or several by their medians.

    Attributes:
        wall: seconds to read data and shapes and validate; the limit, where that was not enough.
        cpu: processor seconds of the same.
        memory: the most memory that the process had, in MB.
        findings: what was found, sorted.
        failed: why there is no measurement, in a few words.
    """

    wall: float
    cpu: float = 0
    memory: float = 0
    findings: Sequence[str] = ()
    failed: str = ""


def _parse(path: str) -> rdflib.Graph:
    return rdflib.Graph().parse(path, format="nt")


def pyshacl(data: str, shapes: str) -> Report:
    """The reference, on rdflib."""
    import pyshacl

    _, report, _ = pyshacl.validate(_parse(data), shacl_graph=_parse(shapes), inference="none")
    assert isinstance(report, rdflib.Graph)
    return lambda: report


def shacl(data: str, shapes: str) -> Report:
    """What onemg_kg uses."""
    import shacl

    report = shacl.Shapes.from_file(shapes).validate_file(data)
    return lambda: rdflib.Graph().parse(data=report.serialize("ntriples"), format="nt")


def pyshacl_turbo(data: str, shapes: str) -> Report:
    """The interface of pySHACL, compiled."""
    import pyshacl_turbo

    _, report, _ = pyshacl_turbo.validate(data, shacl_graph=shapes, data_graph_format="nt", shacl_graph_format="nt")
    return lambda: report


def pyshifty(data: str, shapes: str) -> Report:
    """Its report as the SHACL recommendation has it."""
    import shifty

    _, report, _ = shifty.PreparedValidator(Path(shapes)).validate(Path(data))
    return lambda: report


def pyrudof(data: str, shapes: str) -> Report:
    """The native validator of rudof."""
    import pyrudof

    rudof = pyrudof.Rudof(pyrudof.RudofConfig())
    rudof.read_data(data, pyrudof.RDFFormat.NTriples)
    rudof.read_shacl(shapes, pyrudof.ShaclFormat.NTriples)
    rudof.validate_shacl()
    written = rudof.serialize_shacl_validation_results(pyrudof.ResultShaclValidationFormat.Turtle)
    return lambda: rdflib.Graph().parse(data=written, format="turtle")


ENGINES: dict[str, tuple[str, Callable[[str, str], Report]]] = {
    "pyshacl": ("pyshacl", pyshacl),
    "shacl": ("shacl", shacl),
    "pyshacl-turbo": ("pyshacl_turbo", pyshacl_turbo),
    "pyshifty": ("shifty", pyshifty),
    "pyrudof": ("pyrudof", pyrudof),
}
"""Distribution -> module and how it validates. What is not installed is left out."""


def findings(report: rdflib.Graph) -> Counter[str]:
    """What a report says: node, property, value, component and severity of each result; a path of several steps is one word."""
    found: Counter[str] = Counter()
    for result in report.subjects(RDF.type, SH.ValidationResult):
        path, value = report.value(result, SH.resultPath), report.value(result, SH.value)
        row = (
            report.value(result, SH.focusNode),
            "path" if isinstance(path, rdflib.BNode) else path,
            "blank" if isinstance(value, rdflib.BNode) else value,
            report.value(result, SH.sourceConstraintComponent),
            report.value(result, SH.resultSeverity),
        )
        found[" ".join("-" if part is None else str(part) for part in row)] += 1
    return found


def measure(engine: str, data: str, shapes: str) -> Measured:
    """One measurement in this process, which should be fresh."""
    module, validate = ENGINES[engine]
    importlib.import_module(module)
    wall, cpu = time.perf_counter(), time.process_time()
    report = validate(data, shapes)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Measured(wall, cpu, _most_memory(), sorted(findings(report()).elements()))


def _most_memory() -> float:
    """The most memory of this process, in MB. Linux only: getrusage would count the memory of the process that started it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].removesuffix("kB")) / 1024


def in_process(engine: str, data: Path, shapes: Path, limit: float) -> Measured:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", engine, str(data), str(shapes)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Measured(limit, failed=f"over {limit:.0f}")
    if done.returncode:
        sys.stderr.write(done.stderr)
        return Measured(0, failed="fails")
    return Measured(**json.loads(done.stdout))


def median(results: list[Measured]) -> Measured:
    """The medians; the failure, if one failed."""
    for result in results:
        if result.failed:
            return result
    wall, cpu, memory = (statistics.median(getattr(r, name) for r in results) for name in ("wall", "cpu", "memory"))
    return Measured(wall, cpu, memory, results[0].findings)


def row(start: str, result: Measured, reference: Measured) -> str:
    """A line of the table: one engine beside the reference."""
    if result.failed:
        return f"{start} {result.failed} | | | | | | |"
    numbers = f"{start} {result.wall:.2f} | {result.cpu:.2f} | {result.memory:.0f} | {len(result.findings):,} |"
    if reference.failed:
        return f"{numbers} not known | > {reference.wall / result.wall:.0f} | |"
    missed, alarms = (
        sum((Counter(one) - Counter(other)).values())
        for one, other in ((reference.findings, result.findings), (result.findings, reference.findings))
    )
    same = f"no: {missed} missed, {alarms} too many" if missed or alarms else "yes"
    return f"{numbers} {same} | {reference.wall / result.wall:.1f} | {reference.cpu / result.cpu:.1f} |"


def table(sizes: list[int], repeat: int | None, folder: Path, limit: float, engines: list[str]) -> str:
    """Measure and write the Markdown table; progress goes to standard error."""
    quads, shape_quads = generate.real()
    shapes = folder / "shapes.nt"
    generate.write(shape_quads, shapes)
    quads = generate.with_errors(quads)
    rows = ["| size | statements | engine | wall s | CPU s | memory MB | findings | same | times faster, wall | by CPU |"]
    rows.append("|---:|---:|---|---:|---:|---:|---:|---|---:|---:|")
    for size in sizes:
        data = folder / f"{size}x.nt"
        generate.write(generate.copies(quads, size), data)
        with data.open("rb") as lines:
            statements = sum(1 for _ in lines)
        results: dict[str, list[Measured]] = {engine: [] for engine in engines}
        for number in range(repeat or REPEAT.get(size, 1)):
            for engine in engines:  # in turn, so that a busy minute hits all of them
                result = in_process(engine, data, shapes, limit)
                results[engine].append(result)
                told = result.failed or f"{result.wall:.2f} s, {len(result.findings)} findings"
                sys.stderr.write(f"{size}x {engine} {number + 1}: {told}\n")
        for engine in engines:
            start = f"| {size}x | {statements:,} | {engine} {version(engine)} |"
            rows.append(row(start, median(results[engine]), median(results["pyshacl"])))
    return "\n".join(rows) + "\n"


def main() -> None:
    """Command line: which sizes and engines, how long each may take, where the table goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100], metavar="N", help="times the real graph")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES), help="what to compare with pyshacl")
    parser.add_argument("--repeat", type=int, metavar="N", help="measurements of each (default: 5 at 1x, 3 at 10x, else 1)")
    parser.add_argument("--limit", type=float, default=3600, metavar="SECONDS", help="for one measurement (default: an hour)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("validate.md"), help="the table's file")
    parser.add_argument("--measure", nargs=3, metavar=("ENGINE", "DATA", "SHAPES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        json.dump(asdict(measure(*arguments.measure)), sys.stdout)
        return
    wanted = ["pyshacl", *(engine for engine in arguments.engines if engine != "pyshacl")]
    missing = [engine for engine in wanted if importlib.util.find_spec(ENGINES[engine][0]) is None]
    if missing:
        sys.stderr.write(f"not installed, so left out: {', '.join(missing)}\n")
    with tempfile.TemporaryDirectory() as folder:
        engines = [engine for engine in wanted if engine not in missing]
        written = table(arguments.sizes, arguments.repeat, Path(folder), arguments.limit, engines)
    arguments.out.write_text(f"{_head()}\n{written}", encoding="utf-8")


def _head() -> str:
    return (
        "# SHACL validators, measured\n\n"
        "Written by `benchmarks/validate.py`; [README.md](README.md) says what is measured and how to repeat it.\n\n"
        f"Python {platform.python_version()}, rdflib {version('rdflib')}, {platform.system()} {platform.machine()}.\n"
    )


if __name__ == "__main__":
    main()
