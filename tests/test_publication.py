"""What tells programs that the site is there: valid, true, and without a time of its own."""

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, VOID
from rocrate.rocrate import ROCrate

from onemg_kg import catalogue, publication
from onemg_kg.formats import FORMATS, tokens
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.store import Store, in_default_graph
from onemg_kg.terms import BASE, PREFIXES

ORIGIN = "https://site.example/kg/"
PAGES = ["index.html", "voc/role/researcher.html", "id/resource/a&b c.html", "voc/x/Łódź%2F.html"]
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})")
DATASET = rdflib.URIRef(BASE + "data/framework")
DUMPS = {
    f"{name}{form.suffix}": (form, (name + form.name).encode())
    for name in ("framework", "inferred")
    for form in FORMATS.values()
}


@pytest.fixture(scope="module")
def record(project: Project, loaded: Graph) -> list[ox.Triple]:
    stated, inferred = (tokens(quad.triple for quad in quads) for quads in (loaded.stated, loaded.inferred))
    told = {dump: (form, len(content), hashlib.sha256(content).hexdigest()) for dump, (form, content) in DUMPS.items()}
    return catalogue.describe(loaded.lines, stated, inferred, told, project.version)


@pytest.fixture(scope="module")
def files(project: Project, loaded: Graph, record: list[ox.Triple]) -> dict[str, bytes]:
    return publication.render(project, loaded.store, record, ORIGIN, PAGES)


def test_same_bytes(project: Project, loaded: Graph, record: list[ox.Triple], files: dict[str, bytes]) -> None:
    """Neither the order of statements and pages nor the moment changes anything."""
    shuffled = Store([*reversed(loaded.inferred), *reversed(loaded.stated)])
    assert publication.render(project, shuffled, record[::-1], ORIGIN, PAGES[::-1]) == files


def test_void(files: dict[str, bytes]) -> None:
    """The well-known place leads from the document to the dataset, its dumps and its size (VoID, sections 6 and 7.2)."""
    void = rdflib.Graph().parse(data=files[".well-known/void"], format="turtle")
    (document,) = void.subjects(RDF.type, VOID.DatasetDescription)
    assert void.value(document, FOAF.primaryTopic) == DATASET
    assert (DATASET, RDF.type, VOID.Dataset) in void
    assert {str(dump) for dump in void.objects(DATASET, VOID.dataDump)} == {f"{BASE}data/{name}" for name in DUMPS}
    assert void.value(DATASET, VOID.triples) is not None


# ---- Site map and robots ----


def _locations(document: bytes) -> list[str]:
    return [place.text or "" for place in ElementTree.fromstring(document).iter(SITEMAP + "loc")]


def test_sitemap(files: dict[str, bytes]) -> None:
    """Every page has its address, percent-encoded, in the namespace of the protocol."""
    assert ElementTree.fromstring(files["sitemap.xml"]).tag == SITEMAP + "urlset"
    assert _locations(files["sitemap.xml"]) == sorted(ORIGIN + quote(page, safe="/&") for page in PAGES)
    assert f"Sitemap: {ORIGIN}sitemap.xml" in files["robots.txt"].decode().splitlines()


def test_sitemap_of_many_pages(project: Project, loaded: Graph) -> None:
    """Beyond fifty thousand pages there is an index of site maps, each no longer than that."""
    pages = [f"id/resource/{number}.html" for number in range(50_001)]
    made = publication.render(project, loaded.store, [], ORIGIN, pages)
    assert ElementTree.fromstring(made["sitemap.xml"]).tag == SITEMAP + "sitemapindex"
    parts = [_locations(made[place.removeprefix(ORIGIN)]) for place in _locations(made["sitemap.xml"])]
    assert [len(part) for part in parts] == [50_000, 1]
    assert {place for part in parts for place in part} == {ORIGIN + page for page in pages}


# ---- Feeds ----


def test_atom(files: dict[str, bytes]) -> None:
    """The feed has what RFC 4287, sections 4.1.1 and 4.1.2, asks of a feed and of each entry."""
    feed = ElementTree.fromstring(files["feed.xml"])
    assert feed.tag == ATOM + "feed"
    entries = feed.findall(ATOM + "entry")
    ids = []
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            (found,) = element.findall(ATOM + name)
            assert found.text, f"an empty {name}"
        assert MOMENT.fullmatch(element.findtext(ATOM + "updated", ""))
        ids.append(element.findtext(ATOM + "id", ""))
        assert ids[-1].startswith(BASE)
    assert len(set(ids)) == len(ids) > 1
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    links = {link.get("rel"): link.get("href") for link in feed.findall(ATOM + "link")}
    assert links == {"self": ORIGIN + "feed.xml", "alternate": ORIGIN}
    assert all((entry.find(ATOM + "link") is not None) and entry.findtext(ATOM + "summary") for entry in entries)
    moments = [entry.findtext(ATOM + "updated", "") for entry in entries]
    assert moments == sorted(moments, reverse=True)
    assert feed.findtext(ATOM + "updated") == moments[0]


def test_changes_are_those_of_the_data(files: dict[str, bytes]) -> None:
    """The state of the Framework's site and the version of the ontology are told with their own dates."""
    told = {item["id"]: item for item in json.loads(files["feed.json"])["items"]}
    site = told[BASE + "id/framework/source"]
    assert (site["title"], site["date_modified"]) == ("1+MG Framework of 2026-03-13", "2026-03-13T00:00:00Z")
    assert "8a6f7d606d4306593e5ac5e34adc2e6a3673739c" in site["content_text"]
    assert site["url"] == ORIGIN + "id/framework/source.html"
    assert told[BASE + "ns/1.0.0"]["title"] == "1+MG Framework Ontology 1.0.0"


def test_json_feed(files: dict[str, bytes]) -> None:
    """The JSON Feed (version 1.1) says the same as the Atom feed."""
    told = json.loads(files["feed.json"])
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert (told["home_page_url"], told["feed_url"]) == (ORIGIN, ORIGIN + "feed.json")
    atom = ElementTree.fromstring(files["feed.xml"])
    assert told["title"] == atom.findtext(ATOM + "title")
    names = {"id": "id", "title": "title", "updated": "date_modified", "summary": "content_text"}
    said = [{new: entry.findtext(ATOM + old) for old, new in names.items()} for entry in atom.findall(ATOM + "entry")]
    assert said == [{name: item[name] for name in names.values()} for item in told["items"]]


def _changes(project: Project, record: list[ox.Triple], turtle: str) -> dict[str, str]:
    """The entries that a graph of one resource gives: title and moment by IRI."""
    head = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items())
    quads = ox.parse((head + turtle).encode(), format=ox.RdfFormat.TURTLE)
    made = publication.render(project, Store(in_default_graph(quad.triple for quad in quads)), record, ORIGIN, [])
    return {item["id"]: item["date_modified"] for item in json.loads(made.get("feed.json", b'{"items": []}'))["items"]}


@pytest.mark.parametrize(
    ("dates", "moment"),
    [
        ('dcterms:issued "2024-02-29"^^xsd:date', "2024-02-29T00:00:00Z"),
        ('dcterms:issued "2024-02-29"^^xsd:date ; dcterms:modified "2025-01-01"^^xsd:date', "2025-01-01T00:00:00Z"),
        ('dcterms:modified "2025-01-01T10:00:00+01:00"^^xsd:dateTime', "2025-01-01T10:00:00+01:00"),
        ('dcterms:issued "2024"^^xsd:gYear', None),
        ('dcterms:issued "2024-02"^^xsd:gYearMonth', None),
        ('dcterms:modified "2025-01-01T10:00:00"^^xsd:dateTime', None),
    ],
)
def test_moment_of_a_change(project: Project, record: list[ox.Triple], dates: str, moment: str | None) -> None:
    """A resource is told of when the data have a day for it; no year becomes a day, no time without a zone a moment."""
    turtle = f'resource:x a onemg:Tool ; dcterms:title "X & <Y>"@en ; dcterms:description "What it is."@en ; {dates} .'
    expected = {BASE + "id/resource/x": moment} if moment else {}
    assert _changes(project, record, turtle) == expected


def test_nothing_is_said_of_no_dataset(project: Project) -> None:
    """Without a record there is no feed and no crate, and the rest is there."""
    made = publication.render(project, Store(), [], ORIGIN, PAGES)
    assert set(made) == {".well-known/void", "sitemap.xml", "robots.txt", "deprecated.json"}


def test_a_project_without_these_queries(tmp_path: Path, loaded: Graph, record: list[ox.Triple]) -> None:
    """A project of one's own needs none of the queries: what they would give is left out."""
    own = Project(tmp_path, "1.0.0")
    assert set(publication.render(own, loaded.store, record, ORIGIN, PAGES)) == {
        ".well-known/void",
        "sitemap.xml",
        "robots.txt",
        "deprecated.json",
    }
    assert publication.gdi(own, loaded.store) == []


# ---- RO-Crate ----


@pytest.mark.parametrize(
    ("name", "version", "root", "folder"),
    [
        ("ro-crate-metadata.json", "1.1", "./", ""),
        ("framework-ro-crate-metadata.json", "1.2", BASE, BASE),
    ],
)
def test_ro_crate(files: dict[str, bytes], name: str, version: str, root: str, folder: str) -> None:
    """The maintained library reads the crate back: every dump with its checksum, the licence, and the date of the data."""
    crate = ROCrate(json.loads(files[name]))
    assert crate.version == version
    dataset = crate.root_dataset
    assert dataset.id == root
    assert dataset["datePublished"] == "2026-03-13"
    assert dataset["license"].id == "https://creativecommons.org/licenses/by/4.0/"
    assert dataset["publisher"]["name"] == "1+MG Framework knowledge graph editors"
    held = {entity.id: entity for entity in crate.data_entities}
    assert set(held) == {f"{folder}data/{dump}" for dump in DUMPS}
    for dump, (form, content) in DUMPS.items():
        entity = held[f"{folder}data/{dump}"]
        assert entity["encodingFormat"] == form.media_type
        assert entity["contentSize"] == str(len(content))
        assert entity["sha256"] == hashlib.sha256(content).hexdigest()


# ---- The User Portal of GDI ----

GDI = "http://data.gdi.eu/core/p2/"
SHAPES = ("AgentCreator", "AgentHdab", "Catalog", "DataService", "Dataset", "Distribution", "Identifier", "Kind", "Resource")
PORTAL = f"""
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<https://portal.example/d> a dcat:Dataset ; dcterms:conformsTo <{GDI}1MGCompliant> ;
  dcterms:title "A dataset of the portal"@en ;
  dcterms:description "For this test."@en ; dcterms:identifier "GDI-XX-TEST-1" ; dcterms:creator <https://portal.example/o> ;
  dcterms:publisher <https://portal.example/o> ; dcat:theme <http://publications.europa.eu/resource/authority/data-theme/HEAL> ;
  dcterms:accessRights <http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC> ;
  <http://data.europa.eu/r5r/applicableLegislation> <http://data.europa.eu/eli/reg/2025/327/oj> ;
  <http://healthdataportal.eu/ns/health#healthCategory> <{GDI}HealthCategoryHumanGenomic> .
<https://portal.example/o> a foaf:Agent ; foaf:name "Somebody"@en .
"""


@pytest.fixture(scope="module")
def bridge(project: Project, loaded: Graph) -> rdflib.Graph:
    """What a build writes."""
    triples = publication.gdi(project, loaded.store)
    return rdflib.Graph().parse(data=FORMATS["turtle"].write(triples, PREFIXES), format="turtle")


@pytest.fixture(scope="module")
def gdi_shapes(project: Project) -> rdflib.Graph:
    folder = project.root.parent / "shared" / "checks" / "gdi-metadata"
    if not folder.is_dir():
        pytest.skip("the shapes of GDI are not at ../shared/checks/gdi-metadata, so the bridge is not held against them")
    shapes = rdflib.Graph()
    for name in SHAPES:
        shapes.parse(folder / f"{name}.ttl", format="turtle")
    return shapes


def _broken(data: rdflib.Graph, shapes: rdflib.Graph) -> set[tuple[str, str]]:
    """Node and property of each result, by the last part of the property's name."""
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    assert isinstance(report, rdflib.Graph)
    results = report.subjects(RDF.type, rdflib.SH.ValidationResult)
    return {
        (str(report.value(r, rdflib.SH.focusNode)), re.split("[#/]", str(report.value(r, rdflib.SH.resultPath)))[-1])
        for r in results
    }


def test_bridge_passes(bridge: rdflib.Graph, gdi_shapes: rdflib.Graph) -> None:
    """GDI's own shapes find nothing, and they did look: at the publisher, at least."""
    assert _broken(bridge, gdi_shapes) == set()
    (publisher,) = bridge.subjects(RDF.type, FOAF.Agent)
    nameless = rdflib.Graph() + bridge
    nameless.remove((publisher, FOAF.name, None))
    assert _broken(nameless, gdi_shapes) == {(str(publisher), "name")}


def test_why_the_graph_is_no_dataset_there(bridge: rdflib.Graph, gdi_shapes: rdflib.Graph) -> None:
    """As a dataset the graph would lack what is not true of it, and nothing else; so the record leaves that type out."""
    assert (DATASET, RDF.type, DCAT.Resource) in bridge
    assert (None, RDF.type, DCAT.Dataset) not in bridge
    claimed = rdflib.Graph() + bridge
    claimed.add((DATASET, RDF.type, DCAT.Dataset))
    untrue = {"applicableLegislation", "healthCategory", "identifier"}
    assert _broken(claimed, gdi_shapes) == {(str(DATASET), name) for name in untrue}


def test_why_there_is_no_contact(bridge: rdflib.Graph, record: list[ox.Triple], gdi_shapes: rdflib.Graph) -> None:
    """GDI asks for the electronic mail address of a contact, which the catalogue does not have."""
    whole = bridge + rdflib.Graph().parse(data=FORMATS["turtle"].write(record, PREFIXES), format="turtle")
    (contact,) = whole.objects(DATASET, DCAT.contactPoint)
    assert (str(contact), "hasEmail") in _broken(whole, gdi_shapes)
    assert (None, DCAT.contactPoint, None) not in bridge


def test_bridge_leads_from_the_portal_to_the_requirements(
    bridge: rdflib.Graph, loaded: Graph, gdi_shapes: rdflib.Graph
) -> None:
    """From a record of the portal that conforms to 1+MG one reaches what the Framework labels as Required."""
    portal = rdflib.Graph().parse(data=PORTAL, format="turtle")
    assert _broken(bridge + portal, gdi_shapes) == set()
    whole = bridge + portal
    (standard,) = whole.objects(rdflib.URIRef("https://portal.example/d"), DCTERMS.conformsTo)
    level = whole.value(standard, rdflib.RDFS.seeAlso)
    onemg = PREFIXES["onemg"]
    required = loaded.store.select(f"SELECT ?r {{ ?s <{onemg}level> <{level}> ; <{onemg}statesRequirementFor> ?r }}")
    assert required.rows


def test_what_is_withdrawn(project: Project) -> None:
    """A server learns which things are deprecated, and what took the place of each."""
    data = f"""@prefix dcterms: <http://purl.org/dc/terms/> . @prefix owl: <http://www.w3.org/2002/07/owl#> . @base <{BASE}> .
    <id/resource/old> owl:deprecated true ; dcterms:isReplacedBy <id/resource/new>, <id/resource/other> .
    <voc/role/gone> owl:deprecated true . <id/resource/kept> owl:deprecated false ."""
    files = publication.render(project, Store(ox.parse(data, format=ox.RdfFormat.TURTLE)), [], ORIGIN, [])
    assert json.loads(files["deprecated.json"]) == {
        "id/resource/old": {"replacedBy": [BASE + "id/resource/new", BASE + "id/resource/other"]},
        "voc/role/gone": {"replacedBy": []},
    }
