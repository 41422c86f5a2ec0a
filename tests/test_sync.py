"""The Framework's site against the graph: what sync finds on the real site, and what it tells when a page changes."""

import csv
import filecmp
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from onemg_kg import project as projects
from onemg_kg import sync
from onemg_kg.errors import ProjectError, SiteError
from onemg_kg.project import Project
from onemg_kg.sync import Comparison, Difference, identity
from onemg_kg.sync.facts import Subjects

GOLD = Path(__file__).parent / "gold" / "listings.tsv"
WRITTEN = ("pages", "listings", "navigation")
REQUIRED = '<span class="badge badge-warning">Required</span>'
RECOMMENDED = '<span class="badge badge-dark">Recommended</span>'


@pytest.fixture(scope="module")
def comparison(project: Project, site: Path) -> Comparison:
    """The real site beside this checkout's ``data/``."""
    return sync.compare(project, site)


def subjects(comparison: Comparison) -> Subjects:
    """What sync would write below ``data/``."""
    parsed = (ox.parse(content, format=ox.RdfFormat.TURTLE) for content in comparison.files.values())
    return Subjects(quad for quads in parsed for quad in quads)


# The real site against the list that was made by hand

Row = tuple[str, str, str, str, str, str, str]


def gold() -> list[dict[str, str]]:
    with GOLD.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def row(gold_row: dict[str, str]) -> Row:
    page, line, kind, link, badge, badge_line, limit = (
        gold_row[column] for column in ("page", "line", "kind", "link", "badge", "badge_line", "limit")
    )
    return page, line, kind, link, badge, badge_line, limit


@pytest.fixture(scope="module")
def found(comparison: Comparison) -> Counter[Row]:
    """What sync reads from the real site, as rows of the list."""
    graph = subjects(comparison)

    def rows() -> Iterator[Row]:
        for kind, name in (("listing", "onemg:Listing"), ("mention", "onemg:Mention")):
            for subject in graph.of_class(name):
                link = graph.one(subject, "onemg:linkTarget")
                yield (
                    graph.one(graph.one(subject, "onemg:onPage"), "onemg:sourceFile"),
                    graph.one(subject, "onemg:sourceLine"),
                    kind,
                    "" if link == "#" else link,
                    graph.one(subject, "onemg:badge"),
                    graph.one(subject, "onemg:badgeLine"),
                    graph.one(subject, "onemg:limitedToUseCase").rpartition("/")[2],
                )

    return Counter(rows())


def test_every_listing_is_found_with_its_line_link_and_label(found: Counter[Row]) -> None:
    """What a person found on the pages, sync finds at the same place."""
    wanted = Counter(row(r) for r in gold() if r["kind"] == "listing" and not r["remark"].startswith("doubtful:"))
    assert not wanted - found


def test_no_listing_is_invented(found: Counter[Row]) -> None:
    """What sync lists, a person found too, at least doubtfully."""
    known = {(r["page"], r["line"]) for r in gold() if r["remark"].startswith("doubtful:")}
    listed = Counter({r: number for r, number in found.items() if r[2] == "listing" and r[:2] not in known})
    assert not listed - Counter(row(r) for r in gold() if r["kind"] == "listing")


def test_every_mention_with_a_link_is_found(found: Counter[Row]) -> None:
    """But for home pages of projects, and for one tool that is no resource of the Framework."""
    wanted = Counter(
        row(r)
        for r in gold()
        if r["kind"] == "mention"
        and r["link"]
        and r["title"] != "Zenhub"
        and r["remark"] != "project"
        and not r["remark"].startswith("doubtful:")
    )
    assert not wanted - found


def test_every_label_is_held_once(found: Counter[Row], comparison: Comparison) -> None:
    """No badge, no requirement statement; and for each badge one."""
    labels = Counter(r["badge"] for r in gold() if r["badge"])
    graph = subjects(comparison)
    stated = Counter(
        graph.one(listing, "onemg:badge")
        for statement in graph.of_class("onemg:RequirementStatement")
        for listing in graph.all(statement, "prov:wasDerivedFrom")
    )
    assert stated == labels == Counter(r[4] for r, number in found.items() if r[4] for _ in range(number))


def test_headings_say_where_they_are(comparison: Comparison, site: Path) -> None:
    """Each heading of the graph stands in the file on the line that it names."""
    graph = subjects(comparison)
    texts = {path: (site / path).read_text("utf-8-sig").split("\n") for path in {r["page"] for r in gold()}}
    headings = graph.of_class("onemg:PageHeading")
    placed = {h: texts.get(graph.one(graph.one(h, "onemg:onPage"), "onemg:sourceFile")) for h in headings}
    missed = [
        heading
        for heading, lines in placed.items()
        for word in identity.words(graph.one(heading, "dcterms:title")).split()[:1]
        if lines and word not in lines[int(graph.one(heading, "onemg:sourceLine")) - 1]
    ]
    assert any(placed.values())
    assert not missed


# data/ is what sync gives


def test_data_is_what_sync_gives(project: Project, comparison: Comparison) -> None:
    """Nothing differs, no resource is missing, and every file has the very bytes."""
    assert (comparison.differences, comparison.stubs) == ([], {})
    kept = {project.relative(p): p.read_bytes() for folder in WRITTEN for p in project.files("data", folder, suffix=".ttl")}
    assert {"data/" + path: content for path, content in comparison.files.items()} == kept


def changed_files(left: Path, right: Path) -> list[str]:
    """The paths in which two folders differ."""
    files = {p.relative_to(folder).as_posix() for folder in (left, right) for p in folder.rglob("*") if p.is_file()}
    _, mismatched, missing = filecmp.cmpfiles(left, right, sorted(files), shallow=False)
    return mismatched + missing


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """A copy of this checkout's graph, to write to."""
    for folder in projects.FOLDERS:
        shutil.copytree(project.folder(folder), tmp_path / "project" / folder)
    return projects.find(tmp_path / "project")


def test_writing_from_nothing_gives_the_same_bytes(project: Project, site: Path, copy: Project) -> None:
    """sync alone makes all that is its own, and writing twice changes nothing."""
    for folder in WRITTEN:
        shutil.rmtree(copy.folder("data") / folder)
    for _ in range(2):
        sync.write(copy, sync.compare(copy, site))
        assert changed_files(project.folder("data"), copy.folder("data")) == []
    assert sync.compare(copy, site).differences == []


# What differs, on a site of one page

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PAGE = f"""---
title: Discovery
description: How data are found.
permalink: /discovery-of-data
---

## [Beacon](https://beacon.example/spec) {REQUIRED}

Finds genomic variants.

- [Crypt for all](https://crypt.example)
- [Another tool](https://another.example)
"""
TOPNAV = "subitems:\n- title: Discovery\n  url: /discovery-of-data\n"
MakeSite = Callable[..., Path]


@pytest.fixture
def tiny(copy: Project, make_site: MakeSite) -> Callable[[str], Comparison]:
    """Compares the graph, which knows a site of one page, with that site and another text of the page."""
    for folder in WRITTEN:
        shutil.rmtree(copy.folder("data") / folder)
    pages = {"pages/discovery.md": PAGE, "_data/topnav.yml": TOPNAV}
    sync.write(copy, sync.compare(copy, make_site(pages), COMMIT))
    assert sync.compare(copy, make_site(pages), COMMIT).differences == []

    def compare(text: str = PAGE, **others: str) -> Comparison:
        files = {f"pages/{name}.md": other for name, other in others.items()}
        return sync.compare(copy, make_site({**pages, "pages/discovery.md": text, **files}), COMMIT)

    return compare


def brief(differences: list[Difference]) -> set[tuple[str, str, str, int]]:
    return {(d.kind, d.what, d.title, d.line) for d in differences}


Tiny = Callable[..., Comparison]


def test_a_new_entry_is_added_with_its_page_moved(tiny: Tiny) -> None:
    """The entry and its resource are new; what stands below it has moved."""
    text = PAGE.replace("- [Crypt", "- [A third](https://third.example)\n- [Crypt")
    assert brief(tiny(text).differences) == {
        ("added", "listing", "A third", 11),
        ("added", "resource", "A third", 0),
        ("moved", "listing", "Crypt for all", 12),
        ("moved", "listing", "Another tool", 13),
        ("changed", "page", "Discovery", 0),
    }


def test_an_entry_that_is_taken_away_is_gone(tiny: Tiny) -> None:
    """Its resource too, if no other page names it; the line is the one on which it stood."""
    assert brief(tiny(PAGE.replace("- [Another tool](https://another.example)\n", "")).differences) == {
        ("gone", "listing", "Another tool", 12),
        ("gone", "resource", "Another tool", 0),
        ("changed", "page", "Discovery", 0),
    }


def test_a_new_label_is_told_before_and_after(tiny: Tiny) -> None:
    """The most important change there is."""
    found = tiny(PAGE.replace(REQUIRED, RECOMMENDED)).differences
    [label] = [d for d in found if d.kind == "relabelled"]
    assert (label.title, label.source, label.line) == ("Beacon", "pages/discovery.md", 7)
    assert (label.before, label.after) == ("Required", "Recommended")


def test_a_label_that_is_taken_away_or_limited_is_relabelled(tiny: Tiny) -> None:
    """A limit in words is part of the label."""
    limited = PAGE.replace("Finds genomic variants.", "It is only required for the cancer use case.")
    for text in (PAGE.replace(REQUIRED, ""), limited):
        assert ("relabelled", "listing", "Beacon", 7) in brief(tiny(text).differences)


def test_another_name_is_retitled(tiny: Tiny) -> None:
    """The resource is the same as before, for its link is."""
    [entry, *_] = [d for d in tiny(PAGE.replace("[Another tool]", "[A tool]")).differences if d.what == "listing"]
    assert (entry.kind, entry.before, entry.after) == ("retitled", "Another tool", "A tool")


def test_another_link_is_relinked(tiny: Tiny) -> None:
    """The resource is the same as before, for its name is."""
    found = tiny(PAGE.replace("https://another.example", "https://another.example/2")).differences
    [entry] = [d for d in found if d.what == "listing"]
    assert (entry.kind, entry.before, entry.after) == ("relinked", "https://another.example", "https://another.example/2")


def test_a_line_above_moves_what_is_below(tiny: Tiny) -> None:
    """Lines are part of the graph, so that a moved line is a difference."""
    found = tiny(PAGE.replace("\n## [B", "\n\n## [B")).differences
    assert {d.kind for d in found} == {"moved"}
    assert {(d.title, d.line) for d in found} == {("Beacon", 8), ("Crypt for all", 12), ("Another tool", 13)}


def test_what_changes_on_a_page_without_entries_is_told(tiny: Tiny, copy: Project) -> None:
    """Headings and links in other lines, other headings, and what front matter says."""
    page = "---\ntitle: Plain\n---\n\n## Heading\n\n[Home](/)\n"
    first = tiny(plain=page)
    assert brief(first.differences) == {("added", "page", "Plain", 0)}
    sync.write(copy, first)
    assert brief(tiny(plain=page.replace("\n## H", "\n\n## H")).differences) == {("moved", "page", "Plain", 0)}
    assert brief(tiny(plain=page.replace("## H", "## Another h")).differences) == {("changed", "page", "Plain", 0)}
    assert brief(tiny(plain=page.replace("Plain", "Plainer")).differences) == {("retitled", "page", "Plainer", 0)}
    [side] = tiny(plain=page.replace("title", "sidebar: main\ntitle")).differences[:1]
    assert (side.kind, side.after) == ("changed", "sidebar main")


def test_whatever_would_be_written_is_a_difference(tiny: Tiny, copy: Project) -> None:
    """No file changes without a word: sync in an editor's CI must not pass over anything."""
    for old, new in (
        ("Finds", "We are still working on the content for this page. Finds"),
        ("-\n\n#", "-\n#"),
        ("found.", "lost."),
    ):
        found = tiny(PAGE.replace(old, new))
        data = copy.folder("data")
        written = {path for path, content in found.files.items() if (data / path).read_bytes() != content}
        assert bool(written) == bool(found.differences)
        assert written


def test_a_new_page_and_a_page_that_is_gone_are_told(tiny: Tiny, copy: Project, make_site: MakeSite) -> None:
    """Pages come and go with their menu entries."""
    assert ("added", "page", "New", 0) in brief(tiny(new="---\ntitle: New\n---\n").differences)
    root = make_site({"_data/topnav.yml": "subitems: []\n"})
    (root / "pages" / "discovery.md").unlink()
    gone = brief(sync.compare(copy, root, COMMIT).differences)
    assert {("gone", "page", "Discovery", 0), ("gone", "menu entry", "Discovery", 2)} <= gone


@pytest.mark.usefixtures("tiny")
def test_another_commit_is_a_difference(copy: Project, make_site: MakeSite) -> None:
    """The graph names the commit that it derives from."""
    other = COMMIT[::-1]
    [commit] = sync.compare(copy, make_site({}), other).differences
    assert (commit.what, commit.before, commit.after) == ("site", COMMIT, other)


def test_the_commit_is_taken_from_git(copy: Project, make_site: MakeSite) -> None:
    """A checkout knows its commit and the day of it."""
    root = make_site({"pages/a.md": PAGE})
    environment = os.environ | {"GIT_COMMITTER_DATE": "2026-01-02T12:00:00+0000", "GIT_CONFIG_GLOBAL": os.devnull}

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@b.example"]
        return subprocess.run(
            ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True, env=environment
        ).stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "A")
    sync.write(copy, sync.compare(copy, root))
    source = (copy.folder("data") / "source.ttl").read_text("utf-8")
    assert git("rev-parse", "HEAD") in source
    assert '"2026-01-02"^^xsd:date' in source


# New resources


def test_a_new_resource_gets_a_stub_that_the_next_run_recognises(tiny: Tiny, copy: Project) -> None:
    """By its DOI in any spelling, by its link, and by its name."""
    listed = "---\ntitle: Deliverables\n---\n\n- [Report on things](https://zenodo.org/record/987654321)\n- [Film](https://youtu.be/abcdef)\n"
    first = tiny(reports=listed)
    assert sorted(first.stubs) == ["resources/film.ttl", "resources/report-on-things.ttl"]
    sync.write(copy, first)
    stub = (copy.folder("data") / "resources" / "report-on-things.ttl").read_text("utf-8")
    assert 'bibo:doi "10.5281/zenodo.987654321"' in stub
    assert "dcat:landingPage <https://doi.org/10.5281/zenodo.987654321>" in stub
    again = tiny(
        reports=listed,
        other="---\ntitle: Other\n---\n\n- [It](https://doi.org/10.5281/ZENODO.987654321)\n- [V](https://www.youtube.com/embed/abcdef)\n"
        "- Report on Things\n",
    )
    assert again.stubs == {}
    assert {d.title for d in again.differences if d.what == "listing"} == {"Report on things", "Film"}


def test_two_new_resources_of_one_name_stay_two(tiny: Tiny) -> None:
    """Two links tell them apart only if their names do; the same name is the same resource, and it is reported."""
    found = tiny(
        a="---\ntitle: A\n---\n\n- [Guide](https://one.example)\n- [Guide](https://two.example)\n- [Guide!](https://one.example)\n"
    )
    assert sorted(found.stubs) == ["resources/guide.ttl"]


def test_what_an_entry_is_called_wins_over_where_it_leads(tiny: Tiny) -> None:
    """A link to the record of another resource is a mistake on the page, and is reported with its line."""
    found = tiny(a="---\ntitle: A\n---\n\n- [Another tool](https://crypt.example)\n")
    assert [(notice.source, notice.line) for notice in found.notices] == [("pages/a.md", 5)]
    assert ("added", "listing", "Another tool", 5) in brief(found.differences)


# What goes wrong


def test_a_folder_that_is_no_site_is_named(project: Project, tmp_path: Path) -> None:
    """One sentence: what, and what to do."""
    with pytest.raises(SiteError) as error:
        sync.compare(project, tmp_path)
    assert str(error.value) == f"{tmp_path}: is not a Jekyll site: it has no _config.yml. Name the folder that holds it."


def test_a_site_without_commit_asks_for_one(copy: Project, make_site: MakeSite) -> None:
    """A graph whose source is not known is not written."""
    (copy.folder("data") / "source.ttl").unlink()
    root = make_site({"pages/a.md": PAGE})
    with pytest.raises(SiteError) as error:
        sync.compare(copy, root)
    assert str(error.value) == f"{root}: is no git checkout, so its commit is not known. Give it with --commit."


STRANGE = [
    "a b#c[",
    "%",
    "<>",
    '"',
    "^`{|}",
    "\\",
    "\u2028",
    "é",
    "#",
    "🎉",
    "\x01",
    "http://[",
    "ht!tp:x",
    "http://a:99999999/",
    "http://a/%zz",
]


def test_nothing_that_a_page_holds_stops_sync(project: Project, make_site: MakeSite) -> None:
    """Strange identifiers, addresses and titles are held as far as RDF can hold them."""
    pages = {
        f"{number}.md": f"---\npermalink: {strange}\n---\n<h2 id='{strange}'>{strange}</h2>\n\n- [Name {number}]({strange})\n"
        f"- [{strange}](https://new.example/{strange})\n- <a href='{strange}'>B</a>\n\n<iframe src='{strange}'></iframe>\n"
        for number, strange in enumerate(STRANGE)
    }
    found = sync.compare(project, make_site(pages, 'url: "http://["'), COMMIT)
    assert len(subjects(found).of_class("onemg:FrameworkPage")) == len(STRANGE)
    assert ("_config.yml", 1) in {(notice.source, notice.line) for notice in found.notices}


def test_a_stub_never_replaces_a_file(project: Project, copy: Project, make_site: MakeSite) -> None:
    """A curated file whose name a new resource would take stays, and nothing else is written."""
    curated = copy.folder("data") / "resources" / "quite-new.ttl"
    curated.write_text("<https://w3id.org/oneplusmg/id/resource/other> a <https://w3id.org/oneplusmg/ns#Tool> .\n", "utf-8")
    found = sync.compare(copy, make_site({"a.md": "---\ntitle: A\n---\n\n- [Quite new](https://new.example)\n"}), COMMIT)
    with pytest.raises(ProjectError, match=r"^data/resources/quite-new\.ttl: ") as error:
        sync.write(copy, found)
    assert error.value.fix
    assert changed_files(project.folder("data"), copy.folder("data")) == ["resources/quite-new.ttl"]


def test_what_was_put_in_place_is_taken_back_when_the_rest_cannot_be(
    copy: Project, make_site: MakeSite, tmp_path: Path
) -> None:
    """Here a file stands where the folder of resources would, so that the new one has no place."""
    resources = copy.folder("data") / "resources"
    shutil.rmtree(resources)
    resources.write_text("", "utf-8")
    shutil.copytree(copy.folder("data"), tmp_path / "before")
    found = sync.compare(copy, make_site({"a.md": "---\ntitle: A\n---\n\n- [Quite new](https://new.example)\n"}), COMMIT)
    with pytest.raises(ProjectError, match=r"^.*resources: cannot be written: File exists\. Nothing was changed\."):
        sync.write(copy, found)
    assert changed_files(tmp_path / "before", copy.folder("data")) == []


def test_nothing_is_written_when_the_disk_is_full(project: Project, copy: Project, make_site: MakeSite) -> None:
    """The error says so, and ``data/`` is as it was."""
    resource = pytest.importorskip("resource", reason="only POSIX can limit the size of files")
    root = make_site({"a.md": PAGE})
    done = subprocess.run(
        [
            *(sys.executable, "-m", "onemg_kg", "--project", str(copy.root)),
            *("sync", str(root), "--commit", COMMIT, "--write"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=project.root,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)),
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "Nothing was changed" in done.stderr
    assert changed_files(project.folder("data"), copy.folder("data")) == []
