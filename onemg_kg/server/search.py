"""Full text search over the resources: SQLite's FTS5, ranked, by the beginnings of words, and forgiving of slips."""

import re
import sqlite3
from collections.abc import Iterable
from difflib import get_close_matches

_WORD = re.compile(r"\w+")
_MOST = 12
"""How many words of a search count."""


class Index:
    """What can be searched.

    Args:
        texts: for each resource its IRI, its titles, and what it is.
    """

    def __init__(self, texts: Iterable[tuple[str, str, str]]) -> None:
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        self._base.execute(
            "CREATE VIRTUAL TABLE text USING fts5(iri UNINDEXED, title, description, tokenize='unicode61 remove_diacritics 2')"
        )
        self._base.executemany("INSERT INTO text VALUES (?, ?, ?)", texts)
        self._base.execute("CREATE VIRTUAL TABLE word USING fts5vocab(text, row)")
        self._words = [word for (word,) in self._base.execute("SELECT term FROM word")]

    def search(self, text: str) -> list[str]:
        """The IRIs of what has every word of a text, or one that starts with it, the best first.

        A word that nothing starts with stands for those that are most like it. A word in the title counts for more.
        """
        words = _WORD.findall(text.casefold())[:_MOST]
        if not words:
            return []
        wanted = " AND ".join(f"({' OR '.join(self._alternatives(word))})" for word in words)
        rows = self._base.execute("SELECT iri FROM text WHERE text MATCH ? ORDER BY bm25(text, 0, 10, 1), iri", (wanted,))
        return [iri for (iri,) in rows]

    def _alternatives(self, word: str) -> list[str]:
        """Patterns for a word: quoted, so that none is an operator."""
        if any(known.startswith(word) for known in self._words):
            return [f'"{word}"*']
        return [f'"{like}"' for like in get_close_matches(word[:40], self._words, 3, 0.72)] or [f'"{word}"']
