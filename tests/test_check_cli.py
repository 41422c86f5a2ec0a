"""The command `check`: what it prints, and its exit code."""

import json
import shutil
from pathlib import Path

import pytest

from onemg_kg import check, cli, reports
from onemg_kg.cli import arguments
from onemg_kg.findings import SEVERITIES
from onemg_kg.project import FOLDERS, Project


@pytest.fixture(scope="module")
def copy(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a violation in a resource."""
    root = tmp_path_factory.mktemp("copy")
    for name in FOLDERS:
        shutil.copytree(project.folder(name), root / name)
    path = root / "data" / "resources" / "beacon.ttl"
    path.write_text(path.read_text(encoding="utf-8").replace("dcterms:title", "dcterms:titel"), encoding="utf-8")
    return root


def test_the_project(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The project itself has nothing to mend: neither violation nor warning."""
    options = ["--project", str(project.root), "check", "--only", "terms,shapes,meaning"]
    assert cli.run([*options, "--fail-on", "warning"]) == 0
    assert cli.run([*options, "--fail-on", "info", "--format", "json"]) == 1
    told = capsys.readouterr().out
    assert "Fix: " in told
    assert "\033" not in told


def test_violation(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A violation is told with file, line and fix, and exits with 1."""
    assert cli.run(["--project", str(copy), "check", "--only", "terms,shapes"]) == 1
    told = capsys.readouterr().out
    assert "data/resources/beacon.ttl" in told
    assert "dcterms:titel is no term of its vocabulary." in told
    assert "A resource has exactly one title, in English." in told


def test_only(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A kind of check can be run alone."""
    cli.run(["--project", str(copy), "check", "--only", "terms", "--format", "json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["rule"].rpartition("/")[2] for finding in findings} == {"unknown-borrowed-term"}


def test_cannot_check(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no project, or no Turtle, cannot be checked: exit 2."""
    assert cli.run(["--project", str(tmp_path), "check"]) == 2
    broken = copy / "data" / "broken.ttl"
    broken.write_text("no Turtle", encoding="utf-8")
    try:
        assert cli.run(["--project", str(copy), "check"]) == 2
    finally:
        broken.unlink()
    assert "data/broken.ttl:1: is not Turtle" in capsys.readouterr().err


def test_bad_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """A kind that does not exist is refused."""
    with pytest.raises(SystemExit, match="2"):
        cli.run(["check", "--only", "spelling"])
    assert "names none of terms" in capsys.readouterr().err


def test_names_agree() -> None:
    """What the command line offers is what the modules have."""
    assert (tuple(reports.REPORTS), SEVERITIES, check.KINDS) == (arguments.REPORTS, arguments.SEVERITIES, arguments.KINDS)
