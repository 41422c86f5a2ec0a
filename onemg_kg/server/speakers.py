"""The processes that speak HTTP beside the first one: who has which connection.

The first process accepts every connection and gives it to whoever has the fewest. Another process answers what it can answer at
once: files, answers that it kept, small queries. With whatever else is asked it gives the connection back, together with the
bytes that came: so workers, queues and limits are in one place, and are the same for all. Connections go over as descriptors,
with the bytes that were read of them and not answered; no client notices.
"""

import asyncio
import contextlib
import pickle
import socket
from collections.abc import Callable

from onemg_kg.server.frames import SPEAK
from onemg_kg.server.metrics import CLOSED, Counts
from onemg_kg.server.pool import Pool
from onemg_kg.server.settings import Settings

READY, NEW, USED, LEAVE = b"R", b"N", b"U", b"L"
"""What the processes tell each other: that one can answer; a connection, of which nothing is known or which was used, with what
was read of it; to give all of them back."""

_MOST = 256 * 1024
"""How many bytes may go with a connection: as many as the event loop reads at once."""
_LOOK = 0.5
"""How many seconds pass between two looks whether a process is missing, or has more to do than others."""
_LONGEST = 60.0
"""How many seconds pass at most until a process is tried again that cannot begin."""
_PATIENCE = 5.0
"""How many seconds a process has to give back what it has."""

Take = Callable[[socket.socket, bytes], None]
"""Takes over a connection, with what was read of it."""


def send(channel: socket.socket, kind: bytes, transport: asyncio.Transport, content: bytes = b"") -> bool:
    """Give a connection to the process at the other end; whether that has room for it now.

    Raises:
        OSError: it is gone.
    """
    try:
        socket.send_fds(channel, [kind + content], [transport.get_extra_info("socket").fileno()])
    except BlockingIOError:
        return False
    transport.abort()  # closes what this process has of it and no more: nothing is sent
    return True


def receive(channel: socket.socket) -> tuple[bytes, bytes, int | None] | None:
    """What the process at the other end says: its kind, its content, and a descriptor; nothing where there is nothing more.

    Raises:
        BlockingIOError: it says nothing now.
    """
    try:
        message, descriptors, _, _ = socket.recv_fds(channel, 1 + _MOST, 1)
    except ConnectionResetError:
        return None
    return (message[:1], message[1:], descriptors[0] if descriptors else None) if message else None


class Speaker:
    """One process, as the first one sees it.

    Attributes:
        name: what the process that forks calls it.
        channel: the connection to it.
        is_ready: whether it can be given connections.
        row: where it counts.
    """

    def __init__(self, name: str, channel: socket.socket, counts: Counts, row: int) -> None:
        self.name, self.channel, self.row = name, channel, row
        self.is_ready = False
        self._counts = counts.rows[row]
        self._given = 0

    @property
    def connections(self) -> int:
        """How many connections it has."""
        return self._given - int(self._counts[CLOSED])

    def take(self, kind: bytes, transport: asyncio.Transport) -> bool:
        """Give it a connection of which nothing is read; whether it has room for it."""
        try:
            given = send(self.channel, kind, transport)
        except OSError:
            return False
        self._given += given
        return given


class Speakers:
    """The processes beside the first one that serve a build.

    Args:
        settings: how many there are to be.
        pool: what forks them.
        counts: where they count.
        site: the memory that holds the files.
        take: takes over a connection that one gives back.
    """

    def __init__(self, settings: Settings, pool: Pool, counts: Counts, site: int, take: Take) -> None:
        self._wanted = settings.processes - 1
        self._pool, self._counts, self._site, self._take = pool, counts, site, take
        self._told = {"settings": settings, "rows": len(counts.rows)}
        self._all: list[Speaker] = []
        self._is_leaving = False
        self._changed = asyncio.Event()
        self._pause, self._again = _LOOK, 0.0

    @property
    def ready(self) -> int:
        """How many can answer."""
        return sum(one.is_ready for one in self._all)

    @property
    def connections(self) -> int:
        """How many connections they have."""
        return sum(one.connections for one in self._all)

    def lighter(self, connections: int) -> Speaker | None:
        """The one with the fewest connections, if it has fewer."""
        found = min((one for one in self._all if one.is_ready), key=lambda one: one.connections, default=None)
        return found if found is not None and found.connections < connections and not self._is_leaving else None

    async def keep(self, balance: Callable[[], None]) -> None:
        """Replace those that are missing, for as long as they are wanted; the first ones come with the first look.

        Args:
            balance: gives away connections of which this process has more than others.
        """
        while not self._is_leaving:
            if self._pool.alive:
                if self._pool.loop.time() >= self._again:
                    self._fill()
                balance()
            await asyncio.sleep(_LOOK)

    def _fill(self) -> None:
        while len(self._all) < self._wanted and (row := self._counts.take()) is not None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _MOST)
            with theirs:
                one = Speaker(self._pool.fork(SPEAK, theirs), ours, self._counts, row)
            with contextlib.suppress(OSError):  # it is gone already, which is heard next
                socket.send_fds(ours, [pickle.dumps({**self._told, "row": row})], [self._counts.descriptor, self._site])
            self._all.append(one)
            self._pool.loop.add_reader(ours, self._hear, one)

    def _hear(self, one: Speaker) -> None:
        with contextlib.suppress(BlockingIOError):
            while (said := receive(one.channel)) is not None:
                kind, content, descriptor = said
                if descriptor is not None:
                    self._take(socket.socket(fileno=descriptor), content)
                elif kind == READY:
                    one.is_ready = True
                    self._changed.set()
            self._pool.loop.remove_reader(one.channel)
            one.channel.close()
            self._pool.bury(one.name)
            self._all.remove(one)
            self._counts.give_back(one.row)
            # One that ends before it can answer will most likely do so again.
            self._pause = _LOOK if one.is_ready else min(2 * self._pause, _LONGEST)
            self._again = self._pool.loop.time() + self._pause
            self._changed.set()

    async def complete(self, patience: float) -> bool:
        """Wait until all can answer, for so many seconds; whether they can."""
        await self._wait(lambda: self.ready == self._wanted or self._is_leaving, patience)
        return self.ready == self._wanted

    async def leave(self) -> None:
        """Have all connections given back, and all processes end."""
        self._is_leaving = True
        self._changed.set()
        for one in self._all:
            if one.is_ready:
                with contextlib.suppress(OSError):
                    one.channel.send(LEAVE)
            else:
                self._pool.bury(one.name)
        await self._wait(lambda: not self._all, _PATIENCE)

    async def _wait(self, is_so: Callable[[], bool], patience: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not is_so():
                    self._changed.clear()
                    await self._changed.wait()
