"""What a site says, as triples, file by file; and what the graph already says that reading a site needs."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pyoxigraph as ox

from onemg_kg.sync import entries, identity, liquid, markup
from onemg_kg.sync.entries import Entry, Reading, Vocabulary
from onemg_kg.sync.theme import MenuEntry, Notice, Page, Site, slugify, text_of
from onemg_kg.terms import BASE, expand, term

Triples = list[ox.Triple]
_MENTION_WORDS = 3
"""A known title of fewer words is too common to be looked for within sentences."""
_SLUG_LENGTH = 60
_FRAGMENT = "!$&'()*+,;=:@/?"
"""What may stand in a fragment unquoted, besides letters, digits and ``-._~`` (RFC 3986, section 3.5)."""


def _text(value: str) -> ox.Literal:
    return ox.Literal(value)


def _english(value: str) -> ox.Literal:
    return ox.Literal(value, language="en")


def _number(value: int) -> ox.Literal:
    return ox.Literal(str(value), datatype=term("xsd:nonNegativeInteger"))


def _address(value: str) -> ox.NamedNode | None:
    """An address as an IRI, where it is one."""
    try:
        return ox.NamedNode(value) if urlsplit(value).scheme else None
    except ValueError:
        return None


class _About:
    """Collects what is said of one subject; what is empty is not said."""

    def __init__(self, out: Triples, subject: ox.NamedNode) -> None:
        self.out, self.subject = out, subject

    def __call__(self, predicate: str, value: ox.NamedNode | ox.Literal | None) -> None:
        if value is not None and value.value:
            self.out.append(ox.Triple(self.subject, term(predicate), value))


class Subjects:
    """Quads by subject and predicate, for reading single values."""

    def __init__(self, quads: Iterable[ox.Quad]) -> None:
        self._values: dict[str, dict[str, list[ox.NamedNode | ox.BlankNode | ox.Literal]]] = defaultdict(dict)
        self._classes: dict[str, list[str]] = defaultdict(list)
        type_ = expand("rdf:type")
        for quad in quads:
            if isinstance(quad.subject, ox.NamedNode) and not isinstance(quad.object, ox.Triple):
                subject, predicate = quad.subject.value, quad.predicate.value
                self._values[subject].setdefault(predicate, []).append(quad.object)
                if predicate == type_ and isinstance(quad.object, ox.NamedNode):
                    self._classes[quad.object.value].append(subject)

    def of_class(self, name: str) -> list[str]:
        """The subjects of a class, sorted."""
        return sorted(set(self._classes.get(expand(name), ())))

    def all(self, subject: str, *names: str) -> list[str]:
        """The values of some properties of a subject, as strings, sorted within each property."""
        values = self._values.get(subject, {})
        return [value for name in names for value in sorted(str(value.value) for value in values.get(expand(name), ()))]

    def about(self, subject: str) -> set[tuple[str, str]]:
        """Everything said of a subject, as properties and their values."""
        values = self._values.get(subject, {})
        return {(predicate, str(value.value)) for predicate in values for value in values[predicate]}

    def one(self, subject: str, name: str) -> str:
        """The first value of a property, or the empty string."""
        return next(iter(self.all(subject, name)), "")

    def __contains__(self, subject: str) -> bool:
        return subject in self._values


def vocabulary(graph: Subjects) -> Vocabulary:
    """The labels that a page may use, from the schemes."""
    levels = {
        label.lower(): level
        for level in graph.of_class("onemg:RequirementLevel")
        for label in graph.all(level, "skos:prefLabel", "skos:altLabel")
    }
    use_cases = {
        label.lower(): use_case
        for use_case in graph.of_class("onemg:UseCase")
        for label in graph.all(use_case, "skos:prefLabel", "skos:altLabel")
    }
    countries = {graph.one(country, "skos:notation").upper(): country for country in graph.of_class("dcterms:Location")}
    tags = {
        label.lower()
        for category in graph.of_class("onemg:NationalCategory")
        for label in graph.all(category, "skos:prefLabel", "skos:altLabel")
    }
    return Vocabulary(levels, use_cases, countries, frozenset(tags))


_RESOURCE = BASE + "id/resource/"


def known_resources(graph: Subjects, subjects: Iterable[str]) -> identity.Known:
    """An index of the resources among ``subjects`` by what identifies them."""
    known = identity.Known()
    resources = [subject for subject in subjects if subject.startswith(_RESOURCE)]
    # Titles first, so that no resource's alternative takes the title of another.
    for resource in resources:
        dois = ("https://doi.org/" + doi for doi in graph.all(resource, "bibo:doi"))
        known.add(resource, graph.all(resource, "dcterms:title"), [*dois, *graph.all(resource, "dcat:landingPage")])
    for resource in resources:
        known.add(resource, graph.all(resource, "dcterms:alternative"), graph.all(resource, "foaf:page"))
    return known


@dataclass(frozen=True)
class PageReading:
    """A page as it was read: for the checks of the site, which look at more than the graph holds.

    Attributes:
        page: the page.
        node: its IRI.
        text: its text without Liquid.
        document: the text, read.
        reading: what it says.
    """

    page: Page
    node: ox.NamedNode
    text: str
    document: markup.Document
    reading: Reading


@dataclass
class SiteFacts:
    """A site as triples.

    Attributes:
        files: what each file below ``data/`` states, by its path there.
        stubs: the files of the resources that were not known, likewise.
        notices: what could not be understood.
        readings: every page as it was read.
    """

    files: dict[str, Triples] = field(default_factory=dict)
    stubs: dict[str, Triples] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    readings: list[PageReading] = field(default_factory=list)


class _Writer:
    """Collects the facts of one site."""

    def __init__(self, site: Site, graph: Subjects, resources: Iterable[str]) -> None:
        resources = sorted(resources)
        self.site = site
        self.graph = graph
        self.vocabulary = vocabulary(graph)
        self.known = known_resources(graph, resources)
        self.taken = set(resources)
        self.facts = SiteFacts(notices=list(site.notices))
        self.pages = {self._place(site.address + page.path): page for page in reversed(site.pages)}

    @staticmethod
    def _place(address: str) -> str:
        """An address without fragment, query and slash at the end: what a page of the site is found by."""
        parts = urlsplit(identity.clean(address))
        return f"{parts.hostname}{parts.path.removesuffix('/index').rstrip('/')}"

    def page_address(self, page: Page) -> str:
        return identity.clean(self.site.address + page.path)

    def page_node(self, page: Page) -> ox.NamedNode:
        return term(f"id/page/{page.slug}")

    # Resources

    def _stub(self, entry: Entry, address: str) -> str:
        """A new resource, from what its first entry says of it."""
        title = entry.names[0] if entry.names else address
        slug = slugify(title)[:_SLUG_LENGTH].rstrip("-") or slugify(urlsplit(address).path) or "resource"
        number = 1
        while (resource := _RESOURCE + slug + (f"-{number}" if number > 1 else "")) in self.taken:
            number += 1
        self.taken.add(resource)
        node = ox.NamedNode(resource)
        triples = [
            ox.Triple(node, term("rdf:type"), term("onemg:FrameworkResource")),
            ox.Triple(node, term("dcterms:title"), _english(title)),
        ]
        if address and (landing := _address(identity.landing_page(address))):
            triples.append(ox.Triple(node, term("dcat:landingPage"), landing))
            scheme, _, value = identity.key(address).partition(":")
            if scheme == "doi":
                triples.append(ox.Triple(node, term("bibo:doi"), _text(value)))
        self.facts.stubs[f"resources/{resource.removeprefix(_RESOURCE)}.ttl"] = triples
        self.known.add(resource, [title], [address] if address else [])
        return resource

    def _recognise(self, entry: Entry, page: Page) -> str | None:
        """The resource of an entry: its whole name first where that is known, then its link, then a part of its name.

        A picture or a frame has no name of its own, so its link comes first.
        """
        target = entry.link.target if entry.link is not None and entry.link.target != "#" else ""
        address = identity.resolve(target, self.page_address(page)) if target else ""
        linked = self.known.by_address(address)
        nameless = entry.link is not None and (entry.link.pictured or entry.link.element == "iframe")
        named = self.known.by_title(*entry.names[:1]) if entry.listing and not (nameless and linked) else None
        if linked and named and linked != named:
            message = f"{entry.names[0]!r} links to the record of another resource: {address}"
            self.facts.notices.append(Notice(page.source, entry.line, message))
        resource = named or linked or self.known.by_title(*entry.names)
        if resource is None and entry.listing and not entry.known_only:
            resource = self._stub(entry, address)
        return resource

    # Pages

    def page(self, page: Page) -> None:
        """The facts of one page: the page itself, its headings and links, and what it lists and mentions."""
        rendered = liquid.render(page, self.site)
        self.facts.notices.extend(rendered.notices)
        document = markup.parse(rendered.text, page.offset)
        reading = entries.read(page, document, self.page_address(page), self.vocabulary)
        reading.generated = rendered.included
        self.facts.notices.extend(reading.notices)
        node = self.page_node(page)
        self.facts.readings.append(PageReading(page, node, rendered.text, document, reading))
        out: Triples = []
        say = _About(out, node)
        code = text_of(page.matter.get("country_code")).upper()
        country = self.vocabulary.countries.get(code)
        say("rdf:type", term("onemg:FrameworkPage"))
        title = text_of(page.matter.get("title")) or next((h.text for h in reading.headings if h.text), page.path)
        say("dcterms:title", _english(title))
        say("dcterms:description", _english(text_of(page.matter.get("description"))))
        say("onemg:address", _address(self.page_address(page)))
        say("onemg:sourceFile", _text(page.source))
        say("onemg:pageType", term(f"voc/page-type/{page.type}"))
        say("onemg:pageIdentifier", _text(text_of(page.matter.get("page_id")) if "page_id" in page.own else ""))
        say("onemg:sidebar", _text(text_of(page.matter.get("sidebar"))))
        say("onemg:tileType", _text(text_of(page.matter.get("type"))))
        say("dcterms:spatial", ox.NamedNode(country) if country else None)
        for tile in rendered.tiles:
            say("onemg:showsTiles", _text(tile))
        if page.type not in {"template", "demonstration"}:
            if reading.draft:
                say("onemg:pageState", term("voc/page-state/draft-banner"))
            out.extend(self._parts(page, node, reading))
            listing = self._occurrences(page, node, reading)
            if reading.is_stub(listing=listing):
                say("onemg:pageState", term("voc/page-state/stub"))
        self.facts.files[f"pages/{page.slug}.ttl"] = out

    def _heading_node(self, node: ox.NamedNode, reading: Reading, heading: entries.Heading) -> ox.NamedNode:
        """A heading's IRI: its anchor, or its number where it has none or shares it."""
        alike = [other for other in reading.headings if other.anchor == heading.anchor]
        number = reading.headings.index(heading) + 1
        unique = heading.anchor and (len(alike) == 1 or alike[0] is heading)
        return ox.NamedNode(f"{node.value}#{quote(heading.anchor, safe=_FRAGMENT) if unique else f'heading-{number}'}")

    def _parts(self, page: Page, node: ox.NamedNode, reading: Reading) -> Triples:
        out: Triples = []
        for number, heading in enumerate(reading.headings, start=1):
            say = _About(out, self._heading_node(node, reading, heading))
            say("rdf:type", term("onemg:PageHeading"))
            say("onemg:onPage", node)
            say("dcterms:title", _english(heading.text))
            say("onemg:headingLevel", _number(heading.level))
            say("onemg:sourceLine", _number(heading.line))
            say("onemg:order", _number(number))
            say("onemg:anchor", _text(heading.anchor))
        for number, link in enumerate(reading.links, start=1):
            say = _About(out, ox.NamedNode(f"{node.value}#link-{number}"))
            say("rdf:type", term("onemg:PageLink"))
            say("onemg:onPage", node)
            say("onemg:sourceLine", _number(link.line))
            say("onemg:order", _number(number))
            say("onemg:linkElement", _text(link.element))
            say("onemg:linkText", _text(link.text))
            say("onemg:linksTo", _address(identity.resolve(link.target, self.page_address(page)) if link.target else ""))
            # Said even where it is empty: a link that leads nowhere is something to know.
            out.append(ox.Triple(say.subject, term("onemg:linkTarget"), _text(link.target)))
        return out

    # Listings and mentions

    def _occurrences(self, page: Page, node: ox.NamedNode, reading: Reading) -> bool:
        """The facts of what a page names; whether it lists anything."""
        found: list[tuple[Entry, str]] = []
        for entry in reading.entries:
            resource = self._recognise(entry, page)
            twin = any(r == resource and e.line == entry.line and not entry.link for e, r in found)
            if resource is not None and not twin:
                found.append((entry, resource))
        itself = self.known.by_address(self.page_address(page))
        found.extend(self._named_in_prose(reading, {resource for _, resource in found} | {itself or ""}))
        out: Triples = []
        seen: Counter[tuple[bool, str]] = Counter()
        for order, (entry, resource) in enumerate(sorted(found, key=lambda item: item[0].line), start=1):
            seen[entry.listing, resource] += 1
            number = seen[entry.listing, resource]
            slug = f"{page.slug}--{resource.removeprefix(_RESOURCE)}" + (f"-{number}" if number > 1 else "")
            out.extend(self._occurrence(page, node, reading, entry, resource, slug, order))
        if out:
            self.facts.files[f"listings/{page.slug}.ttl"] = out
        return any(entry.listing for entry, _ in found)

    def _named_in_prose(self, reading: Reading, found: set[str]) -> list[tuple[Entry, str]]:
        """Known titles of several words within sentences, the first time each stands on the page."""
        mentions: list[tuple[Entry, str]] = []
        titles = [(t, r) for t, r in self.known.titles if len(t.split()) >= _MENTION_WORDS and r not in found]
        for line, text in reading.prose:
            words = f" {identity.words(text)} "
            for title, resource in titles:
                if f" {title} " in words and resource not in found:
                    found.add(resource)
                    above = [heading for heading in reading.headings if heading.line < line]
                    entry = Entry(False, (title,), None, line, (), above[-1] if above else None)
                    mentions.append((entry, resource))
        return mentions

    def _occurrence(
        self,
        page: Page,
        page_node: ox.NamedNode,
        reading: Reading,
        entry: Entry,
        resource: str,
        slug: str,
        order: int,
    ) -> Triples:
        kind = "listing" if entry.listing else "mention"
        node = term(f"id/{kind}/{slug}")
        out: Triples = []
        say = _About(out, node)
        say("rdf:type", term("onemg:Listing" if entry.listing else "onemg:Mention"))
        say("onemg:lists" if entry.listing else "onemg:mentions", ox.NamedNode(resource))
        say("onemg:onPage", page_node)
        say("onemg:sourceLine", _number(entry.line))
        say("onemg:order", _number(order))
        say("onemg:headingPath", _text(" > ".join(entry.path)))
        if entry.heading is not None:
            say("onemg:underHeading", self._heading_node(page_node, reading, entry.heading))
        if entry.link is not None:
            say("onemg:linkText", _text(entry.link.text))
            say("onemg:linkTarget", _text(entry.link.target))
            say("onemg:linksTo", _address(identity.resolve(entry.link.target, self.page_address(page))))
        elif entry.listing:
            say("onemg:linkText", _text(entry.names[0]))
        say("onemg:entryNote", _text(entry.note))
        for code in entry.countries:
            if code in self.vocabulary.countries:
                say("dcterms:spatial", ox.NamedNode(self.vocabulary.countries[code]))
        if entry.badge is not None and entry.listing:
            level = self.vocabulary.levels[entry.badge.text.lower()]
            statement = term(f"id/requirement/{slug}")
            say("onemg:badge", _text(entry.badge.text))
            say("onemg:badgeLine", _number(entry.badge.line))
            state = _About(out, statement)
            state("rdf:type", term("onemg:RequirementStatement"))
            state("onemg:statesRequirementFor", ox.NamedNode(resource))
            state("onemg:level", ox.NamedNode(level))
            state("spec:requirementSubject", term("voc/conformance-subject/node"))
            state("cccev:isDerivedFrom", term("id/framework"))
            state("prov:wasDerivedFrom", node)
            if entry.limit is not None:
                use_case, line = entry.limit
                say("onemg:limitedToUseCase", ox.NamedNode(use_case))
                say("onemg:limitLine", _number(line))
                state("onemg:inUseCase", ox.NamedNode(use_case))
        return out

    # Menus

    def menu(self, entries_of_menu: list[MenuEntry]) -> None:
        """The facts of the navigation, one file a menu."""
        out: dict[str, Triples] = defaultdict(list)
        for number, entry in enumerate(entries_of_menu, start=1):
            node = menu_node(entry.menu, entry.place)
            say = _About(out[f"navigation/{slugify(entry.menu)}.ttl"], node)
            say("rdf:type", term("onemg:NavigationEntry"))
            say("onemg:menu", _text(entry.menu))
            say("onemg:sourceFile", _text(entry.source))
            say("onemg:sourceLine", _number(entry.line))
            say("onemg:order", _number(number))
            say("dcterms:title", _english(entry.title))
            say("dcterms:description", _english(entry.description))
            say("onemg:linkTarget", _text(entry.url))
            if entry.url:
                address = identity.resolve(entry.url, self.site.address + "/")
                page = self.pages.get(self._place(address))
                say("onemg:linksTo", _address(address))
                say("onemg:target", self.page_node(page) if page else None)
            if len(entry.place) > 1:
                say("onemg:parentEntry", menu_node(entry.menu, entry.place[:-1]))
        self.facts.files.update(out)


def menu_node(menu: str, place: tuple[int, ...]) -> ox.NamedNode:
    """The IRI of an entry of a menu."""
    return term(f"id/navigation/{slugify(menu)}-" + "-".join(map(str, place)))


def of_site(site: Site, graph: Subjects, resources: Iterable[str]) -> SiteFacts:
    """Everything that a site says, as triples.

    Args:
        site: the site, read.
        graph: what the project states: its schemes and resources.
        resources: the IRIs of the known resources.
    """
    writer = _Writer(site, graph, resources)
    for page in site.pages:
        writer.page(page)
    writer.menu(site.menu)
    return writer.facts
