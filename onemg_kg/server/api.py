"""A small JSON API for people who do not speak SPARQL: search, and resources chosen by facets. Every answer is JSON-LD."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from onemg_kg import facets
from onemg_kg.facets import Facet, Resource
from onemg_kg.project import Project
from onemg_kg.server.messages import Request, Response, not_allowed, options, plain, problem
from onemg_kg.server.search import Index
from onemg_kg.server.static import ALLOW
from onemg_kg.store import Selectable

PREFIX = "/api/"
CONTEXT = "/context.jsonld"
_SIZE, _LARGEST = 20, 100
_PAGING = ("page", "size")
_LONGEST = 300
_JSONLD = "application/ld+json"


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Attributes:
        q: the words that are searched; empty for none.
        chosen: the choices of each facet, by its name. Of those of one facet any counts, and each facet must.
        page: which page, counted from 1.
        size: how many resources a page has.
    """

    q: str
    chosen: dict[str, list[str]]
    page: int
    size: int


class Mistake(ValueError):
    """A parameter is none, or has a value that is none."""


class Api:
    """The API over one graph.

    Args:
        found: every facet.
        resources: every resource, in the order of their titles.
    """

    def __init__(self, found: list[Facet], resources: list[Resource]) -> None:
        self._facets = {facet.name: facet for facet in found}
        self._resources = {one.iri: one for one in resources}
        self._members = {
            (facet.name, choice.slug): frozenset(choice.members) & self._resources.keys()
            for facet in found
            for choice in facet.choices
        }
        self._index = Index(
            (
                one.iri,
                " ".join([one.title.value, *(other.value for other in one.alternatives)]),
                one.description.value if one.description else "",
            )
            for one in resources
        )
        self._description = (json.dumps(self._openapi(), indent=2) + "\n").encode()

    def answer(self, request: Request) -> Response:
        """The response to a request below ``/api/``."""
        if request.method == "OPTIONS":
            return options(ALLOW)
        if request.method != "GET":
            return not_allowed(ALLOW)
        name = request.path.removeprefix(PREFIX)
        if name == "openapi.json":
            return plain(200, "application/json", self._description, [(b"cache-control", b"public, max-age=60")])
        if name not in ("search", "resources"):
            return problem(404, "Not found", "The API has /api/search, /api/resources and /api/openapi.json.")
        try:
            asked = self._asked(request.query, needs_words=name == "search")
        except Mistake as error:
            return problem(400, "Bad request", str(error))
        return self._list(request.path, asked)

    def _asked(self, query: bytes, *, needs_words: bool) -> Asked:
        try:
            given = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError:
            raise Mistake("The parameters are not UTF-8, percent-encoded.") from None
        single: dict[str, str] = {}
        chosen: dict[str, list[str]] = {}
        for name, value in given:
            if name in self._facets:
                if (name, value) not in self._members:
                    known = ", ".join(choice.slug for choice in self._facets[name].choices)
                    raise Mistake(f"The parameter {name} is one of {known}.")
                chosen.setdefault(name, []).append(value)
            elif name in ("q", *_PAGING) and name not in single:
                single[name] = value
            else:
                known = ", ".join(("q", *_PAGING, *self._facets))
                raise Mistake(f"There is no parameter {name[:40]!r}, or it is given twice. There are {known}.")
        words = single.get("q", "").strip()
        if len(words) > _LONGEST:
            raise Mistake(f"The parameter q has at most {_LONGEST} characters.")
        if needs_words and not words:
            raise Mistake("The parameter q is missing: the words to search.")
        page, size = _number(single, "page", 1, 1_000_000), _number(single, "size", _SIZE, _LARGEST)
        return Asked(words, chosen, page, size)

    def _list(self, path: str, asked: Asked) -> Response:
        ranked = self._index.search(asked.q) if asked.q else list(self._resources)
        by_facet = {
            name: frozenset().union(*(self._members[name, slug] for slug in slugs)) for name, slugs in asked.chosen.items()
        }
        matched = [iri for iri in ranked if all(iri in members for members in by_facet.values())]
        last = max(1, -(-len(matched) // asked.size))
        pages = {"first": 1, "last": last, "prev": asked.page - 1, "next": asked.page + 1}
        urls = {name: _url(path, asked, page) for name, page in pages.items() if 1 <= page <= last}
        start = (asked.page - 1) * asked.size
        said = {
            "@context": CONTEXT,
            "id": _url(path, asked, asked.page),
            "total": len(matched),
            "page": asked.page,
            "size": asked.size,
            "pages": urls,
            "facets": self._counted(ranked, by_facet),
            "@included": [_described(self._resources[iri]) for iri in matched[start : start + asked.size]],
        }
        links = [f'<{url}>; rel="{name}"' for name, url in urls.items()]
        links += [f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"', '</api/openapi.json>; rel="service-desc"']
        more = [(b"link", ", ".join(links).encode()), (b"cache-control", b"public, max-age=60")]
        return plain(200, _JSONLD, (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode(), more)

    def _counted(self, ranked: list[str], by_facet: dict[str, frozenset[str]]) -> dict[str, Any]:
        """How many resources each choice would leave, the other facets being as they are."""
        counted: dict[str, Any] = {}
        for name, facet in self._facets.items():
            others = [members for other, members in by_facet.items() if other != name]
            left = {iri for iri in ranked if all(iri in members for members in others)}
            counted[name] = {choice.slug: len(left & self._members[name, choice.slug]) for choice in facet.choices}
        return counted

    def _openapi(self) -> dict[str, Any]:
        """The API as OpenAPI 3.1 describes it."""
        text, number = {"type": "string"}, {"type": "integer", "minimum": 1}
        words = {
            "name": "q", "in": "query", "description": "Words to search, or their beginnings.",
            "schema": text | {"minLength": 1, "maxLength": _LONGEST},
        }  # fmt: skip
        common = [
            {"name": "page", "in": "query", "description": "Which page.", "schema": number | {"maximum": 1_000_000}},
            {"name": "size", "in": "query", "description": "Resources on a page.", "schema": number | {"maximum": _LARGEST}},
            *(
                {
                    "name": facet.name, "in": "query", "description": facet.description or facet.title, "explode": True,
                    "schema": {"type": "array", "items": text | {"enum": [choice.slug for choice in facet.choices]}},
                }
                for facet in self._facets.values()
            ),
        ]  # fmt: skip
        answers = {
            "200": {"description": "Resources.", "content": {_JSONLD: {"schema": {"$ref": "#/components/schemas/List"}}}},
            "400": {
                "description": "A parameter is wrong.",
                "content": {"application/problem+json": {"schema": {"type": "object"}}},
            },
        }
        listing = {
            "type": "object",
            "required": ["@context", "id", "total", "page", "size", "pages", "facets", "@included"],
            "properties": {
                "@context": text, "id": text, "total": {"type": "integer"}, "page": number, "size": number,
                "pages": {"type": "object", "additionalProperties": text},
                "facets": {"type": "object"}, "@included": {"type": "array", "items": {"type": "object"}},
            },
        }  # fmt: skip
        return {
            "openapi": "3.1.0",
            "info": {"title": "1+MG Framework as data", "version": "1", "description": "Resources, searched and chosen."},
            "paths": {
                "/api/search": {
                    "get": {
                        "summary": "Search resources by words.", "operationId": "search",
                        "parameters": [words | {"required": True}, *common], "responses": answers,
                    }
                },
                "/api/resources": {
                    "get": {
                        "summary": "Choose resources by facets.", "operationId": "resources",
                        "parameters": [words, *common], "responses": answers,
                    }
                },
            },
            "components": {"schemas": {"List": listing}},
        }  # fmt: skip


def over(project: Project, store: Selectable) -> Api:
    """The API over a graph.

    Args:
        project: has the queries of the facets.
        store: the graph.

    Raises:
        QueryError: a facet cannot be read.
    """
    return Api(facets.collect(project, store), facets.resources(project, store))


def _number(single: dict[str, str], name: str, default: int, most: int) -> int:
    value = single.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and 1 <= int(value) <= most):
        raise Mistake(f"The parameter {name} is a number from 1 to {most}.")
    return int(value)


def _url(path: str, asked: Asked, page: int) -> str:
    pairs = [("q", asked.q)] if asked.q else []
    pairs += [(name, slug) for name, slugs in asked.chosen.items() for slug in slugs]
    pairs += [("size", str(asked.size))] if asked.size != _SIZE else []
    pairs += [("page", str(page))] if page != 1 else []
    return path + ("?" + urlencode(pairs) if pairs else "")


def _described(one: Resource) -> dict[str, Any]:
    """A resource in the keys of the published context."""
    said: dict[str, Any] = {"id": one.iri, "type": [type_.replace("#", "/").rpartition("/")[2] for type_ in one.types]}
    said["title"] = one.title.value
    if one.description:
        said["description"] = one.description.value
    if one.link:
        said["landingPage"] = one.link
    if one.labels:
        said["hasRequirementStatement"] = [
            {"id": label.statement, "level": label.level, **({"inUseCase": label.use_case} if label.use_case else {})}
            for label in one.labels
        ]
    return said
