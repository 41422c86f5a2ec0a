"""What does not fit into memory goes to disk and comes back as it was, and leaves nothing there."""

import gc
import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onemg_kg import build, graph, queries, scratch, spool
from onemg_kg.database import Database, Spooled, gathered, joined, pieces
from onemg_kg.errors import InvalidGraph, OnemgError, QueryError
from onemg_kg.project import Project
from onemg_kg.spool import Files
from onemg_kg.store import Store

EX = "http://example.org/"
RECORDS = st.lists(st.tuples(st.text(max_size=3), st.booleans(), st.text(max_size=20)), max_size=40)

property_test = settings(derandomize=True, max_examples=150)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, in a test in which next to nothing fits into memory."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(spool, "HELD", 20_000)
    return folder


@property_test
@given(records=RECORDS, held=st.integers(0, 200))
def test_records_are_sorted_on_disk_as_in_memory(records: list[tuple[str, bool, str]], held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "HELD", held)
        found = spool.in_order(iter(records), lambda record: len(record[2]))
        kept = spool.gathered(iter(records), lambda record: len(record[2]))
        assert list(found) == sorted(records)
        assert (list(kept), len(kept)) == (records, len(records))
        assert list(kept) == records, "they can be read again"
        assert list(spool.once(sorted(records))) == sorted(set(records))


@property_test
@given(contents=st.lists(st.lists(st.binary(max_size=30), max_size=6), max_size=4), held=st.integers(0, 60))
def test_files_are_the_same_on_disk(contents: list[list[bytes]], held: int) -> None:
    names = [f"file{i}" for i in range(len(contents))]
    with pytest.MonkeyPatch.context() as patch:
        plain = Files({name: b"".join(content) for name, content in zip(names, contents, strict=True)})
        patch.setattr(spool, "HELD", held)
        files = Files()
        for name, content in zip(names, contents, strict=True):
            files.add(name, iter(content))
        copied: Files = Files()
        copied.adopt(pickle.loads(pickle.dumps(plain)))
        assert files == plain == copied
        assert [files.told(name) for name in names] == [plain.told(name) for name in names]
        copied.hold(files)
        assert copied == plain, "what is in another spool is read there"
        moved = files.placed({name + ".new": name for name in names})
        for name in names:
            assert moved[name + ".new"] == plain[name]
        assert {name: b"".join(pieces) for name, pieces in moved.pieces()} == moved


@property_test
@given(graphs=st.dictionaries(st.text(max_size=3), st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n")))))
def test_graphs_are_the_same_on_disk(graphs: dict[str, list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert gathered(graphs.items()) == graphs
        patch.setattr(spool, "HELD", -1)
        held = gathered(graphs.items())
        assert isinstance(held, Spooled) == bool(graphs)
        assert held == graphs
        if isinstance(held, Spooled):
            more = Spooled(held)
            more.add("more", ["a"])
            more.add("more", ["b", "c"])
            assert joined(held, more) == {**graphs, "more": ["a", "b", "c"]}
            assert list(pieces(more)) == [("more", ["a"]), ("more", ["b", "c"])]


_RULES = {
    "echo": "?x :p ?y",
    "both": "?y :q ?x . ?x :r ?x",
    "back": "?y :q ?x",
    "far": "?x :p ?z",
}
_WHERE = {"far": "?x :p ?y . ?y :p ?z"}
_NODES = st.sampled_from([f"<{EX}{letter}>" for letter in "abcdé"])


@settings(property_test, max_examples=30)
@given(edges=st.lists(st.tuples(_NODES, st.sampled_from("pq"), _NODES), max_size=12))
def test_rules_find_the_same_on_disk(edges: list[tuple[str, str, str]]) -> None:
    """What is stated is not inferred, what two rules find stands in the graph of each, and the union has everything once."""
    rules = [
        queries.Query(
            name, "rules", Path(name), f"PREFIX : <{EX}> CONSTRUCT {{ {then} }} WHERE {{ {_WHERE.get(name, '?x :p ?y')} }}", {}
        )
        for name, then in _RULES.items()
    ]
    lines = [f"{s} <{EX}{p}> {o} ." for s, p, o in edges] + [f'<{EX}a> <{EX}says> "01"^^<{EX}x> .']
    store = Store()
    store.add_lines(lines, EX)
    expected = graph.infer(rules, store, lines)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(spool, "HELD", 0)
        patch.setattr(tempfile, "tempdir", folder)
        stated = gathered([(EX, lines)])
        assert isinstance(stated, Spooled)
        database = Database(stated)
        assert graph.infer_on_disk(rules, database, stated) == expected
        for text in ("SELECT * { ?s ?p ?o }", "SELECT * { GRAPH ?g { ?s ?p ?o } }"):
            assert Counter(map(str, database.select(text).rows)) == Counter(map(str, store.select(text).rows))
        del database
        assert os.listdir(folder) == []  # noqa: PTH208 - names say what was left


def test_rules_give_iris_only_on_disk(temporary: Path) -> None:
    rule = queries.Query("bad", "rules", Path("bad.rq"), f'CONSTRUCT {{ ?s <{EX}q> "x" }} WHERE {{ ?s ?p ?o }}', {})
    stated = Spooled()
    stated.add(EX, [f"<{EX}a> <{EX}p> <{EX}b> ."])
    with pytest.raises(QueryError, match="no IRI"):
        graph.infer_on_disk([rule], Database(stated), stated)
    assert list(temporary.iterdir()) == []


def test_core_is_the_same_on_disk(project: Project, built: build.Built, temporary: Path) -> None:
    """A core of which nothing fits into memory has the bytes of one that does, and leaves nothing in the temporary folder."""
    made = build.core(project)
    assert isinstance(made.loaded.store, Database)
    assert isinstance(made.loaded.inferred_lines, Spooled)
    assert [path.name[:9] for path in temporary.iterdir()] == ["onemg-kg-"], "only the database has names"
    wrong = [name for name, content in {**made.files, **made.dumps.files}.items() if built.files[name] != content]
    assert wrong == []
    assert len(made.dumps.files) > 20
    assert (made.dumps.stated, made.dumps.inferred, made.findings) == (built.stated, built.inferred, built.findings)
    del made
    assert list(temporary.iterdir()) == []


def test_site_is_the_same_on_disk(project: Project, published: dict[str, bytes], temporary: Path) -> None:
    """So has the web site, whose rows are on disk too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scratch, "_HELD", 0)
        made = build.make(project)
        found = {path: hashlib.sha256(b"".join(pieces)).digest() for path, pieces in made.pages()}
    assert found == {path: hashlib.sha256(content).digest() for path, content in published.items()}
    del made
    gc.collect()  # templates and what they were given hold each other
    assert list(temporary.iterdir()) == []


def test_nothing_stays_after_an_error(project: Project, tmp_path: Path, temporary: Path) -> None:
    import shutil

    for name in ("ontology", "data", "shapes", "queries"):
        shutil.copytree(project.folder(name), tmp_path / "copy" / name)
    path = tmp_path / "copy" / "data" / "resources" / "beacon.ttl"
    path.write_text(path.read_text(encoding="utf-8").replace("dcterms:title", "dcterms:alternative", 1), encoding="utf-8")
    with pytest.raises(InvalidGraph, match="1 violation"):
        build.core(Project(tmp_path / "copy", project.version))
    assert list(temporary.iterdir()) == []


_FULL = """
import resource, sys
from onemg_kg import spool
from onemg_kg.cli import main
spool.HELD = 20_000
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files is POSIX's")
@pytest.mark.parametrize("size", [1_000, 400_000, 2_000_000])
def test_no_room(project: Project, tmp_path: Path, size: int) -> None:
    """Where temporary files cannot grow, one sentence says what to do, and nothing is left."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", _FULL, str(size), "build", "--no-site", "--out", str(tmp_path / "out")],
        cwd=project.root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("onemg-kg: the folder of temporary files: cannot be written: ")
    assert ran.stderr.endswith("Make room there, or name another folder in TMPDIR.\n")
    assert ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


_ROWS = """
import resource
from onemg_kg import scratch
from onemg_kg.descriptions import Descriptions
from onemg_kg.errors import OnemgError
scratch._HELD = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000,) * 2)
try:
    Descriptions([("", [f"<http://e.example/{n}> <http://e.example/p> <http://e.example/o> ." for n in range(100_000)])])
except OnemgError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files is POSIX's")
def test_no_room_for_rows(tmp_path: Path) -> None:
    """The same sentence where rows for the web site do not fit."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", _ROWS], env=environment, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert ran.stdout.startswith("the folder of temporary files: cannot be written: ")
    assert ran.stdout.endswith("Make room there, or name another folder in TMPDIR.\n")


def test_no_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    for make in (spool.Spool, lambda: Database({})):
        with pytest.raises(OnemgError, match=r"temporary files: cannot be written: No such file"):
            make()
