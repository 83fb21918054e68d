"""What the service says about deployments and runs, as both clients show it. No I/O."""

from __future__ import annotations

from typing import Any

from network.digest import SpikeDigest
from spikerack.calls import Record
from spikerack.spikes import Spikes


class View:
    """A thing as the service described it last.

    Attributes
    ----------
    record : dict
        The service's own words; `refresh` renews them.
    """

    def __init__(self, record: Record) -> None:
        self.record = record

    @property
    def id(self) -> str:
        """The id by which the service knows it."""
        return str(self.record["id"])


class DeploymentView(View):
    """A deployment as the service described it last."""

    def __repr__(self) -> str:
        record = self.record
        where = f"{record['chips']} chips of {record['system']}"
        return f"{type(self).__name__}({self.id}: {record['network_name']} on {where}, {self.state})"

    @property
    def state(self) -> str:
        """One of building, ready, failed, released."""
        return str(self.record["state"])

    @property
    def report(self) -> dict[str, Any] | None:
        """The mapping report, once it is built."""
        report: dict[str, Any] | None = self.record["report"]
        return report


class RunView(View):
    """A run as the service described it last."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id}: {self.state}, tick {self.tick} of {self.record['n_ticks']})"

    @property
    def state(self) -> str:
        """One of starting, running, paused, complete, complete_with_loss, failed, cancelled."""
        return str(self.record["state"])

    @property
    def tick(self) -> int:
        """Ticks done."""
        return int(self.record["tick"])

    @property
    def digest(self) -> str | None:
        """SHA-256 of all spikes; None until the run has ended."""
        digest: str | None = self.record["digest"]
        return digest

    @property
    def recorded_digest(self) -> str | None:
        """SHA-256 of the spikes that the network's recordings keep; None until the run has ended."""
        digest: str | None = self.record["recorded_digest"]
        return digest

    @property
    def rates_hz(self) -> dict[str, float] | None:
        """Mean rate of each population, once the run has ended."""
        rates: dict[str, float] | None = self.record["rates_hz"]
        return rates


def digest_of(spikes: Spikes, n_ticks: int) -> str:
    """Return the digest of a run of `n_ticks` whose kept spikes, all of them, are `spikes`."""
    n_neurons = sum(size for _, size in spikes.populations.values())
    digest = SpikeDigest(spikes.timestep_ms, n_ticks, n_neurons)
    digest.update(spikes.tick, spikes.neuron)
    return digest.hexdigest()
