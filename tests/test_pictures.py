"""The pictures, the matrices of coverage and the checklist: what they show is what the graph says, and it can be read."""

import functools
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onemg_kg import facets, views
from onemg_kg.descriptions import Descriptions
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.site.pages import ASSETS, Pages, Site
from onemg_kg.site.pictures import Box, Picture, Pictures, Record, alignment, lifecycle, neighbours
from onemg_kg.site.things import Membership, Memberships
from onemg_kg.store import Store, by_graph
from onemg_kg.terms import BASE, text

STAGE = BASE + "voc/lifecycle-stage/"
TITLES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=60).filter(str.strip),
    st.sampled_from(
        ["W" * 90, "Genomische Gesundheitsdateninfrastrukturverordnung", "i" * 200, "ゲノム情報基盤" * 9, "a b " * 40]
    ),
)


@pytest.fixture(scope="module")
def shown(project: Project, loaded: Graph) -> Pictures:
    return Pictures(project, loaded.store)


@pytest.fixture(scope="module")
def descriptions(loaded: Graph) -> Descriptions:
    return Descriptions(by_graph([*loaded.stated, *loaded.inferred]).items())


@pytest.fixture(scope="module")
def found(project: Project, loaded: Graph) -> list[views.View]:
    return views.collect(project, loaded.store)


@pytest.fixture(scope="module")
def pages(descriptions: Descriptions, found: list[views.View]) -> Pages:
    rules = {name: reason.title for view in found for name, reason in view.reasons.items()}
    site = Site(title="Site", version="0", commit="", date="", editor=False)
    return Pages(site, descriptions, {}, rules, [])


def drawn(pages: Pages, picture: Picture) -> ET.Element:
    """The picture as a page has it, read as XML."""
    return ET.fromstring(pages.render("_picture.svg", "id/x.html", title="", description="", picture=picture))


def names(node: ET.Element) -> dict[str, str]:
    """The words of each link."""
    return {one.attrib["href"]: " ".join("".join(one.itertext()).split()) for one in node.iter("a")}


def records(store: Store, query: str) -> list[dict[str, str]]:
    return [{name: text(value) for name, value in row.items()} for row in store.select(query).records()]


def test_every_stage_is_in_the_picture_with_its_number(pages: Pages, shown: Pictures, loaded: Graph) -> None:
    counted = {
        row["stage"].removeprefix(STAGE): f"{row['n']} resources"
        for row in records(
            loaded.store,
            "PREFIX onemg: <https://w3id.org/oneplusmg/ns#> SELECT ?stage (COUNT(DISTINCT ?r) AS ?n) { "
            "?r onemg:atLifecycleStage ?stage . ?stage <http://www.w3.org/2004/02/skos/core#broader> ?phase } GROUP BY ?stage",
        )
    }
    assert len(counted) == 7
    for picture in shown.walk:
        links = names(drawn(pages, picture))
        for stage, words in counted.items():
            assert words in links[f"../voc/lifecycle-stage/{stage}.html"]


def test_the_stages_follow_each_other_as_the_graph_has_them(shown: Pictures, loaded: Graph) -> None:
    following = {
        row["a"]: row["b"]
        for row in records(loaded.store, "SELECT ?a ?b { ?a <https://w3id.org/oneplusmg/ns#nextStage> ?b }")
        if row["a"].startswith(STAGE)
    }
    for picture in shown.walk:
        for kind in ("stage", "phase"):
            path = [box.target for box in picture.boxes if box.kind == kind]
            assert [following[one] for one in path[:-1]] == path[1:]
            assert path[-1] not in following
        assert sum(line.kind == "next" for line in picture.lines) == 2 + 3 + 1, "an arrow between neighbours in each phase"


def test_a_page_of_a_stage_says_where_on_the_path_it_is(pages: Pages, shown: Pictures) -> None:
    page = pages.render("_picture.svg", "voc/x.html", title="", description="", iri=STAGE + "discovery", picture=shown.walk[0])
    current = [one for one in ET.fromstring(page).iter("a") if one.get("aria-current") == "page"]
    assert ["Discovery" in "".join(one.itertext()) for one in current] == [True]


def test_every_match_is_a_line_and_a_row(pages: Pages, shown: Pictures, loaded: Graph) -> None:
    stated = records(
        loaded.store,
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> SELECT DISTINCT ?a ?p ?b { ?a ?p ?b ; "
        "skos:inScheme <https://w3id.org/oneplusmg/voc/lifecycle-stage> . ?b skos:inScheme <https://w3id.org/oneplusmg/voc/ehds-journey>"
        ' FILTER(STRENDS(STR(?p), "Match")) }',
    )
    assert {(row["from"], row["kind"], row["to"]) for row in shown.matches} == {
        (row["a"], row["p"], row["b"]) for row in stated
    }
    assert sum("C" in line.path for line in shown.alignment.lines) == len(stated)
    assert {row["stage"] for row in shown.stages} <= shown.alignment.targets
    page = pages.render("alignment.html", "views/alignment.html", title="A", description="D", pictures=shown).decode()
    assert page.count("<tr>") == len(stated) + 1


def test_a_number_of_coverage_is_what_the_explorer_shows(
    pages: Pages, shown: Pictures, project: Project, loaded: Graph
) -> None:
    members = {
        (facet.name, choice.slug): set(choice.members)
        for facet in facets.collect(project, loaded.store)
        for choice in facet.choices
    }
    page = pages.render("coverage.html", "views/coverage.html", title="C", description="D", pictures=shown).decode()
    tables = [ET.fromstring(f"<table{part.partition('</table>')[0]}</table>") for part in page.split("<table")[1:]]
    assert len(tables) == 2
    seen = 0
    for table in tables:
        for cell in table.iter("td"):
            for link in cell.iter("a"):
                chosen = parse_qs(urlsplit(link.attrib["href"]).query, strict_parsing=True)
                both = functools.reduce(set.intersection, [members[name, slug] for name, (slug,) in chosen.items()])
                words = "".join(link.itertext()).split()
                assert sum(int(number) for number in words) == len(both), chosen
                assert link.attrib["aria-label"].startswith(" ".join(words))
                seen += 1
    total = [cell for matrix in shown.coverage for row in matrix.rows for cell in row.cells if cell.total]
    assert seen == len(total) > 30


def test_stated_and_follows_are_told_apart(shown: Pictures) -> None:
    """The section is set beside Standardisation by the Framework's table, beside Publication by nobody."""
    row = next(row for row in shown.coverage[0].rows if row.iri.endswith("/data-models-ontologies"))
    cells = {cell.column.removeprefix(STAGE): (cell.stated > 0, cell.follows > 0) for cell in row.cells}
    assert cells["standardisation"] == (True, False)
    assert cells["publication"] == (False, True)


def held_by(found: list[views.View]) -> dict[str, list[Membership]]:
    """The places of each resource."""
    kept = Memberships.of_all(found)
    groups = [group for view in found for whole in view.groups for group in (whole, *whole.parts)]
    return {entry.resource: kept.of(entry.resource) for group in groups for entry in group.entries}


def of_resources(found: list[views.View]) -> dict[str, Picture]:
    pictures = {iri: neighbours("A resource", held) for iri, held in held_by(found).items()}
    return {iri: picture for iri, picture in pictures.items() if picture}


def test_a_resource_stands_between_its_pages_and_its_groups(found: list[views.View]) -> None:
    """Unless no page lists it and nothing says what it applies to."""
    pictures = of_resources(found)
    assert len(pictures) > 100
    for iri, held in held_by(found).items():
        listed = {place.page for one in held for place in one.entry.places}
        applied = [one for one in held if one.view.name not in ("by-level", "node-checklist", "by-kind")]
        if not listed and not applied:
            assert iri not in pictures
            continue
        boxes = pictures[iri].boxes
        left = {box.target for box in boxes if box.kind == "page"}
        assert left <= listed
        assert len(left) == min(len(listed), 5)
        assert {box.target for box in boxes if box.kind == "group"} <= {(one.whole or one.group).group for one in applied}
        assert sum(box.kind == "card" for box in boxes) == len({one.view.name for one in applied})
    assert neighbours("It", []) is None


def test_links_of_pictures_lead_to_pages(pages: Pages, shown: Pictures, found: list[views.View]) -> None:
    pictures = [*shown.walk, shown.alignment, *of_resources(found).values()]
    for target in set().union(*(picture.targets for picture in pictures)) - {"#applies", "#listed"}:
        assert pages.place(target) is not None or not target.startswith(BASE), target


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def legible(picture: Picture) -> None:
    """No words over others, none out of its box or of the picture, no box over another unless inside it."""
    words = [*picture.texts, *(line for box in picture.boxes for line in box.texts)]
    for one, other in combinations(words, 2):
        assert not overlap(one.extent, other.extent), (one, other)
    for box in picture.boxes:
        for line in box.texts:
            left, top, right, bottom = line.extent
            assert box.x <= left <= right <= box.right, line
            assert box.y <= top <= bottom <= box.bottom + 0.01, line
    for word in words:
        left, top, right, bottom = word.extent
        assert left >= 0
        assert top >= 0
        assert right <= picture.width
        assert bottom <= picture.height
    for first, second in combinations(picture.boxes, 2):
        inside = second.x >= first.x and second.right <= first.right and second.y >= first.y and second.bottom <= first.bottom
        assert inside or not overlap(edges(first), edges(second)), (first, second)


def edges(box: Box) -> tuple[float, ...]:
    return (box.x, box.y, box.right, box.bottom)


def test_the_pictures_of_the_graph_are_legible(shown: Pictures, found: list[views.View]) -> None:
    for picture in (*shown.walk, shown.alignment, *of_resources(found).values()):
        legible(picture)


def record(**values: str) -> Record:
    return values


@settings(max_examples=60)
@given(st.lists(TITLES, min_size=1, max_size=9), st.integers(1, 4), st.booleans())
def test_any_titles_of_stages_are_legible(titles: list[str], phases: int, upright: bool) -> None:
    rows = [
        record(
            phase=f"p{number * phases // len(titles)}",
            phaseLabel=title[::-1] if number % 2 else "Phase",
            stage=f"s{number}",
            stageLabel=title,
            resources="1",
        )
        for number, title in enumerate(titles)
    ]
    legible(lifecycle(rows, upright))


@settings(max_examples=60)
@given(st.lists(TITLES, min_size=3, max_size=12), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=12))
def test_any_alignment_is_legible(titles: list[str], pairs: list[tuple[int, int]]) -> None:
    stages = [
        record(
            scheme=str(number % 3), schemeLabel=f"Scheme {number % 3}", stage=f"s{number}", stageLabel=title, phase="", note=""
        )
        for number, title in sorted(enumerate(titles), key=lambda one: one[0] % 3)
    ]
    kinds = ("exact", "close", "narrower")
    matches = [
        record(
            **{
                "from": f"s{one % len(titles)}",
                "kind": kinds[one % 3],
                "kindLabel": kinds[one % 3],
                "to": f"s{other % len(titles)}",
            }
        )
        for one, other in pairs
    ]
    legible(alignment(stages, matches))


def memberships(title: str, places: int, groups: int) -> list[Membership]:
    entry = views.Entry("r", title, None, "stated")
    entry.places = [
        views.Place(f"{BASE}id/page/{n}", title, "x", n, views.Label("Required", title if n % 2 else None))
        for n in range(places)
    ]
    view = views.View("by-x", f"By {title}", "", "", [], {})
    return [Membership(view, views.Group(f"{BASE}voc/{n}", f"{n} {title}"), None, entry) for n in range(groups)]


@settings(max_examples=60)
@given(TITLES, st.integers(0, 9), st.integers(1, 9))
def test_any_titles_of_neighbours_are_legible(title: str, places: int, groups: int) -> None:
    picture = neighbours(title, memberships(title, places, groups))
    assert picture is not None
    legible(picture)
    assert sum(box.kind == "page" for box in picture.boxes) == min(places, 5)
    assert sum(box.kind == "group" for box in picture.boxes) == min(groups, 3)
    more = [line.words for box in picture.boxes if box.kind == "more" for line in box.texts]
    assert more == [f"and {all_ - most} more " for all_, most in ((places, 5), (groups, 3)) if all_ > most]


@settings(max_examples=30)
@given(TITLES)
def test_no_word_is_lost(title: str) -> None:
    """Wrapping moves words, it cuts none."""
    picture = neighbours(title, memberships(title, 0, 1))
    assert picture is not None
    it = next(box for box in picture.boxes if box.kind == "it")
    assert "".join(line.words for line in it.texts).split() == title.split()


def test_titles_are_escaped(pages: Pages) -> None:
    title = """<b>&amp; "Q" 'A' </svg><script>"""
    picture = neighbours(title, memberships(title, 1, 1))
    assert picture is not None
    svg = drawn(pages, picture)
    assert [one.tag for one in svg.iter() if "script" in one.tag or one.tag == "b"] == []
    assert title in (svg.findtext("title") or "")
    assert "".join(title.split()) in "".join("".join(svg.itertext()).split())
    assert svg.attrib["role"] == "group", "it holds links, which an image would hide"


# The checklist, in a browser


@pytest.fixture(scope="module")
def checklist(
    tmp_path_factory: pytest.TempPathFactory, pages: Pages, found: list[views.View], serve_folder: Callable[..., str]
) -> str:
    """The address of the checklist on a server of its own."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(ASSETS, root / "assets", ignore=shutil.ignore_patterns("vendor"))
    view = next(view for view in Memberships.of_all(found).views if view.name == "node-checklist")
    anchors = [group.group.rpartition("/")[2] for group in view.groups]
    page = pages.render("node-checklist.html", "views/c.html", title=view.title, description="D", view=view, anchors=anchors)
    (root / "views").mkdir()
    (root / "views" / "c.html").write_bytes(page)

    return serve_folder(root) + "views/c.html"


@pytest.fixture
def tab(browser: Any, checklist: str) -> Iterator[Any]:
    """The checklist in a browser that knows nothing yet; no error may reach the console."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(checklist)
    yield page
    assert [error for error in errors if "404" not in error] == []
    context.close()


def test_ticks_are_kept_and_reset(tab: Any) -> None:
    total = tab.locator(".checklist input").count()
    assert tab.locator("output").inner_text() == f"0 of {total} done"
    tab.get_by_role("checkbox", name="Beacon Network").check()
    tab.get_by_role("checkbox", name="CRAM").focus()
    tab.keyboard.press("Space")
    tab.reload()
    assert tab.get_by_role("checkbox", name="Beacon Network").is_checked()
    assert tab.get_by_role("checkbox", name="CRAM").is_checked()
    assert tab.locator("output").inner_text() == f"2 of {total} done"
    assert tab.locator("output").get_attribute("aria-live") == "polite"
    tab.get_by_role("button", name="Clear all ticks").click()
    tab.reload()
    assert tab.locator(".checklist input:checked").count() == 0


def test_a_use_case_that_does_not_concern_the_node_is_left_out(tab: Any) -> None:
    total = tab.locator(".checklist input").count()
    tab.get_by_label("Rare disease use case").uncheck()
    tab.reload()
    assert not tab.locator("section#rare-disease").is_visible()
    assert tab.locator("section#node").is_visible()
    assert tab.locator("output").inner_text() == f"0 of {total - 1} done"


def test_what_is_kept_may_be_something_else(tab: Any) -> None:
    tab.evaluate("localStorage.setItem('onemg-kg:node-checklist', '[1]')")
    tab.reload()
    assert tab.locator("output").inner_text().startswith("0 of ")


def test_printed_it_is_a_column_of_squares(tab: Any) -> None:
    tab.get_by_role("checkbox", name="CRAM").check()
    tab.emulate_media(media="print")
    assert tab.locator(".checklist").first.evaluate("(list) => getComputedStyle(list).columnCount") in {"1", "auto"}
    square = tab.get_by_role("checkbox", name="CRAM").evaluate(
        "(box) => [getComputedStyle(box).appearance, getComputedStyle(box).backgroundImage]"
    )
    assert square[0] == "none"
    extent = tab.get_by_role("checkbox", name="CRAM").bounding_box()
    assert extent["width"] == extent["height"]
    assert "gradient" in square[1], "a tick is to be seen on paper"
    assert not tab.get_by_role("button", name="Clear all ticks").is_visible()
    assert not tab.locator(".choice").is_visible()


def test_without_a_script_it_is_a_list_of_boxes(browser: Any, checklist: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(checklist)
    assert page.get_by_role("checkbox", name="CRAM").is_visible()
    assert not page.locator(".tally").is_visible()
    assert not page.locator(".choice").is_visible()
    context.close()


def test_an_item_says_why_and_where(tab: Any) -> None:
    item = tab.locator(".checklist li", has=tab.get_by_role("checkbox", name="Phenopackets")).last
    said = item.inner_text()
    assert "for rare disease only" in said
    assert "Stated on Data models, standards and ontologies, line 41" in said
    assert item.get_by_role("link", name="Data models").get_attribute("href") == (
        "https://framework.onemilliongenomes.eu/data-models-ontologies"
    )
