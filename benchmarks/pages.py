"""Measure the making of the web site, at 1x, 10x and 100x of the real graph, beside a plain loop over rdflib and Jinja2.

Repeat, in an environment with the project and its dependencies, from the root of the checkout::

    python benchmarks/pages.py                          # all of it: an hour
    python benchmarks/pages.py --sizes 1 10 --plain 1   # some minutes

A site is made from a graph of `generate.py` that is already in memory: views, and every document as a page and in six formats;
the answers to questions are left out, because they grow by choice of the question. Files are made and dropped, not written. The
plain loop has the same documents: for each it collects the statements about it and to it from an rdflib graph, writes
Turtle, JSON-LD, N-Triples and RDF/XML (two formats fewer), and fills one small template (no views, labels or sources). Each
measurement is a fresh process. Growth is the exponent that fits CPU seconds over documents, from the smallest size to the
largest.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from report import ROOT, Report, table

TEMPLATE = """<!doctype html><html lang="en"><title>{{ iri }}</title><h1>{{ iri }}</h1><table>
{% for predicate, object in about %}<tr><td><a href="{{ predicate }}">{{ predicate }}</a></td><td>{{ object }}</td></tr>
{% endfor %}{% for subject, predicate in to %}<tr><td>{{ subject }}</td><td>{{ predicate }}</td></tr>
{% endfor %}</table></html>"""


def onemg(times: int) -> dict[str, float]:
    """Make the site of this project's generator."""
    import generate

    from onemg_kg import formats, project, site, views
    from onemg_kg.site.things import Memberships
    from onemg_kg.spool import Files
    from onemg_kg.store import Store, by_graph
    from onemg_kg.terms import PREFIXES

    quads, shapes = generate.real()
    held = list(generate.copies(quads, times))
    graphs = by_graph(held), by_graph(shapes)
    store = Store(held)
    source = project.find(ROOT)
    published = formats.derive(PREFIXES, formats.tokens(quads))
    start, cpu = time.perf_counter(), time.process_time()
    found = Memberships.of_all(views.each(source, store))
    content = site.Content(source, graphs, store, found, [], published, Files(), [], {}, site.Place())
    documents = files = size = 0
    for path, pieces in site.render(content):
        files += 1
        size += sum(map(len, pieces))
        documents += path.endswith(".trig")
    return _told(start, cpu, documents, files, size)


def plain(times: int) -> dict[str, float]:
    """Make pages as a script over rdflib would."""
    import generate
    import jinja2
    import rdflib

    from onemg_kg.addresses import document
    from onemg_kg.terms import BASE

    quads, shapes = generate.real()
    graph = rdflib.Graph()
    lines = "".join(f"{quad.triple} .\n" for quad in [*generate.copies(quads, times), *shapes])
    graph.parse(data=lines, format="nt")
    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE)
    start, cpu = time.perf_counter(), time.process_time()
    by_document: dict[str, list[rdflib.URIRef]] = {}
    for subject in set(graph.subjects()):
        if isinstance(subject, rdflib.URIRef) and subject.startswith(BASE):
            by_document.setdefault(document(str(subject))[0], []).append(subject)
    files = size = 0
    for path, subjects in sorted(by_document.items()):
        part = rdflib.Graph()
        for subject in subjects:
            for triple in graph.triples((subject, None, None)):
                part.add(triple)
            for triple in graph.triples((None, None, subject)):
                if triple[1] != rdflib.RDF.type:
                    part.add(triple)
        about = sorted((str(p), str(o)) for s, p, o in part if s in subjects)
        to = sorted((str(s), str(p)) for s, p, o in part if s not in subjects)
        made = [template.render(iri=BASE + path, about=about, to=to)]
        made += [part.serialize(format=name) for name in ("turtle", "json-ld", "nt", "xml")]
        files += len(made)
        size += sum(map(len, made))
    return _told(start, cpu, len(by_document), files, size)


def _told(start: float, cpu: float, documents: int, files: int, size: int) -> dict[str, float]:
    return {
        "wall": round(time.perf_counter() - start, 2),
        "cpu": round(time.process_time() - cpu, 2),
        "memory": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "documents": documents,
        "files": files,
        "bytes": size,
    }


def growth(rows: list[dict[str, Any]], side: str) -> float | None:
    """The exponent of CPU seconds over documents, from the smallest size to the largest."""
    ours = [row for row in rows if row["side"] == side]
    if len(ours) < 2:
        return None
    return math.log(ours[-1]["cpu"] / ours[0]["cpu"]) / math.log(ours[-1]["documents"] / ours[0]["documents"])


def rows(found: list[dict[str, Any]]) -> str:
    """The measurements in Markdown."""
    head = ["size", "side", "documents", "files", "MB", "wall s", "CPU s", "CPU ms a document", "memory MB"]
    lines = []
    for row in found:
        figures = [row["documents"], row["files"], row["bytes"] / 1e6, row["wall"], row["cpu"]]
        lines.append([f"{row['size']}x", row["side"], *figures, 1000 * row["cpu"] / row["documents"], row["memory"]])
    return table(head, lines)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--plain", type=int, nargs="*", default=[1, 10], help="sizes for the plain loop")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--run", choices=("onemg-kg", "rdflib + Jinja2"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        side = onemg if options.run == "onemg-kg" else plain
        sys.stdout.write(json.dumps(side(options.sizes[0])))
        return
    report = Report(options.json, ["rdflib", "Jinja2", "pyoxigraph"])
    found = report.figures["rows"] = []
    for times in options.sizes:
        for side in ("onemg-kg", *(["rdflib + Jinja2"] if times in options.plain else [])):
            command = [sys.executable, __file__, "--run", side, "--sizes", str(times)]
            ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            found.append({"size": times, "side": side, **json.loads(ran.stdout)})
            sys.stderr.write(f"{times}x {side}: {found[-1]['cpu']:.1f} CPU s\n")
            report.write()
    sys.stdout.write(rows(found))
    if (exponent := growth(found, "onemg-kg")) is not None:
        sys.stdout.write(f"\nGrowth of onemg-kg: exponent {exponent:.2f}.\n")


if __name__ == "__main__":
    main()
