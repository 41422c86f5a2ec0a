"""One push: lock, stage, compare, swap, compare, record."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, NoReturn

import pyoxigraph as ox

from onemg_kg.client import Client, StoreError
from onemg_kg.graph import GRAPHS
from onemg_kg.project import Project
from onemg_kg.push.dataset import Difference, Graphs, about, canonical, compare, fingerprint, is_kept, pieces
from onemg_kg.push.lock import LOCKS, STAGING, Lock
from onemg_kg.push.requests import Requests
from onemg_kg.terms import BASE, term, text

MANIFEST = GRAPHS + "_manifest"
"""The graph that says, for each graph, what was sent, what was held then, and how many statements that was."""

_TEMPLATE = 200
"""Statements in one template of an update: Virtuoso does not compile many more."""
_STEPS = 50
"""Graphs that are put in place without staging: each is operations of its own, and Virtuoso does not compile hundreds."""
_LEAST = 2_000
_OTHERWISE = {400, 413, 500}
"""Statuses of HTTP after which the same statements may be taken in smaller requests, or as files."""
_ROWS = 5_000
"""Rows to ask for in one query: Virtuoso as packaged gives 10,000 at most."""


@dataclass(frozen=True)
class Options:
    """How to push.

    Attributes:
        full: send every graph, whatever the store is said to hold.
        verify: read every graph back, also those that did not change, and send again what is not what was held. What the store
            holds and no push put there, as after loading it with the store's own tools, is recorded where it is the same.
        force: take over from a push that seems to be under way.
        dry_run: only tell what would be sent.
        chunk: bytes of a request that carries statements, about.
        inline: bytes up to which changes are sent within the request that puts them in place, without staging.
        stale: after this time the lock of another push no longer counts.
    """

    full: bool = False
    verify: bool = False
    force: bool = False
    dry_run: bool = False
    chunk: int = 1_000_000
    inline: int = 64_000
    stale: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class Report:
    """What a push did.

    Attributes:
        sent: the graphs that were sent, or would be.
        removed: the graphs that were removed, or would be: they are below ``GRAPHS`` and not in the build.
        unchanged: how many graphs the store held already.
        statements: how many statements were sent.
        differences: of each graph that was sent or verified and whose literals the store writes in another way, how.
        rewritten: how many graphs of the dataset the store holds with other literals, also since earlier pushes.
        requests: how many requests it took.
        dry_run: whether nothing was done.
    """

    sent: list[str]
    removed: list[str]
    unchanged: int
    statements: int
    differences: list[Difference]
    rewritten: int
    requests: int
    dry_run: bool = False

    @property
    def outcome(self) -> str:
        """``planned``; ``equal``: the store holds what was pushed; ``rewritten``: it does, with other literals."""
        return "planned" if self.dry_run else "rewritten" if self.rewritten else "equal"


class _Record(NamedTuple):
    """What the manifest says of a graph: fingerprints as sent and as held, and the number of statements held."""

    sent: str
    held: str
    number: int


@dataclass
class _State:
    """What a store says it holds.

    Attributes:
        counts: how many statements each graph below our base has.
        records: the manifest.
    """

    counts: dict[str, int]
    records: dict[str, _Record]

    @property
    def left(self) -> list[str]:
        """Staging graphs and locks: unless a push is under way, one was cut off."""
        return sorted(graph for graph in self.counts if graph.startswith(STAGING))

    @property
    def stale(self) -> list[str]:
        """Staging graphs. Asked for by who holds the lock, they are left from pushes that were cut off."""
        return [graph for graph in self.left if graph != LOCKS]


@dataclass
class _Plan:
    """What is to be done.

    Attributes:
        changed: the graphs to send.
        removed: the graphs to remove.
        found: what to record of graphs that the store holds and the manifest does not know.
        differences: of each graph that was read back and whose literals the store writes in another way, how.
    """

    changed: list[str]
    removed: list[str]
    found: dict[str, _Record]
    differences: list[Difference]


class Push:
    """A push, under way.

    Args:
        project: where the requests are: ``queries/push/``.
        client: the store.
        dataset: what it is to hold.
        options: how.
        progress: told what is being done.
    """

    def __init__(
        self, project: Project, client: Client, dataset: Graphs, options: Options, progress: Callable[[str], None]
    ) -> None:
        self.client, self.dataset, self.options, self.progress = client, dataset, options, progress
        requests = Requests(project)
        self._fill = requests.fill
        self._lock = Lock(client, requests)
        self._about = {name: about(sent) for name, sent in dataset.items()}
        self._staged: dict[str, str] = {}
        self._placed: list[str] = []

    def run(self) -> Report:
        """Push.

        Raises:
            StoreError: it could not be done.
        """
        self.progress("asking what the store holds")
        state, verify = self._state(), self.options.verify
        plan = self._plan(state, verify=verify and self.options.dry_run)
        if self.options.dry_run or not (verify or plan.changed or plan.removed or state.left):
            return self._report(plan, state.records)
        try:
            self._acquire()
            if self._records() != state.records:  # another push has ended between
                state = self._state()
            plan = self._plan(state, verify=verify)
            self._drop(state.stale)
            self._forget([*plan.changed, *plan.removed])
            self._put(plan)
            self.progress("counting")
            counts = self._counts()
            self._check_whole(plan, state, counts)
            found = self._check({name: name for name in plan.changed}, counts, "reading back")
            records = plan.found | {name: record for name, (_, record) in found.items()}
            self._record(records)
        except BaseException:
            # Also where a person stops it. What cannot be tidied up now, the next push tidies up.
            self._leave(self.client.once())
            raise
        self._leave(self.client)
        plan.differences += [difference for difference, _ in found.values() if difference is not None]
        return self._report(plan, state.records | records)

    def tidy(self) -> list[str]:
        """Remove what pushes that were cut off left behind.

        Returns:
            The staging graphs that were removed.

        Raises:
            StoreError: it could not be done, or another push is under way.
        """
        try:
            self._acquire()
            stale = self._state().stale
            self._drop(stale)
        finally:
            self._leave(self.client.once())
        return stale

    def _report(self, plan: _Plan, records: Mapping[str, _Record]) -> Report:
        rewritten = sum(name in records and records[name].sent != records[name].held for name in self.dataset)
        return Report(
            plan.changed,
            plan.removed,
            len(self.dataset) - len(plan.changed),
            sum(self._about[name].number for name in plan.changed),
            plan.differences,
            rewritten,
            self.client.requests,
            self.options.dry_run,
        )

    # What is held, and what is to be done

    def _state(self) -> _State:
        return _State(self._counts(), self._records())

    def _counts(self) -> dict[str, int]:
        # To count takes a large store seconds, so it is asked no more often than it must.
        counts = self.client.select(self._fill("counts", base=BASE), "graph", "count")
        # Where there is no group, RDF::Endpoint gives one row without values.
        return {text(graph): int(text(count)) for graph, count in counts if graph is not None}

    def _records(self) -> dict[str, _Record]:
        records = self.client.select(self._fill("records", manifest=MANIFEST), "graph", "record")
        known: dict[str, _Record] = {}
        for graph, record in records:
            words = text(record).split()
            if len(words) == 3 and words[2].isdecimal():
                # Two records of a graph contradict each other: it is sent again.
                known[text(graph)] = _Record("", "", -1) if text(graph) in known else _Record(words[0], words[1], int(words[2]))
        return known

    def _plan(self, state: _State, *, verify: bool) -> _Plan:
        def is_held(name: str) -> bool:
            record, sent = state.records.get(name), self._about[name].fingerprint
            return record is not None and record.sent == sent and record.number == state.counts.get(name, 0)

        kept = set() if self.options.full else set(filter(is_held, self.dataset))
        plan = _Plan([], [], {}, [])
        if verify and not self.options.full:
            kept.update(name for name in self.dataset if name in state.counts and name not in state.records)
            for name, held in self._held(sorted(kept), state.counts, "reading everything back"):
                found = _Record(self._about[name].fingerprint, fingerprint(held), state.counts.get(name, 0))
                record, difference = state.records.get(name), compare(name, self.dataset[name], held)
                if record is None and (difference is None or is_kept(difference, held)):
                    plan.found[name] = found
                elif record is None or record.held != found.held:
                    kept.remove(name)
                    continue
                if difference is not None:
                    plan.differences.append(difference)
        ours = (name for name in state.counts if name.startswith(GRAPHS) and name != MANIFEST)
        plan.changed = [name for name in self.dataset if name not in kept]
        plan.removed = sorted(set(ours) - set(self.dataset))
        return plan

    def _held(self, names: Collection[str], counts: Mapping[str, int], what: str) -> Iterator[tuple[str, list[str]]]:
        """What the store holds of some graphs, as canonical lines; ``what`` that is told while it takes long."""
        total, done = sum(counts.get(name, 0) for name in names), 0
        batch: list[str] = []
        rows = 0
        for name in [*names, None]:
            number = 0 if name is None else counts.get(name, 0)
            if batch and (name is None or rows + number > _ROWS):
                self.progress(f"{what}: {done:,} of {total:,} statements")
                yield from self._read(batch, rows)
                done += rows
                batch, rows = [], 0
            if name is not None:
                batch.append(name)
                rows += number

    def _read(self, graphs: list[str], rows: int) -> Iterator[tuple[str, list[str]]]:
        found: dict[str, list[str]] = {graph: [] for graph in graphs}
        request = self._fill("statements", graphs=graphs)
        for graph, *terms in self.client.each(request, "graph", "subject", "predicate", "object"):
            if (lines := found.get(text(graph))) is None:
                raise StoreError(
                    f"tells of {text(graph)}, which it was not asked for.",
                    source=self.client.endpoint.query,
                    fix="Look whether it is a SPARQL 1.1 store, and in its log.",
                )
            lines.append(" ".join(map(str, terms)) + " .\n")
        number = sum(map(len, found.values()))
        if number < rows:
            raise StoreError(
                f"counts {rows:,} statements and gives {number:,}.",
                source=self.client.endpoint.query,
                fix="Raise its limit of rows in an answer (Virtuoso: ResultSetMaxRows), then repeat the push.",
            )
        return ((graph, canonical(lines)) for graph, lines in found.items())

    def _acquire(self) -> None:
        self.progress("taking the lock")
        self._lock.acquire(force=self.options.force, stale=self.options.stale)

    def _leave(self, client: Client) -> None:
        """Take away the staging graphs and the lock; where that fails, the next push does."""
        try:
            for group in _groups(self._placed, _TEMPLATE):
                client.update(";\n".join(self._fill("drop", graph=graph) for graph in group))
            self._lock.release(client)
        except StoreError:
            self.progress("the store could not be tidied up: the next push will")

    # What is sent

    def _put(self, plan: _Plan) -> None:
        """Put the changed graphs in place, in one request."""
        if not (plan.changed or plan.removed):
            return
        changed = [self._about[name] for name in plan.changed]
        is_few = len(plan.changed) + len(plan.removed) <= _STEPS
        is_short = sum(one.letters for one in changed) <= self.options.inline
        if is_few and is_short and not any(one.blank for one in changed):
            self.progress("putting in place")
            try:
                self.client.update(self._swap(plan))
                return
            except StoreError as error:
                if error.status not in _OTHERWISE:
                    raise
        self._stage(plan.changed)
        exchange = self._say_what_replaces_what(plan)
        self.progress("counting what was sent")
        counts = self._counts()
        if counts.get(exchange) != len(plan.changed) + len(plan.removed):
            self._see_that_it_is_ours()
            raise StoreError(
                "does not hold what it was told to replace; nothing was put in place.",
                source=self.client.endpoint.update,
                fix="Look in its log, then repeat the push.",
            )
        self._check(self._staged, counts, "comparing what was sent")
        self.progress("putting in place")
        self.client.update(self._guarded("exchange", plan=exchange))

    # Either way one request: stores run it as one transaction (SPARQL 1.1 Update, section 2.2).

    def _swap(self, plan: _Plan) -> str:
        """Empties every graph, and fills it with what the request itself holds."""
        steps = [self._guarded("clear", graph=name) for name in [*plan.changed, *plan.removed]]
        return ";\n".join([*steps, *(step for name in plan.changed for step in self._insert(name, self.dataset[name]))])

    def _say_what_replaces_what(self, plan: _Plan) -> str:
        """Write to a staging graph which graph takes the place of which; one that is removed, none that holds anything."""
        graph, by = f"{self._lock.iri}/_plan", term("dcterms:isReplacedBy")
        staged = {name: self._staged.get(name, f"{self._lock.iri}/_nothing") for name in [*plan.changed, *plan.removed]}
        lines = [f"<{name}> {by} <{other}> .\n" for name, other in staged.items()]
        self._placed.append(graph)
        self._send_alone(graph, lines)
        return graph

    def _insert(self, graph: str, lines: list[str]) -> Iterator[str]:
        for part in _groups(lines, _TEMPLATE):
            yield self._guarded("insert", "".join(part), graph=graph)

    def _stage(self, names: list[str]) -> None:
        """Send graphs to staging graphs: small ones together, others in pieces."""
        chunk = self.options.chunk
        self._staged = {name: f"{self._lock.iri}/{name.removeprefix(GRAPHS)}" for name in names}
        self._placed = [*self._staged.values()]
        total, done = sum(self._about[name].number for name in names), 0
        batch: list[str] = []
        length = 0
        for name in [*names, None]:
            size = 0 if name is None else self._about[name].letters
            if batch and (name is None or length + size > chunk):
                self.progress(f"sending {done:,} of {total:,} statements")
                self._send_together(batch)
                done += sum(self._about[name].number for name in batch)
                batch, length = [], 0
            if name is None:
                break
            if size > chunk or self._about[name].blank:
                self.progress(f"sending {done:,} of {total:,} statements")
                self._send_alone(self._staged[name], self.dataset[name])
                done += self._about[name].number
            else:
                batch.append(name)
                length += size

    def _send_together(self, names: list[str]) -> None:
        held = [(self._staged[name], self.dataset[name]) for name in names]
        steps = ((self._fill("drop", graph=graph), self._fill("stage", "".join(lines), graph=graph)) for graph, lines in held)
        try:
            self.client.update(";\n".join(step for pair in steps for step in pair))
        except StoreError as error:
            # Virtuoso takes some literals from a file only.
            alone = len(names) == 1 or (self.client.endpoint.graph_store is not None and error.status in {400, 500})
            if error.status not in _OTHERWISE or (not alone and error.status != 413):
                raise
            if alone:
                for graph, lines in held:
                    self._send_alone(graph, lines)
            else:
                half = len(names) // 2
                self._send_together(names[:half])
                self._send_together(names[half:])

    def _send_alone(self, graph: str, lines: list[str]) -> None:
        """Send a graph in pieces, in smaller ones where the store finds them too large."""
        size = self.options.chunk
        while True:
            try:
                for number, part in enumerate(pieces(lines, size)):
                    self._send_piece(graph, part, first=not number)
                return
            except StoreError as error:
                if error.status != 413 or size < _LEAST:
                    raise
                size //= 4

    def _send_piece(self, graph: str, lines: list[str], *, first: bool) -> None:
        if self.client.endpoint.graph_store is not None:
            self.client.add(graph, "".join(lines), first=first)
        else:
            steps = [self._fill("drop", graph=graph)] if first else []
            self.client.update(";\n".join([*steps, self._fill("stage", "".join(lines), graph=graph)]))

    # What is compared and recorded

    def _check(
        self, places: Mapping[str, str], counts: Mapping[str, int], what: str
    ) -> dict[str, tuple[Difference | None, _Record]]:
        """Compare what the store holds of graphs, each in its place, with what it was sent.

        Raises:
            StoreError: it is something else, and not just written in another way.
        """
        names = {place: name for name, place in places.items()}
        found: dict[str, tuple[Difference | None, _Record]] = {}
        for place, held in self._held(names, counts, what):
            name = names[place]
            difference = compare(name, self.dataset[name], held)
            if difference is not None and not difference.rewritten:
                self._complain(difference, place)
            found[name] = difference, _Record(self._about[name].fingerprint, fingerprint(held), counts.get(place, 0))
        return found

    def _complain(self, difference: Difference, place: str) -> NoReturn:
        self._see_that_it_is_ours()
        many = len(difference.missing), len(difference.added)
        first = (difference.missing or difference.added)[0].strip()
        state = "the readers see it" if place == difference.graph else "nothing was put in place"
        raise StoreError(
            f"holds {place} without {many[0]} statements that it was sent and with {many[1]} others ({first}); {state}.",
            source=self.client.endpoint.update,
            fix="Look in its log, then repeat the push with --full.",
        )

    def _see_that_it_is_ours(self) -> None:
        if not self._lock.is_held():
            raise StoreError(
                "another push took over from this one, which was not put in place.",
                source=self.client.endpoint.update,
                fix="Push again if that is the older.",
            )

    def _check_whole(self, plan: _Plan, state: _State, counts: Mapping[str, int]) -> None:
        """See that nothing is below ``GRAPHS`` but the dataset, as far as counts can tell."""
        changed, records = set(plan.changed), state.records | plan.found
        wrong = [graph for graph in plan.removed if graph in counts]
        wrong += [name for name in self.dataset if name not in changed and counts.get(name, 0) != records[name].number]
        if wrong:
            raise StoreError(
                f"changed {wrong[0]} while this push was under way, and {len(wrong) - 1} other graphs.",
                source=self.client.endpoint.update,
                fix="Find out who else writes there, then repeat the push.",
            )

    def _forget(self, names: list[str]) -> None:
        """From here on, and until it is read back, the manifest says nothing of what is about to change."""
        for group in _groups(names, _TEMPLATE):
            self.client.update(self._guarded("forget", manifest=MANIFEST, graphs=group))

    def _record(self, records: Mapping[str, _Record]) -> None:
        value = term("rdf:value")
        lines = [f'<{name}> {value} "{sent} {held} {number}" .\n' for name, (sent, held, number) in records.items()]
        if lines:
            self.client.update(";\n".join(self._insert(MANIFEST, lines)))

    def _drop(self, graphs: list[str]) -> None:
        for group in _groups(graphs, _TEMPLATE):
            self.client.update(";\n".join(self._fill("drop", graph=graph) for graph in group))

    def _guarded(self, name: str, data: str = "", **values: str | list[str] | ox.Literal) -> str:
        """A request that does nothing once the lock is not ours."""
        return self._fill(name, data, locks=LOCKS, lock=self._lock.iri, **values)


def _groups(items: list[str], size: int) -> Iterator[list[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
