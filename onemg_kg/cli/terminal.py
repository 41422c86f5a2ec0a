"""What is written to a terminal: colours, progress, tables, JSON."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onemg_kg.store import Table


def paint(text: str, code: str) -> str:
    """Colour on a terminal that wants it (https://no-color.org)."""
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[{code}m{text}\033[0m" if wanted else text


def progress(text: str) -> None:
    """Say what is being done, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + (f"{text} ..." if text else ""))
        sys.stderr.flush()


def print_json(value: object) -> None:
    """Print a value for programs."""
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False))


def plain(value: object) -> str:
    """A term as a person reads it: an IRI or a literal's text; nothing for what is unbound."""
    return "" if value is None else str(getattr(value, "value", value))


def records(table: "Table") -> list[dict[str, str]]:
    """The rows as mappings from variable to text, without what is unbound."""
    return [{name: plain(value) for name, value in record.items() if value is not None} for record in table.records()]


def print_table(table: "Table") -> None:
    """Columns as wide as they must be, cut to the terminal where there is one."""
    from onemg_kg.terms import shorten

    rows = [[" ".join(shorten(plain(value)).split()) for value in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.variables, *rows, strict=True)]
    room = columns(0) if sys.stdout.isatty() else 0
    if room:
        while sum(widths) + 2 * len(widths) > room and max(widths) > 12:
            widths[widths.index(max(widths))] -= 1

    def line(cells: Iterable[str]) -> str:
        cut = (cell if len(cell) <= width else cell[: width - 1] + "…" for cell, width in zip(cells, widths, strict=True))
        return "  ".join(f"{cell:<{width}}" for cell, width in zip(cut, widths, strict=True)).rstrip()

    print(paint(line(table.variables), "1"))
    for row in rows:
        print(line(row))
    print(paint(f"({len(rows)} row{'s' * (len(rows) != 1)})", "2"))


def columns(otherwise: int) -> int:
    """How wide the terminal is: `shutil` finds the same, and its import takes a quarter of the time of Python's start."""
    named = os.environ.get("COLUMNS", "")
    with suppress(OSError):
        return (int(named) if named.isdecimal() else 0) or os.get_terminal_size().columns or otherwise
    return otherwise
