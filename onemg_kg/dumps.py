"""The graph as files: whole and in parts, in every format, with the record of what was written.

What is stated is written first, which needs nothing of what follows from it: a build infers meanwhile.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import pyoxigraph as ox

from onemg_kg import catalogue
from onemg_kg.formats import FORMATS, Context, Dataset, derive, of_lines, tokens, triples
from onemg_kg.graph import GRAPHS, RULES, Graph
from onemg_kg.store import Graphs
from onemg_kg.terms import PREFIXES

_PLAIN = ("turtle", "ntriples", "rdfxml")
_TRIPLES = ("turtle", "jsonld", "ntriples", "rdfxml")
_QUADS = ("nquads", "trig")


@dataclass(frozen=True)
class Stated:
    """What the graph states, laid out to be written, and written where no context is needed.

    Attributes:
        lines: the statements by file.
        quads: the same, each with the name of its graph.
        parts: the parts that are published, and the shapes, by name.
        files: what is written so far, by path.
    """

    lines: Graphs
    quads: Dataset
    parts: dict[str, Dataset]
    files: dict[str, bytes]


@dataclass(frozen=True)
class Dumps:
    """The graph as files.

    Attributes:
        files: the files by path: each part of the graph in each format, and the context of the JSON-LD ones.
        published: that context.
        record: what the catalogue record says.
        stated: how many triples the published graph states.
        inferred: how many follow.
    """

    files: dict[str, bytes]
    published: Context
    record: list[ox.Triple]
    stated: int
    inferred: int


def begin(lines: Graphs, shape_lines: Graphs) -> Stated:
    """Write what does not depend on what follows by rules.

    Args:
        lines: what ``ontology/`` and ``data/`` state.
        shape_lines: what ``shapes/`` states.

    Raises:
        RdfError: a format cannot hold a statement.
    """
    quads = of_lines(lines)
    parts = {
        "framework": _part(quads, "ontology/schemes/", "data/"),
        "ontology": _part(quads, "ontology/onemg"),
        "schemes": _part(quads, "ontology/schemes/"),
        "shapes": of_lines({"": chain.from_iterable(shape_lines.values())}),
    }
    files = {path: content for name, held in parts.items() for path, content in _write(name, held, _PLAIN).items()}
    ontology = {name: held for name, held in lines.items() if name.startswith(GRAPHS + "ontology/onemg")}
    files |= _write("ontology", of_lines(ontology), _QUADS) | _write("shapes", of_lines(shape_lines), _QUADS)
    return Stated(lines, quads, parts, files)


def finish(begun: Stated, inferred: Graphs, version: str, bridges: Mapping[str, Iterable[ox.Triple]]) -> Dumps:
    """Write the rest, with the record of what was written.

    Args:
        begun: what is stated.
        inferred: what follows from it.
        version: the version of the graph.
        bridges: graphs about it for others, by name.

    Raises:
        RdfError: a format cannot hold a statement.
    """
    quads = of_lines(inferred)
    everything, follows = Dataset(sorted([*begun.quads, *quads])), triples(quads, RULES)
    context = derive(PREFIXES, everything)
    files = begun.files | _write("framework", everything, _QUADS) | _write("inferred", follows, _TRIPLES, context)
    for name, held in begun.parts.items():
        files |= _write(name, held, ("jsonld",), context)
    framework = begun.parts["framework"]
    told = [("framework", form) for form in _TRIPLES + _QUADS] + [("inferred", form) for form in _TRIPLES]
    distributions = {name + FORMATS[form].suffix: FORMATS[form] for name, form in told}
    record = catalogue.describe(
        begun.lines, framework, follows, {path: (form, files[path]) for path, form in distributions.items()}, version
    )
    for name, graph in {"catalogue": record, **bridges}.items():
        files |= _write(name, tokens(graph), _TRIPLES, context)
    files["context.jsonld"] = (json.dumps({"@context": context.definitions()}, indent=2) + "\n").encode()
    return Dumps(files, context, record, len(framework), len(follows))


def write(loaded: Graph, version: str, bridges: Mapping[str, Iterable[ox.Triple]]) -> Dumps:
    """All of it.

    Raises:
        RdfError: a format cannot hold a statement.
    """
    return finish(begin(loaded.lines, loaded.shape_lines), loaded.inferred_lines, version, bridges)


def _part(quads: Dataset, *folders: str) -> Dataset:
    return triples(quads, *(GRAPHS + folder for folder in folders))


def _write(name: str, held: Dataset, formats: Iterable[str], context: Context | None = None) -> dict[str, bytes]:
    forms = [FORMATS[form] for form in formats]
    return {name + form.suffix: form.write_tokens(held, PREFIXES, context) for form in forms}
