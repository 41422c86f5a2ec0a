"""The named graphs as documents: what each file states, and what follows by each rule."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.addresses import document
from onemg_kg.descriptions import Descriptions
from onemg_kg.graph import RULES, file_of
from onemg_kg.queries import Query
from onemg_kg.terms import BASE, term, text


@dataclass(frozen=True)
class NamedGraph:
    """A named graph (RDF 1.1 Concepts, section 4).

    Attributes:
        iri: its name.
        path: the place of its document on the site, without suffix.
        file: the file that states what it holds, or that has the rule.
        rule: the rule from which follows what it holds; ``None`` where a file states it.
        quads: what it holds.
    """

    iri: str
    path: str
    file: str
    rule: Query | None
    quads: list[ox.Quad]

    @property
    def title(self) -> str:
        """What it is called."""
        return self.rule.title if self.rule else self.file

    def about(self, descriptions: Descriptions) -> list[str]:
        """What it says something of, as far as that has a document: each once, by its own IRI."""
        found = dict.fromkeys(text(quad.subject).partition("#")[0] for quad in self.quads)
        return [iri for iri in found if iri.startswith(BASE) and document(iri)[0] in descriptions]

    def pages(self, descriptions: Descriptions) -> dict[str, str]:
        """The pages of the Framework that it was read from, each with its address: those that it describes or has places on."""
        on, page, address = term("onemg:onPage"), term("onemg:FrameworkPage"), term("onemg:address")
        found = {
            text(quad.object if quad.predicate == on else quad.subject)
            for quad in self.quads
            if quad.predicate == on or quad.object == page
        }
        return {
            iri: text(quad.object)
            for iri in sorted(found)
            for quad in descriptions.of(iri)
            if quad.predicate == address and self.rule is None
        }


def read(quads: Iterable[ox.Quad], rules: Mapping[str, Query]) -> dict[str, NamedGraph]:
    """The named graphs of a dataset by their IRIs, sorted.

    Args:
        quads: the dataset, each statement in the graph of its file or rule.
        rules: the rules by name.
    """
    held: dict[str, list[ox.Quad]] = defaultdict(list)
    for quad in quads:
        held[text(quad.graph_name)].append(quad)
    return {
        iri: NamedGraph(iri, document(iri)[0], file_of(iri), rules.get(iri.removeprefix(RULES)), held[iri])
        for iri in sorted(held)
    }
