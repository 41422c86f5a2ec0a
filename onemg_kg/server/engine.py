"""Evaluates one query after the other over a graph in this process, and says why where it does not.

The default graph of a query is the union of all named graphs, unless the query or the request names one.
"""

import functools
import json
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from onemg_kg.server import guard
from onemg_kg.server.frames import DATA, END, HEAD, PROBLEM, frame
from onemg_kg.store import in_default_graph, load
from onemg_kg.terms import BASE, PREFIXES

RESULTS = {
    "json": (ox.QueryResultsFormat.JSON, b"}},{"),
    "xml": (ox.QueryResultsFormat.XML, b"<result>"),
    "csv": (ox.QueryResultsFormat.CSV, b"\r\n"),
    "tsv": (ox.QueryResultsFormat.TSV, b"\n"),
}
"""The formats of tables, each with what stands once for each row. A literal that holds it counts too."""

GRAPHS = {
    "turtle": (ox.RdfFormat.TURTLE, b" .\n"),
    "jsonld": (ox.RdfFormat.JSON_LD, b"}]"),
    "ntriples": (ox.RdfFormat.N_TRIPLES, b" .\n"),
    "nquads": (ox.RdfFormat.N_QUADS, b" .\n"),
    "rdfxml": (ox.RdfFormat.RDF_XML, b"</"),
}
"""The formats of graphs, each with what stands at least once for each triple, or for the triples of a subject."""

_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_PIECE = 64 * 1024


Found = ox.QuerySolutions | ox.QueryBoolean | Iterable[ox.Triple] | Iterable[ox.Quad]
"""What a query finds: a table, yes or no, or a graph, as triples or as quads of the default graph."""


@dataclass(frozen=True)
class Limits:
    """How much an answer may have.

    Attributes:
        rows: rows, or triples.
        answer: bytes.
    """

    rows: int
    answer: int


class Unanswered(Exception):
    """There is no answer.

    Args:
        status: the status code that says so.
        detail: why, in one sentence.
        place: line and column of the query, where there is one.
    """

    def __init__(self, status: int, detail: str, place: tuple[int, int] | None = None) -> None:
        super().__init__(detail)
        self.problem: dict[str, Any] = {"status": status, "detail": detail}
        if place:
            self.problem |= {"line": place[0], "column": place[1]}


class Writer:
    """The file to which Oxigraph writes an answer: sends it on in pieces, and counts."""

    def __init__(self, connection: socket.socket, head: dict[str, Any], limits: Limits, mark: bytes) -> None:
        self._connection, self._limits, self._mark = connection, limits, mark
        self._out = bytearray(frame(HEAD, json.dumps(head).encode()))
        self._piece = bytearray()
        self._rows = self._size = 0
        self._tail = b""

    def write(self, content: bytes) -> int:
        """Takes a piece.

        Raises:
            Unanswered: it is more than an answer may have.
        """
        seen = self._tail + content
        self._rows += seen.count(self._mark)
        self._tail = seen[len(seen) - len(self._mark) + 1 :] if len(self._mark) > 1 else b""
        self._size += len(content)
        if self._rows > self._limits.rows:
            raise Unanswered(422, f"The answer has more than {self._limits.rows} rows. Add a LIMIT.")
        if self._size > self._limits.answer:
            raise Unanswered(422, f"The answer has more than {self._limits.answer} bytes. Add a LIMIT.")
        self._piece += content
        if len(self._piece) >= _PIECE:
            self._connection.sendall(self._out + frame(DATA, self._piece))
            self._out, self._piece = bytearray(), bytearray()
        return len(content)

    def flush(self) -> None:
        """Sends nothing: Oxigraph calls this at the end, and to wake the server once costs less than twice."""

    def end(self) -> None:
        """Sends the rest, in one go with the end."""
        self._connection.sendall(self._out + (frame(DATA, self._piece) if self._piece else b"") + frame(END))


class Engine:
    """A graph that can be asked.

    Args:
        path: the graph in N-Quads.

    Attributes:
        store: the graph, its default graph being the union of the others.
        names: its named graphs.
    """

    def __init__(self, path: Path) -> None:
        self.store = load(path)
        self.names = {graph.value for graph in self.store.named_graphs() if isinstance(graph, ox.NamedNode)}
        self.judge = functools.lru_cache(512)(guard.judge)

    def warm(self) -> None:
        """Lets the first query of a worker find everything in place."""
        for query in ("SELECT ?s { ?s ?p ?o } LIMIT 1", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o } LIMIT 1"):
            self.judge(query)
            self.store.query(query)

    def answer(self, request: dict[str, Any], connection: socket.socket, limits: Limits) -> None:
        """Evaluate a query and send the answer, or a problem.

        Args:
            request: ``query``; ``default`` and ``named``, the graphs that the request names, if any; ``results`` and ``graph``,
                the formats that the client takes for a table and for a graph, if any.
            connection: where to send it.
            limits: how much it may have.
        """
        # The end is said when all that the evaluation held has been let go of: that takes a while, and the next would wait.
        try:
            writer = self._answer(request, connection, limits)
        except guard.Refused as error:
            said = Unanswered(error.status, _sentence(error.message), (error.line, error.column)).problem
        except SyntaxError as error:
            said = mistake(error, request["query"]).problem
        except Unanswered as error:
            said = error.problem
        except (ValueError, OSError, RuntimeError) as error:
            said = Unanswered(422, f"The query cannot be evaluated: {_short(str(error))}.").problem
        else:
            writer.end()
            return
        connection.sendall(frame(PROBLEM, json.dumps(said).encode()))

    def _answer(self, request: dict[str, Any], connection: socket.socket, limits: Limits) -> Writer:
        text = request["query"]
        verdict = self.judge(text)
        default, named = request["default"], request["named"]
        if not (default or named):
            default, named = verdict.default, verdict.named
        answer = self._ask(text, default, named)
        is_graph = not isinstance(answer, ox.QuerySolutions | ox.QueryBoolean)
        form = request["graph" if is_graph else "results"]
        kind = "graph" if is_graph else "boolean" if isinstance(answer, ox.QueryBoolean) else "table"
        if form is None:
            raise Unanswered(
                406, "The answer to this query is a graph." if is_graph else "The answer to this query is a table."
            )
        mark = (GRAPHS if is_graph else RESULTS)[form][1]
        writer = Writer(connection, {"kind": kind, "format": form, "steady": verdict.steady}, limits, mark)
        if not isinstance(answer, ox.QuerySolutions | ox.QueryBoolean):
            prefixes = dict(PREFIXES) if form in ("turtle", "rdfxml") else None
            ox.serialize(answer, writer, format=GRAPHS[form][0], prefixes=prefixes)  # type: ignore[arg-type] # it only writes
        else:
            answer.serialize(writer, format=RESULTS[form][0])  # type: ignore[arg-type] # it only writes
        return writer

    def _ask(self, text: str, default: Sequence[str], named: Sequence[str]) -> Found:
        if not (default or named):
            return self.store.query(text, base_iri=BASE)
        unknown = next((name for name in (*default, *named) if name not in self.names), None)
        if unknown is not None:
            raise foreign(unknown)
        graphs: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] = [ox.NamedNode(name) for name in dict.fromkeys(default)]
        others: list[ox.NamedNode | ox.BlankNode] = [ox.NamedNode(name) for name in dict.fromkeys(named)]
        if len(graphs) < 2:
            return self.store.query(text, base_iri=BASE, default_graph=graphs, named_graphs=others)
        # A set of statements again: Oxigraph would answer once for each graph that holds one.
        merged = ox.Store()
        for graph in graphs:
            merged.extend(in_default_graph(quad.triple for quad in self.store.quads_for_pattern(None, None, None, graph)))
        for name in others:
            merged.extend(self.store.quads_for_pattern(None, None, None, name))
        return merged.query(text, base_iri=BASE, default_graph=ox.DefaultGraph(), named_graphs=others)


def foreign(name: str) -> Unanswered:
    """Says that a graph is not read."""
    return Unanswered(403, f"The graph <{_short(name)}> is none of this dataset, and no other is read.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + " …"


def mistake(error: SyntaxError, text: str) -> Unanswered:
    """What Oxigraph's parser found, with its place."""
    found = _PLACE.fullmatch(error.msg)
    message, at = (found[3], (int(found[1]), int(found[2]))) if found else (error.msg, guard.place(text, len(text)))
    return Unanswered(400, f"This is not SPARQL 1.1: {_short(message)}.", at)
