"""What the endpoint says of itself, at whatever address it stands (SPARQL 1.1 Service Description, W3C 2013)."""

import re

import pyoxigraph as ox

from onemg_kg.formats import FORMATS
from onemg_kg.server.messages import Request
from onemg_kg.server.pool import Pool
from onemg_kg.terms import BASE, PREFIXES

_SERVICE = BASE + "sparql"
_SLOT = "VALUES ?service { UNDEF }"
_PREFIX = re.compile(r"^PREFIX ([\w-]+): <([^>]*)>$", re.MULTILINE)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


class Description:
    """The service description.

    Args:
        pool: who evaluates the query.
        query: the query that gives it, with a place for the address of the service.
    """

    def __init__(self, pool: Pool, query: str) -> None:
        self._pool = pool
        self._query = query.replace(_SLOT, f"VALUES ?service {{ <{_SERVICE}> }}")
        self._prefixes = {**PREFIXES, **dict(_PREFIX.findall(query))}
        self._triples: list[ox.Triple] = []
        self._written: dict[str, bytes] = {}

    def forget(self) -> None:
        """The graph may have changed: ask again."""
        self._triples = []
        self._written.clear()

    async def written(self, form: str, request: Request) -> bytes:
        """The description in a format of :data:`FORMATS`, for the address to which a request came.

        Raises:
            Failed: there is no time for the query that gives it.
        """
        if form not in self._written:
            if not self._triples:
                question = {"query": self._query, "default": (), "named": (), "results": "json", "graph": "ntriples"}
                job = await self._pool.ask(question)
                content = b"".join([piece async for piece in job.rest()])
                self._triples = [quad.triple for quad in ox.parse(content, format=ox.RdfFormat.N_TRIPLES)]
            # With the address in full wherever it stands: a prefix that shortens it would hide it.
            shortening = {prefix: name for prefix, name in self._prefixes.items() if not _SERVICE.startswith(name)}
            self._written[form] = FORMATS[form].write(self._triples, shortening)
        host = request.field(b"host") or ""
        if not _HOST.fullmatch(host):
            return self._written[form]
        return self._written[form].replace(_SERVICE.encode(), f"{request.scheme}://{host}{request.path}".encode())
