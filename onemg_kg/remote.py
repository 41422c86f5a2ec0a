"""A store elsewhere that is asked as :class:`onemg_kg.store.Store` is: any that speaks SPARQL 1.1. See ``docs/stores.md``."""

import json
from collections.abc import Iterable
from http.client import HTTPResponse
from typing import NoReturn

import pyoxigraph as ox

from onemg_kg import checks
from onemg_kg.client import GRAPHS, RESULTS, Answer, Client, Credentials, Endpoint, Retries, StoreError
from onemg_kg.errors import QueryError
from onemg_kg.findings import Finding, Places
from onemg_kg.project import Project
from onemg_kg.store import Store, Stream, Table, Term
from onemg_kg.terms import BASE, term, text

_UNION = (("union-default-graph", "true"),)
"""Makes the union of all graphs the default graph of Oxigraph; other stores ignore it."""
# Dataset clauses would say the same to every store. There are hundreds of graphs: Oxigraph then does not answer in time, and
# Virtuoso takes ten times as long and answers with a header for each graph, more than Python's `http.client` reads.

_WAYS = ("", "/query", "/sparql")
_WAYS_IN = ("", "/query", "/sparql-auth", "/sparql")
ASKED = ("__ASK_RETVAL",)
"""The columns of the table in which Virtuoso answers an ASK, with 1 or 0."""
_MISSING = {404, 405}
_FORMS = {"csv": ox.QueryResultsFormat.CSV, "json": ox.QueryResultsFormat.JSON}
_HERE = Store()


class Remote:
    """A store elsewhere, for queries only.

    Literals are written as :class:`onemg_kg.store.Store` writes them, so that the same graph gives the same rows.

    Args:
        client: the store.
        union: whether to ask for the union of all graphs as the default graph; else that is what the store takes for it.
    """

    def __init__(self, client: Client, *, union: bool) -> None:
        self._client = client
        self._parameters = _UNION if union else ()

    def open(self, text: str, *, graph: bool, dataset: Iterable[tuple[str, str]] | None = None) -> HTTPResponse:
        """The answer of the store as it comes: to be read, and closed.

        Args:
            text: the query.
            graph: whether it gives a graph.
            dataset: the parameters that name its dataset (SPARQL 1.1 Protocol, 2.1.4), if the request or query names one.

        Raises:
            StoreError: the store cannot be reached, or refuses.
        """
        return self._client.open(text, GRAPHS if graph else RESULTS, self._parameters if dataset is None else dataset)

    def select(self, text: str, source: str = "query") -> Table:
        """Run a SELECT or ASK query.

        Args:
            text: the query. An ASK answers with one row in a column ``answer``.
            source: what to call the query in an error.

        Raises:
            QueryError: the text is not a SELECT or ASK query of SPARQL 1.1.
            StoreError: the store cannot be reached, refuses, or cuts the answer off.
        """
        if self.is_construct(text, source):
            raise QueryError("gives a graph where rows are asked for.", source=source, fix="Use SELECT or ASK.")
        answer = self._answer(self._client.ask(text, parameters=self._parameters), source)
        form = ox.QueryResultsFormat.from_media_type(answer.kind) if answer.kind else None
        if form is None:
            self._fail(f"answers {source} with {answer.kind or 'nothing'}, not with SPARQL results")
        try:
            found = ox.parse_query_results(answer.body, format=form)
            if isinstance(found, ox.QueryBoolean):
                return Table(("answer",), [(ox.Literal(bool(found)),)])
            names = tuple(variable.value for variable in found.variables)
            rows = [tuple(row) for row in found]
        except (SyntaxError, ValueError) as error:
            self._fail(f"answers {source} with broken SPARQL results: {error}")
        if names == ASKED:
            return Table(("answer",), [(ox.Literal(is_true(rows)),)])
        held = _as_held(value for row in rows for value in row)
        return Table(names, [tuple(held.get(value, value) for value in row) for row in rows])

    def construct(self, text: str, source: str = "query") -> list[ox.Triple]:
        """Run a CONSTRUCT or DESCRIBE query. Each statement is given once.

        Raises:
            QueryError: the text is not such a query of SPARQL 1.1.
            StoreError: the store cannot be reached, refuses, or cuts the answer off.
        """
        if not self.is_construct(text, source):
            raise QueryError("gives rows where a graph is asked for.", source=source, fix="Use CONSTRUCT or DESCRIBE.")
        answer = self._answer(self._client.ask(text, GRAPHS, self._parameters), source)
        form = ox.RdfFormat.from_media_type(answer.kind) if answer.kind else None
        if form is None:
            self._fail(f"answers {source} with {answer.kind or 'nothing'}, not with RDF")
        try:
            triples = [quad.triple for quad in ox.parse(answer.body, format=form)]
        except (SyntaxError, ValueError) as error:
            self._fail(f"answers {source} with broken RDF: {error}")
        held = _as_held(triple.object for triple in triples)
        stated = (ox.Triple(one.subject, one.predicate, held.get(one.object, one.object)) for one in triples)
        return list(dict.fromkeys(stated))

    def stream(self, text: str, source: str = "query") -> Stream:
        """As :meth:`select`, whose answer is whole before it is read.

        Raises:
            QueryError: the text is not a SELECT or ASK query of SPARQL 1.1.
            StoreError: the store cannot be reached, refuses, or cuts the answer off.
        """
        found = self.select(text, source)
        return Stream(found.variables, iter(found.rows))

    def is_construct(self, text: str, source: str = "query") -> bool:
        """Whether the query answers with a graph. The store is not asked.

        Raises:
            QueryError: the text is not SPARQL 1.1.
        """
        return _HERE.is_construct(text, source)

    def results(self, text: str, form: str, source: str = "query") -> str:
        """The answer to a SELECT or ASK query as a document: as :meth:`onemg_kg.store.Store.results`, from the same arguments.

        Raises:
            QueryError: the text is not such a query.
            StoreError: the store cannot be reached, refuses, or cuts the answer off.
        """
        table = self.select(text, source)
        document = {
            "head": {"vars": table.variables},
            "results": {
                "bindings": [
                    {name: _json(value) for name, value in record.items() if value is not None} for record in table.records()
                ]
            },
        }
        found = ox.parse_query_results(json.dumps(document).encode(), format=ox.QueryResultsFormat.JSON)
        assert isinstance(found, ox.QuerySolutions)
        return (found.serialize(format=_FORMS[form]) or b"").decode() + ("" if form == "csv" else "\n")

    def _answer(self, answer: Answer, source: str) -> Answer:
        """The answer, if the store says nothing of more."""
        if answer.partial:
            self._fail(f"cuts the answer to {source} off ({answer.partial})", "Raise the limit of the store, or ask for less.")
        return answer

    def _fail(self, message: str, fix: str = "Look in its log.") -> NoReturn:
        raise StoreError(message + ".", source=self._client.endpoint.query, fix=fix)


def find(store: str, login: Credentials | None = None, retries: Retries | None = None, timeout: float = 300) -> Remote:
    """The store at a URL.

    Args:
        store: the URL for queries (SPARQL 1.1 Protocol, section 2.1), or a URL below which that is ``query`` or ``sparql``
            (``sparql-auth`` for Virtuoso with credentials).
        login: the credentials.
        retries: of requests.
        timeout: seconds to wait for an answer.

    Raises:
        StoreError: there is none, it cannot be reached, or a query sees nothing in it.
    """
    login = login or Credentials()
    for way in _WAYS_IN if login.user else _WAYS:
        client = Client(Endpoint(store if not way else store.rstrip("/") + way), login, timeout, retries)
        try:
            client.select("SELECT ?one WHERE { VALUES ?one { 1 } }", "one")
        except StoreError as error:
            if error.status not in _MISSING:
                raise
            continue
        # A default graph that is not empty is taken as it is: Oxigraph would add it to the union, and repeat each statement.
        for found in (Remote(client, union=False), Remote(client, union=True)):
            if _holds(found, "?s ?p ?o"):
                return found
        fix = "Push a build to it first: onemg-kg push."
        if _holds(found, "GRAPH ?g { ?s ?p ?o }"):
            fix = "Set it up so that its default graph is the union of its named graphs."
        raise StoreError("shows no statement in its default graph.", source=client.endpoint.query, fix=fix)
    raise StoreError("answers no query.", source=store, fix="Give the URL for queries.")


def _holds(store: Remote, pattern: str) -> bool:
    return text(store.select(f"ASK {{ {pattern} }}").rows[0][0]) == "true"


def check(project: Project, store: Remote) -> list[Finding]:
    """Run the check queries of ``queries/checks/data/`` on a store.

    A store has no files, so findings have no file and no line. Terms, shapes and logic are checked where the files are.

    Raises:
        QueryError: a query is not that of a check.
        StoreError: the store cannot be reached, refuses, or cuts an answer off.
    """
    return checks.run(checks.folder(project, "data"), store, Places(()))


def is_true(rows: Iterable[tuple[object, ...]]) -> bool:
    """Whether Virtuoso answers yes in a table of :data:`ASKED`."""
    return (ox.Literal("1", datatype=term("xsd:integer")),) in rows


def _as_held(terms: Iterable[object]) -> dict[object, ox.Literal]:
    """Each literal among some terms, as our own store holds it."""
    literals = list({value for value in terms if isinstance(value, ox.Literal)})
    held = ox.Store()
    held.bulk_extend(ox.Quad(term(str(i)), term("rdf:value"), literal) for i, literal in enumerate(literals))
    return {
        literals[int(text(quad.subject).removeprefix(BASE))]: quad.object
        for quad in held
        if isinstance(quad.object, ox.Literal)
    }


def _json(value: Term) -> dict[str, str]:
    """A term as SPARQL 1.1 Query Results JSON, section 3.2.2, writes it."""
    if isinstance(value, ox.NamedNode):
        return {"type": "uri", "value": value.value}
    if isinstance(value, ox.BlankNode):
        return {"type": "bnode", "value": value.value}
    told = {"type": "literal", "value": value.value}
    if value.language:
        return {**told, "xml:lang": value.language}
    return {**told, "datatype": value.datatype.value}
