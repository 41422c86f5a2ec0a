"""What a template knows of the thing that it shows."""

import pickle
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pyoxigraph as ox

from onemg_kg import scratch
from onemg_kg.descriptions import Description, Descriptions
from onemg_kg.graph import RULES, file_of
from onemg_kg.terms import expand, term, text
from onemg_kg.views import Entry, Group, View

_FIRST = ("rdf:type", "dcterms:title", "skos:prefLabel", "foaf:name", "rdfs:label", "dcterms:description", "skos:definition")
_RANKS = {expand(name): rank for rank, name in enumerate(_FIRST)}


@dataclass
class Value:
    """One value of a property, with where its statement comes from.

    Attributes:
        text: the literal, or what the node is called.
        iri: the node; ``None`` for a literal.
        language: the language of the literal, or ``None``.
        datatype: the datatype of a literal that is no plain text, or ``None``.
        files: the files that state it, by the names of their graphs.
        rules: the names of the rules from which it follows.
        parts: for a node without a name, its own properties.
    """

    text: str
    iri: str | None
    language: str | None
    datatype: str | None
    files: dict[str, str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    parts: list["Row"] = field(default_factory=list)


@dataclass
class Row:
    """A property with its values, as they were found."""

    property: str
    found: list[Value]


_SCHEMA = "CREATE TABLE held (resource TEXT, place INTEGER, entry BLOB); CREATE INDEX of_resource ON held (resource)"

SHOWN = 500
"""So many of a long list a page shows; who wants all of it takes its data."""


@dataclass
class Shown(Group):
    """A group as a page shows it: its first entries.

    Attributes:
        size: how many entries it has.
        total: how many resources it has with its parts, each counted once.
    """

    size: int = 0
    total: int = 0


@dataclass(frozen=True)
class Membership:
    """A place of a resource in a view: the group, and where the group is part of another, that."""

    view: View
    group: Group
    whole: Group | None
    entry: Entry


class Memberships:
    """The views as pages show them: which groups are about a thing, and which hold it.

    Views are added one after the other, and of each only what a page shows is held: of a large graph a view takes much memory.

    Attributes:
        views: the views so far, of each group the first :data:`SHOWN` resources.
        about: the groups about a thing, each with its view, by IRI.

    Raises:
        OnemgError: there is no room for temporary files.
    """

    def __init__(self) -> None:
        self.views: list[View] = []
        self.about: dict[str, list[tuple[View, Group]]] = defaultdict(list)
        self._groups: list[tuple[View, Group, Group | None]] = []
        self._rows = scratch.database(_SCHEMA)

    @classmethod
    def of_all(cls, found: Iterable[View]) -> "Memberships":
        """Those of several views."""
        made = cls()
        for view in found:
            made.add(view)
        return made

    def add(self, view: View) -> None:
        """Add a view.

        Raises:
            OnemgError: there is no room for temporary files.
        """
        shown = replace(view, groups=[])
        self.views.append(shown)
        with scratch.room():
            self._rows.execute("BEGIN")
            shown.groups += [self._add(shown, group, None) for group in view.groups]
            self._rows.execute("COMMIT")

    def _add(self, view: View, group: Group, whole: Group | None) -> Group:
        shown = Shown(group.group, group.label, group.entries[:SHOWN], [], len(group.entries), len(_resources(group)))
        if whole is None or not any(held.group == group.group for _, held in self.about[group.group]):
            self.about[group.group].append((view, shown))
        place = len(self._groups)
        self._groups.append((view, shown, whole))
        rows = ((entry.resource, place, pickle.dumps(entry, pickle.HIGHEST_PROTOCOL)) for entry in group.entries)
        self._rows.executemany("INSERT INTO held VALUES (?, ?, ?)", rows)
        shown.parts += [self._add(view, part, shown) for part in group.parts]
        return shown

    def of(self, iri: str) -> list[Membership]:
        """The places of a resource, in the order of the views."""
        found = self._rows.execute("SELECT place, entry FROM held WHERE resource = ? ORDER BY rowid", (iri,))
        places = ((self._groups[place], entry) for place, entry in found)
        return [Membership(view, group, whole, pickle.loads(entry)) for (view, group, whole), entry in places]


def _resources(group: Group) -> set[str]:
    """The resources of a group and its parts, each once."""
    return {entry.resource for entry in group.entries} | {entry.resource for part in group.parts for entry in part.entries}


class Thing:
    """A thing as a template sees it.

    Args:
        iri: the thing.
        description: what its document says.
        descriptions: what things are called, and of which classes they are.
        memberships: where views have it.
    """

    def __init__(self, iri: str, description: Description, descriptions: Descriptions, memberships: Memberships) -> None:
        self.iri = iri
        self.label = descriptions.label(iri)
        self.types = descriptions.types(iri)
        self.about = memberships.about.get(iri, [])
        self.memberships = memberships.of(iri)
        self._descriptions = descriptions
        self._quads: dict[ox.NamedNode | ox.BlankNode, list[ox.Quad]] = defaultdict(list)
        for quad in description.statements:
            self._quads[quad.subject].append(quad)  # type: ignore[index]  # a triple is no subject in RDF 1.1
        self.rows = self._rows(ox.NamedNode(iri))
        self.inverse = self._inverse(ox.NamedNode(iri), description.inverse)
        self.parts = sorted(node.value for node in self._quads if isinstance(node, ox.NamedNode) and node.value != iri)

    def part(self, iri: str) -> list[Row]:
        """The properties of a hash IRI below the thing."""
        return self._rows(ox.NamedNode(iri))

    def get(self, name: str) -> list[Value]:
        """The values of a property, by its short name."""
        wanted = expand(name)
        return next((row.found for row in self.rows if row.property == wanted), [])

    def first(self, *names: str) -> str:
        """The first value of the first of some properties that has one; empty where none has."""
        return next((value.text for name in names for value in self.get(name)), "")

    def _value(self, node: object, quad: ox.Quad) -> Value:
        if isinstance(node, ox.Literal):
            plain = node.language is not None or node.datatype == term("xsd:string")
            return Value(node.value, None, node.language, None if plain else node.datatype.value)
        if isinstance(node, ox.BlankNode):
            return Value("", None, None, None, parts=self._rows(node))
        iri = text(node) if isinstance(node, ox.NamedNode) else str(quad.object)
        return Value(self._descriptions.label(iri), iri, None, None)

    def _rows(self, node: ox.NamedNode | ox.BlankNode) -> list[Row]:
        return self._folded((quad.predicate.value, quad.object, quad) for quad in self._quads.get(node, ()))

    def _inverse(self, node: ox.NamedNode, quads: Iterable[ox.Quad]) -> list[Row]:
        return self._folded((quad.predicate.value, quad.subject, quad) for quad in quads if quad.object == node)

    def _folded(self, found: Iterable[tuple[str, object, ox.Quad]]) -> list[Row]:
        """Statements by property and value, each value once, with all the places that it comes from."""
        rows: dict[str, dict[object, Value]] = defaultdict(dict)
        for name, node, quad in found:
            values = rows[name]
            if node not in values:
                values[node] = self._value(node, quad)
            graph = text(quad.graph_name)
            if not graph.startswith(RULES):
                values[node].files[graph] = file_of(graph)
            elif (rule := graph.removeprefix(RULES)) not in values[node].rules:
                values[node].rules.append(rule)
        return [
            Row(name, sorted(values.values(), key=lambda value: (value.text.casefold(), value.iri or "", value.language or "")))
            for name, values in sorted(rows.items(), key=lambda item: (_rank(item[0]), item[0]))
        ]


def _rank(name: str) -> int:
    """What a reader looks for first comes first."""
    return _RANKS.get(name, len(_RANKS))
