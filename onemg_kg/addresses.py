"""From an IRI to the path of its document on a web site, and back without loss.

A document describes the IRI at whose path it stands and every hash IRI below it: ``ns#Listing`` is described by ``ns``. Its
files bear the path with a suffix for each format (``ns.html``, ``ns.ttl``).
"""

from urllib.parse import quote, unquote

from onemg_kg.terms import BASE

INDEX = "index"
"""The name of the document of an IRI that ends in a slash."""

_KEPT = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '%?/\\:*"<>|')
"""What a file name bears as it is. Not the percent sign, with which the rest is escaped, and nothing that some file system or
some server takes for something else."""


def document(iri: str) -> tuple[str, str]:
    """Where an IRI of ours is described.

    Args:
        iri: an IRI below the base (RFC 3987).

    Returns:
        The path of its document below the site's root, without suffix, as names of files (not as part of a URL: see
        :func:`url`); and the fragment, empty where the IRI has none.

    Raises:
        ValueError: the IRI is not below the base.
    """
    if not iri.startswith(BASE):
        raise ValueError(f"{iri} is not below {BASE}")
    path, _, fragment = iri.removeprefix(BASE).partition("#")
    folders, _, name = path.rpartition("/")
    parts = [_name(part) for part in folders.split("/")] if "/" in path else []
    if not name:
        parts.append(INDEX)
    elif name == INDEX:
        parts.append(_escape(name[0]) + name[1:])
    else:
        parts.append(_name(name))
    return "/".join(parts), fragment


def iri(path: str, fragment: str = "") -> str:
    """The IRI that a document describes: the inverse of :func:`document`."""
    folders, slash, name = path.rpartition("/")
    parts = [unquote(part) for part in folders.split("/")] if slash else []
    parts.append("" if name == INDEX else unquote(name))
    return BASE + "/".join("" if part == "\0" else part for part in parts) + (f"#{fragment}" if fragment else "")


def url(path: str) -> str:
    """A path of files as the path of a URL (RFC 3986, section 3.3)."""
    return quote(path, safe="/!$&'()*+,;=:@~")


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _name(part: str) -> str:
    """A segment of an IRI's path as a name of a file: one that every file system holds, and none that it reads as a step."""
    if not part:
        return "%00"
    if part.strip(".") == "":
        return _escape(part[0]) + part[1:]
    return "".join(c if c in _KEPT or c > "\x7f" else _escape(c) for c in part)
