"""What does not fit into memory: spooled to files that have no name, so that they are gone when nobody holds them any more,
however the process ends.

A small graph never gets here: see :data:`HELD`.
"""

import hashlib
import heapq
import marshal
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from onemg_kg.errors import OnemgError

HELD = 2**25
"""So many letters of one thing (a graph, what is sorted, a file that is made) are held in memory; beyond, it is spooled.

The real graph has a twentieth of it.
"""

_BLOCK = 2**20
_TRIES = 100
_BATCH = 512
"""So many records are written and read at once."""

Record = TypeVar("Record", bound=str | tuple[object, ...])
"""What the standard library's ``marshal`` writes and reads back, and what has an order."""


@contextmanager
def room() -> Iterator[None]:
    """Where files that go are written.

    Raises:
        OnemgError: a file cannot be written.
    """
    try:
        yield
    except OSError as error:
        advice = "Make room there, or name another folder in TMPDIR."
        told = f"cannot be written: {error.strerror or error}."
        raise OnemgError(told, source="the folder of temporary files", fix=advice) from None


def folder() -> str:
    """A new folder for temporary files, to be given to :func:`remove`.

    Raises:
        OnemgError: it cannot be made.
    """
    with room():
        return tempfile.mkdtemp(prefix="onemg-kg-")


def remove(folder: str, process: int) -> None:
    """Remove a folder, in the process that made it and in none that was forked from that."""
    for _ in range(_TRIES if os.getpid() == process else 0):
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            break
        time.sleep(0.05)  # a database that still puts itself in order has written to it meanwhile


class Spool:
    """A file without a name, written from its start to its end and read anywhere, also by a process that was forked since.

    Raises:
        OnemgError: it cannot be made.
    """

    def __init__(self) -> None:
        with room(), tempfile.TemporaryFile() as file:
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)

    def write(self, content: bytes) -> int:
        """Add bytes; where they start.

        Raises:
            OnemgError: there is no room.
        """
        with room():
            start = os.lseek(self._file, 0, os.SEEK_END)
            left = memoryview(content)
            while left:
                left = left[os.write(self._file, left) :]
        return start

    def read(self, start: int, size: int) -> bytes:
        """Some of the bytes."""
        if hasattr(os, "pread"):  # what forked processes share has one position
            return os.pread(self._file, size, start)
        os.lseek(self._file, start, os.SEEK_SET)
        return os.read(self._file, size)

    def blocks(self, start: int, size: int) -> Iterator[bytes]:
        """Some of the bytes, a block after the other."""
        for at in range(start, start + size, _BLOCK):
            yield self.read(at, min(_BLOCK, start + size - at))


class Records(Collection[Record], Generic[Record]):
    """Records on disk, in the order in which they were given.

    Raises:
        OnemgError: there is no room.
    """

    def __init__(self, records: Iterable[Record], spool: Spool | None = None) -> None:
        self._spool = spool or Spool()
        self._places: list[tuple[int, int]] = []
        self._number = 0
        rest = iter(records)
        while batch := list(islice(rest, _BATCH)):
            content = marshal.dumps(batch)
            self._places.append((self._spool.write(content), len(content)))
            self._number += len(batch)

    def __iter__(self) -> Iterator[Record]:
        for start, size in self._places:
            yield from marshal.loads(self._spool.read(start, size))

    def __len__(self) -> int:
        return self._number

    def __contains__(self, record: object) -> bool:
        return any(record == other for other in self)


def letters(piece: tuple[str, list[str]]) -> int:
    """How many letters lines have that come with the name of their graph."""
    return sum(map(len, piece[1]))


def chunks(records: Iterable[Record], weigh: Callable[[Record], int]) -> Iterator[list[Record]]:
    """Records in lists, each of which has about :data:`HELD` letters; at least one list."""
    held: list[Record] = []
    weight = 0
    for record in records:
        held.append(record)
        weight += weigh(record)
        if weight > HELD:
            yield held
            held, weight = [], 0
    yield held


def split(records: Iterable[Record], weigh: Callable[[Record], int]) -> tuple[list[Record], Iterator[Record] | None]:
    """The records that fit into memory, and the others; ``None`` where there are none."""
    lists = chunks(records, weigh)
    first = next(lists)
    second = next(lists, None)
    return first, None if second is None else chain(second, chain.from_iterable(lists))


def gathered(records: Iterable[Record], weigh: Callable[[Record], int]) -> list[Record] | Records[Record]:
    """Records in memory, or on disk where they do not fit."""
    first, rest = split(records, weigh)
    return first if rest is None else Records(chain(first, rest))


def in_order(records: Iterable[Record], weigh: Callable[[Record], int]) -> Iterable[Record]:
    """Records, sorted in memory, or on disk where they do not fit (external merge sort)."""
    lists = chunks(records, weigh)
    held = sorted(next(lists))
    runs: list[Records[Record]] = []
    spool = None
    for more in lists:
        spool = spool or Spool()
        runs.append(Records(held, spool))
        held = sorted(more)
    return heapq.merge(*runs, held) if runs else held


def once(records: Iterable[Record]) -> Iterator[Record]:
    """Sorted records, each once."""
    return map(itemgetter(0), groupby(records))


class _File(NamedTuple):
    """A file: what it holds, or where in a spool that starts, if that is not the one of these files; its size and SHA-256."""

    content: bytes | None
    start: int
    size: int
    sha256: str
    spool: Spool | None = None


class Files(Mapping[str, bytes]):
    """Files by path, on disk where they are too large or too many: to ask for one is to read it.

    Args:
        files: what is there already.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._spool = Spool()
        self._files: dict[str, _File] = {}
        self._held = 0
        self.hold(files or {})

    def __getitem__(self, name: str) -> bytes:
        return b"".join(self._blocks(self._files[name]))

    def __contains__(self, name: object) -> bool:
        return name in self._files  # without reading it

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __getstate__(self) -> dict[str, _File]:
        return self._files  # to another process goes what is where: see adopt

    def __setstate__(self, files: dict[str, _File]) -> None:
        self._files = files
        self._held = 0

    def adopt(self, files: "Files") -> None:
        """Take over what a process that was forked since has added to these files."""
        self._files.update(files._files)

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Add a file in pieces, which are not held all at once where it is large.

        Raises:
            OnemgError: there is no room.
        """
        digest, held, waiting, size, start = hashlib.sha256(), list[bytes](), 0, 0, None
        for piece in pieces:
            held.append(piece)
            waiting += len(piece)
            if waiting > HELD:
                content = b"".join(held)
                digest.update(content)
                at = self._spool.write(content)
                start = at if start is None else start
                held, waiting, size = [], 0, size + waiting
        content = b"".join(held)
        digest.update(content)
        size += waiting
        if start is None and self._held + size <= HELD:
            self._held += size
            self._files[name] = _File(content, 0, size, digest.hexdigest())
        else:
            at = self._spool.write(content)
            self._files[name] = _File(None, at if start is None else start, size, digest.hexdigest())

    def hold(self, files: Mapping[str, bytes]) -> None:
        """Add files, of which those on disk stay where they are.

        Raises:
            OnemgError: there is no room.
        """
        if isinstance(files, Files):
            self._files.update(files._elsewhere(files))
        else:
            for name, content in files.items():
                self.add(name, [content])

    def told(self, name: str) -> tuple[int, str]:
        """The size of a file and its SHA-256."""
        file = self._files[name]
        return file.size, file.sha256

    def pieces(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Every file in pieces, of which a large one has several."""
        return ((name, self._blocks(file)) for name, file in self._files.items())

    def placed(self, places: Mapping[str, str]) -> "Files":
        """Some of the files under other paths: new path to old."""
        files, held = Files(), self._elsewhere(places.values())
        files._files = {place: held[name] for place, name in places.items()}
        return files

    def _elsewhere(self, names: Iterable[str]) -> dict[str, _File]:
        """Some of the files, as they are told in another set of files."""
        return {name: self._files[name]._replace(spool=self._files[name].spool or self._spool) for name in names}

    def _blocks(self, file: _File) -> Iterable[bytes]:
        return [file.content] if file.content is not None else (file.spool or self._spool).blocks(file.start, file.size)
