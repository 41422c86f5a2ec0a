"""Make a graph that is shaped like the real one and N times its size.

Copy 0 is the real graph. Each further copy says the same of other things: the IRIs of its resources, entries, labels, links,
projects, organisations and pages get a number, web addresses and DOIs too, and the letters of texts in a language are
exchanged, so that lengths stay. What the Framework has once stays once: concepts, countries, mappings, and the pages that
describe them. They are pointed at N times as often; every other degree stays. So the graph is one Framework with N times as
much in it: valid, and every rule follows in each copy. A copy has some 10,100 stated triples, from which 4,200 follow: 700
times make ten million. The same N gives the same bytes.

A name that ends in .nt or .nq is a file of what is stated and what follows; another one is a folder: a project with the files
of the real one, each N times, and its ontology, shapes and queries. Either is written as it is made, in little memory.
"""

import argparse
import random
import re
import shutil
import string
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox

from onemg_kg import graph, project
from onemg_kg.formats import FORMATS
from onemg_kg.graph import GRAPHS
from onemg_kg.terms import BASE, PREFIXES, term

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(re.escape(BASE) + r"id/(?!framework|mapping)[a-z]+/[^#]+")
ADDRESSES = tuple(
    term(name) for name in ("dcat:landingPage", "foaf:homepage", "foaf:page", "onemg:address", "onemg:linksTo", "rdfs:seeAlso")
)
LETTERS = string.ascii_lowercase

NUMBER = "-copyNUMBER"
"""Stands in a template for what tells the names of a copy from those of the others."""
_HELD = {ord(letter): 0xE000 + i for i, letter in enumerate(LETTERS + LETTERS.upper())}
"""Stand in a template for the letters that are exchanged, between two marks: characters that no text of ours has."""
_MARKS = "\ue100"

Template = list[str]
"""A copy in pieces, by turns: statements in which ``NUMBER`` stands, and texts of which the letters are exchanged."""


def real() -> tuple[list[ox.Quad], list[ox.Quad]]:
    """The quads of the real graph, with those that follow by rules, and the quads of the shapes."""
    loaded = graph.load(project.find(ROOT))
    return [*loaded.stated, *loaded.inferred], loaded.shapes


def with_errors(quads: list[ox.Quad]) -> list[ox.Quad]:
    """The graph with one error of each of five kinds, so that validators have the same amount of findings to write per copy."""
    a, title = term("rdf:type"), term("dcterms:title")
    first = {kind: min(q.subject.value for q in quads if (q.predicate, q.object) == (a, kind)) for kind in _classes(quads)}
    page, listing, mention, entry, project_ = (
        ox.NamedNode(first[term(f"onemg:{name}")])
        for name in ("FrameworkPage", "Listing", "Mention", "NavigationEntry", "Project")
    )
    wrong = [
        ox.Triple(page, title, ox.Literal("A second title", language="en")),
        ox.Triple(listing, term("onemg:sourceLine"), ox.Literal("first")),
        ox.Triple(mention, term("onemg:onPage"), listing),
        ox.Triple(project_, term("foaf:homepage"), ox.Literal("no address")),
    ]
    kept = [quad for quad in quads if (quad.subject, quad.predicate) != (entry, title)]
    return kept + [ox.Quad(*triple, ox.NamedNode(GRAPHS + "data/errors")) for triple in wrong]


def _classes(quads: list[ox.Quad]) -> set[ox.NamedNode]:
    return {quad.object for quad in quads if quad.predicate == term("rdf:type") and isinstance(quad.object, ox.NamedNode)}


def renamer(quads: Iterable[ox.Quad]) -> Callable[[Iterable[ox.Quad]], list[ox.Quad]]:
    """What makes quads the template of a copy, and leaves out those whose subject the Framework has once.

    Args:
        quads: the whole graph: it says which pages describe something, and which headings stand on those.
    """
    quads = list(quads)
    described, heading = term("onemg:describedOn"), term("onemg:PageHeading")
    pages = {quad.object.value for quad in quads if quad.predicate == described and isinstance(quad.object, ox.NamedNode)}
    once = pages | {q.subject.value for q in quads if q.object == heading and q.subject.value.partition("#")[0] in pages}
    doi = term("bibo:doi")

    def name(node: ox.NamedNode) -> ox.NamedNode:
        iri = node.value
        if iri in once or not (found := NAMED.match(iri)):
            return node
        at = len(iri) if found[0] in pages else found.end()
        return ox.NamedNode(iri[:at] + NUMBER + iri[at:])

    def object_(quad: ox.Quad) -> ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple:
        value = quad.object
        if isinstance(value, ox.NamedNode):
            renamed = name(value)
            return ox.NamedNode(value.value + NUMBER) if quad.predicate in ADDRESSES and renamed == value else renamed
        if isinstance(value, ox.Literal) and value.language:
            return ox.Literal(_MARKS + value.value.translate(_HELD) + _MARKS, language=value.language)
        return ox.Literal(value.value + NUMBER) if isinstance(value, ox.Literal) and quad.predicate == doi else value

    def graph_name(node: ox.NamedNode) -> ox.NamedNode:
        return ox.NamedNode(node.value + NUMBER) if node.value.startswith(GRAPHS + "data/") else node

    def renamed(part: Iterable[ox.Quad]) -> list[ox.Quad]:
        own = ((quad, name(quad.subject)) for quad in part if isinstance(quad.subject, ox.NamedNode))
        return [
            ox.Quad(subject, quad.predicate, object_(quad), graph_name(quad.graph_name))
            for quad, subject in own
            if subject != quad.subject
        ]

    return renamed


def filled(template: Template, number: int) -> str:
    """A copy with names of its own."""
    exchanged = random.Random(number).sample(LETTERS, len(LETTERS))
    letters = dict(zip(_HELD.values(), exchanged + [letter.upper() for letter in exchanged], strict=True))
    return "".join(
        part.translate(letters) if i % 2 else part.replace(NUMBER, f"-copy{number}") for i, part in enumerate(template)
    )


def copies(quads: Iterable[ox.Quad], times: int) -> Iterator[ox.Quad]:
    """The graph ``times`` over, each copy with names of its own."""
    quads = list(quads)
    yield from quads
    text = ox.serialize(renamer(quads)(quads), format=ox.RdfFormat.N_QUADS) or b""
    template = text.decode().split(_MARKS)
    for number in range(1, times):
        yield from ox.parse(filled(template, number), format=ox.RdfFormat.N_QUADS)


def write_project(folder: Path, times: int) -> int:
    """Write a project of which the data are the real ones ``times`` over, in as many times the files.

    Returns:
        How many bytes the data have.
    """
    source = project.find(ROOT)
    for name in project.FOLDERS:
        shutil.copytree(source.folder(name), folder / name)
    size = sum(path.stat().st_size for path in source.files("data", suffix=".ttl"))
    loaded = graph.load(source)
    renamed = renamer(loaded.stated)
    files: dict[ox.NamedNode, list[ox.Quad]] = {}
    for quad in renamed(loaded.stated):
        files.setdefault(quad.graph_name, []).append(quad)
    for name, quads in files.items():
        text = FORMATS["turtle"].write((quad.triple for quad in quads), PREFIXES).decode()
        template = text.split(_MARKS)
        path = folder / graph.file_of(name.value)
        for number in range(1, times):
            size += path.with_name(path.name.replace(NUMBER, f"-copy{number}")).write_text(filled(template, number))
    return size


def write(quads: Iterable[ox.Quad], path: Path) -> None:
    """Write quads as N-Quads, or as N-Triples without their graphs: the suffix of the path says which."""
    lines = (q if path.suffix == ".nq" else q.triple for q in quads)
    ox.serialize(lines, str(path), format=ox.RdfFormat.from_extension(path.suffix[1:]))


def main() -> None:
    """Command line: how many times, which file or folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("times", type=int, help="how many times the real graph")
    parser.add_argument("path", type=Path, help="what to write: a file, .nt or .nq, or the folder of a project")
    parser.add_argument("--errors", action="store_true", help="seed five errors in each copy of a file")
    arguments = parser.parse_args()
    path: Path = arguments.path
    if path.suffix in (".nt", ".nq"):
        quads, _ = real()
        write(copies(with_errors(quads) if arguments.errors else quads, arguments.times), path)
        size = path.stat().st_size
    elif path.suffix or path.exists() or arguments.errors:
        parser.error(f"{path} must end in .nt or .nq, or be a folder that is not there yet, without --errors")
    else:
        size = write_project(path, arguments.times)
    sys.stderr.write(f"{path}: {size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
