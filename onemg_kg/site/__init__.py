"""The static site: a page and data for every IRI, the views, the questions, and everything that they need, as plain files."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph as ox

from onemg_kg import facets, publication, queries
from onemg_kg.addresses import document
from onemg_kg.database import parts, pieces
from onemg_kg.descriptions import Description, Descriptions
from onemg_kg.formats import FORMATS, Context, Dataset, Format, Tokens, of_lines, of_tokens, triples
from onemg_kg.graph import GRAPHS
from onemg_kg.project import Project
from onemg_kg.queries import Query
from onemg_kg.questions import Answer
from onemg_kg.site import charts, explorer, graphs, reference
from onemg_kg.site.pages import ASSETS, TEMPLATES, Pages, Site
from onemg_kg.site.pictures import Pictures, neighbours
from onemg_kg.site.prose import prose
from onemg_kg.site.things import SHOWN, Memberships, Thing
from onemg_kg.spool import Files
from onemg_kg.store import Graphs, Store, Term
from onemg_kg.terms import BASE, PREFIXES, expand, shorten, text

_DATASET = BASE + "data/framework"
_SOURCE = BASE + "id/framework/source"
_SHORT = 5000
"""So many statements of a named graph may be text that its page shows: the template shows less than that could be."""
_OVERRIDES = "templates"
"""The folder of a project whose templates come before ours."""
_FALLBACK = "thing.html"
_WAYS = ("by-lifecycle-stage", "by-use-case", "by-role", "by-country")
"""The views by which one applies the Framework, as the home page has them."""
_PICTURED = (
    (
        "alignment",
        "Three life cycles side by side",
        "How the stages of the TEHDAS data lifecycle, the EHDS user journey and the Framework’s own data life cycle match.",
    ),
    (
        "coverage",
        "Coverage",
        "How many resources the Framework has for each stage and section, and with which labels for each use case.",
    ),
)
"""The pages that show the whole graph in one picture or matrix: name, title, description."""


@dataclass(frozen=True)
class Place:
    """Where a site will stand, and how it shall look there.

    Attributes:
        origin: its address, with a slash at the end; the base of the IRIs where it is not known.
        endpoint: the address of a SPARQL endpoint on the same host, for the query editor; empty where it works in the browser.
        templates: folders whose templates come before the project's own and ours, the first first.
    """

    origin: str = BASE
    endpoint: str = ""
    templates: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Content:
    """What a site shows.

    Attributes:
        project: the source, with the queries and perhaps templates of its own.
        graphs: everything that has a page: what is stated, what follows, the shapes and the record.
        store: what is stated and what follows, for queries.
        memberships: every view.
        answers: every question with its answer.
        published: the JSON-LD context.
        files: what is there already, by path; what has the place of a description stands for it (``data/framework.ttl``).
        record: what the catalogue says of the graph and its files.
        markup: schema.org in JSON-LD for the page of a thing, by IRI.
        place: where the site will stand.
    """

    project: Project
    graphs: tuple[Graphs, ...]
    store: Store
    memberships: Memberships
    answers: list[Answer]
    published: Context
    files: Files
    record: list[ox.Triple]
    markup: Mapping[str, bytes]
    place: Place


def has_editor() -> bool:
    """Whether the query editor of the browser was bundled, and so is part of a site."""
    return (ASSETS / "vendor" / "query.js").is_file()


def _slug(iri: str) -> str:
    return shorten(iri).rpartition(":")[2].rpartition("/")[2]


class _Writer:
    """Makes the files of one site."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.rules = queries.folder(content.project, "rules")
        self.descriptions = Descriptions(chain.from_iterable(map(pieces, content.graphs)))
        self.memberships = content.memberships
        self.pictures = Pictures(content.project, content.store)
        self.reference = reference.read(self.descriptions)
        self.graphs = graphs.read(self.descriptions.sizes, {rule.name: rule for rule in self.rules})
        self.elsewhere = {
            group.group: f"views/{view.name}/{_slug(group.group)}.html"
            for view in self.memberships.views
            for group in view.groups
            if not group.group.startswith(BASE)
        }
        own = content.project.folder(_OVERRIDES)
        overrides = [*content.place.templates, *([own] if own.is_dir() else [])]
        self.site = self._site()
        self.pages = Pages(
            self.site,
            self.descriptions,
            self.elsewhere | {graph.iri: graph.path + ".html" for graph in self.graphs.values()},
            {rule.name: rule.title for rule in self.rules},
            overrides,
        )
        self.templates = {path.stem for folder in (*overrides, TEMPLATES) for path in folder.glob("*.html")}
        self.license = self.descriptions.values(_DATASET, "dcterms:license")

    def _site(self) -> Site:
        source = Thing(_SOURCE, self.descriptions.describe(document(_SOURCE)[0]), self.descriptions, self.memberships)
        return Site(
            title="1+MG Framework as data",
            version=self.content.project.version,
            commit=source.first("dcterms:identifier"),
            date=source.first("dcterms:issued"),
            editor=has_editor(),
            endpoint=self.content.place.endpoint,
        )

    def files(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Every file of the site, each once, and last those that list the others."""
        pages = []
        for path, content in chain(self.content.files.pieces(), self._graphs(), self._whole(), self._documents()):
            if path.endswith(".html") and path != "404.html":
                pages.append(path)
            yield path, content
        held = self.content
        for path, file in publication.render(held.project, held.store, held.record, held.place.origin, pages).items():
            yield path, [file]

    def _whole(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        return ((path, [content]) for path, content in self._contents())

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for asset in sorted(ASSETS.rglob("*")):
            if asset.is_file():
                yield f"assets/{asset.relative_to(ASSETS).as_posix()}", asset.read_bytes()
        yield from self._front()
        yield from self._views()
        yield from self._questions()
        yield from self._explorer()
        yield from self._texts()
        yield from self._version()

    def _explorer(self) -> Iterator[tuple[str, bytes]]:
        held = self.content
        sides, resources = facets.collect(held.project, held.store), facets.resources(held.project, held.store)
        yield from explorer.render(self.pages, self.descriptions, held.published, sides, resources)

    def _front(self) -> Iterator[tuple[str, bytes]]:
        by_name = {view.name: view for view in self.memberships.views}
        levels = by_name["by-level"].groups
        counts = {
            "resources": self.descriptions.count(expand("onemg:FrameworkResource")),
            "countries": len(by_name["by-country"].groups),
            "questions": len(self.content.answers),
        }
        yield (
            "index.html",
            self.pages.render(
                "index.html",
                "index.html",
                title="1+MG Framework as data",
                description="The 1+ Million Genomes Framework as linked data: each resource with its label, place and context.",
                section=by_name["by-section"],
                ways=[by_name[name] for name in _WAYS],
                required=levels[0],
                counts=counts,
                pictures=self.pictures,
            ),
        )
        yield (
            "404.html",
            self.pages.render(
                "404.html",
                "404.html",
                title="Nothing is here",
                description="No page has this address.",
                # It is sent in answer to any address, so only links from the root of the host hold.
                root=urlsplit(self.content.place.origin).path if self.content.place.origin != BASE else "/",
            ),
        )
        yield (
            "rules/inference.html",
            self.pages.render(
                "inference.html",
                "rules/inference.html",
                title="What follows by rules",
                description="The rules by which statements follow from what the Framework states.",
                rules=self.rules,
            ),
        )

    def _views(self) -> Iterator[tuple[str, bytes]]:
        found = self.memberships.views
        yield (
            "views/index.html",
            self.pages.render(
                "views.html",
                "views/index.html",
                title="Browse the Framework",
                description="The resources of the Framework by section, label, stage, use case, role and more.",
                views=found,
                pictured=_PICTURED,
            ),
        )
        for name, title, description in _PICTURED:
            path = f"views/{name}.html"
            yield path, self.pages.render(f"{name}.html", path, title=title, description=description, pictures=self.pictures)
        for query in queries.folder(self.content.project, "views"):
            yield f"views/{query.name}.rq", query.text.encode()
        for view in found:
            template = f"{view.name}.html" if view.name in self.templates else "view.html"
            path = f"views/{view.name}.html"
            anchors = [_slug(group.group) for group in view.groups]
            yield (
                path,
                self.pages.render(template, path, title=view.title, description=view.description, view=view, anchors=anchors),
            )
            for group in view.groups:
                if self.elsewhere.get(group.group) == f"views/{view.name}/{_slug(group.group)}.html":
                    path = self.elsewhere[group.group]
                    yield (
                        path,
                        self.pages.render(
                            "group.html",
                            path,
                            title=f"{group.label}: {view.title[:1].lower()}{view.title[1:]}",
                            description=f"{group.label}. {view.description}",
                            view=view,
                            group=group,
                        ),
                    )

    def _questions(self) -> Iterator[tuple[str, bytes]]:
        asked: dict[str, list[Query]] = {}
        for answer in self.content.answers:
            query = answer.query
            asked.setdefault(query.header.get("asked-by", "anyone"), []).append(query)
            path = f"questions/{query.name}.html"
            yield f"questions/{query.name}.rq", answer.text.encode()
            yield f"questions/{answer.file}", answer.content
            yield (
                path,
                self.pages.render(
                    "question.html",
                    path,
                    title=query.title,
                    description=query.header.get("description", "") or query.title,
                    answer=answer,
                    query=query,
                    values={name: text(value) for name, value in answer.values.items()},
                    rows=[[self._cell(node) for node in row] for row in answer.table.rows[:SHOWN]] if answer.table else [],
                    chart=self._chart(answer),
                ),
            )
        yield (
            "questions/index.html",
            self.pages.render(
                "questions.html",
                "questions/index.html",
                title="Questions that the graph answers",
                description="What people who build, govern, edit and use the infrastructure ask of the Framework.",
                asked=sorted(asked.items()),
            ),
        )
        if self.site.editor:
            yield "assets/prefixes.json", (json.dumps(dict(PREFIXES), indent=1) + "\n").encode()
            yield (
                "query.html",
                self.pages.render(
                    "query.html",
                    "query.html",
                    title="Ask your own question",
                    description="Query the knowledge graph of the 1+MG Framework in SPARQL, in the browser.",
                    questions=[answer.query for answer in self.content.answers],
                ),
            )

    def _chart(self, answer: Answer) -> dict[str, object] | None:
        """The chart of an answer, each label as a cell."""
        chart = charts.chart_of(answer)
        if chart is None:
            return None
        bars = [([self._cell(node) for node in labels], value) for labels, value in chart.bars]
        return {"value": chart.value, "labels": chart.labels, "most": chart.most, "bars": bars}

    def _cell(self, node: Term | None) -> tuple[str, str | None]:
        """A cell of an answer: what it says, and the IRI if it is one."""
        if not isinstance(node, ox.NamedNode):
            return text(node), None
        return self.descriptions.label(node.value), node.value

    def _texts(self) -> Iterator[tuple[str, bytes]]:
        """What is there as Markdown, as pages: the documentation of the rules."""
        for name in self.content.files:
            if name.startswith("rules/") and name.endswith(".md"):
                title, body = prose(self.content.files[name].decode())
                path = name.removesuffix(".md") + ".html"
                yield (
                    path,
                    self.pages.render("text.html", path, title=title, description=f"{title}: a rule of onemg-kg.", body=body),
                )

    def _documents(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        for path in self.descriptions.paths():
            described = self.descriptions.describe(path)
            if path != "index":
                yield path + ".html", self._late(described)
            yield from self._data(described)

    def _late(self, described: Description) -> Iterator[bytes]:
        """A page that is made when it is read."""
        yield self._page(described)

    def _thing(self, iri: str) -> Thing:
        """Another thing, for a page that shows more than one."""
        return Thing(iri, self.descriptions.describe(document(iri)[0]), self.descriptions, self.memberships)

    def _version(self) -> Iterator[tuple[str, bytes]]:
        """The ontology once more, under the IRI of its version (OWL 2 Structural Specification, section 3.1)."""
        if self.reference.version:
            ontology = self.descriptions.describe(document(self.reference.iri)[0])
            version = Description(self.reference.version, self.reference.version_path(), ontology.about, [], [])
            yield version.path + ".html", self._page(ontology, version.iri)
            for name, written in self._data(version):
                known = self.content.files.get(ontology.path + name.removeprefix(version.path))
                yield name, known or b"".join(written)

    def _page(self, described: Description, version: str = "") -> bytes:
        thing = Thing(described.iri, described, self.descriptions, self.memberships)
        names = [described.path, *sorted(shorten(type_).partition(":")[2] for type_ in thing.types)]
        iri = version or described.iri
        template = next((f"{name}.html" for name in names if name in self.templates), _FALLBACK)
        lead = thing.first("dcterms:description", "skos:definition", "rdfs:comment", "skos:scopeNote", "sh:message")
        return self.pages.render(
            template,
            document(iri)[0] + ".html",
            title=thing.label,
            description=lead or f"What the knowledge graph of the 1+MG Framework says of {thing.label}.",
            iri=iri,
            thing=thing,
            jsonld=self.content.markup.get(described.iri, b"").decode(),
            expand=expand,
            reference=self.reference,
            part=self._thing,
            picture=neighbours(thing.label, thing.memberships),
            pictures=self.pictures,
        )

    def _data(self, described: Description) -> Iterator[tuple[str, Iterable[bytes]]]:
        """The description in each format: the triples, and with the sources of each statement the quads."""
        path = described.path
        named = of_tokens([*described.about, *described.to, *described.labels, *self._about(described)])
        plain = triples(named)
        for form in FORMATS.values():
            name = path + form.suffix
            if name not in self.content.files:
                yield name, self._written(form, named, plain)

    def _written(self, form: Format, quads: Dataset, plain: Dataset) -> Iterator[bytes]:
        """Statements in a format: with the sources of each where that holds them, but for JSON-LD, which is to be read."""
        chosen = quads if form.quads and form.name != "jsonld" else plain
        return form.pieces(chosen, PREFIXES, self.content.published)

    def _graphs(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Under the name of each named graph, that graph: its statements and no other, as a page and in each format."""
        folders: dict[str, list[graphs.NamedGraph]] = {}
        for graph in self.graphs.values():
            folders.setdefault(graph.file.rpartition("/")[0] + "/", []).append(graph)
            named = of_lines((graph.iri, lines) for lines in self._parts(graph))
            plain = triples(named)
            for form in FORMATS.values():
                written: Iterable[bytes] = self._written(form, named, plain)
                if form.name == "turtle":
                    written = [*written] if graph.size <= _SHORT else written
                    turtle = b"".join(written).decode() if graph.size <= _SHORT else ""
                    yield graph.path + ".html", [self._graph(graph, turtle)]
                yield graph.path + form.suffix, written
        path = document(GRAPHS)[0] + ".html"
        listing = self.pages.render(
            "graphs.html",
            path,
            title="Named graphs",
            description="What each file of the graph states, and what follows by each rule, is a named graph of its own.",
            folders=sorted(folders.items()),
        )
        yield path, [listing]

    def _graph(self, graph: graphs.NamedGraph, turtle: str) -> bytes:
        holds = "What follows by one rule" if graph.rule else f"What the file {graph.file} states"
        return self.pages.render(
            "graph.html",
            graph.path + ".html",
            title=graph.title,
            description=f"{holds}: a named graph of the knowledge graph of the 1+MG Framework.",
            iri=graph.iri,
            graph=graph,
            about=graphs.about(graph, self._parts(graph), self.descriptions),
            turtle=turtle,
        )

    def _parts(self, graph: graphs.NamedGraph) -> Iterable[list[str]]:
        """The lines of a named graph."""
        return next(parts(held, graph.iri) for held in self.content.graphs if graph.iri in held)

    def _about(self, described: Description) -> Iterator[Tokens]:
        """What a document says of itself: what it is about, what it is part of, and the files and rules it was made from."""
        page = BASE + described.path + ".html"
        said = [
            ("rdf:type", expand("foaf:Document")),
            ("foaf:primaryTopic", described.iri),
            ("void:inDataset", _DATASET),
            *(("dcterms:license", license_) for license_ in self.license),
            *(("prov:wasDerivedFrom", graph[1:-1]) for *_, graph in (*described.about, *described.to) if graph),
        ]
        return ((f"<{page}>", f"<{expand(name)}>", f"<{iri}>", "") for name, iri in dict.fromkeys(said))


def render(content: Content) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Every file of the site: its path below the root and its content in pieces. Same content, same bytes.

    Each file is made when it is asked for, and its pieces are to be taken before the next file is: little is held at once.

    Raises:
        jinja2.TemplateError: a template is wrong.
        RdfError: a description cannot be written in a format.
    """
    return _Writer(content).files()
