from __future__ import annotations

import io

import httpx2
import msgpack
import numpy as np
import pytest

from api import Limits
from api.containers import Room, read_packed
from cluster.arrays import ArrayStore
from network import Uploaded
from network.arrays import ArraysError
from spikerack import uploads
from spikerack.uploads import upload_of
from tests.spikerack.service import Script, answer, problem
from tests.spikerack.test_client import Awaiting, Blocking

LIST = {
    "sources": np.array([0, 3, 2, 2, 1], np.int64),
    "targets": np.array([1, 0, 1, 1, 0], np.uint8),
    "weights": np.array([10.5, -2.0, 0.0, 10.5, 1.0], np.float32),
    "delays_ms": np.array([0.1, 0.5, 0.1, 1.0, 0.1], np.float32),
}
SAID = {
    "rule": "uploaded",
    "sha256": "a" * 64,
    "n": 5,
    "source_stop": 4,
    "target_stop": 2,
    "weights": [-2.0, 10.5],
    "weight_granule": -1,
    "delays_ms": [0.1, 1.0],
}
SOURCE = {"kind": "uploaded_spikes", "sha256": "b" * 64, "n": 2, "neuron_stop": 7}


@pytest.fixture(params=[Blocking, Awaiting])
def on(request):
    return request.param


@pytest.fixture(autouse=True)
def _parts_of_two(monkeypatch):
    monkeypatch.setattr(uploads, "PART", 2)


def stream(content):
    first, *chunks = msgpack.Unpacker(io.BytesIO(content))
    columns = {
        name: np.concatenate([np.frombuffer(chunk[name], dtype) for chunk in chunks] or [np.empty(0, dtype)])
        for name, dtype in first["columns"].items()
    }
    return first, columns, len(chunks)


def test_synapses_are_sent_in_parts_as_they_are_stored(on):
    script = Script(answer(201, {"connectivity": SAID}))
    told = []
    said = on(script)(lambda c: c.upload(**LIST, progress=lambda done, detail: told.append((done, detail))))
    assert said == Uploaded.model_validate(SAID)
    request = script.requests[0]
    assert script.lines == ["POST /v1/arrays?kind=synapses"]
    assert request.headers["Content-Type"] == "application/msgpack"
    assert request.extensions["timeout"] == {"connect": 30.0, "read": 1800.0, "write": 30.0, "pool": 30.0}
    first, columns, n_parts = stream(request.content)
    dtypes = {"sources": "<u4", "targets": "<u4", "weights": "<f8", "delays_ms": "<f8"}
    assert first == {"kind": "synapses", "n": 5, "columns": dtypes}
    assert n_parts == 3
    assert columns["sources"].tolist() == LIST["sources"].tolist()
    assert columns["targets"].tolist() == LIST["targets"].tolist()
    assert columns["weights"].tolist() == LIST["weights"].tolist()
    assert columns["delays_ms"].tolist() == [0.1, 0.5, 0.1, 1.0, 0.1]
    assert told == [(0.4, "2 of 5 synapses"), (0.8, "4 of 5 synapses"), (1.0, "5 of 5 synapses")]


def test_spikes_are_sent_as_they_come(on):
    script = Script(answer(201, {"source": SOURCE}))
    assert on(script)(lambda c: c.upload_spikes(times_ms=[2.5, 1.0], neurons=[6, 0])) == SOURCE
    assert script.lines == ["POST /v1/arrays?kind=spikes"]
    _, columns, _ = stream(script.requests[0].content)
    assert (columns["times_ms"].tolist(), columns["neurons"].tolist()) == ([2.5, 1.0], [6, 0])


def test_the_whole_stream_is_sent_again_when_it_breaks_off(on):
    script = Script(httpx2.WriteError("broken"), answer(200, {"connectivity": SAID}))
    on(script)(lambda c: c.upload(**LIST))
    assert script.requests[0].content == script.requests[1].content
    assert len(script.pauses) == 1


def test_a_refusal_is_told(on):
    script = Script(
        problem(422, "upload: upload_entries must be at most 4, the estimate is 5; make it smaller")
    )
    with pytest.raises(ValueError, match="upload_entries must be at most 4") as refused:
        on(script)(lambda c: c.upload(**LIST))
    assert str(refused.value) == (
        "POST /v1/arrays: 422, upload: upload_entries must be at most 4, the estimate is 5; make it smaller"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sources": [0, 1, 2, 3, -4]}, "sources[4] must be >= 0, got -4; neurons are counted from 0"),
        (
            {"weights": [0.0, 0.0, 0.0, np.nan, 0.0]},
            "weights[3] must be a finite number, got nan; replace or remove it",
        ),
        (
            {"delays_ms": [0.1, 0.1, 0.0, 0.1, 0.1]},
            "delays_ms[2] must be > 0, got 0; a delay is one tick or more",
        ),
        (
            {"targets": [1]},
            "targets must have as many entries as sources, 5, got 1; give one entry for each of the synapses",
        ),
        ({"weights": np.zeros(5, int)}, "weights must hold float32 or float64, got 'int64'; convert it"),
        ({"weights": 1.0}, "weights must have one dimension, got 0; give one entry after the other"),
    ],
)
def test_what_is_wrong_is_not_sent(on, changes, told):
    script = Script()
    with pytest.raises(ArraysError) as refused:
        on(script)(lambda c: c.upload(**(LIST | changes)))
    assert (str(refused.value), script.requests) == (told, [])


def test_a_list_may_be_empty(on):
    script = Script(answer(201, {"connectivity": SAID}))
    on(script)(lambda c: c.upload(sources=[], targets=[]))
    first, _, n_parts = stream(script.requests[0].content)
    assert (first["n"], n_parts) == (0, 0)


def test_a_file_larger_than_memory_is_read_part_by_part(tmp_path):
    """Of a sparse file of 2**34 entries the first part can be taken."""
    path = tmp_path / "huge.npy"
    values = np.memmap(path, np.uint32, "w+", shape=(2**34,))
    upload = uploads.Upload("synapses", {"sources": values, "targets": values})
    parts = upload.parts()
    assert msgpack.unpackb(next(parts))["n"] == 2**34
    assert msgpack.unpackb(next(parts)) == {"sources": bytes(8), "targets": bytes(8)}
    assert str(upload) == "17,179,869,184 synapses"


def test_the_service_reads_what_the_client_writes(tmp_path):
    body = io.BytesIO(b"".join(upload_of("synapses", LIST).parts()))
    with ArrayStore(tmp_path / "arrays").draft("synapses") as draft:
        read_packed(body, draft, Room(Limits(), tmp_path))
        sealed = draft.seal()
    assert sealed.connectivity == Uploaded.model_validate(SAID | {"sha256": sealed.sha256})
