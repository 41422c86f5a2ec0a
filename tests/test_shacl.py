"""What validation says: what, where, and how to mend it. The shapes themselves are tested in test_shapes.py."""

import tempfile
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import graph, shacl
from onemg_kg.errors import OnemgError, RdfError
from onemg_kg.findings import SEVERITIES, Finding
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.terms import NS, PREFIXES, term, text

FILE = ox.NamedNode(graph.GRAPHS + "data/seeded")
SHAPES = "https://w3id.org/oneplusmg/shapes/"


def test_finding(project: Project, loaded: Graph) -> None:
    """A finding says what violates what, in which file, read from which line of which page, and how to mend it."""
    listing = term("id/listing/cancer--beacon")
    line = next(q.object for q in loaded.stated if q.subject == listing and q.predicate == term("onemg:sourceLine"))
    line_of_label = ox.Quad(listing, term("onemg:badgeLine"), ox.Literal("7", datatype=term("xsd:nonNegativeInteger")), FILE)
    label = ox.Quad(listing, term("onemg:badge"), ox.Literal("Wanted"), FILE)
    found = shacl.validate([*loaded.stated, line_of_label, label], loaded.shapes, project.root)
    file = (project.folder("data") / "listings" / "cancer.ttl").read_text(encoding="utf-8").splitlines()
    assert [f for f in found if f.severity != "info"] == [
        Finding(
            severity="warning",
            rule=SHAPES + "OccurrenceShape-knownBadge",
            focus_node=listing.value,
            path=str(term("onemg:badge")),
            value='"Wanted"',
            message="A label is one of the three that the Framework explains.",
            fix="Look at the page: if the Framework has a new level, add it to voc/requirement-level and to this rule.",
            source="data/listings/cancer.ttl",
            line=file.index("listing:cancer--beacon a onemg:Listing ;") + 1,
            page="pages/usecases/cancer.md",
            page_line=int(text(line)),
            url="rules/shapes/occurrence.md#OccurrenceShape-knownBadge",
            component=PREFIXES["sh"] + "InConstraintComponent",
        )
    ]


def test_gravest_first(loaded: Graph) -> None:
    """Findings come gravest first, then by file."""
    untitled = [quad for quad in loaded.stated if quad.predicate != term("dcterms:title")]
    wanted = ox.Quad(term("id/listing/cancer--beacon"), term("onemg:badge"), ox.Literal("Wanted"), FILE)
    findings = shacl.validate([*untitled, wanted], loaded.shapes)
    ranks = [(SEVERITIES.index(f.severity), f.source) for f in findings]
    assert ranks == sorted(ranks)
    assert {rank for rank, _ in ranks} == set(range(len(SEVERITIES)))


@pytest.mark.parametrize("line", ["first", "-1", "1.5", ""])
def test_line_that_is_no_number(loaded: Graph, line: str) -> None:
    """A line that is no number is found by a shape, and does not stop the validation that is to find it."""
    listing = term("id/listing/cancer--beacon")
    wrong = ox.Quad(listing, term("onemg:sourceLine"), ox.Literal(line), FILE)
    kept = [q for q in loaded.stated if (q.subject, q.predicate) != (wrong.subject, wrong.predicate)]
    findings = [f for f in shacl.validate([*kept, wrong], loaded.shapes) if f.severity == "violation"]
    assert {(f.focus_node, f.path, f.page_line) for f in findings} == {(listing.value, str(term("onemg:sourceLine")), 0)}


def test_nothing_found(loaded: Graph) -> None:
    """A graph without a target of any shape conforms."""
    assert shacl.validate([], loaded.shapes) == []


def test_bad_shapes() -> None:
    """Shapes that are not SHACL are refused, not ignored."""
    bad = f"<{SHAPES}X> a <{PREFIXES['sh']}NodeShape> ; <{PREFIXES['sh']}targetNode> <{NS}x> ; <{PREFIXES['sh']}pattern> '(' ."
    quads = [ox.Quad(*quad.triple, FILE) for quad in ox.parse(bad.encode(), format=ox.RdfFormat.TURTLE)]
    with pytest.raises(RdfError, match="are not shapes"):
        shacl.validate([], quads)


def test_no_room(loaded: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph goes to the validator as a file: where there can be none, one sentence says so."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OnemgError, match=r"temporary files.*cannot be written.*No such file"):
        shacl.validate(loaded.stated, loaded.shapes)
