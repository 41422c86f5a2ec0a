"""The explorer in a real browser: what it finds and counts is what SPARQL finds, in whatever way one asks."""

import csv
import gzip
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from onemg_kg import facets
from onemg_kg.descriptions import Descriptions
from onemg_kg.facets import Choice, Facet, Resource
from onemg_kg.formats import Context, derive, tokens
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.site import explorer
from onemg_kg.site.pages import ASSETS, Pages, Site
from onemg_kg.store import Store, by_graph
from onemg_kg.terms import BASE, PREFIXES

POLICY = "default-src 'self'"
PROLOGUE = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in PREFIXES.items())
PATHS = {
    "level": "^onemg:statesRequirementFor/onemg:level",
    "use-case": "onemg:appliesToUseCase",
    "role": "onemg:relevantToRole",
    "stage": "onemg:atLifecycleStage",
    "section": "onemg:inSection",
    "functionality": "onemg:supportsFunctionality",
    "kind": "dcterms:type",
    "project": "onemg:producedBy",
    "country": "dcterms:spatial",
}
COMBINATIONS: list[dict[str, list[str]]] = [
    {},
    {"level": ["required"], "stage": ["discovery"]},
    {"level": ["required", "recommended"]},
    {"level": ["none"], "country": ["DEU", "EST"], "kind": ["video", "web-site", "service"]},
    {"role": ["researcher"], "section": ["data-metadata"], "use-case": ["cancer", "rare-disease"]},
    {"project": ["gdi"], "level": ["informational"], "functionality": ["processing"]},
]
Asked = Mapping[str, list[str]]


@pytest.fixture(scope="module")
def found(project: Project, loaded: Graph) -> list[Facet]:
    return facets.collect(project, loaded.store)


@pytest.fixture(scope="module")
def resources(project: Project, loaded: Graph) -> list[Resource]:
    return facets.resources(project, loaded.store)


@pytest.fixture(scope="module")
def published(loaded: Graph) -> Context:
    return derive(PREFIXES, tokens([*loaded.stated, *loaded.inferred]))


def _render(loaded: Graph, published: Context, found: list[Facet], resources: list[Resource]) -> bytes:
    descriptions = Descriptions(by_graph([*loaded.stated, *loaded.inferred]).items())
    pages = Pages(Site("Site", "1", "", "", False), descriptions, {}, {}, [])
    ((path, content),) = explorer.render(pages, descriptions, published, found, resources)
    assert path == "explorer.html"
    return content


@pytest.fixture(scope="module")
def html(loaded: Graph, published: Context, found: list[Facet], resources: list[Resource]) -> bytes:
    return _render(loaded, published, found, resources)


def _many(number: int) -> tuple[list[Facet], list[Resource]]:
    """Far more resources than the Framework has, some of them with what could break a page or a file."""
    iris = [f"{BASE}id/resource/r{n:05}" for n in range(number)]
    resources = [
        Resource(
            iri,
            ox.Literal(f"Resource {n} of {'odd' if n % 2 else 'even'} words{n % 997}", language="en"),
            ox.Literal(f"About thing{n % 4001} and matter{n % 53}.", language="en"),
            None,
            [PREFIXES["onemg"] + "Tool"],
        )
        for n, iri in enumerate(iris)
    ]
    resources[0].title = ox.Literal('</script><b id="bad">Zürich, "quoted"</b> & Łódź', language="de")
    kinds = [
        Choice(f"kind-{k}", f"Kind {k}", f"{BASE}voc/kind-{k}", 0, dict.fromkeys(iris[k::40], "stated")) for k in range(40)
    ]
    roles = [Choice(f"role-{k}", f"Role {k}", None, 0, dict.fromkeys(iris[:: k + 1], "follows")) for k in range(60)]
    return [Facet("kind", "Kind", "", "dcterms:type", kinds), Facet("role", "Role", "", "", roles)], resources


@pytest.fixture(scope="module")
def folder(html: bytes, loaded: Graph, published: Context, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(ASSETS, root / "assets", ignore=shutil.ignore_patterns("vendor"))
    (root / "explorer.html").write_bytes(html)
    (root / "many.html").write_bytes(_render(loaded, published, *_many(15_000)))
    return root


def test_the_page_is_light_and_the_same_every_time(html: bytes, project: Project, loaded: Graph, published: Context) -> None:
    weight = sum(
        len(gzip.compress(part)) for part in (html, *((ASSETS / f"explorer.{end}").read_bytes() for end in ("js", "css")))
    )
    assert weight < 100_000
    assert _render(loaded, published, facets.collect(project, loaded.store), facets.resources(project, loaded.store)) == html


class _Handler(SimpleHTTPRequestHandler):
    """The files, under a policy that lets nothing inline run."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the tests have their own words."""


@pytest.fixture(scope="module")
def address(folder: Path, serve_folder: Callable[..., str]) -> str:
    return serve_folder(folder, _Handler)


@pytest.fixture
def page(open_tab: Callable[..., Any], address: str) -> Iterator[Any]:
    """A tab of a wide window."""
    with open_tab(address, 1280, 900) as tab:
        yield tab


def _query(asked: Asked) -> str:
    return "&".join(f"{name}={slug}" for name, slugs in asked.items() for slug in slugs)


def _total(page: Any) -> int:
    return int(page.locator("#status").inner_text().split(" ")[0])


def _counts(page: Any) -> dict[tuple[str, str], int]:
    """The count on every choice."""
    found = page.locator(".facet .choice").evaluate_all(
        "all => all.map(one => [one.firstChild.name, one.firstChild.value, Number(one.lastChild.textContent)])"
    )
    return {(name, slug): count for name, slug, count in found}


def _titles(page: Any) -> list[str]:
    return [str(title) for title in page.locator("#results .name").all_inner_texts()]


def _sparql(store: Store, found: list[Facet], asked: Asked, *, stated: bool = False) -> set[str]:
    """The resources that are asked for, by one query of our own: a UNION a facet."""
    iris = {(facet.name, choice.slug): choice.iri for facet in found for choice in facet.choices}
    alternatives = {
        name: [
            (f"?r {PATHS[name]} <{iris[name, slug]}>" if iris[name, slug] else f"MINUS {{ ?r {PATHS[name]} ?any }}")
            for slug in slugs
        ]
        for name, slugs in asked.items()
    }
    if stated:
        alternatives = {
            name: [
                f"GRAPH ?g {{ {one} }} FILTER(!STRSTARTS(STR(?g), '{BASE}graph/rules/'))" if name != "level" else one
                for one in ones
            ]
            for name, ones in alternatives.items()
        }
    group = " ".join(
        "{ " + " } UNION { ".join(f"?r a onemg:FrameworkResource . {one}" for one in ones) + " }"
        for ones in alternatives.values()
    )
    rows = store.select(f"{PROLOGUE}SELECT DISTINCT ?r {{ ?r a onemg:FrameworkResource . {group} }}").rows
    return {row[0].value for row in rows if isinstance(row[0], ox.NamedNode)}


def test_every_single_choice_finds_what_sparql_finds(page: Any, found: list[Facet], loaded: Graph) -> None:
    page.goto("explorer.html")
    counts = _counts(page)
    asked = {(facet.name, choice.slug): {facet.name: [choice.slug]} for facet in found for choice in facet.choices}
    assert counts == {key: len(_sparql(loaded.store, found, one)) for key, one in asked.items()}
    # One choice after the other, each taken back.
    results = page.evaluate(
        """() => [...document.querySelectorAll(".facet input")].map((box) => {
            box.click();
            const said = document.getElementById("status").textContent;
            box.click();
            return [box.name, box.value, parseInt(said)];
        })"""
    )
    assert {(name, slug): total for name, slug, total in results} == counts
    assert _total(page) == 151


@pytest.mark.parametrize("asked", COMBINATIONS, ids=_query)
def test_counts_are_what_each_choice_would_find_given_the_other_facets(
    page: Any, found: list[Facet], loaded: Graph, asked: Asked
) -> None:
    page.goto(f"explorer.html?{_query(asked)}")
    expected = _sparql(loaded.store, found, asked)
    assert _total(page) == len(expected)
    while page.locator("#more").is_visible():
        page.locator("#more").click()
    links = page.locator("#results .name").evaluate_all("all => all.map(one => new URL(one.href).pathname)")
    assert {BASE + str(link)[1:].removesuffix(".html") for link in links} == expected
    assert _counts(page) == {
        (facet.name, choice.slug): len(_sparql(loaded.store, found, {**asked, facet.name: [choice.slug]}))
        for facet in found
        for choice in facet.choices
    }


def test_only_what_is_stated(page: Any, found: list[Facet], loaded: Graph) -> None:
    page.goto("explorer.html?country=DEU")
    page.get_by_role("checkbox", name="Only what is stated").check()
    assert page.url.endswith("?country=DEU&stated=yes")
    assert _total(page) == len(_sparql(loaded.store, found, {"country": ["DEU"]}, stated=True)) == 9
    asked = [(facet.name, choice.slug) for facet in found for choice in facet.choices]
    expected = {
        (name, slug): len(_sparql(loaded.store, found, {**({"country": ["DEU"]}), name: [slug]}, stated=True))
        for name, slug in asked
    }
    assert _counts(page) == expected
    assert expected["role", "researcher"] == 0 < expected["kind", "video"]


def test_the_address_is_the_state_and_the_back_button_restores_it(page: Any) -> None:
    page.goto("explorer.html?q=beacon&level=required&stage=discovery")
    assert page.get_by_role("searchbox").input_value() == "beacon"
    assert page.get_by_role("checkbox", name="Required").is_checked()
    assert _titles(page) == ["Beacon", "Beacon Network"]
    page.goto("explorer.html?level=required&stage=discovery")
    page.get_by_role("checkbox", name="Recommended").check()
    page.get_by_label("Sort by").select_option("level")
    page.get_by_role("searchbox").press_sequentially("data")
    here = page.url
    assert here.endswith("explorer.html?q=data&level=required&level=recommended&stage=discovery&sort=level")
    titles = _titles(page)
    page.go_back()  # to before any word was typed, not by the letter
    assert page.url.endswith("?level=required&level=recommended&stage=discovery&sort=level")
    page.go_back()
    page.go_back()
    assert page.url.endswith("?level=required&stage=discovery")
    assert (page.get_by_role("checkbox", name="Recommended").is_checked(), page.get_by_label("Sort by").input_value()) == (
        False,
        "best",
    )
    for _ in range(3):
        page.go_forward()
    assert (page.url, _titles(page)) == (here, titles)
    page.reload()
    assert (page.url, _titles(page)) == (here, titles)
    page.get_by_role("button", name="Remove Label: Required").click()
    assert page.url.endswith("?q=data&level=recommended&stage=discovery&sort=level")
    page.get_by_role("button", name="Clear all").click()
    assert page.url.endswith("explorer.html?sort=level")
    assert _total(page) == 151


def test_what_the_address_asks_for_and_is_no_choice_is_said(page: Any) -> None:
    page.goto("explorer.html?level=requird&stage=discovery&unknown=1")
    assert page.locator("#wrong").inner_text().endswith("left out: Label: requird.")
    assert _total(page) == _counts(page)["stage", "discovery"]
    page.get_by_role("checkbox", name="Required").check()
    assert page.locator("#wrong").is_hidden()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("beacon", ["Beacon", "Beacon Network"]),  # the title itself before what goes on
        ("BECON", ["Beacon", "Beacon Network"]),  # a letter too few
        ("baecon", ["Beacon", "Beacon Network"]),  # two swapped
        ("crypt5gh", ["Crypt4GH"]),
        ("phenopac", ["Phenopackets"]),  # as one types
        ("etats generaux", ["États généraux de la bioéthique: report on citizens' opinions"]),
        ("network beacon", ["Beacon Network"]),  # every word, in any order
        ("1+MG-MDC", ["1+MG Minimal dataset for cancer"]),  # another title
    ],
)
def test_search(page: Any, words: str, first: list[str]) -> None:
    page.goto("explorer.html")
    page.get_by_role("searchbox").fill(words)
    titles = _titles(page)
    assert titles[: len(first)] == first, titles[:5]
    assert _total(page) < 20


def test_search_is_bound_to_every_word_and_to_short_words_as_they_are(page: Any) -> None:
    page.goto("explorer.html?q=beacon+zzzzz")
    assert _total(page) == 0
    assert "remove a filter" in page.get_by_role("status").inner_text()
    assert page.locator("#csv").is_disabled()
    page.goto("explorer.html?q=vfc")  # a slip, but too short a word to guess
    assert _total(page) == 0
    page.goto("explorer.html?q=%2B")  # no word at all
    assert _total(page) == 151


def test_sorting(page: Any) -> None:
    page.goto("explorer.html?q=data&sort=title")
    titles = _titles(page)
    assert len(titles) > 10
    assert titles == sorted(titles, key=str.casefold)
    page.goto("explorer.html?sort=level")
    while page.locator("#more").is_visible():
        page.locator("#more").click()
    labels = page.locator("#results li").evaluate_all(
        "all => all.map(one => [...one.querySelectorAll('.badge')].map(badge => badge.textContent))"
    )
    order = ["Required", "Recommended", "Informational"]
    ranks = [min((order.index(label) for label in one), default=3) for one in labels]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2, 3}


def test_fifty_at_a_time(page: Any) -> None:
    page.goto("explorer.html")
    assert page.locator("#results > li").count() == 50
    page.get_by_role("button", name="Show more").click()
    assert page.locator("#results > li").count() == 100
    assert page.evaluate("document.activeElement.textContent") == _titles(page)[50]


def test_everything_is_done_with_the_keyboard(page: Any) -> None:
    page.goto("explorer.html?use-case=infectious-disease")
    page.locator("#q").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    passed = []
    for _ in range(40):
        page.keyboard.press("Tab")
        passed.append(page.evaluate("document.activeElement.value ?? document.activeElement.textContent.trim()"))
    assert passed.index("Label") < passed.index("required") < passed.index("none") < passed.index("Use case 1 chosen")
    assert "project-finalisation" in passed
    box = page.locator('input[value="required"]')
    box.focus()
    assert box.get_attribute("aria-disabled") == "true"  # none of it: reached, read, but not chosen
    page.keyboard.press("Space")
    assert not box.is_checked()
    assert page.url.endswith("?use-case=infectious-disease")
    page.locator('input[value="infectious-disease"]').focus()
    page.keyboard.press("Space")
    assert _total(page) == 151
    assert box.get_attribute("aria-disabled") is None
    box.focus()
    page.keyboard.press("Space")
    assert page.get_by_role("status").inner_text() == "23 of 151 resources"
    page.get_by_role("button", name="Remove Label: Required").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "q"  # the focus is not lost with what was removed
    page.locator("summary", has_text="Section").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "governance-elsi"


def test_filters_are_named_for_who_cannot_see_them(page: Any) -> None:
    page.goto("explorer.html")
    group = page.get_by_role("group", name="Lifecycle stage").get_by_role("checkbox")
    assert group.count() == 9
    assert page.get_by_role("group", name="Label").get_by_role("checkbox", name="Required 23").count() == 1
    assert page.get_by_role("list", name="Chosen filters").count() == 0


def _saved(page: Any, button: str, to: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    waiting.value.save_as(to / waiting.value.suggested_filename)
    return to / str(waiting.value.suggested_filename)


def test_a_saved_table_has_the_rows_that_are_shown(page: Any, found: list[Facet], loaded: Graph, tmp_path: Path) -> None:
    asked = {"level": ["required"], "use-case": ["cancer", "rare-disease"]}
    page.goto(f"explorer.html?{_query(asked)}")
    path = _saved(page, "CSV", tmp_path)
    assert path.name == "onemg-resources.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert {row["id"] for row in rows} == _sparql(loaded.store, found, asked)
    assert [row["title"] for row in rows] == _titles(page)
    cancer = next(row for row in rows if row["id"].endswith("/minimal-dataset-for-cancer"))
    assert cancer["level"] == "Required; Required (Cancer only)"
    assert cancer["kind"] == "Data model"
    for facet in found:
        labels = [choice.label for choice in facet.choices if cancer["id"] in choice.members]
        assert facet.name == "level" or cancer[facet.name] == "; ".join(labels)


@pytest.mark.parametrize("stated", [False, True])
def test_saved_data_say_what_the_graph_says(page: Any, found: list[Facet], loaded: Graph, tmp_path: Path, stated: bool) -> None:
    asked = {"level": ["required", "informational"]} if stated else {"level": ["required"], "stage": ["discovery", "use"]}
    page.goto(f"explorer.html?{_query(asked)}{'&stated=yes' if stated else ''}")
    path = _saved(page, "JSON-LD", tmp_path)
    triples = {quad.triple for quad in ox.parse(path.read_bytes(), format=ox.RdfFormat.JSON_LD)}
    # The link from a resource to a statement about it is the inverse of one that is stated; its use case is part of it.
    always = {ox.NamedNode(PREFIXES["onemg"] + name) for name in ("hasRequirementStatement", "inUseCase")}
    graph = {quad.triple for quad in loaded.stated}
    graph |= {quad.triple for quad in loaded.inferred if not stated or quad.predicate in always}
    assert triples - graph == set()
    title = ox.NamedNode(PREFIXES["dcterms"] + "title")
    dataset = ox.NamedNode(BASE + "data/framework")
    assert {t.subject.value for t in triples if t.predicate == title and t.subject != dataset} == _sparql(  # type: ignore[union-attr]
        loaded.store, found, asked, stated=stated
    )
    license_ = ox.NamedNode("https://creativecommons.org/licenses/by/4.0/")
    assert ox.Triple(dataset, ox.NamedNode(PREFIXES["dcterms"] + "license"), license_) in triples
    properties = {triple.predicate.value.removeprefix(PREFIXES["onemg"]) for triple in triples}
    assert ("atLifecycleStage" in properties) is not stated
    assert {"hasRequirementStatement", "level"} <= properties


def test_it_works_from_disk(page: Any, folder: Path, tmp_path: Path) -> None:
    page.goto((folder / "explorer.html").as_uri() + "?q=data")
    assert _titles(page)[0] == "1+MG Data Lifecycle"
    page.get_by_role("checkbox", name="Required").check()
    assert page.url.endswith("?q=data&level=required")
    total = _total(page)
    page.go_back()
    assert _total(page) > total
    assert len(_saved(page, "CSV", tmp_path).read_bytes().splitlines()) > 2


def test_without_a_script_everything_is_there(
    browser: Any, address: str, found: list[Facet], resources: list[Resource]
) -> None:
    with browser.new_context(java_script_enabled=False, base_url=address) as context:
        page = context.new_page()
        page.goto("explorer.html")
        assert _titles(page) == [one.title.value for one in resources]
        beacon = page.locator("#results li", has_text="Beacon").first
        assert beacon.inner_text().split() == ["Beacon", "Required", "Interface", "specification"]
        assert page.get_by_role("link", name="views", exact=True).get_attribute("href") == "views/index.html"
        links = {link.get_attribute("href") for link in page.locator("#filters a").all()}
        assert {
            "voc/role/researcher.html",
            "voc/lifecycle-stage/discovery.html",
            "voc/requirement-level/required.html",
        } <= links
        assert page.locator("#filters a").count() == sum(1 for facet in found for choice in facet.choices if choice.iri)
        assert page.locator("form, button, input, select").filter(visible=True).count() == 0


def test_on_a_phone_the_filters_fold_away(browser: Any, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, base_url=address) as context:
        page = context.new_page()
        page.goto("explorer.html?stage=discovery&kind=report")
        assert page.locator(".facet").first.is_hidden()
        page.get_by_text("Filters", exact=True).click()
        assert page.get_by_role("checkbox", name="Discovery").is_visible()  # what is chosen is open
        assert page.get_by_role("checkbox", name=re.compile("^Required")).is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.set_viewport_size({"width": 1280, "height": 900})
        page.wait_for_function("document.querySelector('.filters').open")


def test_a_hundred_times_the_framework(page: Any) -> None:
    """Filters and words at 15,000 resources; and a title that is markup stays text."""
    page.goto("many.html")
    assert _total(page) == 15_000
    assert page.locator("#bad").count() == 0
    page.get_by_role("searchbox").fill("words1")  # reads every word once
    milliseconds = page.evaluate(
        """() => [...document.querySelectorAll(".facet input")].filter((_, place) => place % 10 === 0).map((box) => {
            const start = performance.now();
            box.click();
            return performance.now() - start;
        })"""
    )
    assert len(milliseconds) == 10
    assert max(milliseconds) < 1000
    page.goto("many.html?q=lodz+zurich")
    assert _titles(page) == ['</script><b id="bad">Zürich, "quoted"</b> & Łódź']
    assert page.locator("#results .name").get_attribute("lang") == "de"
