"""Liquid in a page's text, evaluated as far as it can be without the theme, with every line left where it was.

Outputs (``{{ '/cancer' | relative_url }}``) are evaluated by python-liquid and ``{% link %}`` becomes the address of its page;
other tags are taken out, but for the ``type`` of an include of navigation tiles, which stands for links to every page of
that type.
"""

import shlex
from dataclasses import dataclass, field

from liquid import Environment
from liquid.exceptions import LiquidError

from onemg_kg.sync.theme import Notice, Page, Site

_TILES = "section-navigation-tiles"


@dataclass
class Rendered:
    """The text of a page without Liquid.

    Attributes:
        text: as many lines as the page had.
        included: whether the page includes something that the theme writes.
        tiles: the page types for which the page shows navigation tiles.
        notices: what could not be evaluated.
    """

    text: str
    included: bool = False
    tiles: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def _tile_type(expression: str) -> str | None:
    """The ``type`` argument of an include of navigation tiles; ``None`` for any other include."""
    if not expression.startswith(_TILES):
        return None
    try:
        words = shlex.split(expression)
    except ValueError:
        return None
    values = dict(word.split("=", 1) for word in words if "=" in word)
    return values.get("type")


def _environment() -> Environment:
    environment = Environment()
    environment.add_filter("relative_url", lambda path: "/" + str(path).lstrip("/"))
    return environment


def render(page: Page, site: Site) -> Rendered:
    """Take the Liquid out of a page.

    Args:
        page: the page.
        site: its site, whose address stands for ``absolute_url``.

    Returns:
        The text with outputs evaluated and tags gone. Where the Liquid is broken, the text as it is, and a notice.
    """
    if "{{" not in page.body and "{%" not in page.body:
        return Rendered(page.body)
    environment = _environment()
    environment.add_filter("absolute_url", lambda path: site.address + "/" + str(path).lstrip("/"))
    try:
        tokens = list(environment.tokenizer()(page.body))
    except LiquidError as error:
        line = page.offset + page.body.count("\n", 0, error.token.start_index if error.token else 0) + 1
        return Rendered(page.body, notices=[Notice(page.source, line, f"Liquid cannot be read: {error.message}.")])
    result = Rendered("")
    out: list[str] = []
    written = 0
    tag = ""
    names = {"site": {"baseurl": "", "url": site.address}, "page": dict(page.matter)}
    for token in tokens:
        # White space that a tag takes away before a text still counts.
        start = page.body.find(token.value, token.start_index) if token.kind == "content" else token.start_index
        lines = page.body.count("\n", 0, start)
        out.append("\n" * (lines - written))
        written = max(written, lines)
        piece = ""
        if token.kind == "content":
            piece = token.value
        elif token.kind == "output":
            try:
                piece = environment.from_string(token.value).render(**names)
            except LiquidError as error:
                message = f"Liquid cannot be evaluated: {error.message}."
                result.notices.append(Notice(page.source, page.offset + lines + 1, message))
        elif token.kind == "tag":
            tag = token.value
            result.included |= tag == "include"
        elif token.kind == "expression" and tag == "link":
            file = token.value.strip().lstrip("/")
            piece = next((other.path for other in site.pages if other.source == file), "/" + file)
        elif token.kind == "expression" and tag == "include" and (tile := _tile_type(token.value)):
            result.tiles.append(tile)
        written += piece.count("\n")
        out.append(piece)
    result.text = "".join(out)
    return result
