"""Starts the process that holds the graph and forks workers: the first thing that a server does, because to read takes a while.

It imports nothing that is not there already when the command line is read.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict

from onemg_kg.server.settings import Settings


class Zygote:
    """The process that forks workers. It reads the graph while this one goes on.

    Args:
        settings: the limits, and where the graph is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *map(str, self._program(theirs.fileno()))],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )

    def _program(self, descriptor: int) -> Iterable[object]:
        """The module that the process runs, and what that is told."""
        settings = self._settings
        numbers = (descriptor, os.getpid(), settings.graph, settings.rows, settings.answer, settings.memory)
        return ("onemg_kg.server.zygote", *numbers)

    def order(self, order: str, worker: str, descriptor: int | None = None) -> None:
        """Tell the process something; it may be gone."""
        with contextlib.suppress(OSError):
            socket.send_fds(self.control, [f"{order} {worker}".encode()], [] if descriptor is None else [descriptor])

    def again(self) -> "Zygote":
        """Another one of the same kind, in the place of this one."""
        self.close()
        return type(self)(self._settings)

    def close(self) -> None:
        """Let the process end, and its workers with it."""
        self.process.kill()  # first: it is not to complain that nobody listens any more
        self.control.close()
        self.process.wait()


class _OfStore(Zygote):
    """The process that forks workers that ask a store. Which store, and with which credentials, no command line shows."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        told = {"store": settings.store, "login": asdict(settings.login) if settings.login else {}, "timeout": settings.timeout}
        with contextlib.suppress(OSError):
            self.control.send(json.dumps(told).encode())

    def _program(self, descriptor: int) -> Iterable[object]:
        settings = self._settings
        return ("onemg_kg.server.remote_engine", descriptor, os.getpid(), settings.rows, settings.answer, settings.memory)


def launch(settings: Settings) -> Zygote:
    """Start the process: over the graph of the build, or for the store elsewhere."""
    return _OfStore(settings) if settings.store else Zygote(settings)
