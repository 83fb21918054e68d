"""What is at the edge of what the language accepts: it ends, keeps to its memory, is the same everywhere."""

import math
import resource
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from chip import ChipError
from chip import memory as memory_module
from network import FixedInDegree, FixedOutDegree, Lognormal, Normal, SmallWorld
from network.values import Value
from tests.chip.expansion import same
from tests.chip.synapses import STEP, Case

AT_HALF_A_TICK = (3.6122683517420957, 1.8794650496471605, 0.1)
"""Logarithms whose exponential is so near to half a tick that a last digit decides."""


@pytest.mark.parametrize("log_mean", AT_HALF_A_TICK)
@pytest.mark.parametrize("log_sd", [0.0, 1e-17, 1e-12])
def test_delays_at_half_a_tick_have_their_column(log_mean: float, log_sd: float) -> None:
    delay = Lognormal(log_mean=log_mean, log_sd=log_sd)
    case = Case(FixedInDegree(n=7), (9, 11), delay_ms=delay)
    made = case.made().memory
    assert made.words.size == 77
    assert set(case.delays().tolist()) <= {math.floor(math.exp(log_mean) / 0.1 + 0.5) + k for k in (-1, 0, 1)}


def test_a_constant_lognormal_is_the_nearest_number_to_its_exponential() -> None:
    case = Case(FixedInDegree(n=1), (1, 1), weight=Lognormal(log_mean=1.0, log_sd=0.0))
    assert case.expected()[0].weight == pytest.approx(math.e)
    (error,) = case.made().memory.errors
    assert error.largest == abs(round(2.718281828459045 / STEP) * STEP - 2.718281828459045)


@pytest.mark.parametrize(
    "weight",
    [
        Lognormal(log_mean=5.0, log_sd=0.0, low=math.nextafter(math.exp(5.0), math.inf)),
        Lognormal(log_mean=5.0, log_sd=1e-17, low=math.nextafter(math.exp(5.0), math.inf)),
        Normal(mean=1.0, sd=1e-17, low=1.0),
    ],
)
def test_a_redraw_that_could_go_on_for_ever_ends(weight: Value) -> None:
    made = Case(FixedInDegree(n=2), (3, 4), weight=weight).made().memory
    assert made.words.size == 8


def test_weights_beyond_all_integers_keep_their_sign() -> None:
    for weight in (1e300, -1e300):
        made = Case(FixedInDegree(n=2), (3, 4), weight=weight).made().memory
        assert set((made.words.view(np.int32) >> 16).tolist()) == {math.copysign(32767, weight)}
        assert made.n_saturated == 8


MANY = {
    "in-degree": Case(FixedInDegree(n=40_000), (3, 2), weight=Normal(mean=5.0, sd=1.0)),
    "out-degree": Case(FixedOutDegree(n=40_000), (2, 3), weight=Normal(mean=5.0, sd=1.0)),
    "small world": Case(SmallWorld(k=300, p_rewire=0.5), (301, 301), weight=Normal(mean=5.0, sd=1.0)),
}


@pytest.mark.parametrize("case", MANY.values(), ids=MANY)
@pytest.mark.slow
def test_more_synapses_of_a_neuron_than_a_batch_are_made_in_parts(case: Case) -> None:
    assert same(case.synapses(), case.expected(), STEP)


def test_a_delay_that_is_not_described_is_never_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "impossible", lambda delays, n, rank: 77)
    with pytest.raises(ChipError) as refused:
        Case(FixedInDegree(n=2), (3, 4)).made()
    assert str(refused.value) == (
        "synapse memory: a delay must be from 10 to 10 ticks as described, got 77; this is a defect of the "
        "emulation, report the network"
    )


_HUGE = """
import resource
from network import FixedInDegree
from tests.chip.synapses import Case
Case(FixedInDegree(n=10), (1, 1)).made()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
Case(FixedInDegree(n=5_000_000), (1, 1)).made()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_a_neuron_of_millions_of_synapses_takes_their_words_and_little_more() -> None:
    done: Any = subprocess.run([sys.executable, "-c", _HUGE], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 40 * 5_000_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0
