"""What the server counts of itself, in the text format that Prometheus reads (version 0.0.4)."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts of requests by route and status, and how long they took by route."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))
        self._seconds: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def count(self, route: str, status: int, seconds: float, size: int) -> None:
        """A request was answered."""
        self._requests[route, status] += 1
        self._buckets[route][bisect_left(_BOUNDS, seconds)] += 1
        self._seconds[route] += seconds  # type: ignore[assignment] # a Counter of seconds
        self._bytes[route] += size

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """All counts, and gauges by name, each with what it is."""
        lines = ["# HELP onemg_requests_total Requests by route and status.", "# TYPE onemg_requests_total counter"]
        lines += [
            f'onemg_requests_total{{route="{route}",status="{status}"}} {count}'
            for (route, status), count in sorted(self._requests.items())
        ]
        lines += ["# HELP onemg_response_bytes_total Content sent.", "# TYPE onemg_response_bytes_total counter"]
        lines += [f'onemg_response_bytes_total{{route="{route}"}} {size}' for route, size in sorted(self._bytes.items())]
        lines += ["# HELP onemg_request_seconds Time to an answer.", "# TYPE onemg_request_seconds histogram"]
        for route, counts in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*map(str, _BOUNDS), "+Inf"), counts, strict=True):
                total += count
                lines.append(f'onemg_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}')
            lines.append(f'onemg_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}')
            lines.append(f'onemg_request_seconds_count{{route="{route}"}} {total}')
        for name, (meaning, value) in gauges.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"
