"""Statements as sorted N-Quads tokens with canonical blank node labels: the one input of every writer.

A token is a term as canonical N-Triples writes it: ``<iri>``, ``_:label``, ``"lexical"``, ``"lexical"@language`` or
``"lexical"^^<datatype>``. Working on tokens keeps each literal as it was read and is several times faster than asking
term objects for their parts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from math import factorial, prod

import pyoxigraph as ox

from onemg_kg.errors import RdfError

Statement = ox.Triple | ox.Quad
Tokens = tuple[str, str, str, str]
"""Subject, predicate, object and graph name; the graph name is empty in the default graph."""

IRI = re.compile(r'<[^\x00-\x20<>"{}|^`\\]+>')
"""The token of an IRI (IRIREF, N-Triples, section 7, without escapes)."""

_NODE = rf"{IRI.pattern}|_:\S+"
_LITERAL = rf'"(?:[^"\\]|\\.)*"(?:\^\^{IRI.pattern}|@[A-Za-z]+(?:-[A-Za-z0-9]+)*)?'
_LINE = re.compile(rf"({_NODE}) ({IRI.pattern}) ({_NODE}|{_LITERAL})(?: ({_NODE}))? \.")

_ALWAYS_NAMED = 6
"""Up to so many interlinked blank nodes are named however alike they are: the worst case takes 0.1 s."""
_MOST_STEPS = 2 * 10**7
"""About two seconds of work; each further interlinked node could multiply them."""


def tokens(statements: Iterable[Statement]) -> list[Tokens]:
    """The statements, each once, sorted by code point, their blank nodes named by RDFC-1.0.

    Args:
        statements: triples, which belong to the default graph, and quads, in any order and mixture.

    Raises:
        RdfError: a term is not of RDF 1.1 (a triple term, a base direction, an IRI with a forbidden character), or
            the blank nodes could not be named in reasonable time.
    """
    named, blank = [], []
    for quad in map(_split, _lines(statements)):
        (blank if _blanks(quad) else named).append(quad)
    if blank:
        # A canonical label depends on the statements with blank nodes alone, so only they are canonicalised.
        _refuse_poison(blank)
        dataset = ox.Dataset(ox.parse("\n".join(map(line, blank)), ox.RdfFormat.N_QUADS))
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        named += map(_split, _lines(dataset))
    return sorted(named)


def line(quad: Tokens) -> str:
    """One statement as a line of N-Triples or N-Quads, without the line break."""
    return " ".join(filter(None, quad)) + " ."


def _lines(statements: Iterable[Statement]) -> set[str]:
    # pyoxigraph takes triples and quads side by side here, which its type stubs do not say.
    text = ox.serialize(statements, format=ox.RdfFormat.N_QUADS)  # type: ignore[arg-type]
    return set(text.decode().split("\n")[:-1])


def _split(text: str) -> Tokens:
    match = _LINE.fullmatch(text)
    if match is None:
        raise RdfError(
            f"the statement {text} is not RDF 1.1.",
            fix="Write it without triple terms, base directions and characters that an IRI may not have.",
        )
    subject, predicate, object_, graph = match.groups("")
    return subject, predicate, object_, graph


def _blanks(quad: Tokens) -> list[str]:
    return [token for token in quad if token.startswith("_:")]


def _refuse_poison(quads: list[Tokens]) -> None:
    """Refuse blank nodes that RDFC-1.0 would try in too many orders (RDFC-1.0, section 7.1, dataset poisoning).

    The algorithm names at once every blank node whose own statements differ from those of all others. Work grows with
    the rest: in a group of linked nodes it walks the whole group from each of its nodes that look alike, and tries
    every order of neighbours that look alike.

    Raises:
        RdfError: the estimate of that work is beyond ``_MOST_STEPS``.
    """
    views: dict[str, list[Tokens]] = defaultdict(list)
    for quad in quads:
        for node in _blanks(quad):
            s, p, o, g = ("_:this" if token == node else token[:2] if token[:2] == "_:" else token for token in quad)
            views[node].append((s, p, o, g))
    looks = {node: tuple(sorted(view)) for node, view in views.items()}
    count = Counter(looks.values())
    neighbours: dict[str, Counter[tuple[object, ...]]] = defaultdict(Counter)
    links: dict[str, set[str]] = defaultdict(set)
    for quad in quads:
        alike = [(place, node) for place, node in enumerate(quad) if node[:2] == "_:" and count[looks[node]] > 1]
        for _, node in alike:
            for place, other in alike:
                if other != node:
                    neighbours[node][place, quad[1], looks[other]] += 1
                    links[node].add(other)
    steps, seen = 0, set[str]()
    for start in links:
        group, queue = set[str](), [start]
        while queue:
            node = queue.pop()
            if node not in seen:
                seen.add(node)
                group.add(node)
                queue += links[node]
        starts = max(Counter(looks[node] for node in group).values(), default=0)
        orders = prod(factorial(min(n, 20)) for node in group for n in neighbours[node].values())
        work = starts * len(group) ** 2 * orders
        steps += min(work, 10**6) if len(group) <= _ALWAYS_NAMED else work
    if steps > _MOST_STEPS:
        raise RdfError(
            f"{len(links)} blank nodes are so alike and so interlinked that naming them could take very long.",
            fix="Give some of them an IRI.",
        )
