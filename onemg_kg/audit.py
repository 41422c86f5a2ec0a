"""What is wrong on the Framework's site: the checks of ``queries/checks/site/`` over a checkout, as it is read now."""

from pathlib import Path

import pyoxigraph as ox

from onemg_kg import checks, graph
from onemg_kg.findings import Finding, Places
from onemg_kg.project import Project
from onemg_kg.store import Store, in_default_graph
from onemg_kg.sync import WRITTEN, facts, inspection
from onemg_kg.sync.facts import Subjects
from onemg_kg.sync.theme import read_site
from onemg_kg.terms import BASE


def run(project: Project, root: Path) -> list[Finding]:
    """Check a checkout of the site.

    Args:
        project: the graph's source, which knows the resources, the labels and the sections.
        root: the checkout, the folder with ``_config.yml``.

    Returns:
        The findings, in order; each with page and line on the site.

    Raises:
        SiteError: the site cannot be read.
        RdfError: a file of the project is not Turtle.
        QueryError: a check cannot be run.
    """
    written = {path for folder in WRITTEN for path in project.files("data", folder, suffix=".ttl")}
    kept = [path for path in project.files("data", suffix=".ttl") if path not in written]
    stated = graph.read(project, [*project.files("ontology", suffix=".ttl"), *kept])
    site = read_site(root, Subjects(stated).one(BASE + "id/framework", "foaf:homepage"))
    resource = BASE + "id/resource/"
    known = {q.subject.value for q in stated if isinstance(q.subject, ox.NamedNode) and q.subject.value.startswith(resource)}
    said = facts.of_site(site, Subjects(stated), known)
    stubs = in_default_graph(triple for triples in said.stubs.values() for triple in triples)
    known |= {q.subject.value for q in stubs if isinstance(q.subject, ox.NamedNode)}
    extra = inspection.inspect(site, said, Subjects([*stated, *stubs]), sorted(known))
    # What the site says now stands in no file of data/, so it is in no file's graph.
    read = in_default_graph([*(triple for triples in said.files.values() for triple in triples), *extra])
    quads = [*stated, *stubs, *read]
    return checks.run(checks.folder(project, "site"), Store(quads), Places(quads))
