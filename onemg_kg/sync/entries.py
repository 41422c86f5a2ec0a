"""Which lines of a page list a resource, with which label, and which only mention one.

An entry is a heading with a link, a line that begins with a link, a frame, a picture with a link, a row of a table with a link,
a line that wears a label, or a line that is nothing but the name of a known resource. A link within a sentence is a mention.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from onemg_kg.sync import identity
from onemg_kg.sync.markup import Badge, Block, Document, Flag, Line, Link, Part
from onemg_kg.sync.theme import Notice, Page

_BANNER = re.compile(r"we are (still )?working on the content for this (page|section)", re.IGNORECASE)
_CONNECTOR = re.compile(r"^[\s,;/&+|·•]*(and|or)?[\s,;/&+|·•]*$", re.IGNORECASE)
_OPENING = " \u00a0\t*_•–-\"“”'‘’"
_DOCUMENTS = {
    f".{suffix}"
    for suffix in "pdf doc docx odt rtf xls xlsx ods csv tsv ppt pptx odp zip gz tar json xml yaml yml ttl owl rdf txt".split()
}
_NAME_COLUMNS = {"name", "title", "initiative", "resource", "tool", "document", "standard"}
_PLAYER = re.compile(r"^(youtube|vimeo) video player$", re.IGNORECASE)
_SENTENCE_WORDS = 12
"""A line of more words than this is a sentence and not the name of something."""
_STUB_WORDS = 25
"""A page with fewer words of its own than this, and no entry, is a stub."""


@dataclass(frozen=True)
class Vocabulary:
    """What the graph already says that reading a page needs.

    Attributes:
        levels: the label of each requirement level, in lower case, with its notation.
        use_cases: each label of a use case, in lower case, with its IRI.
        countries: the two-letter code of each country, in upper case, with its IRI.
        tags: the labels, in lower case, of the national categories, which look like requirement levels and are none.
    """

    levels: Mapping[str, str]
    use_cases: Mapping[str, str]
    countries: Mapping[str, str]
    tags: frozenset[str]


@dataclass
class Heading:
    """A heading of the page, in its order."""

    text: str
    level: int
    line: int
    anchor: str


@dataclass
class Entry:
    """A place on a page where a resource is listed, or may be mentioned.

    Attributes:
        listing: whether it is an entry of the page; else a mention.
        names: what it may be called, best first.
        link: the link, if it has one.
        line: the line on which the link, or else the name, stands.
        path: the headings above it, from the top.
        heading: the nearest heading, its own where it is one.
        known_only: whether it counts only if it names or leads to a resource that is known.
        note: what is written beside it.
        badge: its label.
        countries: the codes of the flags beside it.
        limit: the use case to which its label is limited in words, and the line that says so.
        block: the position of its block in the page.
    """

    listing: bool
    names: tuple[str, ...]
    link: Link | None
    line: int
    path: tuple[str, ...]
    heading: Heading | None
    known_only: bool = False
    note: str = ""
    badge: Badge | None = None
    countries: tuple[str, ...] = ()
    limit: tuple[str, int] | None = None
    block: int = -1


@dataclass
class Reading:
    """What a page says.

    Attributes:
        entries: listings and possible mentions, in the order of the page.
        headings: every heading.
        links: every link, picture and frame, but for those that the theme adds.
        generated: whether the theme writes some of the page's text.
        prose: the sentences outside headings, each with its line.
        draft: whether the page says that it is being worked on.
        banner_lines: the lines of the note that says so, and of what follows it.
        words: how many words of its own it has.
        notices: what could not be understood.
    """

    entries: list[Entry] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    generated: bool = False
    prose: list[tuple[int, str]] = field(default_factory=list)
    draft: bool = False
    banner_lines: set[int] = field(default_factory=set)
    words: int = 0
    notices: list[Notice] = field(default_factory=list)

    def is_stub(self, *, listing: bool) -> bool:
        """Whether the page has next to nothing to say yet: few words, no entry, and nothing it could be complete with.

        Args:
            listing: whether it lists a resource, which only the graph knows of an entry without a link.
        """
        complete = self.generated or any("btn" not in link.classes for link in self.links)
        return self.words < _STUB_WORDS and not listing and (self.draft or not complete)


def _names(text: str) -> tuple[str, ...]:
    """What a text may name: the whole, and what stands before a colon, a dash or brackets."""
    text = text.strip(_OPENING + ":,;.")
    shorter = [re.split(r"\s*:\s|\s[-–—]\s", text)[0], re.sub(r"\s*\([^)]*\)\s*$", "", text)]
    return tuple(dict.fromkeys(name.strip(_OPENING + ":,;.") for name in (text, *shorter) if name.strip()))


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"(https?://|www\.)\S+", text.strip()))


class _Reader:
    """Reads one page."""

    def __init__(self, page: Page, document: Document, address: str, vocabulary: Vocabulary) -> None:
        self.page, self.document, self.vocabulary = page, document, vocabulary
        self.address = address
        self.host = urlsplit(address).hostname or ""
        self.reading = Reading()
        self.entered = page.type in {"guidance", "citizen"}
        self.stack: list[Heading] = []
        self.block = -1
        self.boilerplate = False

    # What a link is

    def _is_resource(self, link: Link) -> bool:
        """Whether a link leads to something other than a page of this site, a mail address or a script."""
        if link.element == "img" or "btn" in link.classes or not link.target or link.target.startswith("#"):
            return False
        address = identity.resolve(link.target, self.address)
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"}:
            return False
        return parts.hostname != self.host or PurePosixPath(parts.path).suffix.lower() in _DOCUMENTS

    def _level(self, badge: Badge) -> str | None:
        return self.vocabulary.levels.get(badge.text.lower())

    # Making entries

    def _entry(self, names: tuple[str, ...], link: Link | None, line: int, *, listing: bool, known_only: bool) -> Entry:
        path = tuple(heading.text for heading in self.stack)
        heading = self.stack[-1] if self.stack else None
        entry = Entry(listing and self.entered, names, link, line, path, heading, known_only, block=self.block)
        self.reading.entries.append(entry)
        return entry

    def _listing(self, names: tuple[str, ...], link: Link | None, line: int, *, known_only: bool = False) -> Entry:
        return self._entry(names, link, line, listing=True, known_only=known_only or not self.entered)

    def _mention(self, link: Link) -> None:
        self._entry((link.text,), link, link.line, listing=False, known_only=True)

    def _name_of(self, link: Link) -> tuple[str, ...]:
        """What a link's entry may be called: its text; the heading above a picture or a frame without a name of its own."""
        above = self.stack[-1].text if self.stack else ""
        names = _names(link.text)
        if link.element == "iframe":
            names = (above,) if _PLAYER.match(link.text) else (link.text, above)
        elif link.pictured:
            names = (above, link.text)
        return tuple(name for name in names if name) or (link.target,)

    def _label(self, badge: Badge, entry: Entry) -> None:
        if entry.badge is None:
            entry.badge = badge
        else:
            message = f"A second label {badge.text!r} for {entry.names[0]!r}, which is already {entry.badge.text!r}."
            self.reading.notices.append(Notice(self.page.source, badge.line, message))

    def _label_before(self, badges: list[Badge], block: Block, before: Line | None) -> None:
        """Labels at the start of a line belong to what stands just before them: in their block, else in the one above."""
        if not self.entered:
            return
        position = self.block if before is not None else self.block - 1
        above = block if before is not None else self.document.blocks[position] if self.block else None
        listed = [e for e in self.reading.entries if e.block == position and e.listing and not e.known_only]
        open_entries = [entry for entry in listed if entry.badge is None]
        if not listed and above is not None and (entry := self._entry_named(above, position, before)):
            open_entries = [entry]
        same = len(badges) == len(open_entries)
        for number, badge in enumerate(badges):
            if open_entries:
                self._label(badge, open_entries[number if same else -1])
            else:
                self._note_alone(badge)

    def _note_alone(self, badge: Badge) -> None:
        message = f"The label {badge.text!r} stands alone: nothing beside or before it is an entry without a label."
        self.reading.notices.append(Notice(self.page.source, badge.line, message))

    def _entry_named(self, block: Block, position: int, line: Line | None) -> Entry | None:
        """A block's heading, or its last brief line, made an entry by the label below it."""
        line = line or (block.lines[-1] if block.lines else None)
        if line is None or block.kind == "cell":
            return None
        text = line.text()
        is_name = text[-1:] not in {".", ":"} and len(text.split()) <= _SENTENCE_WORDS
        linked = any(self._is_resource(link) for link in line.links())
        if not _names(text) or (block.kind != "heading" and (linked or not is_name)):
            return None
        replaced = [e for e in self.reading.entries if e.block == position and e.line == line.number and e.link is None]
        self.reading.entries = [e for e in self.reading.entries if e not in replaced]
        entry = self._listing(_names(text), None, line.number)
        entry.block = position
        if block.kind == "heading":
            entry.path = entry.path[:-1]
        return entry

    # Reading blocks

    def read(self) -> Reading:
        blocks = self.document.blocks
        rows: dict[int, list[Block]] = {}
        for block in blocks:
            if block.row is not None:
                for row in range(block.row[0], block.row[0] + block.rows):
                    rows.setdefault(row, []).append(block)
        for self.block, block in enumerate(blocks):
            self.boilerplate = (self.boilerplate and block.kind != "heading") or (
                block.kind != "heading" and bool(_BANNER.search(block.text()))
            )
            self.reading.draft |= self.boilerplate
            if self.boilerplate:
                self.reading.banner_lines.update(line.number for line in block.lines)
            self._note_links(block)
            if self.boilerplate:
                continue
            self._note_badges(block)
            if block.kind == "heading":
                self._heading(block)
                continue
            self._prose(block)
            if block.kind == "cell":
                row, _ = block.row or (0, 0)
                if block is [cell for cell in rows[row] if cell.row and cell.row[0] == row][-1]:
                    self._row(rows[row], [b for b in blocks if b.header])
                continue
            for number, line in enumerate(block.lines):
                self._line(block, line, block.lines[number - 1] if number else None)
        self._drop_groups()
        self._limits()
        return self.reading

    def _note_links(self, block: Block) -> None:
        for line in block.lines:
            self.reading.links.extend(part for part in line.parts if isinstance(part, Link))

    def _note_badges(self, block: Block) -> None:
        """Report what looks like a label and is none that the graph knows."""
        for badge in (badge for line in block.lines for badge in line.badges()):
            if self.entered and self._level(badge) is None and badge.text.lower() not in self.vocabulary.tags:
                known = ", ".join(sorted(self.vocabulary.levels))
                message = f"The label {badge.text!r} was left out: it is none of {known}, and no national category."
                self.reading.notices.append(Notice(self.page.source, badge.line, message))

    def _prose(self, block: Block) -> None:
        for line in block.lines:
            text = line.text()
            self.reading.words += len(text.split())
            if text:
                self.reading.prose.append((line.number, text))

    def _heading(self, block: Block) -> None:
        badges = [badge for line in block.lines for badge in line.badges() if self._level(badge)]
        text = block.text()
        if badges or any(line.links() for line in block.lines):
            text = re.sub(r"\s+,", ",", text).strip(" ,/&")
        heading = Heading(text, block.level, block.line, block.anchor)
        self.reading.headings.append(heading)
        while self.stack and self.stack[-1].level >= block.level:
            self.stack.pop()
        found = len(self.reading.entries)
        if any(self._is_resource(link) for line in block.lines for link in line.links()):
            for number, line in enumerate(block.lines):
                self._linked(block, line, block.lines[number - 1] if number else None, every=True)
        elif (names := _names(text)) and (badges or not any(line.links() for line in block.lines)):
            entry = self._listing(names, None, block.line, known_only=not badges)
            for badge in badges:
                self._label(badge, entry)
        self.stack.append(heading)
        for entry in self.reading.entries[found:]:
            entry.heading = heading

    def _linked(self, block: Block, line: Line, before: Line | None, *, every: bool = False, labelled: bool = False) -> None:
        """A line with entries: the first link, and each further one that is joined to it or labelled.

        Args:
            block: the block that the line belongs to.
            line: the line.
            before: the line before it in its block.
            every: whether every link of it is an entry.
            labelled: whether only links with a label are.
        """
        current: Entry | None = None
        leading: list[Badge] = []
        between = ""
        words: list[str] = []
        countries: list[str] = []
        entries: list[Entry] = []
        parts = line.parts
        for at, part in enumerate(parts):
            if isinstance(part, Flag):
                countries.append(part.code.upper())
            elif isinstance(part, Badge):
                if self._level(part) and current is not None:
                    self._label(part, current)
                elif self._level(part):
                    leading.append(part)
            elif isinstance(part, str):
                between += part
                words.append(part)
            elif self._is_resource(part):
                label = self._label_after(parts[at + 1 :], adjacent=not labelled)
                first = current is None or _CONNECTOR.match(between) is not None
                if every or label or (first and not labelled) or (leading and before is None):
                    current = self._listing(self._name_of(part), part, part.line)
                    entries.append(current)
                    if leading and before is None:
                        self._label(leading.pop(0), current)
                else:
                    self._mention(part)
                    words.append(part.text)
                between = ""
            elif part.element != "img":
                words.append(part.text)
        if leading:
            self._label_before(leading, block, before)
        note = " ".join("".join(words).split()).strip(" ,;:/&–-•*")
        for entry in entries:
            entry.countries = tuple(countries)
            if len(entries) == 1 and note and len(note.split()) <= _SENTENCE_WORDS:
                entry.note = note

    def _label_after(self, parts: list[Part], *, adjacent: bool) -> bool:
        """Whether a label follows a link before the next link does, or at once."""
        for part in parts:
            if isinstance(part, Badge) and self._level(part):
                return True
            if isinstance(part, Link) or (adjacent and (not isinstance(part, str) or part.strip())):
                return False
        return False

    def _line(self, block: Block, line: Line, before: Line | None) -> None:
        links = [link for link in line.links() if self._is_resource(link)]
        badges = [badge for badge in line.badges() if self._level(badge)]
        for link in line.links():
            if link not in links and link.target[:1] not in {"", "#"} and "btn" not in link.classes:
                # A page of the site may be a resource itself, such as the editorial guidelines.
                self._mention(link)
        if links:
            self._line_with_links(block, line, links, before)
        elif badges:
            names = _names(line.text())
            if names and self.entered:
                entry = self._listing(names, None, line.number)
                for badge in badges:
                    self._label(badge, entry)
            elif not names:
                self._label_before(badges, block, before)
        else:
            self._line_without_links(block, line)

    def _line_with_links(self, block: Block, line: Line, links: list[Link], before: Line | None) -> None:
        first = links[0]
        lead = "".join(part for part in line.parts[: line.parts.index(first)] if isinstance(part, str)).strip(_OPENING)
        rest = line.text(links=False)
        if first.element == "iframe":
            self._linked(block, line, before, every=True)
        elif self.page.type == "citizen":
            # These pages are prose for readers: a link on them is a reference, but for their tables and videos.
            for link in links:
                self._mention(link)
        elif _is_address(first.text) or not (first.text or first.pictured):
            label = lead or (before.text() if before is not None and before.text().endswith(":") else "")
            if label.endswith(":") and _names(label) and len(label.split()) <= _SENTENCE_WORDS and block.kind != "quote":
                self._listing(_names(label), first, first.line)
            else:
                for link in links:
                    self._mention(link)
        elif block.kind != "quote" and not lead and (block.kind == "item" or self._is_brief(rest, links)):
            self._linked(block, line, before)
        elif any(self._level(badge) for badge in line.badges()):
            self._linked(block, line, before, labelled=True)
        elif block.kind == "paragraph" and len(links) == 1 and self._is_mostly(first, line):
            self._listing(self._name_of(first), first, first.line)
        else:
            for link in links:
                self._mention(link)

    @staticmethod
    def _is_brief(rest: str, links: list[Link]) -> bool:
        """Whether what stands beside links is a remark and not a sentence."""
        words = re.sub(r"\([^)]*\)", " ", rest).split()
        return len(words) <= sum(len(link.text.split()) for link in links) or not words

    @staticmethod
    def _is_mostly(link: Link, line: Line) -> bool:
        """Whether a link makes up more than half of a short line that is no citation."""
        text = line.text()
        return not text.startswith("(") and 2 * len(link.text.split()) > len(text.split()) <= _SENTENCE_WORDS

    def _line_without_links(self, block: Block, line: Line) -> None:
        text = line.text()
        words = text.split()
        address = next((word for word in words if _is_address(word)), "")
        label = text.partition(address)[0].strip() if address else ""
        if label.endswith(":") and _names(label) and len(label.split()) <= _SENTENCE_WORDS:
            self._listing(_names(label), Link(label.rstrip(": "), address, line.number, "a"), line.number)
            return
        if block.kind == "quote" or not text or text.endswith(":") or line.links():
            return
        if len(words) <= _SENTENCE_WORDS:
            if block.kind == "item":
                self._parts(text, line.number)
            elif len(block.lines) == 1:
                self._listing(_names(text), None, line.number, known_only=True)
        elif block.kind == "item" and ": " in text:
            self._listing((text.split(": ")[0],), None, line.number, known_only=True)

    def _parts(self, text: str, line: int) -> None:
        """An item that may name several known resources: as a whole, else each part between commas, signs and brackets."""
        parts = [part.strip(_OPENING + ".:") for part in re.split(r"[,;/&()]|\sand\s", text)]
        for names in dict.fromkeys((_names(text), *((part,) for part in parts if part))):
            self._listing(names, None, line, known_only=True)

    def _row(self, cells: list[Block], headers: list[Block]) -> None:
        """A row of a table: its entry is the last cell with links, its name the cell of the column of names."""
        if cells[0].header or not self.entered:
            return
        cells = sorted(cells, key=lambda cell: cell.row[1] if cell.row else 0)
        linked = [cell for cell in cells if any(link.element == "a" for line in cell.lines for link in line.links())]
        badges = [badge for cell in cells for line in cell.lines for badge in line.badges() if self._level(badge)]
        links = [link for line in linked[-1].lines for link in line.links()] if linked else []
        resources = [link for link in links if self._is_resource(link)]
        hollow = [link for link in links if link.target in {"", "#"}]
        if not resources and not hollow and not badges:
            return
        titles = {h.row[1]: h.text().lower() for h in headers if h.row and h.row[0] < (cells[-1].row or (0, 0))[0]}
        plain = [cell for cell in cells if cell not in linked and cell.text()]
        named = [cell for cell in plain if cell.row and titles.get(cell.row[1]) in _NAME_COLUMNS]
        described = plain[-1].text() if plain else linked[-1].text() if linked else ""
        if named:
            name = named[0].text()
            names = tuple(dict.fromkeys((f"{name}: {described}" if described != name else name, name)))
        else:
            names = (": ".join(cell.text() for cell in plain[:-1]) or described,)
        listed: list[Entry] = []
        for link in resources or hollow[:1]:
            given = names if link in hollow or _is_address(link.text) else (*_names(link.text), *names)
            listed.append(self._listing(given, link, link.line))
        if not listed and plain and (unlinked := _names((named or plain)[0].text())):
            listed.append(self._listing(unlinked, None, (named or plain)[0].line))
        for number, badge in enumerate(badges):
            if listed:
                self._label(badge, listed[min(number, len(listed) - 1)])
            else:
                self._note_alone(badge)

    # After the page is read

    def _drop_groups(self) -> None:
        """A heading that names a known resource is a group, not an entry, where its section holds entries of its own."""
        blocks = self.document.blocks

        def is_group(entry: Entry) -> bool:
            level = blocks[entry.block].level
            for other in self.reading.entries:
                if other.listing and not other.known_only and other.block > entry.block:
                    between = blocks[entry.block + 1 : other.block + 1]
                    if not any(block.kind == "heading" and block.level <= level for block in between):
                        return True
            return False

        self.reading.entries = [
            entry
            for entry in self.reading.entries
            if not (entry.known_only and blocks[entry.block].kind == "heading" and is_group(entry))
        ]

    def _limits(self) -> None:
        """A sentence below a labelled entry may limit the label to a use case."""
        blocks = self.document.blocks
        for entry in self.reading.entries:
            if entry.badge is None:
                continue
            for block in blocks[entry.block + 1 :]:
                if block.kind == "heading":
                    break
                for line in block.lines:
                    for sentence in re.split(r"[.;]\s", line.text()):
                        if entry.limit is None and (use_case := self._limited_to(sentence.lower(), entry.badge.text)):
                            entry.limit = (use_case, line.number)

    def _limited_to(self, sentence: str, label: str) -> str | None:
        if not re.search(rf"\bonly\b.*\b{re.escape(label.lower())}\b.*\buse case", sentence):
            return None
        return next((iri for name, iri in self.vocabulary.use_cases.items() if f"{name} use case" in sentence), None)


def read(page: Page, document: Document, address: str, vocabulary: Vocabulary) -> Reading:
    """Find the entries of a page.

    Args:
        page: the page.
        document: its text, read.
        address: its absolute address.
        vocabulary: what the graph already says.
    """
    return _Reader(page, document, address, vocabulary).read()
