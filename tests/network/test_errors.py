"""How problems become one error, and what is refused as a whole."""

from __future__ import annotations

import pickle
from typing import Any

import pydantic_core
import pytest

from network import NetworkError, PoissonInput, parse, parse_network
from network.errors import join_path, join_step, names, show
from tests.network.samples import REMOVED, broken, demo, message

EXPLICIT = ("projections", 1, "connectivity")


def test_the_whole_is_no_object() -> None:
    assert message([1]) == "network must be an object, got [1]; give the description as an object"
    assert message(b"3") == "network must be an object, got 3; give the description as an object"


@pytest.mark.parametrize("text", [b"{", "[" * 1000, b'"\xff"', ""], ids=["cut", "deep", "bytes", "empty"])
def test_no_json(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="at line 1 column") as caught:
        pydantic_core.from_json(text)
    expected = f"network must be JSON, got text that is not: {caught.value}; check it with a JSON tool"
    assert message(text) == expected


def test_json_cannot_smuggle_in_what_is_not_finite() -> None:
    text = parse_network(demo()).model_dump_json().replace("87.81,", "NaN,", 1)
    assert message(text) == (
        "populations[0].inputs[0].weight must be finite, got nan; "
        "give the weight of each spike, in the receptor's unit"
    )


def test_too_many_neurons() -> None:
    populations = [{"name": str(n), "size": 2**31, "model": "lif_curr_exp"} for n in range(2)]
    data = demo(populations=populations, sources=[], projections=[], recordings=[])
    assert message(data) == (
        "populations must have at most 4294967295 neurons, sources included, got 4294967296; "
        "make them smaller"
    )


def test_nothing_to_draw_from() -> None:
    def data(rule: str, source: int, target: int) -> dict[str, Any]:
        sizes = {"a": source, "b": target}
        projection = {"source": "a", "target": "b", "weight": 1, "delay_ms": 1}
        return demo(
            populations=[{"name": n, "size": size, "model": "x"} for n, size in sizes.items()],
            sources=[],
            projections=[{**projection, "connectivity": {"rule": rule, "n": 5}}],
            recordings=[],
        )

    assert message(data("fixed_in_degree", 0, 1)) == (
        "projections[0].connectivity.n must be 0 from an empty source, got 5; give the source neurons"
    )
    between = "projections[0].connectivity.n must be 0 between empty populations, got 5; give them neurons"
    assert message(data("fixed_total_number", 0, 1)) == between
    assert message(data("fixed_total_number", 1, 0)) == between


def test_a_network_without_populations_names_none() -> None:
    projection = {
        "source": "a",
        "target": "a",
        "connectivity": {"rule": "all_to_all"},
        "weight": 1,
        "delay_ms": 1,
    }
    data = demo(populations=[], sources=[], projections=[projection], recordings=[])
    assert message(data) == (
        "projections[0].source must name a population or source, got 'a'; the network has none\n"
        "projections[0].target must name a population, got 'a'; the network has none"
    )


def test_repeated_default_names_ask_for_a_name() -> None:
    data = broken(("projections", 0, "name"), REMOVED)
    data["projections"].append(dict(data["projections"][0]))
    assert message(data) == (
        "projections[5].name must be unique, got 'exc->inh' like projections[0]; give another name"
    )


def test_several_problems_are_told_together() -> None:
    data = broken(("populations", 0, "size"), -3)
    data["projections"][0]["connectivity"]["n"] = "many"
    del data["seed"]
    assert message(data) == (
        "seed must be given, got nothing; give the seed of all random numbers\n"
        "populations[0].size must be >= 0, got -3; give the number of neurons\n"
        "projections[0].connectivity.n must be a whole number, got 'many'; give the synapses onto each neuron"
    )


def test_no_more_than_twenty_problems_are_told() -> None:
    populations = [{"name": str(n), "size": -1, "model": "x"} for n in range(50)]
    with pytest.raises(NetworkError) as caught:
        parse_network(demo(populations=populations))
    assert len(caught.value.errors) == 20
    assert caught.value.n_more == 30
    assert str(caught.value).splitlines()[-1] == "and 30 more"


def test_no_more_than_twenty_problems_between_parts_are_told() -> None:
    data = demo()
    data["recordings"] = [{**data["recordings"][0], "population": "nobody"} for _ in range(50)]
    lines = message(data).splitlines()
    assert (len(lines), lines[-1]) == (21, "and 30 more")


def test_only_the_first_wrong_entry_of_a_long_list_is_told() -> None:
    data = broken((*EXPLICIT, "weights"), ["a"] * 1000)
    assert message(data) == (
        "projections[1].connectivity.weights[0] must be a number, got 'a'; "
        "give the weight of each synapse, or null if the projection gives it"
    )


def test_a_part_is_refused_with_the_path_it_is_given() -> None:
    with pytest.raises(NetworkError) as caught:
        parse(PoissonInput, {"rate_hz": -1, "weight": 1}, path="populations[3].inputs[0]")
    assert caught.value.errors == (
        ("populations[3].inputs[0].rate_hz", "must be >= 0, got -1; raise its lowest value"),
    )


def test_pickles() -> None:
    error = NetworkError([("a", "must be b, got c; give b")], n_more=3)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is NetworkError
    assert (again.errors, again.n_more, str(again)) == (error.errors, 3, str(error))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3.0, "3"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
        ("a" * 100, f"'{'a' * 27}...{'a' * 28}'"),
        ([1, 2, 3, 4, 5], "[1, 2, 3, 4, ...]"),
        (10**40, "an integer of 133 bits"),
        ([10**5000], "[an integer of 16610 bits]"),
    ],
)
def test_values_are_shown_short(value: object, shown: str) -> None:
    assert show(value) == shown


def test_paths() -> None:
    assert join_path("a", "") == "a"
    assert join_path("", "b[3]") == "b[3]"
    assert join_path("a", "b[3]") == "a.b[3]"
    assert join_step("a", 3) == "a[3]"
    assert join_step("a", "odd name") == "a['odd name']"
    assert join_step("", "a") == "a"


def test_long_lists_of_names_are_cut() -> None:
    assert names(str(n) for n in range(14)).endswith("'10', '11' and 2 more")
