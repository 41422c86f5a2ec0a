"""Findings as documents: for people, for programs, for GitHub, and as RDF."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from urllib.parse import quote

import pyoxigraph as ox

from onemg_kg import __version__
from onemg_kg.errors import OnemgError
from onemg_kg.findings import SEVERITIES, Finding, short
from onemg_kg.formats import FORMATS
from onemg_kg.store import in_default_graph
from onemg_kg.terms import BASE, PREFIXES, shorten, term

Writer = Callable[[Sequence[Finding]], str]
Paint = Callable[[str, str], str]

_COLOURS = {"violation": "31", "warning": "33", "info": "36"}
_LEVELS = {"violation": "error", "warning": "warning", "info": "note"}
_ANNOTATIONS = {"violation": "error", "warning": "warning", "info": "notice"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&!@])")


def place(found: Finding) -> tuple[str, int]:
    """The file and line at which a finding is to be mended: those of the graph, else those of the site; empty and 0 without."""
    return (found.source, found.line) if found.source else (found.page, found.page_line)


def count(findings: Sequence[Finding]) -> str:
    """How many findings there are of each severity, in words."""
    numbers = Counter(found.severity for found in findings)
    plurals = {"violation": "violations", "warning": "warnings", "info": "infos"}
    told = [f"{numbers[s]} {s if numbers[s] == 1 else plurals[s]}" for s in SEVERITIES if numbers[s]]
    return (", ".join(told) if told else "nothing found") + "."


def text(findings: Sequence[Finding], paint: Paint = lambda words, _: words) -> str:
    """Findings for people: grouped by file in the order in which each file first appears, with a count at the end.

    Args:
        findings: the findings, gravest first.
        paint: colours words, by an ANSI code (ECMA-48, section 8.3.117).
    """
    groups: dict[str, list[Finding]] = {}
    for found in findings:
        groups.setdefault(place(found)[0], []).append(found)
    lines = []
    for file, members in groups.items():
        lines.append(paint(file or "the graph as a whole", "1"))
        for found in members:
            line = place(found)[1]
            severity = paint(f"{found.severity:<9}", _COLOURS[found.severity])
            # A value that the message quotes is not said twice.
            value = short(found.value)
            told = value and value.split('"')[1 if value.startswith('"') else 0] not in found.message
            about = " ".join(filter(None, (shorten(found.focus_node), short(found.path), "= " + value if told else "")))
            lines.append(f"  {line or '-':>5}  {severity}  {found.message}")
            indent = " " * 9
            if about:
                lines.append(indent + paint(about, "2"))
            if found.source and found.page:
                site = found.page + (f":{found.page_line}" if found.page_line else "")
                lines.append(indent + paint(f"on the site: {site}", "2"))
            if found.fix:
                lines.append(f"{indent}Fix: {found.fix}")
            lines.append(indent + paint(f"rule: {shorten(found.rule)}", "2"))
        lines.append("")
    lines.append(paint(count(findings), "1"))
    return "\n".join(lines) + "\n"


def as_json(findings: Sequence[Finding]) -> str:
    """Findings in JSON (RFC 8259): how many of each severity, and each finding with all its attributes."""
    numbers = Counter(found.severity for found in findings)
    told = {"counts": {s: numbers[s] for s in SEVERITIES}, "findings": [asdict(found) for found in findings]}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def sarif(findings: Sequence[Finding]) -> str:
    """Findings in SARIF 2.1.0, so that code hosts show them at the line."""
    rules: dict[str, Finding] = {}
    for found in findings:
        rules.setdefault(found.rule, found)
    places = list(rules)
    driver = {
        "name": "onemg-kg",
        "semanticVersion": __version__,
        "informationUri": BASE,
        "rules": [
            {
                "id": shorten(rule),
                "shortDescription": {"text": shorten(rule)},
                "helpUri": BASE + example.url,
                "defaultConfiguration": {"level": _LEVELS[example.severity]},
            }
            for rule, example in rules.items()
        ],
    }
    results = []
    for found in findings:
        result: dict[str, object] = {
            "ruleId": shorten(found.rule),
            "ruleIndex": places.index(found.rule),
            "level": _LEVELS[found.severity],
            "message": {"text": " ".join(filter(None, (found.message, found.fix)))},
            "partialFingerprints": {"finding/v1": _fingerprint(found)},
        }
        file, line = place(found)
        location: dict[str, object] = {}
        if file:
            # A finding of a whole file is shown at its first line: code hosts refuse a result without one.
            region = {"startLine": max(line, 1)}
            location["physicalLocation"] = {"artifactLocation": {"uri": quote(file)}, "region": region}
        if found.focus_node:
            location["logicalLocations"] = [{"fullyQualifiedName": found.focus_node}]
        if location:
            result["locations"] = [location]
        results.append(result)
    log = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _fingerprint(found: Finding) -> str:
    """What stays the same when lines move (SARIF 2.1.0, section 3.27.17)."""
    kept = (found.rule, found.focus_node, found.path, found.value, place(found)[0], found.message)
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def github(findings: Sequence[Finding]) -> str:
    """Findings as workflow commands of GitHub Actions, one a line."""

    def escape(words: str, more: str = "") -> str:
        return "".join(f"%{ord(c):02X}" if c in "%\r\n" + more else c for c in words)

    lines = []
    for found in findings:
        file, line = place(found)
        keys = {"file": file, "line": str(line) if line else "", "title": shorten(found.rule)}
        told = ",".join(f"{key}={escape(value, ':,')}" for key, value in keys.items() if value)
        message = escape(" ".join(filter(None, (found.message, found.fix))))
        lines.append(f"::{_ANNOTATIONS[found.severity]} {told}::{message}\n")
    return "".join(lines)


def markdown(findings: Sequence[Finding]) -> str:
    """Findings in Markdown, as for an issue: a task list, by severity."""

    def plain(words: str) -> str:
        return _MARKDOWN.sub(r"\\\1", " ".join(words.split()))

    lines = [f"**{count(findings).capitalize()}**", ""]
    for severity in SEVERITIES:
        members = [found for found in findings if found.severity == severity]
        if not members:
            continue
        lines += [f"## {severity.capitalize()}", ""]
        for found in members:
            file, line = place(found)
            where = f"`{file}{f':{line}' if line else ''}`: " if file else ""
            told = f" {plain(found.fix)}" if found.fix else ""
            lines.append(f"- [ ] {where}{plain(found.message)}{told} (`{shorten(found.rule)}`)")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def turtle(findings: Sequence[Finding]) -> str:
    """Findings as a validation report of SHACL (section 3.6) in Turtle."""
    report = ox.BlankNode("report")
    triples: list[ox.Triple] = []

    def say(subject: ox.BlankNode, predicate: str, value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> None:
        triples.append(ox.Triple(subject, term(predicate), value))

    say(report, "rdf:type", term("sh:ValidationReport"))
    say(report, "sh:conforms", ox.Literal(not findings))
    for number, found in enumerate(findings):
        result = ox.BlankNode(f"result{number}")
        say(report, "sh:result", result)
        say(result, "rdf:type", term("sh:ValidationResult"))
        focus = ox.NamedNode(found.focus_node) if found.focus_node else ox.BlankNode(f"focus{number}")
        say(result, "sh:focusNode", focus)
        say(result, "sh:resultSeverity", term(f"sh:{found.severity.capitalize()}"))
        say(result, "sh:sourceShape", ox.NamedNode(found.rule))
        say(result, "sh:sourceConstraintComponent", ox.NamedNode(found.component or found.rule))
        say(result, "sh:resultMessage", ox.Literal(found.message, language="en"))
        if re.fullmatch(r"<[^<>]+>", found.path):
            say(result, "sh:resultPath", ox.NamedNode(found.path[1:-1]))
        if found.value:
            say(result, "sh:value", _node(found.value, number))
    return FORMATS["turtle"].write(in_default_graph(triples), PREFIXES).decode()


def _node(words: str, number: int) -> ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple:
    """A term from its N-Triples; a blank node is one of the report's own."""
    if words.startswith("_:"):
        return ox.BlankNode(f"value{number}")
    (parsed,) = ox.parse(f"<urn:s> <urn:p> {words} .", format=ox.RdfFormat.N_TRIPLES)
    held: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple = parsed.object
    return held


REPORTS: Mapping[str, Writer] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "github": github,
    "markdown": markdown,
    "turtle": turtle,
}
"""The forms of a report, by name."""


def write(findings: Sequence[Finding], form: str) -> str:
    """Findings in one of the forms of :data:`REPORTS`.

    Raises:
        OnemgError: there is no such form.
    """
    if form not in REPORTS:
        raise OnemgError(f"there is no report format {form!r}.", fix=f"Use one of {', '.join(REPORTS)}.")
    return REPORTS[form](findings)
