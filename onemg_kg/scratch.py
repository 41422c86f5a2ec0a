"""Rows that are looked up while something is made: SQLite in a file without a name, written only where memory does not do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from onemg_kg.errors import OnemgError

_HELD = 64 * 1024
"""So much memory SQLite may take for the pages of a database, in KiB."""


def database(schema: str) -> sqlite3.Connection:
    """An empty database, which is gone when nobody holds it any more.

    Args:
        schema: the statements that make its tables.
    """
    # The name of a database on disk that has none (SQLite, "Temporary Databases").
    made = sqlite3.connect("", isolation_level=None)
    made.executescript(f"PRAGMA cache_size = -{_HELD}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {schema}")
    return made


@contextmanager
def room() -> Iterator[None]:
    """Where rows are added.

    Raises:
        OnemgError: there is no room for them.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        advice = "Make room there, or name another folder in TMPDIR."
        raise OnemgError(f"cannot be written: {error}.", source="the folder of temporary files", fix=advice) from None
