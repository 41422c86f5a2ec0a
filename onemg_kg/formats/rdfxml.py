"""RDF/XML, for tools that read nothing else (RDF 1.1 XML Syntax, W3C 2014).

pyoxigraph has a writer too, but its carriage returns come back as line feeds from other XML parsers, and it writes
predicates and characters that XML cannot hold as if it could.
"""

import json
import re
from collections.abc import Iterator

from onemg_kg.errors import RdfError
from onemg_kg.formats.nesting import KEPT, Dataset, Graph, Write
from onemg_kg.formats.prefixes import Prefixes, Shortener
from onemg_kg.terms import PREFIXES

_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = rf"[{_START}][-.0-9\u00b7\u0300-\u036f\u203f\u2040{_START}]*\Z"
"""NCName (Namespaces in XML 1.0, section 3) at the end of an IRI; it is slow to compile, so it waits for its use."""

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML excludes (Char, XML 1.0, section 2.2), surrogates apart, which no literal has."""
_NOT_PROPERTIES = {
    PREFIXES["rdf"] + name
    for name in (
        *("Description", "RDF", "ID", "about", "parseType", "resource", "nodeID", "datatype"),
        *("li", "aboutEach", "aboutEachPrefix", "bagID"),
    )
}
"""Names of the syntax, which cannot be property elements (section 7.2.2), and ``rdf:li``, which is read as another."""


def write_rdfxml(quads: Dataset, prefixes: Prefixes) -> Iterator[str]:
    """One graph in RDF/XML, in pieces: flat, an ``rdf:Description`` for each subject.

    Args:
        quads: the statements, without graph names.
        prefixes: prefix to namespace.

    Raises:
        RdfError: a prefix cannot be written, a predicate does not end in an XML name, or a literal has a character that
            XML excludes.
    """
    usable = {prefix: namespace for prefix, namespace in prefixes.items() if prefix and prefix[:3].lower() != "xml"}
    shortener = Shortener({**usable, "rdf": PREFIXES["rdf"]})
    elements = {predicate: _element(predicate[1:-1], shortener) for predicate in sorted(quads.predicates)}
    nodes = _Nodes()

    def writer(_: str, graph: Graph) -> Write:
        return lambda subject: _description(graph.subjects[subject], subject, elements, nodes)

    written = quads.arranged(writer, flat=True)
    declared = sorted({**shortener.used, "rdf": PREFIXES["rdf"]}.items())
    head = "".join(f"\n  xmlns:{prefix}={_quoted(namespace)}" for prefix, namespace in declared)
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{head}>\n'
    for _, block in written:
        yield block
    yield "</rdf:RDF>\n"


class _Nodes(dict[str, str]):
    """The token of a node to the end of an element that links to it: they come again."""

    def __missing__(self, token: str) -> str:
        if len(self) > KEPT:
            self.clear()
        self[token] = text = _node("resource", token) + "/>\n"
        return text


def _description(properties: dict[str, list[str]], subject: str, elements: dict[str, tuple[str, str]], nodes: _Nodes) -> str:
    lines = []
    for predicate, objects in properties.items():
        name, declaration = elements[predicate]
        start = f"    <{name}{declaration}"
        for object_ in objects:
            lines.append(start + (nodes[object_] if object_[0] != '"' else _literal(predicate, object_, name)))
    lines.sort()
    return f"  <rdf:Description{_node('about', subject)}>\n{''.join(lines)}  </rdf:Description>\n"


def _literal(predicate: str, token: str, name: str) -> str:
    """The rest of an element with a literal, after its name."""
    end = token.rindex('"') + 1
    text, suffix = token[1 : end - 1], token[end:]
    if "\\" in text or not text.isascii():
        # Canonical N-Triples escapes a subset of what JSON escapes, and in the same way; all of ASCII that XML excludes too.
        text = json.loads(token[:end])
        found = _NO_XML.search(text)
        if found:
            raise RdfError(
                f"a literal of {predicate} has the character U+{ord(found[0]):04X}, which XML excludes.",
                fix="Remove it, or choose another format.",
            )
    said = f' xml:lang="{suffix[1:]}"' if suffix[:1] == "@" else f" rdf:datatype={_quoted(suffix[3:-1])}" if suffix else ""
    return f"{said}>{_escaped(text)}</{name}>\n"


def _node(attribute: str, token: str) -> str:
    return f" rdf:{attribute}={_quoted(token[1:-1])}" if token[0] == "<" else f" rdf:nodeID={_quoted(token[2:])}"


def _element(predicate: str, shortener: Shortener) -> tuple[str, str]:
    """The name of a property element and, where no prefix fits, the declaration of its namespace."""
    found = re.search(_NAME, predicate)
    if found is None or not found.start() or predicate in _NOT_PROPERTIES:
        raise RdfError(
            f"RDF/XML cannot write the predicate <{predicate}>, which is of its own syntax or ends in no XML name.",
            fix="Choose another format.",
        )
    name = shortener.split(predicate)
    if name is not None and re.fullmatch(_NAME, name[1]):
        return ":".join(name), ""
    return found[0], f" xmlns={_quoted(predicate[: found.start()])}"


def _escaped(text: str) -> str:
    """Character data. A bare carriage return would be read as a line feed (XML 1.0, section 2.11)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _quoted(iri: str) -> str:
    """An attribute value; an IRI has no quotation mark, no white space and no angle bracket."""
    return '"' + iri.replace("&", "&amp;") + '"'
