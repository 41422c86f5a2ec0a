"""The program as a user runs it: words in, text and an exit code out."""

import csv
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pyoxigraph as ox
import pytest

import onemg_kg
from onemg_kg import queries
from onemg_kg.cli import arguments
from onemg_kg.graph import Graph
from onemg_kg.project import FOLDERS, Project
from onemg_kg.terms import BASE

COMMANDS = ("build", "check", "list", "query", "explain", "sync")
HEAVY = ("rdflib", "pyshacl", "owlready2", "yaml", "markdown_it", "liquid", "SPARQLWrapper", "jinja2", "rocrate", "starlette")
ROWS = "SELECT ?s WHERE { ?s a <https://w3id.org/oneplusmg/ns#Tool> } ORDER BY ?s"
GRAPH = "CONSTRUCT { ?s a <https://w3id.org/oneplusmg/ns#Tool> } WHERE { ?s a <https://w3id.org/oneplusmg/ns#Tool> }"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    caches = str(tmp_path_factory.getbasetemp() / "caches")
    return {**kept, "PYTHONPATH": str(project.root), "PYTHONWARNINGS": "error", "XDG_CACHE_HOME": caches}


@pytest.fixture
def run(project: Project, tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs the program, in an empty folder, on this checkout."""

    def program(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "onemg_kg", "--project", str(project.root), *words]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
        assert ran.returncode == code, ran.stderr
        assert "Traceback" not in ran.stderr
        return ran

    return program


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    """Makes a query file of one's own."""

    def make(text: str) -> str:
        path = tmp_path / "mine.rq"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return make


# ---- Help ----


def test_version(run: Run) -> None:
    """--version says the version of the package."""
    assert run("--version").stdout == f"onemg-kg {onemg_kg.__version__}\n"


def test_the_package_runs_as_a_module(environment: dict[str, str], tmp_path: Path) -> None:
    """``python -m onemg_kg`` is the command, under the command's name."""
    command = [sys.executable, "-m", "onemg_kg", "query", "--nonsense"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("usage: onemg-kg query")


def test_help(run: Run) -> None:
    """The help names every command and every exit code, and has examples."""
    told = run("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\s", told, re.MULTILINE)
    assert "examples:" in told
    assert re.search(r"exit codes: 0 .*; 1 .*; 2 ", told, re.DOTALL)
    assert run(code=2).stdout == told


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(run: Run, command: str) -> None:
    """Each command has examples, each of which the program understands."""
    told = run(command, "--help").stdout
    examples = re.findall(r"^  onemg-kg (.*?)(?:   .*)?$", told, re.MULTILINE)
    assert examples
    for example in examples:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', example)]
        assert words[0] == command
        assert arguments.parser().parse_args(words).command == command


def test_examples_name_what_there_is(project: Project) -> None:
    """Queries that the help shows exist, with the parameters that it shows."""
    for told in (arguments.EPILOG, *arguments.EXAMPLES.values()):
        for name, parameter in re.findall(r"onemg-kg query ([\w-]+)(?: --param (\w+)=)?(?:\s|$)", told):
            query = queries.find(project, name)
            assert not parameter or parameter in query.parameters


# ---- What each command prints ----


def test_list(run: Run, project: Project) -> None:
    """list shows every query with its title, and every class with the number of its members; as JSON too."""
    told = run("list").stdout
    document = json.loads(run("list", "--json").stdout)
    for query in queries.named(project):
        assert re.search(rf"^  {query.name} +{re.escape(query.title)}", told, re.MULTILINE)
    assert [entry["name"] for entry in document["queries"]] == [query.name for query in queries.named(project)]
    for class_ in document["classes"]:
        assert re.search(rf"^  {re.escape(class_['name'])} +{class_['members']}$", told, re.MULTILINE)


@pytest.mark.parametrize("name", ["use case", "UseCase", "usecase"])
def test_list_class(run: Run, name: str) -> None:
    """list CLASS shows the members of a class, named in words or as in the ontology."""
    members = json.loads(run("list", name, "--json").stdout)
    assert {"member", "name"} <= members[0].keys()
    told = run("list", name).stdout
    assert told.rstrip().endswith(f"({len(members)} rows)")
    for member in members:
        assert member["name"] in told


def test_list_counts(run: Run) -> None:
    """The number beside a class is the number of its members that are then shown."""
    for entry in json.loads(run("list", "--json").stdout)["classes"][:4]:
        assert len(json.loads(run("list", entry["name"], "--json").stdout)) == int(entry["members"])


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_query(run: Run, file: Callable[[str], str], loaded: Graph, form: str) -> None:
    """A query of one's own gives the same rows in every format."""
    expected = [row[0].value for row in loaded.store.select(ROWS).rows]
    assert expected
    told = run("query", file(ROWS), "--format", form).stdout
    if form == "csv":
        assert [row["s"] for row in csv.DictReader(io.StringIO(told))] == expected
    elif form == "json":
        bindings = json.loads(told)["results"]["bindings"]
        assert [binding["s"]["value"] for binding in bindings] == expected
    else:
        assert len(told.splitlines()) == len(expected) + 2


@pytest.mark.parametrize("form", [None, "ttl", "json"])
def test_query_for_a_graph(run: Run, file: Callable[[str], str], loaded: Graph, form: str | None) -> None:
    """A CONSTRUCT query gives Turtle, or JSON-LD."""
    told = run("query", file(GRAPH), *(["--format", form] if form else [])).stdout
    parser = ox.RdfFormat.JSON_LD if form == "json" else ox.RdfFormat.TURTLE
    assert {quad.triple for quad in ox.parse(told.encode(), format=parser)} == set(loaded.store.construct(GRAPH))


def test_every_view_answers(project: Project, loaded: Graph) -> None:
    """Every view gives rows. What the questions give is held beside each of them."""
    for query in queries.folder(project, "views"):
        assert loaded.store.select(query.text, str(query.path)).rows, f"{query.name} gives nothing"


def test_param(run: Run) -> None:
    """A parameter narrows the answer to what it names, by its short name, by a path or by a prefixed name."""
    whole = run("query", "by-role", "--format", "csv").stdout.splitlines()
    short = run("query", "by-role", "--param", "role=researcher", "--format", "csv").stdout
    assert run("query", "by-role", "--param", "role=voc/role/researcher", "--format", "csv").stdout == short
    assert run("query", "by-role", "--param", f"role={BASE}voc/role/researcher", "--format", "csv").stdout == short
    assert 1 < len(short.splitlines()) < len(whole)
    assert all(f"{BASE}voc/role/researcher," in line for line in short.splitlines()[1:])
    assert len(run("query", "by-country", "--param", "country=DEU", "--format", "csv").stdout.splitlines()) > 1


def test_page(run: Run) -> None:
    """A page of a view has so many resources, 50 where nobody says how many."""
    asked = ("query", "by-role", "--param", "role=researcher", "--format", "json")

    def resources(*options: str) -> list[str]:
        bindings = json.loads(run(*asked, *options).stdout)["results"]["bindings"]
        return list(dict.fromkeys(row["resource"]["value"] for row in bindings))

    whole = set(resources())
    first, second = resources("--page", "1"), resources("--page", "2")
    assert len(first) == 50 < len(whole)
    assert set(first) | set(second) <= whole
    assert set(first).isdisjoint(second)
    assert (len(resources("--size", "7")), set(resources("--size", "7")) <= set(first)) == (7, True)
    assert not resources("--page", "1000")
    assert "'0' is no number from 1 on" in run(*asked, "--page", "0", code=2).stderr


def test_explain(run: Run) -> None:
    """explain prints each statement with its source, and as JSON the same statements."""
    told = run("explain", "beacon").stdout
    document = json.loads(run("explain", "beacon", "--json").stdout)
    assert document["thing"] == BASE + "id/resource/beacon"
    assert told.startswith(f"{document['label']} {document['thing']}\n")
    for statement in document["stated"]:
        assert f"{statement['source']}:{statement['line']}" in told
    for statement in document["follows"]:
        assert f"follows: {statement['rule']} ({statement['source']})" in told
    for statement in document["inverse"]:
        if statement["page"]:
            assert f"site {statement['page']}:{statement['page_line']}" in told


def test_build_refuses(run: Run) -> None:
    """What is no address and what is no folder is said before anything is made."""
    assert run("build", "--origin", "example.org/x y", code=2).stderr.startswith(
        "onemg-kg: 'example.org/x y' is not the address"
    )
    assert run("build", "--templates", "nowhere", code=2).stderr.startswith("onemg-kg: nowhere: is no folder with templates.")


def test_build(run: Run, tmp_path: Path) -> None:
    """build says what it made and where, and as JSON how much."""
    document = json.loads(run("build", "--out", "out", "--json").stdout)
    made = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert document["files"] == len(made)
    assert document["bytes"] == sum(path.stat().st_size for path in made)
    told = run("build", "--out", "out")
    assert re.match(rf"Built out/ in [\d.]+ s: {len(made):,} files, ", told.stdout)
    assert f"{document['statements']:,} statements" in told.stdout
    assert f"{document['inferred']:,} that follow" in told.stdout
    assert told.stderr == ""
    for name in re.findall(r"^  (out/\S+)", told.stdout, re.MULTILINE):
        assert (tmp_path / name).exists(), name


def test_sync(run: Run, site: Path) -> None:
    """sync without --write reports and writes nothing: exit 0 where the graph agrees with the site, as text or JSON."""
    document = json.loads(run("sync", str(site), "--json").stdout)
    assert document == {**document, "differences": [], "written": False}
    assert run("sync", str(site)).stdout == "0 differences.\n"


def test_sync_differs(run: Run, site: Path, tmp_path: Path) -> None:
    """sync exits 1 where the site says something else, and names file and line."""
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    page = copy / "pages" / "usecases" / "cancer.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("Informational", "Required", 1), encoding="utf-8")
    document = json.loads(run("sync", str(copy), "--json", code=1).stdout)
    assert len(document["differences"]) >= 1
    told = run("sync", str(copy), code=1).stdout
    assert "pages/usecases/cancer.md:" in told
    assert told.rstrip().endswith("not written: use --write.")


# ---- Bad input ----

BAD: dict[str, tuple[list[str], str]] = {
    "query": (["query", "no-such-question"], "there is no query 'no-such-question'. See `onemg-kg list`"),
    "file": (["query", "missing.rq"], "missing.rq: cannot be read: "),
    "parameter": (["query", "by-role", "--param", "rôle=x"], "has no parameter 'rôle'; it has role."),
    "no value": (["query", "by-role", "--param", "role"], "--param 'role' has no value. Write --param NAME=VALUE."),
    "bad value": (["query", "by-role", "--param", "role=a b"], "'a b' is no IRI for the parameter 'role'"),
    "thing": (["explain", "no such thing"], "nothing is called 'no such thing'."),
    "things": (["explain", "data-discovery"], "more than one thing is called 'data-discovery': "),
    "class": (["list", "no such class"], "no class is called 'no such class'; there are "),
    "site": (["sync", "no-such-site"], "no-such-site"),
    "build over a file": (["build", "--out", "mine.txt"], "mine.txt: is no folder, so it is not replaced."),
    "rows as graph": (["query", "by-role", "--format", "ttl"], "gives rows, not a graph. Use --format table, csv or json."),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(run: Run, tmp_path: Path, name: str) -> None:
    """Bad input gives one clear sentence or two on standard error, nothing on standard output, and exit code 2."""
    words, message = BAD[name]
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    ran = run(*words, code=2)
    assert ran.stdout == ""
    assert ran.stderr.startswith("onemg-kg: ")
    assert ran.stderr.count("\n") == 1
    assert message in re.sub("See `onemg-kg list[^`]*`", "See `onemg-kg list`", ran.stderr)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_bad_sparql(run: Run, file: Callable[[str], str]) -> None:
    """SPARQL that is none is refused with its file and line."""
    path = file("SELECT ?s\nWHERE { ?s ?p ?o }\nLIMIT few\n")
    ran = run("query", path, code=2)
    assert re.match(rf"onemg-kg: {re.escape(path)}:\d: is not SPARQL 1\.1: .*\n$", ran.stderr)


def test_graph_as_rows(run: Run, file: Callable[[str], str]) -> None:
    """A graph cannot be printed as CSV, and the error says what can be."""
    assert "Use --format ttl or json." in run("query", file(GRAPH), "--format", "csv", code=2).stderr


@pytest.mark.parametrize(
    "words", [["build", "--format", "csv"], ["query"], ["nonsense"], ["query", "by-role", "--format", "xml"]]
)
def test_bad_usage(run: Run, words: list[str]) -> None:
    """Words that the program does not know give its usage and exit code 2."""
    assert run(*words, code=2).stderr.startswith("usage: onemg-kg")


@pytest.mark.parametrize("words", [["list"], ["query", "by-role"], ["explain", "beacon"], ["build"]])
def test_no_project(run: Run, tmp_path: Path, words: list[str]) -> None:
    """A folder that is no project is refused with what is missing."""
    ran = run("--project", str(tmp_path), *words, code=2)
    assert f"{tmp_path}: is not a project: it has no folder {', '.join(f'{name}/' for name in FOLDERS)}." in ran.stderr


# ---- On and off a terminal ----


def _start(project: Project, words: list[str], environment: dict[str, str], **streams: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "onemg_kg", "--project", str(project.root), *words]
    return subprocess.Popen(command, env=environment, **streams)


def test_broken_pipe(project: Project, environment: dict[str, str]) -> None:
    """When the reader goes away the program ends quietly."""
    words = ["query", "by-section", "--format", "csv"]
    with _start(project, words, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_no_colour_in_a_pipe(run: Run) -> None:
    """Off a terminal there is neither colour nor progress."""
    for words in (["list"], ["query", "by-level"], ["explain", "beacon"]):
        ran = run(*words)
        assert "\033" not in ran.stdout
        assert ran.stderr == ""
    assert "\033" not in run("explain", "no such thing", code=2).stderr


def _on_terminal(project: Project, words: list[str], environment: dict[str, str]) -> str:
    """What the program writes to a terminal 80 columns wide."""
    ours, its = pty.openpty()
    with _start(project, words, {**environment, "COLUMNS": "80"}, stdout=its, stderr=its) as process:
        os.close(its)
        told = b""
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not some:
                break
            told += some
        assert process.wait() == 0
    os.close(ours)
    return told.decode()


def test_terminal(project: Project, environment: dict[str, str]) -> None:
    """On a terminal there is colour, unless NO_COLOR is set, and a table is no wider than the terminal."""
    words = ["list", "guidance document"]
    assert "\033[1m" in _on_terminal(project, words, environment)
    plain = _on_terminal(project, words, {**environment, "NO_COLOR": "1"})
    assert "\033" not in plain
    assert max(len(line) for line in plain.splitlines()) <= 80


def test_progress(project: Project, environment: dict[str, str], tmp_path: Path) -> None:
    """On a terminal build says what it is doing, and wipes it away at the end."""
    told = _on_terminal(project, ["build", "--out", str(tmp_path / "out")], environment)
    assert "reading ..." in told
    assert "validating ..." in told
    assert told.rpartition("\r\033[K")[2].count("...") == 0


# ---- Start ----


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["list"], ["query", "by-role"], ["explain", "beacon"]])
def test_light_start(project: Project, environment: dict[str, str], tmp_path: Path, words: list[str]) -> None:
    """What is asked often does not wait for libraries that only build and sync need."""
    program = (
        "import sys\nfrom onemg_kg.cli import run\n"
        "try:\n  run(sys.argv[1:])\nexcept SystemExit:\n  pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "--project", str(project.root), *words]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=True)
    assert ran.stderr == "[]\n"


def test_a_kept_graph_needs_no_module_that_makes_one(project: Project, environment: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import sys\nfrom onemg_kg.cli import run\nrun(sys.argv[1:])\n"
        "print([name for name in ('onemg_kg.graph', 'onemg_kg.spool', 'tempfile') if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "--project", str(project.root), "query", "by-level"]
    own = {**environment, "XDG_CACHE_HOME": str(tmp_path / "caches")}
    first, second = (
        subprocess.run(command, capture_output=True, text=True, env=own, cwd=tmp_path, check=True) for _ in range(2)
    )
    assert "onemg_kg.graph" in first.stderr
    assert second.stderr == "[]\n"
    assert second.stdout == first.stdout


def test_help_needs_no_library(environment: dict[str, str]) -> None:
    """The help is there even where nothing that the package depends on is installed."""
    command = [sys.executable, "-S", "-m", "onemg_kg", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("usage: onemg-kg")


def test_serve(project: Project, tmp_path: Path, environment: dict[str, str]) -> None:
    """serve says where it listens, answers with the site and to SPARQL, and ends when it is told to."""
    (tmp_path / "build" / "site" / "data").mkdir(parents=True)
    (tmp_path / "build" / "site" / "index.html").write_text("<!doctype html><title>Here</title>", encoding="utf-8")
    quad = f"<{BASE}a> <{BASE}b> <{BASE}c> <{BASE}graph/d> .\n"
    (tmp_path / "build" / "site" / "data" / "framework.nq").write_text(quad, encoding="utf-8")
    command = [sys.executable, "-m", "onemg_kg", "--project", str(project.root), "serve", "--port", "0", "--timeout", "5"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as server:
        try:
            assert server.stderr is not None
            told = json.loads(next(line for line in server.stderr if '"listening"' in line))
            root = f"http://127.0.0.1:{told['port']}"
            with urlopen(f"{root}/", timeout=20) as answer:
                assert b"Here" in answer.read()
            question = quote("SELECT ?o { ?s ?p ?o }")
            with urlopen(Request(f"{root}/sparql?query={question}", headers={"Accept": "text/csv"}), timeout=20) as answer:
                assert answer.read().decode().split() == ["o", f"{BASE}c"]
        finally:
            server.terminate()
        server.communicate(timeout=30)
    assert server.returncode in (0, -signal.SIGTERM)


def test_serve_without_a_build(run: Run) -> None:
    """Where there is no build, that is said in a sentence."""
    assert run("serve", "--port", "0", code=2).stderr.count("\n") == 1


def test_push_without_a_store(run: Run) -> None:
    """Where no store answers, that is said in a sentence."""
    told = run("push", "http://127.0.0.1:9", "--retries", "0", "--timeout", "2", code=2).stderr
    assert told.startswith("onemg-kg: ")
    assert told.count("\n") == 1
