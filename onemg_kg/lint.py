"""Terms: whether every IRI in the files is one that its vocabulary has, that follows the patterns, and that stays."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from onemg_kg.findings import Finding, Places
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.terms import BASE, NS, shorten, term, text

if TYPE_CHECKING:
    from rdflib.namespace import DefinedNamespace

RULES = BASE + "lint/"
_PREFIX = re.compile(r"^\s*(?:@prefix|PREFIX)\s+([\w.-]*):\s*<([^>]*)>", re.MULTILINE | re.IGNORECASE)
_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_PATTERNS = re.compile(
    rf"(?:ns(?:#[A-Za-z][A-Za-z0-9]*|/\d+\.\d+\.\d+)?"
    rf"|voc/{_SLUG}(?:/{_SLUG})?/?"
    rf"|id/(?:resource|project|org)/{_SLUG}(?:#{_SLUG})?"
    rf"|id/framework(?:/{_SLUG})?"
    rf"|id/page/{_SLUG}(?:#.+)?"
    rf"|id/(?:listing|mention|requirement)/{_SLUG}--{_SLUG}"
    rf"|id/navigation/{_SLUG}"
    rf"|id/mapping/{_SLUG}"
    rf"|data/[\w.-]+(?:#[\w-]+)?"
    rf"|shapes(?:/[A-Z][A-Za-z]*Shape(?:-[a-zA-Z]+)?)?"
    rf"|)"
)
"""The patterns of ``docs/identifiers.md``, below the base."""


@dataclass(frozen=True)
class Rule:
    """What the linter checks: severity, what it means, how to mend it."""

    severity: str
    meaning: str
    fix: str


RULE: Mapping[str, Rule] = {
    "undefined-term": Rule(
        "violation",
        "A term of our namespace that the ontology does not define.",
        "Correct the name, or define it in ontology/onemg.ttl.",
    ),
    "unknown-borrowed-term": Rule(
        "violation",
        "A term that its vocabulary does not have.",
        "Correct the name; if a newer version of the vocabulary has it, add it to ontology/borrowed/.",
    ),
    "unknown-vocabulary": Rule(
        "warning",
        "A property or class of a vocabulary of which no list of terms is at hand.",
        "Use a known vocabulary, or list the terms in ontology/borrowed/<prefix>.txt with source and version.",
    ),
    "prefix-bound-twice": Rule(
        "warning",
        "A prefix that stands for two namespaces.",
        "Use the prefix of the other files, or another name.",
    ),
    "iri-off-pattern": Rule(
        "violation",
        "An IRI of ours that follows no pattern of docs/identifiers.md.",
        "Name the thing by one of the patterns of docs/identifiers.md.",
    ),
    "vanished-iri": Rule(
        "violation",
        "An IRI that a release published and that nothing describes any more.",
        "Bring it back, with owl:deprecated true and dcterms:isReplacedBy if something took its place.",
    ),
}


def _finding(name: str, message: str, source: str, line: int = 0, focus_node: str = "", value: str = "") -> Finding:
    rule = RULE[name]
    return Finding(
        severity=rule.severity,
        rule=RULES + name,
        message=message,
        fix=rule.fix,
        focus_node=focus_node,
        value=value,
        source=source,
        line=line,
        url=f"rules/lint.md#{name}",
    )


def borrowed(project: Project) -> dict[str, frozenset[str]]:
    """The pinned terms of borrowed vocabularies, by namespace: ``ontology/borrowed/<prefix>.txt``, one term a line."""
    found = {}
    for path in project.files("ontology", "borrowed", suffix=".txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        namespace = next(line.removeprefix("# Namespace: ") for line in lines if line.startswith("# Namespace: "))
        found[namespace] = frozenset(line for line in lines if line and not line.startswith("#"))
    return found


def _closed() -> dict[str, "type[DefinedNamespace]"]:
    """The vocabularies whose terms rdflib knows, by namespace."""
    # Imported late: the documentation of the rules, which every build writes, needs this module but no vocabulary.
    from rdflib import DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SH, SKOS, VANN, VOID, XSD
    from rdflib.namespace import DCAT

    known = (DCAT, DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SH, SKOS, VANN, VOID, XSD)
    return {str(namespace._NS): namespace for namespace in known}


def _split(iri: str) -> tuple[str, str]:
    at = max(iri.rfind("#"), iri.rfind("/")) + 1
    return iri[:at], iri[at:]


def _terms(project: Project, loaded: Graph) -> Iterator[Finding]:
    """Terms that are not defined where their namespace says."""
    closed = _closed()
    pinned = borrowed(project)
    a, defined_by = term("rdf:type"), term("rdfs:isDefinedBy")
    own = {text(quad.subject) for quad in loaded.stated if quad.predicate == defined_by}
    places = Places([*loaded.stated, *loaded.shapes], project.root)
    seen: dict[str, str] = {}

    def judge(iri: str, is_term: bool) -> str:
        """The name of the rule that a term breaks; empty if none."""
        namespace, name = _split(iri)
        if not name:
            return ""
        if iri.startswith(NS):
            return "" if iri in own else "undefined-term"
        if namespace in closed or namespace in pinned:
            known = name in pinned.get(namespace, ()) or iri in closed.get(namespace, ())
            return "" if known else "unknown-borrowed-term"
        return "unknown-vocabulary" if is_term and not iri.startswith(BASE) else ""

    for quad in (*loaded.stated, *loaded.shapes):
        for node, is_term in ((quad.predicate, True), (quad.object, quad.predicate == a)):
            if not isinstance(node, ox.NamedNode):
                continue
            iri = node.value
            if iri not in seen:
                seen[iri] = judge(iri, is_term)
            if name := seen[iri]:
                place = places.of(str(quad.subject), str(quad.predicate), str(quad.object))
                subject = text(quad.subject) if isinstance(quad.subject, ox.NamedNode) else ""
                said = {
                    "undefined-term": f"{shorten(iri)} is not defined in the ontology.",
                    "unknown-borrowed-term": f"{shorten(iri)} is no term of its vocabulary.",
                    "unknown-vocabulary": f"{iri} is of a vocabulary that is not known here.",
                }[name]
                yield _finding(name, said, focus_node=subject, value=f"<{iri}>", source=place.source, line=place.line)


def _patterns(project: Project, loaded: Graph) -> Iterator[Finding]:
    """Things of ours whose IRI follows no pattern."""
    subjects = {q.subject.value for q in (*loaded.stated, *loaded.shapes) if isinstance(q.subject, ox.NamedNode)}
    places = Places([*loaded.stated, *loaded.shapes], project.root)
    for iri in sorted(subjects):
        if iri.startswith(BASE) and not _PATTERNS.fullmatch(iri.removeprefix(BASE)):
            place = places.of(f"<{iri}>")
            yield _finding(
                "iri-off-pattern", f"{shorten(iri)} follows no pattern.", focus_node=iri, source=place.source, line=place.line
            )


def _prefixes(project: Project, files: Iterable[Path]) -> Iterator[Finding]:
    """Prefixes that stand for two namespaces, in one file or in two."""
    first: dict[str, tuple[str, str]] = {}
    for path in files:
        source = project.relative(path)
        content = path.read_text(encoding="utf-8")
        for found in _PREFIX.finditer(content):
            prefix, namespace = found[1], found[2]
            before, where = first.setdefault(prefix, (namespace, source))
            if before != namespace:
                line = content.count("\n", 0, found.start(1)) + 1
                told = f"The prefix {prefix}: stands for {namespace} here, and for {before} in {where}."
                yield _finding("prefix-bound-twice", told, source=source, line=line)


def _vanished(project: Project, loaded: Graph) -> Iterator[Finding]:
    """IRIs of the last release that are gone; nothing before the first release."""
    releases = project.files("releases", suffix=".txt")
    if not releases:
        return

    def version(path: Path) -> tuple[int, ...]:
        return tuple(int(number) for number in re.findall(r"\d+", path.stem))

    last = max(releases, key=version)
    here = {text(quad.subject) for quad in (*loaded.stated, *loaded.shapes)}
    for iri in last.read_text(encoding="utf-8").split():
        if iri not in here:
            told = f"{shorten(iri)}, which {project.relative(last)} published, is described no more."
            yield _finding("vanished-iri", told, focus_node=iri, source=project.relative(last))


def run(project: Project, loaded: Graph) -> list[Finding]:
    """Check the terms of what the files state.

    Returns:
        What was found, in no order.
    """
    files = [path for name in ("ontology", "data", "shapes") for path in project.files(name, suffix=".ttl")]
    files += project.files("queries", suffix=".rq")
    return [
        *_terms(project, loaded),
        *_patterns(project, loaded),
        *_prefixes(project, files),
        *_vanished(project, loaded),
    ]
