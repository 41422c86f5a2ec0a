"""What is said in words: phrases of texts and links, and Turtle in which every name is one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.formats import FORMATS
from onemg_kg.terms import PREFIXES, expand

JOINED = {
    **{"sh:or": " or ", "sh:and": " and ", "sh:xone": " or else ", "sh:in": ", ", "sh:languageIn": " or "},
    **{"owl:unionOf": " or ", "owl:intersectionOf": " and ", "owl:oneOf": ", "},
}
"""What stands between the members of a list, by the short name of the property that has it."""

_TURTLE = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|^@prefix[^\n]*'
    r"|<(?P<iri>[^<>\s]*)>|(?P<name>[A-Za-z][A-Za-z0-9_.-]*:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)",
    re.DOTALL | re.MULTILINE,
)
"""A literal, a line that declares a prefix, or a name to link, in the Turtle that :mod:`onemg_kg.formats` writes."""


@dataclass(frozen=True)
class Word:
    """A piece of a phrase: a text, perhaps that of an IRI, of a language, or to be read letter by letter."""

    text: str
    iri: str | None = None
    language: str | None = None
    code: bool = False


Phrase = tuple[Word, ...]


def join(between: str, phrases: Iterable[Phrase]) -> Phrase:
    """Phrases as one, with a text between them."""
    found: list[Word] = []
    for phrase in phrases:
        found += [*([Word(between)] if found else []), *phrase]
    return tuple(found)


def bracketed(phrase: Phrase) -> Phrase:
    """A phrase in brackets."""
    return (Word("("), *phrase, Word(")"))


def listed(name: str, members: list[Phrase]) -> Phrase:
    """The members of the list that a property of :data:`JOINED` has, in brackets where they are more than a name."""
    return join(JOINED[name], [bracketed(member) if len(member) > 2 else member for member in members])


def turtle(triples: Iterable[ox.Triple]) -> Phrase:
    """Statements in Turtle, with every name as a word of its own so that it can be a link.

    Raises:
        RdfError: a statement cannot be written in Turtle.
    """
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
