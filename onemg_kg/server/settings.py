"""What a server can be told; the defaults fit the open internet."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from onemg_kg.project import Project, find

if TYPE_CHECKING:
    from onemg_kg.client import Credentials

MIB = 1 << 20
_MOST_PROCESSES = 4


GRAPH = "data/framework.nq"
"""The file of a site that holds the graph that is asked."""


def default_processes() -> int:
    """How many processes speak HTTP where nothing else is said: one for each processor that may be used, and at most four."""
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes:
        site: the folder of the static site; the graph is its file :data:`GRAPH`, unless a store is asked.
        host: the address to listen on.
        port: the port; 0 for one that is free.
        processes: how many processes speak HTTP; one where a store elsewhere is asked.
        timeout: how many seconds a query may be evaluated.
        memory: how many bytes a query may take beyond the graph.
        rows: how many rows or triples an answer may have.
        answer: how many bytes an answer may have.
        light: how many queries are evaluated at once.
        heavy: how many more may go on that have taken longer than ``heavy_after``.
        heavy_after: after how many seconds on a processor a query makes room for others.
        queue: how many queries may wait.
        wait: how many seconds a query may wait.
        request: how many bytes the body of a request may have.
        head: how many bytes the request line and header fields may have.
        url: how many bytes the target of a request may have.
        connections: how many connections may be open.
        patience: how many seconds a client may take to send a request or to take a part of an answer.
        cache: how many bytes of answers are kept; 0 for none.
        watch: how many seconds pass between two looks for a new build; 0 for none.
        log: whether each request is logged.
        project: where the queries are.
        store: the URL of a store elsewhere that evaluates the queries; empty for none.
        login: the credentials for it, if it wants any.
        asked: how many queries it is asked at once, instead of ``light``.
        renew: how many seconds the API and the service description may lag behind it.
    """

    site: Path
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = field(default_factory=default_processes)
    timeout: float = 10.0
    memory: int = 512 * MIB
    rows: int = 1_000_000
    answer: int = 256 * MIB
    light: int = 4
    heavy: int = 4
    heavy_after: float = 0.5
    queue: int = 256
    wait: float = 5.0
    request: int = 256 * 1024
    head: int = 32 * 1024
    url: int = 16 * 1024
    connections: int = 1024
    patience: float = 15.0
    cache: int = 64 * MIB
    watch: float = 1.0
    log: bool = True
    project: Project = field(default_factory=find)
    store: str = ""
    login: "Credentials | None" = None
    asked: int = 16
    renew: float = 60.0

    @property
    def graph(self) -> Path:
        """The file of the graph."""
        return self.site / GRAPH
