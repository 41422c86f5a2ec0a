"""The shapes: what they say, that each bites, and that pySHACL finds the same as the engine that a build uses."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import RDF, SH

from onemg_kg import graph, shacl
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.store import Store, Term
from onemg_kg.terms import NS, PREFIXES, shorten, term, text

A = term("rdf:type")
FILE = ox.NamedNode(graph.GRAPHS + "data/seeded")
SHAPES = "https://w3id.org/oneplusmg/shapes/"
NOT_CONSTRAINTS = {
    "rdf:type",
    "rdfs:label",
    "rdfs:comment",
    "sh:path",
    "sh:property",
    "sh:severity",
    "sh:message",
    "sh:targetClass",
    "sh:targetSubjectsOf",
    "sh:qualifiedMinCount",
    "onemg:fix",
}


@pytest.fixture(scope="module")
def shapes(loaded: Graph) -> Store:
    return Store(loaded.shapes)


@pytest.fixture(scope="module")
def whole(loaded: Graph) -> list[ox.Quad]:
    return [*loaded.stated, *loaded.inferred]


def _column(store: Store, query: str) -> list[str]:
    prefixes = "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in ("onemg", "owl", "rdf", "rdfs", "sh", "skos"))
    return [text(row[0]) for row in store.select(prefixes + query).rows]


# ---- The shapes themselves ----


def test_every_class_has_a_shape_file(project: Project, loaded: Graph) -> None:
    """Every class of the ontology has a file in shapes/ of its name, with a shape whose target it is."""
    classes = _column(loaded.store, "SELECT ?c { ?c a owl:Class ; rdfs:isDefinedBy ?o }")
    names = dict(
        zip(classes, _column(loaded.store, "SELECT ?n { ?c a owl:Class ; rdfs:isDefinedBy ?o ; rdfs:label ?n }"), strict=True)
    )
    assert len(names) > len(project.files("shapes", suffix=".ttl")) / 2
    for iri, name in names.items():
        path = project.folder("shapes") / f"{name.replace(' ', '-')}.ttl"
        assert path.is_file(), f"{shorten(iri)} has no shape: write shapes/{path.name}"
        quads = graph.read(project, [path])
        targets = {quad.object for quad in quads if quad.predicate == term("sh:targetClass")}
        assert ox.NamedNode(iri) in targets, f"no shape of shapes/{path.name} has the target {shorten(iri)}"


def test_shapes_are_named(shapes: Store) -> None:
    """Every node shape and property shape has an IRI, by which a finding names it."""
    for kind in ("sh:NodeShape", "sh:PropertyShape"):
        found = _column(shapes, f"SELECT ?s {{ ?s a {kind} }}")
        assert found
        assert [iri for iri in found if not iri.startswith(SHAPES)] == []


def test_shapes_say_what_and_how(shapes: Store) -> None:
    """Every shape that constrains something has one severity, one message in English and one fix, each a sentence."""
    bare = " ".join(sorted(NOT_CONSTRAINTS))
    constrains = f"?s ?p ?o FILTER(ISIRI(?s) && ?p NOT IN ({bare.replace(' ', ', ')}))"
    for shape in set(_column(shapes, f"SELECT DISTINCT ?s {{ {constrains} }}")):
        for told, condition in (("severity", "ISIRI(?o)"), ("message", "LANG(?o) = 'en'")):
            found = _column(shapes, f"SELECT ?o {{ <{shape}> sh:{told} ?o FILTER({condition}) }}")
            assert len(found) == 1, f"{shape} needs one sh:{told}"
            assert told == "severity" or found[0].endswith("."), f"the sh:message of {shape} is no sentence"
        fix = _column(shapes, f"SELECT ?o {{ <{shape}> onemg:fix ?o }}")
        assert len(fix) == 1, f"{shape} needs one onemg:fix"
        assert fix[0].endswith("."), f"the onemg:fix of {shape} is no sentence"


def test_shapes_are_used(shapes: Store) -> None:
    """Every property shape is part of one node shape, every sh:property is described, and every node shape has a target."""
    named = set(_column(shapes, "SELECT ?s { ?s a sh:PropertyShape }"))
    used = _column(shapes, "SELECT ?p { ?s sh:property ?p }")
    assert sorted(used) == sorted(named)
    without = "SELECT ?s { ?s a sh:NodeShape FILTER NOT EXISTS { ?s sh:targetClass|sh:targetSubjectsOf ?t } }"
    assert _column(shapes, without) == []


def test_shapes_have_something_to_check(shapes: Store, loaded: Graph) -> None:
    """Every target of a shape is in the real graph, so that no shape is content only because it sees nothing."""
    for class_ in _column(shapes, "SELECT DISTINCT ?c { ?s sh:targetClass ?c }"):
        assert _column(loaded.store, f"SELECT ?x {{ ?x a/rdfs:subClassOf* <{class_}> }} LIMIT 1"), class_
    for predicate in _column(shapes, "SELECT DISTINCT ?p { ?s sh:targetSubjectsOf ?p }"):
        assert _column(loaded.store, f"SELECT ?x {{ ?x <{predicate}> ?y }} LIMIT 1"), predicate


def test_shapes_conform_to_shacl(loaded: Graph) -> None:
    """The shapes conform to the shapes of SHACL for shapes, which pySHACL brings along."""
    path = Path(pyshacl.__file__).parent / "assets" / "shacl-shacl.ttl"
    for_shapes = [ox.Quad(*quad.triple, FILE) for quad in ox.parse(path.read_bytes(), format=ox.RdfFormat.TURTLE)]
    assert shacl.validate(loaded.shapes, for_shapes) == []
    broken = ox.Quad(term(SHAPES + "ToolShape"), term("sh:property"), ox.Literal("no shape"), FILE)
    assert shacl.validate([*loaded.shapes, broken], for_shapes) != []


def test_shapes_use_known_terms(shapes: Store, loaded: Graph) -> None:
    """Every property on a path and every class of a constraint is one that the graph or its ontology knows."""
    known = {quad.predicate.value for quad in (*loaded.stated, *loaded.inferred)}
    known |= {text(quad.object) for quad in loaded.stated if quad.predicate == A}
    known |= {text(quad.subject) for quad in loaded.stated if isinstance(quad.subject, ox.NamedNode)}
    path = "sh:path|sh:inversePath|sh:oneOrMorePath|sh:zeroOrMorePath|sh:alternativePath|rdf:rest|rdf:first"
    on_paths = set(_column(shapes, f"SELECT DISTINCT ?o {{ ?s sh:path/({path})* ?o FILTER(ISIRI(?o) && ?o != rdf:nil) }}"))
    on_paths |= set(_column(shapes, "SELECT DISTINCT ?p { ?s sh:path ?p FILTER(ISIRI(?p)) }"))
    classes = set(_column(shapes, "SELECT DISTINCT ?c { ?s sh:class|sh:targetClass ?c }"))
    own = {iri for iri in on_paths if iri.startswith(NS)}
    assert (own | classes) - known == set()


# ---- Each constraint bites, and pySHACL says the same ----


class Seed(NamedTuple):
    """A seeded error: what is added, what is removed, and the finding it must give."""

    constraint: str
    shape: str
    focus: str
    value: str
    added: tuple[ox.Triple, ...]
    removed: tuple[ox.Triple, ...]


WRONG_IRI = ox.NamedNode("http://example.org/wrong")


def _wrong(constraint: str, parameters: dict[str, list[Term]]) -> ox.NamedNode | ox.Literal | None:
    """A value that breaks one constraint of a property shape, and keeps the others where that is possible."""
    datatype = parameters.get("sh:datatype", [None])[0]
    english = datatype == term("rdf:langString")
    string = ox.Literal("! !", language="en") if english else ox.Literal("! !")
    iri = any(text(kind).endswith("#IRI") for kind in parameters.get("sh:nodeKind", [])) or "sh:class" in parameters
    match constraint:
        case "sh:datatype":
            return ox.Literal("wrong", datatype=term("xsd:token"))
        case "sh:class":
            return WRONG_IRI
        case "sh:nodeKind":
            return ox.Literal("https://w3id.org/oneplusmg/wrong") if iri else WRONG_IRI
        case "sh:pattern":
            return ox.NamedNode("urn:!!!") if iri else string
        case "sh:in":
            members = parameters["in"]
            return ox.Literal("wrong") if members and isinstance(members[0], ox.Literal) else WRONG_IRI
        case "sh:minLength":
            return ox.Literal("", language="en") if english else ox.Literal("")
        case "sh:languageIn":
            return ox.Literal("faux", language="fr")
        case "sh:minInclusive":
            return ox.Literal("0", datatype=term("xsd:nonNegativeInteger"))
    return None


def _seeds(shapes: Store, whole: list[ox.Quad]) -> Iterator[Seed]:
    """An error for each constraint of each property shape of a class with a simple path, each on a node that conforms."""
    store = Store(whole)
    values: dict[tuple[Term, Term], list[ox.Triple]] = {}
    for quad in whole:
        values.setdefault((quad.subject, quad.predicate), []).append(quad.triple)
    prefixes = "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in ("rdf", "rdfs", "sh"))
    rows = shapes.select(prefixes + "SELECT ?n ?p ?path { ?n sh:property ?p . ?p sh:path ?path FILTER(ISIRI(?path)) }").rows
    used: set[tuple[Term, Term]] = set()
    for node, shape, path in rows:
        parameters: dict[str, list[Term]] = {}
        for key, value in shapes.select(f"SELECT ?k ?v {{ {shape} ?k ?v }}").rows:
            parameters.setdefault(shorten(text(key)), []).append(value)
        members = f"{prefixes}SELECT ?m {{ {shape} sh:in/rdf:rest*/rdf:first ?m }}"
        parameters["in"] = [row[0] for row in shapes.select(members).rows]
        found: list[Term] = []
        for row in shapes.select(f"{prefixes}SELECT ?c {{ {node} sh:targetClass ?c }}").rows:
            members = f"{prefixes}SELECT DISTINCT ?n {{ ?n a/rdfs:subClassOf* {row[0]} }} ORDER BY ?n"
            found += [member for (member,) in store.select(members).rows]
        for constraint in sorted(parameters):
            focus = next((f for f in found if (f, path) not in used), None)
            if focus is None:
                continue
            have = values.get((focus, path), [])
            if constraint == "sh:maxCount":
                number = int(text(parameters[constraint][0]))
                extra = tuple(ox.Triple(focus, path, ox.Literal(f"extra {i}")) for i in range(number + 1))
                yield Seed(constraint, text(shape), str(focus), "", extra, ())
            elif constraint in {"sh:minCount", "sh:qualifiedMinCount"}:
                yield Seed(constraint, text(shape), str(focus), "", (), tuple(have))
            elif constraint == "sh:uniqueLang":
                extra = tuple(ox.Triple(focus, path, ox.Literal(word, language="de")) for word in ("eins", "zwei"))
                yield Seed(constraint, text(shape), str(focus), "", extra, ())
            elif (wrong := _wrong(constraint, parameters)) is not None:
                yield Seed(constraint, text(shape), str(focus), str(wrong), (ox.Triple(focus, path, wrong),), ())
            else:
                continue
            used.add((focus, path))


@pytest.fixture(scope="module")
def seeds(shapes: Store, whole: list[ox.Quad]) -> list[Seed]:
    return list(_seeds(shapes, whole))


@pytest.fixture(scope="module")
def seeded(seeds: list[Seed], whole: list[ox.Quad]) -> list[ox.Quad]:
    """The real graph with every seeded error at once."""
    removed = {triple for seed in seeds for triple in seed.removed}
    added = dict.fromkeys(triple for seed in seeds for triple in seed.added)
    kept = [quad for quad in whole if quad.triple not in removed]
    return kept + [ox.Quad(*triple, FILE) for triple in added]


SPECIAL = {
    # Shapes with another target than a class, or with more than a simple path, and a graph that violates each.
    "BadgeShape-badge": "listing:a onemg:badgeLine '1'^^xsd:nonNegativeInteger .",
    "BadgeShape-badgeLine": "listing:b onemg:badge 'Required' .",
    "LimitShape-limitedToUseCase": "listing:c onemg:limitLine '1'^^xsd:nonNegativeInteger .",
    "LimitShape-limitLine": "listing:d onemg:limitedToUseCase use-case:cancer .",
    "LimitShape-badge": "listing:d onemg:limitedToUseCase use-case:cancer .",
    "ConceptSchemeShape": "voc:Wrong a skos:ConceptScheme .",
    "ConceptSchemeShape-topConceptOf": "voc:role skos:hasTopConcept use-case:cancer .",
    "ConceptSchemeNoConceptShape": "voc:role a skos:Concept .",
    "ConceptShape-prefLabel": "role:researcher skos:prefLabel 'Wissenschaft'@de, 'Forschung'@de .",
    "ConceptShape-prefLabelDisjoint": "role:researcher skos:prefLabel 'same'@de ; skos:altLabel 'same'@de .",
    "ConceptShape-altLabelDisjoint": "role:researcher skos:altLabel 'same'@de ; skos:hiddenLabel 'same'@de .",
    "ConceptShape-relatedDisjoint": "section:data-discovery skos:related section:technical-infrastructure .",
    "ConceptShape-exactMatchDisjoint": "stage:discovery skos:exactMatch dpv:X ; skos:relatedMatch dpv:X .",
    "FrameworkConceptShape": "<https://w3id.org/oneplusmg/voc/Role/x> a onemg:Role .",
    "FrameworkConceptShape-ownNotation": "role:researcher skos:notation 'role/healthcare' .",
    "FrameworkConceptShape-placed": "role:unplaced a onemg:Role .",
    "FrameworkConceptShape-broader": "section:data-discovery skos:broader section:data-metadata .",
    "BroaderConceptShape-sameScheme": "section:data-discovery skos:broader role:researcher .",
    "NextStageShape-sameScheme": "stage:use onemg:nextStage section:data-discovery .",
    "LifecycleStageShape-oneBefore": "stage:collection onemg:nextStage stage:use .",
    "FrameworkPageShape": "<https://w3id.org/oneplusmg/id/page/Wrong> a onemg:FrameworkPage .",
    "FrameworkPageShape-ownAddress": "page:x a onemg:FrameworkPage ; onemg:address page:a . page:y onemg:address page:a .",
    "FrameworkResourceShape": "<https://w3id.org/oneplusmg/id/Wrong> a onemg:Tool .",
    "FrameworkResourceShape-hasAddress": "resource:bare a onemg:Tool .",
    "FrameworkResourceShape-placed": "resource:bare a onemg:Tool .",
    "FrameworkResourceShape-issued": "resource:x a onemg:Tool ; dcterms:issued 'last year' .",
    "FrameworkResourceNoDatasetShape": "resource:x a onemg:Tool, dcat:Dataset .",
    "DeliverableShape-producedBy": "resource:bare a onemg:Tool ; onemg:deliverableNumber 'D1' .",
    "DescribedUnderShape-describedOn": "section:wrong a onemg:FrameworkSection ; onemg:describedUnder 'Heading' .",
    "FrameworkSectionShape-alignedWith": "section:data-discovery onemg:alignedWith role:researcher .",
    "RoleShape-concernedWith": "role:researcher onemg:concernedWith use-case:cancer .",
    "ListingShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:Listing .",
    "MentionShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:Mention .",
    "MappingShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:Mapping .",
    "NavigationEntryShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:NavigationEntry .",
    "ParentEntryShape-sameMenu": "navigation:x onemg:parentEntry navigation:y ; onemg:menu 'x' . navigation:y onemg:menu 'y' .",
    "ProjectShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:Project .",
    "ProjectShape-startDate": "project:x a onemg:Project ; dcterms:temporal project:t . project:t dcat:startDate '2022' .",
    "ProjectShape-endDate": "project:x a onemg:Project ; dcterms:temporal project:t . project:t dcat:endDate '2026' .",
    "OrganizationShape": "<https://w3id.org/oneplusmg/id/wrong> a foaf:Organization .",
    "PageHeadingShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:PageHeading .",
    "PageLinkShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:PageLink .",
    "UnderHeadingShape-samePage": "mention:x onemg:onPage page:x ; onemg:underHeading page:h . page:h onemg:onPage page:y .",
    "LocationShape": "country:greece a dcterms:Location, skos:Concept .",
    "RequirementStatementShape": "<https://w3id.org/oneplusmg/id/wrong> a onemg:RequirementStatement .",
    "RequirementStatementShape-sameResource": "requirement:x a onemg:RequirementStatement ; "
    "onemg:statesRequirementFor resource:beacon ; prov:wasDerivedFrom listing:x . listing:x onemg:lists resource:vcf .",
    "StandardShape-type": "resource:standard a onemg:Standard ; dcterms:type kind:report .",
    "ToolShape-type": "resource:tool a onemg:Tool ; dcterms:type kind:report .",
    "ServiceShape-type": "resource:service a onemg:Service ; dcterms:type kind:report .",
    "PolicyShape-type": "resource:policy a onemg:Policy ; dcterms:type kind:data-model .",
    "GuidanceDocumentShape-type": "resource:guidancedocument a onemg:GuidanceDocument ; dcterms:type kind:data-model .",
    "TrainingMaterialShape-type": "resource:trainingmaterial a onemg:TrainingMaterial ; dcterms:type kind:data-model .",
    "DataResourceShape-type": "resource:dataresource a onemg:DataResource ; dcterms:type kind:report .",
}


def test_no_shape_is_forgotten(shapes: Store, seeds: list[Seed]) -> None:
    """Every shape that constrains something is shown to bite by a seeded error."""
    bare = ", ".join(sorted(NOT_CONSTRAINTS))
    constrains = f"?s ?p ?o FILTER(ISIRI(?s) && ?p NOT IN ({bare}))"
    wanted = {iri.removeprefix(SHAPES) for iri in _column(shapes, f"SELECT DISTINCT ?s {{ {constrains} }}")}
    shown = {seed.shape.removeprefix(SHAPES) for seed in seeds} | set(SPECIAL)
    assert shown <= wanted, "no shape has this name"
    assert wanted - shown == set(), "seed an error in SPECIAL"


def test_seeded_errors_are_found(seeds: list[Seed], seeded: list[ox.Quad], loaded: Graph) -> None:
    """Each constraint of each property shape finds the value that breaks it, on the node where it is."""
    values = {(f.rule, f.focus_node, f.value) for f in shacl.validate(seeded, loaded.shapes)}
    found = {(shape, focus) for shape, focus, _ in values}
    assert len({seed.constraint for seed in seeds}) > 5
    for seed in seeds:
        shape, focus = seed.shape, seed.focus[1:-1]
        assert (shape, focus) in found, seed
        if seed.value:
            assert (shape, focus, seed.value) in values, seed


@pytest.mark.parametrize("name", SPECIAL)
def test_special_errors_are_found(name: str, loaded: Graph) -> None:
    """A shape on more than a simple path finds a violation where there is one; the real graph has none."""
    vocabulary = [quad for quad in loaded.stated if "/graph/ontology/" in quad.graph_name.value]
    found = {finding.rule for finding in shacl.validate([*vocabulary, *_special(name)], loaded.shapes)}
    assert SHAPES + name in found


def _special(*names: str) -> list[ox.Quad]:
    head = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items())
    head += "@prefix voc: <https://w3id.org/oneplusmg/voc/> .\n"
    written = "\n".join(SPECIAL[name] for name in names)
    parsed = ox.parse((head + written).encode(), format=ox.RdfFormat.TURTLE)
    return [ox.Quad(*quad.triple, FILE) for quad in parsed]


def _rdflib(quads: list[ox.Quad]) -> rdflib.Graph:
    lines = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=lines, format="nt")


def _ours(quads: list[ox.Quad], shapes: list[ox.Quad]) -> list[tuple[str, ...]]:
    return sorted({(f.severity, f.focus_node, f.rule, f.value, f.message) for f in shacl.validate(quads, shapes)})


def _theirs(quads: list[ox.Quad], shapes: list[ox.Quad]) -> list[tuple[str, ...]]:
    """The findings of pySHACL, in our words."""
    _, report, _ = pyshacl.validate(_rdflib(quads), shacl_graph=_rdflib(shapes), inference="none")
    assert isinstance(report, rdflib.Graph)
    found = []
    for result in report.subjects(RDF.type, SH.ValidationResult):
        value = report.value(result, SH.value)
        said = value.n3() if value is not None else ""
        severity = str(report.value(result, SH.resultSeverity)).rpartition("#")[2].lower()
        focus, shape = report.value(result, SH.focusNode), report.value(result, SH.sourceShape)
        message = str(report.value(result, SH.resultMessage))
        found.append((severity, str(focus), str(shape), said, message))
    return sorted(set(found))  # two values of one constraint component are one finding


def test_same_as_pyshacl_on_the_real_graph(whole: list[ox.Quad], loaded: Graph) -> None:
    """Our engine and pySHACL find the same in the real graph: node, shape, value, severity and message."""
    assert _ours(whole, loaded.shapes) == _theirs(whole, loaded.shapes)


def test_same_as_pyshacl_on_seeded_errors(seeded: list[ox.Quad], loaded: Graph) -> None:
    """Our engine and pySHACL find the same where every shape has errors."""
    broken = [*seeded, *_special(*SPECIAL)]
    ours = _ours(broken, loaded.shapes)
    assert {SHAPES + name for name in SPECIAL} <= {finding[2] for finding in ours}
    assert ours == _theirs(broken, loaded.shapes)
