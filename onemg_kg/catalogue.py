"""The graph's record of itself: DCAT 3 (DCAT-AP 3.0.1), VoID, PROV, with everything that can be counted counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from itertools import groupby
from operator import itemgetter

import pyoxigraph as ox

from onemg_kg.database import pieces
from onemg_kg.formats import Dataset, Format, together
from onemg_kg.graph import GRAPHS
from onemg_kg.spool import in_order, once
from onemg_kg.store import Graphs, from_lines, to_lines
from onemg_kg.terms import BASE, NS, term, text

_DATASET = "data/framework"
_SOURCE = "id/framework/source"
_RECORD = GRAPHS + "data/catalogue"
_COMPUTED = GRAPHS + "build/catalogue"
_FILE_TYPES = {
    "turtle": "RDF_TURTLE",
    "jsonld": "JSON_LD",
    "ntriples": "RDF_N_TRIPLES",
    "nquads": "RDF_N_QUADS",
    "trig": "RDF_TRIG",
    "rdfxml": "RDF_XML",
}
"""Our formats in the file types of the EU authority table."""
_STATED = "What the graph states."
_FOLLOWS = "What follows by rules from what the graph states."
_BOTH = "What the graph states and what follows, each statement in the graph of its file or of its rule."


class _Record:
    """Collects the triples of the record."""

    def __init__(self) -> None:
        self.triples: list[ox.Triple] = []

    def say(self, subject: str, predicate: str, value: ox.NamedNode | ox.Literal | str | int) -> None:
        """Say one thing: a short name stands for a node, a number for a count (``xsd:nonNegativeInteger``)."""
        if isinstance(value, int):
            value = ox.Literal(str(value), datatype=term("xsd:nonNegativeInteger"))
        elif isinstance(value, str):
            value = term(value)
        self.triples.append(ox.Triple(term(subject), term(predicate), value))


def _counts(record: _Record, triples: Dataset) -> None:
    """Statistics (VoID, section 4)."""
    type_ = str(term("rdf:type"))
    subjects = entities = 0
    for subject, _ in groupby(triples, itemgetter(0)):
        subjects += 1
        entities += subject.startswith("<" + BASE)
    members = Counter(quad[2] for quad in triples if quad[1] == type_)
    objects = sum(1 for _ in once(in_order((quad[2] for quad in triples), len)))
    record.say(_DATASET, "void:triples", len(triples))
    record.say(_DATASET, "void:entities", entities)
    record.say(_DATASET, "void:distinctSubjects", subjects)
    record.say(_DATASET, "void:distinctObjects", objects)
    record.say(_DATASET, "void:classes", len(members))
    record.say(_DATASET, "void:properties", len(triples.predicates))
    for name, number in sorted((token.strip("<>"), number) for token, number in members.items()):
        if name.startswith(NS):
            part = f"{_DATASET}#class-{name.removeprefix(NS)}"
            record.say(_DATASET, "void:classPartition", part)
            record.say(part, "rdf:type", "void:Dataset")
            record.say(part, "void:class", name)
            record.say(part, "void:entities", number)


def _distribution(record: _Record, name: str, form: Format, size: int, sha256: str) -> None:
    """One file of the graph (DCAT 3, section 6.8)."""
    node = f"data/{name}"
    holds = _FOLLOWS if name.startswith("inferred") else _BOTH if form.name in {"nquads", "trig"} else _STATED
    record.say(_DATASET, "dcat:distribution", node)
    record.say(_DATASET, "void:dataDump", node)
    record.say(node, "rdf:type", "dcat:Distribution")
    record.say(node, "dcterms:title", ox.Literal(name, language="en"))
    record.say(node, "dcterms:description", ox.Literal(holds, language="en"))
    record.say(node, "dcat:accessURL", node)
    record.say(node, "dcat:downloadURL", node)
    media_type, file_type = "media-type:" + form.media_type, "file-type:" + _FILE_TYPES[form.name]
    record.say(node, "dcat:mediaType", media_type)
    record.say(media_type, "rdf:type", "dcterms:MediaType")
    record.say(node, "dcterms:format", file_type)
    record.say(file_type, "rdf:type", "dcterms:MediaTypeOrExtent")
    record.say(file_type, "skos:inScheme", "http://publications.europa.eu/resource/authority/file-type")
    record.say(node, "dcterms:license", "https://creativecommons.org/licenses/by/4.0/")
    record.say(node, "dcat:byteSize", size)
    record.say(node, "spdx:checksum", node + "#checksum")
    record.say(node + "#checksum", "rdf:type", "spdx:Checksum")
    record.say(node + "#checksum", "spdx:algorithm", "spdx:checksumAlgorithm_sha256")
    record.say(node + "#checksum", "spdx:checksumValue", ox.Literal(sha256, datatype=term("xsd:hexBinary")))


def describe(
    lines: Graphs,
    stated: Dataset,
    inferred: Dataset,
    distributions: Mapping[str, tuple[Format, int, str]],
    version: str,
) -> list[ox.Triple]:
    """The catalogue record of a build.

    Args:
        lines: what the graph states, by file.
        stated: what is published of that, each statement once, without the names of the graphs.
        inferred: what follows from it, likewise.
        distributions: the files of the graph, by name: format, size, SHA-256.
        version: the version of the graph.

    Returns:
        What ``data/catalogue.ttl`` says, who publishes it, the site's commit, and what was computed.
    """
    record = _Record()
    kept = {str(term(name)) for name in (_SOURCE, "id/framework", "id/org/onemg-kg")}
    named = {text(triple.object) for triple in _about(lines, kept) if isinstance(triple.object, ox.NamedNode)}
    kept |= {f"<{iri}>" for iri in named if iri.startswith(BASE + "id/org/")}
    record.triples = _about(lines, kept)
    _counts(record, together(stated, inferred))
    for part, said in (("stated", stated), ("inferred", inferred)):
        record.say(_DATASET, "void:subset", f"{_DATASET}#{part}")
        record.say(f"{_DATASET}#{part}", "rdf:type", "void:Dataset")
        record.say(f"{_DATASET}#{part}", "void:triples", len(said))
    for name, (form, size, sha256) in distributions.items():
        _distribution(record, name, form, size, sha256)
    record.say(_DATASET, "dcat:version", ox.Literal(version))
    for date in _dates(record.triples):
        record.say(_DATASET, "dcterms:modified", date)
        record.say("data/catalogue", "dcterms:modified", date)
    build = f"{_DATASET}#build"
    agent = f"{_DATASET}#software"
    record.say(_DATASET, "prov:wasDerivedFrom", _SOURCE)
    record.say(_DATASET, "prov:wasGeneratedBy", build)
    record.say(build, "rdf:type", "prov:Activity")
    record.say(build, "prov:used", _SOURCE)
    record.say(build, "prov:wasAssociatedWith", agent)
    record.say(agent, "rdf:type", "prov:SoftwareAgent")
    record.say(agent, "foaf:name", ox.Literal(f"onemg-kg {version}"))
    return record.triples


def _about(lines: Graphs, subjects: Set[str]) -> list[ox.Triple]:
    """What is said in the graph of the record, and of some subjects anywhere."""
    told = [line for name, held in pieces(lines) for line in held if name == _RECORD or line.partition(" ")[0] in subjects]
    return [quad.triple for quad in from_lines(told)]


def computed(record: Iterable[ox.Triple], stated: Graphs) -> Graphs:
    """What a build adds to what is stated of the graph, in a graph of its own."""
    said = dict.fromkeys(to_lines(record))
    known = {line for _, lines in pieces(stated) for line in lines if line in said}
    return {_COMPUTED: [line for line in said if line not in known]}


def _dates(stated: Iterable[ox.Triple]) -> list[ox.Literal]:
    """The date of the site's commit, if it is known: an artefact bears no time of its own."""
    issued, source = term("dcterms:issued"), term(_SOURCE)
    return [
        triple.object
        for triple in stated
        if triple.subject == source and triple.predicate == issued and isinstance(triple.object, ox.Literal)
    ]
