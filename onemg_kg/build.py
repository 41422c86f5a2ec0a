"""The whole build: read, infer, validate, and write everything that is published, all or nothing."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from onemg_kg import catalogue, check, graph, questions, ruledocs, views
from onemg_kg.errors import InvalidGraph, OnemgError, ProjectError
from onemg_kg.findings import Finding, at_least, short
from onemg_kg.formats import FORMATS, Context, Format, Statement, Tokens, derive, tokens
from onemg_kg.project import Project
from onemg_kg.terms import PREFIXES, shorten, text

MANIFEST = "manifest.json"
_TRIPLES = ("turtle", "jsonld", "ntriples", "rdfxml")
_QUADS = ("nquads", "trig")


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes:
        files: every file, by its path below the output folder.
        stated: how many triples the published graph states.
        inferred: how many follow.
        findings: what validation found that is no violation.
    """

    files: dict[str, bytes]
    stated: int
    inferred: int
    findings: list[Finding]


def _dumps(
    name: str, statements: Iterable[Statement], formats: Iterable[str], published: Context
) -> dict[str, tuple[Format, bytes]]:
    return _written(name, tokens(statements), formats, published)


def _written(name: str, held: list[Tokens], formats: Iterable[str], published: Context) -> dict[str, tuple[Format, bytes]]:
    forms = [FORMATS[form] for form in formats]
    return {name + form.suffix: (form, form.write_tokens(held, PREFIXES, published)) for form in forms}


def _triples(quads: Iterable[ox.Quad]) -> list[ox.Triple]:
    return [quad.triple for quad in quads]


def _part(quads: Iterable[ox.Quad], *folders: str) -> list[ox.Quad]:
    """The quads whose graph is a file below one of some folders."""
    prefixes = tuple(graph.GRAPHS + folder for folder in folders)
    return [quad for quad in quads if text(quad.graph_name).startswith(prefixes)]


def make(project: Project, progress: Callable[[str], None] = lambda _: None) -> Built:
    """Make every file of a build, in memory.

    Args:
        project: the graph's source.
        progress: told what is being done.

    Raises:
        InvalidGraph: the graph violates a shape.
        OnemgError: a file cannot be read.
    """
    progress("reading")
    loaded = graph.load(project)
    progress("validating")
    findings = check.run(project, loaded, ("shapes",))  # the rest is for who edits: `onemg-kg check`
    violations = at_least(findings, "violation")
    if violations:
        raise InvalidGraph(
            f"the graph has {len(violations)} violation{'s' * (len(violations) > 1)} of its shapes:\n"
            + "\n".join(describe(finding) for finding in violations)
        )
    progress("writing views")
    files = views.render(views.collect(project, loaded.store), project.version) | ruledocs.render(project)
    progress("answering questions")
    files.update(questions.render(questions.answers(project, loaded.store)))
    progress("writing dumps")
    everything = tokens([*loaded.stated, *loaded.inferred])
    published = derive(PREFIXES, everything)
    framework = _part(loaded.stated, "ontology/schemes/", "data/")
    dumps = {
        **_dumps("framework", _triples(framework), _TRIPLES, published),
        **_written("framework", everything, _QUADS, published),
        **_dumps("inferred", _triples(loaded.inferred), _TRIPLES, published),
    }
    others = {
        **_dumps("ontology", _triples(_part(loaded.stated, "ontology/onemg")), _TRIPLES, published),
        **_dumps("schemes", _triples(_part(loaded.stated, "ontology/schemes/")), _TRIPLES, published),
        **_dumps("shapes", _triples(loaded.shapes), _TRIPLES, published),
        **_dumps("catalogue", catalogue.describe(framework, loaded.inferred, dumps, project.version), _TRIPLES, published),
    }
    files.update({name: content for name, (_, content) in (dumps | others).items()})
    files["context.jsonld"] = (json.dumps({"@context": published.definitions()}, indent=2) + "\n").encode()
    listing = {
        "name": "onemg-kg",
        "version": project.version,
        "files": {
            name: {"bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()} for name in sorted(files)
        },
    }
    files[MANIFEST] = (json.dumps(listing, indent=2) + "\n").encode()
    stated = len(set(_triples(framework)))
    return Built(files, stated, len(set(_triples(loaded.inferred))), findings)


def describe(finding: Finding) -> str:
    """A finding in one paragraph: where, what, and how to mend it."""
    focus = shorten(finding.focus_node)
    place = finding.source + (f":{finding.line}" if finding.line else "") if finding.source else focus
    page = f" ({finding.page}{f':{finding.page_line}' if finding.page_line else ''} on the site)" if finding.page else ""
    told = f" {short(finding.path)}" if finding.path else ""
    value = f" = {short(finding.value)}" if finding.value else ""
    text = f"{place}{page}: {finding.severity}: {focus}{told}{value}: {finding.message}"
    return text + (f" {finding.fix}" if finding.fix else "")


def write(built: Built, out: Path) -> None:
    """Put a build in place: written beside first, then swapped, so that the last good build is there until the new one is.

    Args:
        built: the build.
        out: the folder; it may not exist yet, or must hold an earlier build.

    Raises:
        ProjectError: the folder holds something else than a build, or is a file.
        OnemgError: the disk refuses.
    """
    fix = "Name another folder with --out."
    if out.exists() and not out.is_dir():
        raise ProjectError("is no folder, so it is not replaced.", source=str(out), fix=fix)
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise ProjectError("holds files but no build, so it is not replaced.", source=str(out), fix=fix)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise OnemgError(f"cannot be written: {error.strerror}.", source=str(out)) from None
    try:
        new, old = beside / "new", beside / "old"
        for name, content in built.files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if out.exists():
            out.rename(old)
        new.rename(out)
    except OSError as error:
        if not out.exists() and (beside / "old").exists():
            (beside / "old").rename(out)
        raise OnemgError(f"cannot be written: {error.strerror}.", source=str(out)) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
