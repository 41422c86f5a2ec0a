"""The explorer: every resource, searched and filtered in the browser, from data that stand in the page itself.

The data are inline and the script is a classic one, so that the page also works from disk, where a browser neither fetches nor
imports. Without a script the page lists everything, and its facets lead to the pages of their values.
"""

import json
from collections.abc import Iterator

import pyoxigraph as ox

from onemg_kg.descriptions import Descriptions
from onemg_kg.facets import Facet, Resource
from onemg_kg.formats import Context
from onemg_kg.formats.context import Definition
from onemg_kg.site.pages import Pages
from onemg_kg.terms import PREFIXES, expand, term, text

PATH = "explorer.html"
_DATASET = "data/framework"
_RECORD = {"title": "dcterms:title", "version": "dcat:version", "license": "dcterms:license"}
"""What a saved file says of the dataset from which it comes."""
_OWN = {
    "title": "dcterms:title",
    "alternative": "dcterms:alternative",
    "description": "dcterms:description",
    "link": "dcat:landingPage",
    "statements": "onemg:hasRequirementStatement",
    "level": "onemg:level",
    "useCase": "onemg:inUseCase",
}
_STATEMENT = "onemg:RequirementStatement"

_Json = str | int | None | list["_Json"] | dict[str, "_Json"]


def render(
    pages: Pages, descriptions: Descriptions, published: Context, found: list[Facet], resources: list[Resource]
) -> Iterator[tuple[str, bytes]]:
    """The page of the explorer; its script and style are assets.

    Args:
        pages: makes the page.
        descriptions: what is said of the dataset, for files that a reader saves.
        published: the JSON-LD context; what a saved file uses of it stands in the file, which is read without a network.
        found: every facet.
        resources: every resource, in the order in which they are listed.

    Raises:
        jinja2.TemplateError: the template is wrong.
    """
    kinds = next((facet.choices for facet in found if facet.name == "kind"), [])
    rows = [
        (
            one,
            list(dict.fromkeys((label.label, label.limit) for label in one.labels)),
            [choice.label for choice in kinds if one.iri in choice.members],
        )
        for one in resources
    ]
    page = pages.render(
        "explorer.html",
        PATH,
        title="Explorer",
        description="Find a resource of the 1+MG Framework: by its words, label, use case, role, stage, section and more.",
        facets=found,
        rows=rows,
        data=_script(_data(pages, descriptions, published, found, resources)),
    )
    yield PATH, page


def _script(data: _Json) -> str:
    """JSON (RFC 8259) that may stand in a script element, which any ``</script`` would end."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _data(pages: Pages, descriptions: Descriptions, published: Context, found: list[Facet], resources: list[Resource]) -> _Json:
    record = {
        name: [quad.object for quad in descriptions.of(expand(_DATASET)) if quad.predicate == term(property_)]
        for name, property_ in _RECORD.items()
    }
    classes = sorted({type_ for one in resources for type_ in one.types} | {expand(_STATEMENT), expand("dcat:Dataset")})
    properties = [*_OWN.values(), *_RECORD.values(), *(facet.property for facet in found if facet.property)]
    keys, context = _context(published, [*classes, *map(expand, properties)])
    numbers = {one.iri: number for number, one in enumerate(resources)}

    def key(name: str) -> str:
        return keys[expand(name)]

    def said(node: ox.Literal | None, property_: str) -> _Json:
        """A text as the context reads it: bare where it is in the language that the context gives the property."""
        if node is None:
            return None
        definition = context[key(property_)]
        language = definition.get("@language") if isinstance(definition, dict) else None
        if node.language == language:
            return node.value
        return {"@value": node.value, "@language": node.language} if node.language else {"@value": node.value}

    dataset: dict[str, _Json] = {"@id": expand(_DATASET), "@type": keys[expand("dcat:Dataset")]}
    for name, nodes in record.items():
        if nodes:
            node = nodes[0]
            dataset[key(_RECORD[name])] = said(node, _RECORD[name]) if isinstance(node, ox.Literal) else text(node)
    return {
        "context": context,  # type: ignore[dict-item]  # a dict of dicts, which mypy takes for another than itself
        "keys": {**{name: key(property_) for name, property_ in _OWN.items()}, "statement": key(_STATEMENT)},
        "dataset": dataset,
        "facets": [
            {
                "name": facet.name,
                "title": facet.title,
                "key": key(facet.property) if facet.property else None,
                "choices": [
                    {
                        "slug": choice.slug,
                        "label": choice.label,
                        "iri": choice.iri,
                        "depth": choice.depth,
                        **{
                            wanted: [
                                numbers[iri] for iri, basis in choice.members.items() if basis == wanted and iri in numbers
                            ]
                            for wanted in ("stated", "follows")
                        },
                    }
                    for choice in facet.choices
                ],
            }
            for facet in found
        ],
        "resources": [
            {
                "iri": one.iri,
                "page": pages.place(one.iri) or one.iri,
                "types": [keys[type_] for type_ in one.types],
                "title": said(one.title, _OWN["title"]),
                "alternatives": [said(other, _OWN["alternative"]) for other in one.alternatives],
                "description": said(one.description, _OWN["description"]),
                "link": one.link,
                "labels": [
                    {
                        "iri": label.statement,
                        "level": label.level,
                        "label": label.label,
                        "useCase": label.use_case,
                        "limit": label.limit,
                    }
                    for label in one.labels
                ],
            }
            for one in resources
        ],
    }


def _context(published: Context, iris: list[str]) -> tuple[dict[str, str], dict[str, Definition]]:
    """What a file needs of the published context to say some classes and properties.

    Returns:
        The key of each IRI; and the definitions of these keys with the prefixes that they use. What the published context does
        not name is its own key.
    """
    definitions = published.definitions()
    keys: dict[str, str] = {}
    used: dict[str, Definition] = {}
    for iri in dict.fromkeys(iris):
        found = published.terms.get(f"<{iri}>")
        keys[iri] = found.name if found else iri
        used[keys[iri]] = definition = definitions.get(keys[iri], iri)
        for name in (keys[iri], definition if isinstance(definition, str) else str(definition["@id"])):
            prefix, colon, _ = name.partition(":")
            if colon and prefix in PREFIXES:
                used[prefix] = definitions[prefix]
    return keys, dict(sorted(used.items()))
