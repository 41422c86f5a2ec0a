"""The site in a real browser: Chromium, driven by Playwright, over a plain file server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from onemg_kg.addresses import url

AXE = Path(__file__).resolve().parent / "npm" / "node_modules" / "axe-core" / "axe.min.js"
KINDS = {
    "home": "index.html",
    "explorer": "explorer.html",
    "resource": "id/resource/beacon.html",
    "resource with much": "id/resource/phenopackets.html",
    "role": "voc/role/researcher.html",
    "stage": "voc/lifecycle-stage/discovery.html",
    "section": "voc/section/governance-elsi.html",
    "level": "voc/requirement-level/required.html",
    "scheme": "voc/role.html",
    "page": "id/page/data-discovery.html",
    "listing": "id/listing/data-discovery--beacon.html",
    "requirement": "id/requirement/data-discovery--beacon.html",
    "project": "id/project/gdi.html",
    "country": "views/by-country/DEU.html",
    "views": "views/index.html",
    "view": "views/by-role.html",
    "checklist": "views/node-checklist.html",
    "alignment": "views/alignment.html",
    "coverage": "views/coverage.html",
    "questions": "questions/index.html",
    "question": "questions/required-of-every-node.html",
    "question with a chart": "questions/labels-per-section.html",
    "editor": "query.html",
    "ontology": "ns.html",
    "shapes": "shapes.html",
    "shape": "shapes/ListingShape.html",
    "dataset": "data/framework.html",
    "graphs": "graph/index.html",
    "graph": "graph/data/listings/data-discovery.html",
    "graph of a rule": "graph/rules/listed-on-role-page.html",
    "rules": "rules/index.html",
    "rule": "rules/lint.html",
    "inference": "rules/inference.html",
    "not found": "404.html",
}
"""One page of each kind."""
GRAPH = "data/framework.nq"
"""What the query editor reads."""


@pytest.fixture(scope="module")
def paths(published: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The site in a folder, with the paths of its pages."""
    root = tmp_path_factory.mktemp("site")
    found = []
    for path, content in published.items():
        if path.endswith(".html") or path.startswith("assets/") or "." not in path or path == GRAPH:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        if path.endswith(".html"):
            found.append(path)
    return root, found


@pytest.fixture(scope="module")
def origin(paths: tuple[Path, list[str]], serve_folder: Callable[..., str]) -> str:
    return serve_folder(paths[0])


@pytest.mark.slow
def test_every_page_loads(browser: Any, origin: str, paths: tuple[Path, list[str]]) -> None:
    """Each page opens without an error on the console, without a request that fails, and asks nothing of another host."""
    told: list[str] = []
    page = browser.new_page()
    page.on("console", lambda said: told.append(f"{page.url}: {said.text}") if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: told.append(f"{page.url}: {error}"))
    page.on("response", lambda answer: told.append(f"{answer.url}: {answer.status}") if answer.status >= 400 else None)
    page.on("request", lambda request: None if request.url.startswith((origin, "data:")) else told.append(request.url))
    assert len(paths[1]) > 1000
    for path in paths[1]:
        page.goto(origin + url(path), wait_until="load")
    page.close()
    assert told == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everyone_can_use_it(browser: Any, origin: str, width: int, scheme: str) -> None:
    """axe-core finds nothing (WCAG 2.2 AA and its best practices) on a page of each kind, narrow and wide, light and dark."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = {}
    for kind, path in KINDS.items():
        page.goto(origin + path)
        if result := barriers(page):
            found[kind] = result
    page.close()
    assert found == {}


def barriers(page: Any) -> list[object]:
    """What axe-core finds on a page: each rule, with some of the elements that break it."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (make test does it, where npm is), so accessibility is not looked at")
    page.add_script_tag(path=str(AXE))
    found: list[object] = page.evaluate(
        "async () => (await axe.run(document)).violations.map(v => [v.id, v.nodes.map(n => n.html).slice(0, 3)])"
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everyone_can_ask(browser: Any, origin: str, width: int, scheme: str) -> None:
    """The same of a question that was changed and asked in the page: editor, table and chart."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(origin + KINDS["question with a chart"])
    if page.locator("#query-editor").count() == 0:
        pytest.skip("the query editor was not built: 'make frontend' does, where Node is")
    page.get_by_role("button", name="Run it yourself").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".query-result table").wait_for()
    assert page.locator(".query-chart .bars").is_visible()
    found = barriers(page)
    page.close()
    assert found == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_page_fits_its_window(browser: Any, origin: str, width: int) -> None:
    """No page of any kind has to be moved sideways as a whole (WCAG 2.2, success criterion 1.4.10); 320 px is the narrowest."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    wide = {}
    for kind, path in KINDS.items():
        page.goto(origin + path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wide[kind] = over
    page.close()
    assert wide == {}


def test_no_picture_is_wider_than_a_telephone(browser: Any, origin: str) -> None:
    """What a picture shows is on a narrow screen too, without moving it sideways."""
    page = browser.new_page(viewport={"width": 390, "height": 800})
    for kind in ("home", "stage", "resource", "resource with much", "alignment"):
        page.goto(origin + KINDS[kind])
        wide = page.locator("figure").evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length")
        assert wide == 0, kind
    assert page.get_by_text("exact: Data discovery").is_visible()
    page.goto(origin + KINDS["resource"])
    assert page.locator(".applies").get_by_role("link", name="Discovery", exact=True).is_visible()
    page.close()


def test_without_a_mouse(browser: Any, origin: str) -> None:
    """From the first press of the tab key one gets past the menu, and what has the focus is seen to have it."""
    page = browser.new_page()
    page.goto(origin + KINDS["resource"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    page.close()


def test_without_script(browser: Any, origin: str) -> None:
    """Without JavaScript every page of a kind still has its content, and one gets from the start to a resource."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for kind, path in KINDS.items():
        page.goto(origin + path)
        assert len(page.locator("main").inner_text()) > 40, kind
    page.goto(origin)
    page.get_by_role("link", name="Beacon", exact=True).click()
    assert urlsplit(page.url).path == "/id/resource/beacon.html"
    page.get_by_role("link", name="Turtle").first.click(trial=True)
    context.close()


@pytest.mark.parametrize("kind", ["home", "resource"])
def test_is_there_at_once(browser: Any, origin: str, kind: str) -> None:
    """The home page and a resource need few files, and neither waits for a script before it can be read."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(origin + KINDS[kind])
    assert 1 <= len(asked) <= 6, asked
    assert page.locator("script[src]:not([defer]):not([async]):not([type=module])").count() == 0
    page.close()
