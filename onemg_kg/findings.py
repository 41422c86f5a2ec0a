"""What a check finds: one value type for shapes, check queries, the linter and the reasoner."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from onemg_kg.graph import GRAPHS, file_of, line_numbers
from onemg_kg.terms import shorten, term, text

SEVERITIES = ("violation", "warning", "info")
"""The severities of SHACL, section 2.1.4, the gravest first."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        severity: one of :data:`SEVERITIES`.
        rule: the IRI of the rule that says so: a shape's own, or ``check/``, ``lint/`` or ``logic/`` and a name below the base.
        focus_node: the IRI of what it is about; empty where it is about a file, or about a node without a name.
        path: the property path, in N-Triples (SPARQL's syntax where it is more than one property); empty where there is none.
        value: the offending value, in N-Triples; empty where there is none.
        message: what is wrong, in one sentence.
        fix: how to mend it, in one sentence; empty where the rule does not say.
        source: the file that states it; empty where none does.
        line: the line of that file, or 0.
        page: the file of the site that it was read from; empty where it was not.
        page_line: the line of that file, or 0.
        url: the documentation page of the rule, below the root of a build.
        component: the IRI of the constraint component (SHACL, section 3.6.2.5); empty where the rule is no SHACL or SPARQL.
    """

    severity: str
    rule: str
    message: str
    focus_node: str = ""
    path: str = ""
    value: str = ""
    fix: str = ""
    source: str = ""
    line: int = 0
    page: str = ""
    page_line: int = 0
    url: str = ""
    component: str = ""


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without repetitions, gravest first, then by file, line, rule and node."""

    def order(found: Finding) -> tuple[int | str, ...]:
        return (
            *(SEVERITIES.index(found.severity), found.source, found.line, found.page, found.page_line),
            *(found.rule, found.focus_node, found.path, found.value, found.message),
        )

    return sorted(set(findings), key=order)


def at_least(findings: Iterable[Finding], threshold: str) -> list[Finding]:
    """The findings that are as grave as a threshold, or graver."""
    counted = SEVERITIES[: SEVERITIES.index(threshold) + 1]
    return [found for found in findings if found.severity in counted]


def short(words: str) -> str:
    """A term or path in N-Triples with its IRIs as short names, for people."""
    return re.sub(r"<([^<>]+)>", lambda found: shorten(found[1]), words)


@dataclass(frozen=True)
class Place:
    """Where a node is stated, and where on the site it was read; see :class:`Finding` for the attributes."""

    source: str = ""
    line: int = 0
    page: str = ""
    page_line: int = 0


class Places:
    """Where each node of a dataset is stated, and where on the site it was read. Files are read only when a line is asked for.

    Args:
        quads: the dataset; a quad of the default graph comes from no file.
        root: the folder below which the files are; without one no line is given.
    """

    def __init__(self, quads: Iterable[ox.Quad], root: Path | None = None) -> None:
        self._quads: Iterable[ox.Quad] | None = quads
        self._root = root
        self._files: dict[object, str] = {}
        self._pages: dict[object, object] = {}
        self._lines: dict[object, int] = {}
        self._sources: dict[object, str] = {}
        self._statements: dict[str, dict[str, list[tuple[str, str, int]]]] = {}

    def _index(self) -> None:
        """Go through the dataset, the first time that a place is asked for: most graphs have nothing to be placed."""
        if self._quads is None:
            return
        on_page, line, file = (term(f"onemg:{name}") for name in ("onPage", "sourceLine", "sourceFile"))
        for quad in self._quads:
            subject, predicate = quad.subject, quad.predicate
            if subject not in self._files:
                name = text(quad.graph_name)
                if name.startswith(GRAPHS):
                    self._files[subject] = name
            if predicate == on_page:
                self._pages[subject] = quad.object
            elif predicate == line:
                number = text(quad.object)  # what a shape finds wrong may be this
                self._lines[subject] = int(number) if number.isdecimal() else 0
            elif predicate == file:
                self._sources[subject] = text(quad.object)
        self._quads = None

    def of(self, node: str, path: str = "", value: str = "") -> Place:
        """Where a node is stated and was read.

        Args:
            node: the node, in N-Triples.
            path: a property, in N-Triples: the line is that of its statement, if there is one.
            value: a value of the property, in N-Triples: the line is that of its statement, if there is one.
        """
        self._index()
        if not node.startswith("<"):
            return Place()
        key = ox.NamedNode(node[1:-1])
        source = file_of(self._files[key]) if key in self._files else ""
        page = self.file_of_page(self._pages.get(key, key))
        return Place(source, self._line(source, node, path, value), page, self._lines.get(key, 0))

    def file_of_page(self, page: object) -> str:
        """The file on the site of a page; empty where the dataset does not say."""
        self._index()
        return self._sources.get(page, "")

    def _line(self, source: str, node: str, path: str, value: str) -> int:
        if self._root is None or not source.endswith(".ttl") or not (self._root / source).is_file():
            return 0
        if source not in self._statements:
            by_subject: dict[str, list[tuple[str, str, int]]] = {}
            for triple, line in line_numbers(self._root / source).items():
                by_subject.setdefault(str(triple.subject), []).append((str(triple.predicate), str(triple.object), line))
            self._statements[source] = by_subject
        stated = self._statements[source].get(node, [])
        for nearest in (
            [line for predicate, other, line in stated if predicate == path and other == value],
            [line for predicate, _, line in stated if predicate == path],
            [line for _, _, line in stated],
        ):
            if nearest:
                return min(nearest)
        return 0
