"""A remote store over HTTP: SPARQL 1.1 Protocol and Graph Store Protocol, with credentials, and retries of what may pass."""

import http.client
import random
import re
import socket
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple, NoReturn, TypeVar
from urllib.parse import quote, urlsplit

import pyoxigraph as ox

from onemg_kg import spool
from onemg_kg.errors import OnemgError
from onemg_kg.store import Term

_BLOCK = 2**20
_PASSING = {408, 429, 502, 503, 504}
"""Statuses of HTTP (RFC 9110, RFC 6585) after which the same request may succeed."""
_FIXES = {
    400: "It does not accept this SPARQL 1.1: look in its log.",
    401: "Set ONEMG_STORE_USER and ONEMG_STORE_PASSWORD, or ONEMG_STORE_TOKEN, or name a file with --credentials.",
    403: "Give this user the right to write, or use another.",
    404: "Check the URL, and name the others with --update and --graph-store.",
    405: "It is no endpoint for this: check the URLs, and that the store is not read-only.",
    413: "Raise the limit of the size of a request, at the store or at the proxy before it.",
    500: "Look in its log.",
}
RESULTS = "application/sparql-results+json, application/sparql-results+xml;q=0.9"
"""The formats of tables that are asked for."""
GRAPHS = "application/n-triples, text/turtle;q=0.8, application/rdf+xml;q=0.5"
"""The formats of graphs."""
# RDF::Endpoint's `application/json` loses datatypes, so that is not asked for.


_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


_Taken = TypeVar("_Taken")


class StoreError(OnemgError):
    """A remote store cannot be reached, refuses, or does not hold what was sent.

    Attributes:
        status: the status of HTTP that it answered with, if that was the reason.
        passing: whether the same request may succeed later.
    """

    status: int | None = None
    passing: bool = False


@dataclass(frozen=True)
class Endpoint:
    """Where a store listens.

    Attributes:
        query: the URL for queries (SPARQL 1.1 Protocol, section 2.1).
        update: the URL for updates (section 2.2), if there are to be any.
        graph_store: the URL for graphs (SPARQL 1.1 Graph Store HTTP Protocol, section 4.2), if there is one.
    """

    query: str
    update: str | None = None
    graph_store: str | None = None


@dataclass(frozen=True)
class Credentials:
    """What a store asks for; a token (RFC 6750) goes before user and password. Never shown."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def credentials(environment: Mapping[str, str], file: Path | None = None) -> Credentials:
    """Credentials from ``ONEMG_STORE_USER``, ``ONEMG_STORE_PASSWORD`` and ``ONEMG_STORE_TOKEN``.

    Args:
        environment: the environment of the process.
        file: a file with lines ``NAME=VALUE`` to read them from instead; nobody but its owner may read it.

    Raises:
        StoreError: the file cannot be read, has another line, or others may read it.
    """
    found = environment
    if file is not None:
        try:
            shared = file.stat().st_mode & 0o077
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise StoreError("cannot be read.", source=str(file), fix="Name a file of text with --credentials.") from None
        if shared:
            raise StoreError("can be read by others.", source=str(file), fix=f"Run: chmod 600 {file}")
        found = {}
        for number, line in enumerate(lines, 1):
            name, equals, value = line.partition("=")
            if equals and name.startswith("ONEMG_STORE_"):
                found[name] = value
            elif line.strip() and not line.startswith("#"):
                raise StoreError(
                    "is no setting.", source=str(file), line=number, fix="Write ONEMG_STORE_USER=name and the like."
                )
    return Credentials(*(found.get(f"ONEMG_STORE_{name}", "") for name in ("USER", "PASSWORD", "TOKEN")))


@dataclass(frozen=True)
class Retries:
    """How often and when a request that may pass is sent again: after ``first`` seconds, then twice as long each time.

    Attributes:
        number: how many times at most.
        first: seconds before the first.
        most: seconds to wait at most.
        sleep: waits.
        jitter: gives a number from 0 to 1; a wait is between half and all of its time, so that clients do not march in step.
    """

    number: int = 5
    first: float = 0.5
    most: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def wait(self, attempt: int, asked: str | None) -> None:
        """Wait before the next attempt, at least as long as the store asks for (``Retry-After``; RFC 9110, section 10.2.3)."""
        seconds = min(self.most, self.first * 2**attempt) * (0.5 + self.jitter() / 2)
        if asked is not None and asked.isdecimal():
            seconds = max(seconds, min(self.most, float(asked)))
        self.sleep(seconds)


class Answer(NamedTuple):
    """What a store answers.

    Attributes:
        body: the document.
        kind: its media type.
        partial: why the store says that there is more than that: Virtuoso's limit of rows or of time. Else empty.
    """

    body: bytes
    kind: str
    partial: str


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: that would turn an update into a GET, and send credentials elsewhere."""

    def redirect_request(self, *_: object) -> None:
        return None


class Client:
    """A store. Every request is one that may be sent twice."""

    def __init__(
        self, endpoint: Endpoint, login: Credentials | None = None, timeout: float = 300, retries: Retries | None = None
    ) -> None:
        self.endpoint = endpoint
        self.requests = 0
        self._login = login or Credentials()
        self._timeout = timeout
        self._retries = retries or Retries()
        # Once, and not for each request: to read the certificates of the authorities takes longer than most queries.
        secure = [urllib.request.HTTPSHandler(context=ssl.create_default_context())] if endpoint.query[:6] == "https:" else []
        self._opener = urllib.request.build_opener(_Stay, *secure)
        self._scheme = "bearer" if self._login.token else ""
        self._challenge: dict[str, str] = {}
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        self._digest = urllib.request.AbstractDigestAuthHandler(known)
        for url in filter(None, (endpoint.query, endpoint.update, endpoint.graph_store)):
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise StoreError("is no http or https URL.", source=url, fix="Name the store as https://host:port/path.")
            if parts.username is not None or parts.password is not None:
                shown = url.replace(parts.netloc.rpartition("@")[0] + "@", "")
                raise StoreError("had credentials in its URL.", source=shown, fix=_FIXES[401])
            known.add_password(None, url, self._login.user, self._login.password)

    def select(self, text: str, *names: str) -> list[tuple[Term | None, ...]]:
        """The rows of a SELECT query.

        Args:
            text: the query.
            names: the variables whose values a row gives, in this order.

        Raises:
            StoreError: the store refuses, answers with something else, or cuts the answer off.
            OnemgError: there is no room for the answer.
        """
        return [*self.each(text, *names)]

    def each(self, text: str, *names: str) -> Iterator[tuple[Term | None, ...]]:
        """As :meth:`select`, row by row; nothing is given before the answer is here as a whole, on disk where it is long."""
        with tempfile.SpooledTemporaryFile(spool.HELD) as file:
            kind, why = self._send(lambda: self._sparql(text, "SELECT", RESULTS, ()), lambda answer: _put(answer, file))
            if why:
                told = f"cuts an answer off ({why})."
                fix = "Raise its limit of rows in an answer (Virtuoso: ResultSetMaxRows), then repeat this."
                raise StoreError(told, source=self.endpoint.query, fix=fix)
            form = ox.QueryResultsFormat.from_media_type(kind) if kind else None
            if form is None:
                self._fail(self.endpoint.query, f"answers a query with {kind or 'nothing'}, not with SPARQL results", 404)
            try:
                answer = ox.parse_query_results(file, format=form)
                if not isinstance(answer, ox.QuerySolutions):
                    self._fail(self.endpoint.query, "answers a query for rows with no rows", 500)
                found = [variable.value for variable in answer.variables]
                order = [found.index(name) for name in names]
                for row in answer:
                    yield tuple(row[place] for place in order)
            except (SyntaxError, ValueError) as error:
                self._fail(self.endpoint.query, f"answers a query with broken SPARQL results: {error}", 500)

    def ask(self, text: str, accept: str = RESULTS, parameters: Iterable[tuple[str, str]] = ()) -> Answer:
        """The answer to a query, as the store gives it.

        Args:
            text: the query.
            accept: the media types that are understood (RFC 9110, section 12.5.1).
            parameters: what else the form of the request says.

        Raises:
            StoreError: the store refuses.
        """
        return self._send(lambda: self._sparql(text, "SELECT", accept, parameters), _read)

    def open(self, text: str, accept: str = RESULTS, parameters: Iterable[tuple[str, str]] = ()) -> HTTPResponse:
        """The answer to a query as it comes: to be read, and closed.

        Raises:
            StoreError: the store refuses.
        """
        return self._send(lambda: self._sparql(text, "SELECT", accept, parameters), lambda answer: answer)

    def update(self, text: str) -> None:
        """Run an update request (SPARQL 1.1 Update, section 3).

        Raises:
            StoreError: the store refuses.
        """
        # RDF::Endpoint takes UTF-8 for Latin-1, Virtuoso knows no escapes in IRIs: it has a graph store, so we tell them apart.
        plain = text if self.endpoint.graph_store is not None else _NOT_ASCII.sub(_escape, text)
        self._send(lambda: self._sparql(plain, "INSERT", RESULTS, ()), _read)

    def add(self, graph: str, lines: str, *, first: bool) -> None:
        """Add lines of N-Triples to a graph, after emptying it where they are the first (Graph Store Protocol, 5.3, 5.5).

        Raises:
            StoreError: the store refuses.
        """
        url = f"{self.endpoint.graph_store}?graph={quote(graph, safe='')}"
        headers = {"Content-Type": "application/n-triples"}
        method = "PUT" if first else "POST"
        self._send(lambda: urllib.request.Request(url, lines.encode(), headers, method=method), _read)

    def once(self) -> "Client":
        """The same store, with every request sent once: to tidy up after an error."""
        client = Client(self.endpoint, self._login, min(self._timeout, 10), Retries(number=0))
        client._scheme, client._challenge = self._scheme, self._challenge
        return client

    def _sparql(self, text: str, kind: str, accept: str, parameters: Iterable[tuple[str, str]]) -> urllib.request.Request:
        from SPARQLWrapper import JSON, POST, POSTDIRECTLY, SPARQLWrapper  # it loads rdflib

        wrapper = SPARQLWrapper(self.endpoint.query, self.endpoint.update, returnFormat=JSON)
        wrapper.setOnlyConneg(True)
        wrapper.addCustomHttpHeader("Accept", accept)
        for name, value in parameters:
            wrapper.addParameter(name, value)
        wrapper.setMethod(POST)
        # Its own way to tell a query from an update is misled by words in comments.
        wrapper.queryString, wrapper.queryType = text, kind
        if wrapper.isSparqlUpdateRequest():
            wrapper.setRequestMethod(POSTDIRECTLY)  # a query stays a form: Virtuoso never answers one that is posted as it is
        # SPARQLWrapper writes the request. We send it: its own digest authentication is set for the whole process.
        return wrapper._createRequest()

    def _send(self, make: Callable[[], urllib.request.Request], take: Callable[[HTTPResponse], _Taken]) -> _Taken:
        for attempt in count():
            request = make()
            asked = None
            try:
                return take(self._open(request))
            except urllib.error.HTTPError as error:
                with error:
                    status, asked, body = error.code, error.headers.get("Retry-After"), error.read(2000)
                    if status not in _PASSING or attempt == self._retries.number:
                        self._refuse(request.full_url, error, body.decode("utf-8", "replace"))
            except (OSError, http.client.HTTPException) as error:
                final, why = _why(error)
                if final or attempt == self._retries.number:
                    tried = "" if final or not attempt else f", after {attempt + 1} attempts"
                    self._fail(request.full_url, f"cannot be reached: {why}{tried}", None)
            self._retries.wait(attempt, asked)
        raise AssertionError

    def _open(self, request: urllib.request.Request) -> HTTPResponse:
        """Send a request once, or twice where the store first says how it wants to be told who asks."""
        for challenged in (False, True):
            told = self._authorization(request)
            if told:
                request.add_unredirected_header("Authorization", told)
            self.requests += 1
            try:
                answer: HTTPResponse = self._opener.open(request, timeout=self._timeout)
                return answer
            except urllib.error.HTTPError as error:
                if error.code != 401 or challenged or not self._learn(error.headers.get_all("WWW-Authenticate") or []):
                    raise
                error.close()
        raise AssertionError

    def _learn(self, challenges: list[str]) -> bool:
        """Learn from what a store asks for (RFC 7617, RFC 7616) whether another try makes sense."""
        if not self._login.user or self._login.token:
            return False
        for challenge in sorted(challenges, key=lambda text: not text.lower().startswith("digest")):
            scheme, _, rest = challenge.partition(" ")
            if scheme.lower() == "digest":
                # Also where one was used before: a nonce goes stale.
                told = urllib.request.parse_keqv_list([*filter(None, urllib.request.parse_http_list(rest))])
                again = self._challenge.get("nonce") != told.get("nonce")
                self._scheme, self._challenge = "digest", told
                return again
            if scheme.lower() == "basic":
                again, self._scheme = self._scheme != "basic", "basic"
                return again
        return False

    def _authorization(self, request: urllib.request.Request) -> str | None:
        from base64 import b64encode

        if self._scheme == "bearer":
            return f"Bearer {self._login.token}"
        if self._scheme == "basic":
            return "Basic " + b64encode(f"{self._login.user}:{self._login.password}".encode()).decode()
        if self._scheme == "digest":
            told = self._digest.get_authorization(request, self._challenge)
            return f"Digest {told}" if told else None
        return None

    def _refuse(self, url: str, error: urllib.error.HTTPError, body: str) -> NoReturn:
        if 300 <= error.code < 400:
            self._fail(url, f"redirects to {error.headers.get('Location')}", 404)
        said = "" if "<" in body[:20] else " ".join(body.split("\n\n")[0].split())[:200]
        self._fail(url, f"answers {error.code} {error.reason}" + (f": {said}" if said else ""), error.code)

    @staticmethod
    def _fail(url: str, message: str, status: int | None) -> NoReturn:
        fix = "Is the store up? Repeat this when it is." if status is None or status in _PASSING else _FIXES.get(status)
        error = StoreError(message + ".", source=url.partition("?")[0], fix=fix or _FIXES[500])
        error.status, error.passing = status, status is None or status in _PASSING
        raise error


def partial(answer: HTTPResponse) -> str:
    """Why a store says that there is more than what it answers: Virtuoso's limit of rows or of time. Else empty."""
    headers = answer.headers
    return "ResultSetMaxRows" if "X-SPARQL-MaxRows" in headers else headers.get("X-SQL-Message", "")


def _read(answer: HTTPResponse) -> Answer:
    with answer:
        return Answer(answer.read(), answer.headers.get_content_type(), partial(answer))


def _put(answer: HTTPResponse, file: IO[bytes]) -> tuple[str, str]:
    """Put the document that a store answers with into a file; tell its media type, and why it is not whole."""
    file.seek(0)
    file.truncate()
    with answer:
        while block := answer.read(_BLOCK):
            with spool.room():
                file.write(block)
        if answer.length:  # to read in parts tells nobody that the rest did not come
            raise http.client.IncompleteRead(b"", answer.length)
    file.seek(0)
    return answer.headers.get_content_type(), partial(answer)


def _why(error: Exception) -> tuple[bool, str]:
    """Whether an error of the network is there to stay, and what it says."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return isinstance(reason, ssl.SSLError | socket.gaierror), said


def _escape(found: re.Match[str]) -> str:
    """A character as SPARQL 1.1, section 19.2, escapes it anywhere."""
    code = ord(found[0])
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
