"""Turtle and TriG as a person would write them (RDF 1.1 Turtle and RDF 1.1 TriG, W3C 2014)."""

import re
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from onemg_kg.formats.nesting import KEPT, TYPE, Dataset, Graph, Write
from onemg_kg.formats.prefixes import Prefixes, Shortener
from onemg_kg.terms import PREFIXES

_WIDTH = 100
"""Several objects go on lines of their own where one line would be wider."""

_SHORTHAND = {
    PREFIXES["xsd"] + "boolean": re.compile("true|false"),
    PREFIXES["xsd"] + "decimal": re.compile(r"(?!-0\.0\Z)-?(?:0|[1-9][0-9]*)\.(?:0|[0-9]*[1-9])"),
    PREFIXES["xsd"] + "integer": re.compile("0|-?[1-9][0-9]*"),
}
"""Lexical forms that stand without quotes: of those Turtle allows (section 2.5.2), only the canonical ones."""

_BREAK_OR_QUOTE = re.compile(r'\\(["n])|\\.')
_CLOSING = re.compile(r'"{3,}|"+\Z')


def write_turtle(quads: Dataset, prefixes: Prefixes) -> Iterator[str]:
    """A graph in Turtle, or a dataset in TriG, in pieces: the default graph, then the named graphs by name.

    Args:
        quads: the statements.
        prefixes: prefix to namespace.

    Raises:
        RdfError: a prefix cannot be written.
    """
    terms = _Terms(prefixes)

    def writer(name: str, graph: Graph) -> Write:
        # What is asked of the terms before the document begins has its prefix declared.
        return _Writer(graph, terms, "  " if name and terms[name] else "").block

    written = quads.arranged(writer)
    between = ""
    for prefix, namespace in sorted(terms.shortener.used.items()):
        yield f"@prefix {prefix}: <{namespace}> .\n"
        between = "\n"
    for name, blocks in groupby(written, itemgetter(0)):
        if name:
            yield f"{between}{terms[name]} {{\n"
            between = ""
        for _, block in blocks:
            yield between + block
            between = "\n"
        if name:
            yield "}\n"


class _Terms(dict[str, str]):
    """Token to Turtle. Nodes are kept, for they come again, as literals seldom do."""

    def __init__(self, prefixes: Prefixes) -> None:
        super().__init__()
        self.shortener = Shortener(prefixes)

    def __missing__(self, token: str) -> str:
        if token[0] == '"':
            # Only after a datatype there is an angle bracket at the end.
            return token if token[-1] != ">" and r"\n" not in token else self._literal(token)
        if len(self) > KEPT:
            self.clear()
        name = self.shortener.split(token[1:-1]) if token[0] == "<" else None
        self[token] = text = token if name is None else ":".join(name)
        return text

    def _literal(self, token: str) -> str:
        end = token.rindex('"') + 1
        quoted, suffix = token[:end], token[end:]
        if suffix.startswith("^^"):
            shorthand = _SHORTHAND.get(suffix[3:-1])
            if shorthand is not None and shorthand.fullmatch(quoted[1:-1]):
                return quoted[1:-1]
            suffix = "^^" + self[suffix[2:]]
        return (_long(quoted) if r"\n" in quoted else quoted) + suffix


def _long(quoted: str) -> str:
    """A quoted text in long quotes if it has a line break (STRING_LITERAL_LONG_QUOTE, section 6.5)."""
    body = _BREAK_OR_QUOTE.sub(lambda match: {'"': '"', "n": "\n"}.get(match[1], match[0]), quoted[1:-1])
    if "\n" not in body:
        return quoted
    body = _CLOSING.sub(lambda match: match[0].replace('"', r"\""), body)
    return f'"""{body}"""'


class _Writer:
    """Writes the statements of one graph."""

    def __init__(self, graph: Graph, terms: _Terms, margin: str) -> None:
        self._graph = graph
        self._terms = terms
        self._margin = margin

    def block(self, subject: str) -> str:
        """All that is said of a subject, in lines that end with a full stop."""
        margin = self._margin
        head = "[]" if subject in self._graph.anonymous else self._terms[subject]
        properties = self._properties(subject, margin + "  ")
        break_ = f"\n{margin}  "
        first = " " if len(properties) == 1 or properties[0].startswith("a ") else break_
        return f"{margin}{head}{first}{f' ;{break_}'.join(properties)} .\n"

    def _properties(self, subject: str, margin: str) -> list[str]:
        """Each predicate with its objects, ``a`` first; ``margin`` is that of the line of the predicate."""
        terms, inline = self._terms, self._graph.inline
        first: list[str] = []
        rest: list[str] = []
        for predicate, objects in self._graph.subjects.get(subject, {}).items():
            verb = terms[predicate] if predicate != TYPE else "a"
            if len(objects) == 1 and objects[0] not in inline:
                text = f"{verb} {terms[objects[0]]}"
            else:
                text = self._property(verb, [self._object(object_, margin) for object_ in objects], margin)
            (rest if predicate != TYPE else first).append(text)
        # In the order of the predicates: the white space after a verb comes before whatever continues a longer one.
        rest.sort()
        return first + rest

    def _property(self, verb: str, objects: list[str], margin: str) -> str:
        if len(objects) == 1:
            return f"{verb} {objects[0]}"
        objects.sort()
        if _fits([verb, *objects], margin) or any("\n" in text for text in objects):
            return f"{verb} {', '.join(objects)}"
        return f"{verb}\n{margin}  " + f",\n{margin}  ".join(objects)

    def _object(self, token: str, margin: str) -> str:
        return self._inline(token, margin) if token in self._graph.inline else self._terms[token]

    def _inline(self, token: str, margin: str) -> str:
        members = self._graph.lists.get(token)
        return self._nested(token, margin) if members is None else self._list(members, margin)

    def _nested(self, node: str, margin: str) -> str:
        properties = self._properties(node, margin + "  ")
        if not properties:
            return "[]"
        if len(properties) == 1 and _fits(properties, margin):
            return f"[ {properties[0]} ]"
        break_ = f"\n{margin}  "
        return f"[{break_}{f' ;{break_}'.join(properties)}\n{margin}]"

    def _list(self, members: list[str], margin: str) -> str:
        texts = [self._object(member, margin + "  ") for member in members]
        if _fits(texts, margin):
            return f"( {' '.join(texts)} )" if texts else "()"
        return "(" + "".join(f"\n{margin}  {text}" for text in texts) + f"\n{margin})"


def _fits(texts: list[str], margin: str) -> bool:
    """Whether the texts can stand side by side on one line."""
    width = sum(map(len, texts)) + 2 * len(texts) + len(margin)
    return width <= _WIDTH and not any("\n" in text for text in texts)
