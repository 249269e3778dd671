"""Prometheus' text: buckets add up, names are escaped."""

from __future__ import annotations

from mlops_ci.serve.metrics import BOUNDS, Metrics


def test_text() -> None:
    metrics = Metrics()
    for seconds, status in ((0.0005, 200), (0.02, 200), (99.0, 500)):
        metrics.observe("/invocations", status, seconds, rows=3)
    lines = metrics.text('a"b\\', "sha256:1", 4).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    buckets = [
        int(values[f'mlops_ci_request_seconds_bucket{{route="/invocations",le="{bound}"}}'])
        for bound in (*BOUNDS, "+Inf")
    ]
    assert buckets == sorted(buckets)
    assert (buckets[0], buckets[-2], buckets[-1]) == (1, 2, 3)
    assert values['mlops_ci_request_seconds_count{route="/invocations"}'] == "3"
    assert values['mlops_ci_errors_total{route="/invocations"}'] == "1"
    assert values["mlops_ci_rows_total"] == "9"
    assert values["mlops_ci_waiting"] == "4"
    assert 'mlops_ci_model_info{model="a\\"b\\\\",digest="sha256:1"} 1' in lines
