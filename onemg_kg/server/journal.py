"""The server's log: one line of JSON for each event. It holds no content, no query and nothing of who asked."""

import contextlib
import functools
import json
import logging
import os
import select
import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

_LONGEST = 200
_AT_ONCE = 100
"""How many lines are held at most: to write many takes a moment, in which others wait."""


class Journal:
    """Writes lines, several at once.

    Args:
        descriptor: where to.
        later: calls a function after some seconds.
    """

    def __init__(self, descriptor: int, later: Callable[[float, Callable[[], None]], object]) -> None:
        self._descriptor, self._later = descriptor, later
        self._lines: list[str] = []

    def event(self, name: str, **said: Any) -> None:
        """Something that happens rarely: written at once."""
        self._lines.append(json.dumps({"time": _now(), "event": name, **said}))
        self.flush()

    def request(self, line: str, seconds: float) -> None:
        """A request was answered: what :func:`answered` says of it."""
        if not self._lines:
            self._later(0.2, self.flush)
        self._lines.append(f'{{"time": "{_now()}", {line}, "ms": {seconds * 1000:.2f}}}')
        if len(self._lines) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is held: as much at once as no other process that logs to the same place can break into (pipe(7))."""
        lines, self._lines = self._lines, []
        held = b""
        for line in lines:
            written = line.encode() + b"\n"
            if held and len(held) + len(written) > select.PIPE_BUF:
                self._write(held)
                held = b""
            held += written
        if held:
            self._write(held)

    def _write(self, content: bytes) -> None:
        with contextlib.suppress(OSError):  # who reads the log may be gone, and the server goes on
            os.write(self._descriptor, content)


def answered(method: str, path: str, status: int, size: int) -> str:
    """What is logged of a request, besides when it was answered and how long that took."""
    return (
        f'"event": "request", "method": {_quoted(method)}, "path": {_quoted(path[:_LONGEST])}, '
        f'"status": {status}, "bytes": {size}'
    )


class Handler(logging.Handler):
    """Takes what libraries log: the kind and the exception, not the message, which may hold what a client sent."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Writes that something was logged."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        self._journal.event("warning", logger=record.name, level=record.levelname, **({"error": error} if error else {}))


def _now() -> str:
    now = time.time()
    return f"{_to_the_second(int(now))}.{int(now % 1 * 1000):03}Z"


@functools.lru_cache(1)
def _to_the_second(now: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
