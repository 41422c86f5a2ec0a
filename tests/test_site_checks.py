"""What each check of the site finds in its example: one finding, about the thing that ``fail.ttl`` names in its first line.

That every check has its examples, and finds nothing in the one that passes, is held for all checks in ``test_checks.py``.
"""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import checks
from onemg_kg.findings import Places
from onemg_kg.project import find
from onemg_kg.store import Store

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "tests" / "examples" / "checks" / "site"
CHECKS = {check.name: check for check in checks.folder(find(ROOT), "site")}


@pytest.mark.parametrize("name", CHECKS)
def test_the_finding_is_about_the_right_thing(name: str) -> None:
    """With severity, rule and place, and with something in every pair of quotation marks of its message."""
    check, example = CHECKS[name], EXAMPLES / name / "fail.ttl"
    first, _, _ = example.read_text(encoding="utf-8").partition("\n")
    assert first.startswith("# focus: ")
    quads = list(ox.parse(path=example))
    [found] = checks.run([check], Store(quads), Places(quads))
    assert found.focus_node == first.removeprefix("# focus: ")
    assert (found.severity, found.rule) == (check.header["severity"], checks.RULES + name)
    assert not re.search(r"“\s*”", found.message)
    assert found.page or name == "unlabelled-resources"
