"""SHACL validation of the graph: what violates which shape, in which file, and how to mend it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

import pyoxigraph as ox
import shacl

from onemg_kg.errors import RdfError
from onemg_kg.graph import file_of
from onemg_kg.terms import shorten, term, text

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
    return (ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"").decode()


def _short(words: str | None) -> str:
    """A term or path in N-Triples with its IRIs as short names."""
    return "" if words is None else re.sub(r"<([^<>]+)>", lambda found: shorten(found[1]), words)


class _Places:
    """Where each subject of a dataset is stated, and where on the site it was read."""

    def __init__(self, quads: Iterable[ox.Quad]) -> None:
        on_page, line, file = (term(f"onemg:{name}") for name in ("onPage", "sourceLine", "sourceFile"))
        self._files: dict[str, str] = {}
        self._pages: dict[str, str] = {}
        self._lines: dict[str, int] = {}
        self._sources: dict[str, str] = {}
        for quad in quads:
            subject, predicate = str(quad.subject), quad.predicate
            self._files.setdefault(subject, text(quad.graph_name))
            if predicate == on_page:
                self._pages[subject] = str(quad.object)
            elif predicate == line:
                number = text(quad.object)  # what a shape finds wrong may be this
                self._lines[subject] = int(number) if number.isdecimal() else 0
            elif predicate == file:
                self._sources[subject] = text(quad.object)

    def of(self, subject: str) -> tuple[str, str, int]:
        """The file, the page's file on the site, and the line there; empty and 0 where there is none."""
        name = self._files.get(subject)
        page = self._sources.get(self._pages.get(subject, subject), "")
        return "" if name is None else file_of(name), page, self._lines.get(subject, 0)


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
        report = shacl.Shapes.from_text(_ntriples(shapes), format="ntriples").validate_text(_ntriples(quads), format="ntriples")
    except ValueError as error:
        raise RdfError(f"are not shapes: {error}.", source="shapes/", fix="Mend the shape.") from None
    fix = term("onemg:fix")
    fixes = {str(quad.subject): text(quad.object) for quad in shapes if quad.predicate == fix}
    places = _Places(quads) if report.results else None
    found = []
    for result in report.results:
        # A shape without a name of its own answers by the nearest one around it.
        shape = next((s for s in (result.source_shape, result.root_shape) if s and s.startswith("<")), "")
        source, page, line = places.of(result.focus_node or "") if places else ("", "", 0)
        found.append(
            Finding(
                severity=result.severity.lower(),
                shape=_short(shape),
                focus_node=_short(result.focus_node),
                path=_short(result.path),
                value=_short(result.value),
                message=result.message or f"violates {result.component}",
                fix=fixes.get(shape, ""),
                source=source,
                page=page,
                line=line,
            )
        )
    order = attrgetter("source", "focus_node", "path", "shape", "value", "message")
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), order(finding)))
