"""What a finding is: its order, its threshold."""

import itertools

import pytest

from onemg_kg.findings import SEVERITIES, Finding, at_least, in_order, short

ALL = [Finding(severity=severity, rule="urn:r", message="M.") for severity in SEVERITIES]


@pytest.mark.parametrize(("threshold", "number"), [("violation", 1), ("warning", 2), ("info", 3)])
def test_at_least(threshold: str, number: int) -> None:
    """A threshold counts what is as grave or graver."""
    assert at_least(ALL, threshold) == ALL[:number]


def test_in_order() -> None:
    """Severity decides, then file, line, rule and node; what is said twice stands once."""
    more = [
        Finding(severity="info", rule=rule, message="M.", source=source, line=line)
        for source, line, rule in itertools.product(("a", "b"), (2, 10), ("urn:a", "urn:b"))
    ]
    expected = [*ALL[:2], ALL[2], *more]
    assert in_order([*reversed(expected), *expected]) == expected


def test_short() -> None:
    """IRIs in a path or term become short names; literals stay."""
    assert short("<http://purl.org/dc/terms/title>/^<urn:x>") == "dcterms:title/^urn:x"
    assert short('"a"@en') == '"a"@en'
