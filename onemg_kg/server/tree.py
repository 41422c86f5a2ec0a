"""The static site in memory: every file with what a response says of it, read once, when first asked for or soon after."""

import functools
import gzip
import hashlib
import json
import mimetypes
import mmap
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import brotli  # type: ignore[import-untyped] # ships no types

from onemg_kg import addresses
from onemg_kg.errors import ProjectError
from onemg_kg.negotiation import REPRESENTATIONS, Representation
from onemg_kg.server.messages import Response
from onemg_kg.server.settings import GRAPH
from onemg_kg.terms import BASE, expand

OFFERS = (
    *REPRESENTATIONS,
    Representation("csv", "text/csv", ".csv"),
    Representation("sparql", "application/sparql-query", ".rq"),
    Representation("json", "application/json", ".json"),
)
"""Every form of a document, the one that is offered first coming first."""

_RDF = {representation.suffix for representation in REPRESENTATIONS} - {".html"}
_TYPES = {offer.suffix: offer.media_type for offer in OFFERS} | {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".md": "text/markdown",
    ".geojson": "application/geo+json",
    ".map": "application/json",
}
_WELL_KNOWN = {".well-known/void": "text/turtle", "feed.xml": "application/atom+xml", "feed.json": "application/feed+json"}
_COMPRESSIBLE = ("text/", "application/", "image/svg+xml")
CODINGS = ("br", "gzip")
"""The codings in which a file can be had, the better first."""
_SMALLEST = 256
"""How many bytes a file must have to be worth compressing."""
_LENGTH = 8
"""How many bytes say how long the list of files in memory is."""

_THINGS = ("id/", "voc/")
"""Below these paths an IRI names a thing, which cannot be sent: see docs/identifiers.md. Elsewhere it names a document."""

DEPRECATED = "deprecated.json"
"""The file that says what replaced which IRI: ``{path: {"replacedBy": [IRI]}}``."""


@dataclass
class File:
    """One file.

    Attributes:
        path: its path below the root of the site.
        source: where it is.
        size: how many bytes it has.
        modified: when it was last changed, in seconds since 1970.
        media_type: its media type, with the character set where it has one.
        linked: gives the header field ``Link``, if there is one.
        answers: whole responses, by coding and by header fields that only some have.
    """

    path: str
    source: str
    size: int
    modified: int
    media_type: str
    linked: Callable[[], str] = str
    answers: dict[tuple[Any, ...], Response] = field(default_factory=dict)
    _encoded: dict[str, bytes] = field(default_factory=dict)
    _tag: str = ""

    @functools.cached_property
    def content(self) -> bytes | memoryview:
        """Its content.

        Raises:
            OSError: it is gone.
        """
        with open(self.source, "rb") as file:  # noqa: PTH123 - a Path for each of thousands of files takes a while
            return file.read()

    @property
    def tag(self) -> str:
        """What stands for the content in an entity tag."""
        if not self._tag:
            self._tag = hashlib.sha256(self.content).hexdigest()[:32]
        return self._tag

    @functools.cached_property
    def link(self) -> bytes:
        """The header field ``Link``; empty where there is none."""
        return self.linked().encode()

    @property
    def last_modified(self) -> bytes:
        """When it was last changed, as header fields say it (RFC 9110, 5.6.7)."""
        return formatdate(self.modified, usegmt=True).encode()

    @property
    def is_compressible(self) -> bool:
        """Whether it is worth compressing."""
        return self.size >= _SMALLEST and self.media_type.startswith(_COMPRESSIBLE)

    def is_encoded(self, coding: str) -> bool:
        """Whether the content is there in a coding."""
        return coding in self._encoded

    def encoded(self, coding: str) -> bytes:
        """The content in a coding, ``br`` or ``gzip``; made when it is first asked for."""
        if coding not in self._encoded:
            compressed = brotli.compress(self.content, quality=6) if coding == "br" else gzip.compress(self.content, 6, mtime=0)
            self._encoded[coding] = compressed
        return self._encoded[coding]


@dataclass
class Document:
    """What has one address and several forms.

    Attributes:
        path: its path below the root, without suffix.
        files: the form that each file is, the one that is offered first coming first.
        describes: whether it describes the IRI at whose path it stands.
        is_thing: whether its address without suffix names a thing.
    """

    path: str
    files: dict[Representation, File]
    describes: bool
    is_thing: bool

    def url(self, form: Representation) -> str:
        """The address of one of its files, as a path."""
        return f"/{addresses.url(self.path)}{form.suffix}"


@dataclass(frozen=True)
class Gone:
    """What was withdrawn.

    Attributes:
        replaced_by: the IRIs of what replaced it.
    """

    replaced_by: tuple[str, ...]


class Tree:
    """A site.

    Args:
        root: its folder.
        held: memory that holds it already, made by :meth:`read` in another process; nothing is read from the folder then.

    Attributes:
        descriptor: the memory that holds it, for other processes; -1 until it is read.
        is_read: whether nothing of the folder is needed any more.
        targets: what is at each address, by the path of a request's target, percent-encoded: a file, a document, what was
            withdrawn, or the address of a folder that lacks its slash.
        size: how many bytes its files have.

    Raises:
        ProjectError: the folder is not there or holds no site.
    """

    def __init__(self, root: Path, held: int = -1) -> None:
        self.files = {file.path: file for file in (_look(root) if held < 0 else _held(held))}
        self.descriptor = held
        self.is_read = held >= 0
        self._root = root
        if GRAPH not in self.files:
            raise ProjectError(
                f"holds no site with a graph: there is no {GRAPH}.", source=str(root), fix="Build one with `onemg-kg build`."
            )
        self.size = sum(file.size for file in self.files.values())
        self.targets: dict[str, File | Document | Gone | str] = {
            "/" + addresses.url(path): file for path, file in self.files.items()
        }
        self.documents = self._documents()
        for document in self.documents.values():
            for form, file in document.files.items():
                file.linked = functools.partial(self._links, document, form)
            self._place(document)
        self._withdraw()

    def _documents(self) -> dict[str, Document]:
        forms = {offer.suffix: offer for offer in OFFERS}
        ranks = {offer: rank for rank, offer in enumerate(OFFERS)}
        found: dict[str, dict[Representation, File]] = {}
        for path, file in self.files.items():
            suffix = suffix_of(path)
            stem = path.removesuffix(suffix)
            if suffix in forms and stem not in ("404", "deprecated"):
                found.setdefault(stem, {})[forms[suffix]] = file
        documents = {}
        for stem, files in found.items():
            ordered = {form: files[form] for form in sorted(files, key=ranks.__getitem__)}
            describes = {form.suffix for form in ordered} >= _RDF
            documents[stem] = Document(stem, ordered, describes, describes and stem.startswith(_THINGS))
        return documents

    def _place(self, document: Document) -> None:
        """Puts a document at its address, and at that of the IRI that it describes."""
        folder, _, name = document.path.rpartition("/")
        if name == addresses.INDEX:
            slashed = "/" + addresses.url(folder) + "/" if folder else "/"
            self.targets.setdefault(slashed, document)
            self.targets.setdefault(slashed.removesuffix("/"), slashed)
        self.targets.setdefault("/" + addresses.url(document.path), document)
        self.targets.setdefault(address(addresses.iri(document.path)), document)

    def _links(self, document: Document, of: Representation) -> str:
        """How a form of a document is linked with others (RFC 8288)."""
        links = [
            f'<{document.url(form)}>; rel="alternate"; type="{form.media_type}"' for form in document.files if form is not of
        ]
        if document.describes:
            links.append(f'<{iri_reference(addresses.iri(document.path))}>; rel="canonical"')
            about = next(
                (form for form in document.files if form.suffix == (".ttl" if of.suffix == ".html" else ".html")), None
            )
            if about is not None:
                links.append(f'<{document.url(about)}>; rel="describedby"; type="{about.media_type}"')
            links.append(f'<{BASE}data/framework>; rel="{expand("void:inDataset")}"')
            if "shapes.ttl" in self.files and of.suffix in _RDF:
                links.append(f'<{BASE}shapes>; rel="profile"')
        if ".well-known/void" in self.files:
            links.append('</.well-known/void>; rel="describedby"; type="text/turtle"')
        return ", ".join(links)

    def _withdraw(self) -> None:
        file = self.files.get(DEPRECATED)
        for path, said in json.loads(bytes(file.content)).items() if file else ():
            gone = Gone(tuple(iri_reference(iri) for iri in said.get("replacedBy", [])))
            # What is withdrawn may still be described: then its documents stay, and say so.
            self.targets[address(BASE + path)] = gone

    def read(self) -> None:
        """Reads every file: the folder may be replaced later. All are in memory that other processes can share.

        Raises:
            ProjectError: it was replaced already, or is being written.
        """
        index = json.dumps([(file.path, file.size, file.modified) for file in self.files.values()]).encode()
        self.descriptor = os.memfd_create("site")
        os.ftruncate(self.descriptor, _LENGTH + len(index) + self.size)
        held = memoryview(mmap.mmap(self.descriptor, 0))
        held[: _LENGTH + len(index)] = len(index).to_bytes(_LENGTH) + index
        end = _LENGTH + len(index)
        for file in self.files.values():
            part = held[end : end + file.size]
            end += file.size
            try:
                with open(file.source, "rb", buffering=0) as source:  # noqa: PTH123 - as above
                    is_whole = source.readinto(part) == file.size and not source.read(1)
            except OSError as error:
                raise _unreadable(self._root, error) from None
            if not is_whole:
                raise ProjectError("changes while it is read.", source=file.source, fix="Build again.")
            file.content = part
        self.is_read = True

    def close(self) -> None:
        """Lets go of the files, when nobody asks for them any more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        # They refer to each other, which the collector of garbage does not see where they are frozen.
        for file in self.files.values():
            file.linked = str
        for held in (self.files, self.targets, self.documents):
            held.clear()

    def find(self, path: str) -> File | Document | Gone | str | None:
        """What is at the path of a request's target, however that is percent-encoded (RFC 3986, 6.2.2)."""
        found = self.targets.get(path)
        if found is None and "%" in path:
            with_octets = unquote(path, encoding="latin-1")
            found = self.targets.get(quote(with_octets, safe="/!$&'()*+,;=:@~", encoding="latin-1"))
        return found


def address(iri: str) -> str:
    """The path of the target of a request for an IRI of ours (RFC 3987, 3.1)."""
    return "/" + quote(iri.removeprefix(BASE), safe="/!$&'()*+,;=:@~%")


def iri_reference(iri: str) -> str:
    """An IRI as header fields can bear it: a URI (RFC 3987, 3.1)."""
    return quote(iri, safe="/!$&'()*+,;=:@~%#?[]")


def _look(root: Path) -> Iterator[File]:
    """Every file below a folder. What a link of the file system leads to is none."""
    waiting = [(str(root), "")]
    try:
        while waiting:
            folder, prefix = waiting.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, f"{prefix}{entry.name}/"))
                    elif entry.is_file(follow_symlinks=False):
                        path, state = prefix + entry.name, entry.stat()
                        yield File(path, entry.path, state.st_size, int(state.st_mtime), media_type(path))
    except OSError as error:
        raise _unreadable(root, error) from None


def _held(descriptor: int) -> Iterator[File]:
    """Every file that :meth:`Tree.read` put into memory."""
    held = memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))
    end = _LENGTH + int.from_bytes(held[:_LENGTH])
    for path, size, modified in json.loads(bytes(held[_LENGTH:end])):
        file = File(path, "", size, modified, media_type(path))
        file.content = held[end : end + size]
        end += size
        yield file


def _unreadable(root: Path, error: OSError) -> ProjectError:
    return ProjectError(f"cannot be read: {error.strerror}.", source=str(root), fix="Build first.")


def suffix_of(path: str) -> str:
    """The suffix of a file's name, with the dot."""
    name = path.rpartition("/")[2]
    return name[name.rindex(".") :] if "." in name[1:] else ""


def media_type(path: str) -> str:
    """The media type of a file, with the character set where it is text."""
    suffix = suffix_of(path)
    found = _WELL_KNOWN.get(path) or _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return found + "; charset=utf-8" if found.startswith("text/") else found
