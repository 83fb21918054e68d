"""Does a network fit a system? Every limit with its headroom, before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from chip.memory import MAX_WORDS
from cluster.errors import CapacityError
from cluster.estimate import Estimate
from cluster.options import DeployOptions
from cluster.recordings import MAX_RECORDED_VALUES, recorded_values
from cluster.room import Room
from cluster.systems import System
from network import Network


class LimitUse(BaseModel):
    """One limit and how much of it is used."""

    model_config = ConfigDict(frozen=True)

    where: str = Field(
        description="The fullest chip, the fullest worker (chips that share a thread share a memory), the "
        "whole system, or the host that emulates it."
    )
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
    memory_bytes: int = Field(
        description="The most memory that building and running is expected to take, of all processes; spikes "
        "that are kept come on top."
    )
    limits: tuple[LimitUse, ...]
    problems: tuple[str, ...] = Field(description="One line a broken limit: where, rule, value, what to do.")


def fit(network: Network, system: System, options: DeployOptions, room: Room | None = None) -> FitReport:
    """Compare a network with a system's limits, and with the memory of the host that is to emulate it.

    Takes time and memory that depend on the number of populations, projections and banks, not of neurons. Of
    the placement `shuffled`, the fullest chip is taken to hold what one of `default` holds.

    Parameters
    ----------
    network : Network
        Checked (`cluster.check`).
    room : Room or None
        Where it is to be emulated; None for a core for each chip, and memory without a limit.
    """
    room = room or Room("local", options.chips)
    within = Estimate(network, max(min(options.chips, system.n_chips), 1), options.placement)
    same = within.n_chips == options.chips
    whole = within if same else Estimate(network, options.chips, options.placement)
    memory_bytes = whole.n_bytes(options.precision, room)
    limits = tuple(_limits(within, system, options, room))
    if room.memory_bytes is not None:
        limits += (_use("host", "memory_bytes", memory_bytes, room.memory_bytes),)
    problems = [_problem(use) for use in limits if use.headroom < 0]
    problems += _model_problems(network, system)
    return FitReport(
        fits=not problems,
        n_chips=options.chips,
        n_neurons=network.n_neurons,
        n_synapses=within.n_synapses,
        memory_bytes=memory_bytes,
        limits=limits,
        problems=tuple(problems),
    )


def require_fit(
    network: Network, system: System, options: DeployOptions, room: Room | None = None
) -> FitReport:
    """Return the fit.

    Raises
    ------
    CapacityError
        It does not fit.
    """
    report = fit(network, system, options, room)
    if not report.fits:
        raise CapacityError(report.problems)
    return report


def _limits(within: Estimate, system: System, options: DeployOptions, room: Room) -> Iterator[LimitUse]:
    chip = system.chip
    yield _use(f"system {system.name!r}", "chips", options.chips, system.n_chips)
    yield _use("fullest chip", "neurons", within.n_neurons, chip.neurons)
    yield _use("fullest chip", "banks", within.n_banks, chip.banks)
    yield _use("fullest chip", "synapse_words", within.n_words, chip.synapse_words)
    if room.n_workers(within.n_chips) < within.n_chips:
        yield _use("fullest worker", "joined_words", within.n_joined_words(room), MAX_WORDS)
    yield _use("fullest chip", "axons", within.n_axons, chip.axons)
    yield _use("fullest chip", "delay_ticks", within.longest_delay, chip.delay_ticks)
    yield _use("all chips", "recorded_values", recorded_values(within.network), MAX_RECORDED_VALUES)


def _use(where: str, limit: str, used: int, capacity: int) -> LimitUse:
    return LimitUse(where=where, limit=limit, used=used, capacity=capacity, headroom=capacity - used)


_ADVICE = {
    "chips": "use fewer chips or a larger system",
    "neurons": "use more chips",
    "banks": "use more chips",
    "synapse_words": "use more chips or fewer synapses",
    "joined_words": "use more threads, or Ray, where each chip has a memory of its own",
    "axons": "use fewer sources or merge projections",
    "delay_ticks": "shorten the delays or lengthen the timestep",
    "recorded_values": "record fewer neurons, variables or synapses",
    "memory_bytes": "use fewer synapses or neurons, or a host with more memory",
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
