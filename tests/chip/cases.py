"""Cases of every rule, with and without autapses and multapses, and of every kind of value."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from chip.codes import Codes
from network import (
    AllToAll,
    Array,
    Convolution,
    DistanceDependent,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    Explicit,
    Exponential,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    FreePositions,
    Gamma,
    GridPositions,
    Lognormal,
    Normal,
    OneToOne,
    Pooling,
    Product,
    SmallWorld,
    Sum,
    Uniform,
    Value,
)
from tests.chip.synapses import Case

WEIGHT = Normal(mean=40.0, sd=8.0, low=0.0)
INHIBITORY = Normal(mean=-40.0, sd=30.0, high=0.0, bounds="clip")
DELAY = Normal(mean=1.5, sd=0.75, low=0.1)
SPREAD = Uniform(low=0.1, high=3.0)

GRID = GridPositions(extent_um=(90.0, 60.0), shape=(14, 10))
RING = GridPositions(extent_um=(90.0, 60.0), shape=(14, 10), periodic=True)
LOOSE = FreePositions(
    extent_um=(90.0, 60.0),
    coordinates_um=(Uniform(low=-45.0, high=45.0), Normal(mean=5.0, sd=9.0, low=-30.0, high=30.0)),
    periodic=True,
)

LISTED = Explicit(sources=(4, 0, 4, 2, 0), targets=(1, 3, 1, 0, 3), weights=(1.0, 600.0, -3.0, -600.0, 0.0))
UPLOADED = SimpleNamespace(
    sources=np.array([3, 0, 3, 1], np.uint32),
    targets=np.array([2, 4, 2, 0], np.uint32),
    weights=np.array([1.5, -2.0, 0.25, 4.0]),
    delays_ms=np.array([0.1, 0.7, 0.3, 3.0]),
)


def drawing(rule: Any, **allowed: bool) -> Any:
    """Return a rule with autapses or multapses forbidden."""
    return rule.model_copy(update={f"allow_{name}": value for name, value in allowed.items()})


def _drawn() -> dict[str, Case]:
    """Return rules that draw: 300 neurons are blocks of 128, 128 and 44."""
    cases = {
        "fixed_in_degree": Case(FixedInDegree(n=17), (300, 41), WEIGHT, SPREAD),
        "fixed_out_degree": Case(FixedOutDegree(n=11), (43, 300), WEIGHT, SPREAD),
        "fixed_total_number": Case(FixedTotalNumber(n=700), (300, 41), 2.5, DELAY),
    }
    for name, case in list(cases.items()):
        alone = replace(case, sizes=(300, 300) if case.rule.n == 700 else (131, 131), recurrent=True)
        once = replace(case, rule=drawing(case.rule, multapses=False))
        cases[f"{name} once"] = once
        cases[f"{name} dense"] = replace(
            once, rule=once.rule.model_copy(update={"n": 6000 if case.rule.n == 700 else 35}), sizes=(41, 203)
        )
        cases[f"{name} no autapses"] = replace(alone, rule=drawing(case.rule, autapses=False))
        cases[f"{name} neither"] = replace(alone, rule=drawing(case.rule, autapses=False, multapses=False))
    # Of out-degrees the targets are many: as dense as they can be, but for one.
    cases["fixed_out_degree dense"] = replace(
        cases["fixed_out_degree dense"], rule=FixedOutDegree(n=202, allow_multapses=False), sizes=(5, 203)
    )
    return cases


def _joined() -> dict[str, Case]:
    """Return rules that join pairs with a probability."""
    near = DistanceDependent(p=DistanceGaussian(scale=0.8, sd_um=9.0))
    shell = DistanceDependent(p=DistanceGaussian(scale=0.9, sd_um=4.0, mean_um=20.0), radius_um=26.0)
    apart = DistanceDependent(p=DistanceLinear(at_zero=-0.1, slope_per_um=0.01), allow_autapses=False)
    decay = DistanceDependent(p=DistanceExponential(scale=1.4, length_um=11.0), allow_autapses=False)
    return {
        "fixed_probability": Case(FixedProbability(p=0.15), (300, 41), WEIGHT, SPREAD),
        "fixed_probability no autapses": Case(
            FixedProbability(p=0.4, allow_autapses=False), (131, 131), WEIGHT, SPREAD, recurrent=True
        ),
        "fixed_probability sure": Case(FixedProbability(p=1.0), (130, 5), WEIGHT, SPREAD),
        "distance": Case(near, (140, 140), WEIGHT, SPREAD, at=(GRID, GRID)),
        "distance periodic": Case(near, (140, 140), WEIGHT, SPREAD, at=(RING, LOOSE)),
        "distance shell": Case(shell, (140, 140), WEIGHT, SPREAD, at=(LOOSE, RING)),
        "distance linear": Case(apart, (140, 140), WEIGHT, SPREAD, recurrent=True, at=(GRID, GRID)),
        "distance decay": Case(decay, (140, 140), WEIGHT, SPREAD, recurrent=True, at=(RING, RING)),
        "small_world": Case(SmallWorld(k=6, p_rewire=0.3), (53, 53), WEIGHT, SPREAD, recurrent=True),
    }


def _fixed() -> dict[str, Case]:
    """Return rules that draw no pairs."""
    convolution = Convolution(
        source_shape=(4, 7, 6),
        kernel_shape=(6, 2, 3, 2),
        kernel=tuple(round(0.5 * k - 17.0, 3) for k in range(72)),
        stride=(2, 1),
        padding=(1, 0),
        dilation=(1, 2),
        groups=2,
    )
    pooling = Pooling(source_shape=(3, 8, 5), window=(3, 2), stride=(2, 2), padding=(1, 1))
    sizes = [
        (int(np.prod(rule.source_shape)), int(np.prod(rule.target_shape))) for rule in (convolution, pooling)
    ]
    return {
        "one_to_one": Case(OneToOne(), (9, 9), WEIGHT, DELAY),
        "all_to_all": Case(AllToAll(), (7, 5), INHIBITORY, DELAY),
        "all_to_all no autapses": Case(AllToAll(allow_autapses=False), (8, 8), WEIGHT, DELAY, recurrent=True),
        "convolution": Case(convolution, sizes[0], None, SPREAD),
        "pooling": Case(pooling, sizes[1], 0.25, SPREAD),
        "explicit": Case(LISTED, (5, 4), None, DELAY),
        "explicit delays": Case(
            LISTED.model_copy(update={"weights": None, "delays_ms": (0.1, 100.0, 0.3, 0.1, 7.0)}),
            (5, 4),
            INHIBITORY,
            None,
        ),
        "explicit axonal": Case(
            LISTED.model_copy(update={"delays_ms": (0.1, 4.0, 0.3, 0.1, 0.7)}), (5, 4), None, None, SPREAD
        ),
        "uploaded": Case(Explicit(sources=(), targets=()), (5, 5), columns=UPLOADED),
    }


RULES = {**_fixed(), **_drawn(), **_joined()}

NORMAL = Normal(mean=4.0, sd=2.0)
VALUES: dict[str, Value] = {
    "number": 3.25,
    "uniform": Uniform(low=-8.0, high=12.0),
    "normal": NORMAL,
    "normal redraw": Normal(mean=4.0, sd=2.0, low=3.0, high=5.0),
    "normal clip": Normal(mean=4.0, sd=2.0, low=3.0, high=5.0, bounds="clip"),
    "lognormal": Lognormal(log_mean=0.5, log_sd=0.8),
    "lognormal redraw": Lognormal(log_mean=0.5, log_sd=0.8, low=1.0, high=9.0),
    "exponential": Exponential(mean=6.0),
    "exponential redraw": Exponential(mean=6.0, low=2.0),
    "exponential clip": Exponential(mean=6.0, high=8.0, bounds="clip"),
    "gamma": Gamma(shape=2.5, scale=3.0),
    "gamma below 1": Gamma(shape=0.4, scale=9.0),
    "gamma redraw": Gamma(shape=0.7, scale=5.0, low=0.5, high=20.0),
    "linear": DistanceLinear(at_zero=20.0, slope_per_um=-0.1),
    "exponential of distance": DistanceExponential(scale=-30.0, length_um=40.0),
    "gaussian of distance": DistanceGaussian(scale=25.0, sd_um=20.0, mean_um=15.0),
    "sum": Sum(of=(2.0, NORMAL, Exponential(mean=1.0)), low=0.0),
    "product": Product(
        of=(
            DistanceExponential(scale=9.0, length_um=50.0),
            Lognormal(log_mean=0.0, log_sd=0.4),
            Uniform(low=-1.0, high=1.0),
            2.0,
        ),
        high=12.0,
    ),
}
"""Weights between the grids, every kind but arrays."""

CODES = Codes(np.array([-6.0, -1.0, 0.5, 4.0]), np.array([-384, -64, 32, 256]))


def of_value(weight: Value) -> Case:
    """Return a case whose weights, and axonal delays, are drawn."""
    axonal = Gamma(shape=3.0, scale=0.2, high=4.0, bounds="clip")
    return Case(FixedInDegree(n=9), (140, 140), weight, DELAY, axonal, at=(GRID, GRID))


LISTS = {
    "one_to_one": Case(
        OneToOne(), (4, 4), Array(values=(3.0, -2.0, 0.5, 7.0)), Array(values=(0.1, 0.2, 0.3, 0.4))
    ),
    "all_to_all": Case(AllToAll(), (3, 4), Array(values=tuple(0.5 * k for k in range(12))), 0.7),
    "codes": Case(FixedInDegree(n=30), (20, 9), Uniform(low=-8.0, high=6.0), codes=CODES),
}
"""Weights of arrays, and of codes."""
