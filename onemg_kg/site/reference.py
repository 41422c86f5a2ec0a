"""The reference of the vocabulary: the ontology, the schemes and the shapes as structures that templates show.

What is asked of a class is said by its shapes and by those of the classes above it, as a class target takes in the members of
subclasses (SHACL, W3C 2017, section 2.1.3.2). So each class has both, apart.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.addresses import document
from onemg_kg.descriptions import Descriptions
from onemg_kg.formats import FORMATS
from onemg_kg.graph import RULES
from onemg_kg.terms import BASE, NS, PREFIXES, expand, shorten, term, text

_PAIRS = {
    "sh:class": ("of class ", ""),
    "sh:datatype": ("of datatype ", ""),
    "sh:nodeKind": ("", ""),
    "sh:minInclusive": ("at least ", ""),
    "sh:maxInclusive": ("at most ", ""),
    "sh:minExclusive": ("more than ", ""),
    "sh:maxExclusive": ("less than ", ""),
    "sh:minLength": ("length at least ", ""),
    "sh:maxLength": ("length at most ", ""),
    "sh:pattern": ("matches ", ""),
    "sh:flags": ("matched with the flags ", ""),
    "sh:languageIn": ("in the language ", ""),
    "sh:in": ("one of ", ""),
    "sh:hasValue": ("has the value ", ""),
    "sh:equals": ("the same values as ", ""),
    "sh:disjoint": ("no value of ", ""),
    "sh:lessThan": ("less than each value of ", ""),
    "sh:lessThanOrEquals": ("at most each value of ", ""),
    "sh:node": ("conforms to ", ""),
    "sh:not": ("not ", ""),
    "sh:property": ("", ""),
    "sh:ignoredProperties": ("other properties: ", ""),
}
"""What stands before and after the value of each constraint parameter (SHACL, section 4)."""

_FLAGS = {"sh:uniqueLang": "one in each language", "sh:closed": "no other properties"}
"""Constraints that are switched on or off."""

_KINDS = {
    "sh:IRI": "an IRI",
    "sh:Literal": "a literal",
    "sh:BlankNode": "a blank node",
    "sh:BlankNodeOrIRI": "a blank node or an IRI",
    "sh:BlankNodeOrLiteral": "a blank node or a literal",
    "sh:IRIOrLiteral": "an IRI or a literal",
}

_JOINED = {
    **{"sh:or": " or ", "sh:and": " and ", "sh:xone": " or else ", "sh:in": ", ", "sh:languageIn": " or "},
    **{"owl:unionOf": " or ", "owl:intersectionOf": " and ", "owl:oneOf": ", "},
}
"""What stands between the members of a list."""

_REPEATED = {"sh:zeroOrMorePath": "*", "sh:oneOrMorePath": "+", "sh:zeroOrOnePath": "?"}

_TARGETS = {
    "sh:targetClass": "every",
    "sh:targetSubjectsOf": "everything that has",
    "sh:targetObjectsOf": "every value of",
    "sh:targetNode": "the node",
}

_ASIDE = frozenset(
    expand(name)
    for name in (
        *("rdf:type", "rdfs:label", "rdfs:comment", "onemg:fix", *_TARGETS),
        *("sh:path", "sh:severity", "sh:message", "sh:deactivated", "sh:minCount", "sh:maxCount"),
        *("sh:name", "sh:description", "sh:order", "sh:group", "sh:defaultValue"),
        *("sh:qualifiedMinCount", "sh:qualifiedMaxCount", "sh:qualifiedValueShapesDisjoint"),
    )
)
"""What a shape says that is no condition on a value, or is told with another."""

_CLASSES = frozenset(map(expand, ("owl:Class", "rdfs:Class")))
_PROPERTIES = frozenset(
    map(
        expand, ("rdf:Property", "owl:ObjectProperty", "owl:DatatypeProperty", "owl:AnnotationProperty", "owl:OntologyProperty")
    )
)
_MATCHES = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch")
_NOTES = ("skos:historyNote", "skos:changeNote")

_TURTLE = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|^@prefix[^\n]*'
    r"|<(?P<iri>[^<>\s]*)>|(?P<name>[A-Za-z][A-Za-z0-9_.-]*:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)",
    re.DOTALL | re.MULTILINE,
)
"""A literal, a line that declares a prefix, or a name to link, in the Turtle that :mod:`onemg_kg.formats` writes."""

_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

Node = ox.NamedNode | ox.BlankNode | ox.Literal


@dataclass(frozen=True)
class Word:
    """A piece of a phrase: a text, perhaps that of an IRI, of a language, or to be read letter by letter."""

    text: str
    iri: str | None = None
    language: str | None = None
    code: bool = False


Phrase = tuple[Word, ...]


class Facts(dict[str, list[Phrase]]):
    """What is said of a thing: short name of a property to values. A property that is not used has no values."""

    def __missing__(self, name: str) -> list[Phrase]:
        return []


@dataclass(frozen=True)
class Rule:
    """What a shape asks, in words.

    Attributes:
        iri: the shape; empty for one without a name.
        shape: the node shape that it belongs to.
        path: whose values it looks at, as SPARQL writes a path; empty where it looks at the thing itself.
        property: the property, where the path is no more than one.
        cardinality: how many values there are; empty where it looks at the thing itself.
        conditions: what holds of each value.
        severity: in lower case; a shape without one has that of a violation (SHACL, section 2.1.4).
        message: what the shape says itself.
        fix: what to do about it.
        active: false for one that is switched off (SHACL, section 2.1.6).
    """

    iri: str
    shape: str
    path: Phrase
    property: str
    cardinality: str
    conditions: tuple[Phrase, ...]
    severity: str
    message: str
    fix: str
    active: bool


@dataclass(frozen=True)
class Shape:
    """A node shape.

    Attributes:
        iri: its IRI.
        name: its name below the namespace of the shapes.
        label: what it is called.
        classes: the classes whose members it looks at.
        targets: what it looks at, in words.
        itself: what it asks of the thing itself; ``None`` if nothing.
        rules: what it asks of the values of properties.
    """

    iri: str
    name: str
    label: str
    classes: tuple[str, ...]
    targets: tuple[Phrase, ...]
    itself: Rule | None
    rules: tuple[Rule, ...]

    def every(self) -> list[Rule]:
        """What it asks of the thing itself, then of its properties."""
        return [*([self.itself] if self.itself else []), *self.rules]


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


def read(quads: Iterable[ox.Quad], descriptions: Descriptions) -> Reference:
    """The reference of a graph.

    Args:
        quads: everything: ontology, schemes, shapes, and the data to count and to take examples from.
        descriptions: the same by document.

    Raises:
        RdfError: an example or a shape cannot be written in Turtle.
    """
    return _Reader(quads, descriptions).reference()


class _Reader:
    def __init__(self, quads: Iterable[ox.Quad], descriptions: Descriptions) -> None:
        self.descriptions = descriptions
        self.members: dict[str, dict[str, None]] = defaultdict(dict)
        self.used: set[str] = set()
        type_ = term("rdf:type")
        for quad in quads:
            self.used.add(quad.predicate.value)
            if quad.predicate == type_ and isinstance(quad.subject, ox.NamedNode):
                self.members[text(quad.object)][quad.subject.value] = None
        self.facts: dict[Node | ox.Triple, dict[str, dict[Node, None]]] = defaultdict(lambda: defaultdict(dict))
        # The one ontology whose document holds our terms; a graph may name others, whose terms are borrowed.
        self.iri = next((iri for iri in self.members[expand("owl:Ontology")] if iri + "#" == NS), "")
        self.shapes = self._ours("sh:NodeShape")
        self.schemes = self._ours("skos:ConceptScheme")
        for iri in (*([self.iri] if self.iri else ()), *self.shapes, *self._ours("sh:PropertyShape")):
            self._hold(descriptions.describe(document(iri)[0]).statements)
        for iri in (*self.schemes, *self.members[expand("skos:Concept")]):
            self._hold(descriptions.of(iri))
        self.terms = sorted(
            (text(node) for node in self.facts if self.iri and text(node).startswith(self.iri + "#")),
            key=lambda iri: (iri.rpartition("#")[2].casefold(), iri),
        )
        self.above = {iri: self._closure(iri) for iri in self.terms if self._is(iri, _CLASSES)}

    def _hold(self, quads: Iterable[ox.Quad]) -> None:
        for quad in quads:
            if not isinstance(quad.object, ox.Triple):
                self.facts[quad.subject][quad.predicate.value][quad.object] = None

    def _ours(self, class_: str) -> list[str]:
        return [iri for iri in self.members[expand(class_)] if iri.startswith(BASE)]

    def _get(self, node: str | Node, name: str) -> list[Node]:
        """The values of a property of a node, each once, in the order of the files."""
        if not node:
            return []
        key = ox.NamedNode(node) if isinstance(node, str) else node
        return list(self.facts[key].get(expand(name), ())) if key in self.facts else []

    def _iris(self, node: str | Node, *names: str) -> list[str]:
        return [text(value) for name in names for value in self._get(node, name) if isinstance(value, ox.NamedNode)]

    def _first(self, node: str | Node, name: str) -> str:
        return next((text(value) for value in self._get(node, name)), "")

    def _true(self, node: str | Node, name: str) -> bool:
        return self._first(node, name) in ("true", "1")

    def _is(self, iri: str, classes: frozenset[str]) -> bool:
        return not classes.isdisjoint(self._iris(iri, "rdf:type"))

    def _items(self, node: Node) -> list[Node]:
        """The members of a list (RDF Schema 1.1, section 5.2)."""
        found: list[Node] = []
        seen: set[Node] = set()
        while node not in seen and (first := self._get(node, "rdf:first")):
            seen.add(node)
            found.append(first[0])
            node = next(iter(self._get(node, "rdf:rest")), term("rdf:nil"))
        return found

    def _closure(self, iri: str) -> list[str]:
        """The classes above a class, the nearest first, without itself."""
        found: dict[str, None] = {}
        waiting = [iri]
        while waiting:
            for above in self._iris(waiting.pop(0), "rdfs:subClassOf", "owl:equivalentClass"):
                if above not in found and above != iri:
                    found[above] = None
                    waiting.append(above)
        return list(found)

    # ---- In words

    def _word(self, node: Node) -> Word:
        if isinstance(node, ox.Literal):
            return Word(node.value, language=node.language)
        return Word(self.descriptions.label(text(node)), text(node))

    def _phrase(self, node: Node) -> Phrase:
        """A value; a node without a name by what is said of it (a class expression of OWL 2)."""
        if not isinstance(node, ox.BlankNode):
            return (self._word(node),)
        parts = []
        for property_, values in self.facts[node].items():
            name = shorten(property_)
            if name in _JOINED:
                parts.append(self._joined(name, [self._phrase(item) for value in values for item in self._items(value)]))
            elif name != "rdf:type":
                parts.append((Word(name, property_), Word(" "), *_join(", ", [self._phrase(value) for value in values])))
        return _join("; ", parts)

    @staticmethod
    def _joined(name: str, members: list[Phrase]) -> Phrase:
        return _join(_JOINED[name], [_bracketed(member) if len(member) > 2 else member for member in members])

    def _said(self, iri: str) -> Facts:
        """Everything that is said of a thing, for a template to choose from."""
        held = self.facts[ox.NamedNode(iri)] if iri else {}
        return Facts({shorten(name): [self._phrase(value) for value in values] for name, values in held.items()})

    def _notes(self, iri: str) -> list[Phrase]:
        return [self._phrase(value) for name in _NOTES for value in self._get(iri, name)]

    def _path(self, node: Node, within: str = "") -> Phrase:
        """A property path (SHACL, section 2.3.1) as SPARQL 1.1 writes it (section 9.1)."""
        if isinstance(node, ox.NamedNode):
            return (Word(shorten(node.value), node.value, code=True),)
        steps = self._items(node)
        choices = [item for held in self._get(node, "sh:alternativePath") for item in self._items(held)]
        if steps or choices:
            found = _join("/" if steps else "|", [self._path(step, "list") for step in steps or choices])
            return _bracketed(found) if within else found
        found = ()
        for back in self._get(node, "sh:inversePath"):
            found = (Word("^"), *self._path(back, "step"))
        for name, sign in _REPEATED.items():
            for repeated in self._get(node, name):
                found = (*self._path(repeated, "step"), Word(sign))
        return _bracketed(found) if within == "step" else found

    def _conditions(self, node: Node | str) -> tuple[Phrase, ...]:
        """What a shape asks of each value: every constraint parameter that it has (SHACL, section 4), known to us or not."""
        key = ox.NamedNode(node) if isinstance(node, str) else node
        found: list[Phrase] = []
        for property_, values in self.facts[key].items():
            name = shorten(property_)
            if property_ in _ASIDE or (name == "sh:property" and isinstance(node, str)):
                continue
            if name == "sh:qualifiedValueShape":
                low, high = self._first(key, "sh:qualifiedMinCount"), self._first(key, "sh:qualifiedMaxCount")
                found += [(Word(f"{_cardinality(low, high)} of them "), *self._shape(value)) for value in values]
            elif name in _FLAGS:
                found += [(Word(_FLAGS[name]),) for value in values if text(value) in ("true", "1")]
            else:
                found += [self._condition(name, property_, value) for value in values]
        return tuple(found)

    def _condition(self, name: str, property_: str, value: Node) -> Phrase:
        before, after = _PAIRS.get(name, ("" if name in _JOINED else f"{shorten(property_)} ", ""))
        if name == "sh:nodeKind":
            return (Word(_KINDS.get(shorten(text(value)), shorten(text(value)))),)
        said: Phrase
        if name in ("sh:pattern", "sh:flags"):
            said = (Word(text(value), code=True),)
        elif name in ("sh:or", "sh:and", "sh:xone"):
            said = self._joined(name, [self._shape(item) for item in self._items(value)])
        elif name in _JOINED or name == "sh:ignoredProperties":
            said = _join(_JOINED.get(name, ", "), [(self._word(item),) for item in self._items(value)])
        elif name in ("sh:not", "sh:node", "sh:property"):
            said = self._shape(value)
        else:
            said = self._phrase(value)
        return (*((Word(before),) if before else ()), *said, *((Word(after),) if after else ()))

    def _shape(self, node: Node) -> Phrase:
        """A shape inside another; by its name if it has one."""
        if isinstance(node, ox.NamedNode):
            return (self._word(node),)
        path = self._get(node, "sh:path")
        head: list[Phrase] = []
        if path:
            head.append((*self._path(path[0]), Word(f": {self._counted(node)}")))
        return _join(", ", [*head, *self._conditions(node)])

    def _counted(self, node: Node | str) -> str:
        return _cardinality(self._first(node, "sh:minCount"), self._first(node, "sh:maxCount"))

    # ---- Shapes

    def _rule(self, node: Node, shape: str) -> Rule:
        """What a node or property shape asks, its properties left out."""
        path = self._path(paths[0]) if (paths := self._get(node, "sh:path")) else ()
        return Rule(
            iri=text(node) if isinstance(node, ox.NamedNode) else "",
            shape=shape,
            path=path,
            property=(path[0].iri or "") if len(path) == 1 else "",
            cardinality=self._counted(node) if path else "",
            conditions=self._conditions(text(node) if isinstance(node, ox.NamedNode) else node),
            severity=shorten(self._first(node, "sh:severity") or expand("sh:Violation")).rpartition(":")[2].lower(),
            message=self._first(node, "sh:message"),
            fix=self._first(node, "onemg:fix"),
            active=not self._true(node, "sh:deactivated"),
        )

    def _node_shape(self, iri: str) -> Shape:
        classes = self._iris(iri, "sh:targetClass")
        if self._is(iri, _CLASSES):  # an implicit class target (SHACL, section 2.1.3.3)
            classes.append(iri)
        itself = self._rule(ox.NamedNode(iri), iri)
        return Shape(
            iri=iri,
            name=iri.rpartition("/")[2],
            label=self.descriptions.label(iri),
            classes=tuple(classes),
            targets=tuple(
                (Word(f"{words} "), self._word(value)) for name, words in _TARGETS.items() for value in self._get(iri, name)
            ),
            itself=itself if itself.conditions else None,
            rules=tuple(self._rule(node, iri) for node in self._get(iri, "sh:property")),
        )

    # ---- Terms

    def _term(self, iri: str) -> Term:
        return Term(
            iri,
            iri.rpartition("#")[2],
            self.descriptions.label(iri),
            self._true(iri, "owl:deprecated"),
            self._said(iri),
            self._notes(iri),
        )

    def _class(self, iri: str, shapes: Iterable[Shape], properties: list[str]) -> Class:
        targeting: dict[str, list[Shape]] = defaultdict(list)
        for shape in shapes:
            for class_ in shape.classes:
                targeting[class_].append(shape)
        own = targeting[iri]
        above = self.above[iri]
        inherited = [
            (class_, tuple(rule for shape in targeting[class_] if shape not in own for rule in shape.every()))
            for class_ in above
        ]
        told = {rule.property for shape in own for rule in shape.rules} | {
            rule.property for _, rules in inherited for rule in rules
        }
        return Class(
            term=self._term(iri),
            subclasses=tuple(other for other in self.above if iri in self._iris(other, "rdfs:subClassOf")),
            equivalents=self._either(iri, "owl:equivalentClass", self.above),
            disjoint=self._either(iri, "owl:disjointWith", self.above),
            shapes=tuple(own),
            inherited=tuple((class_, rules) for class_, rules in inherited if rules),
            unshaped=tuple(
                name
                for name in properties
                if name not in told and not {iri, *above}.isdisjoint(self._iris(name, "rdfs:domain"))
            ),
            values_of=tuple(name for name in properties if iri in self._iris(name, "rdfs:range")),
            members=len(self.members[iri]),
            example=self._example(iri),
        )

    def _either(self, iri: str, name: str, others: Iterable[str]) -> tuple[Phrase, ...]:
        """The values of a symmetric property, said of either side."""
        back: list[Node] = [ox.NamedNode(other) for other in others if iri in self._iris(other, name)]
        return tuple(self._phrase(value) for value in dict.fromkeys([*self._get(iri, name), *back]))

    def _example(self, class_: str) -> Example | None:
        """What the files state of a member: of those with the most properties the one with the fewest statements."""
        stated = {iri: _stated(self.descriptions.of(iri)) for iri in self.members[class_] if iri.startswith(BASE)}
        if not stated:
            return None
        iri = min(stated, key=lambda iri: (-len({triple.predicate for triple in stated[iri]}), len(stated[iri]), iri))
        name, type_ = ox.NamedNode(iri), term("rdf:type")
        document_ = self.descriptions.describe(document(iri)[0])
        triples = _stated(
            quad for quad in document_.statements if quad.subject == name or isinstance(quad.subject, ox.BlankNode)
        )
        classes = {text(triple.object) for triple in triples if triple.predicate == type_}
        if not any(class_ in (given, *self.above.get(given, ())) for given in classes):
            triples.append(
                ox.Triple(name, type_, ox.NamedNode(class_))
            )  # it follows by a rule, and says why this is an example
        return Example(iri, self.descriptions.label(iri), _turtle(triples))

    def _property(self, iri: str, shapes: Iterable[Shape], properties: list[str]) -> Property:
        kinds = [shorten(kind).rpartition(":")[2] for kind in self._iris(iri, "rdf:type")]
        return Property(
            term=self._term(iri),
            kinds=tuple(_INNER_CAPITAL.sub(" ", kind).lower() for kind in kinds),
            inverses=self._either(iri, "owl:inverseOf", properties),
            subproperties=tuple(other for other in properties if iri in self._iris(other, "rdfs:subPropertyOf")),
            rules=tuple(rule for shape in shapes for rule in shape.rules if rule.property == iri),
            shapes=tuple(
                shape for shape in shapes if iri in self._iris(shape.iri, "sh:targetSubjectsOf", "sh:targetObjectsOf")
            ),
        )

    def _borrowed(self) -> list[Borrowed]:
        """Every class and property of others that the graph uses."""
        classes = {iri for iri in self.members if iri}
        relations = ("rdfs:subClassOf", "rdfs:subPropertyOf", "rdfs:domain", "rdfs:range", "owl:equivalentClass")
        for node in list(self.facts):
            for name in (*relations, "owl:equivalentProperty", "sh:class", "sh:targetClass", "sh:datatype", "sh:path"):
                classes.update(self._iris(node, name))  # type: ignore[arg-type]  # no triple is held as a subject
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for iri in sorted(classes | self.used):
            if not iri.startswith(BASE):
                namespace = iri[: max(iri.rfind("#"), iri.rfind("/")) + 1]
                found[_prefix(namespace), namespace].append(iri)
        return [Borrowed(prefix, namespace, tuple(terms)) for (prefix, namespace), terms in sorted(found.items())]

    # ---- Schemes

    def _scheme(self, iri: str, concepts: Iterable[str]) -> Scheme:
        held = dict.fromkeys(
            [
                *self._iris(iri, "skos:hasTopConcept"),
                *(concept for concept in concepts if iri in self._iris(concept, "skos:inScheme")),
            ]
        )
        below: dict[str, dict[str, None]] = defaultdict(dict)
        for concept in held:
            for other in self._iris(concept, "skos:broader"):
                below[other][concept] = None
            for other in self._iris(concept, "skos:narrower"):
                below[concept][other] = None
        lower = {other for concept in held for other in below[concept]}
        seen: set[str] = set()
        top = [self._concept(concept, held, below, seen) for concept in held if concept not in lower]
        # Concepts that are only in a circle of broader ones have no top; each is shown all the same.
        top += [self._concept(concept, held, below, seen) for concept in held if concept not in seen]
        types = {type_ for concept in held for type_ in self._iris(concept, "rdf:type") if type_ in self.above}
        return Scheme(iri, self.descriptions.label(iri), self._said(iri), tuple(top), len(held), tuple(sorted(types)))

    def _concept(self, iri: str, held: Iterable[str], below: dict[str, dict[str, None]], seen: set[str]) -> Concept:
        """A concept and, each at the first place where it is found, those below it in the same scheme."""
        seen.add(iri)
        said = self._said(iri)
        matches = {name: said[name] for name in _MATCHES if name in said}
        narrower = tuple(self._concept(other, held, below, seen) for other in below[iri] if other in held and other not in seen)
        return Concept(iri, iri.rpartition("/")[2], self._true(iri, "owl:deprecated"), said, matches, narrower)

    def reference(self) -> Reference:
        shapes = [self._node_shape(iri) for iri in self.shapes]
        rules = {rule.iri: rule for shape in shapes for rule in shape.rules if rule.iri}
        for iri in self._ours("sh:PropertyShape"):
            rules.setdefault(iri, self._rule(ox.NamedNode(iri), ""))
        properties = [iri for iri in self.terms if self._is(iri, _PROPERTIES)]
        others = [iri for iri in self.terms if iri not in self.above and iri not in properties]
        concepts = list(self.members[expand("skos:Concept")])
        return Reference(
            iri=self.iri,
            version=next((iri for iri in self._iris(self.iri, "owl:versionIRI") if iri.startswith(BASE)), ""),
            facts=self._said(self.iri),
            notes=self._notes(self.iri),
            classes=[self._class(iri, shapes, properties) for iri in self.above],
            properties=[self._property(iri, shapes, properties) for iri in properties],
            individuals=[self._term(iri) for iri in others],
            borrowed=self._borrowed(),
            schemes={iri: self._scheme(iri, concepts) for iri in sorted(self.schemes)},
            shapes={shape.iri: shape for shape in shapes},
            rules=rules,
            turtle={iri: self._written(iri) for iri in (*self.shapes, *rules)},
        )

    def _written(self, iri: str) -> Phrase:
        return _turtle(quad.triple for quad in self.descriptions.describe(document(iri)[0]).statements)


def _stated(quads: Iterable[ox.Quad]) -> list[ox.Triple]:
    """What the files, and not the rules, say."""
    return [quad.triple for quad in quads if not text(quad.graph_name).startswith(RULES)]


def _join(between: str, phrases: Iterable[Phrase]) -> Phrase:
    found: list[Word] = []
    for phrase in phrases:
        found += [*([Word(between)] if found else []), *phrase]
    return tuple(found)


def _bracketed(phrase: Phrase) -> Phrase:
    return (Word("("), *phrase, Word(")"))


def _cardinality(low: str, high: str) -> str:
    """How many, in words."""
    least = low or "0"
    if high == "0":
        return "none"
    if least == high:
        return f"exactly {high}"
    if high:
        return f"at most {high}" if least == "0" else f"{least} to {high}"
    return "any number" if least == "0" else f"at least {least}"


def _prefix(namespace: str) -> str:
    return next((prefix for prefix, known in PREFIXES.items() if known == namespace), "")


def _turtle(triples: Iterable[ox.Triple]) -> Phrase:
    """Statements in Turtle, with every name as a word of its own so that it can be a link."""
    written = FORMATS["turtle"].write(triples, PREFIXES).decode()
    return tuple(_linked(written))


def _linked(written: str) -> Iterator[Word]:
    end = 0
    for match in _TURTLE.finditer(written):
        iri = match["iri"] or (expand(match["name"]) if match["name"] else None)
        if iri is not None:
            if match.start() > end:
                yield Word(written[end : match.start()])
            yield Word(match[0], iri)
            end = match.end()
    yield Word(written[end:])
