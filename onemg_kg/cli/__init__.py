"""The command line: the only module that prints, exits and reads the environment."""

import gc
import os
import sys
from collections.abc import Sequence

from onemg_kg import __version__
from onemg_kg.cli.terminal import paint
from onemg_kg.errors import InvalidGraph, OnemgError

# Whatever is not needed to print the help is imported where it is used: `dataclasses` alone takes as long as Python to start,
# `typing` and `pathlib` each half of that.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from onemg_kg.cache import Opening

_COMMANDS = {
    "build": "publishing",
    "serve": "publishing",
    "push": "publishing",
    "check": "editing",
    "audit": "editing",
    "sync": "editing",
    "list": "asking",
    "query": "asking",
    "explain": "asking",
}
"""In which module each command is: the function of its name with an underscore."""
_CHANGING = {"onemg_kg.cli.publishing", "onemg_kg.cli.editing"}
"""The modules of the commands that do more than answer."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after the program's name; those of the process if ``None``.

    Returns:
        The exit code: 0 done; 1 the site differs, or the graph is invalid; 2 it could not be done.
    """
    words = sys.argv[1:] if arguments is None else arguments
    opening = _open_ahead(words)
    try:
        return _run(words, opening)
    finally:
        if opening is not None:
            opening.wait()


def _open_ahead(words: Sequence[str]) -> "Opening | None":
    """Begin to open the cache where the words look like a query of the files: what comes before it takes as long."""
    if "query" not in words or not {"-h", "--help", "--store"}.isdisjoint(words):
        return None
    from onemg_kg import cache

    return cache.open_last(cache.place(os.environ))


def _run(words: Sequence[str], opening: "Opening | None") -> int:
    from onemg_kg.cli.arguments import parser

    asked = parser()
    options = asked.parse_args(words)
    options.opening = opening
    try:
        if options.version:
            print(f"onemg-kg {__version__}")
            return 0
        if options.command is None:
            asked.print_help()
            return 2
        from importlib import import_module

        from onemg_kg.project import find

        module = import_module(f"onemg_kg.cli.{_COMMANDS[options.command]}")
        if module.__name__ in _CHANGING:
            gc.enable()
        code: int = getattr(module, f"{options.command}_")(find(options.project), options)
        return code
    except OnemgError as error:
        print(paint("onemg-kg:", "31"), error, file=sys.stderr)
        return 1 if isinstance(error, InvalidGraph) else 2


def main() -> "NoReturn":
    """The program: run the command of the process and exit with its code."""
    gc.disable()  # whoever only asks leaves too little garbage to look for it
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`onemg-kg list | head`): nothing is wrong, and nothing more is to be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = 130
    if not _CHANGING & sys.modules.keys():
        # Whoever only asks leaves nothing to be put in order, and to take Python down takes longer than many an answer.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
