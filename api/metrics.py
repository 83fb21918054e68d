"""What the gateway counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.states import DEPLOYMENT, RUN

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one gateway, in a registry of its own. No label holds anything that a client chose."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "spikerack_requests", "Answered requests", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "spikerack_request_seconds",
            "Time to the last byte of an answer",
            ["route"],
            registry=self.registry,
        )
        self.streams = Gauge("spikerack_streams", "Open streams", ["mode"], registry=self.registry)
        self.frames = Counter(
            "spikerack_stream_frames", "Frames sent to viewers", ["type"], registry=self.registry
        )
        self.spikes = Counter("spikerack_streamed_spikes", "Spikes sent to viewers", registry=self.registry)
        self._runs = Gauge(
            "spikerack_runs", "Live runs, and ended ones since start", ["state"], registry=self.registry
        )
        self._deployments = Gauge(
            "spikerack_deployments", "Live deployments", ["state"], registry=self.registry
        )
        self._ended = dict.fromkeys(RUN, 0)
        self.show_live({}, {})

    def count_end(self, state: str) -> None:
        """Count a run that has ended."""
        self._ended[state] += 1

    def show_live(self, deployments: Mapping[str, int], runs: Mapping[str, int]) -> None:
        """Set the gauges to the numbers of live deployments and runs by state."""
        for state in DEPLOYMENT:
            self._deployments.labels(state).set(deployments.get(state, 0))
        for state, ended in self._ended.items():
            self._runs.labels(state).set(runs.get(state, 0) + ended)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
