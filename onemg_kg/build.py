"""The whole build: read, infer, validate, and write everything that is published, all or nothing."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import pyoxigraph as ox

from onemg_kg import __version__, catalogue, check, graph, questions, ruledocs, site, views
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
        files: every file but those of the site, by its path below the output folder.
        pages: gives the files of the site by their path there, each made as it is asked for, so that a large site is never
            held at once.
        stated: how many triples the published graph states.
        inferred: how many follow.
        findings: what validation found that is no violation.
    """

    files: dict[str, bytes]
    pages: Callable[[], Iterator[tuple[str, bytes]]]
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
    """Make a build.

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
    found = views.collect(project, loaded.store)
    files = views.render(found, project.version) | ruledocs.render(project)
    progress("answering questions")
    answers = questions.answers(project, loaded.store)
    files.update(questions.render(answers))
    progress("writing dumps")
    everything = tokens([*loaded.stated, *loaded.inferred])
    published = derive(PREFIXES, everything)
    framework = _part(loaded.stated, "ontology/schemes/", "data/")
    dumps = {
        **_dumps("framework", _triples(framework), _TRIPLES, published),
        **_written("framework", everything, _QUADS, published),
        **_dumps("inferred", _triples(loaded.inferred), _TRIPLES, published),
    }
    record = catalogue.describe(framework, loaded.inferred, dumps, project.version)
    others = {
        **_dumps("ontology", _triples(_part(loaded.stated, "ontology/onemg")), _TRIPLES, published),
        **_dumps("schemes", _triples(_part(loaded.stated, "ontology/schemes/")), _TRIPLES, published),
        **_dumps("shapes", _triples(loaded.shapes), _TRIPLES, published),
        **_dumps("catalogue", record, _TRIPLES, published),
    }
    files.update({name: content for name, (_, content) in (dumps | others).items()})
    files["context.jsonld"] = (json.dumps({"@context": published.definitions()}, indent=2) + "\n").encode()
    content = site.Content(
        project,
        [*loaded.stated, *loaded.shapes, *loaded.inferred, *catalogue.computed(record, loaded.stated)],
        loaded.store,
        found,
        answers,
        published,
        _placed(files),
    )
    stated = len(set(_triples(framework)))
    return Built(files, partial(site.render, content), stated, len(set(_triples(loaded.inferred))), findings)


def _placed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a build that are part of the site, by their place there."""
    places: dict[str, bytes] = {}
    for name, content in files.items():
        stem, _, suffix = name.partition(".")
        if stem == "ontology":
            places[f"ns.{suffix}"] = content
        elif stem in {"framework", "inferred", "schemes", "catalogue"}:
            places[f"data/{name}"] = content
        elif stem in {"shapes", "context"} or stem.startswith("views/"):
            places[name] = content
    return places


def describe(finding: Finding) -> str:
    """A finding in one paragraph: where, what, and how to mend it."""
    focus = shorten(finding.focus_node)
    place = finding.source + (f":{finding.line}" if finding.line else "") if finding.source else focus
    page = f" ({finding.page}{f':{finding.page_line}' if finding.page_line else ''} on the site)" if finding.page else ""
    told = f" {short(finding.path)}" if finding.path else ""
    value = f" = {short(finding.value)}" if finding.value else ""
    text = f"{place}{page}: {finding.severity}: {focus}{told}{value}: {finding.message}"
    return text + (f" {finding.fix}" if finding.fix else "")


@dataclass(frozen=True)
class Written:
    """What was put in place.

    Attributes:
        files: how many files.
        size: how many bytes they hold.
    """

    files: int
    size: int


def write(built: Built, out: Path) -> Written:
    """Put a build in place: written beside first, then swapped, so that the last good build is there until the new one is.

    Args:
        built: the build.
        out: the folder; it may not exist yet, or must hold an earlier build.

    Raises:
        ProjectError: the folder holds something else than a build, or is a file.
        OnemgError: the disk refuses, or a page cannot be made.
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
        written = _fill(new, built)
        if out.exists():
            out.rename(old)
        new.rename(out)
    except OSError as error:
        if not out.exists() and (beside / "old").exists():
            (beside / "old").rename(out)
        raise OnemgError(f"cannot be written: {error.strerror}.", source=str(out)) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return written


def _fill(folder: Path, built: Built) -> Written:
    """Write every file, and last the manifest of them."""
    told: dict[str, dict[str, int | str]] = {}
    made: set[Path] = set()
    for name, content in chain(built.files.items(), ((f"site/{path}", page) for path, page in built.pages())):
        path = folder / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(content)
        told[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    listing = {"name": "onemg-kg", "version": __version__, "files": dict(sorted(told.items()))}
    manifest = (json.dumps(listing, indent=2) + "\n").encode()
    (folder / MANIFEST).write_bytes(manifest)
    return Written(len(told) + 1, sum(int(file["bytes"]) for file in told.values()) + len(manifest))
