"""The whole build: the same bytes everywhere, every term as it is in data/, and all or nothing."""

import gc
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.compare import isomorphic

from onemg_kg import build, dumps, graph
from onemg_kg.errors import InvalidGraph, OnemgError, ProjectError
from onemg_kg.findings import Finding
from onemg_kg.graph import Graph
from onemg_kg.project import FOLDERS, Project, find
from onemg_kg.terms import shorten

SUFFIXES = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".nq": ox.RdfFormat.N_QUADS,
    ".trig": ox.RdfFormat.TRIG,
}
TRIPLES = (".ttl", ".nt", ".rdf", ".jsonld")
QUADS = (".nq", ".trig")
DUMPS = ("framework", "inferred", "ontology", "schemes", "shapes", "catalogue")
SEEDS = (1, 4242)


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """A copy of the project that a test may change."""
    for name in FOLDERS:
        shutil.copytree(project.folder(name), tmp_path / "project" / name)
    return find(tmp_path / "project")


def _run(project: Project, *words: str, seed: int = 0) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, away from the checkout, with a hash seed."""
    root = Path(build.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-m", "onemg_kg", "--project", str(project.root), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=project.root.parent, check=False)


def _parse(content: bytes, suffix: str) -> list[ox.Quad]:
    return list(ox.parse(content, format=SUFFIXES[suffix]))


def _canonical(quads: list[ox.Quad]) -> set[ox.Quad]:
    """The quads with blank nodes named by RDFC-1.0, so that two graphs can be compared."""
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return set(dataset)


def _small(built: build.Built) -> build.Built:
    """The build with a site of one page, for what does not depend on the pages."""
    return replace(built, pages=lambda: iter([("index.html", [b"<!doctype html>"])]))


def _whole(built: build.Built) -> dict[str, bytes]:
    """Every file of a build but its manifest."""
    return {**built.files} | {f"site/{path}": b"".join(pieces) for path, pieces in built.pages()}


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# ---- What is published is what data/ says ----


def _expected(loaded: Graph, name: str) -> list[ox.Quad]:
    """The statements that a dump has to hold, from the files as Oxigraph's parser reads them."""
    parts = {
        "framework": ("ontology/schemes/", "data/"),
        "ontology": ("ontology/onemg",),
        "schemes": ("ontology/schemes/",),
    }
    if name in parts:
        wanted = tuple(graph.GRAPHS + part for part in parts[name])
        return [quad for quad in loaded.stated if quad.graph_name.value.startswith(wanted)]
    return {"inferred": loaded.inferred, "shapes": loaded.shapes}[name]


@pytest.mark.parametrize("suffix", TRIPLES)
@pytest.mark.parametrize("name", DUMPS[:-1])
def test_terms_are_unchanged(built: build.Built, loaded: Graph, name: str, suffix: str) -> None:
    """Every term of the files is in the dump letter by letter, and nothing else is."""
    triples = [ox.Quad(*quad.triple) for quad in _expected(loaded, name)]
    assert triples
    assert _canonical(_parse(built.files[name + suffix], suffix)) == _canonical(triples)


@pytest.mark.parametrize("suffix", QUADS)
def test_quads_are_unchanged(built: build.Built, loaded: Graph, suffix: str) -> None:
    """The dumps of quads hold what is stated and what follows, each statement in the graph of its file or rule."""
    assert _canonical(_parse(built.files["framework" + suffix], suffix)) == _canonical([*loaded.stated, *loaded.inferred])


@pytest.mark.parametrize("name", DUMPS)
def test_rdflib_reads_the_same(built: build.Built, name: str) -> None:
    """Another parser reads the same graph from the Turtle, the JSON-LD and the RDF/XML as from the N-Triples."""

    def read(suffix: str, form: str) -> rdflib.Graph:
        return rdflib.Graph().parse(data=built.files[name + suffix].decode(), format=form)

    lines = read(".nt", "nt")
    assert len(lines)
    for suffix, form in ((".ttl", "turtle"), (".jsonld", "json-ld"), (".rdf", "xml")):
        assert isomorphic(read(suffix, form), lines), suffix


AWKWARD = (
    '"07"^^xsd:nonNegativeInteger, "1.50"^^xsd:decimal, "1E0"^^xsd:double, "NaN"^^xsd:float, "true"^^xsd:boolean, '
    '"1"^^xsd:boolean, "2026-03-13T00:00:00Z"^^xsd:dateTime, "24:00:00"^^xsd:time, "P1D"^^xsd:duration, '
    '"tail "@en, "tail"@en-GB, "é\\u0301", "\\t\\n\\r\\\\\\"", "not a date"^^xsd:date, "", ""@en, "0x0A"^^xsd:hexBinary, '
    '"a"^^<http://example.org/own>, "\\U0001D524", 5, 5.0, 5e0, true'
)


def test_awkward_literals(copy: Project) -> None:
    """Literals that stores like to rewrite come through a build as they were written."""
    path = copy.folder("data") / "awkward.ttl"
    node = "<https://w3id.org/oneplusmg/id/org/awkward>"
    prefixes = "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
    path.write_text(f"{prefixes}{node} skos:note {AWKWARD} .\n", encoding="utf-8")
    written = {quad.triple for quad in _parse(path.read_bytes(), ".ttl")}
    files = build.make(copy).files
    for suffix in (*TRIPLES, *QUADS):
        found = {quad.triple for quad in _parse(files["framework" + suffix], suffix) if str(quad.subject) == node}
        assert found == written, suffix


def test_every_file_parses(built: build.Built) -> None:
    """Every RDF file of a build is what its suffix says, and every JSON file is JSON."""
    for name, content in built.files.items():
        suffix = Path(name).suffix
        if suffix in SUFFIXES and name != "context.jsonld":
            assert _parse(content, suffix), name
        if suffix in {".json", ".jsonld"}:
            assert json.loads(content), name


def test_context(built: build.Built) -> None:
    """The published context says of every key of every JSON-LD file just what the context inside that file says."""
    published = json.loads(built.files["context.jsonld"])["@context"]
    for name in DUMPS:
        document = json.loads(built.files[f"{name}.jsonld"])
        own = document.pop("@context")
        assert own.items() <= published.items(), name
        outside = json.dumps({"@context": published, **document}).encode()
        assert _canonical(_parse(outside, ".jsonld")) == _canonical(_parse(built.files[f"{name}.jsonld"], ".jsonld")), name


def test_json_ld_is_readable(built: build.Built) -> None:
    """JSON-LD speaks in the words of the vocabulary: no key is an IRI in full, and the usual ones are short."""

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    document = json.loads(built.files["framework.jsonld"])
    document.pop("@context")
    used = keys(document)
    assert {"id", "type", "title", "description", "lists", "onPage", "landingPage"} <= used
    assert not [key for key in used if "//" in key]


# ---- The same bytes, on any machine, in any run ----


@pytest.fixture(scope="module")
def builds(project: Project, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """Builds with other hash seeds, of copies in other places whose files were made in other orders."""
    made = []
    for seed in SEEDS:
        root = tmp_path_factory.mktemp(f"somewhere-{seed}") / "project"
        paths = [path for name in FOLDERS for path in project.files(name, suffix="") if path.is_file()]
        for path in sorted(paths, key=lambda path: hashlib.sha256(f"{seed}{path}".encode()).digest()):
            copied = root / project.relative(path)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
        ran = _run(find(root), "build", "--out", str(root / "out"), seed=seed)
        assert (ran.returncode, ran.stderr) == (0, "")
        made.append(_files(root / "out"))
    return made


def test_same_bytes(builds: list[dict[str, bytes]], built: build.Built) -> None:
    """Builds with different hash seeds, from copies elsewhere, are the same byte for byte, as is one in this process."""
    expected = _whole(built)
    for made in builds:
        assert made.keys() - {build.MANIFEST} == expected.keys()
        assert [name for name in expected if made[name] != expected[name]] == []
        assert made[build.MANIFEST] == builds[0][build.MANIFEST]


def test_nothing_of_this_machine(builds: list[dict[str, bytes]], project: Project) -> None:
    """No file of a build names a folder or the name of the machine, or says at what time it was made."""
    folders = [str(project.root), str(Path.home()), sys.prefix, "/tmp/"]
    for name, content in builds[0].items():
        text = content.decode(errors="replace")  # a picture is no text
        assert not [folder for folder in folders if len(folder) > 1 and folder in text], name
        if name.startswith("site/assets/vendor/"):
            continue  # minified code of others has every short word, and what it is made of has been looked through
        assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text), name
        assert set(re.findall(r"T(\d\d:\d\d:\d\d)", text)) <= {"00:00:00"}, name


def test_manifest(builds: list[dict[str, bytes]]) -> None:
    """The manifest has the size and SHA-256 of every file but itself, in order."""
    files = builds[0]
    manifest = json.loads(files[build.MANIFEST])
    assert list(manifest["files"]) == sorted(set(files) - {build.MANIFEST})
    for name, told in manifest["files"].items():
        content = files[name]
        assert told == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}, name


def test_everything_that_is_promised(built: build.Built) -> None:
    """A build has each part in each format, the views as JSON and Markdown, and the drop-in for a Jekyll site."""
    dumps = {name + suffix for name in DUMPS for suffix in TRIPLES} | {"framework" + suffix for suffix in QUADS}
    assert dumps | {"context.jsonld"} <= built.files.keys()
    kinds = {(Path(name).parts[0], Path(name).suffix) for name in built.files if "/" in name}
    assert {("views", ".json"), ("views", ".md"), ("jekyll", ".yml"), ("jekyll", ".md")} <= kinds


def test_without_the_site(project: Project, built: build.Built, tmp_path: Path) -> None:
    """A build without the site is the build, but for the site and the configuration of servers for it."""
    out = tmp_path / "out"
    ran = _run(project, "build", "--no-site", "--out", str(out))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "web site" not in ran.stdout
    assert _files(out).keys() - {build.MANIFEST} == {name for name in built.files if not name.startswith("hosting/")}
    assert [name for name, content in _files(out).items() if built.files.get(name, content) != content] == []
    ran = _run(project, "build", "--no-site", "--origin", "https://example.org/", "--out", str(out))
    assert (ran.returncode, ran.stderr) == (
        2,
        "onemg-kg: --no-site makes no site. Leave --origin, --endpoint and --templates out.\n",
    )


def test_counts(built: build.Built, loaded: Graph) -> None:
    """What a build says of itself is what its dumps hold."""
    assert built.stated == len(set(_parse(built.files["framework.nt"], ".nt")))
    assert built.inferred == len(set(_parse(built.files["inferred.nt"], ".nt"))) == len({q.triple for q in loaded.inferred})


# ---- All or nothing ----


def test_violation(copy: Project, tmp_path: Path) -> None:
    """A graph that violates a shape is not built: exit 1, the file, the node, what and how to mend; the last build stays."""
    out = tmp_path / "out"
    assert _run(copy, "build", "--out", str(out)).returncode == 0
    before = _files(out)
    _replace(copy.folder("data") / "resources" / "beacon.ttl", "dcterms:title", "dcterms:alternative")
    ran = _run(copy, "build", "--out", str(out))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Traceback" not in ran.stderr
    for told in (
        "1 violation of",
        "data/resources/beacon.ttl",
        shorten("https://w3id.org/oneplusmg/id/resource/beacon") + " dcterms:title: ",
        "A resource has exactly one title, in English.",
        'Write one dcterms:title "..."@en',
    ):
        assert told in ran.stderr
    assert _files(out) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_violation_on_the_site(copy: Project) -> None:
    """A violation in what was read from the site also names the page and the line of the site's source."""
    path = copy.folder("data") / "listings" / "cancer.ttl"
    _replace(path, 'onemg:order "2"', 'onemg:order "3", "2"')
    with pytest.raises(InvalidGraph, match=r"data/listings/cancer\.ttl:\d+ \(pages/usecases/cancer\.md:\d+ on the site\)"):
        build.make(copy)


def test_violation_that_only_follows(copy: Project) -> None:
    """The graph is also validated with what follows by rules."""
    path = copy.folder("queries") / "rules" / "zz-dataset.rq"
    path.write_text(
        "PREFIX onemg: <https://w3id.org/oneplusmg/ns#>\n"
        "CONSTRUCT { ?r a <http://www.w3.org/ns/dcat#Dataset> } WHERE { ?r a onemg:DataResource }",
        encoding="utf-8",
    )
    with pytest.raises(InvalidGraph, match="A resource is no dcat:Dataset"):
        build.make(copy)


def test_broken_turtle(copy: Project, tmp_path: Path) -> None:
    """A file that is no Turtle stops the build: exit 2, file and line, and the last build stays."""
    out = tmp_path / "out"
    out.mkdir()
    (out / build.MANIFEST).write_text("{}", encoding="utf-8")
    path = copy.folder("data") / "resources" / "beacon.ttl"
    number = path.read_text(encoding="utf-8").count("\n") + 1
    with path.open("a", encoding="utf-8") as file:
        file.write("this is not Turtle .\n")
    ran = _run(copy, "build", "--out", str(out))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"onemg-kg: data/resources/beacon.ttl:{number}: is not Turtle: ")
    assert ran.stderr.count("\n") == 1
    assert _files(out) == {build.MANIFEST: b"{}"}


def test_no_dump_can_hold_it(copy: Project, tmp_path: Path) -> None:
    """What fails beside validation and views is told as it is elsewhere: exit 2, one sentence, nothing written."""
    path = copy.folder("data") / "resources" / "beacon.ttl"
    with path.open("a", encoding="utf-8") as file:
        file.write('\n<http://example.org/a> <http://example.org/p> "x"@en--ltr .\n')
    ran = _run(copy, "build", "--out", str(tmp_path / "out"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("onemg-kg: the statement <http://example.org/a> <http://example.org/p> ")
    assert "is not RDF 1.1" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="dumps are written beside on Linux only")
def test_dumps_are_the_same_if_who_writes_them_dies(project: Project) -> None:
    lines, shape_lines = graph.stated(project), graph.shapes(project)
    inferred = graph.reason(project, lines, shape_lines).inferred_lines
    found = []
    for dies in (False, True):
        with closing(dumps.Beside(lines, shape_lines, project.version)) as beside:
            if dies:
                (child,) = multiprocessing.active_children()
                child.kill()
                child.join()
            beside.tell(inferred, {})
            found.append(beside.result())
    assert found[0].files == found[1].files
    assert len(found[0].files) > 20
    assert multiprocessing.active_children() == []


_KILLED = """
import os, signal, multiprocessing
from onemg_kg import dumps
beside = dumps.Beside({}, {}, "1")
print(multiprocessing.active_children()[0].pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="dumps are written beside on Linux only")
def test_who_writes_dumps_ends_with_a_build_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _KILLED], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        told = Path("/proc") / killed.stdout.readline().strip() / "stat"
        killed.wait(20)
    end = time.monotonic() + 20
    while time.monotonic() < end and told.exists() and told.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.02)
    assert not told.exists() or told.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("valid", [True, False])
def test_python_is_left_as_it_was(copy: Project, valid: bool) -> None:
    """A core, made or not, leaves the collector of garbage and the turns of threads as they were, and no thread behind."""
    if not valid:
        _replace(copy.folder("data") / "resources" / "beacon.ttl", "dcterms:title", "dcterms:alternative")
    before = gc.isenabled(), sys.getswitchinterval(), threading.active_count()
    with nullcontext() if valid else pytest.raises(InvalidGraph):
        build.core(copy)
    assert (gc.isenabled(), sys.getswitchinterval(), threading.active_count()) == before
    assert gc.isenabled()


def test_no_build_is_not_replaced(built: build.Built, tmp_path: Path) -> None:
    """A folder with files of another kind is not touched."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ProjectError, match="holds files but no build"):
        build.write(_small(built), tmp_path)
    assert _files(tmp_path) == {"thesis.txt": b"years of work"}


def test_replaces_a_build(built: build.Built, tmp_path: Path) -> None:
    """A new build replaces the old one whole: a file that is no longer made is gone, and nothing is left beside it."""
    out = tmp_path / "deep" / "out"
    build.write(_small(built), out)
    (out / "from-an-older-version.txt").touch()
    build.write(_small(built), out)
    assert _files(out).keys() == {*_whole(_small(built)), build.MANIFEST}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_empty_folder(built: build.Built, tmp_path: Path) -> None:
    """An empty folder may be built into."""
    build.write(_small(built), tmp_path)
    assert _files(tmp_path).keys() == {*_whole(_small(built)), build.MANIFEST}


def test_file_in_the_way(built: build.Built, tmp_path: Path) -> None:
    """Where a file stands in the way, it stays, and the error names the place."""
    path = tmp_path / "out"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OnemgError) as caught:
        build.write(_small(built), path)
    assert caught.value.source == str(path)
    assert path.read_text(encoding="utf-8") == "mine"
    with pytest.raises(OnemgError) as caught:
        build.write(_small(built), path / "below")
    assert caught.value.source == str(path / "below")
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_disk_refuses(built: build.Built, tmp_path: Path) -> None:
    """When a file cannot be written, the last build stays and nothing is left beside it."""
    out = tmp_path / "out"
    build.write(_small(built), out)
    before = _files(out)
    impossible = replace(_small(built), files={**built.files, "x" * 300: b""})
    with pytest.raises(OnemgError, match="cannot be written"):
        build.write(impossible, out)
    assert _files(out) == before
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_no_violation_in_the_project(built: build.Built) -> None:
    """The project's own graph has neither violations nor warnings."""
    assert [build.describe(finding) for finding in built.findings if finding.severity != "info"] == []


@pytest.mark.parametrize(
    ("source", "page", "line", "value", "told"),
    [
        ("", "", 0, "", "node: warning: node: What. Mend."),
        ("data/x.ttl", "", 0, '"v"', 'data/x.ttl: warning: node = "v": What. Mend.'),
        ("data/x.ttl", "pages/x.md", 0, "", "data/x.ttl (pages/x.md on the site): warning: node: What. Mend."),
        ("data/x.ttl", "pages/x.md", 7, "", "data/x.ttl (pages/x.md:7 on the site): warning: node: What. Mend."),
    ],
)
def test_describe(source: str, page: str, line: int, value: str, told: str) -> None:
    """A finding is told in one paragraph: where, what and how to mend it, whatever parts it lacks."""
    finding = Finding(
        severity="warning",
        rule="shape",
        focus_node="node",
        value=value,
        message="What.",
        fix="Mend.",
        source=source,
        page=page,
        page_line=line,
    )
    assert build.describe(finding) == told
