"""Prometheus metrics: what this server counts itself, and what the queue and the workers count.

The workers are other processes, often on other hosts; their sums come from the queue's counters at
the moment of a scrape.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from unmask.queue.stats import Stats

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "unmask_http_requests",
            "Requests by route, method and status.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "unmask_http_request_seconds",
            "Time to answer, by route.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.errors = Counter(
            "unmask_http_errors", "Errors shown, by code.", ["code"], registry=self._registry
        )
        self.streams = Gauge(
            "unmask_http_event_streams", "Open streams of live events.", registry=self._registry
        )

    def exposition(self, stats: Stats | None) -> bytes:
        """The text that Prometheus scrapes; without ``stats`` the queue counts as down."""
        registry = CollectorRegistry()
        registry.register(_QueueState(stats))
        return generate_latest(self._registry) + generate_latest(registry)


class _QueueState(Collector):
    def __init__(self, stats: Stats | None) -> None:
        self._stats = stats

    def collect(self) -> Iterable[Metric]:
        up = self._stats is not None
        yield GaugeMetricFamily("unmask_queue_up", "Whether the queue answers.", value=int(up))
        if self._stats is not None:
            yield from _queue(self._stats)
            yield from _work(self._stats.counters)


def _queue(stats: Stats) -> Iterable[Metric]:
    depth = GaugeMetricFamily("unmask_queue_depth", "Pictures that wait.", labels=["queue"])
    for name, count in stats.depth.items():
        depth.add_metric([name], count)
    yield depth
    yield GaugeMetricFamily("unmask_queue_running", "Pictures at work.", value=stats.running)
    yield GaugeMetricFamily(
        "unmask_queue_oldest_seconds",
        "Age of the picture that waits longest.",
        value=stats.oldest_seconds,
    )
    if stats.estimated_wait_seconds is not None:
        yield GaugeMetricFamily(
            "unmask_queue_wait_seconds",
            "How long a picture submitted now would wait.",
            value=stats.estimated_wait_seconds,
        )
    yield GaugeMetricFamily("unmask_workers", "Workers that live.", value=stats.workers)
    engines = GaugeMetricFamily(
        "unmask_workers_by_engine", "Workers by what their networks run on.", labels=["engine"]
    )
    for name, count in sorted(stats.engines.items()):
        engines.add_metric([name], count)
    yield engines


def _work(counters: dict[str, float]) -> Iterable[Metric]:
    """The workers' sums; a name ``family:label`` becomes a labelled sample."""
    sizes = CounterMetricFamily(
        "unmask_worker_batches_by_size", "Batches by pictures in them.", labels=["size"]
    )
    stages = CounterMetricFamily(
        "unmask_worker_stage_seconds", "Time spent on each stage.", labels=["stage"]
    )
    errors = CounterMetricFamily("unmask_worker_errors", "Failed checks by code.", labels=["code"])
    sums = CounterMetricFamily("unmask_worker_events", "Other sums of the workers.", labels=["of"])
    for name, value in sorted(counters.items()):
        family, _, label = name.partition(":")
        if family == "batch_size":
            sizes.add_metric([label], value)
        elif family == "ms":
            stages.add_metric([label], value / 1000)
        elif family == "error":
            errors.add_metric([label], value)
        else:
            sums.add_metric([name], value)
    return sizes, stages, errors, sums
