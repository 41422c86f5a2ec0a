"""JSON-LD 1.1 that reads as plain JSON and loses nothing (W3C 2020)."""

import json
import re
from collections.abc import Iterable

from onemg_kg.formats.canonical import Tokens
from onemg_kg.formats.context import Context, Definition, Term, definitions, derive
from onemg_kg.formats.nesting import TYPE, Graph, graphs
from onemg_kg.formats.prefixes import Prefixes, Shortener
from onemg_kg.terms import PREFIXES

_WIDTH = 100
"""Values go on lines of their own where one line would be wider."""

_BOOLEAN = f"^^<{PREFIXES['xsd']}boolean>"
_INTEGER = f"^^<{PREFIXES['xsd']}integer>"
_COUNTS = {f"^^<{PREFIXES['xsd']}{name}>" for name in ("nonNegativeInteger", "positiveInteger")}
_NUMBER = re.compile('"(?:0|-?[1-9][0-9]{0,14})"')
"""Integers that a JSON number gives back as they are: canonical, and exact in a double."""


def write_jsonld(quads: list[Tokens], prefixes: Prefixes, context: Context | None = None) -> bytes:
    """A dataset in JSON-LD: nested nodes, and in front of them the part of the context that they use.

    Args:
        quads: what ``canonical.tokens`` returned.
        prefixes: prefix to namespace.
        context: the published context, whose prefixes then stand for ``prefixes``; without one, it is derived from the
            statements.

    Raises:
        RdfError: a prefix cannot be written.
    """
    names = _Names(context or derive(prefixes, quads), quads)
    nodes: list[str] = []
    for name, graph in graphs(quads).items():
        if name:
            inner = _block("[]", _Writer(graph, names).nodes(" " * 8), " " * 6)
            nodes.append(_block("{}", [f'"id": {_reference(name)}', f'"@graph": {inner}'], " " * 4))
        else:
            nodes += _Writer(graph, names).nodes(" " * 4)
    header = [f"{_json(key)}: {_json(value)}" for key, value in names.definitions().items()]
    document = [f'"@context": {_block("{}", header, "  ")}', f'"@graph": {_block("[]", nodes, "  ")}']
    return (_block("{}", document, "") + "\n").encode()


class _Names:
    """Keys and type names, each worked out once a document, and the definitions that they need."""

    def __init__(self, context: Context, quads: Iterable[Tokens]) -> None:
        # The scheme of an IRI <dcterms:x> would be read as the prefix, so a prefix that is also a scheme is not declared.
        iris = {token for quad in quads for token in quad if token[:1] == "<"}
        self._schemes = {iri[1 : iri.index(":")] for iri in iris}
        self._shortener = Shortener({p: n for p, n in context.prefixes.items() if p and p not in self._schemes})
        self._context = context
        self._used: dict[str, Term] = {}

    def term(self, iri: str) -> Term:
        """The key or type name that stands for an IRI, with the coercion of its values."""
        term = self._used.get(iri)
        if term is None:
            term = self._context.terms.get(iri)
            if term is None or term.name.partition(":")[0] in self._schemes:
                term = Term(self._shortener.shorten(iri), "")
            self._used[iri] = term
        return term

    def datatype(self, iri: str) -> str:
        """The name of a datatype."""
        return self._shortener.shorten(iri)

    def definitions(self) -> dict[str, Definition]:
        """The context of what was asked for so far."""
        return definitions(self._used, self._shortener)


class _Writer:
    """Writes the nodes of one graph."""

    def __init__(self, graph: Graph, names: _Names) -> None:
        self._graph = graph
        self._names = names
        self._values: dict[tuple[str, str], str] = {}

    def nodes(self, margin: str) -> list[str]:
        """A node for each root, in the order of the roots; anonymous ones of a type by what they say."""
        roots = self._graph.roots()
        written = [(self._graph.place(root), _block("{}", self._entries(root, margin), margin)) for root in roots]
        return [node for _, node in sorted(written)]

    def _entries(self, subject: str, margin: str) -> list[str]:
        """The entries of a node object: ``id`` where it has a name, ``type``, then its properties by key."""
        properties = self._graph.subjects.get(subject, {})
        line = margin + "  "
        entries = []
        if subject not in self._graph.anonymous and subject not in self._graph.nested:
            entries.append(f'"id": {_reference(subject)}')
        types = [object_ for object_ in properties.get(TYPE, ()) if object_[0] == "<"]
        if types:
            entries.append(f'"type": {_values([_json(self._names.term(type_).name) for type_ in types], line)}')
        keyed = []
        for predicate, objects in properties.items():
            # Only an IRI can be the value of @type; any other object of rdf:type stands under the property's own name.
            others = objects if predicate != TYPE else [object_ for object_ in objects if object_[0] != "<"]
            if others:
                term = self._names.term(predicate)
                place = line if len(others) == 1 else line + "  "
                texts = [self._value(object_, term.coercion, place) for object_ in others]
                keyed.append(f"{_json(term.name)}: {_values(texts, line)}")
        return entries + sorted(keyed)

    def _value(self, object_: str, coercion: str, margin: str) -> str:
        members = self._graph.lists.get(object_)
        if members is not None:
            texts = [self._value(member, coercion, margin + "  ") for member in members]
            return f'{{"@list": {_fit("[]", texts, margin)}}}'
        if object_ in self._graph.nested:
            return _fit("{}", self._entries(object_, margin), margin)
        text = self._values.get((object_, coercion))
        if text is None:
            text = self._literal(object_, coercion) if object_[0] == '"' else _reference(object_, coercion)
            self._values[object_, coercion] = text
        return text

    def _literal(self, token: str, coercion: str) -> str:
        end = token.rindex('"') + 1
        # Canonical N-Triples escapes a subset of what JSON escapes, and in the same way, so the quoted text is JSON.
        text, suffix = token[:end], token[end:]
        if suffix == _INTEGER and _NUMBER.fullmatch(text) or suffix == _BOOLEAN and text in ('"true"', '"false"'):
            return text[1:-1] if not coercion else f'{{"@value": {text[1:-1]}}}'
        if suffix.removeprefix("^^") == coercion:
            return text[1:-1] if suffix in _COUNTS and _NUMBER.fullmatch(text) else text
        if not suffix:
            return f'{{"@value": {text}}}'
        if suffix[0] == "@":
            return f'{{"@language": "{suffix[1:]}", "@value": {text}}}'
        return f'{{"@type": {_json(self._names.datatype(suffix[2:]))}, "@value": {text}}}'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _reference(node: str, coercion: str = "@id") -> str:
    """An IRI, or the label of a blank node; neither has a character that JSON escapes."""
    text = f'"{node[1:-1]}"' if node[0] == "<" else f'"{node}"'
    return text if coercion == "@id" else f'{{"id": {text}}}'


def _values(texts: list[str], margin: str) -> str:
    """The values of one key, in the order of their texts; one value stands alone."""
    return texts[0] if len(texts) == 1 else _fit("[]", sorted(texts), margin)


def _fit(brackets: str, texts: list[str], margin: str) -> str:
    """An array or object on one line if it is short, else with a line for each of its texts."""
    if sum(map(len, texts)) + 2 * len(texts) + len(margin) <= _WIDTH and not any("\n" in text for text in texts):
        return brackets[0] + ", ".join(texts) + brackets[1]
    return _block(brackets, texts, margin)


def _block(brackets: str, texts: list[str], margin: str) -> str:
    if not texts:
        return brackets
    lines = f",\n{margin}  ".join(texts)
    return f"{brackets[0]}\n{margin}  {lines}\n{margin}{brackets[1]}"
