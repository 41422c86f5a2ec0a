"""Serves the graph that a store elsewhere holds: workers that ask it, whether it answers, and what is learned from it anew."""

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pyoxigraph as ox

from onemg_kg.errors import OnemgError
from onemg_kg.server import api, pool
from onemg_kg.server.app import App
from onemg_kg.server.frames import BEGUN
from onemg_kg.server.journal import Journal
from onemg_kg.server.launch import Zygote
from onemg_kg.server.remote_engine import NEVER
from onemg_kg.server.settings import Settings
from onemg_kg.server.workers import Failed, Job, failed
from onemg_kg.store import Table

_LOOK, _LOOK_AGAIN = 5.0, 1.0
"""How many seconds pass between two looks whether the store answers, where it did and where it did not."""
_SHARE = 20
"""How many times as long as it takes to ask what the API knows must pass before the next time: a store has more to do."""


class Pool(pool.Pool):
    """The workers that ask the store.

    Args:
        settings: the limits.
        zygote: the process that forks.
        journal: the log.
    """

    not_yet = "The store does not answer."

    def __init__(self, settings: Settings, zygote: Zygote, journal: Journal) -> None:
        super().__init__(replace(settings, light=settings.asked), zygote)
        self._journal = journal
        self._told = asyncio.Event()
        self._refusal: OnemgError | None = None
        self._answers = False
        self._why = ""

    @property
    def is_ready(self) -> bool:
        """Whether the store answered when it was last asked."""
        return self.alive and self._answers

    async def start(self) -> None:
        """Wait until it is known what there is to ask. A store that does not answer yet is waited for by itself.

        Raises:
            OnemgError: it answers, and there is nothing to ask.
        """
        self._do(self._begin_or_refuse())
        await self._told.wait()
        if self._refusal is not None:
            raise self._refusal
        self._do(self._look())

    async def _begin_or_refuse(self) -> None:
        try:
            await self._begin()
        except OnemgError as error:
            if self._told.is_set():
                await self._restart()
            else:
                self._refusal = error
        self._told.set()

    async def close(self, patience: float) -> None:
        """Take no more queries, let those on their way end, and end the processes."""
        await super().close(patience)
        self._told.set()

    async def _hear(self, control: socket.socket) -> None:
        while (said := await self.loop.sock_recv(control, 1024)) != BEGUN:
            if not said:
                raise OnemgError("the process that asks the store has ended.", source=self.settings.store)
            why = said[len(NEVER) :].decode(errors="replace")
            if said.startswith(NEVER) and not self._told.is_set():
                raise OnemgError(why)
            self._tell(answers=False, why=why)
            self._told.set()

    async def ask(self, request: dict[str, Any], gone: pool.Gone | None = None, *, is_first: bool = False) -> Job:
        """Have a query evaluated, unless the store did not answer when it was last looked at: who asks then waits for nothing.

        Raises:
            Crowded: too many wait.
            Failed: the store does not answer, or the client has gone.
        """
        if self._why and not is_first:
            raise failed(503, self.not_yet)
        return await super().ask(request, gone, is_first=is_first)

    async def _look(self) -> None:
        """Find out again and again whether the store answers."""
        while True:
            try:
                await self.read("ASK {}", _LOOK, is_first=True)
                self._tell(answers=True)
            except pool.Crowded:
                pass  # which says nothing of the store: those that run have their time
            except Failed as error:
                self._tell(answers=False, why=str(error))
            await asyncio.sleep(_LOOK if self._answers else _LOOK_AGAIN)

    def _tell(self, *, answers: bool, why: str = "") -> None:
        if (answers, why) != (self._answers, self._why):
            self._journal.event("store", answers=answers, **({"error": why} if why else {}))
        self._answers, self._why = answers, why

    async def read(self, text: str, patience: float, *, is_first: bool = False) -> bytes:
        """The answer to a query that gives a table, in JSON. It may go before all that wait.

        Raises:
            Failed: there is none, or not in so many seconds.
        """
        request = {"query": text, "default": (), "named": (), "results": "json", "graph": None}
        job = await self.ask(request, is_first=is_first)
        try:
            async with asyncio.timeout(patience):
                return b"".join([piece async for piece in job.rest()])
        except TimeoutError:
            raise failed(504, "The store takes too long.") from None
        finally:
            job.cancel()


class _Asked:
    """The store, to be asked from another thread than that of the workers."""

    def __init__(self, workers: Pool) -> None:
        self._workers = workers

    def select(self, text: str, source: str = "query") -> Table:
        """The rows of a SELECT query.

        Raises:
            OnemgError: there is no answer.
        """
        reading = self._workers.read(text, self._workers.settings.timeout)
        try:
            content = asyncio.run_coroutine_threadsafe(reading, self._workers.loop).result()
        except Failed as error:
            raise OnemgError(str(error), source=source) from None
        found = ox.parse_query_results(content, format=ox.QueryResultsFormat.JSON)
        assert isinstance(found, ox.QuerySolutions)
        return Table(tuple(variable.value for variable in found.variables), [tuple(row) for row in found])


async def follow(app: App, settings: Settings, journal: Journal) -> None:
    """Keeps the API and the service description up to what the store holds, if there is one."""
    loop = asyncio.get_running_loop()
    while isinstance(workers := app.build.pool, Pool):
        started = loop.time()
        if workers.is_ready:
            try:
                app.build.api = await asyncio.to_thread(api.over, settings.project, _Asked(workers))
                app.build.endpoint.forget()
            except OnemgError as error:
                journal.event("no api", error=str(error))
        took = loop.time() - started
        await asyncio.sleep(max(settings.renew, _SHARE * took) if app.build.api is not None else _LOOK_AGAIN)
