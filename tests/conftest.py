"""What several test modules need: this checkout as a project, its graph, and the Framework's site where it is at hand."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import settings

from onemg_kg import build, graph
from onemg_kg.graph import Graph
from onemg_kg.project import Project, find

settings.register_profile("here", deadline=None)  # a busy machine is no failure
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Project:
    """This checkout. Nothing may write to it."""
    return find(ROOT)


@pytest.fixture(scope="session")
def loaded(project: Project) -> Graph:
    """The graph of this checkout, with what follows from it. Nothing may add to it."""
    return graph.load(project)


@pytest.fixture(scope="session")
def built(project: Project) -> build.Built:
    """A build of this checkout. Nothing may change it."""
    return build.make(project)


@pytest.fixture(scope="session")
def published(built: build.Built) -> dict[str, bytes]:
    """The files of the web site of that build, by path."""
    return {path: b"".join(pieces) for path, pieces in built.pages()}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed, so no page is opened in a browser")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed, so no page is opened in a browser")
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Nothing: the tests have their own words."""


@pytest.fixture(scope="session")
def serve_folder() -> Iterator[Callable[..., str]]:
    """Serves a folder on this machine: ``serve_folder(folder, handler)`` gives its address."""
    with ExitStack() as stack:

        def serve(folder: Path, handler: type[SimpleHTTPRequestHandler] = Quiet) -> str:
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))))
            thread = Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}/"

        yield serve


@pytest.fixture
def open_tab(browser: Any) -> Callable[..., AbstractContextManager[Any]]:
    """Opens a tab whose console must stay empty, and which may ask no other host: ``open_tab(address, width, height)``."""

    @contextmanager
    def tab(address: str, width: int, height: int) -> Iterator[Any]:
        wrong: list[str] = []
        asked: set[str] = set()
        with browser.new_context(viewport={"width": width, "height": height}, base_url=address) as context:
            page = context.new_page()
            page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            context.on("request", lambda request: asked.add(request.url))
            yield page
        assert wrong == []
        assert [url for url in asked if not url.startswith((address, "data:", "blob:", "file:"))] == []

    return tab


@pytest.fixture(scope="session")
def site(project: Project) -> Path:
    """A checkout of the Framework's site, which stands beside this one and is no part of it."""
    path = project.root.parent / "shared" / "framework-site"
    if not (path / "_config.yml").is_file():
        pytest.skip("the Framework's site is not at ../shared/framework-site, so nothing can be compared with it")
    return path


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[..., Path]:
    """Makes a checkout of a site of the theme: ``make_site({"a.md": text or bytes}, configuration)``."""

    def make(files: Mapping[str, str | bytes], config: str = "url: https://site.example") -> Path:
        root = tmp_path / "site"
        for name, content in {"_config.yml": config, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return make
