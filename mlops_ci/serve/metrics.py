"""Counters in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ERROR = 400


class Metrics:
    """Touched by the event loop alone, so without locks."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.seconds: dict[str, list[int]] = {}
        self.sums: Counter[str] = Counter()
        self.rows = 0
        self.in_flight = 0

    def observe(self, route: str, status: int, seconds: float, rows: int) -> None:
        self.requests[route, status] += 1
        self.rows += rows
        counts = self.seconds.setdefault(route, [0] * (len(BOUNDS) + 1))
        counts[bisect_left(BOUNDS, seconds)] += 1
        self.sums[route] += seconds  # type: ignore[assignment]

    def text(self, model: str, digest: str, waiting: int) -> str:
        lines = _head("mlops_ci_requests_total", "counter", "Requests answered.")
        for (route, status), count in sorted(self.requests.items()):
            lines.append(f'mlops_ci_requests_total{{route="{route}",status="{status}"}} {count}')
        lines += _head("mlops_ci_errors_total", "counter", "Answers with status 400 or more.")
        errors: Counter[str] = Counter()
        for (route, status), count in self.requests.items():
            errors[route] += count if status >= ERROR else 0
        lines += [f'mlops_ci_errors_total{{route="{r}"}} {n}' for r, n in sorted(errors.items())]
        lines += self._histogram()
        lines += _head("mlops_ci_rows_total", "counter", "Rows predicted.")
        lines.append(f"mlops_ci_rows_total {self.rows}")
        lines += _head("mlops_ci_in_flight", "gauge", "Requests being answered.")
        lines.append(f"mlops_ci_in_flight {self.in_flight}")
        lines += _head("mlops_ci_waiting", "gauge", "Requests that wait for the model.")
        lines.append(f"mlops_ci_waiting {waiting}")
        lines += _head("mlops_ci_model_info", "gauge", "Which model this is.")
        name = model.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'mlops_ci_model_info{{model="{name}",digest="{digest}"}} 1')
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "mlops_ci_request_seconds"
        lines = _head(name, "histogram", "From the whole request to its answer.")
        for route, counts in sorted(self.seconds.items()):
            total = 0
            for bound, count in zip((*BOUNDS, "+Inf"), counts, strict=True):
                total += count
                lines.append(f'{name}_bucket{{route="{route}",le="{bound}"}} {total}')
            lines.append(f'{name}_sum{{route="{route}"}} {self.sums[route]:.6f}')
            lines.append(f'{name}_count{{route="{route}"}} {total}')
        return lines


def _head(name: str, kind: str, help_text: str) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
