"""Where the four folders of a graph are found."""

import shutil
from pathlib import Path

import pytest

from onemg_kg import project as projects
from onemg_kg.errors import ProjectError


def _folders(root: Path) -> Path:
    for name in projects.FOLDERS:
        (root / name).mkdir(parents=True)
    return root


def test_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder inside a checkout, that checkout is the project, not the one of the package."""
    root = _folders(tmp_path / "checkout")
    inside = root / "data" / "resources"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert projects.find().root == root


def test_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no folder upwards is a project, the graph that came with the package is."""
    monkeypatch.chdir(tmp_path)
    found = projects.find()
    assert all(found.folder(name).is_dir() for name in projects.FOLDERS)
    assert not found.root.is_relative_to(tmp_path)


@pytest.mark.parametrize("name", projects.FOLDERS)
def test_missing_folder(tmp_path: Path, name: str) -> None:
    """A named folder that lacks one of the four is refused, with the one that is missing and how to mend it."""
    shutil.rmtree(_folders(tmp_path / "checkout") / name)
    with pytest.raises(ProjectError, match=f"no folder {name}/") as caught:
        projects.find(tmp_path / "checkout")
    assert caught.value.source == str(tmp_path / "checkout")
    assert caught.value.fix


def test_sorted_by_path(tmp_path: Path) -> None:
    """Files come by path, whatever the order in which they were made, with folders below included."""
    project = projects.find(_folders(tmp_path))
    for name in ("b/z.ttl", "a.ttl", "b/a.ttl", "c.txt", "B.ttl"):
        path = tmp_path / "data" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [project.relative(path) for path in project.files("data", suffix=".ttl")]
    assert found == ["data/B.ttl", "data/a.ttl", "data/b/a.ttl", "data/b/z.ttl"]
