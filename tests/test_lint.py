"""The linter finds each kind of wrong term where it stands, and nothing in the project's own files."""

import shutil
from pathlib import Path

import pytest

from onemg_kg import graph, lint
from onemg_kg.graph import Graph
from onemg_kg.project import FOLDERS, Project
from onemg_kg.terms import BASE

HEAD = """\
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix dpv: <https://w3id.org/dpv#> .
@prefix onemg: <https://w3id.org/oneplusmg/ns#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


@pytest.fixture
def small(project: Project, tmp_path: Path) -> Project:
    """A project with the ontology and nothing else."""
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    shutil.copy(project.folder("ontology") / "onemg.ttl", tmp_path / "ontology")
    shutil.copytree(project.folder("ontology") / "borrowed", tmp_path / "ontology" / "borrowed")
    return Project(tmp_path, "1.0.0")


def test_nothing_in_the_project(project: Project, loaded: Graph) -> None:
    """The project's own terms are all known."""
    assert lint.run(project, loaded) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("undefined-term", "<id/resource/a> a onemg:Tol ."),
        ("undefined-term", "<id/resource/a> onemg:producedby <id/project/gdi> ."),
        ("unknown-borrowed-term", "<id/resource/a> dcterms:titel 'A'@en ."),
        ("unknown-borrowed-term", "<voc/role/a> skos:exactMatch dpv:Colect ."),
        ("unknown-vocabulary", "<id/resource/a> <http://example.org/p> 'A' ."),
        ("iri-off-pattern", "<id/resource/Some_Thing> dcterms:title 'A'@en ."),
        ("iri-off-pattern", "<resource/a> dcterms:title 'A'@en ."),
        ("prefix-bound-twice", "@prefix skos: <http://www.w3.org/2004/02/skos/> ."),
    ],
)
def test_found(small: Project, name: str, body: str) -> None:
    """Each kind of wrong term is found in its file and line."""
    (small.folder("data") / "x.ttl").write_text(HEAD + body + "\n", encoding="utf-8")
    found = lint.run(small, graph.load(small))
    assert [(f.rule, f.source, f.line) for f in found] == [(lint.RULES + name, "data/x.ttl", 5)]
    assert found[0].fix


def test_vanished(small: Project) -> None:
    """What the last release published is still there; releases are in the order of their numbers."""
    releases = small.root / "releases"
    releases.mkdir()
    (releases / "1.9.0.txt").write_text(f"{BASE}id/resource/older\n", encoding="utf-8")
    (releases / "1.10.0.txt").write_text(f"{BASE}ns\n{BASE}id/resource/gone\n", encoding="utf-8")
    (found,) = lint.run(small, graph.load(small))
    assert (found.rule, found.focus_node) == (lint.RULES + "vanished-iri", BASE + "id/resource/gone")
