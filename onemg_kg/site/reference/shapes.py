"""What shapes ask, in words (SHACL, W3C 2017)."""

from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.site.reference.facts import CLASSES, Known, Node
from onemg_kg.site.reference.words import JOINED, Phrase, Word, bracketed, join, listed
from onemg_kg.terms import expand, shorten, text

_BEFORE = {
    "sh:class": "of class ",
    "sh:datatype": "of datatype ",
    "sh:nodeKind": "",
    "sh:minInclusive": "at least ",
    "sh:maxInclusive": "at most ",
    "sh:minExclusive": "more than ",
    "sh:maxExclusive": "less than ",
    "sh:minLength": "length at least ",
    "sh:maxLength": "length at most ",
    "sh:pattern": "matches ",
    "sh:flags": "matched with the flags ",
    "sh:languageIn": "in the language ",
    "sh:in": "one of ",
    "sh:hasValue": "has the value ",
    "sh:equals": "the same values as ",
    "sh:disjoint": "no value of ",
    "sh:lessThan": "less than each value of ",
    "sh:lessThanOrEquals": "at most each value of ",
    "sh:node": "conforms to ",
    "sh:not": "not ",
    "sh:property": "",
    "sh:ignoredProperties": "other properties: ",
}
"""What stands before the value of each constraint parameter (SHACL, section 4)."""

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


def rule_of(known: Known, node: Node, shape: str) -> Rule:
    """What a node or property shape asks, its properties left out."""
    path = _path(known, paths[0]) if (paths := known.get(node, "sh:path")) else ()
    return Rule(
        iri=text(node) if isinstance(node, ox.NamedNode) else "",
        shape=shape,
        path=path,
        property=(path[0].iri or "") if len(path) == 1 else "",
        cardinality=_counted(known, node) if path else "",
        conditions=_conditions(known, text(node) if isinstance(node, ox.NamedNode) else node),
        severity=shorten(known.first(node, "sh:severity") or expand("sh:Violation")).rpartition(":")[2].lower(),
        message=known.first(node, "sh:message"),
        fix=known.first(node, "onemg:fix"),
        active=not known.true(node, "sh:deactivated"),
    )


def shape_of(known: Known, iri: str) -> Shape:
    """A node shape with all that it asks."""
    classes = known.iris(iri, "sh:targetClass")
    if known.is_a(iri, CLASSES):  # an implicit class target (SHACL, section 2.1.3.3)
        classes.append(iri)
    itself = rule_of(known, ox.NamedNode(iri), iri)
    return Shape(
        iri=iri,
        name=iri.rpartition("/")[2],
        label=known.descriptions.label(iri),
        classes=tuple(classes),
        targets=tuple(
            (Word(f"{words} "), known.word(value)) for name, words in _TARGETS.items() for value in known.get(iri, name)
        ),
        itself=itself if itself.conditions else None,
        rules=tuple(rule_of(known, node, iri) for node in known.get(iri, "sh:property")),
    )


def _path(known: Known, node: Node, within: str = "") -> Phrase:
    """A property path (SHACL, section 2.3.1) as SPARQL 1.1 writes it (section 9.1)."""
    if isinstance(node, ox.NamedNode):
        return (Word(shorten(node.value), node.value, code=True),)
    steps = known.items(node)
    choices = [item for held in known.get(node, "sh:alternativePath") for item in known.items(held)]
    if steps or choices:
        found = join("/" if steps else "|", [_path(known, step, "list") for step in steps or choices])
        return bracketed(found) if within else found
    found = ()
    for back in known.get(node, "sh:inversePath"):
        found = (Word("^"), *_path(known, back, "step"))
    for name, sign in _REPEATED.items():
        for repeated in known.get(node, name):
            found = (*_path(known, repeated, "step"), Word(sign))
    return bracketed(found) if within == "step" else found


def _conditions(known: Known, node: Node | str) -> tuple[Phrase, ...]:
    """What a shape asks of each value: every constraint parameter that it has (SHACL, section 4), known to us or not."""
    key = ox.NamedNode(node) if isinstance(node, str) else node
    found: list[Phrase] = []
    for property_, values in known.facts[key].items():
        name = shorten(property_)
        if property_ in _ASIDE or (name == "sh:property" and isinstance(node, str)):
            continue
        if name == "sh:qualifiedValueShape":
            low, high = known.first(key, "sh:qualifiedMinCount"), known.first(key, "sh:qualifiedMaxCount")
            found += [(Word(f"{_cardinality(low, high)} of them "), *_shape(known, value)) for value in values]
        elif name in _FLAGS:
            found += [(Word(_FLAGS[name]),) for value in values if text(value) in ("true", "1")]
        else:
            found += [_condition(known, name, property_, value) for value in values]
    return tuple(found)


def _condition(known: Known, name: str, property_: str, value: Node) -> Phrase:
    before = _BEFORE.get(name, "" if name in JOINED else f"{shorten(property_)} ")
    if name == "sh:nodeKind":
        return (Word(_KINDS.get(shorten(text(value)), shorten(text(value)))),)
    said: Phrase
    if name in ("sh:pattern", "sh:flags"):
        said = (Word(text(value), code=True),)
    elif name in ("sh:or", "sh:and", "sh:xone"):
        said = listed(name, [_shape(known, item) for item in known.items(value)])
    elif name in JOINED or name == "sh:ignoredProperties":
        said = join(JOINED.get(name, ", "), [(known.word(item),) for item in known.items(value)])
    elif name in ("sh:not", "sh:node", "sh:property"):
        said = _shape(known, value)
    else:
        said = known.phrase(value)
    return (Word(before), *said) if before else said


def _shape(known: Known, node: Node) -> Phrase:
    """A shape inside another; by its name if it has one."""
    if isinstance(node, ox.NamedNode):
        return (known.word(node),)
    path = known.get(node, "sh:path")
    head: list[Phrase] = []
    if path:
        head.append((*_path(known, path[0]), Word(f": {_counted(known, node)}")))
    return join(", ", [*head, *_conditions(known, node)])


def _counted(known: Known, node: Node | str) -> str:
    return _cardinality(known.first(node, "sh:minCount"), known.first(node, "sh:maxCount"))


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
