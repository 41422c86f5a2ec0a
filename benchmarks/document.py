"""The document of the benchmarks, docs/benchmarks.md, and its charts, from what the parts told. It measures nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import charts
import core
import pages
import serve
import start
import stores
import validate
from report import number, table

Told = dict[str, Any]
PAGE = "views/page"
"""The kind of query of the scale part that asks for a page."""
LARGE = 10_000_000
"""From so many statements on a graph counts as large; a target is of the smallest in which it was measured."""
HEAD = """# Benchmarks

Written by `make bench` from `benchmarks/results/`: do not edit it. Every figure of the documentation
is here. Compare within one table: what stands there was measured in one run, on one machine, in turns. Seconds depend on the
machine and on what else it does, ratios less: another processor moves them too.

```sh
make bench                                    # half an hour on two cores that have nothing else to do
make bench BENCH=full                         # every repeat and the largest graphs: many hours
make bench BENCH="usual --only start serve"   # some parts; the others keep their figures
```

It needs Linux and `wrk` and `curl` (Debian). What it compares with is installed into `.bench/`, at fixed versions; Jena
(`libapache-jena-java`) and Virtuoso (`virtuoso-opensource-7-bin`) are Debian's. What is missing is left out, which is said
here. [benchmarks/README.md](../benchmarks/README.md) says what each part measures; `python benchmarks/PART.py --help` how to
run it alone. Sizes count the real graph: 10x is a graph of its shape, ten times as large.
"""


@dataclass(frozen=True)
class Target:
    """What was asked for, and what was measured.

    Attributes:
        what: the quantity.
        wanted: the target, in words.
        measured: in words; ``None`` where it was not measured.
        met: whether it is met.
    """

    what: str
    wanted: str
    measured: str | None
    met: bool


def least(what: str, unit: str, wanted: float, value: float | None) -> Target:
    """A target that a figure must reach."""
    measured = None if value is None else f"{number(value)}{unit}"
    return Target(what, f"at least {wanted:g}{unit}", measured, value is not None and value >= wanted)


def most(what: str, unit: str, wanted: float, value: float | None) -> Target:
    """A target that a figure must not exceed."""
    measured = None if value is None else f"{number(value)}{unit}"
    return Target(what, f"at most {wanted:g}{unit}", measured, value is not None and value <= wanted)


def start_targets(figures: Told) -> Iterator[Target]:
    """How fast the command line starts."""
    cases = figures.get("cases", {})
    for name in ("onemg-kg --help", "onemg-kg query"):
        value = cases[name]["wall"] - cases[start.BARE]["wall"] if {name, start.BARE} <= cases.keys() else None
        yield most(f"`{name}`, beyond bare Python", " ms", 70, value)


def core_targets(figures: Told) -> Iterator[Target]:
    """How fast the core of the build is."""
    yield most("core of the build, real graph", " s", 1, figures.get("onemg-kg", {}).get("all", [None])[0])


def validate_targets(figures: Told) -> Iterator[Target]:
    """How fast SHACL is beside pySHACL, with the same findings."""
    rows = [row for row in figures.get("rows", ()) if (row["size"], row["engine"]) == (100, "shacl") and not row["failed"]]
    value = rows[0]["times"] if rows and validate.same(rows[0]) == "yes" else None
    yield least("SHACL at 100x with the findings of pySHACL, times as fast", " times", 100, value)


def serve_targets(figures: Told) -> Iterator[Target]:
    """How fast the server is beside others, and how steady."""
    for size in ("1", "100"):
        told: Told = figures.get("sizes", {}).get(size, {})
        navigation = {name: one["times"] for name, one in told.get("navigation", {}).items()}
        loads = {(one["query"], one["server"]): one for one in told.get("queries", ())}
        mine, cached, endpoint = (navigation.get(name) for name in ("onemg-kg, no cache", "onemg-kg, cache", "rdflib-endpoint"))
        yield least(f"navigation queries at {size}x, no cache, requests/s beside Oxigraph's server", " times", 1, mine)
        page = loads.get(("a page", "onemg-kg, no cache"), {}).get("times")
        yield least(f"cheap query of a page at {size}x, no cache, requests/s beside Oxigraph's server", " times", 1, page)
        yield least(f"repeated navigation queries at {size}x, requests/s beside Oxigraph's server", " times", 8, cached)
        again = loads.get(("a page", "onemg-kg, cache"), {}).get("times")
        yield least(f"repeated cheap query of a page at {size}x, requests/s beside Oxigraph's server", " times", 8, again)
        ratio = mine / endpoint if mine and endpoint else None
        yield least(f"navigation queries at {size}x, no cache, requests/s beside rdflib-endpoint", " times", 20, ratio)
        ours = [one for one in loads.values() if one["server"] == "onemg-kg, no cache" and one["median"]]
        spread = max((one["p99"] / one["median"] for one in ours), default=None)
        yield most(f"99th percentile beside the median at {size}x, no cache, the worst query", " times", 5, spread)
        if size == "1":
            site = told.get("page", {})
            ratio = site["onemg-kg"]["rate"] / site["bare ASGI"]["rate"] if len(site) == 2 else None
            yield least("a page, requests/s beside a bare ASGI application", " times", 0.8, ratio)
            kept = told.get("memory")
            grown = kept["at the end"] / kept["half way"] if kept else None
            many = f"{kept['requests']:,}" if kept else "100,000"
            yield most(f"memory after {many} requests beside that half way", " times", 1.05, grown)
            for what in ("page", "query"):
                yield most(f"first {what} after the start, real graph", " s", 0.5, told.get("first", {}).get(what))
        late = told.get("runaway", {"statuses": [504]})
        words = f"a runaway query at {size}x, 504 after its deadline, the latest"
        yield most(words, " ms", 50, late.get("latest") if late["statuses"] == [504] else None)


def scale_targets(told: Told) -> Iterator[Target]:
    """How the product grows."""
    sizes = told.get("sizes", [])
    exponents = told.get("growth", {})
    steepest = max(exponents, key=lambda name: exponents[name], default=None)
    limit = told.get("n log n", 1.0) + 0.1
    what = f"growth of the steepest stage or query ({steepest})" if steepest else "growth of the steepest stage or query"
    measured = None if steepest is None else f"{exponents[steepest]:.2f}"
    wanted = f"at most {limit:.2f}: the exponent of n log n, and 0.1 for noise"
    yield Target(what, wanted, measured, steepest is not None and exponents[steepest] <= limit)
    large = [size for size in sizes if statements(size) >= LARGE]
    for stage, what in (("build", "core of the build"), ("site", "whole build, its web site too,")):
        made = (
            (statements(size), one["memory"])
            for size in large
            for name, one in size["stages"].items()
            if name.partition(",")[0] == stage and "memory" in one
        )
        count, memory = next(made, (LARGE, None))
        yield most(f"memory of the {what} at {count:,} statements", " MB", 4096, memory)
    asked = ((statements(size), size["queries"][PAGE].values()) for size in large if PAGE in size["queries"])
    count, pages = next(asked, (LARGE, ()))
    slowest = max((one["wall"] for one in pages if "wall" in one), default=None)
    yield most(f"the slowest first page of a view of one value at {count:,} statements", " s", 10, slowest)


def statements(size: Told) -> int:
    """How many statements a size of the scale part has."""
    return int(size.get("stated", 0)) + int(size.get("inferred", 0))


def start_part(told: Told) -> Iterator[str | tuple[str, str, str]]:
    """The command line."""
    figures = told["figures"]
    values = {name: one["wall"] for name, one in figures.get("cases", {}).items() if not name.startswith("python -I")}
    if values:
        yield f"The query is `{figures['query']}`. Milliseconds from the start of a process to its end.\n"
        yield start.rows(figures)
        longest, shortest = max(values, key=lambda name: values[name]), min(values, key=lambda name: values[name])
        words = f"Bars, from {shortest} with {number(values[shortest])} ms to {longest} with {number(values[longest])} ms."
        yield "start", charts.bars("The command line, from start to end", words, "milliseconds, median", values), words


def core_part(told: Told) -> Iterator[str | tuple[str, str, str]]:
    """The core of the build."""
    yield "Read the files, infer by rules, validate, make the views, write the dumps.\n"
    if "onemg-kg" in told["figures"]:
        yield core.rows(told["figures"])


def growing(rows: list[Told], name: str, across: str, up: str) -> dict[str, charts.Points]:
    """The points of each series, where there are two at least."""
    series: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if not row.get("failed") and row[up] > 0:
            series.setdefault(row[name], []).append((row[across], row[up]))
    return {name: points for name, points in series.items() if len(points) > 1}


def grown(name: str, title: str, across: str, up: str, series: dict[str, charts.Points]) -> Iterator[tuple[str, str, str]]:
    """A chart of growth, if there is anything to draw."""
    if series:
        ends = ", ".join(f"{key} from {number(min(line)[1])} to {number(max(line)[1])}" for key, line in series.items())
        words = f"Lines over {across}, {up}: {ends}."
        yield name, charts.growth(title, words, across, up, series), words


def validate_part(told: Told) -> Iterator[str | tuple[str, str, str]]:
    """SHACL."""
    rows = told["figures"].get("rows", [])
    yield "From files to a report in memory. `same` compares the findings with pySHACL's.\n"
    if rows:
        yield validate.rows(rows)
    yield from grown("shacl", "SHACL validation", "statements", "wall seconds", growing(rows, "engine", "statements", "wall"))


def serve_part(told: Told) -> Iterator[str | tuple[str, str, str]]:
    """The server."""
    figures = told["figures"]
    if "seconds" in figures:
        yield (
            f"Each load: {serve.CLIENTS} clients for {figures['seconds']} s; rounds: {figures['rounds']}; medians.\n"
            "Oxigraph is its own server on the same data. rdflib-endpoint has one round. A query of which a load of Oxigraph\n"
            "sees fewer than one answer for each client is compared by one client who asks alone, twice; the better time\n"
            "counts. A server that is as slow alone is not loaded: its rate is that of one client.\n"
        )
    for size, one in figures.get("sizes", {}).items():
        yield f"### Serving {size}x\n"
        if "queries" in one:
            yield serve.queries_text(one)
        yield serve.others_table(one)
        navigation = {name: found["times"] for name, found in one.get("navigation", {}).items()}
        if navigation:
            words = ", ".join(f"{name} {number(value)}" for name, value in navigation.items())
            title = f"Navigation queries at {size}x: requests per second"
            chart = charts.bars(title, f"Bars: {words}.", "times the Oxigraph server, geometric mean", navigation, 1)
            yield f"serve-{size}x", chart, f"Bars, times the Oxigraph server: {words}."


def stores_part(told: Told) -> Iterator[str | tuple[str, str, str]]:
    """Push, and asking stores elsewhere."""
    figures = told["figures"]
    yield (
        "To an Oxigraph server on an empty folder. `onemg-kg push` reads back what it sent and leaves other graphs alone; the\n"
        "others replace all that the store holds, and look no further. CPU counts client and server.\n"
    )
    rows = figures.get("push", [])
    if rows:
        yield stores.push_rows(rows)
    lines = [row | {"line": f"{row['way']}, {row['time']}"} for row in rows if row["time"] != "one statement"]
    yield from grown(
        "push", "Pushing a graph to a store", "quads", "wall seconds", growing(lines, "line", "statements", "wall")
    )
    yield "Asking every question and every view of the real graph, best of the repeats:\n"
    if figures.get("asking"):
        yield stores.asking_rows(figures["asking"])


def pages_part(told: Told) -> Iterator[str | tuple[str, str, str]]:
    """The web site."""
    rows = told["figures"].get("rows", [])
    yield (
        "Pages and data of every document, made and dropped. The plain loop over rdflib makes pages without labels, views,\n"
        "sources or pictures, and four formats where we make six.\n"
    )
    if rows:
        yield pages.rows(rows)
    exponent = pages.growth(rows, "onemg-kg")
    if exponent is not None:
        yield f"CPU seconds of onemg-kg grow with the documents to the power of {exponent:.2f}.\n"
    yield from grown("pages", "Making the web site", "documents", "CPU seconds", growing(rows, "side", "documents", "cpu"))


def scale_part(told: Told) -> Iterator[str | tuple[str, str, str]]:
    """Growth."""
    sizes = told.get("sizes", [])
    named = [(statements(size), stage, one) for size in sizes for stage, one in size["stages"].items() if "cpu" in one]
    yield (
        f"`growth` is the exponent of CPU seconds over statements; n log n would have {told.get('n log n', 1):.2f}. It "
        "has in it that a row takes longer to fetch the less of the graph is held in memory: the caches that Oxigraph gives "
        "RocksDB have a fixed size, so of a larger graph more is read from files for each row.\n"
    )
    head = ["stage", "size", "statements", "wall s", "CPU s", "memory MB", "store, CPU s", "store, MB", "growth"]
    lines = []
    for stage in dict.fromkeys(stage for size in sizes for stage in size["stages"]):
        measured = [size for size in sizes if stage in size["stages"]]
        for size in measured:
            one = size["stages"][stage]
            exponent = told["growth"].get(stage) if size is measured[-1] else None
            figures = [one.get(key) for key in ("wall", "cpu", "memory", "server cpu", "server memory")]
            figures = [one["error"], *[None] * 4] if "error" in one else figures
            lines.append([stage, f"{size['times']}x", statements(size), *figures, exponent and f"{exponent:.2f}"])
    yield table(head, lines)
    steep = [(told["growth"][name], name) for name in told.get("growth", {}) if "/" in name]
    if steep:
        asked = max(sum(len(queries) for queries in size["queries"].values()) for size in sizes)
        first = ", ".join(f"{name} {exponent:.2f}" for exponent, name in sorted(steep, reverse=True)[:5])
        yield f"Of {asked} queries and rules, these grow fastest: {first}.\n"
    waits = [(size, {n: one["wall"] for n, one in size["queries"].get("views", {}).items() if "wall" in one}) for size in sizes]
    for size, seconds in [(size, seconds) for size, seconds in waits if seconds][-1:]:
        slowest = max(seconds, key=lambda name: seconds[name])
        yield f"At {statements(size):,} statements the slowest view, {slowest}, takes {number(seconds[slowest])} s.\n"
    for kind, title in (("views/one", "view of one value"), (PAGE, "its first page of 50 resources")):
        asked_for = [(size, found) for size in sizes if (found := size["queries"].get(kind))]
        if asked_for:
            head = [f"{size['times']}x, {what}" for size, _ in asked_for for what in ("rows", "s")]
            each = [(found, key) for _, found in asked_for for key in ("made", "wall")]
            cells = [[name, *(found.get(name, {}).get(key) for found, key in each)] for name in asked_for[-1][1]]
            yield table([title, *head], cells)
    for key, label, name in (("cpu", "CPU seconds", "time"), ("memory", "memory, MB", "memory")):
        rows = [{"stage": stage, "statements": count, "is": one[key]} for count, stage, one in named if key in one]
        chosen = [row for row in rows if row["stage"] in ("load", "rules", "shapes", "views", "push", "push loaded", "build")]
        series = growing(chosen, "stage", "statements", "is")
        yield from grown(f"scale-{name}", f"Growth: {label}", "statements", label, series)


@dataclass(frozen=True)
class Section:
    """A part of the document.

    Attributes:
        title: its heading.
        write: its text and charts, from what the part told.
        targets: what was asked for, from its figures.
    """

    title: str
    write: Callable[[Told], Iterator[str | tuple[str, str, str]]]
    targets: Callable[[Told], Iterator[Target]] = lambda _: iter(())


SECTIONS = {
    "start": Section("Command line", start_part, start_targets),
    "core": Section("Core of the build", core_part, core_targets),
    "validate": Section("SHACL", validate_part, validate_targets),
    "serve": Section("Server", serve_part, serve_targets),
    "stores": Section("Stores", stores_part),
    "pages": Section("Web site", pages_part),
    "scale": Section("Growth", scale_part, scale_targets),
}


def render(told: dict[str, Told]) -> dict[str, str]:
    """The document and its charts, by path below docs/.

    Args:
        told: what each part told; a part that is not there was not measured.
    """
    files: dict[str, str] = {}
    text = [HEAD, "## Targets\n", targets(told), "## When, where, with what\n", runs(told)]
    for name, section in SECTIONS.items():
        text.append(f"## {section.title}\n")
        if name not in told:
            text.append("Not measured yet.\n")
            continue
        if "failed" in told[name]:
            text.append(f"**Not whole: this part {told[name]['failed']}.**\n")
        if told[name].get("left out"):
            text.append(f"Left out: {'; '.join(told[name]['left out'])}.\n")
        for piece in section.write(told[name]):
            if isinstance(piece, str):
                text.append(piece)
            else:
                chart, svg, words = piece
                files[f"benchmarks/{chart}.svg"] = svg
                text.append(f"![{words}](benchmarks/{chart}.svg)\n")
    return {"benchmarks.md": "\n".join(text), **files}


def targets(told: dict[str, Told]) -> str:
    """The table of targets."""
    lines = []
    for name, section in SECTIONS.items():
        figures = told.get(name, {})
        for target in section.targets(figures if name == "scale" else figures.get("figures", {})):
            verdict = "not measured" if target.measured is None else "met" if target.met else "**missed**"
            lines.append([target.what, target.wanted, target.measured, verdict])
    return table(["what", "target", "measured", ""], lines)


def runs(told: dict[str, Told]) -> str:
    """When, where and with what each part was measured."""
    lines = []
    machines = list(dict.fromkeys(one["machine"] for one in told.values()))
    for name, section in SECTIONS.items():
        if one := told.get(name):
            versions = ", ".join(f"{what} {release}" for what, release in one["versions"].items())
            command = " ".join([f"{name}.py", *one.get("arguments", "").split()])
            took = "" if "minutes" not in one else f"{one['minutes']:g} min"
            load = "" if "load before" not in one else f"{one['load before']:g}"
            where = [one["machine"]] if len(machines) > 1 else []
            commit = f"`{one['commit']}`" if "commit" in one else ""
            lines.append([section.title, one["date"], commit, f"`{command}`", took, load, versions, *where])
    head = ["part", "date", "commit", "command", "took", "load before", "versions"]
    if len(machines) == 1:
        return f"On {machines[0]}.\n\n{table(head, lines)}"
    return table([*head, "machine"], lines)
