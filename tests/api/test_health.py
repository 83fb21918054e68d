from __future__ import annotations


def test_health_asks_for_no_key(http):
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ready"}


def test_not_ready_without_chips(http, fleet):
    fleet.is_ready = False
    answer = http.get("/readyz")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["detail"] == "chips: must be reachable, and are not; look at the Ray head"
    assert http.get("/healthz").status_code == 200


def test_requests_are_counted_by_route_not_by_path(http, call):
    call("GET", "/v1/networks/net_1")
    call("GET", "/v1/networks/net_2")
    http.request("BREW", "/nowhere/at/all")
    answer = http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    line = 'spikerack_requests_total{method="GET",route="/v1/networks/{network_id}",status="404"} 2.0'
    assert line in answer.text
    assert 'spikerack_requests_total{method="other",route="none",status="404"} 1.0' in answer.text
    assert "net_1" not in answer.text
