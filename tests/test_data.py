"""The rules of curation, one test each; a failure says how to mend the data."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import explain
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.store import Store
from onemg_kg.terms import BASE, PREFIXES, text

Ask = Callable[[str], list[tuple[str, ...]]]
PREFIX = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in PREFIXES.items())
COPIED = 8
"""So many words in a row, the same as on a page, are a copy."""


@pytest.fixture(scope="module")
def ask(loaded: Graph) -> Ask:
    """Asks the whole graph; the answer is rows of text."""

    def rows(query: str) -> list[tuple[str, ...]]:
        return [tuple(text(value) for value in row) for row in loaded.store.select(PREFIX + query).rows]

    return rows


@pytest.fixture(scope="module")
def stated(loaded: Graph) -> Ask:
    """Asks only what the files state."""
    store = Store(loaded.stated)

    def rows(query: str) -> list[tuple[str, ...]]:
        return [tuple(text(value) for value in row) for row in store.select(PREFIX + query).rows]

    return rows


# ---- Identity ----


@pytest.mark.parametrize("folder", ["resources", "projects", "organisations"])
def test_one_thing_a_file(project: Project, folder: str) -> None:
    """A file describes one thing, and its name is the last part of the thing's IRI: rename the file or the thing."""
    kind = {"resources": "resource", "projects": "project", "organisations": "org"}[folder]
    files = project.files("data", folder, suffix=".ttl")
    assert files
    for path in files:
        subjects = {
            text(quad.subject).partition("#")[0]
            for quad in ox.parse(path.read_bytes(), format=ox.RdfFormat.TURTLE)
            if isinstance(quad.subject, ox.NamedNode)
        }
        assert subjects == {f"{BASE}id/{kind}/{path.stem}"}, project.relative(path)


def test_names_are_unique(ask: Ask) -> None:
    """No title or alternative names two resources, in whatever case: give one another title, or merge the two."""
    named = ask("SELECT DISTINCT ?n ?r { ?r a onemg:FrameworkResource ; dcterms:title|dcterms:alternative ?n }")
    count = Counter(" ".join(name.casefold().split()) for name, _ in named)
    assert [name for name, number in count.items() if number > 1] == []


def _normal(address: str) -> str:
    """An address without what does not tell two things apart."""
    return re.sub(r"^https?://(www\.)?", "", address).rstrip("/")


@pytest.mark.parametrize("path", ["dcat:landingPage|foaf:page", "bibo:doi"])
def test_identifiers_are_unique(ask: Ask, path: str) -> None:
    """No address and no DOI is given to two resources: keep it where it belongs, or merge the two."""
    rows = ask(f"SELECT DISTINCT ?x ?r {{ ?r a onemg:FrameworkResource ; {path} ?x }}")
    assert rows
    owners = defaultdict(set)
    for value, resource in rows:
        owners[_normal(value)].add(resource.removeprefix(BASE))
    assert {value: who for value, who in owners.items() if len(who) > 1} == {}


def test_dois_agree_with_addresses(ask: Ask) -> None:
    """Where a resource has a DOI of Zenodo and an address there, they name the same record."""
    for resource, doi, page in ask("SELECT ?r ?d ?p { ?r bibo:doi ?d ; dcat:landingPage ?p }"):
        record = re.search(r"zenodo\.org/records?/(\d+)", page)
        if record and doi.startswith("10.5281/zenodo."):
            assert doi.removeprefix("10.5281/zenodo.") == record[1], resource


NOT_ON_A_PAGE: dict[str, str] = {}
"""Resources that no page lists or mentions, each with the reason why it is held all the same."""


def test_every_resource_is_on_a_page(ask: Ask) -> None:
    """Every resource is listed or mentioned on a page, or NOT_ON_A_PAGE gives the reason: the Framework names what is here."""
    loose = ask("SELECT ?r { ?r a onemg:FrameworkResource MINUS { ?o onemg:lists|onemg:mentions ?r } }")
    assert {resource.removeprefix(BASE + "id/resource/") for (resource,) in loose} == set(NOT_ON_A_PAGE)


# ---- Descriptions ----


def _curated(loaded: Graph) -> list[ox.Quad]:
    """What is written by hand: everything but what sync reads from the site."""
    read = tuple(f"{BASE}graph/data/{folder}/" for folder in ("pages", "listings", "navigation"))
    return [quad for quad in loaded.stated if not text(quad.graph_name).startswith(read)]


def _descriptions(loaded: Graph) -> dict[str, str]:
    """What we wrote ourselves in sentences."""
    ours = {PREFIXES["dcterms"] + "description", PREFIXES["skos"] + "definition", PREFIXES["skos"] + "scopeNote"}
    ours |= {PREFIXES["dcterms"] + "abstract", PREFIXES["skos"] + "editorialNote"}
    return {
        f"{text(quad.subject)} {text(quad.predicate)}": text(quad.object)
        for quad in _curated(loaded)
        if text(quad.predicate) in ours
    }


def _words(said: str) -> list[str]:
    return re.findall(r"\w+", said.casefold())


def test_no_sentence_is_copied(loaded: Graph, site: Path) -> None:
    """No description or definition has eight words in a row that a page has: say it in your own words."""
    runs = set()
    for path in (*site.rglob("*.md"), *site.rglob("*.html")):
        # Comments, tags and link targets out, so that words on both sides of them are in a row.
        shown = re.sub(r"<!--.*?-->|<[^>]*>|\]\([^)]*\)|\{[^}]*\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        said = _words(shown)
        runs |= {tuple(said[i : i + COPIED]) for i in range(len(said) - COPIED + 1)}
    assert runs
    copied = {}
    for where, told in _descriptions(loaded).items():
        said = _words(told)
        for i in range(len(said) - COPIED + 1):
            if tuple(said[i : i + COPIED]) in runs:
                copied[where] = " ".join(said[i : i + COPIED])
    assert copied == {}


def test_descriptions_are_sentences(loaded: Graph) -> None:
    """A description is one to three sentences that start with a capital and end with a full stop, without stray spaces."""
    for where, told in _descriptions(loaded).items():
        assert told[0].isupper() or told[0].isdigit(), where
        assert told.endswith("."), where
        assert " ".join(told.split()) == told, where
        assert not told.endswith(".."), where
        assert len(re.findall(r"[.!?](?= [A-Z])", told)) < 3, where


def test_every_resource_is_described(ask: Ask) -> None:
    """Every resource and every project has a description."""
    for class_ in ("FrameworkResource", "Project"):
        assert ask(f"SELECT ?r {{ ?r a onemg:{class_} FILTER NOT EXISTS {{ ?r dcterms:description ?d }} }}") == []


def test_titles_are_tidy(loaded: Graph) -> None:
    """A title, name or label has no space around it, no line break, no Markdown and no HTML."""
    names = {PREFIXES["dcterms"] + name for name in ("title", "alternative")}
    names |= {PREFIXES["skos"] + name for name in ("prefLabel", "altLabel")} | {PREFIXES["foaf"] + "name"}
    for quad in _curated(loaded):
        if text(quad.predicate) in names:
            told = text(quad.object)
            assert " ".join(told.split()) == told, str(quad)
            assert not re.search(r"\]\(|<\w|\*\*|&\w+;|\{[%{:]", told), str(quad)


# ---- Requirements and occurrences ----


def test_as_many_statements_as_labels(stated: Ask) -> None:
    """Every label on a listing gives one requirement statement, of that level, and there is no statement without a label."""
    labelled = stated("SELECT ?l ?b { ?l a onemg:Listing ; onemg:badge ?b }")
    derived = stated(
        "SELECT ?l ?b { ?s a onemg:RequirementStatement ; prov:wasDerivedFrom ?l ; onemg:level/skos:prefLabel ?b }"
    )
    assert labelled
    assert sorted(labelled) == sorted(derived)
    assert len(stated("SELECT ?s { ?s a onemg:RequirementStatement }")) == len(labelled)


def test_limits_agree(stated: Ask) -> None:
    """A statement is limited to the use cases to which its listing limits the label, and to no other."""
    limited = stated("SELECT ?l ?u { ?l a onemg:Listing ; onemg:badge ?b ; onemg:limitedToUseCase ?u }")
    derived = stated("SELECT ?l ?u { ?s prov:wasDerivedFrom ?l ; onemg:inUseCase ?u }")
    assert limited
    assert sorted(limited) == sorted(derived)


def test_phenopackets_is_held_twice(stated: Ask) -> None:
    """Phenopackets is Required for rare disease only on one page and without a limit on another: both are held."""
    rows = stated(
        f"SELECT ?page ?u {{ ?s onemg:statesRequirementFor <{BASE}id/resource/phenopackets> ; prov:wasDerivedFrom ?l ; "
        f"onemg:level <{BASE}voc/requirement-level/required> . ?l onemg:onPage ?page "
        "OPTIONAL { ?s onemg:inUseCase ?u } }"
    )
    limits = {use_case.removeprefix(BASE) for _, use_case in rows}
    assert limits == {"", "voc/use-case/rare-disease"}
    assert len({page for page, _ in rows}) > 1


def test_occurrences_are_where_the_site_has_them(stated: Ask, site: Path) -> None:
    """The text of each listing or mention, and its label, stand in the source file on the line that is given."""
    rows = stated(
        "SELECT ?f ?line ?t ?b ?bl { ?o onemg:lists|onemg:mentions ?r ; onemg:onPage/onemg:sourceFile ?f ; "
        "onemg:sourceLine ?line OPTIONAL { ?o onemg:linkText ?t } OPTIONAL { ?o onemg:badge ?b ; onemg:badgeLine ?bl } }"
    )
    assert rows
    for file, line, said, badge, badge_line in rows:
        lines = (site / file).read_text(encoding="utf-8-sig").splitlines()
        assert 1 <= int(line) <= len(lines), f"{file}:{line}"
        if badge:
            assert badge in lines[int(badge_line) - 1], f"{file}:{badge_line} has no {badge}"
        words = set(_words(said))
        here = set(_words(" ".join(lines[int(line) - 1 : int(line) + 5])))
        assert not words or words & here, f"{file}:{line} has nothing of {said!r}"


# ---- Projects, countries, mappings ----


PROJECTS = {
    # what the Framework's page about itself says of each: from, until
    "1mg": ("2018", ""),
    "b1mg": ("2020", "2023"),
    "gdi": ("2022", "2026"),
    "goe": ("2024", "2028"),
    "b1mgplus": ("2025", "2028"),
}


def test_projects(stated: Ask) -> None:
    """The five projects are there, each with the years that the site gives and a web site."""
    rows = stated(
        "SELECT ?p ?from ?to ?home { ?p a onemg:Project ; foaf:homepage ?home ; dcterms:temporal ?t . "
        "?t dcat:startDate ?from OPTIONAL { ?t dcat:endDate ?to } }"
    )
    assert {iri.removeprefix(BASE + "id/project/"): (start, end) for iri, start, end, _ in rows} == PROJECTS
    assert all(home.startswith("https://") for *_, home in rows)


def test_projects_are_on_the_page(stated: Ask, site: Path) -> None:
    """The years and the web site of a project are those that the page about the Framework names."""
    page = (site / "pages" / "about" / "about-the-framework.md").read_text(encoding="utf-8")
    for home, start in stated(
        "SELECT ?home ?from { ?p a onemg:Project ; foaf:homepage ?home ; dcterms:temporal/dcat:startDate ?from }"
    ):
        assert _normal(home) in page
        assert start in page


def test_countries(stated: Ask) -> None:
    """Every page of a country belongs to one country, by its two-letter code, and every country with a page has one."""
    pages = {page for (page,) in stated("SELECT ?p { ?p a onemg:FrameworkPage ; dcterms:spatial ?c }")}
    told = stated("SELECT ?n ?c ?p { ?c a dcterms:Location ; skos:notation ?n OPTIONAL { ?c onemg:describedOn ?p } }")
    assert {page for *_, page in told if page} == pages
    for notation, country, page in told:
        assert country.startswith(PREFIXES["country"])
        code = {"GB": "uk"}.get(notation, notation.lower())
        assert not page or page == f"{BASE}id/page/{code}-resources", f"{country} has the page {page}"


def test_as_many_countries_as_country_pages(stated: Ask, site: Path) -> None:
    """There is a country for each file of national resources on the site."""
    files = [path for path in site.rglob("*.md") if re.fullmatch(r"[a-z]{2}_resources", path.stem.strip())]
    assert files
    assert len(stated("SELECT ?c { ?c a dcterms:Location ; onemg:describedOn ?p }")) == len(files)


@pytest.mark.parametrize(("code", "iri"), [("GB", "GBR"), ("GR", "GRC")])
def test_codes_that_are_often_wrong(stated: Ask, code: str, iri: str) -> None:
    """The United Kingdom is GB and Greece GR, as in ISO 3166-1, not UK and EL."""
    assert stated(f'SELECT ?c {{ ?c skos:notation "{code}" }}') == [(PREFIXES["country"] + iri,)]


def test_mappings_have_reason_and_author(stated: Ask) -> None:
    """Every mapping gives a reason of its own and says whose it is; none is laid at the door of 1+MG."""
    mappings = stated("SELECT ?m { ?m a onemg:Mapping }")
    rows = stated("SELECT ?m ?why ?who { ?m a onemg:Mapping ; dcterms:description ?why ; prov:wasAttributedTo ?who }")
    assert {m for m, *_ in rows} == {m for (m,) in mappings}
    assert len(rows) == len(mappings)
    for mapping, why, who in rows:
        from_site = bool(stated(f"SELECT ?p {{ <{mapping}> onemg:onPage ?p }}"))
        expected = "framework-editors" if from_site else "onemg-kg"
        assert who == f"{BASE}id/org/{expected}", f"{mapping}: an editorial mapping is ours, a read one the Framework's"
        assert len(_words(why)) > 3, mapping


def test_mappings_are_stated_once(stated: Ask) -> None:
    """No two mappings say the same."""
    rows = stated("SELECT ?s ?p ?o { ?m rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o }")
    assert len(rows) == len(set(rows))


def test_nothing_is_left_over(stated: Ask) -> None:
    """Every organisation and every kind of resource is used by something: remove it otherwise."""
    assert stated("SELECT ?o { ?o a foaf:Organization FILTER NOT EXISTS { ?x ?p ?o } }") == []
    kinds = f"?k skos:inScheme <{BASE}voc/resource-type>"
    unused = stated(
        f"SELECT ?k {{ {kinds} FILTER NOT EXISTS {{ ?r dcterms:type/skos:broader* ?k . ?r a ?c FILTER(?c != skos:Concept) }} }}"
    )
    assert unused == []


def test_links_within_the_graph_lead_somewhere(loaded: Graph) -> None:
    """Every IRI of ours that a statement points to is described."""
    known = {text(quad.subject) for quad in loaded.stated}
    documents = {PREFIXES["dcterms"] + "conformsTo", PREFIXES["dcat"] + "landingPage", PREFIXES["owl"] + "versionIRI"}
    documents |= {PREFIXES["foaf"] + "homepage", PREFIXES["void"] + "vocabulary"}
    for quad in loaded.stated:
        if (
            isinstance(quad.object, ox.NamedNode)
            and quad.object.value.startswith(BASE)
            and text(quad.predicate) not in documents
        ):
            ours = quad.object.value in known or quad.object.value.startswith(BASE + "shapes")
            assert ours, f"nothing describes {quad.object.value}: {quad}"


# ---- The seeds of the project ----

SEEDS = {
    "section": [
        "Sequencing Guidelines",
        "Data Models & Ontologies",
        "Technical infrastructure",
        "Implementation into Healthcare",
        "Maturity Level Model",
        "HEOR",
        "Governance & ELSI",
        "ELSI",
        "National resources",
    ],
    "requirement-level": ["Required", "Recommended", "Informational"],
    "use-case": ["Rare disease", "Cancer", "Common and complex disease", "Infectious disease", "Population genomics"],
    "role": ["Data access committee member", "Researcher", "Healthcare"],
    "resource": ["Editorial guidelines", "1+MG Glossary", "1+MG Roadmap"],
    "project": ["1+MG", "B1MG", "B1MGplus", "GDI", "Genome of Europe"],
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in SEEDS.items() for name in names])
def test_seeds_are_findable(stated: Ask, kind: str, name: str) -> None:
    """What the project was asked to hold is there under the name by which it was asked for, in whatever case."""
    space = BASE + ("id/" if kind in {"resource", "project"} else "voc/") + kind + "/"
    names = "dcterms:title|dcterms:alternative|skos:prefLabel|skos:altLabel"
    found = stated(
        f'SELECT DISTINCT ?t {{ ?t {names} ?n FILTER(LCASE(STR(?n)) = "{name.lower()}" && STRSTARTS(STR(?t), "{space}")) }}'
    )
    assert len(found) == 1, f"{name!r} names {found} in {space}"


def test_every_resource_is_found_by_its_title(loaded: Graph, stated: Ask) -> None:
    """The title and each alternative of a resource find it, though a page may have the same name."""
    rows = stated("SELECT ?r ?n { ?r dcterms:title|dcterms:alternative ?n . ?o onemg:lists|onemg:mentions ?r }")
    assert rows
    for resource, name in set(rows):
        assert explain.find(loaded, name) == resource
