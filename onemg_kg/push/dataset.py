"""A dataset graph by graph, as canonical lines of N-Triples: what is sent, what is held, and what differs."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from onemg_kg import database
from onemg_kg.errors import RdfError
from onemg_kg.formats import tokens
from onemg_kg.formats.canonical import to_line
from onemg_kg.graph import GRAPHS
from onemg_kg.store import to_lines

Graphs = Mapping[str, list[str]]
"""The statements of each graph, as sorted lines of canonical N-Triples, by the IRI of the graph. Asked for, one may be read
from disk."""

_BLOCK = 100_000
_BLANK = re.compile(r"_:\S+")
_PARTS = re.compile(r"(\S+ \S+) (.*) \.\n?")


def read(path: Path) -> Graphs:
    """Read a dataset that a build made.

    Args:
        path: a file of N-Quads.

    Raises:
        RdfError: it cannot be read, is no N-Quads, has a statement outside our graphs, or a blank node in two graphs.
    """
    found = database.gathered(_parts(path), _Ended)
    home: dict[str, str] = {}

    def each() -> Iterator[tuple[str, list[str]]]:
        for name in sorted(found):
            lines = found[name]
            for label in {label for line in lines if "_:" in line for label in _blanks(line)}:
                if home.setdefault(label, name) != name:
                    told = f"has a blank node in both {home[label]} and {name}."
                    raise RdfError(told, source=str(path), fix="Give it an IRI.")
            yield name, canonical(lines)

    return database.gathered(each(), _Ended)


def _parts(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The lines of each graph as a file has them, some at a time."""
    source = str(path)
    try:
        quads = ox.parse(path=path, format=ox.RdfFormat.N_QUADS)
        while block := list(islice(quads, _BLOCK)):
            graphs: dict[str, list[str]] = defaultdict(list)
            for quad, line in zip(block, to_lines(quad.triple for quad in block), strict=True):
                name = "" if isinstance(quad.graph_name, ox.DefaultGraph) else quad.graph_name.value
                if not name.startswith(GRAPHS):
                    raise RdfError(
                        f"has a statement of {name or 'the default graph'}, and only graphs below {GRAPHS} are pushed.",
                        source=source,
                        fix="Push framework.nq of a build.",
                    )
                graphs[name].append(line + "\n")
            yield from graphs.items()
    except (OSError, SyntaxError, ValueError) as error:
        raise RdfError(f"cannot be read: {error}.", source=source, fix="Make it with: onemg-kg build") from None


class _Ended(database.Spooled):
    """As :class:`onemg_kg.database.Spooled`, of lines with the line feeds that end them."""

    def add(self, name: str, lines: list[str]) -> None:
        super().add(name, [line[:-1] for line in lines])

    def _read(self, place: tuple[int, int]) -> list[str]:
        return [line + "\n" for line in super()._read(place)]


def _blanks(line: str) -> Iterator[str]:
    """The blank nodes of a statement: a literal may only look as if it had one."""
    parts = _PARTS.fullmatch(line)
    assert parts is not None  # It is a line that we wrote.
    for node in (parts[1].partition(" ")[0], parts[2]):
        if node.startswith("_:"):
            yield node


def has_blanks(line: str) -> bool:
    """Whether a line of N-Triples has a blank node."""
    return "_:" in line and any(_blanks(line))


def canonical(lines: Iterable[str]) -> list[str]:
    """The lines, each once, sorted, their blank nodes named by RDFC-1.0.

    Raises:
        RdfError: the blank nodes cannot be named in reasonable time.
    """
    found = set(lines)
    if any(map(has_blanks, found)):
        quads = ox.parse("".join(found), ox.RdfFormat.N_TRIPLES)
        return [to_line(quad) for quad in tokens(quad.triple for quad in quads)]
    return sorted(found)


def fingerprint(lines: Iterable[str]) -> str:
    """SHA-256 of canonical lines."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
    return digest.hexdigest()


class About(NamedTuple):
    """What is known of a graph without asking for its lines.

    Attributes:
        fingerprint: of its lines.
        number: how many statements it has.
        letters: how long they are together.
        blank: whether one has a blank node.
    """

    fingerprint: str
    number: int
    letters: int
    blank: bool


def about(lines: list[str]) -> About:
    """What is to be known of canonical lines."""
    return About(fingerprint(lines), len(lines), sum(map(len, lines)), any(map(has_blanks, lines)))


@dataclass(frozen=True)
class Difference:
    """How what a store holds of a graph differs from what was sent.

    Attributes:
        graph: the graph.
        missing: what was sent and is not held, as lines of N-Triples.
        added: what is held and was not sent.
        rewritten: whether the store but wrote literals in another way: for each literal that is missing, it holds a literal
            of the same subject and predicate, and nothing else was added.
    """

    graph: str
    missing: list[str]
    added: list[str]
    rewritten: bool


def compare(graph: str, sent: list[str], held: list[str]) -> Difference | None:
    """Compare canonical lines; nothing where they are the same."""
    missing, added = sorted(set(sent) - set(held)), sorted(set(held) - set(sent))
    if not missing and not added:
        return None
    lost, found = [_literal(line) for line in missing], [_literal(line) for line in added]
    # A store may make two literals one: then nothing is added.
    there = {_literal(line) for line in held}
    rewritten = None not in lost and None not in found and set(found) <= set(lost) <= there
    return Difference(graph, missing, added, rewritten)


def is_kept(difference: Difference, held: list[str]) -> bool:
    """Whether a store that holds a graph with this difference was given what was to be sent, by whomever.

    Another literal may be another value; only how Oxigraph keeps literals can be told here, by one of our own.
    """
    if not difference.rewritten:
        return False
    store = ox.Store()
    store.extend(ox.parse("".join(difference.missing), ox.RdfFormat.N_TRIPLES))
    kept = {line + "\n" for line in to_lines(quad.triple for quad in store)}
    return set(difference.added) <= kept <= set(held)


def _literal(line: str) -> str | None:
    """Subject and predicate of a statement about a literal."""
    parts = _PARTS.fullmatch(line)
    return parts[1] if parts and parts[2].startswith('"') else None


def pieces(lines: list[str], size: int) -> Iterator[list[str]]:
    """Parts of about so many bytes, each of which may be sent twice: all blank nodes are in the first."""
    blank = [line for line in lines if has_blanks(line)]
    part, length = blank, sum(map(len, blank))
    if blank:
        named = set(blank)
        lines = [line for line in lines if line not in named]
    for line in lines:
        if part and length + len(line) > size:
            yield part
            part, length = [], 0
        part.append(line)
        length += len(line)
    yield part
