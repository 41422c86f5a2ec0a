"""Real servers with the configuration that we generate for them: each gives the answer that ``negotiation`` gives."""

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from onemg_kg import hosting
from onemg_kg.negotiation import REPRESENTATIONS, choose

ORIGIN = "https://kg.example/framework"
SBIN = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,image/svg+xml,*/*;q=0.8"
OLD_WEBKIT = "application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,image/png,*/*;q=0.5"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
OWL_API = "application/rdf+xml, application/xml; q=0.7, text/xml; q=0.6, text/plain; q=0.1, */*; q=0.09"
JENA_RDF = (
    "text/turtle,application/n-triples;q=0.9,application/rdf+xml;q=0.7,"
    "application/trig,application/n-quads;q=0.9,application/ld+json;q=0.8,*/*;q=0.5"
)
RDF4J = (
    "application/rdf+xml;q=0.4, application/xml;q=0.4, text/xml;q=0.4, application/n-triples;q=0.7, text/plain;q=0.7, "
    "text/turtle, application/x-turtle, text/n3;q=0.8, text/rdf+n3;q=0.8, application/trig;q=0.8, application/n-quads;q=0.7"
)
RDFLIB_ANY = (
    "application/rdf+xml, text/n3, text/turtle, application/n-triples, application/ld+json, application/n-quads, "
    "application/trix, application/trig"
)
RFC_9110 = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"

ACCEPT: list[tuple[str, str | None]] = [
    # browsers, and what looks like one
    (CHROME, ".html"),
    (CHROME + ";application/signed-exchange;v=b3;q=0.7", ".html"),
    (CHROME.replace("*/*;q=0.8", "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"), ".html"),
    (FIREFOX, ".html"),
    (OLD_WEBKIT, ".html"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", ".html"),
    ("image/avif,image/webp,*/*", ".html"),
    ("text/html, application/xhtml+xml, image/jxr, */*", ".html"),
    ("application/xhtml+xml", ".html"),
    # programs that take anything: curl, wget, Python's requests and urllib, SPARQLWrapper's last resort, axios
    ("*/*", ".html"),
    ("application/json, text/plain, */*", ".html"),
    ("application/json", ".jsonld"),
    ("application/json, text/javascript, */*; q=0.01", ".jsonld"),
    (JAVA, ".html"),
    # Semantic Web libraries
    (OWL_API, ".rdf"),
    ("application/rdf+xml, application/xml; q=0.5, text/xml; q=0.3, */*; q=0.2", ".rdf"),
    ("text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3", ".ttl"),
    ("application/trig,application/n-quads;q=0.9,application/ld+json;q=0.8,*/*;q=0.3", ".trig"),
    (JENA_RDF, ".ttl"),
    (RDF4J, ".ttl"),
    (RDFLIB_ANY, ".ttl"),
    ("application/rdf+xml, */*;q=0.1", ".rdf"),
    ("text/n3, */*;q=0.1", ".ttl"),
    ("text/turtle, application/x-turtle, */*;q=0.1", ".ttl"),
    ("text/plain, */*;q=0.1", ".nt"),
    ("application/trig, */*;q=0.1", ".trig"),
    ("application/ld+json, application/json;q=0.9, */*;q=0.1", ".jsonld"),
    ("application/rdf+xml,text/rdf+n3;q=0.9,application/xhtml+xml;q=0.5, */*;q=0.1", ".rdf"),
    ("application/turtle,text/turtle,text/rdf+n3,application/n-triples,application/n3,text/n3", ".ttl"),
    ("application/ld+json,application/x-json+ld", ".jsonld"),
    ('application/ld+json;profile="http://www.w3.org/ns/json-ld#context", application/ld+json, application/json', ".jsonld"),
    # one at a time
    ("text/html", ".html"),
    ("text/turtle", ".ttl"),
    ("application/ld+json", ".jsonld"),
    ("application/n-triples", ".nt"),
    ("application/n-quads", ".nq"),
    ("application/trig", ".trig"),
    ("application/rdf+xml", ".rdf"),
    ("text/xml", None),
    ("application/x-turtle", ".ttl"),
    # weights
    ("text/html;q=0.5, text/turtle", ".ttl"),
    ("text/html;q=0.799,text/turtle;q=0.8", ".ttl"),
    ("text/html;q=0.8,text/turtle;q=0.80", ".html"),
    ("text/turtle;q=0.10,application/trig;q=0.9", ".trig"),
    ("application/n-quads;q=0.002,application/trig;q=0.001", ".nq"),
    ("text/turtle;q=1.000,text/html;q=0.999", ".ttl"),
    ("text/turtle;q=.9,text/html;q=.5", ".ttl"),
    ("text/html;q=0.,application/rdf+xml;q=1.", ".rdf"),
    ("application/rdf+xml;q=0.3, application/n-triples;q=0.7, text/turtle;q=0.5", ".nt"),
    ("text/html;q=0.2, text/html;q=0.9, text/turtle;q=0.5", ".ttl"),
    # nothing of it
    ("text/html;q=0", None),
    ("*/*;q=0", None),
    ("*/*;q=0.0, text/turtle", ".ttl"),
    ("text/html;q=0, */*", ".ttl"),
    ("text/*;q=0, */*;q=0.1", ".jsonld"),
    ("*/*, text/html;q=0.000, text/turtle;q=0.00", ".jsonld"),
    ("application/json;q=0, application/*", ".nt"),
    ("text/turtle;q=0, application/x-turtle", None),
    # wildcards and how specific a range is
    ("text/*", ".html"),
    ("application/*", ".jsonld"),
    ("text/*;q=0.5, text/turtle", ".ttl"),
    ("text/turtle;q=0.1, text/*;q=0.5", ".html"),
    ("*/*;q=0.5, application/*;q=0.6, application/ld+json;q=0.4", ".nt"),
    ("image/*, */*;q=0.1", ".html"),
    (RFC_9110, ".nt"),
    # parameters
    ("text/turtle;charset=utf-8", ".ttl"),
    ("text/html; charset=UTF-8; q=0.3, text/turtle; charset=UTF-8; q=0.4", ".ttl"),
    ("text/html;level=1, text/html;q=0.1, text/turtle;q=0.5", ".ttl"),
    ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', ".jsonld"),
    ('application/ld+json;profile="a,b;q=0, text/html";q=0.8, text/html;q=0.7', ".jsonld"),
    (r'application/ld+json;profile="a\",text/html", text/turtle;q=0.5', ".jsonld"),
    ("text/turtle;q=0.5;ext=1, text/html;q=0.4", ".ttl"),
    ("text/turtle;;q=0.5; , text/html;q=0.4", ".ttl"),
    # letters and spaces
    ("TEXT/TURTLE", ".ttl"),
    ("Text/HTML;Q=0.5,Application/LD+JSON", ".jsonld"),
    ("  text/turtle \t; \t q=0.9 , text/html ; q=0.8  ", ".ttl"),
    (",,text/turtle,, ,", ".ttl"),
    # malformed members do not count
    ("", ".html"),
    (",", ".html"),
    ("text", ".html"),
    ("text/", ".html"),
    ("text/turtle;q=2", ".html"),
    ("text/turtle;q=high, application/trig;q=0.1", ".trig"),
    ("text/turtle;q=0.1234, application/trig;q=0.1", ".trig"),
    ("text/turtle;q=-1, application/trig", ".trig"),
    ("text/turtle;q=0.1;q=0.2, application/trig", ".trig"),
    ('text/turtle;q="0.9", application/trig', ".trig"),
    ("text/turtle application/trig, application/rdf+xml", ".rdf"),
    ("text/turtle;profile=a b, application/trig", ".trig"),
    ('application/trig, text/turtle;profile="a, text/html', ".trig"),
    ("text / turtle, application/trig", ".trig"),
    ("application/trig, *", ".trig"),
    ("<script>alert(1)</script>", ".html"),
    ("text/turtlé, application/trig", ".trig"),
    # nothing that there is
    ("image/png", None),
    ("text/csv, application/sparql-results+json", None),
    ("video/*", None),
    ("application/pdf;q=0.5, image/*;q=0.1", None),
]


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def path(self, header: str) -> str:
        """The path of an address in a header, decoded; addresses of the server itself may be written in full or not."""
        address = self.headers.get(header, "")
        parts = urlsplit(address)
        return unquote(parts.path) if parts.hostname in (None, "127.0.0.1") else unquote(address)


@dataclass(frozen=True)
class Server:
    """A running server, and where in it the site is."""

    name: str
    port: int
    base: str

    @property
    def target(self) -> str:
        """What the addresses that it redirects to begin with."""
        return ORIGIN if self.name == "w3id" else self.base

    def get(self, path: str, *accept: str, method: str = "GET") -> Answer:
        """One request; each ``accept`` is a line of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, self.base + path, skip_accept_encoding=True)
            for line in accept:
                connection.putheader("Accept", line.encode())
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


DOCUMENTS = (
    "index",
    "ns",
    "ns/1.0.0",
    "data/framework",
    "graph/data/resources/beacon",
    "id/resource/beacon",
    "id/resource/café",
    "voc/role",
    "voc/role/researcher",
)
FILES = {
    ".well-known/void": "text/turtle",
    "404.html": "text/html",
    "assets/site.css": "text/css",
    "context.jsonld": "application/ld+json",
    "feed.xml": "application/atom+xml",
    "questions/q.csv": "text/csv",
    "questions/q.rq": "application/sparql-query",
    "sitemap.xml": "application/xml",
    "views/index.html": "text/html",
}


def site(root: Path) -> None:
    """A small site, each file of which says what it is."""
    for name in [d + r.suffix for d in DOCUMENTS for r in REPRESENTATIONS] + list(FILES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(stack: ExitStack, command: list[str], port: int, log: Path) -> None:
    """Start a server in the foreground and wait until it listens; it ends with the stack."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)

    def stop() -> None:
        process.terminate()
        process.wait(timeout=10)

    stack.callback(stop)
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)


APACHE = """
ServerRoot {root}
ServerName 127.0.0.1
PidFile {root}/pid
DefaultRuntimeDir {root}
Mutex pthread
ErrorLog {root}/output
TypesConfig /dev/null
{modules}
User #65534
Group #65534
StartServers 1
ThreadsPerChild 4
MaxRequestWorkers 4
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{folder}
<Directory {root}/www>
  AllowOverride FileInfo Indexes
  Options FollowSymLinks
  Require all granted
</Directory>
<Files ".ht*">
  Require all denied
</Files>
<VirtualHost 127.0.0.1:{port}>
  DocumentRoot {root}/www/site
</VirtualHost>
<VirtualHost 127.0.0.1:{folder}>
  DocumentRoot {root}/www
</VirtualHost>
"""


def apache(stack: ExitStack, root: Path, name: str) -> Server:
    """Apache with the site at the root of a host and in a folder of another, beside what w3id.org gets."""
    program = shutil.which("apache2", path=SBIN)
    modules = Path("/usr/lib/apache2/modules")
    if not program or not modules.is_dir():
        pytest.skip("apache2 is not installed (Debian: apache2-bin), so its rules and those for w3id.org are not tested")
    files = hosting.render(ORIGIN)
    (root / "www/oneplusmg").mkdir(parents=True)
    (root / "www/oneplusmg/.htaccess").write_bytes(files["w3id.org/oneplusmg/.htaccess"])
    site(root / "www/site")
    (root / "www/site/.htaccess").write_bytes(files["apache/.htaccess"])
    wanted = ("mpm_event", "authz_core", "dir", "mime", "rewrite", "headers")
    load = "\n".join(f"LoadModule {m}_module {modules}/mod_{m}.so" for m in wanted)
    port, folder = free_port(), free_port()
    (root / "apache.conf").write_text(APACHE.format(root=root, modules=load, port=port, folder=folder))
    start(stack, [program, "-f", str(root / "apache.conf"), "-DFOREGROUND"], folder, root / "output")
    places = {"apache": (port, ""), "apache in a folder": (folder, "/site"), "w3id": (folder, "/oneplusmg")}
    return Server(name, *places[name])


NGINX = """
load_module {module};
pid {root}/pid;
error_log {root}/output;
daemon off;
worker_processes 1;
{user}
events {{}}
http {{
  access_log off;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  include {root}/onemg-kg.conf;
}}
"""


def nginx(stack: ExitStack, root: Path, name: str) -> Server:
    program = shutil.which("nginx", path=SBIN)
    module = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
    if not program or not module.is_file():
        pytest.skip("nginx and libnginx-mod-http-js are not both installed, so nginx's configuration is not tested")
    site(root / "site")
    files = hosting.render(ORIGIN)
    port = free_port()
    script = root / "onemg-kg.js"
    script.write_bytes(files["nginx/onemg-kg.js"])
    text = files["nginx/onemg-kg.conf"].decode()
    for there, here in {
        "/etc/nginx/onemg-kg.js;": f"{script};",
        f"root {hosting.SITE};": f"root {root}/site;",
        "listen 80;": f"listen 127.0.0.1:{port};",
    }.items():
        assert there in text
        text = text.replace(there, here)
    (root / "onemg-kg.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    (root / "nginx.conf").write_text(NGINX.format(root=root, module=module, user=user))
    start(stack, [program, "-c", str(root / "nginx.conf"), "-e", str(root / "output")], port, root / "output")
    return Server(name, port, "")


NODE = """
// Runs a Worker or an edge function as its host does: with the files of the site behind it.
import fs from "node:fs";
import http from "node:http";
const [script, kind, root, port] = process.argv.slice(2);
const handler = (await import(script)).default;
function asset(request) {
  const url = new URL(request.url);
  if (url.port !== port) throw new Error(`asked for ${url}`);
  let body = null;
  try {
    const parts = url.pathname.split("/").map(decodeURIComponent);
    if (!parts.some((part) => part.includes("/"))) body = fs.readFileSync(root + parts.join("/"));
  } catch { /* is not there */ }
  return new Response(request.method === "HEAD" ? null : body, { status: body === null ? 404 : 200 });
}
async function answer(request) {
  if (kind === "cloudflare") return handler.fetch(request, { ASSETS: { fetch: async (wanted) => asset(wanted) } });
  return handler(request, { next: async () => asset(request) });
}
http.createServer(async (incoming, outgoing) => {
  const headers = Object.entries(incoming.headers).filter(([name]) => !["connection", "host"].includes(name));
  const response = await answer(new Request(`http://127.0.0.1:${port}${incoming.url}`, { method: incoming.method, headers }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}).listen(Number(port), "127.0.0.1");
"""


def node(stack: ExitStack, root: Path, name: str) -> Server:
    program = shutil.which("node")
    if not program:
        pytest.skip("node is not installed, so the functions for Netlify and Cloudflare are not tested")
    site(root / "site")
    script = {"netlify": "netlify/edge-functions/onemg-kg.js", "cloudflare": "cloudflare/worker.js"}[name]
    (root / "package.json").write_text('{"type": "module"}')
    (root / "script.js").write_bytes(hosting.render(ORIGIN)[script])
    (root / "host.js").write_text(NODE)
    port = free_port()
    start(
        stack,
        [program, str(root / "host.js"), str(root / "script.js"), name, str(root / "site"), str(port)],
        port,
        root / "output",
    )
    return Server(name, port, "")


STARTS: dict[str, Callable[[ExitStack, Path, str], Server]] = {
    "apache": apache,
    "apache in a folder": apache,
    "w3id": apache,
    "nginx": nginx,
    "netlify": node,
    "cloudflare": node,
}


@pytest.fixture(scope="module", params=STARTS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each server in its turn. Its folder is one that the user it changes to can read."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        root.chmod(0o755)
        yield STARTS[request.param](stack, root, request.param)


def expected(server: Server, path: str, suffix: str | None) -> tuple[int, str, str]:
    """Status, Location and Content-Location of a negotiated path."""
    place = f"{server.target}/{path or 'index'}{suffix}"
    if suffix is None:
        return 406, "", ""
    if server.name == "w3id" or path.startswith(("id/", "voc/")):
        return 303, place, ""
    return 200, "", place


def said(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.path("Location"), answer.path("Content-Location")


def vary(answer: Answer) -> set[str]:
    return {name.strip().lower() for line in answer.headers.get_all("Vary", []) for name in line.split(",")}


def test_the_table_says_what_negotiation_says() -> None:
    assert len({accept for accept, _ in ACCEPT}) == len(ACCEPT) >= 60
    wrong = [
        (accept, suffix) for accept, suffix in ACCEPT if getattr(choose(accept, REPRESENTATIONS), "suffix", None) != suffix
    ]
    assert wrong == []


@pytest.mark.parametrize("path", ["id/resource/beacon", "ns"])
def test_every_server_gives_the_same_answer(server: Server, path: str) -> None:
    """Status, Location, Content-Location and Vary, for each Accept header."""
    wrong = []
    for accept, suffix in ACCEPT:
        answer = server.get(f"/{path}", accept)
        if said(answer) != expected(server, path, suffix) or vary(answer) != {"accept"}:
            wrong.append((accept, suffix, said(answer), vary(answer)))
    assert wrong == []


def test_no_header_and_several_header_lines(server: Server) -> None:
    """A missing header is anything; several lines are one list (RFC 9110, section 5.3)."""
    path = "id/resource/beacon"
    assert said(server.get(f"/{path}")) == expected(server, path, ".html")
    assert said(server.get(f"/{path}", "text/html;q=0.5", "text/turtle")) == expected(server, path, ".ttl")


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_document_is_negotiated_in_every_form(server: Server, path: str) -> None:
    """Things and documents, the base, one beside a folder of its name, one that is not ASCII; by GET and by HEAD."""
    asked = "" if path == "index" else path.replace("é", "%C3%A9")
    for representation in REPRESENTATIONS:
        answer = server.get(f"/{asked}", representation.media_type)
        assert said(answer) == expected(server, path, representation.suffix)
        assert vary(answer) == {"accept"}
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert said(server.get(f"/{asked}", representation.media_type, method="HEAD")) == said(answer)
        if answer.status == 200:
            assert answer.body.decode() == path + representation.suffix
            assert answer.headers.get_content_type() == representation.media_type
    assert server.get(f"/{asked}", "image/png").status == 406


def test_an_address_in_a_header_is_ascii_and_without_the_query(server: Server) -> None:
    """What is percent-encoded stays so, and a query says nothing about a plain file."""
    answer = server.get("/id/resource/caf%C3%A9?x=1&y=//evil.example", "text/turtle")
    location = urlsplit(answer.headers["Location"].replace("%c3%a9", "%C3%A9"))
    assert (location.path, location.query) == (urlsplit(server.target).path + "/id/resource/caf%C3%A9.ttl", "")


def test_a_suffix_decides_whatever_the_client_accepts(server: Server) -> None:
    for representation in REPRESENTATIONS:
        for path in ("id/resource/beacon", "ns/1.0.0", "data/framework", "graph/data/resources/beacon"):
            answer = server.get(f"/{path}{representation.suffix}", "image/png")
            if server.name == "w3id":
                assert (answer.status, answer.headers["Location"]) == (302, f"{ORIGIN}/{path}{representation.suffix}")
                continue
            assert (answer.status, answer.body.decode()) == (200, path + representation.suffix)
            assert answer.headers.get_content_type() == representation.media_type
            assert answer.headers.get_content_charset() == ("utf-8" if representation.media_type.startswith("text/") else None)
            assert not answer.headers["Vary"]
            assert not answer.headers["Content-Location"]
            assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", FILES)
def test_other_files_are_served_as_they_are(server: Server, path: str) -> None:
    answer = server.get(f"/{path}", "image/png")
    if server.name == "w3id":
        assert (answer.status, answer.headers["Location"]) == (302, f"{ORIGIN}/{path}")
    else:
        assert (answer.status, answer.headers.get_content_type(), answer.body.decode()) == (200, FILES[path], path)


def test_a_folder_answers_with_its_index(server: Server) -> None:
    answer = server.get("/views/", "text/turtle")
    if server.name == "w3id":
        assert (answer.status, answer.headers["Location"]) == (302, f"{ORIGIN}/views/")
    else:
        assert (answer.status, answer.body.decode()) == (200, "views/index.html")


@pytest.mark.parametrize(
    "path",
    [
        "id/resource/nothing",
        "id/resource/nothing.ttl",
        "ns/9",
        "views",
        "voc/",
        "id/resource",
        "nothing",
        "ns.html/x",
        "nothing/",
    ],
)
def test_what_is_not_there_is_404_before_anything_else(server: Server, path: str) -> None:
    """w3id.org cannot know what there is, and leaves it to the site."""
    for accept in ("text/html", "text/turtle", "image/png"):
        answer = server.get(f"/{path}", accept)
        if server.name == "w3id":
            assert answer.status in (302, 303, 406)
        else:
            assert answer.status == 404
            assert not answer.headers["Location"]


@pytest.mark.parametrize("path", ["id/resource/caf%C3%A9", "ns", ""])
def test_a_406_lists_what_there_is(server: Server, path: str) -> None:
    answer = server.get(f"/{path}", "image/png")
    assert (answer.status, vary(answer)) == (406, {"accept"})
    text = answer.body.decode()
    for representation in REPRESENTATIONS:
        assert representation.media_type in text
        assert f"{server.base}/{path or 'index'}{representation.suffix}" in text.replace("%c3%a9", "%C3%A9")


ATTACKS = [
    "//evil.example",
    "///evil.example/%2e%2e/x",
    "/%2F%2Fevil.example",
    "//evil.example/id/x",
    "/\\evil.example",
    "/%5Cevil.example",
    "/http://evil.example",
    "/@evil.example",
    "/.evil.example",
    "/id//evil.example",
    "/id/%2F%2Fevil.example",
    "/id/%0d%0aLocation:%20http://evil.example",
    "/id/%0aSet-Cookie:x=1",
    "/ns%0d%0aSet-Cookie:x=1",
    "/id/resource/beacon%0d%0aSet-Cookie:x=1",
    "/id/resource/beacon?x=%0d%0aSet-Cookie:x=1",
    "/id/resource/beacon%00.html",
    "/id/<script>alert(1)</script>",
    "/id/../../../../etc/passwd",
    "/id/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/ns/..%2f..%2f..%2f..%2fetc/passwd",
    "/data/%252e%252e/secret",
    "/..%5c..%5cetc/passwd",
    "/id/%ff%fe",
    "/.htaccess",
    "/id/x%",
    "/" + "id/" * 500,
]


@pytest.mark.parametrize("path", ATTACKS)
def test_an_attack_leads_nowhere(server: Server, path: str) -> None:
    """No redirect leaves the site, no header and no script is let in, no file above the site is read."""
    for accept in ("text/turtle", "image/png", '"><script>alert(1)</script>'):
        answer = server.get(path, accept)
        location = answer.headers.get("Location")
        if location is not None:
            assert location.startswith(f"{ORIGIN}/") or urlsplit(location).hostname in (None, "127.0.0.1")
            assert not location.startswith(("//", "/\\"))
        assert "Set-Cookie" not in answer.headers
        assert "evil.example" not in answer.headers.get("Content-Location", "")
        assert b"<script>" not in answer.body
        assert b"root:" not in answer.body
        if server.name != "w3id":
            assert answer.status in (400, 403, 404, 414) or path.startswith("/id/resource/beacon?")


def test_a_client_ends_at_the_file(server: Server) -> None:
    """By hash IRI, of which no fragment is sent, and through the redirect of a thing."""
    if server.name == "w3id":
        return
    for path, name in {"ns#Listing": "ns.ttl", "id/resource/caf%C3%A9": "id/resource/café.ttl"}.items():
        asked = Request(f"http://127.0.0.1:{server.port}{server.base}/{path}", headers={"Accept": "text/turtle"})
        with urlopen(asked, timeout=10) as response:
            assert response.headers.get_content_type() == "text/turtle"
            assert response.read().decode() == name


def test_a_long_header_is_answered_at_once(server: Server) -> None:
    """Within the seconds that the client waits: each of these would hold a server whose patterns backtrack."""
    for accept in (
        '"\\' * 3000,
        "text/html;" + " ;" * 3000,
        "a/b;c=d" * 900,
        ("a/b," * 1500) + "text/turtle",
        " " * 7000 + "x",
    ):
        assert server.get("/id/resource/beacon", accept).status == 303


RANGE = st.sampled_from(
    [media_range for r in REPRESENTATIONS for media_range in r.ranges] + ["image/png", "*/html", "Text/HTML", "*"]
)
WEIGHT = st.sampled_from(
    ["", ";q=0", ";q=0.0", ";q=0.5", "; Q=0.55", ";q=0.549", " ;q=.5", ";q=1", ";q=1.0", ";q=2", ";q=", ";q=0.5;q=1"]
)
PARAMETERS = st.sampled_from(["", "", ";a=b", ";", ' ; a="b,c"', ";a=", ';a="b', ';a="\\""', ";é=1"])
MEMBERS = st.lists(st.tuples(RANGE, PARAMETERS, WEIGHT, PARAMETERS).map("".join), max_size=5)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(members=MEMBERS, separator=st.sampled_from([",", ", ", " ,\t", ",,"]))
@example(members=["text/html;q=0.2", "text/html", "text/turtle;q=0.5"], separator=",")
def test_any_header_is_answered_as_negotiation_answers(server: Server, members: list[str], separator: str) -> None:
    accept = separator.join(members)
    chosen = choose(accept, REPRESENTATIONS)
    path = "id/resource/beacon"
    assert said(server.get(f"/{path}", accept)) == expected(server, path, chosen.suffix if chosen else None)


def test_the_files_are_the_same_each_time_and_say_how_to_install_them() -> None:
    files = hosting.render(ORIGIN)
    assert files == hosting.render(ORIGIN + "/")
    assert {path.partition("/")[0] for path in files} == {"w3id.org", "apache", "nginx", "netlify", "cloudflare"}
    for path, content in files.items():
        head = content.decode("ascii").splitlines()[:4]
        assert "onemg-kg build" in head[0] + head[1], path
        assert any("copy" in line.lower() or ".toml" in line for line in head), path


@pytest.mark.parametrize(
    "origin", ["", "kg.example", "ftp://kg.example", "https://kg.example/\nRewriteEngine off", "https://a b"]
)
def test_an_origin_that_is_no_address_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a site"):
        hosting.render(origin)
