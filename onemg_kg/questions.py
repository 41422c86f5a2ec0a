"""Competency questions: each query of ``queries/questions/`` with its answer, as data and as text to read.

The header of a question names who asks it (``asked-by``). It may bind a parameter (``example.NAME: value``) where the answer
for all would be too long to read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg import queries
from onemg_kg.formats import FORMATS
from onemg_kg.markdown import linked, plain
from onemg_kg.project import Project
from onemg_kg.store import Queryable, Table, Term, in_default_graph
from onemg_kg.terms import BASE, PREFIXES, shorten


@dataclass(frozen=True)
class Answer:
    """A question with its answer.

    Attributes:
        query: the question.
        values: what its parameters are bound to, by name.
        text: the query with these values in place.
        table: the answer, if it is a table.
        file: the name of the answer as a file.
        content: that file: SPARQL 1.1 Query Results CSV, or RDF 1.1 Turtle where the answer is a graph.
    """

    query: queries.Query
    values: Mapping[str, ox.NamedNode | ox.Literal]
    text: str
    table: Table | None
    file: str
    content: bytes


def answers(project: Project, store: Queryable) -> list[Answer]:
    """Answer every question.

    Args:
        project: has the queries of the questions.
        store: the whole graph, stated and inferred.

    Raises:
        QueryError: a query is not SPARQL 1.1, or its header binds a parameter that it does not have.
    """
    found: list[Answer] = []
    for query in queries.folder(project, "questions"):
        values = {name: query.term(name, value) for name, value in query.examples.items()}
        text = query.bind(values)
        source = str(query.path)
        if store.is_construct(text, source):
            content = FORMATS["turtle"].write(in_default_graph(store.construct(text, source)), PREFIXES)
            found.append(Answer(query, values, text, None, f"{query.name}.ttl", content))
        else:
            table = store.select(text, source)
            found.append(Answer(query, values, text, table, f"{query.name}.csv", store.results(text, "csv", source).encode()))
    return found


def render(found: list[Answer]) -> dict[str, bytes]:
    """Every question with its answer, as files by path.

    ``questions/NAME.md``, the answer as ``questions/NAME.csv`` or ``questions/NAME.ttl``, and ``questions/index.md``.
    Same graph, same bytes.
    """
    files = {"questions/index.md": _index([answer.query for answer in found]).encode()}
    for answer in found:
        files[f"questions/{answer.file}"] = answer.content
        files[f"questions/{answer.query.name}.md"] = _page(answer).encode()
    return files


def _index(found: list[queries.Query]) -> str:
    """The questions in Markdown, by who asks them."""
    asked: dict[str, list[queries.Query]] = {}
    for query in found:
        asked.setdefault(query.header.get("asked-by", "anyone"), []).append(query)
    lines = ["# Questions that this graph answers", ""]
    for who in sorted(asked):
        lines += [f"## {plain(who[:1].upper() + who[1:])}", ""]
        lines += [f"- [{plain(query.title)}]({query.name}.md)" for query in asked[who]]
        lines.append("")
    return "\n".join(lines)


def _page(answer: Answer) -> str:
    """A question in Markdown: who asks it, the answer, and the query that gives it."""
    query, values = answer.query, answer.values
    shown = _table(answer.table) if answer.table else f"```turtle\n{answer.content.decode()}```\n"
    lines = [f"# {plain(query.title)}", "", plain(query.header.get("description", "")), ""]
    if "asked-by" in query.header:
        lines += [f"Asked by: {plain(query.header['asked-by'])}.", ""]
    lines += ["## Answer", ""]
    if values:
        lines += [f"With {', '.join(f'{plain(name)} = {_shown(value)}' for name, value in values.items())}.", ""]
    lines += [shown, f"As a file: [{answer.file}]({answer.file}).", "", "## Query", ""]
    if query.parameters:
        names = " and ".join(f"`VALUES ?{name}`" for name in query.parameters)
        lines += [f"Inside the braces of {names}, an IRI asks about one thing, `UNDEF` about all.", ""]
    return "\n".join([*lines, "```sparql", answer.text.rstrip("\n"), "```", ""])


def _table(table: Table) -> str:
    """Rows as a table of GitHub Flavored Markdown, section 4.10."""
    if not table.rows:
        return "Nothing.\n"
    lines = [f"| {' | '.join(map(plain, table.variables))} |", "|" + "---|" * len(table.variables)]
    lines += [f"| {' | '.join(map(_shown, row))} |" for row in table.rows]
    return "\n".join(lines) + "\n"


def _shown(term: Term | None) -> str:
    """A term to read: what is on the web linked, what this graph names by its short name."""
    if not isinstance(term, ox.NamedNode):
        return "" if term is None else plain(term.value)
    # What is ours is not linked before its addresses are registered: see docs/identifiers.md.
    return linked(shorten(term.value), None if term.value.startswith(BASE) else term.value)
