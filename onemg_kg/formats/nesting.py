"""How a graph is laid out for a reader: what comes first, what stands inside what, what is a list."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from operator import itemgetter

from onemg_kg.formats.canonical import Tokens, with_blanks
from onemg_kg.spool import in_order
from onemg_kg.terms import PREFIXES

FIRST = f"<{PREFIXES['rdf']}first>"
NIL = f"<{PREFIXES['rdf']}nil>"
REST = f"<{PREFIXES['rdf']}rest>"
TYPE = f"<{PREFIXES['rdf']}type>"

_HEADERS = {f"<{PREFIXES['owl']}Ontology>", f"<{PREFIXES['skos']}ConceptScheme>"}
_DEEPEST = 20
"""A blank node nested deeper than this gets a label, so that no writer and no reader runs out of stack."""

KEPT = 2**15
"""What writers keep of terms that they have met is forgotten when it is so many."""

Subjects = dict[str, dict[str, list[str]]]
"""Subject to predicate to objects, all as tokens."""


Place = tuple[bool, str, str]
"""Where a subject stands in a document: headers first, then by type and name."""

Write = Callable[[str], str]
"""What writes all that is said of a subject."""


@dataclass(frozen=True)
class Graph:
    """One graph, ready to be written.

    Attributes:
        subjects: every statement: subject to predicate to objects; of a large dataset, what is said of blank nodes, and of the
            subject that is written.
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

    def place(self, subject: str, properties: dict[str, list[str]]) -> Place:
        """Where a subject stands. Anonymous ones come last of their type, and are told apart by what is written of them."""
        types = properties.get(TYPE, ["~"])
        return _HEADERS.isdisjoint(types), min(types), "~" if subject in self.anonymous else subject

    @cached_property
    def places(self) -> dict[str, Place]:
        """The subjects in the order of a reader, each with its place."""
        places = {subject: self.place(subject, properties) for subject, properties in self.subjects.items()}
        return dict(sorted(places.items(), key=lambda item: (item[1], item[0])))


class Dataset(Collection[Tokens]):
    """What ``canonical.tokens`` returned, with its layout, which is the same for every format.

    Args:
        statements: that; what is not a list is read again each time that it is asked for.
    """

    def __init__(self, statements: Collection[Tokens]) -> None:
        self.statements = statements

    def __iter__(self) -> Iterator[Tokens]:
        return iter(self.statements)

    def __len__(self) -> int:
        return len(self.statements)

    def __contains__(self, quad: object) -> bool:
        return quad in self.statements

    @cached_property
    def _graphs(self) -> dict[str, Graph]:
        """Each graph by the token of its name, the default graph by the empty string, sorted by name; of a large dataset what
        has blank nodes.
        """
        return _graphs(self.statements if isinstance(self.statements, list) else with_blanks(self.statements))

    @cached_property
    def graph(self) -> str:
        """The token of the name of one of the graphs; empty where there is only the default graph."""
        return next((graph for *_, graph in self.statements if graph), "")

    @cached_property
    def predicates(self) -> set[str]:
        """The tokens of all predicates."""
        return {quad[1] for quad in self.statements}

    @cached_property
    def schemes(self) -> set[str]:
        """The schemes of all IRIs (RFC 3987), without the colon."""
        tokens: Iterable[str] = chain.from_iterable(self.statements)
        if isinstance(self.statements, list):
            tokens = set(tokens)  # for speed
        return {token[1 : token.index(":")] for token in tokens if token[:1] == "<"}

    def arranged(self, writer: Callable[[str, Graph], Write], flat: bool = False) -> Iterable[tuple[str, str]]:
        """What is written of each subject that is not nested, with the token of its graph, in the order of a reader; all of it
        is written by the time that this returns.

        Graphs come by name. Ontology and scheme headers come first, then subjects by type and IRI. Anonymous ones come last of
        their type, by what is written of them.

        Args:
            writer: gives what writes the subjects of a graph.
            flat: write nested ones as all others; anonymous ones then come by their labels.
        """
        if isinstance(self.statements, list):
            return _arranged(self._graphs, writer, flat)
        written = in_order(self._written(writer, flat), lambda record: len(record[3]))
        return ((name, text) for name, _, _, text in written)

    def _written(self, writer: Callable[[str, Graph], Write], flat: bool) -> Iterator[tuple[str, Place, str, str]]:
        """What is written of each subject, in the order of the statements, with what to sort it by."""
        plain = Graph({}, {}, set(), {NIL: []})
        writers: dict[str, Write] = {}
        for subject, said in _subjects(self.statements):
            for name, properties in said.items():
                graph = self._graphs.get(name, plain)
                if flat or subject not in graph.nested:
                    if name not in writers:
                        if len(writers) > KEPT:
                            writers.clear()
                        writers[name] = writer(name, graph)
                    graph.subjects[subject] = properties
                    text = writers[name](subject)
                    if subject[0] != "_":  # what is said of a blank node is written where it is nested
                        del graph.subjects[subject]
                    yield name, graph.place(subject, properties), subject if flat else "", text


def _arranged(graphs: dict[str, Graph], writer: Callable[[str, Graph], Write], flat: bool) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, graph in graphs.items():
        write = writer(name, graph)
        if flat:
            found += [(name, write(node)) for node in graph.places]
        else:
            written = [(place, write(node)) for node, place in graph.places.items() if node not in graph.nested]
            found += [(name, text) for _, text in sorted(written)]
    return found


def _subjects(quads: Iterable[Tokens]) -> Iterator[tuple[str, dict[str, dict[str, list[str]]]]]:
    """Each subject with its properties by graph."""
    for subject, said in groupby(quads, itemgetter(0)):
        graphs: dict[str, dict[str, list[str]]] = {}
        for _, predicate, object_, name in said:
            graphs.setdefault(name, {}).setdefault(predicate, []).append(object_)
        yield subject, graphs


def _graphs(quads: Iterable[Tokens]) -> dict[str, Graph]:
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
