"""kramdown, the Markdown of Jekyll, read by markdown-it-py: CommonMark with three changes of rule."""

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
"""The elements that have no end tag (HTML, section 13.1.2)."""

_BLOCK_ELEMENTS = set(
    "address article aside blockquote body caption col colgroup dd details dialog div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe legend li main map menu nav ol optgroup p pre script"
    " section style summary svg table tbody td tfoot th thead tr ul".split()
)
_OPENING = re.compile(r"<([A-Za-z][A-Za-z0-9]*)(?=[\s/>]|$)")
_MARKDOWN_INSIDE = re.compile(r"""^<[^>]*\smarkdown\s*=\s*["']?(1|block)\b[^>]*>\s*$""")
"""A tag after which kramdown reads Markdown again (kramdown, HTML Blocks)."""


class _ClosingLine(HTMLParser):
    """Finds the line on which the element that the text starts with ends."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag, self.depth, self.line = tag, 0, 0

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.depth += tag == self.tag and not self.line

    def handle_startendtag(self, *_: object) -> None:
        """An element that closes itself is not one to be closed."""

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == self.tag
        if tag == self.tag and self.depth == 0 and not self.line:
            self.line = self.getpos()[0]


def _html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block of raw HTML runs to its closing tag, over blank lines (kramdown, HTML Blocks), not to the next blank line."""
    at = state.bMarks[start] + state.tShift[start]
    text = state.src[at : state.eMarks[start]]
    if state.is_code_block(start):
        return False
    rest = state.getLines(start, end, state.blkIndent, False)
    if text.startswith("<!--"):
        comment, closed, after = rest.partition("-->")
        if closed and after.partition("\n")[0].strip() and "\n\n" not in comment:
            return False  # What follows on the line is a paragraph, which may hold comments.
        length = comment.count("\n") + 1 if closed else 0
    else:
        opening = _OPENING.match(text)
        if opening is None or opening[1].lower() not in _BLOCK_ELEMENTS:
            return False
        tag = opening[1].lower()
        if tag in VOID or _MARKDOWN_INSIDE.search(text):
            length = 1
        else:
            finder = _ClosingLine(tag)
            if f"</{tag}" in rest.lower():
                finder.feed(rest)
                finder.close()
            length = finder.line
    if silent:
        return True
    if not length:
        length = 1
        while start + length < end and not state.isEmpty(start + length):
            length += 1
    token = state.push("html_block", "", 0)
    token.map = [start, start + length]
    token.content = state.getLines(start, start + length, state.blkIndent, True)
    state.line = start + length
    return True


_ATTRIBUTES = re.compile(r"\{:(?P<list>[^}]*)\}|\{(?P<id>#[A-Za-z][\w:.-]*)\}")


def _attribute_list(state: StateInline, silent: bool) -> bool:
    """``{: .class #id key="value"}`` after a link belongs to the link (kramdown, Span Inline Attribute Lists)."""
    found = _ATTRIBUTES.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        token = state.push("attribute_list", "", 0)
        token.content, token.info = found["list"] or found["id"], found.lastgroup or ""
    state.pos = found.end()
    return True


def _spaced_link(state: StateInline, silent: bool) -> bool:
    """A link whose target holds spaces is a link in kramdown, though not in CommonMark."""
    if state.src[state.pos] != "[":
        return False
    close = state.md.helpers.parseLinkLabel(state, state.pos)
    if close < 0 or not state.src.startswith("(", close + 1):
        return False
    depth, at = 0, close + 1
    for at in range(close + 1, len(state.src)):
        char = state.src[at]
        depth += (char == "(") - (char == ")")
        if char == "\n" or depth == 0:
            break
    if depth:
        return False
    target = re.sub(r"""\s+(".*"|'.*')$""", "", state.src[close + 2 : at].strip())
    label, maximum = state.pos + 1, state.posMax
    if not silent:
        state.pos, state.posMax = label, close
        state.push("link_open", "a", 1).attrs = {"href": target.strip("<>")}
        state.linkLevel += 1
        state.md.inline.tokenize(state)
        state.linkLevel -= 1
        state.push("link_close", "a", -1)
    state.pos, state.posMax = at + 1, maximum
    return True


def parser() -> MarkdownIt:
    """A parser of kramdown. It accepts any text; links keep their targets as written."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.block.ruler.at("html_block", _html_block, {"alt": ["paragraph", "reference", "blockquote"]})
    reader.inline.ruler.after("link", "spaced_link", _spaced_link)
    reader.inline.ruler.before("html_inline", "attribute_list", _attribute_list)
    # Links are kept as they are written: what is wrong with them is for the checks to say.
    reader.normalizeLink = lambda url: url  # type: ignore[method-assign]
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005 - the method's parameter
    return reader
