from __future__ import annotations

import math

import pytest

from chip.delays import possible_delays
from network import FixedInDegree, FixedTotalNumber, Network, NetworkError, Normal, SpikeTimesSource
from network.population import DCInput, PoissonInput
from network.projection import Projection
from spikerack.examples import EXAMPLES, brunel, cuba, microcircuit, million
from spikerack.examples.cuba import stimulus_times_ms
from spikerack.examples.million import current_pa


def projection(network: Network, name: str) -> Projection:
    return next(each for each in network.projections if each.name == name)


def n_of(network: Network, name: str) -> int:
    rule = projection(network, name).connectivity
    assert isinstance(rule, FixedInDegree | FixedTotalNumber)
    return rule.n


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("scale", [0.1, 0.01, 1e-5])
def test_any_scale_gives_a_network_with_neurons(name: str, scale: float) -> None:
    network = EXAMPLES[name](scale, 3)
    timestep_ms = 1.0 if name == "million" else 0.1
    assert (network.name, network.seed, network.timestep_ms) == (name, 3, timestep_ms)
    assert all(member.size >= 1 for member in network.members)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, float("nan")])
def test_what_is_no_scale(name: str, scale: float) -> None:
    with pytest.raises(NetworkError) as caught:
        EXAMPLES[name](scale)
    assert str(caught.value) == f"scale must be > 0 and <= 1, got {scale}; 1 is the published size"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_same_arguments_give_the_same_network(name: str) -> None:
    assert EXAMPLES[name](0.1, 5) == EXAMPLES[name](0.1, 5)
    assert EXAMPLES[name](0.1, 5) != EXAMPLES[name](0.1, 6)


# Potjans and Diesmann 2014


def test_microcircuit_has_the_published_size() -> None:
    network = microcircuit()
    sizes = [population.size for population in network.populations]
    assert sizes == [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
    assert network.n_neurons == 77_169
    assert network.n_synapses == 298_880_970
    assert len(network.projections) == 55


def test_microcircuit_neurons() -> None:
    population = microcircuit().populations[2]
    assert (population.name, population.model) == ("L4E", "lif_curr_exp")
    assert population.parameters == {
        "v_rest_mv": -65.0,
        "v_threshold_mv": -50.0,
        "v_reset_mv": -65.0,
        "c_m_pf": 250.0,
        "tau_m_ms": 10.0,
        "tau_syn_ex_ms": 0.5,
        "tau_syn_in_ms": 0.5,
        "t_ref_ms": 2.0,
    }
    assert population.initial == {"v_mv": Normal(mean=-63.33, sd=4.74)}


def test_microcircuit_synapses_from_the_table() -> None:
    """K = ln(1 - p) / ln(1 - 1 / (N_source N_target)), in 60-digit arithmetic: 45,499,805.54 and 7,002.89."""
    network = microcircuit()
    assert n_of(network, "L23E->L23E") == 45_499_806
    assert n_of(network, "L5I->L4E") == 7_003
    with pytest.raises(StopIteration):
        projection(network, "L6I->L23E")


def test_microcircuit_weights_and_delays_keep_their_signs() -> None:
    network = microcircuit()
    exc = projection(network, "L23E->L4I")
    assert exc.weight == Normal(mean=87.81, sd=0.1 * 87.81, low=0.0)
    assert exc.delay_ms == Normal(mean=1.5, sd=0.75, low=0.05)
    assert exc.receptor == "excitatory"
    assert projection(network, "L4E->L23E").weight == Normal(mean=175.62, sd=0.1 * 175.62, low=0.0)
    inh = projection(network, "L4I->L23E")
    assert inh.weight == Normal(mean=-351.24, sd=0.1 * 351.24, high=0.0)
    assert inh.delay_ms == Normal(mean=0.75, sd=0.375, low=0.05)
    assert inh.receptor == "inhibitory"


def test_microcircuit_drives() -> None:
    direct = [population.inputs for population in microcircuit().populations]
    currents = [561.97, 526.85, 737.59, 667.34, 702.47, 667.34, 1018.58, 737.59]
    assert direct == [(DCInput(current_pa=current),) for current in currents]
    poisson = [population.inputs for population in microcircuit(drive="poisson").populations]
    in_degrees = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
    assert poisson == [
        (PoissonInput(rate_hz=8.0 * n, weight=87.81, receptor="excitatory"),) for n in in_degrees
    ]


def test_microcircuit_at_a_tenth() -> None:
    """Sizes: NumPy's rounding, 2,191.5 up and 106.5 down to the even number."""
    network = microcircuit(0.1)
    assert [population.size for population in network.populations] == [
        2068,
        583,
        2192,
        548,
        485,
        106,
        1440,
        295,
    ]
    assert network.n_neurons == 7_717
    assert network.n_synapses == pytest.approx(2_988_809.68, abs=30)
    weight = projection(network, "L23E->L4I").weight
    assert isinstance(weight, Normal)
    assert weight.mean == 87.81 / math.sqrt(0.1)
    assert weight.sd == pytest.approx(8.781 / math.sqrt(0.1))


def test_microcircuit_compensates_the_lost_mean_input() -> None:
    """At a tenth, the mean input of L23E is what it was; from the tables by hand."""
    sizes = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
    probabilities = (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0)
    weights = (87.81, -351.24, 175.62, -351.24, 87.81, -351.24, 87.81, -351.24)
    rates = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)
    mean_pa = 0.0
    for size, p, weight, rate in zip(sizes, probabilities, weights, rates, strict=True):
        fan_in = math.log1p(-p) / math.log1p(-1 / (size * sizes[0])) / sizes[0]
        mean_pa += fan_in * weight * rate * 0.5e-3
    lost = (1 - math.sqrt(0.1)) * mean_pa
    (direct,) = microcircuit(0.1).populations[0].inputs
    assert isinstance(direct, DCInput)
    assert direct.current_pa == pytest.approx(561.97 + lost, rel=1e-6)
    # Poisson: 160 of 1,600 external synapses, each stronger; the current makes up for those as well.
    poisson, current = microcircuit(0.1, drive="poisson").populations[0].inputs
    assert poisson == PoissonInput(rate_hz=1280.0, weight=87.81 / math.sqrt(0.1), receptor="excitatory")
    external = (1 - math.sqrt(0.1)) * 1600 * 87.81 * 8.0 * 0.5e-3
    assert isinstance(current, DCInput)
    assert current.current_pa == pytest.approx(lost + external, rel=1e-6)


def test_microcircuit_has_two_drives() -> None:
    with pytest.raises(NetworkError) as caught:
        microcircuit(drive="ac")  # type: ignore[arg-type]
    assert str(caught.value) == "drive must be 'dc' or 'poisson', got 'ac'; choose one of them"


# Brunel 2000


def test_brunel_has_the_published_size_and_drive() -> None:
    network = brunel()
    assert [population.size for population in network.populations] == [10_000, 2_500]
    assert network.n_synapses == 15_625_000
    assert (n_of(network, "exc->inh"), n_of(network, "inh->exc")) == (1000, 250)
    assert projection(network, "exc->exc").weight == 0.1
    assert projection(network, "inh->exc").weight == -0.5
    assert {each.delay_ms for each in network.projections} == {1.5}
    drive = network.populations[0].inputs[0]
    assert isinstance(drive, PoissonInput)
    assert drive.rate_hz == pytest.approx(20_000.0, rel=1e-12)
    assert drive.weight == 0.1


def test_brunel_neurons() -> None:
    population = brunel().populations[1]
    assert population.model == "lif_curr_delta"
    assert population.initial == {"v_mv": 0.0}
    assert population.parameters == {
        "v_rest_mv": 0.0,
        "v_threshold_mv": 20.0,
        "v_reset_mv": 0.0,
        "c_m_pf": 1.0,
        "tau_m_ms": 20.0,
        "t_ref_ms": 2.0,
    }


def test_brunel_in_its_slow_state() -> None:
    network = brunel(g=4.5, eta=0.9)
    assert projection(network, "inh->exc").weight == pytest.approx(-0.45)
    drive = network.populations[0].inputs[0]
    assert isinstance(drive, PoissonInput)
    assert drive.rate_hz == pytest.approx(9_000.0, rel=1e-12)


@pytest.mark.parametrize("scale", [0.3, 0.1, 0.01, 0.001])
def test_brunel_keeps_the_mean_input_at_any_scale(scale: float) -> None:
    """Per neuron and unit rate: 100 mV from excitation, -125 mV from inhibition; drive 2,000 mV a second."""
    network = brunel(scale)
    for source, mean_mv in (("exc", 100.0), ("inh", -125.0)):
        weight = projection(network, f"{source}->exc").weight
        assert isinstance(weight, float)
        assert weight * n_of(network, f"{source}->exc") == pytest.approx(mean_mv)
    drive = network.populations[0].inputs[0]
    assert isinstance(drive, PoissonInput)
    assert drive.rate_hz * drive.weight == pytest.approx(2000.0)  # type: ignore[operator]


def test_brunel_at_a_hundredth() -> None:
    network = brunel(0.01)
    assert [population.size for population in network.populations] == [100, 25]
    assert (n_of(network, "exc->exc"), n_of(network, "inh->exc")) == (10, 2)
    assert projection(network, "exc->exc").weight == 10.0


# Vogels and Abbott 2005


def test_cuba_has_the_published_size() -> None:
    network = cuba()
    assert [member.size for member in network.members] == [3200, 800, 50]
    assert network.n_synapses == 320_000 + 50
    assert (n_of(network, "exc->inh"), n_of(network, "inh->inh")) == (64, 16)
    assert projection(network, "exc->inh").weight == 16.2
    assert projection(network, "inh->exc").weight == -139.5
    assert {each.delay_ms for each in network.projections} == {0.1}


def test_cuba_neurons() -> None:
    population = cuba().populations[0]
    assert population.initial == {"v_mv": -49.0}
    assert population.parameters == {
        "v_rest_mv": -49.0,
        "v_threshold_mv": -50.0,
        "v_reset_mv": -60.0,
        "c_m_pf": 200.0,
        "tau_m_ms": 20.0,
        "tau_syn_ex_ms": 5.0,
        "tau_syn_in_ms": 10.0,
        "t_ref_ms": 5.0,
    }


def test_cuba_stimulus_is_a_process_of_300_hz_from_1_to_51_ms() -> None:
    """1,000 neurons: 15 spikes each, sd 3.81 (binomial), so the mean is within 0.6 at five sd."""
    times = stimulus_times_ms(1000, seed=1)
    flat = [time for neuron in times for time in neuron]
    assert (min(flat), max(flat)) == (1.1, 51.0)
    assert len(flat) / 1000 == pytest.approx(15.0, abs=0.6)
    counts = [len(neuron) for neuron in times]
    variance = sum((count - 15) ** 2 for count in counts) / 1000
    assert variance == pytest.approx(15 * 0.97, rel=0.2)


def test_cuba_stimulates_the_first_fifty() -> None:
    network = cuba(seed=4)
    source = network.sources[0]
    assert isinstance(source, SpikeTimesSource)
    assert source.times_ms == tuple(tuple(times) for times in stimulus_times_ms(50, seed=4))
    stimulus = projection(network, "stimulus->exc")
    assert stimulus.connectivity.model_dump() == {
        "rule": "explicit",
        "sources": tuple(range(50)),
        "targets": tuple(range(50)),
        "weights": None,
        "delays_ms": None,
    }
    assert (stimulus.weight, stimulus.receptor) == (16.2, "excitatory")


def test_cuba_stimulus_is_the_same_on_all_machines() -> None:
    assert stimulus_times_ms(1, seed=1)[0][:5] == [2.7, 3.8, 10.2, 11.6, 13.6]


# A million neurons


def test_million_has_the_size_of_truenorth() -> None:
    near, anywhere = million(), million(targets="anywhere")
    for network in (near, anywhere):
        assert network.n_neurons == 2**20
        assert network.n_synapses == 2**28
        assert {population.model for population in network.populations} == {"lif_curr_delta"}
    assert [population.size for population in near.populations] == [65_536] * 16
    assert (len(near.projections), len(anywhere.projections)) == (16 + 256, 1)


def test_million_near_targets_are_of_the_own_chip() -> None:
    """80 of 100 synapses with 1 to 4 ms, 20 of 100 from all chips alike with 2 to 8 ms."""
    network = million()
    near = [each for each in network.projections if isinstance(each.connectivity, FixedInDegree)]
    far = [each for each in network.projections if isinstance(each.connectivity, FixedTotalNumber)]
    assert all(each.source == each.target for each in near)
    assert {(each.source, each.target) for each in far} == {
        (f"chip{k}", f"chip{j}") for k in range(16) for j in range(16)
    }
    assert sum(each.connectivity.n_synapses(65_536, 65_536) for each in near) == 205 * 2**20
    assert {each.connectivity.n_synapses(65_536, 65_536) for each in far} == {51 * 65_536 // 16}
    assert {tuple(possible_delays(each, 1.0)) for each in near} == {(1, 2, 3, 4)}
    assert {tuple(possible_delays(each, 1.0)) for each in far} == {(2, 3, 4, 5, 6, 7, 8)}


def test_million_at_a_sixteenth_keeps_the_synapses_of_a_neuron() -> None:
    for targets in ("near", "anywhere"):
        network = million(1 / 16, targets=targets)
        assert network.n_neurons == 65_536
        assert network.n_synapses == 65_536 * 256


def test_million_drives_by_the_rate() -> None:
    """At 2 Hz, in 498 ms: 20 mV, 0.583 x sqrt(0.512 x 1.0256) mV, and 256 x 0.16 mV of inhibition in 500."""
    expected = 250 * (0.002 * 20.4225 / 0.996 + 0.002 * 40.96)
    assert current_pa(2.0) == pytest.approx(expected, rel=1e-4)
    (drive,) = million(1e-3).populations[0].inputs
    assert isinstance(drive, DCInput)
    assert isinstance(drive.current_pa, Normal)
    assert drive.current_pa.mean == current_pa(2.0)
    assert drive.current_pa.sd == pytest.approx(0.3 * 250 * 20 * 0.002)


@pytest.mark.parametrize("rate_hz", [0, -1, 100.5, float("nan"), "slow"])
def test_what_is_no_rate_of_the_million(rate_hz: object) -> None:
    with pytest.raises(NetworkError) as caught:
        million(rate_hz=rate_hz)  # type: ignore[arg-type]
    got = f"'{rate_hz}'" if isinstance(rate_hz, str) else rate_hz
    assert str(caught.value) == (
        f"rate_hz must be > 0 and <= 100, got {got}; a neuron needs some ticks from spike to spike"
    )


def test_million_has_two_kinds_of_targets() -> None:
    with pytest.raises(NetworkError) as caught:
        million(targets="far")  # type: ignore[arg-type]
    assert str(caught.value) == "targets must be 'near' or 'anywhere', got 'far'; choose one of them"
