"""Everything that can be checked of the graph: terms, shapes, meaning, logic."""

from collections.abc import Callable, Collection

from onemg_kg import checks, graph, lint, logic, shacl
from onemg_kg.findings import Finding, Places, in_order
from onemg_kg.project import Project

KINDS = ("terms", "shapes", "meaning", "logic")
"""What can be checked alone."""


def run(
    project: Project,
    loaded: graph.Graph | None = None,
    kinds: Collection[str] = KINDS,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """Check the graph.

    Terms are checked in what the files state; shapes, meaning and logic in the whole graph, what is stated with what follows by
    rules, because that is what others read. The message of a finding says so where the thing itself only follows.

    Args:
        project: the graph's source.
        loaded: the graph, if it is loaded already.
        kinds: which of :data:`KINDS`.
        progress: told what is being done.

    Returns:
        What was found, in order.

    Raises:
        RdfError: a file is not Turtle, or a shape is not SHACL.
        QueryError: a rule or a check cannot be run.
    """
    if loaded is None:
        progress("reading")
        loaded = graph.load(project)
    found: list[Finding] = []
    if "terms" in kinds:
        progress("checking terms")
        found += lint.run(project, loaded)
    if "shapes" in kinds:
        progress("checking shapes")
        found += shacl.validate_lines(loaded.whole(), loaded.shape_lines, project.root)
    if "meaning" in kinds:
        progress("checking meaning")
        found += checks.run(checks.folder(project, "data"), loaded.store, Places(loaded.stated, project.root))
    if "logic" in kinds:
        progress("checking logic")
        found += logic.run(loaded)
    return in_order(found)
