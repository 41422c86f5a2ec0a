"""Navigation views: each query of ``queries/views/`` as data, as text to read, and as pages for the Framework's own site.

A view is a SELECT query that gives one row for each place at which the Framework lists a resource of a group. Its columns:

- ``group``, ``groupLabel`` and, where a group has parts, ``subgroup``, ``subgroupLabel``;
- ``resource``, ``title``, ``link`` (the landing page); all unbound for a group without resources;
- ``basis`` (``stated`` or ``follows``) and ``because`` (the name of the rule from which it follows);
- ``page``, ``pageTitle``, ``address``, ``line``: the place;
- ``label`` (the Framework's label at this place) and ``limit`` (the use case for which alone it is given).

The header key ``empty`` says what to write in a group without resources.
Rows of the same group and resource become one entry. The order of the rows is the order of what is written.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from onemg_kg import queries
from onemg_kg.errors import QueryError
from onemg_kg.markdown import linked, plain
from onemg_kg.project import Project
from onemg_kg.store import Queryable, Stream

_COLUMNS = (
    *("group", "groupLabel", "resource", "title", "link", "basis", "because"),
    *("page", "pageTitle", "address", "line", "label", "limit"),
)

_TITLE = "Views of the 1+MG Framework"
_DESCRIPTION = "The resources of the Framework by section, label, stage, use case, role and more."

_BADGES = {
    "Required": ("badge-warning", "fa-sharp fa-regular fa-star"),
    "Recommended": ("badge-dark", "fa-solid fa-thumbs-up"),
    "Informational": ("badge-primary", "fa-sharp fa-solid fa-circle-info"),
}
"""The colour and the icon by which the Framework's site shows each label."""

_YAML_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}
"""What JSON may hold as it is, but YAML (1.2.2, section 5.1) must escape or would take for a line break."""


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


@dataclass(frozen=True)
class Reason:
    """What a rule says of why something follows from it."""

    title: str
    description: str


@dataclass
class View:
    """One view, with the reason of each rule from which something in it follows, by the name of the rule."""

    name: str
    title: str
    description: str
    empty: str
    groups: list[Group]
    reasons: dict[str, Reason]


def collect(project: Project, store: Queryable) -> list[View]:
    """Every view, by name: see :func:`each`."""
    return list(each(project, store))


def each(project: Project, store: Queryable) -> Iterator[View]:
    """One view after the other, by name.

    Args:
        project: has the queries of the views, and of the rules for their titles.
        store: the whole graph, stated and inferred.

    Raises:
        QueryError: a query is not the SELECT query of a view.
    """
    rules = queries.folder(project, "rules")
    return (run(query, store, rules) for query in queries.folder(project, "views"))


def render(found: list[View], version: str) -> dict[str, bytes]:
    """Every view in every form.

    Args:
        found: every view.
        version: the version of the graph.

    Returns:
        The files by path: ``views/NAME.json`` and ``views/NAME.md``; for a Jekyll site of the ELIXIR Toolkit Theme
        ``jekyll/_data/onemg_NAME.yml`` and ``jekyll/pages/onemg/NAME.md``; and a list of the views for readers of each.
        Same graph, same bytes.
    """
    files = index(found, version)
    for view in found:
        files |= {path: b"".join(pieces) for path, pieces in forms(view, version)}
    return files


def index(found: Iterable[View], version: str) -> dict[str, bytes]:
    """The lists of the views: see :func:`render`."""
    texts = {
        "views/index.md": f"# {_TITLE}\n\n" + _list(found, "{}.md"),
        "jekyll/pages/onemg/views.md": "\n".join(
            _page("views", _TITLE, _DESCRIPTION, version, [_list(found, "{{{{ '/onemg/{}' | relative_url }}}}")])
        ),
    }
    return {path: text.encode() for path, text in texts.items()}


def forms(view: View, version: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """A view in every form, each in pieces, because that of a large graph is long: see :func:`render`."""
    name = view.name
    page = _page(name, view.title, view.description, version, _body(view, _badge))
    texts = {
        f"views/{name}.json": _json(view),
        f"views/{name}.md": _text(chain([f"# {plain(view.title)}", ""], _body(view, _plain_label))),
        f"jekyll/_data/onemg_{name.replace('-', '_')}.yml": _text(_data(view)),
        f"jekyll/pages/onemg/{name}.md": _text(page),
    }
    return ((path, map(str.encode, pieces)) for path, pieces in texts.items())


def run(query: queries.Query, store: Queryable, rules: Iterable[queries.Query]) -> View:
    """Run the query of a view and fold its rows.

    Args:
        query: the view.
        store: the whole graph.
        rules: the rules from which something in the graph follows.

    Raises:
        QueryError: the query is no SELECT query, lacks a column, or names a rule that does not exist.
    """
    found = store.stream(query.text, str(query.path))
    missing = [f"?{column}" for column in _COLUMNS if column not in found.variables]
    if missing:
        raise QueryError(
            f"is no view: it selects no {', '.join(missing)}.",
            source=str(query.path),
            fix="Select every column that the documentation of views names; leave unbound what does not apply.",
        )
    groups = _fold(found)
    reasons = {rule.name: Reason(rule.title, rule.header.get("description", "")) for rule in rules}
    used = {name for entry in _entries(groups) for name in entry.because}
    if not used <= reasons.keys():
        raise QueryError(
            f"names rules that do not exist: {', '.join(sorted(used - reasons.keys()))}.",
            source=str(query.path),
            fix="Bind ?because to the name of a file in queries/rules/, without suffix.",
        )
    header = query.header
    return View(
        query.name,
        query.title,
        header.get("description", ""),
        header.get("empty", "Nothing yet."),
        groups,
        {name: reasons[name] for name in sorted(used)},
    )


def _rows(found: Stream) -> Iterator[dict[str, str]]:
    """The rows as text; empty where unbound. A text that comes again is one object: of a large graph they take much memory."""
    texts: dict[str, str] = {}
    one = texts.setdefault
    for row in found.rows:
        values = ["" if term is None else one(term.value, term.value) for term in row]
        yield dict(zip(found.variables, values, strict=True))


def _fold(found: Stream) -> list[Group]:
    groups: dict[tuple[str, ...], Group] = {}
    entries: dict[tuple[str, ...], Entry] = {}
    top: list[Group] = []
    for row in _rows(found):
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
    if row["page"] and row["line"]:
        place = Place(row["page"], row["pageTitle"], row["address"], int(row["line"]), label)
        if place not in entry.places:
            entry.places.append(place)


def _entries(groups: Iterable[Group]) -> Iterator[Entry]:
    for group in groups:
        yield from group.entries
        yield from _entries(group.parts)


def _plain_label(label: Label) -> str:
    return plain(label.level)


def _badge(label: Label) -> str:
    """A label as the pages of the Framework's site write it."""
    colour, icon = _BADGES.get(label.level, ("badge-light", "fa-solid fa-tag"))
    return f'<span class="badge {colour}">{plain(label.level)}<i class="{icon}"></i></span>'


def _text(lines: Iterable[str]) -> Iterator[str]:
    """Lines as a text in pieces. It ends with a line break if the last line is empty."""
    start = ""
    for line in lines:
        yield start + line
        start = "\n"


def _body(view: View, show: Callable[[Label], str]) -> Iterator[str]:
    """The lines of a view in Markdown below its title."""
    yield from (plain(view.description), "")
    for group in view.groups:
        yield from _section(group, "##", view, show)
    if view.reasons:
        yield from ("## Why a resource is here", "")
        for reason in view.reasons.values():
            yield f"- {plain(reason.title)}: {plain(reason.description)}"
        yield ""


def _section(group: Group, heading: str, view: View, show: Callable[[Label], str]) -> Iterator[str]:
    yield from (f"{heading} {plain(group.label)}", "")
    if group.entries:
        yield from ("| Resource | Label | Why it is here | Where the Framework lists it |", "|---|---|---|---|")
        for entry in group.entries:
            yield _line(entry, view, show)
        yield ""
    for part in group.parts:
        yield from _section(part, heading + "#", view, show)
    if not group.entries and not group.parts:
        yield from (plain(view.empty), "")


def _why(entry: Entry, view: View) -> list[str]:
    """Why a resource is in a group, in words."""
    stated = ["Stated"] if entry.basis == "stated" else []
    return stated + [view.reasons[name].title for name in entry.because]


def _line(entry: Entry, view: View, show: Callable[[Label], str]) -> str:
    labels = [show(label) + (f" ({plain(label.limit)})" if label.limit else "") for label in entry.labels]
    places = dict.fromkeys(f"{linked(place.title, place.address)}, line {place.line}" for place in entry.places)
    cells = (linked(entry.title, entry.link), ", ".join(labels), "; ".join(map(plain, _why(entry, view))), "; ".join(places))
    return f"| {' | '.join(cells)} |"


_encode = json.JSONEncoder(ensure_ascii=False, default=vars).encode


def _json(view: View) -> Iterator[str]:
    """A view in JSON (RFC 8259), each group and each entry on a line of its own."""
    about = {key: value for key, value in vars(view).items() if key not in ("groups", "reasons")}
    yield _encode(about)[:-1] + ', "groups": ['
    yield from _json_groups(view.groups)
    yield f'], "reasons": {_encode(view.reasons)}}}\n'


def _json_groups(groups: list[Group]) -> Iterator[str]:
    end = "\n"
    for group in groups:
        yield f'{end}{_encode({"group": group.group, "label": group.label})[:-1]}, "entries": ['
        yield ", ".join("\n" + _encode(entry) for entry in group.entries)
        yield '], "parts": ['
        yield from _json_groups(group.parts)
        yield "]}"
        end = ", \n"


def _yaml(data: object) -> str:
    """A value in the flow style of YAML, which is JSON (YAML 1.2.2, section 1.3)."""
    return _encode(data).translate(_YAML_ESCAPES)


def _data(view: View) -> Iterator[str]:
    """What a Jekyll page needs to show a view in its own way, in lines of YAML, each entry on a line of its own."""
    yield f"title: {_yaml(view.title)}"
    yield f"description: {_yaml(view.description)}"
    yield "groups:" + ("" if view.groups else " []")
    for group in view.groups:
        yield from _data_group(group, "  ", view)
    yield ""


def _data_group(group: Group, indent: str, view: View) -> Iterator[str]:
    yield f"{indent}- label: {_yaml(group.label)}"
    yield f"{indent}  entries:" + ("" if group.entries else " []")
    for entry in group.entries:
        slots = {
            "title": entry.title,
            "link": entry.link,
            "labels": entry.labels,
            "why": _why(entry, view),
            "places": [{"title": p.title, "address": p.address, "line": p.line} for p in entry.places],
        }
        yield f"{indent}    - {_yaml(slots)}"
    yield f"{indent}  parts:" + ("" if group.parts else " []")
    for part in group.parts:
        yield from _data_group(part, indent + "    ", view)


def _list(found: Iterable[View], target: str) -> str:
    """The views in Markdown, each linked to where ``target`` puts its name."""
    return "".join(f"- [{plain(view.title)}]({target.format(view.name)}): {plain(view.description)}\n" for view in found)


def _page(name: str, title: str, description: str, version: str, body: Iterable[str]) -> Iterator[str]:
    """The lines of a page of a Jekyll site of the ELIXIR Toolkit Theme, which takes the title from the front matter."""
    front = {
        "title": title,
        "description": description,
        "page_id": f"onemg-{name}",
        "permalink": f"/onemg/{name}",
        "sidebar": "framework",
    }
    lines = [f"{key}: {_yaml(value)}" for key, value in front.items()]
    note = f"<!-- Written by onemg-kg {version}: change the graph, not this page. -->"
    return chain(["---", *lines, "---", note, ""], body)
