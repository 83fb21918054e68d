from __future__ import annotations

import pickle

import pytest

from spikerack.errors import (
    AuthError,
    BusyError,
    ConflictError,
    DeploymentFailedError,
    InvalidRequestError,
    NotFoundError,
    ProblemError,
    RunFailedError,
    ServerError,
    problem_error,
)

PROBLEM = {
    "type": "/problems/invalid-network",
    "title": "Invalid network",
    "detail": "the network has 1 error",
    "errors": [{"path": "populations[2].parameters.tau_m_ms", "message": "must be > 0, got -3"}],
}


def test_the_message_says_what_where_and_why() -> None:
    error = problem_error("POST /v1/networks", 422, PROBLEM)
    assert str(error) == (
        "POST /v1/networks: 422, the network has 1 error\n"
        "  populations[2].parameters.tau_m_ms: must be > 0, got -3"
    )
    assert (error.status, error.type, error.problem) == (422, "/problems/invalid-network", PROBLEM)


def test_nothing_is_said_twice() -> None:
    problem = {"detail": "seed must be given", "errors": [{"path": "seed", "message": "seed must be given"}]}
    assert (
        str(problem_error("POST /v1/networks", 422, problem)) == "POST /v1/networks: 422, seed must be given"
    )


def test_a_problem_without_words_still_says_something() -> None:
    assert str(problem_error("GET /", 500, {})) == "GET /: 500, no explanation given"


@pytest.mark.parametrize(
    ("status", "family", "standard"),
    [
        (400, InvalidRequestError, ValueError),
        (401, AuthError, PermissionError),
        (403, AuthError, PermissionError),
        (404, NotFoundError, LookupError),
        (409, ConflictError, RuntimeError),
        (413, InvalidRequestError, ValueError),
        (422, InvalidRequestError, ValueError),
        (429, BusyError, RuntimeError),
        (500, ServerError, RuntimeError),
        (502, ServerError, RuntimeError),
        (503, BusyError, RuntimeError),
    ],
)
def test_families(status: int, family: type[ProblemError], standard: type[Exception]) -> None:
    error = problem_error("GET /", status, {"title": "No"})
    assert type(error) is family
    assert isinstance(error, standard)
    assert str(error) == f"GET /: {status}, No"


@pytest.mark.parametrize(
    "error",
    [
        problem_error("POST /v1/networks", 422, PROBLEM),
        problem_error("GET /", 401, PROBLEM),
        RunFailedError({"id": "run_1", "tick": 7, "error": "chip (board 0, chip 1) died"}),
        DeploymentFailedError({"id": "dep_1", "state": "failed", "error": "no room"}),
    ],
)
def test_errors_pickle(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__


def test_a_failed_run_says_when_and_why() -> None:
    error = RunFailedError({"id": "run_1", "tick": 7, "error": "chip (board 0, chip 1) died"})
    assert str(error) == "run run_1 failed at tick 7: chip (board 0, chip 1) died"


def test_a_failed_deployment_says_why() -> None:
    error = DeploymentFailedError({"id": "dep_1", "state": "failed", "error": "no room"})
    assert str(error) == "deployment dep_1 is failed: no room"
