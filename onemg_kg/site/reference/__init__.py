"""The reference of the vocabulary: the ontology, the schemes and the shapes as structures that templates show."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.addresses import document
from onemg_kg.descriptions import Descriptions
from onemg_kg.site.reference.facts import Facts, Known
from onemg_kg.site.reference.ontology import (
    PROPERTIES,
    Borrowed,
    Class,
    Property,
    Term,
    borrowed,
    class_of,
    property_of,
    term_of,
)
from onemg_kg.site.reference.schemes import Concept, Scheme, scheme_of
from onemg_kg.site.reference.shapes import Rule, Shape, rule_of, shape_of
from onemg_kg.site.reference.words import Phrase, turtle
from onemg_kg.terms import BASE, shorten

__all__ = ["Concept", "Phrase", "Reference", "Rule", "read"]


@dataclass(frozen=True)
class Reference:
    """The vocabulary.

    Attributes:
        iri: the ontology; empty where there is none.
        version: the IRI of this version of it, if that is ours (OWL 2 Structural Specification, section 3.1); else empty.
        facts: what is said of the ontology: short name of a property to values.
        notes: what changed in the whole of it.
        classes: every class, by name.
        properties: every property, by name.
        individuals: everything else that the ontology names.
        borrowed: the terms of others, by vocabulary.
        schemes: every scheme, by IRI.
        shapes: every node shape, by IRI.
        rules: what each shape with an IRI asks, by that.
        turtle: each of these shapes in Turtle, by IRI.
    """

    iri: str
    version: str
    facts: Facts
    notes: list[Phrase]
    classes: list[Class]
    properties: list[Property]
    individuals: list[Term]
    borrowed: list[Borrowed]
    schemes: dict[str, Scheme]
    shapes: dict[str, Shape]
    rules: dict[str, Rule]
    turtle: dict[str, Phrase]

    def version_path(self) -> str:
        """The path of the document of this version.

        Raises:
            ValueError: there is no version.
        """
        return document(self.version)[0]

    def anchors(self) -> set[str]:
        """Every IRI that has an anchor of its own on the page of the ontology."""
        return {term_.iri for term_ in self.terms()}

    def terms(self) -> list[Term]:
        """Every term of the ontology: classes, properties, individuals."""
        return [*(held.term for held in self.classes), *(held.term for held in self.properties), *self.individuals]

    def tops(self) -> list[Class]:
        """The classes that stand below none of ours."""
        below = {iri for held in self.classes for iri in held.subclasses}
        return [held for held in self.classes if held.term.iri not in below]

    def by_class(self) -> dict[str, list[Shape]]:
        """The shapes by the class whose members they look at, sorted by short name."""
        found: dict[str, list[Shape]] = defaultdict(list)
        for shape in self.shapes.values():
            for iri in shape.classes:
                found[iri].append(shape)
        return {iri: found[iri] for iri in sorted(found, key=lambda iri: shorten(iri).casefold())}


def read(descriptions: Descriptions) -> Reference:
    """The reference of a graph.

    Args:
        descriptions: everything: ontology, schemes, shapes, and the data to count and to take examples from.

    Raises:
        RdfError: an example or a shape cannot be written in Turtle.
    """
    known = Known(descriptions)
    shapes = [shape_of(known, iri) for iri in known.shapes]
    rules = {rule.iri: rule for shape in shapes for rule in shape.rules if rule.iri}
    for iri in known.ours("sh:PropertyShape"):
        rules.setdefault(iri, rule_of(known, ox.NamedNode(iri), ""))
    properties = [iri for iri in known.terms if known.is_a(iri, PROPERTIES)]
    others = [iri for iri in known.terms if iri not in known.above and iri not in properties]
    concepts = known.members("skos:Concept")
    return Reference(
        iri=known.iri,
        version=next((iri for iri in known.iris(known.iri, "owl:versionIRI") if iri.startswith(BASE)), ""),
        facts=known.said(known.iri),
        notes=known.notes(known.iri),
        classes=[class_of(known, iri, shapes, properties) for iri in known.above],
        properties=[property_of(known, iri, shapes, properties) for iri in properties],
        individuals=[term_of(known, iri) for iri in others],
        borrowed=borrowed(known),
        schemes={iri: scheme_of(known, iri, concepts) for iri in sorted(known.schemes)},
        shapes={shape.iri: shape for shape in shapes},
        rules=rules,
        turtle={iri: turtle(_triples(descriptions, iri)) for iri in (*known.shapes, *rules)},
    )


def _triples(descriptions: Descriptions, iri: str) -> Iterator[ox.Triple]:
    """What the document of a thing says of it."""
    return (quad.triple for quad in descriptions.describe(document(iri)[0]).statements)
