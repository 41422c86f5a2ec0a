"""Answers requests for the static site: negotiation, conditions and ranges (RFC 9110, sections 12 to 15)."""

import asyncio
import functools
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from onemg_kg.negotiation import choose, weights
from onemg_kg.server.messages import Fields, Request, Response, not_allowed, options, plain, problem
from onemg_kg.server.tree import CODINGS, Document, File, Gone, Tree
from onemg_kg.terms import expand

ALLOW = "GET, HEAD, OPTIONS"
_CACHED = b"public, max-age=60, must-revalidate"
_INLINE = 128 * 1024
"""Up to how many bytes a file is compressed while others wait."""

_SPECIAL = frozenset((b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range", b"range"))
"""The header fields by which a client does not ask for the whole, or not in any case."""

_TAGS = re.compile(r'(W/)?("[^"]*")')
_RANGE = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.IGNORECASE)


async def answer(tree: Tree, request: Request) -> Response:
    """The response to a request for what the site has, or for what it has not."""
    found = tree.find(request.path)
    if request.method == "OPTIONS":
        return options(ALLOW)
    if request.method != "GET":
        return not_allowed(ALLOW)
    if isinstance(found, File):
        return await _send(found, request, [])
    if isinstance(found, Document):
        return await _negotiate(found, request)
    if isinstance(found, Gone):
        return _gone(found)
    if isinstance(found, str):
        return Response(308, [(b"location", found.encode()), (b"content-length", b"0"), (b"cache-control", _CACHED)])
    return _missing(tree, request)


async def _negotiate(document: Document, request: Request) -> Response:
    """The form of a document that the client wants: where a thing is asked for, its address (RFC 9110, 15.4.4)."""
    offers = tuple(document.files)
    asked = _format(request.query)
    if asked is None:
        chosen = choose(request.field(b"accept"), offers)
    else:
        chosen = next((offer for offer in offers if asked in (offer.name, offer.suffix[1:], offer.media_type)), None)
    vary = (b"vary", b"Accept, Accept-Encoding")
    if chosen is None:
        return _not_acceptable(document, vary)
    url = document.url(chosen).encode()
    if document.is_thing:
        link = (b"link", document.files[chosen].link)
        return Response(
            303,
            [(b"location", url), (b"content-length", b"0"), (b"cache-control", _CACHED), (b"vary", b"Accept"), link],
            steady=True,
        )
    return await _send(document.files[chosen], request, [(b"content-location", url), vary])


def _format(query: bytes) -> str | None:
    """The form that the query of a target asks for."""
    if b"format" not in query:
        return None
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get("format")


def _not_acceptable(document: Document, vary: tuple[bytes, bytes]) -> Response:
    """What there is, for a client that takes nothing of it (RFC 9110, 15.5.7)."""
    there = [{"type": form.media_type, "url": document.url(form)} for form in document.files]
    links = ", ".join(f'<{form["url"]}>; rel="alternate"; type="{form["type"]}"' for form in there)
    detail = "There is " + ", ".join(form["type"] for form in there) + "."
    return problem(406, "Not acceptable", detail, [vary, (b"link", links.encode())], alternates=there)


def _gone(gone: Gone) -> Response:
    """What was withdrawn, with what replaced it (RFC 9110, 15.5.11)."""
    detail = "It was withdrawn" + (f" and replaced by {', '.join(gone.replaced_by)}." if gone.replaced_by else ".")
    relation = expand("dcterms:isReplacedBy")
    links = ", ".join(f'<{iri}>; rel="successor-version {relation}"' for iri in gone.replaced_by)
    return problem(410, "Gone", detail, [(b"link", links.encode())] if links else (), replacedBy=list(gone.replaced_by))


def _missing(tree: Tree, request: Request) -> Response:
    """Nothing is here: a page for who wants one, else a problem (RFC 9110, 15.5.5)."""
    page = tree.files.get("404.html")
    accept = request.field(b"accept") or ""
    if page is not None and any(range_ in ("text/html", "application/xhtml+xml") for range_, _ in weights(accept)):
        return plain(404, page.media_type, page.content, [(b"vary", b"Accept"), (b"cache-control", b"no-store")])
    return problem(404, "Not found", "Nothing has this address.", [(b"vary", b"Accept")])


async def _send(file: File, request: Request, more: Fields) -> Response:
    """A file: whole, in part, or a word that the client has it already."""
    coding = _coding(request.fields.get(b"accept-encoding", b"").decode("latin-1")) if file.is_compressible else ""
    if coding and file.size > _INLINE and not file.is_encoded(coding):
        await asyncio.to_thread(file.encoded, coding)
    content = file.encoded(coding) if coding else file.content
    if _SPECIAL.isdisjoint(request.fields):
        whole = file.answers.get((coding, *more))
        if whole is None:
            whole = file.answers[coding, *more] = _answer(file, coding, content, request, more)
            whole.steady = True
        return whole
    return _answer(file, coding, content, request, more)


def _answer(file: File, coding: str, content: bytes | memoryview, request: Request, more: Fields) -> Response:
    tag = f'"{file.tag}{"-" + coding if coding else ""}"'
    fields: Fields = [
        (b"etag", tag.encode()),
        (b"last-modified", file.last_modified),
        (b"cache-control", _CACHED),
        *(more or ([(b"vary", b"Accept-Encoding")] if file.is_compressible else [])),
    ]
    status = _condition(request, tag, file.modified)
    if status == 412:
        return problem(412, "Precondition failed", "What is here is not what the request was made for.", fields)
    if status == 304:
        return Response(304, fields)
    fields += _about(file, coding)
    if b"range" in request.fields and not request.is_head and _may_range(request, tag, file.modified):
        return _part(request.fields[b"range"].decode("latin-1"), content, fields)
    return Response(200, [(b"content-length", b"%d" % len(content)), *fields], content)


def _about(file: File, coding: str) -> Fields:
    """What a response says of a file besides what stands for its content."""
    fields = [(b"content-type", file.media_type.encode()), (b"accept-ranges", b"bytes")]
    if coding:
        fields.append((b"content-encoding", coding.encode()))
    if file.link:
        fields.append((b"link", file.link))
    return fields


@functools.lru_cache(512)
def _coding(accept: str) -> str:
    """The content coding that a client wants most, of those that we have; empty for none (RFC 9110, 12.5.3)."""
    said: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, _, weight = part.partition(";")
        quality = weight.strip().removeprefix("q=") if weight else "1"
        said[name.strip()] = float(quality) if re.fullmatch(r"[01](\.[0-9]{0,3})?", quality) else 0.0
    wanted = {coding: said.get(coding, said.get("*", 0.0)) for coding in CODINGS}
    best = max(CODINGS, key=wanted.__getitem__)
    return best if wanted[best] > 0 and wanted[best] >= said.get("identity", 0.0) else ""


def _condition(request: Request, tag: str, modified: int) -> int | None:
    """The status that the preconditions of a request lead to, in their order of precedence (RFC 9110, 13.2.2)."""
    fields = request.fields
    if b"if-match" in fields:
        if not _matches(request.field(b"if-match"), tag, weak=False):
            return 412
    elif (since := _date(request.field(b"if-unmodified-since"))) is not None and modified > since:
        return 412
    if b"if-none-match" in fields:
        return 304 if _matches(request.field(b"if-none-match"), tag, weak=True) else None
    since = _date(request.field(b"if-modified-since"))
    return 304 if since is not None and modified <= since else None


def _matches(listed: str | None, tag: str, *, weak: bool) -> bool:
    """Whether an entity tag is in a list (RFC 9110, 8.8.3.2)."""
    listed = (listed or "").strip()
    return listed == "*" or any(found[2] == tag and (weak or not found[1]) for found in _TAGS.finditer(listed))


def _date(value: str | None) -> int | None:
    """A date in seconds since 1970; nothing for what is none (RFC 9110, 5.6.7)."""
    if not value:
        return None
    try:
        return int(parsedate_to_datetime(value).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _may_range(request: Request, tag: str, modified: int) -> bool:
    """Whether a part is wanted of what is here (RFC 9110, 13.1.5)."""
    condition = request.field(b"if-range")
    return condition is None or condition.strip() == tag or _date(condition) == modified


def _part(wanted: str, content: bytes | memoryview, fields: Iterable[tuple[bytes, bytes]]) -> Response:
    """One range of a content. Of several, or in another unit, a server may send the whole (RFC 9110, 14.2)."""
    size = len(content)
    found = _RANGE.fullmatch(wanted.strip())
    whole = Response(200, [(b"content-length", b"%d" % size), *fields], content)
    if found is None or not (found[1] or found[2]) or max(len(found[1]), len(found[2])) > 18:
        return whole
    if found[1]:
        first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
        if found[2] and int(found[2]) < first:
            return whole
    else:
        first, last = max(size - int(found[2]), 0), size - 1
    if first > last:
        return problem(416, "Range not satisfiable", f"There are {size} bytes.", [(b"content-range", b"bytes */%d" % size)])
    place = [(b"content-length", b"%d" % (last - first + 1)), (b"content-range", b"bytes %d-%d/%d" % (first, last, size))]
    return Response(206, [*place, *fields], content[first : last + 1])
