"""The check queries about the graph: each passes and fails on the smallest data that shows it; and what a check says."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import checks, graph, queries
from onemg_kg.errors import QueryError
from onemg_kg.findings import SEVERITIES, Finding, Places
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.store import Store
from onemg_kg.terms import BASE, PREFIXES, expand

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "tests" / "examples" / "checks"
CHECKS = [
    path.relative_to(ROOT / "queries" / "checks").with_suffix("").as_posix() for path in ROOT.glob("queries/checks/*/*.rq")
]
PAGE = "id/page/a"


def _quads(text: str) -> list[ox.Quad]:
    head = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items())
    parsed = ox.parse((head + text).encode(), format=ox.RdfFormat.TURTLE, base_iri=BASE)
    return [ox.Quad(*quad.triple, ox.NamedNode(graph.GRAPHS + "data/x")) for quad in parsed]


def _found(name: str, example: str) -> list[Finding]:
    check = queries.read(ROOT / "queries" / "checks" / f"{name}.rq")
    path = EXAMPLES / name / f"{example}.ttl"
    assert path.is_file(), f"queries/checks/{name}.rq has no example tests/examples/checks/{name}/{example}.ttl"
    quads = list(ox.parse(path.read_bytes(), format=ox.RdfFormat.TURTLE, base_iri=BASE))
    return checks.run([check], Store(quads), Places(quads))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_examples(name: str) -> None:
    """A check finds something in the example that fails and nothing in the one that passes; what it says is complete."""
    assert _found(name, "pass") == []
    found = _found(name, "fail")
    assert found
    for finding in found:
        for told in (finding.message, finding.fix):
            assert "{" not in told
            assert "  " not in told
            assert told.endswith((".", "?"))


def test_every_example_has_a_check() -> None:
    """No example is left over."""
    folders = {path.parent.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.ttl")}
    assert folders <= set(CHECKS)


def test_names_are_unique() -> None:
    """A check is named once in all folders: its name is its IRI and its page."""
    names = [name.rpartition("/")[2] for name in CHECKS]
    assert sorted(names) == sorted(set(names))


def test_the_graph_has_no_violation_and_no_warning(project: Project, loaded: Graph) -> None:
    """What the project publishes passes its own checks."""
    found = checks.run(checks.folder(project, "data"), loaded.store, Places(loaded.stated, project.root))
    assert [finding for finding in found if finding.severity != "info"] == []
    assert {finding.severity for finding in found} <= set(SEVERITIES)


def _check(tmp_path: Path, body: str, **header: str) -> queries.Query:
    keys = {"title": "T", "description": "D", "severity": "warning", "message": "M.", "fix": "F."} | header
    path = tmp_path / "queries" / "checks" / "x" / "some-check.rq"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"#+ {key}: {value}\n" for key, value in keys.items() if value) + body, encoding="utf-8")
    return queries.read(path)


def test_finding(tmp_path: Path) -> None:
    """A finding has the row's values in its sentences, and the place of its focus node, unless the row names another."""
    quads = _quads(
        f"<{PAGE}> onemg:sourceFile 'pages/a.md' . <id/page/b> onemg:sourceFile 'pages/b.md' . "
        f"<id/listing/a--x> onemg:onPage <{PAGE}> ; onemg:sourceLine 7 ; onemg:badge 'Two\\n words' ."
    )
    body = (
        f"PREFIX o: <{PREFIXES['onemg']}> SELECT ?this ?path ?value {{}} {{ ?this ?path ?value FILTER(?path = o:badge) {{}} }}"
    )
    check = _check(tmp_path, body.replace("{}", ""), message="{this} says {value}.", fix="Ask {value}.")
    expected = Finding(
        severity="warning",
        rule=BASE + "check/some-check",
        message="listing:a--x says Two words.",
        focus_node=BASE + "id/listing/a--x",
        path=f"<{PREFIXES['onemg']}badge>",
        value='"Two\\n words"',
        fix="Ask Two words.",
        source="data/x.ttl",
        page="pages/a.md",
        page_line=7,
        url="rules/checks/some-check.md",
        component=expand("sh:SPARQLConstraintComponent"),
    )
    assert checks.run([check], Store(quads), Places(quads)) == [expected]
    for bound, page, line in (
        (f"BIND(<{BASE}id/page/b> AS ?page)", "pages/b.md", 0),
        ("BIND('pages/c.md' AS ?page) BIND(3 AS ?line)", "pages/c.md", 3),
        ("BIND(9 AS ?line)", "pages/a.md", 9),
    ):
        told = body.replace("?value {}", "?value ?page ?line").replace("{}", bound)
        (found,) = checks.run([_check(tmp_path, told)], Store(quads), Places(quads))
        assert (found.page, found.page_line) == (page, line)


def test_line_in_the_file(project: Project, loaded: Graph) -> None:
    """The line is that of the statement, of another value of the property, or of the node, whichever is nearest."""
    places = Places(loaded.stated, project.root)
    beacon, title = f"<{BASE}id/resource/beacon>", f"<{PREFIXES['dcterms']}title>"
    lines = (project.folder("data") / "resources" / "beacon.ttl").read_text(encoding="utf-8").splitlines()
    node = next(number for number, line in enumerate(lines, 1) if line.startswith(beacon))
    stated = next(number for number, line in enumerate(lines, 1) if "dcterms:title" in line)
    assert places.of(beacon).line == node
    assert places.of(beacon, title, '"Beacon"@en').line == stated
    assert places.of(beacon, title, '"Another"@en').line == stated
    assert places.of(beacon, "<urn:p>").line == node
    assert places.of("<urn:nothing>") == places.of("_:b")


@pytest.mark.parametrize(
    ("header", "body", "told"),
    [
        ({"severity": "grave"}, "SELECT ?this {}", "has the severity 'grave'"),
        ({"fix": ""}, "SELECT ?this {}", "its header has no fix"),
    ],
)
def test_bad_header(tmp_path: Path, header: dict[str, str], body: str, told: str) -> None:
    """A check without severity, message or fix is refused."""
    _check(tmp_path, body, **header)
    with pytest.raises(QueryError, match=told):
        checks.folder(Project(tmp_path, "1"), "x")


@pytest.mark.parametrize(
    ("header", "body"),
    [({"message": "About {value}."}, "SELECT ?this {}"), ({}, "SELECT ?that {}"), ({"focus": "x"}, "SELECT ?this {}")],
)
def test_variable_that_is_not_selected(tmp_path: Path, header: dict[str, str], body: str) -> None:
    """A header that names a variable which the query does not give is refused even where no row is found."""
    with pytest.raises(QueryError, match="does not select"):
        checks.run([_check(tmp_path, body, **header)], Store([]), Places([]))
