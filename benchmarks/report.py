"""What a benchmark tells beside its figures: when, on which machine, with which versions, what was left out and why."""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def machine() -> str:
    """The machine in a line: processor, cores, memory, system."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    models = [line.partition(":")[2].strip() for line in cpus if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    model = models[0] if models else platform.machine()
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {system}"


def commit() -> str:
    """The commit of the checkout, ``+`` if tracked files outside of the results differ from it; empty without git."""
    if shutil.which("git") is None:
        return ""
    git = ["git", "-C", str(ROOT)]
    told = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False)
    changes = [*git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results", ":!docs"]
    changed = subprocess.run(changes, capture_output=True, text=True, check=False)
    return told.stdout.strip() + ("+" if changed.stdout.strip() else "")


class Report:
    """What a benchmark tells; written as JSON again whenever something was added, so that a run that breaks off leaves a part.

    Args:
        path: the file; ``None`` writes none.
        packages: distributions of which the version counts.

    Attributes:
        told: what is written. ``figures`` is the benchmark's own.
    """

    def __init__(self, path: Path | None, packages: Iterable[str] = ()) -> None:
        self.path = path
        self.figures: dict[str, Any] = {}
        self.told: dict[str, Any] = {
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "commit": commit(),
            "machine": machine(),
            "load before": round(os.getloadavg()[0], 2),
            "arguments": " ".join(_plain(word) for word in sys.argv[1:]),
            "versions": {"Python": platform.python_version(), **{name: version(name) for name in packages}},
            "left out": [],
            "figures": self.figures,
        }

    def version(self, name: str, number: str) -> None:
        """Another thing of which the version counts."""
        self.told["versions"][name] = number

    def left_out(self, why: str) -> None:
        """Something is not measured: said aloud, and written."""
        sys.stderr.write(f"left out: {why}\n")
        self.told["left out"].append(why)
        self.write()

    def needs(self, *tools: str) -> bool:
        """Whether all programs are there, by name or path; else all is left out."""
        missing = [tool for tool in tools if shutil.which(tool) is None]
        if missing:
            self.left_out(f"all of it: {', '.join(Path(tool).name for tool in missing)} is not installed")
        return not missing

    def write(self) -> None:
        """Writes the file, if there is one."""
        if self.path is not None:
            self.path.write_text(json.dumps(self.told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(word: str) -> str:
    """An argument without the folders of this machine."""
    return Path(word).name if word.startswith("/") else word


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown: text to the left, figures to the right."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    names = list(head)
    right = [all(_figure(row[at]) for row in cells) and any(row[at] for row in cells) for at in range(len(names))]
    lines = [names, ["---:" if one else "---" for one in right], *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return (
        ""
        if value is None
        else number(value)
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def _figure(cell: str) -> bool:
    return not cell or cell[0].isdigit() or cell[0] in "+-<>"


def number(value: float) -> str:
    """A figure with as many digits as are worth reading: three."""
    size = abs(value)
    return (
        f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"
    )
