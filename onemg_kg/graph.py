"""The knowledge graph: files as named graphs, and what follows from them by rules, each rule in a named graph of its own."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote, unquote

import pyoxigraph as ox

from onemg_kg import queries
from onemg_kg.database import Database, Spooled, gathered, joined
from onemg_kg.errors import QueryError, RdfError
from onemg_kg.project import Project
from onemg_kg.spool import Records, Spool, chunks, in_order, once
from onemg_kg.store import Graphs, Store, from_lines, to_lines, to_quads
from onemg_kg.terms import BASE

GRAPHS = BASE + "graph/"
RULES = GRAPHS + "rules/"

_IRIS = re.compile("<[^>]*> <[^>]*> <[^>]*> \\.")
"""A statement between IRIs as a line of N-Triples."""


@dataclass(frozen=True)
class Graph:
    """The whole graph, loaded.

    Attributes:
        lines: what ``ontology/`` and ``data/`` state, as the files have it, by named graph, in the order of the files.
        shape_lines: the same of ``shapes/``; no part of what is queried.
        inferred_lines: what rules add, none of which is stated, by named graph, sorted.
        store: what is stated and inferred, for queries.
    """

    lines: Graphs
    shape_lines: Graphs
    inferred_lines: Graphs
    store: Store

    # Quads are made where a caller asks for them: a build and its core do with lines.

    @cached_property
    def stated(self) -> list[ox.Quad]:
        """The quads of ``ontology/`` and ``data/``, as the files have them."""
        return to_quads(self.lines)

    @cached_property
    def shapes(self) -> list[ox.Quad]:
        """The quads of ``shapes/``."""
        return to_quads(self.shape_lines)

    @cached_property
    def inferred(self) -> list[ox.Quad]:
        """The quads that rules add, sorted by rule."""
        return to_quads(self.inferred_lines)

    def whole(self) -> Graphs:
        """What is stated and what follows."""
        return joined(self.lines, self.inferred_lines)


def graph_name(project: Project, path: Path) -> ox.NamedNode:
    """The name of the graph that holds what a file states: its path below ``graph/``, without suffix."""
    relative = project.relative(path).removesuffix(path.suffix)
    return ox.NamedNode(GRAPHS + quote(relative))


def file_of(graph: str) -> str:
    """The file whose statements a named graph holds, or for a rule's graph the rule's file."""
    path = unquote(graph.removeprefix(GRAPHS))
    return f"queries/{path}.rq" if graph.startswith(RULES) else path + ".ttl"


def read(project: Project, paths: Iterable[Path]) -> list[ox.Quad]:
    """Read Turtle files, each into the named graph of its path. No term is changed.

    Raises:
        ProjectError: a file cannot be read.
        RdfError: it is not Turtle (RDF 1.1 Turtle), with the line.
    """
    return to_quads(_read(project, paths))


def _read(project: Project, paths: Iterable[Path]) -> Graphs:
    """The statements of Turtle files by named graph."""
    return gathered((graph_name(project, path).value, _parse(project, path, project.content(path))) for path in paths)


def _parse(project: Project, path: Path, content: bytes) -> list[str]:
    """The statements of a Turtle file with this content, as lines."""
    try:
        return to_lines(ox.parse(content, format=ox.RdfFormat.TURTLE, base_iri=BASE, rename_blank_nodes=True))
    except SyntaxError as error:
        raise RdfError(
            f"is not Turtle: {error.msg}.", source=project.relative(path), line=error.lineno, fix="Mend the line."
        ) from None
    except ValueError as error:
        raise RdfError(f"is not Turtle: {error}.", source=project.relative(path), fix="Save it as UTF-8.") from None


class _Lines:
    """A file that gives one line a read, so that a parser that streams is never ahead of the line it is on."""

    def __init__(self, path: Path) -> None:
        self.lines = path.read_bytes().splitlines(keepends=True)
        self.number = 0

    def read(self, _: int = -1) -> bytes:
        if self.number == len(self.lines):
            return b""
        self.number += 1
        return self.lines[self.number - 1]


def line_numbers(path: Path) -> dict[ox.Triple, int]:
    """The line, counted from 1, on which each statement of a Turtle file stands. The file must be one that :func:`read` reads.

    Statements with blank nodes are left out: their labels differ from one reading to the next.
    """
    reader = _Lines(path)
    numbers: dict[ox.Triple, int] = {}
    for quad in ox.parse(cast(IO[bytes], reader), format=ox.RdfFormat.TURTLE, base_iri=BASE):
        numbers.setdefault(quad.triple, reader.number)
    return numbers


def infer(rules: list[queries.Query], store: Store, stated: Iterable[str]) -> Graphs:
    """Run rules until nothing new follows, adding what follows to the store.

    A statement that is stated is never inferred too; one that several rules give stands in the graph of each.

    Args:
        rules: CONSTRUCT queries.
        store: what the rules read; every rule sees what the others add.
        stated: what the files state, in lines.

    Returns:
        What is new, in sorted lines by the graph of the rule, sorted.

    Raises:
        QueryError: a rule is no CONSTRUCT query, or gives a literal or a blank node (a store may rewrite either).
    """
    known = frozenset(stated)
    found: dict[str, set[str]] = {rule.name: set() for rule in rules}

    def run(rule: queries.Query) -> bool:
        mine = found[rule.name]
        new = [line for line in store.construct_lines(rule.text, str(rule.path)) if line not in known and line not in mine]
        _refuse_others(new, rule)
        if new:
            mine.update(new)
            store.add_lines(new, RULES + rule.name)
        return bool(new)

    _to_fixed_point(rules, run)
    return {RULES + name: sorted(lines) for name, lines in sorted(found.items()) if lines}


def infer_on_disk(rules: list[queries.Query], store: Database, stated: Spooled) -> Spooled:
    """As :func:`infer`, where neither what is stated nor what follows fits into memory.

    A statement is stated if it is in the union and not only in the graphs of rules. What is told apart is what the store tells
    apart: a rule that gives a stated literal which the store rewrites is not refused.

    Args:
        rules: as there.
        store: as there.
        stated: in the file of which the lines are put.

    Raises:
        QueryError: as :func:`infer`.
        OnemgError: there is no room for temporary files.
    """
    found: dict[str, list[Records[str]]] = {rule.name: [] for rule in rules}

    def run(rule: queries.Query) -> bool:
        graph, file = RULES + rule.name, Spool()
        mine = found[rule.name]
        new: list[Records[str]] = []
        for lines in store.construct_pieces(rule.text, str(rule.path)):
            kept = [line for line, quad in zip(lines, from_lines(lines), strict=True) if is_new(quad.triple, graph, bool(mine))]
            _refuse_others(kept, rule)
            if kept:
                new.append(Records(kept, file))
        store.add_pieces((graph, list(lines)) for lines in new)
        mine += new
        return bool(new)

    def is_new(triple: ox.Triple, graph: str, again: bool) -> bool:
        if again and store.holds(triple, graph):
            return False
        return not store.holds(triple) or all(not name or name.startswith(RULES) for name in store.graphs_of(triple))

    _to_fixed_point(rules, run)
    store.settle()
    inferred = Spooled(stated)
    for name, parts in sorted(found.items()):
        for lines in chunks(once(in_order(chain.from_iterable(parts), len)), len):
            if lines:
                inferred.add(RULES + name, lines)
    return inferred


def _to_fixed_point(rules: list[queries.Query], run: Callable[[queries.Query], bool]) -> None:
    """Run each rule until none finds anything new; ``run`` says whether one did."""
    waiting = deque(rules)
    done: list[queries.Query] = []
    while waiting:
        rule = waiting.popleft()
        if run(rule):
            waiting.extend(done)  # they have not seen it
            done.clear()
            waiting.append(rule)
        else:
            done.append(rule)


def _refuse_others(lines: Iterable[str], rule: queries.Query) -> None:
    """Refuse a statement that is not one between IRIs.

    Raises:
        QueryError: it is what the rule gives.
    """
    for line in lines:
        if not _IRIS.fullmatch(line):
            raise QueryError(
                f"infers {line.removesuffix(' .')}, whose subject or object is no IRI.",
                source=str(rule.path),
                fix="Let rules relate things that have an IRI.",
            )


def load(project: Project) -> Graph:
    """Read every file of the project and infer what follows.

    Raises:
        ProjectError: a file cannot be read.
        RdfError: it is not Turtle.
        QueryError: a rule cannot be run.
    """
    return reason(project, stated(project), shapes(project))


def stated(project: Project) -> Graphs:
    """What the files of ``ontology/`` and ``data/`` state.

    Raises:
        ProjectError: a file cannot be read.
        RdfError: it is not Turtle.
    """
    return _read(project, [*project.files("ontology", suffix=".ttl"), *project.files("data", suffix=".ttl")])


def shapes(project: Project) -> Graphs:
    """What the files of ``shapes/`` state.

    Raises:
        ProjectError: a file cannot be read.
        RdfError: it is not Turtle.
    """
    return _read(project, project.files("shapes", suffix=".ttl"))


def reason(project: Project, lines: Graphs, shape_lines: Graphs) -> Graph:
    """Infer what follows from what was read.

    Raises:
        QueryError: a rule cannot be run.
    """
    inferred, store = _reason(lines, queries.folder(project, "rules"))
    return Graph(lines, shape_lines, inferred, store)


def for_queries(project: Project, contents: Mapping[str, bytes]) -> Store:
    """The store that :func:`load` would give, were these the files of the project. Shapes are no part of it.

    Args:
        project: the project.
        contents: Turtle files and rules: the path of each below the root, and its bytes.

    Raises:
        ProjectError: a file cannot be read.
        RdfError: it is not Turtle.
        QueryError: a rule cannot be run.
    """
    files = {project.root / path: content for path, content in contents.items()}
    turtle = {path: content for path, content in files.items() if path.suffix == ".ttl"}
    rules = [_rule(path, content) for path, content in files.items() if path.suffix == ".rq"]
    lines = gathered((graph_name(project, path).value, _parse(project, path, content)) for path, content in turtle.items())
    return _reason(lines, rules)[1]


def _rule(path: Path, content: bytes) -> queries.Query:
    """A rule, without its header."""
    try:
        return queries.Query(path.stem, "rules", path, content.decode(), {})
    except UnicodeDecodeError as error:
        raise QueryError(f"cannot be read: {error}.", source=str(path)) from None


def _reason(stated: Graphs, rules: list[queries.Query]) -> tuple[Graphs, Store]:
    """What follows by rules from what is stated, and both as a store."""
    if isinstance(stated, Spooled):
        database = Database(stated)
        return infer_on_disk(rules, database, stated), database
    store = Store()
    for name, lines in stated.items():
        store.add_lines(lines, name)
    return infer(rules, store, chain.from_iterable(stated.values())), store
