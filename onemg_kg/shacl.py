"""SHACL validation of the graph: what violates which shape, in which file, and how to mend it."""

import tempfile
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pyoxigraph as ox
import shacl

from onemg_kg.database import pieces
from onemg_kg.errors import OnemgError, RdfError
from onemg_kg.findings import Finding, Places, in_order
from onemg_kg.graph import GRAPHS
from onemg_kg.store import Graphs, by_graph, to_quads
from onemg_kg.terms import BASE, term, text

SHAPES = BASE + "shapes/"


def _ntriples(graphs: Graphs) -> str:
    return "\n".join([*chain.from_iterable(graphs.values()), ""])


def page(graph_name: str, shape: str) -> str:
    """The documentation page of a shape, below the root of a build: one page a file, one section a shape."""
    name = graph_name.removeprefix(GRAPHS + "shapes/")
    return f"rules/shapes/{name}.md#{shape.removeprefix(SHAPES)}"


def _iri(node: str | None) -> str:
    """The IRI of a node in N-Triples; empty for another node."""
    return node[1:-1] if node and node.startswith("<") else ""


def validate(quads: Iterable[ox.Quad], shapes: Iterable[ox.Quad], root: Path | None = None) -> list[Finding]:
    """As :func:`validate_lines`, of quads."""
    return validate_lines(by_graph(quads), by_graph(shapes), root)


def validate_lines(data: Graphs, shapes: Graphs, root: Path | None = None) -> list[Finding]:
    """Validate a dataset, taken as one graph, against shapes.

    Args:
        data: the data, with the classes' hierarchy; the graph of each statement says which file states it.
        shapes: the shapes; ``onemg:fix`` on a shape says how to mend what it finds.
        root: the folder below which the files are, so that a finding names the line; without one no line is given.

    Returns:
        What was found, in order.

    Raises:
        RdfError: the shapes are not SHACL.
        OnemgError: there is no room for a temporary file.
    """
    try:
        # As a file, because a text is held three times while it is read, which takes more memory than all the rest.
        with tempfile.NamedTemporaryFile("w", suffix=".nt", encoding="utf-8", newline="\n") as file:
            for _, lines in pieces(data):
                file.write("\n".join([*lines, ""]))
            file.flush()
            report = shacl.Shapes.from_text(_ntriples(shapes), format="ntriples").validate_file(file.name)
    except ValueError as error:
        raise RdfError(f"are not shapes: {error}.", source="shapes/", fix="Mend the shape.") from None
    except OSError as error:
        advice = "Make room there, or name another folder in TMPDIR."
        raise OnemgError(f"cannot be written: {error}.", source="the folder of temporary files", fix=advice) from None
    if not report.results:
        return []
    fix = term("onemg:fix")
    stated = to_quads(shapes)
    fixes = {str(quad.subject): text(quad.object) for quad in stated if quad.predicate == fix}
    files = {str(quad.subject): text(quad.graph_name) for quad in stated}
    places = Places(_around(data, {result.focus_node or "" for result in report.results}), root)
    found = []
    for result in report.results:
        # A shape without a name of its own answers by the nearest one around it.
        shape = next((s for s in (result.source_shape, result.root_shape) if s and s.startswith("<")), "")
        node, path, value = (words or "" for words in (result.focus_node, result.path, result.value))
        place = places.of(node, path, value)
        found.append(
            Finding(
                severity=result.severity.lower(),
                rule=_iri(shape),
                message=result.message or f"violates {result.component}",
                focus_node=_iri(node),
                path=path,
                value=value,
                fix=fixes.get(shape, ""),
                source=place.source,
                line=place.line,
                page=place.page,
                page_line=place.page_line,
                url=page(files[shape], _iri(shape)) if files.get(shape, "").startswith(GRAPHS) else "",
                component=(result.component_iri or "").strip("<>"),
            )
        )
    return in_order(found)


def _around(data: Graphs, nodes: set[str]) -> list[ox.Quad]:
    """What is said of some nodes, and of what that names: enough to place them."""
    said = _about(data, nodes)
    return said + _about(data, {str(quad.object) for quad in said} - nodes)


def _about(data: Graphs, nodes: set[str]) -> list[ox.Quad]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, lines in pieces(data):
        if said := [line for line in lines if line.partition(" ")[0] in nodes]:
            found[name] += said
    return to_quads(found)
