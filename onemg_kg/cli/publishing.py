"""The commands that publish: build, serve, push."""

import argparse
import os
import sys
import time

from onemg_kg.cli.terminal import paint, print_json, progress
from onemg_kg.errors import OnemgError, ProjectError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onemg_kg.project import Project


def build_(project: "Project", options: argparse.Namespace) -> int:
    """Make a build."""
    from dataclasses import asdict
    from pathlib import Path

    from onemg_kg import build, hosting, site

    if options.store:
        return _export(project, options)
    out = options.out or Path("build")
    if options.origin and not hosting.is_address(options.origin):
        raise OnemgError(f"{options.origin!r} is not the address of a site.", fix="Name one as https://example.org/framework.")
    missing = [str(folder) for folder in options.templates if not folder.is_dir()]
    if missing:
        raise ProjectError("is no folder with templates.", source=missing[0], fix="Name a folder with --templates.")
    if options.no_site and (options.origin or options.endpoint or options.templates):
        raise OnemgError("--no-site makes no site.", fix="Leave --origin, --endpoint and --templates out.")
    origin = options.origin.rstrip("/") + "/" if options.origin else site.Place.origin
    place = site.Place(origin, options.endpoint, tuple(options.templates))
    start = time.monotonic()
    try:
        built = build.make(project, place, progress, with_site=not options.no_site)
        progress("putting in place")
        written = build.write(built, out)
    finally:
        progress("")
    seconds = time.monotonic() - start
    if options.json:
        print_json(
            {
                "out": str(out),
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
            print(paint(build.describe(finding), "33"), file=sys.stderr)
    print(paint(f"Built {out}{os.sep} in {seconds:.1f} s:", "1"), f"{written.files:,} files, {written.size / 1e6:.1f} MB.")
    print(f"  {built.stated:,} statements, and {built.inferred:,} that follow from them by rules.")
    site_rows = ((f"site{os.sep}", "the same as a web site: a page and data for every IRI, explorer, questions"),)
    rows = (
        *(() if options.no_site else site_rows),
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
    if not options.no_site and not site.has_editor():
        print("  The query editor of the browser is left out: it was not bundled (make frontend, where Node is).")
    for name, what in rows:
        print(f"  {out}{os.sep}{name:<15} {what}")
    return 0


def _export(project: "Project", options: argparse.Namespace) -> int:
    """Make what queries give, from a store elsewhere."""
    from onemg_kg import build, client, remote

    if options.out is None:
        raise OnemgError("--store writes no whole build.", fix="Name a folder of its own with --out.")
    if options.origin or options.endpoint or options.templates:
        raise OnemgError("--store writes no site.", fix="Leave --origin, --endpoint and --templates out.")
    if (options.out / "site").exists():
        raise OnemgError("holds a whole build, which is not replaced.", source=str(options.out), fix="Name another with --out.")
    start = time.monotonic()
    try:
        progress("looking for the store")
        store = remote.find(options.store, client.credentials(os.environ, options.credentials))
        built = build.export(project, store, options.store, progress)
        written = build.write(built, options.out)
    finally:
        progress("")
    if options.json:
        print_json({"out": str(options.out), "files": written.files, "bytes": written.size})
        return 0
    size = f"{written.files:,} files, {written.size / 1e6:.1f} MB"
    print(paint(f"Built {options.out}{os.sep} in {time.monotonic() - start:.1f} s:", "1"), f"{size}, of what the store holds.")
    for name in ("views", "questions", "jekyll"):
        print(f"  {options.out}{os.sep}{name}{os.sep}")
    return 0


def serve_(project: "Project", options: argparse.Namespace) -> int:
    """Serve a build until told to stop."""
    from onemg_kg.server import Settings, default_processes, run

    processes = default_processes() if options.processes is None else options.processes
    if processes < 1:
        raise OnemgError(f"{processes} processes cannot serve.", fix="Say --processes 1, or more.")
    login = None
    if options.store:
        from onemg_kg import client

        login = client.credentials(os.environ, options.credentials)
    run(
        Settings(
            options.build / "site",
            host=options.host,
            port=options.port,
            timeout=options.timeout,
            memory=options.memory * 1024 * 1024,
            cache=options.cache * 1024 * 1024,
            processes=processes,
            log=not options.no_log,
            project=project,
            store=options.store or "",
            login=login,
        )
    )
    return 0


_SHOWN = 20


def push_(project: "Project", options: argparse.Namespace) -> int:
    """Make a store hold a build."""
    from onemg_kg import push

    login = push.credentials(os.environ, options.credentials)
    retries = push.Retries(number=options.retries)
    try:
        progress("looking for the store")
        endpoint = push.find(options.store, options.update, options.graph_store, login, retries)
        client = push.Client(endpoint, login, options.timeout, retries)
        wanted = push.Options(full=options.full, verify=options.verify, force=options.force, dry_run=options.dry_run)
        if options.rollback:
            stale = push.rollback(project, client, wanted)
            progress("")
            if options.json:
                print_json({"removed": stale})
            else:
                print(f"Removed {len(stale):,} staging graph{'s' * (len(stale) != 1)}; what readers see is as it was.")
            return 0
        progress("reading the build")
        report = push.push(project, client, push.read(options.build / "framework.nq"), wanted, progress)
    finally:
        progress("")
    statements = sum(len(difference.missing) for difference in report.differences)
    if options.json:
        print_json(
            {
                "store": endpoint.query,
                "outcome": report.outcome,
                "sent": report.sent,
                "removed": report.removed,
                "unchanged": report.unchanged,
                "statements": report.statements,
                "rewritten": {
                    "graphs": report.rewritten,
                    "statements": statements,
                    "first": [
                        {"graph": difference.graph, "sent": difference.missing[:_SHOWN], "held": difference.added[:_SHOWN]}
                        for difference in report.differences[:_SHOWN]
                    ],
                },
                "requests": report.requests,
            }
        )
    else:
        told = "Would send" if report.dry_run else "Sent"
        print(
            f"{told} {report.statements:,} statements of {len(report.sent):,} graphs; removed {len(report.removed):,}; "
            f"{report.unchanged:,} unchanged; {report.requests:,} requests."
        )
        if report.outcome == "rewritten":
            print(paint(f"The store writes literals of {report.rewritten:,} graphs in another way.", "33"))
            lost = [line for difference in report.differences for line in difference.missing]
            found = {line.rpartition(" .")[0] for difference in report.differences for line in difference.added}
            for line in lost[:_SHOWN]:
                subject_predicate = " ".join(line.split(" ")[:2]) + " "
                held = next((other for other in found if other.startswith(subject_predicate)), "")
                print(f"  sent {line.strip().removesuffix(' .')}\n  held {held}")
            if statements > _SHOWN:
                print(f"  and {statements - _SHOWN:,} more statements (--json, --verify)")
        elif report.outcome == "equal":
            print("The store holds what was pushed.")
    return 1 if report.outcome == "rewritten" else 0
