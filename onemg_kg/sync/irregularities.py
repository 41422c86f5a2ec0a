"""What is wrong with the text of a page, whatever it says: facts for the site's checks, none of them a judgement yet.

Each kind has a query of its own in ``queries/checks/site/`` that says how grave it is and how to mend it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from onemg_kg.sync.entries import Reading, Vocabulary
from onemg_kg.sync.markup import Block, Document
from onemg_kg.sync.theme import Page

_PAIRED = set(
    "a abbr address article aside audio b blockquote body button canvas center cite code del details dialog div dl em "
    "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup i iframe ins kbd label main map mark menu nav "
    "object ol picture pre q s script section select small span strong style sub summary sup svg table template textarea "
    "title u ul video".split()
)
"""The elements of HTML whose end tag may not be left out (HTML, section 13.1.2.4); others may be left open."""
_CODE = re.compile(r"(?ms)^([ \t>]*)(`{3,}|~{3,}).*?^[ \t>]*\2|(`+)(?!`)[^\n]*?(?<!`)\3(?!`)")
_NO_TAG = re.compile(r"\\<|<(?=(?:https?:|mailto:|[\w.+-]+@))")
_SCRIPTED = re.compile(r"<a\b(?![^<>]*\bhref\s*=)[^<>]*?\bonclick\s*=[^<>]*>(.{0,200}?)</a>", re.DOTALL | re.IGNORECASE)
_LEFTOVER = re.compile(r"\]\(|\[\(https?:|\]\]|\[\[(?!toc)")
_PLACEHOLDER = re.compile(
    r"lorem ipsum|\[replace with|^short text describing|will be displayed here|^sample text\b|^(new|news) item \w+$|^todo\b",
    re.IGNORECASE,
)
_UNWRITTEN = re.compile(r"we are (still )?working on the content for this section|^\.\.\.$", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FRAME = re.compile(
    r"</?(?:a|br|center|div|hr|li|main|ol|p|section|span|table|tbody|td|tr|ul)\b[^<>]*>|\{:[^{}]*\}|^\s*-{3,}\s*$", re.MULTILINE
)
"""What holds no content by itself: elements that arrange others, attribute lists, rules."""
_NOT_REQUIRED = re.compile(r"\bnone of (?:these|those|the) [\w -]{1,40}? (?:is|are) (?:required|mandatory)\b", re.IGNORECASE)
_ABBREVIATION = r"[A-Z]{2,8}"
_BEFORE = re.compile(rf"((?:[\w’'-]+ ){{1,12}})\(({_ABBREVIATION})s?\)")
_AFTER = re.compile(rf"\b({_ABBREVIATION})s? \(([\w’' -]{{4,80}})\)")
_SMALL_WORDS = {"a", "and", "by", "for", "from", "in", "into", "of", "on", "the", "to", "with"}
_PROGRESS = re.compile(
    r"\b(in progress|(under|in) (development|construction)|being developed|forthcoming|not yet published|will be available)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Irregularity:
    """One thing that is wrong, or may be.

    Attributes:
        kind: its name, that of the check that reports it.
        line: the line of the file.
        detail: what stands there.
    """

    kind: str
    line: int
    detail: str


class _Open(HTMLParser):
    """Follows which elements of a text are opened and closed."""

    def __init__(self, first_line: int) -> None:
        super().__init__(convert_charrefs=True)
        self.first_line = first_line
        self.stack: list[tuple[str, int]] = []
        self.found: list[Irregularity] = []

    def _line(self) -> int:
        return self.first_line + self.getpos()[0] - 1

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag not in _PAIRED:
            return
        if tag == "a" and any(name == "a" for name, _ in self.stack):
            line = next(line for name, line in reversed(self.stack) if name == "a")
            self.found.append(Irregularity("html-not-closed", line, "<a>"))
            self.stack = [item for item in self.stack if item[0] != "a"]
            return
        self.stack.append((tag, self._line()))

    def handle_startendtag(self, *_: object) -> None:
        """An element that closes itself is closed."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in _PAIRED:
            return
        if tag not in [name for name, _ in self.stack]:
            self.found.append(Irregularity("html-end-without-start", self._line(), f"</{tag}>"))
            return
        while (top := self.stack.pop())[0] != tag:
            self.found.append(Irregularity("html-not-closed", top[1], f"<{top[0]}>"))

    def finish(self) -> list[Irregularity]:
        """What was found, with what is still open at the end."""
        self.close()
        return [*self.found, *(Irregularity("html-not-closed", line, f"<{name}>") for name, line in self.stack)]


def _html(text: str, offset: int) -> list[Irregularity]:
    """Elements that are not closed, and links that only a script follows.

    Code spans, fenced code, autolinks and escaped brackets are no HTML.
    """
    kept = _CODE.sub(lambda found: "\n" * found[0].count("\n"), text)
    parser = _Open(offset + 1)
    parser.feed(_NO_TAG.sub("&lt;", kept))
    scripted = [(found[1], kept.count("\n", 0, found.start())) for found in _SCRIPTED.finditer(kept)]
    return [*parser.finish(), *(Irregularity("link-by-script", offset + 1 + line, words.strip()) for words, line in scripted)]


def _nothing_between(page: Page, start: int, end: int | None) -> bool:
    """Whether the file holds no content between two lines: no Liquid, code or form either, which are no blocks."""
    lines = page.body.split("\n")[start - page.offset : None if end is None else end - page.offset - 1]
    return not _FRAME.sub("", _COMMENT.sub("", "\n".join(lines))).strip()


def _linked_beside(document: Document, block: Block) -> bool:
    """Whether the other headings of a block's level that stand beside it, two at least, are links, and say nothing more."""
    blocks = document.blocks
    at = blocks.index(block)
    run: list[Block] = []
    for part in (reversed(blocks[:at]), iter(blocks[at + 1 :])):
        for other in part:
            if other.kind != "heading" or other.level != block.level:
                break
            run.append(other)
    return len(run) > 1 and all(any(line.links() for line in other.lines) for other in run)


def _sections(page: Page, document: Document, reading: Reading) -> Iterable[Irregularity]:
    """Headings with nothing below them: no word, link or picture, and no deeper heading."""
    blocks = document.blocks
    for at, block in enumerate(blocks):
        if block.kind != "heading" or any(line.links() for line in block.lines) or not block.text():
            continue
        following = next((other for other in blocks[at + 1 :]), None)
        ends = following is None or (following.kind == "heading" and following.level <= block.level)
        banner = following is not None and following.line in reading.banner_lines
        unwritten = following is not None and bool(_UNWRITTEN.search(following.text()))
        if unwritten or ((ends or banner) and _nothing_between(page, block.line, following.line if following else None)):
            kind = "heading-not-linked" if _linked_beside(document, block) else "empty-section"
            yield Irregularity(kind, block.line, block.text())


def _announced(page: Page, document: Document, reading: Reading) -> Iterable[Irregularity]:
    """Paragraphs that end with a colon, with nothing after them to announce."""
    blocks = document.blocks
    for at, block in enumerate(blocks):
        if block.kind != "paragraph" or block.line in reading.banner_lines or not block.text().endswith(":"):
            continue
        last, following = block.lines[-1].number, next(iter(blocks[at + 1 :]), None)
        section = next((other.level for other in reversed(blocks[:at]) if other.kind == "heading"), 1)
        # The sections that come next may be what is announced.
        leaves = following is not None and following.kind == "heading" and following.level < section
        if (following is None or leaves or following.line in reading.banner_lines) and _nothing_between(
            page, last, following.line if following else None
        ):
            yield Irregularity("nothing-announced", last, _end_of(block.text()))


def expansions(text: str) -> Iterable[tuple[str, str]]:
    """Abbreviations that a text spells out, before brackets or in them, each with its words (Schwartz and Hearst 2003).

    Only words whose initials are the letters of the abbreviation, one for one, spell it out; small words may stand between.
    """
    for found in _BEFORE.finditer(text):
        words = _spelled(found[2][::-1], found[1].split()[::-1], whole=False)
        if words:
            yield found[2], " ".join(words[::-1])
    for found in _AFTER.finditer(text):
        if words := _spelled(found[1], found[2].split(), whole=True):
            yield found[1], " ".join(words)


def _spelled(letters: str, words: list[str], *, whole: bool) -> list[str]:
    """The words whose initials are ``letters`` in their order, small words left in; all of ``words``, or the first ones."""
    left, used = letters.lower(), 0
    backwards = not whole
    for word in words:
        if not left:
            break
        initials = "".join(part[:1] for part in re.split(r"[-’']", word.lower()) if part)
        initials = initials[::-1] if backwards else initials
        if left.startswith(initials) and initials:
            left = left[len(initials) :]
        elif left[0] == word[0].lower():
            left = left[1:]
        elif word.lower() not in _SMALL_WORDS or not used:
            return []
        used += 1
    return words[:used] if not left and (not whole or used == len(words)) else []


def _label_elsewhere(document: Document, vocabulary: Vocabulary) -> Iterable[Irregularity]:
    """A labelled line that continues the list item or paragraph before it: the site shows its label in that entry."""
    for block in document.blocks:
        for line in block.lines[1:] if block.kind == "item" else ():
            labels = [badge for badge in line.badges() if badge.text.lower() in vocabulary.levels]
            if labels and line.text():
                yield Irregularity("label-in-another-entry", line.number, line.text())


def _tags(document: Document, vocabulary: Vocabulary, label_classes: Mapping[str, str]) -> Iterable[Irregularity]:
    """Badges that are no labels but wear a label's CSS class."""
    for block in document.blocks:
        for line in block.lines:
            worn = [(badge.text, badge.classes) for badge in line.badges()]
            worn += [(link.text, link.classes) for link in line.links() if "badge" in link.classes]
            for text, classes in worn:
                alike = sorted(label_classes[name] for name in classes & label_classes.keys())
                if alike and text.lower() not in vocabulary.levels:
                    yield Irregularity("tag-like-a-label", line.number, f"{text} (as {alike[0]})")


def label_classes(documents: Iterable[Document], vocabulary: Vocabulary) -> dict[str, str]:
    """The CSS class by which each label is told from the others, as the site's pages use it."""
    found: dict[str, str] = {}
    for document in documents:
        for block in document.blocks:
            for line in block.lines:
                for badge in line.badges():
                    if badge.text.lower() in vocabulary.levels:
                        found.update(dict.fromkeys(badge.classes - {"badge"}, badge.text))
    return found


def _end_of(words: str) -> str:
    """The end of a text, as much as tells where it is."""
    return words if len(words) <= 80 else "…" + words[-80:].split(" ", 1)[-1]


def _around(words: str, found: re.Match[str]) -> str:
    """What stands around a place in a text."""
    start, end = max(0, found.start() - 60), found.end() + 60
    return ("…" if start else "") + words[start:end] + ("…" if end < len(words) else "")


def is_placeholder(text: str) -> bool:
    """Whether a text is filler that was to be replaced."""
    return bool(_PLACEHOLDER.search(text))


def progress(text: str) -> str:
    """The words by which a text says that something is not there yet, or the empty string."""
    found = _PROGRESS.search(text)
    return found[0].lower() if found else ""


def find(
    page: Page,
    text: str,
    document: Document,
    reading: Reading,
    vocabulary: Vocabulary,
    classes: Mapping[str, str],
) -> list[Irregularity]:
    """Everything irregular in the text of a page.

    Args:
        page: the page.
        text: its text without Liquid.
        document: the text, read.
        reading: what it says.
        vocabulary: what the graph already says.
        classes: what :func:`label_classes` found on the whole site.

    Returns:
        The irregularities, by line.
    """
    found = [*_html(text, page.offset), *_sections(page, document, reading), *_label_elsewhere(document, vocabulary)]
    source = page.body.split("\n")
    found += [*_tags(document, vocabulary, classes), *_announced(page, document, reading)]
    for block in document.blocks:
        for line in block.lines:
            number, words = line.number, line.text(links=False)
            if (left := _LEFTOVER.search(words)) and left[0] in _CODE.sub("", source[number - page.offset - 1]):
                found.append(Irregularity("broken-link-markup", number, _around(words, left)))
            if denied := _NOT_REQUIRED.search(line.text()):
                found.append(Irregularity("says-not-required", number, denied[0]))
            spelled = expansions(line.text())
            found += [Irregularity("abbreviation", number, f"{short} = {long}") for short, long in spelled]
            if is_placeholder(words):
                found.append(Irregularity("placeholder-text", number, words[:120]))
        for line in block.lines:
            for link in line.links():
                if is_placeholder(link.text) and link.target not in {"", "#"}:
                    found.append(Irregularity("placeholder-text", link.line, link.text[:120]))
    return sorted(set(found), key=lambda item: (item.line, item.kind, item.detail))


def shingles(document: Document, reading: Reading, size: int = 5) -> frozenset[tuple[str, ...]]:
    """Runs of words of a page, for telling near-copies apart (Broder 1997); the note that it is worked on does not count."""
    kept = [block for block in document.blocks if block.line not in reading.banner_lines]
    words = [word for block in kept for word in re.findall(r"\w+", block.text().lower())]
    return frozenset(tuple(words[at : at + size]) for at in range(len(words) - size + 1))
