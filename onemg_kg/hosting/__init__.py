"""Configuration for other people's servers, generated from one table of routes and one of representations.

Every server gives the same answer to the same ``Accept`` header: that of ``negotiation``. Where a server runs JavaScript
(nginx, Netlify, Cloudflare) it runs the same functions. Where it only rewrites addresses (w3id.org, Apache) the rules keep the
weight of each representation in an environment variable.
"""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from onemg_kg.negotiation import ELEMENT, MEMBER, PARAMETER, REPRESENTATIONS, WEIGHT
from onemg_kg.terms import BASE


@dataclass(frozen=True)
class Route:
    """Paths that are negotiated; every other path is that of a file.

    Attributes:
        pattern: a regular expression for the whole path below the site's root, without its first slash. It means the same in
            Python, JavaScript and PCRE.
        thing: whether it names a thing, which redirects with 303 to a document about it (httpRange-14), or a document, which
            answers with 200 and says in ``Content-Location`` which file it sent.
    """

    pattern: str
    thing: bool


ROUTES = (
    Route("id/.+", thing=True),
    Route("voc/.+", thing=True),
    Route("", thing=False),
    Route("ns", thing=False),
    Route("ns/.+", thing=False),
    Route("shapes", thing=False),
    Route("shapes/.+", thing=False),
    Route("data/.+", thing=False),
    Route("graph/.+", thing=False),
)
"""The routes of the site. The empty path is the base itself, whose files are called ``index``."""


def _utf8(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


TYPES = {
    **{representation.suffix: _utf8(representation.media_type) for representation in REPRESENTATIONS},
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".rq": "application/sparql-query",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
"""The ``Content-Type`` of files by suffix."""

PATH_TYPES = {".well-known/void": "text/turtle; charset=utf-8", "feed.xml": "application/atom+xml"}
"""The ``Content-Type`` of files whose suffix does not tell it, by path."""

SITE = "/srv/onemg-kg/site"
"""Where the generated configuration says that the site is."""

_NGINX = "/etc/nginx/onemg-kg.js"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*/?")


def is_address(origin: str) -> bool:
    """Whether a text is an address at which a site can stand: HTTP, of letters, digits, dots, hyphens, underscores, tildes."""
    return _ADDRESS.fullmatch(origin) is not None


def render(origin: str) -> dict[str, bytes]:
    """The configuration of each server.

    Args:
        origin: the address of the site's root, such as ``https://example.org`` or ``https://example.org/framework/``. Only the
            rules for w3id.org and nginx's ``server_name`` hold it; the rest works under any name.

    Returns:
        For each path below ``build/hosting`` the content of the file. The same origin gives the same bytes.

    Raises:
        ValueError: the origin is not an HTTP address of letters, digits, dots, hyphens, underscores and tildes.
    """
    if not is_address(origin):
        raise ValueError(f"{origin!r} is not the address of a site, such as https://example.org/framework")
    name = urlsplit(BASE).path.strip("/")
    texts = {
        f"w3id.org/{name}/.htaccess": _w3id(origin.rstrip("/"), name),
        "apache/.htaccess": _apache(),
        "nginx/onemg-kg.conf": _nginx(urlsplit(origin).netloc.partition(":")[0]),
        "nginx/onemg-kg.js": _script("Copy it to " + _NGINX + "; onemg-kg.conf imports it.", "nginx.js"),
        "netlify/netlify.toml": _NETLIFY,
        "netlify/edge-functions/onemg-kg.js": _script("netlify.toml says where it belongs.", "edge.js") + _NETLIFY_FUNCTION,
        "cloudflare/wrangler.toml": _CLOUDFLARE,
        "cloudflare/worker.js": _script("wrangler.toml names it.", "edge.js") + _CLOUDFLARE_WORKER,
    }
    return {path: text.encode() for path, text in texts.items()}


# JavaScript


def _script(how: str, adapter: str) -> str:
    """One module without imports: the tables, the choice, and what fits it to the server."""
    table = [{"type": r.media_type, "suffix": r.suffix, "ranges": r.ranges} for r in REPRESENTATIONS]
    lines = [
        "// Content negotiation for the 1+MG Framework knowledge graph, made by `onemg-kg build`. Do not edit.",
        f"// {how}",
        "",
        f"const REPRESENTATIONS = {json.dumps(table, indent=2)};",
        f"const ELEMENT = {json.dumps(ELEMENT)};",
        f"const MEMBER = {json.dumps(MEMBER)};",
        "const ROUTES = [",
        *(f"  {{ pattern: new RegExp({json.dumps(f'^{r.pattern}$')}), thing: {json.dumps(r.thing)} }}," for r in ROUTES),
        "];",
        *([f"const TYPES = {json.dumps({**TYPES, **PATH_TYPES}, indent=2)};"] if adapter == "edge.js" else []),
        "",
    ]
    here = files(__package__)
    return "\n".join(lines) + "".join((here / name).read_text(encoding="utf-8") for name in ("negotiation.js", adapter))


_NETLIFY = """\
# Netlify, made by `onemg-kg build`. Its _redirects cannot negotiate by Accept, so an edge function does.
# Install: copy this file to the root of the folder that you deploy, edge-functions/ to netlify/edge-functions/ in it, and the
# site to site/ in it. The site has to be at the root of its host.

[build]
publish = "site"

# Addresses end in .html, and files are served as they are.
[build.processing]
skip_processing = true
"""

_NETLIFY_FUNCTION = """
export default async (request, context) =>
  respond(request, (wanted) => (wanted.url === request.url ? context.next() : fetch(wanted)));

export const config = { path: "/*" };
"""

_CLOUDFLARE = """\
# Cloudflare Workers with static assets, made by `onemg-kg build`. _redirects cannot negotiate by Accept, so a Worker does.
# Install: copy this file and worker.js into a folder, the site to site/ in it, and run `npx wrangler deploy` there. The site
# has to be at the root of its host.

name = "onemg-kg"
main = "worker.js"
compatibility_date = "2025-01-01"

[assets]
directory = "site"
binding = "ASSETS"
run_worker_first = true
html_handling = "none" # otherwise x.html is redirected to x, which names the thing
not_found_handling = "404-page"
"""

_CLOUDFLARE_WORKER = """
export default { fetch: (request, env) => respond(request, (wanted) => env.ASSETS.fetch(wanted)) };
"""


# nginx


def _nginx(host: str) -> str:
    routes = "|".join(route.pattern for route in ROUTES if route.pattern)
    types = [f'        "{type_}" {suffix[1:]};' for suffix, type_ in TYPES.items()]
    exact = [f'    location = /{path} {{ types {{}} default_type "{type_}"; }}' for path, type_ in PATH_TYPES.items()]
    return "\n".join(
        [
            "# nginx, made by `onemg-kg build`. It needs njs (in Debian: libnginx-mod-http-js): nginx alone knows no weights.",
            f"# Install: copy the site to {SITE}, onemg-kg.js to {_NGINX}, this file to",
            "# /etc/nginx/conf.d/, and run `nginx -t && systemctl reload nginx`. The site has to be at the root of its host.",
            "",
            f"js_import onemg from {_NGINX};",
            "js_var $onemg_vary;",
            "js_var $onemg_content_location;",
            "",
            "server {",
            "    listen 80;",
            f"    server_name {host};",
            f"    root {SITE};",
            "    index index.html;",
            "    error_page 404 /404.html;",
            "    types {",
            *types,
            "    }",
            "    default_type application/octet-stream;",
            "    add_header Access-Control-Allow-Origin * always;",
            "    add_header Vary $onemg_vary always;",
            "    add_header Content-Location $onemg_content_location;",
            "",
            *exact,
            "    location = / { js_content onemg.negotiate; }",
            f'    location ~ "^/(?:{routes})$" {{ try_files $uri @negotiate; }}',
            "    location ~ /$ { try_files ${uri}index.html =404; }",
            "    location / { try_files $uri =404; }",
            "    location @negotiate { js_content onemg.negotiate; }",
            "}",
            "",
        ]
    )


# Apache


def _w3id(origin: str, name: str) -> str:
    return "\n".join(
        [
            f"# {BASE}, made by `onemg-kg build`: each thing and document of the 1+MG Framework",
            f"# knowledge graph redirects to {origin}.",
            f"# Install: in a fork of perma-id/w3id.org, copy this file to {name}/.htaccess, write beside it a README.md that",
            "# says what the name is for and who looks after it (GitHub names), and open a pull request.",
            "",
            "RewriteEngine on",
            *_HEADERS,
            _not_acceptable(),
            "",
            "# A file, and whatever else is not negotiated: where it is at the site.",
            f"RewriteRule ^.+\\.(?:{_suffixes()})$ {origin}/$0 [R=302,L]",
            f"RewriteCond $0 !^(?:{_routes()})$",
            f"RewriteRule ^.*$ {origin}/$0 [R=302,L]",
            "",
            *_negotiation(),
            f"RewriteRule ^$ {origin}/index%{{ENV:ONEMG_SUFFIX}} [R=303,QSD,L]",
            f"RewriteRule ^(?:{_routes()})$ {origin}/$0%{{ENV:ONEMG_SUFFIX}} [R=303,QSD,L]",
            "",
        ]
    )


def _apache() -> str:
    things = "|".join(route.pattern for route in ROUTES if route.thing)
    documents = "|".join(route.pattern for route in ROUTES if not route.thing)
    exact = [f'RewriteRule ^{re.escape(path)}$ - "[T={type_},END]"' for path, type_ in PATH_TYPES.items()]
    return "\n".join(
        [
            "# Apache httpd 2.4, made by `onemg-kg build`. It needs mod_rewrite, mod_headers, mod_mime and mod_dir.",
            "# Install: copy this file into the folder of the site, which may be any folder of any host, and allow it there:",
            "# `AllowOverride FileInfo Indexes`, `Options FollowSymLinks` or `SymLinksIfOwnerMatch`, and no `MultiViews`.",
            "",
            *(f'AddType "{type_}" {suffix}' for suffix, type_ in TYPES.items()),
            "DirectoryIndex index.html",
            "# The namespace stands beside a folder of the same name (ns.html, ns/1.0.0.html), and must not become it.",
            "DirectorySlash Off",
            "RewriteEngine on",
            "RewriteOptions AllowNoSlash",
            *_HEADERS,
            'Header set Content-Location "expr=%{escape:%{REQUEST_URI}}" env=REDIRECT_ONEMG_DOCUMENT',
            _not_acceptable(),
            "",
            "# A file, and whatever else is not negotiated.",
            *exact,
            "RewriteCond %{REQUEST_FILENAME} -f",
            "RewriteRule ^ - [END]",
            f"RewriteCond $0 !^(?:{_routes()})$",
            "RewriteCond %{REQUEST_FILENAME} -d",
            "RewriteCond %{REQUEST_FILENAME}index.html !-f",
            "RewriteRule ^.*$ - [R=404,END]",
            f"RewriteRule !^(?:{_routes()})$ - [END]",
            "# What has no page is not there.",
            'RewriteCond $0 !=""',
            f"RewriteCond %{{REQUEST_FILENAME}}{REPRESENTATIONS[0].suffix} !-f",
            "RewriteRule ^.*$ - [R=404,END]",
            "",
            *_negotiation(),
            "# The folder that the site is in, from its host's root.",
            "RewriteCond $0::%{REQUEST_URI} ^(.*)::(.*/)\\1$",
            f"RewriteRule ^(?:{things})$ %2$0%{{ENV:ONEMG_SUFFIX}} [R=303,QSD,END]",
            "RewriteRule ^$ index%{ENV:ONEMG_SUFFIX} [E=ONEMG_DOCUMENT:1,QSD,END]",
            f"RewriteRule ^(?:{documents})$ $0%{{ENV:ONEMG_SUFFIX}} [E=ONEMG_DOCUMENT:1,QSD,END]",
            "",
        ]
    )


_HEADERS = (
    'Header always set Access-Control-Allow-Origin "*"',
    "Header always set Vary Accept env=ONEMG_VARY",
    "Header always set Vary Accept env=REDIRECT_ONEMG_VARY",
)


def _routes() -> str:
    return "|".join(route.pattern for route in ROUTES)


def _suffixes() -> str:
    return "|".join(representation.suffix[1:] for representation in REPRESENTATIONS)


def _not_acceptable() -> str:
    """The body of a 406: what there is instead. Apache sends it as HTML, so the address in it is escaped."""
    address = "%{escape:%{REQUEST_URI}}%{reqenv:ONEMG_INDEX}"
    items = "".join(f"<li><a href='{address}{r.suffix}'>{address}{r.suffix}</a> {r.media_type}</li>" for r in REPRESENTATIONS)
    return f'ErrorDocument 406 "<!DOCTYPE html><title>Not acceptable</title><p>There is:</p><ul>{items}</ul>"'


def _negotiation() -> list[str]:
    """Rules that leave in ``ONEMG_SUFFIX`` the suffix of the representation that the client wants most, or answer 406."""
    ranges: dict[str, list[str]] = {}
    for representation in REPRESENTATIONS:
        for media_range in reversed(representation.ranges):
            ranges.setdefault(media_range, []).append(representation.name)
    lines = [
        "# Content negotiation (RFC 9110, section 12.5.1). A variable holds the weight of each representation in thousandths.",
        "# The rules go from the least specific media range to the most specific, so that the last one to match counts.",
        "RewriteRule ^ - [E=ONEMG_VARY:1,E=ONEMG_ACCEPT:%{HTTP:Accept}]",
        "RewriteRule ^$ - [E=ONEMG_INDEX:index]",
        "",
        "# Nothing well-formed: anything will do.",
        f'RewriteCond %{{ENV:ONEMG_ACCEPT}} "!{_pcre(_FIRST + MEMBER + _END)}"',
        f"RewriteRule ^ - [E=ONEMG_{REPRESENTATIONS[0].name}:1000]",
    ]
    for media_range, names in ranges.items():
        lines += [
            f"# {media_range}",
            f'RewriteCond "%{{ENV:ONEMG_ACCEPT}},1" "{_pcre(_range(media_range))}" [NC]',
            r'RewriteCond %1000 "^([01]?)\.?([0-9]{3})"',
            f"RewriteRule ^ - [{','.join(f'E=ONEMG_{name}:%1%2' for name in names)}]",
        ]
    lines += ["", "# The greatest weight, and of equals the first.", "RewriteRule ^ - [E=ONEMG_MOST:0]"]
    for representation in REPRESENTATIONS:
        weight = f"ONEMG_{representation.name}"
        lines += [
            f"RewriteCond expr \"reqenv('{weight}') -gt reqenv('ONEMG_MOST')\"",
            f"RewriteRule ^ - [E=ONEMG_MOST:%{{ENV:{weight}}},E=ONEMG_SUFFIX:{representation.suffix}]",
        ]
    return [*lines, 'RewriteCond %{ENV:ONEMG_SUFFIX} =""', "RewriteRule ^ - [R=406,L]", ""]


_FIRST = rf"^(?>(?:{ELEMENT})?,)*?"
"""In PCRE: some whole members of a list, as few as will do. The group is atomic: no match begins inside a quoted string."""

_END = r"(?=,|$)"


def _range(media_range: str) -> str:
    """In PCRE: the first member with the range, rather without parameters than with them; its weight is group 1.

    A member without a weight takes the 1 that the tested string ends in.
    """
    name = rf"[ \t]*{re.escape(media_range)}"
    none, implied = r"(?:[ \t]*;)*", r"(?=.*(1)$)"
    bare = rf"{name}{none}(?|{WEIGHT}{none}|{implied})[ \t]*{_END}"
    full = rf"{name}(?:{PARAMETER})*(?|{WEIGHT}(?:{PARAMETER})*|{implied})[ \t]*{_END}"
    return rf"(?|{_FIRST}{bare}|{_FIRST}{full})"


def _pcre(pattern: str) -> str:
    """A pattern inside the double quotes of Apache's configuration, which has its own meaning for two characters."""
    return pattern.replace(r"\\", r"\x5c").replace('"', r"\x22")
