"""Comunica asks our endpoint and that of a data portal at once: the query of docs/federation.md."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pyoxigraph as ox
import pytest

from onemg_kg.graph import Graph
from onemg_kg.store import Store

ROOT = Path(__file__).resolve().parents[1]
COMUNICA = ROOT / "tests" / "npm" / "node_modules" / "@comunica" / "query-sparql" / "bin" / "query.js"
FOLDER = ROOT / "docs" / "federation"


@contextmanager
def started(command: list[str], log: Path, url: str) -> Iterator[None]:
    """A program that answers at a URL."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"{url} does not answer"
            with suppress(URLError, ConnectionError, TimeoutError), urlopen(url, timeout=5):
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_comunica_joins_a_portal_with_the_framework(loaded: Graph, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not COMUNICA.is_file():
        pytest.skip("Comunica is not installed (make test does it, where npm is), so nothing is federated")
    beside = Path(sys.executable).with_name("oxigraph")
    oxigraph = str(beside) if beside.is_file() else shutil.which("oxigraph")
    if oxigraph is None:
        pytest.skip("no oxigraph on the PATH (PyPI: oxigraph), so there is no portal to federate with")
    site = tmp_path / "build" / "site"
    (site / "data").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>x</title>")
    quads = [*loaded.stated, *loaded.inferred]
    (site / "data" / "framework.nq").write_bytes(ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b"")
    ours, theirs = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    serve = [sys.executable, "-m", "onemg_kg", "serve", "--build", str(site.parent), "--port", ours.rpartition(":")[2]]
    portal = [oxigraph, "serve", "--location", str(tmp_path / "portal"), "--bind", theirs.removeprefix("http://")]
    catalogue = (FOLDER / "portal.ttl").read_bytes()
    file = FOLDER / "conforming-datasets.rq"
    with (
        started(serve, tmp_path / "ours", ours + "/readyz"),
        started(portal, tmp_path / "theirs", theirs + "/query?query=ASK%7B%7D"),
    ):
        with urlopen(Request(theirs + "/store?default", catalogue, {"Content-Type": "text/turtle"}), timeout=10):
            pass
        sources = [f"sparql@{ours}/sparql", f"sparql@{theirs}/query"]
        asked = [node, str(COMUNICA), *sources, "--file", str(file), "-t", "application/sparql-results+json"]
        ran = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)["results"]["bindings"]
    rows = [tuple(row[name]["value"] for name in ("dataset", "resource", "label", "page")) for row in found]
    both = Store([*quads, *ox.parse(catalogue, format=ox.RdfFormat.TURTLE)])
    assert rows == [tuple(str(term.value) for term in row if term) for row in both.select(file.read_text()).rows]
    assert len({dataset for dataset, *_ in rows}) == 2
    log = (tmp_path / "ours").read_text()  # the server has ended, so it has written all that it held back
    answered = [json.loads(line) for line in log.splitlines() if '"path": "/sparql"' in line]
    assert answered
    assert {entry["status"] for entry in answered} == {200}
