"""The whole build: read, infer, validate, and write everything that is published, all or nothing."""

import gc
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from onemg_kg import __version__, catalogue, dumps, graph, hosting, markup, publication, questions, ruledocs, shacl, site, views
from onemg_kg.errors import InvalidGraph, OnemgError, ProjectError
from onemg_kg.findings import Finding, at_least, short
from onemg_kg.project import Project
from onemg_kg.site.things import Memberships
from onemg_kg.spool import Files, gathered, in_order
from onemg_kg.store import Queryable
from onemg_kg.terms import BASE, shorten

MANIFEST = "manifest.json"
_NOWHERE = "https://host.example"
"""Stands for the address of the site in the configuration of servers, where it is not known."""


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes:
        files: every file but those of the site, by its path below the output folder.
        pages: gives the files of the site by their path there, each in pieces and made as it is asked for, so that a large site
            is never held at once.
        stated: how many triples the published graph states, if that is part of it.
        inferred: how many follow.
        findings: what validation found that is no violation.
    """

    files: Mapping[str, bytes]
    pages: Callable[[], Iterator[tuple[str, Iterable[bytes]]]] = lambda: iter(())
    stated: int = 0
    inferred: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Core:
    """What the core of a build makes: what everything else is made from.

    Attributes:
        loaded: the graph.
        findings: what validation found that is no violation.
        files: the navigation views as files, by path.
        dumps: the graph as files.
    """

    loaded: graph.Graph
    findings: list[Finding]
    files: Files
    dumps: dumps.Dumps


def core(
    project: Project, progress: Callable[[str], None] = lambda _: None, show: Callable[[views.View], None] = lambda _: None
) -> Core:
    """Read, infer, validate, and write views and dumps.

    Args:
        project: the graph's source.
        progress: told what is being done.
        show: given each view when it is made: only one is held at once, because those of a large graph take much memory.

    Raises:
        InvalidGraph: the graph violates a shape.
        OnemgError: a file cannot be read.
    """
    progress("reading")
    with unhindered(), ExitStack() as stack:
        lines, shape_lines = graph.stated(project), graph.shapes(project)
        beside = stack.enter_context(closing(dumps.Beside(lines, shape_lines, project.version)))
        loaded = graph.reason(project, lines, shape_lines)
        beside.tell(loaded.inferred_lines, {"gdi": publication.gdi(project, loaded.store)})
        progress("validating")
        findings = validate(project, loaded)
        progress("writing views")
        found, files = [], Files()
        for view in views.each(project, loaded.store):
            for path, pieces in views.forms(view, project.version):
                files.add(path, pieces)
            show(view)
            found.append(replace(view, groups=[]))
            del view  # before the next is asked for
        files.hold(views.index(found, project.version))
        progress("writing dumps")
        return Core(loaded, findings, files, beside.result())


@contextmanager
def unhindered() -> Iterator[None]:
    """Python that does not look for garbage: the core makes millions of objects, hardly one of them garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def validate(project: Project, loaded: graph.Graph) -> list[Finding]:
    """Validate a graph. The rest of what can be found is for who edits: ``onemg-kg check``.

    Returns:
        What was found that is no violation.

    Raises:
        InvalidGraph: the graph violates a shape.
        RdfError: the shapes are not SHACL.
    """
    findings = shacl.validate_lines(loaded.whole(), loaded.shape_lines, project.root)
    violations = at_least(findings, "violation")
    if violations:
        raise InvalidGraph(
            f"the graph has {len(violations)} violation{'s' * (len(violations) > 1)} of its shapes:\n"
            + "\n".join(describe(finding) for finding in violations)
        )
    return findings


_UNKNOWN = site.Place()


def make(
    project: Project,
    place: site.Place = _UNKNOWN,
    progress: Callable[[str], None] = lambda _: None,
    with_site: bool = True,
) -> Built:
    """Make a build.

    Args:
        project: the graph's source.
        place: where the site will stand, as far as that is known.
        progress: told what is being done.
        with_site: make the web site too, and what configures servers for it.

    Raises:
        InvalidGraph: the graph violates a shape.
        OnemgError: a file cannot be read, or there is no room for temporary files.
    """
    memberships = Memberships()
    made = core(project, progress, memberships.add if with_site else lambda _: None)
    loaded, written = made.loaded, made.dumps
    progress("answering questions")
    answers = questions.answers(project, loaded.store)
    documents = markup.of_all(project, loaded.store, written.record)
    files = written.files
    for others in (made.files, ruledocs.render(project), questions.render(answers), markup.jekyll(documents)):
        files.hold(others)
    if not with_site:
        return Built(files, stated=written.stated, inferred=written.inferred, findings=made.findings)
    # Servers are told an origin even where it is not known.
    hosts = hosting.render(_NOWHERE if place.origin == BASE else place.origin)
    files.hold({f"hosting/{path}": content for path, content in hosts.items()})
    content = site.Content(
        project,
        (loaded.lines, loaded.shape_lines, loaded.inferred_lines, catalogue.computed(written.record, loaded.lines)),
        loaded.store,
        memberships,
        answers,
        written.published,
        _placed(files),
        written.record,
        documents,
        place,
    )
    return Built(files, partial(site.render, content), written.stated, written.inferred, made.findings)


def export(project: Project, store: Queryable, source: str, progress: Callable[[str], None] = lambda _: None) -> Built:
    """Make the parts of a build that queries give: views, questions, and both for the Framework's Jekyll site.

    From a store that holds the graph they have the same bytes as those of :func:`make`.

    Args:
        project: has the queries.
        store: the whole graph, stated and inferred.
        source: what to call the store in an error.
        progress: told what is being done.

    Raises:
        OnemgError: it does not hold the graph, or cannot be asked.
    """
    progress("writing views")
    found = views.collect(project, store)
    if not any(view.groups for view in found):
        fix = "Push a build to it first: onemg-kg push."
        raise OnemgError("holds nothing that a view shows, so it does not hold the graph.", source=source, fix=fix)
    files = views.render(found, project.version)
    progress("answering questions")
    files.update(questions.render(questions.answers(project, store)))
    progress("writing mark-up")
    files.update(markup.jekyll(markup.of_all(project, store)))
    return Built(files)


def _placed(files: Files) -> Files:
    """The files of a build that are part of the site, by their place there."""
    places: dict[str, str] = {}
    for name in files:
        stem, _, suffix = name.partition(".")
        if stem == "ontology":
            places[f"ns.{suffix}"] = name
        elif stem in {"framework", "inferred", "schemes", "catalogue", "gdi"}:
            places[f"data/{name}"] = name
        elif stem in {"shapes", "context"} or stem.startswith(("views/", "rules/")):
            places[name] = name
    return files.placed(places)


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
    made: set[Path] = set()

    def put(name: str, pieces: Iterable[bytes]) -> tuple[str, int, str]:
        path = folder / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        size, digest = 0, hashlib.sha256()
        with path.open("wb") as file:
            for piece in pieces:
                size += file.write(piece)
                digest.update(piece)
        return name, size, digest.hexdigest()

    files = built.files if isinstance(built.files, Files) else Files(built.files)
    pages = ((f"site/{path}", pieces) for path, pieces in built.pages())
    told = gathered((put(name, pieces) for name, pieces in chain(files.pieces(), pages)), _weigh)
    put(MANIFEST, _manifest(in_order(told, _weigh)))
    return Written(len(told) + 1, sum(size for _, size, _ in told) + (folder / MANIFEST).stat().st_size)


def _weigh(told: tuple[str, int, str]) -> int:
    """How many letters are told of a file."""
    return len(told[0]) + len(told[2])


def _manifest(told: Iterable[tuple[str, int, str]]) -> Iterator[bytes]:
    """The manifest in JSON (RFC 8259), in pieces: name, size and SHA-256 of each file, sorted."""
    yield f'{{\n  "name": "onemg-kg",\n  "version": {json.dumps(__version__)},\n  "files": {{'.encode()
    end = ""
    for name, size, digest in told:
        yield f'{end}\n    {json.dumps(name)}: {{\n      "bytes": {size},\n      "sha256": "{digest}"\n    }}'.encode()
        end = ","
    yield b"\n  }\n}\n"
