"""The HTTP contract: what a request is answered with, row by row, and that the files come as they are."""

import gzip
import http.client
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import brotli
import pytest

from onemg_kg.addresses import iri, url
from onemg_kg.server.tree import address
from onemg_kg.terms import BASE

HTML, TTL, JSONLD, NT = "text/html; charset=utf-8", "text/turtle; charset=utf-8", "application/ld+json", "application/n-triples"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
RDFLIB = "application/rdf+xml,text/rdf+n3;q=0.9,application/xhtml+xml;q=0.5, */*;q=0.1"
JENA = "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3"
BEACON, PAGE = "/id/resource/beacon", "/id/resource/beacon.html"
DIGITS = "/assets/digits.txt"
ABSENT = None
NONE: dict[str, str] = {}


def accept(value: str) -> dict[str, str]:
    return {"Accept": value}


# A row: request line, header fields, status, what header fields of the answer are. "~x" is one that holds x, None one that
# is absent.
Row = tuple[str, dict[str, str], int, dict[str, str | None]]

NEGOTIATION: list[Row] = [
    # A thing cannot be sent: 303 to a document about it.
    (f"GET {BEACON}", NONE, 303, {"location": PAGE, "vary": "Accept", "content-length": "0"}),
    (f"GET {BEACON}", accept(""), 303, {"location": PAGE}),
    (f"GET {BEACON}", accept("*/*"), 303, {"location": PAGE}),
    (f"GET {BEACON}", accept(FIREFOX), 303, {"location": PAGE}),
    (f"GET {BEACON}", accept(RDFLIB), 303, {"location": BEACON + ".rdf"}),
    (f"GET {BEACON}", accept(JENA), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}", accept("text/turtle"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}", accept("TEXT/Turtle"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}", accept("text/turtle; charset=utf-8"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}", accept("application/ld+json"), 303, {"location": BEACON + ".jsonld"}),
    (f"GET {BEACON}", accept("application/json"), 303, {"location": BEACON + ".jsonld"}),
    (f"GET {BEACON}", accept('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"'), 303,
     {"location": BEACON + ".jsonld"}),
    (f"GET {BEACON}", accept("application/n-triples"), 303, {"location": BEACON + ".nt"}),
    (f"GET {BEACON}", accept("text/plain"), 303, {"location": BEACON + ".nt"}),
    (f"GET {BEACON}", accept("application/n-quads"), 303, {"location": BEACON + ".nq"}),
    (f"GET {BEACON}", accept("application/trig"), 303, {"location": BEACON + ".trig"}),
    (f"GET {BEACON}", accept("application/rdf+xml"), 303, {"location": BEACON + ".rdf"}),
    (f"GET {BEACON}", accept("text/*"), 303, {"location": PAGE}),
    (f"GET {BEACON}", accept("application/*"), 303, {"location": BEACON + ".jsonld"}),
    (f"GET {BEACON}", accept("text/html;q=0.1, text/turtle;q=0.2"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}", accept("text/html;q=0, */*;q=0.1"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}", accept("text/*;q=0.5, text/turtle;q=0.1, application/ld+json;q=0.4"), 303, {"location": PAGE}),
    (f"GET {BEACON}", accept("text/html;q=0.5, text/*;q=0.9, */*;q=0.1"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}", accept("image/png"), 406, {"content-type": "application/problem+json", "vary": "~Accept"}),
    (f"GET {BEACON}", accept("text/turtle;q=0"), 406, {"link": '~<' + BEACON + '.ttl>; rel="alternate"; type="text/turtle"'}),
    (f"HEAD {BEACON}", accept("text/turtle"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}?format=turtle", accept("text/html"), 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}?format=ttl", NONE, 303, {"location": BEACON + ".ttl"}),
    (f"GET {BEACON}?format=application%2Fld%2Bjson", NONE, 303, {"location": BEACON + ".jsonld"}),
    (f"GET {BEACON}?format=jsonld", NONE, 303, {"location": BEACON + ".jsonld"}),
    (f"GET {BEACON}?format=nt", NONE, 303, {"location": BEACON + ".nt"}),
    (f"GET {BEACON}?format=rdfxml", NONE, 303, {"location": BEACON + ".rdf"}),
    (f"GET {BEACON}?format=html", accept("text/turtle"), 303, {"location": PAGE}),
    (f"GET {BEACON}?format=docx", NONE, 406, {"content-type": "application/problem+json"}),
    (f"GET {BEACON}?format=", NONE, 406, NONE),
    (f"GET {BEACON}?x=1", accept("text/turtle"), 303, {"location": BEACON + ".ttl"}),
    ("GET /voc/role/steward", accept("text/turtle"), 303, {"location": "/voc/role/steward.ttl"}),
    ("GET /voc/role", accept("text/turtle"), 303, {"location": "/voc/role.ttl"}),
    # However an address is percent-encoded.
    ("GET /id/resource/caf%C3%A9", accept("text/turtle"), 303, {"location": "/id/resource/caf%C3%A9.ttl"}),
    ("GET /id/resource/caf%c3%a9", accept("text/turtle"), 303, {"location": "/id/resource/caf%C3%A9.ttl"}),
    ("GET /id/resource/%62eacon", accept("text/turtle"), 303, {"location": BEACON + ".ttl"}),
    ("GET /id/resource/x%20y", accept("text/turtle"), 303, {"location": "/id/resource/x%252520y.ttl"}),
    ("GET /id/resource/x%252520y.ttl", NONE, 200, {"content-type": TTL}),
    # A document is sent, and says which of its forms it is.
    ("GET /ns", NONE, 200, {"content-type": HTML, "content-location": "/ns.html", "vary": "Accept, Accept-Encoding"}),
    ("GET /ns", accept(FIREFOX), 200, {"content-location": "/ns.html"}),
    ("GET /ns", accept("text/turtle"), 200, {"content-type": TTL, "content-location": "/ns.ttl"}),
    ("GET /ns", accept(RDFLIB), 200, {"content-type": "application/rdf+xml", "content-location": "/ns.rdf"}),
    ("GET /ns", accept("application/json"), 200, {"content-type": JSONLD, "content-location": "/ns.jsonld"}),
    ("GET /ns", accept("application/pdf"), 406, {"link": '~</ns.html>; rel="alternate"'}),
    ("GET /ns?format=nt", NONE, 200, {"content-type": NT, "content-location": "/ns.nt"}),
    ("HEAD /ns", accept("text/turtle"), 200, {"content-type": TTL, "content-location": "/ns.ttl", "content-length": "~"}),
    ("GET /ns/1.0.0", accept("text/turtle"), 200, {"content-location": "/ns/1.0.0.ttl"}),
    ("GET /shapes", accept("text/turtle"), 200, {"content-location": "/shapes.ttl"}),
    ("GET /data/framework", accept("application/n-quads"), 200, {"content-location": "/data/framework.nq"}),
    ("GET /graph/data/beacon", accept("text/turtle"), 200, {"content-location": "/graph/data/beacon.ttl"}),
    ("GET /graph/data/beacon", accept("application/trig"), 200, {"content-location": "/graph/data/beacon.trig"}),
    ("GET /", NONE, 200, {"content-type": HTML, "content-location": "/index.html"}),
    ("GET /", accept("text/turtle"), 200, {"content-location": "/index.ttl"}),
    ("GET /?format=jsonld", NONE, 200, {"content-location": "/index.jsonld"}),
    ("GET /views/", NONE, 200, {"content-location": "/views/index.html"}),
    ("GET /views", NONE, 308, {"location": "/views/"}),
    ("GET /views/by-role", NONE, 200, {"content-location": "/views/by-role.html"}),
    ("GET /views/by-role", accept("text/turtle"), 406, NONE),
    ("GET /views/by-country/greece", NONE, 200, {"content-location": "/views/by-country/greece.html"}),
    ("GET /explorer", NONE, 200, {"content-location": "/explorer.html"}),
    ("GET /questions/who", NONE, 200, {"content-type": HTML}),
    ("GET /questions/who", accept("text/csv"), 200, {"content-location": "/questions/who.csv"}),
    ("GET /questions/who?format=csv", NONE, 200, {"content-type": "text/csv; charset=utf-8"}),
    ("GET /questions/who?format=rq", NONE, 200, {"content-type": "application/sparql-query"}),
]  # fmt: skip

FILES: list[Row] = [
    # A suffix says the form, whatever the client would take.
    ("GET /ns.ttl", accept("text/html"), 200, {"content-type": TTL, "content-location": ABSENT}),
    (f"GET {PAGE}", accept("text/turtle"), 200, {"content-type": HTML, "vary": "Accept-Encoding", "content-location": ABSENT}),
    ("GET /ns.ttl?format=html", NONE, 200, {"content-type": TTL}),
    ("GET /ns.jsonld", NONE, 200, {"content-type": "application/ld+json"}),
    ("GET /ns.nt", NONE, 200, {"content-type": "application/n-triples"}),
    ("GET /ns.nq", NONE, 200, {"content-type": "application/n-quads"}),
    ("GET /ns.trig", NONE, 200, {"content-type": "application/trig"}),
    ("GET /ns.rdf", NONE, 200, {"content-type": "application/rdf+xml"}),
    (f"GET {PAGE}", NONE, 200, {"content-type": HTML, "etag": "~", "last-modified": "~GMT", "cache-control": "~max-age"}),
    (f"HEAD {PAGE}", NONE, 200, {"content-type": HTML, "content-length": "~", "etag": "~"}),
    ("GET /assets/site.css", NONE, 200, {"content-type": "text/css; charset=utf-8"}),
    ("GET /assets/app.js", NONE, 200, {"content-type": "text/javascript; charset=utf-8"}),
    ("GET /assets/engine.wasm", NONE, 200, {"content-type": "application/wasm"}),
    ("GET /assets/icon.svg", NONE, 200, {"content-type": "image/svg+xml"}),
    ("GET /assets/photo.png", NONE, 200, {"content-type": "image/png", "vary": ABSENT}),
    ("GET /assets/empty.txt", NONE, 200, {"content-length": "0"}),
    ("GET /context.jsonld", NONE, 200, {"content-type": "application/ld+json", "access-control-allow-origin": "*"}),
    ("GET /.well-known/void", NONE, 200, {"content-type": TTL}),
    ("GET /sitemap.xml", NONE, 200, {"content-type": "~xml"}),
    ("GET /feed.xml", NONE, 200, {"content-type": "application/atom+xml"}),
    ("GET /robots.txt", NONE, 200, {"content-type": "text/plain; charset=utf-8"}),
    # Links between what belongs together.
    (f"GET {PAGE}", NONE, 200, {"link": f'~<{BEACON}.ttl>; rel="alternate"; type="text/turtle"'}),
    (f"GET {PAGE}", NONE, 200, {"link": f'~<{BEACON}.ttl>; rel="describedby"; type="text/turtle"'}),
    (f"GET {PAGE}", NONE, 200, {"link": f'~<{BASE}id/resource/beacon>; rel="canonical"'}),
    (f"GET {BEACON}.ttl", NONE, 200, {"link": f'~<{PAGE}>; rel="describedby"; type="text/html"'}),
    (f"GET {BEACON}.ttl", NONE, 200, {"link": f'~<{BASE}shapes>; rel="profile"'}),
    (f"GET {BEACON}.ttl", NONE, 200, {"link": f'~<{BASE}data/framework>; rel="http://rdfs.org/ns/void#inDataset"'}),
    ("GET /ns", accept("text/turtle"), 200, {"link": "~</.well-known/void>"}),
    ("GET /id/resource/caf%C3%A9.ttl", NONE, 200, {"link": f'~<{BASE}id/resource/caf%C3%A9>; rel="canonical"'}),
    ("GET /id/resource/x%252520y.ttl", NONE, 200, {"link": f'~<{BASE}id/resource/x%20y>; rel="canonical"'}),
    ("GET /assets/site.css", NONE, 200, {"link": ABSENT}),
    ("GET /views/by-role.html", NONE, 200, {"link": "~void"}),
    # Content codings.
    (f"GET {PAGE}", {"Accept-Encoding": "gzip, deflate, br"}, 200, {"content-encoding": "br", "vary": "Accept-Encoding"}),
    (f"GET {PAGE}", {"Accept-Encoding": "gzip"}, 200, {"content-encoding": "gzip"}),
    (f"GET {PAGE}", {"Accept-Encoding": "GZIP"}, 200, {"content-encoding": "gzip"}),
    (f"GET {PAGE}", {"Accept-Encoding": "br;q=0.5, gzip;q=0.8"}, 200, {"content-encoding": "gzip"}),
    (f"GET {PAGE}", {"Accept-Encoding": "br;q=0, gzip;q=0"}, 200, {"content-encoding": ABSENT}),
    (f"GET {PAGE}", {"Accept-Encoding": "identity"}, 200, {"content-encoding": ABSENT}),
    (f"GET {PAGE}", {"Accept-Encoding": "*"}, 200, {"content-encoding": "br"}),
    (f"GET {PAGE}", {"Accept-Encoding": "gzip;q=0.2, identity;q=0.9"}, 200, {"content-encoding": ABSENT}),
    (f"GET {PAGE}", {"Accept-Encoding": "zstd, snappy"}, 200, {"content-encoding": ABSENT}),
    (f"GET {PAGE}", {"Accept-Encoding": "gzip;q=x"}, 200, {"content-encoding": ABSENT}),
    (f"GET {PAGE}", {"Accept-Encoding": ""}, 200, {"content-encoding": ABSENT}),
    ("GET /assets/photo.png", {"Accept-Encoding": "gzip, br"}, 200, {"content-encoding": ABSENT}),
    ("GET /robots.txt", {"Accept-Encoding": "gzip, br"}, 200, {"content-encoding": ABSENT}),
    (f"GET {DIGITS}", {"Accept-Encoding": "br"}, 200, {"content-encoding": "br"}),
    # Ranges.
    (f"GET {DIGITS}", NONE, 200, {"accept-ranges": "bytes", "content-length": "300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=0-9"}, 206, {"content-range": "bytes 0-9/300000", "content-length": "10"}),
    (f"GET {DIGITS}", {"Range": "bytes=299990-"}, 206, {"content-range": "bytes 299990-299999/300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=-5"}, 206, {"content-range": "bytes 299995-299999/300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=-999999"}, 206, {"content-range": "bytes 0-299999/300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=5-999999999"}, 206, {"content-range": "bytes 5-299999/300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=300000-"}, 416, {"content-range": "bytes */300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=-0"}, 416, {"content-range": "bytes */300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=9-5"}, 200, {"content-length": "300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=0-1,5-6"}, 200, {"content-length": "300000"}),
    (f"GET {DIGITS}", {"Range": "items=0-1"}, 200, {"content-length": "300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=a-b"}, 200, NONE),
    (f"GET {DIGITS}", {"Range": "bytes=0-9", "If-Range": '"other"'}, 200, {"content-length": "300000"}),
    (f"GET {DIGITS}", {"Range": "bytes=0-9", "If-Range": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200, {"content-length": "300000"}),
    (f"HEAD {DIGITS}", {"Range": "bytes=0-9"}, 200, {"content-length": "300000"}),
    ("GET /assets/empty.txt", {"Range": "bytes=0-9"}, 416, {"content-range": "bytes */0"}),
    # Conditions.
    (f"GET {DIGITS}", {"If-None-Match": "*"}, 304, {"content-length": ABSENT, "etag": "~"}),
    (f"GET {DIGITS}", {"If-None-Match": '"other"'}, 200, NONE),
    (f"GET {DIGITS}", {"If-None-Match": "nonsense"}, 200, NONE),
    (f"GET {DIGITS}", {"If-Match": "*"}, 200, NONE),
    (f"GET {DIGITS}", {"If-Match": '"other"'}, 412, NONE),
    (f"GET {DIGITS}", {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 304, NONE),
    (f"GET {DIGITS}", {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200, NONE),
    (f"GET {DIGITS}", {"If-Modified-Since": "yesterday"}, 200, NONE),
    (f"GET {DIGITS}", {"If-None-Match": '"other"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200, NONE),
    (f"GET {DIGITS}", {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412, NONE),
    (f"GET {DIGITS}", {"If-Unmodified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200, NONE),
    ("GET /ns", {"Accept": "text/turtle", "If-None-Match": "*"}, 304, {"content-location": "/ns.ttl", "vary": "~Accept"}),
]  # fmt: skip

REST: list[Row] = [
    # What is not there, and what is there no more.
    ("GET /nothing", NONE, 404, {"content-type": "application/problem+json"}),
    ("GET /nothing", accept(FIREFOX), 404, {"content-type": HTML}),
    ("HEAD /nothing", NONE, 404, NONE),
    ("GET /id/resource/nothing", accept("text/turtle"), 404, NONE),
    ("GET /id/resource/", NONE, 404, NONE),
    ("GET /id/resource", NONE, 404, NONE),
    ("GET /ns.docx", NONE, 404, NONE),
    ("GET /NS", NONE, 404, NONE),
    ("GET //ns", NONE, 404, NONE),
    ("GET /assets/link.txt", NONE, 404, NONE),
    ("GET /voc/role/old", NONE, 410, {"link": f'~<{BASE}voc/role/steward>; rel="successor-version'}),
    ("GET /voc/role/old", accept(FIREFOX), 410, {"link": "~isReplacedBy"}),
    ("GET /voc/role/lost", NONE, 410, {"link": ABSENT, "content-type": "application/problem+json"}),
    # Methods.
    ("OPTIONS /ns", NONE, 204, {"allow": "GET, HEAD, OPTIONS", "access-control-allow-methods": "GET, HEAD, OPTIONS"}),
    ("OPTIONS *", NONE, 204, {"allow": "~GET"}),
    ("OPTIONS /sparql", {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}, 204,
     {"access-control-allow-origin": "*", "access-control-allow-methods": "~POST",
      "access-control-allow-headers": "~Content-Type"}),
    ("POST /ns", NONE, 405, {"allow": "GET, HEAD, OPTIONS"}),
    ("PUT /ns.ttl", NONE, 405, {"allow": "GET, HEAD, OPTIONS"}),
    ("DELETE /ns", NONE, 405, NONE),
    ("PATCH /", NONE, 405, NONE),
    ("TRACE /ns", NONE, 405, NONE),
    ("PUT /sparql", NONE, 405, {"allow": "GET, HEAD, OPTIONS, POST"}),
    ("DELETE /sparql", NONE, 405, NONE),
    # The server itself.
    ("GET /healthz", NONE, 200, {"cache-control": "no-store"}),
    ("GET /readyz", NONE, 200, NONE),
    ("GET /metrics", NONE, 200, {"content-type": "~version=0.0.4"}),
    ("POST /healthz", NONE, 405, NONE),
    ("HEAD /healthz", NONE, 200, {"content-length": "3"}),
    # What every answer says.
    (f"GET {PAGE}", NONE, 200, {"x-content-type-options": "nosniff", "referrer-policy": "~", "x-frame-options": "DENY"}),
    (f"GET {PAGE}", NONE, 200, {"content-security-policy": "~default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"}),
    (f"GET {PAGE}", {"Origin": "https://other.example"}, 200, {"access-control-allow-origin": "*",
                                                             "access-control-expose-headers": "~Link"}),
    ("GET /nothing", NONE, 404, {"content-security-policy": "~frame-ancestors 'none'", "access-control-allow-origin": "*"}),
    (f"GET {PAGE}", NONE, 200, {"server": ABSENT, "x-powered-by": ABSENT, "set-cookie": ABSENT}),
    # The host makes no difference.
    (f"GET {BEACON}", {"Host": "w3id.org"}, 303, {"location": PAGE}),
    (f"GET {BEACON}", {"Host": "graph.example:8080"}, 303, {"location": PAGE}),
    (f"GET http://w3id.org{BEACON}", NONE, 303, {"location": PAGE}),
]  # fmt: skip

ROWS = [*NEGOTIATION, *FILES, *REST]


def test_the_contract_is_long_enough() -> None:
    assert len(ROWS) >= 120


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1] or ''}"[:110] for row in ROWS])
def test_the_contract(live: Any, row: Row) -> None:
    line, fields, status, expected = row
    method, target = line.split(" ", 1)
    answer = live.ask(method, target, fields)
    assert answer.status == status
    for name, value in expected.items():
        found = answer.fields.get(name)
        if value is None:
            assert found is None
        elif value.startswith("~"):
            assert found is not None
            assert value[1:] in found
        else:
            assert found == value
    if method == "HEAD" or status in (204, 304):
        assert answer.body == b""
    elif "content-length" in answer.fields:
        assert len(answer.body) == int(answer.fields["content-length"])


def test_every_file_comes_as_it_is(live: Any, small_site: Path) -> None:
    """Byte for byte, in each coding, under an address that follows from its name alone."""
    paths = sorted(path for path in small_site.rglob("*") if path.is_file() and not path.is_symlink())
    assert len(paths) > 90
    for path in paths:
        address = "/" + url(path.relative_to(small_site).as_posix())
        content = path.read_bytes()
        whole = live.ask("GET", address)
        assert (whole.status, whole.body) == (200, content), address
        packed = live.ask("GET", address, {"Accept-Encoding": "gzip"})
        assert (gzip.decompress(packed.body) if "content-encoding" in packed.fields else packed.body) == content
        small = live.ask("GET", address, {"Accept-Encoding": "br"})
        assert (brotli.decompress(small.body) if "content-encoding" in small.fields else small.body) == content


@pytest.fixture(scope="module")
def real(published: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Any]) -> Any:
    """A server over the site of this checkout."""
    root = tmp_path_factory.mktemp("published") / "site"
    for path, content in published.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return serve(root)


def test_every_file_of_the_real_site_comes_as_it_is(real: Any, published: dict[str, bytes]) -> None:
    assert len(published) > 5000
    connection = http.client.HTTPConnection("127.0.0.1", real.port, timeout=30)
    for path, content in sorted(published.items()):
        connection.request("GET", "/" + url(path))
        answer = connection.getresponse()
        body = answer.read()
        assert (answer.status, body == content) == (200, True), path
        assert answer.getheader("Content-Type") != "application/octet-stream", path
    connection.close()


def test_every_tenth_real_iri_leads_to_each_of_its_forms(real: Any, published: dict[str, bytes]) -> None:
    named = {path.removesuffix(".ttl") for path in published if path.endswith(".ttl")}
    # The IRI of a dump is the address of its file, which is sent as it is.
    stems = sorted(stem for stem in named - published.keys() if stem + ".html" in published and stem + ".nt" in published)
    assert len(stems) > 500
    forms = {"text/html": ".html", "text/turtle": ".ttl", "application/rdf+xml": ".rdf", "image/png": ""}
    connection = http.client.HTTPConnection("127.0.0.1", real.port, timeout=30)
    for stem in stems[::10]:
        for wanted, suffix in forms.items():
            connection.request("GET", address(iri(stem)), headers={"Accept": wanted})
            answer = connection.getresponse()
            body = answer.read()
            is_thing = stem.startswith(("id/", "voc/"))
            assert answer.status == (406 if not suffix else 303 if is_thing else 200), (stem, wanted)
            if suffix and is_thing:
                assert answer.getheader("Location") == "/" + url(stem + suffix)
            elif suffix:
                assert body == published[stem + suffix]
    connection.close()


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_an_entity_tag_is_strong_and_stands_for_one_coding(live: Any, coding: str) -> None:
    asked = {"Accept-Encoding": coding}
    first = live.ask("GET", PAGE, asked)
    tag = first.fields["etag"]
    assert re.fullmatch('"[^"]+"', tag)
    assert live.ask("GET", PAGE, asked | {"If-None-Match": f'"x", W/{tag}'}).status == 304
    assert live.ask("GET", PAGE, asked | {"If-Match": tag}).status == 200
    assert live.ask("GET", PAGE, asked | {"If-Match": f"W/{tag}"}).status == 412
    assert live.ask("GET", PAGE, asked | {"If-Modified-Since": first.fields["last-modified"]}).status == 304
    others = {live.ask("GET", PAGE, {"Accept-Encoding": other}).fields["etag"] for other in ("identity", "gzip", "br")}
    assert len(others) == 3
    assert tag in others


@pytest.mark.parametrize("coding", ["identity", "br"])
def test_parts_make_up_the_whole(live: Any, coding: str) -> None:
    whole = live.ask("GET", PAGE, {"Accept-Encoding": coding})
    middle = len(whole.body) // 2
    asked = {"Accept-Encoding": coding, "If-Range": whole.fields["etag"]}
    first = live.ask("GET", PAGE, asked | {"Range": f"bytes=0-{middle - 1}"})
    second = live.ask("GET", PAGE, asked | {"Range": f"bytes={middle}-"})
    assert (first.status, second.status) == (206, 206)
    assert first.body + second.body == whole.body


def test_406_lists_what_there_is(live: Any) -> None:
    there = live.ask("GET", "/questions/who", {"Accept": "image/png"}).json()
    assert [form["url"] for form in there["alternates"]] == ["/questions/who.html", "/questions/who.csv", "/questions/who.rq"]


def test_410_names_what_replaced_it(live: Any) -> None:
    assert live.ask("GET", "/voc/role/old").json()["replacedBy"] == [BASE + "voc/role/steward"]


def test_404_gives_the_page_to_who_wants_one(live: Any, small_site: Path) -> None:
    assert live.ask("GET", "/nothing", {"Accept": FIREFOX}).body == (small_site / "404.html").read_bytes()


def test_metrics_count_requests(live: Any) -> None:
    def count() -> int:
        text = live.ask("GET", "/metrics").body.decode()
        return int(re.search(r'onemg_requests_total\{route="site",status="404"\} (\d+)', text)[1])  # type: ignore[index]

    live.ask("GET", "/nothing")
    before = count()
    live.ask("GET", "/nothing")
    assert count() == before + 1


def test_the_log_has_no_query_and_no_content(small_site: Path, serve: Callable[..., Any]) -> None:
    live = serve(small_site)
    live.ask("GET", "/ns?secret=word-in-a-target")
    live.ask("POST", "/sparql", {"Content-Type": "application/sparql-query"}, b"ASK { ?s ?p 'word-in-a-body' }")
    live.stop()
    assert "word-in-a" not in live.log.read_text()
    logged = [event for event in live.events() if event["event"] == "request"]
    assert Counter(event["path"] for event in logged) == {"/ns": 1, "/sparql": 1}
    assert all({"time", "method", "path", "status", "bytes", "ms"} < set(event) for event in logged)


def test_connections_are_kept_and_requests_may_follow_each_other(live: Any) -> None:
    request = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert live.raw(request * 3 + last).count(b"HTTP/1.1 200 OK") == 4


def _ask_on(connection: http.client.HTTPConnection, target: str, body: bytes | None = None) -> None:
    fields = {} if body is None else {"Content-Type": "application/sparql-query"}
    connection.request("GET" if body is None else "POST", target, body, fields)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200


@pytest.mark.parametrize("kind", ["queries that a worker evaluates", "pages after a query that was posted"])
def test_a_connection_that_is_used_stays(small_site: Path, serve: Callable[..., Any], kind: str) -> None:
    """However its requests are answered: a client that has just been answered may ask again."""
    patience = 1.0
    live = serve(small_site, patience=patience)
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
    _ask_on(connection, "/ns.html")
    _ask_on(connection, "/sparql", b"ASK { ?s ?p ?o FILTER(true) }")
    first = connection.sock
    for number in range(int(3 * patience / 0.1)):
        if kind.startswith("pages"):
            _ask_on(connection, "/ns.html")
        else:
            _ask_on(connection, "/sparql?query=" + quote(f"ASK {{ ?s ?p ?o FILTER(true) }} # {number}"))
        assert connection.sock is first, number
        time.sleep(0.1)
    assert first.recv(1) == b""  # and one that is not used is closed
    connection.close()


def test_a_server_that_is_told_to_stop_ends_with_all_its_processes(small_site: Path, serve: Callable[..., Any]) -> None:
    started = serve(small_site, processes=2)
    family = _family(started.process.pid)
    assert len(family) >= 4
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(20) == 0
    assert not any(_is_alive(process) for process in family)


def test_a_server_that_is_killed_leaves_no_process(small_site: Path, serve: Callable[..., Any]) -> None:
    started = serve(small_site, processes=2)
    family = _family(started.process.pid)
    started.process.kill()
    started.process.wait(20)
    end = time.monotonic() + 5
    while any(_is_alive(process) for process in family) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(_is_alive(process) for process in family)


def _family(process: int) -> list[int]:
    """A process and all that descend from it."""
    found = [process]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            found += _family(int(path.parent.name))
    return found


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
