"""Which representation of a document a client gets: content negotiation by media type (RFC 9110, section 12.5.1).

The same choice is made on other people's servers, by what ``hosting`` generates from the table and the patterns of this module.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from onemg_kg.formats import FORMATS


@dataclass(frozen=True)
class Representation:
    """One of the forms that a document is offered in.

    Attributes:
        name: what users call it.
        media_type: its media type as registered with IANA, in lower case and without parameters.
        suffix: the suffix of its files, with the dot.
        aliases: other media types by which clients ask for it, the better known first. They count where the client does not
            name the media type itself; what is sent is always the media type.
    """

    name: str
    media_type: str
    suffix: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def ranges(self) -> tuple[str, ...]:
        """The media ranges that match it, the one that counts first coming first."""
        return self.media_type, *self.aliases, self.media_type.partition("/")[0] + "/*", "*/*"


# Not application/xml for RDF/XML: who wants it names it, and a browser of old prefers any XML to HTML.
_ALIASES = {
    "html": ("application/xhtml+xml",),  # rdflib's and browsers' other word for a page
    "turtle": ("application/x-turtle", "application/turtle", "text/n3", "text/rdf+n3"),  # RDF4J, SPARQLWrapper, rdflib's "n3"
    "jsonld": ("application/json",),  # axios, fetch, and everybody's scripts; any +json is JSON (RFC 6839, section 3.1)
    "ntriples": ("text/plain",),  # rdflib's and RDF4J's word for it: its media type until RDF 1.1
}

REPRESENTATIONS: tuple[Representation, ...] = (
    Representation("html", "text/html", ".html", _ALIASES["html"]),
    *(Representation(f.name, f.media_type, f.suffix, _ALIASES.get(f.name, ())) for f in FORMATS.values()),
)
"""The forms of a document of ours, the one that we offer first coming first."""

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED = r'"(?:[^"\\]|\\.)*"'
ELEMENT = r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?$))+'
"""What stands between two commas of a list. A quote that is never closed takes in all that follows it."""

PARAMETER = rf"[ \t]*;(?:[ \t]*(?![qQ]=){TOKEN}=(?:{TOKEN}|{QUOTED}))?"
"""A parameter that is not the weight, or an empty one."""

WEIGHT = r"[ \t]*;[ \t]*[qQ]=(0?\.[0-9]{1,3}|0\.?|1(?:\.0{0,3})?)"
"""A weight; it may lack the zero before its point, as Java's own client writes it."""

MEMBER = rf"[ \t]*({TOKEN}/{TOKEN})((?:{PARAMETER})*)(?:{WEIGHT}((?:{PARAMETER})*))?[ \t]*"
"""A media range, its parameters, its weight if there is one, and parameters after that."""

_ELEMENT, _MEMBER = re.compile(ELEMENT), re.compile(MEMBER)


def weights(accept: str) -> dict[tuple[str, bool], int]:
    """What an ``Accept`` header says.

    Args:
        accept: its value, several lines of it joined by commas.

    Returns:
        The weight in thousandths of each media range, in lower case, with and without parameters. Of a range that is named
        twice the first counts; what is not well-formed does not.
    """
    said: dict[tuple[str, bool], int] = {}
    for element in _ELEMENT.findall(accept):
        if member := _MEMBER.fullmatch(element):
            media_range, before, weight, after = member.groups()
            said.setdefault((media_range.lower(), "=" in before + (after or "")), round(float(weight or 1) * 1000))
    return said


def choose(accept: str | None, offers: Sequence[Representation]) -> Representation | None:
    """The representation that a client wants most.

    A range with parameters, such as a profile or a character set, matches a representation too, unless the same range stands
    there without: most clients that say more than the media type can do with less than they say.

    Args:
        accept: the value of the ``Accept`` header; nothing where there was none. Without a well-formed range it counts as none.
        offers: what there is, the best first.

    Returns:
        Among the offers with the greatest weight the first; nothing where the client accepts none of them.
    """
    said = weights(accept or "")
    if not said:
        return next(iter(offers), None)
    best = max(offers, key=lambda offer: _weight(said, offer), default=None)
    return best if best is not None and _weight(said, best) else None


def _weight(said: dict[tuple[str, bool], int], offer: Representation) -> int:
    """The weight of the most specific range that matches."""
    keys = ((media_range, parameters) for media_range in offer.ranges for parameters in (False, True))
    return next((said[key] for key in keys if key in said), 0)
