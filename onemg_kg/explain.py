"""Everything that is known of one thing, each statement with the file, page and line or the rule that it comes from."""

from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg import graph, queries
from onemg_kg.errors import QueryError
from onemg_kg.findings import Places
from onemg_kg.project import Project
from onemg_kg.terms import BASE, PREFIXES, expand, term, text

_SPACES = (*(BASE + path for path in ("id/resource/", "id/project/", "id/org/", "voc/", "ns#")), PREFIXES["country"], "")
"""Where a name is looked up first: a page or a heading often bears the name of the thing that it is about."""
_TITLES = ("dcterms:title", "skos:prefLabel", "foaf:name", "rdfs:label", "dcterms:alternative", "skos:altLabel")


@dataclass(frozen=True)
class Statement:
    """One statement about a thing.

    Attributes:
        subject: the subject, an IRI.
        predicate: the predicate, an IRI.
        object: the object, in N-Triples.
        label: what the other end is called; empty where it has no name, or is a literal.
        source: the file that states it, or the file of the rule from which it follows.
        line: the line of that file; 0 for a rule.
        rule: what the rule says; empty where the statement is stated.
        page: the file of the site from which it was read; empty where it was not read there.
        page_line: the line of that file, or 0.
    """

    subject: str
    predicate: str
    object: str
    label: str
    source: str
    line: int
    rule: str
    page: str
    page_line: int


@dataclass(frozen=True)
class Explanation:
    """A thing, explained.

    Attributes:
        thing: its IRI.
        label: what it is called.
        stated: what files state of it.
        follows: what rules add.
        inverse: where it is the object, in statements of files.
    """

    thing: str
    label: str
    stated: list[Statement]
    follows: list[Statement]
    inverse: list[Statement]


def find(loaded: graph.Graph, name: str) -> str:
    """The IRI of what a user calls something.

    Args:
        loaded: the graph.
        name: an IRI, a prefixed name, a path below the base, the last part of one, or a title.

    Raises:
        QueryError: nothing, or more than one thing, is called so.
    """
    subjects = {quad.subject.value for quad in loaded.stated if isinstance(quad.subject, ox.NamedNode)}
    if expand(name) in subjects:
        return expand(name)
    titles = {term(title) for title in _TITLES}
    titled = {
        quad.subject.value
        for quad in loaded.stated
        if quad.predicate in titles
        and isinstance(quad.subject, ox.NamedNode)
        and isinstance(quad.object, ox.Literal)
        and quad.object.value.casefold() == name.casefold()
    }
    for called in ({iri for iri in subjects if iri.endswith(("/" + name, "#" + name))}, titled):
        for space in _SPACES:
            found = sorted(iri for iri in called if iri.startswith(space))
            if len(found) == 1:
                return found[0]
            if found:
                options = ", ".join(iri.removeprefix(BASE) for iri in found)
                raise QueryError(f"more than one thing is called {name!r}: {options}.", fix="Name one of them.")
    raise QueryError(f"nothing is called {name!r}.", fix="See `onemg-kg list resource`, or give an IRI.")


def _labels(loaded: graph.Graph) -> dict[str, str]:
    labels: dict[str, str] = {}
    for title in reversed(_TITLES):
        predicate = term(title)
        for quad in loaded.stated:
            if quad.predicate == predicate and isinstance(quad.subject, ox.NamedNode):
                labels[quad.subject.value] = quad.object.value if isinstance(quad.object, ox.Literal) else ""
    return labels


def explain(project: Project, loaded: graph.Graph, name: str) -> Explanation:
    """Everything known of a thing.

    Raises:
        QueryError: nothing, or more than one thing, is called so.
    """
    thing = find(loaded, name)
    node = ox.NamedNode(thing)
    labels = _labels(loaded)
    rules = {graph.RULES + rule.name: rule for rule in queries.folder(project, "rules")}
    numbers: dict[str, dict[ox.Triple, int]] = {}
    places = Places(loaded.stated)

    def statement(quad: ox.Quad) -> Statement:
        name = text(quad.graph_name)
        source = graph.file_of(name)
        rule = rules.get(name)
        if rule is None and source not in numbers:
            numbers[source] = graph.line_numbers(project.root / source)
        place = places.of(str(quad.subject))
        other = quad.object if quad.subject == node else quad.subject
        return Statement(
            subject=text(quad.subject),
            predicate=quad.predicate.value,
            object=str(quad.object),
            label=labels.get(text(other), "") if isinstance(other, ox.NamedNode) else "",
            source=source,
            line=0 if rule else numbers[source].get(quad.triple, 0),
            rule=rule.title if rule else "",
            page=place.page,
            page_line=place.page_line,
        )

    def order(found: Statement) -> tuple[str, int, str, str, str]:
        return found.source, found.line, found.predicate, found.subject, found.object

    stated = sorted((statement(quad) for quad in loaded.stated if quad.subject == node), key=order)
    follows = sorted((statement(quad) for quad in loaded.inferred if quad.subject == node), key=order)
    inverse = sorted((statement(quad) for quad in loaded.stated if quad.object == node), key=order)
    return Explanation(thing, labels.get(thing, ""), stated, follows, inverse)
