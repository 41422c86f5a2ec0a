"""Text in Markdown, so that it reads letter by letter wherever Markdown is read."""

import re
from functools import lru_cache

_ESCAPES = str.maketrans({character: f"&#{ord(character)};" for character in "\\`*_{}[]<>#|~$&!@^"})
"""What Markdown (CommonMark, GitHub's tables, kramdown), HTML or Liquid would take for more than text."""

_UNSAFE_IN_TARGET = re.compile(r"[\s<>()\[\]{}|\\^`\"']")
"""What would end or change the target of a Markdown link."""


# The same titles, labels and addresses come again and again.
@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """``text`` as Markdown that shows it letter by letter, on one line."""
    return " ".join(text.split()).translate(_ESCAPES).replace("://", "&#58;//").replace("www.", "www&#46;")


@lru_cache(maxsize=4096)
def linked(text: str, target: str | None) -> str:
    """``text`` linked to a web address; unlinked if the target is anything else."""
    if target is None or not target.startswith(("http://", "https://")):
        return plain(text)
    safe = _UNSAFE_IN_TARGET.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), target)
    return f"[{plain(text)}]({safe.replace('&', '&amp;')})"
