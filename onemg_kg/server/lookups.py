"""Queries that are small, whatever they find: answered at once, in the process that speaks HTTP.

To hand a query to a worker costs more than to look something up. So what pages ask, such as all that is said of one thing, goes
past the workers: where it is a basic graph pattern (SPARQL 1.1 Query, section 5.1) and nothing else, and where each pattern
alone has so few matches that no join of them can have many. That is counted, never guessed: whatever is not proven to be small
goes to a worker, which can be killed.
"""

import functools
import re
from itertools import islice

import pyoxigraph as ox

from onemg_kg.server import guard
from onemg_kg.server.guard import Token
from onemg_kg.terms import BASE, term

MOST = 1000
"""How many solutions a query may have at most to count as small, and each of its patterns matches."""
_LONGEST = 2000
"""How many characters its text may have: to read it takes time as well."""

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.*")
_VARIABLE = ("?", "$")

Node = ox.NamedNode | ox.Literal | None
Pattern = tuple[Node, Node, Node]
"""A triple pattern; ``None`` for a variable."""


class Lookups:
    """A graph in which small queries are looked up.

    Args:
        store: the graph, its default graph being the union of the others.
    """

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._is_small = functools.lru_cache(512)(self._prove)
        self.answer("ASK {}")  # so that the first who asks finds everything in place

    def answer(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | None:
        """The answer to a query over the default graph; nothing where it is not small, or is no query."""
        if len(text) > _LONGEST or not self._is_small(text):
            return None
        try:
            answer = self._store.query(text, base_iri=BASE)
        except (SyntaxError, ValueError, OSError):
            return None
        return None if isinstance(answer, ox.QueryTriples) else answer

    def _prove(self, text: str) -> bool:
        """Whether a query can have but few solutions, at whatever step of its evaluation."""
        found = patterns(text)
        if found is None:
            return False
        solutions = 1
        for subject, predicate, object_ in found:
            if isinstance(subject, ox.Literal) or isinstance(predicate, ox.Literal):
                return False
            matches = self._store.quads_for_pattern(subject, predicate, object_, ox.DefaultGraph())
            count = sum(1 for _ in islice(matches, MOST + 1))
            solutions *= max(count, 1)
            if solutions > MOST:
                return False
        return True


def patterns(text: str) -> list[Pattern] | None:
    """The triple patterns of a query that has nothing else; nothing where it has.

    Whatever could be read in another way than here is taken for something else: IRIs that are not absolute, escapes, blank
    nodes, literals with a type, operators, further keywords.
    """
    if "\\" in text:
        return None
    try:
        tokens = guard.tokens(text)
    except guard.Refused:
        return None
    prefixes: dict[str, str] = {}
    at = 0
    while tokens[at : at + 1] and tokens[at].text == "prefix" and tokens[at].kind == "word":
        if len(tokens) < at + 3 or tokens[at + 1].kind != "name" or not _ABSOLUTE.fullmatch(tokens[at + 2].text[1:-1]):
            return None
        prefix, _, local = tokens[at + 1].text.partition(":")
        if local or prefix in prefixes:
            return None
        prefixes[prefix] = tokens[at + 2].text[1:-1]
        at += 3
    begun = _form(tokens, at)
    return None if begun is None else _block(tokens, begun, prefixes)


def _form(tokens: list[Token], at: int) -> int | None:
    """Where the group begins: after ``ASK {``, or ``SELECT`` with its variables, and ``{``."""
    words = [token.text if token.kind in ("word", "sign", "open") else token.kind for token in tokens[at:]]
    if words[:1] == ["ask"]:
        index = 1
    elif words[:1] == ["select"]:
        index = 2 if words[1:2] == ["distinct"] else 1
        if words[index : index + 1] == ["*"]:
            index += 1
        else:
            while words[index : index + 1] == ["other"] and tokens[at + index].text.startswith(_VARIABLE):
                index += 1
    else:
        return None
    index += words[index : index + 1] == ["where"]
    return at + index + 1 if words[index : index + 1] == ["{"] else None


def _block(tokens: list[Token], at: int, prefixes: dict[str, str]) -> list[Pattern] | None:
    """The triple patterns until the end of the query, which may have a ``LIMIT`` (SPARQL 1.1 Query, section 4.2)."""
    found: list[Pattern] = []
    subject: Node = None
    predicate: Node = None
    expected = "subject"
    for index in range(at, len(tokens)):
        token = tokens[index]
        if token.kind == "close":
            rest = [(other.kind, other.text) for other in tokens[index + 1 :]]
            is_end = not rest or (len(rest) == 2 and rest[0] == ("word", "limit") and rest[1][1].isdecimal())
            return found if token.text == "}" and is_end and expected in ("subject", "sign") else None
        if expected == "sign":
            if token.kind != "sign" or token.text not in ".;,":
                return None
            expected = {".": "subject", ";": "predicate", ",": "object"}[token.text]
            continue
        try:
            node = _node(token, prefixes, is_predicate=expected == "predicate")
        except ValueError:
            return None
        if expected == "subject":
            subject, expected = node, "predicate"
        elif expected == "predicate":
            predicate, expected = node, "object"
        else:
            found.append((subject, predicate, node))
            expected = "sign"
    return None


def _node(token: Token, prefixes: dict[str, str], *, is_predicate: bool) -> Node:
    """The term that a token stands for; ``None`` for a variable.

    Raises:
        ValueError: it may be none, or another.
    """
    kind, text, _ = token
    if kind == "other" and text.startswith(_VARIABLE):
        return None
    if kind == "iri" and _ABSOLUTE.fullmatch(text[1:-1]):
        return ox.NamedNode(text[1:-1])
    if kind == "word" and text == "a" and is_predicate:
        return term("rdf:type")
    if kind == "name":
        prefix, _, local = text.partition(":")
        if prefix in prefixes:
            return ox.NamedNode(prefixes[prefix] + local)
    if kind == "string" and text[:3] not in ('"""', "'''"):
        return ox.Literal(text[1:-1])
    raise ValueError(text)
