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
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = """<!doctype html><html lang="en"><title>{{ iri }}</title><h1>{{ iri }}</h1><table>
{% for predicate, object in about %}<tr><td><a href="{{ predicate }}">{{ predicate }}</a></td><td>{{ object }}</td></tr>
{% endfor %}{% for subject, predicate in to %}<tr><td>{{ subject }}</td><td>{{ predicate }}</td></tr>
{% endfor %}</table></html>"""


def onemg(times: int) -> dict[str, float]:
    """Make the site of this project's generator."""
    import generate

    from onemg_kg import formats, project, site, views
    from onemg_kg.store import Store
    from onemg_kg.terms import PREFIXES

    quads, shapes = generate.real()
    held = list(generate.copies(quads, times))
    store = Store(held)
    source = project.find(ROOT)
    published = formats.derive(PREFIXES, formats.tokens(quads))
    start, cpu = time.perf_counter(), time.process_time()
    found = views.collect(source, store)
    content = site.Content(source, [*held, *shapes], store, found, [], published, {}, [], {}, site.Place())
    documents = files = size = 0
    for path, page in site.render(content):
        files += 1
        size += len(page)
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
        "wall": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "documents": documents,
        "files": files,
        "bytes": size,
    }


def table(sizes: list[int], plain_sizes: list[int]) -> str:
    """Run everything and say what came of it."""
    rows = ["| size | side | documents | files | MB | wall s | CPU s | CPU ms a document | memory MB |", "|" + "---|" * 9]
    told: dict[tuple[str, int], dict[str, float]] = {}
    for times in sizes:
        for side in ("onemg-kg", *(["rdflib + Jinja2"] if times in plain_sizes else [])):
            command = [sys.executable, __file__, "--run", side, "--sizes", str(times)]
            found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            told[side, times] = found
            rows.append(
                f"| {times}x | {side} | {found['documents']:,} | {found['files']:,} | {found['bytes'] / 1e6:.0f} "
                f"| {found['wall']:.1f} | {found['cpu']:.1f} | {1000 * found['cpu'] / found['documents']:.1f} | {found['memory']:.0f} |"
            )
            print(rows[-1], file=sys.stderr)
    lines = [*rows, ""]
    for times in plain_sizes:
        ratio = told["rdflib + Jinja2", times]["cpu"] / told["onemg-kg", times]["cpu"]
        lines.append(f"At {times}x the plain loop takes {ratio:.1f} times the CPU seconds.")
    if len(sizes) > 1:
        first, last = (told["onemg-kg", times] for times in (min(sizes), max(sizes)))
        growth = math.log(last["cpu"] / first["cpu"]) / math.log(last["documents"] / first["documents"])
        lines.append(f"Growth of onemg-kg from {min(sizes)}x to {max(sizes)}x: exponent {growth:.2f}.")
    names = ("rdflib", "Jinja2", "pyoxigraph")
    lines.append(f"Python {sys.version.split()[0]}, " + ", ".join(f"{name} {version(name)}" for name in names) + ".")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--plain", type=int, nargs="*", default=[1, 10], help="sizes for the plain loop")
    parser.add_argument("--run", choices=("onemg-kg", "rdflib + Jinja2"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        side = onemg if options.run == "onemg-kg" else plain
        print(json.dumps(side(options.sizes[0])))
    else:
        print(table(options.sizes, [times for times in options.plain if times in options.sizes]), end="")


if __name__ == "__main__":
    main()
