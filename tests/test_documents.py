"""What the documents tell a reader to do works, and shows what then comes."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
import yaml

import onemg_kg
from onemg_kg.cli import arguments
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.queries import Query
from onemg_kg.terms import NS, PREFIXES, term, text

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
NOT_OURS = {".git", ".venv", "build", "dist", "__pycache__", "shared", "node_modules"}


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a document in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", _read(name), re.MULTILINE | re.DOTALL)


def _tracked() -> list[Path]:
    """The files that are published: those that git tracks, or without git all but what tools make."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    found = (path for path in ROOT.rglob("*") if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts))
    return [path for path in found if not any(part.endswith("_cache") for part in path.parts)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links(name: str) -> None:
    """Every relative link of a document leads to a file or folder that is there."""
    prose = re.sub(r"^```.*?^```", "", _read(name), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:|#", target):
            path = (ROOT / name).parent / target.partition("#")[0]
            assert path.exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands(name: str) -> None:
    """Every command that a document shows is one that the program or the Makefile knows."""
    written = _read(name)
    targets = set(re.findall(r"^([a-z]+):", _read("Makefile"), re.MULTILINE))
    for target in re.findall(r"(?:^|`)make ([a-z]+)", written, re.MULTILINE):
        assert target in targets, f"{name} says make {target}"
    # A command by its bare name is only spoken of.
    for command in re.findall(r"(?:^\$ |^|`)onemg-kg ((?:list|query|explain|build|sync) [^`\n]+)", written, re.MULTILINE):
        words = shlex.split(command, comments=True)
        assert arguments.parser().parse_args(words).command == words[0], f"{name} says onemg-kg {command}"


def _sessions() -> list[tuple[str, str]]:
    """The commands of console blocks, each with the output that is shown."""
    found = []
    for name in DOCUMENTS:
        for block in _blocks(name, "console"):
            for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = session.partition("\n")
                found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), _sessions(), ids=[command for command, _ in _sessions()])
def test_answers(project: Project, command: str, output: str) -> None:
    """What a document shows under a command is what the command prints, line by line."""
    program, *words = shlex.split(command)
    assert program == "onemg-kg"
    run = [sys.executable, "-m", "onemg_kg", *words]
    ran = subprocess.run(run, capture_output=True, text=True, cwd=project.root, check=False)
    assert ran.returncode == 0, ran.stderr
    printed = [line.rstrip() for line in ran.stdout.splitlines()]
    assert [line.rstrip() for line in output.splitlines()] == printed, f"the answer to {command} is\n{ran.stdout}"


def test_three_questions_are_answered() -> None:
    """The README asks at least three questions, each with an answer of several lines."""
    answered = [block for block in _blocks("README.md", "console") if block.startswith("$ ")]
    assert len(answered) >= 3
    assert all(len(block.splitlines()) > 3 for block in answered)


def test_examples_in_turtle(loaded: Graph) -> None:
    """Turtle that the documents show parses, and names classes and properties that the ontology declares."""
    known = {text(quad.subject) for quad in loaded.stated}
    blocks = [block for name in DOCUMENTS for block in _blocks(name, "turtle")]
    assert blocks
    for block in blocks:
        prefixes = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items())
        for quad in ox.parse((prefixes + block).encode(), format=ox.RdfFormat.TURTLE, base_iri=NS):
            for node in (quad.predicate, quad.object):
                if text(node).startswith(NS):
                    assert text(node) in known, text(node)


def test_examples_in_sparql(loaded: Graph) -> None:
    """SPARQL that the documents show runs on the graph and answers, with its parameters bound to what is there."""
    blocks = [(name, block) for name in DOCUMENTS for block in _blocks(name, "sparql")]
    assert blocks
    for name, block in blocks:
        header = dict(re.findall(r"^#\+ ([\w.-]+): (.*)$", block, re.MULTILINE))
        query = Query("example", "", Path(name), block, header)
        assert header.get("title"), f"the example in {name} has no title"
        bound = query.bind({parameter: query.term(parameter, "x") for parameter in query.parameters})
        if loaded.store.is_construct(bound):
            assert loaded.store.construct(block), name
        else:
            assert loaded.store.select(block).rows, name
            assert not loaded.store.select(bound).rows, f"the parameter of the example in {name} binds nothing"


def test_example_of_a_resource_is_real(loaded: Graph) -> None:
    """The resource that CONTRIBUTING.md shows is the one that data/ holds, but for its description."""
    blocks = "".join(_blocks("CONTRIBUTING.md", "turtle")).encode()
    shown = {quad.triple for quad in ox.parse(blocks, format=ox.RdfFormat.TURTLE)}
    assert shown
    stated = {quad.triple for quad in loaded.stated}
    assert {text(triple.predicate) for triple in shown - stated} <= {text(term("dcterms:description"))}


def test_version_is_one() -> None:
    """CITATION.cff has the version of the package; CHANGELOG.md has it, or says that it is not released yet."""
    assert yaml.safe_load(_read("CITATION.cff"))["version"] == onemg_kg.__version__
    headings = rf"^## \[?(?:{re.escape(onemg_kg.__version__)}|Unreleased)\b"
    assert re.search(headings, _read("CHANGELOG.md"), re.MULTILINE)


def test_licences() -> None:
    """Code and data each have a licence, and that of the data names the Framework as its source."""
    assert "Apache License" in _read("LICENSE")
    data = _read("LICENSE-DATA")
    assert "1+MG Framework" in data or "1+ Million Genomes" in data
    assert "creativecommons.org/licenses/by/4.0" in data


def test_ci_runs_what_readers_run() -> None:
    """What runs on every change is what the README tells a person to run."""
    called = re.findall(r"^make \w+", _read(".ci/run"), re.MULTILINE)
    assert called
    for command in called:
        assert command in _read("README.md")


def test_nothing_of_this_machine() -> None:
    """No published file names a package registry's host, or a folder of the machine on which it was written."""
    hosts = re.compile(r"pypi\.(?:org|python)|pythonhosted|npmjs\.|artifactory|--(?:extra-)?index-url", re.IGNORECASE)
    folders = re.compile(r"(?<![\w.:/~%-])/(?:work|home|root|Users)/\w")
    found = []
    for path in _tracked():
        if path.suffix in {".png", ".svg", ".woff2"} or path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if hosts.search(line) or folders.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []
