"""The graph as files: whole and in parts, in every format, with the record of what was written.

What is stated is written first, which needs nothing of what follows from it: a build infers meanwhile.
"""

import json
import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

import pyoxigraph as ox

from onemg_kg import catalogue
from onemg_kg.database import Spooled, pieces
from onemg_kg.errors import OnemgError
from onemg_kg.formats import FORMATS, Context, Dataset, derive, of_lines, together, tokens, triples
from onemg_kg.graph import GRAPHS, RULES, Graph
from onemg_kg.spool import Files
from onemg_kg.store import Graphs
from onemg_kg.terms import PREFIXES

_PLAIN = ("turtle", "ntriples", "rdfxml")
_TRIPLES = ("turtle", "jsonld", "ntriples", "rdfxml")
_QUADS = ("nquads", "trig")


@dataclass(frozen=True)
class Stated:
    """What the graph states, laid out to be written, and written where no context is needed.

    Attributes:
        lines: the statements by file.
        quads: the same, each with the name of its graph.
        parts: the parts that are published, and the shapes, by name.
        files: what is written so far, by path.
    """

    lines: Graphs
    quads: Dataset
    parts: dict[str, Dataset]
    files: Files


@dataclass(frozen=True)
class Dumps:
    """The graph as files.

    Attributes:
        files: the files by path: each part of the graph in each format, and the context of the JSON-LD ones.
        published: that context.
        record: what the catalogue record says.
        stated: how many triples the published graph states.
        inferred: how many follow.
    """

    files: Files
    published: Context
    record: list[ox.Triple]
    stated: int
    inferred: int


def begin(lines: Graphs, shape_lines: Graphs, files: Files) -> Stated:
    """Write what does not depend on what follows by rules.

    Args:
        lines: what ``ontology/`` and ``data/`` state.
        shape_lines: what ``shapes/`` states.
        files: where to.

    Raises:
        RdfError: a format cannot hold a statement.
        OnemgError: there is no room for temporary files.
    """
    quads = of_lines(pieces(lines))
    shapes = of_lines(pieces(shape_lines))
    parts = {
        "framework": _part(quads, "ontology/schemes/", "data/"),
        "ontology": _part(quads, "ontology/onemg"),
        "schemes": _part(quads, "ontology/schemes/"),
        "shapes": triples(shapes),
    }
    for name, held in parts.items():
        _write(files, name, held, _PLAIN)
    ontology = ((name, lines[name]) for name in lines if name.startswith(GRAPHS + "ontology/onemg"))
    _write(files, "ontology", of_lines(ontology), _QUADS)
    _write(files, "shapes", shapes, _QUADS)
    return Stated(lines, quads, parts, files)


def finish(begun: Stated, inferred: Graphs, version: str, bridges: Mapping[str, Iterable[ox.Triple]]) -> Dumps:
    """Write the rest, with the record of what was written.

    Args:
        begun: what is stated.
        inferred: what follows from it.
        version: the version of the graph.
        bridges: graphs about it for others, by name.

    Raises:
        RdfError: a format cannot hold a statement.
        OnemgError: there is no room for temporary files.
    """
    quads, files = of_lines(pieces(inferred)), begun.files
    everything, follows = together(begun.quads, quads), triples(quads, RULES)
    context = derive(PREFIXES, everything)
    _write(files, "framework", everything, _QUADS)
    _write(files, "inferred", follows, _TRIPLES, context)
    for name, held in begun.parts.items():
        _write(files, name, held, ("jsonld",), context)
    framework = begun.parts["framework"]
    told = [("framework", form) for form in _TRIPLES + _QUADS] + [("inferred", form) for form in _TRIPLES]
    distributions = {name + FORMATS[form].suffix: FORMATS[form] for name, form in told}
    record = catalogue.describe(
        begun.lines, framework, follows, {path: (form, *files.told(path)) for path, form in distributions.items()}, version
    )
    for name, graph in {"catalogue": record, **bridges}.items():
        _write(files, name, tokens(graph), _TRIPLES, context)
    files.add("context.jsonld", [(json.dumps({"@context": context.definitions()}, indent=2) + "\n").encode()])
    return Dumps(files, context, record, len(framework), len(follows))


def write(loaded: Graph, version: str, bridges: Mapping[str, Iterable[ox.Triple]]) -> Dumps:
    """All of it.

    Raises:
        RdfError: a format cannot hold a statement.
    """
    return finish(begin(loaded.lines, loaded.shape_lines, Files()), loaded.inferred_lines, version, bridges)


class Beside:
    """Writes the dumps in a process of its own, forked here, while this one infers, validates and makes views.

    Where there is no such process, or it ends before its time, they are written here when they are asked for: so an error is
    the same one, in the same place.

    Args:
        lines: what ``ontology/`` and ``data/`` state.
        shape_lines: what ``shapes/`` states.
        version: the version of the graph.
    """

    def __init__(self, lines: Graphs, shape_lines: Graphs, version: str) -> None:
        self._given = lines, shape_lines, version, Files()
        self._process: ForkProcess | None = None
        self._sender: threading.Thread | None = None
        if sys.platform == "linux":  # elsewhere a fork is missing, or not safe
            forking = multiprocessing.get_context("fork")
            self._connection, theirs = forking.Pipe()
            self._process = forking.Process(target=_write_beside, args=(*self._given, self._connection, theirs), daemon=True)
            self._process.start()
            theirs.close()

    def tell(self, inferred: Graphs, bridges: Mapping[str, list[ox.Triple]]) -> None:
        """Say what could not be known at the beginning: see :func:`finish`."""
        self._told = inferred, bridges
        if self._process is not None:
            # The process listens when it has begun, and nobody waits for that.
            self._sender = threading.Thread(target=self._send, daemon=True)
            self._sender.start()

    def _send(self) -> None:
        with suppress(OSError):
            self._connection.send(self._told)

    def result(self) -> Dumps:
        """The dumps.

        Raises:
            RdfError: a format cannot hold a statement.
            OnemgError: there is no room for temporary files.
        """
        lines, shape_lines, version, files = self._given
        if self._process is not None:
            with suppress(EOFError, OSError):
                found: Dumps = self._connection.recv()
                files.adopt(found.files)
                return replace(found, files=files)
        return finish(begin(lines, shape_lines, files), self._told[0], version, self._told[1])

    def close(self) -> None:
        """End the process, if it has not ended."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            if self._sender is not None:
                self._sender.join()
            self._connection.close()


def _write_beside(
    lines: Graphs, shape_lines: Graphs, version: str, files: Files, theirs: Connection, connection: Connection
) -> None:
    """What the process does. If anything goes wrong it says nothing: it is the other one that speaks."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    theirs.close()  # inherited: who holds both ends never learns that the other process was killed
    with suppress(OnemgError, MemoryError, EOFError, OSError):
        begun = begin(lines, shape_lines, files)
        inferred, bridges = connection.recv()
        if isinstance(inferred, Spooled) and isinstance(lines, Spooled):
            inferred.adopt(lines)
        connection.send(finish(begun, inferred, version, bridges))


def _part(quads: Dataset, *folders: str) -> Dataset:
    return triples(quads, *(GRAPHS + folder for folder in folders))


def _write(files: Files, name: str, held: Dataset, formats: Iterable[str], context: Context | None = None) -> None:
    for form in (FORMATS[form] for form in formats):
        files.add(name + form.suffix, form.pieces(held, PREFIXES, context))
