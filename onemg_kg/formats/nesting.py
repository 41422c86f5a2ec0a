"""How a graph is laid out for a reader: what comes first, what stands inside what, what is a list."""

from collections import defaultdict
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import cached_property

from onemg_kg.formats.canonical import Tokens
from onemg_kg.terms import PREFIXES

FIRST = f"<{PREFIXES['rdf']}first>"
NIL = f"<{PREFIXES['rdf']}nil>"
REST = f"<{PREFIXES['rdf']}rest>"
TYPE = f"<{PREFIXES['rdf']}type>"

_HEADERS = {f"<{PREFIXES['owl']}Ontology>", f"<{PREFIXES['skos']}ConceptScheme>"}
_DEEPEST = 20
"""A blank node nested deeper than this gets a label, so that no writer and no reader runs out of stack."""

Subjects = dict[str, dict[str, list[str]]]
"""Subject to predicate to objects, all as tokens."""


@dataclass(frozen=True)
class Graph:
    """One graph, ready to be written.

    Attributes:
        subjects: every statement: subject to predicate to objects.
        nested: the blank nodes to write inside the one statement that refers to them, each with the subject of
            that statement.
        anonymous: the blank nodes that nothing refers to, so that they need no label.
        lists: the members of each well-formed list (RDF Schema 1.1, section 5.2) by its first cell, which is
            nested, and of the empty list ``rdf:nil``; the cells are not written otherwise.
    """

    subjects: Subjects
    nested: dict[str, str]
    anonymous: set[str]
    lists: dict[str, list[str]]

    @cached_property
    def inline(self) -> Set[str]:
        """What does not stand in a statement under its own name: nested blank nodes, lists, and the empty list."""
        return self.nested.keys() | self.lists.keys()

    def arrange(self, write: Callable[[str], str]) -> list[str]:
        """What ``write`` makes of each subject that is not nested, in the order of a reader.

        Ontology and scheme headers come first, then subjects by type and IRI. Anonymous ones come last of their
        type, by what is written of them.
        """
        written = [(self.places[node], write(node)) for node in self.places if node not in self.nested]
        return [text for _, text in sorted(written)]

    @cached_property
    def places(self) -> dict[str, tuple[bool, str, str]]:
        """The subjects in the order of a reader, each with its sort key."""
        places = {}
        for subject, properties in self.subjects.items():
            types = properties.get(TYPE, ["~"])
            name = "~" if subject in self.anonymous else subject
            places[subject] = _HEADERS.isdisjoint(types), min(types), name
        return dict(sorted(places.items(), key=lambda item: (item[1], item[0])))


class Dataset(list[Tokens]):
    """What ``canonical.tokens`` returned, with its layout, which is the same for every format."""

    @cached_property
    def graphs(self) -> dict[str, Graph]:
        """Each graph by the token of its name, the default graph by the empty string, sorted by name."""
        return _graphs(self)


def _graphs(quads: Dataset) -> dict[str, Graph]:
    subjects_of: dict[str, Subjects] = {}
    homes: dict[str, set[str]] = defaultdict(set)
    referrers: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    at: tuple[str, str] | None = None
    properties: dict[str, list[str]] = {}
    for subject, predicate, object_, graph in quads:
        if (subject, graph) != at:
            at = subject, graph
            properties = subjects_of.setdefault(graph, {}).setdefault(subject, {})
            if subject[0] == "_":
                homes[subject].add(graph)
        if predicate in properties:
            properties[predicate].append(object_)
        else:
            properties[predicate] = [object_]
        if object_[0] == "_":
            homes[object_].add(graph)
            referrers[graph][object_].append(subject)
    shared = {node for node, where in homes.items() if len(where) > 1 or node in subjects_of}
    return {name: _lay_out(subjects_of[name], referrers[name], shared) for name in sorted(subjects_of)}


def _lay_out(subjects: Subjects, referrers: dict[str, list[str]], shared: set[str]) -> Graph:
    nested = {node: found[0] for node, found in referrers.items() if len(found) == 1 and node not in shared}
    _break_cycles(nested)
    lists, cells = _lists(subjects, nested)
    _limit_depth(subjects, nested, lists, cells)
    lists[NIL] = []
    anonymous = {node for node in subjects if node[0] == "_" and node not in referrers and node not in shared}
    return Graph(subjects, nested, anonymous, lists)


def _break_cycles(nested: dict[str, str]) -> None:
    """Take one blank node out of each ring of blank nodes that only refer to each other."""
    settled: set[str] = set()
    for start in sorted(nested):
        node, trail = start, set[str]()
        while node in nested and node not in settled:
            if node in trail:
                del nested[node]
                break
            trail.add(node)
            node = nested[node]
        settled |= trail


def _lists(subjects: Subjects, nested: dict[str, str]) -> tuple[dict[str, list[str]], set[str]]:
    """The members of each list by its first cell, and the cells of all lists; found from their ends."""
    pairs: dict[str, tuple[str, str]] = {}
    for node in nested:
        properties = subjects.get(node, {})
        if properties.keys() == {FIRST, REST} and len(properties[FIRST]) == len(properties[REST]) == 1:
            pairs[node] = properties[FIRST][0], properties[REST][0]
    lists: dict[str, list[str]] = {}
    cells: set[str] = set()
    for end, (last, rest) in pairs.items():
        if rest == NIL:
            node, members = end, [last]
            cells.add(node)
            while (parent := nested[node]) in pairs and pairs[parent][1] == node:
                node = parent
                members.append(pairs[node][0])
                cells.add(node)
            lists[node] = members[::-1]
    return lists, cells


def _limit_depth(subjects: Subjects, nested: dict[str, str], lists: dict[str, list[str]], cells: set[str]) -> None:
    """Take out of ``nested`` what would stand too deep; the members of a list stand side by side."""
    children: dict[str, list[str]] = defaultdict(list)
    for node, parent in nested.items():
        children[parent].append(node)
    stack = [(node, 1) for node, parent in nested.items() if parent not in nested]
    while stack:
        node, depth = stack.pop()
        if depth > _DEEPEST:
            depth = 0
            del nested[node]
            members = lists.pop(node, [])
            if len(members) > 1:
                lists[subjects[node][REST][0]] = members[1:]
        for child in children.get(node, ()):
            continues = child in cells and node in cells and subjects[node][REST] == [child]
            stack.append((child, depth if continues else depth + 1))
