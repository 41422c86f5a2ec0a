"""The reference: each term of the ontology with all that the shapes ask of it, and examples that are in the graph."""

import gzip
from html.parser import HTMLParser

import pyoxigraph as ox
import pytest

from onemg_kg.addresses import document
from onemg_kg.descriptions import Descriptions
from onemg_kg.graph import Graph
from onemg_kg.site import reference
from onemg_kg.site.pages import Pages, Site
from onemg_kg.site.reference import Phrase, Reference, Rule
from onemg_kg.site.things import Memberships, Thing
from onemg_kg.store import by_graph
from onemg_kg.terms import BASE, NS, PREFIXES, expand, term, text

PROLOGUE = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items())
PROLOGUE += f"@prefix shapes: <{BASE}shapes/> .\n@prefix : <{NS}> .\n"
ONTOLOGY = NS.rstrip("#")
HEAVIEST = 100_000


class _Page(HTMLParser):
    """The text of a page, all of it and below each anchor; its examples; where it links to."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.examples: list[str] = []
        self._open: list[str] = []
        self._below: dict[str, list[str]] = {}
        self._pre = False
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "section":
            self._open.append(found.get("id", ""))
        if tag in {"p", "dt", "dd", "li", "div"}:
            self.handle_data(" ")
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag == "pre":
            self._pre = True
            self.examples.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._open.pop()
        self._pre = self._pre and tag != "pre"

    def handle_data(self, data: str) -> None:
        for anchor in self._open:
            self._below.setdefault(anchor, []).append(data)
        if self._pre:
            self.examples[-1] += data

    def below(self, anchor: str) -> str:
        return " ".join("".join(self._below.get(anchor, ())).split())


def _graph(turtle: str) -> list[ox.Quad]:
    """A graph of an ontology and what the Turtle says."""
    head = f"<{ONTOLOGY}> a owl:Ontology ; dcterms:title 'Small'@en ; owl:versionIRI <{ONTOLOGY}/2.0.0> .\n"
    return list(ox.parse(PROLOGUE + head + turtle, format=ox.RdfFormat.TURTLE))


def _read(turtle: str) -> Reference:
    return reference.read(Descriptions(by_graph(_graph(turtle)).items()))


class _Made:
    """Makes pages of a graph."""

    def __init__(self, quads: list[ox.Quad]) -> None:
        self.descriptions = Descriptions(by_graph(quads).items())
        self.found = reference.read(self.descriptions)
        self.pages = Pages(Site("Site", "1", "", "", False), self.descriptions, {}, {}, [])

    def __call__(self, template: str, iri: str, at: str = "") -> bytes:
        thing = Thing(iri, self.descriptions.describe(document(iri)[0]), self.descriptions, Memberships())
        return self.pages.render(
            template,
            document(at or iri)[0] + ".html",
            title=thing.label,
            description="Text.",
            iri=at or iri,
            thing=thing,
            expand=expand,
            reference=self.found,
        )


def _ontology(turtle: str) -> _Page:
    return _Page(_Made(_graph(turtle))("Ontology.html", ONTOLOGY))


def _said(phrase: Phrase) -> str:
    return "".join(word.text for word in phrase)


def _rules(found: Reference, name: str) -> list[Rule]:
    return next(held for held in found.classes if held.term.name == name).rules()


@pytest.fixture(scope="module")
def quads(loaded: Graph) -> list[ox.Quad]:
    return [*loaded.stated, *loaded.shapes, *loaded.inferred]


@pytest.fixture(scope="module")
def made(quads: list[ox.Quad]) -> _Made:
    return _Made(quads)


@pytest.fixture(scope="module")
def found(made: _Made) -> Reference:
    return made.found


@pytest.fixture(scope="module")
def html(made: _Made) -> bytes:
    return made("Ontology.html", ONTOLOGY)


@pytest.fixture(scope="module")
def page(html: bytes) -> _Page:
    return _Page(html)


def test_every_term_has_its_anchor_and_its_definition(loaded: Graph, page: _Page) -> None:
    """The fragment of a term's IRI leads to its label and definition."""
    definitions = {
        quad.subject.value: text(quad.object)
        for quad in loaded.stated
        if text(quad.subject).startswith(NS) and quad.predicate == term("skos:definition")
    }
    assert len(definitions) > 80
    missing = [
        iri for iri, definition in definitions.items() if " ".join(definition.split()) not in page.below(iri.removeprefix(NS))
    ]
    assert missing == []


def test_no_two_places_have_one_anchor(page: _Page, made: _Made) -> None:
    shapes = _Page(made("shapes.html", BASE + "shapes"))
    for ids in (page.ids, shapes.ids):
        assert len(ids) > 40
        assert sorted(ids) == sorted(set(ids))


def test_every_rule_stands_with_the_classes_that_it_holds_for(loaded: Graph, page: _Page) -> None:
    """Each property shape of a class shape: its message and cardinality, as read here, with the class and all below it."""
    values: dict[object, dict[ox.NamedNode, list[str]]] = {}
    for quad in loaded.shapes:
        values.setdefault(quad.subject, {}).setdefault(quad.predicate, []).append(text(quad.object))

    def said(iri: str, name: str) -> list[str]:
        return values.get(ox.NamedNode(iri), {}).get(term(name), [])

    above = {(text(quad.subject), text(quad.object)) for quad in loaded.stated if quad.predicate == term("rdfs:subClassOf")}
    for _ in range(3):  # no class is deeper
        above |= {(low, top) for low, middle in above for other, top in above if middle == other}
    ours = [text(quad.subject) for quad in loaded.stated if quad.object == term("owl:Class")]
    checked = 0
    for subject in {quad.subject for quad in loaded.shapes if quad.object == term("sh:NodeShape")}:
        for target in said(subject.value, "sh:targetClass"):
            for rule in said(subject.value, "sh:property"):
                low, high = [(said(rule, name) or [""])[0] for name in ("sh:minCount", "sh:maxCount")]
                words = {
                    ("1", "1"): "exactly 1",
                    ("1", ""): "at least 1",
                    ("", "1"): "at most 1",
                    ("", ""): "any number",
                    ("", "0"): "none",
                }[low, high]
                for class_ in ours:
                    if class_ == target or (class_, target) in above:
                        below = page.below(class_.removeprefix(NS))
                        (message,) = said(rule, "sh:message")
                        assert message in below, (class_, rule)
                        assert words in below[: below.index(message)].rpartition("Rule")[2], (class_, rule)
                        checked += 1
    assert checked > 400


def test_examples_are_in_the_graph(found: Reference, page: _Page, quads: list[ox.Quad]) -> None:
    """Each example is Turtle, and each of its statements is in the graph; every class with members of ours has one."""
    held = {quad.triple for quad in quads}
    shown = [held_ for held_ in found.classes if held_.example]
    assert len(shown) == len(page.examples) == sum(held_.members > 0 for held_ in found.classes)
    for class_, example in zip(shown, page.examples, strict=True):
        triples = {quad.triple for quad in ox.parse(example, format=ox.RdfFormat.TURTLE)}
        subject = ox.NamedNode(class_.example.iri) if class_.example else None
        assert subject in {triple.subject for triple in triples}
        named = {t for t in triples if not isinstance(t.subject, ox.BlankNode) and not isinstance(t.object, ox.BlankNode)}
        assert named <= held, class_.term.name
        assert len(named) > 2


def test_members_are_counted_once(found: Reference, loaded: Graph) -> None:
    """As SPARQL counts them, by statement or by rule."""
    for held in found.classes:
        table = loaded.store.select(f"SELECT (COUNT(DISTINCT ?it) AS ?n) WHERE {{ ?it a <{held.term.iri}> }}")
        assert held.members == int(text(table.rows[0][0])), held.term.name


def test_the_version_is_the_same_document(quads: list[ox.Quad], made: _Made, found: Reference, page: _Page) -> None:
    """Under the version IRI the same terms stand, their links stay on the page, and one leads to the latest version."""
    assert found.version_path() == "ns/" + text(
        next(quad.object for quad in quads if quad.predicate == term("owl:versionInfo") and quad.subject.value == ONTOLOGY)
    )
    version = _Page(made("Ontology.html", ONTOLOGY, found.version))
    assert version.ids == page.ids
    assert "../ns.html" in version.links
    assert f"{found.version_path()}.html" in page.links
    assert not [link for link in version.links if link.startswith("../ns.html#")]


def test_the_page_is_light(html: bytes) -> None:
    assert len(gzip.compress(html)) < HEAVIEST


def test_every_concept_stands_once_in_its_scheme(found: Reference, loaded: Graph) -> None:
    """Under the concept that is broader, in the scheme's own order."""

    def flat(concepts: tuple[reference.Concept, ...]) -> list[str]:
        return [iri for concept in concepts for iri in (concept.iri, *flat(concept.narrower))]

    for iri, scheme in found.schemes.items():
        mine = [q.subject.value for q in loaded.stated if q.predicate == term("skos:inScheme") and text(q.object) == iri]
        assert sorted(flat(scheme.top)) == sorted(mine)
        assert scheme.size == len(mine)
    (stage,) = [held for held in found.schemes.values() if held.iri.endswith("/lifecycle-stage")]
    assert [top.name for top in stage.top] == ["data-preparation", "users-journey"]
    assert [low.name for low in stage.top[0].narrower] == ["collection", "standardisation", "publication"]


def test_a_circle_of_concepts_ends() -> None:
    read = _read(
        "<voc/s> a skos:ConceptScheme . <voc/s/a> a skos:Concept ; skos:inScheme <voc/s> ; skos:broader <voc/s/b> ."
        "<voc/s/b> a skos:Concept ; skos:inScheme <voc/s> ; skos:broader <voc/s/a> .".replace("<voc", f"<{BASE}voc")
    )
    (scheme,) = read.schemes.values()
    assert [(top.name, [low.name for low in top.narrower]) for top in scheme.top] == [("a", ["b"])]


SHAPED = """
:Top a owl:Class ; rdfs:label "top"@en ; skos:definition "Above."@en ; rdfs:subClassOf foaf:Agent .
:Low a owl:Class ; rdfs:label "low"@en ; skos:definition "Below."@en ; rdfs:subClassOf :Middle .
:Middle a owl:Class ; rdfs:label "middle"@en ; skos:definition "Between."@en ; rdfs:subClassOf :Top .
:Old a owl:Class ; rdfs:label "old"@en ; skos:definition "Past."@en ; owl:deprecated true ; dcterms:isReplacedBy :Low ;
  skos:changeNote "Too wide, so given up."@en ; owl:disjointWith :Top .
:part a owl:ObjectProperty, owl:TransitiveProperty ; rdfs:label "part"@en ; skos:definition "A part."@en ;
  rdfs:domain :Top ; rdfs:range [ a owl:Class ; owl:unionOf ( :Top :Old ) ] ; owl:deprecated "1"^^xsd:boolean .
:loose a owl:DatatypeProperty ; rdfs:label "loose"@en ; skos:definition "Free."@en ; rdfs:domain :Top .
:same a owl:ObjectProperty ; rdfs:label "same"@en ; skos:definition "Back."@en ; owl:inverseOf :part .
:one a :Low ; rdfs:label "one"@en ; skos:definition "The first."@en .
shapes:TopShape a sh:NodeShape ; rdfs:label "Shape of tops"@en ; sh:targetClass :Top ; sh:property shapes:TopShape-part .
shapes:TopShape-part a sh:PropertyShape ; sh:path :part ; sh:minCount 2 ; sh:maxCount 5 ; sh:class :Top ;
  sh:message "A few."@en .
shapes:AgentShape a sh:NodeShape ; rdfs:label "Shape of agents"@en ; sh:targetClass foaf:Agent ; sh:property
  [ sh:path foaf:name ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "A name."@en ; sh:deactivated true ] .
"""


def test_a_class_has_what_is_asked_of_those_above_it() -> None:
    low = next(held for held in _read(SHAPED).classes if held.term.name == "Low")
    assert low.shapes == ()
    assert [(expand(name), len(rules)) for name, rules in low.inherited] == [(NS + "Top", 1), (expand("foaf:Agent"), 1)]
    part, name = (rules[0] for _, rules in low.inherited)
    assert (part.cardinality, part.severity, part.active) == ("2 to 5", "violation", True)
    assert (name.cardinality, name.severity, name.active, name.iri) == ("at least 1", "warning", False, "")
    assert low.unshaped == (NS + "loose",), "the domain of a property holds for subclasses, and part has a shape"
    page = _ontology(SHAPED)
    assert "2 to 5" in page.below("Low")
    assert "switched off" in page.below("Low")


def test_what_is_deprecated_or_changed_is_marked() -> None:
    page = _ontology(SHAPED)
    for name in ("Old", "part"):
        assert "deprecated" in page.below(name)
    assert "Use low instead" in page.below("Old")
    assert "Too wide, so given up." in page.below("Old")
    assert "deprecated" not in page.below("Low")
    assert "Deprecated: old, part." in page.below("")
    empty = _ontology(":A a owl:Class .")
    assert "No term is deprecated" in empty.below("")


def test_axioms_in_words() -> None:
    page = _ontology(SHAPED)
    assert "object property, transitive property" in page.below("part")
    assert "top or old" in page.below("part"), "a union of classes"
    assert "Inverse same" in page.below("part"), "said of the other side"
    assert "Shares no member with old" in page.below("Top"), "said of the other side"
    assert "The first." in page.below("one"), "an individual"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (":p", "onemg:p"),
        ("( :p [ sh:inversePath :q ] )", "onemg:p/^onemg:q"),
        ("[ sh:alternativePath ( :p ( :q :r ) ) ]", "onemg:p|(onemg:q/onemg:r)"),
        ("[ sh:oneOrMorePath [ sh:alternativePath ( :p :q ) ] ]", "(onemg:p|onemg:q)+"),
        ("[ sh:inversePath ( :p :q ) ]", "^(onemg:p/onemg:q)"),
        ("( :p [ sh:zeroOrMorePath [ sh:inversePath :q ] ] )", "onemg:p/(^onemg:q)*"),
        ("[ sh:zeroOrOnePath :p ]", "onemg:p?"),
    ],
)
def test_a_path_is_written_as_sparql_has_it(path: str, words: str) -> None:
    shape = f":A a owl:Class . shapes:A a sh:NodeShape ; sh:targetClass :A ; sh:property [ sh:path {path} ] ."
    (rule,) = _rules(_read(shape), "A")
    assert _said(rule.path) == words
    assert not ox.Store().query(f"ASK {{ ?s {words} ?o }}", prefixes={"onemg": NS}), "it can be read"


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("sh:in ( 1 'b' :C )", "one of 1, b, onemg:C"),
        (
            "sh:or ( [ sh:class :A ] [ sh:datatype xsd:date ; sh:minLength 2 ] )",
            "of class onemg:A or (of datatype xsd:date, length at least 2)",
        ),
        ("sh:not [ sh:class :C ]", "not of class onemg:C"),
        ("sh:qualifiedValueShape [ sh:nodeKind sh:IRI ] ; sh:qualifiedMinCount 1", "at least 1 of them an IRI"),
        ("sh:node [ sh:property [ sh:path :q ; sh:maxCount 1 ] ]", "conforms to onemg:q: at most 1"),
        ("sh:uniqueLang true", "one in each language"),
        ("sh:uniqueLang false", None),
        ("sh:lessThan :q", "less than each value of onemg:q"),
        ("<https://example.org/own> 3", "https://example.org/own 3"),
    ],
)
def test_a_constraint_in_words(constraint: str, words: str | None) -> None:
    """Every constraint is told, one that no table names too."""
    shape = f":A a owl:Class . shapes:A a sh:NodeShape ; sh:targetClass :A ; sh:property [ sh:path :p ; {constraint} ] ."
    (rule,) = _rules(_read(shape), "A")
    assert [_said(condition) for condition in rule.conditions] == ([] if words is None else [words])


def test_every_vocabulary_in_use_is_named(found: Reference, quads: list[ox.Quad]) -> None:
    used = {quad.predicate.value for quad in quads} | {
        text(quad.object) for quad in quads if quad.predicate == term("rdf:type")
    }
    listed = {iri for held in found.borrowed for iri in held.terms}
    assert {iri for iri in used if not iri.startswith(BASE)} <= listed
    assert not [iri for iri in listed if iri.startswith(BASE)]
