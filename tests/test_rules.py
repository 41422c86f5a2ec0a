"""Each rule of ``queries/rules/`` on the smallest data that shows what follows and what does not."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import queries
from onemg_kg.store import Store
from onemg_kg.terms import BASE, PREFIXES

RULES = Path(__file__).parents[1] / "queries" / "rules"

_PREFIXES = {
    **PREFIXES,
    "": "http://example.org/",
    "voc": BASE + "voc/",
    "stage": BASE + "voc/lifecycle-stage/",
    "journey": BASE + "voc/ehds-journey/",
}
_HEAD = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in _PREFIXES.items())

CASES = {
    "superclass": (
        """
        onemg:Policy rdfs:subClassOf onemg:GuidanceDocument , [ a owl:Restriction ] .
        onemg:GuidanceDocument rdfs:subClassOf dcat:Resource .
        :policy a onemg:Policy .
        :guide a onemg:GuidanceDocument .
        :page a onemg:FrameworkPage .
        """,
        ":policy a onemg:GuidanceDocument . :guide a dcat:Resource .",
    ),
    "superproperty": (
        """
        onemg:inSection rdfs:subPropertyOf dcat:theme .
        onemg:note rdfs:subPropertyOf skos:note .
        :beacon onemg:inSection :discovery ; onemg:note "never a literal" ; onemg:relevantToRole :researcher .
        """,
        ":beacon dcat:theme :discovery .",
    ),
    "inverse-property": (
        """
        onemg:produced owl:inverseOf onemg:producedBy .
        :gdi onemg:produced :report .
        :poster onemg:producedBy :b1mg ; onemg:inSection :elsi .
        """,
        ":report onemg:producedBy :gdi . :b1mg onemg:produced :poster .",
    ),
    "mapping": (
        """
        :m a onemg:Mapping ; rdf:subject :section ; rdf:predicate onemg:alignedWith ; rdf:object :stage .
        :note a rdf:Statement ; rdf:subject :section ; rdf:predicate onemg:alignedWith ; rdf:object :other .
        """,
        ":section onemg:alignedWith :stage .",
    ),
    "listed-on-section-page": (
        """
        :elsi a onemg:FrameworkSection ; onemg:describedOn :page .
        :part a onemg:FrameworkSection ; onemg:describedOn :page ; onemg:describedUnder "Part" .
        :role a onemg:Role ; onemg:describedOn :page .
        :entry a onemg:Listing ; onemg:onPage :page ; onemg:lists :policy .
        :elsewhere a onemg:Listing ; onemg:onPage :other ; onemg:lists :beacon .
        :name a onemg:Mention ; onemg:onPage :page ; onemg:mentions :glossary .
        """,
        ":policy onemg:inSection :elsi .",
    ),
    "listed-under-section-heading": (
        """
        :maturity a onemg:FrameworkSection ; onemg:describedOn :page ; onemg:describedUnder "Maturity" .
        :whole a onemg:FrameworkSection ; onemg:describedOn :page .
        :first a onemg:Listing ; onemg:onPage :page ; onemg:headingPath "Maturity" ; onemg:lists :model .
        :second a onemg:Listing ; onemg:onPage :page ; onemg:headingPath "Maturity > Guide" ; onemg:lists :guide .
        :third a onemg:Listing ; onemg:onPage :page ; onemg:headingPath "Maturity Report" ; onemg:lists :report .
        :fourth a onemg:Listing ; onemg:onPage :other ; onemg:headingPath "Maturity" ; onemg:lists :beacon .
        """,
        ":model onemg:inSection :maturity . :guide onemg:inSection :maturity .",
    ),
    "section-in-broader-section": (
        """
        :discovery skos:broader :technical .
        :beacon onemg:inSection :discovery .
        :roadmap onemg:inSection :technical .
        """,
        ":beacon onemg:inSection :technical .",
    ),
    "national-implementation-in-section": (
        """
        :notes a onemg:NationalImplementation .
        :beacon a onemg:FrameworkResource .
        """,
        ":notes onemg:inSection <https://w3id.org/oneplusmg/voc/section/national-implementation> .",
    ),
    "section-supports-functionality": (
        """
        :finding a onemg:Functionality .
        :stage a onemg:LifecycleStage .
        :discovery onemg:alignedWith :finding , :stage .
        :beacon onemg:inSection :discovery .
        :policy onemg:inSection :elsi .
        """,
        ":beacon onemg:supportsFunctionality :finding .",
    ),
    "section-at-lifecycle-stage": (
        """
        :finding a onemg:Functionality .
        :stage a onemg:LifecycleStage .
        :discovery onemg:alignedWith :finding , :stage .
        :beacon onemg:inSection :discovery .
        :policy onemg:inSection :elsi .
        """,
        ":beacon onemg:atLifecycleStage :stage .",
    ),
    "stage-in-phase": (
        """
        stage:collection skos:broader stage:data-preparation .
        :guide onemg:atLifecycleStage stage:collection .
        :beacon onemg:atLifecycleStage stage:discovery .
        """,
        ":guide onemg:atLifecycleStage stage:data-preparation .",
    ),
    "stage-in-ehds-journey": (
        """
        stage:discovery skos:inScheme voc:lifecycle-stage ; skos:exactMatch journey:data-discovery .
        stage:use skos:inScheme voc:lifecycle-stage ; skos:closeMatch journey:use-of-data , spec:elsewhere .
        stage:collection skos:inScheme voc:lifecycle-stage ; skos:relatedMatch journey:data-preparation .
        journey:data-discovery skos:inScheme voc:ehds-journey ; skos:exactMatch stage:discovery .
        journey:use-of-data skos:inScheme voc:ehds-journey .
        journey:data-preparation skos:inScheme voc:ehds-journey .
        :beacon onemg:atLifecycleStage stage:discovery .
        :workflow onemg:atLifecycleStage stage:use .
        :guide onemg:atLifecycleStage stage:collection .
        :portal onemg:atLifecycleStage journey:data-discovery .
        """,
        """
        :beacon onemg:atLifecycleStage journey:data-discovery .
        :workflow onemg:atLifecycleStage journey:use-of-data .
        """,
    ),
    "listed-on-stage-page": (
        """
        :access skos:inScheme voc:data-life-cycle ; onemg:describedOn :page .
        stage:use skos:inScheme voc:lifecycle-stage ; onemg:describedOn :table .
        :entry a onemg:Listing ; onemg:onPage :page ; onemg:lists :rems .
        :row a onemg:Listing ; onemg:onPage :table ; onemg:lists :proposals .
        """,
        ":rems onemg:atLifecycleStage :access .",
    ),
    "listed-on-use-case-page": (
        """
        :cancer a onemg:UseCase ; onemg:describedOn :page .
        :entry a onemg:Listing ; onemg:onPage :page ; onemg:lists :dataset .
        :name a onemg:Mention ; onemg:onPage :page ; onemg:mentions :beacon .
        """,
        ":dataset onemg:appliesToUseCase :cancer .",
    ),
    "label-on-use-case-page": (
        """
        :cancer a onemg:UseCase ; onemg:describedOn :page .
        :entry a onemg:Listing ; onemg:onPage :page .
        :elsewhere a onemg:Listing ; onemg:onPage :other .
        :there a onemg:RequirementStatement ; prov:wasDerivedFrom :entry .
        :general a onemg:RequirementStatement ; prov:wasDerivedFrom :elsewhere .
        """,
        ":there onemg:inUseCase :cancer .",
    ),
    "labelled-for-use-case": (
        """
        :limited onemg:statesRequirementFor :phenopackets ; onemg:inUseCase :rare .
        :general onemg:statesRequirementFor :beacon .
        """,
        ":phenopackets onemg:appliesToUseCase :rare .",
    ),
    "listed-on-role-page": (
        """
        :member a onemg:Role ; onemg:describedOn :page .
        :entry a onemg:Listing ; onemg:onPage :page ; onemg:lists :policy .
        :name a onemg:Mention ; onemg:onPage :page ; onemg:mentions :model .
        """,
        ":policy onemg:relevantToRole :member .",
    ),
    "section-concerns-role": (
        """
        :elsi a onemg:FrameworkSection .
        stage:use a onemg:LifecycleStage .
        :member onemg:concernedWith :elsi , stage:use .
        :policy onemg:inSection :elsi .
        :beacon onemg:inSection :discovery .
        :workflow onemg:atLifecycleStage stage:use .
        """,
        ":policy onemg:relevantToRole :member .",
    ),
    "stage-concerns-role": (
        """
        :elsi a onemg:FrameworkSection .
        stage:use a onemg:LifecycleStage .
        :member onemg:concernedWith :elsi , stage:use .
        :policy onemg:inSection :elsi .
        :workflow onemg:atLifecycleStage stage:use .
        :beacon onemg:atLifecycleStage stage:discovery .
        """,
        ":workflow onemg:relevantToRole :member .",
    ),
    "listed-on-country-page": (
        """
        country:LUX a dcterms:Location ; onemg:describedOn :page .
        :entry a onemg:Listing ; onemg:onPage :page ; onemg:lists :notes .
        :elsewhere a onemg:Listing ; onemg:onPage :other ; onemg:lists :beacon .
        """,
        ":notes a onemg:NationalImplementation ; dcterms:spatial country:LUX .",
    ),
    "listed-with-country-flag": (
        """
        :flagged a onemg:Listing ; dcterms:spatial country:IRL ; onemg:lists :plan .
        :plain a onemg:Listing ; onemg:lists :beacon .
        """,
        ":plan dcterms:spatial country:IRL .",
    ),
    "listed-on-national-category-page": (
        """
        :training a onemg:NationalCategory ; onemg:describedOn :page .
        :entry a onemg:Listing ; onemg:onPage :page ; onemg:lists :course .
        :elsewhere a onemg:Listing ; onemg:onPage :other ; onemg:lists :beacon .
        """,
        ":course a onemg:NationalImplementation ; onemg:nationalCategory :training .",
    ),
    "listed-under-national-category-heading": (
        """
        country:DEU a dcterms:Location ; onemg:describedOn :page .
        :training a onemg:NationalCategory ; skos:prefLabel "Training materials"@en ; skos:altLabel "Courses"@en .
        :first a onemg:Listing ; onemg:onPage :page ; onemg:headingPath "Training Materials" ; onemg:lists :course .
        :second a onemg:Listing ; onemg:onPage :page ; onemg:headingPath "Germany > Courses" ; onemg:lists :workshop .
        :third a onemg:Listing ; onemg:onPage :page ; onemg:headingPath "Entry page" ; onemg:lists :portal .
        :fourth a onemg:Listing ; onemg:onPage :guide ; onemg:headingPath "Courses" ; onemg:lists :lecture .
        """,
        ":course onemg:nationalCategory :training . :workshop onemg:nationalCategory :training .",
    ),
}
"""For each rule the data it is run on and everything that follows."""


def _parse(turtle: str, graph: ox.NamedNode) -> list[ox.Quad]:
    triples = ox.parse((_HEAD + turtle).encode(), format=ox.RdfFormat.TURTLE)
    return [ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in triples]


def test_every_rule_has_a_case() -> None:
    """A rule without an example of what follows and what does not is not done."""
    assert set(CASES) == {path.stem for path in RULES.glob("*.rq")}


@pytest.mark.parametrize("name", sorted(CASES))
def test_rule(name: str) -> None:
    """A rule gives exactly what follows from the data of its case."""
    given, follows = CASES[name]
    graph = ox.NamedNode("http://example.org/graph")
    rule = queries.read(RULES / f"{name}.rq")
    triples = Store(_parse(given, graph)).construct(rule.text, source=name)
    assert set(triples) == {quad.triple for quad in _parse(follows, graph)}


@pytest.mark.parametrize("path", sorted(RULES.glob("*.rq")), ids=lambda path: path.stem)
def test_rule_says_why(path: Path) -> None:
    """A rule tells its user in a title and a sentence why the statement follows."""
    header = queries.read(path).header
    assert header["title"]
    assert not header["title"].endswith(".")
    assert header["description"].endswith(".")
