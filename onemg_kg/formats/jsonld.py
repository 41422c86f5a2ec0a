"""JSON-LD that reads as plain JSON and loses nothing (JSON-LD 1.1, W3C 2020)."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from onemg_kg.formats.context import Context, Definition, Term, definitions, derive
from onemg_kg.formats.nesting import KEPT, TYPE, Dataset, Graph, Write
from onemg_kg.formats.prefixes import Prefixes, Shortener
from onemg_kg.terms import PREFIXES

_WIDTH = 100
"""The parts of an array or object go on lines of their own where one line would be wider."""

_BOOLEAN = f"^^<{PREFIXES['xsd']}boolean>"
_BOOLEANS = ('"false"', '"true"')
_INTEGER = f"^^<{PREFIXES['xsd']}integer>"
_COUNTS = {f"^^<{PREFIXES['xsd']}{name}>" for name in ("nonNegativeInteger", "positiveInteger")}
_NUMBER = re.compile('"(?:0|-?[1-9][0-9]{0,14})"')
"""Integers that come back from a JSON number as they were: canonical, and exact in a double."""


def write_jsonld(quads: Dataset, prefixes: Prefixes, context: Context | None = None) -> Iterator[str]:
    """A dataset in JSON-LD, in pieces: nested nodes, and in front of them the part of the context that they use.

    Args:
        quads: the statements.
        prefixes: prefix to namespace.
        context: the published context, whose prefixes then stand for ``prefixes``; without it, one is derived
            from the statements.

    Raises:
        RdfError: a prefix cannot be written.
    """
    names = _Names(context or derive(prefixes, quads), quads.schemes)

    def writer(name: str, graph: Graph) -> Write:
        return _Writer(graph, names, " " * (8 if name else 4)).node

    written = quads.arranged(writer)
    header = [f'"{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in names.definitions().items()]
    yield f'{{\n  "@context": {_block("{}", header, "  ")},\n  "@graph": '
    yield from _array(_nodes(written), "  ")
    yield "\n}\n"


def _nodes(written: Iterable[tuple[str, str]]) -> Iterator[Iterable[str]]:
    """The nodes of the default graph, then an object for each named graph, each in pieces."""
    for name, nodes in groupby(written, itemgetter(0)):
        if name:
            yield _named(name, nodes)
        else:
            for _, node in nodes:
                yield [node]


def _named(name: str, nodes: Iterable[tuple[str, str]]) -> Iterator[str]:
    margin = " " * 6
    yield f'{{\n{margin}"id": {_reference(name)},\n{margin}"@graph": '
    yield from _array(([node] for _, node in nodes), margin)
    yield f"\n{margin[:-2]}}}"


def _array(parts: Iterable[Iterable[str]], margin: str) -> Iterator[str]:
    """An array as :func:`_block` writes it, in pieces, of parts that come in pieces."""
    start = f"[\n{margin}  "
    end = "[]"
    for part in parts:
        yield start
        yield from part
        start, end = f",\n{margin}  ", f"\n{margin}]"
    yield end


class _Names:
    """Keys and type names, each worked out once a document, and the definitions that they need."""

    def __init__(self, context: Context, schemes: set[str]) -> None:
        # The scheme of the IRI dcterms:x would be read as a prefix, so such a prefix is not declared.
        self._schemes = schemes
        self._context = context
        usable = {p: n for p, n in context.prefixes.items() if p not in self._schemes}
        self._shortener = Shortener(usable)
        self._used: dict[str, Term] = {}
        self._properties: dict[str, tuple[str, _Values]] = {}
        self._values: dict[str, _Values] = {}

    def property(self, predicate: str) -> "tuple[str, _Values]":
        """The key of a predicate as JSON, with its colon, and its values."""
        found = self._properties.get(predicate)
        if found is None:
            term = self.term(predicate)
            if term.coercion not in self._values:
                self._values[term.coercion] = _Values(term.coercion, self)
            found = self._properties[predicate] = f'"{term.name}": ', self._values[term.coercion]
        return found

    def term(self, iri: str) -> Term:
        """The key or type name that stands for an IRI, with the coercion of its values."""
        term = self._used.get(iri)
        if term is None:
            term = self._context.terms.get(iri)
            if term is None or term.name.partition(":")[0] in self._schemes:
                term = Term(self.shorten(iri), "")
            self._used[iri] = term
        return term

    def shorten(self, iri: str) -> str:
        """The prefixed name of a datatype, or the IRI where it has none."""
        return self._shortener.shorten(iri)

    def definitions(self) -> dict[str, Definition]:
        """The context of what was asked for so far."""
        return definitions(self._used, self._shortener)


class _Values(dict[str, str]):
    """Token to JSON under one coercion (see :class:`Term`). Nodes are kept: they come again, as literals seldom do."""

    def __init__(self, coercion: str, names: _Names) -> None:
        super().__init__()
        self._coercion = coercion
        self._names = names

    def __missing__(self, token: str) -> str:
        if token[0] == '"':
            return self._literal(token)
        if len(self) > KEPT:
            self.clear()
        text = _reference(token) if self._coercion == "@id" else f'{{"id": {_reference(token)}}}'
        self[token] = text
        return text

    def _literal(self, token: str) -> str:
        coercion = self._coercion
        end = token.rindex('"') + 1
        # Canonical N-Triples escapes some of what JSON escapes, and as JSON does, so the quoted text is JSON.
        text, suffix = token[:end], token[end:]
        if not suffix:
            return f'{{"@value": {text}}}' if coercion else text
        if suffix[0] == "@":
            return text if suffix == coercion else f'{{"@language": "{suffix[1:]}", "@value": {text}}}'
        if suffix[2:] == coercion:
            return text[1:-1] if suffix in _COUNTS and _NUMBER.fullmatch(text) else text
        if (suffix == _INTEGER and _NUMBER.fullmatch(text)) or (suffix == _BOOLEAN and text in _BOOLEANS):
            return f'{{"@value": {text[1:-1]}}}' if coercion else text[1:-1]
        return f'{{"@type": "{self._names.shorten(suffix[2:])}", "@value": {text}}}'


class _Writer:
    """Writes the nodes of one graph."""

    def __init__(self, graph: Graph, names: _Names, margin: str) -> None:
        self._graph = graph
        self._names = names
        self._margin = margin

    def node(self, subject: str) -> str:
        """All that is said of a subject, as a node object."""
        return _block("{}", self._entries(subject, self._margin), self._margin)

    def _entries(self, subject: str, margin: str) -> list[str]:
        """The entries of a node object: ``id`` where it has a name, ``type``, then its properties by key."""
        line = margin + "  "
        entries = []
        if subject not in self._graph.anonymous and subject not in self._graph.nested:
            entries.append(f'"id": {_reference(subject)}')
        keyed = []
        names, inline = self._names, self._graph.inline
        for predicate, said in self._graph.subjects.get(subject, {}).items():
            objects = said
            if predicate == TYPE:
                types = [f'"{names.term(object_).name}"' for object_ in said if object_[0] == "<"]
                if types:
                    entries.append(f'"type": {_values(types, line)}')
                # Only an IRI can be a value of @type; another type stands under the property itself.
                objects = [object_ for object_ in said if object_[0] != "<"]
                if not objects:
                    continue
            key, values = names.property(predicate)
            if len(objects) == 1 and objects[0] not in inline:
                text = values[objects[0]]
            else:
                place = line if len(objects) == 1 else line + "  "
                text = _values([self._value(object_, values, place) for object_ in objects], line)
            keyed.append(key + text)
        return entries + sorted(keyed)

    def _value(self, object_: str, values: _Values, margin: str) -> str:
        if object_ not in self._graph.inline:
            return values[object_]
        members = self._graph.lists.get(object_)
        if members is None:
            return _fit("{}", self._entries(object_, margin), margin)
        texts = [self._value(member, values, margin + "  ") for member in members]
        return f'{{"@list": {_fit("[]", texts, margin)}}}'


def _reference(node: str) -> str:
    """An IRI or the label of a blank node. Like the names of terms, neither has a character that JSON escapes."""
    return f'"{node[1:-1]}"' if node[0] == "<" else f'"{node}"'


def _values(texts: list[str], margin: str) -> str:
    """The values of one key, in the order of their texts; a single one stands alone."""
    return texts[0] if len(texts) == 1 else _fit("[]", sorted(texts), margin)


def _fit(brackets: str, texts: list[str], margin: str) -> str:
    """An array or object on one line if it is short, else as a block."""
    width = sum(map(len, texts)) + 2 * len(texts) + len(margin)
    if width <= _WIDTH and not any("\n" in text for text in texts):
        return brackets[0] + ", ".join(texts) + brackets[1]
    return _block(brackets, texts, margin)


def _block(brackets: str, texts: list[str], margin: str) -> str:
    """An array or object with a line for each of its parts; ``margin`` is that of its last line."""
    lines = f",\n{margin}  ".join(texts)
    return f"{brackets[0]}\n{margin}  {lines}\n{margin}{brackets[1]}" if texts else brackets
