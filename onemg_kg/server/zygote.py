"""The process that holds the graph and forks the workers: started by the server as ``python -m onemg_kg.server.zygote``.

Workers share its memory, copied on write, so one is there in milliseconds and costs what its query takes. A worker can open no
file and no socket: the kernel refuses it every new descriptor. Nothing here starts a thread, so to fork is safe.
"""

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from onemg_kg.server.engine import Engine, Limits
from onemg_kg.server.frames import BEGUN, CALM, KILL, READY, SPAWN, SPEAK, frame, receive

_PR_SET_PDEATHSIG = 1
_GRACE = 1.0
_LATER = 5
"""By how much the priority of a worker is lower: where the processors are busy, requests are taken and answered first."""


def die_with_parent(parent: int) -> None:
    """Ends this process when its parent ends, however that ends. Only Linux can; elsewhere an end of the connection does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _confine(memory: int, descriptors: int) -> None:
    """Limits what this process can have: memory, and descriptors; without a new one neither file nor socket."""
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + memory, held + memory))
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, descriptors)):
        resource.setrlimit(limit, (most, most))


def _work(connection: socket.socket, engine: Engine, limits: Limits, memory: int, descriptors: int) -> None:
    """Answers until the server hangs up."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)  # what Oxigraph says as it dies may hold the query
    os.nice(_LATER)
    _confine(memory, descriptors)
    connection.sendall(frame(READY, b"%d" % os.getpid()))
    while (content := receive(connection)) is not None:
        request: dict[str, Any] = json.loads(content)
        # The server kills who takes too long; should it be gone, the kernel does, by the time on the processor.
        signal.setitimer(signal.ITIMER_PROF, request["timeout"] + _GRACE)
        engine.answer(request, connection, limits)
        signal.setitimer(signal.ITIMER_PROF, 0)


class Zygote:
    """Forks workers as it is told.

    Args:
        control: the connection to the server.
        engine: the graph.
        limits: how much an answer may have.
        memory: how many bytes a worker may take.
        descriptors: how many descriptors it may have open; with 0 it can open nothing.
    """

    def __init__(self, control: socket.socket, engine: Engine, limits: Limits, memory: int, descriptors: int = 0) -> None:
        self._control, self._engine, self._limits = control, engine, limits
        self._memory, self._descriptors = memory, descriptors
        self._workers: dict[str, int] = {}
        self._dying: set[int] = set()

    def run(self) -> None:
        """Serves the server until it hangs up."""
        self._control.sendall(BEGUN)
        while True:
            self._control.settimeout(0.05 if self._dying else None)
            try:
                message, descriptors, _, _ = socket.recv_fds(self._control, 64, 1)
            except TimeoutError:
                self._bury()
                continue
            if not message:
                break
            order, name = message.decode().split()
            if order in (SPAWN, SPEAK):
                self._spawn(order, name, descriptors[0])
            elif name in self._workers:
                self._tell(order, name)
        for name in list(self._workers):
            self._tell(KILL, name)

    def _tell(self, order: str, name: str) -> None:
        process = self._workers[name]
        if order == CALM:
            os.setpriority(os.PRIO_PROCESS, process, 19)
            return
        os.kill(process, signal.SIGKILL)  # not yet waited for, so the number is still its own
        del self._workers[name]
        self._dying.add(process)
        self._bury()

    def _bury(self) -> None:
        """Reaps who is dead. To die takes a while at the lowest priority, and nobody waits for that."""
        self._dying = {process for process in self._dying if os.waitpid(process, os.WNOHANG) == (0, 0)}

    def _spawn(self, order: str, name: str, descriptor: int) -> None:
        parent = os.getpid()
        process = os.fork()
        if process:
            os.close(descriptor)
            self._workers[name] = process
            return
        status = 1
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            die_with_parent(parent)
            self._control.close()
            connection = socket.socket(fileno=descriptor)
            if order == SPEAK:
                from onemg_kg.server import speaker  # only one that speaks HTTP needs it, and to import it takes a while

                speaker.run(connection, self._engine)
            else:
                _work(connection, self._engine, self._limits, self._memory, self._descriptors)
            status = 0
        os._exit(status)


def main() -> None:
    """Runs the process: ``zygote DESCRIPTOR PARENT GRAPH ROWS BYTES MEMORY``."""
    descriptor, parent, path, rows, size, memory = sys.argv[1:]
    die_with_parent(int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when to end
    with socket.socket(fileno=int(descriptor)) as control:
        try:
            engine = Engine(Path(path))
        except (OSError, SyntaxError) as error:
            why = str(getattr(error, "msg", None) or getattr(error, "strerror", None) or error)
            control.sendall(why.rstrip(".").encode()[:1000])
            sys.exit(1)
        engine.warm()
        gc.collect()
        gc.freeze()
        Zygote(control, engine, Limits(int(rows), int(size)), int(memory)).run()


if __name__ == "__main__":
    main()
