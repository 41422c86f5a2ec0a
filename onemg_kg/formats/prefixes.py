"""Prefixed names: which part of an IRI a prefix can stand for."""

import re
from collections.abc import Mapping
from functools import lru_cache

from onemg_kg.errors import RdfError
from onemg_kg.formats.canonical import IRI

Prefixes = Mapping[str, str]
"""Prefix, without the colon, to namespace IRI."""

_LOCAL = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)?")
_PREFIX = re.compile(r"(?:[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)?")


class Shortener:
    """Writes IRIs as prefixed names and remembers which prefixes that took.

    A local name is one that every syntax takes without escapes: ASCII letters, digits and ``_``, inside it also
    ``-`` and ``.`` (a part of PN_LOCAL, Turtle 1.1, section 6.5). The longest namespace that fits is taken.

    Attributes:
        used: the prefixes that were used so far, each with its namespace.

    Args:
        prefixes: prefix to namespace; of two prefixes for one namespace the first by alphabet is used.

    Raises:
        RdfError: a prefix has other characters than a local name, or a namespace is not an IRI.
    """

    def __init__(self, prefixes: Prefixes) -> None:
        self.used: dict[str, str] = {}
        self._prefix_of, self._pattern = _compile(tuple(sorted(prefixes.items())))

    def split(self, iri: str) -> tuple[str, str] | None:
        """The prefix and the local name, possibly empty, of an IRI; ``None`` where no prefix fits."""
        if self._pattern is None:
            end = max(iri.rfind("/"), iri.rfind("#")) + 1
            namespace, local = iri[:end], iri[end:]
            if namespace not in self._prefix_of or not _LOCAL.fullmatch(local):
                return None
        else:
            match = self._pattern.fullmatch(iri)
            if match is None:
                return None
            namespace, local = match.groups()
        prefix = self._prefix_of[namespace]
        self.used[prefix] = namespace
        return prefix, local

    def shorten(self, token: str) -> str:
        """The prefixed name of the IRI with this token; where no prefix fits, the IRI as it is."""
        name = self.split(token[1:-1])
        return token[1:-1] if name is None else ":".join(name)


@lru_cache(maxsize=16)  # A prefix table serves thousands of small documents, and to read it takes longer than to write one.
def _compile(prefixes: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], re.Pattern[str] | None]:
    """Namespace to prefix, and the pattern of the IRIs that have a prefixed name.

    There is none where every namespace ends in ``/`` or ``#``: no local name has one of these, so the last of them is where the
    namespace ends.
    """
    prefix_of: dict[str, str] = {}
    for prefix, namespace in prefixes:
        if not _PREFIX.fullmatch(prefix) or not IRI.fullmatch(f"<{namespace}>"):
            raise RdfError(f"the prefix {prefix!r} for {namespace!r} cannot be written.", fix="Correct it.")
        prefix_of.setdefault(namespace, prefix)
    if all(namespace[-1] in "/#" for namespace in prefix_of):
        return prefix_of, None
    longest_first = sorted(prefix_of, key=lambda namespace: (-len(namespace), namespace))
    namespaces = "|".join(map(re.escape, longest_first))
    return prefix_of, re.compile(f"({namespaces})({_LOCAL.pattern})")
