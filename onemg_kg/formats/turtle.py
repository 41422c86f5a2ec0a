"""Turtle and TriG as a person would write them (RDF 1.1 Turtle and RDF 1.1 TriG, W3C 2014)."""

import re

from onemg_kg.formats.canonical import Tokens
from onemg_kg.formats.nesting import TYPE, Graph, graphs
from onemg_kg.formats.prefixes import Prefixes, Shortener
from onemg_kg.terms import PREFIXES

_WIDTH = 100
"""Objects go on lines of their own where one line would be wider."""

_SHORTHAND = {
    PREFIXES["xsd"] + "boolean": re.compile("true|false"),
    PREFIXES["xsd"] + "decimal": re.compile(r"(?!-0\.0$)-?(?:0|[1-9][0-9]*)\.(?:0|[0-9]*[1-9])"),
    PREFIXES["xsd"] + "integer": re.compile("0|-?[1-9][0-9]*"),
}
"""The canonical lexical forms that stand without quotes (Turtle 1.1, section 2.5.2); any other is written in full."""

_BREAK_OR_QUOTE = re.compile(r'\\(["n])|\\.')
_CLOSING = re.compile(r'"{3,}|"+\Z')


def write_turtle(quads: list[Tokens], prefixes: Prefixes) -> bytes:
    """A graph in Turtle, or a dataset in TriG: the default graph, then the named graphs by name.

    Args:
        quads: what ``canonical.tokens`` returned.
        prefixes: prefix to namespace.

    Raises:
        RdfError: a prefix cannot be written.
    """
    terms = _Terms(prefixes)
    blocks: list[str] = []
    for name, graph in graphs(quads).items():
        if name:
            blocks.append(f"{terms[name]} {{\n" + "\n".join(_Writer(graph, terms).blocks("  ")) + "}\n")
        else:
            blocks += _Writer(graph, terms).blocks("")
    used = sorted(terms.shortener.used.items())
    head = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in used)
    return "\n".join([head, *blocks] if head else blocks).encode()


class _Terms(dict[str, str]):
    """Token to Turtle, each worked out once a document."""

    def __init__(self, prefixes: Prefixes) -> None:
        super().__init__()
        self.shortener = Shortener(prefixes)

    def __missing__(self, token: str) -> str:
        if token[0] == "<":
            name = self.shortener.split(token[1:-1])
            text = token if name is None else ":".join(name)
        elif token[0] == '"':
            text = self._literal(token)
        else:
            text = token
        self[token] = text
        return text

    def _literal(self, token: str) -> str:
        end = token.rindex('"')
        quoted, suffix = token[: end + 1], token[end + 1 :]
        if suffix.startswith("^^"):
            shorthand = _SHORTHAND.get(suffix[3:-1])
            if shorthand is not None and shorthand.fullmatch(quoted, 1, end):
                return quoted[1:-1]
            suffix = "^^" + self[suffix[2:]]
        if r"\n" in quoted:
            quoted = _long(quoted)
        return quoted + suffix


def _long(quoted: str) -> str:
    """A literal in quotes as a long literal, if it has a line break (STRING_LITERAL_LONG_QUOTE, section 6.5)."""
    body = _BREAK_OR_QUOTE.sub(lambda match: {'"': '"', "n": "\n"}.get(match[1], match[0]), quoted[1:-1])
    if "\n" not in body:
        return quoted
    body = _CLOSING.sub(lambda match: match[0].replace('"', r"\""), body)
    return f'"""{body}"""'


class _Writer:
    """Writes the statements of one graph."""

    def __init__(self, graph: Graph, terms: _Terms) -> None:
        self._graph = graph
        self._terms = terms

    def blocks(self, margin: str) -> list[str]:
        """A block of lines for each root, in the order of the roots; anonymous ones of a kind by what they say."""
        return [block for _, block in sorted((self._graph.place(s), self._block(s, margin)) for s in self._graph.roots())]

    def _block(self, subject: str, margin: str) -> str:
        head = "[]" if subject in self._graph.anonymous else self._terms[subject]
        properties = self._properties(subject, margin + "  ")
        break_ = f"\n{margin}  "
        first = " " if len(properties) == 1 or properties[0].startswith("a ") else break_
        return f"{margin}{head}{first}{f' ;{break_}'.join(properties)} .\n"

    def _properties(self, subject: str, margin: str) -> list[str]:
        """Each predicate with its objects, ``a`` first; ``margin`` is that of the lines on which they stand."""
        found = self._graph.subjects.get(subject, {})
        verbs = sorted((predicate != TYPE, self._terms[predicate], predicate) for predicate in found)
        return [
            self._property(name if other else "a", [self._object(o, margin) for o in found[predicate]], margin)
            for other, name, predicate in verbs
        ]

    def _property(self, verb: str, objects: list[str], margin: str) -> str:
        if len(objects) == 1:
            return f"{verb} {objects[0]}"
        objects.sort()
        if _fits([verb, *objects], margin) or any("\n" in text for text in objects):
            return f"{verb} {', '.join(objects)}"
        return f"{verb}\n{margin}  " + f",\n{margin}  ".join(objects)

    def _object(self, token: str, margin: str) -> str:
        members = self._graph.lists.get(token)
        if members is not None:
            return self._list(members, margin)
        if token in self._graph.nested:
            return self._nested(token, margin)
        return self._terms[token]

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
    return sum(map(len, texts)) + 2 * len(texts) + len(margin) <= _WIDTH and not any("\n" in text for text in texts)
