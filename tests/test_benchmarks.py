"""The document of the benchmarks is what its figures make it, and its charts are right."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SVG = "{http://www.w3.org/2000/svg}"
ROUNDED = 0.25
"""Places have one digit after the point."""


@pytest.fixture(scope="module")
def modules() -> dict[str, ModuleType]:
    """The modules of benchmarks/, which is a folder of programs and no package."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import bench
        import charts
        import document
        import report
        import serve

        return {module.__name__: module for module in (bench, charts, document, report, serve)}
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def told(modules: dict[str, ModuleType]) -> dict[str, Any]:
    """The figures that are kept."""
    return dict(modules["bench"].read(ROOT / "benchmarks" / "results"))


def marks(svg: str, kind: str) -> list[tuple[float, float]]:
    """Where the marks of a series stand, without that of the legend."""
    found = ElementTree.fromstring(svg).findall(f"{SVG}circle[@class='{kind}']")
    return [(float(mark.get("cx", "nan")), float(mark.get("cy", "nan"))) for mark in found][1:]


def test_the_document_is_made_from_the_figures(modules: dict[str, ModuleType], told: dict[str, Any]) -> None:
    """Byte for byte, with nothing beside: make it again by ``python benchmarks/bench.py --render``."""
    made = modules["document"].render(told)
    there = {path.relative_to(DOCS).as_posix() for path in (DOCS / "benchmarks").glob("*")} | {"benchmarks.md"}
    assert there == made.keys()
    for name, text in made.items():
        assert (DOCS / name).read_bytes() == text.encode(), f"docs/{name} is not what its figures make it"


def test_every_part_is_told(modules: dict[str, ModuleType], told: dict[str, Any]) -> None:
    """Each part has a script and a section, and figures that are kept say when and with what they were measured."""
    parts = modules["bench"].PARTS
    assert parts.keys() == modules["document"].SECTIONS.keys()
    for name in parts:
        assert (ROOT / "benchmarks" / f"{name}.py").is_file()
    for name, one in told.items():
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", one["date"]), name
        assert one["machine"], name
        assert one["versions"]["Python"], name


def test_growth_stands_where_it_should(modules: dict[str, ModuleType]) -> None:
    """A line of exponent 1 over decades: equal steps right and up; each end on an edge of the frame."""
    svg = modules["charts"].growth("T", "D", "x", "y", {"a": [(100.0, 10.0), (1.0, 0.1), (10.0, 1.0)]})
    (left, low), (middle, half), (right, high) = marks(svg, "f0")
    assert (middle - left, half - low) == pytest.approx((right - middle, high - half), abs=ROUNDED)
    lines = ElementTree.fromstring(svg).findall(f"{SVG}line[@class='axis']")
    bottom, side = lines
    assert (float(bottom.get("x1", "")), float(bottom.get("y1", ""))) == pytest.approx((left, low), abs=ROUNDED)
    assert (float(bottom.get("x2", "")), float(side.get("y1", ""))) == pytest.approx((right, high), abs=ROUNDED)
    words = [text.text for text in ElementTree.fromstring(svg).findall(f"{SVG}text")]
    assert {"T", "x", "y", "a", "0.1", "1", "10", "100"} <= set(words)


def test_bars_are_as_long_as_their_logarithm(modules: dict[str, ModuleType]) -> None:
    svg = modules["charts"].bars("T", "D", "x", {"one": 10.0, "two": 100.0, "three": 1000.0}, limit=100)
    root = ElementTree.fromstring(svg)
    widths = [float(bar.get("width", "")) for bar in root.findall(f"{SVG}rect[@class='f0']")]
    assert widths[0] > 0
    assert widths[2] - widths[1] == pytest.approx(widths[1] - widths[0], abs=ROUNDED)
    limit = root.find(f"{SVG}line[@class='limit']")
    bar = root.findall(f"{SVG}rect[@class='f0']")[1]
    assert limit is not None
    assert float(limit.get("x1", "")) == pytest.approx(float(bar.get("x", "")) + widths[1], abs=ROUNDED)


def test_lines_of_a_chart_differ(modules: dict[str, ModuleType], told: dict[str, Any]) -> None:
    """No two have the same colour or dash; what has more lines than there are is refused."""
    charts = modules["charts"]
    made = {name: text for name, text in modules["document"].render(told).items() if name.endswith(".svg")}
    legends = {
        name: re.findall(r'class="(series c\d+)" stroke-dasharray="([^"]*)" d="M[\d. ]+h34"', svg) for name, svg in made.items()
    }
    assert max(len(lines) for lines in legends.values()) > 1
    for name, lines in legends.items():
        for kept in zip(*lines, strict=True):
            assert len(set(kept)) == len(lines), name
    for scheme in (*charts.COLOURS, charts.DASHES):
        assert len(set(scheme)) == len(charts.DASHES)
    with pytest.raises(ValueError, match="at most"):
        charts.growth("T", "D", "x", "y", {str(n): [(1.0, 1.0)] for n in range(len(charts.DASHES) + 1)})


def test_charts_are_accessible(modules: dict[str, ModuleType], told: dict[str, Any]) -> None:
    """Each has a title and a description that it is labelled by, the colours of a dark scheme, and text that is escaped."""
    made = {name: text for name, text in modules["document"].render(told).items() if name.endswith(".svg")}
    made["escaped"] = modules["charts"].bars("<T> & T", "D < d", "x", {"<a>": 1.0})
    for name, svg in made.items():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img", name
        ids = {child.get("id"): child.text for child in root if child.tag in (f"{SVG}title", f"{SVG}desc")}
        assert all(ids[label] for label in (root.get("aria-labelledby") or "").split()), name
        assert "prefers-color-scheme:dark" in svg, name
        assert "nan" not in svg, name


@pytest.mark.parametrize(
    ("value", "words"), [(1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23"), (0.0123, "0.012"), (0.0, "0")]
)
def test_figures_have_three_digits(modules: dict[str, ModuleType], value: float, words: str) -> None:
    assert modules["report"].number(value) == words


def test_targets_are_judged_by_their_figures(modules: dict[str, ModuleType]) -> None:
    """Met, missed, and not measured: none is taken for another."""
    document = modules["document"]

    def cases(wall: float) -> dict[str, Any]:
        told = {"wall": wall, "least wall": wall, "user": wall, "least user": wall, "runs": 1, "rows": None}
        return {"python -c pass": {**told, "wall": 20.0, "least user": 20.0}, "onemg-kg --help": told}

    def verdicts(told: dict[str, Any]) -> list[str]:
        return [line for line in document.targets({"start": {"figures": {"cases": told}}}).splitlines() if "--help" in line]

    assert verdicts(cases(90.0)) == ["| `onemg-kg --help`, beyond bare Python | at most 70 ms | 70.0 ms | met |"]
    assert verdicts(cases(91.0)) == ["| `onemg-kg --help`, beyond bare Python | at most 70 ms | 71.0 ms | **missed** |"]
    assert verdicts({}) == ["| `onemg-kg --help`, beyond bare Python | at most 70 ms |  | not measured |"]
    row = {"size": 100, "engine": "shacl", "failed": "", "times": 120.0, "missed": 0, "alarms": 0}
    [wrong] = document.validate_targets({"rows": [row | {"alarms": 1}]})
    [right] = document.validate_targets({"rows": [row]})
    assert (wrong.measured, right.measured, right.met) == (None, "120 times", True)


def test_what_failed_or_was_left_out_is_said(modules: dict[str, ModuleType]) -> None:
    told = {
        "date": "2026-01-01",
        "machine": "M",
        "versions": {},
        "left out": ["wrk: not here"],
        "figures": {},
        "failed": "ended",
    }
    sections = list(modules["document"].SECTIONS)
    text = modules["document"].render(dict.fromkeys(sections[1:], told))["benchmarks.md"]
    assert text.count("**Not whole: this part ended.**") == len(sections) - 1
    assert text.count("Left out: wrk: not here.") == len(sections) - 1
    assert text.count("Not measured yet.") == 1
    assert modules["document"].render({sections[0]: told})["benchmarks.md"].count("**Not whole") == 1


def test_a_report_that_breaks_off_leaves_what_it_has(modules: dict[str, ModuleType], tmp_path: Path) -> None:
    report = modules["report"].Report(tmp_path / "told.json", ["rdflib"])
    report.figures["one"] = 1
    report.left_out("Jena: no Java")
    report.figures["two"] = 2
    kept = json.loads((tmp_path / "told.json").read_text())
    assert (kept["figures"], kept["left out"]) == ({"one": 1}, ["Jena: no Java"])
    assert kept["versions"].keys() == {"Python", "rdflib"}


def test_the_figures_of_documents_are_in_the_benchmarks() -> None:
    """No other document tells a time, a rate or a ratio that was measured: those of limits and of waits are none."""
    measured = re.compile(r"(?:\d|hundred|ten|seventy) (?:times (?:as|faster)|ms a|requests/s|statements a second)")
    for path in [ROOT / "README.md", *DOCS.glob("*.md")]:
        if path.name != "benchmarks.md":
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                assert not measured.search(line), f"{path.relative_to(ROOT)}:{number}: {line}"
