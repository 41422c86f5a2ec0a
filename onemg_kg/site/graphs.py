"""The named graphs as documents: what each file states, and what follows by each rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onemg_kg.addresses import document
from onemg_kg.descriptions import Descriptions
from onemg_kg.graph import RULES, file_of
from onemg_kg.queries import Query
from onemg_kg.terms import BASE, term

_SHOWN = 20
"""So many of the things that a graph says something of are named on its page."""


@dataclass(frozen=True)
class NamedGraph:
    """A named graph (RDF 1.1 Concepts, section 4).

    Attributes:
        iri: its name.
        path: the place of its document on the site, without suffix.
        file: the file that states what it holds, or that has the rule.
        rule: the rule from which follows what it holds; ``None`` where a file states it.
        size: how many statements it holds.
    """

    iri: str
    path: str
    file: str
    rule: Query | None
    size: int

    @property
    def title(self) -> str:
        """What it is called."""
        return self.rule.title if self.rule else self.file


@dataclass(frozen=True)
class About:
    """What a named graph says something of.

    Attributes:
        first: the first things that have a document, each once, by their own IRI.
        number: how many there are.
        pages: the pages of the Framework that its file was read from, each with its address: those that it describes or has
            places on.
    """

    first: list[str]
    number: int
    pages: dict[str, str]


def about(graph: NamedGraph, parts: Iterable[list[str]], descriptions: Descriptions) -> About:
    """What a named graph says something of.

    Args:
        graph: the graph.
        parts: its lines, which may come in parts.
        descriptions: the documents.
    """
    on, page = str(term("onemg:onPage")), str(term("onemg:FrameworkPage"))
    subjects: dict[str, None] = {}
    pages: set[str] = set()
    for lines in parts:
        for line in lines:
            subject, predicate, rest = line.split(" ", 2)
            subjects[subject[1:].partition("#")[0].removesuffix(">")] = None
            if graph.rule is None and predicate == on:
                pages.add(rest[1:-3])
            elif graph.rule is None and rest[:-2] == page:
                pages.add(subject[1:-1])
    described = [iri for iri in subjects if iri.startswith(BASE) and document(iri)[0] in descriptions]
    addresses = {iri: value for iri in sorted(pages) for value in descriptions.values(iri, "onemg:address")}
    return About(described[:_SHOWN], len(described), addresses)


def read(sizes: Mapping[str, int], rules: Mapping[str, Query]) -> dict[str, NamedGraph]:
    """The named graphs of a dataset by their IRIs, sorted.

    Args:
        sizes: how many statements each has, by its IRI.
        rules: the rules by name.
    """
    return {
        iri: NamedGraph(iri, document(iri)[0], file_of(iri), rules.get(iri.removeprefix(RULES)), sizes[iri])
        for iri in sorted(sizes)
    }
