"""Make a graph that is shaped like the real one and N times its size.

Copy 0 is the real graph, with what follows by rules. Each further copy has the same statements with other names: IRIs below
``id/`` and web addresses get a number, and the letters of texts in a language are exchanged, so that lengths stay. What is not
below ``id/`` (classes, properties, concepts, countries) is shared: it is pointed at N times as often, and what it states
itself comes once. Every other degree stays. The same N gives the same bytes.
"""

import argparse
import re
import string
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox

from onemg_kg import graph, project
from onemg_kg.graph import GRAPHS
from onemg_kg.terms import BASE, term

NAMED = re.compile(re.escape(BASE) + r"id/[a-z]+/[^#]+")
ADDRESSES = tuple(
    term(name) for name in ("dcat:landingPage", "foaf:homepage", "foaf:page", "onemg:address", "onemg:linksTo", "rdfs:seeAlso")
)
LETTERS = string.ascii_lowercase

Node = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def real() -> tuple[list[ox.Quad], list[ox.Quad]]:
    """The quads of the real graph, with those that follow by rules, and the quads of the shapes."""
    loaded = graph.load(project.find(Path(__file__).resolve().parents[1]))
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


def copies(quads: Iterable[ox.Quad], times: int) -> Iterator[ox.Quad]:
    """The graph ``times`` over, each copy with names of its own; a statement about shared things alone comes once."""
    quads = list(quads)
    yield from quads
    own = [quad for quad in quads if isinstance(quad.subject, ox.NamedNode) and NAMED.match(quad.subject.value)]
    for number in range(1, times):
        shift = number % len(LETTERS)
        lower = LETTERS[shift:] + LETTERS[:shift]
        exchange = str.maketrans(LETTERS + LETTERS.upper(), lower + lower.upper())
        names = {node: _renamed(node, number) for quad in own for node in (quad.subject, quad.object)}
        for quad in own:
            object_ = names[quad.object]
            if isinstance(object_, ox.NamedNode) and quad.predicate in ADDRESSES and object_ == quad.object:
                object_ = ox.NamedNode(f"{object_.value}?{number}")
            elif isinstance(object_, ox.Literal) and object_.language:
                object_ = ox.Literal(object_.value.translate(exchange), language=object_.language)
            yield ox.Quad(names[quad.subject], quad.predicate, object_, _graph(quad.graph_name, number))


def _renamed(node: Node, number: int) -> Node:
    if isinstance(node, ox.NamedNode) and (found := NAMED.match(node.value)):
        return ox.NamedNode(f"{found[0]}-copy{number}{node.value[found.end() :]}")
    return node


def _graph(name: ox.NamedNode, number: int) -> ox.NamedNode:
    return ox.NamedNode(f"{name.value}-copy{number}") if name.value.startswith(GRAPHS + "data/") else name


def write(quads: Iterable[ox.Quad], path: Path) -> None:
    """Write quads as N-Quads, or as N-Triples without their graphs: the suffix of the path says which."""
    lines = (q if path.suffix == ".nq" else q.triple for q in quads)
    ox.serialize(lines, str(path), format=ox.RdfFormat.from_extension(path.suffix[1:]))


def main() -> None:
    """Command line: how many times, which file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("times", type=int, help="how many times the real graph")
    parser.add_argument("path", type=Path, help="the file to write: .nt or .nq")
    parser.add_argument("--errors", action="store_true", help="seed five errors in each copy")
    arguments = parser.parse_args()
    if arguments.path.suffix not in (".nt", ".nq"):
        parser.error(f"{arguments.path} must end in .nt or .nq")
    quads, _ = real()
    write(copies(with_errors(quads) if arguments.errors else quads, arguments.times), arguments.path)
    sys.stderr.write(f"{arguments.path}: {arguments.path.stat().st_size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
