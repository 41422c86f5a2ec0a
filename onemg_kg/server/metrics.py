"""What the server counts of itself, in the text format that Prometheus reads (version 0.0.4)."""

import mmap
import os
from bisect import bisect_left
from collections.abc import Mapping

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROUTES = ("api", "site", "sparql", "state")
_STATUSES = 600
_BUCKETS = len(_BOUNDS) + 1
_SECONDS, _BYTES = _STATUSES + _BUCKETS, _STATUSES + _BUCKETS + 1
_PLACES = {route: place * (_BYTES + 1) for place, route in enumerate(_ROUTES)}
"""Where the numbers of a route begin: requests by status, by time, the sum of their times, and of their bytes."""

CLOSED, KEPT, HITS, REPEATS, MISSES = range(len(_ROUTES) * (_BYTES + 1), len(_ROUTES) * (_BYTES + 1) + 5)
"""Where a process beside the first says how many connections it had and has no more, and what its caches did."""
_NUMBERS = MISSES + 1


class Counts:
    """Numbers that several processes share: each writes a row of its own, and any reads them all.

    Args:
        rows: how many rows there are.
        descriptor: the file that another process made of them; -1 to make it.

    Attributes:
        descriptor: the file, to be given to another process; -1 where there is but one row.
        rows: the rows.
    """

    def __init__(self, rows: int, descriptor: int = -1) -> None:
        if descriptor < 0 and rows > 1:
            descriptor = os.memfd_create("counts")  # it outlives who writes to it: what one that is killed has counted stays
            os.ftruncate(descriptor, rows * _NUMBERS * 8)
        self.descriptor = descriptor
        numbers = memoryview(mmap.mmap(descriptor, rows * _NUMBERS * 8)).cast("d")
        self.rows = [numbers[row * _NUMBERS : (row + 1) * _NUMBERS] for row in range(rows)]
        self._free = set(range(1, rows))

    def take(self) -> int | None:
        """A row that no process writes to, for another one; nothing where there is none. The first row is that of the first."""
        if not self._free:
            return None
        row = min(self._free)
        self._free.remove(row)
        for place in (CLOSED, KEPT, HITS, REPEATS, MISSES):
            self.rows[row][place] = 0
        return row

    def give_back(self, row: int) -> None:
        """The process that wrote to a row has ended."""
        self._free.add(row)


class Metrics:
    """Counts of requests by route and status, and how long they took by route, of all processes.

    Args:
        counts: where they are counted.
        row: which row is that of this process.
    """

    def __init__(self, counts: Counts, row: int = 0) -> None:
        self._counts = counts
        self.row = counts.rows[row]

    def count(self, route: str, status: int, seconds: float, size: int) -> None:
        """A request was answered."""
        row, place = self.row, _PLACES[route]
        row[place + status] += 1
        row[place + _STATUSES + bisect_left(_BOUNDS, seconds)] += 1
        row[place + _SECONDS] += seconds
        row[place + _BYTES] += size

    def sum(self, place: int) -> float:
        """A number of all processes together."""
        return sum(row[place] for row in self._counts.rows)

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """All counts, and gauges by name, each with what it is."""
        sums = [sum(column) for column in zip(*self._counts.rows, strict=True)]
        counted = {
            route: {status: int(sums[place + status]) for status in range(_STATUSES) if sums[place + status]}
            for route, place in _PLACES.items()
        }
        seen = [(route, _PLACES[route]) for route in _ROUTES if counted[route]]
        lines = ["# HELP onemg_requests_total Requests by route and status.", "# TYPE onemg_requests_total counter"]
        lines += [
            f'onemg_requests_total{{route="{route}",status="{status}"}} {count}'
            for route, _ in seen
            for status, count in counted[route].items()
        ]
        lines += ["# HELP onemg_response_bytes_total Content sent.", "# TYPE onemg_response_bytes_total counter"]
        lines += [f'onemg_response_bytes_total{{route="{route}"}} {int(sums[place + _BYTES])}' for route, place in seen]
        lines += ["# HELP onemg_request_seconds Time to an answer.", "# TYPE onemg_request_seconds histogram"]
        for route, place in seen:
            total = 0
            for index, bound in enumerate((*map(str, _BOUNDS), "+Inf")):
                total += int(sums[place + _STATUSES + index])
                lines.append(f'onemg_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}')
            lines.append(f'onemg_request_seconds_sum{{route="{route}"}} {sums[place + _SECONDS]:.6f}')
            lines.append(f'onemg_request_seconds_count{{route="{route}"}} {total}')
        for name, (meaning, value) in gauges.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", f"{name} {value:.15g}"]
        return "\n".join(lines) + "\n"
