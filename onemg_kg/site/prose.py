"""Markdown of our own as part of a page."""

import re
from itertools import pairwise

from markdown_it import MarkdownIt
from markupsafe import Markup

_ANCHOR = re.compile(r"[^\w-]+")


def prose(markdown: str) -> tuple[str, Markup]:
    """Turn a document in Markdown (GitHub Flavored Markdown, with tables) into HTML.

    Args:
        markdown: a text of ours; HTML in it is shown as it is written.

    Returns:
        The title, which is the first heading, and the whole as HTML, in which headings have anchors and links to other such
        documents lead to their pages.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parsed = parser.parse(markdown)
    title = ""
    for token, inline in pairwise(parsed):
        if token.type == "heading_open":
            title = title or inline.content
            token.attrSet("id", _ANCHOR.sub("-", inline.content).strip("-"))
        for child in token.children or ():
            target = str(child.attrGet("href") or "")
            if child.type == "link_open" and target.endswith(".md") and "://" not in target:
                child.attrSet("href", target.removesuffix(".md") + ".html")
    # A block of code may be wider than the page, and who has no mouse has to be able to scroll it.
    body = parser.renderer.render(parsed, parser.options, {}).replace("<pre>", '<pre tabindex="0">')
    return title, Markup(body)
