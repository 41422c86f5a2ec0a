"""Every check of the site with an example that it reports and one that it does not.

The examples are ``tests/examples/checks/site/<check>/fail.ttl``, which names the focus of the finding in its first line, and
``pass.ttl``, which differs from it in just what matters.
"""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import checks
from onemg_kg.findings import Finding, Places
from onemg_kg.project import find
from onemg_kg.queries import Query
from onemg_kg.store import Store

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = Path(__file__).parent / "examples" / "checks" / "site"
CHECKS = {check.name: check for check in checks.folder(find(ROOT), "site")}


def findings(check: Query, example: str) -> list[Finding]:
    """What a check finds in one of its examples."""
    quads = list(ox.parse(path=EXAMPLES / check.name / f"{example}.ttl"))
    return checks.run([check], Store(quads), Places(quads))


def test_every_check_has_its_examples_and_every_example_its_check() -> None:
    wanted = {f"{name}/{example}.ttl" for name in CHECKS for example in ("pass", "fail")}
    assert {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*") if path.is_file()} == wanted


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_wrong_is_found(name: str) -> None:
    """One finding, about the right thing, with every variable of its message filled in."""
    first, _, _ = (EXAMPLES / name / "fail.ttl").read_text(encoding="utf-8").partition("\n")
    assert first.startswith("# focus: ")
    found = findings(CHECKS[name], "fail")
    assert [finding.focus_node for finding in found] == [first.removeprefix("# focus: ")]
    for finding in found:
        assert finding.severity == CHECKS[name].header["severity"]
        assert finding.rule == checks.RULES + name
        assert not re.search(r"[{}]|“”", finding.message.replace("its target is “”", ""))
        assert finding.page or name == "unlabelled-resources"


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_fine_is_not_reported(name: str) -> None:
    assert findings(CHECKS[name], "pass") == []
