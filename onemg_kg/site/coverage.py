"""Coverage as a matrix: how many resources a row and a column have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from onemg_kg.queries import Query

Record = dict[str, str]
"""A row of an answer as text; empty where unbound."""


@dataclass(frozen=True)
class Cell:
    """How many resources a row and a column have in common: where the Framework itself puts the two together, and else."""

    column: str
    stated: int
    follows: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.stated + self.follows


@dataclass(frozen=True)
class Across:
    """A row of a matrix: what it is of, and of what that is a part, if of anything."""

    iri: str
    label: str
    part: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Matrix:
    """A matrix of counts.

    Attributes:
        query: what is counted, with the names of its facets in the header.
        columns: IRI and label of each.
        rows: every row, with a cell for each column.
        most: the highest count.
    """

    query: Query
    columns: list[tuple[str, str]]
    rows: list[Across]
    most: int


def matrix(query: Query, rows: Sequence[Record]) -> Matrix:
    """Fold the rows of a query of ``queries/pictures/coverage-*.rq``."""
    columns = list(dict.fromkeys((row["column"], row["columnLabel"]) for row in rows))
    found = []
    for (iri, label, whole), held in groupby(rows, lambda row: (row["row"], row["rowLabel"], row["part"])):
        cells = [Cell(row["column"], int(row["stated"]), int(row["follows"])) for row in held]
        found.append(Across(iri, label, bool(whole), cells))
    return Matrix(query, columns, found, max((cell.total for row in found for cell in row.cells), default=0))
