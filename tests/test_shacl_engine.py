"""The compiled SHACL engine against pySHACL, the reference: W3C's test suite, and errors seeded into the real graph.

What onemg_kg makes of the engine's results is tested in test_shacl.py, that each of our shapes bites in test_shapes.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
import shacl
from rdflib.collection import Collection
from rdflib.namespace import RDF, SH

from onemg_kg.graph import Graph
from onemg_kg.store import Store, Term
from onemg_kg.terms import PREFIXES, term, text

SUITE = Path(__file__).resolve().parents[2] / "shared" / "w3c" / "data-shapes-test-suite" / "tests"
MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = rdflib.Namespace("http://www.w3.org/ns/shacl-test#")


class Result(NamedTuple):
    """A validation result; terms in N-Triples, all blank nodes alike, a path as in SPARQL."""

    focus: str
    path: str
    value: str
    component: str
    severity: str


class Report(NamedTuple):
    """A validation report (SHACL, section 3.6)."""

    conforms: bool
    results: Counter[Result]


# ---- Both engines, in the same words ----


def _rdflib(ntriples: str) -> rdflib.Graph:
    return rdflib.Graph().parse(data=ntriples, format="nt")


def _said(node: rdflib.term.Node | None) -> str:
    return "" if node is None else "_:" if isinstance(node, rdflib.BNode) else node.n3()


def _path(report: rdflib.Graph, node: rdflib.term.Node | None) -> str:
    if not isinstance(node, rdflib.BNode):
        return _said(node)
    if (node, RDF.first, None) in report:
        return "(" + "/".join(_path(report, step) for step in Collection(report, node)) + ")"
    (kind, inner), *_ = ((kind, inner) for kind, inner in report.predicate_objects(node) if kind != RDF.type)
    match kind:
        case SH.alternativePath:
            return "(" + "|".join(_path(report, step) for step in Collection(report, inner)) + ")"
        case SH.inversePath:
            return "^" + _path(report, inner)
    repeated = {SH.zeroOrMorePath: "*", SH.oneOrMorePath: "+", SH.zeroOrOnePath: "?"}
    return f"({_path(report, inner)}){repeated[kind]}"


def _read_report(graph: rdflib.Graph, report: rdflib.term.Node | None) -> Report:
    results = (
        Result(
            _said(graph.value(result, SH.focusNode)),
            _path(graph, graph.value(result, SH.resultPath)),
            _said(graph.value(result, SH.value)),
            _said(graph.value(result, SH.sourceConstraintComponent)),
            _said(graph.value(result, SH.resultSeverity)),
        )
        for result in graph.objects(report, SH.result)
    )
    return Report(graph.value(report, SH.conforms).toPython(), Counter(results))


def _reference(data: str, shapes: str) -> Report | None:
    """What pySHACL says; None where it says that it cannot validate."""
    _, report, _ = pyshacl.validate(_rdflib(data), shacl_graph=_rdflib(shapes), inference="none")
    return _read_report(report, report.value(None, RDF.type, SH.ValidationReport)) if isinstance(report, rdflib.Graph) else None


@cache
def _as_rdflib(words: str) -> str:
    """A term of the engine as rdflib has it, which writes some literals differently."""
    if words.startswith("_:"):
        return "_:"
    return _said(next(_rdflib(f"<urn:s> <urn:p> {words} .").objects()))


def _ours(data: str, shapes: str) -> Report | None:
    """What the engine says; None where it refuses. The same calls and attributes as in onemg_kg.shacl."""
    try:
        report = shacl.Shapes.from_text(shapes, format="ntriples").validate_text(data, format="ntriples")
    except ValueError:
        return None
    results = (
        Result(
            _as_rdflib(found.focus_node),
            found.path or "",
            _as_rdflib(found.value) if found.value is not None else "",
            f"<{found.component_iri}>",
            f"<{found.severity_iri}>",
        )
        for found in report.results
    )
    return Report(report.conforms, Counter(results))


# ---- W3C's suite ----


class Case(NamedTuple):
    """A test of the suite; without a report, an engine has to refuse."""

    data: str
    shapes: str
    expected: Report | None


def _ntriples(path: Path) -> str:
    quads = ox.parse(path.read_bytes(), format=ox.RdfFormat.TURTLE, base_iri=path.as_uri())
    return (ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES) or b"").decode()


def _file(iri: rdflib.term.Node | None) -> Path:
    return Path(unquote(urlsplit(str(iri)).path))


def _files(manifest: Path) -> Iterator[Path]:
    graph = _rdflib(_ntriples(manifest))
    if (None, MF.entries, None) in graph:
        yield manifest
    for included in sorted(graph.objects(None, MF.include)):
        yield from _files(_file(included))


def _case(path: Path) -> Case:
    graph = _rdflib(_ntriples(path))
    entry = graph.value(None, RDF.type, SHT.Validate)
    action, result = graph.value(entry, MF.action), graph.value(entry, MF.result)
    data, shapes = (_ntriples(_file(graph.value(action, part))) for part in (SHT.dataGraph, SHT.shapesGraph))
    return Case(data, shapes, None if result == SHT.Failure else _read_report(graph, result))


PYSHACL_FAILS = {
    "core/property/uniqueLang-002": "rdflib reads '1'^^xsd:boolean as true, which sh:uniqueLang asks for to the letter",
    "sparql/node/prefixes-001": "does not follow owl:imports to prefixes that are declared elsewhere",
    "sparql/pre-binding/shapesGraph-001": "does not bind $shapesGraph",
}
ENGINE_FAILS = {
    "sparql/pre-binding/unsupported-sparql-004": "runs a subquery that does not return $this; SHACL, appendix A, forbids it",
}


def _cases(failing: dict[str, str]) -> list[object]:
    names = [path.relative_to(SUITE).with_suffix("").as_posix() for path in _files(SUITE / "manifest.ttl")] if _here else []
    assert not _here or set(failing) <= set(names)
    return [
        pytest.param(name, marks=pytest.mark.xfail(reason=failing[name], strict=True) if name in failing else ())
        for name in names
    ]


_here = (SUITE / "manifest.ttl").is_file()
suite = pytest.mark.skipif(not _here, reason="W3C's SHACL tests are not at ../shared/w3c, so nothing can be compared with them")


@suite
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # about tests that are wrong on purpose
@pytest.mark.parametrize("name", _cases(PYSHACL_FAILS))
def test_w3c_pyshacl(name: str) -> None:
    """pySHACL passes the test: it can decide."""
    case = _case(SUITE / f"{name}.ttl")
    assert _reference(case.data, case.shapes) == case.expected


@suite
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", _cases(ENGINE_FAILS))
def test_w3c_engine(name: str) -> None:
    """The engine passes the test: conforms, and the same node, path, value, component and severity of each result."""
    case = _case(SUITE / f"{name}.ttl")
    assert _ours(case.data, case.shapes) == case.expected


def test_suite_is_whole() -> None:
    """Both parts of the suite are there, if it is there at all."""
    if not _here:
        pytest.skip("W3C's SHACL tests are not at ../shared/w3c")
    parts = Counter(path.relative_to(SUITE).parts[0] for path in _files(SUITE / "manifest.ttl"))
    assert parts == {"core": 98, "sparql": 22}


# ---- Errors seeded into the real graph ----

PREFIXED = "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in ("rdf", "rdfs", "sh"))
WRONG = ox.NamedNode("http://example.org/wrong")
COMPONENTS = {
    "sh:minCount": "MinCountConstraintComponent",
    "sh:maxCount": "MaxCountConstraintComponent",
    "sh:datatype": "DatatypeConstraintComponent",
    "sh:nodeKind": "NodeKindConstraintComponent",
    "sh:class": "ClassConstraintComponent",
}


class Seed(NamedTuple):
    """What is done to a node that conforms, so that one constraint of one property shape no longer holds."""

    constraint: str
    shape: str
    focus: Term
    path: Term
    values: tuple[Term, ...]


def _mutated(constraint: str, parameter: Term, values: list[Term]) -> tuple[Term, ...] | None:
    """The values of a property after the mutation; None where there is nothing to mutate."""
    if constraint == "sh:minCount":
        return () if values else None
    if not values:
        return None
    first, *others = values
    if constraint == "sh:maxCount":
        other = ox.Literal(first.value + " b", language="en") if isinstance(first, ox.Literal) and first.language else WRONG
        return (*values, other) if int(text(parameter)) == len(values) else None
    if constraint == "sh:datatype":
        return (ox.Literal(text(first), datatype=term("xsd:token")), *others)
    if constraint == "sh:nodeKind":
        return (WRONG if text(parameter).endswith("#Literal") else ox.Literal(text(first)), *others)
    return (WRONG, *others)


def _seeds(shapes: Store, whole: list[ox.Quad]) -> Iterator[Seed]:
    """One mutation for each of five kinds of constraint of each property shape, each of a property of a node of its own."""
    store = Store(whole)
    values: dict[tuple[Term, Term], list[Term]] = {}
    for quad in whole:
        values.setdefault((quad.subject, quad.predicate), []).append(quad.object)
    used: set[tuple[Term, Term]] = set()
    kinds = " ".join(COMPONENTS)
    query = f"""{PREFIXED} SELECT ?shape ?class ?path ?constraint ?parameter {{
        VALUES ?constraint {{ {kinds} }}
        ?node sh:targetClass ?class ; sh:property ?shape . ?shape sh:path ?path ; ?constraint ?parameter FILTER(ISIRI(?path))
    }} ORDER BY ?shape ?constraint ?class"""
    done: set[tuple[Term, Term]] = set()
    for shape, class_, path, constraint, parameter in shapes.select(query).rows:
        if (shape, constraint) in done:
            continue
        name = "sh:" + text(constraint).rpartition("#")[2]
        members = store.select(f"{PREFIXED} SELECT DISTINCT ?x {{ ?x a/rdfs:subClassOf* {class_} }} ORDER BY ?x").rows
        for (focus,) in members:
            after = _mutated(name, parameter, values.get((focus, path), []))
            if after is not None and (focus, path) not in used:
                used.add((focus, path))
                done.add((shape, constraint))
                yield Seed(name, str(shape), focus, path, after)
                break


def _triples(quads: Iterable[ox.Quad | ox.Triple]) -> str:
    triples = (quad.triple if isinstance(quad, ox.Quad) else quad for quad in quads)
    return (ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"").decode()


@pytest.fixture(scope="module")
def seeds(loaded: Graph) -> list[Seed]:
    return list(_seeds(Store(loaded.shapes), [*loaded.stated, *loaded.inferred]))


@pytest.fixture(scope="module")
def seeded(loaded: Graph, seeds: list[Seed]) -> str:
    """The real graph with every mutation."""
    replaced = {(seed.focus, seed.path) for seed in seeds}
    kept = [q for q in (*loaded.stated, *loaded.inferred) if (q.subject, q.predicate) not in replaced]
    return _triples([*kept, *(ox.Triple(seed.focus, seed.path, value) for seed in seeds for value in seed.values)])


@pytest.fixture(scope="module")
def ours(loaded: Graph, seeded: str) -> Report | None:
    return _ours(seeded, _triples(loaded.shapes))


@pytest.mark.parametrize("constraint", COMPONENTS)
def test_seeded_errors(constraint: str, seeds: list[Seed], ours: Report | None) -> None:
    """The engine finds every mutation of this kind, by the constraint that it breaks."""
    assert ours is not None
    assert not ours.conforms
    found = {(result.focus, result.path, result.component) for result in ours.results}
    component = f"<{PREFIXES['sh']}{COMPONENTS[constraint]}>"
    mine = [seed for seed in seeds if seed.constraint == constraint]
    assert len(mine) > 10
    assert [seed for seed in mine if (str(seed.focus), str(seed.path), component) not in found] == []


@pytest.mark.slow
def test_seeded_errors_as_pyshacl(loaded: Graph, seeded: str, ours: Report | None) -> None:
    """The engine and pySHACL report the same of all mutations together: what follows from each and nothing else."""
    assert ours is not None
    assert ours == _reference(seeded, _triples(loaded.shapes))
