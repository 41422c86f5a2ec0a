"""A checkout of a Jekyll site with the ELIXIR Toolkit Theme, as files: configuration, front matter, addresses, menus.

What the theme fixes is spelled here once: where menus stand (``_data/topnav.yml``, ``_data/sidebars/``), that a page of the
folders ``about`` and ``contribute`` speaks of the site itself, and that a file whose name starts with ``TEMPLATE`` is a form.
"""

import re
import subprocess
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from onemg_kg.errors import SiteError

_SUFFIXES = {".md", ".markdown", ".html"}
_SITE_PAGES = {"about", "contribute"}
_THEME_LAYOUTS = {"", "page", "default", "none", "home"}
_STATISTICS = {"Google Analytics": "gtag", "Matomo": "matomo"}
"""The services of web statistics that the theme knows, by the key of ``_config.yml`` that sets each up."""
_DEMONSTRATION = re.compile(r"(^|[^a-z])(sample|demo|test\d*)([^a-z]|$)")


@dataclass(frozen=True)
class Notice:
    """Something in the site source that could not be understood, or only in part.

    Attributes:
        source: the file, relative to the site's root.
        line: the line, counted from 1.
        message: what it is, in one sentence.
    """

    source: str
    line: int
    message: str


@dataclass(frozen=True)
class Page:
    """One page of the site, before its text is read.

    Attributes:
        source: the file, relative to the site's root.
        matter: the front matter, with the defaults of ``_config.yml`` filled in.
        own: the keys that the front matter itself sets.
        head: the lines of the file before the body.
        body: the text after the front matter.
        path: the address below the site's root, as Jekyll makes it from the permalink.
        slug: the page's name in our IRIs: its path in lower case, each run of other characters one hyphen.
    """

    source: str
    matter: Mapping[str, Any]
    own: frozenset[str]
    head: list[str]
    body: str
    path: str
    slug: str

    @property
    def offset(self) -> int:
        """How many lines of the file come before the body."""
        return len(self.head)

    @property
    def type(self) -> str:
        """The notation of the page's concept in the scheme ``page-type``."""
        name = PurePosixPath(self.source).name
        if name.startswith("TEMPLATE"):
            return "template"
        if _DEMONSTRATION.search(PurePosixPath(self.source).stem.lower()) or _DEMONSTRATION.search(self.path.lower()):
            return "demonstration"
        if str(self.matter.get("sidebar")) in _SITE_PAGES or _SITE_PAGES & set(PurePosixPath(self.source).parts[:-1]):
            return "site-information"
        if str(self.matter.get("layout") or "") not in _THEME_LAYOUTS:
            return "citizen"
        return "guidance"


@dataclass(frozen=True)
class MenuEntry:
    """One entry of a menu: its place is the path of positions from the top, counted from 1; its picture stands as written."""

    menu: str
    source: str
    line: int
    place: tuple[int, ...]
    title: str
    url: str
    description: str
    picture: str = ""


@dataclass
class Site:
    """A whole site, read.

    Attributes:
        root: the checkout.
        address: the site's address on the web, without a slash at the end.
        pages: every page, sorted by source file.
        menu: every entry of every menu, in their order.
        notices: what could not be understood.
        scopes: the paths for which ``_config.yml`` sets defaults, each with its line.
        statistics: each service of web statistics that the theme knows, and whether ``_config.yml`` sets it up.
    """

    root: Path
    address: str
    pages: list[Page] = field(default_factory=list)
    menu: list[MenuEntry] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    scopes: list[tuple[str, int]] = field(default_factory=list)
    statistics: dict[str, bool] = field(default_factory=dict)


def slugify(text: str) -> str:
    """``text`` in lower case ASCII letters and digits, each run of anything else one hyphen."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def text_of(value: object) -> str:
    """A front matter value as text: what is no scalar, or is empty, is the empty string."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _mapping(value: object) -> dict[str, Any]:
    """``value`` if it is a mapping, else an empty one: what a file holds may be anything."""
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    """``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


class _LineLoader(yaml.BaseLoader):
    """YAML with the line of every mapping under the key ``__line__``.

    Scalars are text, but for truth values and null as YAML 1.2 spells them: the country code ``NO`` is none, and a date
    that no calendar has is no error.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        mapping["__line__"] = node.start_mark.line + 1
        return mapping

    def construct_truth(self, node: yaml.ScalarNode) -> bool:
        return str(self.construct_scalar(node)).lower() == "true"


_LineLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$", re.IGNORECASE), list("tTfF"))
_LineLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|)$", re.IGNORECASE), ["~", "n", "N", ""])
_LineLoader.add_constructor("tag:yaml.org,2002:bool", _LineLoader.construct_truth)
_LineLoader.add_constructor("tag:yaml.org,2002:null", lambda _loader, _node: None)


def _read(path: Path, root: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise SiteError(
            f"is not UTF-8 at byte {error.start}.", source=path.relative_to(root).as_posix(), fix="Save it as UTF-8."
        ) from None


def _yaml(text: str, source: str, first_line: int, notices: list[Notice]) -> Any:
    """Parse YAML; a line that spoils it is reported and left out, as long as the rest can be read."""
    lines = text.split("\n")
    for _ in range(len(lines)):
        try:
            return yaml.load("\n".join(lines), Loader=_LineLoader)
        except yaml.reader.ReaderError as error:
            problem, at = error.reason, "\n".join(lines).count("\n", 0, error.position)
        except yaml.MarkedYAMLError as error:
            # What is open to the end of the file, or to the next key, is wrong where it starts.
            starts = re.match("while (scanning|parsing a flow)", error.context or "")
            mark = (error.context_mark if starts else None) or error.problem_mark or error.context_mark
            problem, at = error.problem or "it cannot be read", min(mark.line if mark else 0, len(lines) - 1)
        except RecursionError:
            notices.append(Notice(source, first_line, "This is nested too deeply to be read and was left out."))
            return None
        while at > 0 and not lines[at].strip():
            at -= 1
        notices.append(Notice(source, first_line + at, f"This line is not YAML and was left out: {problem}."))
        if not lines[at].strip():
            return None
        lines[at] = ""
    return None


def _front_matter(text: str, source: str, notices: list[Notice]) -> tuple[dict[str, Any], list[str], str] | None:
    """The front matter, the lines before the body, and the body; ``None`` where a file has no front matter."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return None
    for end, line in enumerate(lines[1:], start=1):
        if line.rstrip() in {"---", "..."}:
            matter = _yaml("\n".join(lines[1:end]), source, 2, notices)
            if matter is not None and not isinstance(matter, dict):
                notices.append(Notice(source, 2, "The front matter is not a mapping of keys to values."))
                matter = None
            values = {str(key): value for key, value in (matter or {}).items() if key != "__line__"}
            return values, lines[: end + 1], "\n".join(lines[end + 1 :])
    notices.append(Notice(source, 1, "The front matter is not closed by a line `---`."))
    return None


def _defaults(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The front matter defaults for a file (Jekyll, Front Matter Defaults): the longer path wins, then the later one."""
    found: list[tuple[int, int, dict[str, Any]]] = []
    for number, default in enumerate(_list(config.get("defaults"))):
        scope = _mapping(_mapping(default).get("scope"))
        path = text_of(scope.get("path")).strip("/")
        fits = not path or source == path or source.startswith(path + "/") or ("*" in path and fnmatch(source, path))
        if fits and text_of(scope.get("type")) in {"", "pages"}:
            found.append((len(path), number, _mapping(_mapping(default).get("values"))))
    merged: dict[str, Any] = {}
    for _, _, values in sorted(found, key=lambda item: item[:2]):
        merged.update({key: value for key, value in values.items() if key != "__line__"})
    return merged


def _scopes(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The paths for which the configuration sets defaults, but for patterns and collections, each with its line."""
    for default in _list(config.get("defaults")):
        scope = _mapping(_mapping(default).get("scope"))
        path = text_of(scope.get("path")).strip("/")
        if path and "*" not in path and text_of(scope.get("type")) in {"", "pages"}:
            yield path, scope["__line__"]


def _path(source: str, permalink: str) -> str:
    """The address of a page below the site's root (Jekyll, Permalinks; the placeholders that pages have)."""
    file = PurePosixPath(source)
    folder = "" if file.parent == PurePosixPath(".") else file.parent.as_posix() + "/"
    if not permalink:
        return "/" + folder + ("" if file.stem == "index" else file.stem)
    path = permalink.replace(":path", folder.rstrip("/")).replace(":basename", file.stem).replace(":title", file.stem)
    path = re.sub(r"/{2,}", "/", "/" + path.replace(":output_ext", ""))
    return path[: -len("index")] if path.endswith("/index") and file.stem == "index" else path


def _slug(place: str, source: str, taken: set[str]) -> str:
    """A page's name: from its address, else from its file, else numbered, so that no two pages share one."""
    slug = slugify(place) or "index"
    if slug in taken:
        slug = slugify(source.removesuffix(PurePosixPath(source).suffix)) or slug
    return next(name for name in chain([slug], (f"{slug}-{number}" for number in count(2))) if name not in taken)


def _sources(root: Path, config: Mapping[str, Any]) -> Iterator[Path]:
    """The files that Jekyll would make pages of: no hidden or underscored folder, nothing that is excluded."""
    exclude = [text_of(item).strip("/") for item in _list(config.get("exclude"))]
    exclude += ["vendor", "node_modules", "README.md"]
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        name = "/".join(parts)
        hidden = any(part.startswith((".", "_")) for part in parts)
        excluded = any(fnmatch(name, item) or name.startswith(item + "/") for item in exclude if item)
        if path.suffix in _SUFFIXES and path.is_file() and not hidden and not excluded:
            yield path


def _menu(menu: str, source: str, items: object, place: tuple[int, ...] = ()) -> Iterator[MenuEntry]:
    for number, item in enumerate(_list(items), start=1):
        if isinstance(item, dict):
            here = (*place, number)
            url = text_of(item.get("url")) or text_of(item.get("external_url"))
            title, description = text_of(item.get("title")), text_of(item.get("description"))
            picture = text_of(item.get("image_url"))
            yield MenuEntry(menu, source, item["__line__"], here, title, url, description, picture)
            yield from _menu(menu, source, item.get("subitems"), here)


def read_site(root: Path, address: str) -> Site:
    """Read a checkout.

    Args:
        root: the folder that holds ``_config.yml``.
        address: the site's web address, for a checkout that does not say it (``url`` in ``_config.yml``, or ``CNAME``).

    Raises:
        SiteError: there is no ``_config.yml``, or a file is not UTF-8.
    """
    if not (root / "_config.yml").is_file():
        raise SiteError("is not a Jekyll site: it has no _config.yml.", source=str(root), fix="Name the folder that holds it.")
    notices: list[Notice] = []
    config = _mapping(_yaml(_read(root / "_config.yml", root), "_config.yml", 1, notices))
    cname = (_read(root / "CNAME", root).split() if (root / "CNAME").is_file() else [])[:1]
    said = text_of(config.get("url")) or "".join("https://" + host for host in cname)
    if said and not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/\S*)?", said):
        notices.append(Notice("_config.yml", 1, f"The address of the site, {said!r}, is none and was left out."))
        said = ""
    site = Site(root, (said or address).rstrip("/") + text_of(config.get("baseurl")).rstrip("/"), notices=notices)
    site.scopes.extend(_scopes(config))
    site.statistics.update({name: bool(text_of(config.get(key))) for name, key in _STATISTICS.items()})
    for path in _sources(root, config):
        source = path.relative_to(root).as_posix()
        parsed = _front_matter(_read(path, root), source, notices)
        if parsed is None:
            continue
        own, head, body = parsed
        matter = {**_defaults(config, source), **{key: value for key, value in own.items() if value is not None}}
        place = _path(source, text_of(matter.get("permalink")))
        if twin := next((page for page in site.pages if page.path == place), None):
            notices.append(Notice(source, 1, f"This page has the address of {twin.source}, {place!r}; one hides the other."))
        slug = _slug(place, source, {page.slug for page in site.pages})
        site.pages.append(Page(source, matter, frozenset(own), head, body, place, slug))
    menus = [root / "_data" / "topnav.yml", *sorted((root / "_data" / "sidebars").glob("*.yml"))]
    for path in menus:
        if path.is_file():
            source = path.relative_to(root).as_posix()
            content = _yaml(_read(path, root), source, 1, notices)
            items = content.get("subitems") if isinstance(content, dict) else content
            site.menu.extend(_menu(path.stem, source, items))
    return site


def commit_of(root: Path) -> tuple[str, str] | None:
    """The commit that a checkout holds and its date (ISO 8601), or ``None`` where git does not know the folder."""
    command = ["git", "-C", str(root), "log", "-1", "--format=%H %cs", "--", "."]
    try:
        inside = subprocess.run(
            ["git", "-C", str(root), "ls-files", "--error-unmatch", "_config.yml"], capture_output=True, check=False
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    if inside.returncode or done.returncode or not done.stdout.strip():
        return None
    commit, date = done.stdout.split()
    return commit, date
