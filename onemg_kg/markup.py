"""schema.org and Bioschemas mark-up: what a search engine or a registry reads from a page.

Each query of ``queries/markup/`` gives one kind of thing, or what several kinds have in common; the mark-up of a thing is what
all of them say of it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

import pyoxigraph as ox

from onemg_kg import queries
from onemg_kg.project import Project
from onemg_kg.spool import Files
from onemg_kg.store import Queryable, Store, in_default_graph
from onemg_kg.terms import BASE, PREFIXES, term, text

_SCHEMA = PREFIXES["schema"]
_TYPE, _NAME, _URL = term("rdf:type"), term("schema:name"), term("schema:url")
_TOLD = (_TYPE, _NAME, _URL)
"""What a page says of a thing that another page describes."""
_PART = term("schema:DataDownload")
"""What is ours but has no page."""
_ADDRESSES = {term(f"schema:{name}") for name in ("contentUrl", "license", "sameAs", "url")}
"""Properties of which the context of schema.org reads a plain string as an IRI."""
_ESCAPES = {code: f"\\u{code:04x}" for code in (ord("<"), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}
"""What could end a script element (HTML, section 4.12.1.3), and what YAML (1.2.2, section 5.1) would have to escape."""

_INCLUDE = """\
{%- assign jsonld = site.data.onemg_jsonld[page.url] -%}
{%- if jsonld -%}
<script type="application/ld+json">{{ jsonld }}</script>
{%- endif -%}
"""

_Node = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_Said = Mapping[_Node, Mapping[ox.NamedNode, Set[_Node]]]


def of_all(project: Project, store: Queryable, record: Iterable[ox.Triple] = ()) -> Files:
    """The mark-up of everything of ours that schema.org has a type for.

    Args:
        project: has the queries.
        store: the whole graph, stated and inferred.
        record: what the catalogue says of the graph and its files, which is not in the graph.

    Returns:
        A JSON-LD 1.1 document in UTF-8 by the IRI of what it describes. Its context is the one that schema.org publishes, and
        it can stand in a ``script`` element as it is. Same graph, same bytes.

    Raises:
        QueryError: a query is no CONSTRUCT query.
        OnemgError: there is no room for temporary files.
    """
    stores = (store, Store(in_default_graph(record)))
    said: dict[_Node, dict[ox.NamedNode, set[_Node]]] = defaultdict(lambda: defaultdict(set))
    for query in queries.folder(project, "markup"):
        for held in stores:
            for triple in held.construct(query.text, str(query.path)):
                said[triple.subject][triple.predicate].add(triple.object)
    ours = sorted(text(node) for node, told in said.items() if _has_page(node, said) and _TYPE in told)
    documents = Files()
    for iri in ours:
        documents.add(iri, [_json({"@context": _SCHEMA, **_node(ox.NamedNode(iri), said, whole=True)}).encode()])
    return documents


def jekyll(documents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same mark-up for the Framework's own site.

    Args:
        documents: what :func:`of_all` returned.

    Returns:
        Files of a Jekyll site by path: the mark-up of each of the Framework's pages by its permalink, and an include, for
        ``{% include onemg_jsonld.html %}`` in the head of a layout, that shows that of the page at hand.
    """
    lines = {}
    for content in documents.values():
        said = json.loads(content)
        home = said.get("isPartOf", {}).get("url")
        if said["@type"] == "WebPage" and home:
            permalink = "/" + said["url"].removeprefix(home)
            lines[permalink] = f"{json.dumps(permalink)}: {json.dumps(content.decode(), ensure_ascii=False)}\n"
    return {
        "jekyll/_includes/onemg_jsonld.html": _INCLUDE.encode(),
        "jekyll/_data/onemg_jsonld.yml": "".join(lines[permalink] for permalink in sorted(lines)).encode(),
    }


def _has_page(node: _Node, said: _Said) -> bool:
    """Whether a page of ours describes a thing; what has none is described in full wherever it is linked."""
    return text(node).startswith(BASE) and _PART not in said.get(node, {}).get(_TYPE, ())


def _node(node: _Node, said: _Said, whole: bool) -> dict[str, object]:
    """A node object: all that is said of a thing, or what a link to it needs."""
    told = said.get(node, {})
    written: dict[str, object] = {"@id": text(node)}
    for predicate, objects in told.items():
        if whole or predicate in _TOLD:
            if predicate == _TYPE:
                values: list[object] = [text(object_).removeprefix(_SCHEMA) for object_ in objects]
            else:
                values = [_value(predicate, object_, said) for object_ in objects]
            values.sort(key=_json)
            key = "@type" if predicate == _TYPE else predicate.value.removeprefix(_SCHEMA)
            written[key] = values[0] if len(values) == 1 else values
    return written


def _value(predicate: ox.NamedNode, object_: _Node, said: _Said) -> object:
    if isinstance(object_, ox.Literal):
        return object_.value  # dates too: the context says of each of their properties that it takes dates
    if predicate in _ADDRESSES:
        return text(object_)
    return _node(object_, said, whole=not _has_page(object_, said))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).translate(_ESCAPES)
