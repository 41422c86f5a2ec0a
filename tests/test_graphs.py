"""The names of graphs lead to documents: each holds the statements of its graph, no other, and says where they come from."""

from collections import defaultdict

import pyoxigraph as ox
import pytest

from onemg_kg.addresses import document
from onemg_kg.descriptions import Descriptions
from onemg_kg.formats import FORMATS
from onemg_kg.graph import GRAPHS, Graph
from onemg_kg.site.graphs import About, about, read
from onemg_kg.store import by_graph, to_lines
from onemg_kg.terms import BASE, term, text


@pytest.fixture(scope="module")
def held(loaded: Graph) -> dict[str, list[ox.Quad]]:
    """The graphs by name, as the files and the rules have them."""
    found: dict[str, list[ox.Quad]] = defaultdict(list)
    for quad in [*loaded.stated, *loaded.shapes, *loaded.inferred]:
        found[text(quad.graph_name)].append(quad)
    return found


def _parsed(content: bytes, form: ox.RdfFormat) -> set[ox.Quad]:
    dataset = ox.Dataset(ox.parse(content, format=form, base_iri=BASE))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return set(dataset)


def test_each_graph_is_served_under_its_name(held: dict[str, list[ox.Quad]], published: dict[str, bytes]) -> None:
    """Exactly: who reads the document of a name into a graph of that name has the graph, whatever the format."""
    assert len(held) > 300
    wrong = []
    for name, quads in held.items():
        path = document(name)[0]
        expected = ox.Dataset(quads)
        expected.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        if _parsed(published[path + ".nq"], ox.RdfFormat.N_QUADS) != set(expected):
            wrong.append(name)
        bare = ox.Dataset(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
        bare.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        if _parsed(published[path + ".nt"], ox.RdfFormat.N_TRIPLES) != set(bare):
            wrong.append(name)
        wrong += [name + form.suffix for form in FORMATS.values() if path + form.suffix not in published]
        wrong += [] if f"<dt>Statements</dt><dd>{len(quads):,}</dd>" in published[path + ".html"].decode() else [path]
    assert wrong == []


def test_every_graph_that_a_statement_names_is_there(published: dict[str, bytes]) -> None:
    """Whichever graph the dumps or the document of a thing name, its name leads somewhere; that of the build's record too."""
    named = set()
    for path in ("data/framework.nq", "ns.nq", "shapes.nq", "id/resource/beacon.nq", "data/framework.ttl.nq"):
        quads = ox.parse(published[path], format=ox.RdfFormat.N_QUADS)
        named |= {text(quad.graph_name) for quad in quads} - {""}
    assert any(name.startswith(GRAPHS + "build/") for name in named)
    assert [name for name in named if document(name)[0] + ".html" not in published] == []


def test_a_page_says_where_its_graph_comes_from(published: dict[str, bytes]) -> None:
    """A file leads to the page of the Framework that it was read from; a rule is shown with what it says."""
    listing = published["graph/data/listings/data-discovery.html"].decode()
    assert "data/listings/data-discovery.ttl" in listing
    assert '<a href="https://framework.onemilliongenomes.eu/data-discovery">' in listing
    assert 'href="../../../id/page/data-discovery.html"' in listing
    rule = published["graph/rules/listed-on-role-page.html"].decode()
    assert "<h1>Listed on the page of the role</h1>" in rule
    assert "CONSTRUCT" in rule
    assert 'href="../../rules/inference.html#listed-on-role-page"' in rule
    assert "Read from" not in rule


def test_pages_of_things_lead_to_their_graphs(published: dict[str, bytes]) -> None:
    """Beside a statement stands the file that states it, and that is a link to the graph; one page lists all graphs."""
    beacon = published["id/resource/beacon.html"].decode()
    assert '<a href="../../graph/data/resources/beacon.html"><code>data/resources/beacon.ttl</code></a>' in beacon
    listed = published["graph/index.html"].decode()
    pages = [path for path in published if path.startswith("graph/") and path.endswith(".html") and path != "graph/index.html"]
    assert len(pages) > 300
    assert [path for path in pages if f'href="../{path}"' not in listed] == []


def test_a_name_that_is_no_plain_path() -> None:
    """A graph's name may hold what a file's name may not; its document stands where any IRI's stands."""
    name = GRAPHS + "data/a%20b"
    quad = ox.Quad(term("id/resource/x"), term("dcterms:title"), ox.Literal("X"), ox.NamedNode(name))
    descriptions = Descriptions(by_graph([quad]).items())
    (graph,) = read(descriptions.sizes, {}).values()
    assert (graph.path, graph.file, graph.title) == ("graph/data/a%2520b", "data/a b.ttl", "data/a b.ttl")
    assert about(graph, [to_lines([quad.triple])], descriptions) == About([BASE + "id/resource/x"], 1, {})
