"""The requests of ``queries/push/``, with their places filled."""

import re

import pyoxigraph as ox

from onemg_kg.errors import QueryError
from onemg_kg.project import Project

_PLACE = re.compile(r"<subject> <predicate> <object> \.|<(\w+)>")


class Requests:
    """Texts of SPARQL 1.1 in which ``<word>`` is a place for IRIs or a literal, and one statement the place for statements."""

    def __init__(self, project: Project) -> None:
        files = sorted((project.root / "queries" / "push").iterdir())
        lines = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in files}
        self._texts = {name: "\n".join(line for line in text if line[:2] != "#+") for name, text in lines.items()}

    def fill(self, name: str, data: str = "", **values: str | list[str] | ox.Literal) -> str:
        """A request.

        Args:
            name: its file, without suffix.
            data: lines of N-Triples.
            values: what fills each place: an IRI, a list of IRIs, or a literal.

        Raises:
            QueryError: what should be an IRI is none.
        """

        def put(place: re.Match[str]) -> str:
            if place[1] is None:
                return data
            value = values[place[1]]
            if isinstance(value, ox.Literal):
                return str(value)
            try:
                return " ".join(str(ox.NamedNode(iri)) for iri in ([value] if isinstance(value, str) else value))
            except ValueError:
                raise QueryError(f"names {value}, which is no IRI.", source="the store", fix="Remove it there.") from None

        return _PLACE.sub(put, self._texts[name])
