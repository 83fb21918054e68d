"""The cases of changing currents: what they say, and that they show what they are meant to show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from network import parse_network
from tests.chip.waves import sine, steps, value_at
from tests.reference.builder import CaseBuilder
from tests.reference.cases import DELTA, CaseCurrent, ReferenceCase
from tests.reference.oracle import simulate

NAMES = ["delta_currents", "exp_currents"]


def small_case() -> ReferenceCase:
    case = CaseBuilder("small", DELTA, "for this test", n_ticks=20, lsb=0.25)
    for name in ("one", "both"):
        for neuron in case.population(name, 2, {"v_threshold_mv": 2.0}):
            case.arrive(neuron, 8, 2.0)
    case.current("one", 3.0, steps((0.4, 1.5), (1.0, -2.0)))
    case.current("both", -7.0, steps((0.2, 0.5)))
    case.current("both", 2.0, sine(0.5, 1.0, 400.0, 30.0))
    return case.build()


def test_a_saved_case_keeps_its_currents(tmp_path: Path) -> None:
    case = small_case()
    case.save(tmp_path)
    assert ReferenceCase.load("small", tmp_path).currents == case.currents
    assert len(case.currents) == 3


def test_currents_add_up_and_are_silent_at_first() -> None:
    case = small_case()
    assert case.current_pa[:, 0].tolist() == [0.0] * 4 + [4.5] * 6 + [-6.0] * 10
    assert not case.current_pa[:2].any()
    of_sine = [2.0 * value_at(case.currents[2].waveform, tick) for tick in range(2, 20)]
    assert np.array_equal(case.current_pa[2:, 1], np.array(of_sine) - 3.5)


def test_the_language_says_the_same() -> None:
    case = small_case()
    for place, population in enumerate(parse_network(case.to_network()).populations):
        for tick in range(20):
            values = [c.current_pa * value_at(c.waveform.model_dump(), tick) for c in population.inputs]
            assert sum(values) == pytest.approx(case.current_pa[tick, place], abs=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_all_populations_fire_and_differ(name: str) -> None:
    case = ReferenceCase.load(name)
    trains = [case.spike_tick[case.spike_neuron == neuron] for neuron in range(case.n_neurons)]
    of_population = np.split(np.array([train.size for train in trains]), case.offsets[1:-1])
    assert min(sizes.sum() for sizes in of_population) > 20
    assert len({tuple(train) for train in trains}) > 0.9 * case.n_neurons


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_spikes_do_not_hang_on_rounding_but_on_the_tick(name: str) -> None:
    case = ReferenceCase.load(name)
    assert simulate(case).margin_mv > 1e-7
    late = replace(case, currents=tuple(_Late(**vars(current)) for current in case.currents))
    fired = [spikes_by_population(case, case.spike_neuron, case.spike_tick)]
    result = simulate(late)
    fired.append(spikes_by_population(case, result.neuron, result.tick))
    same = [one == other for one, other in zip(*fired, strict=True)]
    assert same == [population.name == "none" for population in case.populations]


class _Late(CaseCurrent):
    """A current that comes one tick later."""

    def values_pa(self, n_ticks: int, timestep_ms: float) -> np.ndarray:
        return np.concatenate([[0.0], super().values_pa(n_ticks - 1, timestep_ms)])


def spikes_by_population(
    case: ReferenceCase, neuron: np.ndarray, tick: np.ndarray
) -> list[list[tuple[int, int]]]:
    pairs = sorted(zip(tick.tolist(), neuron.tolist(), strict=True))
    ends = zip(case.offsets, case.offsets[1 : len(case.populations) + 1], strict=False)
    return [[pair for pair in pairs if first <= pair[1] < end] for first, end in ends]
