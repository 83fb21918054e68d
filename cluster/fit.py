"""Does a network fit a system? Every limit with its headroom, before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from chip import MODELS
from chip.memory import possible_delays
from cluster.errors import CapacityError
from cluster.options import DeployOptions
from cluster.systems import System
from network import Network, PoissonInput

WORD_BYTES = 4
_CHIP_BYTES = 6 << 20
"""Buffers of a chip whatever its size: spikes, segments, tables; and what a thread costs."""


class LimitUse(BaseModel):
    """One limit and how much of it is used."""

    model_config = ConfigDict(frozen=True)

    where: str = Field(description="The fullest chip, or the whole system.")
    limit: str
    used: int
    capacity: int
    headroom: int = Field(description="Capacity less used; negative when it does not fit.")


class FitReport(BaseModel):
    """The answer of a dry run."""

    model_config = ConfigDict(frozen=True)

    fits: bool
    n_chips: int
    n_neurons: int
    n_synapses: int
    memory_bytes: int = Field(description="Estimated memory of all chips together.")
    limits: tuple[LimitUse, ...]
    problems: tuple[str, ...] = Field(description="One line a broken limit: where, rule, value, what to do.")


def fit(network: Network, system: System, options: DeployOptions) -> FitReport:
    """Compare a network with a system's limits.

    Takes time and memory that depend on the number of populations and projections, not of neurons.
    """
    limits = tuple(_limits(network, system, options))
    problems = [_problem(use) for use in limits if use.headroom < 0]
    problems += _model_problems(network, system)
    return FitReport(
        fits=not problems,
        n_chips=options.chips,
        n_neurons=network.n_neurons,
        n_synapses=network.n_synapses,
        memory_bytes=estimate_bytes(network, options),
        limits=limits,
        problems=tuple(problems),
    )


def require_fit(network: Network, system: System, options: DeployOptions) -> FitReport:
    """Return the fit.

    Raises
    ------
    CapacityError
        It does not fit.
    """
    report = fit(network, system, options)
    if not report.fits:
        raise CapacityError(report.problems)
    return report


def _limits(network: Network, system: System, options: DeployOptions) -> Iterator[LimitUse]:
    chip, n_chips = system.chip, max(min(options.chips, system.n_chips), 1)
    yield _use(f"system {system.name!r}", "chips", options.chips, system.n_chips)
    neurons = sum(-(-population.size // n_chips) for population in network.populations)
    yield _use("fullest chip", "neurons", neurons, chip.neurons)
    yield _use("fullest chip", "banks", -(-neurons // 65_536), chip.banks)
    yield _use("fullest chip", "synapse_words", -(-network.n_synapses // n_chips), chip.synapse_words)
    yield _use("fullest chip", "axons", _axons(network), chip.axons)
    yield _use("fullest chip", "delay_ticks", _longest_delay(network), chip.delay_ticks)


def _use(where: str, limit: str, used: int, capacity: int) -> LimitUse:
    return LimitUse(where=where, limit=limit, used=used, capacity=capacity, headroom=capacity - used)


_ADVICE = {
    "chips": "use fewer chips or a larger system",
    "neurons": "use more chips",
    "banks": "use more chips",
    "synapse_words": "use more chips or fewer synapses",
    "axons": "use fewer sources or merge projections",
    "delay_ticks": "shorten the delays or lengthen the timestep",
}


def _problem(use: LimitUse) -> str:
    return f"{use.where}: {use.limit} must be at most {use.capacity}, got {use.used}; {_ADVICE[use.limit]}"


def _model_problems(network: Network, system: System) -> list[str]:
    takes = system.chip.models
    return [
        f"system {system.name!r}: population {population.name!r} must be of a model that its chips take "
        f"({', '.join(takes)}), got {population.model!r}; choose another model or system"
        for population in network.populations
        if takes is not None and population.model not in takes
    ]


def _axons(network: Network) -> int:
    """Return an upper bound of a chip's axons: each source with each receptor that it reaches."""
    pairs = {(p.source, p.receptor) for p in network.projections}
    return sum(network.member(source).size for source, _ in pairs)


def _longest_delay(network: Network) -> int:
    delays = [possible_delays(projection, network.timestep_ms) for projection in network.projections]
    return max((int(ticks[-1]) for ticks in delays if ticks.size), default=1)


def estimate_bytes(network: Network, options: DeployOptions) -> int:
    """Return the expected memory of all chips: synapse words, their index, neurons, spikes in flight."""
    number = np.dtype(options.precision).itemsize
    delays = [possible_delays(projection, network.timestep_ms) for projection in network.projections]
    n_delays = np.unique(np.concatenate([np.ones(1, np.int64), *delays])).size
    axons = _axons(network)
    index = options.chips * axons * (n_delays * WORD_BYTES + 11)
    neurons = sum(
        _neuron_bytes(population.model, number) * population.size for population in network.populations
    )
    inputs = sum(8 * p.size for p in network.populations for i in p.inputs if isinstance(i, PoissonInput))
    buffers = network.n_neurons * 8 * 3
    return network.n_synapses * WORD_BYTES + index + neurons + inputs + buffers + options.chips * _CHIP_BYTES


def _neuron_bytes(model: str, number: int) -> int:
    """Return the bytes of one neuron: state and drive, its copy at tick 0, slots, load, flag."""
    known = MODELS.get(model)
    variables, receptors = (len(known.kernel_state), len(known.receptors)) if known else (4, 2)
    return 2 * (variables * number + 4 * receptors) + number + 8 * receptors + 1
