"""Charts as SVG: growth on two logarithmic axes, and bars on one. The same figures give the same bytes.

Words and lines take the colours of the reader's scheme, light or dark, and stand on a ground of their own. Series differ by
mark and dash too, not by colour alone; each figure is told once more in the title of its mark.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

from report import number

WIDTH = 760
COLOURS = (
    ("#0b62a4", "#b3441e", "#3a7d2c", "#7b3fa0", "#8a6d00", "#a3265f", "#00706b", "#4d5663"),
    (
        "#6db3f2",
        "#ff9d73",
        "#8fd47e",
        "#cfa3f0",
        "#e6c84a",
        "#ff8fbf",
        "#5fd6cd",
        "#c3cad4",
    ),
)
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "1 2", "12 4", "6 2 2 2 2 2")
STYLE = """
text{font:13px system-ui,sans-serif;fill:#1c2430}.title{font-size:16px;font-weight:600}.muted{fill:#515c6b}
.ground{fill:#fff}.grid{stroke:#d5dbe3}.axis{stroke:#515c6b}.series{fill:none;stroke-width:2}.limit{stroke:#b00020;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#e8ecf2}.muted{fill:#a9b4c2}.ground{fill:#11161d}.grid{stroke:#2d3744}.axis{stroke:#a9b4c2}
.limit{stroke:#ff8a94}"""

Points = Sequence[tuple[float, float]]


def _style() -> str:
    light, dark = COLOURS
    rules = [[f".c{i}{{stroke:{colour}}}.f{i}{{fill:{colour}}}" for i, colour in enumerate(scheme)] for scheme in (light, dark)]
    before, after = STYLE.split("@media")
    return f"<style>{before}{''.join(rules[0])}@media{after}{''.join(rules[1])}}}</style>"


def _svg(title: str, description: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'role="img" aria-labelledby="t d">\n<title id="t">{escape(title)}</title>\n<desc id="d">{escape(description)}</desc>\n'
        f'{_style()}\n<rect class="ground" width="{WIDTH}" height="{height:g}" rx="6"/>\n'
        f"{_text(16, 28, title, 'title')}\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start", turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(words)}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _mark(series: int, x: float, y: float, title: str) -> str:
    shapes = (
        f'<circle class="f{series}" cx="{x:.1f}" cy="{y:.1f}" r="4.5">',
        f'<rect class="f{series}" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8">',
        f'<path class="f{series}" d="M{x:.1f} {y - 5:.1f}l5.5 9.5h-11z">',
        f'<path class="f{series}" d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6-6z">',
    )
    shape = shapes[series % len(shapes)]
    return f"{shape}<title>{escape(title)}</title></{shape[1:].partition(' ')[0]}>"


def decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten between which positive values lie; at least one apart."""
    low = math.floor(math.log10(min(values)) + 1e-9)
    return low, max(math.ceil(math.log10(max(values)) - 1e-9), low + 1)


def place(value: float, span: tuple[int, int], start: float, end: float) -> float:
    """Where a value stands on a logarithmic axis from ``start`` to ``end``."""
    return start + (math.log10(value) - span[0]) / (span[1] - span[0]) * (end - start)


def power(exponent: int) -> str:
    """A power of ten as an axis names it."""
    return f"{10**exponent:,}" if exponent >= 0 else f"{10.0**exponent:.{-exponent}f}"


def growth(title: str, description: str, x_label: str, y_label: str, series: Mapping[str, Points]) -> str:
    """Lines on two logarithmic axes.

    Args:
        title: what is shown.
        description: what a reader who does not see it should know.
        x_label: what grows, with its unit.
        y_label: what it costs, with its unit.
        series: the positive points of each line.

    Raises:
        ValueError: there are more lines than can be told apart.
    """
    if len(series) > len(DASHES):
        raise ValueError(f"{title}: at most {len(DASHES)} lines can be told apart, and there are {len(series)}")
    points = [point for line in series.values() for point in line]
    across, up = (decades([point[at] for point in points]) for at in (0, 1))
    left, right, top, bottom = 84.0, WIDTH - 48.0, 56.0 + 22 * math.ceil(len(series) / 2), 0.0
    bottom = top + 300
    parts = []
    for exponent in range(up[0], up[1] + 1):
        y = place(10.0**exponent, up, bottom, top)
        parts += [_line("grid", left, y, right, y), _text(left - 8, y + 4, power(exponent), "muted", "end")]
    for exponent in range(across[0], across[1] + 1):
        x = place(10.0**exponent, across, left, right)
        parts += [_line("grid", x, top, x, bottom), _text(x, bottom + 20, power(exponent), "muted", "middle")]
    parts += [_line("axis", left, bottom, right, bottom), _line("axis", left, top, left, bottom)]
    parts += [_text((left + right) / 2, bottom + 42, x_label, "", "middle")]
    parts += [_text(20, (top + bottom) / 2, y_label, "", "middle", turned=True)]
    for at, (name, line) in enumerate(series.items()):
        x, y = 20 + (at % 2) * 370, 52 + 22 * (at // 2)
        parts += [f'<path class="series c{at}" stroke-dasharray="{DASHES[at]}" d="M{x} {y}h34"/>']
        parts += [_mark(at, x + 17, y, name), _text(x + 42, y + 4, name)]
        placed = [(place(a, across, left, right), place(b, up, bottom, top), a, b) for a, b in sorted(line)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in placed)
        parts += [f'<path class="series c{at}" stroke-dasharray="{DASHES[at]}" d="M{path}"/>']
        parts += [_mark(at, x, y, f"{name}: {number(b)} at {number(a)}") for x, y, a, b in placed]
    return _svg(title, description, bottom + 58, parts)


def bars(title: str, description: str, label: str, values: Mapping[str, float], limit: float | None = None) -> str:
    """Bars on a logarithmic axis, each with its figure.

    Args:
        title: what is shown.
        description: what a reader who does not see it should know.
        label: what the axis is, with its unit.
        values: the positive figure of each bar.
        limit: a line across, such as a target.
    """
    span = decades([*values.values(), *([] if limit is None else [limit])])
    span = (span[0] - 1, span[1]) if min(values.values()) <= 10.0 ** span[0] * 1.05 else span
    left, right, top = 250.0, WIDTH - 70.0, 48.0
    bottom = top + 27 * len(values) + 6
    parts = []
    for exponent in range(span[0], span[1] + 1):
        x = place(10.0**exponent, span, left, right)
        parts += [_line("grid", x, top, x, bottom), _text(x, bottom + 18, power(exponent), "muted", "middle")]
    for at, (name, value) in enumerate(values.items()):
        y, end = top + 7 + 27 * at, place(value, span, left, right)
        parts += [_text(left - 10, y + 14, name, "", "end"), _text(end + 7, y + 14, number(value))]
        parts += [f'<rect class="f0" x="{left:.1f}" y="{y:.1f}" width="{end - left:.1f}" height="19"/>']
    if limit is not None:
        x = place(limit, span, left, right)
        parts += [_line("limit", x, top, x, bottom)]
    parts += [_line("axis", left, top, left, bottom), _text((left + right) / 2, bottom + 40, label, "", "middle")]
    return _svg(title, description, bottom + 56, parts)
