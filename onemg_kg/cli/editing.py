"""The commands for editors: check, audit, sync."""

import argparse
import os
import sys
from collections.abc import Sequence

from onemg_kg.cli.arguments import KINDS
from onemg_kg.cli.terminal import paint, print_json, progress
from onemg_kg.errors import OnemgError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onemg_kg.findings import Finding
    from onemg_kg.project import Project


def _report(findings: "Sequence[Finding]", options: argparse.Namespace) -> int:
    """Print findings; the exit code says whether any is at or above the threshold."""
    from onemg_kg import reports
    from onemg_kg.findings import at_least

    told = reports.text(findings, paint) if options.format == "text" else reports.write(findings, options.format)
    sys.stdout.write(told)
    return 1 if at_least(findings, options.fail_on) else 0


def check_(project: "Project", options: argparse.Namespace) -> int:
    """Check the graph."""
    from onemg_kg import check

    if options.store:
        from onemg_kg import client, remote

        if options.only not in (KINDS, ("meaning",)):
            raise OnemgError("--store checks meaning alone.", fix="Leave --only out, or say --only meaning.")
        found = remote.find(options.store, client.credentials(os.environ, options.credentials))
        return _report(remote.check(project, found), options)
    try:
        findings = check.run(project, kinds=options.only, progress=progress)
    finally:
        progress("")
    return _report(findings, options)


def audit_(project: "Project", options: argparse.Namespace) -> int:
    """Check the Framework's site."""
    from onemg_kg import audit

    try:
        progress("reading the site")
        findings = audit.run(project, options.site)
    finally:
        progress("")
    return _report(findings, options)


def sync_(project: "Project", options: argparse.Namespace) -> int:
    """Compare with the site."""
    from dataclasses import asdict

    from onemg_kg import sync

    try:
        progress("reading the site")
        found = sync.compare(project, options.site, options.commit)
        if options.write and (found.differences or found.stubs):
            sync.write(project, found)
    finally:
        progress("")
    if options.json:
        print_json(
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
