"""Navigation views: each query of ``queries/views/`` as data, as text to read, and as pages for the Framework's own site.

A view is a SELECT query that gives one row for each place at which the Framework lists a resource of a group. Its columns:

- ``group``, ``groupLabel`` and, where a group has parts, ``subgroup``, ``subgroupLabel``;
- ``resource``, ``title``, ``link`` (the landing page); all unbound for a group without resources;
- ``basis`` (``stated`` or ``follows``) and ``because`` (the name of the rule from which it follows);
- ``page``, ``pageTitle``, ``address``, ``line``: the place;
- ``label`` (the Framework's label at this place) and ``limit`` (the use case for which alone it is given).

Rows of the same group and resource become one entry. The order of the rows is the order of what is written.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from onemg_kg import queries
from onemg_kg.errors import QueryError
from onemg_kg.project import Project
from onemg_kg.store import Store, Table

_COLUMNS = (
    *("group", "groupLabel", "resource", "title", "link", "basis", "because"),
    *("page", "pageTitle", "address", "line", "label", "limit"),
)

_BADGES = {
    "Required": ("badge-warning", "fa-sharp fa-regular fa-star"),
    "Recommended": ("badge-dark", "fa-solid fa-thumbs-up"),
    "Informational": ("badge-primary", "fa-sharp fa-solid fa-circle-info"),
}
"""The colour and the icon by which the Framework's site shows each label."""

_ESCAPES = str.maketrans({character: f"&#{ord(character)};" for character in "\\`*_{}[]<>#|~$&!@"})
"""What Markdown (CommonMark, GitHub's tables, kramdown), HTML or Liquid would take for more than text."""

_WIDTH = 1_000_000
"""No line of YAML is folded: each scalar stays on one line."""

_UNSAFE_IN_TARGET = re.compile(r"[\s<>()\[\]{}|\\^`\"']")
"""What would end or change the target of a Markdown link."""


@dataclass(frozen=True)
class Label:
    """A label of the Framework, and the use case for which alone it is given, if any."""

    level: str
    limit: str | None


@dataclass(frozen=True)
class Place:
    """Where the Framework lists a resource: the page with title and web address, the line of its source, the label there."""

    page: str
    title: str
    address: str
    line: int
    label: Label | None


@dataclass
class Entry:
    """A resource in a group: why it is there, the rules from which that follows, and where the Framework lists it."""

    resource: str
    title: str
    link: str | None
    basis: str
    because: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


@dataclass
class Group:
    """A concept, country or project with its resources and its parts."""

    group: str
    label: str
    entries: list[Entry] = field(default_factory=list)
    parts: list["Group"] = field(default_factory=list)


@dataclass
class View:
    """One view, with the title and the reason of each rule from which something in it follows."""

    name: str
    title: str
    description: str
    groups: list[Group]
    rules: dict[str, dict[str, str]]


def render(project: Project, store: Store) -> dict[str, bytes]:
    """Every view in every form.

    Args:
        project: has the queries of the views, and of the rules for their titles.
        store: the whole graph, stated and inferred.

    Returns:
        The files by path: ``views/NAME.json`` and ``views/NAME.md``; and for a Jekyll site of the ELIXIR Toolkit Theme
        ``jekyll/_data/onemg_NAME.yml`` and ``jekyll/pages/onemg/NAME.md``. Same graph, same bytes.

    Raises:
        QueryError: a query is not the SELECT query of a view.
    """
    rules = {rule.name: rule.header for rule in queries.folder(project, "rules")}
    files: dict[str, bytes] = {}
    for query in queries.folder(project, "views"):
        view = run(query, store, rules)
        texts = {
            f"views/{view.name}.json": json.dumps(view, default=vars, ensure_ascii=False, indent=1) + "\n",
            f"views/{view.name}.md": f"# {_text(view.title)}\n\n" + _body(view, _plain_label),
            f"jekyll/_data/onemg_{view.name.replace('-', '_')}.yml": _data(view),
            f"jekyll/pages/onemg/{view.name}.md": _page(view, project.version),
        }
        files.update((path, text.encode()) for path, text in texts.items())
    return files


def run(query: queries.Query, store: Store, rules: Mapping[str, Mapping[str, str]]) -> View:
    """Run the query of a view and fold its rows.

    Args:
        query: the view.
        store: the whole graph.
        rules: the header of each rule, by its name.

    Raises:
        QueryError: the query is no SELECT query, or lacks a column.
    """
    table = store.select(query.text, str(query.path))
    missing = [f"?{column}" for column in _COLUMNS if column not in table.variables]
    if missing:
        raise QueryError(
            f"is no view: it selects no {', '.join(missing)}.",
            source=str(query.path),
            fix="Select every column that the documentation of views names; leave unbound what does not apply.",
        )
    groups = _fold(table)
    used = {name for entry in _entries(groups) for name in entry.because}
    reasons = {
        name: {"title": rules[name]["title"], "description": rules[name]["description"]} for name in sorted(used)
    }
    return View(query.name, query.title, query.header.get("description", ""), groups, reasons)


def _rows(table: Table) -> Iterator[dict[str, str]]:
    """The rows as text; empty where unbound."""
    for record in table.records():
        yield {name: "" if term is None else str(term.value) for name, term in record.items()}


def _fold(table: Table) -> list[Group]:
    groups: dict[tuple[str, ...], Group] = {}
    entries: dict[tuple[str, ...], Entry] = {}
    top: list[Group] = []
    for row in _rows(table):
        key: tuple[str, ...] = (row["group"],)
        if key not in groups:
            groups[key] = Group(row["group"], row["groupLabel"])
            top.append(groups[key])
        if row.get("subgroup"):
            key = (row["group"], row["subgroup"])
            if key not in groups:
                groups[key] = Group(row["subgroup"], row["subgroupLabel"])
                groups[key[:1]].parts.append(groups[key])
        if row["resource"]:
            _add(row, groups[key], entries, (*key, row["resource"]))
    return top


def _add(row: dict[str, str], group: Group, entries: dict[tuple[str, ...], Entry], key: tuple[str, ...]) -> None:
    """Add what a row says to the entry of its resource in a group; a row may repeat what another said."""
    if key not in entries:
        entries[key] = Entry(row["resource"], row["title"], row["link"] or None, row["basis"])
        group.entries.append(entries[key])
    entry = entries[key]
    if row["basis"] == "stated":
        entry.basis = "stated"
    if row["because"] and row["because"] not in entry.because:
        entry.because.append(row["because"])
    label = Label(row["label"], row["limit"] or None) if row["label"] else None
    if label and label not in entry.labels:
        entry.labels.append(label)
    if row["page"]:
        place = Place(row["page"], row["pageTitle"], row["address"], int(row["line"]), label)
        if place not in entry.places:
            entry.places.append(place)


def _entries(groups: Iterable[Group]) -> Iterator[Entry]:
    for group in groups:
        yield from group.entries
        yield from _entries(group.parts)


def _text(text: str) -> str:
    """``text`` as Markdown that shows it letter by letter, on one line."""
    return " ".join(text.split()).translate(_ESCAPES).replace("://", "&#58;//").replace("www.", "www&#46;")


def _linked(text: str, target: str | None) -> str:
    """``text`` linked to a web address; unlinked if the target is anything else."""
    if target is None or not target.startswith(("http://", "https://")):
        return _text(text)
    safe = _UNSAFE_IN_TARGET.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), target)
    return f"[{_text(text)}]({safe.replace('&', '&amp;')})"


def _plain_label(label: Label) -> str:
    return _text(label.level)


def _badge(label: Label) -> str:
    """A label as the pages of the Framework's site write it."""
    colour, icon = _BADGES.get(label.level, ("badge-light", "fa-solid fa-tag"))
    return f'<span class="badge {colour}">{_text(label.level)}<i class="{icon}"></i></span>'


def _body(view: View, show: Callable[[Label], str]) -> str:
    """The Markdown of a view below its title."""
    lines = [_text(view.description), ""]
    for group in view.groups:
        lines += _section(group, "##", view, show)
    if view.rules:
        lines += ["## What it follows from", ""]
        lines += [f"- {_text(rule['title'])}: {_text(rule['description'])}" for rule in view.rules.values()]
        lines.append("")
    return "\n".join(lines)


def _section(group: Group, heading: str, view: View, show: Callable[[Label], str]) -> list[str]:
    lines = [f"{heading} {_text(group.label)}", ""]
    if group.entries:
        lines += ["| Resource | Label | Why it is here | Where the Framework lists it |", "|---|---|---|---|"]
        lines += [_line(entry, view, show) for entry in group.entries]
        lines.append("")
    for part in group.parts:
        lines += _section(part, heading + "#", view, show)
    if not group.entries and not group.parts:
        lines += ["Nothing yet.", ""]
    return lines


def _why(entry: Entry, view: View) -> list[str]:
    """Why a resource is in a group, in words."""
    stated = ["Stated"] if entry.basis == "stated" else []
    return stated + [view.rules[name]["title"] for name in entry.because]


def _line(entry: Entry, view: View, show: Callable[[Label], str]) -> str:
    labels = [show(label) + (f" ({_text(label.limit)} only)" if label.limit else "") for label in entry.labels]
    places = dict.fromkeys(f"{_linked(place.title, place.address)}, line {place.line}" for place in entry.places)
    cells = (_linked(entry.title, entry.link), ", ".join(labels), "; ".join(map(_text, _why(entry, view))), "; ".join(places))
    return f"| {' | '.join(cells)} |"


def _yaml(data: object) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # PyYAML built without libyaml has only the slow one
    return yaml.dump(data, Dumper=dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)


def _data(view: View) -> str:
    """What a Jekyll page needs to show a view in its own way."""

    def slots(group: Group) -> dict[str, object]:
        return {
            "label": group.label,
            "entries": [
                {
                    "title": entry.title,
                    "link": entry.link,
                    "labels": [vars(label) for label in entry.labels],
                    "why": _why(entry, view),
                    "places": [{"title": p.title, "address": p.address, "line": p.line} for p in entry.places],
                }
                for entry in group.entries
            ],
            "parts": [slots(part) for part in group.parts],
        }

    return _yaml({"title": view.title, "description": view.description, "groups": [slots(g) for g in view.groups]})


def _page(view: View, version: str) -> str:
    """A page of a Jekyll site of the ELIXIR Toolkit Theme, which takes the title from the front matter."""
    front = {
        "title": view.title,
        "description": view.description,
        "page_id": f"onemg-{view.name}",
        "sidebar": "framework",
    }
    note = f"<!-- Written by onemg-kg {version}: change the graph, not this page. -->"
    return f"---\n{_yaml(front)}---\n{note}\n\n{_body(view, _badge)}"
