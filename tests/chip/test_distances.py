"""The rule of distance against its kernel: acceptance by distance, radius, boundary."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from network import (
    DistanceDependent,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    FreePositions,
    GridPositions,
    Uniform,
)
from tests.chip.goodness import DEVIATE, chi_square
from tests.chip.synapses import Case

SIDE = 40
GRIDS = {
    periodic: GridPositions(extent_um=(80.0, 40.0), shape=(SIDE, SIDE // 2), periodic=periodic)
    for periodic in (False, True)
}
CLOUDS = {
    periodic: FreePositions(
        extent_um=(80.0, 40.0),
        coordinates_um=(Uniform(low=-40.0, high=40.0), Uniform(low=-20.0, high=20.0)),
        periodic=periodic,
    )
    for periodic in (False, True)
}
N = SIDE * SIDE // 2

KERNELS: dict[str, tuple[Any, Any]] = {
    "gaussian": (DistanceGaussian(scale=0.7, sd_um=8.0), lambda d: 0.7 * np.exp(-0.5 * (d / 8.0) ** 2)),
    "shell": (
        DistanceGaussian(scale=0.5, sd_um=3.0, mean_um=15.0),
        lambda d: 0.5 * np.exp(-0.5 * ((d - 15.0) / 3.0) ** 2),
    ),
    "exponential": (
        DistanceExponential(scale=1.5, length_um=9.0),
        lambda d: np.minimum(1.5 * np.exp(-d / 9.0), 1.0),
    ),
    "falling": (DistanceLinear(at_zero=0.5, slope_per_um=-0.02), lambda d: np.maximum(0.5 - 0.02 * d, 0.0)),
    "rising": (
        DistanceLinear(at_zero=-0.05, slope_per_um=0.004),
        lambda d: np.maximum(0.004 * d - 0.05, 0.0),
    ),
}


def distances(case: Case) -> NDArray[np.float64]:
    """Return the distance of every pair from the ends' positions, by NumPy alone: (n_sources, n_targets)."""
    ends, total = case.ends(0, case.sizes[1]), 0.0
    assert ends.source_um is not None
    assert ends.target_um is not None
    for k, extent in enumerate(case.at[0].extent_um):
        d = np.abs(ends.source_um[:, None, k] - ends.target_um[None, :, k])
        total = total + (np.minimum(d, extent - d) if case.at[0].periodic else d) ** 2
    return np.sqrt(total)


def joined(case: Case) -> NDArray[np.bool_]:
    """Return which pairs are joined; none is joined twice."""
    table = case.made().table()
    matrix = np.zeros(case.sizes, np.int64)
    np.add.at(matrix, (table[:, 0], table[:, 2]), 1)
    assert matrix.max() <= 1
    return matrix.astype(bool)


def fits(matrix: NDArray[np.bool_], far: NDArray[np.float64], chance: NDArray[np.float64]) -> bool:
    """Return whether pairs are joined with their chances, in bins of 2 um: deviates add up to chi-square."""
    bins = (far // 2.0).astype(int).ravel()
    n, expected, variance = (np.bincount(bins, x.ravel()) for x in (matrix, chance, chance * (1.0 - chance)))
    used = variance > 5.0
    assert used.sum() > 3
    assert np.all(n[expected == 0.0] == 0)
    squares = (n[used] - expected[used]) ** 2 / variance[used]
    # As `chi_square`, but without a degree of freedom for the total: Wilson and Hilferty 1931.
    freedom = int(used.sum())
    spread = 2.0 / (9.0 * freedom)
    return abs(((squares.sum() / freedom) ** (1 / 3) - (1.0 - spread)) / math.sqrt(spread)) < DEVIATE


@pytest.mark.parametrize(("kernel", "law"), KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("periodic", [False, True], ids=["plane", "torus"])
@pytest.mark.parametrize("radius", [None, 19.0])
def test_pairs_are_joined_with_the_chance_of_their_distance(
    kernel: Any, law: Any, periodic: bool, radius: float | None
) -> None:
    rule = DistanceDependent(p=kernel, radius_um=radius)
    case = Case(rule, (N, N), at=(CLOUDS[periodic], GRIDS[periodic]))
    far = distances(case)
    chance = np.where(far <= (radius or np.inf), law(far), 0.0)
    matrix = joined(case)
    assert fits(matrix, far, chance)
    if radius:
        assert far[matrix].max() <= radius
        assert far[matrix].max() > 0.8 * radius


def test_a_boundary_is_no_boundary_on_a_torus() -> None:
    """Neurons at an edge receive as many as those in the middle on a torus, and fewer on a plane."""
    kernel = KERNELS["gaussian"][0]
    counts = {}
    for periodic, grid in GRIDS.items():
        case = Case(DistanceDependent(p=kernel), (N, N), at=(grid, grid))
        counts[periodic] = joined(case).sum(axis=0).reshape(SIDE, SIDE // 2)
    edge, middle = (counts[True][rows].sum() for rows in (slice(0, 4), slice(18, 22)))
    assert abs(edge - middle) < DEVIATE * math.sqrt(edge + middle)
    edge, middle = (counts[False][rows].sum() for rows in (slice(0, 4), slice(18, 22)))
    assert edge < 0.75 * middle


def test_no_neuron_meets_itself_where_that_is_forbidden() -> None:
    kernel = DistanceGaussian(scale=1.0, sd_um=4.0)
    case = Case(DistanceDependent(p=kernel), (N, N), recurrent=True, at=(GRIDS[True], GRIDS[True]))
    assert np.trace(joined(case)) == N
    alone = replace(case, rule=DistanceDependent(p=kernel, allow_autapses=False))
    matrix, far = joined(alone), distances(alone)
    assert np.trace(matrix) == 0
    chance = np.exp(-0.5 * (far / 4.0) ** 2)
    np.fill_diagonal(chance, 0.0)
    assert fits(matrix, far, chance)


def test_certain_pairs_are_all_joined_and_impossible_ones_never() -> None:
    near = DistanceDependent(p=DistanceLinear(at_zero=1.0, slope_per_um=0.0), radius_um=6.0)
    case = Case(near, (N, N), at=(CLOUDS[True], GRIDS[True]))
    assert np.array_equal(joined(case), distances(case) <= 6.0)
    never = DistanceDependent(p=DistanceLinear(at_zero=-1.0, slope_per_um=0.0))
    assert replace(case, rule=never).synapses() == []


def test_in_degrees_spread_as_sums_of_the_chances_do() -> None:
    kernel, law = KERNELS["exponential"]
    case = Case(DistanceDependent(p=kernel), (N, N), at=(CLOUDS[False], CLOUDS[False]), number=3)
    chance, matrix = law(distances(case)), joined(case)
    for axis in (0, 1):
        deviates = (matrix.sum(axis=axis) - chance.sum(axis=axis)) / np.sqrt(
            (chance * (1 - chance)).sum(axis=axis)
        )
        assert abs(deviates.mean()) < DEVIATE / math.sqrt(N)
        assert abs((deviates**2).mean() - 1.0) < DEVIATE * math.sqrt(2.0 / N)


def test_sources_of_one_place_are_alike() -> None:
    """A cloud of one point: all pairs have one chance, whatever their blocks."""
    point = FreePositions(extent_um=(9.0,), coordinates_um=(2.0,))
    case = Case(DistanceDependent(p=DistanceGaussian(scale=0.2, sd_um=1.0)), (600, 400), at=(point, point))
    matrix = joined(case)
    assert abs(chi_square(matrix.reshape(50, 12, 400).sum(axis=(1, 2)), matrix.sum() / 50)) < DEVIATE
    assert abs(matrix.sum() - 0.2 * 240_000) < DEVIATE * math.sqrt(0.16 * 240_000)


def test_weights_of_distance_are_those_of_their_pairs() -> None:
    case = Case(
        DistanceDependent(p=KERNELS["gaussian"][0]),
        (N, N),
        DistanceExponential(scale=100.0, length_um=20.0),
        DistanceLinear(at_zero=0.5, slope_per_um=0.1),
        at=(GRIDS[True], CLOUDS[True]),
    )
    source, ticks, target, steps = case.made().table().T
    far = distances(case)[source, target]
    assert np.abs(steps * 2.0**-6 - 100.0 * np.exp(-far / 20.0)).max() <= 0.5 * 2.0**-6 + 1e-9
    assert np.array_equal(ticks, np.floor((0.5 + 0.1 * far) / 0.1 + 0.5))
