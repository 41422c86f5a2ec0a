"""Has queries evaluated by a store elsewhere, in workers that :mod:`onemg_kg.server.remote` has forked.

A worker sends what the guard lets pass and nothing else, reads the answer row by row, and writes it in the format that the
client takes: what a store cannot write, or writes in a way of its own, does not matter. It keeps to the same limits as one that
evaluates itself, and is killed in the same way. What it can do besides is open a few sockets: it asks the store.
"""

import contextlib
import functools
import gc
import http.client
import json
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyoxigraph as ox

from onemg_kg import remote
from onemg_kg.client import Credentials, Retries, StoreError, partial
from onemg_kg.graph import GRAPHS
from onemg_kg.server import engine, guard
from onemg_kg.server.engine import Found, Limits, Unanswered, foreign, mistake
from onemg_kg.server.zygote import Zygote, die_with_parent
from onemg_kg.terms import BASE, expand

LATER, NEVER = b"later ", b"never "
"""What the server is told while there is no store to ask: why; it may answer later, or it will not."""

_DESCRIPTORS = 32
_CASTS = expand("xsd:")
_PATIENCE = 5
"""By how many seconds a worker waits longer for the store than the server does for the worker."""
_YES, _NO = b'{"head":{},"boolean":true}', b'{"head":{},"boolean":false}'


class _Body:
    """What the store answers, as a file to read from."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            Unanswered: the store breaks off.
        """
        try:
            piece = self._response.read(size)
            if not piece and self._response.length:
                raise http.client.IncompleteRead(piece, self._response.length)
        except (OSError, http.client.HTTPException):
            raise Unanswered(502, "The store broke its answer off.") from None
        return piece


class Engine(engine.Engine):
    """A store elsewhere that can be asked. It has no graph of its own.

    Args:
        store: the store.
    """

    def __init__(self, store: remote.Remote) -> None:
        self._there = store
        self._here = ox.Store()
        self._response: http.client.HTTPResponse | None = None
        self.judge = functools.lru_cache(512)(_judge)

    def warm(self) -> None:
        """Lets the first query of a worker find everything in place."""
        with contextlib.suppress(StoreError):
            self._there.select("SELECT ?one WHERE { VALUES ?one { 1 } }")

    def _answer(self, request: dict[str, Any], connection: socket.socket, limits: Limits) -> engine.Writer:
        try:
            return super()._answer(request, connection, limits)
        except (SyntaxError, ValueError):
            raise Unanswered(502, "The store gives a broken answer.") from None
        finally:
            if self._response is not None:
                self._response.close()

    def _ask(self, text: str, default: Sequence[str], named: Sequence[str]) -> Found:
        unknown = next((name for name in (*default, *named) if not name.startswith(GRAPHS)), None)
        if unknown is not None:
            raise foreign(unknown)
        try:
            is_graph = isinstance(self._here.query(text, base_iri=BASE), ox.QueryTriples)
        except SyntaxError as error:
            raise mistake(error, text) from None
        dataset = [("default-graph-uri", name) for name in default] + [("named-graph-uri", name) for name in named]
        try:
            response = self._there.open(f"BASE <{BASE}> {text}", graph=is_graph, dataset=dataset or None)
        except StoreError as error:
            raise _refusal(error) from None
        self._response = response
        if partial(response):
            raise Unanswered(422, "The store cuts the answer to this query off. Add a LIMIT.")
        return _read(response, is_graph=is_graph)


def _judge(text: str) -> guard.Verdict:
    """Judges more strictly than for our own workers: stores have functions that read files and ask other hosts."""
    verdict = guard.judge(text)
    for iri, start in guard.calls(text):
        if not iri.startswith(_CASTS):
            message = f"<{iri[:100]}> before a bracket may be a function of the store, and none but casts is called."
            raise guard.Refused(403, message, *guard.place(text, start))
    return replace(verdict, steady=False)  # the store may hold something else at any time


def _read(response: http.client.HTTPResponse, *, is_graph: bool) -> Found:
    """The answer, to be read as it is written.

    Raises:
        Unanswered: it is neither RDF nor a table.
    """
    kind, body = response.headers.get_content_type(), _Body(response)
    if is_graph:
        if (form := ox.RdfFormat.from_media_type(kind)) is None:
            raise Unanswered(502, f"The store answers with {kind[:100]}, not with RDF.")
        return ox.parse(body, format=form)  # type: ignore[arg-type] # it is only read
    if (table := ox.QueryResultsFormat.from_media_type(kind)) is None:
        raise Unanswered(502, f"The store answers with {kind[:100]}, not with SPARQL results.")
    found = ox.parse_query_results(body, format=table)  # type: ignore[arg-type] # it is only read
    if isinstance(found, ox.QuerySolutions) and tuple(variable.value for variable in found.variables) == remote.ASKED:
        return ox.parse_query_results(_YES if remote.is_true(map(tuple, found)) else _NO, format=ox.QueryResultsFormat.JSON)
    return found


def _refusal(error: StoreError) -> Unanswered:
    """What a client is told of an error of the store: not its words, which were not written for the world."""
    status = error.status
    if status is None or status in (429, 502, 503):
        return Unanswered(503, "The store does not answer.")
    if status in (408, 504):
        return Unanswered(504, "The store took too long.")
    if status in (400, 413, 414, 422):
        return Unanswered(422, f"The store does not take this query ({status}).")
    return Unanswered(502, f"The store fails ({status}).")


def _find(control: socket.socket, store: str, login: Credentials, timeout: float) -> remote.Remote:
    """The store, once it answers; until then the server is told why there is none."""
    wait = 0.5
    while True:
        try:
            return remote.find(store, login, Retries(number=0), timeout)
        except StoreError as error:
            control.sendall((LATER if error.passing else NEVER) + str(error).encode()[:1000])
        time.sleep(wait)
        wait = min(2 * wait, 5.0)


def main() -> None:
    """Runs the process: ``remote_engine DESCRIPTOR PARENT ROWS BYTES MEMORY``; the server then says which store to ask."""
    descriptor, parent, rows, size, memory = map(int, sys.argv[1:])
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when to end
    with socket.socket(fileno=descriptor) as control:
        told = json.loads(control.recv(65536))
        found = Engine(_find(control, told["store"], Credentials(**told["login"]), told["timeout"] + _PATIENCE))
        found.warm()
        gc.collect()
        gc.freeze()
        Zygote(control, found, Limits(rows, size), memory, _DESCRIPTORS).run()


if __name__ == "__main__":
    main()
