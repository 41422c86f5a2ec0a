"""The same queries on stores elsewhere: the same rows, but for the differences that docs/stores.md names."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pyoxigraph as ox
import pytest

from onemg_kg import build, checks, cli, facets, markup, push, queries, questions, remote, views
from onemg_kg.client import Client, Credentials, Endpoint, Retries, StoreError
from onemg_kg.errors import QueryError
from onemg_kg.findings import Places
from onemg_kg.graph import Graph
from onemg_kg.project import Project
from onemg_kg.push.dataset import canonical
from onemg_kg.store import Queryable, Store
from onemg_kg.terms import BASE, text

NO_RETRY = Retries(number=0)
ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "stores.md"
KINDS = ("questions", "views", "facets", "lists", "pictures", "publication", "checks/data", "markup")
"""The folders of queries that ask about the graph. The others ask about a store, or about the Framework's site."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], folder: Path, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that answers queries at a URL."""
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, (folder / "out").read_text()
            assert time.monotonic() < deadline, f"{url} does not answer"
            with suppress(URLError, ConnectionError, TimeoutError), urlopen(url + "?query=ASK%7B%7D", timeout=5):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


def program(name: str, package: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name, path="/usr/sbin:" + (os.environ.get("PATH", "")))
    if found is None:
        pytest.skip(f"no {name} on the PATH ({package}), so nothing is asked of it")
    return found


def oxigraph(folder: Path, port: int, command: str = "serve") -> list[str]:
    return [program("oxigraph", "PyPI: oxigraph"), command, "--location", str(folder / "data"), "--bind", f"127.0.0.1:{port}"]


@pytest.fixture(scope="module")
def dataset(loaded: Graph) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for quad in (*loaded.stated, *loaded.inferred):
        assert isinstance(quad.graph_name, ox.NamedNode)
        found.setdefault(quad.graph_name.value, []).append(f"{quad.triple} .\n")
    return {name: canonical(lines) for name, lines in sorted(found.items())}


@pytest.fixture(scope="module")
def oxigraph_url(
    project: Project, dataset: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """An Oxigraph to which the graph was pushed, and its folder."""
    folder, port = tmp_path_factory.mktemp("oxigraph"), free_port()
    url = f"http://127.0.0.1:{port}"
    with running(oxigraph(folder, port), folder, url + "/query"):
        push.push(project, Client(push.find(url, None, None, Credentials())), dataset)
        yield url, folder


INI = Path(__file__).with_name("virtuoso.ini").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def virtuoso_url(dataset: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A Virtuoso that holds the graph, and its folder."""
    folder, port = tmp_path_factory.mktemp("virtuoso"), free_port()
    (folder / "virtuoso.ini").write_text(INI.format(folder=folder, sql=free_port(), port=port, rows=10000))
    command = [program("virtuoso-t", "Debian: virtuoso-opensource-7-bin"), "-f", "-c", str(folder / "virtuoso.ini")]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder, url + "/sparql"):
        login = Credentials("dba", "dba")
        client = Client(push.find(url, None, None, login), login)
        for name, lines in dataset.items():
            client.add(name, "".join(lines), first=True)
        yield url, folder


def known(store: str) -> dict[str, str]:
    """The differences that the documentation names: query and kind."""
    rows = re.findall(r"^\| (\S+) \| `([^`]+)` \| (\w+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {query: kind for name, query, kind in rows if name == store}


def difference(query: queries.Query, here: Queryable, there: Queryable) -> str:
    """``fails``, ``rows`` (as a multiset), ``order`` (where the query asks for one), or nothing."""
    if query.kind == "views" and (found := _difference(page(query, here), here, there)):
        return found
    return _difference(query.bind({name: query.term(name, value) for name, value in query.examples.items()}), here, there)


def page(view: queries.Query, here: Queryable) -> str:
    """The second page of a view for the group that comes last."""
    (parameter,) = view.parameters
    column = "subgroup" if view.name == "by-section" else "group"
    value = [row[column] for row in here.select(view.text).records() if row[column] and row["resource"]][-1]
    return view.bind({parameter: view.term(parameter, text(value))}, queries.Page(2, 3))


def _difference(text: str, here: Queryable, there: Queryable) -> str:
    try:
        if here.is_construct(text):
            return "" if set(here.construct(text)) == set(there.construct(text)) else "rows"
        one, two = here.select(text), there.select(text)
    except StoreError:
        return "fails"
    assert one.variables == two.variables
    if Counter(one.rows) != Counter(two.rows):
        return "rows"
    return "order" if "ORDER BY" in text and one.rows != two.rows else ""


def differences(project: Project, here: Queryable, there: Queryable) -> dict[str, str]:
    found = {
        f"{kind}/{query.name}": difference(query, here, there) for kind in KINDS for query in queries.folder(project, kind)
    }
    assert len(found) >= 100
    return {name: what for name, what in found.items() if what}


def test_oxigraph(project: Project, loaded: Graph, oxigraph_url: tuple[str, Path]) -> None:
    there = remote.find(oxigraph_url[0], retries=NO_RETRY)
    assert differences(project, loaded.store, there) == known("Oxigraph")
    assert views.collect(project, there) == views.collect(project, loaded.store)
    assert questions.answers(project, there) == questions.answers(project, loaded.store)
    assert facets.collect(project, there) == facets.collect(project, loaded.store)
    assert markup.of_all(project, there) == markup.of_all(project, loaded.store)
    assert remote.check(project, there) == checks.run(checks.folder(project, "data"), loaded.store, Places(()))


@pytest.mark.slow
def test_virtuoso(project: Project, loaded: Graph, virtuoso_url: tuple[str, Path]) -> None:
    url = virtuoso_url[0]
    there = remote.find(url, retries=NO_RETRY)
    assert differences(project, loaded.store, there) == known("Virtuoso")
    here, made = build.export(project, loaded.store, "").files, build.export(project, there, url).files
    differing = {Path(name).stem.removeprefix("onemg_").replace("_", "-") for name in here if made[name] != here[name]}
    assert differing == {name.partition("/")[2] for name in known("Virtuoso") if name.startswith(("views/", "questions/"))}
    with_login = remote.find(url, Credentials("dba", "dba"), NO_RETRY)
    asked = "SELECT ?s WHERE { ?s a <https://w3id.org/oneplusmg/ns#Standard> } ORDER BY ?s"
    assert with_login.select(asked) == loaded.store.select(asked)
    with pytest.raises(StoreError, match=r"cuts the answer to query off \(ResultSetMaxRows\)"):
        there.select("SELECT * WHERE { ?s ?p ?o }")


def test_terms_are_those_of_our_store_and_documents_too(oxigraph_url: tuple[str, Path]) -> None:
    there = remote.find(oxigraph_url[0], retries=NO_RETRY)
    text = 'SELECT * WHERE { VALUES (?a ?b) { (<urn:x> "é,\\"\\n"@en-GB) (1.50 UNDEF) ("2"^^<urn:y> true) } }'
    assert there.select(text) == Store().select(text)
    for form in ("csv", "json"):
        assert there.results(text, form) == Store().results(text, form)
        assert there.results("ASK {}", "csv") == Store().results("ASK {}", "csv")
    assert there.select("SELECT (BNODE() AS ?b) WHERE {}").rows[0][0] is not None
    assert "bnode" in there.results("SELECT (BNODE() AS ?b) WHERE {}", "json")


def test_the_command_line_asks_it(oxigraph_url: tuple[str, Path], project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """query and check ask a store elsewhere, and say the same as of the files."""
    url, _ = oxigraph_url
    asked = ["--project", str(project.root), "query", "required-of-every-node", "--format", "csv"]
    assert cli.run(asked) == 0
    here = capsys.readouterr().out
    assert cli.run([*asked, "--store", url]) == 0
    assert capsys.readouterr().out == here
    assert here.count("\n") > 20
    assert cli.run(["--project", str(project.root), "check", "--store", url]) == 0
    assert cli.run(["--project", str(project.root), "check", "--store", url, "--only", "shapes"]) == 2
    assert "checks meaning alone" in capsys.readouterr().err


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_views_are_built_from_it(
    oxigraph_url: tuple[str, Path], project: Project, built: build.Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """build --store writes the same bytes as a build from the files does."""
    url, _ = oxigraph_url
    out = tmp_path / "views"
    asked = ["--project", str(project.root), "build", "--store", url]
    assert cli.run([*asked, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    written = files(out)
    assert (told["files"], told["bytes"]) == (len(written), sum(map(len, written.values())))
    manifest = json.loads(written.pop("manifest.json"))["files"]
    assert {name: entry["sha256"] for name, entry in manifest.items()} == {
        name: sha256(content).hexdigest() for name, content in written.items()
    }
    assert written == {
        name: content for name, content in built.files.items() if name.startswith(("views/", "questions/", "jekyll/"))
    }
    assert cli.run([*asked, "--out", str(out)]) == 0
    assert files(out).keys() == {*written, "manifest.json"}
    assert capsys.readouterr().out.startswith("Built ")


def test_what_is_not_built_from_it(oxigraph_url: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What would replace something else, or be something else, is said; nothing is written."""
    (tmp_path / "whole" / "site").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    url = oxigraph_url[0]
    port = free_port()
    (tmp_path / "other").mkdir()
    other = f"http://127.0.0.1:{port}"
    with running(oxigraph(tmp_path / "other", port), tmp_path / "other", other + "/query"):
        headers = {"Content-Type": "application/n-triples"}
        with urlopen(Request(f"{other}/store?graph=urn:g", b"<urn:a> <urn:b> <urn:c> .", headers), timeout=10):
            pass
        for more, sentence in (
            (["--store", url], "--out"),
            (["--store", url, "--out", "new", "--origin", "https://x.example"], "writes no site"),
            (["--store", url, "--out", str(tmp_path / "whole")], "holds a whole build"),
            (["--store", url, "--out", str(tmp_path / "mine")], "holds files but no build"),
            (["--store", other, "--out", str(tmp_path / "new")], "does not hold the graph. Push a build"),
            (["--store", f"http://127.0.0.1:{free_port()}", "--out", str(tmp_path / "new")], "cannot be reached"),
        ):
            assert cli.run(["build", *more]) == 2, more
            assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_asked(oxigraph_url: tuple[str, Path]) -> None:
    url = oxigraph_url[0]
    there = remote.find(url + "/query", retries=NO_RETRY)
    with pytest.raises(QueryError, match="is not SPARQL"):
        there.select("SELECT nonsense")
    with pytest.raises(QueryError, match="gives a graph where rows"):
        there.select("CONSTRUCT WHERE { ?s ?p ?o }")
    with pytest.raises(QueryError, match="gives rows where a graph"):
        there.construct("ASK {}")
    with pytest.raises(StoreError, match="answers no query"):
        remote.find(url + "/nowhere", retries=NO_RETRY)
    with pytest.raises(StoreError, match="cannot be reached"):
        remote.find(f"http://127.0.0.1:{free_port()}", retries=NO_RETRY)


def test_what_the_default_graph_is(tmp_path: Path) -> None:
    """A store that is empty is told; one whose default graph is full is asked as it is, so nothing counts twice."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(oxigraph(tmp_path, port), tmp_path, url + "/query"):
        with pytest.raises(StoreError, match="onemg-kg push"):
            remote.find(url, retries=NO_RETRY)
        count = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
        for graph in (f"graph={BASE}graph/a", "default"):
            headers = {"Content-Type": "application/n-triples"}
            with urlopen(Request(f"{url}/store?{graph}", b"<urn:a> <urn:b> <urn:c> .", headers), timeout=10):
                pass
            assert remote.find(url, retries=NO_RETRY).select(count).rows == [(ox.Literal(1),)]


# Our server before a store


@contextmanager
def serving(folder: Path, url: str, *more: str) -> Iterator[str]:
    """Our server, as the command starts it, with no graph of its own, before a store."""
    site = folder / "build" / "site"
    (site / "data").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>x</title>")
    (site / "data" / "framework.nq").touch()
    program = [sys.executable, "-m", "onemg_kg"]
    command = [*program, "--project", str(ROOT), "serve", "--build", str(site.parent), "--port", "0", "--store", url, *more]
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stderr=out)
    try:
        deadline = time.monotonic() + 60
        while '"answers": true' not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{json.loads(log.read_text().splitlines()[0])['port']}"
    finally:
        process.terminate()
        process.wait()
    assert process.returncode == 0


def test_our_server_before_oxigraph(project: Project, loaded: Graph, oxigraph_url: tuple[str, Path], tmp_path: Path) -> None:
    """Every query gives through it what it gives here, and the API knows what the store holds."""
    with serving(tmp_path, oxigraph_url[0]) as url:
        there = remote.find(url + "/sparql", retries=NO_RETRY)
        assert differences(project, loaded.store, there) == known("Oxigraph")
        with urlopen(url + "/api/resources?level=required&size=1", timeout=30) as answer:
            said = json.load(answer)
    (required,) = (
        choice for facet in facets.collect(project, loaded.store) for choice in facet.choices if choice.slug == "required"
    )
    assert said["total"] == len(required.members) > 20


@pytest.mark.slow
def test_our_server_before_virtuoso(project: Project, loaded: Graph, virtuoso_url: tuple[str, Path], tmp_path: Path) -> None:
    (file := tmp_path / "credentials").write_text("ONEMG_STORE_USER=dba\nONEMG_STORE_PASSWORD=dba\n")
    file.chmod(0o600)
    with serving(tmp_path, virtuoso_url[0], "--credentials", str(file)) as url:
        there = remote.find(url + "/sparql", retries=NO_RETRY)
        assert differences(project, loaded.store, there) == known("Virtuoso")
        with pytest.raises(StoreError, match=r"422.*cuts the answer"):
            there.select("SELECT * WHERE { ?s ?p ?o }")


# Read replicas behind nginx


def test_read_replicas(project: Project, loaded: Graph, oxigraph_url: tuple[str, Path], tmp_path: Path) -> None:
    """The set-up of docs/stores.md: a question is answered while one of two replicas lives."""
    nginx = program("nginx", "Debian: nginx")
    config = DOCUMENT.read_text(encoding="utf-8").split("```nginx\n")[1].split("```")[0]
    first, second, front = free_port(), free_port(), free_port()
    for named, port in (("127.0.0.1:7881", first), ("127.0.0.1:7882", second), ("127.0.0.1:7880", front)):
        assert named in config
        config = config.replace(named, f"127.0.0.1:{port}")
    paths = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/error.log;\ndaemon off;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}{config}}}\n"
    )
    source = oxigraph_url[0]
    (dump := tmp_path / "dump.nq").write_bytes(
        urlopen(Request(source + "/store", headers={"Accept": "application/n-quads"}), timeout=60).read()
    )
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        load = [program("oxigraph", "PyPI: oxigraph"), "load", "--location", str(tmp_path / name / "data"), "--file", str(dump)]
        subprocess.run(load, check=True, capture_output=True)
    (query,) = (query for query in queries.folder(project, "questions") if query.name == "required-of-every-node")
    wanted = loaded.store.select(query.text)
    with ExitStack() as stack:
        one, _ = [
            stack.enter_context(
                running(oxigraph(tmp_path / name, port, "serve-read-only"), tmp_path / name, f"http://127.0.0.1:{port}/query")
            )
            for name, port in (("one", first), ("two", second))
        ]
        (tmp_path / "front").mkdir()
        command = [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        stack.enter_context(running(command, tmp_path / "front", f"http://127.0.0.1:{front}/query"))
        there = remote.find(f"http://127.0.0.1:{front}", retries=NO_RETRY)
        assert there.select(query.text) == wanted
        one.kill()
        one.wait()
        for _ in range(4):
            assert there.select(query.text) == wanted


# A store of another make

ENDPOINT = """\
use RDF::Endpoint; use RDF::Trine; use Plack::Request;
my $model = RDF::Trine::Model->new(RDF::Trine::Store::Memory->new());
my $settings = { update => 1, load_data => 0, service_description => { default => 0, named_graphs => 0 }, html => {} };
my $endpoint = RDF::Endpoint->new($model, { endpoint => $settings });
sub { $endpoint->run(Plack::Request->new(shift))->finalize };
"""


def test_rdf_endpoint(tmp_path: Path) -> None:
    """It is too slow for the real graph: some statements only. Its default graph is no union, which is told."""
    plackup = program("plackup", "Debian: librdf-endpoint-perl")
    if subprocess.run(["perl", "-MRDF::Endpoint", "-e1"], capture_output=True, check=False).returncode:
        pytest.skip("no RDF::Endpoint (Debian: librdf-endpoint-perl), so nothing is asked of it")
    (tmp_path / "endpoint.psgi").write_text(ENDPOINT)
    port = free_port()
    url = f"http://127.0.0.1:{port}/sparql"
    with running([plackup, "-E", "deployment", "--host", "127.0.0.1", "--port", str(port), "endpoint.psgi"], tmp_path, url):
        triples = [f'<urn:s{i}> <urn:p> "{i}"^^<http://www.w3.org/2001/XMLSchema#integer> .' for i in range(3)]
        client = Client(Endpoint(url, url))
        client.update(f"INSERT DATA {{ GRAPH <urn:g> {{ {' '.join(triples)} }} }}")
        with pytest.raises(StoreError, match="union of its named graphs"):
            remote.find(url, retries=NO_RETRY)
        client.update(f"INSERT DATA {{ {' '.join(triples)} }}")
        here = Store(ox.parse("\n".join(line[:-1] + "<urn:g> ." for line in triples), ox.RdfFormat.N_QUADS))
        there = remote.find(url, retries=NO_RETRY)
        for text in ("SELECT ?s ?o WHERE { ?s <urn:p> ?o } ORDER BY DESC(?o)", "ASK { ?s <urn:p> 2 }", "ASK { ?s <urn:q> ?o }"):
            assert there.select(text) == here.select(text)
        text = "CONSTRUCT { ?s <urn:q> ?o } WHERE { GRAPH ?g { ?s <urn:p> ?o } }"
        assert set(there.construct(text)) == set(here.construct(text))
