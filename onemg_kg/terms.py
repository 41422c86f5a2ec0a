"""The names of the graph: our namespace and the prefix table. No other Python module spells an IRI."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import pyoxigraph as ox

BASE = "https://w3id.org/oneplusmg/"
"""The base of every IRI that the project mints. Not registered yet: see ``docs/identifiers.md``."""

NS = BASE + "ns#"

PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "adms": "http://www.w3.org/ns/adms#",
        "agent": BASE + "id/org/",
        "bibo": "http://purl.org/ontology/bibo/",
        "category": BASE + "voc/national-category/",
        "cccev": "http://data.europa.eu/m8g/",
        "coar": "http://purl.org/coar/resource_type/",
        "country": "http://publications.europa.eu/resource/authority/country/",
        "cycle-stage": BASE + "voc/data-life-cycle/",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcterms": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "edam": "http://edamontology.org/",
        "ehds-stage": BASE + "voc/ehds-journey/",
        "eli": "http://data.europa.eu/eli/ontology#",
        "eu-ehds": "https://w3id.org/dpv/legal/eu/ehds#",
        "file-type": "http://publications.europa.eu/resource/authority/file-type/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "frapo": "http://purl.org/cerif/frapo/",
        "functionality": BASE + "voc/functionality/",
        "kind": BASE + "voc/resource-type/",
        "level": BASE + "voc/requirement-level/",
        "listing": BASE + "id/listing/",
        "mapping": BASE + "id/mapping/",
        "media-type": "http://www.iana.org/assignments/media-types/",
        "mention": BASE + "id/mention/",
        "mod": "https://w3id.org/mod#",
        "navigation": BASE + "id/navigation/",
        "onemg": NS,
        "org": "http://www.w3.org/ns/org#",
        "owl": "http://www.w3.org/2002/07/owl#",
        "page": BASE + "id/page/",
        "page-state": BASE + "voc/page-state/",
        "page-type": BASE + "voc/page-type/",
        "project": BASE + "id/project/",
        "prov": "http://www.w3.org/ns/prov#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "requirement": BASE + "id/requirement/",
        "resource": BASE + "id/resource/",
        "role": BASE + "voc/role/",
        "schema": "https://schema.org/",
        "section": BASE + "voc/section/",
        "sh": "http://www.w3.org/ns/shacl#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "spdx": "http://spdx.org/rdf/terms#",
        "spec": "http://www.w3.org/ns/spec#",
        "stage": BASE + "voc/lifecycle-stage/",
        "use-case": BASE + "voc/use-case/",
        "vann": "http://purl.org/vocab/vann/",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "void": "http://rdfs.org/ns/void#",
        "vs": "http://www.w3.org/2003/06/sw-vocab-status/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }
)
"""Prefix to namespace, for reading short names and for writing them."""


def expand(name: str) -> str:
    """The IRI of a short name.

    Args:
        name: an IRI in full, a prefixed name (``onemg:level``), or a path below the base (``voc/role/researcher``).

    Returns:
        The IRI in full; a name with an unknown prefix is taken for an IRI.
    """
    prefix, colon, local = name.partition(":")
    if colon and prefix in PREFIXES:
        return PREFIXES[prefix] + local
    return name if colon else BASE + name


def term(name: str) -> ox.NamedNode:
    """The node of a short name (see :func:`expand`).

    Raises:
        ValueError: it is no IRI.
    """
    return ox.NamedNode(expand(name))


def text(node: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | ox.DefaultGraph | None) -> str:
    """What a node says without its syntax: an IRI, a lexical form, a label; nothing for what has no value."""
    return "" if node is None or isinstance(node, ox.Triple | ox.DefaultGraph) else node.value


@cache
def shorten(iri: str) -> str:
    """The short name of an IRI: prefixed where the table has its namespace, else below the base, else as it is."""
    for prefix, namespace in PREFIXES.items():
        local = iri[len(namespace) :]
        if iri.startswith(namespace) and local and not set(local) & set("/#?"):
            return f"{prefix}:{local}"
    return iri.removeprefix(BASE)
