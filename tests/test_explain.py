"""Everything known of one thing, and where each statement comes from."""

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import explain, graph
from onemg_kg.errors import QueryError
from onemg_kg.graph import Graph
from onemg_kg.project import FOLDERS, Project, find
from onemg_kg.terms import BASE, expand, term, text

BEACON = BASE + "id/resource/beacon"


@pytest.fixture(scope="module")
def beacon(project: Project, loaded: Graph) -> explain.Explanation:
    return explain.explain(project, loaded, "beacon")


@pytest.mark.parametrize(
    "name", [BEACON, "id/resource/beacon", "beacon", "Beacon", "BEACON V2", "GA4GH Beacon V2", "resource:beacon"]
)
def test_find(loaded: Graph, name: str) -> None:
    """A thing is found by its IRI, a prefixed name, its path, the last part of it, and any title in any case."""
    assert explain.find(loaded, name) == BEACON


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("onemg:Standard", "ns#Standard"),
        ("Standard", "ns#Standard"),
        ("voc/use-case/cancer", "voc/use-case/cancer"),
        ("researcher", "voc/role/researcher"),
        ("Rare diseases", "voc/use-case/rare-disease"),
        ("GDI", "id/project/gdi"),
        ("Germany", "country:DEU"),
        ("DEU", "country:DEU"),
        ("page/cancer", "id/page/cancer"),
    ],
)
def test_find_other_things(loaded: Graph, name: str, found: str) -> None:
    """Concepts, terms, projects and countries are things too, and come before the pages about them."""
    assert explain.find(loaded, name) == expand(found)


def test_nothing(loaded: Graph) -> None:
    """What nothing is called is refused, with where to look."""
    with pytest.raises(QueryError, match="nothing is called 'no such thing'") as caught:
        explain.find(loaded, "no such thing")
    assert caught.value.fix


def test_ambiguous(loaded: Graph) -> None:
    """A name of several things is refused with all of them, each of which can then be named."""
    with pytest.raises(QueryError, match="more than one thing is called 'Data discovery'") as caught:
        explain.find(loaded, "Data discovery")
    options = caught.value.message.partition(": ")[2].rstrip(".").split(", ")
    assert {"voc/section/data-discovery", "voc/ehds-journey/data-discovery"} <= set(options)
    for option in options:
        assert explain.find(loaded, option) == BASE + option


def test_complete(beacon: explain.Explanation, loaded: Graph) -> None:
    """Every statement about the thing is there, stated, inferred or from the other end, and no other."""
    node = ox.NamedNode(BEACON)

    def told(statements: list[explain.Statement]) -> list[tuple[str, str, str]]:
        return sorted((s.subject, s.predicate, s.object) for s in statements)

    def held(quads: list[ox.Quad]) -> list[tuple[str, str, str]]:
        return sorted((text(q.subject), text(q.predicate), str(q.object)) for q in quads)

    assert beacon.thing == BEACON
    assert beacon.label == "Beacon"
    assert told(beacon.stated) == held([quad for quad in loaded.stated if quad.subject == node])
    assert told(beacon.follows) == held([quad for quad in loaded.inferred if quad.subject == node])
    assert told(beacon.inverse) == held([quad for quad in loaded.stated if quad.object == node])
    assert beacon.stated
    assert beacon.follows
    assert beacon.inverse


def test_file_and_line(beacon: explain.Explanation, project: Project) -> None:
    """A stated statement names its file, and the line there says it."""
    for told in (*beacon.stated, *beacon.inverse):
        lines = (project.root / told.source).read_text(encoding="utf-8").splitlines()
        name = told.object.strip("<>").rpartition("/")[2].rpartition("#")[2]
        said = told.object[1 : told.object.rindex('"')] if told.object.startswith('"') else name
        assert said in lines[told.line - 1], told
        assert told.rule == ""


def test_rule(beacon: explain.Explanation, project: Project) -> None:
    """A statement that follows names the file of the rule and what the rule says, and no line."""
    for told in beacon.follows:
        assert told.source.startswith("queries/rules/")
        header = (project.root / told.source).read_text(encoding="utf-8")
        assert f"#+ title: {told.rule}\n" in header
        assert told.line == 0


def test_page_and_line(beacon: explain.Explanation, loaded: Graph) -> None:
    """A statement that was read from the site names the page's file and the line there."""
    lists = [told for told in beacon.inverse if told.predicate == expand("onemg:lists")]
    assert lists
    for told in lists:
        place = loaded.store.select(
            f"SELECT ?f ?n {{ <{told.subject}> <{expand('onemg:onPage')}>/<{expand('onemg:sourceFile')}> ?f ; "
            f"<{expand('onemg:sourceLine')}> ?n }}"
        ).rows
        assert [(text(file), int(text(number))) for file, number in place] == [(told.page, told.page_line)]


def test_labels(beacon: explain.Explanation) -> None:
    """The other end of a statement is named, where it has a name."""
    publisher = next(told for told in beacon.stated if told.predicate == expand("dcterms:publisher"))
    assert publisher.label
    title = next(told for told in beacon.stated if told.predicate == expand("dcterms:title"))
    assert title.label == ""


def test_everything_can_be_explained(project: Project, loaded: Graph) -> None:
    """One thing of each class can be explained, whatever it is."""
    samples = {text(q.object): text(q.subject) for q in loaded.stated if q.predicate == term("rdf:type")}
    named = [iri for iri in samples.values() if iri.startswith("http")]
    assert len(named) > len(FOLDERS)
    for iri in named:
        found = explain.explain(project, loaded, iri)
        assert found.stated, iri
        assert all(told.line for told in found.stated if not told.object.startswith("_:")), iri


def test_unvalidated_graph(project: Project, tmp_path: Path) -> None:
    """A graph that no shape would pass can be explained too: that is when one needs it."""
    for name in FOLDERS:
        shutil.copytree(project.folder(name), tmp_path / name)
    odd = tmp_path / "data" / "an odd name.ttl"
    odd.write_text(f'<{BASE}id/listing/odd> <{BASE}ns#sourceLine> "first" ; <{BASE}ns#lists> <{BEACON}> .\n', encoding="utf-8")
    copy = find(tmp_path)
    found = explain.explain(copy, graph.load(copy), "odd")
    assert {(told.source, told.line, told.page_line) for told in found.stated} == {("data/an odd name.ttl", 1, 0)}
