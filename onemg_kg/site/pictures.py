"""Pictures of the graph as geometry: where boxes, lines and words stand. The template ``_picture.svg`` draws them.

Facts come from the queries of ``queries/pictures/`` and from the views. Nobody knows at build time which font a reader has, so
the width of words is estimated from a wide one (DejaVu Sans Bold), and words are wrapped, never cut: a box grows instead.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from onemg_kg import queries
from onemg_kg.project import Project
from onemg_kg.queries import Query
from onemg_kg.site.coverage import Record, matrix
from onemg_kg.site.things import Membership
from onemg_kg.store import Store
from onemg_kg.terms import text

_SIZES = {"name": 14.5, "small": 13.0, "head": 16.0}
"""The size of words of each kind, in pixels."""
_LEADING = 1.3
_THIN = frozenset("ijlI.,:;'|!() ")
_NARROW = frozenset('tfr[]-/"')
_WIDE = frozenset("mwMW@%—…")
_ELSEWHERE = frozenset({"by-level", "node-checklist", "by-kind"})
"""The views that do not say what a resource applies to."""
_SHOWN, _PAGES = 3, 5
"""How many groups of a view, and how many pages, stand beside a resource; the rest is a number."""
_APPLIES, _LISTED = "#applies", "#listed"
"""Where a page of a resource has the whole."""


@dataclass(frozen=True)
class Text:
    """One line of words; ``y`` is its base line."""

    x: float
    y: float
    words: str
    kind: str

    @property
    def size(self) -> float:
        """The size of the font, in pixels."""
        return _SIZES[self.kind]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The rectangle that the words fill at most: left, top, right, bottom."""
        return (self.x, self.y - self.size * 0.95, self.x + _width(self.words.rstrip(), self.size), self.y + self.size * 0.28)


@dataclass(frozen=True)
class Box:
    """A rectangle with words.

    Attributes:
        target: the IRI that it leads to, or a place on the page (``#applies``); empty for none.
        kind: the class by which the style sheet knows it.
    """

    x: float
    y: float
    width: float
    height: float
    kind: str
    target: str
    texts: tuple[Text, ...]

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Line:
    """A line: a path (SVG 2, section 9.3) and the class by which the style sheet knows it."""

    path: str
    kind: str


@dataclass
class Picture:
    """A picture with its title, its description, and what is on it in the order of reading."""

    title: str
    description: str
    kind: str
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    @property
    def width(self) -> float:
        """How wide all of it is."""
        return max([box.right for box in self.boxes] + [line.extent[2] for line in self.texts]) + 1

    @property
    def height(self) -> float:
        """How high all of it is."""
        return max([box.bottom for box in self.boxes] + [line.extent[3] for line in self.texts]) + 1

    @property
    def targets(self) -> set[str]:
        """What the picture leads to."""
        return {box.target for box in self.boxes if box.target}


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF" or character in _WIDE:
        return 1.06
    if character in _THIN:
        return 0.4
    if character in _NARROW:
        return 0.52
    return 0.8 if character.isupper() else 0.69


def _width(words: str, size: float) -> float:
    return sum(map(_em, words)) * size


def _wrap(words: str, width: float, size: float) -> list[str]:
    """Words in lines that fit, with the space that follows each; a word that is too long by itself goes on in the next line."""
    lines = [""]
    for word in words.split():
        if lines[-1] and _width(lines[-1] + word, size) <= width:
            lines[-1] += f"{word} "
            continue
        lines.append("")
        for character in word:
            if lines[-1] and _width(lines[-1] + character, size) > width:
                lines.append("")
            lines[-1] += character
        lines[-1] += " "
    return lines[1:]


def _stack(parts: Iterable[tuple[str, str]], x: float, y: float, width: float) -> tuple[tuple[Text, ...], float]:
    """Words of several kinds below each other, and where they end."""
    texts = []
    for words, kind in parts:
        size = _SIZES[kind]
        for line in _wrap(words, width, size):
            texts.append(Text(x, y + size, line, kind))
            y += size * _LEADING
    return tuple(texts), y


def _box(
    parts: Iterable[tuple[str, str]], x: float, y: float, width: float, kind: str, target: str = "", pad: float = 8
) -> Box:
    texts, end = _stack(parts, x + pad, y + pad, width - 2 * pad)
    return Box(x, y, width, end - y + pad, kind, target, texts)


def _curve(x: float, y: float, x2: float, y2: float, kind: str) -> Line:
    half = (x + x2) / 2
    return Line(f"M{x:g} {y:g}C{half:g} {y:g} {half:g} {y2:g} {x2:g} {y2:g}", kind)


def _number(count: int, one: str) -> str:
    return f"{count} {one}" + ("" if count == 1 else "s")


def lifecycle(rows: Sequence[Record], upright: bool) -> Picture:
    """The stages of the data lifecycle in their phases, as a path.

    Args:
        rows: the answer to ``queries/pictures/lifecycle.rq``.
        upright: whether the path leads down, as on a narrow screen, and not to the right.
    """
    # Lying, seven stages fill the width of a page.
    gap, pad, apart, wide = (18.0, 14.0, 34.0, 286.0) if upright else (15.0, 7.0, 22.0, 147.0)
    phases = [(key, list(held)) for key, held in groupby(rows, lambda row: (row["phase"], row["phaseLabel"]))]
    steps = {row["stage"]: number for number, row in enumerate(rows, 1)}

    def stage(row: Record, x: float, y: float) -> Box:
        step, count = steps[row["stage"]], _number(int(row["resources"]), "resource")
        name = [(f"{step}. {row['stageLabel']}", "name")] if upright else [(str(step), "small"), (row["stageLabel"], "name")]
        return _box([*name, (count, "small")], x, y, wide, "stage", row["stage"], pad=5)

    def frame(number: int) -> float:
        return 2 * pad + wide * (1 if upright else number) + (0 if upright else (number - 1) * gap)

    tall = max(stage(row, 0, 0).height for row in rows)
    head = max(_stack([(label, "head")], 0, pad, frame(len(held)) - 2 * pad)[1] for (_, label), held in phases) + 8
    shown = Picture("The data lifecycle", "", "upright" if upright else "lying")
    x = y = 1.0
    for (phase, label), held in phases:
        high = head + pad + (len(held) * (tall + gap) - gap if upright else tall)
        texts, _ = _stack([(label, "head")], x + pad, y + pad, frame(len(held)) - 2 * pad)
        shown.boxes.append(Box(x, y, frame(len(held)), high, "phase", phase, texts))
        stages = [
            stage(row, x + pad + (0 if upright else place * (wide + gap)), y + head + (place * (tall + gap) if upright else 0))
            for place, row in enumerate(held)
        ]
        stages = [replace(box, height=tall) for box in stages]
        shown.boxes += stages
        shown.lines += [_arrow(one, other, upright) for one, other in pairwise(stages)]
        if upright:
            y += high + apart
        else:
            x += frame(len(held)) + apart
    frames = [box for box in shown.boxes if box.kind == "phase"]
    shown.lines += [_arrow(one, other, upright) for one, other in pairwise(frames)]
    listed = "; ".join(f"{label}: {', '.join(row['stageLabel'] for row in held)}" for (_, label), held in phases)
    return replace(shown, description=f"{_number(len(rows), 'stage')} in {_number(len(phases), 'phase')}. {listed}.")


def _arrow(one: Box, other: Box, down: bool) -> Line:
    if down:
        x, y = one.x + one.width / 2, other.y - 3
        return Line(f"M{x:g} {one.bottom + 3:g}V{y:g}m-5 -6l5 6l5 -6", "next")
    x, y = other.x - 3, one.middle
    return Line(f"M{one.right + 3:g} {y:g}H{x:g}m-6 -5l6 5l-6 5", "next")


def neighbours(title: str, memberships: Sequence[Membership]) -> Picture | None:
    """A resource between the pages that list it and what it applies to.

    Args:
        title: the resource's title.
        memberships: where views hold it.

    Returns:
        The picture; ``None`` where the resource has no neighbour.
    """
    pages: dict[str, tuple[str, list[str]]] = {}
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for held in memberships:
        for place in held.entry.places:
            labels = pages.setdefault(place.page, (place.title, []))[1]
            said = place.label and place.label.level + (f" for {place.label.limit.lower()}" if place.label.limit else "")
            if said and said not in labels:
                labels.append(said)
        if held.view.name not in _ELSEWHERE:
            # What is in a part of a stage's or a role's group is there for the stage or the role.
            group = held.whole or held.group
            groups[held.view.title.removeprefix("By ")][group.group] = group.label
    if not pages and not groups:
        return None
    description = (
        f"Listed on {_number(len(pages), 'page')}; in {_number(sum(map(len, groups.values())), 'group')} of the views."
    )
    shown = Picture(f"{title} and what it is linked with", description, "neighbours")
    left, right, gutter, top = 210.0, 280.0, 52.0, 30.0
    y = top
    listed = []
    for iri, (name, labels) in list(pages.items())[:_PAGES]:
        listed.append(_box([(name, "name"), *((label, "small") for label in labels)], 1, y, left, "page", iri))
        y = listed[-1].bottom + 10
    if len(pages) > _PAGES:
        listed.append(_box([(f"and {len(pages) - _PAGES} more", "small")], 1, y, left, "more", _LISTED))
    x, y = 1 + left + gutter + left + gutter, top
    cards: list[Box] = []
    inner: list[list[Box]] = []
    for view, found in groups.items():
        texts, end = _stack([(view[:1].upper() + view[1:], "small")], x + 10, y + 8, right - 20)
        links = []
        for iri, label in list(found.items())[:_SHOWN]:
            links.append(_box([(label, "name")], x + 6, end + 2, right - 12, "group", iri, pad=4))
            end = links[-1].bottom
        if len(found) > _SHOWN:
            links.append(
                _box([(f"and {len(found) - _SHOWN} more", "small")], x + 6, end + 2, right - 12, "more", _APPLIES, pad=4)
            )
            end = links[-1].bottom
        cards.append(Box(x, y, right, end + 6 - y, "card", "", texts))
        inner.append(links)
        y = cards[-1].bottom + 10
    low = max(box.bottom for box in [*listed, *cards])
    it = _box([(title, "name")], 1 + left + gutter, top, left, "it", pad=12)
    # Beside a long list it stays near the top, where a reader begins.
    it = _down(it, max(0.0, min((low - top - it.height) / 2, 120.0)))
    shown.lines = [_curve(box.right, box.middle, it.x, it.middle, "lists") for box in listed]
    shown.lines += [_curve(it.right, it.middle, card.x, card.y + 18, "applies") for card in cards]
    shown.texts = [
        Text(column, 15, words, "small")
        for column, words, any_ in ((1, "Listed on", pages), (x, "In these groups", groups))
        if any_
    ]
    shown.boxes = [*listed, it]
    for card, links in zip(cards, inner, strict=True):
        shown.boxes += [card, *links]
    return shown


def alignment(stages: Sequence[Record], matches: Sequence[Record]) -> Picture:
    """The stages of several life cycles in columns, with a line for each match of a stage with one of the next column.

    Args:
        stages: the answer to ``queries/pictures/alignment-stages.rq``.
        matches: the answer to ``queries/pictures/alignment-matches.rq``, the closest kinds first.
    """
    wide, indent, words_wide, fan = 236.0, 18.0, 110.0, 74.0
    columns = [(key, list(held)) for key, held in groupby(stages, lambda row: (row["scheme"], row["schemeLabel"]))]
    names = ", ".join(label for (_, label), _ in columns)
    shown = Picture("Stages of life cycles, side by side", f"{names}. The table below gives every match.", "alignment")
    phases = {row["phase"] for row in stages}
    head = max(_box([(label, "head")], 0, 0, wide, "scheme").height for (_, label), _ in columns)
    placed: dict[str, Box] = {}
    before: set[str] = set()
    x = 1.0
    for (scheme, label), held in columns:
        into: dict[str, list[Record]] = defaultdict(list)
        for match in matches:
            if match["from"] in before and match["to"] in {row["stage"] for row in held}:
                into[match["to"]].append(match)
        if before:
            x += words_wide + (fan if into else 0)
            if not into:
                shown.texts += _stack([("No match is recorded", "small")], x - words_wide + 10, head + 26, words_wide - 16)[0]
        shown.boxes.append(replace(_box([(label, "head")], x, 1, wide, "scheme", scheme), height=head))
        y = head + 18
        for row in held:
            inset = indent if row["phase"] else 0.0
            out = {match["kind"] for match in matches if match["from"] == row["stage"]}
            box = _box([(row["stageLabel"], "name")], x + inset, y, wide - inset, "stage", row["stage"])
            box = replace(box, kind="phase" if row["stage"] in phases else "stage", height=max(box.height, 22.0 * len(out)))
            if row["stage"] in into:  # as high as its closest match, where that is free
                box = _down(box, max(0.0, placed[into[row["stage"]][0]["from"]].middle - box.height / 2 - y))
            placed[row["stage"]] = box
            shown.boxes.append(box)
            y = box.bottom + 12
        _join(shown, [match for found in into.values() for match in found], placed, words_wide)
        before = {row["stage"] for row in held}
        x += wide
    return shown


def _down(box: Box, by: float) -> Box:
    return replace(box, y=box.y + by, texts=tuple(replace(line, y=line.y + by) for line in box.texts))


def _join(shown: Picture, matches: Sequence[Record], placed: dict[str, Box], words_wide: float) -> None:
    """Draw the matches between two columns: each kind leaves a stage under its name, and then spreads to where it leads."""
    arrivals: dict[str, list[tuple[float, Text, str]]] = defaultdict(list)
    for origin in dict.fromkeys(match["from"] for match in matches):
        box = placed[origin]
        kinds = list(dict.fromkeys(match["kindLabel"] for match in matches if match["from"] == origin))
        for place, kind in enumerate(kinds):
            y = box.middle + (place - (len(kinds) - 1) / 2) * 20
            name = Text(box.right + 24, y + 4.5, kind, "small")
            shown.texts.append(name)
            shown.lines.append(Line(f"M{box.right:g} {y:g}h18", kind))
            for match in matches:
                if (match["from"], match["kindLabel"]) == (origin, kind):
                    arrivals[match["to"]].append((y, name, kind))
    for target, found in arrivals.items():
        box = placed[target]
        for place, (y, name, kind) in enumerate(sorted(found, key=lambda one: one[0]), 1):
            curve = _curve(name.x - 24 + words_wide, y, box.x, box.y + box.height * place / (len(found) + 1), kind)
            shown.lines.append(replace(curve, path=f"M{name.extent[2] + 4:g} {y:g}L{curve.path[1:]}"))


class Pictures:
    """The pictures that show the whole graph, for the templates.

    Args:
        project: has the queries.
        store: what is stated and what follows.

    Raises:
        QueryError: a query is wrong.
    """

    def __init__(self, project: Project, store: Store) -> None:
        found = {query.name: query for query in queries.folder(project, "pictures")}
        answers = {name: _records(store, query) for name, query in found.items()}
        self.walk = [lifecycle(answers["lifecycle"], upright) for upright in (False, True)]
        self.stages = answers["alignment-stages"]
        order = [row["stage"] for row in self.stages]
        kinds = list(dict.fromkeys(match["kind"] for match in answers["alignment-matches"]))
        self.matches = sorted(
            answers["alignment-matches"],
            key=lambda match: (kinds.index(match["kind"]), order.index(match["from"]), order.index(match["to"])),
        )
        self.alignment = alignment(self.stages, self.matches)
        self.coverage = [matrix(found[name], answers[name]) for name in ("coverage-stages", "coverage-use-cases")]


def _records(store: Store, query: Query) -> list[Record]:
    table = store.select(query.text, str(query.path))
    return [{name: text(value) for name, value in record.items()} for record in table.records()]
