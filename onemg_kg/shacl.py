"""SHACL validation of the graph: what violates which shape, in which file, and how to mend it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

import pyoxigraph as ox
import shacl

from onemg_kg.errors import RdfError
from onemg_kg.graph import file_of
from onemg_kg.terms import shorten, term

SEVERITIES = ("violation", "warning", "info")
"""The severities of SHACL, section 2.1.4, the gravest first."""


@dataclass(frozen=True)
class Finding:
    """One validation result (SHACL, section 3.6).

    Attributes:
        severity: one of :data:`SEVERITIES`.
        shape: the IRI of the shape that says so.
        focus_node: the node that it is about.
        path: the property path, short; empty where the shape has none.
        value: the offending value, if there is one.
        message: what is wrong, in one sentence.
        fix: how to mend it, in one sentence; empty where the shape does not say.
        source: the file that states the focus node; empty where none does.
        page: the page of the site that it was read from; empty where it was not.
        line: the line of that page, or 0.
    """

    severity: str
    shape: str
    focus_node: str
    path: str
    value: str
    message: str
    fix: str
    source: str
    page: str
    line: int


def _ntriples(quads: Iterable[ox.Quad]) -> str:
    triples = (ox.Triple(quad.subject, quad.predicate, quad.object) for quad in quads)
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES).decode()


def _short(text: str | None) -> str:
    """A term or path in N-Triples with its IRIs as short names."""
    return "" if text is None else re.sub(r"<([^<>]+)>", lambda found: shorten(found[1]), text)


def validate(quads: list[ox.Quad], shapes: list[ox.Quad]) -> list[Finding]:
    """Validate a dataset, taken as one graph, against shapes.

    Args:
        quads: the data, with the classes' hierarchy; the graph of each quad says which file states it.
        shapes: the shapes; ``onemg:fix`` on a shape says how to mend what it finds.

    Returns:
        What was found, gravest first, then by file and focus node.

    Raises:
        RdfError: the shapes are not SHACL.
    """
    try:
        report = shacl.Shapes.from_text(_ntriples(shapes), format="ntriples").validate_text(
            _ntriples(quads), format="ntriples"
        )
    except ValueError as error:
        raise RdfError(f"are not shapes: {error}.", source="shapes/", fix="Mend the shape.") from None
    fix, on_page, line, file = (term(f"onemg:{name}") for name in ("fix", "onPage", "sourceLine", "sourceFile"))
    fixes = {str(quad.subject): quad.object.value for quad in shapes if quad.predicate == fix}
    files: dict[str, str] = {}
    pages: dict[str, str] = {}
    lines: dict[str, int] = {}
    sources: dict[str, str] = {}
    for quad in quads:
        subject = str(quad.subject)
        files.setdefault(subject, file_of(quad.graph_name.value))
        if quad.predicate == on_page:
            pages[subject] = str(quad.object)
        elif quad.predicate == line:
            lines[subject] = int(quad.object.value)
        elif quad.predicate == file:
            sources[subject] = quad.object.value
    found = []
    for result in report.results:
        focus = result.focus_node
        shape = result.source_shape if result.source_shape.startswith("<") else result.root_shape or ""
        found.append(
            Finding(
                severity=result.severity.lower(),
                shape=_short(shape),
                focus_node=_short(focus),
                path=_short(result.path),
                value=_short(result.value),
                message=result.message or f"violates {result.component}",
                fix=fixes.get(shape, ""),
                source=files.get(focus, ""),
                page=sources.get(pages.get(focus, focus), ""),
                line=lines.get(focus, 0),
            )
        )
    order = attrgetter("source", "focus_node", "path", "shape", "value", "message")
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), order(finding)))
