"""Measure SHACL validators on the real graph and on graphs of its shape, beside pySHACL.

Each measurement is a fresh process that reads data and shapes from files and validates; importing the library does not count.
The table compares within one run: seconds depend on the machine and on what else it does, ratios less.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import generate
import rdflib
from rdflib.namespace import RDF, SH
from report import Report, table

Findings = Callable[[], rdflib.Graph]
Row = dict[str, Any]
REPEAT = {1: 5}
"""How often each engine is measured at a size; else once."""
DECIDING = ("pyshacl", "shacl")
"""The reference, and the engine that is used: measured at every size."""


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


def pyshacl(data: str, shapes: str) -> Findings:
    """The reference, on rdflib."""
    import pyshacl

    _, report, _ = pyshacl.validate(_parse(data), shacl_graph=_parse(shapes), inference="none")
    assert isinstance(report, rdflib.Graph)
    return lambda: report


def shacl(data: str, shapes: str) -> Findings:
    """What onemg_kg uses."""
    import shacl

    report = shacl.Shapes.from_file(shapes).validate_file(data)
    return lambda: rdflib.Graph().parse(data=report.serialize("ntriples"), format="nt")


def pyshacl_turbo(data: str, shapes: str) -> Findings:
    """The interface of pySHACL, compiled."""
    import pyshacl_turbo

    _, report, _ = pyshacl_turbo.validate(data, shacl_graph=shapes, data_graph_format="nt", shacl_graph_format="nt")
    return lambda: report


def pyshifty(data: str, shapes: str) -> Findings:
    """Its report as the SHACL recommendation has it."""
    import shifty

    _, report, _ = shifty.PreparedValidator(Path(shapes)).validate(Path(data))
    return lambda: report


def pyrudof(data: str, shapes: str) -> Findings:
    """The native validator of rudof."""
    import pyrudof

    rudof = pyrudof.Rudof(pyrudof.RudofConfig())
    rudof.read_data(data, pyrudof.RDFFormat.NTriples)
    rudof.read_shacl(shapes, pyrudof.ShaclFormat.NTriples)
    rudof.validate_shacl()
    written = rudof.serialize_shacl_validation_results(pyrudof.ResultShaclValidationFormat.Turtle)
    return lambda: rdflib.Graph().parse(data=written, format="turtle")


ENGINES: dict[str, tuple[str, Callable[[str, str], Findings]]] = {
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


def compared(result: Measured, reference: Measured) -> dict[str, object]:
    """What one engine measured, beside the reference."""
    if result.failed:
        return {"failed": result.failed}
    figures = {"wall": round(result.wall, 3), "cpu": round(result.cpu, 3), "memory": round(result.memory), "failed": ""}
    if reference.failed:
        return figures | {"findings": len(result.findings), "missed": None, "alarms": None, "times": None, "times by CPU": None}
    missed, alarms = (
        sum((Counter(one) - Counter(other)).values())
        for one, other in ((reference.findings, result.findings), (result.findings, reference.findings))
    )
    times = {"times": round(reference.wall / result.wall, 2), "times by CPU": round(reference.cpu / result.cpu, 2)}
    return figures | {"findings": len(result.findings), "missed": missed, "alarms": alarms, **times}


def run(sizes: list[int], repeat: int | None, folder: Path, limit: float, engines: list[str], others: int) -> Iterator[Row]:
    """Measure, size by size; progress goes to standard error."""
    quads, shape_quads = generate.real()
    shapes = folder / "shapes.nt"
    generate.write(shape_quads, shapes)
    quads = generate.with_errors(quads)
    for size in sizes:
        data = folder / f"{size}x.nt"
        generate.write(generate.copies(quads, size), data)
        with data.open("rb") as lines:
            statements = sum(1 for _ in lines)
        results: dict[str, list[Measured]] = {name: [] for name in engines if size <= others or name in DECIDING}
        runs = repeat or REPEAT.get(size, 1)
        for number in range(runs):
            for engine, measured in results.items():  # in turn, so that a busy minute hits all of them
                measured.append(in_process(engine, data, shapes, limit))
                told = measured[-1].failed or f"{measured[-1].wall:.2f} s, {len(measured[-1].findings)} findings"
                sys.stderr.write(f"{size}x {engine} {number + 1}: {told}\n")
        for engine, measured in results.items():
            figures = compared(median(measured), median(results["pyshacl"]))
            yield {"size": size, "statements": statements, "engine": engine, "runs": runs, **figures}
        data.unlink()


def same(row: Row) -> str:
    """Whether an engine finds what the reference finds, in words."""
    if row["missed"] is None:
        return "not known"
    return f"no: {row['missed']:,} missed, {row['alarms']:,} too many" if row["missed"] or row["alarms"] else "yes"


def rows(found: list[Row]) -> str:
    """The measurements in Markdown."""
    head = [
        "size",
        "statements",
        "engine",
        "runs",
        "wall s",
        "CPU s",
        "memory MB",
        "findings",
        "same",
        "times faster, wall",
        "by CPU",
    ]
    lines = []
    for row in found:
        start = [f"{row['size']}x", row["statements"], row["engine"], row["runs"]]
        if row["failed"]:
            lines.append([*start, row["failed"], *[None] * 6])
        else:
            figures = [row[name] for name in ("wall", "cpu", "memory", "findings")]
            lines.append([*start, *figures, same(row), row["times"], row["times by CPU"]])
    return table(head, lines)


def main() -> None:
    """Command line: which sizes and engines, how long each may take, where the table goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100], metavar="N", help="times the real graph")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES), help="what to compare with pyshacl")
    parser.add_argument("--repeat", type=int, metavar="N", help="measurements of each (default: 5 at 1x, else 1)")
    parser.add_argument("--limit", type=float, default=3600, metavar="SECONDS", help="for one measurement (default: an hour)")
    parser.add_argument(
        "--others", type=int, default=10, metavar="N", help="the largest size for others than pyshacl and shacl"
    )
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--measure", nargs=3, metavar=("ENGINE", "DATA", "SHAPES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        json.dump(asdict(measure(*arguments.measure)), sys.stdout)
        return
    wanted = ["pyshacl", *(engine for engine in arguments.engines if engine != "pyshacl")]
    engines = [engine for engine in wanted if importlib.util.find_spec(ENGINES[engine][0])]
    report = Report(arguments.json, ["rdflib", *engines])
    for engine in wanted:
        if engine not in engines:
            report.left_out(f"{engine}: not installed")
    with tempfile.TemporaryDirectory() as folder:
        report.figures["rows"] = []
        for row in run(arguments.sizes, arguments.repeat, Path(folder), arguments.limit, engines, arguments.others):
            report.figures["rows"].append(row)
            report.write()
    sys.stdout.write(rows(report.figures["rows"]))


if __name__ == "__main__":
    main()
