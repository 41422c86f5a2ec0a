"""The facets: that each choice holds what SPARQL finds, and what is said of a query that is no facet."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import facets, queries
from onemg_kg.errors import QueryError
from onemg_kg.facets import Choice, Facet
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.store import Store
from onemg_kg.terms import BASE, PREFIXES

PROLOGUE = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in PREFIXES.items())
PATTERNS = {
    "level": "?statement onemg:level {} . ?statement onemg:statesRequirementFor ?r",
    "use-case": "?r onemg:appliesToUseCase {}",
    "role": "?r onemg:relevantToRole {}",
    "stage": "?r onemg:atLifecycleStage {}",
    "section": "?r onemg:inSection {}",
    "functionality": "?r onemg:supportsFunctionality {}",
    "kind": "?r dcterms:type {}",
    "project": "{} onemg:produced ?r",
    "country": "?r dcterms:spatial {}",
}
"""What each facet asks, written apart from its query."""
NONE = "?r dcterms:title ?any MINUS { ?r onemg:hasRequirementStatement ?statement }"
EX = "https://example.org/"
FACET = """#+ title: Colour
#+ order: 1
SELECT ?resource ?value ?valueLabel ?basis ?broader WHERE {{
  ?resource <https://example.org/colour> ?value . BIND("a colour" AS ?valueLabel) BIND("stated" AS ?basis) {}
}} ORDER BY ?value"""


@pytest.fixture(scope="module")
def found(project: Project, loaded: Graph) -> list[Facet]:
    return facets.collect(project, loaded.store)


def members(store: Store, name: str, choice: Choice) -> set[str]:
    """The resources of a choice, by SPARQL of our own."""
    where = PATTERNS[name].format(f"<{choice.iri}>") if choice.iri else NONE
    rows = store.select(f"{PROLOGUE}SELECT DISTINCT ?r {{ ?r a onemg:FrameworkResource . {where} }}").rows
    return {str(row[0].value) for row in rows if row[0]}  # type: ignore[union-attr]


def test_every_facet_of_the_explorer_is_there_in_order(found: list[Facet]) -> None:
    assert [facet.name for facet in found] == list(PATTERNS)


def test_every_choice_holds_what_sparql_finds(found: list[Facet], loaded: Graph) -> None:
    held = {(facet.name, choice.slug): set(choice.members) for facet in found for choice in facet.choices}
    asked = {(facet.name, one.slug): members(loaded.store, facet.name, one) for facet in found for one in facet.choices}
    assert held == asked
    assert len(held) > 80


def test_no_value_is_forgotten(found: list[Facet], loaded: Graph) -> None:
    """Each resource that has a value at all is in a choice."""
    for facet in found:
        where = PATTERNS[facet.name].format("?value")
        if facet.name == "stage":
            where += " . ?value skos:inScheme <https://w3id.org/oneplusmg/voc/lifecycle-stage>"
        rows = loaded.store.select(f"{PROLOGUE}SELECT DISTINCT ?value {{ ?r a onemg:FrameworkResource . {where} }}").rows
        assert {str(row[0].value) for row in rows if row[0]} == {one.iri for one in facet.choices if one.iri}, facet.name  # type: ignore[union-attr]


def test_what_follows_by_rules_is_told_apart(found: list[Facet], loaded: Graph) -> None:
    stated = {quad.triple for quad in loaded.stated}
    inferred = {quad.triple for quad in loaded.inferred}
    seen = set()
    for facet in found:
        for choice in facet.choices:
            for iri, basis in choice.members.items():
                if facet.property and choice.iri:
                    prefix, _, local = facet.property.partition(":")
                    triple = ox.Triple(ox.NamedNode(iri), ox.NamedNode(PREFIXES[prefix] + local), ox.NamedNode(choice.iri))
                    assert triple in (stated if basis == "stated" else inferred - stated)
                seen.add(basis)
    assert seen == {"stated", "follows"}


def test_parts_stand_below_what_they_are_part_of(found: list[Facet]) -> None:
    by_name = {facet.name: [(choice.slug, choice.depth) for choice in facet.choices] for facet in found}
    assert by_name["stage"][:5] == [
        ("data-preparation", 0),
        ("collection", 1),
        ("standardisation", 1),
        ("publication", 1),
        ("users-journey", 0),
    ]
    assert by_name["level"] == [("required", 0), ("recommended", 0), ("informational", 0), ("none", 0)]
    assert by_name["section"].index(("data-discovery", 1)) > by_name["section"].index(("technical-infrastructure", 0))


def test_every_resource_is_listed_once_with_its_labels(project: Project, loaded: Graph) -> None:
    resources = facets.resources(project, loaded.store)
    rows = loaded.store.select(f"{PROLOGUE}SELECT ?r {{ ?r a onemg:FrameworkResource }}").rows
    assert sorted(one.iri for one in resources) == sorted(str(row[0].value) for row in rows if row[0])  # type: ignore[union-attr]
    statements = loaded.store.select(
        f"{PROLOGUE}SELECT ?s ?u {{ ?s onemg:level ?l OPTIONAL {{ ?s onemg:inUseCase ?u }} }}"
    ).rows
    assert len(statements) == sum(len(one.labels) for one in resources)
    beacon = next(one for one in resources if one.iri.endswith("/beacon"))
    assert [other.value for other in beacon.alternatives] == ["Beacon V2", "GA4GH Beacon V2"]
    assert beacon.types == [PREFIXES["onemg"] + "Standard"]
    limited = next(one for one in resources if one.iri.endswith("/minimal-dataset-for-cancer"))
    assert [(label.label, label.limit) for label in limited.labels] == [("Required", None), ("Required", "Cancer")]


def _query(folder: Path, text: str, name: str = "colour") -> queries.Query:
    path = folder / "queries" / "facets" / f"{name}.rq"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return queries.read(path, "facets")


def _store(*triples: tuple[str, str, str]) -> Store:
    return Store(ox.Quad(*(ox.NamedNode(EX + name) for name in triple), ox.NamedNode(EX + "graph")) for triple in triples)


def test_a_facet_is_added_as_a_file(tmp_path: Path) -> None:
    _query(tmp_path, FACET.format(""))
    (facet,) = facets.collect(Project(tmp_path, "0"), _store(("a", "colour", "red"), ("b", "colour", "red")))
    assert (facet.name, facet.title, facet.property) == ("colour", "Colour", "")
    assert facet.choices == [Choice("red", "a colour", EX + "red", 0, {EX + "a": "stated", EX + "b": "stated"})]


def test_a_circle_of_parts_loses_nothing(tmp_path: Path) -> None:
    query = _query(tmp_path, FACET.format("?value <https://example.org/in> ?broader"))
    store = _store(("a", "colour", "red"), ("b", "colour", "blue"), ("red", "in", "blue"), ("blue", "in", "red"))
    assert [(choice.slug, choice.depth) for choice in facets.run(query, store).choices] == [("blue", 0), ("red", 1)]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("#+ order: 1\nSELECT ?resource { ?resource a ?value }", "colour", r"selects no \?value, \?valueLabel, \?basis"),
        (FACET.format(""), "sort", "parameter that is no facet"),
        (FACET.format("").replace('"stated"', '"guessed"'), "colour", "a basis that is none"),
        (FACET.format("FILTER(false)").replace("order: 1", "order: first"), "colour", "its order is 'first'"),
        (FACET.format(""), "colour", r"two values that an address names 'red': \S+/dark/red and \S+/light/red"),
    ],
)
def test_what_is_no_facet(tmp_path: Path, text: str, name: str, message: str) -> None:
    _query(tmp_path, text, name)
    store = _store(("a", "colour", "dark/red"), ("a", "colour", "light/red"))
    with pytest.raises(QueryError, match=message):
        facets.collect(Project(tmp_path, "0"), store)


def test_addresses_of_choices_are_plain(found: list[Facet]) -> None:
    slugs = [choice.slug for facet in found for choice in facet.choices]
    assert all(slug.replace("-", "").isalnum() and slug.isascii() for slug in slugs)
    assert all(choice.iri is None or choice.iri.startswith((BASE, PREFIXES["country"])) for f in found for choice in f.choices)
