"""The JSON-LD context of a vocabulary: which key stands for which IRI, and how its values are read."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onemg_kg.formats.canonical import Statement, Tokens, tokens
from onemg_kg.formats.nesting import FIRST, REST, TYPE
from onemg_kg.formats.prefixes import Prefixes, Shortener
from onemg_kg.terms import PREFIXES

Definition = str | dict[str, str | bool]

_ALIASES = {"id": "@id", "type": "@type"}
_RANGE = f"<{PREFIXES['rdfs']}range>"
_OBJECT_PROPERTY = f"<{PREFIXES['owl']}ObjectProperty>"
_DECLARATIONS = {
    _OBJECT_PROPERTY,
    *(f"<{PREFIXES['owl']}{name}>" for name in ("Class", "DatatypeProperty", "AnnotationProperty")),
    *(f"<{PREFIXES['rdfs']}{name}>" for name in ("Class", "Datatype")),
    f"<{PREFIXES['rdf']}Property>",
}
_NATIVE = {f"<{PREFIXES['xsd']}{name}>" for name in ("string", "integer", "boolean")}
_TEXT = {f"<{PREFIXES['rdfs']}Literal>", f"<{PREFIXES['rdf']}langString>", f"<{PREFIXES['rdf']}PlainLiteral>"}
"""Ranges that leave open whether the text has a language."""
_SHORT = re.compile("[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True)
class Term:
    """One term definition.

    Attributes:
        name: the key: a local name (``title``) or a prefixed name (``dcterms:type``).
        coercion: how a string is read: ``@id`` as an IRI, ``@`` with a language tag as text in that language,
            the token of a datatype as a literal of that datatype, nothing as a string.
    """

    name: str
    coercion: str


@dataclass(frozen=True)
class Context:
    """A context (JSON-LD 1.1, section 3.1).

    Attributes:
        prefixes: prefix to namespace; none has the name of a term.
        terms: the definition of each IRI, by its token.
    """

    prefixes: Prefixes
    terms: Mapping[str, Term]

    def definitions(self) -> dict[str, Definition]:
        """The whole value of ``@context``, to be published as a document of its own."""
        shortener = Shortener(self.prefixes)
        shortener.used.update(self.prefixes)
        return definitions(self.terms, shortener)


def context(prefixes: Prefixes, statements: Iterable[Statement]) -> Context:
    """The context of a vocabulary and of the data that use it.

    The key of a class or property is its local name. Where several have the same one, it goes to the one that the
    statements declare, else to the one whose prefix comes first; the others keep their prefix. A prefix of the same name
    gives way, unless a class or property has that prefix. Values are read as the ontology declares (an object property,
    a range), else as most of them are.

    Args:
        prefixes: prefix to namespace, in order of precedence.
        statements: the ontology, and data that show how borrowed terms are used.

    Raises:
        RdfError: the statements cannot be put in order, or a prefix cannot be written.
    """
    return derive(prefixes, tokens(statements))


def derive(prefixes: Prefixes, quads: Iterable[Tokens]) -> Context:
    """As ``context``, from what ``canonical.tokens`` returned."""
    usable = {prefix: namespace for prefix, namespace in prefixes.items() if prefix}
    precedence = list(usable)
    shortener = Shortener(usable)
    claims: dict[str, list[tuple[bool, int, str, str, str]]] = defaultdict(list)
    for iri, (declared, coercion) in _readings(quads).items():
        prefix, local = shortener.split(iri[1:-1]) or ("", "")
        if local:
            claims[local].append((not declared, precedence.index(prefix), f"{prefix}:{local}", iri, coercion))
    terms = {}
    for local, claimants in claims.items():
        free = _SHORT.fullmatch(local) and local not in _ALIASES and local not in shortener.used
        for rank, (*_, prefixed, iri, coercion) in enumerate(sorted(claimants)):
            terms[iri] = Term(local if free and rank == 0 else prefixed, coercion)
    taken = {term.name for term in terms.values()}
    return Context({prefix: namespace for prefix, namespace in usable.items() if prefix not in taken}, terms)


def _readings(quads: Iterable[Tokens]) -> dict[str, tuple[bool, str]]:
    """Each class and property: whether it is declared here, and the coercion of its values."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    types: set[str] = set()
    declared: dict[str, str | None] = {}
    for subject, predicate, object_, _ in quads:
        count = counts[predicate]
        if object_[0] == "<":
            count["@id"] += 1
        elif object_[0] == '"':  # a blank node needs no coercion
            count[_coercion(object_)] += 1
        if predicate == TYPE:
            types.add(object_)
            if object_ in _DECLARATIONS:
                declared[subject] = "@id" if object_ == _OBJECT_PROPERTY else declared.get(subject)
        elif predicate == _RANGE and object_ not in _TEXT:
            is_datatype = object_.startswith("<" + PREFIXES["xsd"])
            declared[subject] = ("" if object_ in _NATIVE else object_) if is_datatype else "@id"
    used = {predicate: _most_used(count) for predicate, count in counts.items()}
    iris = {iri for iri in {*declared, *used, *types} if iri[0] == "<"}
    # The keywords type and @list stand for the rest.
    return {
        iri: (iri in declared, coercion if (coercion := declared.get(iri)) is not None else used.get(iri, ""))
        for iri in iris - {TYPE, FIRST, REST}
    }


def definitions(terms: Mapping[str, Term], shortener: Shortener) -> dict[str, Definition]:
    """The value of ``@context`` for some terms and the prefixes in use: aliases, prefixes, terms by name."""
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
    return {**_ALIASES, **prefixes, **written}


def _prefix(namespace: str) -> Definition:
    # Without @prefix only what ends in a delimiter is a prefix (JSON-LD 1.1 API, create term definition).
    return namespace if namespace[-1] in ":/?#[]@" else {"@id": namespace, "@prefix": True}


def _most_used(count: Counter[str]) -> str:
    """The coercion that lets most objects be written bare."""
    return min(count, key=lambda coercion: (-count[coercion], coercion), default="")


def _coercion(literal: str) -> str:
    """The coercion under which a literal can be written as a bare string, number or boolean."""
    suffix = literal[literal.rindex('"') + 1 :].removeprefix("^^")
    return "" if suffix in _NATIVE else suffix
