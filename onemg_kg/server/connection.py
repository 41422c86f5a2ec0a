"""The HTTP/1.1 connections: what a client may send, and how long it may take (RFC 9110, 15.5.9 and 15.5.15; RFC 6585, 5)."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from onemg_kg.server.settings import Settings

_MESSAGES = {
    408: b"Request timeout",
    413: b"Content too large",
    414: b"URI too long",
    431: b"Request header fields too large",
    503: b"Too many connections",
}


class Connection(HttpToolsProtocol):
    """A connection with limits. :meth:`bounded` gives the class for some settings."""

    settings: Settings

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head = self._seen = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    @classmethod
    def bounded(cls, settings: Settings) -> type["Connection"]:
        """The class of the connections of one server."""
        return type("BoundedConnection", (cls,), {"settings": settings})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A client is there; it has so much time to say what it wants."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > self.settings.connections:
            self._refuse(503)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._settle()
        self._flowing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        self._seen += len(data)
        if self._seen > self.settings.head + self.settings.url + 2 * self.settings.request:
            self._refuse(413)  # not even what is left out of a content may go on for ever
        elif not self.transport.is_closing():
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head = self._seen = 0
        if self._deadline is None:
            self._await_request()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        super().on_url(url)
        self._head += len(url)
        if len(self.url) > self.settings.url:
            self._refuse(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field."""
        super().on_header(name, value)
        self._head += len(name) + len(value)
        if self._head > self.settings.head:
            self._refuse(431)

    def on_headers_complete(self) -> None:
        """All header fields are there."""
        self._settle()
        if self.url == b"*":
            self.url = b"/"  # OPTIONS of the server itself (RFC 9112, 3.2.4)
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the content."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The client takes nothing for now."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.settings.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes more."""
        super().resume_writing()
        self._flowing()

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
        always = b"".join(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers)
        self.transport.write(STATUS_LINE[status] + always + fields + message)
        self.transport.close()
