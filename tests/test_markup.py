"""schema.org and Bioschemas mark-up: what a search engine reads from a page is what the graph says of the thing."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
import yaml
from liquid import Environment

from onemg_kg import catalogue, markup, queries, shacl
from onemg_kg.formats import FORMATS, tokens
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.store import Store, in_default_graph
from onemg_kg.terms import BASE, PREFIXES, term, text

# What the context that schema.org publishes says of the properties in use; it writes http: where the graph has https:.
CONTEXT = {
    "@vocab": PREFIXES["schema"],
    **{name: {"@type": "@id"} for name in ("contentUrl", "inDefinedTermSet", "license", "sameAs", "url")},
    **{name: {"@type": "Date"} for name in ("datePublished", "dateModified", "dissolutionDate", "foundingDate")},
}
SCHEMA = rdflib.Namespace(PREFIXES["schema"])
DATASET = BASE + "data/framework"


@pytest.fixture(scope="module")
def record(project: Project, loaded: Graph) -> list[ox.Triple]:
    """What the catalogue of a build says, of two files."""
    files = {f"framework{form.suffix}": (form, 1, "0" * 64) for form in (FORMATS["turtle"], FORMATS["jsonld"])}
    stated, inferred = (tokens(quad.triple for quad in quads) for quads in (loaded.stated, loaded.inferred))
    return catalogue.describe(loaded.lines, stated, inferred, files, project.version)


@pytest.fixture(scope="module")
def documents(project: Project, loaded: Graph, record: list[ox.Triple]) -> dict[str, bytes]:
    return markup.of_all(project, loaded.store, record)


def read(document: bytes) -> rdflib.Graph:
    """A document as a consumer reads it who knows the context of schema.org."""
    told = json.loads(document)
    assert told.pop("@context") == "https://schema.org/"
    return rdflib.Graph().parse(data=json.dumps({"@context": CONTEXT, **told}), format="json-ld")


@pytest.fixture(scope="module")
def everything(documents: dict[str, bytes]) -> rdflib.Graph:
    """All mark-up in one graph."""
    whole = rdflib.Graph()
    for document in documents.values():
        whole += read(document)
    return whole


def violations(graph: rdflib.Graph) -> set[tuple[str, str]]:
    """What breaks the shapes of mark-up: the node and the property."""
    shapes = ox.parse((Path(__file__).parent / "markup-shapes.ttl").read_bytes(), format=ox.RdfFormat.TURTLE)
    data = ox.parse(graph.serialize(format="nt").encode(), format=ox.RdfFormat.N_TRIPLES)
    found = shacl.validate(in_default_graph(q.triple for q in data), in_default_graph(q.triple for q in shapes))
    return {(finding.focus_node or finding.value, finding.path) for finding in found}


def test_reads_back_as_constructed(
    project: Project, loaded: Graph, record: list[ox.Triple], documents: dict[str, bytes], everything: rdflib.Graph
) -> None:
    """The pages together say what the queries construct, and each page says all of it that is about its own thing."""
    constructed = rdflib.Graph()
    for store in (loaded.store, Store(in_default_graph(record))):
        for query in queries.folder(project, "markup"):
            for triple in store.construct(query.text):
                constructed.parse(data=f"{triple} .", format="nt")
    assert set(everything) == set(constructed)
    for iri, document in documents.items():
        node = rdflib.URIRef(iri)
        assert set(read(document).predicate_objects(node)) == set(constructed.predicate_objects(node))


def test_shapes(everything: rdflib.Graph) -> None:
    """The mark-up has what Bioschemas asks for at least."""
    assert violations(everything) == set()


@pytest.mark.parametrize(
    ("iri", "path"),
    [
        ("id/resource/ghga-training-resources", "description"),
        ("id/resource/ghga-training-resources", "keywords"),
        ("id/resource/ghga-training-resources", "name"),
        ("id/resource/rems", "url"),
        ("data/framework", "license"),
        ("data/framework", "identifier"),
        ("data/framework.ttl", "sha256"),
        ("voc/role/researcher", "inDefinedTermSet"),
        ("id/page/data-discovery", "isPartOf"),
        ("id/project/gdi", "foundingDate"),
        ("id/org/csc", "name"),
    ],
)
def test_shapes_can_fail(everything: rdflib.Graph, iri: str, path: str) -> None:
    """Without a property that its profile asks for, a thing breaks the shapes, and nothing else does."""
    node = rdflib.URIRef(BASE + iri)
    if iri == "data/framework.ttl":
        node = next(n for n in everything.subjects(SCHEMA.name, rdflib.Literal("framework.ttl")))
    broken = rdflib.Graph() + everything
    assert (node, SCHEMA[path], None) in broken
    broken.remove((node, SCHEMA[path], None))
    assert {focus for focus, _ in violations(broken)} == {str(node)}


@pytest.mark.parametrize(
    ("iri", "type_"),
    [
        ("id/resource/ghga-training-resources", "LearningResource"),
        ("id/resource/rems", "SoftwareApplication"),
        ("id/resource/maturity-level-model", "CreativeWork"),
        ("id/resource/user-portal", "Service"),
        ("id/resource/synthetic-data-catalogue", "DataCatalog"),
        ("id/resource/rare-disease-survey", "Dataset"),
        ("id/resource/policy-for-incidental-findings", "DigitalDocument"),
        ("id/resource/infrastructure-cost-report", "Report"),
        ("id/resource/data-use-ontology", "DefinedTermSet"),
        ("id/resource/beacon", "TechArticle"),
        ("id/resource/vcf", "CreativeWork"),
        ("voc/role", "DefinedTermSet"),
        ("voc/role/researcher", "DefinedTerm"),
        ("id/org/ga4gh", "Organization"),
        ("id/project/gdi", "ResearchProject"),
        ("id/framework", "CreativeWork"),
        ("id/page/data-discovery", "WebPage"),
        ("data/framework", "Dataset"),
        ("data/catalogue", "DataCatalog"),
        ("ns", "DefinedTermSet"),
        ("", "WebSite"),
    ],
)
def test_type(documents: dict[str, bytes], iri: str, type_: str) -> None:
    """Each thing has the type of what it is."""
    assert json.loads(documents[BASE + iri])["@type"] == type_


def test_whatever_has_a_type_has_markup(loaded: Graph, documents: dict[str, bytes]) -> None:
    """No resource, page, project, organisation, scheme or concept of ours is left out, and nothing else is let in."""
    classes = "onemg:FrameworkResource onemg:FrameworkPage onemg:Project foaf:Organization skos:ConceptScheme owl:Ontology"
    classes += " cccev:ReferenceFramework dcat:Dataset dcat:Catalog"
    concepts = "?s skos:inScheme/a skos:ConceptScheme"
    prefixes = "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in "cccev dcat foaf onemg owl skos".split())
    query = f"SELECT DISTINCT ?s {{ {{ VALUES ?c {{ {classes} }} ?s a ?c }} UNION {{ {concepts} }} }}"
    rows = loaded.store.select(prefixes + query).rows
    assert {text(node) for (node,) in rows} | {BASE} == documents.keys()


def test_files_of_the_graph(documents: dict[str, bytes], record: list[ox.Triple]) -> None:
    """The page of the graph offers each of its files in full: address, media type, size and checksum."""
    files = json.loads(documents[DATASET])["distribution"]
    offered = {text(t.object) for t in record if t.predicate == term("dcat:downloadURL")}
    assert {file["contentUrl"] for file in files} == offered != set()
    assert all(len(file["sha256"]) == 64 and file["contentSize"].endswith(" B") for file in files)
    (turtle,) = (file for file in files if file["name"] == "framework.ttl")
    assert turtle["encodingFormat"] == "text/turtle"


def test_a_page_names_what_it_links(documents: dict[str, bytes]) -> None:
    """A reader who sees one page only learns what the things are called to which it refers."""
    told = json.loads(documents[BASE + "id/resource/rems"])
    assert told["creator"] == {
        "@id": BASE + "id/org/csc",
        "@type": "Organization",
        "name": "Finnish IT Center for Science (CSC)",
    }


def test_bound_to_one_thing(project: Project, loaded: Graph) -> None:
    """A query answers for one thing what it says of it among all."""
    for query in queries.folder(project, "markup"):
        whole = set(loaded.store.construct(query.text))
        one = min(text(triple.subject) for triple in whole if text(triple.subject).startswith(BASE))
        alone = set(loaded.store.construct(query.bind({"this": query.term("this", one)})))
        about = {triple for triple in whole if text(triple.subject) == one}
        assert about <= alone <= whole, query.name
        assert {text(t.subject) for t in alone if text(t.subject).startswith(BASE)} == {one}, query.name


class _Scripts(HTMLParser):
    """What a browser takes for the content of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script"
        if self.inside:
            self.found.append("")

    def handle_endtag(self, _: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1] += data


@pytest.fixture
def nasty(project: Project) -> tuple[str, dict[str, bytes]]:
    """The mark-up of a resource, and a page that lists it, whose titles try to break out of a script and of YAML."""
    title = "</script><script>alert(1)</script><!-- \u2028 \x85 \U0001f9ec \"' {{ page.url }} \\u003c"
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    turtle = f"""
        @prefix onemg: <{PREFIXES["onemg"]}> . @prefix dcterms: <{PREFIXES["dcterms"]}> . @prefix foaf: <{PREFIXES["foaf"]}> .
        <{BASE}id/framework> a <{PREFIXES["cccev"]}ReferenceFramework> ; foaf:homepage <https://site.example/base/> .
        <{BASE}id/page/p> a onemg:FrameworkPage ; dcterms:title "{quoted}"@en ;
          onemg:address <https://site.example/base/a/b%20c> .
    """
    quads = ox.parse(turtle.encode(), format=ox.RdfFormat.TURTLE)
    return title, markup.of_all(project, Store(in_default_graph(quad.triple for quad in quads)))


def test_stays_in_its_script(nasty: tuple[str, dict[str, bytes]]) -> None:
    """No text of the data ends the script in which it stands, and it reads back letter by letter."""
    title, documents = nasty
    page = documents[BASE + "id/page/p"].decode()
    scripts = _Scripts()
    scripts.feed(f'<script type="application/ld+json">{page}</script><p>')
    (script,) = scripts.found
    assert json.loads(script)["name"] == title


# ---- The Framework's own site ----


@pytest.fixture(scope="module")
def show() -> Callable[[dict[str, bytes], str], str]:
    """Renders the include on a page of a Jekyll site."""

    def render(files: dict[str, bytes], permalink: str) -> str:
        include = files["jekyll/_includes/onemg_jsonld.html"].decode()
        data = yaml.safe_load(files["jekyll/_data/onemg_jsonld.yml"])
        return Environment().from_string(include).render(site={"data": {"onemg_jsonld": data}}, page={"url": permalink})

    return render


def test_include_shows_the_same(documents: dict[str, bytes], show: Callable[[dict[str, bytes], str], str]) -> None:
    """On each page of the Framework the include shows the page's mark-up, and on another page nothing."""
    files = markup.jekyll(documents)
    shown = show(files, "/data-discovery")
    found = re.fullmatch(r'<script type="application/ld\+json">(.*)</script>\s*', shown, re.DOTALL)
    assert found
    assert found[1].encode() == documents[BASE + "id/page/data-discovery"]
    assert show(files, "/no-such-page").strip() == ""


def test_every_page_of_the_site_is_there(documents: dict[str, bytes], loaded: Graph) -> None:
    """The data file has each page of the Framework once, by its permalink."""
    pages = yaml.safe_load(markup.jekyll(documents)["jekyll/_data/onemg_jsonld.yml"])
    address = term("onemg:address")
    addresses = {text(quad.object) for quad in loaded.stated if quad.predicate == address}
    assert {"https://framework.onemilliongenomes.eu" + permalink for permalink in pages} == addresses != set()


def test_include_of_nasty_text(nasty: tuple[str, dict[str, bytes]], show: Callable[[dict[str, bytes], str], str]) -> None:
    """Text survives YAML and Liquid unchanged, and the permalink is below the site's base."""
    title, documents = nasty
    scripts = _Scripts()
    scripts.feed(show(markup.jekyll(documents), "/a/b%20c"))
    (script,) = scripts.found
    assert json.loads(script)["name"] == title


def test_same_bytes(project: Project, loaded: Graph, record: list[ox.Triple], documents: dict[str, bytes]) -> None:
    """The order of the statements does not matter."""
    shuffled = Store([*reversed(loaded.inferred), *reversed(loaded.stated)])
    again = markup.of_all(project, shuffled, record[::-1])
    assert list(again.items()) == list(documents.items())
