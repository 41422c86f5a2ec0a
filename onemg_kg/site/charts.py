"""The chart of an answer, where the header of its question says so: ``#+ chart: bar ?VALUE by ?LABEL``, with one label or more.

``frontend/src/chart.js`` draws the same in the browser, from the same header.
"""

import re
from dataclasses import dataclass

import pyoxigraph as ox

from onemg_kg.errors import QueryError
from onemg_kg.questions import Answer
from onemg_kg.terms import text

_HEADER = re.compile(r"bar \?(\w+) by((?: \?\w+)+)")
_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
"""A number that is not below zero, as XML Schema and SVG both write it."""
_FORM = "Write `#+ chart: bar ?VALUE by ?LABEL`, with columns of the query."


@dataclass(frozen=True)
class Chart:
    """A bar chart.

    Attributes:
        value: the column that says how long a bar is.
        labels: the columns that say what it stands for.
        most: the greatest value, as the answer writes it; 1 where there is none above zero.
        bars: for each row of the answer its labels, which may be nodes, and its value.
    """

    value: str
    labels: list[str]
    most: str
    bars: list[tuple[list[ox.NamedNode | ox.BlankNode | ox.Literal], str]]


def chart_of(answer: Answer) -> Chart | None:
    """The chart of an answer; ``None`` where its question asks for none.

    Raises:
        QueryError: the header names what is no column, or a column that is no number.
    """
    asked = answer.query.header.get("chart")
    if asked is None:
        return None
    source = str(answer.query.path)
    found = _HEADER.fullmatch(asked)
    if found is None or answer.table is None:
        raise QueryError(f"has the chart {asked!r}, which cannot be drawn.", source=source, fix=_FORM)
    value, labels = found[1], found[2].replace("?", "").split()
    for name in (value, *labels):
        if name not in answer.table.variables:
            raise QueryError(f"has a chart of ?{name}, which is no column of its answer.", source=source, fix=_FORM)
    bars = []
    for record in answer.table.records():
        number = record[value]
        if not isinstance(number, ox.Literal) or _NUMBER.fullmatch(number.value) is None:
            raise QueryError(
                f"has a chart of ?{value}, which is {text(number)!r} in a row and no number from 0 up.",
                source=source,
                fix=_FORM,
            )
        bars.append(([node for name in labels if (node := record[name]) is not None], number.value))
    most = max((number for _, number in bars), key=float, default="1")
    return Chart(value, labels, most if float(most) > 0 else "1", bars)
