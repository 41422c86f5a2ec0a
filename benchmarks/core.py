"""Measure the core of the build on the real graph, beside rdflib and pySHACL as a user would take them.

The core: read the files of the graph, infer what follows by rules, validate, make the views, write the dumps. Repeat, in an
environment with the project and its development dependencies, from the root of the checkout::

    python benchmarks/core.py              # medians of five; rdflib and pySHACL once, which takes a minute or two
    python benchmarks/core.py --repeat 15 --plain 0    # onemg-kg alone

Each measurement is a fresh process; to start Python and to import libraries does not count. The steps of onemg-kg are measured
one after the other; all of it as the build runs it, some of it side by side, so that with two cores it takes less than the sum.
The table has wall and CPU seconds: on a busy machine the CPU seconds say more. Both sides have the same files, rules, shapes
and queries. rdflib runs the rules in the same rounds. It writes what the graph states in Turtle, JSON-LD, N-Triples and
RDF/XML; onemg-kg writes that, what follows, both by source in N-Quads and TriG, and the smaller dumps. A query that rdflib
refuses is left out, aloud.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from report import ROOT, Report, table

FORMATS = ("turtle", "json-ld", "nt", "xml")

Seconds = dict[str, tuple[float, float]]
"""Wall and CPU seconds by step."""


class Clock:
    """Takes the time of one step after the other."""

    def __init__(self) -> None:
        self.seconds: Seconds = {}
        self._wall, self._cpu = time.perf_counter(), sum(os.times()[:4])

    def step(self, name: str) -> None:
        """What happened since the last step was this one, in this process and in those that it started."""
        wall, cpu = time.perf_counter(), sum(os.times()[:4])
        self.seconds[name] = wall - self._wall, cpu - self._cpu
        self._wall, self._cpu = time.perf_counter(), sum(os.times()[:4])


def core() -> Seconds:
    """The core as the build runs it."""
    from onemg_kg import build, project

    clock = Clock()
    build.core(project.find(ROOT))
    clock.step("all")
    return clock.seconds


def onemg() -> Seconds:
    """Its steps, one after the other."""
    from onemg_kg import build, dumps, graph, project, publication, views

    clock = Clock()
    found = project.find(ROOT)
    with build.unhindered():
        loaded = graph.load(found)
        clock.step("read and infer")
        build.validate(found, loaded)
        clock.step("validate")
        views.render(views.collect(found, loaded.store), found.version)
        clock.step("views")
        dumps.write(loaded, found.version, {"gdi": publication.gdi(found, loaded.store)})
        clock.step("dumps")
    return clock.seconds


def plain() -> Seconds:
    """The same with rdflib and pySHACL."""
    import pyshacl
    import rdflib

    clock = Clock()
    data, shapes = rdflib.Dataset(default_union=True), rdflib.Graph()
    for folder in ("ontology", "data"):
        for path in sorted((ROOT / folder).rglob("*.ttl")):
            data.graph(rdflib.URIRef(path.as_uri())).parse(path, publicID="https://w3id.org/oneplusmg/")
    for path in sorted((ROOT / "shapes").rglob("*.ttl")):
        shapes.parse(path, publicID="https://w3id.org/oneplusmg/")
    stated = _union(data)
    rules = [(path.as_uri(), path.read_text()) for path in sorted((ROOT / "queries" / "rules").rglob("*.rq"))]
    known = set(stated)
    grown = True
    while grown:
        grown = False
        for name, text in rules:
            own = data.graph(rdflib.URIRef(name))
            new = [triple for triple in data.query(text) if triple not in known and triple not in own]
            grown = grown or bool(new)
            for triple in new:
                own.add(triple)
    whole = _union(data)
    clock.step("read and infer")
    pyshacl.validate(whole, shacl_graph=shapes, inference="none")
    clock.step("validate")
    queries = sorted((ROOT / "queries" / "views").rglob("*.rq"))
    answered = sum(_answers(data, path.read_text()) for path in queries)
    if answered < len(queries):
        sys.stderr.write(f"rdflib answers {answered} of {len(queries)} views\n")
    clock.step("views")
    for form in FORMATS:
        stated.serialize(format=form)
    clock.step("dumps")
    return clock.seconds


def _union(data):  # type: ignore[no-untyped-def]
    import rdflib

    union = rdflib.Graph()
    for triple in data.triples((None, None, None)):
        union.add(triple[:3])
    return union


def _answers(data, text: str) -> bool:  # type: ignore[no-untyped-def]
    try:
        list(data.query(text))
    except Exception as error:  # noqa: BLE001 - rdflib raises what it happens to raise
        sys.stderr.write(f"rdflib: {type(error).__name__}: {error}\n"[:200])
        return False
    return True


_BUILD = "the build"
SIDES: dict[str, Callable[[], Seconds]] = {"onemg-kg": onemg, "rdflib and pySHACL": plain, _BUILD: core}


def in_process(side: str, repeat: int) -> Seconds:
    """The medians of measurements, each in a process of its own."""
    runs = [_measured(side) for _ in range(repeat)]
    for run in runs:
        together = _measured(_BUILD)["all"] if side == "onemg-kg" else None
        run["all"] = together or [sum(column) for column in zip(*run.values(), strict=True)]
    return {step: tuple(round(statistics.median(run[step][i] for run in runs), 4) for i in (0, 1)) for step in runs[0]}


def _measured(side: str) -> dict[str, list[float]]:
    command = [sys.executable, __file__, "--measure", side]
    found: dict[str, list[float]] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def rows(figures: dict[str, Seconds]) -> str:
    """The measurements in Markdown."""
    ours, theirs = figures["onemg-kg"], figures.get("rdflib and pySHACL", {})
    head = ["step", "onemg-kg, wall s", "CPU s", "rdflib and pySHACL, wall s", "CPU s", "times faster, wall", "by CPU"]
    lines = []
    for step, (wall, cpu) in ours.items():
        other = theirs.get(step)
        lines.append([step, wall, cpu, *((*other, other[0] / wall, other[1] / cpu) if other else [None] * 4)])
    return table(head, lines)


def main() -> None:
    """Command line: how often."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="measurements of onemg-kg (5)")
    parser.add_argument("--plain", type=int, default=1, help="measurements of rdflib and pySHACL (1)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--measure", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        json.dump(SIDES[arguments.measure](), sys.stdout)
        return
    report = Report(arguments.json, ["pyoxigraph", "shacl", "rdflib", "pyshacl"])
    for side, repeat in (("onemg-kg", arguments.repeat), ("rdflib and pySHACL", arguments.plain)):
        if repeat:
            report.figures[side] = in_process(side, repeat)
            report.write()
    sys.stdout.write(rows(report.figures))


if __name__ == "__main__":
    main()
