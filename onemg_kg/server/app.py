"""The ASGI application: which part answers a request, and what is counted, logged and renewed."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from onemg_kg.server import api, static
from onemg_kg.server.api import Api
from onemg_kg.server.cache import Cache
from onemg_kg.server.journal import Journal, answered
from onemg_kg.server.messages import Entry, Repeat, Request, Response, not_allowed, options, plain, problem
from onemg_kg.server.metrics import HITS, KEPT, MEDIA_TYPE, MISSES, REPEATS, Metrics
from onemg_kg.server.pool import Gone, Pool
from onemg_kg.server.protocol import Endpoint, Read, Rejected
from onemg_kg.server.settings import Settings
from onemg_kg.server.speakers import Speakers
from onemg_kg.server.tree import Tree
from onemg_kg.server.workers import Failed

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CLOSE = (b"connection", b"close")
_STATE = ("/healthz", "/readyz", "/metrics")
ENDPOINT = "/sparql"


class Build:
    """One build as it is served: the files, and the workers over its graph.

    Args:
        tree: the files.
        pool: the workers.
        settings: the limits.
        describe: the text of the query for the service description.

    Attributes:
        api: the API for people who do not speak SPARQL, once it is there.
        cache: answers to queries, by query.
        repeats: responses that came of requests before, by all the bytes of the request.
        speakers: the processes that speak HTTP beside this one, if there are any.
    """

    def __init__(self, tree: Tree, pool: Pool, settings: Settings, describe: str) -> None:
        self.tree, self.pool = tree, pool
        self.api: Api | None = None
        share = settings.cache // settings.processes
        self.cache: Cache[Response] = Cache(share)
        self.repeats: Cache[Repeat] = Cache(share // 8)
        self.speakers: Speakers | None = None
        self.endpoint = Endpoint(pool, self.cache, self._page if "query.html" in tree.files else None, describe)

    @property
    def is_ready(self) -> bool:
        """Whether queries are answered and the folder of the site may be replaced."""
        return self.tree.is_read and self.pool.is_ready

    async def _page(self, _: Request) -> Response:
        """The page from which people ask, whatever the target's query is: its script reads that."""
        request = Request("GET", "/query.html", b"", {})
        found = await static.answer(self.tree, request)
        fields = [pair for pair in found.fields if pair[0] not in (b"vary", b"link")]
        return Response(found.status, [*fields, (b"vary", b"Accept")], found.body)


class App:
    """Serves a build until there is another.

    Args:
        settings: the limits.
        build: the first build.
        journal: the log.
        metrics: the counts.

    Attributes:
        stopping: whether the server is about to end.
    """

    def __init__(self, settings: Settings, build: Build, journal: Journal, metrics: Metrics) -> None:
        self.build, self.metrics = build, metrics
        self.stopping = False
        self.settings, self._journal = settings, journal
        self._reloads = 0

    def renew(self, build: Build) -> Build:
        """Serve another build from now on.

        Returns:
            The one until now: requests that are on their way still use it.
        """
        old, self.build = self.build, build
        build.api = build.api or old.api
        self._reloads += 1
        return old

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI 3.0)."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        fields = scope["headers"]
        request = Request.of(scope["method"], scope["raw_path"], scope["query_string"], fields, scope["scheme"])
        response = await self.respond(request, lambda: self._read(receive), lambda: _gone(receive))
        self.account(request, response, await self.send(response, request.is_head, send), started)

    def account(self, request: Request, response: Response, size: int, started: float) -> None:
        """Counts and logs what was answered.

        Args:
            request: the request.
            response: the response.
            size: how many bytes of content were sent.
            started: when the request came, by :func:`time.perf_counter`.
        """
        self.note(self.entry(request, response, size), started)

    def entry(self, request: Request, response: Response, size: int) -> Entry:
        """What is counted and logged of a request."""
        method = "HEAD" if request.is_head else request.method
        line = answered(method, request.path, response.status, size) if self.settings.log else ""
        return Entry(_route(request.path), response.status, size, line)

    def note(self, entry: Entry, started: float) -> None:
        """Counts and logs what was answered to a request that came at a time, by :func:`time.perf_counter`."""
        seconds = time.perf_counter() - started
        self.metrics.count(entry.route, entry.status, seconds, entry.size)
        if self.settings.log:
            self._journal.request(entry.line, seconds)

    async def respond(self, request: Request, read: Read, gone: Gone) -> Response:
        """The response to a request, whatever happens.

        Args:
            request: the request.
            read: reads its content.
            gone: waits until the client has gone.
        """
        try:
            response = await self._respond(request, read, gone)
            response.lines  # noqa: B018 - it fails here, and not when it is sent
            return response
        except Rejected as error:
            return error.response
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the server goes on
            self._journal.event("error", path=request.path[:200])
            return problem(500, "Internal server error")

    async def _respond(self, request: Request, read: Read, gone: Gone) -> Response:
        build = self.build
        path = request.path
        if path in (ENDPOINT, ENDPOINT + "/"):
            return await build.endpoint.answer(request, read, gone)
        if path in _STATE:
            return self._state(request)
        if path.startswith(api.PREFIX):
            busy = problem(503, "Busy", "The graph is still being read.", [(b"retry-after", b"1")])
            return busy if build.api is None else build.api.answer(request)
        return await static.answer(build.tree, request)

    def _state(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return options(static.ALLOW)
        if request.method != "GET":
            return not_allowed(static.ALLOW)
        fresh = [(b"cache-control", b"no-store")]
        text = "text/plain; charset=utf-8"
        if request.path == "/healthz":
            return plain(200, text, b"ok\n", fresh)
        if request.path == "/readyz":
            is_ready = self.build.is_ready and not self.stopping
            return plain(200 if is_ready else 503, text, b"ready\n" if is_ready else b"not ready\n", fresh)
        return plain(200, MEDIA_TYPE, self.metrics.text(self._gauges()).encode(), fresh)

    def _gauges(self) -> dict[str, tuple[str, float]]:
        pool, cache, repeats, others = self.build.pool, self.build.cache, self.build.repeats, self.metrics.sum
        speakers = self.build.speakers
        return {
            "onemg_http_processes": ("Processes that speak HTTP.", 1 + (speakers.ready if speakers else 0)),
            "onemg_queries_running": ("Queries that are evaluated.", pool.busy),
            "onemg_queries_heavy": ("Queries that have taken long and go on.", pool.heavy),
            "onemg_queries_waiting": ("Queries that wait for a worker.", pool.waiting),
            "onemg_workers_ended_total": ("Workers ended before their time.", pool.ended),
            "onemg_cache_bytes": ("Size of the answers kept.", cache.size + repeats.size + others(KEPT)),
            "onemg_cache_hits_total": ("Answers given from those kept.", cache.hits + others(HITS)),
            "onemg_repeats_total": (
                "Requests that were the same, byte for byte, as one before.",
                repeats.hits + others(REPEATS),
            ),
            "onemg_cache_misses_total": ("Answers that were not kept.", cache.misses + others(MISSES)),
            "onemg_site_bytes": ("Size of the files served.", self.build.tree.size),
            "onemg_reloads_total": ("Builds that came after the first.", self._reloads),
        }

    async def _read(self, receive: Receive) -> bytes:
        """The content of a request.

        Raises:
            Rejected: it is too long, or takes too long.
        """
        content = bytearray()
        try:
            async with asyncio.timeout(self.settings.patience):
                while True:
                    message = await receive()
                    content += message.get("body", b"")
                    if len(content) > self.settings.request:
                        break
                    if message["type"] == "http.disconnect" or not message.get("more_body"):
                        return bytes(content)
        except TimeoutError:
            raise Rejected(problem(408, "Request timeout", more=[_CLOSE])) from None
        limit = f"At most {self.settings.request} bytes are read."
        raise Rejected(problem(413, "Content too large", limit, [_CLOSE]))

    async def send(self, response: Response, is_head: bool, send: Send) -> int:
        """Sends a response (ASGI 3.0), and counts the bytes of its content."""
        size = len(response.body)
        try:
            await send({"type": "http.response.start", "status": response.status, "headers": response.fields})
            if response.stream is None or is_head:
                await send({"type": "http.response.body", "body": b"" if is_head else response.body})
                return 0 if is_head else size
            # An answer that breaks off is not ended: the connection closes, and the client knows that it lacks something.
            async with contextlib.aclosing(response.stream()) as stream:  # type: ignore[type-var] # a generator
                with contextlib.suppress(Failed):
                    async for piece in stream:
                        size += len(piece)
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                    await send({"type": "http.response.body", "body": b""})
            return size
        finally:
            response.dismiss()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _route(path: str) -> str:
    if path.startswith(ENDPOINT):
        return "sparql"
    if path.startswith("/api/"):
        return "api"
    return "state" if path in _STATE else "site"
