"""The classes, the properties and the other terms of the ontology, and those that the graph borrows.

What is asked of a class is said by its shapes and by those of the classes above it, as a class target takes in the members of
subclasses (SHACL, W3C 2017, section 2.1.3.2). So each class has both, apart.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.addresses import document
from onemg_kg.graph import RULES
from onemg_kg.site.reference.facts import Facts, Known, Node
from onemg_kg.site.reference.shapes import Rule, Shape
from onemg_kg.site.reference.words import Phrase, turtle
from onemg_kg.terms import BASE, PREFIXES, expand, shorten, term, text

PROPERTIES = frozenset(
    map(
        expand, ("rdf:Property", "owl:ObjectProperty", "owl:DatatypeProperty", "owl:AnnotationProperty", "owl:OntologyProperty")
    )
)
"""The classes of properties."""

_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Term:
    """A class, a property or an individual of the ontology.

    Attributes:
        iri: its IRI.
        name: the fragment of the IRI, which is its anchor too.
        label: what it is called.
        deprecated: whether ``owl:deprecated`` says so (OWL 2 Structural Specification, section 5.5).
        facts: what the ontology says of it: short name of a property to values.
        notes: what changed, as the data tells it.
    """

    iri: str
    name: str
    label: str
    deprecated: bool
    facts: Facts
    notes: list[Phrase]


@dataclass(frozen=True)
class Example:
    """Statements about one member of a class, in Turtle."""

    iri: str
    label: str
    turtle: Phrase


@dataclass(frozen=True)
class Class:
    """A class.

    Attributes:
        term: what the ontology says of it.
        subclasses: those directly below.
        equivalents: the classes with the same members, said of either.
        disjoint: the classes that share no member with it, said of either.
        shapes: the shapes that look at its members by name of this class.
        inherited: a class above, and what its shapes ask of the members of this class too.
        unshaped: properties with this class or one above for a domain, of which no shape says anything here.
        values_of: properties with this class for a range.
        members: how many things are of the class, by statement or by rule.
        example: a member with as many properties as any; ``None`` where no member is ours.
    """

    term: Term
    subclasses: tuple[str, ...]
    equivalents: tuple[Phrase, ...]
    disjoint: tuple[Phrase, ...]
    shapes: tuple[Shape, ...]
    inherited: tuple[tuple[str, tuple[Rule, ...]], ...]
    unshaped: tuple[str, ...]
    values_of: tuple[str, ...]
    members: int
    example: Example | None

    def rules(self) -> list[Rule]:
        """What its own shapes ask."""
        return [rule for shape in self.shapes for rule in shape.every()]


@dataclass(frozen=True)
class Property:
    """A property.

    Attributes:
        term: what the ontology says of it.
        kinds: what kind it is and which characteristics it has, in words.
        inverses: said of either.
        subproperties: those directly below.
        rules: what shapes ask of its values.
        shapes: the shapes that look at whatever has it, or at its values.
    """

    term: Term
    kinds: tuple[str, ...]
    inverses: tuple[Phrase, ...]
    subproperties: tuple[str, ...]
    rules: tuple[Rule, ...]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Borrowed:
    """The terms of one other vocabulary that the graph uses."""

    prefix: str
    namespace: str
    terms: tuple[str, ...]


def term_of(known: Known, iri: str) -> Term:
    """A term of the ontology."""
    return Term(
        iri,
        iri.rpartition("#")[2],
        known.descriptions.label(iri),
        known.true(iri, "owl:deprecated"),
        known.said(iri),
        known.notes(iri),
    )


def class_of(known: Known, iri: str, shapes: Iterable[Shape], properties: list[str]) -> Class:
    """A class of the ontology.

    Args:
        known: the vocabulary.
        iri: the class.
        shapes: every shape.
        properties: every property of the ontology.

    Raises:
        RdfError: the example cannot be written in Turtle.
    """
    targeting: dict[str, list[Shape]] = defaultdict(list)
    for shape in shapes:
        for class_ in shape.classes:
            targeting[class_].append(shape)
    own = targeting[iri]
    above = known.above[iri]
    inherited = [
        (class_, tuple(rule for shape in targeting[class_] if shape not in own for rule in shape.every())) for class_ in above
    ]
    told = {rule.property for shape in own for rule in shape.rules} | {
        rule.property for _, rules in inherited for rule in rules
    }
    return Class(
        term=term_of(known, iri),
        subclasses=tuple(other for other in known.above if iri in known.iris(other, "rdfs:subClassOf")),
        equivalents=_either(known, iri, "owl:equivalentClass", known.above),
        disjoint=_either(known, iri, "owl:disjointWith", known.above),
        shapes=tuple(own),
        inherited=tuple((class_, rules) for class_, rules in inherited if rules),
        unshaped=tuple(
            name for name in properties if name not in told and not {iri, *above}.isdisjoint(known.iris(name, "rdfs:domain"))
        ),
        values_of=tuple(name for name in properties if iri in known.iris(name, "rdfs:range")),
        members=known.descriptions.count(iri),
        example=_example(known, iri),
    )


def _either(known: Known, iri: str, name: str, others: Iterable[str]) -> tuple[Phrase, ...]:
    """The values of a symmetric property, said of either side."""
    back: list[Node] = [ox.NamedNode(other) for other in others if iri in known.iris(other, name)]
    return tuple(known.phrase(value) for value in dict.fromkeys([*known.get(iri, name), *back]))


def _example(known: Known, class_: str) -> Example | None:
    """What the files state of a member."""
    iri = known.descriptions.example(class_)
    if iri is None:
        return None
    name, type_ = ox.NamedNode(iri), term("rdf:type")
    document_ = known.descriptions.describe(document(iri)[0])
    triples = _stated(quad for quad in document_.statements if quad.subject == name or isinstance(quad.subject, ox.BlankNode))
    classes = {text(triple.object) for triple in triples if triple.predicate == type_}
    if not any(class_ in (given, *known.above.get(given, ())) for given in classes):
        # It follows by a rule, and says why this is an example.
        triples.append(ox.Triple(name, type_, ox.NamedNode(class_)))
    return Example(iri, known.descriptions.label(iri), turtle(triples))


def property_of(known: Known, iri: str, shapes: Iterable[Shape], properties: list[str]) -> Property:
    """A property of the ontology, with what every shape asks of its values."""
    kinds = [shorten(kind).rpartition(":")[2] for kind in known.iris(iri, "rdf:type")]
    return Property(
        term=term_of(known, iri),
        kinds=tuple(_INNER_CAPITAL.sub(" ", kind).lower() for kind in kinds),
        inverses=_either(known, iri, "owl:inverseOf", properties),
        subproperties=tuple(other for other in properties if iri in known.iris(other, "rdfs:subPropertyOf")),
        rules=tuple(rule for shape in shapes for rule in shape.rules if rule.property == iri),
        shapes=tuple(shape for shape in shapes if iri in known.iris(shape.iri, "sh:targetSubjectsOf", "sh:targetObjectsOf")),
    )


def borrowed(known: Known) -> list[Borrowed]:
    """Every class and property of others that the graph uses."""
    classes = known.descriptions.classes()
    relations = ("rdfs:subClassOf", "rdfs:subPropertyOf", "rdfs:domain", "rdfs:range", "owl:equivalentClass")
    for node in list(known.facts):
        for name in (*relations, "owl:equivalentProperty", "sh:class", "sh:targetClass", "sh:datatype", "sh:path"):
            classes.update(known.iris(node, name))  # type: ignore[arg-type]  # no triple is held as a subject
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for iri in sorted(classes | known.descriptions.properties()):
        if not iri.startswith(BASE):
            namespace = iri[: max(iri.rfind("#"), iri.rfind("/")) + 1]
            found[_prefix(namespace), namespace].append(iri)
    return [Borrowed(prefix, namespace, tuple(terms)) for (prefix, namespace), terms in sorted(found.items())]


def _stated(quads: Iterable[ox.Quad]) -> list[ox.Triple]:
    """What the files, and not the rules, say."""
    return [quad.triple for quad in quads if not text(quad.graph_name).startswith(RULES)]


def _prefix(namespace: str) -> str:
    return next((prefix for prefix, known in PREFIXES.items() if known == namespace), "")
