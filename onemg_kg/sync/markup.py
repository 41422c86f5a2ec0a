"""A page's text as blocks of lines, each line the links, badges, flags and words that stand on it.

kramdown (the Markdown of Jekyll) is read by markdown-it-py with three changes of rule, and raw HTML by the standard library's
parser; both feed one stream of events, so that an entry is recognised alike however it is written.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from typing import Literal

from markdown_it.token import Token

from onemg_kg.sync import kramdown
from onemg_kg.sync.kramdown import VOID

Element = Literal["a", "img", "iframe"]


@dataclass(frozen=True)
class Link:
    """A link, a picture or a frame.

    Attributes:
        text: its words; those of the picture where the link is around one.
        target: where it leads, as written.
        line: the line on which it starts.
        element: the HTML element that it becomes.
        classes: the CSS classes that it wears.
        pictured: whether its only content is a picture.
    """

    text: str
    target: str
    line: int
    element: Element
    classes: frozenset[str] = frozenset()
    pictured: bool = False


@dataclass(frozen=True)
class Badge:
    """A span with the CSS class ``badge``."""

    text: str
    line: int
    classes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Flag:
    """The flag of a country, by the code in its CSS class (``flag-icon-ie``)."""

    code: str


Part = str | Link | Badge | Flag


@dataclass
class Line:
    """What stands on one line of a block."""

    number: int
    parts: list[Part] = field(default_factory=list)

    def text(self, *, links: bool = True, badges: bool = False) -> str:
        """The words of the line, white space folded.

        Args:
            links: whether the text of links belongs to it.
            badges: whether the text of badges belongs to it.
        """
        words = (
            part
            if isinstance(part, str)
            else part.text
            if (links and isinstance(part, Link) and part.element == "a") or (badges and isinstance(part, Badge))
            else " "
            for part in self.parts
        )
        return " ".join("".join(words).split())

    def links(self) -> list[Link]:
        """The links of the line, in order; pictures are left out."""
        return [part for part in self.parts if isinstance(part, Link) and part.element != "img"]

    def badges(self) -> list[Badge]:
        """The badges of the line, in order."""
        return [part for part in self.parts if isinstance(part, Badge)]


Kind = Literal["heading", "paragraph", "item", "quote", "cell"]


@dataclass
class Block:
    """A heading, paragraph, first paragraph of a list item, quoted paragraph, or table cell.

    Attributes:
        kind: which of these it is.
        line: the line of the file at which it starts.
        level: a heading's level, 1 to 6; 0 for anything else.
        anchor: a heading's fragment identifier; empty where it has none.
        row: a cell's row in the page and its column, both counted from 1; ``None`` for anything else.
        rows: how many rows a cell spans.
        header: whether a cell is a header cell.
        lines: what it says.
        raw: whether it was written as HTML.
    """

    kind: Kind
    line: int
    level: int = 0
    anchor: str = ""
    row: tuple[int, int] | None = None
    rows: int = 1
    header: bool = False
    lines: list[Line] = field(default_factory=list)
    raw: bool = False

    def text(self, *, links: bool = True, badges: bool = False) -> str:
        """The words of all lines."""
        return " ".join(filter(None, (line.text(links=links, badges=badges) for line in self.lines)))


@dataclass
class Document:
    """A page's text, read: its blocks in order and every fragment identifier it has."""

    blocks: list[Block]
    anchors: set[str]


@dataclass(frozen=True)
class _Event:
    """Text, a line break, or the start or end of an element."""

    kind: Literal["text", "line", "start", "end"]
    line: int
    name: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    def get(self, key: str) -> str:
        return dict(self.attributes).get(key, "")

    @property
    def classes(self) -> frozenset[str]:
        return frozenset(self.get("class").split())


_SILENT = {"script", "style", "title", "svg", "template"}


class _Html(HTMLParser):
    """HTML to events. The standard library's parser accepts whatever it is given and knows lines; comments vanish."""

    def __init__(self, first_line: int) -> None:
        super().__init__(convert_charrefs=True)
        self.first_line = first_line
        self.events: list[_Event] = []
        self._silent: list[str] = []

    def _line(self) -> int:
        return self.first_line + self.getpos()[0] - 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        values = tuple((key, value or "") for key, value in attrs)
        self.events.append(_Event("start", self._line(), tag, values))
        if tag in VOID:
            self.events.append(_Event("end", self._line(), tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and tag in self._silent:
            self._silent.remove(tag)
        if tag not in VOID:
            self.events.append(_Event("end", self._line(), tag))

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        for number, text in enumerate(data.split("\n")):
            if number:
                self.events.append(_Event("line", self._line() + number))
            self.events.append(_Event("text", self._line() + number, text))


def _html_events(html: str, first_line: int) -> list[_Event]:
    parser = _Html(first_line)
    parser.feed(html)
    parser.close()
    return parser.events


def _attribute_values(text: str) -> tuple[tuple[str, str], ...]:
    classes = re.findall(r"(?:^|\s)\.([\w-]+)", text)
    values = re.findall(r"""([\w-]+)\s*=\s*["']([^"']*)["']""", text)
    found = dict(values)
    if classes:
        found["class"] = " ".join([*found.get("class", "").split(), *classes])
    if identifier := re.search(r"(?:^|\s)#([A-Za-z][\w:.-]*)", text):
        found["id"] = identifier[1]
    return tuple(found.items())


def _inline_events(token: Token, line: int) -> Iterator[_Event]:
    """The events of one inline token; an attribute list is looked ahead for, so that a link starts with its classes."""
    children = token.children or []
    closing: dict[int, int] = {}
    stack: list[int] = []
    for at, child in enumerate(children):
        if child.type == "link_open":
            stack.append(at)
        elif child.type == "link_close" and stack:
            closing[stack.pop()] = at
    for at, child in enumerate(children):
        if child.type in {"softbreak", "hardbreak"}:
            line += 1
            yield _Event("line", line)
        elif child.type == "link_open":
            after = children[closing[at] + 1] if at in closing and closing[at] + 1 < len(children) else None
            extra = _attribute_values(after.content) if after is not None and after.type == "attribute_list" else ()
            yield _Event("start", line, "a", (("href", str(child.attrs.get("href", ""))), *extra))
        elif child.type == "link_close":
            yield _Event("end", line, "a")
        elif child.type == "image":
            yield _Event("start", line, "img", (("src", str(child.attrs.get("src", ""))), ("alt", child.content)))
            yield _Event("end", line, "img")
        elif child.type == "html_inline":
            yield from _html_events(child.content, line)
            line += child.content.count("\n")
        elif child.type == "attribute_list":
            yield _Event("text", line, " ")
        elif child.content:
            yield _Event("text", line, child.content)


_SPAN_DIGITS = 4
"""No cell spans ten thousand rows (HTML allows 65534)."""
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKS = set("p li td th tr div section table ul ol dl dd dt blockquote figure figcaption details summary nav form".split())


def _words(part: Part) -> str:
    """The words that a part puts into the identifier of its heading: a picture puts none."""
    if isinstance(part, str | Flag):
        return part if isinstance(part, str) else ""
    return "" if isinstance(part, Link) and part.element != "a" else part.text


class _Assembler:
    """Builds blocks from events."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.anchors: set[str] = set()
        self._block: Block | None = None
        self._link: tuple[_Event, list[str], list[Badge], list[Link]] | None = None
        self._badge: tuple[_Event, list[str]] | None = None
        self._spans: list[bool] = []
        self._row = self._column = 0
        self._spanned: dict[int, int] = {}

    def open(self, kind: Kind, line: int, level: int = 0, *, raw: bool = False, header: bool = False) -> None:
        """Start a block; the one before ends."""
        self.close()
        self._block = Block(kind, line, level, header=header, raw=raw)

    def close(self) -> None:
        """End the block. One that says nothing is dropped."""
        self._end_badge()
        self._end_link()
        block, self._block = self._block, None
        if block is None:
            return
        for line in block.lines:
            line.parts = [part for part in line.parts if part != ""]
        block.lines = [line for line in block.lines if any(not isinstance(p, str) or p.strip() for p in line.parts)]
        if block.lines or block.kind in {"heading", "cell"}:
            block.line = block.lines[0].number if block.lines and block.kind != "heading" else block.line
            self.blocks.append(block)

    def document(self) -> Document:
        """What was built; headings without an identifier get one (kramdown-parser-gfm, ``generate_gfm_header_id``)."""
        self.close()
        seen: dict[str, count[int]] = {}
        for block in self.blocks:
            if block.kind == "heading" and not block.anchor and not block.raw:
                # kramdown makes dashes of hyphens in a row, and those are no part of an identifier.
                text = " ".join("".join(map(_words, line.parts)) for line in block.lines).lower()
                name = re.sub(r"[^\w\- \t]|-{2,3}", "", text).replace(" ", "-").replace("\t", "-")
                number = next(seen.setdefault(name, count()))
                block.anchor = f"{name}-{number}" if number else name
        return Document(self.blocks, self.anchors | {block.anchor for block in self.blocks} - {""})

    def _put(self, part: Part, line: int) -> None:
        if self._block is None:
            if isinstance(part, str) and not part.strip():
                return
            self._block = Block("paragraph", line, raw=True)
        lines = self._block.lines
        if not lines or lines[-1].number != line:
            lines.append(Line(line))
        parts = lines[-1].parts
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)

    def _end_link(self) -> None:
        if self._link is None:
            return
        event, words, badges, pictures = self._link
        self._link = None
        text = " ".join("".join(words).split())
        classes = event.classes
        if not text and badges:
            # The whole link is a badge: a tag that leads somewhere, not a label of something.
            text, classes = badges[0].text, classes | badges[0].classes
            badges = []
        if "href" in dict(event.attributes):
            pictured = not text and bool(pictures)
            text = text or next((picture.text for picture in pictures if picture.text), "")
            self._put(Link(text, event.get("href").strip(), event.line, "a", classes, pictured), event.line)
        elif text:
            self._put(text, event.line)
        for picture in pictures:
            self._put(picture, picture.line)
        for badge in badges:
            self._put(badge, badge.line)

    def _end_badge(self) -> None:
        if self._badge is None:
            return
        event, words = self._badge
        self._badge = None
        badge = Badge(" ".join("".join(words).split()), event.line, event.classes)
        if self._link is not None:
            self._link[2].append(badge)
        else:
            self._put(badge, event.line)

    def feed(self, events: Iterable[_Event], *, raw: bool) -> None:
        """Take in the events of one inline token, or of one block of raw HTML."""
        for event in events:
            if event.kind == "text":
                if self._badge is not None:
                    self._badge[1].append(event.name)
                elif self._link is not None:
                    self._link[1].append(event.name)
                else:
                    self._put(event.name, event.line)
            elif event.kind == "line":
                if self._badge is not None:
                    self._badge[1].append(" ")
                elif self._link is not None:
                    self._link[1].append(" ")
            elif event.kind == "start":
                self._start(event, raw=raw)
            else:
                self._end(event.name, raw=raw)

    def _start(self, event: _Event, *, raw: bool) -> None:
        self.anchors.update({event.get("id"), event.get("name") if event.name == "a" else ""} - {""})
        name = event.name
        if name == "a":
            self._end_badge()
            self._end_link()
            self._link = (event, [], [], [])
        elif name in {"img", "iframe"}:
            text = " ".join((event.get("alt") or event.get("title")).split())
            element: Element = "img" if name == "img" else "iframe"
            picture = Link(text, event.get("src").strip(), event.line, element, event.classes)
            if self._link is not None:
                self._link[3].append(picture)
            else:
                self._put(picture, event.line)
        elif name == "span":
            codes = [item.removeprefix("flag-icon-") for item in event.classes if re.fullmatch("flag-icon-[a-z]{2}", item)]
            if "badge" in event.classes:
                self._end_badge()
                self._badge = (event, [])
            elif codes:
                self._put(Flag(codes[0]), event.line)
            self._spans.append("badge" in event.classes)
        elif raw and name in _HEADINGS:
            self.open("heading", event.line, _HEADINGS[name], raw=True)
            if self._block is not None:
                self._block.anchor = event.get("id")
        elif raw and name == "tr":
            self.close()
            self.next_row()
        elif raw and name in {"td", "th"}:
            span = event.get("rowspan")
            self.next_cell(event.line, header=name == "th", raw=True, rows=int(span[:_SPAN_DIGITS]) if span.isdecimal() else 1)
        elif raw and name in _BREAKS and (self._block is None or self._block.kind != "cell"):
            self.open("item" if name == "li" else "quote" if name == "blockquote" else "paragraph", event.line, raw=True)

    def _end(self, name: str, *, raw: bool) -> None:
        if name == "a":
            self._end_badge()
            self._end_link()
        elif name == "span":
            if self._spans and self._spans.pop():
                self._end_badge()
        elif raw:
            in_cell = self._block is not None and self._block.kind == "cell"
            if name in _HEADINGS or name in {"td", "th", "tr"} or (name in _BREAKS and not in_cell):
                self.close()

    def next_row(self) -> None:
        """A table row starts; columns that a cell of an earlier row spans are taken."""
        self._row += 1
        self._column = 0

    def next_cell(self, line: int, *, header: bool, raw: bool = False, rows: int = 1) -> None:
        """A table cell starts, in the next column that is free."""
        self._column += 1
        while self._spanned.get(self._column, -1) >= self._row:
            self._column += 1
        self._spanned[self._column] = self._row + max(rows, 1) - 1
        self.open("cell", line, raw=raw, header=header)
        if self._block is not None:
            self._block.row, self._block.rows = (self._row, self._column), max(rows, 1)

    def set_anchor(self, identifier: str) -> None:
        """Give the heading that is read, or was read last, the identifier its author wrote."""
        heading = next((block for block in (self._block, *self.blocks[-1:]) if block and block.kind == "heading"), None)
        if heading is not None:
            heading.anchor = identifier


def parse(text: str, offset: int = 0) -> Document:
    """Read the text of a page.

    Args:
        text: the text without front matter and Liquid.
        offset: how many lines of the file come before it, so that lines are those of the file.

    Returns:
        The blocks in order. Any text is accepted; what is no link is words.
    """
    assembler = _Assembler()
    items: list[bool] = []
    quotes = 0
    row_line = 0
    heading_end = -1
    kind: Kind
    for token in kramdown.parser().parse(text):
        line = (token.map[0] if token.map else row_line) + offset + 1
        if token.type == "heading_open":
            assembler.open("heading", line, int(token.tag[1]))
            heading_end = token.map[1] + offset if token.map else -1
        elif token.type == "paragraph_open":
            kind = "quote" if quotes else "item" if items and items[-1] else "paragraph"
            assembler.open(kind, line)
            if items:
                items[-1] = False
        elif token.type == "list_item_open":
            items.append(True)
        elif token.type == "list_item_close":
            assembler.close()
            items.pop()
        elif token.type in {"blockquote_open", "blockquote_close"}:
            quotes += token.nesting
        elif token.type == "tr_open":
            row_line = token.map[0] if token.map else row_line
            assembler.next_row()
        elif token.type in {"td_open", "th_open"}:
            assembler.next_cell(row_line + offset + 1, header=token.type == "th_open")
        elif token.type == "inline":
            for number, child in enumerate(token.children or []):
                # `{#id}` in a heading, or `{: #id}` that starts the line below it.
                if child.info == "id" or (child.info == "list" and number == 0 and line == heading_end + 1):
                    assembler.set_anchor(dict(_attribute_values(child.content)).get("id", ""))
            assembler.feed(_inline_events(token, line), raw=False)
        elif token.type == "html_block":
            assembler.close()
            assembler.feed(_html_events(token.content, line), raw=True)
            assembler.close()
        elif token.type in {"heading_close", "paragraph_close", "td_close", "th_close"}:
            assembler.close()
    return assembler.document()
