"""What queries read, kept on disk between runs, so that files that have not changed are not read and reasoned over again.

An entry is a folder, named by the SHA-256 of all that decides what the store holds: the bytes of every file, the code that
reads them and the version of Oxigraph. So an entry is never out of date: what has changed has another name. Beside the database
lies a seal, written last: name, size and times of each of its files. One that is torn, cut short, edited or copied there does
not agree with its seal, and is made anew; what a disk forgets, the checksums of its blocks find (RocksDB). Where there can be
no cache, the answers are the same, and come later.
"""

import _thread
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pyoxigraph as ox

from onemg_kg import __version__
from onemg_kg.errors import ProjectError
from onemg_kg.project import Project
from onemg_kg.store import Store

ENTRIES = 4
"""How many entries stay: those used last."""

_SOURCES = (("ontology", ".ttl"), ("data", ".ttl"), ("queries/rules", ".rq"))
_CODE = ("cache", "database", "graph", "project", "queries", "spool", "store", "terms")
_SEAL = "seal"
_MAKING = ".making-"
_NAMED = 64
"""How many letters the name of an entry has: those of a SHA-256 in hexadecimal."""
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 17
"""How many bytes are read at once: more than nearly every file has."""
_KILLED = 3600.0
"""Seconds after which a folder that was being filled is taken for one whose process was killed."""


def place(environment: Mapping[str, str]) -> Path | None:
    """The folder of the cache: ``onemg-kg`` in that of the user (XDG Base Directory 0.8, ``XDG_CACHE_HOME``).

    Returns:
        The folder, which may not exist; ``None`` where ``ONEMG_CACHE`` is ``off``, or the user has no such folder.
    """
    # "All paths set in these environment variables must be absolute": one that is not is to be ignored.
    bases = environment.get("XDG_CACHE_HOME", ""), str(Path(environment.get("HOME", ""), ".cache"))
    base = next(filter(os.path.isabs, bases), None)
    return None if base is None or environment.get("ONEMG_CACHE") == "off" else Path(base, "onemg-kg")


class Opening:
    """The entry used last, which a thread opens while the program starts and the files are read.

    Nearly always it is the one that is asked for, and to open a database takes longer than to read all files (RocksDB starts
    threads by the hundred). Who made this has to :meth:`wait` before it leaves, so as not to leave a thread behind.

    Attributes:
        kept: the folder of the cache.
        entry: the folder of the entry; ``None`` where there is none yet.
    """

    def __init__(self, kept: Path) -> None:
        self.kept = kept
        self.entry = next(iter(_entries(_used(kept))), None)
        self._store: Store | None = None
        self._busy = _thread.allocate_lock()
        if self.entry is not None:
            self._busy.acquire()
            _thread.start_new_thread(self._open, (self.entry,))

    def _open(self, entry: Path) -> None:
        try:
            self._store = _open(entry)
        finally:
            self._busy.release()

    def wait(self) -> Store | None:
        """The store of the entry; nothing where there is none, or it is broken."""
        with self._busy:
            return self._store


def open_last(kept: Path | None) -> Opening | None:
    """Begin to open the entry used last.

    Args:
        kept: the folder of the cache (see :func:`place`), or ``None`` for no cache.

    Returns:
        What :func:`load` takes; ``None`` where there is no cache, or others could have written it.
    """
    return Opening(kept) if kept is not None and _is_private(kept) else None


def load(project: Project, kept: Path | None, opening: Opening | None = None) -> Store:
    """What the files of a project state and what follows, for queries: from the cache, or else read, and put there.

    Args:
        project: the project.
        kept: the folder of the cache (see :func:`place`), or ``None`` for no cache.
        opening: what :func:`open_last` gave for that folder, if it was asked before.

    Raises:
        ProjectError: a file cannot be read.
        RdfError: a file is not Turtle.
        QueryError: a rule cannot be run.
    """
    opening = opening or open_last(kept)
    if opening is not None:
        found = _find(opening, project)
        if found is not None:
            return found
    from onemg_kg import graph

    # Read again, and held: an entry is made of the very bytes that name it, whatever becomes of the files meanwhile.
    contents = dict(_sources(project))
    store = graph.for_queries(project, contents)
    with suppress(OSError):
        if kept is not None and _make_private(kept):
            return _keep(store, kept, _key(contents.items())) or store
    return store


def _find(opening: Opening, project: Project) -> Store | None:
    """The store of the entry for the files of a project; nothing where there is none."""
    try:
        entry = opening.kept / _key(_sources(project))
    finally:
        store = opening.wait()
    found = store if entry == opening.entry else _open(entry)
    if found is not None:
        with suppress(OSError):
            os.utime(entry)  # used: see ENTRIES
    return found


def paths(project: Project) -> list[str]:
    """The files that decide what the store holds, as POSIX paths below the root, sorted.

    These are the files that :meth:`Project.files` gives, which takes ten times as long.
    """
    found: list[str] = []
    for folder, suffix in _SOURCES:
        unseen = [folder]
        while unseen:
            below = unseen.pop()
            with suppress(FileNotFoundError), os.scandir(project.root / below) as entries:
                for entry in entries:
                    path = f"{below}/{entry.name}"
                    if entry.name.endswith(suffix):
                        found.append(path)
                    if entry.is_dir(follow_symlinks=False):
                        unseen.append(path)
    return sorted(found)


def _sources(project: Project) -> Iterator[tuple[str, bytes]]:
    return _read(str(project.root), paths(project))


def _read(folder: str, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """What files hold. There are 400 of them, and Python's `open`, which asks the system more of each, takes twice as long.

    Raises:
        ProjectError: one cannot be read.
    """
    for name in names:
        path = f"{folder}/{name}"
        try:
            file = os.open(path, _READING)
            try:
                pieces = [os.read(file, _PIECE)]
                while pieces[-1]:
                    pieces.append(os.read(file, _PIECE))
            finally:
                os.close(file)
        except OSError as error:
            raise ProjectError(f"cannot be read: {error.strerror}.", source=path, fix="Mend it or take it away.") from None
        yield name, b"".join(pieces)


def _hash(first: str, *contents: Iterable[tuple[str, bytes]]) -> str:
    """One hash of names and bytes. The length goes before the bytes, so that no two lists of files read alike."""
    from hashlib import sha256  # loads OpenSSL, which takes as long as to read all files: meanwhile a database is opened

    whole = sha256(first.encode())
    for part in contents:
        for name, content in part:
            whole.update(b"\n%d %s\n" % (len(content), os.fsencode(name)))
            whole.update(content)
    return whole.hexdigest()


def _key(sources: Iterable[tuple[str, bytes]]) -> str:
    """The name of the entry for files with these contents."""
    code = _read(str(Path(__file__).parent), [f"{name}.py" for name in _CODE])
    return _hash(f"{__version__} {ox.__version__}", code, sources)


def _seal(database: Path, key: str) -> str:
    """What stands beside the database of the entry ``key``: its name, the key, and what is known of its files.

    Their contents are not read, which at ten million statements would take seconds. No program sets the time of the last
    change (``st_ctime``), so one that writes to a file and puts size and time back is found out too.

    Raises:
        OSError: it cannot be read.
    """
    files = [(path.name, path.stat()) for path in sorted(database.iterdir())]
    lines = [f"{name} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}\n" for name, found in files]
    return f"{database.name} {key}\n" + "".join(lines)


def _is_private(folder: Path) -> bool:
    """Whether a folder is there, this user's own, and only this user can write to it or put another in its place."""
    if sys.platform == "win32":
        return False  # it has no owner that Python could ask for
    try:
        link, found, above = folder.lstat(), folder.stat(), folder.parent.stat()
    except OSError:
        return False
    user = os.geteuid()
    ours = link.st_uid == found.st_uid == user and above.st_uid in (user, 0)
    return ours and stat.S_ISDIR(found.st_mode) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _make_private(folder: Path) -> bool:
    """Make the folder of the cache where it is not, and say whether it is private.

    Raises:
        OSError: it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    return _is_private(folder)


def _open(entry: Path) -> Store | None:
    """The store of an entry; nothing where there is none, or it is broken."""
    try:
        told = (entry / _SEAL).read_text()
        database = entry / told.partition(" ")[0]
        if told != _seal(database, entry.name):
            return None
        return Store.open(database)
    except (OSError, ValueError):
        return None


def _keep(store: Store, kept: Path, key: str) -> Store | None:
    """Write an entry beside its place and put it there whole; then open it, so that order in an answer is always the entry's.

    Raises:
        OSError: it cannot be written.
    """
    entry = kept / key
    # No two databases have the same name: whoever opens one while another takes its place finds nothing, not a bit of each.
    name = os.urandom(8).hex()
    making = kept / f"{_MAKING}{name}"
    making.mkdir(0o700)
    try:
        store.save(making / name)
        for path in (making / name).iterdir():  # a seal must not outlive a failure of power that its files did not
            with path.open("rb") as file:
                os.fsync(file.fileno())
        (making / _SEAL).write_text(_seal(making / name, key))
        found = _open(entry)
        if found is not None:  # another process was first
            return found
        _remove(entry)
        making.rename(entry)
    finally:
        _remove(making)
    _tidy(kept)
    return _open(entry)


def _used(kept: Path) -> list[tuple[float, Path]]:
    """What is in the folder of the cache, and when it was used: what was used last comes first."""
    used: list[tuple[float, Path]] = []
    with suppress(OSError):  # another process may remove all of it
        for path in kept.iterdir():
            with suppress(OSError):  # or this one
                used.append((path.lstat().st_mtime, path))
    return sorted(used, reverse=True)


def _entries(used: list[tuple[float, Path]]) -> list[Path]:
    return [path for _, path in used if len(path.name) == _NAMED]


def _tidy(kept: Path) -> None:
    """Remove entries used longest ago, and what killed processes left."""
    used = _used(kept)
    killed = [path for at, path in used if path.name.startswith(_MAKING) and at < used[0][0] - _KILLED]
    for path in _entries(used)[ENTRIES:] + killed:
        _remove(path)


def _remove(path: Path) -> None:
    import shutil

    with suppress(OSError):
        path.unlink()  # no folder, but a file or a link
    shutil.rmtree(path, ignore_errors=True)
