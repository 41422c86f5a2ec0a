"""What tells programs that a site is there and what is on it: VoID, site map, robots, feeds, RO-Crate and the record for GDI.

Nothing here bears a time of its own: every date is one of the data.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pyoxigraph as ox

from onemg_kg import queries
from onemg_kg.addresses import document, url
from onemg_kg.formats import FORMATS
from onemg_kg.project import Project
from onemg_kg.queries import Query
from onemg_kg.store import Store, Table, in_default_graph
from onemg_kg.terms import BASE, PREFIXES, expand, text

VOID = ".well-known/void"
SITEMAP = "sitemap.xml"
ATOM = "feed.xml"
JSON_FEED = "feed.json"
RO_CRATE = "ro-crate-metadata.json"
DETACHED = "framework-" + RO_CRATE
DEPRECATED = "deprecated.json"

_ATOM = "http://www.w3.org/2005/Atom"
_JSON_FEED = "https://jsonfeed.org/version/1.1"
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_MOST = 50_000
"""As many addresses as one site map may hold (sitemaps.org protocol)."""

_Row = Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """An entry of the feeds.

    Attributes:
        id: the IRI of what changed.
        title: what it is called.
        summary: what it is.
        updated: when it changed (RFC 3339).
        link: the address of its page.
    """

    id: str
    title: str
    summary: str
    updated: str
    link: str


def render(project: Project, store: Store, record: Iterable[ox.Triple], origin: str, pages: Iterable[str]) -> dict[str, bytes]:
    """Every file, by its path on the site.

    Args:
        project: has the queries.
        store: the whole graph, stated and inferred.
        record: what the catalogue says of the graph and its files.
        origin: the address of the site, with a slash at the end.
        pages: the paths of the site's pages, as names of files.

    Returns:
        The VoID description (VoID, section 7.2), the site map, ``robots.txt`` (RFC 9309), and what is withdrawn. Where the
        record describes a dataset with title, description, version, licence and publisher, also RO-Crate metadata: 1.1 of
        the site as an attached crate, and 1.2 as a detached one, whose identifiers are IRIs; and where the graph has dates,
        the feeds of changes (RFC 4287 and JSON Feed 1.1). Same graph, same bytes.

    Raises:
        QueryError: a query is no SELECT query.
    """
    triples = list(record)
    known = {query.name: query for query in queries.folder(project, "publication")}
    held = Store(in_default_graph(triples))
    made = {
        VOID: FORMATS["turtle"].write(triples, PREFIXES),
        **_sitemap(origin, pages),
        DEPRECATED: _deprecated(_rows(store, known.get("deprecated"))),
        "robots.txt": f"User-agent: *\nAllow: /\n\nSitemap: {origin}{SITEMAP}\n".encode(),
    }
    changes = [
        Change(row["id"], row["title"], row["summary"], row["updated"], origin + url(document(row["id"])[0]) + ".html")
        for row in _rows(store, known.get("changes"))
    ]
    for dataset in _rows(held, known.get("dataset"))[:1]:
        files = _rows(held, known.get("files"))
        made[RO_CRATE] = _crate(dataset, files, "1.1", detached=False)
        made[DETACHED] = _crate(dataset, files, "1.2", detached=True)
        if changes:
            made[ATOM] = _atom(dataset, changes, origin)
            made[JSON_FEED] = _json_feed(dataset, changes, origin)
    return made


def _deprecated(rows: Iterable[_Row]) -> bytes:
    """What took the place of what, by path below the base, so that a server can answer 410 (RFC 9110, section 15.5.11)."""
    gone: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        taken = gone.setdefault(row["thing"].removeprefix(BASE), {"replacedBy": []})["replacedBy"]
        if row["replacement"]:
            taken.append(row["replacement"])
    return (json.dumps(gone, indent=1) + "\n").encode()


def gdi(project: Project, store: Store) -> list[ox.Triple]:
    """The record for the User Portal of the Genomic Data Infrastructure: what GDI's shapes ask for, as far as it is true.

    Args:
        project: has the query.
        store: the whole graph, stated and inferred.

    Raises:
        QueryError: the query is no CONSTRUCT query.
    """
    found = (query for query in queries.folder(project, "publication") if query.name == "gdi")
    return sorted({triple for query in found for triple in store.construct(query.text, str(query.path))}, key=str)


def _rows(store: Store, query: Query | None) -> list[_Row]:
    """The rows of a query as text; what is unbound is empty. A project without the query has no rows."""
    table = store.select(query.text, str(query.path)) if query else Table((), [])
    return [{name: text(value) for name, value in record.items()} for record in table.records()]


def _xml(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root)
    content: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{content}\n'.encode()


def _add(parent: ElementTree.Element, name: str, content: str = "", **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name, attributes)
    child.text = content or None
    return child


def _sitemap(origin: str, pages: Iterable[str]) -> dict[str, bytes]:
    """The site map (sitemaps.org protocol 0.9); beyond what one file may hold, an index of several."""
    addresses = sorted(origin + url(page) for page in pages)
    parts = [addresses[start : start + _MOST] for start in range(0, len(addresses), _MOST)]
    if len(parts) < 2:
        return {SITEMAP: _addresses("urlset", "url", addresses)}
    files = {f"sitemap-{number}.xml": _addresses("urlset", "url", part) for number, part in enumerate(parts, 1)}
    return {SITEMAP: _addresses("sitemapindex", "sitemap", [origin + name for name in files]), **files}


def _addresses(name: str, entry: str, addresses: Iterable[str]) -> bytes:
    root = ElementTree.Element(name, xmlns=_SITEMAPS)
    for address in addresses:
        _add(_add(root, entry), "loc", address)
    return _xml(root)


def _atom(dataset: _Row, changes: list[Change], origin: str) -> bytes:
    """The changes as an Atom feed (RFC 4287)."""
    feed = ElementTree.Element("feed", {"xmlns": _ATOM, "xml:lang": "en"})
    _add(feed, "id", BASE + ATOM)
    _add(feed, "title", dataset["title"])
    _add(feed, "subtitle", dataset["description"])
    _add(feed, "updated", max(change.updated for change in changes))
    _add(feed, "link", rel="self", type="application/atom+xml", href=origin + ATOM)
    _add(feed, "link", rel="alternate", type="text/html", href=origin)
    _add(_add(feed, "author"), "name", dataset["publisherName"])
    _add(feed, "rights", dataset["licenseName"] or dataset["license"])
    for change in changes:
        entry = _add(feed, "entry")
        _add(entry, "id", change.id)
        _add(entry, "title", change.title)
        _add(entry, "updated", change.updated)
        _add(entry, "link", rel="alternate", type="text/html", href=change.link)
        _add(entry, "summary", change.summary)
    return _xml(feed)


def _json(document: object) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _json_feed(dataset: _Row, changes: list[Change], origin: str) -> bytes:
    """The changes as a JSON Feed 1.1."""
    return _json(
        {
            "version": _JSON_FEED,
            "title": dataset["title"],
            "description": dataset["description"],
            "home_page_url": origin,
            "feed_url": origin + JSON_FEED,
            "language": "en",
            "authors": [{"name": dataset["publisherName"]}],
            "items": [
                {
                    "id": change.id,
                    "url": change.link,
                    "title": change.title,
                    "content_text": change.summary,
                    "date_modified": change.updated,
                }
                for change in changes
            ],
        }
    )


def _crate(dataset: _Row, files: list[_Row], version: str, *, detached: bool) -> bytes:
    """The dumps as an RO-Crate: attached to the folder of the site, or with IRIs for what is on the web (RO-Crate 1.2)."""
    from rocrate.model import ContextEntity  # late: they take a third of a second
    from rocrate.rocrate import ROCrate

    crate: Any = ROCrate(version=version, root_dataset_id=BASE if detached else None)
    if version == "1.1":
        crate.metadata.extra_terms["sha256"] = expand("schema:sha256")  # younger than that context
    root = crate.root_dataset
    # The library puts the time of day here.
    del root["datePublished"]
    if dataset["date"]:
        root["datePublished"] = dataset["date"]
    root["name"], root["description"], root["version"] = dataset["title"], dataset["description"], dataset["version"]
    root["identifier"] = dataset["id"]
    license_ = {"@type": "CreativeWork", "name": dataset["licenseName"] or dataset["license"]}
    root["license"] = crate.add(ContextEntity(crate, dataset["license"], license_))
    publisher = crate.add(
        ContextEntity(crate, dataset["publisher"], {"@type": "Organization", "name": dataset["publisherName"]})
    )
    root["publisher"], root["author"] = publisher, publisher
    for file in files:
        place = {"source": file["address"]} if detached else {"dest_path": file["address"].removeprefix(BASE)}
        properties = {
            "name": file["name"],
            "description": file["description"],
            "encodingFormat": file["mediaType"],
            "contentSize": file["size"],
            "sha256": file["sha256"],
        }
        crate.add_file(**place, properties=properties)
    return _json(crate.metadata.generate())
