"""What makes two entries the same resource: a DOI, a video, an address, and last a title."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

_TRACKING = re.compile(r"^(utm_.*|usp|ouid|rtpof|sd|si|feature|index|ebody|fbclid|gclid|mc_cid|mc_eid|ref|source|embeds_.*)$")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s?#]+")
_ZENODO = re.compile(r"^/(?:(?:api/)?(?:records?|deposit)/|(?:badge/)?doi/10\.5281/zenodo\.)(\d+)", re.IGNORECASE)
_YOUTUBE = re.compile(r"^/(?:embed/|shorts/|live/)?([\w-]+)")
_DOCUMENT = re.compile(r"^/(?:document|spreadsheets|presentation|forms)/d/(?:e/)?([\w-]+)")


def clean(target: str) -> str:
    """A link's target without what its author wrote by mistake: brackets around it, white space inside it."""
    target = target.strip()
    while target.startswith("(") and target.endswith(")"):
        target = target[1:-1].strip()
    return quote(target, safe="%/:?#[]@!$&'()*+,;=~-._")


def resolve(target: str, page: str) -> str:
    """The absolute address that a link leads to (RFC 3986, section 5); the target itself where it is no address.

    Args:
        target: the target as written.
        page: the absolute address of the page that the link stands on.
    """
    try:
        address = urljoin(page, clean(target))
        urlsplit(address).port  # noqa: B018 - raises where the port is no number
    except ValueError:
        return ""
    return address


def key(address: str) -> str:
    """What an address identifies, in one spelling: ``doi:``, ``youtube:``, ``google:`` or ``url:`` and the rest.

    ``http`` and ``https``, ``www.``, a slash at the end, tracking parameters and fragments make no difference; a Zenodo
    record in any spelling is its DOI.
    """
    try:
        parts = urlsplit(clean(address))
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    if not host:
        return ""
    path = unquote(parts.path)
    query = dict(parse_qsl(parts.query))
    if host in {"doi.org", "dx.doi.org"} and path.strip("/"):
        return "doi:" + path.strip("/").lower()
    if host in {"zenodo.org", "sandbox.zenodo.org"}:
        if record := _ZENODO.match(path):
            return f"doi:10.5281/zenodo.{record[1]}"
        if doi := _DOI.search(path):
            return "doi:" + doi[0].rstrip("/").lower()
    if host in {"youtube.com", "m.youtube.com", "youtu.be", "youtube-nocookie.com"}:
        in_path = host == "youtu.be" or path.startswith(("/embed/", "/shorts/", "/live/"))
        named = _YOUTUBE.match(path) if in_path else re.match(r"([\w-]+)", query.get("v", ""))
        if named and named[1] != "videoseries":
            return "youtube:" + named[1]
        if playlist := re.match(r"([\w-]+)", query.get("list", "")):
            return "youtube:list:" + playlist[1]
    if host == "docs.google.com" and (document := _DOCUMENT.match(path)):
        return "google:" + document[1]
    kept = urlencode(sorted((name, value) for name, value in parse_qsl(parts.query) if not _TRACKING.match(name)))
    return "url:" + host + re.sub(r"/(index\.html?)?$", "", path) + ("?" + kept if kept else "")


def landing_page(address: str) -> str:
    """The address under which a resource is best given: its DOI, its video page, else the address without its tracking."""
    scheme, _, value = key(address).partition(":")
    if scheme == "doi":
        return "https://doi.org/" + quote(value, safe="/:;()._-")
    if scheme == "youtube":
        kind, _, playlist = value.partition(":")
        return f"https://www.youtube.com/{'playlist?list=' + playlist if playlist else 'watch?v=' + kind}"
    parts = urlsplit(clean(address))
    if scheme == "google" and (document := _DOCUMENT.match(unquote(parts.path))):
        return "https://docs.google.com" + document[0]
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if not _TRACKING.match(name)])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def words(text: str) -> str:
    """The words and numbers of a text, one space between; ``+`` belongs to a word (1+MG)."""
    return " ".join(re.findall(r"[\w+]+", text.replace("_", " ")))


def title_key(title: str) -> str:
    """A title in one spelling: its words in lower case."""
    return words(title).lower()


class Known:
    """The resources that are known, by everything that identifies them."""

    def __init__(self) -> None:
        self._by_key: dict[str, str] = {}
        self._by_title: dict[str, str] = {}
        self.titles: list[tuple[str, str]] = []
        """The words of every known title, as they are written, with the resource."""

    def add(self, resource: str, titles: Iterable[str], addresses: Iterable[str]) -> None:
        """Make a resource known; what already identifies another keeps doing so.

        Args:
            resource: its IRI.
            titles: its title and alternatives.
            addresses: its landing page, its DOI as an address, and its other pages.
        """
        for title in titles:
            if (found := title_key(title)) and self._by_title.setdefault(found, resource) == resource:
                self.titles.append((words(title), resource))
        for address in addresses:
            if found := key(address):
                self._by_key.setdefault(found, resource)

    def by_address(self, address: str) -> str | None:
        """The resource that an address identifies."""
        return self._by_key.get(key(address)) if address else None

    def by_title(self, *titles: str) -> str | None:
        """The resource that the first of ``titles`` that is known names."""
        return next((found for title in titles if (found := self._by_title.get(title_key(title)))), None)
