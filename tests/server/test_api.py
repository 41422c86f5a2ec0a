"""The JSON API, over the graph of this checkout."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from onemg_kg import facets
from onemg_kg.graph import Graph
from onemg_kg.project import Project

from_graph = ox.RdfFormat.N_QUADS


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, loaded: Graph, serve: Callable[..., Any]) -> Any:
    site = tmp_path_factory.mktemp("real") / "site"
    (site / "data").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>x</title>")
    quads = [*loaded.stated, *loaded.inferred]
    (site / "data" / "framework.nq").write_bytes(ox.serialize(quads, format=from_graph) or b"")
    live = serve(site)
    live.wait_for_graph()
    return live


def titles(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["title"] for one in answer.json()["@included"]]


@pytest.mark.parametrize("words", ["beacon", "BEACON", "beac", "beaccon", "beakon", "beacon%20"])
def test_search_finds_beginnings_and_forgives_slips(real: Any, words: str) -> None:
    assert any("beacon" in title.lower() for title in titles(real.ask("GET", f"/api/search?q={words}"))[:3])


@pytest.mark.parametrize(
    "words", ['"', "AND", "NEAR(a b)", "title:x", "a*b", "'; DROP TABLE text", "-", "%F0%9F%92%A9", "x" * 300]
)
def test_no_words_are_operators(real: Any, words: str) -> None:
    assert real.ask("GET", "/api/search?q=" + words.replace(" ", "%20").replace('"', "%22")).status == 200


def test_facets_choose_as_the_graph_says(real: Any, project: Project, loaded: Graph) -> None:
    everything = {one.iri for one in facets.resources(project, loaded.store)}
    for facet in facets.collect(project, loaded.store):
        for choice in facet.choices:
            answer = real.ask("GET", f"/api/resources?{facet.name}={choice.slug}")
            assert answer.json()["total"] == len(set(choice.members) & everything), (facet.name, choice.slug)


def test_facets_are_counted_as_they_would_choose(real: Any) -> None:
    answer = real.ask("GET", "/api/resources?level=required").json()
    for slug, count in answer["facets"]["stage"].items():
        assert real.ask("GET", f"/api/resources?level=required&stage={slug}").json()["total"] == count


def test_pages_are_linked_and_hold_everything_once(real: Any) -> None:
    target, found = "/api/resources?size=30", []
    while target:
        answer = real.ask("GET", target)
        found += [one["id"] for one in answer.json()["@included"]]
        target = answer.json()["pages"].get("next", "")
        assert (f'<{target}>; rel="next"' in answer.fields["link"]) == bool(target)
    assert len(found) == len(set(found)) == answer.json()["total"]


@pytest.mark.parametrize(
    "target",
    ["/api/search", "/api/search?q=", "/api/search?q=a&q=b", "/api/resources?level=nothing", "/api/resources?nothing=1",
     "/api/resources?page=0", "/api/resources?page=x", "/api/resources?size=101", "/api/resources?q=" + "x" * 301,
     "/api/resources?q=%FF"],
)  # fmt: skip
def test_a_parameter_that_is_wrong_is_named(real: Any, target: str) -> None:
    answer = real.ask("GET", target)
    assert (answer.status, answer.fields["content-type"]) == (400, "application/problem+json")


def test_an_answer_is_json_ld(real: Any) -> None:
    answer = real.ask("GET", "/api/resources?level=required")
    assert answer.fields["content-type"] == "application/ld+json"
    assert answer.json()["@context"] == "/context.jsonld"
    assert 'rel="service-desc"' in answer.fields["link"]


def test_the_api_does_as_its_description_says(real: Any) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings

    schema = schemathesis.openapi.from_url(real.url + "/api/openapi.json")
    for path in ("/api/search", "/api/resources"):

        @settings(max_examples=25, suppress_health_check=list(HealthCheck))
        @given(case=schema[path]["GET"].as_strategy())
        def run(case: Any) -> None:
            response = case.call(base_url=real.url)
            assert response.status_code in (200, 400)
            case.validate_response(response) if response.status_code == 200 else json.loads(response.content)

        run()


def test_the_api_has_no_other_paths(real: Any, small_site: Path) -> None:
    assert real.ask("GET", "/api/nothing").status == 404
    assert real.ask("POST", "/api/search").status == 405
    assert small_site.is_dir()
