"""Facets: the sides from which resources are chosen, each a query of ``queries/facets/``, and what is shown of each resource.

A facet is a SELECT query that gives one row for each resource and value. Its columns:

- ``resource``, ``valueLabel`` and ``value`` (unbound for a choice that is no thing, like "No label");
- ``basis``: ``stated`` or ``follows`` (by a rule);
- if need be ``slug``, by which an address names the choice (else the end of the value's IRI), and ``broader``, a value of which
  this one is part.

The name of the file is the name of the parameter. Headers: ``title``; ``order``, the place among the facets; ``property``,
which leads from the resource to the value, if one does. The order of the rows is the order of the choices.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyoxigraph as ox

from onemg_kg import queries
from onemg_kg.errors import QueryError
from onemg_kg.project import Project
from onemg_kg.store import Selectable, Term
from onemg_kg.terms import text

SEARCH, SORT, STATED = "q", "sort", "stated"
"""The parameters of an address that are no facets: the words to search, the order, and whether what follows is left out."""

_COLUMNS = ("resource", "value", "valueLabel", "basis")
_BASES = ("stated", "follows")
_LIST = "resources"


@dataclass
class Choice:
    """A value by which resources are chosen.

    Attributes:
        slug: how an address names it; unique in the facet.
        label: what it is called.
        iri: the value; ``None`` where it is no thing.
        depth: how many choices it is part of.
        members: the IRI of each resource that has the value, and whether that is ``stated`` or only ``follows``.
    """

    slug: str
    label: str
    iri: str | None
    depth: int = 0
    members: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facet:
    """A side from which resources are chosen.

    Attributes:
        name: the parameter of an address.
        title: what it is called.
        description: what it means that a resource has a value.
        property: the short name of the property from a resource to a value; empty where no single one leads there.
        choices: its values, each followed by its parts.
    """

    name: str
    title: str
    description: str
    property: str
    choices: list[Choice]


@dataclass(frozen=True)
class Label:
    """A requirement statement about a resource.

    Attributes:
        statement: its IRI.
        level: the IRI of the level.
        label: what the level is called.
        use_case: the IRI of the use case to which alone it applies, if any.
        limit: what that is called.
    """

    statement: str
    level: str
    label: str
    use_case: str | None
    limit: str | None


@dataclass
class Resource:
    """What is shown and searched of a resource.

    Attributes:
        iri: the resource.
        title: its title.
        description: what it is, if that is said.
        link: its landing page, if it has one.
        types: the classes that are stated of it.
        alternatives: its other titles.
        labels: its requirement statements.
    """

    iri: str
    title: ox.Literal
    description: ox.Literal | None
    link: str | None
    types: list[str] = field(default_factory=list)
    alternatives: list[ox.Literal] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def collect(project: Project, store: Selectable) -> list[Facet]:
    """Every facet, in order.

    Args:
        project: has the queries.
        store: the whole graph, stated and inferred.

    Raises:
        QueryError: a query is not that of a facet.
    """
    found = [(_order(query), run(query, store)) for query in queries.folder(project, "facets")]
    return [facet for _, facet in sorted(found, key=lambda one: (one[0], one[1].name))]


def run(query: queries.Query, store: Selectable) -> Facet:
    """Run the query of a facet and fold its rows.

    Raises:
        QueryError: the query is no SELECT query, lacks a column, has the name of another parameter, or two of its values have
            one slug.
    """
    source = str(query.path)
    if query.name in (SEARCH, SORT, STATED):
        raise QueryError(
            f"bears the name of a parameter that is no facet: {query.name}.", source=source, fix="Rename the file."
        )
    table = store.select(query.text, source)
    missing = [f"?{column}" for column in _COLUMNS if column not in table.variables]
    if missing:
        raise QueryError(f"is no facet: it selects no {', '.join(missing)}.", source=source, fix="Select every column.")
    choices: dict[str, Choice] = {}
    broader: dict[str, str] = {}
    for row in table.records():
        value, basis = row["value"], text(row["basis"])
        slug = text(row.get("slug")) or _end(text(value))
        if not slug or not row["resource"] or basis not in _BASES:
            raise QueryError(
                "gives a row without a resource, without a value or slug, or with a basis that is none.",
                source=source,
                fix=f"Bind ?resource, ?value or ?slug, and ?basis to one of {', '.join(_BASES)}, in every row.",
            )
        choice = choices.setdefault(slug, Choice(slug, text(row["valueLabel"]), text(value) or None))
        if choice.iri != (text(value) or None):
            raise QueryError(
                f"has two values that an address names {slug!r}: {choice.iri} and {text(value)}.",
                source=source,
                fix="Select a ?slug that tells them apart.",
            )
        if choice.members.get(text(row["resource"])) != "stated":
            choice.members[text(row["resource"])] = basis
        if row.get("broader"):
            broader.setdefault(slug, text(row["broader"]))
    header = query.header
    return Facet(query.name, query.title, header.get("description", ""), header.get("property", ""), _nested(choices, broader))


def resources(project: Project, store: Selectable) -> list[Resource]:
    """Every resource of the Framework, by title.

    Args:
        project: has the query.
        store: the whole graph, stated and inferred.

    Raises:
        QueryError: the query cannot be run.
    """
    (query,) = (query for query in queries.folder(project, "lists") if query.name == _LIST)
    found: dict[str, Resource] = {}
    for row in store.select(query.text, str(query.path)).records():
        iri, title = text(row["resource"]), _literal(row["title"])
        if title is None:
            continue
        one = found.setdefault(iri, Resource(iri, title, _literal(row["description"]), text(row["link"]) or None))
        if text(row["class"]) not in one.types:
            one.types.append(text(row["class"]))
        alternative = _literal(row["alternative"])
        if alternative and alternative not in one.alternatives:
            one.alternatives.append(alternative)
        if row["statement"]:
            label = Label(
                text(row["statement"]),
                text(row["level"]),
                text(row["levelLabel"]),
                text(row["useCase"]) or None,
                text(row["useCaseLabel"]) or None,
            )
            if label not in one.labels:
                one.labels.append(label)
    return sorted(found.values(), key=lambda one: (one.title.value.casefold(), one.iri))


def _literal(node: Term | None) -> ox.Literal | None:
    return node if isinstance(node, ox.Literal) else None


def _order(query: queries.Query) -> int:
    order = query.header.get("order", "")
    if not order.isdecimal():
        raise QueryError(
            f"has no place among the facets: its order is {order!r}.", source=str(query.path), fix="Write `#+ order: 1`."
        )
    return int(order)


def _end(iri: str) -> str:
    return iri.replace("#", "/").rpartition("/")[2]


def _nested(choices: Mapping[str, Choice], broader: Mapping[str, str]) -> list[Choice]:
    """The choices, each followed by its parts, with their depth. One in a circle comes where the circle is entered."""
    slugs = {choice.iri: slug for slug, choice in choices.items()}
    parts: dict[str | None, list[str]] = defaultdict(list)
    for slug in choices:
        parts[slugs.get(broader.get(slug, ""))].append(slug)
    done: set[str] = set()

    def walk(slug: str, depth: int) -> Iterator[Choice]:
        if slug not in done:
            done.add(slug)
            choices[slug].depth = depth
            yield choices[slug]
            for part in parts[slug]:
                yield from walk(part, depth + 1)

    return [choice for slug in (*parts[None], *choices) for choice in walk(slug, 0)]
