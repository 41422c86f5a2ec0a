"""The commands that answer: list, query, explain."""

import argparse
import os
import sys
from collections.abc import Sequence

from onemg_kg.cli.terminal import paint, plain, print_json, print_table, records
from onemg_kg.errors import OnemgError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onemg_kg.explain import Statement
    from onemg_kg.project import Project
    from onemg_kg.queries import Query
    from onemg_kg.store import Queryable, Table


def list_(project: "Project", options: argparse.Namespace) -> int:
    """Show what there is."""
    from onemg_kg import cache, queries

    named = queries.named(project)
    kinds = list(dict.fromkeys(query.kind for query in named))
    wanted = (options.what or "").casefold()
    if wanted in kinds:
        return _list_queries([query for query in named if query.kind == wanted], options)
    lists = {query.name: query for query in queries.folder(project, "lists")}
    store = cache.load(project, cache.place(os.environ))
    classes = store.select(lists["classes"].text)
    if not wanted:
        if options.json:
            print_json({"queries": [_query_record(query) for query in named], "classes": records(classes)})
            return 0
        _list_queries(named, options)
        print(paint("Classes", "1") + " (onemg-kg list CLASS)")
        for name, _, count in classes.rows:
            print(f"  {plain(name):<42} {plain(count):>6}")
        return 0
    members = lists["members"]
    table = store.select(members.bind({"class": members.term("class", _class(classes, wanted))}))
    if options.json:
        print_json(records(table))
    else:
        print_table(table)
    return 0


def _query_record(query: "Query") -> dict[str, object]:
    return {"kind": query.kind, "name": query.name, "title": query.title, "parameters": query.parameters}


def _list_queries(named: "Sequence[Query]", options: argparse.Namespace) -> int:
    """Queries by kind, each with its title and, in brackets, its parameters."""
    if options.json:
        print_json([_query_record(query) for query in named])
        return 0
    for kind in dict.fromkeys(query.kind for query in named):
        print(paint(kind.capitalize(), "1") + " (onemg-kg query NAME [--param NAME=VALUE])")
        for query in (query for query in named if query.kind == kind):
            print(f"  {query.name:<42} {query.title}" + "".join(f" [{name}]" for name in query.parameters))
        print()
    return 0


def _class(classes: "Table", wanted: str) -> str:
    """The IRI of a class that a user names by its label, by the last word of it, or by its local name.

    Raises:
        OnemgError: no class is called so.
    """
    from onemg_kg.terms import shorten

    for record in classes.records():
        name, iri = plain(record["name"]).casefold(), plain(record["class"])
        if wanted in {name, shorten(iri).partition(":")[2].casefold()} or name.endswith(" " + wanted):
            return iri
    known = ", ".join(plain(row[0]) for row in classes.rows)
    raise OnemgError(f"no class is called {wanted!r}; there are {known}.", fix="Or list questions or views.")


def _store(options: argparse.Namespace) -> "Queryable":
    """The store elsewhere that the user named."""
    from onemg_kg import client, remote

    return remote.find(options.store, client.credentials(os.environ, options.credentials))


_SIZE = 50
"""Resources on a page: what a person reads at once."""


def query_(project: "Project", options: argparse.Namespace) -> int:
    """Run a query."""
    from onemg_kg import cache, queries

    query = queries.find(project, options.query)
    values = {}
    for given in options.param:
        name, equals, value = given.partition("=")
        if not equals:
            raise OnemgError(f"--param {given!r} has no value.", fix="Write --param NAME=VALUE.")
        values[name] = query.term(name, value)
    page = queries.Page(options.page or 1, options.size or _SIZE) if options.page or options.size else None
    text = query.bind(values, page)
    kept = cache.place(os.environ)
    store: Queryable = _store(options) if options.store else cache.load(project, kept, options.opening)
    source = str(query.path)
    if store.is_construct(text, source):
        from onemg_kg.formats import FORMATS
        from onemg_kg.store import in_default_graph
        from onemg_kg.terms import PREFIXES

        form = {None: "turtle", "ttl": "turtle", "json": "jsonld"}.get(options.format)
        if form is None:
            raise OnemgError(f"{query.name} gives a graph, not rows.", fix="Use --format ttl or json.")
        quads = in_default_graph(store.construct(text, source))
        sys.stdout.write(FORMATS[form].write(quads, PREFIXES).decode())
        return 0
    if options.format in {"csv", "json"}:
        sys.stdout.write(store.results(text, options.format, source))
    elif options.format == "ttl":
        raise OnemgError(f"{query.name} gives rows, not a graph.", fix="Use --format table, csv or json.")
    else:
        print_table(store.select(text, source))
    return 0


def explain_(project: "Project", options: argparse.Namespace) -> int:
    """Print what is known of a thing."""
    from dataclasses import asdict

    from onemg_kg import explain, graph
    from onemg_kg.terms import shorten

    found = explain.explain(project, graph.load(project), options.thing)
    if options.json:
        print_json(asdict(found))
        return 0

    def show(term: str) -> str:
        return shorten(term[1:-1]) if term.startswith("<") else term

    def where(told: "Statement") -> str:
        if told.rule:
            return f"follows: {told.rule} ({told.source})"
        page = f", site {told.page}{f':{told.page_line}' if told.page_line else ''}" if told.page else ""
        return f"{told.source}:{told.line}{page}"

    def block(title: str, statements: Sequence["Statement"], *, inverse: bool = False) -> None:
        if statements:
            print("\n" + paint(title, "1"))
        for told in statements:
            other = shorten(told.subject) if inverse else show(told.object)
            name = f" ({told.label})" if told.label else ""
            says = f"{other}{name} {shorten(told.predicate)}" if inverse else f"{shorten(told.predicate)} {other}{name}"
            print(f"  {says}\n      {paint(where(told), '2')}")

    print(paint(found.label or shorten(found.thing), "1"), found.thing)
    block("Stated", found.stated)
    block("Follows by rules", found.follows)
    block("Stated of it by others", found.inverse, inverse=True)
    return 0
