"""The Framework's web site against the graph: what differs, and how to bring ``data/`` up to it.

``data/pages/``, ``data/listings/`` and ``data/navigation/`` are what the site says and are written here, whole. A resource
that no file of ``data/resources/`` describes gets a stub there, to be curated by hand; no other file is touched.
"""

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph as ox

from onemg_kg import graph
from onemg_kg.errors import ProjectError, SiteError
from onemg_kg.formats import FORMATS
from onemg_kg.project import Project
from onemg_kg.sync import facts as site_facts
from onemg_kg.sync.facts import Subjects, Triples
from onemg_kg.sync.theme import Notice, Site, commit_of, read_site
from onemg_kg.terms import BASE, PREFIXES, term

_WRITTEN = ("pages", "listings", "navigation")
_SOURCE = "source.ttl"
_KINDS = {
    "relabelled": ("onemg:badge", "onemg:limitedToUseCase"),
    "retitled": ("onemg:linkText", "dcterms:title", "dcterms:description"),
    "relinked": ("onemg:linkTarget", "onemg:address", "onemg:target"),
    "moved": ("onemg:sourceLine", "onemg:order", "onemg:headingPath", "onemg:badgeLine", "onemg:limitLine"),
}
"""What a changed property means to an editor; the first kind that fits names the difference."""
_REPORTED = {
    "onemg:Listing": "listing",
    "onemg:Mention": "mention",
    "onemg:FrameworkPage": "page",
    "onemg:NavigationEntry": "menu entry",
}


@dataclass(frozen=True)
class Difference:
    """One thing in which the site and the graph differ.

    Attributes:
        kind: ``added``, ``gone``, ``relabelled``, ``retitled``, ``relinked``, ``moved`` or ``changed``.
        what: ``listing``, ``mention``, ``page``, ``menu entry``, ``resource`` or ``site``.
        subject: its IRI.
        title: what it is called.
        source: the file of the site.
        line: the line there; 0 where the difference has none.
        before: what the graph says.
        after: what the site says.
    """

    kind: str
    what: str
    subject: str
    title: str
    source: str
    line: int
    before: str = ""
    after: str = ""


@dataclass
class Comparison:
    """A site beside the graph.

    Attributes:
        differences: what differs, sorted by file, line and subject.
        notices: what on the site could not be understood.
        files: what sync would write, by path below ``data/``.
        stubs: the stubs that it would add, by path below ``data/``.
    """

    differences: list[Difference] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    stubs: dict[str, bytes] = field(default_factory=dict)


def _turtle(triples: Triples) -> bytes:
    quads = (ox.Quad(triple.subject, triple.predicate, triple.object) for triple in triples)
    return FORMATS["turtle"].write(quads, PREFIXES)


def _quads(files: Mapping[str, Triples]) -> list[ox.Quad]:
    return [ox.Quad(t.subject, t.predicate, t.object) for triples in files.values() for t in triples]


class _View:
    """The subjects of one side of a comparison, with what an editor calls them."""

    def __init__(self, files: Mapping[str, Triples], everything: Subjects) -> None:
        self.subjects = Subjects(_quads(files))
        self.everything = everything
        self.statements: dict[str, set[ox.Triple]] = defaultdict(set)
        """Everything that the files of a page state, by the page."""
        for path, triples in files.items():
            self.statements[f"{BASE}id/page/{Path(path).stem}"].update(triples)
        self.kinds = {s: what for name, what in _REPORTED.items() for s in self.subjects.of_class(name)}

    def source(self, subject: str) -> str:
        page = self.subjects.one(subject, "onemg:onPage") or subject
        return self.subjects.one(page, "onemg:sourceFile")

    def line(self, subject: str) -> int:
        return int(self.subjects.one(subject, "onemg:sourceLine") or 0)

    def title(self, subject: str) -> str:
        resource = next(iter(self.subjects.all(subject, "onemg:lists", "onemg:mentions")), subject)
        title = self.everything.one(resource, "dcterms:title") or self.subjects.one(subject, "dcterms:title")
        return title or self.subjects.one(subject, "onemg:linkText") or subject

    def resources(self) -> set[str]:
        return {r for s in self.kinds for r in self.subjects.all(s, "onemg:lists", "onemg:mentions")}

    def parts(self) -> dict[str, set[tuple[str, ...]]]:
        """The headings and links of each page, as what they say and not where."""
        found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for name in ("onemg:PageHeading", "onemg:PageLink"):
            for part in self.subjects.of_class(name):
                told = ("dcterms:title", "onemg:headingLevel", "onemg:anchor", "onemg:linkText", "onemg:linkTarget")
                said = tuple(self.subjects.one(part, predicate) for predicate in told)
                found[self.subjects.one(part, "onemg:onPage")].add(said)
        return found


def _told(statements: set[tuple[str, str]]) -> str:
    """Statements of a subject in a few words: the name of each property and its value."""
    return ", ".join(f"{urlsplit(name).fragment or name.rpartition('/')[2]} {value}" for name, value in sorted(statements))


def _differences(old: _View, new: _View) -> list[Difference]:
    found: list[Difference] = []
    for subject, what in new.kinds.items():
        here = (what, subject, new.title(subject), new.source(subject), new.line(subject))
        if subject not in old.kinds:
            found.append(Difference("added", *here))
            continue
        said, says = old.subjects.about(subject), new.subjects.about(subject)
        for kind, predicates in _KINDS.items():
            before = old.subjects.all(subject, *predicates)
            after = new.subjects.all(subject, *predicates)
            if before != after:
                # Lines and positions say nothing without the name of what they count.
                words = (_told(said - says), _told(says - said)) if kind == "moved" else (", ".join(before), ", ".join(after))
                found.append(Difference(kind, *here, *words))
                break
        else:
            if said != says:
                found.append(Difference("changed", *here, _told(said - says), _told(says - said)))
    for subject, what in old.kinds.items():
        if subject not in new.kinds:
            found.append(Difference("gone", what, subject, old.title(subject), old.source(subject), old.line(subject)))
    for resource in sorted(new.resources() - old.resources()):
        found.append(Difference("added", "resource", resource, new.everything.one(resource, "dcterms:title"), "", 0))
    for resource in sorted(old.resources() - new.resources()):
        found.append(Difference("gone", "resource", resource, old.everything.one(resource, "dcterms:title"), "", 0))
    old_parts, new_parts = old.parts(), new.parts()
    for page in sorted(set(old.kinds) & set(new.kinds)):
        only_old = old_parts.get(page, set()) - new_parts.get(page, set())
        only_new = new_parts.get(page, set()) - old_parts.get(page, set())
        if only_old or only_new:
            told = (f"{len(only_old)} headings and links", f"{len(only_new)} others")
            found.append(Difference("changed", "page", page, new.title(page), new.source(page), 0, *told))
    told_of = {difference.source for difference in found}
    for page in sorted(set(old.kinds) & set(new.kinds)):
        if new.source(page) not in told_of and old.statements.get(page) != new.statements.get(page):
            found.append(Difference("moved", "page", page, new.title(page), new.source(page), 0))
    return sorted(found, key=lambda d: (d.source, d.line, d.what, d.subject))


def _source_triples(commit: str, date: str) -> Triples:
    node = term("id/framework/source")
    triples = [
        ox.Triple(node, term("rdf:type"), term("prov:Entity")),
        ox.Triple(node, term("dcterms:isVersionOf"), term("id/framework")),
        ox.Triple(node, term("dcterms:identifier"), ox.Literal(commit)),
    ]
    if date:
        triples.append(ox.Triple(node, term("dcterms:issued"), ox.Literal(date, datatype=term("xsd:date"))))
    return triples


@dataclass(frozen=True)
class SiteReading:
    """A checkout, read with what the project knows.

    Attributes:
        stated: what the project states, but for the files that sync writes.
        written: those files.
        resources: the IRIs of the resources that the project knows.
        site: the site.
        facts: what it says.
    """

    stated: list[ox.Quad]
    written: list[Path]
    resources: set[str]
    site: Site
    facts: site_facts.SiteFacts


def read(project: Project, root: Path) -> SiteReading:
    """Read a checkout of the site with the resources, labels and sections of the project.

    Args:
        project: the graph's source.
        root: the checkout, the folder with ``_config.yml``.

    Raises:
        SiteError: the site cannot be read.
        RdfError: a file of the project is not Turtle.
    """
    written = [path for folder in _WRITTEN for path in project.files("data", folder, suffix=".ttl")]
    kept = [path for path in project.files("data", suffix=".ttl") if path not in set(written)]
    stated = graph.read(project, [*project.files("ontology", suffix=".ttl"), *kept])
    everything = Subjects(stated)
    subjects = {quad.subject.value for quad in stated if isinstance(quad.subject, ox.NamedNode)}
    resources = {subject for subject in subjects if subject.startswith(BASE + "id/resource/")}
    site = read_site(root, everything.one(BASE + "id/framework", "foaf:homepage"))
    return SiteReading(stated, written, resources, site, site_facts.of_site(site, everything, resources))


def compare(project: Project, root: Path, commit: str | None = None) -> Comparison:
    """Read a checkout of the site and compare it with ``data/``.

    Args:
        project: the graph's source.
        root: the checkout, the folder with ``_config.yml``.
        commit: the commit that it holds; else git is asked, else the one that ``data/`` names is taken to be meant.

    Raises:
        SiteError: the site cannot be read.
        RdfError: a file of the project is not Turtle.
    """
    reading = read(project, root)
    facts, everything = reading.facts, Subjects(reading.stated)
    result = Comparison(notices=facts.notices)
    result.files = {path: _turtle(triples) for path, triples in facts.files.items()}
    result.stubs = {path: _turtle(triples) for path, triples in facts.stubs.items()}
    new = _View(facts.files, Subjects([*reading.stated, *_quads(facts.stubs)]))
    old = _View(
        {project.relative(path): [q.triple for q in graph.read(project, [path])] for path in reading.written}, everything
    )
    result.differences = _differences(old, new)
    found = commit_of(root)
    node = BASE + "id/framework/source"
    recorded = everything.one(node, "dcterms:identifier")
    after = commit or (found[0] if found else recorded)
    if not after:
        raise SiteError("is no git checkout, so its commit is not known.", source=str(root), fix="Give it with --commit.")
    if after != recorded:
        date = found[1] if found and found[0] == after else ""
        result.files[_SOURCE] = _turtle(_source_triples(after, date))
        result.differences.append(Difference("changed", "site", node, "commit", "", 0, recorded, after))
    return result


def write(project: Project, comparison: Comparison) -> None:
    """Bring ``data/`` up to the site: everything is written beside it, then put in place; a failure puts everything back.

    Raises:
        ProjectError: a stub would replace a file that is there, or a file cannot be written. Nothing was changed.
    """
    data = project.folder("data")
    for path in comparison.stubs:
        if (data / path).exists():
            raise ProjectError(
                "describes something else than the new resource that would be written here.",
                source=project.relative(data / path),
                fix="Name the file as the IRI in it ends.",
            )
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        moved.append((source, target))

    try:
        with tempfile.TemporaryDirectory(prefix=".sync-", dir=data) as folder:
            beside = Path(folder)
            for name in _WRITTEN:
                (beside / name).mkdir()
            for path, content in (comparison.files | comparison.stubs).items():
                (beside / path).parent.mkdir(parents=True, exist_ok=True)
                (beside / path).write_bytes(content)
            try:
                for name in (*_WRITTEN, *comparison.stubs, *(path for path in comparison.files if "/" not in path)):
                    if (data / name).exists():
                        move(data / name, beside / "before" / name)
                    move(beside / name, data / name)
            except OSError:
                for source, target in reversed(moved):
                    target.rename(source)
                raise
    except OSError as error:
        raise ProjectError(
            f"cannot be written: {error.strerror}.", source=error.filename, fix="Nothing was changed. Mend it and run again."
        ) from error
