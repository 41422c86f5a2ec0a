"""Statements as sorted N-Quads tokens with canonical blank node labels: the one input of every writer.

A token is a term as canonical N-Triples writes it: ``<iri>``, ``_:label``, ``"text"``, ``"text"@language`` or
``"text"^^<datatype>``. Tokens keep each literal as it was read, and cost less than asking term objects for
their parts.
"""

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from math import factorial, prod

import pyoxigraph as ox

from onemg_kg import spool
from onemg_kg.errors import RdfError

Statement = ox.Triple | ox.Quad
Tokens = tuple[str, str, str, str]
"""Subject, predicate, object and graph name; the graph name is empty in the default graph."""

IRI = re.compile(r'<[^\x00-\x20<>"{}|^`\\]+>')
"""The token of an IRI (IRIREF of N-Triples 1.1, section 7, without escapes)."""

_LITERAL = rf'"[^"\\]*(?:\\.[^"\\]*)*"(?:\^\^{IRI.pattern}|@[A-Za-z]+(?:-[A-Za-z0-9]+)*)?'
_TERM = re.compile(rf"{IRI.pattern}|_:\S+|{_LITERAL}")

_ALWAYS_NAMED = 6
"""Up to so many interlinked blank nodes are named however alike they are; it takes some tenths of a second at worst."""
_MOST_STEPS = 2 * 10**7
"""About two seconds of work; one more interlinked blank node could multiply it."""


def tokens(statements: Iterable[Statement]) -> Collection[Tokens]:
    """The statements, each once, sorted by code point, their blank nodes named by RDFC-1.0.

    Args:
        statements: triples, which belong to the default graph, and quads, in any order and mixture.

    Raises:
        RdfError: a term is not of RDF 1.1 (a triple term, a base direction, an IRI with a forbidden character),
            or the blank nodes could not be named in reasonable time.
    """
    return _named([_checked(map(_split, _lines(statements)))])


def of_lines(graphs: Iterable[tuple[str, list[str]]]) -> Collection[Tokens]:
    """As :func:`tokens`, of lines of N-Triples with the IRI of their graph, or nothing for those of the default graph.

    Raises:
        RdfError: as :func:`tokens`.
    """
    return _named(map(_checked, map(_read, spool.chunks(graphs, spool.letters))))


def of_tokens(quads: Iterable[Tokens]) -> Collection[Tokens]:
    """As :func:`tokens`, of statements that are tokens already.

    Raises:
        RdfError: as :func:`tokens`.
    """
    return _named(map(_checked, spool.chunks(quads, weigh)))


def quads_of(statements: Iterable[Tokens]) -> list[ox.Quad]:
    """Tokens as quads, in their order."""
    return list(ox.parse("".join(map(to_line, statements)), format=ox.RdfFormat.N_QUADS, lenient=True))


def _read(graphs: Iterable[tuple[str, Iterable[str]]]) -> Iterator[Tokens]:
    for graph, lines in graphs:
        name = f"<{graph}>" if graph else ""
        for subject, predicate, rest in [line.split(" ", 2) for line in lines]:
            yield subject, predicate, rest[:-2], name


def triples(quads: Collection[Tokens], graphs: tuple[str, ...]) -> Collection[Tokens]:
    """Of what :func:`tokens` returned, the graphs whose token starts with one of some texts, without their names, as
    :func:`tokens` would return that.

    Raises:
        RdfError: the blank nodes could not be named in reasonable time.
    """
    # Blank nodes are named by what is said of them, which is less than it was.
    chosen = ((subject, predicate, object_, "") for subject, predicate, object_, graph in quads if graph.startswith(graphs))
    return _named(map(dict.fromkeys, [chosen] if isinstance(quads, list) else spool.chunks(chosen, weigh)))


def together(*datasets: Collection[Tokens]) -> Collection[Tokens]:
    """What :func:`tokens` returned several times, as it would return all of it, where no blank node is in two of them."""
    if all(isinstance(quads, list) for quads in datasets):
        return sorted({quad for quads in datasets for quad in quads})
    return spool.gathered(spool.once(heapq.merge(*datasets)), weigh)


def weigh(quad: Tokens) -> int:
    """How many letters a statement has."""
    return len(quad[0]) + len(quad[1]) + len(quad[2]) + len(quad[3])


def _checked(quads: Iterable[Tokens]) -> dict[Tokens, None]:
    """The statements, each once, in the order in which they come. Each term is one object wherever it stands, which takes less
    memory, and less time to compare and to look up.

    Raises:
        RdfError: a term is not of RDF 1.1.
    """
    terms: dict[str, str] = {}
    one = terms.setdefault
    found = dict.fromkeys([(one(s, s), one(p, p), one(o, o), one(g, g)) for s, p, o, g in quads])
    wrong = {term for term in terms if not _TERM.fullmatch(term)} - {""}
    if wrong:
        line = min(to_line(quad) for quad in found if not wrong.isdisjoint(quad))
        raise RdfError(
            f"the statement {line.strip()} is not RDF 1.1.",
            fix="Write it without triple terms, base directions and characters that an IRI may not have.",
        )
    return found


def _named(parts: Iterable[dict[Tokens, None]]) -> Collection[Tokens]:
    """Statements in order, their blank nodes named canonically: several parts as an external merge sort."""
    # A canonical label depends on nothing but the statements that have blank nodes.
    blank: dict[Tokens, None] = {}
    plain: list[Tokens] = []
    runs: list[spool.Records[Tokens]] = []
    file = None
    for quads in parts:
        if plain:
            file = file or spool.Spool()
            runs.append(spool.Records(plain, file))
        found = with_blanks(quads)
        blank |= dict.fromkeys(found)
        for quad in found:
            del quads[quad]
        plain = sorted(quads)
    named = _label(blank) if blank else []
    if not runs:
        return sorted([*plain, *named]) if named else plain
    return spool.Records(spool.once(heapq.merge(*runs, plain, sorted(named))))


def with_blanks(quads: Iterable[Tokens]) -> list[Tokens]:
    """The statements that have blank nodes."""
    return [quad for quad in quads if quad[0][0] == "_" or quad[2][0] == "_" or quad[3][:1] == "_"]


def _label(blank: Iterable[Tokens]) -> list[Tokens]:
    """Statements with blank nodes, which get their canonical labels."""
    blank = list(blank)
    _refuse_poison(blank)
    dataset = ox.Dataset(ox.parse("".join(map(to_line, blank)), ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return list(_checked(map(_split, _lines(dataset))))


def to_line(quad: Tokens) -> str:
    """One statement as a line of N-Triples or N-Quads."""
    subject, predicate, object_, graph = quad
    return f"{subject} {predicate} {object_} {graph} .\n" if graph else f"{subject} {predicate} {object_} .\n"


def _lines(statements: Iterable[Statement]) -> list[str]:
    # As N-Quads pyoxigraph takes triples and quads side by side, which its type stubs do not say.
    text = ox.serialize(statements, format=ox.RdfFormat.N_QUADS)  # type: ignore[arg-type]
    assert text is not None  # It is None only where an output file is named.
    return text.decode().split("\n")[:-1]


def _split(line: str) -> Tokens:
    """The tokens of a line of N-Quads."""
    subject, predicate, rest = line.split(" ", 2)
    object_, space, graph = rest[:-2].rpartition(" ")
    # The last word of a literal has its closing quotation mark, which no node may have.
    return (subject, predicate, object_, graph) if space and '"' not in graph else (subject, predicate, rest[:-2], "")


def _refuse_poison(quads: list[Tokens]) -> None:
    """Refuse blank nodes that RDFC-1.0 would try in too many orders (its section 7.1, dataset poisoning).

    The algorithm names at once each blank node whose statements, with other blank nodes left out, are its own.
    Of the rest, it walks every group of linked ones from each member that looks alike, and at each step tries
    every order of neighbours that look alike.

    Raises:
        RdfError: the estimate of that work is beyond ``_MOST_STEPS``.
    """
    views: dict[str, list[Tokens]] = defaultdict(list)
    linked = []
    for quad in quads:
        subject, predicate, object_, graph = quad
        nodes = {node for node in (subject, object_, graph) if node[:2] == "_:"}
        if len(nodes) > 1:
            linked.append(quad)
        for node in nodes:
            views[node].append((_view(subject, node), predicate, _view(object_, node), _view(graph, node)))
    looks = {node: tuple(sorted(view)) for node, view in views.items()} if linked else {}
    count = Counter(looks.values())
    neighbours: dict[str, Counter[tuple[int, str, tuple[Tokens, ...]]]] = defaultdict(Counter)
    links: dict[str, set[str]] = defaultdict(set)
    for quad in linked:
        places = [(i, quad[i]) for i in (0, 2, 3) if quad[i][:2] == "_:" and count[looks[quad[i]]] > 1]
        for _, node in places:
            for place, other in places:
                if other != node:
                    neighbours[node][place, quad[1], looks[other]] += 1
                    links[node].add(other)
    steps = 0
    for group in _connected(links):
        starts = max(Counter(looks[node] for node in group).values())
        orders = prod(factorial(min(n, 20)) for node in group for n in neighbours[node].values())
        work = starts * len(group) ** 2 * orders
        steps += min(work, 10**6) if len(group) <= _ALWAYS_NAMED else work
    if steps > _MOST_STEPS:
        raise RdfError(
            f"{len(links)} blank nodes are so alike and so interlinked that naming them may take very long.",
            fix="Give some of them an IRI.",
        )


def _view(token: str, node: str) -> str:
    return "_:this" if token == node else "_:other" if token[:2] == "_:" else token


def _connected(links: dict[str, set[str]]) -> list[set[str]]:
    """The connected components of a graph."""
    groups = []
    seen: set[str] = set()
    for start in links:
        group: set[str] = set()
        queue = [] if start in seen else [start]
        while queue:
            node = queue.pop()
            if node not in group:
                group.add(node)
                queue += links[node]
        if group:
            seen |= group
            groups.append(group)
    return groups
