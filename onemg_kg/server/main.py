"""Starts the server, watches for new builds, and stops it."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from onemg_kg import queries
from onemg_kg.errors import OnemgError
from onemg_kg.server import api
from onemg_kg.server.app import App, Build
from onemg_kg.server.connection import GRACE, Connection, prefer_uvloop, take_over
from onemg_kg.server.journal import Handler, Journal
from onemg_kg.server.launch import Zygote, launch
from onemg_kg.server.lookups import Lookups
from onemg_kg.server.metrics import Counts, Metrics
from onemg_kg.server.pool import Pool
from onemg_kg.server.settings import GRAPH, Settings
from onemg_kg.server.speakers import Speakers
from onemg_kg.server.tree import Tree
from onemg_kg.store import Store, load

_SPARE = 3
"""How many processes may count for each that speaks HTTP: those of builds that were replaced may still be at work."""
_LONGEST = 60.0
"""How many seconds pass at most until a build that is not whole is tried again, unless it has changed."""
_WHILE = 10.0
"""How many seconds a new build waits for the processes that are to serve it, beyond the first."""


class _Uvicorn(uvicorn.Server):
    """Takes the connections of other processes back before it ends them all."""

    def __init__(self, config: uvicorn.Config, app: App) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends when requests on their way are answered, or have had their time."""
        self._app.stopping = True
        if self._app.build.speakers is not None:
            await self._app.build.speakers.leave()
        await super().shutdown(sockets)


class Server:
    """Serves one folder.

    Args:
        settings: what it is told.
        zygote: the process that reads the graph beside this one.
    """

    def __init__(self, settings: Settings, zygote: Zygote) -> None:
        self._settings = replace(settings, processes=1) if settings.store else settings
        self._zygote = zygote
        try:
            self._describe = queries.read(settings.project.folder("queries") / "service" / "description.rq").text
            self._tree = Tree(settings.site)
            self._listener = _listen(settings)
        except OnemgError:
            self._zygote.close()
            raise
        self._seen = _state(settings.site)
        self._tasks: set[asyncio.Task[None]] = set()

    def _pool(self, zygote: Zygote, journal: Journal) -> Pool:
        if self._settings.store:
            from onemg_kg.server import remote  # here and below, because to import what speaks to stores takes a while

            return remote.Pool(self._settings, zygote, journal)
        return Pool(self._settings, zygote)

    async def _follow(self, app: App, journal: Journal) -> None:
        if self._settings.store:
            from onemg_kg.server import remote

            await remote.follow(app, self._settings, journal)

    async def serve(self) -> None:
        """Serve until a signal says stop."""
        loop = asyncio.get_running_loop()
        journal = Journal(sys.stderr.fileno(), loop.call_later)
        logging.getLogger("uvicorn").addHandler(Handler(journal))
        pool = self._pool(self._zygote, journal)
        self._counts = Counts(1 + _SPARE * (self._settings.processes - 1))
        app = App(self._settings, Build(self._tree, pool, self._settings, self._describe), journal, Metrics(self._counts))
        self._server = server = _Uvicorn(Connection.configuration(self._settings, app), app)
        wake = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, wake.set)
        host, port = self._listener.getsockname()[:2]
        journal.event("listening", host=host, port=port, files=len(self._tree.files))
        started = loop.create_task(self._start(app, server, journal))
        watching = loop.create_task(self._watch(app, journal, wake))
        following = loop.create_task(self._follow(app, journal))
        gc.freeze()  # the files stay: there is no use in looking at them again and again
        gc.enable()
        try:
            await server.serve([self._listener])
        finally:
            watching.cancel()
            following.cancel()
            await app.build.pool.close(0)
            journal.event("stopped")
            await asyncio.wait([started])
        started.result()

    async def _start(self, app: App, server: uvicorn.Server, journal: Journal) -> None:
        try:
            build = app.build
            await build.pool.start()
            await asyncio.to_thread(build.tree.read)
            journal.event("ready")
            await self._complete(build, journal)
            if not app.stopping:
                await self._speak(build, app, journal)
        except OnemgError as error:
            journal.event("failed", error=str(error))
            server.should_exit = True
            if not app.stopping:
                raise

    async def _watch(self, app: App, journal: Journal, wake: asyncio.Event) -> None:
        """Reads the build anew when there is another, or when told to. One that stays broken is tried less and less often."""
        loop = asyncio.get_running_loop()
        before, again, pause = self._seen, 0.0, self._settings.watch
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), self._settings.watch or None)
            now = _state(self._settings.site)
            if now != before:
                again, pause = 0.0, self._settings.watch
            # A build is read when it has stood still for as long as one waits between two looks.
            if wake.is_set() or (now != self._seen and now == before and loop.time() >= again):
                wake.clear()
                build = await self._load(journal)
                if build is None:
                    again, pause = loop.time() + pause, min(2 * pause, _LONGEST)
                else:
                    await self._speak(build, app, journal)
                    self._seen = now
                    old = app.renew(build)
                    if old.speakers is not None:
                        await old.speakers.leave()
                    self._do(self._close(old))
                    journal.event("reloaded", files=len(build.tree.files))
            before = now

    async def _close(self, old: Build) -> None:
        """Lets go of a build when requests that are on their way have had their time."""
        await old.pool.close(self._settings.timeout + GRACE)
        old.tree.close()

    async def _load(self, journal: Journal) -> Build | None:
        """Another build, ready to be served; nothing if it is not whole."""
        zygote, tree = launch(self._settings), None
        try:
            tree = await asyncio.to_thread(Tree, self._settings.site)
            await asyncio.to_thread(tree.read)
            pool = self._pool(zygote, journal)
            await pool.start()
        except (OnemgError, ValueError) as error:
            zygote.close()
            if tree is not None:
                tree.close()
            journal.event("not reloaded", error=str(error))
            return None
        build = Build(tree, pool, self._settings, self._describe)
        await self._complete(build, journal)
        return build

    async def _speak(self, build: Build, app: App, journal: Journal) -> None:
        """Has a build served by other processes too, and waits until they can."""
        if self._settings.processes < 2:
            return

        def take(connection: socket.socket, came: bytes) -> None:
            self._do(self._take(app, connection, came))

        def balance() -> None:
            connections = self._server.server_state.connections
            here = len(connections)
            for connection in list(connections) if build is app.build else ():
                other = speakers.lighter(here - 1)
                if other is None:
                    break
                here -= connection.give(other)  # type: ignore[union-attr] # one of ours

        build.speakers = speakers = Speakers(self._settings, build.pool, self._counts, build.tree.descriptor, take)
        self._do(speakers.keep(balance))
        if await speakers.complete(_WHILE):
            journal.event("shared", processes=self._settings.processes)

    async def _take(self, app: App, connection: socket.socket, came: bytes) -> None:
        """Takes over a connection that another process gives back."""
        taken = await take_over(self._server.config, self._server.server_state, connection, came)
        if app.stopping and taken is not None:
            taken.shutdown()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _complete(self, build: Build, journal: Journal) -> None:
        """Adds what this process answers from the graph itself; where it cannot, the log says so."""
        if self._settings.store:
            return  # :func:`remote.follow` does, from what the store holds
        try:
            graph = await asyncio.to_thread(load, self._settings.graph)
            build.endpoint.lookups = await asyncio.to_thread(Lookups, graph)
            build.api = await asyncio.to_thread(api.over, self._settings.project, Store.of(graph))
        except (OnemgError, OSError, SyntaxError) as error:
            journal.event("no api", error=str(error))


def _state(root: Path) -> list[tuple[int, int]]:
    """What tells one build of a site from the next, without reading it."""
    found = []
    for path in (root, root / GRAPH, root / "index.html", root.parent / "manifest.json"):
        with contextlib.suppress(OSError):
            held = path.stat()
            found.append((held.st_ino, held.st_mtime_ns))
    return found


def _listen(settings: Settings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise OnemgError(
            f"cannot be listened on: {error.strerror}.", source=f"{settings.host}:{settings.port}", fix="Name another --port."
        ) from None


def _ignore(*_: object) -> None:
    """Uvicorn ends on a signal and then raises it again; what is to be done after that is still to be done."""


def main(settings: Settings, zygote: Zygote) -> None:
    """Serve until told to stop, with a process that reads the graph already."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore)
    gc.disable()  # until everything is there: nothing that is made now is garbage
    server = Server(settings, zygote)
    prefer_uvloop()
    asyncio.run(server.serve())
