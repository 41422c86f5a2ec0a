"""Where the four folders of the graph are: a checkout, an installed wheel, or a folder the user names."""

from pathlib import Path
from typing import NamedTuple

from onemg_kg import __version__
from onemg_kg.errors import ProjectError

FOLDERS = ("ontology", "data", "shapes", "queries")


class Project(NamedTuple):
    """The source of one knowledge graph.

    Attributes:
        root: the folder that holds ``ontology/``, ``data/``, ``shapes/`` and ``queries/``.
        version: the version of the graph that a build of these folders publishes (semantic versioning 2.0.0).
    """

    root: Path
    version: str

    def folder(self, name: str) -> Path:
        """One of the four folders, by its name."""
        return self.root / name

    def files(self, *parts: str, suffix: str) -> list[Path]:
        """Every file with ``suffix`` below the folder ``parts``, sorted by path so that order never depends on the disk."""
        return sorted(self.root.joinpath(*parts).rglob(f"*{suffix}"))

    def relative(self, path: Path) -> str:
        """``path`` as a POSIX path below the root: how messages and named graphs call a file."""
        return path.relative_to(self.root).as_posix()

    def content(self, path: Path) -> bytes:
        """What a file holds.

        Raises:
            ProjectError: it cannot be read.
        """
        try:
            return path.read_bytes()
        except OSError as error:
            fix = "Mend it or take it away."
            raise ProjectError(f"cannot be read: {error.strerror}.", source=self.relative(path), fix=fix) from None


def find(root: Path | None = None) -> Project:
    """Find the project to work on.

    Args:
        root: the folder the user named, if any. Else the first folder that holds the four folders, from the current one
            upwards; else what was installed with the package.

    Raises:
        ProjectError: the folder that the user named lacks one of the four folders.
    """
    if root is not None:
        missing = [name for name in FOLDERS if not (root / name).is_dir()]
        if missing:
            raise ProjectError(
                f"is not a project: it has no folder {', '.join(name + '/' for name in missing)}.",
                source=str(root),
                fix="Name the folder that holds " + ", ".join(name + "/" for name in FOLDERS) + ".",
            )
        return Project(root.resolve(), __version__)
    here = Path.cwd()
    package = Path(__file__).resolve().parent
    for candidate in (here, *here.parents, package.parent, package / "_share"):
        if all((candidate / name).is_dir() for name in FOLDERS):
            return Project(candidate, __version__)
    raise ProjectError(
        "no folder from here upwards holds " + ", ".join(name + "/" for name in FOLDERS) + ", and the package has none.",
        source=str(here),
        fix="Go to a checkout of onemg-kg or name one with --project.",
    )
