"""The command line: the only module that prints, exits and reads the environment."""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from onemg_kg import __version__
from onemg_kg.errors import InvalidGraph, OnemgError

# Whatever is not needed to print the help is imported where it is used: `dataclasses` alone takes as long as Python to start,
# `typing` and `pathlib` each half of that.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn

    from onemg_kg.explain import Statement
    from onemg_kg.findings import Finding
    from onemg_kg.project import Project
    from onemg_kg.queries import Query
    from onemg_kg.store import Table

_EPILOG = """\
examples:
  onemg-kg build                                   make everything that is published, in build/
  onemg-kg check                                   what is wrong in the graph, where, and how to mend it
  onemg-kg audit ../oneplusmg-framework            what is wrong on the Framework's site, by page and line
  onemg-kg list                                    what there is to ask
  onemg-kg query required-of-every-node            run a named question
  onemg-kg query by-role --param role=researcher   one group of a view
  onemg-kg explain phenopackets                    what is known of a resource, and from where
  onemg-kg sync ../oneplusmg-framework             what the site says that the graph does not

exit codes: 0 done; 1 findings (check, audit), the site differs (sync), or the graph is invalid (build); 2 it could not be done.
"""
_EXAMPLES = {
    "build": """\
examples:
  onemg-kg build
  onemg-kg build --out public --json
  onemg-kg build --origin https://example.org/framework --endpoint /sparql
""",
    "check": """\
examples:
  onemg-kg check                                   everything; exit 1 if anything violates a rule
  onemg-kg check --fail-on warning --only shapes,meaning
  onemg-kg check --format sarif

exit codes: 0 nothing at or above the threshold; 1 something; 2 it could not be checked.
""",
    "audit": """\
examples:
  onemg-kg audit ../oneplusmg-framework            what is wrong on the site, by page and line
  onemg-kg audit ../oneplusmg-framework --format markdown > issue.md
  onemg-kg audit . --format github --fail-on warning

exit codes: 0 nothing at or above the threshold; 1 something; 2 it could not be checked.
""",
    "list": """\
examples:
  onemg-kg list                    questions, views and classes
  onemg-kg list questions
  onemg-kg list resource           every resource (a class of the ontology, in words or as its name)
  onemg-kg list "use case" --json
""",
    "query": """\
examples:
  onemg-kg query required-of-every-node
  onemg-kg query by-lifecycle-stage --param stage=discovery --format csv
  onemg-kg query my-question.rq --format json
""",
    "explain": """\
examples:
  onemg-kg explain beacon
  onemg-kg explain "Data Use Ontology" --json
  onemg-kg explain voc/section/data-discovery
""",
    "sync": """\
examples:
  onemg-kg sync ../oneplusmg-framework             report what differs; exit 1 if anything does
  onemg-kg sync ../oneplusmg-framework --json
  onemg-kg sync ../oneplusmg-framework --write     bring data/ up to the site
  onemg-kg sync site --commit 8a6f7d6 --write      a folder that is no git checkout
""",
}


# Also in the modules of these names, which are imported only when they are used: a start must take no time.
_REPORTS = ("text", "json", "sarif", "github", "markdown", "turtle")
_SEVERITIES = ("violation", "warning", "info")
_KINDS = ("terms", "shapes", "meaning", "logic")


def _kinds(given: str) -> tuple[str, ...]:
    """The kinds of checks in a list with commas."""
    kinds = tuple(given.split(","))
    if not set(kinds) <= set(_KINDS):
        raise argparse.ArgumentTypeError(f"{given!r} names none of {', '.join(_KINDS)}")
    return kinds


def _path(given: str) -> "Path":
    from pathlib import Path

    return Path(given)


def _columns(otherwise: int) -> int:
    """How wide the terminal is: `shutil` finds the same, and its import takes a quarter of the time of Python's start."""
    named = os.environ.get("COLUMNS", "")
    with suppress(OSError):
        return (int(named) if named.isdecimal() else 0) or os.get_terminal_size().columns or otherwise
    return otherwise


def _shape(prog: str) -> argparse.HelpFormatter:
    """How help is printed: examples as they are. Every argument makes one of these when it is declared."""
    return argparse.RawDescriptionHelpFormatter(prog, width=_columns(80) - 2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="onemg-kg",
        description="The 1+ Million Genomes (1+MG) Framework as linked data.",
        epilog=_EPILOG,
        formatter_class=_shape,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument(
        "--project",
        type=_path,
        metavar="FOLDER",
        help="the folder with ontology/, data/, shapes/ and queries/ (default: here or above, else the installed graph)",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def add(name: str, what: str) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=what, description=what[0].upper() + what[1:] + ".", epilog=_EXAMPLES[name], formatter_class=_shape
        )
        if name in {"check", "audit"}:
            command.add_argument("--format", choices=_REPORTS, default="text", help="how to print (default: text)")
            least = "the least severity that fails (default: violation)"
            command.add_argument("--fail-on", choices=_SEVERITIES, default="violation", help=least)
        elif name != "query":
            command.add_argument("--json", action="store_true", help="print JSON")
        return command

    build = add("build", "make everything that is published: dumps, views, web site, catalogue record, manifest")
    build.add_argument("--out", type=_path, default="build", metavar="FOLDER", help="where to (default: build)")
    build.add_argument("--origin", default="", metavar="URL", help="the address at which the site will stand")
    build.add_argument("--endpoint", default="", metavar="URL", help="a SPARQL endpoint there, for the query editor")
    build.add_argument(
        "--templates", type=_path, action="append", default=[], metavar="FOLDER", help="templates that come before ours"
    )
    check = add("check", "check the graph: terms, shapes, meaning, logic; what is wrong, where, and how to mend it")
    check.add_argument("--only", type=_kinds, default=_KINDS, metavar="KIND,...", help=f"check only some of {','.join(_KINDS)}")
    audit = add("audit", "check a checkout of the Framework's site: what is wrong, on which page and line, and how to mend it")
    audit.add_argument("site", type=_path, metavar="SITE", help="the checkout: the folder with _config.yml")
    listing = add("list", "show what there is: questions, views, classes, or the members of a class")
    listing.add_argument("what", nargs="?", metavar="WHAT", help="questions, views, or a class, in words or as its name")
    query = add("query", "run a named question or view, or a SPARQL file of your own")
    query.add_argument("query", metavar="QUESTION|FILE.rq", help="a name that `onemg-kg list` shows, or a file")
    query.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="bind a parameter")
    query.add_argument(
        "--format", choices=("table", "csv", "json", "ttl"), help="how to print (default: table; ttl for CONSTRUCT)"
    )
    explain = add("explain", "print everything known of a thing, each statement with where it comes from")
    explain.add_argument("thing", metavar="THING", help="a title, a short name, or an IRI")
    sync = add("sync", "compare the graph with a checkout of the Framework's site, or bring it up to date")
    sync.add_argument("site", type=_path, metavar="SITE", help="the checkout: the folder with _config.yml")
    sync.add_argument("--write", action="store_true", help="write data/; without it nothing is written")
    sync.add_argument("--commit", metavar="HASH", help="the site's commit, where the folder is no git checkout")
    return parser


def _paint(text: str, code: str) -> str:
    """Colour on a terminal that wants it (https://no-color.org)."""
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[{code}m{text}\033[0m" if wanted else text


def _progress(text: str) -> None:
    """Say what is being done, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + (f"{text} ..." if text else ""))
        sys.stderr.flush()


def _print_json(value: object) -> None:
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False))


def _build(project: "Project", options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from onemg_kg import build, hosting, site
    from onemg_kg.errors import ProjectError

    if options.origin and not hosting.is_address(options.origin):
        raise OnemgError(f"{options.origin!r} is not the address of a site.", fix="Name one as https://example.org/framework.")
    missing = [str(folder) for folder in options.templates if not folder.is_dir()]
    if missing:
        raise ProjectError("is no folder with templates.", source=missing[0], fix="Name a folder with --templates.")
    origin = options.origin.rstrip("/") + "/" if options.origin else site.Place.origin
    place = site.Place(origin, options.endpoint, tuple(options.templates))
    start = time.monotonic()
    try:
        built = build.make(project, place, _progress)
        _progress("putting in place")
        written = build.write(built, options.out)
    finally:
        _progress("")
    seconds = time.monotonic() - start
    if options.json:
        _print_json(
            {
                "out": str(options.out),
                "files": written.files,
                "bytes": written.size,
                "statements": built.stated,
                "inferred": built.inferred,
                "findings": [asdict(finding) for finding in built.findings],
            }
        )
        return 0
    for finding in built.findings:
        if finding.severity == "warning":
            print(_paint(build.describe(finding), "33"), file=sys.stderr)
    out = options.out
    print(_paint(f"Built {out}{os.sep} in {seconds:.1f} s:", "1"), f"{written.files:,} files, {written.size / 1e6:.1f} MB.")
    print(f"  {built.stated:,} statements, and {built.inferred:,} that follow from them by rules.")
    rows = (
        (f"site{os.sep}", "the same as a web site: a page and data for every IRI, explorer, questions"),
        ("framework.ttl", "the graph (also .jsonld, .nt, .rdf; .nq and .trig with what follows, by source)"),
        ("inferred.ttl", "what follows from it"),
        ("ontology.ttl", "the ontology; schemes.ttl and shapes.ttl beside it"),
        ("catalogue.ttl", "the record of the graph: DCAT, VoID, PROV"),
        (f"views{os.sep}", "navigation views as JSON and Markdown"),
        (f"jekyll{os.sep}", "the same for the Framework's Jekyll site"),
        (f"questions{os.sep}", "questions with their answers as CSV and Markdown"),
        (f"rules{os.sep}", "a page for each rule of onemg-kg check and audit"),
        ("manifest.json", "size and SHA-256 of every file"),
    )
    for name, what in rows:
        print(f"  {out}{os.sep}{name:<15} {what}")
    return 0


def _report(findings: "Sequence[Finding]", options: argparse.Namespace) -> int:
    """Print findings; the exit code says whether any is at or above the threshold."""
    from onemg_kg import reports
    from onemg_kg.findings import at_least

    told = reports.text(findings, _paint) if options.format == "text" else reports.write(findings, options.format)
    sys.stdout.write(told)
    return 1 if at_least(findings, options.fail_on) else 0


def _check(project: "Project", options: argparse.Namespace) -> int:
    from onemg_kg import check

    try:
        findings = check.run(project, kinds=options.only, progress=_progress)
    finally:
        _progress("")
    return _report(findings, options)


def _audit(project: "Project", options: argparse.Namespace) -> int:
    from onemg_kg import audit

    try:
        _progress("reading the site")
        findings = audit.run(project, options.site)
    finally:
        _progress("")
    return _report(findings, options)


def _list(project: "Project", options: argparse.Namespace) -> int:
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
            _print_json({"queries": [_query_record(query) for query in named], "classes": _records(classes)})
            return 0
        _list_queries(named, options)
        print(_paint("Classes", "1") + " (onemg-kg list CLASS)")
        for name, _, count in classes.rows:
            print(f"  {_plain(name):<42} {_plain(count):>6}")
        return 0
    members = lists["members"]
    table = store.select(members.bind({"class": members.term("class", _class(classes, wanted))}))
    if options.json:
        _print_json(_records(table))
    else:
        _print_table(table)
    return 0


def _query_record(query: "Query") -> dict[str, object]:
    return {"kind": query.kind, "name": query.name, "title": query.title, "parameters": query.parameters}


def _list_queries(named: "Sequence[Query]", options: argparse.Namespace) -> int:
    """Queries by kind, each with its title and, in brackets, its parameters."""
    if options.json:
        _print_json([_query_record(query) for query in named])
        return 0
    for kind in dict.fromkeys(query.kind for query in named):
        print(_paint(kind.capitalize(), "1") + " (onemg-kg query NAME [--param NAME=VALUE])")
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
        name, iri = _plain(record["name"]).casefold(), _plain(record["class"])
        if wanted in {name, shorten(iri).partition(":")[2].casefold()} or name.endswith(" " + wanted):
            return iri
    known = ", ".join(_plain(row[0]) for row in classes.rows)
    raise OnemgError(f"no class is called {wanted!r}; there are {known}.", fix="Or list questions or views.")


def _plain(value: object) -> str:
    """A term as a person reads it: an IRI or a literal's text; nothing for what is unbound."""
    return "" if value is None else str(getattr(value, "value", value))


def _records(table: "Table") -> list[dict[str, str]]:
    return [{name: _plain(value) for name, value in record.items() if value is not None} for record in table.records()]


def _print_table(table: "Table") -> None:
    """Columns as wide as they must be, cut to the terminal where there is one."""
    from onemg_kg.terms import shorten

    rows = [[" ".join(shorten(_plain(value)).split()) for value in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.variables, *rows, strict=True)]
    room = _columns(0) if sys.stdout.isatty() else 0
    if room:
        while sum(widths) + 2 * len(widths) > room and max(widths) > 12:
            widths[widths.index(max(widths))] -= 1

    def line(cells: Iterable[str]) -> str:
        cut = (cell if len(cell) <= width else cell[: width - 1] + "…" for cell, width in zip(cells, widths, strict=True))
        return "  ".join(f"{cell:<{width}}" for cell, width in zip(cut, widths, strict=True)).rstrip()

    print(_paint(line(table.variables), "1"))
    for row in rows:
        print(line(row))
    print(_paint(f"({len(rows)} row{'s' * (len(rows) != 1)})", "2"))


def _query(project: "Project", options: argparse.Namespace) -> int:
    from onemg_kg import cache, queries

    query = queries.find(project, options.query)
    values = {}
    for given in options.param:
        name, equals, value = given.partition("=")
        if not equals:
            raise OnemgError(f"--param {given!r} has no value.", fix="Write --param NAME=VALUE.")
        values[name] = query.term(name, value)
    text = query.bind(values)
    store = cache.load(project, cache.place(os.environ))
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
        _print_table(store.select(text, source))
    return 0


def _explain(project: "Project", options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from onemg_kg import explain, graph
    from onemg_kg.terms import shorten

    found = explain.explain(project, graph.load(project), options.thing)
    if options.json:
        _print_json(asdict(found))
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
            print("\n" + _paint(title, "1"))
        for told in statements:
            other = shorten(told.subject) if inverse else show(told.object)
            name = f" ({told.label})" if told.label else ""
            says = f"{other}{name} {shorten(told.predicate)}" if inverse else f"{shorten(told.predicate)} {other}{name}"
            print(f"  {says}\n      {_paint(where(told), '2')}")

    print(_paint(found.label or shorten(found.thing), "1"), found.thing)
    block("Stated", found.stated)
    block("Follows by rules", found.follows)
    block("Stated of it by others", found.inverse, inverse=True)
    return 0


def _sync(project: "Project", options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from onemg_kg import sync

    try:
        _progress("reading the site")
        found = sync.compare(project, options.site, options.commit)
        if options.write and (found.differences or found.stubs):
            sync.write(project, found)
    finally:
        _progress("")
    if options.json:
        _print_json(
            {
                "differences": [asdict(difference) for difference in found.differences],
                "notices": [asdict(notice) for notice in found.notices],
                "written": options.write,
            }
        )
    else:
        for notice in found.notices:
            print(f"{notice.source}:{notice.line}: {notice.message}", file=sys.stderr)
        for difference in found.differences:
            place = f"{difference.source}:{difference.line}: " if difference.line else f"{difference.source}: "
            change = f" (was {difference.before!r}, is {difference.after!r})" if difference.before or difference.after else ""
            told = f"{difference.kind} {difference.what}: {difference.title}{change}"
            print((place if difference.source else "") + told)
        number = len(found.differences)
        state = "written to data/" if options.write else "not written: use --write"
        print(f"{number} difference{'s' * (number != 1)}" + (f", {state}" if number else "") + ".")
    return 1 if found.differences and not options.write else 0


_COMMANDS = {
    "build": _build,
    "check": _check,
    "audit": _audit,
    "list": _list,
    "query": _query,
    "explain": _explain,
    "sync": _sync,
}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after the program's name; those of the process if ``None``.

    Returns:
        The exit code: 0 done; 1 the site differs, or the graph is invalid; 2 it could not be done.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.version:
            print(f"onemg-kg {__version__}")
            return 0
        if options.command is None:
            parser.print_help()
            return 2
        from onemg_kg.project import find

        return _COMMANDS[options.command](find(options.project), options)
    except OnemgError as error:
        print(_paint("onemg-kg:", "31"), error, file=sys.stderr)
        return 1 if isinstance(error, InvalidGraph) else 2


def main() -> "NoReturn":
    """The program: run the command of the process and exit with its code."""
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`onemg-kg list | head`): nothing is wrong, and nothing more is to be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
