from __future__ import annotations

import numpy as np
import pytest

from cluster.arrays import ArrayStore, references, require_arrays
from network import Network, NetworkError
from tests.cluster.test_arrays import LIST, keep


@pytest.fixture
def store(tmp_path):
    return ArrayStore(tmp_path / "arrays")


def network(timestep_ms=0.1, connectivity=None, source=None, **projection):
    described = {
        "name": "listed",
        "timestep_ms": timestep_ms,
        "seed": 1,
        "populations": [{"name": "p", "size": 4, "model": "lif_curr_exp"}],
        "sources": [{"kind": "uploaded_spikes", "name": "s", "size": 4} | source] if source else [],
        "projections": [],
    }
    if connectivity is not None:
        ends = {"source": "p", "target": "p", "receptor": "excitatory", "connectivity": connectivity}
        described["projections"] = [ends | projection]
    return Network.model_validate(described)


def refusal(network, store, **options):
    with pytest.raises(NetworkError) as refused:
        require_arrays(network, store, **options)
    return str(refused.value)


def test_a_network_that_says_what_its_arrays_are(store):
    said = keep(store, "synapses", **LIST).connectivity.model_dump()
    spikes = keep(store, "spikes", times_ms=[0.1, 0.3], neurons=[0, 3]).source
    described = network(connectivity=said, source=spikes)
    require_arrays(described, store, verify=True)
    require_arrays(described, store, held={said["sha256"], spikes["sha256"]})
    assert [(path, kind) for path, kind, _ in references(described)] == [
        ("projections[0].connectivity", "synapses"),
        ("sources[0]", "spikes"),
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n": 3}, "n must be what the upload answered, 4, got 3"),
        ({"source_stop": 3}, "source_stop must be what the upload answered, 4, got 3"),
        ({"target_stop": 1}, "target_stop must be what the upload answered, 2, got 1"),
        (
            {"weights": (-2.0, 10.0)},
            "weights must be what the upload answered, (-2.0, 10.5), got (-2.0, 10.0)",
        ),
        ({"weight_granule": 0}, "weight_granule must be what the upload answered, -1, got 0"),
        ({"delays_ms": (0.1, 2.0)}, "delays_ms must be what the upload answered, (0.1, 1.0), got (0.1, 2.0)"),
    ],
)
def test_a_network_that_says_something_else(store, change, told):
    said = keep(store, "synapses", **LIST).connectivity.model_dump()
    assert refusal(network(connectivity=said | change), store) == (
        f"projections[0].connectivity.{told}; put its answer in as it is"
    )


def test_columns_that_were_uploaded_cannot_be_left_out(store):
    said = keep(store, "synapses", **LIST).connectivity.model_dump()
    described = network(connectivity=said | {"weights": None}, weight=1.0)
    assert refusal(described, store) == (
        "projections[0].connectivity.weights must be what the upload answered, (-2.0, 10.5), got null; "
        "put its answer in as it is"
    )


def test_arrays_that_are_not_there_not_held_or_of_another_kind(store):
    said = keep(store, "synapses", **LIST).connectivity.model_dump()
    spikes = keep(store, "spikes", times_ms=[0.1], neurons=[0])
    advice = f"projections[0].connectivity.sha256 must name uploaded synapses, got {said['sha256']!r}"
    described = network(connectivity=said)
    assert refusal(described, ArrayStore(store.folder / "other")) == f"{advice}; upload them first"
    assert refusal(described, ArrayStore(None)) == f"{advice}; upload them first"
    assert refusal(described, store, held=[spikes.sha256]) == f"{advice}; upload them first"
    crossed = network(connectivity=said | {"sha256": spikes.sha256})
    assert refusal(crossed, store) == (
        f"projections[0].connectivity.sha256 must name synapses, got spikes with {spikes.sha256!r}; "
        "name those that you uploaded as synapses"
    )
    source = spikes.source | {"sha256": said["sha256"]}
    assert refusal(network(source=source), store) == (
        f"sources[0].sha256 must name spikes, got synapses with {said['sha256']!r}; "
        "name those that you uploaded as spikes"
    )


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of eight entries, where the service has a million."""
    monkeypatch.setattr("cluster.arrays.agreement.CHUNK", 8)
    return 8


def test_every_delay_is_on_the_grid(store, small_parts):
    delays, zeros = np.full(2 * small_parts + 3, 0.5), np.zeros(2 * small_parts + 3, np.uint32)
    delays[-1] = 1.0
    given = {"sources": zeros, "targets": zeros, "weights": np.ones(zeros.size)}
    whole = keep(store, "synapses", **given, delays_ms=delays).connectivity
    require_arrays(network(0.25, whole.model_dump()), store)
    delays[17] = 0.6
    spoilt = keep(store, "synapses", **given, delays_ms=delays).connectivity
    assert refusal(network(0.25, spoilt.model_dump(), name="odd"), store) == (
        "projections[0].connectivity.delays_ms[17] must be a multiple of timestep_ms, 0.25, got 0.6; "
        "the nearest are 0.5 and 0.75"
    )


@pytest.mark.parametrize(
    ("times", "neurons", "told"),
    [
        (
            [0.1, 0.25],
            [0, 0],
            "[1] must be a multiple of timestep_ms, 0.1, got 0.25; the nearest are 0.2 and 0.3",
        ),
        (
            [0.3, 0.1 + 0.2],
            [2, 2],
            "[1] must be in a tick of its own among the spikes of neuron 2, got 0.30000000000000004 a second "
            "time; remove it or shorten timestep_ms",
        ),
    ],
)
def test_every_spike_is_on_the_grid_and_alone_in_its_tick(store, times, neurons, told):
    spikes = keep(store, "spikes", times_ms=times, neurons=neurons).source
    assert refusal(network(source=spikes), store) == f"sources[0].times_ms{told}"


def test_times_of_one_tick_may_differ_by_rounding(store):
    spikes = keep(store, "spikes", times_ms=[0.1 + 0.2, 0.3], neurons=[1, 2])
    assert store.spikes(spikes.sha256).neurons.tolist() == [2, 1]
    require_arrays(network(source=spikes.source), store)


def test_a_tick_may_reach_over_parts(store, small_parts):
    neurons = np.arange(3 * small_parts)
    times = np.repeat([0.1, 0.2, 0.3], [3, 2 * small_parts, small_parts - 3])
    spikes = keep(store, "spikes", times_ms=times, neurons=neurons).source
    require_arrays(network(source=spikes | {"size": neurons.size}), store)
    late = np.append(times, np.nextafter(0.2, 1))
    spikes = keep(store, "spikes", times_ms=late, neurons=np.append(neurons, 3)).source
    assert refusal(network(source=spikes | {"size": neurons.size}), store) == (
        "sources[0].times_ms[19] must be in a tick of its own among the spikes of neuron 3, "
        "got 0.20000000000000004 a second time; remove it or shorten timestep_ms"
    )
