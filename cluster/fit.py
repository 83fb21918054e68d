"""Does a network fit a system? Every limit with its headroom, before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from chip import BANK_NEURONS, MODELS
from chip.memory import possible_delays
from cluster.errors import CapacityError
from cluster.options import DeployOptions
from cluster.plan import MAX_EPOCH_TICKS
from cluster.quantisation import quantise_network
from cluster.systems import System
from network import Network, PoissonInput, Population

WORD_BYTES = 4
_AXON_BYTES = 11
_CHIP_BYTES = 600_000
"""Buffers of a chip whatever its size: 65,536 spikes, 4,096 segments, tables."""


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

    Takes time and memory that depend on the number of populations and projections, not of neurons. The
    fullest chip is that of the default placement.

    Parameters
    ----------
    network : Network
        Checked (`cluster.check`).
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
    yield _use("fullest chip", "banks", -(-neurons // BANK_NEURONS), chip.banks)
    yield _use("fullest chip", "synapse_words", _synapse_words(network, n_chips), chip.synapse_words)
    yield _use("fullest chip", "axons", _axons(network, n_chips), chip.axons)
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


def _synapse_words(network: Network, n_chips: int) -> int:
    """Return the synapses onto the fullest chip; where a rule draws the targets, their expected number."""
    sizes = {member.name: member.size for member in network.members}
    words = 0
    for projection in network.projections:
        size = max(sizes[projection.target], 1)
        n = projection.connectivity.n_synapses(sizes[projection.source], sizes[projection.target])
        words += -(-n * -(-size // n_chips) // size)
    return words


def _axons(network: Network, n_chips: int) -> int:
    """Return the fullest chip's axons: each source neuron with each bank, receptor and shift it reaches."""
    banks, shifts = _banks(network, n_chips), quantise_network(network).projections
    reached: dict[tuple[str, int, int], list[range]] = {}
    for projection, quantised in zip(network.projections, shifts, strict=True):
        target = network.member(projection.target)
        assert isinstance(target, Population)
        receptor = MODELS[target.model].receptor(projection.receptor)
        key = projection.source, receptor, quantised.shift
        reached.setdefault(key, []).append(banks[projection.target])
    return sum(network.member(source).size * _n_covered(spans) for (source, *_), spans in reached.items())


def _banks(network: Network, n_chips: int) -> dict[str, range]:
    """Return the banks that each population's slice on the fullest chip stands in."""
    banks, first = {}, 0
    for population in network.populations:
        last = first + -(-population.size // n_chips)
        banks[population.name] = range(first // BANK_NEURONS, -(-last // BANK_NEURONS) if last > first else 0)
        first = last
    return banks


def _n_covered(spans: list[range]) -> int:
    """Return how many numbers lie in any of the ranges."""
    n, done = 0, 0
    for span in sorted(spans, key=lambda span: span.start):
        n += max(span.stop - max(span.start, done), 0)
        done = max(done, span.stop)
    return n


def _longest_delay(network: Network) -> int:
    delays = [possible_delays(projection, network.timestep_ms) for projection in network.projections]
    return max((int(ticks[-1]) for ticks in delays if ticks.size), default=1)


def estimate_bytes(network: Network, options: DeployOptions) -> int:
    """Return the expected memory of all chips: synapse words, their index, neurons, spikes in flight."""
    number = np.dtype(options.precision).itemsize
    delays = [possible_delays(projection, network.timestep_ms) for projection in network.projections]
    n_delays = max(np.unique(np.concatenate([np.zeros(0, np.int64), *delays])).size, 1)
    # A chip alone keeps its axons' spikes for a whole epoch, which is the longest where nothing crosses.
    history = max(_longest_delay(network), MAX_EPOCH_TICKS if options.chips == 1 else 1) + 1
    axon = (n_delays + history) * WORD_BYTES + _AXON_BYTES
    neurons = sum(_neuron_bytes(p.model, number) * p.size for p in network.populations)
    inputs = sum(8 * p.size for p in network.populations for i in p.inputs if isinstance(i, PoissonInput))
    spikes = network.n_neurons * 2 * 8
    chips = options.chips * (_axons(network, options.chips) * axon + _CHIP_BYTES)
    return network.n_synapses * WORD_BYTES + neurons + inputs + spikes + chips


def _neuron_bytes(model: str, number: int) -> int:
    """Return the bytes of one neuron: state and drive, its copy at tick 0, slots, load, flag."""
    variables, receptors = len(MODELS[model].kernel_state), len(MODELS[model].receptors)
    return 2 * (variables * number + 4 * receptors) + number + 8 * receptors + 1
