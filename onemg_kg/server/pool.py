"""The workers over one graph: who evaluates what, and who waits.

Light queries and heavy ones do not wait for each other: a query that takes longer than a moment makes room for another worker,
and goes on at the lowest priority. So does one whose client hardly takes the answer. Only so many may be heavy at once:
of more, one is ended.
"""

import asyncio
import contextlib
import itertools
import json
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from onemg_kg.errors import OnemgError
from onemg_kg.server.frames import BEGUN, CALM, KILL, QUERY, SPAWN, frame
from onemg_kg.server.launch import Zygote
from onemg_kg.server.settings import Settings
from onemg_kg.server.workers import Failed, Job, Worker, failed

Gone = Callable[[], Awaitable[None]]
"""Waits until the client has gone."""


class Crowded(Failed):
    """No worker is free in time."""


class Pool:
    """The workers over one graph.

    Attributes:
        settings: the limits.
        loop: the event loop.
        alive: whether queries are taken.
        ended: how many workers were ended before their time.
        not_yet: what who asks is told when there are no workers for long.
    """

    not_yet = "The graph is still being read."

    def __init__(self, settings: Settings, zygote: Zygote) -> None:
        self.settings = settings
        self.loop = asyncio.get_running_loop()
        self.alive = False
        self.ended = 0
        self._is_closed = False
        self._started = asyncio.Event()
        self._zygote = zygote
        self._names = itertools.count(1)
        self._idle: deque[Worker] = deque()
        self._workers: set[Worker] = set()
        self._first: deque[asyncio.Future[Worker]] = deque()
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Wait until the graph is there and workers stand ready.

        Raises:
            OnemgError: the graph cannot be read.
        """
        await self._begin()

    async def _begin(self) -> None:
        control = self._zygote.control
        control.setblocking(False)
        await self._hear(control)
        control.setblocking(True)
        self.loop.add_reader(control, self._bereave)  # it says nothing more, but its end can be read
        self.alive = True
        await self._fill()
        self._started.set()

    async def _hear(self, control: socket.socket) -> None:
        """Wait until the process that forks says that it is ready."""
        if (said := await self.loop.sock_recv(control, 1024)) != BEGUN:
            why = said.decode(errors="replace") or "the process that reads it has ended"
            raise OnemgError(f"cannot be read: {why}.", source="data/framework.nq", fix="Build again.")

    def _bereave(self) -> None:
        """The process that forks has died, and the workers with it: another one takes its place, and queries wait for it."""
        self.loop.remove_reader(self._zygote.control)
        self.alive = False
        self._started.clear()
        for worker in list(self._workers):
            worker.end(failed(503, "The query broke off."))
        self._do(self._restart())

    async def _restart(self) -> None:
        while not self._is_closed:
            self._zygote = self._zygote.again()
            with contextlib.suppress(OnemgError):
                await self._begin()
                return
            await asyncio.sleep(1)

    async def _fill(self) -> None:
        """Fork as many workers as are missing."""
        while self.alive and self.light < self.settings.light:
            ours, theirs = socket.socketpair()
            with theirs:
                name = self.fork(SPAWN, theirs)
            worker = Worker(name, self)
            self._workers.add(worker)
            try:
                await self.loop.create_connection(lambda worker=worker: worker, sock=ours)  # type: ignore[misc]
            except asyncio.CancelledError:
                self._workers.discard(worker)
                ours.close()
                raise

    def fork(self, order: str, theirs: socket.socket) -> str:
        """Have a process forked that is to have one end of a connection; its name."""
        name = str(next(self._names))
        self._zygote.order(order, name, theirs.fileno())
        return name

    def bury(self, name: str) -> None:
        """A process that was forked has ended, or is to."""
        self._zygote.order(KILL, name)

    @property
    def is_ready(self) -> bool:
        """Whether a query can be answered now."""
        return self.alive

    @property
    def light(self) -> int:
        """How many workers are there for light queries."""
        return len(self._workers) - self.heavy

    @property
    def heavy(self) -> int:
        """How many workers evaluate heavy queries."""
        return sum(worker.heavy for worker in self._workers)

    @property
    def busy(self) -> int:
        """How many queries are evaluated."""
        return sum(worker.job is not None for worker in self._workers)

    @property
    def waiting(self) -> int:
        """How many queries wait."""
        return len(self._first) + len(self._waiting)

    async def ask(self, request: dict[str, Any], gone: Gone | None = None, *, is_first: bool = False) -> Job:
        """Have a query evaluated.

        Args:
            request: what :meth:`Engine.answer` takes.
            gone: waits until nobody wants the answer any more.
            is_first: whether it goes before all that wait, and takes no place of theirs.

        Raises:
            Crowded: too many wait.
            Failed: there is nothing to ask, or the client has gone.
        """
        if not self._started.is_set():
            await self._await_start()
        content = frame(QUERY, json.dumps({**request, "timeout": self.settings.timeout}).encode())
        worker = self._idle.pop() if self._idle else await self._wait(gone, is_first)
        return worker.start(content)

    @property
    def can_fork(self) -> bool:
        """Whether the process that forks is there: it hangs up before its workers die."""
        try:
            return self._zygote.control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    async def _await_start(self) -> None:
        try:
            await asyncio.wait_for(self._started.wait(), self.settings.wait)
        except TimeoutError:
            raise failed(503, self.not_yet) from None

    async def _wait(self, gone: Gone | None, is_first: bool) -> Worker:
        queue = self._first if is_first else self._waiting
        if not self.alive or (queue is self._waiting and len(queue) >= self.settings.queue):
            raise Crowded({"status": 503, "detail": "Too many queries wait to be evaluated."})
        waiter: asyncio.Future[Worker] = self.loop.create_future()
        queue.append(waiter)
        self._make_room()
        error = Crowded({"status": 503, "detail": "Too many queries are being evaluated."})
        timer = self.loop.call_later(self.settings.wait, lambda: None if waiter.done() else waiter.set_exception(error))
        watcher = None if gone is None else self.loop.create_task(self._give_up(waiter, gone))
        try:
            return await waiter
        finally:
            timer.cancel()
            if watcher is not None:
                watcher.cancel()
            with contextlib.suppress(ValueError):
                queue.remove(waiter)

    async def _give_up(self, waiter: asyncio.Future[Worker], gone: Gone) -> None:
        await gone()
        if not waiter.done():
            waiter.set_exception(failed(499, "The client has gone."))

    def _offer(self, worker: Worker) -> None:
        """A worker to who waits longest."""
        for queue in (self._first, self._waiting):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(worker)
                    return
        self._idle.append(worker)

    def give_way(self, worker: Worker) -> None:
        """A worker's query takes long: another worker takes its place, if one is wanted.

        Where too many give way already, one is ended: one whose client is behind, or else the one that has taken longest.
        """
        if self._idle and not self.waiting:
            return
        if self.heavy >= self.settings.heavy:
            others = [other for other in self._workers if other.heavy or (other is worker and worker.is_behind)]
            ended = min(others, key=lambda other: (not other.is_behind, other.started))
            ended.end(failed(503, "Too many queries that take long are being evaluated."))
            if ended is worker:
                return
        self._calm(worker)

    def fall_behind(self, worker: Worker) -> None:
        """The client of a worker does not take its answer: the worker gives way if somebody waits."""
        if self.waiting and not worker.heavy:
            self.give_way(worker)

    def _calm(self, worker: Worker) -> None:
        worker.heavy = True
        self._zygote.order(CALM, worker.name)
        self._refill()

    def _make_room(self) -> None:
        """A query has to wait: one gives way whose client is behind, or else the one that has had most of a processor."""
        light = (worker for worker in self._workers if not worker.heavy)
        most = max(light, key=lambda worker: (worker.is_behind, worker.spent), default=None)
        if most is None:
            return
        if most.is_behind or (most.spent > self.settings.heavy_after / 10 and self.heavy < self.settings.heavy):
            self.give_way(most)

    def welcome(self, worker: Worker) -> None:
        """A worker can be asked."""
        self._offer(worker)

    def release(self, worker: Worker) -> None:
        """A worker is free again. One of a heavy query is not: it has the lowest priority and perhaps much memory."""
        if worker.heavy or worker not in self._workers:
            self.discard(worker)
        else:
            self._offer(worker)

    def discard(self, worker: Worker) -> None:
        """A worker is no more to be used, and its process is to end."""
        if worker in self._workers:
            self._workers.remove(worker)
            with contextlib.suppress(ValueError):
                self._idle.remove(worker)
            self.ended += 1
            self.bury(worker.name)
            worker.close()
            self._refill()

    def _refill(self) -> None:
        if self.alive:
            self._do(self._fill())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, patience: float) -> None:
        """Take no more queries, let those on their way end, and end the processes."""
        self.alive, self._is_closed = False, True
        end = self.loop.time() + patience
        while self.busy > 0 and self.loop.time() < end:
            await asyncio.sleep(0.02)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.loop.remove_reader(self._zygote.control)
        self._zygote.close()
        for worker in list(self._workers):
            worker.close()
        while self._workers:  # each connection says when it is closed, and the loop may not end before
            await asyncio.sleep(0)
