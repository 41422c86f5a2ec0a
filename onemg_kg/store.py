"""Where a graph is queried: Oxigraph in this process."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import pyoxigraph as ox

from onemg_kg.errors import QueryError
from onemg_kg.terms import text

Term = ox.NamedNode | ox.BlankNode | ox.Literal

Graphs = Mapping[str, list[str]]
"""The statements of each graph as lines of N-Triples (see :func:`to_lines`), by its IRI; by nothing those of the default graph.

A line takes a third of the memory of the terms it is made of, and to compare, sort and join lines takes a tenth of the time.
"""

_PLACE = re.compile(r"error at (\d+):\d+: (.*)", re.DOTALL)
_RESULTS = {"csv": ox.QueryResultsFormat.CSV, "json": ox.QueryResultsFormat.JSON}


def in_default_graph(triples: Iterable[ox.Triple]) -> list[ox.Quad]:
    """Triples as quads of the default graph."""
    return [ox.Quad(triple.subject, triple.predicate, triple.object) for triple in triples]


def to_lines(triples: Iterable[ox.Triple] | Iterable[ox.Quad]) -> list[str]:
    """Triples, or quads of the default graph, as lines of N-Triples (canonical, as RDF 1.1 N-Triples, section 4, has it)."""
    text = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
    return text.decode().split("\n")[:-1]


def from_lines(lines: Iterable[str], graph: str = "") -> list[ox.Quad]:
    """What :func:`to_lines` wrote as quads of the graph of an IRI, or without one of the default graph.

    To name the graph in the text and read that takes half the time that it takes to make each quad of its terms.
    """
    return list(ox.parse(nquads(lines, graph), format=ox.RdfFormat.N_QUADS, lenient=True))


def nquads(lines: Iterable[str], graph: str) -> str:
    """Lines of N-Triples as N-Quads of one graph."""
    end = f"<{graph}> .\n" if graph else ".\n"
    return "".join([line[:-1] + end for line in lines])


def by_graph(quads: Iterable[ox.Quad]) -> Graphs:
    """Quads as lines."""
    held: dict[str, list[ox.Triple]] = defaultdict(list)
    for quad in quads:
        held[text(quad.graph_name)].append(quad.triple)
    return {graph: to_lines(triples) for graph, triples in held.items()}


def to_quads(graphs: Graphs) -> list[ox.Quad]:
    """Lines as quads, in the order of the graphs and lines."""
    return [quad for graph, lines in graphs.items() if lines for quad in from_lines(lines, graph)]


def load(path: Path) -> ox.Store:
    """A file of N-Quads, indexed, with the union of its graphs as the default graph. Other threads go on meanwhile.

    That is a set, as SPARQL 1.1 (section 13) asks for: Oxigraph's own union answers once for each graph that holds a statement.

    Raises:
        OSError: the file cannot be read.
        SyntaxError: it is no N-Quads.
    """
    store = ox.Store()
    store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS, lenient=True)
    store.update("INSERT { ?s ?p ?o } WHERE { GRAPH ?graph { ?s ?p ?o } }")
    return store


class Table(NamedTuple):
    """The answer to a SELECT query.

    Attributes:
        variables: the names of the columns, without the question mark, in the order of the query.
        rows: one tuple a solution; ``None`` where a variable is unbound.
    """

    variables: tuple[str, ...]
    rows: list[tuple[Term | None, ...]]

    def records(self) -> Iterator[dict[str, Term | None]]:
        """The rows, each as a mapping from variable to term."""
        for row in self.rows:
            yield dict(zip(self.variables, row, strict=True))


class Stream(NamedTuple):
    """As :class:`Table`, of which each row is made when it is asked for."""

    variables: tuple[str, ...]
    rows: Iterator[tuple[Term | None, ...]]


class Selectable(Protocol):
    """What can be asked for rows. The default graph of a query is the union of all named graphs."""

    def select(self, text: str, source: str = "query") -> Table:
        """The rows of a SELECT or ASK query."""


class Queryable(Selectable, Protocol):
    """What can be asked: :class:`Store`, or a store elsewhere (:class:`onemg_kg.remote.Remote`).

    The methods are those of :class:`Store`.
    """

    def stream(self, text: str, source: str = "query") -> Stream:
        """As :meth:`select`, row by row."""

    def construct(self, text: str, source: str = "query") -> list[ox.Triple]:
        """The graph of a CONSTRUCT or DESCRIBE query."""

    def is_construct(self, text: str, source: str = "query") -> bool:
        """Whether a query answers with a graph."""

    def results(self, text: str, form: str, source: str = "query") -> str:
        """The answer to a SELECT or ASK query as a document."""


class Store:
    """An indexed copy of a dataset, for queries only.

    Oxigraph's store rewrites literals (``nonNegativeInteger`` becomes ``integer``), so what is published or validated is
    taken from the parsed quads and never from here. The default graph of a query is the union of all named graphs.
    """

    # The union is held as a graph of its own: Oxigraph's `use_default_graph_as_union` answers once for each graph that holds a
    # statement, where SPARQL 1.1, section 13, asks for a set.

    def __init__(self, quads: Iterable[ox.Quad] = ()) -> None:
        self._store = ox.Store()
        self.add(quads)

    @classmethod
    def of(cls, store: ox.Store) -> "Store":
        """What :func:`load` made."""
        made = cls.__new__(cls)
        made._store = store
        return made

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """What :meth:`save` wrote, to read only. The files are open from then on: they may be removed.

        Raises:
            OSError: the folder cannot be read, or is no database.
        """
        try:
            return cls.of(ox.Store.read_only(str(folder)))
        except RuntimeError as error:  # what pyoxigraph raises for a database that is corrupt
            raise OSError(str(error)) from None

    def save(self, folder: Path) -> None:
        """Write the dataset to a new folder, as a database of Oxigraph (RocksDB).

        Raises:
            OSError: the folder cannot be written.
        """
        database = ox.Store(folder)
        database.bulk_extend(self._store)
        database.flush()

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Add quads to the dataset."""
        held = list(quads)
        self._store.bulk_extend(held)
        self._store.bulk_extend(in_default_graph(quad.triple for quad in held))

    def add_lines(self, lines: Iterable[str], graph: str) -> None:
        """Add what :func:`to_lines` wrote to the graph of an IRI. Its blank nodes are not those of any other call."""
        held = list(lines)
        # In one document, so that a blank node of the graph is the same in the union.
        document = nquads(held, graph) + nquads(held, "")
        self._store.load(document, format=ox.RdfFormat.N_QUADS, lenient=True)

    def _query(self, text: str, source: str) -> ox.QuerySolutions | ox.QueryTriples | ox.QueryBoolean:
        try:
            return self._store.query(text)
        except SyntaxError as error:
            # "error at LINE:COLUMN: what": the exception itself does not say the line.
            found = _PLACE.fullmatch(error.msg)
            message, line = (found[2], int(found[1])) if found else (error.msg, None)
            if "Prefix not found" in message:
                message = "a prefix is not declared"  # the parser adds every character that could have followed
            raise QueryError(f"is not SPARQL 1.1: {message}.", source=source, line=line) from None

    def select(self, text: str, source: str = "query") -> Table:
        """Run a SELECT or ASK query (SPARQL 1.1 Query, section 16).

        Args:
            text: the query. An ASK answers with one row in a column ``answer``.
            source: what to call the query in an error.

        Raises:
            QueryError: the text is not a SELECT or ASK query of SPARQL 1.1.
        """
        found = self.stream(text, source)
        return Table(found.variables, list(found.rows))

    def stream(self, text: str, source: str = "query") -> Stream:
        """As :meth:`select`, row by row: all rows of a large graph together take much memory.

        Raises:
            QueryError: the text is not a SELECT or ASK query of SPARQL 1.1.
        """
        answer = self._query(text, source)
        if isinstance(answer, ox.QueryBoolean):
            return Stream(("answer",), iter([(ox.Literal(bool(answer)),)]))
        if isinstance(answer, ox.QueryTriples):
            raise QueryError("gives a graph where rows are asked for.", source=source, fix="Use SELECT or ASK.")
        return Stream(tuple(variable.value for variable in answer.variables), map(tuple, answer))

    def construct(self, text: str, source: str = "query") -> list[ox.Triple]:
        """Run a CONSTRUCT or DESCRIBE query.

        Raises:
            QueryError: the text is not such a query of SPARQL 1.1.
        """
        return list(self._triples(text, source))

    def construct_lines(self, text: str, source: str = "query") -> list[str]:
        """As :meth:`construct`, in lines of N-Triples.

        Raises:
            QueryError: the text is not such a query of SPARQL 1.1.
        """
        document = self._triples(text, source).serialize(format=ox.RdfFormat.N_TRIPLES) or b""
        return document.decode().split("\n")[:-1]

    def _triples(self, text: str, source: str) -> ox.QueryTriples:
        answer = self._query(text, source)
        if not isinstance(answer, ox.QueryTriples):
            raise QueryError("gives rows where a graph is asked for.", source=source, fix="Use CONSTRUCT or DESCRIBE.")
        return answer

    def is_construct(self, text: str, source: str = "query") -> bool:
        """Whether the query answers with a graph: asked of an empty store, which answers at once.

        Raises:
            QueryError: the text is not SPARQL 1.1.
        """
        return isinstance(Store()._query(text, source), ox.QueryTriples)

    def results(self, text: str, form: str, source: str = "query") -> str:
        """The answer to a SELECT or ASK query as a document.

        Args:
            text: the query.
            form: ``csv`` (SPARQL 1.1 Query Results CSV) or ``json`` (SPARQL 1.1 Query Results JSON).
            source: what to call the query in an error.

        Raises:
            QueryError: the text is not such a query.
        """
        answer = self._query(text, source)
        if isinstance(answer, ox.QueryTriples):
            raise QueryError("gives a graph where rows are asked for.", source=source, fix="Use SELECT or ASK.")
        if isinstance(answer, ox.QueryBoolean) and form == "csv":
            return f"answer\r\n{str(bool(answer)).lower()}\r\n"
        document = answer.serialize(format=_RESULTS[form]) or b""
        return document.decode() + ("" if form == "csv" else "\n")
