"""A request and a response, as this server sees them, and the header fields that every response has."""

import functools
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Fields = list[tuple[bytes, bytes]]

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""The content security policy (CSP level 3): nothing from elsewhere, no script in a page."""

ALWAYS: tuple[tuple[str, str], ...] = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Accept-Ranges, Content-Location, Content-Range, ETag, Link, Retry-After"),
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
"""The header fields of every response."""

PROBLEM = "application/problem+json"


@dataclass
class Request:
    """A request.

    Attributes:
        method: its method; GET for HEAD, which differs in nothing but that no content is sent.
        path: the path of its target as it was sent, percent-encoded.
        query: the query of its target as it was sent.
        fields: its header fields, names in lower case, several lines of one joined by commas.
        is_head: whether no content is to be sent.
        scheme: ``http`` or ``https``.
    """

    method: str
    path: str
    query: bytes
    fields: dict[bytes, bytes]
    is_head: bool = False
    scheme: str = "http"

    @classmethod
    def of(cls, method: str, path: bytes, query: bytes, lines: Fields, scheme: str) -> "Request":
        """What was received: the field lines have names in lower case."""
        fields = dict(lines)
        if len(fields) < len(lines):
            fields.clear()
            for name, value in lines:
                fields[name] = fields[name] + b", " + value if name in fields else value
        is_head = method == "HEAD"
        return cls("GET" if is_head else method, path.decode("latin-1"), query, fields, is_head, scheme)

    def field(self, name: bytes) -> str | None:
        """A header field, if it is there."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass
class Response:
    """A response.

    Attributes:
        status: its status code.
        fields: its header fields, without those that every response has.
        body: its content.
        stream: gives the content that follows, where it comes in pieces.
        dismiss: called once when the stream is at its end, or is wanted no more.
        steady: whether the same request gets the same response for as long as the build is the same.
    """

    status: int
    fields: Fields = field(default_factory=list)
    body: bytes | memoryview = b""
    stream: Callable[[], AsyncIterator[bytes]] | None = None
    dismiss: Callable[[], object] = lambda: None
    steady: bool = False

    @functools.cached_property
    def lines(self) -> bytes:
        """Its header fields as they are sent.

        Raises:
            ValueError: a field would end before its value does.
        """
        lines = b"".join(b"%b: %b\r\n" % field for field in self.fields)
        if not lines.count(b"\n") == lines.count(b"\r") == len(self.fields):
            raise ValueError("A header field holds the end of a line.")
        return lines


class Entry(NamedTuple):
    """What is counted and logged of a request, besides how long it took.

    Attributes:
        route: which part answered it.
        status: with which status code.
        size: how many bytes of content were sent.
        line: what the log says of it.
    """

    route: str
    status: int
    size: int
    line: str


class Repeat(NamedTuple):
    """The response to a request that may come again.

    Attributes:
        status: its first line.
        rest: all that comes after the header fields that every response has.
        entry: what is counted and logged of it.
    """

    status: bytes
    rest: bytes
    entry: Entry


def plain(status: int, media_type: str, body: bytes | memoryview, more: Iterable[tuple[bytes, bytes]] = ()) -> Response:
    """A response with content."""
    fields = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body)), *more]
    return Response(status, fields, body)


def problem(status: int, title: str, detail: str = "", more: Iterable[tuple[bytes, bytes]] = (), **members: Any) -> Response:
    """What is wrong, for people and programs (RFC 9457)."""
    said = {"title": title, "status": status, **({"detail": detail} if detail else {}), **members}
    body = (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode(errors="replace")
    return plain(status, PROBLEM, body, [(b"cache-control", b"no-store"), *more])


def options(allow: str) -> Response:
    """What can be done with a resource, for a client or a browser that asks first (RFC 9110, 9.3.7; the Fetch standard)."""
    fields = [
        (b"allow", allow.encode()),
        (b"access-control-allow-methods", allow.encode()),
        (b"access-control-allow-headers", b"Accept, Content-Type, If-None-Match, If-Modified-Since, Range, If-Range"),
        (b"access-control-max-age", b"86400"),
    ]
    return Response(204, fields)


def not_allowed(allow: str) -> Response:
    """The method is not one of the resource's (RFC 9110, 15.5.6)."""
    return problem(405, "Method not allowed", f"Allowed are {allow}.", [(b"allow", allow.encode())])
