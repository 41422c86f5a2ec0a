"""What the checks of a site need beyond what the graph holds of it: links in one spelling, irregularities, copies.

These facts are made for one audit and are no part of ``data/``.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox

from onemg_kg.sync import identity, irregularities
from onemg_kg.sync.facts import PageReading, SiteFacts, Subjects, Triples, menu_node, vocabulary
from onemg_kg.sync.irregularities import Irregularity
from onemg_kg.sync.theme import Page, Site, slugify, text_of
from onemg_kg.terms import BASE, term, text

_COPY = 0.9
"""A page of which this share of five-word runs stands on another page is nearly a copy of it."""
_COPY_RUNS = 40
"""A page with fewer runs is too short to be told from a form that pages share."""
_HREF = re.compile(r"""<a\b[^<>]*?\bhref=["']([^"'{}#][^"'{}]*)["']""")
_LAYOUT = re.compile(r"---\n(?:[^\n]*\n)*?layout:\s*([\w-]+)")
_MATTER = {"title", "description", "page_id"}
"""The keys of the front matter that checks are about."""
_FORMS = {"template", "demonstration"}
"""The types of pages that are written for editors."""
_PICTURE = re.compile(r"[\w./+ -]+\.(svg|png|jpe?g|gif|webp)")
_YAML_KEY = re.compile(r"^[\s-]*[\w-]+:\s")
_NEAR = 3
"""How many lines below an entry a note that it is in progress may stand."""
_NOTE_WORDS = 5
"""A line of more words than this is no mere note."""


def _literal(value: str) -> ox.Literal:
    return ox.Literal(value)


def _site_path(address: str, host: str) -> tuple[str, str] | None:
    """The path and fragment of an address of the site, as pages are compared by; ``None`` for another host."""
    try:
        parts = urlsplit(address)
        if parts.hostname != host:
            return None
    except ValueError:
        return None
    return unquote(parts.path).removesuffix("/index").removesuffix(".html").rstrip("/"), unquote(parts.fragment)


class _Inspector:
    """Collects the facts of one audit."""

    def __init__(self, site: Site, facts: SiteFacts, graph: Subjects) -> None:
        self.site, self.facts, self.graph = site, facts, graph
        self.host = urlsplit(site.address).hostname or ""
        self.out: Triples = []
        self.vocabulary = vocabulary(graph)
        self.read = [r for r in facts.readings if r.page.type not in _FORMS]

    def say(self, subject: ox.NamedNode, predicate: str, value: ox.NamedNode | ox.Literal) -> None:
        self.out.append(ox.Triple(subject, term(predicate), value))

    def links(self) -> None:
        """Addresses in one spelling: of entries, of resources, and of what is on the site itself."""
        links_to, address_of = term("onemg:linksTo"), term("onemg:address")
        for triples in (*self.facts.files.values(), *self.facts.stubs.values()):
            for triple in triples:
                if triple.predicate not in (links_to, address_of) or not isinstance(triple.subject, ox.NamedNode):
                    continue
                address = text(triple.object)
                if triple.predicate == links_to and (found := identity.key(address)):
                    self.say(triple.subject, "onemg:linkKey", _literal(found))
                if place := _site_path(address, self.host):
                    self.say(triple.subject, "onemg:sitePath", _literal(place[0]))
                    self.say(triple.subject, "onemg:siteFragment", _literal(place[1]))

    def resources(self, resources: Iterable[str]) -> None:
        """What identifies each resource."""
        for resource in resources:
            dois = [f"https://doi.org/{doi}" for doi in self.graph.all(resource, "bibo:doi")]
            # The record is what a DOI or the landing page says; other pages are copies of it.
            for address in dois or self.graph.all(resource, "dcat:landingPage"):
                self.say(ox.NamedNode(resource), "onemg:ownKey", _literal(identity.key(address)))

    def pages(self) -> None:
        """Anchors, and what is irregular in the text of each page."""
        classes = irregularities.label_classes((r.document for r in self.read), self.vocabulary)
        notices = {(n.source, n.line): n for n in self.facts.notices}
        services = self._services()
        for reading in self.facts.readings:
            for anchor in sorted(reading.document.anchors):
                self.say(reading.node, "onemg:anchor", _literal(anchor))
        for reading in self.read:
            page = reading.page
            found = irregularities.find(page, reading.text, reading.document, reading.reading, self.vocabulary, classes)
            if not text_of(page.matter.get("title")):
                found.append(Irregularity("no-title", 1, text_of(page.matter.get("layout"))))
            found += [Irregularity("not-understood", n.line, n.message) for n in notices.values() if n.source == page.source]
            found += self._missing_files(reading)
            found += [*self._statistics(reading, *services), *self._front_matter(page)]
            self._irregular(reading, found)
            self._in_progress(reading)
        for reading in self.facts.readings:
            if reading.page.type in _FORMS and reading.page.matter.get("sitemap") is not False:
                self._irregular(reading, [Irregularity("published-form", 1, reading.page.type)])

    def _irregular(self, place: PageReading | str, found: Iterable[Irregularity]) -> None:
        """Irregularities of a page, or of another file of the site."""
        where = place.node.value if isinstance(place, PageReading) else f"{BASE}id/file/{slugify(place)}"
        for number, item in enumerate(found, start=1):
            node = ox.NamedNode(f"{where}#irregularity-{number}")
            self.say(node, "onemg:irregularity", _literal(item.kind))
            if isinstance(place, PageReading):
                self.say(node, "onemg:onPage", place.node)
            else:
                self.say(node, "onemg:sourceFile", _literal(place))
            self.say(node, "onemg:sourceLine", ox.Literal(str(item.line), datatype=term("xsd:nonNegativeInteger")))
            self.say(node, "onemg:detail", _literal(item.detail))

    @staticmethod
    def _front_matter(page: Page) -> Iterable[Irregularity]:
        """The lines of the keys of the front matter that checks are about."""
        for number, line in enumerate(page.head, start=1):
            key = line.partition(":")[0]
            if key in _MATTER:
                yield Irregularity("front-matter", number, key)

    def _services(self) -> tuple[list[str], list[str]]:
        """The services of web statistics that are not set up, and those that are; none where a page names one that is."""
        used = sorted(name for name, there in self.site.statistics.items() if there)
        if any(name in words for name in used for reading in self.read for _, words in reading.reading.prose):
            return [], []
        return sorted(set(self.site.statistics) - set(used)) if used else [], used

    @staticmethod
    def _statistics(reading: PageReading, unused: list[str], used: list[str]) -> Iterable[Irregularity]:
        """Where a page speaks of a service of web statistics that is not set up, first."""
        for name in unused:
            line = next((line for line, words in reading.reading.prose if name in words), 0)
            if line:
                yield Irregularity("statistics-service", line, f"{name}, and _config.yml sets up {' and '.join(used)}")

    def layouts(self) -> None:
        """Links that stand in the site's own layouts, on each page that has the layout; a layout may have one itself."""
        for reading in self.facts.readings:
            name = text_of(reading.page.matter.get("layout"))
            addresses: list[str] = []
            seen: set[str] = set()
            while name not in seen and (layout := self.site.root / "_layouts" / f"{name}.html").is_file():
                seen.add(name)
                content = layout.read_text(encoding="utf-8", errors="replace")
                addresses += _HREF.findall(content)
                parent = _LAYOUT.match(content)
                name = parent[1] if parent else ""
            for number, address in enumerate(addresses, start=1):
                if place := _site_path(identity.resolve(address, self.site.address + reading.page.path), self.host):
                    node = ox.NamedNode(f"{reading.node.value}#layout-link-{number}")
                    self.say(node, "rdf:type", term("onemg:PageLink"))
                    self.say(node, "onemg:onPage", reading.node)
                    self.say(node, "onemg:linkElement", _literal("layout"))
                    self.say(node, "onemg:sitePath", _literal(place[0]))

    def menus(self) -> None:
        """The pictures of menu entries."""
        for entry in self.site.menu:
            if entry.picture and (address := identity.resolve(entry.picture, self.site.address + "/")):
                self.say(menu_node(entry.menu, entry.place), "foaf:depiction", ox.NamedNode(address))

    def _missing_pictures(self, lines: list[str]) -> Iterable[Irregularity]:
        """Pictures that a file of the theme's data names and the checkout does not hold."""
        for number, line in enumerate(lines, start=1):
            path = _YAML_KEY.sub("", line).strip(" \"'").lstrip("/")
            if _PICTURE.fullmatch(path) and self._is_missing(path):
                yield Irregularity("missing-file", number, "/" + path)

    def _is_missing(self, path: str) -> bool:
        """Whether the checkout does not hold a file, though it holds its folder: one without all pictures is not asked."""
        return (self.site.root / path.split("/")[0]).is_dir() and not (self.site.root / path).is_file()

    def data(self) -> None:
        """What is irregular in the files that are no pages: the configuration, and the data of the theme."""
        root = self.site.root
        self._irregular(
            "_config.yml",
            [Irregularity("config-path-missing", line, path) for path, line in self.site.scopes if not (root / path).exists()],
        )
        for file in sorted(path for path in (root / "_data").rglob("*") if path.suffix in {".yml", ".yaml"}):
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            values = [(number, _YAML_KEY.sub("", line).strip(" \"'")) for number, line in enumerate(lines, start=1)]
            found = [
                Irregularity("placeholder-text", n, value[:120]) for n, value in values if irregularities.is_placeholder(value)
            ]
            self._irregular(file.relative_to(root).as_posix(), [*found, *self._missing_pictures(lines)])

    def _missing_files(self, reading: PageReading) -> Iterable[Irregularity]:
        """Pictures and files of the site that the checkout does not hold. A checkout without them all is not asked."""
        for link in reading.reading.links:
            address = identity.resolve(link.target, self.site.address + reading.page.path) if link.target else ""
            place = _site_path(address, self.host)
            # An address of mail without its scheme is no file.
            if place is None or not PurePosixPath(place[0]).suffix or place[0].endswith(".html") or "@" in link.target:
                continue
            if self._is_missing(place[0].strip("/")):
                yield Irregularity("missing-file", link.line, place[0])

    def _in_progress(self, reading: PageReading) -> None:
        """Entries and mentions of which the page says, beside or just below them, that they are not there yet."""
        prose = reading.reading.prose
        listed = self.facts.files.get(f"listings/{reading.page.slug}.ttl", [])
        occurrences = Subjects(ox.Quad(triple.subject, triple.predicate, triple.object) for triple in listed)
        listings, mentions = occurrences.of_class("onemg:Listing"), occurrences.of_class("onemg:Mention")
        lines = {occurrence: int(occurrences.one(occurrence, "onemg:sourceLine")) for occurrence in (*listings, *mentions)}
        headings = {heading.line for heading in reading.reading.headings}
        entry_lines = {lines[listing] for listing in listings}
        for occurrence, line in lines.items():
            beside = occurrences.all(occurrence, "onemg:linkText", "onemg:entryNote")
            if occurrence in mentions:
                beside += [words for number, words in prose if number == line]
            else:
                below = set(range(line + 1, line + _NEAR + 1)) - entry_lines
                beside += [words for number, words in prose if number in below and len(words.split()) <= _NOTE_WORDS]
                # What a heading presents, its first sentence is about.
                beside += [words.split(". ")[0] for number, words in prose if number in below][:1] if line in headings else []
            if said := next(filter(None, map(irregularities.progress, beside)), ""):
                self.say(ox.NamedNode(occurrence), "onemg:saidToBe", _literal(said))

    def copies(self) -> None:
        """Pages of which much stands on another page, the smaller of the two first."""
        runs = [(reading, irregularities.shingles(reading.document, reading.reading)) for reading in self.facts.readings]
        for reading, own in runs:
            if len(own) < _COPY_RUNS or reading.page.type in _FORMS:
                continue
            shares = [(len(own & other) / len(own), twin) for twin, other in runs if twin is not reading and other]
            share, twin = max(shares, key=lambda item: (item[0], item[1].page.source), default=(0.0, None))
            if twin is not None and share >= _COPY:
                node = ox.NamedNode(f"{reading.node.value}#copy")
                self.say(node, "onemg:copyOf", twin.node)
                self.say(node, "onemg:onPage", reading.node)
                self.say(node, "onemg:detail", _literal(f"{share:.0%}"))


def inspect(site: Site, facts: SiteFacts, graph: Subjects, resources: Iterable[str]) -> Triples:
    """Everything that the checks of a site need beyond its facts.

    Args:
        site: the site.
        facts: what it says.
        graph: what the project states, and the stubs.
        resources: the IRIs of all resources.
    """
    inspector = _Inspector(site, facts, graph)
    inspector.links()
    inspector.resources(resources)
    inspector.pages()
    inspector.layouts()
    inspector.menus()
    inspector.data()
    inspector.copies()
    return inspector.out
