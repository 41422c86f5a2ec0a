"""The query editor of the question pages: its packages, and what it does in a real browser."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import jinja2
import pyoxigraph as ox
import pytest

from onemg_kg import queries, questions
from onemg_kg.formats import FORMATS
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.questions import Answer
from onemg_kg.site.charts import chart_of
from onemg_kg.site.pages import TEMPLATES, Page, Site
from onemg_kg.store import Store
from onemg_kg.terms import BASE, PREFIXES

FRONTEND = Path(__file__).resolve().parents[1] / "frontend"
VENDOR = TEMPLATES.parent / "assets" / "vendor"
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'"
)
SHELL = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ page.title }}</title><link rel="icon" href="data:,">
<style>pre { overflow: auto }</style>
<main>{% block main %}{% endblock %}</main></html>"""
QUESTION = """{% extends "base.html" %}{% block main %}<h1>{{ page.title }}</h1>
<pre class="sparql"><code>{{ text }}</code></pre>{% include "_editor.html" %}<a href="#end" id="end">End</a>{% endblock %}"""
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def test_packages_are_exact_and_their_lock_file_names_no_host() -> None:
    asked = json.loads((FRONTEND / "package.json").read_text(encoding="utf-8"))
    text = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    root = packages.pop("")
    for kind in ("dependencies", "devDependencies"):
        assert asked[kind] == root[kind]
        for name, version in asked[kind].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
            assert packages[f"node_modules/{name}"]["version"] == version
    for place, entry in packages.items():
        assert "resolved" not in entry, place
        assert entry["integrity"].startswith("sha512-"), place


def _templates() -> jinja2.Environment:
    """Ours in a bare page, so that what is tested is the editor and not the site around it."""
    loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader({"base.html": SHELL, "question.html": QUESTION}), jinja2.FileSystemLoader(TEMPLATES)]
    )
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def _render(template: str, path: str, *, editor: bool = True, **context: object) -> str:
    root = "../" * path.count("/")
    return (
        _templates()
        .get_template(template)
        .render(
            page=Page(path, "A page", "", None, []),
            site=Site("Site", "1", "", "", editor, "") if "site" not in context else context.pop("site"),
            url=lambda name: root + name,
            base=BASE,
            **context,
        )
    )


def test_without_the_bundle_a_page_shows_nothing_of_the_editor() -> None:
    page = _render("question.html", "questions/one.html", editor=False, text="ASK {}")
    assert "ASK {}" in page
    assert "query-editor" not in page
    assert "<script" not in page
    assert "query-editor" in _render("question.html", "questions/one.html", text="ASK {}")


@pytest.fixture(scope="module")
def bundle() -> Path:
    if not (VENDOR / "query.js").is_file():
        pytest.skip("the query editor was not built: 'make frontend' does, where Node is")
    return VENDOR


def test_the_bundle_holds_nothing_of_the_machine_that_made_it(bundle: Path) -> None:
    assert {path.name for path in bundle.iterdir()} == {
        "THIRD-PARTY.txt",
        "editor.js",
        "oxigraph_bg.wasm",
        "query.css",
        "query.js",
        "worker.js",
    }
    for path in bundle.iterdir():
        content = path.read_bytes()
        assert b"sourceMappingURL" not in content, path
        assert str(FRONTEND.parent).encode() not in content, path
    licences = (bundle / "THIRD-PARTY.txt").read_text(encoding="utf-8")
    assert "@zazuko/yasgui 4.6.2 (MIT)" in licences
    assert "esbuild" not in licences


@pytest.fixture(scope="module")
def store(loaded: Graph) -> Store:
    return loaded.store


@pytest.fixture(scope="module")
def answers(project: Project, store: Store) -> list[Answer]:
    return questions.answers(project, store)


class _Handler(SimpleHTTPRequestHandler):
    """The files of the pages, and an endpoint at ``/sparql`` (SPARQL 1.1 Protocol, section 2.1.2)."""

    store: Store

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.store.results(parse_qs(body)["query"][0], "json").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/sparql-results+json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the tests have their own words."""


@pytest.fixture(scope="module")
def folder(
    bundle: Path, project: Project, loaded: Graph, answers: list[Answer], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A small site: a page for one question, one where there is an endpoint, the page for any query, and what they need."""
    root = tmp_path_factory.mktemp("site")
    for name in ("assets", "data", "questions"):
        (root / name).mkdir()
    shutil.copytree(bundle, root / "assets" / "vendor")
    (root / "assets" / "prefixes.json").write_text(json.dumps(dict(PREFIXES)), encoding="utf-8")
    (root / "data" / "framework.nq").write_bytes(FORMATS["nquads"].write([*loaded.stated, *loaded.inferred], {}))
    for answer in answers:
        (root / "questions" / f"{answer.query.name}.rq").write_text(answer.text, encoding="utf-8")
    one = next(answer for answer in answers if answer.query.name == "required-of-every-node")
    page = _render("question.html", "questions/one.html", text=one.text)
    (root / "questions" / "one.html").write_text(page, encoding="utf-8")
    there = Site("Site", "1", "", "", True, "/sparql")
    page = _render("question.html", "questions/endpoint.html", site=there, text=one.text)
    (root / "questions" / "endpoint.html").write_text(page, encoding="utf-8")
    page = _render("query.html", "query.html", questions=queries.folder(project, "questions"))
    (root / "query.html").write_text(page, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def address(folder: Path, store: Store, serve_folder: Callable[..., str]) -> str:
    return serve_folder(folder, type("Handler", (_Handler,), {"store": store}))


@pytest.fixture
def page(open_tab: Callable[..., Any], address: str) -> Iterator[Any]:
    """A tab of a narrow window."""
    with open_tab(address, 390, 844) as tab:
        yield tab


def _status(page: Any, pattern: str) -> str:
    """What the page says once it says something of that pattern."""
    page.locator(".query-status", has_text=re.compile(pattern)).wait_for(timeout=60_000)
    return str(page.locator(".query-status").inner_text())


def _open(page: Any, path: str) -> None:
    page.goto(path)
    page.locator(".query-open").click()
    page.get_by_role("button", name="Run", exact=True).wait_for()


def _tab_to(page: Any, name: str, key: str) -> None:
    for _ in range(50):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.className") == name:
            return
    pytest.fail(f"{key} does not lead to {name}")


def _write(page: Any, text: str) -> None:
    page.locator(".query-text textarea").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.mark.slow
def test_every_question_has_as_many_rows_as_in_our_store(page: Any, store: Store, answers: list[Answer]) -> None:
    _open(page, "query.html")
    counted, expected = {}, {}
    for answer in answers:
        name = answer.query.name
        page.get_by_label("Start from a question").select_option(value=f"questions/{name}.rq")
        page.wait_for_function(
            "name => document.querySelector('.CodeMirror').CodeMirror.getValue().includes(name)", arg=answer.text
        )
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_role("button", name="Run", exact=True, disabled=False).wait_for()
        counted[name] = _status(page, r"^\d+ rows? in \d+ ms").split(" ")[0]
        rows = answer.table.rows if answer.table else set(store.construct(answer.text))
        expected[name] = str(len(rows))
    assert counted == expected
    assert len(counted) > 20


def test_the_table_leads_to_pages_of_this_site(page: Any, address: str) -> None:
    _open(page, "questions/one.html")
    page.get_by_role("button", name="Run", exact=True).click()
    _status(page, "rows in")
    links = page.locator(".yasr_results a.iri").evaluate_all("links => links.map(link => link.href)")
    ours = [link for link in links if link.startswith(address)]
    assert ours
    assert all(re.fullmatch(re.escape(address) + r"id/resource/[^/]+\.html", link) for link in ours)
    assert page.get_by_role("link", name="resource:").count() == len(ours)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ASK { ?s ?p ?o }", r"^Answer: yes in \d+ ms"),
        ("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(false) }", r"^0 rows in \d+ ms"),
        ("SELECT * {\n  ?s ?p }", r"^Line 2, column \d+: expected "),
        ("SELECT * { ?s a onemg:Listing }", r"^Line 1, column \d+: "),
        ("SELECT * { SERVICE <http://other.example/> { ?s ?p ?o } }", r"not supported"),
    ],
)
def test_what_is_said_of_an_answer(page: Any, query: str, said: str) -> None:
    _open(page, "query.html")
    _write(page, query)
    page.get_by_role("button", name="Run", exact=True).click()
    assert page.locator(".query-status").get_attribute("role") == "status"
    _status(page, said)


def _run(page: Any, query: str) -> str:
    _write(page, query)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Run", exact=True, disabled=False).wait_for()
    return _status(page, r"in \d+ ms")


def test_the_chart_is_the_one_of_the_published_page(page: Any, answers: list[Answer]) -> None:
    """Drawn twice, in Python for the page of the question and in JavaScript after running it, a chart is the same."""
    _open(page, "query.html")
    charted = 0
    for answer in answers:
        chart = chart_of(answer)
        if chart is None:
            continue
        _run(page, answer.text)
        bars = [([(str(node.value), None) for node in labels], value) for labels, value in chart.bars]
        expected = _templates().get_template("_chart.html").render(chart={**vars(chart), "bars": bars})
        script = "html => { const t = document.createElement('template'); t.innerHTML = html; return t.innerHTML }"
        drawn = page.locator(".query-chart").inner_html()
        if all(isinstance(node, ox.Literal) for labels, _ in chart.bars for node in labels):
            assert drawn == re.sub(r">\s+<", "><", page.evaluate(script, expected.strip()))
        assert drawn.count("<rect") == len(chart.bars)
        charted += 1
    assert charted >= 3


@pytest.mark.parametrize(
    ("query", "said", "bars"),
    [
        ("#+ chart: bar ?n by ?l\nSELECT (1 AS ?n) ('a' AS ?l) {}", r"ms[^.]*\.$", 1),
        ("# a remark\n#+ chart: bar ?n by ?l\nSELECT (1 AS ?n) {}", r"ms[^.]*\.$", 0),
        ("#+ chart: bar ?n by ?l\nSELECT (1 AS ?n) {}", r"No chart: the answer has no column \?l\.$", 0),
        (
            "#+ chart: bar ?n by ?l\nSELECT ('x' AS ?n) ('a' AS ?l) {}",
            r"No chart: \?n is not a number from 0 up in each row\.$",
            0,
        ),
        ("#+ chart: bar ?n by ?l\nSELECT ?n ('a' AS ?l) {}", r"No chart: \?n is not a number", 0),
        ("#+ chart: pie\nSELECT (1 AS ?n) {}", r"No chart: its header is to be ", 0),
        ("#+ chart: bar ?n by ?l\nASK {}", r"No chart: its header is to be ", 0),
    ],
)
def test_a_chart_is_drawn_where_the_query_says_so(page: Any, query: str, said: str, bars: int) -> None:
    """And where its columns are not there, one sentence says so; without a header nothing is said."""
    _open(page, "query.html")
    _run(page, "#+ chart: bar ?n by ?l\nSELECT (1 AS ?n) ('before' AS ?l) {}")
    assert re.search(said, _run(page, query))
    assert page.locator(".query-chart rect").count() == bars
    assert page.locator(".query-chart", has_text="before").count() == 0


def test_a_chart_has_as_many_bars_as_one_can_read_and_leads_to_pages(page: Any, address: str) -> None:
    _open(page, "query.html")
    ours = f"FILTER(STRSTARTS(STR(?s), '{BASE}id/'))"
    query = "#+ chart: bar ?n by ?s\nSELECT ?s (COUNT(?o) AS ?n) { ?s a ?o " + ours + " } GROUP BY ?s LIMIT 120"
    assert _run(page, query).endswith("The chart shows the first 100 rows.")
    links = page.locator(".query-chart a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == 100
    assert all(link.startswith(address + "id/") for link in links)


def test_everything_is_done_with_the_keyboard(page: Any) -> None:
    page.goto("questions/one.html")
    _tab_to(page, "query-open", "Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.getAttribute('aria-label') === 'SPARQL query'")
    page.keyboard.press("Control+a")
    page.keyboard.type("SELECT ?s { ?s a owl:Class } LIMIT 2")  # its prefix is declared as it is typed
    page.keyboard.press("Control+Enter")
    _status(page, r"^2 rows in")
    page.wait_for_function("() => !document.querySelector('.query-run').disabled")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "query-run"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "SPARQL query"
    keys = page.evaluate("document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent")
    assert "leaves the editor" in keys
    page.locator("#end").focus()  # nothing behind the editor holds the focus either
    _tab_to(page, "query-run", "Shift+Tab")


def test_a_query_that_takes_long_can_be_stopped(page: Any) -> None:
    _open(page, "query.html")
    _write(page, SLOW)
    page.keyboard.press("Control+Enter")
    _status(page, "^Running")
    page.get_by_role("button", name="Stop").click()
    assert _status(page, "Stopped") == "Stopped."
    _write(page, "SELECT (1 AS ?n) {}")
    page.keyboard.press("Control+Enter")
    _status(page, "^1 row in")


def test_the_address_holds_a_query_that_was_changed(page: Any, browser: Any, address: str) -> None:
    query = "SELECT (1 + 1 AS ?n) { } # 100 % & more"
    _open(page, "questions/one.html")
    page.keyboard.press("Control+Enter")
    _status(page, "rows in")
    assert page.url == f"{address}questions/one.html"
    _write(page, query)
    page.keyboard.press("Control+Enter")
    _status(page, "^1 row in")
    assert page.url == f"{address}questions/one.html#query={quote(query, safe='')}".replace("%28", "(").replace("%29", ")")
    other = browser.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Run", exact=True).wait_for()
    assert other.evaluate("document.querySelector('.CodeMirror').CodeMirror.getValue()") == query
    other.close()


def test_an_endpoint_is_asked_where_there_is_one(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    _open(page, "questions/endpoint.html")
    page.keyboard.press("Control+Enter")
    assert int(_status(page, r"^\d+ rows in").split(" ")[0]) > 0
    assert "sparql" in asked
    assert not {"framework.nq", "worker.js", "oxigraph_bg.wasm"} & set(asked)


def test_a_page_loads_next_to_nothing_before_the_editor_is_asked_for(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto("questions/one.html", wait_until="networkidle")
    assert sorted(asked) == ["one.html", "query.js"]


def test_without_script_the_query_is_read_and_no_button_does_nothing(browser: Any, address: str) -> None:
    with browser.new_context(java_script_enabled=False, base_url=address) as context:
        tab = context.new_page()
        tab.goto("questions/one.html")
        assert tab.locator("pre.sparql").is_visible()
        assert not tab.locator("button").first.is_visible()


def test_a_page_that_was_opened_from_disk_says_why_it_runs_nothing(page: Any, folder: Path) -> None:
    page.goto((folder / "questions" / "one.html").as_uri())
    page.get_by_role("button", name="Run it yourself").click()
    assert "from a web server" in _status(page, "opened from disk")


def test_data_that_are_not_there_are_missed_in_words(page: Any) -> None:
    page.route("**/framework.nq", lambda route: route.fulfill(status=200, body="no data"))
    _open(page, "questions/one.html")
    page.keyboard.press("Control+Enter")
    _status(page, "^The data could not be read. ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_editor_fits_a_phone(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    _open(page, "questions/one.html")
    page.keyboard.press("Control+Enter")
    _status(page, "rows in")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paper = page.evaluate("getComputedStyle(document.querySelector('.query-text .CodeMirror')).backgroundColor")
    assert (max(int(part) for part in re.findall(r"\d+", paper)[:3]) < 64) == (scheme == "dark")
