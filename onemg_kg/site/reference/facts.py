"""The facts of the vocabulary: what the graph says of the ontology, the schemes and the shapes, to be asked and to be read."""

from collections import defaultdict
from collections.abc import Iterable

import pyoxigraph as ox

from onemg_kg.addresses import document
from onemg_kg.descriptions import Descriptions
from onemg_kg.site.reference.words import JOINED, Phrase, Word, join, listed
from onemg_kg.terms import BASE, NS, expand, shorten, term, text

CLASSES = frozenset(map(expand, ("owl:Class", "rdfs:Class")))
"""The classes of classes."""

_NOTES = ("skos:historyNote", "skos:changeNote")

Node = ox.NamedNode | ox.BlankNode | ox.Literal


class Facts(dict[str, list[Phrase]]):
    """What is said of a thing: short name of a property to values. A property that is not used has no values."""

    def __missing__(self, name: str) -> list[Phrase]:
        return []


class Known:
    """What the graph says of the vocabulary.

    Args:
        descriptions: everything: ontology, schemes, shapes, and the data to count and to take examples from.

    Attributes:
        facts: node to property to values, for what belongs to the vocabulary.
        iri: the ontology; empty where there is none.
        shapes: our node shapes.
        schemes: our schemes.
        terms: the terms of the ontology, by name.
        above: its classes, each with the classes above it, the nearest first.
    """

    def __init__(self, descriptions: Descriptions) -> None:
        self.descriptions = descriptions
        self.facts: dict[Node | ox.Triple, dict[str, dict[Node, None]]] = defaultdict(lambda: defaultdict(dict))
        # The one ontology whose document holds our terms; a graph may name others, whose terms are borrowed.
        self.iri = next((iri for iri in self.members("owl:Ontology") if iri + "#" == NS), "")
        self.shapes = self.ours("sh:NodeShape")
        self.schemes = self.ours("skos:ConceptScheme")
        for iri in (*([self.iri] if self.iri else ()), *self.shapes, *self.ours("sh:PropertyShape")):
            self._hold(descriptions.describe(document(iri)[0]).statements)
        for iri in (*self.schemes, *self.members("skos:Concept")):
            self._hold(descriptions.of(iri))
        self.terms = sorted(
            (text(node) for node in self.facts if self.iri and text(node).startswith(self.iri + "#")),
            key=lambda iri: (iri.rpartition("#")[2].casefold(), iri),
        )
        self.above = {iri: self._closure(iri) for iri in self.terms if self.is_a(iri, CLASSES)}

    def _hold(self, quads: Iterable[ox.Quad]) -> None:
        for quad in quads:
            if not isinstance(quad.object, ox.Triple):
                self.facts[quad.subject][quad.predicate.value][quad.object] = None

    def members(self, class_: str) -> list[str]:
        """The things of a class, by its short name."""
        return self.descriptions.members(expand(class_))

    def ours(self, class_: str) -> list[str]:
        """Our things of a class, by its short name."""
        return [iri for iri in self.members(class_) if iri.startswith(BASE)]

    def get(self, node: str | Node, name: str) -> list[Node]:
        """The values of a property of a node, each once, in the order of the files."""
        if not node:
            return []
        key = ox.NamedNode(node) if isinstance(node, str) else node
        return list(self.facts[key].get(expand(name), ())) if key in self.facts else []

    def iris(self, node: str | Node, *names: str) -> list[str]:
        """The IRIs among the values of some properties of a node."""
        return [text(value) for name in names for value in self.get(node, name) if isinstance(value, ox.NamedNode)]

    def first(self, node: str | Node, name: str) -> str:
        """The first value of a property of a node, as text; empty where there is none."""
        return next((text(value) for value in self.get(node, name)), "")

    def true(self, node: str | Node, name: str) -> bool:
        """Whether a property of a node is ``true``."""
        return self.first(node, name) in ("true", "1")

    def is_a(self, iri: str, classes: frozenset[str]) -> bool:
        """Whether a thing is stated to be of one of some classes."""
        return not classes.isdisjoint(self.iris(iri, "rdf:type"))

    def items(self, node: Node) -> list[Node]:
        """The members of a list (RDF Schema 1.1, section 5.2)."""
        found: list[Node] = []
        seen: set[Node] = set()
        while node not in seen and (first := self.get(node, "rdf:first")):
            seen.add(node)
            found.append(first[0])
            node = next(iter(self.get(node, "rdf:rest")), term("rdf:nil"))
        return found

    def _closure(self, iri: str) -> list[str]:
        """The classes above a class, the nearest first, without itself."""
        found: dict[str, None] = {}
        waiting = [iri]
        while waiting:
            for above in self.iris(waiting.pop(0), "rdfs:subClassOf", "owl:equivalentClass"):
                if above not in found and above != iri:
                    found[above] = None
                    waiting.append(above)
        return list(found)

    def word(self, node: Node) -> Word:
        """A node by its name."""
        if isinstance(node, ox.Literal):
            return Word(node.value, language=node.language)
        return Word(self.descriptions.label(text(node)), text(node))

    def phrase(self, node: Node) -> Phrase:
        """A value; a node without a name by what is said of it (a class expression of OWL 2)."""
        if not isinstance(node, ox.BlankNode):
            return (self.word(node),)
        parts = []
        for property_, values in self.facts[node].items():
            name = shorten(property_)
            if name in JOINED:
                parts.append(listed(name, [self.phrase(item) for value in values for item in self.items(value)]))
            elif name != "rdf:type":
                parts.append((Word(name, property_), Word(" "), *join(", ", [self.phrase(value) for value in values])))
        return join("; ", parts)

    def said(self, iri: str) -> Facts:
        """Everything that is said of a thing, for a template to choose from."""
        held = self.facts[ox.NamedNode(iri)] if iri else {}
        return Facts({shorten(name): [self.phrase(value) for value in values] for name, values in held.items()})

    def notes(self, iri: str) -> list[Phrase]:
        """What is told of the history of a thing."""
        return [self.phrase(value) for name in _NOTES for value in self.get(iri, name)]
