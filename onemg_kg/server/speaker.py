"""A process that speaks HTTP beside the first one, which gives it connections: see :mod:`onemg_kg.server.speakers`.

It is forked from the process that holds the graph, and shares that. It waits for nothing: what it cannot answer at once it
gives back to the first process, as it came.
"""

import asyncio
import contextlib
import gc
import os
import pickle
import socket
import sys
from collections.abc import Coroutine
from email.utils import formatdate
from typing import Any

import pyoxigraph as ox
from uvicorn.server import ServerState

from onemg_kg.server import speakers
from onemg_kg.server.app import App, Build
from onemg_kg.server.connection import Connection, prefer_uvloop, take_over
from onemg_kg.server.engine import Engine
from onemg_kg.server.journal import Journal
from onemg_kg.server.lookups import Lookups
from onemg_kg.server.messages import Entry, Request, Response
from onemg_kg.server.metrics import CLOSED, HITS, KEPT, MISSES, REPEATS, Counts, Metrics
from onemg_kg.server.pool import Gone
from onemg_kg.server.settings import Settings
from onemg_kg.server.tree import Tree
from onemg_kg.server.workers import Job

_ELSEWHERE = (b"/api/", b"/healthz", b"/readyz", b"/metrics")
"""What only the first process answers, because only it knows."""
_END = b"\r\n\r\n"
_AGAIN = 0.01
"""How many seconds pass until one tries again to give a connection back."""


class _Nobody:
    """In the place of the workers, which only the first process has: who asks them has to wait, and that is not done here."""

    async def ask(self, request: dict[str, Any], gone: Gone | None = None) -> Job:  # noqa: ARG002 - as where there are some
        """Waits for ever."""
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return] # nothing


class _App(App):
    """Counts what is kept where the first process finds it.

    Attributes:
        channel: the connection to the first process.
    """

    channel: socket.socket

    def note(self, entry: Entry, started: float) -> None:
        """Counts and logs what was answered."""
        super().note(entry, started)
        row, cache, repeats = self.metrics.row, self.build.cache, self.build.repeats
        row[KEPT], row[HITS], row[MISSES], row[REPEATS] = cache.size + repeats.size, cache.hits, cache.misses, repeats.hits


class _Connection(Connection):
    """A connection that is given back with the first request that is not answered at once.

    Attributes:
        is_leaving: whether it is about to be given back: that goes on by itself.
    """

    application: _App

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._unanswered = b""
        self.is_leaving = False

    def data_received(self, data: bytes) -> None:
        """A request, if it is whole and alone, as nearly all are; anything else is for the first process."""
        if self.is_leaving:
            self._unanswered += data
            return
        self._unanswered = data
        if data[:1] in (b"G", b"H") and data.find(_END) == len(data) - len(_END) and self._is_free():
            super().data_received(data)
            if not self.is_leaving:
                self._unanswered = b""
        else:
            self.leave()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or the first process has the connection."""
        super().connection_lost(exc)
        self.application.metrics.row[CLOSED] += 1

    def leave(self) -> None:
        """Gives the connection back with the bytes that came and are not answered, when all that was answered is sent."""
        if self.transport.is_closing():
            return
        if not self.is_leaving:
            self.is_leaving = True
            self.cycle = self._short  # the parser goes on to the end of what came, and begins no answer
            self.transport.pause_reading()
            self._settle()
            self._await_request()  # who does not take the last answer is not waited for longer than for a request
            if self._idle is not None:
                self._idle.cancel()
        try:
            is_given = self.transport.get_write_buffer_size() == 0 and speakers.send(
                self.application.channel, speakers.USED, self.transport, self._unanswered
            )
        except OSError:
            self.transport.abort()
        else:
            if not is_given:
                self.loop.call_later(_AGAIN, self.leave)

    def _answer(self) -> None:
        if self.url.startswith(_ELSEWHERE):
            self.leave()
        else:
            super()._answer()

    def _answer_later(self, request: Request, answering: Coroutine[Any, Any, Response], awaited: Any, started: float) -> None:  # noqa: ARG002 - as where one waits
        answering.close()
        self.leave()

    def _answer_at_length(self) -> None:
        self.leave()


class _Speaker:
    """Answers on the connections that it is given, until it is told to give them back."""

    def __init__(self, app: _App) -> None:
        self._channel = app.channel
        self._loop = asyncio.get_running_loop()
        self._state = ServerState()
        self._config = _Connection.configuration(app.settings, app)
        self._config.load()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_told = asyncio.Event()

    async def serve(self) -> None:
        """Serves until there is no connection left and none to come."""
        self._date()
        self._channel.setblocking(False)
        self._loop.add_reader(self._channel, self._hear)
        self._channel.send(speakers.READY)
        while not self._is_told.is_set():
            self._date()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_told.wait(), 1)
        while self._tasks or self._state.connections:
            for connection in list(self._state.connections):
                if not connection.is_leaving:  # type: ignore[union-attr] # one of ours
                    connection.leave()  # type: ignore[union-attr]
            await asyncio.sleep(_AGAIN)

    def _date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode()), *self._config.encoded_headers]

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while (said := speakers.receive(self._channel)) is not None:
                kind, _, descriptor = said
                if descriptor is not None:
                    task = self._loop.create_task(self._take(kind, socket.socket(fileno=descriptor)))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                elif kind == speakers.LEAVE:
                    self._is_told.set()
            os._exit(0)  # the first process has gone

    async def _take(self, kind: bytes, connection: socket.socket) -> None:
        await take_over(self._config, self._state, connection, b"" if kind == speakers.USED else None)


def run(channel: socket.socket, engine: Engine) -> None:
    """Answers what comes through the channel, until its other end says otherwise."""
    content, (counts, site), _, _ = socket.recv_fds(channel, 1 << 16, 2)
    told: dict[str, Any] = pickle.loads(content)
    prefer_uvloop()
    metrics = Metrics(Counts(told["rows"], counts), told["row"])
    asyncio.run(_serve(channel, engine.store, told["settings"], metrics, site))


async def _serve(channel: socket.socket, graph: ox.Store, settings: Settings, metrics: Metrics, site: int) -> None:
    journal = Journal(sys.stderr.fileno(), asyncio.get_running_loop().call_later)
    build = Build(Tree(settings.site, site), _Nobody(), settings, "")  # type: ignore[arg-type] # all that is asked of one
    build.endpoint.lookups = Lookups(graph)
    app = _App(settings, build, journal, metrics)
    app.channel = channel
    gc.collect()
    gc.freeze()
    await _Speaker(app).serve()
    journal.flush()
