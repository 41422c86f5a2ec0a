"""What the graph says of each thing that it names: the content of the documents at their IRIs.

A document describes one IRI, the hash IRIs below it, and the blank nodes that they lead to: what is stated of them and what
follows (their statements), where they are the object (inverse), and what everything else that is named there is called.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.addresses import document
from onemg_kg.terms import BASE, shorten, term, text

_TITLES = ("dcterms:title", "skos:prefLabel", "foaf:name", "rdfs:label", "onemg:headingText", "onemg:linkText")
"""The properties that say what a thing is called, the best first."""

_LANGUAGE = "en"


@dataclass(frozen=True)
class Description:
    """What one document says.

    Attributes:
        iri: what the document is about.
        path: its place on the site, without suffix.
        statements: the quads of which the IRI, a hash IRI below it, or a blank node that these lead to, is the subject.
        inverse: the quads of which one of these IRIs is the object and something else the subject.
        labels: what the other nodes in these quads are called.
    """

    iri: str
    path: str
    statements: list[ox.Quad]
    inverse: list[ox.Quad]
    labels: list[ox.Quad]

    def quads(self) -> list[ox.Quad]:
        """Everything the document says, each statement in the graph of its file or rule."""
        return [*self.statements, *self.inverse, *self.labels]


class Descriptions:
    """The documents of a dataset.

    Args:
        quads: the dataset, each statement in the graph of its file or rule.
    """

    def __init__(self, quads: Iterable[ox.Quad]) -> None:
        self._of: dict[ox.NamedNode | ox.BlankNode, list[ox.Quad]] = defaultdict(list)
        self._to: dict[ox.NamedNode, list[ox.Quad]] = defaultdict(list)
        self._titled: dict[str, list[ox.Quad]] = {}
        self._subjects: dict[str, list[ox.NamedNode]] = defaultdict(list)
        self._labels: dict[str, ox.Literal] = {}
        type_ = term("rdf:type")
        titles = {term(name): rank for rank, name in enumerate(_TITLES)}
        ranks: dict[str, tuple[bool, int]] = {}
        for quad in quads:
            subject, object_ = quad.subject, quad.object
            if isinstance(subject, ox.Triple):
                continue
            if subject not in self._of and isinstance(subject, ox.NamedNode) and subject.value.startswith(BASE):
                self._subjects[document(subject.value)[0]].append(subject)
            self._of[subject].append(quad)
            if isinstance(object_, ox.NamedNode) and quad.predicate != type_ and object_.value.startswith(BASE):
                self._to[object_].append(quad)
            elif isinstance(object_, ox.Literal) and isinstance(subject, ox.NamedNode) and quad.predicate in titles:
                self._titled.setdefault(subject.value, []).append(quad)
                rank = (object_.language not in (_LANGUAGE, None), titles[quad.predicate])
                if subject.value not in ranks or rank < ranks[subject.value]:
                    ranks[subject.value], self._labels[subject.value] = rank, object_

    def paths(self) -> list[str]:
        """The path of every document, sorted."""
        return sorted(self._subjects)

    def __contains__(self, path: str) -> bool:
        """Whether there is a document at a path."""
        return path in self._subjects

    def label(self, iri: str) -> str:
        """What a thing is called: in English if it has such a name, else its first name, else the short form of its IRI."""
        return self._labels[iri].value if iri in self._labels else shorten(iri)

    def is_named(self, iri: str) -> bool:
        """Whether the dataset says what a thing is called."""
        return iri in self._labels

    def of(self, iri: str) -> list[ox.Quad]:
        """The quads of which one IRI is the subject."""
        return self._of.get(ox.NamedNode(iri), [])

    def types(self, iri: str) -> set[str]:
        """The classes of a thing."""
        type_ = term("rdf:type")
        return {text(quad.object) for quad in self.of(iri) if quad.predicate == type_}

    def describe(self, path: str) -> Description:
        """What the document at a path says.

        Raises:
            KeyError: there is none.
        """
        subjects = list(self._subjects[path])
        iri = min((subject.value.partition("#")[0] for subject in subjects), key=len)
        held: set[ox.NamedNode | ox.BlankNode] = set(subjects)
        statements: list[ox.Quad] = []
        inverse: list[ox.Quad] = []
        waiting: list[ox.NamedNode | ox.BlankNode] = list(subjects)
        while waiting:
            for quad in self._of[waiting.pop()]:
                statements.append(quad)
                if isinstance(quad.object, ox.BlankNode) and quad.object not in held:
                    held.add(quad.object)
                    waiting.append(quad.object)
        for subject in subjects:
            inverse.extend(quad for quad in self._to.get(subject, ()) if quad.subject not in held)
        others = {text(quad.object) for quad in statements if isinstance(quad.object, ox.NamedNode)}
        others |= {text(quad.subject) for quad in inverse if isinstance(quad.subject, ox.NamedNode)}
        named = others - {text(node) for node in held}
        labels = [quad for other in sorted(named) for quad in self._titled.get(other, ())]
        return Description(iri, path, statements, inverse, labels)
