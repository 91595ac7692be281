"""What is counted, for `/metrics`. Names end in the unit; the only label with values from outside is the topic."""

from __future__ import annotations

from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_AGES = (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 86400)


class Metrics:
    """Counters of one worker process, in a registry of their own (two workers in one process do not clash)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.fetched = self._counter("fetched", "External tasks fetched")
        self.completed = self._counter("completed", "External tasks completed")
        self.bpmn_errors = self._counter("bpmn_errors", "External tasks answered with a BPMN error")
        self.failed = self._counter("failed", "External tasks answered with a failure")
        self.incidents = self._counter("incidents", "Failures without retries left: a person has to look")
        self.dropped = self._counter("dropped", "Results thrown away: lock lost, instance cancelled, engine away")
        self.lock_lost = self._counter("lock_lost", "Locks that another worker got or that had expired")
        self.patience_over = self._counter("patience_over", "Steps that went on without the portal")
        self.seconds = Histogram(
            "order_route_task_seconds", "Time in the handler", ["topic"], buckets=_SECONDS, registry=self.registry
        )
        self.age = Histogram(
            "order_route_task_age_seconds", "Age at fetch", ["topic"], buckets=_AGES, registry=self.registry
        )
        self.beat = Gauge(
            "order_route_loop_beat_timestamp_seconds", "Last turn of a loop", ["loop"], registry=self.registry
        )
        self.loop_errors = Counter(
            "order_route_loop_errors_total", "Turns of a loop that ended in an error", ["loop"], registry=self.registry
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"order_route_tasks_{name}_total", text, ["topic"], registry=self.registry)


@cache
def process_metrics() -> Metrics:
    """Return the counters that this process shows at `/metrics`; the same at each call."""
    return Metrics(REGISTRY)
