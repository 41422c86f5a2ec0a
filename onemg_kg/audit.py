"""What is wrong on the Framework's site: the checks of ``queries/checks/site/`` over a checkout, as it is read now."""

from pathlib import Path

import pyoxigraph as ox

from onemg_kg import checks, sync
from onemg_kg.findings import Finding, Places
from onemg_kg.project import Project
from onemg_kg.store import Store, in_default_graph
from onemg_kg.sync import inspection
from onemg_kg.sync.facts import Subjects


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
    reading = sync.read(project, root)
    said = reading.facts
    stubs = in_default_graph(triple for triples in said.stubs.values() for triple in triples)
    resources = reading.resources | {q.subject.value for q in stubs if isinstance(q.subject, ox.NamedNode)}
    extra = inspection.inspect(reading.site, said, Subjects([*reading.stated, *stubs]), sorted(resources))
    # What the site says now stands in no file of data/, so it is in no file's graph.
    read = in_default_graph([*(triple for triples in said.files.values() for triple in triples), *extra])
    quads = [*reading.stated, *stubs, *read]
    return checks.run(checks.folder(project, "site"), Store(quads), Places(quads))
