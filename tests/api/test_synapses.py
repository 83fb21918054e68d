from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from tests.api.conftest import NETWORK

PARALLEL = {
    "projections": [
        NETWORK["projections"][0],
        NETWORK["projections"][0] | {"name": 'the "other", too'},
        NETWORK["projections"][0] | {"target": "exc", "name": "within"},
    ]
}
NAMES = ["exc->inh", 'the "other", too']


@pytest.fixture
def path(call) -> str:
    deployment_id = call.deployment(call.network(**PARALLEL))
    return f"/v1/deployments/{deployment_id}/synapses"


def _rows(answer):
    return list(zip(*(answer[name] for name in ("source", "target", "delay_ticks", "weight")), strict=True))


EXC_INH = [(source, 8 + target, target + 1, 0.25 * source) for source in range(8) for target in range(2)]


def test_as_json(call, path):
    answer = call("GET", f"{path}?projection=exc->inh").json()
    assert _rows(answer) == EXC_INH
    assert (answer["deployment_id"], answer["n_synapses"], answer["next"]) == (path.split("/")[3], 16, None)
    assert answer["receptor"] == ["excitatory"] * 16
    assert answer["projection"] == [NAMES] * 16


def test_as_npz(call, path):
    answer = call("GET", f"{path}?source=exc&format=npz")
    assert answer.headers["content-type"] == "application/x-npz"
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        assert len(arrays["source"]) == 8 * 10
        assert (arrays["source"].dtype, arrays["target"].dtype) == (np.uint32, np.uint32)
        assert arrays["receptor"].tolist() == ["excitatory"] * 2
        assert arrays["projection"].tolist() == ["within", "\t".join(NAMES)]
        onto_exc = arrays["target"] < 8
        assert np.array_equal(arrays["group"], np.where(onto_exc, 0, 1))
        inh = [arrays[name][~onto_exc].tolist() for name in ("source", "target", "delay_ticks", "weight")]
        assert list(zip(*inh, strict=True)) == EXC_INH
        order = arrays["source"].astype(np.int64) * 10 + arrays["target"]
        assert np.all(np.diff(order) > 0)


def test_as_csv(call, path):
    answer = call("GET", f"{path}?projection=exc->inh&sources=3:4", headers={"Accept": "text/csv"})
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines == [
        ["source", "target", "delay_ticks", "weight", "receptor", "projection"],
        ["3", "8", "1", "0.75", "excitatory", "\t".join(NAMES)],
        ["3", "9", "2", "0.75", "excitatory", "\t".join(NAMES)],
    ]
    assert 'filename="dep_' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("sources=0:8:3", lambda source, target: source % 3 == 0),
        ("targets=1:2", lambda source, target: target == 9),
        ("sources=2:5&targets=0:1:1", lambda source, target: 2 <= source < 5 and target == 8),
        ("sources=4:4", lambda source, target: False),
    ],
)
def test_neurons_may_be_chosen(call, path, query, kept):
    answer = call("GET", f"{path}?source=exc&target=inh&{query}").json()
    assert _rows(answer) == [row for row in EXC_INH if kept(row[0], row[1])]


@pytest.mark.parametrize("limit", [1, 3, 5, 15])
@pytest.mark.parametrize("form", ["json", "npz"])
def test_parts_make_the_whole(call, path, limit, form):
    rows, cursor = [], ""
    while cursor is not None:
        page = call("GET", f"{path}?projection=exc->inh&limit={limit}&format={form}{cursor}")
        if form == "json":
            answer, following = page.json(), page.json()["next"]
        else:
            with np.load(io.BytesIO(page.content), allow_pickle=False) as arrays:
                answer = {name: arrays[name].tolist() for name in arrays.files}
            following = page.headers.get("Next-Cursor")
        rows += _rows(answer)
        assert len(answer["source"]) == limit or following is None
        cursor = following and f"&cursor={following}"
    assert rows == EXC_INH


@pytest.mark.parametrize(
    ("query", "where", "message"),
    [
        ("", "projection", "must be given, or source or target, got none; name what to read"),
        (
            "?projection=exc->inh&source=exc",
            "source",
            "must not be given beside projection, got 'exc'; leave one out",
        ),
        (
            "?source=L23",
            "source",
            "must be a population or source of the network (exc, inh), got 'L23'; see the network",
        ),
        (
            "?source=exc&sources=5:2",
            "sources",
            "must have start <= stop and step >= 1, got 5:2; turn them round, or raise the step",
        ),
        (
            "?target=inh&targets=0:2:0",
            "targets",
            "must have start <= stop and step >= 1, got 0:2:0; turn them round, or raise the step",
        ),
        (
            "?source=exc&sources=0:9",
            "sources",
            "must stop at 8, the size of 'exc', or before, got 0:9:1; lower it",
        ),
        (
            "?source=exc&cursor=abc",
            "cursor",
            "must be the `next` of an answer, got 'abc'; start without a cursor",
        ),
    ],
)
def test_what_is_refused(call, path, query, where, message):
    answer = call("GET", path + query)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    assert answer.json()["detail"] == f"{where}: {message}"
    assert answer.json()["errors"] == [{"path": where, "message": message}]


def test_ranges_have_a_form(call, path):
    answer = call("GET", f"{path}?source=exc&sources=all")
    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "sources: must be start:stop or start:stop:step in whole numbers, got 'all'; write it so"
    )


def test_only_what_is_built_can_be_read(call, fleet, path):
    deployment_id = path.split("/")[3]
    fleet.build(deployment_id, "building")
    answer = call("GET", f"{path}?source=exc")
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
    assert answer.json()["detail"] == (
        f"deployment {deployment_id}: read synapses needs the state ready, got building; allowed now: release"
    )
    fleet.build(deployment_id, "ready")
    assert call("DELETE", f"/v1/deployments/{deployment_id}").status_code == 204
    answer = call("GET", f"{path}?source=exc")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/refused-transition")
    assert answer.json()["detail"] == (
        f"deployment {deployment_id}: read synapses needs the state ready, got released; allowed now: release"
    )


def test_chips_that_are_gone_are_not_read(call, fleet, path):
    deployment_id = path.split("/")[3]
    fleet.lose(deployment_id, "the coordinator died")
    answer = call("GET", f"{path}?source=exc")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/deployment-lost")


def test_another_owners_synapses_are_not_found(call, stranger, path):
    answer = stranger("GET", f"{path}?source=exc")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
