"""The navigation views and the questions: rows on the real graph, and what is written for whatever the data hold."""

import json
import random
from itertools import count
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from liquid import Environment
from markdown_it import MarkdownIt

from onemg_kg import graph, queries, views
from onemg_kg.errors import QueryError
from onemg_kg.project import Project
from onemg_kg.store import Store
from onemg_kg.terms import BASE

PROJECT = Project(Path(__file__).parents[1], "0.0.0")
RULES = queries.folder(PROJECT, "rules")
VIEWS = {query.name: query for query in queries.folder(PROJECT, "views")}
QUESTIONS = {query.name: query for query in queries.folder(PROJECT, "questions")}


@pytest.fixture(scope="module")
def loaded() -> graph.Graph:
    return graph.load(PROJECT)


@pytest.fixture(scope="module")
def store(loaded: graph.Graph) -> Store:
    return loaded.store


def groups(store: Store, name: str) -> dict[str, views.Group]:
    """The groups of a view by their label."""
    return {group.label: group for group in views.run(VIEWS[name], store, RULES).groups}


def parts(group: views.Group) -> dict[str, list[str]]:
    """The titles of the resources of each part of a group."""
    return {part.label: [entry.title for entry in part.entries] for part in group.parts}


def entry(group: views.Group, title: str) -> views.Entry:
    (found,) = [entry for entry in group.entries if entry.title == title]
    return found


def places(entry: views.Entry) -> list[tuple[str, int, str | None]]:
    """The page, line and label with limit of each place of an entry."""
    return [
        (
            place.page.rpartition("/")[2],
            place.line,
            place.label and " ".join(filter(None, (place.label.level, place.label.limit))),
        )
        for place in entry.places
    ]


def answers(store: Store, name: str, **parameters: str) -> list[dict[str, str | None]]:
    """The rows of a question as text."""
    query = QUESTIONS[name]
    text = query.bind({key: query.term(key, value) for key, value in parameters.items()})
    return [
        {key: None if term is None else str(term.value) for key, term in record.items()}
        for record in store.select(text, name).records()
    ]


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_view_is_filled(name: str, store: Store) -> None:
    """Every view has groups, and something in them."""
    assert any(group.entries or group.parts for group in views.run(VIEWS[name], store, RULES).groups)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_view_traces_each_entry(name: str, store: Store) -> None:
    """An entry is stated, or names the rules from which it follows; an entry with a label says where that stands."""

    def check(group: views.Group) -> None:
        for found in group.entries:
            assert found.basis == "stated" or found.because
            assert {place.label for place in found.places if place.label} == set(found.labels)
        for part in group.parts:
            check(part)

    for group in views.run(VIEWS[name], store, RULES).groups:
        check(group)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_view_answers_for_one_group(name: str, store: Store) -> None:
    """A parameter narrows a view to one group, and changes nothing in it."""
    query = VIEWS[name]
    (parameter,) = query.parameters
    whole = store.select(query.text)
    column = whole.variables.index("subgroup" if name == "by-section" else "group")
    values = {row[column] for row in whole.rows if row[column] is not None}
    always = {value for value in values if "conformance-subject" in str(value)}  # a checklist starts with these
    for value in values - always:
        assert isinstance(value, ox.NamedNode)
        rows = store.select(query.bind({parameter: query.term(parameter, value.value)})).rows
        assert rows == [row for row in whole.rows if row[column] in {value, *always}]


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_view_answers_in_pages(name: str, store: Store) -> None:
    """A page has so many resources, in the order of their titles, with all rows of each; the pages are the whole answer."""
    query, size = VIEWS[name], 20
    (parameter,) = query.parameters
    variables = store.select(query.text).variables
    group, resource, title = map(variables.index, ("subgroup" if name == "by-section" else "group", "resource", "title"))
    values = {row[group] for row in store.select(query.text).rows if "conformance-subject" not in str(row[group])}
    for value in values - {None}:
        assert isinstance(value, ox.NamedNode)
        bound = {parameter: query.term(parameter, value.value)}
        whole = [row for row in store.select(query.bind(bound)).rows if row[resource] is not None]
        rest = {row[resource]: (str(getattr(row[title], "value", "")).lower(), str(row[resource])) for row in whole}
        for number in count(1):
            rows = store.select(query.bind(bound, queries.Page(number, size))).rows
            wanted = {one for _, one in sorted((key, one) for one, key in rest.items())[:size]}
            assert rows == [row for row in whole if row[resource] in wanted]
            if not rows:
                break
            rest = {one: key for one, key in rest.items() if one not in wanted}
        assert not rest


def test_all_concepts_have_a_group(store: Store) -> None:
    """A group without resources is shown too: a view does not hide what the Framework leaves open."""
    assert len(groups(store, "by-role")) == 5
    assert len(groups(store, "by-use-case")) == 5
    assert len(groups(store, "by-functionality")) == 5
    assert len(groups(store, "by-data-life-cycle")) == 6
    assert len(groups(store, "by-national-category")) == 5
    assert len(groups(store, "by-country")) == 27
    assert len(groups(store, "by-project")) == 5
    assert not groups(store, "by-country")["Malta"].entries
    assert not groups(store, "by-national-category")["Data quality and inclusion"].entries


def test_label_with_and_without_limit(store: Store) -> None:
    """Phenopackets is Required for rare disease only on one page and without limit on another."""
    required = groups(store, "by-level")["Required"]
    assert places(entry(required, "Phenopackets")) == [
        ("data-models-ontologies", 41, "Required Rare disease"),
        ("storage-and-interfaces", 11, "Required"),
    ]


def test_labels_are_those_of_the_pages(store: Store) -> None:
    """As many places give a label as the pages show: 28 Required, 23 Recommended, 13 Informational."""
    found = groups(store, "by-level")
    counts = {label: sum(len(entry.places) for entry in group.entries) for label, group in found.items()}
    assert counts == {"Required": 28, "Recommended": 23, "Informational": 13}
    assert all(entry.basis == "stated" for group in found.values() for entry in group.entries)


def test_resources_with_labels_of_their_own_in_one_heading(store: Store) -> None:
    """Three file formats share a heading, and each has its own label."""
    part = {part.label: part for part in groups(store, "by-section")["Technical infrastructure"].parts}
    storage = {entry.title: entry for entry in part["Storage and interfaces"].entries}
    labels = {title: storage[title].labels for title in ("VCF", "SAM/BAM", "CRAM")}
    assert labels == {
        "VCF": [views.Label("Required", None)],
        "SAM/BAM": [views.Label("Recommended", None)],
        "CRAM": [views.Label("Required", None)],
    }


def test_section_of_a_heading(store: Store) -> None:
    """Parts of the healthcare section hold what stands below their headings, and the section what does not."""
    section = groups(store, "by-section")["Healthcare integration and sustainability"]
    assert "Genomics in Healthcare Maturity Level Model" in parts(section)["Maturity Level Model"]
    assert "1+MG HEOR Summary Brief" in parts(section)["Health economic outcomes research"]
    assert [entry.title for entry in section.entries if "Key issues" in entry.title] == [
        "Genomics in Healthcare: Key issues for implementation"
    ]


def test_lifecycle_stages_follow_the_table(store: Store) -> None:
    """Each stage holds the sections that the Framework's table sets beside it, in the order of the lifecycle."""
    found = {label: sorted(parts(group)) for label, group in groups(store, "by-lifecycle-stage").items()}
    elsi = "Legal, ethics and governance"
    assert list(found.items()) == [
        ("Collection", ["Data quality and inclusion", elsi]),
        ("Standardisation", ["Data models, standards and ontologies", "Data reception", elsi]),
        ("Publication", [elsi, "Storage and interfaces"]),
        ("Discovery", ["Data discovery", elsi]),
        ("Permit application", ["Access management", elsi]),
        ("Use", ["Data processing", elsi]),
        ("Project finalisation", [elsi]),
    ]


def test_ehds_journey_leaves_the_false_friend_empty(store: Store) -> None:
    """What the EHDS calls data preparation comes after the permit, and no TEHDAS stage matches it."""
    found = groups(store, "by-ehds-journey")
    filled = {label: bool(group.entries) for label, group in found.items()}
    assert list(filled.items()) == [
        ("Data discovery", True),
        ("Data access", True),
        ("Data preparation", False),
        ("Use of data", True),
        ("Finalisation", True),
    ]
    assert entry(found["Data discovery"], "Beacon").because == ["stage-in-ehds-journey"]


def test_data_life_cycle_has_what_its_pages_list(store: Store) -> None:
    """Of the six pages of the Framework's own data life cycle only the one on access lists something."""
    found = groups(store, "by-data-life-cycle")
    assert [label for label, group in found.items() if group.entries] == ["Access"]
    assert [place[:2] for place in places(entry(found["Access"], "eduGAIN"))] == [("access", 42)]


def test_roles_say_what_the_framework_states_and_what_follows(store: Store) -> None:
    """Every role has resources, by the sections that concern it; what its page lists is told from what follows."""
    found = groups(store, "by-role")
    member = found["Data access committee member"]
    listed = entry(member, "Data governance for research use")
    assert (listed.because, places(listed)) == (
        ["listed-on-role-page"],
        [("data-access-committee-member", 25, None)],
    )
    assert set(parts(member)) == {"Access management", "Legal, ethics and governance"}
    assert set(parts(found["DevOps - infrastructure"])) == {
        *("Access management", "Data discovery", "Data processing", "Data reception", "Storage and interfaces"),
    }
    assert "Maturity Level Model" in parts(found["Healthcare"])
    assert "National implementation" in parts(found["Product owner - infrastructure"])
    assert "Data discovery" in parts(found["Researcher"])


def test_use_case_lists_and_labels(store: Store) -> None:
    """A use case has what its page lists, and what a label elsewhere is limited to."""
    rare = groups(store, "by-use-case")["Rare disease"]
    assert entry(rare, "Phenopackets").because == ["labelled-for-use-case", "listed-on-use-case-page"]
    assert entry(rare, "Htsget").because == ["listed-on-use-case-page"]


def test_functionality_of_the_section(store: Store) -> None:
    """What the page of a technical section lists serves its functionality."""
    found = groups(store, "by-functionality")
    assert entry(found["Data discovery"], "Beacon").because == ["section-supports-functionality"]
    assert entry(found["Data access management"], "Passports").labels == [views.Label("Required", None)]


def test_country_and_category(store: Store) -> None:
    """A national implementation stands under its country and category, whichever of the two pages lists it."""
    countries = groups(store, "by-country")
    assert parts(countries["Luxembourg"]) == {"Technical implementation": ["Luxembourgish Starter Kit Implementation Notes"]}
    assert "GHGA Lecture Series" in parts(countries["Germany"])["Training materials"]
    assert parts(groups(store, "by-national-category")["ELSI documents"])["Netherlands"] == ["HealthRI ELSI Servicedesk"]


def test_checklist_is_general_first(store: Store) -> None:
    """A node's checklist starts with what is Required of all, then adds what one use case requires."""
    found = groups(store, "node-checklist")
    assert [label for label, group in found.items() if group.entries] == [
        "Node, in general",
        "Cancer",
        "Rare disease",
    ]
    assert next(iter(found)) == "Node, in general"
    assert places(entry(found["Node, in general"], "Phenopackets")) == [("storage-and-interfaces", 11, "Required")]
    assert places(entry(found["Rare disease"], "Phenopackets")) == [("data-models-ontologies", 41, "Required Rare disease")]


def test_projects_and_kinds_are_stated(store: Store) -> None:
    """Who produced a resource and what it is are stated in its file."""
    projects = groups(store, "by-project")
    (b1mg,) = [group for group in projects.values() if group.group == BASE + "id/project/b1mg"]
    assert entry(b1mg, "B1MG Secure Access Demonstrator").basis == "stated"
    kinds = groups(store, "by-kind")
    assert entry(kinds["Policy"], "Policy for incidental findings").basis == "stated"


def test_questions_of_a_node(store: Store) -> None:
    """What is required: in general, for a use case, for a functionality, before a stage."""
    assert "VCF" in [row["title"] for row in answers(store, "required-of-every-node")]
    assert [
        (row["title"], row["line"], row["alsoInGeneral"])
        for row in answers(store, "required-for-a-use-case", useCase="rare-disease")
    ] == [("Phenopackets", "41", "true")]
    standards = answers(store, "standards-for-a-functionality", functionality="data-access-management")
    assert ("Passports", "Required") in [(row["title"], row["label"]) for row in standards]
    before = answers(store, "required-before-a-stage", stage="discovery")
    assert {row["earlierLabel"] for row in before} == {"Collection", "Standardisation", "Publication"}
    assert "Beacon" not in {row["title"] for row in before}


def test_questions_of_an_editor(store: Store) -> None:
    """What lacks a label, where labels differ, and where a resource is named."""
    unlabelled = {row["title"] for row in answers(store, "without-a-label")}
    assert "1+MG Glossary" in unlabelled
    assert "Beacon" not in unlabelled
    different = [row for row in answers(store, "different-labels-on-different-pages") if row["title"] == "DCAT-AP"]
    assert different == []
    named = answers(store, "where-a-resource-is-named", resource="phenopackets")
    assert ("41", "entry", "Required") in [(row["line"], row["place"], row["label"]) for row in named]


@pytest.fixture(scope="module")
def dataset(loaded: graph.Graph) -> rdflib.Dataset:
    dataset = rdflib.Dataset(default_union=True)
    lines = [f"{quad} .\n" for quad in (*loaded.stated, *loaded.inferred)]
    return dataset.parse(data="".join(lines), format="nquads")


@pytest.mark.slow
@pytest.mark.parametrize("query", [*VIEWS.values(), *QUESTIONS.values()], ids=lambda query: query.name)
def test_another_engine_gives_the_same_rows(query: queries.Query, store: Store, dataset: rdflib.Dataset) -> None:
    """The queries are SPARQL 1.1 and nothing more: rdflib gives the same rows in the same order."""
    text = query.bind({name: query.term(name, value) for name, value in query.examples.items()})
    answer = dataset.query(text)
    if answer.type == "CONSTRUCT":
        # A store may rewrite a literal's datatype, so terms are compared by what they say.
        triples = {tuple(str(term.value) for term in triple) for triple in store.construct(text)}
        assert {tuple(str(term) for term in triple) for triple in answer} == triples
        return
    rows = [tuple(None if term is None else str(term.value) for term in row) for row in store.select(text).rows]
    assert [tuple(None if term is None else str(term) for term in row) for row in answer] == rows


def test_render_does_not_depend_on_order(loaded: graph.Graph) -> None:
    """The same graph gives the same bytes, in whatever order its statements come."""
    quads = [*loaded.stated, *loaded.inferred]
    random.Random(7).shuffle(quads)
    assert views.collect(PROJECT, Store(quads)) == views.collect(PROJECT, loaded.store)


def test_render_writes_every_form(store: Store) -> None:
    """A view is written as JSON, Markdown, and data and page for Jekyll, and needs nothing but its file."""
    files = views.render(views.collect(PROJECT, store), PROJECT.version)
    assert set(files) - {"views/index.md", "jekyll/pages/onemg/views.md"} == {
        path
        for name in VIEWS
        for path in (
            f"views/{name}.json",
            f"views/{name}.md",
            f"jekyll/_data/onemg_{name.replace('-', '_')}.yml",
            f"jekyll/pages/onemg/{name}.md",
        )
    }
    page = files["jekyll/pages/onemg/by-level.md"].decode()
    front = yaml.safe_load(page.split("---\n")[1])
    assert front["title"] == "By label"
    assert front["sidebar"] == "framework"
    assert "- [By label](by-level.md): " in files["views/index.md"].decode()
    assert "- [By label]({{ '/onemg/by-level' | relative_url }}): " in files["jekyll/pages/onemg/views.md"].decode()
    assert '<span class="badge badge-warning">Required<i class="fa-sharp fa-regular fa-star"></i></span>' in page


def test_view_without_a_column_is_refused(store: Store, tmp_path: Path) -> None:
    """A query that cannot be shown as a view says which column it lacks."""
    path = tmp_path / "broken.rq"
    path.write_text("SELECT ?group ?groupLabel WHERE { ?group ?groupLabel ?resource }")
    with pytest.raises(QueryError, match=r"selects no \?resource, \?title"):
        views.run(queries.read(path), store, RULES)


def test_view_with_an_unknown_rule_is_refused(store: Store, tmp_path: Path) -> None:
    """What follows, follows from a rule whose reason can be shown."""
    path = tmp_path / "broken.rq"
    text = VIEWS["by-section"].text.replace('STRAFTER(STR(?graph), "/graph/rules/")', '"hearsay"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(QueryError, match="rules that do not exist: hearsay"):
        views.run(queries.read(path), store, RULES)


def written(folder: Path, title: str, link: str = "https://example.org/") -> dict[str, bytes]:
    """What is written of a view with one entry, whose every text is ``title``."""
    queries_folder = folder / "queries" / "views"
    queries_folder.mkdir(parents=True, exist_ok=True)
    columns = {
        **{"group": f"<{BASE}g>", "resource": f"<{BASE}r>", "page": f"<{BASE}p>"},
        **dict.fromkeys(("groupLabel", "title", "pageTitle", "label", "limit"), str(ox.Literal(title))),
        **{"link": f"<{link}>", "address": f"<{link}>", "line": "1", "basis": '"stated"', "because": '""'},
    }
    variables = " ".join(f"?{name}" for name in columns)
    (queries_folder / "one.rq").write_text(
        f"#+ title: One\n#+ description: One entry.\n"
        f"SELECT * WHERE {{ VALUES ({variables}) {{ ({' '.join(columns.values())}) }} }}",
        encoding="utf-8",
    )
    return views.render(views.collect(Project(folder, "0.0.0"), Store()), "0.0.0")


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=TEXTS)
@example(title="a | b")
@example(title="[x](javascript:alert(1)) <script>alert(1)</script> &lt; `code` *bold* ~~gone~~")
@example(title="{{ site.title }} {% raw %} {: .class }")
@example(title="# 1. https://example.org www.example.org a@example.org")
@example(title="a\x85b\u2028c\ufeffd\x7fe")
@example(title="- 'quoted': \"text\" \\ ${x}$ \U0001f9ec")
def test_any_text_is_shown_as_it_is(title: str, tmp_path: Path) -> None:
    """No text of the data is taken for Markdown, HTML, Liquid, JSON or YAML, and none is lost."""
    files = written(tmp_path, title)
    assert json.loads(files["views/one.json"])["groups"][0]["entries"][0]["title"] == title
    assert yaml.safe_load(files["jekyll/_data/onemg_one.yml"])["groups"][0]["entries"][0]["title"] == title
    line = " ".join(title.split())
    shown = MarkdownIt("gfm-like", {"linkify": False}).parse(files["views/one.md"].decode())
    texts = [token for token in shown if token.type == "inline"]
    assert "".join(child.content for child in texts[2].children or []) == line
    cells = [token.children or [] for token in texts[-4:]]
    assert [[child.type for child in cell] for cell in cells] == [
        ["link_open", "text", "link_close"],
        ["text"],
        ["text"],
        ["link_open", "text", "link_close", "text"],
    ]
    assert cells[0][1].content == cells[3][1].content == line
    assert cells[1][0].content == f"{line} ({line})"
    body = files["jekyll/pages/onemg/one.md"].decode().split("---\n", 2)[2]
    assert Environment().from_string(body).render() == body


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "mailto:a@example.org"])
def test_only_web_addresses_are_linked(link: str, tmp_path: Path) -> None:
    """What is no web address becomes no link."""
    assert "](" not in written(tmp_path, "Title", link)["views/one.md"].decode()


def test_link_stays_whole(tmp_path: Path) -> None:
    """Brackets, quotes and ampersands in a web address neither break the link nor change where it goes."""
    page = written(tmp_path, "Title", "https://example.org/a_(b)'c?x=1&copy=2#*d*")["views/one.md"].decode()
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(page)
    assert shown.count('<a href="https://example.org/a_%28b%29%27c?x=1&amp;copy=2#*d*">Title</a>') == 2
