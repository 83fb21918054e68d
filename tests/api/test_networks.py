from __future__ import annotations

import json

import pytest

from network import parse_network
from tests.api.conftest import NETWORK
from tests.cluster.samples import empty_in_space


def test_a_network_goes_in_and_comes_out(call):
    answer = call("POST", "/v1/networks", json=NETWORK)
    record = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/networks/{record['id']}"
    assert (record["name"], record["n_neurons"], record["n_synapses_expected"]) == ("pair", 10, 16)
    assert (record["timestep_ms"], record["seed"]) == (0.1, 7)
    assert call("GET", answer.headers["Location"]).json() == record
    body = call("GET", answer.headers["Location"] + "?include=body").json()["body"]
    assert parse_network(json.dumps(body)) == parse_network(NETWORK)


def test_empty_populations_may_be_joined_by_distance(call):
    answer = call("POST", "/v1/networks", json=empty_in_space())
    assert (answer.status_code, answer.json()["n_synapses_expected"]) == (201, 0)


def test_it_is_not_sent_to_who_has_it(call):
    path = f"/v1/networks/{call.network()}?include=body"
    tag = call("GET", path).headers["ETag"]
    again = call("GET", path, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert call("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_pages_are_newest_first_and_end(call):
    ids = [call.network(name=f"n{k}") for k in range(3)]
    first = call("GET", "/v1/networks?limit=2").json()
    rest = call("GET", f"/v1/networks?limit=2&cursor={first['next']}").json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


def test_one_description_is_stored_once(settings, call, stranger):
    first, second = call.network(), stranger.network()
    blobs = [path for path in (settings.data / "blobs").rglob("*") if path.is_file()]
    assert len(blobs) == 1
    assert call("DELETE", f"/v1/networks/{first}").status_code == 204
    assert stranger("GET", f"/v1/networks/{second}?include=body").status_code == 200
    assert stranger("DELETE", f"/v1/networks/{second}").status_code == 204
    assert not blobs[0].exists()


def test_a_deployed_network_stays(call):
    network_id = call.network()
    deployment_id = call.deployment(network_id)
    refused = call("DELETE", f"/v1/networks/{network_id}")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/network-in-use")
    assert refused.json()["detail"] == (
        f"network {network_id}: must have no live deployment, has {deployment_id}; release them"
    )
    assert call("GET", f"/v1/networks/{network_id}").status_code == 200
    assert call("DELETE", f"/v1/deployments/{deployment_id}").status_code == 204
    assert call("DELETE", f"/v1/networks/{network_id}").status_code == 204
    assert call("GET", f"/v1/deployments/{deployment_id}").json()["network_id"] is None


def test_an_owner_stores_so_many(call, stranger):
    for _ in range(3):
        call.network()
    refused = call("POST", "/v1/networks", json=NETWORK)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert refused.json()["detail"] == "stored networks: one owner may hold 3, and holds 3; delete one"
    assert stranger.network()


def _huge(size: int) -> dict[str, object]:
    return NETWORK | {
        "populations": [{"name": "exc", "size": size, "model": "lif_curr_exp"}],
        "projections": [],
    }


def test_a_network_of_a_thousand_million_neurons(call):
    answer = call("POST", "/v1/networks", json=_huge(10**9))
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/problems/over-limit")
    assert problem["detail"] == (
        "network: neurons must be at most 1000000, the estimate is 1000000000; "
        "make it smaller, or ask the operator to raise SPIKERACK_LIMITS__NEURONS"
    )
    assert (problem["resource"], problem["estimate"], problem["limit"]) == ("neurons", 10**9, 10**6)
    assert call("POST", "/v1/fits", json={"network": _huge(10**9)}).json()["type"] == "/problems/over-limit"


def test_a_network_of_too_many_synapses(call):
    members = [{"name": name, "size": 10_000, "model": "lif_curr_exp"} for name in ("exc", "inh")]
    problem = call("POST", "/v1/networks", json=NETWORK | {"populations": members}).json()
    assert problem["detail"] == (
        "network: synapses must be at most 10000000, the estimate is 100000000; "
        "make it smaller, or ask the operator to raise SPIKERACK_LIMITS__SYNAPSES"
    )


def test_an_unknown_model(call):
    members = [NETWORK["populations"][0] | {"model": "lif_curr_alpha"}, NETWORK["populations"][1]]
    answer = call("POST", "/v1/networks", json=NETWORK | {"populations": members})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-network")
    assert answer.json()["errors"][0]["path"] == "populations[0].model"


@pytest.mark.parametrize("name", ["rack-2x2", "rack-8x8"])
def test_systems(call, name):
    system = call("GET", f"/v1/systems/{name}").json()
    assert system in call("GET", "/v1/systems").json()["items"]
    assert system["n_chips"] == {"rack-2x2": 4, "rack-8x8": 64}[name]


def test_an_unknown_system(call):
    answer = call("GET", "/v1/systems/loihi")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "system: must be one of rack-2x2, rack-8x8, got 'loihi'; list them at /v1/systems",
    )


def test_fits(call):
    network_id = call.network()
    stored = call("POST", "/v1/fits", json={"network_id": network_id, "system": "rack-2x2", "chips": 4})
    given = call("POST", "/v1/fits", json={"network": NETWORK, "system": "rack-2x2", "chips": 4})
    assert stored.status_code == given.status_code == 200
    assert stored.json() == given.json()
    assert (stored.json()["fits"], stored.json()["n_neurons"], stored.json()["n_synapses"]) == (True, 10, 16)


@pytest.mark.parametrize("body", [{}, {"network_id": "net_1", "network": NETWORK}])
def test_fits_need_one_network(call, body):
    answer = call("POST", "/v1/fits", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "body: needs either network_id or network, got both or none; give one of them",
    )


def test_fits_need_a_system_there_is(call):
    answer = call("POST", "/v1/fits", json={"network": NETWORK, "system": "loihi"})
    assert answer.json()["detail"] == (
        "system: must be one of rack-2x2, rack-8x8, got 'loihi'; list them at /v1/systems"
    )
    assert answer.json()["errors"][0]["path"] == "system"


def test_fits_check_their_body(call):
    answer = call("POST", "/v1/fits", json={"network": NETWORK, "chips": 0})
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"path": "chips", "message": "must be >= 1, got 0; raise it"}],
    )
