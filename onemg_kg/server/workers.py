"""A worker as the server sees it, and the query that it evaluates, for as long as that may take."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from onemg_kg.server.frames import DATA, HEAD, PREFIX, PROBLEM, READY, prefix
from onemg_kg.server.settings import Settings

_AHEAD = 1024 * 1024
"""How many bytes of an answer are held before they are sent, and how far a worker may be ahead of its client."""


class Failed(Exception):
    """A query has no answer.

    Args:
        problem: ``status``, ``detail``, and ``line`` and ``column`` where there are.
    """

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"])
        self.problem = problem


def failed(status: int, detail: str) -> Failed:
    """A query has no answer, for a reason that a status code names."""
    return Failed({"status": status, "detail": detail})


class Job:
    """One query on its way: an answer as far as it is there.

    Attributes:
        head: what the answer is.
        pieces: the pieces that are there and not yet taken.
        done: whether that is all.
        on_long: called when the query has taken longer than a moment, perhaps more than once.
    """

    def __init__(self, worker: "Worker", loop: asyncio.AbstractEventLoop) -> None:
        self.head: dict[str, Any] = {}
        self.pieces: deque[bytes] = deque()
        self.done = False
        self.on_long: Callable[[], object] = lambda: None
        self._loop, self._worker = loop, worker
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: Failed | None = None

    def add(self, piece: bytes) -> None:
        """Takes a piece of the answer."""
        self.pieces.append(piece)
        self._held += len(piece)
        if self._held >= _AHEAD:
            self._worker.pause()
            self._wake()

    def finish(self, error: Failed | None = None) -> None:
        """Nothing more comes."""
        if not self.done:
            self.done, self._error = True, error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def ready(self) -> None:
        """Waits until all of the answer is there, or as much as is held.

        Raises:
            Failed: there is none, or it broke off.
        """
        if not self.done and self._held < _AHEAD:
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._error is not None:
            raise self._error

    def take(self) -> bytes:
        """What is there."""
        taken = b"".join(self.pieces) if len(self.pieces) != 1 else self.pieces[0]
        self.pieces.clear()
        self._held = 0
        return taken

    async def rest(self) -> AsyncIterator[bytes]:
        """All that is left, piece by piece, no faster than it is taken.

        Raises:
            Failed: it broke off.
        """
        while True:
            await self.ready()
            piece = self.take()
            if piece:
                yield piece
            if self.done:
                break
            self._worker.resume()

    def cancel(self) -> None:
        """Nobody wants the answer any more."""
        if not self.done:
            self._worker.end(failed(499, "The client has gone."))


def _processor_time(process: int) -> float:
    """How many seconds a process has had a processor; where only Linux knows, how many have passed."""
    try:
        return time.clock_gettime((~process << 3) | 2)  # clock_getcpuclockid(3) of that process
    except OSError:
        return time.monotonic()


class Keeper(Protocol):
    """Who keeps the workers."""

    settings: Settings
    loop: asyncio.AbstractEventLoop

    @property
    def can_fork(self) -> bool:
        """Whether the process that forks the workers is there."""

    def give_way(self, worker: "Worker") -> None:
        """A worker's query takes long: another worker takes its place, if one is wanted."""

    def fall_behind(self, worker: "Worker") -> None:
        """The client of a worker does not take its answer."""

    def welcome(self, worker: "Worker") -> None:
        """A worker can be asked."""

    def release(self, worker: "Worker") -> None:
        """A worker is free again."""

    def discard(self, worker: "Worker") -> None:
        """A worker is no more to be used, and its process is to end."""


class Worker(asyncio.Protocol):
    """One worker process.

    Attributes:
        name: what the process that forks calls it.
        job: what it evaluates.
        heavy: whether that takes long.
        is_behind: whether its client has not taken what is there for longer than a moment.
        started: when it began.
    """

    def __init__(self, name: str, pool: Keeper) -> None:
        self.name = name
        self.job: Job | None = None
        self.heavy = self.is_behind = False
        self.started = 0.0
        self._pool = pool
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._lag: asyncio.TimerHandle | None = None
        self._left = self._since = self._spent = 0.0
        self._process = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The worker can be asked."""
        self._transport = transport  # type: ignore[assignment] # of a stream socket

    def start(self, request: bytes) -> Job:
        """Ask a query."""
        self.job = Job(self, self._pool.loop)
        self.started = self._pool.loop.time()
        self._left = self._pool.settings.timeout
        self._spent = _processor_time(self._process)
        self._run_clock()
        self._transport.write(request)
        return self.job

    @property
    def spent(self) -> float:
        """How many seconds its query has had a processor."""
        return _processor_time(self._process) - self._spent if self.job is not None else 0.0

    def _run_clock(self) -> None:
        self._since = self._pool.loop.time()
        limit = self._pool.settings.heavy_after / 2
        if self.heavy or self._left <= limit:
            self._timer = self._pool.loop.call_later(self._left, self._expire)
        else:
            self._timer = self._pool.loop.call_later(limit, self._weigh)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._left -= self._pool.loop.time() - self._since

    def _weigh(self) -> None:
        """A moment has passed: is the query a heavy one, or is it the machine that is slow?"""
        self._stop_clock()
        if not self.heavy and self.spent >= self._pool.settings.heavy_after:
            self._pool.give_way(self)
        self._run_clock()
        if self.job is not None:
            self.job.on_long()

    def _expire(self) -> None:
        self.end(failed(504, f"The query took longer than {self._pool.settings.timeout:g} seconds."))

    def pause(self) -> None:
        """The client is behind: neither send more nor count the time."""
        self._transport.pause_reading()
        self._stop_clock()
        if self._lag is None:
            self._lag = self._pool.loop.call_later(self._pool.settings.heavy_after, self._fall_behind)

    def _fall_behind(self) -> None:
        self.is_behind = True
        self._pool.fall_behind(self)

    def _catch_up(self) -> None:
        self.is_behind = False
        if self._lag is not None:
            self._lag.cancel()
            self._lag = None

    def resume(self) -> None:
        """The client has caught up."""
        self._catch_up()
        if self.job is not None and self._timer is None:
            self._run_clock()
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """A part of an answer."""
        self._buffer += data
        at, held = 0, len(self._buffer)
        while held - at >= PREFIX:
            kind, length = prefix(self._buffer, at)
            if held - at < PREFIX + length:
                break
            at += PREFIX
            self._take(kind, bytes(self._buffer[at : at + length]))
            at += length
        del self._buffer[:at]

    def _take(self, kind: bytes, content: bytes) -> None:
        job = self.job
        if kind == READY:
            self._process = int(content)
            self._pool.welcome(self)
        if job is None:
            return
        if kind == HEAD:
            job.head = json.loads(content)
        elif kind == DATA:
            job.add(content)
        else:
            self._stop_clock()
            self._catch_up()
            self.job = None
            self._transport.resume_reading()  # the last pieces may have put the client behind
            job.finish(Failed(json.loads(content)) if kind == PROBLEM else None)
            self._pool.release(self)

    def end(self, error: Failed) -> None:
        """Kill the process: its query has no answer."""
        job, self.job = self.job, None
        self._stop_clock()
        self._catch_up()
        self._pool.discard(self)
        if job is not None:
            job.finish(error)

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        """The process has died."""
        if self.job is not None:
            # All workers die with the process that forks them; one alone dies of what its query needs.
            memory = failed(422, "The query needs more memory than it may have.")
            self.end(memory if self._pool.can_fork else failed(503, "The query broke off."))
        else:
            self._pool.discard(self)
