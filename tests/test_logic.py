"""Logic: contradictions, empty classes and constructs outside of OWL 2 RL are found, and there are none."""

import shutil

import pyoxigraph as ox
import pytest

from onemg_kg import logic
from onemg_kg.graph import GRAPHS, Graph
from onemg_kg.store import Store, by_graph
from onemg_kg.terms import term

ONTOLOGY = ox.NamedNode(GRAPHS + "ontology/onemg")
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="the reasoner HermiT needs java, and there is none")


def _with(loaded: Graph, *triples: tuple[str, str, str]) -> Graph:
    own = [quad for quad in loaded.stated if quad.graph_name == ONTOLOGY]
    more = [ox.Quad(*(term(name) for name in triple), ONTOLOGY) for triple in triples]
    return Graph(by_graph([*own, *more]), {}, {}, Store())


@needs_java
def test_the_project(loaded: Graph) -> None:
    """The graph is consistent, and its ontology is in OWL 2 RL."""
    assert logic.run(loaded) == []


@needs_java
@pytest.mark.parametrize(
    ("name", "triples"),
    [
        ("inconsistent", [("id/x", "rdf:type", "onemg:Tool"), ("id/x", "rdf:type", "onemg:Project")]),
        ("inconsistent", [("id/x", "rdf:type", "onemg:Project"), ("id/x", "onemg:producedBy", "id/y")]),
        ("unsatisfiable", [("onemg:Tool", "rdfs:subClassOf", "onemg:Project")]),
    ],
)
def test_contradiction(loaded: Graph, name: str, triples: list[tuple[str, str, str]]) -> None:
    """A contradiction is found, be it among types, by domains or among classes."""
    found = logic.run(_with(loaded, *triples))
    assert {finding.rule for finding in found} == {logic.RULES + name}


def test_outside_of_the_profile(loaded: Graph) -> None:
    """A construct outside of the profile is found where it stands."""
    (found,) = logic.profile(_with(loaded, ("onemg:Tool", "owl:unionOf", "rdf:nil")))
    assert (found.rule, found.source) == (logic.RULES + "profile", "ontology/onemg.ttl")
    assert logic.profile(loaded) == []


def test_without_java(loaded: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java it is said aloud that nothing was reasoned."""
    monkeypatch.setenv("PATH", "")
    (found,) = logic.run(_with(loaded))
    assert (found.rule, found.severity) == (logic.RULES + "not-reasoned", "info")
