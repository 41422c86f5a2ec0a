"""Whether a query only reads our graph: decided by its tokens, before anything runs (SPARQL 1.1 Query, section 19.8).

Outside of IRIs, strings, comments, variables and prefixed names every word of SPARQL is a keyword, so a keyword cannot hide
from who reads tokens. Oxigraph's grammar reads characters, not tokens, and so finds two words in each of ``ASKFROM<x>{}`` and
``SERVICEex:a{}``. What two readers could read in two ways is refused here, and a worker cannot open a socket in any case.
"""

import functools
import itertools
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urljoin

from onemg_kg.terms import BASE

MAX_NESTING = 200
"""How deep brackets may nest: Oxigraph's parser recurses, and its stack is finite."""

_KEYWORDS = frozenset(
    """
    a abs as asc ask avg base bind bnode bound by ceil coalesce concat construct contains count datatype day desc describe
    distinct encode_for_uri exists false filter floor from graph group group_concat having hours if in iri isblank isiri
    isliteral isnumeric isuri lang langmatches lcase limit max md5 min minus minutes month named not now offset optional order
    prefix rand reduced regex replace round sameterm sample seconds select separator sha1 sha256 sha384 sha512 silent str
    strafter strbefore strdt strends strlang strlen strstarts struuid substr sum timezone true tz ucase undef union uri uuid
    values where year
    """.split()
)
_UPDATES = frozenset("add all clear copy create data default delete drop insert into load move to using with".split())
_VOLATILE = frozenset("bnode now rand struuid uuid".split())
"""Functions whose value differs from one run to the next."""

_BASE_CHARACTER = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = f"[{_BASE_CHARACTER}_0-9\u00b7\u0300-\u036f\u203f-\u2040-]"
_ESCAPED = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
_LOCAL = f"(?:[{_BASE_CHARACTER}_:0-9]|{_ESCAPED})(?:(?:{_NAME}|[:]|{_ESCAPED})|\\.+(?={_NAME}|[:%\\\\]))*"
_TOKEN = rf"""
      (?P<space>[ \t\r\n]+|\#[^\r\n]*)
    | (?P<iri><(?:[^<>"{{}}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*>)
    | (?P<name>(?:[{_BASE_CHARACTER}](?:{_NAME}|\.(?={_NAME}|[.:]))*)?:(?:{_LOCAL})?)
    | (?P<word>[A-Za-z][A-Za-z0-9_]*)
    | (?P<other>[?$][{_BASE_CHARACTER}_0-9\u00b7\u0300-\u036f\u203f-\u2040]+
      |_:[{_BASE_CHARACTER}_0-9](?:{_NAME}|\.(?={_NAME}|\.))*
      |@[A-Za-z]+(?:-[A-Za-z0-9]+)*
      |(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+|[0-9]+)
    | (?P<string>\"\"\"(?:(?:"|"")?(?:[^"\\]|\\.))*\"\"\"|'''(?:(?:'|'')?(?:[^'\\]|\\.))*'''
      |"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
    | (?P<open>[({{\[])
    | (?P<close>[)}}\]])
    | (?P<sign>[<>=!&|+*/^,;.?-])
    """
_ESCAPED_ASCII = re.compile(r"\\u00[0-7][0-9A-Fa-f]|\\U000000[0-7][0-9A-Fa-f]")
_ABSOLUTE = re.compile("<[A-Za-z][A-Za-z0-9+.-]*://")


class Refused(Exception):
    """The query is not run.

    Args:
        status: 400 where it is no SPARQL 1.1 query, 403 where it asks for what this endpoint does not do.
        message: why, in one sentence.
        line: the line of the query, counted from 1.
        column: the column, counted from 1.
    """

    def __init__(self, status: int, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.status, self.message, self.line, self.column = status, message, line, column


@dataclass(frozen=True)
class Verdict:
    """What a query that may run is like.

    Attributes:
        default: the graphs that it names with ``FROM``.
        named: the graphs that it names with ``FROM NAMED``.
        steady: whether it gives the same answer whenever it is asked of the same dataset.
    """

    default: tuple[str, ...]
    named: tuple[str, ...]
    steady: bool


class Token(NamedTuple):
    """A word of a query.

    Attributes:
        kind: ``iri``, ``name`` (a prefixed one), ``word`` (a keyword), ``other`` (a variable, blank node, language tag or
            number), ``string``, ``open`` or ``close`` (a bracket), or ``sign``.
        text: how it is written; a keyword in lower case.
        start: where it starts.
    """

    kind: str
    text: str
    start: int


def place(text: str, offset: int) -> tuple[int, int]:
    """The line and column, counted from 1, of a character of a text."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _refuse(text: str, offset: int, status: int, message: str) -> Refused:
    return Refused(status, message, *place(text, offset))


@functools.cache
def _token() -> re.Pattern[str]:
    """Compiled when it is first needed: that takes a while."""
    return re.compile(_TOKEN, re.VERBOSE | re.DOTALL)


def tokens(text: str) -> list[Token]:
    """The tokens of a query. Words are in lower case: no keyword has a case.

    Raises:
        Refused: no token of SPARQL 1.1 starts somewhere.
    """
    read: list[Token] = []
    at = 0
    for found in _token().finditer(text):
        kind, start = str(found.lastgroup), found.start()
        if start != at:
            break
        at = found.end()
        if kind != "space":
            read.append(Token(kind, found[0].lower() if kind == "word" else found[0], start))
    if at != len(text):
        raise _refuse(text, at, 400, f"no word of SPARQL 1.1 starts with {text[at]!r}.")
    return read


def judge(text: str) -> Verdict:
    """Judge a query.

    Returns:
        What it is like. It may still be no query: the engine's parser says so.

    Raises:
        Refused: it has an update, ``SERVICE``, a word that is no keyword of SPARQL 1.1, or brackets nested too deep.
    """
    held = tokens(text)
    depth = 0
    prefixes = _prefixes(held)
    for index, (kind, written, start) in enumerate(held):
        if kind == "word":
            if written not in _KEYWORDS:
                raise _refuse(text, start, *_objection(written))
        elif kind == "name":
            _check_name(text, held, index, prefixes)
        elif kind == "iri" and _may_hide(written):
            raise _refuse(text, start, 403, "put spaces around the < of a comparison: this can be read in two ways.")
        elif kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
            if depth > MAX_NESTING:
                raise _refuse(text, start, 400, f"brackets nest deeper than {MAX_NESTING}.")
    steady = not any(token.kind == "word" and token.text in _VOLATILE for token in held)
    return Verdict(*_dataset(text, held, prefixes), steady)


def calls(text: str) -> list[tuple[str, int]]:
    """Each IRI before a round bracket, and where it starts: a function that is none of SPARQL's, or a predicate before a list.

    Raises:
        Refused: a prefix is declared twice, or a character is escaped that another reader may take for the end of a string.
    """
    if escape := _ESCAPED_ASCII.search(text):
        raise _refuse(text, escape.start(), 400, "write this character as it is, not escaped.")
    held = tokens(text)
    names = [following.text for token, following in itertools.pairwise(held) if token.text == "prefix"]
    if len(set(names)) < len(names):
        raise _refuse(text, 0, 400, "a prefix is declared twice.")
    prefixes = _prefixes(held)
    followed = (token for token, following in itertools.pairwise(held) if following.text == "(")
    return [(_in_full(token, prefixes), token.start) for token in followed if token.kind in ("iri", "name")]


def _objection(word: str) -> tuple[int, str]:
    """Status and reason for a word that no query has."""
    if word == "service":
        return 403, "SERVICE is refused: this endpoint asks no other."
    if word in _UPDATES:
        return 403, f"{word.upper()} is refused: this endpoint only reads."
    return 400, f"{word.upper()} is no keyword of SPARQL 1.1."


def _check_name(text: str, held: list[Token], index: int, prefixes: dict[str, str]) -> None:
    """A prefixed name must have a prefix that is declared, and none that ends the way a service would begin."""
    token = held[index]
    prefix = token.text.partition(":")[0]
    if prefix not in prefixes:
        raise _refuse(text, token.start, 400, f"the prefix {prefix}: is not declared.")
    followed = index + 1 < len(held) and held[index + 1].text == "{"
    after_graph = index > 0 and held[index - 1].text in ("graph", "from", "named")
    if "service" in prefix.lower() and followed and not after_graph:
        raise _refuse(text, token.start, 403, f"{token.text} {{ can be read as SERVICE. Give the prefix another name.")


def _may_hide(iri: str) -> bool:
    """Whether a reader of characters may take an IRI for ``< ?b) . SERVICE ?x`` and the start of a comment."""
    bracket = iri.find(")")
    word = iri.lower().find("service", bracket)
    return bracket > 0 and word > 0 and "#" in iri[word:] and not _ABSOLUTE.match(iri)


def _iri(token: Token) -> str:
    """The IRI that a token holds, with its codepoint escapes read (section 19.2)."""
    return re.sub(r"\\[uU]([0-9A-Fa-f]+)", lambda found: chr(min(int(found[1], 16), 0x10FFFF)), token.text[1:-1])


def _prefixes(held: list[Token]) -> dict[str, str]:
    """The prefixes that are declared, with IRIs in full as far as they are; the base under the space."""
    found = {" ": BASE}
    for index, token in enumerate(held):
        following = held[index + 1 : index + 3]
        if token.text == "base" and following and following[0].kind == "iri":
            found[" "] = urljoin(found[" "], _iri(following[0]))
        elif token.text == "prefix" and len(following) == 2 and following[0].kind == "name" and following[1].kind == "iri":
            found[following[0].text.partition(":")[0]] = urljoin(found[" "], _iri(following[1]))
    return found


def _in_full(token: Token, prefixes: dict[str, str]) -> str:
    """The IRI that a token stands for, prefixed or not."""
    if token.kind == "iri":
        return urljoin(prefixes[" "], _iri(token))
    prefix, _, local = token.text.partition(":")
    return prefixes.get(prefix, "") + re.sub(r"\\(.)", r"\1", local)


def _dataset(text: str, held: list[Token], prefixes: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The IRIs after ``FROM`` and after ``FROM NAMED`` (section 13.2)."""
    clauses: tuple[list[str], list[str]] = ([], [])
    for index, token in enumerate(held):
        if token.text != "from":
            continue
        is_named = index + 1 < len(held) and held[index + 1].text == "named"
        source = held[index + 1 + is_named] if index + 1 + is_named < len(held) else token
        if source.kind not in ("iri", "name"):
            raise _refuse(text, source.start, 400, "an IRI is expected after FROM.")
        clauses[is_named].append(_in_full(source, prefixes))
    return tuple(clauses[0]), tuple(clauses[1])
