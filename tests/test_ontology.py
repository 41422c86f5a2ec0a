"""The vocabulary: what is declared, how it is described, and that it stays what its profile says."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import graph, queries
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.store import Store
from onemg_kg.terms import BASE, NS, PREFIXES, shorten, term, text

KINDS = ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty")
VOC = BASE + "voc/"
HEAD = "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in ("onemg", "owl", "rdf", "rdfs", "skos", "vann"))
EXTERNAL = ("country:", "adms-status:")
"""Concepts that are not ours: we give them a name only."""

Ask = Callable[[str], list[tuple[str, ...]]]


@pytest.fixture(scope="module")
def ask(loaded: Graph) -> Ask:
    """Asks what the files state; the answer is rows of text."""
    store = Store(loaded.stated)

    def rows(query: str) -> list[tuple[str, ...]]:
        return [tuple(text(value) for value in row) for row in store.select(HEAD + query).rows]

    return rows


@pytest.fixture(scope="module")
def ontology(project: Project) -> list[ox.Quad]:
    return graph.read(project, [project.folder("ontology") / "onemg.ttl"])


@pytest.fixture(scope="module")
def declared(ontology: list[ox.Quad]) -> dict[str, str]:
    """Every declared term of ours, with its kind."""
    kinds = {term(f"owl:{kind}"): kind for kind in KINDS}
    found: dict[str, str] = {}
    for quad in ontology:
        if quad.predicate == term("rdf:type") and quad.object in kinds and text(quad.subject).startswith(NS):
            assert text(quad.subject) not in found, f"{shorten(text(quad.subject))} is declared as two kinds of term"
            found[text(quad.subject)] = kinds[quad.object]
    return found


# ---- Terms ----


def test_used_terms_are_declared(loaded: Graph, declared: dict[str, str]) -> None:
    """Every onemg: term that a file, a scheme, a shape or a rule's conclusion uses is declared."""
    used: dict[str, str] = {}
    for quad in (*loaded.stated, *loaded.shapes, *loaded.inferred):
        for node in quad.triple:
            if isinstance(node, ox.NamedNode) and node.value.startswith(NS) and node.value != NS:
                used.setdefault(node.value, graph.file_of(text(quad.graph_name)))
    unknown = {shorten(iri): file for iri, file in used.items() if iri not in declared}
    assert unknown == {}, "declare the term in ontology/onemg.ttl, or mend its name"


def test_terms_in_queries_are_declared(project: Project, declared: dict[str, str]) -> None:
    """Every onemg: term that a query writes is declared."""
    for path in project.files("queries", suffix=".rq"):
        body = re.sub(r"^#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name in re.findall(r"\bonemg:(\w+)", body):
            assert NS + name in declared, f"{path.name} uses onemg:{name}, which ontology/onemg.ttl does not declare"


def test_declared_terms_are_used(project: Project, loaded: Graph, declared: dict[str, str]) -> None:
    """Every declared term is used by data, a rule's conclusion, a shape, or a check of the site: the vocabulary is small."""
    used = {text(node) for quad in (*loaded.stated, *loaded.inferred) for node in (quad.predicate,)}
    used |= {text(q.object) for q in (*loaded.stated, *loaded.inferred) if q.predicate == term("rdf:type")}
    used |= {text(quad.predicate) for quad in loaded.shapes}
    for path in project.files("queries", "checks", suffix=".rq"):
        used |= {NS + name for name in re.findall(r"\bonemg:(\w+)", path.read_text(encoding="utf-8"))}
    unused = {shorten(iri) for iri in declared if iri not in used}
    assert unused == set()


@pytest.mark.parametrize("name", ["rdfs:label", "skos:definition", "rdfs:isDefinedBy"])
def test_terms_are_described(ontology: list[ox.Quad], declared: dict[str, str], name: str) -> None:
    """Every term has one label and one definition, in English, and names its ontology."""
    predicate = term(name)
    for iri in declared:
        values = [quad.object for quad in ontology if text(quad.subject) == iri and quad.predicate == predicate]
        assert len(values) == 1, f"{shorten(iri)} needs one {name}"
        if isinstance(values[0], ox.Literal):
            assert values[0].language == "en"
        else:
            assert text(values[0]) == NS.rstrip("#")


def test_definitions_are_sentences(ontology: list[ox.Quad]) -> None:
    """A definition or a comment starts with a capital and ends with a full stop."""
    for quad in ontology:
        if quad.predicate in {term("skos:definition"), term("rdfs:comment")}:
            told = text(quad.object)
            assert told.endswith("."), f"{shorten(text(quad.subject))}: {told}"
            assert told[0].isupper(), f"{shorten(text(quad.subject))}: {told}"


def test_names_follow_the_kind(declared: dict[str, str]) -> None:
    """A class starts with a capital, a property with a small letter."""
    for iri, kind in declared.items():
        assert iri.removeprefix(NS)[0].isupper() == (kind == "Class"), shorten(iri)


def test_label_is_the_name_in_words(ontology: list[ox.Quad], declared: dict[str, str]) -> None:
    """The label of a term is its name in words, so that either can be guessed from the other."""
    labels = {text(quad.subject): text(quad.object) for quad in ontology if quad.predicate == term("rdfs:label")}
    for iri in declared:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", iri.removeprefix(NS)).lower()
        assert labels[iri].lower() == words


def test_datatype_properties_have_literals(loaded: Graph, declared: dict[str, str]) -> None:
    """A datatype property has literals only, an object property nodes only."""
    for quad in (*loaded.stated, *loaded.inferred):
        kind = declared.get(text(quad.predicate))
        if kind in {"ObjectProperty", "DatatypeProperty"}:
            assert isinstance(quad.object, ox.Literal) == (kind == "DatatypeProperty"), str(quad)


# ---- OWL 2 RL ----


def test_profile(ontology: list[ox.Quad], loaded: Graph) -> None:
    """The ontology keeps to the part of OWL 2 RL that rules and RDF readers can share: no blank node, no import, no union."""
    assert not [quad for quad in ontology if isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode)]
    owl = PREFIXES["owl"]
    used = {text(node).removeprefix(owl) for quad in ontology for node in quad.triple if text(node).startswith(owl)}
    allowed = {*KINDS, "Ontology", "versionIRI", "versionInfo", "disjointWith", "inverseOf", "deprecated"}
    assert used <= allowed
    elsewhere = {text(q.predicate) for q in loaded.stated if text(q.predicate).startswith(owl)}
    assert elsewhere <= {owl + name for name in allowed}


def test_hierarchies(ontology: list[ox.Quad], declared: dict[str, str]) -> None:
    """A subclass or subproperty of ours is of the same kind as what it narrows, and no hierarchy is a circle."""
    edges: dict[str, set[str]] = {}
    for quad in ontology:
        if quad.predicate in {term("rdfs:subClassOf"), term("rdfs:subPropertyOf")}:
            above, below = text(quad.object), text(quad.subject)
            edges.setdefault(below, set()).add(above)
            if above in declared:
                assert declared[above] == declared[below]
    for start in edges:
        seen, todo = set(), list(edges[start])
        while todo:
            above = todo.pop()
            assert above != start, f"{shorten(start)} is narrower than itself"
            if above not in seen:
                seen.add(above)
                todo += edges.get(above, ())


def test_domains_and_ranges_hold(loaded: Graph, ask: Ask) -> None:
    """What is stated with a property belongs to its domain and range: no type follows that is not stated or inferred."""
    types: dict[str, set[str]] = {}
    for quad in (*loaded.stated, *loaded.inferred):
        if quad.predicate == term("rdf:type"):
            types.setdefault(text(quad.subject), set()).add(text(quad.object))
    domains = dict(ask("SELECT ?p ?c { ?p rdfs:domain ?c }"))
    ranges = dict(ask("SELECT ?p ?c { ?p a owl:ObjectProperty ; rdfs:range ?c }"))
    external = {PREFIXES["eli"] + "LegalResource"}
    for quad in loaded.stated:
        predicate = text(quad.predicate)
        for node, class_ in ((quad.subject, domains.get(predicate)), (quad.object, ranges.get(predicate))):
            if class_ and class_ not in external:
                assert class_ in types.get(text(node), set()), f"{shorten(text(node))} is no {shorten(class_)}: {quad}"


@pytest.mark.slow
def test_consistent(loaded: Graph, tmp_path: Path) -> None:
    """The ontology with all data is consistent and has no class that nothing can belong to, says HermiT."""
    if shutil.which("java") is None:
        pytest.skip("there is no java, which the reasoner HermiT needs")
    owlready2 = pytest.importorskip("owlready2")
    world = _world(owlready2, [*loaded.stated, *loaded.inferred], tmp_path / "graph.nt")
    owlready2.sync_reasoner_hermit(world, debug=0)
    assert [str(class_) for class_ in world.inconsistent_classes() if class_ is not owlready2.Nothing] == []


@pytest.mark.slow
def test_inconsistency_would_be_found(ontology: list[ox.Quad], tmp_path: Path) -> None:
    """The reasoner sees the data: a resource that is a project too is inconsistent."""
    if shutil.which("java") is None:
        pytest.skip("there is no java, which the reasoner HermiT needs")
    owlready2 = pytest.importorskip("owlready2")
    wrong = [
        ox.Quad(term("id/x"), term("rdf:type"), term(name)) for name in ("onemg:Tool", "onemg:Project", "owl:NamedIndividual")
    ]
    world = _world(owlready2, [*ontology, *wrong], tmp_path / "graph.nt")
    with pytest.raises(owlready2.OwlReadyInconsistentOntologyError):
        owlready2.sync_reasoner_hermit(world, debug=0)


def _world(owlready2: object, quads: list[ox.Quad], path: Path) -> object:
    path.write_bytes(ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES))
    world = owlready2.World()  # type: ignore[attr-defined]
    with path.open("rb") as file:
        world.get_ontology(NS.rstrip("#")).load(fileobj=file, format="ntriples")
    assert len(world.graph) > 0
    return world


# ---- Concept schemes (SKOS Reference, integrity conditions) ----


def test_every_scheme_has_a_file(project: Project, ask: Ask) -> None:
    """Each scheme of ours is described in the file of its name."""
    schemes = {iri.removeprefix(VOC) for (iri,) in ask("SELECT ?s { ?s a skos:ConceptScheme }") if iri.startswith(VOC)}
    files = {path.stem for path in project.files("ontology", "schemes", suffix=".ttl")}
    assert schemes <= files


def test_one_preferred_label_a_language(ask: Ask) -> None:
    """No concept has two preferred labels in one language (S14), and each of ours has one in English."""
    assert ask("SELECT ?c { ?c skos:prefLabel ?l } GROUP BY ?c (LANG(?l)) HAVING (COUNT(?l) > 1)") == []
    assert ask("SELECT ?c { ?c a skos:Concept FILTER NOT EXISTS { ?c skos:prefLabel ?l FILTER(LANG(?l) = 'en') } }") == []


def test_labels_are_disjoint(ask: Ask) -> None:
    """No label of a concept is both preferred and alternative (S13), whatever the case."""
    assert ask("SELECT ?c ?l { ?c skos:prefLabel ?l ; skos:altLabel ?a FILTER(LCASE(?l) = LCASE(?a)) }") == []


def test_notations_are_unique(ask: Ask) -> None:
    """A notation names one concept, in whatever scheme, and that of a concept of ours is its path."""
    notations = ask("SELECT ?n ?c { ?c skos:notation ?n }")
    assert len({notation for notation, _ in notations}) == len(notations)
    for notation, concept in notations:
        if concept.startswith(VOC):
            assert VOC + notation == concept


def test_top_concepts(ask: Ask) -> None:
    """A scheme names its top concepts and each names the scheme; a concept without a broader one is a top concept."""
    from_scheme = set(ask("SELECT ?s ?c { ?s skos:hasTopConcept ?c }"))
    assert from_scheme
    assert from_scheme == set(ask("SELECT ?s ?c { ?c skos:topConceptOf ?s }"))
    tops = {concept for _, concept in from_scheme}
    loose = ask("SELECT ?c { ?c skos:inScheme ?s FILTER NOT EXISTS { ?c skos:broader ?b } }")
    assert {concept for (concept,) in loose if concept.startswith(VOC)} == {c for c in tops if c.startswith(VOC)}


def test_broader_and_narrower(ask: Ask) -> None:
    """Broader and narrower are stated both ways, within one scheme, and never in a circle."""
    broader = set(ask("SELECT ?a ?b { ?a skos:broader ?b }"))
    assert broader
    assert broader == set(ask("SELECT ?a ?b { ?b skos:narrower ?a }"))
    assert ask("SELECT ?a { ?a skos:broader+ ?a }") == []
    assert ask("SELECT ?a ?b { ?a skos:broader ?b ; skos:inScheme ?s . ?b skos:inScheme ?t FILTER(?s != ?t) }") == []


def test_related_is_disjoint_from_broader(ask: Ask) -> None:
    """No concept is related to one that is broader than it (S27)."""
    assert ask("SELECT ?a ?b { ?a skos:broader+ ?b { ?a skos:related ?b } UNION { ?b skos:related ?a } }") == []


def test_exact_match_is_disjoint(ask: Ask) -> None:
    """An exact match is no broad, narrow or related match, either way round (S46)."""
    others = "|".join(f"skos:{name}|^skos:{name}" for name in ("broadMatch", "narrowMatch", "relatedMatch"))
    assert ask(f"SELECT ?a ?b {{ ?a skos:exactMatch|^skos:exactMatch ?b . ?a {others} ?b }}") == []


def test_matches_go_both_ways(ask: Ask) -> None:
    """A match between two concepts of ours is stated at both ends, and is between two schemes."""
    inverse = {"exactMatch": "exactMatch", "closeMatch": "closeMatch", "broadMatch": "narrowMatch", "narrowMatch": "broadMatch"}
    for name, back in inverse.items():
        for first, second in ask(f"SELECT ?a ?b {{ ?a skos:{name} ?b }}"):
            if first.startswith(VOC) and second.startswith(VOC):
                assert ask(f"SELECT ?x {{ <{second}> skos:{back} <{first}> BIND(1 AS ?x) }}"), f"{second} skos:{back} {first}"
                assert first.rpartition("/")[0] != second.rpartition("/")[0]


def test_matches_are_no_classes(ask: Ask) -> None:
    """A SKOS match never names a class, which it would turn into a concept: EDAM topics are subjects instead."""
    matches = ask("SELECT ?o { ?s ?p ?o FILTER(?p IN (skos:exactMatch, skos:closeMatch, skos:broadMatch, skos:relatedMatch)) }")
    assert not [target for (target,) in matches if target.startswith((PREFIXES["edam"], NS))]


STATED_NUMBERS = {
    # scheme: how many concepts the Framework, or the joint actions that it follows, have
    "requirement-level": 3,
    "use-case": 5,
    "role": 5,
    "lifecycle-stage": 2 + 7,
    "ehds-journey": 5,
    "data-life-cycle": 6,
    "functionality": 5,
    "national-category": 5,
}


@pytest.mark.parametrize("scheme", STATED_NUMBERS)
def test_numbers_of_concepts(ask: Ask, scheme: str) -> None:
    """The closed schemes have as many concepts as the Framework names, no more and no less."""
    assert len(ask(f"SELECT ?c {{ ?c skos:inScheme <{VOC}{scheme}> }}")) == STATED_NUMBERS[scheme]


def test_tehdas_phases(ask: Ask) -> None:
    """The TEHDAS lifecycle has two phases, each with stages of its own; the phases have no others above them."""
    phases = ask(f"SELECT ?c {{ <{VOC}lifecycle-stage> skos:hasTopConcept ?c }}")
    assert len(phases) == 2
    for (phase,) in phases:
        assert ask(f"SELECT ?c {{ ?c skos:broader <{phase}> }}")


@pytest.mark.parametrize("scheme", ["lifecycle-stage", "ehds-journey", "data-life-cycle"])
def test_stages_are_in_a_row(ask: Ask, scheme: str) -> None:
    """The stages of a life cycle, at each level, form one row (or one circle) that passes through all of them."""
    concepts = {c for (c,) in ask(f"SELECT ?c {{ ?c skos:inScheme <{VOC}{scheme}> }}")}
    levels: dict[bool, set[str]] = {}
    for concept in concepts:
        levels.setdefault(bool(ask(f"SELECT ?n {{ ?n skos:broader <{concept}> }}")), set()).add(concept)
    following = dict(ask(f"SELECT ?a ?b {{ ?a onemg:nextStage ?b ; skos:inScheme <{VOC}{scheme}> }}"))
    for level in levels.values():
        inside = {a: b for a, b in following.items() if a in level}
        assert set(inside.values()) <= level
        assert len(set(inside.values())) == len(inside) >= len(level) - 1
        current, seen = next((c for c in sorted(level) if c not in inside.values()), min(level)), set()
        while current is not None and current not in seen:
            seen.add(current)
            current = inside.get(current)
        assert seen == level


def test_namespace_of_scheme(ask: Ask) -> None:
    """Each concept is in the namespace that its scheme announces."""
    rows = ask("SELECT ?c ?n { ?c skos:inScheme ?s . ?s vann:preferredNamespaceUri ?n }")
    assert rows
    assert [concept for concept, namespace in rows if not concept.startswith(namespace)] == []


def test_rules_conclude_declared_terms(project: Project, declared: dict[str, str]) -> None:
    """What a rule concludes is said with properties and classes that are declared, so the closed vocabulary stays closed."""
    for rule in queries.folder(project, "rules"):
        template = re.search(r"CONSTRUCT\s*\{(.*?)\}", rule.text, re.DOTALL)
        assert template, rule.name
        for name in re.findall(r"onemg:(\w+)", template[1]):
            assert NS + name in declared
