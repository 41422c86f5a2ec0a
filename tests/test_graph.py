"""The graph: files as named graphs, and rules with graphs of their own."""

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onemg_kg import graph, queries
from onemg_kg.errors import ProjectError, QueryError, RdfError
from onemg_kg.graph import Graph
from onemg_kg.project import FOLDERS, Project
from onemg_kg.store import Store, to_lines

EX = "http://example.org/"
TURTLE = "@prefix : <http://example.org/> .\n:a :p :b ;\n  :q [ :r 1 ] .\n"


def _project(root: Path, **rules: str) -> Project:
    """An empty project with rules."""
    for name in FOLDERS:
        (root / name).mkdir(parents=True)
    (root / "queries" / "rules").mkdir()
    for name, text in rules.items():
        (root / "queries" / "rules" / f"{name}.rq").write_text(text, encoding="utf-8")
    return Project(root, "0")


def _construct(template: str, where: str) -> str:
    return f"PREFIX : <{EX}> CONSTRUCT {{ {template} }} WHERE {{ {where} }}"


def _triples(*names: str) -> set[ox.Triple]:
    """Triples, each written as the three last letters of its terms."""
    return {ox.Triple(*(ox.NamedNode(EX + letter) for letter in name)) for name in names}


def test_every_file_has_its_graph(project: Project, loaded: Graph) -> None:
    """The graphs of what is stated are the Turtle files of ontology/ and data/, one each, and back."""
    files = {project.relative(path) for name in ("ontology", "data") for path in project.files(name, suffix=".ttl")}
    graphs = {quad.graph_name.value for quad in loaded.stated}
    assert {graph.file_of(name) for name in graphs} == files
    assert len(graphs) == len(files)


@given(
    parts=st.lists(st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1), min_size=1),
    suffix=st.sampled_from([".ttl"]),
)
def test_any_file_name_is_a_graph_name(parts: list[str], suffix: str) -> None:
    """Whatever a file is called, its graph has a legal IRI, and two files have two graphs."""
    root = Path("/project")
    path = root.joinpath("data", *(part.replace(".", "_") for part in parts)).with_suffix(suffix)
    name = graph.graph_name(Project(root, "0"), path)
    assert name.value.startswith(graph.GRAPHS + "data/")
    other = graph.graph_name(Project(root, "0"), path.with_name("x" + path.name))
    assert other != name


def test_graph_name_and_back() -> None:
    """The file of a graph is the file it was named after, also where the name has a space or an accent."""
    for relative in ("data/resources/beacon.ttl", "data/résumé of it.ttl"):
        name = graph.graph_name(Project(Path("/project"), "0"), Path("/project") / relative)
        assert graph.file_of(name.value) == relative
    assert graph.file_of(graph.RULES + "mapping") == "queries/rules/mapping.rq"


def test_rules_have_graphs_of_their_own(project: Project, loaded: Graph) -> None:
    """What follows is in the graph of the rule that says so, and that rule is a file of queries/rules/."""
    names = {quad.graph_name.value for quad in loaded.inferred}
    assert names <= {graph.RULES + rule.name for rule in queries.folder(project, "rules")}
    assert not names & {quad.graph_name.value for quad in loaded.stated}


def test_stated_and_inferred_do_not_overlap(loaded: Graph) -> None:
    """No statement is both stated and inferred."""
    assert loaded.inferred
    assert not {quad.triple for quad in loaded.stated} & {quad.triple for quad in loaded.inferred}


def test_fixed_point(project: Project, loaded: Graph) -> None:
    """No rule has anything to add to the graph that is loaded."""
    known = {quad.triple for quad in (*loaded.stated, *loaded.inferred)}
    for rule in queries.folder(project, "rules"):
        assert set(loaded.store.construct(rule.text)) <= known, rule.name


def test_store_has_everything_once(loaded: Graph) -> None:
    """The union of the store holds what is stated and inferred, each statement once; the shapes are not in it."""
    triples = {quad.triple for quad in (*loaded.stated, *loaded.inferred)}
    table = loaded.store.select("SELECT (COUNT(*) AS ?all) WHERE { ?s ?p ?o }")
    assert int(table.rows[0][0].value) == len(triples)
    shapes = {quad.subject for quad in loaded.shapes if isinstance(quad.subject, ox.NamedNode)}
    assert shapes
    assert not shapes & {triple.subject for triple in triples}


def test_rules_build_on_each_other(tmp_path: Path) -> None:
    """A rule sees what others add, whatever their order; what is stated already is not said again."""
    project = _project(tmp_path, a=_construct("?x :r ?y", "?x :q ?y"), b=_construct("?x :q ?y", "?x :p ?y"))
    (tmp_path / "data" / "x.ttl").write_text(f"@prefix : <{EX}> . :a :p :b . :c :q :d ; :r :d .", encoding="utf-8")
    loaded = graph.load(project)
    found = {(quad.graph_name.value.removeprefix(graph.RULES), quad.triple) for quad in loaded.inferred}
    assert found == {("a", *_triples("arb")), ("b", *_triples("aqb"))}


def test_two_rules_for_one_statement(tmp_path: Path) -> None:
    """A statement that follows by two rules stands in the graph of each, and counts once in the union."""
    project = _project(tmp_path, a=_construct("?x :r ?y", "?x :p ?y"), b=_construct("?x :r ?y", "?x :q ?y"))
    (tmp_path / "data" / "x.ttl").write_text(f"@prefix : <{EX}> . :a :p :b ; :q :b .", encoding="utf-8")
    loaded = graph.load(project)
    assert {quad.graph_name.value for quad in loaded.inferred} == {graph.RULES + "a", graph.RULES + "b"}
    assert {quad.triple for quad in loaded.inferred} == _triples("arb")
    assert len(loaded.store.select(f"SELECT ?x WHERE {{ ?x <{EX}r> ?y }}").rows) == 1


@pytest.mark.parametrize("object_", ['"words"', "[]"])
def test_rules_give_iris_only(tmp_path: Path, object_: str) -> None:
    """A rule that gives a literal or a blank node is refused with its file: a store may rewrite either."""
    project = _project(tmp_path, bad=_construct(f"?x :r {object_}", "?x :p ?y"))
    (tmp_path / "data" / "x.ttl").write_text(f"@prefix : <{EX}> . :a :p :b .", encoding="utf-8")
    with pytest.raises(QueryError, match=r"bad\.rq: infers .* is no IRI"):
        graph.load(project)


@pytest.mark.parametrize("text", ["SELECT * WHERE { ?s ?p ?o }", "CONSTRUCT { ?s ?p } WHERE { ?s ?p ?o }"])
def test_broken_rule(tmp_path: Path, text: str) -> None:
    """A rule that is no CONSTRUCT query, or no SPARQL, is refused with its file."""
    project = _project(tmp_path, bad=text)
    with pytest.raises(QueryError, match=r"bad\.rq"):
        graph.load(project)


@pytest.mark.parametrize("folder", ["ontology", "data", "shapes"])
def test_turtle_error(tmp_path: Path, folder: str) -> None:
    """A Turtle error names the file below the project and the line."""
    project = _project(tmp_path)
    path = tmp_path / folder / "deep" / "broken.ttl"
    path.parent.mkdir()
    path.write_text(TURTLE + ":c :p ;;; .\n\n:d :e :f .\n", encoding="utf-8")
    with pytest.raises(RdfError, match=f"^{folder}/deep/broken.ttl:4: is not Turtle: ") as caught:
        graph.load(project)
    assert (caught.value.source, caught.value.line) == (f"{folder}/deep/broken.ttl", 4)


@pytest.mark.parametrize("folder", ["ontology", "data", "shapes"])
def test_unreadable_file(tmp_path: Path, folder: str) -> None:
    """A link that leads nowhere is named, with what to do."""
    project = _project(tmp_path)
    (tmp_path / folder / "gone.ttl").symlink_to("nowhere")
    with pytest.raises(ProjectError, match=f"^{folder}/gone.ttl: cannot be read: No such file or directory. Mend it or"):
        graph.load(project)


def test_not_utf8(tmp_path: Path) -> None:
    """A file in another encoding is refused with its name, and never read as something else."""
    project = _project(tmp_path)
    (tmp_path / "data" / "latin.ttl").write_bytes(b'<http://example.org/a> <http://example.org/p> "caf\xe9" .')
    with pytest.raises(RdfError, match=r"^data/latin\.ttl:?1?: is not Turtle"):
        graph.load(project)


def test_blank_nodes_of_two_files(tmp_path: Path) -> None:
    """Blank nodes with the same label in two files are two nodes."""
    project = _project(tmp_path)
    for name in "xy":
        (tmp_path / "data" / f"{name}.ttl").write_text(f"_:n <{EX}p> <{EX}{name}> .", encoding="utf-8")
    assert len({quad.subject for quad in graph.load(project).stated}) == 2


def test_line_numbers(tmp_path: Path) -> None:
    """A statement is on the line of its object, counted from 1 whatever the line ends; blank nodes are left out."""
    path = tmp_path / "x.ttl"
    for end in ("\n", "\r\n"):
        path.write_bytes(f"@prefix : <{EX}> .{end}{end}:a :p :b ;{end}  # remark{end}  :q :c ,{end}    :d .{end}".encode())
        assert graph.line_numbers(path) == dict(zip(sorted(_triples("apb", "aqc", "aqd"), key=str), (3, 5, 6), strict=True))


def test_line_numbers_of_the_project(project: Project, loaded: Graph) -> None:
    """Every statement of a file is found on a line of it, and that line holds the object."""
    stated: dict[str, set[ox.Triple]] = {}
    for quad in loaded.stated:
        stated.setdefault(graph.file_of(quad.graph_name.value), set()).add(quad.triple)
    for path in project.files("data", suffix=".ttl"):
        lines = path.read_text(encoding="utf-8").splitlines()
        numbers = graph.line_numbers(path)
        assert set(numbers) == stated[project.relative(path)], path
        for triple, number in numbers.items():
            if isinstance(triple.object, ox.Literal):
                said = triple.object.value.replace("\\", "\\\\").replace('"', '\\"')
            else:
                said = triple.object.value.rstrip("/").replace("#", "/").replace(":", "/").rpartition("/")[2]
            assert said in lines[number - 1], f"{path}:{number} does not hold {triple}"


def test_order_of_files_does_not_matter(project: Project, loaded: Graph, tmp_path: Path) -> None:
    """The graph is the same, in the same order, when its files are made in another order."""
    for name in FOLDERS:
        for path in reversed(project.files(name, suffix="")):
            if path.is_file():
                copy = tmp_path / project.relative(path)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    again = graph.load(Project(tmp_path, project.version))

    def lines(quads: list[ox.Quad]) -> list[str]:
        return [str(quad) for quad in quads if "_:" not in str(quad)]

    assert lines(again.stated) == lines(loaded.stated)
    assert lines(again.inferred) == lines(loaded.inferred)
    assert len(again.shapes) == len(loaded.shapes)


def test_infer_leaves_stated_alone() -> None:
    """Inference adds to the store and returns what it added; it does not change what it was given."""
    stated = [ox.Quad(*(ox.NamedNode(EX + letter) for letter in "apb"), ox.NamedNode(EX + "file"))]
    store = Store(stated)
    rule = queries.Query("back", "rules", Path("back.rq"), _construct("?y :p ?x", "?x :p ?y"), {})
    inferred = graph.infer([rule], store, to_lines(quad.triple for quad in stated))
    assert inferred == {graph.RULES + "back": to_lines(_triples("bpa"))}
    assert len(stated) == 1
    assert len(store.select("SELECT * WHERE { ?s ?p ?o }").rows) == 2
