"""The static site as published: every IRI described, every link leading somewhere, nothing loaded from elsewhere."""

import gzip
import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox
import pytest

from onemg_kg import build
from onemg_kg.addresses import document
from onemg_kg.formats import FORMATS
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.site import Place
from onemg_kg.terms import BASE, term

HEAVIEST = 100_000
"""Bytes, compressed, that a page may weigh."""


class _Reader(HTMLParser):
    """What a page links to, what it loads, and which fragments it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.append(found["id"])
        if tag in {"a", "area"} and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") in {"stylesheet", "icon", "preload", "modulepreload"}:
            self.loads.append(found["href"])
        elif tag == "link" and found.get("rel") == "alternate":
            self.links.append(found["href"])
        elif tag in {"img", "script", "iframe", "source", "use", "video", "audio", "embed"} and "src" in found:
            self.loads.append(found["src"])
        if tag == "script" and "src" not in found and found.get("type") not in {"application/ld+json", "application/json"}:
            self.scripts += 1
        assert not [name for name in found if name.startswith("on")], "no handler stands in an attribute"
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))


def _pages(made: build.Built) -> dict[str, bytes]:
    return {path: b"".join(pieces) for path, pieces in made.pages()}


@pytest.fixture(scope="module")
def pages(published: dict[str, bytes]) -> dict[str, _Reader]:
    found = {}
    for path, content in published.items():
        if path.endswith(".html"):
            found[path] = _Reader()
            found[path].feed(content.decode())
    return found


def test_each_file_once(built: build.Built) -> None:
    """No file is made twice: the second would replace the first unseen."""
    paths = [path for path, _ in built.pages()]
    assert sorted(paths) == sorted(set(paths))


def test_every_iri_has_its_page_and_its_data(published: dict[str, bytes], loaded: Graph) -> None:
    """Whatever of ours the graph says something about is described as a page and in each format."""
    ours = {quad.subject.value for quad in [*loaded.stated, *loaded.shapes] if str(quad.subject).startswith(f"<{BASE}")}
    assert len(ours) > 1500
    suffixes = [".html", *(form.suffix for form in FORMATS.values())]
    missing = [iri for iri in ours for suffix in suffixes if document(iri)[0] + suffix not in published]
    assert missing == []


def _around(quads: list[ox.Quad]) -> tuple[dict[str, set[ox.Triple]], dict[str, set[ox.Triple]]]:
    """Per document, the statements about its IRIs and those that lead to them, worked out statement by statement."""
    type_ = term("rdf:type")
    about: dict[str, set[ox.Triple]] = defaultdict(set)
    to: dict[str, set[ox.Triple]] = defaultdict(set)
    for quad in quads:
        subject, object_ = str(quad.subject), str(quad.object)
        home = document(subject[1:-1])[0] if subject.startswith(f"<{BASE}") else None
        target = document(object_[1:-1])[0] if object_.startswith(f"<{BASE}") else None
        if home is not None:
            about[home].add(quad.triple)
        if target is not None and target != home and quad.predicate != type_ and not subject.startswith("_:"):
            to[target].add(quad.triple)
    return about, to


def test_a_description_is_what_the_graph_says(published: dict[str, bytes], loaded: Graph) -> None:
    """The N-Triples of each document have every statement about its IRIs and to them, and no other statement about them."""
    about, to = _around([*loaded.stated, *loaded.inferred, *loaded.shapes])
    whole = {"ns", "shapes", "index"}  # whole published, and what the build's own record adds to
    wrong = []
    for path in about.keys() - whole:
        if path.startswith("data/"):
            continue
        triples = {quad.triple for quad in ox.parse(published[path + ".nt"], format=ox.RdfFormat.N_TRIPLES)}
        mine = {t for t in triples if str(t.subject).startswith(f"<{BASE}") and document(str(t.subject)[1:-1])[0] == path}
        named = {t for t in about[path] if not isinstance(t.object, ox.BlankNode)}
        if not (named | to[path]) <= triples or {t for t in mine if not isinstance(t.object, ox.BlankNode)} != named:
            wrong.append(path)
    assert wrong == []


def test_the_formats_of_a_description_agree(published: dict[str, bytes]) -> None:
    """Turtle, JSON-LD, N-Triples and RDF/XML of a document are one graph; N-Quads and TriG are one dataset."""
    stems = sorted(path.removesuffix(".html") for path in published if path.endswith(".html") and path[:-4] + "nt" in published)
    assert len(stems) > 1000
    wrong = []
    for stem in stems:
        if stem == "data/framework":
            continue  # the dumps, compared in test_build.py
        read = {}
        for form in FORMATS.values():
            if stem + form.suffix not in published:
                continue
            rdf = ox.RdfFormat.from_extension(form.suffix[1:]) or ox.RdfFormat.JSON_LD
            dataset = ox.Dataset(ox.parse(published[stem + form.suffix], format=rdf, base_iri=BASE))
            dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
            read[form.name] = set(dataset)
        triples = {name: {quad.triple for quad in quads} for name, quads in read.items()}
        if any(triples[name] != triples["ntriples"] for name in ("turtle", "jsonld", "rdfxml") if name in triples):
            wrong.append(stem)
        if "trig" in read and (read["trig"] != read["nquads"]):
            wrong.append(stem + ".trig")
    assert wrong == []


def test_every_statement_of_quads_names_its_source(published: dict[str, bytes]) -> None:
    """In N-Quads each statement about a thing says which file states it or which rule it follows from."""
    iri = ox.NamedNode(BASE + "id/resource/beacon")
    quads = list(ox.parse(published["id/resource/beacon.nq"], format=ox.RdfFormat.N_QUADS))
    about = [quad for quad in quads if quad.subject == iri]
    assert len(about) > 20
    assert {str(quad.graph_name)[1:].startswith(BASE + "graph/") for quad in about} == {True}


def _targets(path: str, reader: _Reader) -> Iterator[tuple[str, str]]:
    """Where the links of a page that stay on the site lead: file and fragment."""
    for link in reader.links + reader.loads:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        # The page for what is not found is sent in answer to any address, so its links are from the root of the host.
        home = "" if path == "404.html" and parts.path.startswith("/") else dirname(path)
        target = normpath(join(home, unquote(parts.path).removeprefix("/"))) if parts.path else path
        yield target, unquote(parts.fragment)


def test_every_link_leads_somewhere(published: dict[str, bytes], pages: dict[str, _Reader]) -> None:
    """Each link to this site is to a file that is there, and each fragment is on its page."""
    broken = []
    for path, reader in pages.items():
        for target, fragment in _targets(path, reader):
            if target not in published:
                broken.append(f"{path} -> {target}")
            elif fragment and target.endswith(".html") and fragment not in pages[target].ids:
                broken.append(f"{path} -> {target}#{fragment}")
    assert sorted(set(broken)) == []


def test_nothing_is_loaded_from_elsewhere(published: dict[str, bytes], pages: dict[str, _Reader]) -> None:
    """What a page needs comes from the site itself, and no script stands in a page."""
    loads = {load for reader in pages.values() for load in reader.loads}
    assert [load for load in loads if urlsplit(load).netloc or urlsplit(load).scheme] == []
    assert [path for path, reader in pages.items() if reader.scripts] == []
    styles = [content.decode() for path, content in published.items() if path.endswith(".css") and "/vendor/" not in path]
    assert styles
    assert not [style for style in styles if "http:" in style or "https:" in style or "@import" in style]


def test_pages_are_well_made(pages: dict[str, _Reader]) -> None:
    """A page has one first heading, no level left out on the way down, and no identifier twice."""
    assert [path for path, reader in pages.items() if reader.headings.count(1) != 1] == []
    assert [path for path, reader in pages.items() if len(reader.ids) != len(set(reader.ids))] == []
    skipped = [
        path
        for path, reader in pages.items()
        if any(lower > upper + 1 for upper, lower in zip(reader.headings, reader.headings[1:], strict=False))
    ]
    assert skipped == []


def test_a_page_of_the_framework_says_what_it_lists(published: dict[str, bytes]) -> None:
    """Each entry with its resource and the label it wears there; what the text only names stands apart."""
    page = published["id/page/data-discovery.html"].decode()
    listed, _, named = page[page.index("What it lists") :].partition("What it names in the text")
    assert '<a href="../../id/resource/beacon.html">Beacon</a> <span class="badge required">Required</span>' in listed
    assert '<a href="../../id/resource/user-portal.html">User Portal</a>' not in listed
    assert '<a href="../../id/resource/user-portal.html">User Portal</a>' in named


def test_what_is_required_in_general_is_not_said_to_be_for_a_use_case_only(published: dict[str, bytes]) -> None:
    """A label without a limit goes before one with a limit, on the first page as on that of the resource."""
    tiles = published["index.html"].decode().partition('<ul class="tiles">')[2]
    tile = tiles[tiles.index(">Phenopackets<") :].partition("</li>")[0]
    assert "for rare disease" not in tile
    labels = published["id/resource/phenopackets.html"].decode().partition('id="level"')[2].partition("</section>")[0]
    assert labels.index("in general") < labels.index("for rare disease only")


def test_weight(published: dict[str, bytes]) -> None:
    """No page is heavier than a reader on a telephone should have to wait for."""
    heavy = {path: len(gzip.compress(content)) for path, content in published.items() if path.endswith(".html")}
    assert {path: weight for path, weight in heavy.items() if weight > HEAVIEST} == {}


def test_long_lists_are_cut_aloud(project: Project, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a list that is too long for a page the page shows the first, says how many there are, and leads to all of them."""
    for module in ("onemg_kg.site", "onemg_kg.site.pages", "onemg_kg.site.things"):
        monkeypatch.setattr(module + ".SHOWN", 2)
    cut = {path: content.decode() for path, content in _pages(build.make(project)).items() if path.endswith(".html")}
    whole = {path: content.decode() for path, content in published.items() if path in cut}
    assert not any('class="rest' in content for content in whole.values())

    def section(content: str, anchor: str) -> str:
        return content[content.index(f'<section id="{anchor}"') :].partition("</section>")[0]

    shown, every = (section(pages["views/by-level.html"], "required") for pages in (cut, whole))
    number = every.count('class="name"')
    assert number > shown.count('class="name"') == 2
    assert f'The first 2 of {number}. All of them: <a href="../views/by-level.json">JSON</a>' in shown
    shown, every = (section(pages["views/node-checklist.html"], "node") for pages in (cut, whole))
    number = every.count('type="checkbox"')
    assert number > shown.count('type="checkbox"') == 2
    assert f'<span class="count">{number}</span>' in shown
    assert f"The first 2 of {number}. All of them are in the data below." in shown
    about = "id/framework.html"
    told = [int(found) for found in re.findall(r"and ([0-9]+) more, in the data of this page", cut[about])]
    assert sum(told) + cut[about].count("<tr>") - len(told) == whole[about].count("<tr>")
    answer = "questions/on-more-than-one-page.html"
    rows = whole[answer].partition("<tbody>")[2].count("<tr>")
    assert f"The first 2 of {rows}. All of them are in the file." in cut[answer]
    assert cut[answer].partition("<tbody>")[2].count("<tr>") == 2
    beacon = "id/resource/beacon.html"
    assert cut[beacon].count("line ") == whole[beacon].count("line "), "where it is listed is not cut"


def test_a_template_of_the_project_comes_first(project: Project, tmp_path: Path, published: dict[str, bytes]) -> None:
    """A project may replace a template by one of the same name in its folder ``templates/``."""
    for name in ("ontology", "data", "shapes", "queries"):
        (tmp_path / name).symlink_to(project.folder(name))
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "404.html").write_text("Nichts {{ url('index.html') }}\n", encoding="utf-8")
    pages = _pages(build.make(Project(tmp_path, project.version)))
    assert pages["404.html"] == b"Nichts /index.html\n"
    assert pages["index.html"] == published["index.html"]


def test_a_folder_of_templates_comes_before_those_of_the_project(project: Project, tmp_path: Path) -> None:
    """Who publishes may dress the site otherwise, and name the endpoint that the query editor asks."""
    (tmp_path / "404.html").write_text("{% extends 'base.html' %}{% block main %}<h1>Fort</h1>{% endblock %}", encoding="utf-8")
    place = Place("https://site.example/kg/", "/sparql", (tmp_path,))
    pages = _pages(build.make(project, place))
    assert "<h1>Fort</h1>" in pages["404.html"].decode()
    assert 'href="/kg/index.html"' in pages["404.html"].decode()
    assert "https://site.example/kg/id/resource/beacon.html" in pages["sitemap.xml"].decode()
    if "query.html" in pages:  # only where the editor was bundled
        assert 'data-endpoint="/sparql"' in pages["query.html"].decode()


@pytest.mark.slow
def test_html_is_valid(published: dict[str, bytes], tmp_path: Path) -> None:
    """The Nu HTML checker finds no error in any page."""
    checker = Path(__file__).resolve().parent / "npm" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    if not checker.is_file() or shutil.which("java") is None:
        pytest.skip(
            "the Nu HTML checker or Java is not here (make test installs the checker, where npm is), so HTML is not checked"
        )
    for path, content in published.items():
        if path.endswith(".html"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
    command = ["java", "-jar", str(checker), "--errors-only", "--skip-non-html", "--format", "json", str(tmp_path)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stderr)["messages"]
    assert [(said["url"].removeprefix(tmp_path.as_uri()), said.get("lastLine"), said["message"]) for said in told] == []
