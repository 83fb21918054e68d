from __future__ import annotations

import hashlib
import json
import os
import pickle

import numpy as np
import pytest

from chip.weights import granule_of
from cluster.arrays import ArrayStore
from cluster.arrays.files import CHUNK
from cluster.arrays.spike_order import first_disorder, merged, sort_runs
from cluster.errors import ArraysLost
from network.arrays import ArraysError

LIST = {
    "sources": np.array([0, 3, 2, 2], np.uint32),
    "targets": np.array([1, 0, 1, 1], np.uint32),
    "weights": np.array([10.5, -2.0, 0.0, 10.5]),
    "delays_ms": np.array([0.1, 0.5, 0.1, 1.0]),
}


@pytest.fixture
def store(tmp_path):
    return ArrayStore(tmp_path / "arrays")


def keep(store, kind, **columns):
    with store.draft(kind) as draft:
        for name, values in columns.items():
            draft.extend(name, np.asarray(values))
        sealed = draft.seal()
        store.publish(draft, sealed)
    return sealed


def folders(store):
    return sorted(path.name for path in store.folder.iterdir())


def test_synapses_come_back_as_they_went_in(store):
    sealed = keep(store, "synapses", **LIST)
    columns = store.synapses(sealed.sha256)
    for name, values in LIST.items():
        assert getattr(columns, name).tolist() == values.tolist()
        assert not getattr(columns, name).flags.writeable
    assert [column.dtype.str for column in columns] == ["<u4", "<u4", "<f8", "<f8"]
    assert store.verify(sealed.sha256) == store.find(sealed.sha256) == sealed
    assert (sealed.n, sealed.n_bytes) == (4, 96)


def test_the_facts_are_those_of_the_language(store):
    said = keep(store, "synapses", **LIST).connectivity
    assert said.model_dump() == {
        "rule": "uploaded",
        "sha256": said.sha256,
        "n": 4,
        "source_stop": 4,
        "target_stop": 2,
        "weights": (-2.0, 10.5),
        "weight_granule": -1,
        "delays_ms": (0.1, 1.0),
    }
    spikes = keep(store, "spikes", times_ms=[2.0, 1.0], neurons=[0, 6])
    assert spikes.source == {"kind": "uploaded_spikes", "sha256": spikes.sha256, "n": 2, "neuron_stop": 7}


def test_columns_that_the_projection_gives_are_not_there(store):
    sealed = keep(store, "synapses", sources=LIST["sources"], targets=LIST["targets"])
    columns = store.synapses(sealed.sha256)
    assert (columns.weights, columns.delays_ms) == (None, None)
    said = sealed.connectivity
    assert (said.weights, said.weight_granule, said.delays_ms) == (None, None, None)


def test_lists_without_entries(store):
    empty = {name: values[:0] for name, values in LIST.items()}
    said = keep(store, "synapses", **empty).connectivity
    assert (said.n, said.source_stop, said.target_stop) == (0, 0, 0)
    assert (said.weights, said.weight_granule, said.delays_ms) == ((0.0, 0.0), None, (0.0, 0.0))
    assert [column.size for column in store.synapses(said.sha256)] == [0, 0, 0, 0]
    spikes = keep(store, "spikes", times_ms=np.empty(0), neurons=np.empty(0, np.uint32))
    assert [column.size for column in store.spikes(spikes.sha256)] == [0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_the_granule_is_that_of_all_weights(store, seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-1000, 1000, 50) * 2.0 ** rng.integers(-20, 3, 50)
    with store.draft("synapses") as draft:
        for part in np.split(weights, 5):
            draft.extend("sources", np.zeros(part.size, np.int64))
            draft.extend("targets", np.zeros(part.size, np.int64))
            draft.extend("weights", part)
        assert draft.seal().connectivity.weight_granule == granule_of(weights)


def test_one_content_has_one_name_however_it_comes(store):
    whole = keep(store, "synapses", **LIST)
    wide = {name: values.astype(">i8") for name, values in LIST.items() if values.dtype == np.uint32}
    with store.draft("synapses") as draft:
        for part in range(4):
            for name in ("delays_ms", "targets", "weights", "sources"):
                draft.extend(name, (LIST | wide)[name][part : part + 1])
        assert draft.seal() == whole
    assert folders(store) == [whole.sha256]


def test_another_content_has_another_name(store):
    names = {keep(store, "synapses", **LIST).sha256}
    names |= {keep(store, "synapses", **(LIST | {name: LIST[name][::-1]})).sha256 for name in LIST}
    assert len(names) == 5


def test_the_name_can_be_computed_from_the_entries(store):
    digests = {name: hashlib.sha256(values.tobytes()).hexdigest() for name, values in LIST.items()}
    dtypes = {"sources": "<u4", "targets": "<u4", "weights": "<f8", "delays_ms": "<f8"}
    lines = ["spikerack arrays synapses 4"]
    lines += [f"{name} {dtypes[name]} {digest}" for name, digest in digests.items()]
    assert keep(store, "synapses", **LIST).sha256 == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_spikes_are_sorted(store):
    rng = np.random.default_rng(5)
    times, neurons = np.divmod(rng.permutation(5000)[:2000], 50)
    sealed = keep(store, "spikes", times_ms=1.0 + times, neurons=neurons)
    order = np.lexsort((neurons, times))
    columns = store.verify(sealed.sha256), store.spikes(sealed.sha256)
    assert columns[0] == sealed
    assert columns[1].times_ms.tolist() == (1.0 + times[order]).tolist()
    assert columns[1].neurons.tolist() == neurons[order].tolist()
    assert keep(store, "spikes", times_ms=1.0 + times[order], neurons=neurons[order]) == sealed


@pytest.mark.parametrize("n_times", [1, 7, 400])
@pytest.mark.parametrize(
    ("n", "run", "size"), [(1, 10, 5), (1000, 64, 50), (999, 1000, 100), (1000, 7, 3000)]
)
def test_runs_are_merged_into_one_order(n, run, size, n_times):
    rng = np.random.default_rng(n + run)
    times = rng.integers(1, n_times + 1, n).astype(np.float64)
    neurons = rng.permutation(n).astype(np.uint32)
    order = np.lexsort((neurons, times))
    expected = times[order].tolist(), neurons[order].tolist()
    parts = list(merged(sort_runs(times, neurons, run), size))
    found = [np.concatenate(column) for column in zip(*parts, strict=True)]
    assert (found[0].tolist(), found[1].tolist()) == expected
    n_runs = -(-n // run)
    assert max(part[0].size for part in parts) <= size + n_runs * max(1, run // 256)


def test_disorder_is_found_across_parts():
    times = np.ones(2 * CHUNK + 2)
    neurons = np.arange(times.size, dtype=np.uint32)
    assert first_disorder(times, neurons) is None
    for k in (CHUNK, CHUNK + 1, times.size - 1):
        spoilt = neurons.copy()
        spoilt[k] = spoilt[k - 1]
        assert first_disorder(times, spoilt) == k


def test_two_spikes_that_are_the_same_are_refused(store):
    for order in ([0, 1, 2], [2, 0, 1]):
        times, neurons = np.array([1.0, 2.5, 2.5])[order], np.array([3, 4, 4])[order]
        with pytest.raises(ArraysError) as refused:
            keep(store, "spikes", times_ms=times, neurons=neurons)
        assert str(refused.value) == (
            "times_ms must differ among the spikes of a neuron, got 2.5 twice for neuron 4; remove the repeat"
        )
    assert folders(store) == []


def test_an_entry_is_named_by_its_place_in_the_whole_column(store):
    values = np.zeros(CHUNK + 13, np.int64)
    values[-1] = -7
    with pytest.raises(ArraysError) as refused:
        keep(store, "synapses", sources=values)
    assert str(refused.value) == (f"sources[{CHUNK + 12}] must be >= 0, got -7; neurons are counted from 0")
    assert folders(store) == []


def test_a_draft_that_is_not_published_leaves_nothing(store):
    with store.draft("synapses") as draft:
        draft.extend("sources", np.array([1]))
        assert repr(draft) == "Draft(synapses: sources 1)"
        with pytest.raises(ArraysError):
            draft.seal()
    assert folders(store) == []


def test_the_same_twice_at_once(store):
    with store.draft("synapses") as one, store.draft("synapses") as other:
        for draft in (one, other):
            for name, values in LIST.items():
                draft.extend(name, values)
        sealed = one.seal(), other.seal()
        assert sealed[0] == sealed[1]
        store.publish(one, sealed[0])
        store.publish(other, sealed[1])
    assert folders(store) == [sealed[0].sha256]
    assert store.verify(sealed[0].sha256) == sealed[0]


def test_only_drafts_that_nobody_writes_are_swept(store):
    sealed = keep(store, "synapses", **LIST)
    left = store.folder / ".draft-left"
    left.mkdir()
    (left / "sources.npy").write_bytes(b"half")
    with store.draft("synapses") as draft:
        draft.extend("sources", np.array([1]))
        assert store.sweep() == 1
        assert folders(store) == sorted([draft.folder.name, sealed.sha256])
    assert store.sweep() == 0
    assert folders(store) == [sealed.sha256]
    assert ArrayStore(store.folder / "none").sweep() == 0


def test_what_is_mapped_outlives_its_deletion(store):
    sealed = keep(store, "synapses", **LIST)
    columns = store.synapses(sealed.sha256)
    store.delete(sealed.sha256)
    store.delete(sealed.sha256)
    assert folders(store) == []
    assert columns.weights.tolist() == LIST["weights"].tolist()


def _cut(place):
    os.truncate(place / "weights.npy", 130)


def _grow(place):
    with (place / "weights.npy").open("ab") as file:
        file.write(bytes(8))


def _lose(place):
    (place / "targets.npy").unlink()


def _retype(place):
    raw = (place / "weights.npy").read_bytes()
    (place / "weights.npy").write_bytes(raw.replace(b"'<f8'", b"'<i8'"))


def _facts(**changes):
    def change(place):
        known = json.loads((place / "facts.json").read_text())
        (place / "facts.json").write_text(json.dumps(known | changes))

    return change


def _garble(place):
    (place / "facts.json").write_text('{"format": 1')


FACTS = "facts.json is not what was written"


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (_cut, "weights.npy must have 160 bytes, has 130"),
        (_grow, "weights.npy must have 160 bytes, has 168"),
        (_lose, "[Errno 2] No such file or directory: '{place}/targets.npy'"),
        (_retype, "weights.npy must begin with the header of 4 entries of <f8"),
        (_garble, f"{FACTS} (JSONDecodeError)"),
        (_facts(n=5), f"{FACTS} (ValueError)"),
        (_facts(kind="pictures"), f"{FACTS} (KeyError)"),
        (_facts(format=2), f"{FACTS} (ValueError)"),
        (_facts(columns=None), f"{FACTS} (TypeError)"),
        (_facts(facts={"n": 4}), f"{FACTS} (ValidationError)"),
    ],
)
def test_what_is_not_as_it_was_stored_is_refused(store, damage, what):
    sealed = keep(store, "synapses", **LIST)
    place = store.folder / sealed.sha256
    damage(place)
    for look in (store.find, store.verify, store.synapses):
        with pytest.raises(ArraysLost) as refused:
            look(sealed.sha256)
        assert str(refused.value) == (
            f"arrays {sealed.sha256}: must be as they were stored, and {what.format(place=place)}; "
            "upload them again"
        )
    store.drop_damaged(sealed.sha256)
    assert keep(store, "synapses", **LIST) == store.verify(sealed.sha256)


def test_a_changed_entry_is_found_by_reading_all(store):
    sealed = keep(store, "synapses", **LIST)
    path = store.folder / sealed.sha256 / "sources.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert store.find(sealed.sha256) == sealed
    with pytest.raises(ArraysLost) as refused:
        store.verify(sealed.sha256)
    assert str(refused.value) == (
        f"arrays {sealed.sha256}: must be as they were stored, and column sources has another SHA-256; "
        "upload them again"
    )
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
    store.drop_damaged(sealed.sha256)
    assert folders(store) == []


def test_what_is_not_there(store):
    sha256 = "0" * 64
    for name, message in (
        (sha256, f"arrays {sha256}: must be in the store, and are not; upload them"),
        ("../x", "arrays '../x': the name must be 64 hexadecimal digits; upload them"),
    ):
        for look in (store.find, store.synapses, store.spikes):
            with pytest.raises(ArraysLost) as refused:
                look(name)
            assert str(refused.value) == message
    with pytest.raises(ArraysLost) as refused:
        ArrayStore(None).synapses(sha256)
    assert str(refused.value) == f"arrays {sha256}: a folder of arrays must be given, got none; give arrays="
    spikes = keep(store, "spikes", times_ms=[1.0], neurons=[0])
    with pytest.raises(ArraysLost) as refused:
        store.synapses(spikes.sha256)
    assert str(refused.value) == f"arrays {spikes.sha256}: must be synapses, got spikes; name others"
    with pytest.raises(
        ValueError, match=r"^arrays: a folder must be given to store any, got None; give one$"
    ):
        ArrayStore(None).draft("spikes")
