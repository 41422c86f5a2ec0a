"""Every format gives back the terms it was given, and the same bytes for the same graph."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onemg_kg import spool
from onemg_kg.errors import RdfError
from onemg_kg.formats import FORMATS, Context, context, derive, of_lines, together, tokens, triples
from onemg_kg.formats.context import Term
from onemg_kg.store import by_graph
from onemg_kg.terms import PREFIXES

ROOT = Path(__file__).parents[1]
EX = "http://example.org/"
RDF = PREFIXES["rdf"]
XSD = PREFIXES["xsd"]
NAMES = {**PREFIXES, "ex": EX, "exs": EX + "sub#", "half": EX + "half", "tag": EX + "tag/", "": EX + "empty/"}
"""Prefixes with every trap: one namespace inside another, one without a delimiter, one that is a scheme, none."""

TRIPLES = [name for name, format_ in FORMATS.items() if not format_.quads]
QUADS = [name for name, format_ in FORMATS.items() if format_.quads]

Node = ox.NamedNode | ox.BlankNode
Statement = ox.Triple | ox.Quad

property_test = settings(derandomize=True, max_examples=250)


def iri(value: str) -> ox.NamedNode:
    return ox.NamedNode(value)


def typed(value: str, datatype: str) -> ox.Literal:
    return ox.Literal(value, datatype=iri(XSD + datatype if ":" not in datatype else datatype))


def read(content: bytes, name: str) -> list[ox.Quad]:
    format_ = ox.RdfFormat.from_media_type(FORMATS[name].media_type)
    assert format_ is not None
    return list(ox.parse(content, format_))


def canonical(statements: Iterable[Statement]) -> ox.Dataset:
    quads = (s if isinstance(s, ox.Quad) else ox.Quad(s.subject, s.predicate, s.object) for s in statements)
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def assert_same(written: bytes, name: str, statements: Iterable[Statement]) -> None:
    assert canonical(read(written, name)) == canonical(statements), written.decode()


def turtle(body: str) -> list[ox.Quad]:
    head = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in NAMES.items())
    return list(ox.parse(head + dedent(body), ox.RdfFormat.TURTLE))


# What RDF 1.1 allows

_SEGMENTS = st.sampled_from(
    [*"aZ09_-.~!$&'()*+,;=@:/?", "%20", "%C3%A9", "é", "日本", "\U0001d4b3", "..", "//", "title", "rdf:type", "-x", "x.", "1a"]
)
_BASES = st.sampled_from([EX, EX + "sub#", EX + "half", EX + "empty/", "urn:x:", "tag:", "dcterms:", "id:", RDF, XSD])
_IRIS = st.builds(lambda base, parts: base + "".join(parts), _BASES, st.lists(_SEGMENTS, max_size=4))


def _is_iri(value: str) -> bool:
    try:
        iri(value)
    except ValueError:
        return False
    return True


NAMED = _IRIS.filter(_is_iri).map(iri)
PREDICATES = NAMED | st.sampled_from(
    [iri(RDF + "type"), iri(RDF + "first"), iri(RDF + "rest"), iri(RDF + "nil"), iri(EX + "p"), iri(EX + "q")]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    st.sampled_from(["a", '"', "\\", "\n", "\r", "\t", "\x00", "\x0b", "\x7f", "\x85", "\u2028", "\ufeff", "\uffff", "😀"]),
    max_size=8,
)
LITERALS = st.one_of(
    st.builds(ox.Literal, TEXTS),
    st.builds(lambda text, tag: ox.Literal(text, language=tag), TEXTS, st.sampled_from(["en", "en-GB", "de", "zh-Hant-TW"])),
    st.builds(
        typed,
        st.sampled_from(["1", "01", "+1", "-1", "-0", "0", "12345678901234567890", "1.5", "1.50", "1.", ".5", "-0.0", "0.0"])
        | st.sampled_from(["1.5E0", "1e6", "NaN", "INF", "true", "false", "TRUE", "P1D", "2026-10-01T00:00:00Z", "", "x"]),
        st.sampled_from(
            ["integer", "decimal", "double", "boolean", "nonNegativeInteger", "dateTimeStamp", "duration", "string"]
        )
        | st.sampled_from([EX + "datatype", "tag:datatype", RDF + "JSON", RDF + "XMLLiteral", RDF + "HTML"]),
    ),
)
BLANK = st.integers(0, 4).map(lambda number: ox.BlankNode(f"b{number}"))
_DEFAULT = st.just(ox.DefaultGraph())
GRAPHS = st.one_of(_DEFAULT, NAMED, BLANK)


def _list_of(members: list[ox.NamedNode | ox.BlankNode | ox.Literal], label: str) -> tuple[Node, list[ox.Triple]]:
    """A list, and the statements that make it."""
    head: Node = iri(RDF + "nil")
    statements = []
    for index, member in reversed(list(enumerate(members))):
        cell = ox.BlankNode(f"{label}{index}")
        statements += [ox.Triple(cell, iri(RDF + "first"), member), ox.Triple(cell, iri(RDF + "rest"), head)]
        head = cell
    return head, statements


@st.composite
def datasets(draw: st.DrawFn, graphs: st.SearchStrategy[ox.DefaultGraph | Node] = _DEFAULT) -> list[ox.Quad]:
    """A dataset with rings, trees and shares of blank nodes and with lists, whole and broken."""
    subjects, objects = NAMED | BLANK, NAMED | BLANK | LITERALS
    statements = draw(st.lists(st.builds(ox.Triple, subjects, PREDICATES, objects), max_size=8))
    for number in range(draw(st.integers(0, 2))):
        head, cells = _list_of(draw(st.lists(objects, max_size=3)), f"list{number}x")
        statements += [ox.Triple(draw(subjects), draw(PREDICATES), head), *cells]
    return [ox.Quad(s.subject, s.predicate, s.object, draw(graphs)) for s in statements]


def write(name: str, statements: Iterable[Statement], published: Context | None = None) -> bytes:
    return FORMATS[name].write(statements, NAMES, published)


# Nothing is lost


def _fits_xml(quad: ox.Quad) -> bool:
    """Whether RDF/XML can hold a quad of these strategies: the predicate ends in a name, and the text is of XML."""
    name = re.search(r"[^/#:;?@!$&'()*+,=~%\d.-][^/#:;?@!$&'()*+,=~%]*$", quad.predicate.value)
    text = quad.object.value if isinstance(quad.object, ox.Literal) else ""
    return name is not None and not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", text)


@property_test
@given(statements=datasets())
@example(statements=[ox.Quad(iri(EX + "s"), iri(EX + "p"), ox.Literal('""""\n\\"'))])
@example(statements=[ox.Quad(ox.BlankNode("a"), iri(EX + "p"), ox.BlankNode("a"))])
@example(statements=turtle("ex:s ex:p [ rdf:first 1, 2 ; rdf:rest () ], [ rdf:first 1 ; rdf:rest (), ( 2 ) ], ( 3 ) ."))
@example(statements=turtle("ex:s ex:p [ a rdf:List ; rdf:first 1 ; rdf:rest ( 2 ) ], [ rdf:first 3 ; rdf:rest ex:s ] ."))
def test_graph_comes_back(statements: list[ox.Quad]) -> None:
    """A graph read back from any format has the same terms, or the format says what it cannot hold."""
    for name in FORMATS:
        if name != "rdfxml" or all(_fits_xml(quad) for quad in statements):
            assert_same(write(name, statements), name, statements)
        else:
            with pytest.raises(RdfError, match=r"predicate|character"):
                write(name, statements)


@property_test
@given(statements=datasets(GRAPHS))
def test_dataset_comes_back(statements: list[ox.Quad]) -> None:
    """So does a dataset, whose blank nodes may stand in several graphs or name one."""
    for name in QUADS:
        assert_same(write(name, statements), name, statements)


_DECLARED = {prefix: namespace for prefix, namespace in NAMES.items() if prefix}
CONTEXTS = [
    Context(_DECLARED, {f"<{EX}{name}>": Term(name, coercion), f"<{EX}{name}q>": Term(f"ex:{name}q", coercion)})
    for name, coercion in [("p", "@id"), ("p", "@en"), ("p", f"<{XSD}integer>"), ("p", f"<{XSD}nonNegativeInteger>")]
] + [Context(_DECLARED, {f"<{EX}q>": Term("q", ""), f"<{EX}p>": Term("title", f"<{XSD}string>")})]


@property_test
@given(statements=datasets(), published=st.sampled_from(CONTEXTS))
def test_any_context_gives_back_the_graph(statements: list[ox.Quad], published: Context) -> None:
    """A published context that expects something else of a property changes how a value is written, never the value."""
    assert_same(write("jsonld", statements, published), "jsonld", statements)


def _from_rdflib(graph: rdflib.Graph) -> list[ox.Triple]:
    def term(node: rdflib.term.Node) -> ox.NamedNode | ox.BlankNode | ox.Literal:
        if isinstance(node, rdflib.Literal):
            datatype = None if node.datatype is None else iri(str(node.datatype))
            return ox.Literal(str(node), language=node.language, datatype=None if node.language else datatype)
        return ox.BlankNode("b" + str(node)) if isinstance(node, rdflib.BNode) else iri(str(node))

    return [ox.Triple(term(s), term(p), term(o)) for s, p, o in graph]  # type: ignore[arg-type]


@pytest.fixture
def _rdflib_keeps_literals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)


@pytest.mark.usefixtures("_rdflib_keeps_literals")
@pytest.mark.filterwarnings("ignore:Parsing weird boolean")  # rdflib's word on an ill-typed literal, which it keeps
@property_test
@given(statements=datasets())
def test_rdflib_reads_the_same_graph(statements: list[ox.Quad]) -> None:
    """An independent parser finds the same terms."""
    for name, parser in {"turtle": "turtle", "ntriples": "nt", "jsonld": "json-ld"}.items():
        written = write(name, statements)
        graph = rdflib.Graph()
        graph.parse(data=written, format=parser)
        assert canonical(_from_rdflib(graph)) == canonical(statements), written.decode()


FILES = sorted(path for folder in ("ontology", "shapes", "data") for path in (ROOT / folder).rglob("*.ttl"))


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_the_project_come_back(name: str) -> None:
    """Every Turtle file of the graph survives every format."""
    assert FILES
    for path in FILES:
        statements = list(ox.parse(path=path, format=ox.RdfFormat.TURTLE))
        assert_same(FORMATS[name].write(statements, PREFIXES), name, statements)


# The same graph is the same bytes


def _relabelled(statements: list[ox.Quad], rnd: random.Random) -> list[ox.Quad]:
    nodes = sorted({term for quad in statements for term in quad if isinstance(term, ox.BlankNode)}, key=str)
    labels = {node: ox.BlankNode(f"x{number}") for number, node in enumerate(rnd.sample(nodes, len(nodes)))}
    quads = [ox.Quad(labels.get(s, s), p, labels.get(o, o), labels.get(g, g)) for s, p, o, g in statements]
    return rnd.sample(quads * 2, 2 * len(quads))


@pytest.mark.parametrize("name", ["http://example.org/g", "http://example.org/"])
def test_triples_of_graphs_are_those_of_the_graphs_alone(name: str) -> None:
    """What a part of a dataset is written as does not depend on the rest: blank nodes are named anew, repetitions go."""
    turtle = """@prefix : <http://example.org/> .
    :g1 { [] :p 1 , "1" . :a :p [ :q :a ] . }
    :g2 { :a :p :b . [] :p 1 . }
    :h { :a :p :b . [] :p [] . }
    { :a :p :c }"""
    quads = list(ox.parse(turtle.encode(), format=ox.RdfFormat.TRIG, rename_blank_nodes=True))
    part = [
        quad.triple for quad in quads if isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value.startswith(name)
    ]
    assert list(triples(tokens(quads), name)) == list(tokens(part))
    two = [quad.triple for quad in quads if str(quad.graph_name) in {"<http://example.org/h>", "<http://example.org/g2>"}]
    assert list(triples(tokens(quads), "http://example.org/h", "http://example.org/g2")) == list(tokens(two))


@property_test
@given(statements=datasets(_DEFAULT | NAMED))
def test_lines_are_read_as_statements_are(statements: list[ox.Quad]) -> None:
    """From lines by graph the writers get what they get from the statements."""
    assert list(of_lines(by_graph(statements).items())) == list(tokens(statements))


def _own(quad: ox.Quad) -> ox.Quad:
    """The statement with blank nodes of its graph alone: two files have none in common."""
    graph = hashlib.sha256(str(quad.graph_name).encode()).hexdigest()
    s, o = (
        ox.BlankNode(term.value + graph) if isinstance(term, ox.BlankNode) else term for term in (quad.subject, quad.object)
    )
    return ox.Quad(s, quad.predicate, o, quad.graph_name)


@property_test
@given(statements=datasets(_DEFAULT | NAMED), held=st.sampled_from([0, 100, 1000]))
def test_what_does_not_fit_into_memory_is_written_alike(statements: list[ox.Quad], held: int) -> None:
    """From files on disk every writer makes the same bytes; so do parts of a dataset, and two datasets together."""
    lines = [*by_graph(map(_own, statements)).items()]
    half = len(lines) // 2
    found = []
    for most in (spool.HELD, held):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spool, "HELD", most)
            quads = of_lines(lines)
            both = together(of_lines(lines[:half]), of_lines(lines[half:]))
            plain = triples(quads, EX)
            written = [list(quads), list(both), list(plain), quads.schemes, plain.predicates, derive(NAMES, quads)]
            for form in FORMATS.values():
                try:
                    written.append(b"".join(form.pieces(quads if form.quads else plain, NAMES)))
                except RdfError as error:
                    written.append(str(error))
            found.append(written)
    assert found[0] == found[1]


@property_test
@given(statements=datasets(GRAPHS), rnd=st.randoms(use_true_random=False))
def test_order_and_labels_do_not_matter(statements: list[ox.Quad], rnd: random.Random) -> None:
    """The order and repetition of statements and the labels of blank nodes leave no trace."""
    other = _relabelled(statements, rnd)
    for name in QUADS:
        assert write(name, statements) == write(name, other)
    graph, other_graph = [quad.triple for quad in statements], [quad.triple for quad in other]
    assert write("turtle", graph) == write("turtle", other_graph)
    if all(_fits_xml(quad) for quad in statements):
        assert write("rdfxml", graph) == write("rdfxml", other_graph)


RICH = """
    ex:s a ex:B, ex:A ; ex:p 1, "01"^^xsd:integer, 1.5, "1.50"^^xsd:decimal, true, "x"@en, "x"@de, [], [ ex:p [], [ ex:q 1 ] ] ;
      ex:q ( 1 ( ex:a ex:b ) [ ex:p "y" ] ), () .
    _:ring ex:p _:gnir . _:gnir ex:p _:ring ; ex:q _:shared . ex:t ex:p _:shared ; dcterms:type ex:s . _:shared a ex:B .
    [] a ex:C ; ex:p 1 . [] a ex:C ; ex:p 2 .
"""


def _digests() -> str:
    statements = turtle(RICH)
    return " ".join(hashlib.sha256(write(name, statements)).hexdigest() for name in FORMATS)


def test_hash_seed_does_not_matter() -> None:
    """Python's randomised hashes leave no trace in another process."""
    code = f"import runpy; print(runpy.run_path({__file__!r})['_digests']())"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        )
        for seed in ("0", "1", "2")
    ]
    assert {run.stdout.strip() for run in runs} == {_digests()}


# How it reads


def test_turtle_reads_well() -> None:
    """Headers first, then by type; ``a`` first; what is used once is nested; only what is used is declared."""
    statements = turtle("""
        ex:tool a ex:Tool ; dcterms:title "Tool"@en, "Werkzeug"@de ; ex:count 3 ; ex:size "03"^^xsd:integer .
        ex:onto a owl:Ontology ; rdfs:comment "One line,\\nand \\"another\\"." .
        ex:doc a ex:Document, ex:Policy ; ex:by [ a ex:Agent ; ex:name "A" ] ; ex:path [ sh:inversePath ex:by ] ;
          ex:parts ( ex:one ex:two ) ; ex:see <http://example.com/a-rather-long-address-of-a-page/number-1>,
            <http://example.com/a-rather-long-address-of-a-page/number-2> .
        ex:plain ex:p ex:q ; ex:q "no type" .
    """)
    assert write("turtle", statements).decode() == dedent('''\
        @prefix dcterms: <http://purl.org/dc/terms/> .
        @prefix ex: <http://example.org/> .
        @prefix owl: <http://www.w3.org/2002/07/owl#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix sh: <http://www.w3.org/ns/shacl#> .
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

        ex:onto a owl:Ontology ;
          rdfs:comment """One line,
        and "another".""" .

        ex:doc a ex:Document, ex:Policy ;
          ex:by [
            a ex:Agent ;
            ex:name "A"
          ] ;
          ex:parts ( ex:one ex:two ) ;
          ex:path [ sh:inversePath ex:by ] ;
          ex:see
            <http://example.com/a-rather-long-address-of-a-page/number-1>,
            <http://example.com/a-rather-long-address-of-a-page/number-2> .

        ex:tool a ex:Tool ;
          dcterms:title "Tool"@en, "Werkzeug"@de ;
          ex:count 3 ;
          ex:size "03"^^xsd:integer .

        ex:plain
          ex:p ex:q ;
          ex:q "no type" .
    ''')


def test_trig_holds_the_default_graph_and_named_graphs() -> None:
    """The default graph stands first and unnamed; a blank node of two graphs keeps a label."""
    s, p, shared = iri(EX + "s"), iri(EX + "p"), ox.BlankNode()
    statements = [ox.Quad(s, p, shared), ox.Quad(shared, p, s, iri(EX + "g")), ox.Quad(s, p, ox.BlankNode(), iri(EX + "g"))]
    assert write("trig", statements).decode() == dedent("""\
        @prefix ex: <http://example.org/> .

        ex:s ex:p _:c14n1 .

        ex:g {
          ex:s ex:p [] .

          _:c14n1 ex:p ex:s .
        }
    """)


def test_jsonld_reads_well() -> None:
    """Keys are local names, values are bare where the context says how to read them, and what is used once is nested."""
    statements = turtle("""
        ex:tool a ex:Tool ; dcterms:title "Tool"@en ; dcterms:type ex:t ; dcterms:issued "2026-10-01"^^xsd:date ;
          ex:line "41"^^xsd:nonNegativeInteger ; ex:count 3 ; ex:done true ; ex:by [ ex:name "A" ] ; ex:parts ( ex:one "two" ) .
        ex:other dcterms:title "Other"@en, "Andere"@de, "?" .
    """)
    assert write("jsonld", statements).decode() == dedent("""\
        {
          "@context": {
            "id": "@id",
            "type": "@type",
            "dcterms": "http://purl.org/dc/terms/",
            "ex": "http://example.org/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
            "Tool": "ex:Tool",
            "by": "ex:by",
            "count": "ex:count",
            "dcterms:type": {"@id": "dcterms:type", "@type": "@id"},
            "done": "ex:done",
            "issued": {"@id": "dcterms:issued", "@type": "xsd:date"},
            "line": {"@id": "ex:line", "@type": "xsd:nonNegativeInteger"},
            "name": "ex:name",
            "parts": "ex:parts",
            "title": {"@id": "dcterms:title", "@language": "en"}
          },
          "@graph": [
            {
              "id": "http://example.org/tool",
              "type": "Tool",
              "by": {"name": "A"},
              "count": 3,
              "dcterms:type": "http://example.org/t",
              "done": true,
              "issued": "2026-10-01",
              "line": 41,
              "parts": {"@list": [{"id": "http://example.org/one"}, "two"]},
              "title": "Tool"
            },
            {
              "id": "http://example.org/other",
              "title": ["Other", {"@language": "de", "@value": "Andere"}, {"@value": "?"}]
            }
          ]
        }
    """)


@pytest.mark.parametrize(
    ("datatype", "short", "long"),
    [
        ("integer", ["0", "7", "-7", "12345678901234567890"], ["00", "+7", "-0", "7.0", "x", ""]),
        ("decimal", ["0.0", "1.5", "-0.5", "10.0"], ["1.50", "-0.0", ".5", "1.", "01.5", "+1.5", "1"]),
        ("boolean", ["true", "false"], ["1", "0", "TRUE"]),
        ("double", [], ["1.5E0", "1.0E0", "NaN"]),
        ("nonNegativeInteger", [], ["7"]),
    ],
)
def test_turtle_shorthand_is_canonical_only(datatype: str, short: list[str], long: list[str]) -> None:
    """A number stands without quotes only if a parser that normalises it would not change it."""
    for value in short + long:
        written = write("turtle", [ox.Triple(iri(EX + "s"), iri(EX + "p"), typed(value, datatype))]).decode()
        assert written.endswith(f"ex:p {value} .\n" if value in short else f'ex:p "{value}"^^xsd:{datatype} .\n')


@pytest.mark.parametrize(
    ("value", "datatype", "coercion", "text"),
    [
        ("999999999999999", "integer", "", "999999999999999"),
        ("1000000000000000", "integer", "", '{"@type": "xsd:integer", "@value": "1000000000000000"}'),
        ("07", "integer", "", '{"@type": "xsd:integer", "@value": "07"}'),
        ("-0", "integer", "", '{"@type": "xsd:integer", "@value": "-0"}'),
        ("7", "integer", "@id", '{"@value": 7}'),
        ("7", "nonNegativeInteger", f"<{XSD}nonNegativeInteger>", "7"),
        ("07", "nonNegativeInteger", f"<{XSD}nonNegativeInteger>", '"07"'),
        ("7", "integer", f"<{XSD}nonNegativeInteger>", '{"@value": 7}'),
        ("7", "decimal", f"<{XSD}decimal>", '"7"'),
        ("true", "boolean", "", "true"),
        ("1", "boolean", "", '{"@type": "xsd:boolean", "@value": "1"}'),
        ("1.5E0", "double", "", '{"@type": "xsd:double", "@value": "1.5E0"}'),
        ("x", "string", "@en", '{"@value": "x"}'),
    ],
)
def test_json_numbers_are_lossless_only(value: str, datatype: str, coercion: str, text: str) -> None:
    """A JSON number stands for an integer that any reader gives back as it was; other values are strings."""
    statements = [ox.Triple(iri(EX + "s"), iri(EX + "p"), typed(value, datatype))]
    written = write("jsonld", statements, Context(_DECLARED, {f"<{EX}p>": Term("p", coercion)}))
    assert f'"p": {text}\n' in written.decode()
    assert_same(written, "jsonld", statements)


@pytest.mark.parametrize("body", ["[] a ex:A ; ex:p ex:n{} . ", "ex:s ex:p [ ex:p ex:n{} ] . "])
def test_blank_nodes_are_ordered_by_what_they_say(body: str) -> None:
    """So a new one does not move the others about, as canonical labels would."""
    statements = turtle("".join(body.format(n) for n in range(10, 30)))
    for name in ("turtle", "jsonld"):
        assert re.findall(r"n(\d+)", write(name, statements).decode()) == [str(n) for n in range(10, 30)]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (EX, "ex:"),
        (EX + "a.b-c_d", "ex:a.b-c_d"),
        (EX + "2fa", "ex:2fa"),
        (EX + "sub#x", "exs:x"),
        (EX + "half-x", "ex:half-x"),
        (EX + "halfx", "half:x"),
        (EX + "empty/x", ":x"),
        *((EX + local, f"<{EX + local}>") for local in ("a.", "-a", ".a", "a/b", "a%20b", "a:b", "é", "a?b", "a'b")),
        ("http://example.com/a", "<http://example.com/a>"),
    ],
)
def test_prefixed_names(value: str, name: str) -> None:
    """The longest namespace that leaves a plain local name is used; any other IRI is written out."""
    assert f"{name} .\n" in write("turtle", [ox.Triple(iri("urn:s"), iri("urn:p"), iri(value))]).decode()


@pytest.mark.parametrize("prefixes", [{"1x": EX}, {"a.": EX}, {"a b": EX}, {"ex": EX + " "}, {"ex": EX + ">"}, {"_": EX}])
@pytest.mark.parametrize("name", ["turtle", "trig", "jsonld", "rdfxml"])
def test_prefix_that_cannot_be_written_is_refused(name: str, prefixes: dict[str, str]) -> None:
    """A prefix map that would break the syntax is refused with the offending entry."""
    with pytest.raises(RdfError, match="prefix"):
        FORMATS[name].write([], prefixes)


def test_nothing_is_an_empty_document() -> None:
    """An empty graph can be written and read in every format."""
    for name in FORMATS:
        assert read(write(name, []), name) == []


# The context


ONTOLOGY = """
    ex:Standard a owl:Class .
    ex:level a owl:ObjectProperty . ex:line a owl:DatatypeProperty ; rdfs:range xsd:nonNegativeInteger .
    ex:label a owl:DatatypeProperty ; rdfs:range rdfs:Literal .
    ex:count rdfs:range xsd:integer . ex:page rdfs:range foaf:Document .
    ex:s a ex:Standard, dcterms:Standard ; dcterms:title "T"@en, "U"@en, "V" ; ex:label "L"@en ; foaf:title "Dr" ;
      dcterms:type ex:t ; dcat:landingPage <http://example.com/> ; ex:in ( 1 ) ; <http://example.com/far> 1 ; ex:dashed-name 1 .
"""


def test_context_is_what_the_ontology_declares_and_the_data_show() -> None:
    """Declared coercions win over use; a key goes to the declared term, then to the first prefix; keywords stay free."""
    names = {name: PREFIXES[name] for name in ("dcat", "dcterms", "foaf", "owl", "rdfs", "xsd")}
    names |= {"": EX + "empty/", "ex": EX, "half": EX + "half", "level": EX + "level/", "title": EX + "title/"}
    assert context(names, turtle(ONTOLOGY)).definitions() == {
        "id": "@id",
        "type": "@type",
        **{name: PREFIXES[name] for name in ("dcat", "dcterms", "foaf", "owl", "rdfs", "xsd")},
        "ex": EX,
        "half": {"@id": EX + "half", "@prefix": True},
        **{name: f"owl:{name}" for name in ("Class", "DatatypeProperty", "ObjectProperty")},
        "Standard": "ex:Standard",
        "count": "ex:count",
        "dcterms:type": {"@id": "dcterms:type", "@type": "@id"},
        "in": "ex:in",
        "label": {"@id": "ex:label", "@language": "en"},
        "landingPage": {"@id": "dcat:landingPage", "@type": "@id"},
        "level": {"@id": "ex:level", "@type": "@id"},
        "line": {"@id": "ex:line", "@type": "xsd:nonNegativeInteger"},
        "page": {"@id": "ex:page", "@type": "@id"},
        "range": {"@id": "rdfs:range", "@type": "@id"},
        "title": {"@id": "dcterms:title", "@language": "en"},
    }


def test_prefix_of_a_vocabulary_keeps_its_name() -> None:
    """A property called as the prefix of a class or property keeps its own prefix."""
    statements = turtle("ex:s ex:org ex:o ; org:unitOf ex:o ; ex:foaf 1 .")
    published = context(NAMES, statements)
    assert "org" in published.prefixes
    assert "foaf" not in published.prefixes
    assert published.terms == {
        f"<{EX}org>": Term("ex:org", "@id"),
        f"<{PREFIXES['org']}unitOf>": Term("unitOf", "@id"),
        f"<{EX}foaf>": Term("foaf", ""),
    }


def test_published_context_reads_documents_written_with_it() -> None:
    """A document whose own context is replaced by the published one means the same."""
    statements = turtle(ONTOLOGY)
    published = context(NAMES, statements)
    document = json.loads(write("jsonld", statements[-20:], published))
    assert document["@context"].items() <= published.definitions().items()
    document["@context"] = published.definitions()
    assert_same(json.dumps(document).encode(), "jsonld", statements[-20:])


def test_scheme_of_an_iri_is_never_read_as_a_prefix() -> None:
    """Where a prefix is also the scheme of an IRI, the document does without the prefix."""
    statements = [
        ox.Quad(iri("dcterms:title"), iri("dcterms:x"), iri("ex:y")),
        *turtle('ex:s dcterms:title "T" ; dcterms:type ex:s .'),
    ]
    written = write("jsonld", statements)
    assert not {"dcterms", "ex"} & json.loads(written)["@context"].keys()
    assert_same(written, "jsonld", statements)


# What cannot be written is refused


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "statement",
    [
        ox.Triple(iri(EX + "s"), iri(EX + "p"), ox.Triple(iri(EX + "s"), iri(EX + "p"), iri(EX + "o"))),
        ox.Triple(iri(EX + "s"), iri(EX + "p"), ox.Literal("x", language="ar", direction=ox.BaseDirection.RTL)),
        *ox.parse("<http://example.org/a b> <urn:p> <urn:o> .", ox.RdfFormat.N_TRIPLES, lenient=True),
        *ox.parse("<http://example.org/a<urn:s> <urn:p> <urn:o> .", ox.RdfFormat.N_TRIPLES, lenient=True),
    ],
    ids=["triple term", "base direction", "space in an IRI", "bracket in an IRI"],
)
def test_only_rdf_1_1_is_written(name: str, statement: Statement) -> None:
    """What most tools could not read is refused, and the message shows the statement."""
    with pytest.raises(RdfError, match=r"example\.org.*RDF 1\.1"):
        write(name, [statement, *turtle("ex:s ex:p ex:o .")])


@pytest.mark.parametrize("name", TRIPLES)
def test_named_graph_needs_a_format_that_has_them(name: str) -> None:
    """A format for one graph does not drop the name of another."""
    with pytest.raises(RdfError, match="<urn:g>") as caught:
        write(name, [ox.Quad(iri("urn:s"), iri("urn:p"), iri("urn:o"), iri("urn:g"))])
    assert "jsonld or nquads or trig" in str(caught.value)


@pytest.mark.parametrize(
    "predicate", [EX, EX + "1", EX + "a/", EX + "a%20", RDF + "li", RDF + "Description", RDF + "about", "x:1"]
)
def test_rdfxml_refuses_predicates_that_are_no_xml_names(predicate: str) -> None:
    """A predicate that XML cannot hold is named in the error."""
    with pytest.raises(RdfError, match=predicate):
        write("rdfxml", [ox.Triple(iri(EX + "s"), iri(predicate), ox.Literal("x"))])


@pytest.mark.parametrize("predicate", [EX + "1a", EX + "half1x", EX + "é", "x:a.b", RDF + "_1", RDF + "value", EX + "a-"])
def test_rdfxml_finds_a_name_at_the_end_of_a_predicate(predicate: str) -> None:
    """A predicate of no prefix, or whose local name XML would not have, is split where XML allows."""
    statements = [ox.Triple(iri(EX + "s"), iri(predicate), ox.Literal("x"))]
    written = write("rdfxml", statements)
    assert_same(written, "rdfxml", statements)
    assert ElementTree.fromstring(written)[0][0].tag.replace("{", "").replace("}", "") == predicate


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x1f", "\ufffe"])
def test_rdfxml_refuses_characters_outside_xml(character: str) -> None:
    """A character that XML excludes is named by its code point."""
    with pytest.raises(RdfError, match=f"U\\+{ord(character):04X}"):
        write("rdfxml", [ox.Triple(iri(EX + "s"), iri(EX + "p"), ox.Literal(character))])


def test_rdfxml_survives_another_xml_parser() -> None:
    """A carriage return, markup and white space come back from an XML parser that follows the rules for line ends."""
    text = " <a>&amp;\r\n]]>\r\t'\"\x85\u2028 "
    graph = rdflib.Graph()
    graph.parse(data=write("rdfxml", [ox.Triple(iri(EX + "s"), iri(EX + "p"), ox.Literal(text))]), format="xml")
    assert [str(o) for o in graph.objects()] == [text]


# Blank nodes that are many, deep or alike


def _all_linked(size: int) -> list[ox.Triple]:
    nodes = [ox.BlankNode() for _ in range(size)]
    return [ox.Triple(a, iri(EX + "p"), b) for a in nodes for b in nodes if a != b]


def _hubs(size: int) -> list[ox.Triple]:
    return [ox.Triple(hub, iri(EX + "p"), ox.BlankNode()) for hub in (ox.BlankNode(), ox.BlankNode()) for _ in range(size)]


def _ring(size: int) -> list[ox.Triple]:
    nodes = [ox.BlankNode() for _ in range(size)]
    return [ox.Triple(a, iri(EX + "p"), b) for a, b in zip(nodes, nodes[1:] + nodes[:1], strict=True)]


@pytest.mark.parametrize("statements", [_all_linked(9), _hubs(12), _ring(2000)], ids=["all linked", "hubs", "ring"])
@pytest.mark.parametrize("name", FORMATS)
def test_poison_graph_is_refused(name: str, statements: list[ox.Triple]) -> None:
    """Blank nodes whose canonical names could take for ever are refused at once, with the way out."""
    with pytest.raises(RdfError, match="blank nodes") as caught:
        write(name, statements)
    assert caught.value.fix == "Give some of them an IRI."


@pytest.mark.parametrize(
    "statements",
    [
        _all_linked(5),
        _hubs(6),
        _ring(80),
        [ox.Triple(ox.BlankNode(), iri(EX + "p"), ox.Literal(1)) for _ in range(3000)],
        [statement for _ in range(300) for statement in _ring(2)],
    ],
    ids=["all linked", "hubs", "ring", "alone", "pairs"],
)
def test_blank_nodes_that_are_alike_are_written(statements: list[ox.Triple]) -> None:
    """What can be named in reasonable time is."""
    for name in FORMATS:
        assert_same(write(name, statements), name, statements)


def _chain(size: int) -> list[ox.Triple]:
    nodes = [ox.BlankNode() for _ in range(size)]
    links = [ox.Triple(a, iri(EX + "p"), b) for a, b in pairwise(nodes)]
    return [*links, *(ox.Triple(node, iri(EX + "n"), ox.Literal(n)) for n, node in enumerate(nodes))]


def _long_list(size: int) -> list[ox.Triple]:
    head, cells = _list_of([ox.Literal(n) for n in range(size)], "cell")
    return [ox.Triple(iri(EX + "s"), iri(EX + "p"), head), *cells]


def _deep_list(size: int) -> list[ox.Triple]:
    head, statements = _list_of([ox.Literal(0)], "end")
    for depth in range(size):
        head, cells = _list_of([ox.Literal(depth), head, ox.Literal(-depth)], f"depth{depth}x")
        statements += cells
    return [ox.Triple(iri(EX + "s"), iri(EX + "p"), head), *statements]


def _deep_long_list(size: int) -> list[ox.Triple]:
    """Lists at every depth at which one might be cut off from what refers to it."""
    statements = []
    for depth in range(25):
        nodes: list[Node] = [iri(EX + "s"), *(ox.BlankNode(f"d{depth}x{n}") for n in range(depth))]
        head, cells = _list_of([ox.Literal(f"{depth} {n}") for n in range(size)], f"cell{depth}x")
        statements += [*(ox.Triple(a, iri(EX + "p"), b) for a, b in pairwise([*nodes, head])), *cells]
    return statements


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "statements",
    [_chain(3000), _long_list(3000), _deep_list(1500), _deep_long_list(400)],
    ids=["chain", "long", "deep", "deep and long"],
)
def test_depth_does_not_matter(name: str, statements: list[ox.Triple]) -> None:
    """Neither a long chain of blank nodes nor a long or deep list exhausts the stack."""
    assert_same(write(name, statements), name, statements)


# The table


def test_table_agrees_with_what_others_register() -> None:
    """Names are keys; media types and suffixes are those that pyoxigraph knows, and no two formats share one."""
    for name, format_ in FORMATS.items():
        known = ox.RdfFormat.from_media_type(format_.media_type)
        assert name == format_.name
        assert known is not None
        assert known == ox.RdfFormat.from_extension(format_.suffix[1:])
        assert known.supports_datasets == format_.quads
    assert len({format_.suffix for format_ in FORMATS.values()}) == len(FORMATS)
