"""What can be typed: commands, options, help."""

import argparse

from onemg_kg.cli.terminal import columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any


EPILOG = """\
examples:
  onemg-kg build                                   make everything that is published, in build/
  onemg-kg check                                   what is wrong in the graph, where, and how to mend it
  onemg-kg audit ../oneplusmg-framework            what is wrong on the Framework's site, by page and line
  onemg-kg list                                    what there is to ask
  onemg-kg query required-of-every-node            run a named question
  onemg-kg query by-role --param role=researcher   one group of a view
  onemg-kg explain phenopackets                    what is known of a resource, and from where
  onemg-kg sync ../oneplusmg-framework             what the site says that the graph does not
  onemg-kg serve                                   the site and a SPARQL endpoint, at http://127.0.0.1:8000/
  onemg-kg push https://store.example.org          make a SPARQL store hold the build

exit codes: 0 done; 1 findings (check, audit), the site differs (sync), the graph is invalid (build), or a store
rewrote what it was sent (push); 2 it could not be done.
"""


EXAMPLES = {
    "build": """\
examples:
  onemg-kg build
  onemg-kg build --out public --json
  onemg-kg build --origin https://example.org/framework --endpoint /sparql
  onemg-kg build --store http://127.0.0.1:7878 --out views     views and questions, from a store to which a build was pushed
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
  onemg-kg query by-level --store http://127.0.0.1:7878      ask a store to which a build was pushed
""",
    "explain": """\
examples:
  onemg-kg explain beacon
  onemg-kg explain "Data Use Ontology" --json
  onemg-kg explain voc/section/data-discovery
""",
    "serve": """\
examples:
  onemg-kg serve                                   build/ at http://127.0.0.1:8000/
  onemg-kg serve --host 0.0.0.0 --port 80 --timeout 5
  onemg-kg serve --store http://127.0.0.1:7878     the pages of build/; queries go to a store to which it was pushed
  kill -HUP PID                                    serve a new build, without a request dropped
""",
    "push": """\
examples:
  onemg-kg push http://127.0.0.1:7878                Oxigraph or Virtuoso: the usual URLs below it
  onemg-kg push https://store.example/sparql --update https://store.example/update
  onemg-kg push https://store.example --dry-run      what would travel
  onemg-kg push https://store.example --rollback     tidy up after a push that was cut off

credentials: ONEMG_STORE_USER and ONEMG_STORE_PASSWORD, or ONEMG_STORE_TOKEN, in the environment or in a file (--credentials).
exit codes: 0 the store holds what was pushed; 1 it does, but writes some literals in another way; 2 it could not be done.
""",
    "sync": """\
examples:
  onemg-kg sync ../oneplusmg-framework             report what differs; exit 1 if anything does
  onemg-kg sync ../oneplusmg-framework --json
  onemg-kg sync ../oneplusmg-framework --write     bring data/ up to the site
  onemg-kg sync site --commit 8a6f7d6 --write      a folder that is no git checkout
""",
}


REPORTS = ("text", "json", "sarif", "github", "markdown", "turtle")


SEVERITIES = ("violation", "warning", "info")


KINDS = ("terms", "shapes", "meaning", "logic")


def _count(given: str) -> int:
    """A number from 1 on."""
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and int(given)):
        raise argparse.ArgumentTypeError(f"{given!r} is no number from 1 on")
    return int(given)


def _kinds(given: str) -> tuple[str, ...]:
    """The kinds of checks in a list with commas."""
    kinds = tuple(given.split(","))
    if not set(kinds) <= set(KINDS):
        raise argparse.ArgumentTypeError(f"{given!r} names none of {', '.join(KINDS)}")
    return kinds


def _path(given: str) -> "Path":
    from pathlib import Path

    return Path(given)


def _shape(prog: str) -> argparse.HelpFormatter:
    """How help is printed: examples as they are. Every argument makes one of these when it is declared."""
    return argparse.RawDescriptionHelpFormatter(prog, width=columns(80) - 2)


def _reports(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=REPORTS, default="text", help="how to print (default: text)")
    least = "the least severity that fails (default: violation)"
    command.add_argument("--fail-on", choices=SEVERITIES, default="violation", help=least)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _store(command: argparse.ArgumentParser) -> None:
    command.add_argument("--store", metavar="URL", help="ask a SPARQL 1.1 store to which a build was pushed, not the files")
    command.add_argument("--credentials", type=_path, metavar="FILE", help="for the store: see `onemg-kg push --help`")


def _build(build: argparse.ArgumentParser) -> None:
    _json(build)
    build.add_argument("--out", type=_path, metavar="FOLDER", help="where to (default: build)")
    build.add_argument("--origin", default="", metavar="URL", help="the address at which the site will stand")
    build.add_argument("--endpoint", default="", metavar="URL", help="a SPARQL endpoint there, for the query editor")
    build.add_argument(
        "--templates", type=_path, action="append", default=[], metavar="FOLDER", help="templates that come before ours"
    )
    build.add_argument("--no-site", action="store_true", help="leave out the web site")
    _store(build)


def _check(check: argparse.ArgumentParser) -> None:
    _reports(check)
    check.add_argument("--only", type=_kinds, default=KINDS, metavar="KIND,...", help=f"check only some of {','.join(KINDS)}")
    _store(check)


def _audit(audit: argparse.ArgumentParser) -> None:
    _reports(audit)
    audit.add_argument("site", type=_path, metavar="SITE", help="the checkout: the folder with _config.yml")


def _list(listing: argparse.ArgumentParser) -> None:
    _json(listing)
    listing.add_argument("what", nargs="?", metavar="WHAT", help="questions, views, or a class, in words or as its name")


def _query(query: argparse.ArgumentParser) -> None:
    query.add_argument("query", metavar="QUESTION|FILE.rq", help="a name that `onemg-kg list` shows, or a file")
    query.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="bind a parameter")
    query.add_argument(
        "--format", choices=("table", "csv", "json", "ttl"), help="how to print (default: table; ttl for CONSTRUCT)"
    )
    query.add_argument("--page", type=_count, metavar="N", help="of a view for one value, only this page, counted from 1")
    query.add_argument("--size", type=_count, metavar="N", help="resources on a page (default: 50)")
    _store(query)


def _explain(explain: argparse.ArgumentParser) -> None:
    _json(explain)
    explain.add_argument("thing", metavar="THING", help="a title, a short name, or an IRI")


def _serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--build", type=_path, default="build", metavar="FOLDER", help="the build (default: build)")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8000, help="the port; 0 for one that is free (default: 8000)")
    serve.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="for one query (default: 10)")
    serve.add_argument("--memory", type=int, default=512, metavar="MIB", help="for one query (default: 512)")
    serve.add_argument(
        "--cache", type=int, default=64, metavar="MIB", help="of answers that are kept; 0 for none (default: 64)"
    )
    serve.add_argument(
        "--processes",
        type=int,
        metavar="N",
        help="that speak HTTP (default: one for each processor, at most 4; one with --store)",
    )
    serve.add_argument("--no-log", action="store_true", help="do not log requests")
    _store(serve)


def _push(push: argparse.ArgumentParser) -> None:
    _json(push)
    push.add_argument("store", metavar="STORE", help="base URL of Oxigraph or Virtuoso; with --update, the URL for queries")
    push.add_argument("--build", type=_path, default="build", metavar="FOLDER", help="the build (default: build)")
    push.add_argument("--update", metavar="URL", help="the URL for updates")
    push.add_argument("--graph-store", metavar="URL", help="the URL of the Graph Store Protocol, if the store has it")
    push.add_argument("--full", action="store_true", help="send every graph, whatever the store is said to hold")
    push.add_argument(
        "--verify", action="store_true", help="read every graph back; take over what the store's own loader put there"
    )
    push.add_argument("--dry-run", action="store_true", help="only tell what would be sent")
    push.add_argument("--rollback", action="store_true", help="only remove what a push that was cut off left behind")
    push.add_argument("--force", action="store_true", help="take over from a push that seems to be under way")
    push.add_argument(
        "--credentials", type=_path, metavar="FILE", help="a file of mode 600 with ONEMG_STORE_USER=name and the like"
    )
    push.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for one request (default: 300)")
    push.add_argument("--retries", type=int, default=5, metavar="N", help="of a request that may pass (default: 5)")


def _sync(sync: argparse.ArgumentParser) -> None:
    _json(sync)
    sync.add_argument("site", type=_path, metavar="SITE", help="the checkout: the folder with _config.yml")
    sync.add_argument("--write", action="store_true", help="write data/; without it nothing is written")
    sync.add_argument("--commit", metavar="HASH", help="the site's commit, where the folder is no git checkout")


_COMMANDS = {
    "build": (_build, "make everything that is published: dumps, views, web site, catalogue record, manifest"),
    "check": (_check, "check the graph: terms, shapes, meaning, logic; what is wrong, where, and how to mend it"),
    "audit": (_audit, "check a checkout of the Framework's site: what is wrong, on which page and line, and how to mend it"),
    "list": (_list, "show what there is: questions, views, classes, or the members of a class"),
    "query": (_query, "run a named question or view, or a SPARQL file of your own"),
    "explain": (_explain, "print everything known of a thing, each statement with where it comes from"),
    "serve": (_serve, "serve a build: its web site and a read-only SPARQL 1.1 endpoint over its graph"),
    "push": (_push, "make a SPARQL 1.1 store hold a build: only what changed, all at once, and read back"),
    "sync": (_sync, "compare the graph with a checkout of the Framework's site, or bring it up to date"),
}
"""What declares the arguments of each command, and what the command does."""


class _Command(argparse.ArgumentParser):
    """The parser of one command, made when its command is what was typed: to make all of them takes longer than the rest."""

    def __init__(self, declare: "Callable[[argparse.ArgumentParser], None]", **told: "Any") -> None:
        self._told = declare, told

    def parse_known_args(self, args: "Any" = None, namespace: "Any" = None) -> "Any":
        declare, told = self._told
        super().__init__(**told)
        declare(self)
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    asked = argparse.ArgumentParser(
        prog="onemg-kg",
        description="The 1+ Million Genomes (1+MG) Framework as linked data.",
        epilog=EPILOG,
        formatter_class=_shape,
    )
    asked.add_argument("--version", action="store_true", help="print the version and exit")
    asked.add_argument(
        "--project",
        type=_path,
        metavar="FOLDER",
        help="the folder with ontology/, data/, shapes/ and queries/ (default: here or above, else the installed graph)",
    )
    commands = asked.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Command)
    for name, (declare, what) in _COMMANDS.items():
        told = what[0].upper() + what[1:] + "."
        commands.add_parser(name, help=what, declare=declare, description=told, epilog=EXAMPLES[name], formatter_class=_shape)
    return asked
