"""The HTTP/1.1 connections: what a client may send, and how long it may take (RFC 9110, 15.5.9 and 15.5.15; RFC 6585, 5).

A request without content is answered the short way, past ASGI: most are, and it costs a third. All others go through uvicorn.
One that came before, byte for byte, whose response cannot have changed, is not even read.
"""

import asyncio
import contextlib
import functools
import select
import socket
import time
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from onemg_kg.server.app import App
from onemg_kg.server.messages import ALWAYS, Repeat, Request, Response
from onemg_kg.server.settings import Settings
from onemg_kg.server.speakers import NEW, USED, Speaker

GRACE = 15
"""How many seconds requests on their way have when the server stops."""

_MESSAGES = {
    408: b"Request timeout",
    413: b"Content too large",
    414: b"URI too long",
    431: b"Request header fields too large",
    503: b"Too many connections",
}
_LONG = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"connection"))
"""The header fields of a request that is not answered the short way."""


_SMALL = 4096
"""How many bytes a request may have to be remembered."""
_BRIEF = 64 * 1024
"""How many bytes of content a response may have to be remembered."""


class _Exchange:
    """A request on the short way, as uvicorn sees it.

    Attributes:
        response_complete: whether it is answered.
        keep_alive: whether the connection goes on after it.
    """

    def __init__(self) -> None:
        self.response_complete = True
        self.keep_alive = True


class Connection(HttpToolsProtocol):
    """A connection with limits. :meth:`bounded` gives the class for some settings.

    Args:
        came: what was read of it, if it was taken over from another process.
    """

    settings: Settings
    application: App
    cycle: Any  # uvicorn's exchange, or one of ours
    _written: ClassVar[tuple[list[tuple[bytes, bytes]], bytes]] = ([], b"")

    def __init__(self, *arguments: Any, came: bytes | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._came = came
        self._head = self._seen = 0
        self._is_in_head = False
        self._is_short = True
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._short = _Exchange()
        self._gone: asyncio.Future[None] | None = None
        self._is_open = False
        self._begun = 0
        self._repeat: Repeat | None = None

    @classmethod
    def bounded(cls, settings: Settings, application: App) -> type["Connection"]:
        """The class of the connections of one server."""
        return type("BoundedConnection", (cls,), {"settings": settings, "application": application})

    @classmethod
    def configuration(cls, settings: Settings, application: App) -> uvicorn.Config:
        """How uvicorn is to serve an application over such connections."""
        return uvicorn.Config(
            application,
            http=cls.bounded(settings, application),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            headers=list(ALWAYS),
            timeout_graceful_shutdown=GRACE,
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A client is there; it has so much time to say what it wants."""
        super().connection_made(transport)
        if self._came is not None:
            self._answered()
            if self._came:
                self.data_received(self._came)
            return
        others, here = self.application.build.speakers, len(self.connections)
        if here + (others.connections if others else 0) > self.settings.connections:
            self._refuse(503)
        elif others is None or (other := others.lighter(here - 1)) is None or not other.take(NEW, transport):
            self._await_request()

    def give(self, other: Speaker) -> bool:
        """Gives the connection to another process, if just now there is nothing to be done with it; whether it is given."""
        is_quiet = (
            self.cycle is not None
            and self._is_free()
            and not (self._is_open or self.pipeline or self.transport.is_closing())
            and self.transport.get_write_buffer_size() == 0
        )
        return is_quiet and other.take(USED, self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._settle()
        self._flowing()
        if self._idle is not None:
            self._idle.cancel()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self.cycle is self._short:
            self.cycle = None  # as it is before the first request
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several."""
        if len(data) > _SMALL or self._is_open or not self._is_free() or not self._short.keep_alive:
            self._read(data)
            return
        repeats = self.application.build.repeats
        known = repeats.get(data)
        if known is not None and not self.transport.is_closing():
            self._say_again(known)
        elif (repeat := self._read(data)) is not None:
            repeats.put(data, repeat, len(data) + len(repeat.rest))

    def _read(self, data: bytes) -> Repeat | None:
        """Reads a part of a request, or several. What was one request, and has a response that cannot change, is given back."""
        self._begun, self._repeat = 0, None
        self._seen += len(data)
        if self._seen > self.settings.head + self.settings.url + 2 * self.settings.request:
            self._refuse(413)  # not even what is left out of a content may go on for ever
        elif not self.transport.is_closing():
            super().data_received(data)
            if self._is_in_head and self._deadline is None:
                self._await_request()
        return self._repeat if self._begun == 1 and not self._is_open else None

    def on_message_begin(self) -> None:
        """A request begins."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._head = self._seen = 0
        self._is_in_head = self._is_short = self._is_open = True
        self._begun += 1

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self.url += url
        self._head += len(url)
        if len(self.url) > self.settings.url:
            self._refuse(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field."""
        name = name.lower()
        self.headers.append((name, value))
        self._head += len(name) + len(value)
        if self._head > self.settings.head:
            self._refuse(431)
        if name in _LONG:
            self._is_short = name == b"connection" and self._is_short and value.lower() == b"keep-alive"
            self.expect_100_continue |= name == b"expect" and value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        """All header fields are there."""
        self._settle()
        self._is_in_head = False
        if self.transport.is_closing():
            return
        if self._is_short and self._may_be_short():
            self._answer()
        else:
            self._answer_at_length()

    def _answer_at_length(self) -> None:
        """Answers a request through ASGI."""
        if self.url == b"*":
            self.url = b"/"  # OPTIONS of the server itself (RFC 9112, 3.2.4)
        url, fields, is_expecting = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, is_expecting
        self.headers += fields
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the content."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._is_open = False
        if self.cycle is not self._short and not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered, by whatever way."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # there is one clock for all ways: uvicorn's does not see what goes past it
        self._answered()

    def pause_writing(self) -> None:
        """The client takes nothing for now."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.settings.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes more."""
        super().resume_writing()
        self._flowing()

    def _may_be_short(self) -> bool:
        """Whether there is nothing out of the ordinary about a request, nothing before it, and a client that takes answers."""
        return (
            self._is_free()
            and self.parser.get_method() in (b"GET", b"HEAD")
            and self.parser.get_http_version() == "1.1"
            and self.url[:1] == b"/"
            and self.url[:2] != b"//"
            and b"#" not in self.url
            and self.url.isascii()
        )

    def _is_free(self) -> bool:
        """Whether all that was asked is answered, and the client takes answers."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def _say_again(self, known: Repeat) -> None:
        """Sends what was sent before."""
        started = time.perf_counter()
        self._settle()
        self.cycle = self._short
        self.transport.write(known.status + self._always() + known.rest)
        self._answered()
        self.application.note(known.entry, started)

    def _answered(self) -> None:
        """From now on the client may take its time."""
        self._last = self.loop.time()
        if self._idle is None:
            self._idle = self.loop.call_later(self.settings.patience, self._look_whether_idle)

    def _always(self) -> bytes:
        """The header fields that every response has: uvicorn makes a new list of them each second."""
        fields = self.server_state.default_headers
        if self._written[0] is not fields:
            type(self)._written = fields, b"".join(b"%b: %b\r\n" % field for field in fields)
        return self._written[1]

    def _answer(self) -> None:
        """Answers a request, at once if nothing has to be waited for."""
        started = time.perf_counter()
        path, _, query = self.url.partition(b"?")
        request = Request.of(self.parser.get_method().decode(), path, query, self.headers, self.scheme or "http")
        self.cycle = self._short
        answering = self.application.respond(request, _nothing, self._until_gone)
        try:
            awaited = answering.send(None)
        except StopIteration as found:
            if found.value.stream is None:
                self._write(request, found.value, started)
                self._answered()
            else:
                self._go_on(self._send(request, found.value, started))
        else:
            self._answer_later(request, answering, awaited, started)

    def _answer_later(self, request: Request, answering: Coroutine[Any, Any, Response], awaited: Any, started: float) -> None:
        """Goes on with an answer that has to be waited for."""
        self._go_on(self._follow(request, _resumed(answering, awaited), started))

    def _go_on(self, sending: Coroutine[Any, Any, None]) -> None:
        """Sends an answer for which something has to be waited for."""
        self._short.response_complete = False
        task = self.loop.create_task(sending)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _follow(self, request: Request, answering: Generator[Any, Any, Response], started: float) -> None:
        """Sends an answer that had to be waited for."""
        await self._send(request, await answering, started)  # type: ignore[misc] # a generator that is awaited

    async def _send(self, request: Request, response: Response, started: float) -> None:
        """Sends an answer, if the client is still there."""
        if self.transport.is_closing():
            response.dismiss()
            self.application.account(request, response, 0, started)
        elif response.stream is None:
            self._write(request, response, started)
        else:
            cycle = self._cycle(request)
            size = await self.application.send(response, request.is_head, cycle.send)  # type: ignore[arg-type] # ASGI
            self.application.account(request, response, size, started)
            if not cycle.response_complete:
                self.transport.close()
        self._gone = None
        self._short.response_complete = True
        self.on_response_complete()

    def _write(self, request: Request, response: Response, started: float) -> None:
        """Sends a whole response, and hangs up if the server is about to stop."""
        close = b"\r\n" if self._short.keep_alive else b"connection: close\r\n\r\n"
        status = STATUS_LINE[response.status]
        size = 0 if request.is_head else len(response.body)
        entry = self.application.entry(request, response, size)
        if size <= _BRIEF:
            rest = response.lines + close + (response.body if size else b"")
            self.transport.write(status + self._always() + rest)
            if response.steady:
                self._repeat = Repeat(status, rest, entry)
        else:
            self.transport.write(status + self._always() + response.lines + close)
            self.transport.write(response.body)
        if not self._short.keep_alive:
            self.transport.close()
        self.application.note(entry, started)

    def _cycle(self, request: Request) -> RequestResponseCycle:
        """What uvicorn sends an answer with that comes in pieces."""
        return RequestResponseCycle(
            {"method": "HEAD" if request.is_head else "GET"},  # type: ignore[typeddict-item] # all that it looks at
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            False,
            self.server_state.default_headers,
            asyncio.Event(),
            False,
            self._short.keep_alive,
            lambda: None,
        )

    async def _until_gone(self) -> None:
        self._gone = self.loop.create_future()
        await self._gone

    def _look_whether_idle(self) -> None:
        """Hangs up where nothing has been asked for a while, and nothing has come that is still to be read."""
        left = self._last + self.settings.patience - self.loop.time()
        is_busy = self._is_open or not (self.cycle is None or self.cycle.response_complete)
        if left <= 0 and not is_busy and not self._has_come():
            self.transport.close()
        else:
            self._idle = self.loop.call_later(max(left, 1.0), self._look_whether_idle)

    def _has_come(self) -> bool:
        """Whether the kernel holds bytes of the client: where the server is busy, a clock may strike before they are read."""
        coming = select.poll()
        coming.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(coming.poll(0))

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(self.settings.patience, self._expire)

    def _settle(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _flowing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _expire(self) -> None:
        self._deadline = None
        self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Answer and hang up. What else comes is not read."""
        if self.transport.is_closing():
            return
        message = _MESSAGES[status]
        fields = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(message)
        if status == 503:
            fields = b"retry-after: 1\r\n" + fields
        self.transport.write(STATUS_LINE[status] + self._always() + fields + message)
        self.transport.close()


async def take_over(
    config: uvicorn.Config, state: ServerState, connection: socket.socket, came: bytes | None
) -> Connection | None:
    """Goes on with a connection that another process had; nothing where the client has gone.

    Args:
        config: how it is served.
        state: where it counts.
        connection: the connection.
        came: what was read of it and is not answered; nothing where it is new.
    """
    make: Callable[..., Connection] = config.http_protocol_class  # type: ignore[assignment] # one of ours
    made = functools.partial(make, config, state, {}, came=came)
    with contextlib.suppress(OSError):
        return (await asyncio.get_running_loop().connect_accepted_socket(made, connection))[1]
    return None


def prefer_uvloop() -> None:
    """Has the faster event loop used, where there is one."""
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


async def _nothing() -> bytes:
    return b""


@types.coroutine
def _resumed(begun: Coroutine[Any, Any, Response], awaited: Any) -> Generator[Any, Any, Response]:
    """What was begun outside of a task goes on inside of one, with what it waits for."""
    try:
        yield awaited
    except BaseException as error:  # noqa: BLE001 - it is passed on, to where it is waited for
        try:
            following = begun.throw(error)
        except StopIteration as found:
            answered: Response = found.value
            return answered
        return (yield from _resumed(begun, following))
    response: Response = yield from begun
    return response
