"""What the graph says of each thing that it names: the content of the documents at their IRIs.

A document describes one IRI, the hash IRIs below it, and the blank nodes that they lead to: what is stated of them and what
follows (their statements), where they are the object (inverse), and what everything else that is named there is called.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from operator import itemgetter

import pyoxigraph as ox

from onemg_kg import scratch
from onemg_kg.addresses import document
from onemg_kg.formats import TYPE, Tokens, quads_of
from onemg_kg.graph import RULES
from onemg_kg.terms import BASE, expand, shorten, text

_TITLES = ("dcterms:title", "skos:prefLabel", "foaf:name", "rdfs:label", "onemg:headingText", "onemg:linkText")
"""The properties that say what a thing is called, the best first."""

_LANGUAGE = "en"

_KEPT = 2**15
"""Of so many things it is kept what they are called."""

_OURS = "<" + BASE
"""With what a token of ours begins."""

_RANKS = {f"<{expand(name)}>": rank for rank, name in enumerate(_TITLES)}

_SCHEMA = """
CREATE TABLE said (subject TEXT, predicate TEXT, object TEXT, graph INTEGER, way TEXT);
CREATE TABLE documents (path TEXT, subject TEXT, PRIMARY KEY (path, subject)) WITHOUT ROWID;
"""
"""The statements as tokens. The number of a graph is below nought where it holds what follows. The ``way`` leads ``to`` an
object that is ours, or says that it is the class of the subject (``a``).
"""

_INDEXES = """
CREATE INDEX of_subject ON said (subject);
CREATE INDEX to_object ON said (object, way) WHERE way IS NOT NULL;
"""

_EXAMPLE = """
SELECT member.subject FROM (SELECT DISTINCT subject FROM said WHERE object = ? AND way = 'a' AND subject GLOB ?) AS member
JOIN said AS fact ON fact.subject = member.subject
GROUP BY member.subject
ORDER BY
  count(DISTINCT CASE WHEN fact.graph > 0 THEN fact.predicate END) DESC,
  count(CASE WHEN fact.graph > 0 THEN 1 END),
  rtrim(member.subject, '>')
LIMIT 1
"""


@dataclass(frozen=True)
class Description:
    """What one document says.

    Attributes:
        iri: what the document is about.
        path: its place on the site, without suffix.
        about: the statements of which the IRI, a hash IRI below it, or a blank node that these lead to, is the subject.
        to: the statements of which one of these IRIs is the object and something else the subject.
        labels: what the other nodes in these statements are called.
    """

    iri: str
    path: str
    about: list[Tokens]
    to: list[Tokens]
    labels: list[Tokens]

    @cached_property
    def statements(self) -> list[ox.Quad]:
        """As ``about``, each in the graph of its file or rule."""
        return quads_of(self.about)

    @cached_property
    def inverse(self) -> list[ox.Quad]:
        """As ``to``, likewise."""
        return quads_of(self.to)


class Descriptions:
    """The documents of a dataset.

    Args:
        graphs: the dataset: lines of N-Triples with the IRI of the graph of their file or rule, which may come in parts.

    Attributes:
        sizes: how many statements each graph has, by its IRI.

    Raises:
        OnemgError: there is no room for temporary files.
    """

    def __init__(self, graphs: Iterable[tuple[str, list[str]]]) -> None:
        self.sizes: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}
        self._rows = scratch.database(_SCHEMA)
        with scratch.room():
            self._rows.execute("BEGIN")
            for name, lines in graphs:
                self._add(name, lines)
            self._rows.execute("COMMIT")
            self._rows.executescript(_INDEXES)
        self._graphs = {number: f"<{name}>" if name else "" for name, number in self._numbers.items()}
        self._title = lru_cache(_KEPT)(self._find_title)
        self._titles = lru_cache(_KEPT)(self._find_titles)

    def _add(self, name: str, lines: list[str]) -> None:
        self.sizes[name] += len(lines)
        place = len(self._numbers) + 1
        number = self._numbers.setdefault(name, -place if name.startswith(RULES) else place)
        rows = ((subject, predicate, rest[:-2]) for subject, predicate, rest in (line.split(" ", 2) for line in lines))
        self._rows.executemany(
            "INSERT INTO said VALUES (?, ?, ?, ?, ?)",
            ((subject, predicate, object_, number, _way(predicate, object_)) for subject, predicate, object_ in rows),
        )
        subjects = dict.fromkeys(line.partition(" ")[0] for line in lines)
        self._rows.executemany(
            "INSERT OR IGNORE INTO documents VALUES (?, ?)",
            ((document(subject[1:-1])[0], subject) for subject in subjects if subject.startswith(_OURS)),
        )

    def _said(self, condition: str, *values: str) -> Iterator[Tokens]:
        """The statements of which a condition holds, in the order of the dataset."""
        found = self._rows.execute(
            f"SELECT subject, predicate, object, graph FROM said WHERE {condition} ORDER BY rowid", values
        )
        return ((subject, predicate, object_, self._graphs[graph]) for subject, predicate, object_, graph in found)

    def paths(self) -> Iterator[str]:
        """The path of every document, sorted."""
        return (path for (path,) in self._rows.execute("SELECT DISTINCT path FROM documents ORDER BY path"))

    def __contains__(self, path: str) -> bool:
        """Whether there is a document at a path."""
        return self._rows.execute("SELECT 1 FROM documents WHERE path = ? LIMIT 1", (path,)).fetchone() is not None

    def label(self, iri: str) -> str:
        """What a thing is called: in English if it has such a name, else its first name, else the short form of its IRI."""
        title = self._title(iri)
        return shorten(iri) if title is None else title

    def is_named(self, iri: str) -> bool:
        """Whether the dataset says what a thing is called."""
        return self._title(iri) is not None

    def of(self, iri: str) -> list[ox.Quad]:
        """The quads of which one IRI is the subject."""
        return quads_of(self._said("subject = ?", f"<{iri}>"))

    def values(self, iri: str, name: str) -> list[str]:
        """The values of a property of a thing as text, by the short name of the property."""
        found = self._said("subject = ? AND predicate = ?", f"<{iri}>", f"<{expand(name)}>")
        return [text(quad.object) for quad in quads_of(found)]

    def types(self, iri: str) -> set[str]:
        """The classes of a thing."""
        return {object_[1:-1] for _, _, object_, _ in self._said("subject = ? AND way = 'a'", f"<{iri}>")}

    def members(self, class_: str) -> list[str]:
        """The things of a class, in the order of the dataset."""
        found = self._said("object = ? AND way = 'a'", f"<{class_}>")
        return [subject[1:-1] for subject in dict.fromkeys(subject for subject, *_ in found) if subject.startswith("<")]

    def count(self, class_: str) -> int:
        """How many things are of a class."""
        query = "SELECT count(DISTINCT subject) FROM said WHERE object = ? AND way = 'a' AND subject GLOB '<*'"
        (number,) = self._rows.execute(query, (f"<{class_}>",)).fetchone()
        return int(number)

    def example(self, class_: str) -> str | None:
        """One of ours of a class: of those of which the files state the most properties the one with the fewest statements.

        Raises:
            OnemgError: there is no room for temporary files.
        """
        with scratch.room():  # it sorts
            found = self._rows.execute(_EXAMPLE, (f"<{class_}>", _OURS + "*")).fetchone()
        return str(found[0])[1:-1] if found else None

    def classes(self) -> set[str]:
        """Every class of which something is."""
        query = "SELECT DISTINCT object FROM said WHERE way = 'a'"
        return {object_[1:-1] for (object_,) in self._rows.execute(query) if object_.startswith("<")}

    def properties(self) -> set[str]:
        """Every property of a statement."""
        return {predicate[1:-1] for (predicate,) in self._rows.execute("SELECT DISTINCT predicate FROM said")}

    def describe(self, path: str) -> Description:
        """What the document at a path says.

        Raises:
            KeyError: there is none.
        """
        found = self._rows.execute("SELECT subject FROM documents WHERE path = ? ORDER BY subject", (path,))
        subjects = [subject for (subject,) in found]
        if not subjects:
            raise KeyError(path)
        iri = min((subject[1:-1].partition("#")[0] for subject in subjects), key=len)
        held = set(subjects)
        about: list[Tokens] = []
        waiting = list(subjects)
        while waiting:
            for statement in self._said("subject = ?", waiting.pop()):
                about.append(statement)
                if (node := statement[2]).startswith("_:") and node not in held:
                    held.add(node)
                    waiting.append(node)
        leading = chain.from_iterable(self._said("object = ? AND way = 'to'", subject) for subject in subjects)
        to = [statement for statement in leading if statement[0] not in held]
        others = {statement[2] for statement in about} | {statement[0] for statement in to}
        named = sorted(other[1:-1] for other in others - held if other.startswith("<"))
        return Description(iri, path, about, to, list(chain.from_iterable(map(self._titles, named))))

    def _find_titles(self, iri: str) -> list[Tokens]:
        """The statements that say what a thing is called."""
        found = self._said("subject = ?", f"<{iri}>")
        return [statement for statement in found if statement[1] in _RANKS and statement[2].startswith('"')]

    def _find_title(self, iri: str) -> str | None:
        """What a thing is called, if that is said."""
        found: list[tuple[bool, int, str]] = []
        for statement, quad in zip(said := self._titles(iri), quads_of(said), strict=True):
            if isinstance(quad.object, ox.Literal):
                found.append((quad.object.language not in (_LANGUAGE, None), _RANKS[statement[1]], quad.object.value))
        return min(found, key=itemgetter(0, 1))[2] if found else None


def _way(predicate: str, object_: str) -> str | None:
    """The way to an object: see the schema."""
    if predicate == TYPE:
        return "a"
    return "to" if object_.startswith(_OURS) else None
