"""Delivery: what arrives, where, and in which tick."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network import Network
from tests.chip.chips import LSB, Cut, Lone, spec_of
from tests.chip.networks import QUIET, RELAY, delta, describe, everything, explicit, times
from tests.chip.strategies import few
from tests.chip.synapses import expanded

DELAYS = [*range(1, 20), 63, 64, 65, 300]


@pytest.mark.parametrize("sent", [0, 7])
def test_a_spike_arrives_at_tick_plus_delay(sent: int) -> None:
    entries = [(0, k, 1.0, delay) for k, delay in enumerate(DELAYS)]
    network = describe(
        [delta("cells", len(DELAYS), RELAY)], sources=[times((sent,))], projections=[explicit(entries)]
    )
    spikes = Lone(spec_of(network)).run(310)
    assert spikes == [(sent, len(DELAYS))] + [(sent + delay, k) for k, delay in enumerate(DELAYS)]


def test_long_and_short_delays_keep_apart() -> None:
    """The ring of recent ticks is taken three times around while spikes are under way."""
    entries = [(0, 0, 1.0, 1), (0, 1, 1.0, 1000)]
    sent = tuple(range(0, 3000, 250))
    network = describe([delta("cells", 2, RELAY)], sources=[times(sent)], projections=[explicit(entries)])
    lone = Lone(spec_of(network))
    spikes = lone.run(3500)
    assert lone.chip.memory.delays.tolist() == [1, 1000]
    assert [tick for tick, neuron in spikes if neuron == 0] == [tick + 1 for tick in sent]
    assert [tick for tick, neuron in spikes if neuron == 1] == [t + 1000 for t in sent if t < 2500]


def test_banks_reach_their_last_neurons_and_no_others() -> None:
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
    spikes = Lone(spec_of(network, cuts=cuts)).run(40)
    assert spikes == [(0, 10)] + [(1 + k, k) for k in range(10)] + [(20, 11), (22, 9), (23, 0)]


def test_contributions_are_steps_shifted_to_lsbs() -> None:
    weights = [LSB, -LSB, 32767 * LSB, -32767 * LSB, 3 * LSB]
    entries = [(0, k, weight, 1) for k, weight in enumerate(weights)]
    for shift in (0, 3, 15):
        scaled = [(s, t, w * 2.0**shift, d) for s, t, w, d in entries]
        network = describe(
            [delta("cells", 5, QUIET)],
            sources=[times((0,))],
            projections=[explicit(scaled, name="all")],
            recordings=[everything("cells", 5)],
        )
        (rows,) = Lone(spec_of(network, shifts={"all": shift})).states(2)
        assert rows[0].tolist() == [0.0] * 5
        assert rows[1].tolist() == [weight * 2.0**shift for weight in weights]


def test_receptors_have_slots_of_their_own() -> None:
    cells = {"name": "cells", "size": 3, "model": "lif_curr_exp", "parameters": {"v_threshold_mv": 1e6}}
    network = describe(
        [delta("others", 2, QUIET), cells],
        sources=[times((0,))],
        projections=[
            explicit([(0, 0, 5.0, 1), (0, 2, 7.0, 1)], receptor="excitatory", name="ex"),
            explicit([(0, 1, -5.0, 1), (0, 2, -9.0, 1)], receptor="inhibitory", name="in"),
        ],
        recordings=[everything("cells", 3) | {"variables": ["i_ex_pa", "i_in_pa"]}],
    )
    (rows,) = Lone(spec_of(network)).states(2)
    assert rows[1].tolist() == [5.0, 0.0, 7.0, 0.0, -5.0, -9.0]


def test_a_tick_may_list_more_segments_than_its_scratch_holds() -> None:
    n = 9000
    network = describe(
        [delta("cells", n, RELAY)],
        sources=[times(*[(0,)] * n)],
        projections=[explicit([(k, k, 1.0, 1 + k % 2) for k in range(n)])],
    )
    lone = Lone(spec_of(network))
    assert len(lone.chip.arrays.flight.segments) < n / 2
    spikes = lone.run(4)
    assert [neuron for tick, neuron in spikes if tick == 1] == list(range(0, n, 2))
    assert [neuron for tick, neuron in spikes if tick == 2] == list(range(1, n, 2))
    assert lone.chip.n_synaptic_events == (n, n)


def recurrent(seed: int, n_neurons: int = 40) -> Network:
    """Return a noisy recurrent network with drawn delays and signed weights."""
    projections = [
        {
            "source": source,
            "target": "cells",
            "name": source,
            "connectivity": {"rule": "fixed_in_degree", "n": 6},
            "weight": {"kind": "normal", "mean": mean, "sd": 0.3},
            "delay_ms": {"kind": "uniform", "low": 0.1, "high": 2.5},
        }
        for source, mean in (("cells", -0.2), ("drive", 0.6))
    ]
    cells = delta("cells", n_neurons, RELAY | {"tau_m_ms": 3.0, "t_ref_ms": 0.3})
    drive = {"kind": "poisson", "name": "drive", "size": 30, "rate_hz": 400.0}
    return describe([cells], sources=[drive], projections=projections).model_copy(update={"seed": seed})


def events_of(network: Network, spikes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (tick sent, tick due) of each synaptic event, from plain lists of synapses."""
    spec, fan_out = spec_of(network), {}
    for row in spec.rows:
        first = network.offsets[row.projection.source]
        for synapse in expanded(row):
            fan_out.setdefault(first + synapse.source, []).append(synapse.delay)
    return [(tick, tick + delay) for tick, neuron in spikes for delay in fan_out.get(neuron, [])]


@few
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_what_is_sent_is_delivered_or_in_flight(seed: int, n_ticks: int) -> None:
    network = recurrent(seed)
    lone = Lone(spec_of(network))
    events = events_of(network, lone.run(n_ticks))
    sent, delivered = lone.chip.n_synaptic_events
    assert sent == len(events)
    assert delivered == sum(due < n_ticks for _, due in events)
    assert lone.chip.in_flight(n_ticks) == sum(due >= n_ticks for _, due in events) == sent - delivered


@few
@given(st.integers(0, 10**6))
def test_potentials_are_the_sums_of_what_is_due(seed: int) -> None:
    network = recurrent(seed)
    quiet = describe(
        [delta("cells", 40, QUIET)],
        sources=network.model_dump()["sources"],
        projections=network.model_dump()["projections"],
        recordings=[everything("cells", 40)],
    ).model_copy(update={"seed": seed})
    lone = Lone(spec_of(quiet))
    spikes, sums = lone.run(40), np.zeros((80, 40))
    drive = next(row for row in lone.chip.spec.rows if row.projection.source == "drive")
    for synapse in expanded(drive):
        for tick, neuron in spikes:
            if neuron == 40 + synapse.source:
                sums[tick + synapse.delay, synapse.target] += synapse.weight * LSB
    (rows,) = lone.chip.drain_samples()
    assert np.abs(rows - np.cumsum(sums, axis=0)[:40]).max() < 1e-6
    assert np.abs(rows).max() > 1.0
