"""The JSON-LD context of a vocabulary: which short key stands for which IRI, and how its values are read."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onemg_kg.formats.canonical import Statement, Tokens, tokens
from onemg_kg.formats.nesting import FIRST, REST, TYPE
from onemg_kg.formats.prefixes import Prefixes, Shortener
from onemg_kg.terms import PREFIXES

ALIASES = {"id": "@id", "type": "@type"}
Definition = str | dict[str, str | bool]

_RANGE = f"<{PREFIXES['rdfs']}range>"
_OBJECT_PROPERTY = f"<{PREFIXES['owl']}ObjectProperty>"
_DECLARATIONS = {
    _OBJECT_PROPERTY,
    *(f"<{PREFIXES['owl']}{name}>" for name in ("Class", "DatatypeProperty", "AnnotationProperty")),
    *(f"<{PREFIXES['rdfs']}{name}>" for name in ("Class", "Datatype")),
    f"<{PREFIXES['rdf']}Property>",
}
_NATIVE = {f"<{PREFIXES['xsd']}{name}>" for name in ("string", "integer", "boolean")}
_ANY_LITERAL = {f"<{PREFIXES['rdfs']}Literal>", f"<{PREFIXES['rdf']}langString>", f"<{PREFIXES['rdf']}PlainLiteral>"}
_SHORT = re.compile("[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True)
class Term:
    """One term definition.

    Attributes:
        name: the key: a local name (``title``) or a prefixed name (``dcterms:type``).
        coercion: how a bare string is read: ``@id`` as an IRI, ``@`` and a language tag as text in that language, a
            token ``<datatype>`` as a literal of that datatype, nothing as a plain string.
    """

    name: str
    coercion: str


@dataclass(frozen=True)
class Context:
    """A context (JSON-LD 1.1, section 4.1).

    Attributes:
        prefixes: prefix to namespace.
        terms: the term definitions, by the token of the IRI.
    """

    prefixes: Prefixes
    terms: Mapping[str, Term]

    def definitions(self) -> dict[str, Definition]:
        """The value of ``@context``, complete: for publishing as a document of its own."""
        shortener = Shortener(self.prefixes)
        shortener.used.update(self.prefixes)
        return definitions(self.terms, shortener)


def context(prefixes: Prefixes, statements: Iterable[Statement]) -> Context:
    """Make the context of a vocabulary and of the data that use it.

    A class or property gets its local name as key. Where two share one, it goes to the one that the statements declare,
    else to the one whose prefix comes first in ``prefixes``; the other keeps its prefix. How values are read is what the
    ontology declares (an object property, a range), else what most of the values are.

    Args:
        prefixes: prefix to namespace, in order of precedence.
        statements: the ontology, and data that show how borrowed properties are used.

    Raises:
        RdfError: the statements are not RDF 1.1, or a prefix cannot be written.
    """
    return derive(prefixes, tokens(statements))


def derive(prefixes: Prefixes, quads: Iterable[Tokens]) -> Context:
    """As ``context``, from canonical tokens."""
    used: dict[str, Counter[str]] = defaultdict(Counter)
    declared: dict[str, str | None] = {}
    classes: set[str] = set()
    for subject, predicate, object_, _ in quads:
        if predicate == TYPE:
            if object_[0] == "<":
                classes.add(object_)
            if object_ in _DECLARATIONS and subject[0] == "<":
                declared.setdefault(subject, None)
            if object_ == _OBJECT_PROPERTY:
                declared[subject] = "@id"
        elif predicate not in (FIRST, REST):
            used[predicate].update([] if object_[0] == "_" else [_coercion(object_)])
            if predicate == _RANGE and subject[0] == "<" and object_ not in _ANY_LITERAL:
                is_datatype = object_.startswith("<" + PREFIXES["xsd"])
                declared[subject] = ("" if object_ in _NATIVE else object_) if is_datatype else "@id"
    position = {prefix: index for index, prefix in enumerate(prefixes)}
    shortener = Shortener({prefix: namespace for prefix, namespace in prefixes.items() if prefix})
    claims: dict[str, list[tuple[bool, int, str, str]]] = defaultdict(list)
    for iri in {*declared, *used, *classes}:
        name = shortener.split(iri[1:-1])
        if name is not None and name[1]:
            claims[name[1]].append((iri not in declared, position[name[0]], ":".join(name), iri))
    terms = {}
    for local, claimants in claims.items():
        for rank, (_, _, prefixed, iri) in enumerate(sorted(claimants)):
            free = rank == 0 and _SHORT.fullmatch(local) and local not in ALIASES and local not in prefixes
            most_used = min(used[iri].items(), key=lambda item: (-item[1], item[0]), default=("", 0))[0]
            coercion = declared.get(iri)
            terms[iri] = Term(local if free else prefixed, most_used if coercion is None else coercion)
    return Context(prefixes, terms)


def definitions(terms: Mapping[str, Term], shortener: Shortener) -> dict[str, Definition]:
    """The value of ``@context`` for some terms and the prefixes used so far: aliases, prefixes, terms, each by name."""
    written: dict[str, Definition] = {}
    for token, term in sorted(terms.items(), key=lambda item: item[1].name):
        iri = shortener.shorten(token)
        if term.coercion == "@id":
            written[term.name] = {"@id": iri, "@type": "@id"}
        elif term.coercion.startswith("@"):
            written[term.name] = {"@id": iri, "@language": term.coercion[1:]}
        elif term.coercion:
            written[term.name] = {"@id": iri, "@type": shortener.shorten(term.coercion)}
        elif term.name != iri:
            written[term.name] = iri
    prefixes = {prefix: _prefix(namespace) for prefix, namespace in sorted(shortener.used.items())}
    return {**ALIASES, **prefixes, **written}


def _prefix(namespace: str) -> Definition:
    # A plain string serves as a prefix only if it ends in a delimiter (JSON-LD 1.1 API, section 4.2.2, step 14.2.5).
    return namespace if namespace[-1] in ":/?#[]@" else {"@id": namespace, "@prefix": True}


def _coercion(object_: str) -> str:
    """The coercion under which an IRI or literal can be written as a bare string, number or truth value."""
    if object_[0] == "<":
        return "@id"
    suffix = object_[object_.rindex('"') + 1 :]
    if suffix[:2] != "^^":
        return suffix
    return "" if suffix[2:] in _NATIVE else suffix[2:]
