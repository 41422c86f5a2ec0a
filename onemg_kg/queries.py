"""Query files: SPARQL with a header that says what the query is for, and parameters that are bound without gluing text.

A header is the run of lines ``#+ key: value`` at the top of a file. A parameter ``name`` is declared by the header line
``#+ parameter.name: SPACE`` and written in the query as ``VALUES ?name { UNDEF }``; unbound, the query answers for all.
``SPACE`` is the path below the base IRI in which a short value is looked up, or ``text`` for a plain literal.

Lines of a query itself that start with ``#+`` are part of it when one page of the answer is asked for, and say which by ``LIMIT
?size OFFSET ?start``. A page has so many resources, however many rows tell of each, in the order of their titles.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from onemg_kg.errors import QueryError
from onemg_kg.project import Project
from onemg_kg.terms import expand

_HEADER = re.compile(r"#\+ ([\w.-]+):\s*(.*)")
_SLOT = r"VALUES\s+\?{name}\s*\{{\s*UNDEF\s*\}}"
# Compiled only when a page is asked for: a query has to start in a few milliseconds.
_PAGED = r"(?m)^([ \t]+)#\+ "
_WINDOW = r"LIMIT\s+\?size\s+OFFSET\s+\?start"
_KINDS = ("questions", "views")
"""The folders of ``queries/`` whose queries a user runs by name, in the order in which a name is looked up."""


class Page(NamedTuple):
    """Which page of an answer, counted from 1, and how many resources it has."""

    number: int
    size: int


class Query(NamedTuple):
    """One query file.

    Attributes:
        name: the file's name without suffix; unique in its folder.
        kind: the folder below ``queries/`` (``views``, ``rules``, ``questions``), or empty for a user's own file.
        path: the file.
        text: the SPARQL text, header included.
        header: the header's keys and values, in the order of the file.
    """

    name: str
    kind: str
    path: Path
    text: str
    header: Mapping[str, str]

    @property
    def title(self) -> str:
        """What the query answers, in one line."""
        return self.header.get("title", self.name)

    @property
    def parameters(self) -> dict[str, str]:
        """The declared parameters: name to the space in which a short value is looked up."""
        return self._part("parameter.")

    @property
    def examples(self) -> dict[str, str]:
        """The values with which the published answer is asked for, where that for all is too long: by parameter."""
        return self._part("example.")

    def _part(self, prefix: str) -> dict[str, str]:
        """The headers of which the key starts with a prefix, without it."""
        return {key.removeprefix(prefix): value for key, value in self.header.items() if key.startswith(prefix)}

    def term(self, parameter: str, value: str) -> ox.NamedNode | ox.Literal:
        """The term that a value typed by a user stands for.

        Args:
            parameter: the name of a declared parameter.
            value: an IRI, a prefixed name, a path below the base, or a short name in the parameter's space.

        Raises:
            QueryError: the query has no such parameter, or the value is no IRI.
        """
        space = self.parameters.get(parameter)
        if space is None:
            known = ", ".join(self.parameters) or "none"
            raise QueryError(f"has no parameter {parameter!r}; it has {known}.", source=str(self.path))
        if space == "text":
            return ox.Literal(value)
        # Below a space of ours a value may be a path below the base; in another namespace a slash is part of the name.
        whole = ":" in value or ("/" in value and ":" not in space)
        iri = expand(value if whole else space + value)
        try:
            return ox.NamedNode(iri)
        except ValueError:
            raise QueryError(f"{value!r} is no IRI for the parameter {parameter!r}.", source=str(self.path)) from None

    def bind(self, values: Mapping[str, ox.NamedNode | ox.Literal], page: Page | None = None) -> str:
        """The SPARQL text with each ``VALUES ?name { UNDEF }`` filled; what is not given stays open.

        Args:
            values: of parameters.
            page: ask for one page only, of the answer for values of all parameters.

        Raises:
            QueryError: the text has no place for a parameter, or the answer has no pages.
        """
        text = self.text
        for name, term in values.items():
            # Split and joined, not substituted: a replacement text would have its backslashes read.
            pieces = re.split(_SLOT.format(name=re.escape(name)), text)
            text = f"VALUES ?{name} {{ {term} }}".join(pieces)
            if len(pieces) == 1:
                raise QueryError(
                    f"declares the parameter {name!r} but has no place for it.",
                    source=str(self.path),
                    fix=f"Write VALUES ?{name} {{ UNDEF }} inside WHERE.",
                )
        return text if page is None else self._paged(text, page, values)

    def _paged(self, text: str, page: Page, values: Mapping[str, object]) -> str:
        source = str(self.path)
        if not re.search(_PAGED, text):
            raise QueryError("gives its answer as a whole, not in pages.", source=source, fix="Leave --page out.")
        if open_ := [name for name in self.parameters if name not in values]:
            raise QueryError(
                f"has pages for one {open_[0]} only.", source=source, fix=f"Name it with --param {open_[0]}=VALUE."
            )
        return re.sub(_WINDOW, f"LIMIT {page.size} OFFSET {(page.number - 1) * page.size}", re.sub(_PAGED, r"\1", text))


def read(path: Path, kind: str = "") -> Query:
    """Read one query file.

    Raises:
        QueryError: the file cannot be read, or its text is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot be read: {error}.", source=str(path)) from None
    header: dict[str, str] = {}
    for line in text.splitlines():
        found = _HEADER.fullmatch(line.strip())
        if found is None:
            break
        header[found[1]] = found[2].strip()
    return Query(path.stem, kind, path, text, header)


def folder(project: Project, kind: str) -> list[Query]:
    """Every query of one folder below ``queries/``, sorted by name.

    Raises:
        QueryError: a file cannot be read.
    """
    return [read(path, kind) for path in project.files("queries", kind, suffix=".rq")]


def named(project: Project) -> list[Query]:
    """Every query that a user can run by name."""
    return [query for kind in _KINDS for query in folder(project, kind)]


def find(project: Project, name: str) -> Query:
    """The query of a name or of a path ending in ``.rq``.

    Raises:
        QueryError: there is no such file or name.
    """
    if name.endswith(".rq"):
        return read(Path(name))
    for kind in _KINDS:
        for path in project.files("queries", kind, suffix=".rq"):
            if path.stem == name:
                return read(path, kind)
    raise QueryError(
        f"there is no query {name!r}.", fix="See `onemg-kg list queries`, or give the path of a file ending in .rq."
    )
