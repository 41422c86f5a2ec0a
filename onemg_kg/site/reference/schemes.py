"""Concept schemes as trees of their concepts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from onemg_kg.site.reference.facts import Facts, Known
from onemg_kg.site.reference.words import Phrase

_MATCHES = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch")


@dataclass(frozen=True)
class Concept:
    """A concept in the tree of its scheme.

    Attributes:
        iri: its IRI.
        name: the last step of the IRI.
        deprecated: whether ``owl:deprecated`` says so.
        facts: what is said of it: short name of a property to values.
        matches: short name of a mapping property to what the concept is mapped to.
        narrower: its parts in the same scheme.
    """

    iri: str
    name: str
    deprecated: bool
    facts: Facts
    matches: dict[str, list[Phrase]]
    narrower: tuple["Concept", ...]


@dataclass(frozen=True)
class Scheme:
    """A concept scheme.

    Attributes:
        iri: its IRI.
        label: what it is called.
        facts: what is said of it: short name of a property to values.
        top: its concepts, as trees.
        size: how many concepts it has.
        classes: the classes of the ontology of which they are.
    """

    iri: str
    label: str
    facts: Facts
    top: tuple[Concept, ...]
    size: int
    classes: tuple[str, ...]


def scheme_of(known: Known, iri: str, concepts: Iterable[str]) -> Scheme:
    """A scheme with those of some concepts that are in it."""
    held = dict.fromkeys(
        [
            *known.iris(iri, "skos:hasTopConcept"),
            *(concept for concept in concepts if iri in known.iris(concept, "skos:inScheme")),
        ]
    )
    below: dict[str, dict[str, None]] = defaultdict(dict)
    for concept in held:
        for other in known.iris(concept, "skos:broader"):
            below[other][concept] = None
        for other in known.iris(concept, "skos:narrower"):
            below[concept][other] = None
    lower = {other for concept in held for other in below[concept]}
    seen: set[str] = set()
    top = [_concept(known, concept, held, below, seen) for concept in held if concept not in lower]
    # Concepts that are only in a circle of broader ones have no top; each is shown all the same.
    top += [_concept(known, concept, held, below, seen) for concept in held if concept not in seen]
    types = {type_ for concept in held for type_ in known.iris(concept, "rdf:type") if type_ in known.above}
    return Scheme(iri, known.descriptions.label(iri), known.said(iri), tuple(top), len(held), tuple(sorted(types)))


def _concept(known: Known, iri: str, held: Iterable[str], below: dict[str, dict[str, None]], seen: set[str]) -> Concept:
    """A concept and, each at the first place where it is found, those below it in the same scheme."""
    seen.add(iri)
    said = known.said(iri)
    matches = {name: said[name] for name in _MATCHES if name in said}
    narrower = tuple(_concept(known, other, held, below, seen) for other in below[iri] if other in held and other not in seen)
    return Concept(iri, iri.rpartition("/")[2], known.true(iri, "owl:deprecated"), said, matches, narrower)
