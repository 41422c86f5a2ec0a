"""The SPARQL 1.1 Protocol for queries, and the service description (W3C, 2013)."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from onemg_kg.negotiation import REPRESENTATIONS, Representation, choose
from onemg_kg.server.cache import Cache
from onemg_kg.server.description import Description
from onemg_kg.server.engine import RESULTS
from onemg_kg.server.lookups import Lookups
from onemg_kg.server.messages import Request, Response, not_allowed, options, problem
from onemg_kg.server.packed import Packed, digest, packing
from onemg_kg.server.pool import Gone, Pool
from onemg_kg.server.workers import Failed, Job

ALLOW = "GET, HEAD, OPTIONS, POST"
_PAGE = REPRESENTATIONS[0]
_TABLES = (
    Representation("json", "application/sparql-results+json", ".srj", ("application/json", "text/json")),
    Representation("xml", "application/sparql-results+xml", ".srx", ("application/xml", "text/xml")),
    Representation("csv", "text/csv", ".csv"),
    Representation("tsv", "text/tab-separated-values", ".tsv"),
)
_GRAPHS = tuple(form for form in REPRESENTATIONS if form.name in ("turtle", "jsonld", "ntriples", "rdfxml", "nquads"))
_TYPES = {form.name: form.media_type for form in (*_TABLES, *_GRAPHS)}
_FORM, _DIRECT, _UPDATE = "application/x-www-form-urlencoded", "application/sparql-query", "application/sparql-update"
_VARY = (b"vary", b"Accept")
_REPEATABLE = ("default-graph-uri", "named-graph-uri")
_RETRY = (b"retry-after", b"1")

_TITLES = {
    400: "Malformed query",
    403: "Query refused",
    422: "Query ended",
    503: "Busy",
    504: "Query timed out",
}

Read = Callable[[], Awaitable[bytes]]
"""Reads the content of a request."""

Page = Callable[[Request], Awaitable[Response]]
"""Gives the page from which people ask."""


class Rejected(Exception):
    """The request is none of the protocol's.

    Args:
        response: what it is answered with.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True)
class Question:
    """A query operation (SPARQL 1.1 Protocol, section 2.1).

    Attributes:
        query: the query.
        default: the graphs of ``default-graph-uri``.
        named: the graphs of ``named-graph-uri``.
        format: the format that is asked for by name, if one is.
    """

    query: str
    default: tuple[str, ...]
    named: tuple[str, ...]
    format: str | None


def _bad(detail: str, status: int = 400, title: str = "Bad request") -> Rejected:
    return Rejected(problem(status, title, detail))


def _parameters(text: bytes) -> list[tuple[str, str]]:
    """The parameters of a form (URL Standard), which must be UTF-8."""
    if not text:
        return []
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise _bad("The parameters are not UTF-8, percent-encoded, or too many.") from None


async def question(request: Request, read: Read) -> Question | None:
    """The query operation of a request; nothing where the endpoint itself is asked for.

    Raises:
        Rejected: it is neither.
    """
    if request.method == "GET":
        return _got(request.query)
    given = _parameters(request.query)
    text: str | None = None
    media_type = _content_type(request)
    content = await read()
    if media_type == _FORM:
        given += _parameters(content)
    else:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise _bad("The query is not UTF-8.") from None
    return _question(given, text, request.method)


@functools.lru_cache(256)
def _got(query: bytes) -> Question | None:
    """The query operation of a request by GET: pages ask the same again and again, and to decode it takes a while."""
    return _question(_parameters(query), None, "GET")


def _content_type(request: Request) -> str:
    """The media type of the content, one that a query can come in."""
    accepted = [(b"accept-post", f"{_DIRECT}, {_FORM}".encode())]
    if request.fields.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Rejected(problem(415, "Unsupported media type", "Content with a coding is not read.", accepted))
    media_type, _, parameters = (request.field(b"content-type") or "").partition(";")
    media_type = media_type.strip().lower()
    if media_type == _UPDATE:
        raise _bad("This endpoint only reads.", 403, "Forbidden")
    charset = parameters.lower().replace('"', "").replace(" ", "").partition("charset=")[2].partition(";")[0]
    if media_type not in (_FORM, _DIRECT) or charset not in ("", "utf-8", "utf8"):
        raise Rejected(problem(415, "Unsupported media type", f"Send {_DIRECT} or {_FORM}, in UTF-8.", accepted))
    return media_type


def _question(given: list[tuple[str, str]], text: str | None, method: str) -> Question | None:
    queries = [value for name, value in given if name == "query"]
    if any(name == "update" for name, _ in given):
        raise _bad("This endpoint only reads.", 403 if method == "POST" else 400, "Forbidden")
    formats = [value for name, value in given if name in ("format", "output")]
    if text is not None:
        if queries:
            raise _bad("The query is given twice: as the content and as a parameter.")
        queries = [text]
    if not queries:
        if method == "GET" and not any(name in _REPEATABLE for name, _ in given):
            return None
        raise _bad("The parameter query is missing.")
    if len(queries) > 1:
        raise _bad("There is more than one query.")
    default, named = (tuple(value for name, value in given if name == key) for key in _REPEATABLE)
    return Question(queries[0], default, named, formats[0].lower() if formats else None)


@functools.lru_cache(2048)
def negotiate(accept: str | None, asked: str | None, with_page: bool) -> tuple[str | None, str | None]:
    """The names of the formats in which a client gets a table and a graph; ``html`` for the page that asks for it.

    A format that is asked for by name and is none of ours counts as none: clients name what they please.
    """
    tables = (*_TABLES, _PAGE) if with_page else _TABLES
    table, graph = choose(accept, tables), choose(accept, _GRAPHS)
    for form in (*_TABLES, *_GRAPHS):
        if asked in (form.name, form.suffix[1:], form.media_type, *form.aliases):
            if form in _TABLES:
                table, graph = form, graph or _GRAPHS[0]
            else:
                graph = form
                table = table if table is not None and table is not _PAGE else _TABLES[0]
            break
    return table.name if table else None, graph.name if graph else None


class Endpoint:
    """The endpoint over one graph.

    Args:
        pool: who evaluates.
        cache: what was answered before.
        page: the page from which people ask, if the site has one.
        describe: the query that gives the service description.

    Attributes:
        lookups: who answers small queries at once, when the graph is there.
    """

    def __init__(self, pool: Pool, cache: Cache[Response], page: Page | None, describe: str) -> None:
        self.pool, self._cache, self._page = pool, cache, page
        self.lookups: Lookups | None = None
        self._description = Description(pool, describe)

    def forget(self) -> None:
        """What the graph holds may have changed."""
        self._description.forget()

    async def answer(self, request: Request, read: Read, gone: Gone) -> Response:
        """The response to a request of the protocol."""
        if request.method == "OPTIONS":
            return options(ALLOW)
        if request.method not in ("GET", "POST"):
            return not_allowed(ALLOW)
        try:
            asked = await question(request, read)
            if asked is None:
                return await self._describe(request)
            return await self._evaluate(asked, request, gone)
        except Rejected as error:
            return error.response
        except Failed as error:
            return failure(error)

    async def _evaluate(self, asked: Question, request: Request, gone: Gone) -> Response:
        accept = request.field(b"accept")
        table, graph = negotiate(accept, asked.format, request.method == "GET" and self._page is not None)
        if table == _PAGE.name and self._page is not None:
            return await self._page(request)
        if table is None and graph is None:
            return not_acceptable((*_TABLES, *_GRAPHS))
        key = (asked.query, asked.default, asked.named, table, graph)
        known = self._cache.get(key)
        if known is None:
            known = self._look_up(asked, table) or await self._have_evaluated(asked, table, graph, key, gone)
            self._cache.misses += 1
            if known.steady:
                self._cache.put(key, known, len(known.body) + 2 * len(asked.query))
        if _has(request, known):
            return Response(304, [pair for pair in known.fields if pair[0] in (b"etag", b"vary", b"cache-control")])
        return known

    def _look_up(self, asked: Question, table: str | None) -> Response | None:
        """The answer to a query that is small."""
        if self.lookups is None or table is None or asked.default or asked.named:
            return None
        answer = self.lookups.answer(asked.query)
        if answer is None:
            return None
        body: bytes = answer.serialize(format=RESULTS[table][0])  # type: ignore[assignment] # without a file it returns them
        return _whole(table, body, steady=True)

    async def _have_evaluated(
        self, asked: Question, table: str | None, graph: str | None, key: Hashable, gone: Gone
    ) -> Response:
        """The answer of a worker. A long one is kept under a key once all of it is there."""
        request = {"query": asked.query, "default": asked.default, "named": asked.named, "results": table, "graph": graph}
        job = await self.pool.ask(request, gone)
        await _ready(job, gone)
        form, steady = job.head["format"], job.head["steady"]
        if job.done:
            return _whole(form, job.take(), steady=steady)

        def keep(answer: Packed) -> None:
            fields = _named(form, answer.length, answer.digest)
            again = Response(200, fields, stream=answer.pieces, steady=True)
            self._cache.put(key, again, answer.size + 2 * len(asked.query))

        def stream() -> AsyncIterator[bytes]:
            return packing(job.rest(), self._cache.most, keep) if steady else job.rest()

        watcher = asyncio.get_running_loop().create_task(_cancel(job, gone))

        def dismiss() -> None:
            watcher.cancel()
            job.cancel()

        return Response(200, [*_fields(form)], stream=stream, dismiss=dismiss)

    async def _describe(self, request: Request) -> Response:
        """The endpoint itself: what it can do, or the page from which people ask."""
        offers = (*_GRAPHS, _PAGE) if self._page is not None else _GRAPHS
        asked = dict(_parameters(request.query)).get("format")
        named = next((form for form in offers if asked in (form.name, form.suffix[1:], form.media_type)), None)
        chosen = named if asked is not None else choose(request.field(b"accept"), offers)
        if chosen is None:
            return not_acceptable(offers)
        if chosen is _PAGE and self._page is not None:
            return await self._page(request)
        body = await self._description.written(chosen.name, request)
        return Response(200, [(b"content-length", b"%d" % len(body)), *_fields(chosen.name)], body)


async def _ready(job: Job, gone: Gone) -> None:
    """Waits for an answer, and ends the query if it takes long and nobody waits for it any more."""
    watchers: list[asyncio.Task[None]] = []

    def attend() -> None:
        if not watchers:
            watchers.append(asyncio.get_running_loop().create_task(_cancel(job, gone)))

    job.on_long = attend
    try:
        await job.ready()
    finally:
        for watcher in watchers:
            watcher.cancel()


async def _cancel(job: Job, gone: Gone) -> None:
    """Ends a query when nobody waits for its answer any more."""
    await gone()
    job.cancel()


@functools.cache
def _fields(form: str) -> tuple[tuple[bytes, bytes], ...]:
    """What a response says of an answer in a format."""
    media_type = _TYPES[form] + ("; charset=utf-8" if _TYPES[form].startswith("text/") else "")
    return (b"content-type", media_type.encode()), _VARY, (b"cache-control", b"public, no-cache")


def _whole(form: str, body: bytes, *, steady: bool) -> Response:
    """An answer that is all there."""
    return Response(200, _named(form, len(body), digest(body).hexdigest()), body, steady=steady)


def _named(form: str, length: int, digested: str) -> list[tuple[bytes, bytes]]:
    """What a response says of an answer that is known as a whole."""
    return [(b"content-length", b"%d" % length), (b"etag", f'"{digested}"'.encode()), *_fields(form)]


def _has(request: Request, response: Response) -> bool:
    """Whether the client has the answer already (RFC 9110, 13.1.2)."""
    listed = request.fields.get(b"if-none-match")
    return listed is not None and request.method == "GET" and any(n == b"etag" and v in listed for n, v in response.fields)


def failure(error: Failed) -> Response:
    """What went wrong with a query."""
    said = dict(error.problem)
    status = said.pop("status")
    detail = said.pop("detail")
    more = [_RETRY] if status == 503 else []
    if status == 406:
        return not_acceptable((*_TABLES, *_GRAPHS), detail)
    return problem(status, _TITLES.get(status, "Query failed"), detail, more, **said)


def not_acceptable(offers: tuple[Representation, ...], detail: str = "") -> Response:
    """What there is, for a client that takes nothing of it."""
    there = [form.media_type for form in offers]
    return problem(406, "Not acceptable", (detail + " There is " + ", ".join(there) + ".").strip(), [_VARY], alternates=there)
