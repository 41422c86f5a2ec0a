"""The formats in which a graph is published.

Every writer gives the same bytes for the same graph, whatever the order of the statements and the labels of the blank
nodes, and reads back as exactly the terms that were written. The table ``FORMATS`` is the one place that knows a
format's media type and suffix; command-line choices, file names and HTTP negotiation derive from it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from onemg_kg.errors import RdfError
from onemg_kg.formats import canonical
from onemg_kg.formats.canonical import Statement, Tokens, quads_of
from onemg_kg.formats.context import Context, context, derive
from onemg_kg.formats.jsonld import write_jsonld
from onemg_kg.formats.nesting import TYPE, Dataset
from onemg_kg.formats.prefixes import Prefixes
from onemg_kg.formats.rdfxml import write_rdfxml
from onemg_kg.formats.turtle import write_turtle

__all__ = [
    "FORMATS",
    "TYPE",
    "Context",
    "Dataset",
    "Format",
    "Prefixes",
    "Statement",
    "Tokens",
    "context",
    "derive",
    "of_lines",
    "of_tokens",
    "quads_of",
    "together",
    "tokens",
    "triples",
]


@dataclass(frozen=True)
class Format:
    """One RDF format.

    Attributes:
        name: what users call it, in the table and on the command line.
        media_type: its media type as registered with IANA.
        suffix: the suffix of its files, with the dot.
        quads: whether it holds named graphs.
        writer: writes canonical tokens; call ``write`` instead.
    """

    name: str
    media_type: str
    suffix: str
    quads: bool
    writer: Callable[[Dataset, Prefixes, Context | None], Iterator[str]]

    def write(self, statements: Iterable[Statement], prefixes: Prefixes, context: Context | None = None) -> bytes:
        """Write a graph or dataset in UTF-8.

        Args:
            statements: triples, or quads as far as the format holds them (``quad.triple`` leaves the graph name out), in
                any order; a repeated statement counts once.
            prefixes: prefix to namespace; only those that shorten something are declared.
            context: the published context, for JSON-LD; without it one is derived from the statements.

        Raises:
            RdfError: the statements are not RDF 1.1, name a graph where the format has none, or have blank nodes that
                cannot be named canonically in reasonable time; a prefix cannot be written; or, in RDF/XML only, a
                predicate or a character of a literal cannot be.
        """
        return self.write_tokens(tokens(statements), prefixes, context)

    def write_tokens(self, quads: Dataset, prefixes: Prefixes, context: Context | None = None) -> bytes:
        """As :meth:`write`, from what :func:`tokens` made of the statements: it is the same for every format.

        Raises:
            RdfError: as :meth:`write`.
        """
        return b"".join(self.pieces(quads, prefixes, context))

    def pieces(self, quads: Dataset, prefixes: Prefixes, context: Context | None = None) -> Iterator[bytes]:
        """As :meth:`write_tokens`, one piece after the other: of a large dataset little is held at once.

        Raises:
            RdfError: as :meth:`write`.
        """
        named = quads.graph
        if named and not self.quads:
            others = " or ".join(other.name for other in _FORMATS if other.quads)
            raise RdfError(
                f"the format {self.name} holds one graph without a name, and a statement is of graph {named}.",
                fix=f"Write the triples alone, or choose {others}.",
            )
        # Each piece is encoded alone: in one text a letter beyond ASCII doubles the memory and time that all take.
        return (piece.encode() for piece in self.writer(quads, prefixes, context))


def tokens(statements: Iterable[Statement]) -> Dataset:
    """The statements, each once, as every writer reads them.

    Raises:
        RdfError: they are not RDF 1.1, or have blank nodes that cannot be named canonically in reasonable time.
    """
    return Dataset(canonical.tokens(statements))


def of_lines(graphs: Iterable[tuple[str, list[str]]]) -> Dataset:
    """As :func:`tokens`, of lines of N-Triples with the IRI of their graph, or nothing for those of the default graph.

    Raises:
        RdfError: as :func:`tokens`.
    """
    return Dataset(canonical.of_lines(graphs))


def of_tokens(quads: Iterable[Tokens]) -> Dataset:
    """As :func:`tokens`, of statements that are tokens already, in any order.

    Raises:
        RdfError: as :func:`tokens`.
    """
    return Dataset(canonical.of_tokens(quads))


def triples(quads: Dataset, *graphs: str) -> Dataset:
    """The statements of the graphs whose IRI starts with one of some texts, or of all, as :func:`tokens` would give them alone.

    Raises:
        RdfError: as :func:`tokens`.
    """
    starts = tuple(f"<{graph}" for graph in graphs) or ("",)
    return Dataset(canonical.triples(quads.statements, starts))


def together(*datasets: Dataset) -> Dataset:
    """The statements of several datasets, of which no two have a blank node in common."""
    return Dataset(canonical.together(*datasets))


_LINES = 100
"""So many lines are one piece."""


def _write_lines(quads: Dataset) -> Iterator[str]:
    """N-Triples or N-Quads in canonical form (RDFC-1.0, section 5), in pieces; the tokens are in its order."""
    lines = map(canonical.to_line, quads)
    while piece := "".join(islice(lines, _LINES)):
        yield piece


_FORMATS = (
    Format("turtle", "text/turtle", ".ttl", False, lambda quads, prefixes, _: write_turtle(quads, prefixes)),
    Format("jsonld", "application/ld+json", ".jsonld", True, write_jsonld),
    Format("ntriples", "application/n-triples", ".nt", False, lambda quads, *_: _write_lines(quads)),
    Format("nquads", "application/n-quads", ".nq", True, lambda quads, *_: _write_lines(quads)),
    Format("trig", "application/trig", ".trig", True, lambda quads, prefixes, _: write_turtle(quads, prefixes)),
    Format("rdfxml", "application/rdf+xml", ".rdf", False, lambda quads, prefixes, _: write_rdfxml(quads, prefixes)),
)

FORMATS: Mapping[str, Format] = MappingProxyType({format_.name: format_ for format_ in _FORMATS})
"""The formats by name, the one to offer first coming first."""
