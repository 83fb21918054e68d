from __future__ import annotations

import errno
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from starlette.testclient import TestClient

from api import create_app
from api.records import Records
from api.schema import MIGRATIONS
from api.storage import Storage
from cluster.arrays import agreement
from tests.api.conftest import LIMITS, NETWORK, Caller, settings_in
from tests.api.scripted import ScriptedFleet
from tests.api.served import served_in
from tests.api.uploads import MSGPACK, NPZ, SPIKES, SYNAPSES, npz, packed


def upload(call, columns=SYNAPSES, kind="synapses"):
    answer = call("POST", f"/v1/arrays?kind={kind}", content=npz(columns), headers=NPZ)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def contents(call):
    return sorted(path.name for path in (call.fleet.data / "arrays").glob("[!.]*"))


def leftovers(call):
    return list((call.fleet.data / "arrays").glob(".*"))


def listed(connectivity, **changes):
    ends = {"source": "exc", "target": "inh", "receptor": "excitatory"}
    return NETWORK | {"projections": [ends | {"connectivity": connectivity}]} | changes


def refused(answer, status, slug):
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text
    return answer.json()["detail"]


@pytest.fixture
def tight(tmp_path):
    """A caller of a gateway with little room for arrays."""
    limits = {"upload_bytes": 600, "upload_entries": 8, "arrays": 2, "array_bytes": 200, "uploads": 1}
    settings = settings_in(tmp_path, limits=LIMITS.model_copy(update=limits))
    fleet = ScriptedFleet(settings.data)
    with TestClient(create_app(settings, fleet)) as http:
        assert settings.key_file is not None
        yield Caller(http, fleet, settings.key_file.read_text().strip())
    fleet.close()


def test_synapses_are_answered_with_what_a_projection_takes(call):
    answer = call("POST", "/v1/arrays?kind=synapses", content=packed(SYNAPSES), headers=MSGPACK)
    record = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/arrays/{record['id']}"
    assert (record["kind"], record["n"], record["n_bytes"], record["source"]) == ("synapses", 4, 96, None)
    assert record["columns"] == list(SYNAPSES)
    assert record["connectivity"] == {
        "rule": "uploaded",
        "sha256": record["id"],
        "n": 4,
        "source_stop": 8,
        "target_stop": 2,
        "weights": [-2.5, 10.0],
        "weight_granule": -1,
        "delays_ms": [0.1, 1.5],
    }
    assert call("GET", answer.headers["Location"]).json() == record
    assert call("POST", "/v1/networks", json=listed(record["connectivity"])).status_code == 201


def test_spikes_are_answered_with_what_a_source_takes(call):
    record = upload(call, SPIKES, "spikes")
    assert (record["kind"], record["connectivity"]) == ("spikes", None)
    assert record["source"] == {
        "kind": "uploaded_spikes",
        "sha256": record["id"],
        "n": 4,
        "neuron_stop": 3,
    }
    network = NETWORK | {"sources": [record["source"] | {"name": "s", "size": 3}]}
    assert call("POST", "/v1/networks", json=network).status_code == 201


def test_the_same_again_is_no_second(call):
    first = call("POST", "/v1/arrays?kind=synapses", content=npz(SYNAPSES), headers=NPZ)
    again = call("POST", "/v1/arrays?kind=synapses", content=npz(SYNAPSES), headers=NPZ)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert contents(call) == [first.json()["id"]]
    assert leftovers(call) == []


def test_lists_are_newest_first_and_of_one_kind(call):
    ids = [upload(call)["id"], upload(call, SPIKES, "spikes")["id"]]
    ids.append(upload(call, {name: SYNAPSES[name] for name in ("sources", "targets")})["id"])
    first = call("GET", "/v1/arrays?limit=2").json()
    rest = call("GET", f"/v1/arrays?limit=2&cursor={first['next']}").json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert [item["id"] for item in call("GET", "/v1/arrays?kind=spikes").json()["items"]] == [ids[1]]


def test_owners_share_a_content_and_nothing_else(call, stranger):
    record = upload(call)
    path, network = f"/v1/arrays/{record['id']}", listed(record["connectivity"])
    assert refused(stranger("GET", path), 404, "not-found") == (
        f"arrays: must be the id of one of your arrays, got '{record['id']}'; list them at /v1/arrays"
    )
    refused(stranger("DELETE", path), 404, "not-found")
    for method, where, body in (
        ("POST", "/v1/networks", network),
        ("POST", "/v1/fits", {"network": network, "chips": 1}),
    ):
        assert refused(stranger(method, where, json=body), 422, "invalid-network") == (
            f"projections[0].connectivity.sha256 must name uploaded synapses, got '{record['id']}'; "
            "upload them first"
        )
    assert upload(stranger) | {"created": record["created"]} == record
    assert contents(call) == [record["id"]]
    assert call("DELETE", path).status_code == 204
    assert stranger("POST", "/v1/networks", json=network).status_code == 201
    refused(call("POST", "/v1/networks", json=network), 422, "invalid-network")


def test_a_key_that_may_only_read(call):
    reader = call.key("read")
    answer = reader("POST", "/v1/arrays?kind=synapses", content=npz(SYNAPSES), headers=NPZ)
    refused(answer, 403, "forbidden")
    assert reader("GET", "/v1/arrays").json() == {"items": [], "next": None}


def test_arrays_stay_as_long_as_a_network_names_them(call):
    record = upload(call)
    path = f"/v1/arrays/{record['id']}"
    network_id = call("POST", "/v1/networks", json=listed(record["connectivity"])).json()["id"]
    answer = call("DELETE", path)
    assert refused(answer, 409, "arrays-in-use") == (
        f"arrays {record['id']}: must be named by no network, are by {network_id}; delete those"
    )
    assert answer.json()["networks"] == [network_id]
    assert call("DELETE", f"/v1/networks/{network_id}").status_code == 204
    assert call("DELETE", path).status_code == 204
    assert contents(call) == leftovers(call) == []
    refused(call("GET", path), 404, "not-found")


@pytest.mark.parametrize("resource", ["networks", "fits"])
def test_a_network_that_says_something_else_of_its_arrays(call, resource):
    said = upload(call)["connectivity"] | {"n": 5}
    body = listed(said) if resource == "networks" else {"network": listed(said), "chips": 1}
    answer = call("POST", f"/v1/{resource}", json=body)
    told = "must be what the upload answered, 4, got 5; put its answer in as it is"
    assert refused(answer, 422, "invalid-network") == f"projections[0].connectivity.n {told}"
    assert answer.json()["errors"] == [{"path": "projections[0].connectivity.n", "message": told}]


def test_a_delay_between_the_bounds_that_is_off_the_grid(call):
    delays = np.array([0.1, 0.25, 0.5, 0.3])
    said = upload(call, SYNAPSES | {"delays_ms": delays})["connectivity"]
    assert refused(call("POST", "/v1/networks", json=listed(said)), 422, "invalid-network") == (
        "projections[0].connectivity.delays_ms[1] must be a multiple of timestep_ms, 0.1, got 0.25; "
        "the nearest are 0.2 and 0.3"
    )
    assert call("GET", "/v1/networks").json()["items"] == []


def test_arrays_that_have_gone_are_missed_before_a_deployment(call):
    record = upload(call)
    network_id = call("POST", "/v1/networks", json=listed(record["connectivity"])).json()["id"]
    (call.fleet.data / "arrays" / record["id"] / "facts.json").unlink()
    for where in ("/v1/deployments", "/v1/fits"):
        answer = call("POST", where, json={"network_id": network_id, "system": "rack-2x2"})
        assert refused(answer, 422, "invalid-network") == (
            f"projections[0].connectivity.sha256 must name uploaded synapses, got '{record['id']}'; "
            "upload them first"
        )
    assert call.fleet.networks == {}
    assert upload(call)["id"] == record["id"]
    assert call("POST", "/v1/deployments", json={"network_id": network_id}).status_code == 202


def test_arrays_deleted_while_a_network_is_checked(call, monkeypatch):
    record, checked = upload(call), []

    def require_arrays(*arguments, **options):
        checked.append(arguments)
        agreement.require_arrays(*arguments, **options)
        assert call("DELETE", f"/v1/arrays/{record['id']}").status_code == 204

    monkeypatch.setattr("api.networks.require_arrays", require_arrays)
    answer = call("POST", "/v1/networks", json=listed(record["connectivity"]))
    assert refused(answer, 422, "invalid-network") == (
        f"projections[0].connectivity.sha256 must name uploaded synapses, got '{record['id']}'; "
        "upload them first"
    )
    assert len(checked) == 2
    assert call("GET", "/v1/networks").json()["items"] == []


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (
            {"Content-Type": "application/json"},
            "Content-Type: must be one of application/x-npz, application/zip, application/msgpack, "
            "got 'application/json'; send an npz file or a stream of msgpack maps",
        ),
        (
            {"Content-Type": ""},
            "Content-Type: must be one of application/x-npz, application/zip, application/msgpack, "
            "got ''; send an npz file or a stream of msgpack maps",
        ),
        (
            NPZ | {"Content-Encoding": "gzip"},
            "Content-Encoding: must be identity, got 'gzip'; deflate inside an npz",
        ),
    ],
)
def test_other_types_of_body(call, headers, told):
    answer = call("POST", "/v1/arrays?kind=synapses", content=npz(SYNAPSES), headers=headers)
    assert refused(answer, 415, "unsupported-media-type") == told


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "kind: must be given, got nothing; add it"),
        (
            "?kind=pictures",
            "kind: must be 'synapses' or 'spikes', got 'pictures'; change it, see /openapi.json",
        ),
        ("?kind=spikes&n=3", "n: must be a parameter of this resource, got 'n'; rename or remove it"),
    ],
)
def test_other_queries(call, query, told):
    answer = call("POST", f"/v1/arrays{query}", content=npz(SYNAPSES), headers=NPZ)
    assert refused(answer, 422, "invalid-request") == told


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(tight, chunked):
    def chunks():
        for _ in range(7):
            yield bytes(100)

    content = chunks() if chunked else bytes(601)
    answer = tight("POST", "/v1/arrays?kind=synapses", content=content, headers=NPZ)
    assert refused(answer, 413, "payload-too-large") == (
        "the body is larger than this resource takes; split the list over several projections or sources"
    )
    assert leftovers(tight) == []


def test_a_body_may_be_larger_than_other_bodies(call):
    n = np.zeros(60_000, np.uint32)
    assert upload(call, {"sources": n, "targets": n})["n_bytes"] == 480_000


def small(n, weight=1.0):
    columns = {"sources": np.zeros(n, np.uint32), "targets": np.zeros(n, np.uint32)}
    return packed(columns | {"weights": np.full(n, weight)}, step=n)


def test_too_many_entries_and_too_many_bytes(tight):
    for n, name, limit, estimate in ((9, "entries", 8, 9), (8, "bytes", 100, 128)):
        tight.http.app.state.gateway.settings.limits.upload_bytes = 100
        answer = tight("POST", "/v1/arrays?kind=synapses", content=small(n), headers=MSGPACK)
        assert refused(answer, 422, "over-limit") == (
            f"upload: upload_{name} must be at most {limit}, the estimate is {estimate}; make it smaller, "
            f"or ask the operator to raise SPIKERACK_LIMITS__UPLOAD_{name.upper()}"
        )


def test_an_owner_holds_so_many_arrays_and_bytes(tight):
    def post(n, weight):
        return tight("POST", "/v1/arrays?kind=synapses", content=small(n, weight), headers=MSGPACK)

    first = post(6, 1.0)
    assert first.status_code == 201
    answer = post(7, 2.0)
    assert refused(answer, 429, "quota-exceeded") == (
        "stored arrays: one owner may hold 200 bytes, and would hold 208; delete some"
    )
    assert post(6, 3.0).status_code == 201
    answer = post(1, 4.0)
    assert refused(answer, 429, "quota-exceeded") == (
        "stored arrays: one owner may hold 2, and holds 2; delete some"
    )
    assert post(6, 1.0).status_code == 200  # It is there already.
    assert len(contents(tight)) == 2
    assert tight("DELETE", first.headers["Location"]).status_code == 204
    assert post(1, 4.0).status_code == 201
    assert leftovers(tight) == []


def test_a_disk_that_is_nearly_full(call, monkeypatch):
    gateway = call.http.app.state.gateway
    monkeypatch.setattr(gateway.settings.limits, "free_disk_bytes", 2**60)
    answer = call("POST", "/v1/arrays?kind=synapses", content=npz(SYNAPSES), headers=NPZ)
    told = refused(answer, 503, "no-capacity")
    assert told.startswith(f"upload: {2**60} bytes must be free on the disk, ")
    assert told.endswith(" are; delete arrays or runs")


def test_a_disk_that_fills_up_meanwhile(call, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cluster.arrays.files.ColumnWriter.append", full)
    answer = call("POST", "/v1/arrays?kind=synapses", content=npz(SYNAPSES), headers=NPZ)
    assert refused(answer, 503, "no-capacity") == (
        "upload: the disk must have room for it, and is full; delete arrays or runs"
    )
    assert answer.headers["Retry-After"] == "10"
    assert contents(call) == leftovers(call) == []


def test_a_length_that_is_not_the_bodys(call):
    body = npz(SYNAPSES)
    headers = NPZ | {"Content-Length": str(len(body) + 1)}
    answer = call("POST", "/v1/arrays?kind=synapses", content=body, headers=headers)
    assert refused(answer, 400, "malformed-request") == (
        f"Content-Length: must be the body's length, {len(body)}, got {len(body) + 1}; send the whole body"
    )
    assert contents(call) == leftovers(call) == []


def test_what_a_crash_has_left_is_swept_at_the_start(call, restart):
    record = upload(call)
    left = call.fleet.data / "arrays" / ".draft-left"

    def crash():
        left.mkdir()
        (left / "sources.npy").write_bytes(bytes(1000))

    again = restart(crash)
    assert not left.exists()
    assert again("GET", f"/v1/arrays/{record['id']}").json() == record
    assert contents(again) == [record["id"]]


@pytest.mark.slow
def test_the_same_from_many_at_once(tmp_path):
    limits = LIMITS.model_copy(update={"uploads": 8})
    bodies = [(npz(SYNAPSES), NPZ), (packed(SYNAPSES), MSGPACK)]
    with served_in(tmp_path, limits=limits) as (call, _), ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda k: call(
                    "POST", "/v1/arrays?kind=synapses", content=bodies[k % 2][0], headers=bodies[k % 2][1]
                ),
                range(24),
            )
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses.count(201) == 1
        assert set(statuses) <= {200, 201, 429}
        assert len({answer.json()["id"] for answer in answers if answer.status_code < 300}) == 1
        assert len(contents(call)) == 1
        assert leftovers(call) == []


@pytest.mark.slow
def test_an_upload_that_breaks_off(tmp_path):
    """Nothing of it stays, and it holds no place among the uploads at once."""
    with served_in(tmp_path, limits=LIMITS.model_copy(update={"uploads": 1})) as (call, port):
        body = packed(SYNAPSES)
        head = (
            f"POST /v1/arrays?kind=synapses HTTP/1.1\r\nHost: x\r\nContent-Type: application/msgpack\r\n"
            f"Authorization: {call.headers['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", port)) as broken:
            broken.sendall(head + body[:50])
        while (
            answer := call("POST", "/v1/arrays?kind=synapses", content=body, headers=MSGPACK)
        ).status_code == 429:
            assert answer.json()["detail"] == (
                "uploads at once: one owner may hold 1, and holds 1; wait for one to end"
            )
        assert answer.status_code == 201
        assert leftovers(call) == []


def test_a_data_folder_from_before_there_were_arrays(tmp_path):
    with sqlite3.connect(tmp_path / "gateway.sqlite3") as connection:
        connection.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
    connection.close()
    storage = Storage(tmp_path)
    assert Records(storage).ids("arrays", "own_1") == frozenset()
    assert Records(storage).networks_of_arrays("own_1", "0" * 64) == []
    storage.close()
