"""The record of the graph itself: what portals harvest."""

import hashlib
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, PROV, RDF, RDFS, VOID

from onemg_kg import build
from onemg_kg.formats import FORMATS
from onemg_kg.project import Project
from onemg_kg.store import Store, in_default_graph
from onemg_kg.terms import BASE, NS, PREFIXES, text

DATASET = rdflib.URIRef(BASE + "data/framework")
SPDX = rdflib.Namespace(PREFIXES["spdx"])


@pytest.fixture(scope="module")
def record(built: build.Built) -> rdflib.Graph:
    return rdflib.Graph().parse(data=built.files["catalogue.ttl"], format="turtle")


@pytest.fixture(scope="module")
def dumps(built: build.Built) -> Store:
    """What a user gets who loads the graph and what follows from it."""
    store = Store()
    for name in ("framework.nt", "inferred.nt"):
        store.add(in_default_graph(q.triple for q in ox.parse(built.files[name], format=ox.RdfFormat.N_TRIPLES)))
    return store


def _one(graph: rdflib.Graph, subject: rdflib.term.Node, predicate: rdflib.URIRef) -> rdflib.term.Node:
    found = list(graph.objects(subject, predicate))
    assert len(found) == 1, f"{subject} has {len(found)} values of {predicate}"
    return found[0]


@pytest.mark.parametrize("shapes", ["shapes", "range"])
def test_dcat_ap(record: rdflib.Graph, project: Project, shapes: str) -> None:
    """The record conforms to DCAT-AP 3.0.1: the shapes of the profile, and those of its ranges."""
    folder = project.root.parent / "shared" / "checks" / "dcat-ap-3.0.1"
    if not folder.is_dir():
        pytest.skip("the shapes of DCAT-AP are not at ../shared/checks/dcat-ap-3.0.1, so the record is not held against them")
    data = rdflib.Graph() + record
    data.parse(folder / "authority-stubs.ttl", format="turtle")
    conforms, _, report = pyshacl.validate(
        data, shacl_graph=rdflib.Graph().parse(folder / f"{shapes}.ttl", format="turtle"), inference="none"
    )
    assert conforms, report


def test_dcat_ap_would_find_something(record: rdflib.Graph, project: Project) -> None:
    """The shapes of DCAT-AP are really applied: without its title the dataset does not conform."""
    path = project.root.parent / "shared" / "checks" / "dcat-ap-3.0.1" / "shapes.ttl"
    if not path.is_file():
        pytest.skip("the shapes of DCAT-AP are not at ../shared/checks/dcat-ap-3.0.1, so the record is not held against them")
    data = rdflib.Graph() + record
    data.remove((DATASET, DCTERMS.title, None))
    conforms, _, _ = pyshacl.validate(data, shacl_graph=rdflib.Graph().parse(path, format="turtle"), inference="none")
    assert not conforms


LEFT_OUT = {
    "issued": "the catalogue has not been published yet",
    "spatial": "the graph covers a framework and no place",
    "temporal": "the graph covers a framework and no period",
    "availability": "for how long the files are kept is for their host to promise",
    "type": "the editors are no body of a kind that the EU's list has",
}
"""What DCAT-AP recommends and nobody can truthfully say, by the local name of the property."""


def test_dcat_ap_recommended(record: rdflib.Graph, project: Project) -> None:
    """Whatever DCAT-AP recommends is there, but for what would have to be invented."""
    path = project.root.parent / "shared" / "checks" / "dcat-ap-3.0.1" / "shapes_recommended.ttl"
    if not path.is_file():
        pytest.skip("the shapes of DCAT-AP are not at ../shared/checks/dcat-ap-3.0.1, so the record is not held against them")
    data = rdflib.Graph() + record
    _, report, _ = pyshacl.validate(data, shacl_graph=rdflib.Graph().parse(path, format="turtle"), inference="none")
    assert isinstance(report, rdflib.Graph)
    missing = {
        str(report.value(result, rdflib.SH.resultPath)) for result in report.subjects(RDF.type, rdflib.SH.ValidationResult)
    }
    assert {path.rpartition("/")[2].rpartition("#")[2] for path in missing} == set(LEFT_OUT)
    license_ = _one(record, DATASET, DCTERMS.license)
    assert (license_, DCTERMS.type, None) in record


COUNTS = {
    VOID.triples: "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    VOID.distinctSubjects: "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }",
    VOID.distinctObjects: "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }",
    VOID.properties: "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }",
    VOID["classes"]: "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c }",
    VOID.entities: f'SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), "{BASE}")) }}',
}


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_counts(record: rdflib.Graph, dumps: Store, name: rdflib.URIRef) -> None:
    """Each number that VoID asks for is what SPARQL counts in the dumps."""
    counted = dumps.select(COUNTS[name]).rows[0][0]
    assert int(_one(record, DATASET, name)) == int(text(counted)) > 0


def test_class_partitions(record: rdflib.Graph, dumps: Store) -> None:
    """Each class of the ontology that has members is told with their number, as SPARQL counts them."""
    rows = dumps.select(
        f'SELECT ?c (COUNT(DISTINCT ?s) AS ?n) {{ ?s a ?c FILTER(STRSTARTS(STR(?c), "{NS}")) }} GROUP BY ?c'
    ).rows
    told = {
        str(_one(record, part, VOID["class"])): int(_one(record, part, VOID.entities))
        for part in record.objects(DATASET, VOID.classPartition)
    }
    assert told == {text(class_): int(text(number)) for class_, number in rows}
    assert NS + "FrameworkResource" in told


def test_stated_and_inferred(record: rdflib.Graph, built: build.Built) -> None:
    """The record says how much is stated and how much follows."""
    for part, number in (("stated", built.stated), ("inferred", built.inferred)):
        node = rdflib.URIRef(f"{DATASET}#{part}")
        assert (DATASET, VOID.subset, node) in record
        assert int(_one(record, node, VOID.triples)) == number


def test_distributions(record: rdflib.Graph, built: build.Built) -> None:
    """Each file of the graph is a distribution with its size, SHA-256 and media type, and each distribution is a file."""
    media_types = {form.suffix: form.media_type for form in FORMATS.values()}
    found = set()
    for node in record.objects(DATASET, DCAT.distribution):
        name = str(_one(record, node, DCTERMS.title))
        found.add(name)
        content = built.files[name]
        size = _one(record, node, DCAT.byteSize)
        assert int(size) == len(content)
        assert size.datatype == rdflib.XSD.nonNegativeInteger
        checksum = _one(record, node, SPDX.checksum)
        assert str(_one(record, checksum, SPDX.checksumValue)) == hashlib.sha256(content).hexdigest()
        assert _one(record, checksum, SPDX.algorithm) == SPDX.checksumAlgorithm_sha256
        assert str(_one(record, node, DCAT.mediaType)).endswith(media_types[Path(name).suffix])
        assert str(_one(record, node, DCAT.downloadURL)).endswith("/" + name)
        assert _one(record, node, DCTERMS.license) == _one(record, DATASET, DCTERMS.license)
        assert (DATASET, VOID.dataDump, node) in record
    assert found == {name for name in built.files if name.startswith(("framework.", "inferred."))}


def test_provenance(record: rdflib.Graph, project: Project) -> None:
    """The record names the commit of the site from which the graph derives, as data/source.ttl has it, and its date."""
    stated = rdflib.Graph().parse(project.folder("data") / "source.ttl", format="turtle")
    source = _one(record, DATASET, PROV.wasDerivedFrom)
    assert _one(record, source, DCTERMS.identifier) == _one(stated, source, DCTERMS.identifier)
    assert _one(record, DATASET, DCTERMS.modified) == _one(stated, source, DCTERMS.issued)
    activity = _one(record, DATASET, PROV.wasGeneratedBy)
    assert (activity, RDF.type, PROV.Activity) in record
    assert (activity, PROV.used, source) in record
    assert (activity, PROV.wasAssociatedWith, None) in record


def test_version(record: rdflib.Graph, project: Project) -> None:
    """The version of the record is that of the project."""
    assert str(_one(record, DATASET, rdflib.URIRef(PREFIXES["dcat"] + "version"))) == project.version


def test_self_contained(record: rdflib.Graph) -> None:
    """Whatever of ours the record speaks of, other than documents to fetch, it describes."""
    documents = {DCAT.accessURL, DCAT.downloadURL, DCAT.landingPage, rdflib.FOAF.homepage, VOID.exampleResource}
    documents |= {DCTERMS.conformsTo, VOID["class"], VOID.vocabulary}
    for subject, predicate, object_ in record:
        if isinstance(object_, rdflib.URIRef) and object_.startswith(BASE) and predicate not in documents:
            assert (object_, RDF.type, None) in record, f"{subject} {predicate} {object_}"
    assert (DATASET, RDF.type, DCAT.Dataset) in record
    assert (DATASET, RDF.type, VOID.Dataset) in record
    assert not list(record.subject_objects(RDFS.label))
