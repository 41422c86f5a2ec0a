"""Each shape passes and fails on the smallest data that shows it."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import graph, shacl
from onemg_kg.graph import Graph
from onemg_kg.project import find
from onemg_kg.terms import BASE, term

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "tests" / "examples" / "shapes"
_PROJECT = find(ROOT)
_MESSAGE = term("sh:message")
SHAPES = sorted(
    quad.subject.value.removeprefix(shacl.SHAPES)
    for quad in graph.read(_PROJECT, _PROJECT.files("shapes", suffix=".ttl"))
    if quad.predicate == _MESSAGE and isinstance(quad.subject, ox.NamedNode)
)


@pytest.fixture(scope="module")
def ontology(loaded: Graph) -> list[ox.Quad]:
    """What an example need not repeat: the ontology and the schemes."""
    return [quad for quad in loaded.stated if "/graph/ontology/" in quad.graph_name.value]


def _read(name: str, example: str) -> list[ox.Quad]:
    path = EXAMPLES / name / f"{example}.ttl"
    assert path.is_file(), f"the shape {name} has no example tests/examples/shapes/{name}/{example}.ttl"
    return list(ox.parse(path.read_bytes(), format=ox.RdfFormat.TURTLE, base_iri=BASE))


def _without(ontology: list[ox.Quad], example: list[ox.Quad]) -> list[ox.Quad]:
    """The ontology without what an example says anew: a thing that an example describes is as the example has it."""
    told = {quad.subject for quad in example}
    return [quad for quad in ontology if quad.subject not in told]


@pytest.mark.parametrize("name", SHAPES)
def test_examples(name: str, ontology: list[ox.Quad], loaded: Graph) -> None:
    """A shape finds something in the example that fails and nothing in the one that passes."""
    rule = shacl.SHAPES + name
    for example, expected in (("pass", False), ("fail", True)):
        quads = _read(name, example)
        assert quads
        found = shacl.validate([*_without(ontology, quads), *quads], loaded.shapes)
        assert (rule in {finding.rule for finding in found}) == expected, example


def test_every_example_has_a_shape() -> None:
    """No example is left over."""
    assert {path.parent.name for path in EXAMPLES.rglob("*.ttl")} <= set(SHAPES)
