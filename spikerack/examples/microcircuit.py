"""The cortical microcircuit of Potjans and Diesmann: 77,169 neurons and 299 million synapses at full scale.

References
----------
T. C. Potjans, M. Diesmann, *The cell-type specific cortical microcircuit*, Cerebral Cortex 24 (2014)
785-806: tables 4 and 5 hold all numbers below. Rounding, the redrawing of weights and delays, the initial
potentials and the downscaling follow the reference implementation that is distributed with NEST.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from network import Network, NetworkError, Normal
from network.errors import show
from spikerack.builder import NetworkBuilder, PopulationBuilder, fixed_total_number, normal
from spikerack.examples.scaling import check_scale, scaled


class Cell(NamedTuple):
    """One of the eight populations, with the probability of a synapse from each of the eight."""

    name: str
    size: int
    external_fan_in: int
    current_pa: float
    v0_mean_mv: float
    v0_sd_mv: float
    rate_hz: float
    probabilities: tuple[float, ...]

    @property
    def excitatory(self) -> bool:
        """Whether its synapses excite."""
        return self.name.endswith("E")


# fmt: off
CELLS = (
    Cell("L23E", 20683, 1600,  561.97, -68.28, 5.36, 0.903,
         (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0,    0.0076, 0.0)),
    Cell("L23I",  5834, 1500,  526.85, -63.16, 4.57, 2.965,
         (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0,    0.0042, 0.0)),
    Cell("L4E",  21915, 2100,  737.59, -63.33, 4.74, 4.414,
         (0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0)),
    Cell("L4I",   5479, 1900,  667.34, -63.45, 4.94, 5.876,
         (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0,    0.1057, 0.0)),
    Cell("L5E",   4850, 2000,  702.47, -63.11, 4.94, 7.569,
         (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0)),
    Cell("L5I",   1065, 1900,  667.34, -61.66, 4.55, 8.633,
         (0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0)),
    Cell("L6E",  14395, 2900, 1018.58, -66.72, 5.46, 1.105,
         (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252)),
    Cell("L6I",   2948, 2100,  737.59, -61.43, 4.48, 7.829,
         (0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443)),
)
# fmt: on

TIMESTEP_MS = 0.1
TAU_SYN_MS = 0.5
WEIGHT_PA = 87.81
INHIBITION = -4.0
RELATIVE_SD = 0.1
EXTERNAL_RATE_HZ = 8.0

EXPECTED_RATES_HZ = {cell.name: cell.rate_hz for cell in CELLS}
"""Mean rates at full scale, over several seeds."""


def microcircuit(scale: float = 1.0, seed: int = 1, *, drive: Literal["dc", "poisson"] = "dc") -> Network:
    """Return the microcircuit, at any scale.

    Below full scale the numbers of neurons and of synapses onto each neuron both shrink by `scale`, which
    leaves `scale` squared of the synapses. Weights grow by ``1 / sqrt(scale)``, which keeps the variance of
    the input, and a current replaces the mean input that is lost, at the rates of the full network. So
    rates stay about the same; correlations do not.

    Sizes, synapse numbers and external in-degrees are the products with `scale`, rounded half to even.

    Parameters
    ----------
    scale : float
        The share of the neurons, above 0 and at most 1.
    seed : int
        The seed of all random numbers.
    drive : {"dc", "poisson"}
        What stands for the rest of the brain: a constant current, or Poisson spikes into each neuron.

    Raises
    ------
    NetworkError
        `scale` or `drive` is none.
    """
    check_scale(scale)
    if drive not in ("dc", "poisson"):
        raise NetworkError([("drive", f"must be 'dc' or 'poisson', got {show(drive)}; choose one of them")])
    net = NetworkBuilder("microcircuit", timestep_ms=TIMESTEP_MS, seed=seed)
    populations = [_population(net, cell, scale) for cell in CELLS]
    for cell, population in zip(CELLS, populations, strict=True):
        if drive == "poisson":
            population.receives_poisson(
                rate_hz=EXTERNAL_RATE_HZ * round(cell.external_fan_in * scale),
                weight=WEIGHT_PA / math.sqrt(scale),
                receptor="excitatory",
            )
        current = _current_pa(cell, scale, drive)
        if current:
            population.receives_current(current)
    for target, onto in zip(CELLS, populations, strict=True):
        for source, origin in zip(CELLS, populations, strict=True):
            _connect(net, source, origin, target, onto, scale)
    return net.build()


def n_synapses(source: Cell, target: Cell) -> int:
    """Return the synapses from one full-scale population to another.

    So many draws of a pair, with replacement, leave a given pair connected with the probability of the
    table: K = ln(1 - p) / ln(1 - 1 / (N_source N_target)). With `log1p` no K is within 0.003 of a half, so
    that the rounded number is the same on all machines; with `log`, as NEST's example takes it, the last
    digit would depend on the machine's.
    """
    probability = target.probabilities[CELLS.index(source)]
    return round(math.log1p(-probability) / math.log1p(-1.0 / (source.size * target.size)))


def weight_pa(source: Cell, target: Cell) -> float:
    """Return the mean weight of a full-scale projection; that from L4E to L23E counts twice."""
    if not source.excitatory:
        return WEIGHT_PA * INHIBITION
    return WEIGHT_PA * (2.0 if (source.name, target.name) == ("L4E", "L23E") else 1.0)


def _population(net: NetworkBuilder, cell: Cell, scale: float) -> PopulationBuilder:
    return net.population(
        cell.name,
        scaled(cell.size, scale),
        "lif_curr_exp",
        initial={"v_mv": normal(cell.v0_mean_mv, cell.v0_sd_mv)},
        v_rest_mv=-65.0,
        v_threshold_mv=-50.0,
        v_reset_mv=-65.0,
        c_m_pf=250.0,
        tau_m_ms=10.0,
        tau_syn_ex_ms=TAU_SYN_MS,
        tau_syn_in_ms=TAU_SYN_MS,
        t_ref_ms=2.0,
    )


def _current_pa(cell: Cell, scale: float, drive: str) -> float:
    """Return the constant current: the drive, if it is one, and the mean input that downscaling takes."""
    lost = sum(n_synapses(s, cell) / cell.size * weight_pa(s, cell) * s.rate_hz for s in CELLS)
    if drive == "poisson":
        lost += cell.external_fan_in * WEIGHT_PA * EXTERNAL_RATE_HZ
    driven = cell.current_pa if drive == "dc" else 0.0
    # ms x pA x 1/s: a thousandth.
    return driven + 1e-3 * TAU_SYN_MS * (1.0 - math.sqrt(scale)) * lost


def _connect(
    net: NetworkBuilder,
    source: Cell,
    origin: PopulationBuilder,
    target: Cell,
    onto: PopulationBuilder,
    scale: float,
) -> None:
    n = round(n_synapses(source, target) * scale * scale)
    if n == 0:
        return
    net.connect(
        origin,
        onto,
        fixed_total_number(n),
        weight=_same_sign(weight_pa(source, target) / math.sqrt(scale)),
        delay_ms=_delay_ms(1.5 if source.excitatory else 0.75),
        receptor="excitatory" if source.excitatory else "inhibitory",
    )


def _same_sign(mean: float) -> Normal:
    """Return weights around `mean` that are redrawn where they would change their sign."""
    sd = RELATIVE_SD * abs(mean)
    return normal(mean, sd, low=0.0) if mean > 0 else normal(mean, sd, high=0.0)


def _delay_ms(mean: float) -> Normal:
    """Return delays around `mean` that are redrawn where they would round to no tick."""
    return normal(mean, 0.5 * mean, low=0.5 * TIMESTEP_MS)
