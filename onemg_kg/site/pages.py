"""Pages of HTML from templates, with links that hold wherever the site stands."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jinja2

from onemg_kg.addresses import document, url
from onemg_kg.descriptions import Descriptions
from onemg_kg.formats import FORMATS
from onemg_kg.site.things import SHOWN
from onemg_kg.terms import BASE, shorten

_CAPITAL = re.compile(r"(?<=[a-z])[A-Z](?=[a-z])")

_KEPT = 2**16
"""Of so many IRIs it is kept where they lead."""

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
ASSETS = TEMPLATES.parent / "assets"


@dataclass(frozen=True)
class Page:
    """What a template knows of the page it makes.

    Attributes:
        path: its file, below the root of the site.
        title: for the window, a search engine and who shares it.
        description: in a sentence or two.
        iri: what the page describes; ``None`` where that has no IRI of ours.
        alternates: the same in formats for programs: media type and relative URL.
    """

    path: str
    title: str
    description: str
    iri: str | None
    alternates: list[tuple[str, str]]


@dataclass(frozen=True)
class Site:
    """What every template knows of the site.

    Attributes:
        title: its name.
        version: the version of the graph.
        commit: the commit of the Framework's site from which the graph was read; empty if it is not known.
        date: the day of that commit; empty if it is not known.
        editor: whether the query editor of the browser is in this build.
        endpoint: the SPARQL endpoint that it asks; empty where it works on the dump.
    """

    title: str
    version: str
    commit: str
    date: str
    editor: bool
    endpoint: str = ""


class Pages:
    """Makes pages.

    Args:
        site: what every template knows.
        descriptions: what has a document, and what things are called.
        elsewhere: pages about things whose IRI is not ours, by IRI.
        rules: what each rule of inference says, by name.
        overrides: folders of templates that come before ours, the first first.
    """

    def __init__(
        self,
        site: Site,
        descriptions: Descriptions,
        elsewhere: Mapping[str, str],
        rules: Mapping[str, str],
        overrides: list[Path],
    ) -> None:
        self._descriptions = descriptions
        self._elsewhere = elsewhere
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([*overrides, TEMPLATES]),
            autoescape=True,
            auto_reload=False,  # a template does not change while a site is made; to look each time costs a tenth of it
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.globals.update(
            site=site,
            label=descriptions.label,
            values=descriptions.values,
            shown=SHOWN,
            words=self._words,
            short=shorten,
            base=BASE,
            rules=rules,
        )
        self.place = lru_cache(_KEPT)(self._place)
        """The URL of the page about an IRI, relative to the root of the site; ``None`` where no page is."""

    def _words(self, iri: str) -> str:
        """What a property is called; one of another vocabulary by its local name, as words."""
        if self._descriptions.is_named(iri):
            return self._descriptions.label(iri)
        return _CAPITAL.sub(lambda found: f" {found[0].lower()}", shorten(iri).rpartition(":")[2])

    def _place(self, iri: str) -> str | None:
        if iri in self._elsewhere:
            return url(self._elsewhere[iri])
        if not iri.startswith(BASE):
            return None
        path, fragment = document(iri)
        return url(path + ".html") + (f"#{fragment}" if fragment else "") if path in self._descriptions else None

    def render(
        self,
        template: str,
        path: str,
        *,
        title: str,
        description: str,
        iri: str | None = None,
        root: str | None = None,
        **context: object,
    ) -> bytes:
        """Make one page.

        Args:
            template: the name of the template.
            path: where the page stands, below the root of the site.
            title: see :class:`Page`.
            description: see :class:`Page`.
            iri: see :class:`Page`; if given, the page's document has a file in each format.
            root: what leads to the root of the site; by default so many steps up, which hold wherever the site stands.
            context: what else the template asks for.

        Raises:
            jinja2.TemplateError: the template is wrong, or asks for what is not there.
        """
        root = "../" * path.count("/") if root is None else root
        stem = path.removesuffix(".html").rpartition("/")[2]
        alternates = [(form.media_type, url(stem + form.suffix)) for form in FORMATS.values()] if iri else []
        return (
            self._environment.get_template(template)
            .render(
                page=Page(path, title, " ".join(description.split()), iri, alternates),
                url=self._url(root),
                link=self._link(root),
                **context,
            )
            .encode()
        )

    @staticmethod
    def _url(root: str) -> Callable[[str], str]:
        def relative(path: str) -> str:
            name, hash_, fragment = path.partition("#")
            return root + url(name) + hash_ + fragment

        return relative

    def _link(self, root: str) -> Callable[[str], str]:
        def relative(iri: str) -> str:
            place = self.place(iri)
            return iri if place is None else root + place

        return relative
