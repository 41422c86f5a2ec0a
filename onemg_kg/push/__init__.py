"""Publishes a build to a SPARQL 1.1 store: only what changed, all at once, and read back. See ``docs/push.md``."""

from collections.abc import Callable

from onemg_kg.client import Client, Credentials, Endpoint, Retries, StoreError, credentials
from onemg_kg.project import Project
from onemg_kg.push.dataset import Difference, Graphs, read
from onemg_kg.push.session import Options, Push, Report

__all__ = [
    "Client",
    "Credentials",
    "Difference",
    "Endpoint",
    "Graphs",
    "Options",
    "Report",
    "Retries",
    "StoreError",
    "credentials",
    "find",
    "push",
    "read",
    "rollback",
]


def find(
    store: str, update: str | None, graph_store: str | None, login: Credentials, retries: Retries | None = None
) -> Endpoint:
    """The URLs of a store.

    Args:
        store: the URL for queries where ``update`` is given; else a base URL, below which Oxigraph has ``query``, ``update``
            and ``store``, and Virtuoso ``sparql-auth`` and ``sparql-graph-crud-auth``.
        update: the URL for updates.
        graph_store: the URL of the Graph Store Protocol.
        login: the credentials.
        retries: of requests.

    Raises:
        StoreError: neither is there.
    """
    if update is not None:
        return Endpoint(store, update, graph_store)
    base = store.rstrip("/")
    kinds = (
        Endpoint(base + "/query", base + "/update", graph_store or base + "/store"),
        Endpoint(base + "/sparql-auth", base + "/sparql-auth", graph_store or base + "/sparql-graph-crud-auth"),
    )
    for endpoint in kinds:
        try:
            Client(endpoint, login, 30, retries).select("SELECT ?one WHERE { VALUES ?one { 1 } }", "one")
        except StoreError as error:
            if error.status not in {404, 405}:
                raise
        else:
            return endpoint
    raise StoreError(
        "is neither Oxigraph nor Virtuoso.",
        source=store,
        fix="Give the URL for queries as STORE, that for updates with --update, and if there is one --graph-store.",
    )


def push(
    project: Project,
    client: Client,
    dataset: Graphs,
    options: Options | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Make a store hold a dataset, and nothing else below ``GRAPHS``; readers see all of the old or all of the new.

    Args:
        project: where the requests are: ``queries/push/``.
        client: the store.
        dataset: what :func:`read` gives.
        options: how.
        progress: told what is being done.

    Raises:
        StoreError: it could not be done; what the store showed before it shows still, unless the message says otherwise.
        RdfError: the store holds blank nodes that cannot be named in reasonable time.
    """
    return Push(project, client, dataset, options or Options(), progress).run()


def rollback(project: Project, client: Client, options: Options | None = None) -> list[str]:
    """Remove what pushes that were cut off left behind: staging graphs and locks.

    Returns:
        The staging graphs that were removed.

    Raises:
        StoreError: it could not be done, or another push is under way.
    """
    return Push(project, client, {}, options or Options(), lambda _: None).tidy()
