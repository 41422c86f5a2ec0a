"""Prefixed names: which part of an IRI a prefix can stand for."""

import re
from collections.abc import Mapping

from onemg_kg.errors import RdfError
from onemg_kg.formats.canonical import IRI

Prefixes = Mapping[str, str]
"""Prefix, without the colon, to namespace IRI."""

_LOCAL = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)?"
_PREFIX = re.compile(r"(?:[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)?")


class Shortener:
    """Writes IRIs as prefixed names and remembers which prefixes that took.

    A local name is one that every syntax takes without escapes: ASCII letters, digits, ``_``, and inside also ``-`` and
    ``.`` (a part of PN_LOCAL, Turtle 1.1, section 6.5). Of two namespaces that fit the longer one is taken.

    Args:
        prefixes: prefix to namespace; where two prefixes share a namespace the first in alphabetical order is used.

    Raises:
        RdfError: a prefix is not a name of ASCII letters, digits, ``_``, ``-`` and ``.``, or a namespace is not an IRI.
    """

    def __init__(self, prefixes: Prefixes) -> None:
        self._prefix_of: dict[str, str] = {}
        for prefix, namespace in sorted(prefixes.items()):
            if not _PREFIX.fullmatch(prefix) or not IRI.fullmatch(f"<{namespace}>"):
                raise RdfError(f"the prefix {prefix!r} for {namespace!r} cannot be written.", fix="Correct its spelling.")
            self._prefix_of.setdefault(namespace, prefix)
        longest_first = sorted(self._prefix_of, key=lambda namespace: (-len(namespace), namespace))
        self._pattern = re.compile(f"({'|'.join(map(re.escape, longest_first))})({_LOCAL})")
        self.used: dict[str, str] = {}

    def shorten(self, token: str) -> str:
        """The prefixed name of an IRI, given as a token, or the IRI itself without its angle brackets."""
        name = self.split(token[1:-1])
        return token[1:-1] if name is None else ":".join(name)

    def split(self, iri: str) -> tuple[str, str] | None:
        """The prefix and the local name, which may be empty, of an IRI; ``None`` where it has no prefixed name."""
        match = self._pattern.fullmatch(iri) if self._prefix_of else None
        if match is None:
            return None
        namespace, local = match.groups()
        prefix = self._prefix_of[namespace]
        self.used[prefix] = namespace
        return prefix, local
