"""Logic: whether the ontology and the data can be true together, and whether the ontology keeps to OWL 2 RL."""

import io
import shutil
from collections.abc import Iterable

import pyoxigraph as ox

from onemg_kg.findings import Finding, Places
from onemg_kg.graph import GRAPHS, Graph
from onemg_kg.terms import BASE, NS, PREFIXES, shorten, term, text

RULES = BASE + "logic/"
_ALLOWED = frozenset(
    "Class ObjectProperty DatatypeProperty AnnotationProperty Ontology versionIRI versionInfo priorVersion deprecated "
    "disjointWith inverseOf equivalentClass equivalentProperty".split()
)
"""What the ontology may use: the part of OWL 2 RL (OWL 2 Profiles, section 4.2) that RDF readers without a reasoner share."""


def rules() -> dict[str, tuple[str, str, str]]:
    """What is checked: name, then severity, what it means, and how to mend it."""
    return {
        "inconsistent": (
            "violation",
            "The ontology and the data contradict each other.",
            "Look at the classes and properties named: two disjoint classes have a member in common.",
        ),
        "unsatisfiable": (
            "violation",
            "A class that nothing can belong to.",
            "Look at its superclasses: two of them are disjoint.",
        ),
        "profile": (
            "violation",
            "A construct that is not in OWL 2 RL as this ontology uses it: named classes and properties only.",
            "Say it with rdfs:domain, rdfs:range, rdfs:subClassOf or a shape.",
        ),
        "not-reasoned": (
            "info",
            "Consistency was not checked: the reasoner HermiT needs Java, and there is none.",
            "Install a Java runtime, so that `java` is found.",
        ),
    }


def _finding(name: str, message: str = "", focus_node: str = "", source: str = "") -> Finding:
    severity, meaning, fix = rules()[name]
    return Finding(
        severity=severity,
        rule=RULES + name,
        message=message or meaning,
        fix=fix,
        focus_node=focus_node,
        source=source,
        url=f"rules/logic.md#{name}",
    )


def profile(loaded: Graph) -> list[Finding]:
    """What in the ontology is outside of OWL 2 RL."""
    places = Places(loaded.stated)
    found = []
    for quad in loaded.stated:
        if text(quad.graph_name) != GRAPHS + "ontology/onemg":
            continue
        source = places.of(str(quad.subject)).source
        if isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode):
            node = text(quad.subject) if isinstance(quad.subject, ox.NamedNode) else ""
            found.append(
                _finding("profile", "A class or axiom without a name is outside of OWL 2 RL.", focus_node=node, source=source)
            )
        for used in (quad.predicate, quad.object):
            name = text(used).removeprefix(PREFIXES["owl"])
            if isinstance(used, ox.NamedNode) and used.value.startswith(PREFIXES["owl"]) and name not in _ALLOWED:
                told = f"{shorten(used.value)} is not used here: it is outside of OWL 2 RL, or needs classes without a name."
                found.append(_finding("profile", told, focus_node=text(quad.subject), source=source))
    return found


def _pattern(quads: Iterable[ox.Quad]) -> list[ox.Triple]:
    """A small graph that is consistent if and only if the whole is.

    In the part of OWL that :func:`profile` allows, what follows of a thing's classes depends only on the classes and properties
    that it is stated with. So one thing stands for all that have the same.
    """
    triples = dict.fromkeys(quad.triple for quad in quads)
    a = term("rdf:type")
    relations = {t.subject for t in triples if t.predicate == a and t.object == term("owl:ObjectProperty")}
    terms = {t.subject for t in triples if t.predicate == a and text(t.object).startswith(PREFIXES["owl"])}
    told: dict[object, set[tuple[str, str]]] = {}
    for t in triples:
        if t.subject in terms:
            continue
        if t.predicate == a:
            told.setdefault(t.subject, set()).add(("is", str(t.object)))
        elif t.predicate in relations:
            told.setdefault(t.subject, set()).add(("has", str(t.predicate)))
            told.setdefault(t.object, set()).add(("of", str(t.predicate)))
    examples: dict[frozenset[tuple[str, str]], object] = {}
    stands = {node: examples.setdefault(frozenset(said), node) for node, said in told.items()}
    kept: dict[ox.Triple, None] = {}
    for t in triples:
        example = stands.get(t.subject)
        if t.subject in terms or (t.predicate == a and example == t.subject):
            kept[t] = None
        elif t.predicate in relations and isinstance(example, ox.NamedNode | ox.BlankNode):
            other = stands[t.object]
            if isinstance(other, ox.NamedNode | ox.BlankNode):
                kept[ox.Triple(example, t.predicate, other)] = None
    return list(kept)


def consistency(quads: Iterable[ox.Quad]) -> list[Finding]:
    """Contradictions that HermiT finds, and classes that nothing can belong to; without Java a finding says so."""
    if shutil.which("java") is None:
        return [_finding("not-reasoned")]
    import owlready2  # here, because it takes half a second

    world = owlready2.World()
    data = ox.serialize(_pattern(quads), format=ox.RdfFormat.N_TRIPLES) or b""
    world.get_ontology(NS.rstrip("#")).load(fileobj=io.BytesIO(data), format="ntriples")
    try:
        owlready2.sync_reasoner_hermit(world, debug=0)
    except owlready2.OwlReadyInconsistentOntologyError:
        return [_finding("inconsistent")]
    empty = [c.iri for c in world.inconsistent_classes() if c is not owlready2.Nothing]
    return [_finding("unsatisfiable", f"Nothing can belong to {shorten(iri)}.", focus_node=iri) for iri in sorted(empty)]


def run(loaded: Graph) -> list[Finding]:
    """Check the profile of the ontology, and the consistency of ontology and data, stated and inferred."""
    return profile(loaded) + consistency([*loaded.stated, *loaded.inferred])
