"""The cache of the command line: what has changed, or is broken, is never answered from; what has not is not read again."""

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from onemg_kg import cache, graph, queries
from onemg_kg.errors import ProjectError, QueryError, RdfError
from onemg_kg.project import Project
from onemg_kg.store import Store

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="a folder has no owner here, so there is no cache")

EX = "https://example.org/"
ALL = "SELECT ?g ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g ?s ?p ?o"
RULE = f"CONSTRUCT {{ ?s <{EX}follows> ?o }} WHERE {{ ?s <{EX}p> ?o }}"


@pytest.fixture
def small(tmp_path: Path) -> Project:
    """A project of three files and a rule."""
    root = tmp_path / "project"
    for name in ("ontology", "data/more", "shapes", "queries/rules", "queries/questions"):
        (root / name).mkdir(parents=True)
    (root / "ontology" / "a.ttl").write_text(f"<{EX}a> <{EX}p> <{EX}b> .")
    (root / "data" / "b.ttl").write_text(f"<{EX}b> <{EX}q> 1 .")
    (root / "data" / "more" / "c.ttl").write_text(f'<{EX}c> <{EX}q> "c" .')
    (root / "queries" / "rules" / "r.rq").write_text(RULE)
    return Project(root, "1.0.0")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "onemg-kg"


def _entries(kept: Path) -> list[Path]:
    return sorted(kept.iterdir()) if kept.exists() else []


def _database(entry: Path) -> Path:
    (found,) = (path for path in entry.iterdir() if path.is_dir())
    return found


def _same(project: Project, kept: Path) -> None:
    """The cache answers as the files do, now."""
    answer = cache.load(project, kept).results(ALL, "csv")
    assert answer == graph.load(project).store.results(ALL, "csv")
    assert answer == cache.load(project, None).results(ALL, "csv")


def _from_cache(project: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """What the cache gives where no file may be parsed."""
    with monkeypatch.context() as patch:
        patch.delattr(graph, "for_queries")
        return cache.load(project, kept)


# ---- What is kept ----


def test_kept(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run parses nothing and gives the same, also in another folder with the same files."""
    _same(small, kept)
    expected = graph.load(small).store.results(ALL, "csv")
    assert _from_cache(small, kept, monkeypatch).results(ALL, "csv") == expected
    other = small.root.with_name("other")
    shutil.copytree(small.root, other)
    assert _from_cache(Project(other, "1.0.0"), kept, monkeypatch).results(ALL, "csv") == expected
    assert len(_entries(kept)) == 1


def test_every_query_answers_the_same(project: Project, kept: Path) -> None:
    """Every question, view and list gives the same rows, in the same order, with the cache and without it."""
    cached, plain = cache.load(project, kept), cache.load(project, None)
    asked = [*queries.named(project), *queries.folder(project, "lists")]
    for query in asked:
        # The examples: what says where every statement comes from takes seconds.
        text = query.bind({name: query.term(name, value) for name, value in query.examples.items()})
        if plain.is_construct(text):
            assert sorted(cached.construct_lines(text)) == sorted(plain.construct_lines(text)), query.name
        else:
            assert cached.results(text, "json") == plain.results(text, "json"), query.name


def test_what_is_read(project: Project) -> None:
    """The files that name an entry are those that the graph is loaded from."""
    files = [path for parts in (("ontology",), ("data",)) for path in project.files(*parts, suffix=".ttl")]
    files += project.files("queries", "rules", suffix=".rq")
    assert cache.paths(project) == sorted(map(project.relative, files))


def test_large_file(small: Project, kept: Path) -> None:
    """A file that is not read at once is read to its end: what it holds, and whether it has changed."""
    lines = [f'<{EX}b> <{EX}q> "{number:06}" .' for number in range(10_000)]
    (small.root / "data" / "b.ttl").write_text("\n".join(lines))
    _same(small, kept)
    (small.root / "data" / "b.ttl").write_text("\n".join(lines[:-1]) + f'\n<{EX}b> <{EX}q> "changed" .')
    _same(small, kept)


def test_literals_are_as_the_store_has_them(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Language tags, datatypes, escapes and blank nodes come back as they went in."""
    (small.root / "data" / "b.ttl").write_text(f'<{EX}b> <{EX}q> "ä\\n\\"", "b"@en-GB, 1.50, "x"^^<{EX}t>, [ <{EX}q> 2 ] .')
    rows = "SELECT ?s ?o WHERE { ?s ?p ?o FILTER (!isBlank(?s) && !isBlank(?o)) } ORDER BY ?s ?o"
    cache.load(small, kept)
    found = _from_cache(small, kept, monkeypatch)
    assert found.results(rows, "json") == graph.load(small).store.results(rows, "json")
    assert len(found.select("SELECT * WHERE { ?s ?p [ ?q 2 ] }").rows) == 1


# ---- What has changed ----


def _edit(root: Path) -> None:
    (root / "data" / "b.ttl").write_text(f"<{EX}b> <{EX}q> 2 .")


def _edit_unseen(root: Path) -> None:
    """Another content of the same size, with the times of the old."""
    path = root / "data" / "b.ttl"
    was = path.stat()
    _edit(root)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (was.st_size, was.st_mtime_ns)


def _swap(root: Path) -> None:
    """Two files change places: the bytes are the same, the graphs are not."""
    first, second, between = root / "data" / "b.ttl", root / "data" / "more" / "c.ttl", root / "between"
    first.rename(between)
    second.rename(first)
    between.rename(second)


CHANGES: dict[str, Callable[[Path], object]] = {
    "changed": _edit,
    "same size and time": _edit_unseen,
    "added": lambda root: (root / "data" / "more" / "d.ttl").write_text(f"<{EX}d> <{EX}p> <{EX}a> ."),
    "removed": lambda root: (root / "data" / "b.ttl").unlink(),
    "renamed": lambda root: (root / "data" / "b.ttl").rename(root / "data" / "e.ttl"),
    "moved": lambda root: (root / "data" / "b.ttl").rename(root / "ontology" / "b.ttl"),
    "swapped": _swap,
    "rule changed": lambda root: (root / "queries" / "rules" / "r.rq").write_text(RULE.replace("follows", "went")),
    "rule renamed": lambda root: (root / "queries" / "rules" / "r.rq").rename(root / "queries" / "rules" / "s.rq"),
    "no rule": lambda root: shutil.rmtree(root / "queries" / "rules"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change(small: Project, kept: Path, name: str) -> None:
    """A change of any file is seen, and so is that it was taken back."""
    before = cache.load(small, kept).results(ALL, "csv")
    copy = small.root.with_name("copy")
    shutil.copytree(small.root, copy)
    CHANGES[name](small.root)
    _same(small, kept)
    assert cache.load(small, kept).results(ALL, "csv") != before
    assert cache.load(Project(copy, "1.0.0"), kept).results(ALL, "csv") == before


def test_change_while_reading(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes while the graph is loaded, and back again, is kept under the name of what was loaded."""
    load = graph.for_queries

    def meanwhile(*given: object) -> Store:
        _edit(small.root)
        return load(*given)  # type: ignore[arg-type]

    before = graph.load(small).store.results(ALL, "csv")
    with monkeypatch.context() as patch:
        patch.setattr(graph, "for_queries", meanwhile)
        assert cache.load(small, kept).results(ALL, "csv") == before
    _same(small, kept)


@pytest.mark.parametrize("name", ["__version__", "_CODE"])
def test_other_program(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An entry of another version, or of other code, is not looked at."""
    with monkeypatch.context() as patch:
        patch.setattr(cache, name, "0.0.1" if name == "__version__" else cache._CODE[1:])
        cache.load(small, kept)
    (old,) = _entries(kept)
    shutil.rmtree(_database(old))
    _same(small, kept)
    assert len(_entries(kept)) == 2


def test_broken_file(small: Project, kept: Path) -> None:
    """A file that is not Turtle, and a rule that is not text, are named as they are without a cache; nothing is kept."""
    cache.load(small, kept)
    (small.root / "data" / "b.ttl").write_text("<a> <b>")
    with pytest.raises(RdfError, match=r"data/b\.ttl:1: is not Turtle"):
        cache.load(small, kept)
    (small.root / "data" / "b.ttl").unlink()
    (small.root / "queries" / "rules" / "r.rq").write_bytes(b"\xff")
    with pytest.raises(QueryError, match=r"r\.rq: cannot be read"):
        cache.load(small, kept)
    assert len(_entries(kept)) == 1


# ---- What is broken ----


def _largest(entry: Path) -> Path:
    return max(_database(entry).iterdir(), key=lambda path: path.stat().st_size)


def _flip(entry: Path) -> None:
    """One bit of each file of the database; size and times are put back."""
    for path in _database(entry).iterdir():
        content = bytearray(path.read_bytes())
        if content:
            was = path.stat()
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
            os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _replace_by_file(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_text("garbage")


BREAKAGES: dict[str, Callable[[Path], object]] = {
    "cut short": lambda entry: os.truncate(_largest(entry), 100),
    "emptied": lambda entry: os.truncate(_largest(entry), 0),
    "file missing": lambda entry: _largest(entry).unlink(),
    "file more": lambda entry: (_database(entry) / "000099.sst").write_text("garbage"),
    "bits": _flip,
    "garbage": lambda entry: _largest(entry).write_bytes(os.urandom(5000)),
    "no seal": lambda entry: (entry / "seal").unlink(),
    "seal of bytes": lambda entry: (entry / "seal").write_bytes(b"\xff\0"),
    "seal cut short": lambda entry: os.truncate(entry / "seal", 10),
    "empty": lambda entry: shutil.rmtree(_database(entry)),
    "a file": _replace_by_file,
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_broken_entry(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An entry that is broken is not answered from, and is made anew."""
    cache.load(small, kept)
    (entry,) = _entries(kept)
    BREAKAGES[name](entry)
    with pytest.raises(AttributeError):
        _from_cache(small, kept, monkeypatch)
    _same(small, kept)
    assert _entries(kept) == [entry]
    assert _from_cache(small, kept, monkeypatch).select(ALL).rows


def test_foreign_entry(small: Project, kept: Path) -> None:
    """A whole entry under the name of another is not answered from."""
    cache.load(small, kept)
    (old,) = _entries(kept)
    _edit(small.root)
    cache.load(small, kept)
    (new,) = set(_entries(kept)) - {old}
    shutil.rmtree(new)
    shutil.copytree(old, new)
    _same(small, kept)


def test_no_database(tmp_path: Path) -> None:
    """A folder with something else, or with a corrupt database, cannot be opened, and that is one kind of error."""
    with pytest.raises(OSError, match=r"."):
        Store.open(tmp_path)
    Store().save(tmp_path / "store")
    for path in (tmp_path / "store").glob("MANIFEST-*"):
        path.write_bytes(b"garbage")
    with pytest.raises(OSError, match=r"."):
        Store.open(tmp_path / "store")


def test_removed_while_open(small: Project, kept: Path) -> None:
    """A store that is open answers also when its entry is removed."""
    expected = cache.load(small, None).results(ALL, "csv")
    store = cache.load(small, kept)
    shutil.rmtree(kept)
    assert store.results(ALL, "csv") == expected


# ---- Where it is ----


def test_place() -> None:
    """The folder is that of the XDG specification; a relative path is ignored, and it can be switched off."""
    home = {"HOME": "/anywhere/me"}
    assert cache.place(home) == Path("/anywhere/me/.cache/onemg-kg")
    assert cache.place({**home, "XDG_CACHE_HOME": "/caches"}) == Path("/caches/onemg-kg")
    assert cache.place({**home, "XDG_CACHE_HOME": "caches"}) == Path("/anywhere/me/.cache/onemg-kg")
    assert cache.place({**home, "XDG_CACHE_HOME": ""}) == Path("/anywhere/me/.cache/onemg-kg")
    assert cache.place({**home, "ONEMG_CACHE": "off"}) is None
    assert cache.place({}) is None
    assert cache.place({"HOME": ""}) is None


def test_private(small: Project, kept: Path) -> None:
    """Only the user sees what is kept."""
    cache.load(small, kept)
    for folder in (kept, *_entries(kept)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_cache(small: Project, kept: Path) -> None:
    """Where a folder cannot be made there is no cache, and nothing is said of it."""
    kept.parent.write_text("a file")
    _same(small, kept)
    assert kept.parent.read_text() == "a file"


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_read_only(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be written is no cache for what is new, and still one for what it has."""
    cache.load(small, kept)
    kept.chmod(0o500)
    assert _from_cache(small, kept, monkeypatch).select(ALL).rows
    _edit(small.root)
    _same(small, kept)
    assert len(_entries(kept)) == 1
    kept.chmod(0o700)


def test_full_disk(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the database cannot be written the answer is there, and nothing half written stays."""

    def fail(_: Store, folder: Path) -> None:
        folder.mkdir()
        (folder / "000001.sst").write_text("half")
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save", fail)
        assert cache.load(small, kept).select(ALL).rows
    assert _entries(kept) == []


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_others_may_write(small: Project, kept: Path, mode: int) -> None:
    """A folder to which others can write is no cache."""
    cache.load(small, kept)
    kept.chmod(mode)
    assert not cache._is_private(kept)
    _edit(small.root)
    _same(small, kept)
    assert len(_entries(kept)) == 1


@pytest.mark.parametrize("whose", ["folder", "link", "folder above"])
def test_other_owner(small: Project, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str) -> None:
    """Neither a folder of another user, nor what a link of another user leads to, nor a folder in another's, is a cache."""
    real, another = tmp_path / "real", os.geteuid() + 1
    cache.load(small, real)
    if os.geteuid() == 0:
        kept.parent.mkdir()
        kept.symlink_to(real)
        assert cache._is_private(kept)
        changed = {"folder": real, "link": kept, "folder above": kept.parent}[whose]
        os.chown(changed, another, -1, follow_symlinks=False)
    else:  # only root can give a file away: this user is another one
        monkeypatch.setattr(os, "geteuid", lambda: another)
        kept = real
    assert not cache._is_private(kept)
    _edit(small.root)
    _same(small, kept)
    assert len(_entries(real)) == 1


# ---- The entry used last, which is opened before it is known whether it is the right one ----


def _two(small: Project, kept: Path) -> tuple[Path, Path]:
    """The entries of the project as it is, and as it was: the latter used last."""
    cache.load(small, kept)
    (was,) = _entries(kept)
    _edit(small.root)
    cache.load(small, kept)
    (now,) = set(_entries(kept)) - {was}
    os.utime(was, (2e9, 2e9))
    return now, was


def test_another_used_last(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry of other files is not answered from because it was used last; the right one is found all the same."""
    now, was = _two(small, kept)
    expected = graph.load(small).store.results(ALL, "csv")
    assert _from_cache(small, kept, monkeypatch).results(ALL, "csv") == expected
    assert was.stat().st_mtime == 2e9
    shutil.rmtree(now)
    _same(small, kept)


def test_another_used_last_is_broken(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it matter that it cannot be opened."""
    _, was = _two(small, kept)
    for path in _database(was).iterdir():
        path.write_bytes(b"broken")
    os.utime(was, (2e9, 2e9))
    expected = graph.load(small).store.results(ALL, "csv")
    assert _from_cache(small, kept, monkeypatch).results(ALL, "csv") == expected


def test_opened_once(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right entry is opened once; where the files cannot be read, that is told, and nothing goes on behind."""
    cache.load(small, kept)
    opened: list[Path] = []
    real = Store.open

    def slow(folder: Path) -> Store:
        time.sleep(0.2)
        opened.append(folder)
        return real(folder)

    monkeypatch.setattr(Store, "open", slow)
    cache.load(small, kept)
    assert len(opened) == 1
    (small.root / "data" / "gone.ttl").symlink_to(small.root / "nowhere")
    with pytest.raises(ProjectError, match=r"gone\.ttl: cannot be read: No such file"):
        cache.load(small, kept)
    assert len(opened) == 2


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere")], ids=["folder", "broken link"])
def test_unreadable_file(small: Project, kept: Path, make: Callable[[Path], None]) -> None:
    """What cannot be read is named, with a cache and without it."""
    make(small.root / "data" / "x.ttl")
    for place in (kept, None):
        with pytest.raises(ProjectError, match=r"data/x\.ttl: cannot be read: .*\. Mend it"):
            cache.load(small, place)


def test_opened_ahead(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that was opened before the files were looked at is answered from, unless they have changed meanwhile."""
    cache.load(small, kept)
    expected = graph.load(small).store.results(ALL, "csv")
    opening = cache.open_last(kept)
    assert opening is not None
    assert opening.wait() is not None
    with monkeypatch.context() as patch:
        patch.delattr(graph, "for_queries")
        patch.delattr(Store, "open")
        assert cache.load(small, kept, opening).results(ALL, "csv") == expected
    _edit(small.root)
    assert cache.load(small, kept, opening).results(ALL, "csv") == graph.load(small).store.results(ALL, "csv") != expected
    kept.chmod(0o777)
    assert cache.open_last(kept) is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["query", "all", "--page", "0"], 2),
        (["query", "nothing"], 2),
        (["--version", "query", "all"], 0),
        (["list", "query"], 2),
    ],
    ids=["usage", "name", "version", "list"],
)
def test_opened_for_nothing(small: Project, tmp_path: Path, project: Project, words: list[str], code: int) -> None:
    """Where the words only looked like a query, the program ends as it does without a cache."""
    (small.root / "queries" / "lists").symlink_to(project.root / "queries" / "lists")
    command = [sys.executable, "-m", "onemg_kg", "--project", str(small.root), *words]
    environment = {**os.environ, "PYTHONPATH": str(project.root), "XDG_CACHE_HOME": str(tmp_path / "cache"), "ONEMG_CACHE": ""}
    cache.load(small, tmp_path / "cache" / "onemg-kg")
    warm, off = (
        subprocess.run(command, env={**environment, **own}, cwd=tmp_path, check=False, capture_output=True, text=True)
        for own in ({}, {"ONEMG_CACHE": "off"})
    )
    assert (warm.returncode, warm.stdout, warm.stderr) == (code, off.stdout, off.stderr)
    assert "Traceback" not in warm.stderr


# ---- Upkeep ----


def test_few_entries(small: Project, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those used last stay; what is not ours stays too."""
    cache.load(small, kept)
    (first,) = _entries(kept)
    (kept / "mine.txt").write_text("mine")
    for number in range(2, cache.ENTRIES + 3):
        for at, path in enumerate(_entries(kept)):  # older than a clock's tick
            os.utime(path, (1e9 + at, 1e9 + at))
        os.utime(first, (1e9 + 50, 1e9 + 50))
        (small.root / "data" / "b.ttl").write_text(f"<{EX}b> <{EX}q> {number} .")
        cache.load(small, kept)
    assert len([path for path in _entries(kept) if path.is_dir()]) == cache.ENTRIES
    assert first in _entries(kept)
    assert (kept / "mine.txt").read_text() == "mine"
    (small.root / "data" / "b.ttl").write_text(f"<{EX}b> <{EX}q> 1 .")
    os.utime(first, (1e9, 1e9))
    _from_cache(small, kept, monkeypatch)
    assert first.stat().st_mtime > 1e9 + 100


def test_killed(small: Project, kept: Path) -> None:
    """What a process that was killed had begun is removed later; what another is at is left alone."""
    cache.load(small, kept)
    killed, busy = kept / ".making-killed", kept / ".making-busy"
    for folder in (killed, busy):
        (folder / "store").mkdir(parents=True)
    os.utime(killed, (1e9, 1e9))
    _edit(small.root)
    cache.load(small, kept)
    assert not killed.exists()
    assert busy.is_dir()


def test_at_once(small: Project, tmp_path: Path, project: Project) -> None:
    """Programs that start at once all give the right answer and leave one whole entry."""
    (small.root / "queries" / "questions" / "all.rq").write_text(ALL)
    expected = graph.load(small).store.results(ALL, "csv")
    command = [sys.executable, "-m", "onemg_kg", "--project", str(small.root), "query", "all", "--format", "csv"]
    environment = {**os.environ, "PYTHONPATH": str(project.root), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ONEMG_CACHE", None)
    for _ in range(2):  # with nothing there, and with a broken entry
        started = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=tmp_path) for _ in range(5)]
        for process in started:
            told, _nothing = process.communicate()
            assert process.returncode == 0
            assert told.decode() == expected
        (entry,) = (tmp_path / "cache" / "onemg-kg").iterdir()
        assert (entry / "seal").read_text() == cache._seal(_database(entry), entry.name)
        _flip(entry)


def test_off(small: Project, tmp_path: Path, project: Project) -> None:
    """ONEMG_CACHE=off writes nothing."""
    (small.root / "queries" / "questions" / "all.rq").write_text(ALL)
    command = [sys.executable, "-m", "onemg_kg", "--project", str(small.root), "query", "all"]
    environment = {**os.environ, "PYTHONPATH": str(project.root), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run(command, env={**environment, "ONEMG_CACHE": "off"}, cwd=tmp_path, check=True, capture_output=True)
    assert not (tmp_path / "cache").exists()
