"""Documentation of the rules: what each checks, how grave it is, how to mend it, and its own text, as Markdown."""

from pathlib import Path

from onemg_kg import checks, lint, logic, queries
from onemg_kg.graph import read
from onemg_kg.project import Project
from onemg_kg.shacl import SHAPES
from onemg_kg.terms import shorten, term, text

_INDEX = "rules/index.md"


def render(project: Project) -> dict[str, bytes]:
    """The documentation of every rule: a page for each check query, each file of shapes, the linter and the reasoner.

    Args:
        project: has the rules.

    Returns:
        The files by path, below ``rules/``. Same rules, same bytes.

    Raises:
        RdfError: a file of shapes is not Turtle.
        QueryError: a check cannot be read.
    """
    pages: dict[str, str] = {}
    listed: list[str] = ["# Rules", "", "What `onemg-kg check` and `onemg-kg audit` look for.", ""]
    for folder, title in (("data", "Meaning: the graph"), ("site", "Meaning: the Framework's site")):
        listed += [f"## {title}", ""]
        for check in checks.folder(project, folder):
            pages[checks.page(check)] = _check(check)
            listed.append(f"- [{check.title}]({checks.page(check).removeprefix('rules/')}) ({check.header['severity']})")
        listed.append("")
    listed += ["## Shapes", ""]
    for path in project.files("shapes", suffix=".ttl"):
        pages[f"rules/shapes/{path.stem}.md"] = _shapes(project, path)
        listed.append(f"- [{path.stem}](shapes/{path.stem}.md)")
    terms = {name: (rule.severity, rule.meaning, rule.fix) for name, rule in lint.RULE.items()}
    for name, title, rules in (("lint", "Terms", terms), ("logic", "Logic", logic.rules())):
        listed += ["", f"## {title}", "", f"- [{title}]({name}.md)"]
        sections = [_section(key, *rule) for key, rule in rules.items()]
        pages[f"rules/{name}.md"] = f"# {title}\n\n" + "\n".join(sections)
    pages[_INDEX] = "\n".join(listed) + "\n"
    return {name: page.encode() for name, page in pages.items()}


def _section(name: str, severity: str, meaning: str, fix: str) -> str:
    return f"## {name}\n\n{meaning}\n\n- Severity: {severity}\n- Fix: {fix}\n"


def _block(language: str, content: str) -> str:
    return f"```{language}\n{content.strip()}\n```\n"


def _check(check: queries.Query) -> str:
    header = check.header
    lines = [
        f"# {check.title}\n\n{header['description']}\n\n- Severity: {header['severity']}\n"
        f"- Message: {header['message']}\n- Fix: {header['fix']}\n- Rule: `check/{check.name}`\n",
        "\nThe query:\n\n" + _block("sparql", check.text),
    ]
    return "".join(lines)


def _shapes(project: Project, path: Path) -> str:
    """One page for a file of shapes, with a section for each shape that says something."""
    quads = read(project, [path])
    told: dict[str, dict[str, str]] = {}
    for quad in quads:
        for key in ("sh:message", "sh:severity", "onemg:fix"):
            if quad.predicate == term(key) and text(quad.subject).startswith(SHAPES):
                told.setdefault(text(quad.subject), {})[key] = text(quad.object)
    lines = [f"# Shapes: {path.stem}\n"]
    for iri, said in told.items():
        name = iri.removeprefix(SHAPES)
        severity = shorten(said.get("sh:severity", "")).removeprefix("sh:").lower()
        lines.append("\n" + _section(name, severity, said.get("sh:message", ""), said.get("onemg:fix", "")))
    lines.append("\nThe file:\n\n" + _block("turtle", path.read_text(encoding="utf-8")))
    return "".join(lines)
