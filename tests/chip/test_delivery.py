"""Delivery: what arrives, where and in which tick, in all layouts."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chip import lanes
from chip.arrays import HIGHEST, IN_USE, QUEUED, ROWS, SEGMENTS
from chip.delivery import push
from chip.lanes import pushes_at_once, wheel_size
from chip.queues import CHUNK
from chip.wheel import room_in_wheel
from network import Network
from tests.chip.chips import Cut, Layouts, Lone, spec_of
from tests.chip.expansion import expand
from tests.chip.networks import QUIET, RELAY, delta, describe, everything, explicit, times
from tests.chip.strategies import few

DELAYS = [*range(1, 20), 63, 64, 65, 255, 300]

LAYOUTS = pytest.mark.parametrize("layout", [SEGMENTS, ROWS, QUEUED], ids=["segments", "rows", "queued"])

LONGEST = {SEGMENTS: 3000, ROWS: 3000, QUEUED: 255}
"""The longest delay of a test, in ticks; of queued axons the longest of all."""


@LAYOUTS
@pytest.mark.parametrize("sent", [0, 7])
def test_a_spike_arrives_at_tick_plus_delay(sent: int, layout: int) -> None:
    delays = [delay for delay in DELAYS if delay <= LONGEST[layout]]
    entries = [(0, k, 1.0, delay) for k, delay in enumerate(delays)]
    network = describe(
        [delta("cells", len(delays), RELAY)], sources=[times((sent,))], projections=[explicit(entries)]
    )
    spikes = Lone(spec_of(network, layouts=layout)).run(310)
    assert spikes == [(sent, len(delays))] + [(sent + delay, k) for k, delay in enumerate(delays)]


@LAYOUTS
def test_long_and_short_delays_keep_apart(layout: int) -> None:
    """Ring, wheel and queues are taken three times around and more while spikes are under way."""
    longest = min(LONGEST[layout], 1000)
    entries = [(0, 0, 1.0, 1), (0, 1, 1.0, longest)]
    sent = tuple(range(0, 3000, longest // 4))
    network = describe([delta("cells", 2, RELAY)], sources=[times(sent)], projections=[explicit(entries)])
    spikes = Lone(spec_of(network, layouts=layout)).run(3500)
    assert [tick for tick, neuron in spikes if neuron == 0] == [tick + 1 for tick in sent]
    assert [tick for tick, neuron in spikes if neuron == 1] == [
        t + longest for t in sent if t + longest < 3500
    ]


@LAYOUTS
def test_banks_reach_their_last_neurons_and_no_others(layout: int) -> None:
    """Ten neurons in two banks: at a bank's end (number 65,535), and elsewhere in another."""
    cuts = [
        Cut("cells", 0, 6, bank=0, bank_neuron=65_530),
        Cut("cells", 6, 4, bank=1, bank_neuron=3),
        Cut("source", 0, 2, bank=-1),
    ]
    entries = [(0, k, 1.0, 1 + k) for k in range(10)] + [(1, 9, 1.0, 2), (1, 0, 1.0, 3)]
    network = describe(
        [delta("cells", 10, RELAY)], sources=[times((0,), (20,))], projections=[explicit(entries)]
    )
    spikes = Lone(spec_of(network, cuts=cuts, layouts=layout)).run(40)
    assert spikes == [(0, 10)] + [(1 + k, k) for k in range(10)] + [(20, 11), (22, 9), (23, 0)]


@LAYOUTS
def test_a_tick_may_list_more_than_its_scratch_holds(layout: int) -> None:
    n = 9000
    network = describe(
        [delta("cells", n, RELAY)],
        sources=[times(*[(0,)] * n)],
        projections=[explicit([(k, k, 1.0, 1 + k % 2) for k in range(n)])],
    )
    lone = Lone(spec_of(network, layouts=layout))
    assert len(lone.chip.arrays.flight.lanes.listed) < n / 2
    assert lone.chip.arrays.flight.queues.next.size < n / 2 / CHUNK or layout != QUEUED
    spikes = lone.run(4)
    assert [neuron for tick, neuron in spikes if tick == 1] == list(range(0, n, 2))
    assert [neuron for tick, neuron in spikes if tick == 2] == list(range(1, n, 2))
    assert lone.chip.n_synaptic_events == (n, n)


@pytest.mark.parametrize("room", [1, 3, 4096])
def test_long_segments_are_walked_to_their_end(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are of 192 words; where there is `room` for few, segments are walked before all is listed."""
    monkeypatch.setattr(lanes, "_LISTED", room)
    lengths = (191, 192, 193, 384, 385, 800)
    network = describe(
        [delta("cells", 800, RELAY)],
        sources=[times(*[(5 * k,) for k in range(len(lengths))])],
        projections=[explicit([(k, i, 1.0, 1) for k, n in enumerate(lengths) for i in range(n)])],
    )
    lone = Lone(spec_of(network))
    assert len(lone.chip.arrays.flight.lanes.listed) == room
    spikes = [spike for spike in lone.run(40) if spike[1] < 800]
    assert spikes == [(5 * k + 1, i) for k, n in enumerate(lengths) for i in range(n)]
    assert lone.chip.n_synaptic_events == (sum(lengths), sum(lengths))


def recurrent(seed: int, delay_ms: Any, n_neurons: int = 40) -> Network:
    """Return a noisy recurrent network with drawn delays and signed weights."""
    projections = [
        {
            "source": source,
            "target": "cells",
            "name": source,
            "connectivity": {"rule": "fixed_in_degree", "n": 6},
            "weight": {"kind": "normal", "mean": mean, "sd": 0.3},
            "delay_ms": delay_ms,
        }
        for source, mean in (("cells", -0.2), ("drive", 0.6))
    ]
    cells = delta("cells", n_neurons, RELAY | {"tau_m_ms": 3.0, "t_ref_ms": 0.3})
    drive = {"kind": "poisson", "name": "drive", "size": 30, "rate_hz": 400.0}
    return describe([cells], sources=[drive], projections=projections).model_copy(update={"seed": seed})


SHORT = {"kind": "uniform", "low": 0.1, "high": 2.5}
WIDE = {"kind": "uniform", "low": 0.1, "high": 300.0}
SKEWED = {"kind": "lognormal", "log_mean": 1.0, "log_sd": 2.0, "low": 0.1, "high": 300.0}
"""Delays of 1 to 25 ticks, of 1 to 3,000, and of mostly few."""

DENSE = {"kind": "uniform", "low": 0.1, "high": 25.5}
"""Delays of 1 to 255 ticks."""

NAMES = ("cells", "drive")

LAID_OUT = st.one_of(
    st.tuples(
        st.sampled_from([WIDE, SKEWED]),
        st.fixed_dictionaries({name: st.sampled_from([SEGMENTS, ROWS]) for name in NAMES}),
    ),
    st.tuples(
        st.sampled_from([SHORT, DENSE]),
        st.fixed_dictionaries({name: st.sampled_from([SEGMENTS, ROWS, QUEUED]) for name in NAMES}),
    ),
)
"""Delays, and the layout of each projection, which can hold them."""

MIXED = st.fixed_dictionaries({name: st.sampled_from([SEGMENTS, ROWS, QUEUED]) for name in NAMES})


def events_of(network: Network, spikes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (tick sent, tick due) of each synaptic event, from plain lists of synapses."""
    fan_out: dict[int, list[int]] = {}
    for number, projection in enumerate(network.projections):
        first = network.offsets[projection.source]
        for synapse in expand(network, number):
            fan_out.setdefault(first + synapse.source, []).append(synapse.delay)
    return [(tick, tick + delay) for tick, neuron in spikes for delay in fan_out.get(neuron, [])]


@few
@given(st.integers(0, 10**6), st.integers(1, 60), LAID_OUT)
def test_what_is_sent_is_delivered_or_in_flight(
    seed: int, n_ticks: int, laid_out: tuple[Any, Layouts]
) -> None:
    delay_ms, layouts = laid_out
    network = recurrent(seed, delay_ms)
    lone = Lone(spec_of(network, layouts=layouts))
    events = events_of(network, lone.run(n_ticks))
    sent, delivered = lone.chip.n_synaptic_events
    assert sent == len(events)
    assert delivered == sum(due < n_ticks for _, due in events)
    assert lone.chip.in_flight(n_ticks) == sum(due >= n_ticks for _, due in events) == sent - delivered


@pytest.mark.slow
@pytest.mark.parametrize(
    ("delay_ms", "fitting"),
    [
        (SHORT, (SEGMENTS, ROWS, QUEUED)),
        (DENSE, (SEGMENTS, ROWS, QUEUED)),
        (WIDE, (SEGMENTS, ROWS)),
        (SKEWED, (SEGMENTS, ROWS)),
    ],
    ids=["short", "dense", "wide", "skewed"],
)
def test_layouts_give_the_same_spikes_and_flights(delay_ms: Any, fitting: tuple[int, ...]) -> None:
    """Delays of 1 to 3,000 ticks at once, over more than twice the longest."""
    network = recurrent(4, delay_ms)
    pairs = product(fitting, fitting)
    chips = [Lone(spec_of(network, layouts=dict(zip(NAMES, pair, strict=True)))) for pair in pairs]
    assert len(chips) == len(fitting) ** 2
    for n_ticks in (1, 25, 974, 2500, 3500):
        spikes, *others = [lone.run(n_ticks) for lone in chips]
        assert others == [spikes] * (len(chips) - 1)
        assert n_ticks < 900 or len(spikes) > n_ticks / 10
        events, flights = (
            {lone.chip.n_synaptic_events for lone in chips},
            {lone.chip.in_flight(lone.tick) for lone in chips},
        )
        assert len(events) == len(flights) == 1
    slots = [lone.chip.arrays.neurons.state.tolist() for lone in chips]
    assert slots == slots[:1] * len(chips)


class Late(Lone):
    """A chip whose own spikes reach its axons at the ends of epochs, as those of other chips do."""

    def __init__(self, spec: Any) -> None:
        super().__init__(spec)
        self.waiting: list[tuple[int, int]] = []

    def _push(self, neuron: int) -> None:
        self.waiting.append((neuron, self.tick))

    def run(self, n_ticks: int) -> list[tuple[int, int]]:
        spikes = []
        for _ in range(n_ticks):
            if self.tick % self.chip.spec.epoch_ticks == 0:
                now, waiting = self.tick, self.waiting
                self.waiting = []
                for neuron, self.tick in waiting:
                    Lone._push(self, neuron)
                self.tick = now
            spikes += super().run(1)
        return spikes


@few
@given(st.integers(0, 10**6), st.integers(1, 7), MIXED)
def test_spikes_may_arrive_as_late_as_an_epoch(seed: int, epoch: int, layouts: Layouts) -> None:
    network = recurrent(seed, {"kind": "uniform", "low": 0.1 * epoch, "high": 4.0})
    spec = spec_of(network, layouts=layouts, epoch_ticks=epoch)
    late, prompt = Late(spec), Lone(spec)
    assert late.run(60) == prompt.run(60)
    # Late spikes have not been sent on yet, when the last epoch is not over.
    late.run(-late.tick % epoch + 1)
    prompt.run(late.tick - prompt.tick)
    waiting = len(events_of(network, [(tick, neuron) for neuron, tick in late.waiting]))
    assert late.chip.n_synaptic_events[0] + waiting == prompt.chip.n_synaptic_events[0]


@few
@given(st.integers(0, 10**6), MIXED)
def test_potentials_are_the_sums_of_what_is_due(seed: int, layouts: Layouts) -> None:
    network = recurrent(seed, SHORT)
    quiet = describe(
        [delta("cells", 40, QUIET)],
        sources=network.model_dump()["sources"],
        projections=network.model_dump()["projections"],
        recordings=[everything("cells", 40)],
    ).model_copy(update={"seed": seed})
    lone = Lone(spec_of(quiet, layouts=layouts, lsb=2.0**-12))
    spikes, sums = lone.run(40), np.zeros((80, 40))
    for synapse in expand(quiet, 1):
        for tick, neuron in spikes:
            if neuron == 40 + synapse.source:
                sums[tick + synapse.delay, synapse.target] += synapse.weight
    (rows,) = lone.chip.drain_samples()
    assert np.abs(rows - np.cumsum(sums, axis=0)[:40]).max() < 100 * 2.0**-13
    assert np.abs(rows).max() > 1.0


def waiting() -> Lone:
    """Return a chip of three axons in rows that all spike in 40 ticks; each spike waits for 500."""
    network = describe(
        [delta("cells", 4, QUIET)],
        sources=[times(*[tuple(range(40))] * 3)],
        projections=[explicit([(k, k, 1.0, 500) for k in range(3)])],
    )
    return Lone(spec_of(network, layouts=ROWS))


def test_the_wheel_grows_with_the_spikes_that_wait() -> None:
    lone = waiting()
    spec = lone.chip.spec
    assert (pushes_at_once(spec), wheel_size(spec)) == (6, 12)
    sizes = []
    for tick in range(40):
        wheel = lone.chip.arrays.flight.wheel
        assert room_in_wheel(wheel, pushes_at_once(spec))
        assert wheel.state[IN_USE] == 3 * tick == lone.chip.in_flight(tick)
        sizes.append(wheel.next.size)
        lone.run(1)
    assert sizes[0] == 12
    assert sizes == sorted(sizes)
    assert len(set(sizes)) <= 5
    lone.run(499)
    state = lone.chip.arrays.flight.wheel.state
    assert (state[IN_USE], state[HIGHEST]) == (3, 120)
    lone.run(1)
    assert state[IN_USE] == 0
    assert lone.chip.n_synaptic_events == (120, 120)


def test_places_of_the_wheel_are_used_again() -> None:
    network = describe(
        [delta("cells", 4, QUIET)],
        sources=[times(tuple(range(200)))],
        projections=[explicit([(0, 0, 1.0, 2), (0, 1, 1.0, 2), (0, 3, 1.0, 5)])],
    )
    lone = Lone(spec_of(network, layouts=ROWS))
    lone.run(200)
    assert lone.chip.arrays.flight.wheel.state[HIGHEST] == 5
    assert lone.chip.arrays.flight.wheel.next.size <= 16


def test_an_axon_without_synapses_takes_no_place() -> None:
    network = describe(
        [delta("cells", 4, QUIET)], sources=[times((0,), (0,))], projections=[explicit([(1, 0, 1.0, 9)])]
    )
    arrays = Lone(spec_of(network, layouts=ROWS)).chip.arrays
    for neuron, in_use in ((0, 0), (1, 1)):
        push(arrays.synapses, arrays.flight, arrays.output.counters, 0, neuron, 0)
        assert arrays.flight.wheel.state[IN_USE] == in_use
