"""A graph that does not fit into memory: its lines in a file, and Oxigraph on disk.

It is a module of its own because :mod:`onemg_kg.store` has to be imported in a few milliseconds.
"""

import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, cast

import pyoxigraph as ox

from onemg_kg import spool
from onemg_kg.store import Graphs, Store, nquads
from onemg_kg.terms import text


class Spooled(Mapping[str, list[str]]):
    """:data:`onemg_kg.store.Graphs` on disk, each read when it is asked for.

    Args:
        beside: others, with which they share a file.
    """

    def __init__(self, beside: "Spooled | None" = None) -> None:
        self._spool: spool.Spool = beside._spool if beside else spool.Spool()
        self._places: dict[str, list[tuple[int, int]]] = {}

    def __getstate__(self) -> dict[str, list[tuple[int, int]]]:
        return self._places  # to another process goes what is where: see adopt

    def __setstate__(self, places: dict[str, list[tuple[int, int]]]) -> None:
        self._places = places

    def adopt(self, beside: "Spooled") -> None:
        """In a process that was forked since, find these lines where those of others are, with which they share a file."""
        self._spool = beside._spool

    def add(self, name: str, lines: list[str]) -> None:
        """Add lines to a graph.

        Raises:
            OnemgError: there is no room.
        """
        content = "\n".join([*lines, ""]).encode()
        self._places.setdefault(name, []).append((self._spool.write(content), len(content)))

    def __getitem__(self, name: str) -> list[str]:
        return [line for lines in self.parts(name) for line in lines]

    def __contains__(self, name: object) -> bool:
        return name in self._places  # without reading it

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def parts(self, name: str) -> Iterator[list[str]]:
        """The lines of a graph as they were added."""
        return map(self._read, self._places[name])

    def pieces(self) -> Iterator[tuple[str, list[str]]]:
        """The lines as they were added, each time with the name of the graph."""
        return ((name, self._read(place)) for name, places in self._places.items() for place in places)

    def _read(self, place: tuple[int, int]) -> list[str]:
        return self._spool.read(*place).decode().split("\n")[:-1]


def gathered(graphs: Iterable[tuple[str, list[str]]], kind: type[Spooled] = Spooled) -> Graphs:
    """Graphs, in memory or, where they have more than :data:`spool.HELD` letters, on disk.

    Args:
        graphs: the lines of each, which may come in parts.
        kind: what they become on disk.

    Raises:
        OnemgError: there is no room.
    """
    first, rest = spool.split(graphs, spool.letters)
    if rest is None:
        held: dict[str, list[str]] = {}
        for name, lines in first:
            held[name] = held[name] + lines if name in held else lines
        return held
    spooled = kind()
    for name, lines in chain(first, rest):
        spooled.add(name, lines)
    return spooled


def joined(first: Graphs, second: Graphs) -> Graphs:
    """Graphs of two kinds, of which none is in both; on disk both share a file."""
    if not isinstance(first, Spooled) or not isinstance(second, Spooled):
        return {**first, **second}
    both = Spooled(first)
    both._places = {**first._places, **second._places}
    return both


def pieces(graphs: Graphs) -> Iterable[tuple[str, list[str]]]:
    """The lines of each graph with its name: of a large graph several times some of them."""
    return graphs.pieces() if isinstance(graphs, Spooled) else graphs.items()


def parts(graphs: Graphs, name: str) -> Iterable[list[str]]:
    """The lines of one graph: of a large one some at a time."""
    return graphs.parts(name) if isinstance(graphs, Spooled) else [graphs[name]]


class _Reader:
    """Texts as one file to read."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._rest = iter(texts)
        self._at = io.BytesIO()

    def read(self, size: int) -> bytes:
        while not (found := self._at.read(size)):
            text = next(self._rest, None)
            if text is None:
                break
            self._at = io.BytesIO(text.encode())
        return found


class Database(Store):
    """As :class:`Store`, in a folder of temporary files that goes when nobody holds the database any more.

    Args:
        graphs: what it holds at first.

    Raises:
        OnemgError: there is no room.
    """

    def __init__(self, graphs: Graphs) -> None:
        folder = spool.folder()
        weakref.finalize(self, spool.remove, folder, os.getpid())
        with spool.room():
            self._store = ox.Store(folder)
        self.add_pieces(pieces(graphs))
        self.settle()

    def add_pieces(self, graphs: Iterable[tuple[str, list[str]]]) -> None:
        """Add lines, each time with the IRI of their graph. Those of different times have no blank nodes in common.

        Raises:
            OnemgError: there is no room.
        """
        # Oxigraph holds a million quads of a load in memory, two gigabytes: so it is several loads.
        for parts in spool.chunks(graphs, spool.letters):
            document = _Reader(nquads(lines, graph) + nquads(lines, "") for graph, lines in parts)
            with spool.room():
                self._store.bulk_load(cast(IO[bytes], document), ox.RdfFormat.N_QUADS, lenient=True)

    def settle(self) -> None:
        """Put in order on disk what was added: afterwards queries take two thirds of the time.

        Raises:
            OnemgError: there is no room.
        """
        with spool.room():
            self._store.optimize()

    def holds(self, triple: ox.Triple, graph: str = "") -> bool:
        """Whether a graph holds a statement, or else the union."""
        name = ox.NamedNode(graph) if graph else ox.DefaultGraph()
        return ox.Quad(triple.subject, triple.predicate, triple.object, name) in self._store

    def graphs_of(self, triple: ox.Triple) -> Iterator[str]:
        """The IRIs of the graphs that hold a statement, and for the union nothing."""
        return (
            text(quad.graph_name)
            for quad in self._store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        )

    def construct_pieces(self, query: str, source: str = "query") -> Iterator[list[str]]:
        """As :meth:`construct_lines`, some at a time.

        Raises:
            QueryError: the text is not such a query of SPARQL 1.1.
            OnemgError: there is no room.
        """
        triples = self._triples(query, source)
        with spool.room(), tempfile.TemporaryFile() as file:
            triples.serialize(file, format=ox.RdfFormat.N_TRIPLES)
            file.seek(0)
            while lines := file.readlines(spool.HELD):
                yield [line[:-1].decode() for line in lines]
