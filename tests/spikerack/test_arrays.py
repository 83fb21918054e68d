from __future__ import annotations

import numpy as np
import pytest

from cluster import DeployOptions, run_local
from network import Explicit, Network, NetworkError, SpikeTimesSource, UploadedSpikesSource
from network.arrays import ArraysError
from spikerack.arrays import save, save_spikes
from spikerack.builder import NetworkBuilder, uploaded

SOURCES, TARGETS = (0, 1, 2, 2, 0), (0, 1, 1, 0, 2)
WEIGHTS, DELAYS = (10000.0, 20000.0, 10000.5, 30000.0, -1.25), (1.0, 2.0, 1.5, 0.5, 0.5)
TIMES = ((1.0,), (1.0,), (3.0, 5.0))


def network(connectivity, source=None, **changes):
    drive = source or SpikeTimesSource(name="drive", size=3, times_ms=TIMES)
    described = {
        "name": "listed",
        "timestep_ms": 0.5,
        "seed": 1,
        "populations": [{"name": "p", "size": 3, "model": "lif_curr_exp"}],
        "sources": [drive],
        "projections": [
            {"source": "drive", "target": "p", "receptor": "excitatory", "connectivity": connectivity}
        ],
    }
    return Network.model_validate(described | changes)


def listed(folder):
    return save(folder, sources=SOURCES, targets=TARGETS, weights=WEIGHTS, delays_ms=DELAYS)


def digests(network, **options):
    outcome = run_local(network, n_ticks=40, **options)
    assert outcome.summary["n_spikes"] > 4
    return outcome.summary["digest"], outcome.summary["synapse_digest"]


@pytest.mark.slow
@pytest.mark.parametrize("chips", [1, 3])
def test_a_list_that_is_kept_is_the_list_in_the_description(tmp_path, chips):
    explicit = Explicit(sources=SOURCES, targets=TARGETS, weights=WEIGHTS, delays_ms=DELAYS)
    options = DeployOptions(chips=chips)
    kept = digests(network(listed(tmp_path)), options=options, arrays=tmp_path)
    assert kept == digests(network(explicit), options=options)


@pytest.mark.slow
@pytest.mark.parametrize("chips", [1, 3])
def test_spikes_that_are_kept_are_those_of_the_description(tmp_path, chips):
    facts = save_spikes(tmp_path, times_ms=[5.0, 1.0, 1.0, 3.0], neurons=[2, 1, 0, 2])
    source = UploadedSpikesSource(name="drive", size=3, **facts)
    options = DeployOptions(chips=chips)
    kept = digests(network(listed(tmp_path), source), options=options, arrays=tmp_path)
    assert kept == digests(network(listed(tmp_path)), options=options, arrays=tmp_path)


def test_a_run_that_is_not_told_of_the_folder(tmp_path):
    said = listed(tmp_path)
    for options in ({}, {"arrays": tmp_path / "other"}):
        with pytest.raises(NetworkError) as refused:
            run_local(network(said), n_ticks=1, **options)
        assert str(refused.value) == (
            f"projections[0].connectivity.sha256 must name uploaded synapses, got '{said.sha256}'; "
            "upload them first"
        )


def test_a_run_reads_every_entry_before_it_begins(tmp_path):
    said = listed(tmp_path)
    path = tmp_path / said.sha256 / "targets.npy"
    raw = bytearray(path.read_bytes())
    raw[-4] ^= 1
    path.write_bytes(raw)
    with pytest.raises(RuntimeError) as refused:
        run_local(network(said), n_ticks=1, arrays=tmp_path)
    assert str(refused.value) == (
        f"arrays {said.sha256}: must be as they were stored, and column targets has another SHA-256; "
        "upload them again"
    )
    assert listed(tmp_path) == said
    run_local(network(said), n_ticks=1, arrays=tmp_path)


def test_lists_and_arrays_of_any_width_are_one(tmp_path):
    arrays = {"sources": np.array(SOURCES, ">i8"), "targets": np.array(TARGETS, "u1")}
    again = save(tmp_path, **arrays, weights=np.array(WEIGHTS, "f4"), delays_ms=np.array(DELAYS, "f4"))
    assert again == listed(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [again.sha256]
    assert save(tmp_path, sources=[], targets=[], weights=[1][:0]).weights == (0.0, 0.0)


def test_what_a_crash_has_left_is_swept(tmp_path):
    (tmp_path / ".draft-left").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [".draft-left"]
    said = listed(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [said.sha256]


def test_what_is_refused_leaves_nothing(tmp_path):
    with pytest.raises(ArraysError) as refused:
        save(tmp_path, sources=[0, 1], targets=[0, -1])
    assert str(refused.value) == "targets[1] must be >= 0, got -1; neurons are counted from 0"
    with pytest.raises(ArraysError) as refused:
        save_spikes(tmp_path, times_ms=[1.0, 1.0], neurons=[4, 4])
    assert str(refused.value) == (
        "times_ms must differ among the spikes of a neuron, got 1 twice for neuron 4; remove the repeat"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_builder_takes_what_saving_answers(tmp_path):
    builder = NetworkBuilder("listed", timestep_ms=0.5, seed=1)
    facts = save_spikes(tmp_path, times_ms=[1.0, 1.5], neurons=[2, 0])
    drive = builder.uploaded_spikes_source("drive", 3, facts)
    target = builder.population("p", 3, "lif_curr_exp")
    builder.connect(drive, target, uploaded(listed(tmp_path)), receptor="excitatory")
    built = builder.build()
    assert built.projections[0].connectivity == listed(tmp_path)
    assert built.sources[0] == UploadedSpikesSource(name="drive", size=3, **facts)
    run_local(built, n_ticks=1, arrays=tmp_path)
