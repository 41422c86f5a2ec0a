"""What is wrong with the text of a page, whatever it says: facts for the site's checks, none of them a judgement yet.

Each kind has a query of its own in ``queries/checks/site/`` that says how grave it is and how to mend it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from onemg_kg.sync.entries import Reading, Vocabulary
from onemg_kg.sync.markup import Document
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
_LEFTOVER = re.compile(r"\]\(|\[\(https?:|\]\]|\[\[(?!toc)")
_PLACEHOLDER = re.compile(
    r"lorem ipsum|\[replace with|^short text describing|will be displayed here|^sample text\b|^(new|news) item \w+$|^todo\b",
    re.IGNORECASE,
)
_UNWRITTEN = re.compile(r"we are (still )?working on the content for this section|^\.\.\.$", re.IGNORECASE)
_PROGRESS = re.compile(r"\b(in progress|under development|under construction|forthcoming|not yet published)\b", re.IGNORECASE)


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
    """Elements that are not closed; code spans, fenced code, autolinks and escaped brackets are no HTML."""
    kept = _CODE.sub(lambda found: "\n" * found[0].count("\n"), text)
    parser = _Open(offset + 1)
    parser.feed(_NO_TAG.sub("&lt;", kept))
    return parser.finish()


def _sections(document: Document, reading: Reading) -> Iterable[Irregularity]:
    """Headings with nothing below them: no word, link or picture, and no deeper heading."""
    blocks = document.blocks
    for at, block in enumerate(blocks):
        if block.kind != "heading" or any(line.links() for line in block.lines) or not block.text():
            continue
        following = next((other for other in blocks[at + 1 :]), None)
        ends = following is None or (following.kind == "heading" and following.level <= block.level)
        banner = following is not None and following.line in reading.banner_lines
        unwritten = following is not None and bool(_UNWRITTEN.search(following.text()))
        if ends or banner or unwritten:
            yield Irregularity("empty-section", block.line, block.text())


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
    found = [*_html(text, page.offset), *_sections(document, reading), *_label_elsewhere(document, vocabulary)]
    found.extend(_tags(document, vocabulary, classes))
    for block in document.blocks:
        for line in block.lines:
            number, words = line.number, line.text(links=False)
            if left := _LEFTOVER.search(words):
                found.append(Irregularity("broken-link-markup", number, _around(words, left)))
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
