"""Check queries: each row of a query of ``queries/checks/`` is a finding.

``queries/checks/data/`` asks about the graph, ``queries/checks/site/`` about the Framework's site. The header of a query says:

- ``title`` and ``description``: what is checked, and why;
- ``severity``: ``violation``, ``warning`` or ``info``;
- ``message`` and ``fix``: sentences with ``{variable}`` where a value of the row goes, IRIs as short names;
- ``focus``: the variable that is the focus node (without one: ``this``).

A query may select ``?value`` and ``?path`` of the finding, and ``?page`` (a page's IRI, or its file on the site as text)
and ``?line`` where the place is not that of the focus node.
"""

import re
from collections.abc import Iterable, Mapping

import pyoxigraph as ox

from onemg_kg import queries
from onemg_kg.errors import QueryError
from onemg_kg.findings import SEVERITIES, Finding, Places, in_order
from onemg_kg.project import Project
from onemg_kg.store import Queryable, Term
from onemg_kg.terms import BASE, expand, shorten, text

RULES = BASE + "check/"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_KEYS = ("title", "description", "severity", "message", "fix")


def folder(project: Project, name: str) -> list[queries.Query]:
    """The checks of one folder below ``queries/checks/``, sorted by name.

    Raises:
        QueryError: a file cannot be read, or its header lacks something.
    """
    found = queries.folder(project, f"checks/{name}")
    for check in found:
        missing = [key for key in _KEYS if not check.header.get(key)]
        if missing:
            raise QueryError(
                f"is no check: its header has no {', '.join(missing)}.",
                source=str(check.path),
                fix="Add the line `#+ key: value` at the top.",
            )
        if check.header["severity"] not in SEVERITIES:
            raise QueryError(
                f"has the severity {check.header['severity']!r}.",
                source=str(check.path),
                fix=f"Write one of {', '.join(SEVERITIES)}.",
            )
    return found


def page(check: queries.Query) -> str:
    """The documentation page of a check, below the root of a build."""
    return f"rules/checks/{check.name}.md"


def run(checks: Iterable[queries.Query], store: Queryable, places: Places) -> list[Finding]:
    """Run checks.

    Args:
        checks: the queries, as :func:`folder` gives them.
        store: what they ask.
        places: where the nodes of the store come from.

    Returns:
        What was found, in order.

    Raises:
        QueryError: a query is no SELECT query, or its header names a variable that it does not select.
    """
    return in_order(found for check in checks for found in _findings(check, store, places))


def _findings(check: queries.Query, store: Queryable, places: Places) -> Iterable[Finding]:
    table = store.select(check.text, str(check.path))
    header = check.header
    focus = header.get("focus", "this")
    used = {focus, *_PLACEHOLDER.findall(header["message"]), *_PLACEHOLDER.findall(header["fix"])}
    missing = sorted(used - set(table.variables))
    if missing:
        raise QueryError(
            f"uses {', '.join('?' + name for name in missing)}, which it does not select.",
            source=str(check.path),
            fix="Select every variable of the header.",
        )
    for row in table.records():
        node, path, value = row[focus], row.get("path"), row.get("value")
        place = places.of(*(_ntriples(term) for term in (node, path, value)))
        on, line = row.get("page"), text(row.get("line"))
        told = places.file_of_page(on) if isinstance(on, ox.NamedNode) else text(on)
        moved = bool(told) and told != place.page
        yield Finding(
            severity=header["severity"],
            rule=RULES + check.name,
            message=_fill(header["message"], row),
            focus_node=text(node) if isinstance(node, ox.NamedNode) else "",
            path=_ntriples(path),
            value=_ntriples(value),
            fix=_fill(header["fix"], row),
            source=place.source,
            line=place.line,
            page=told or place.page,
            page_line=int(line) if line.isdecimal() else 0 if moved else place.page_line,
            url=page(check),
            component=expand("sh:SPARQLConstraintComponent"),
        )


def _ntriples(node: Term | None) -> str:
    return "" if node is None else str(node)


def _fill(template: str, row: Mapping[str, Term | None]) -> str:
    """A sentence with the values of a row."""

    def say(found: re.Match[str]) -> str:
        value = row[found[1]]
        return shorten(value.value) if isinstance(value, ox.NamedNode) else " ".join(text(value).split())

    return _PLACEHOLDER.sub(say, template).strip()
