"""Findings as documents: each form can be read by what it is made for, and says the same."""

import json
import re
from dataclasses import asdict

import pytest
import rdflib
from rdflib.namespace import RDF, SH

from onemg_kg import reports
from onemg_kg.errors import OnemgError
from onemg_kg.findings import Finding
from onemg_kg.terms import BASE, PREFIXES

FINDINGS = [
    Finding(
        severity="violation",
        rule=BASE + "shapes/X",
        message="100% wrong: a, b\nand <c>.",
        focus_node=BASE + "id/resource/beacon",
        path=f"<{PREFIXES['dcterms']}title>",
        value='"a\\nb"@en',
        fix="Mend *it*.",
        source="data/a b.ttl",
        line=7,
        page="pages/a.md",
        page_line=3,
        url="rules/shapes/x.md#X",
        component=PREFIXES["sh"] + "MinCountConstraintComponent",
    ),
    Finding(
        severity="warning", rule=BASE + "check/y", message="Y.", page="pages/b.md", value="<urn:v>", url="rules/checks/y.md"
    ),
    Finding(severity="info", rule=BASE + "lint/z", message="Z.", path="<urn:a>/<urn:b>", value="_:b0", url="rules/lint.md#z"),
    Finding(severity="info", rule=BASE + "lint/z", message="Z again.", source="data/z.ttl", url="rules/lint.md#z"),
]


def test_text() -> None:
    """For people: grouped by file, with line, what, where on the site, how to mend, and a count; colour only where painted."""
    told = reports.text(FINDINGS)
    assert told.splitlines()[:6] == [
        "data/a b.ttl",
        "      7  violation  100% wrong: a, b",
        "and <c>.",
        '         resource:beacon dcterms:title = "a\\nb"@en',
        "         on the site: pages/a.md:3",
        "         Fix: Mend *it*.",
    ]
    assert told.endswith("\n1 violation, 1 warning, 2 infos.\n")
    assert "\033" not in told
    painted = reports.text(FINDINGS, lambda words, code: f"\033[{code}m{words}\033[0m")
    assert re.sub(r"\033\[\d*m", "", painted) == told
    assert "\033[31mviolation" in painted
    assert reports.text([]) == "nothing found.\n"


def test_json() -> None:
    """Every attribute of every finding."""
    told = json.loads(reports.as_json(FINDINGS))
    assert told["findings"] == [asdict(finding) for finding in FINDINGS]
    assert told["counts"] == {"violation": 1, "warning": 1, "info": 2}


def test_sarif() -> None:
    """SARIF 2.1.0: each result points to its rule and, where there is a file, to a line of it."""
    log = json.loads(reports.sarif(FINDINGS))
    assert (log["version"], log["$schema"].rpartition("/")[2]) == ("2.1.0", "sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["shapes/X", "check/y", "lint/z"]
    assert all(rule["helpUri"].startswith("https://") for rule in rules)
    results = run["results"]
    assert [result["level"] for result in results] == ["error", "warning", "note", "note"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    places = [result["locations"][0]["physicalLocation"] for result in results if "locations" in result]
    told = [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places]
    assert told == [("data/a%20b.ttl", 7), ("pages/b.md", 1), ("data/z.ttl", 1)]
    prints = {result["partialFingerprints"]["finding/v1"] for result in results}
    assert len(prints) == len(results)
    assert json.loads(reports.sarif([]))["runs"][0]["results"] == []


def test_github() -> None:
    """One command a line, with what would end one escaped."""
    lines = reports.github(FINDINGS).splitlines()
    assert lines[0] == ("::error file=data/a b.ttl,line=7,title=shapes/X::100%25 wrong: a, b%0Aand <c>. Mend *it*.")
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::notice", "::notice"]


def test_markdown() -> None:
    """A task list in which no sign of Markdown has a meaning."""
    told = reports.markdown(FINDINGS)
    assert told.startswith("**1 violation, 1 warning, 2 infos.**\n\n## Violation\n")
    assert r"- [ ] `data/a b.ttl:7`: 100% wrong: a, b and \<c\>. Mend \*it\*. (`shapes/X`)" in told
    assert told.count("- [ ] ") == len(FINDINGS)


def test_turtle() -> None:
    """A validation report as SHACL, section 3.6, has it: what each result must have it has once."""
    read = rdflib.Graph().parse(data=reports.turtle(FINDINGS), format="turtle")
    (report,) = read.subjects(RDF.type, SH.ValidationReport)
    assert read.value(report, SH.conforms) == rdflib.Literal(False)
    results = list(read.objects(report, SH.result))
    assert len(results) == len(FINDINGS)
    for result in results:
        for predicate in (SH.focusNode, SH.resultSeverity, SH.sourceConstraintComponent, SH.sourceShape):
            assert len(list(read.objects(result, predicate))) == 1
    (violation,) = read.subjects(SH.resultSeverity, SH.Violation)
    assert read.value(violation, SH.value) == rdflib.Literal("a\nb", lang="en")
    assert str(read.value(violation, SH.resultPath)) == PREFIXES["dcterms"] + "title"
    empty = rdflib.Graph().parse(data=reports.turtle([]), format="turtle")
    assert next(empty.objects(None, SH.conforms)) == rdflib.Literal(True)


def test_unknown_form() -> None:
    """A form that does not exist is refused."""
    with pytest.raises(OnemgError, match="no report format 'pdf'"):
        reports.write([], "pdf")
