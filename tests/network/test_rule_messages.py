"""Refusals of rules that do not suit the sizes of their ends, matched whole; and the sizes that just suit."""

from __future__ import annotations

from typing import Any

import pytest

from network import parse_network
from tests.network.samples import REMOVED, joined, message, populated

SHA256 = "0" * 64
CONVOLUTION = {
    "rule": "convolution",
    "source_shape": [2, 4, 5],
    "kernel_shape": [3, 2, 2, 2],
    "kernel": [1] * 24,
}
POOLING = {"rule": "pooling", "source_shape": [2, 4, 6], "window": [2, 3], "stride": [2, 3]}


def uploaded(**fields: Any) -> dict[str, Any]:
    return {"rule": "uploaded", "sha256": SHA256, "n": 3, "source_stop": 2, "target_stop": 3, **fields}


def between(rule: dict[str, Any], n_sources: int, n_targets: int | None) -> dict[str, Any]:
    """Return a network with a projection of the rule; onto the source itself if there is no target's size."""
    target = None if n_targets is None else populated("b", n_targets)
    weight = {"weight": REMOVED} if rule["rule"] == "convolution" else {}
    return joined(rule, populated("a", n_sources), target, **weight)


RULE = "projections[0].connectivity"

# The rule, the sizes of its ends (no second one: the same population), what is said.
REFUSED: list[tuple[dict[str, Any], int, int | None, str]] = [
    (
        {"rule": "fixed_in_degree", "n": 5},
        0,
        1,
        f"{RULE}.n must be 0 from an empty source, got 5; give the source neurons",
    ),
    (
        {"rule": "fixed_out_degree", "n": 5},
        1,
        0,
        f"{RULE}.n must be 0 onto an empty target, got 5; give the target neurons",
    ),
    (
        {"rule": "fixed_in_degree", "n": 6, "allow_multapses": False},
        5,
        4,
        f"{RULE}.n must be at most 5, the sources of a neuron, got 6; lower it or allow multapses",
    ),
    (
        {"rule": "fixed_in_degree", "n": 5, "allow_multapses": False, "allow_autapses": False},
        5,
        None,
        f"{RULE}.n must be at most 4, the sources of a neuron, itself left out, got 5; "
        "lower it or allow multapses",
    ),
    (
        {"rule": "fixed_in_degree", "n": 1, "allow_autapses": False},
        1,
        None,
        f"{RULE}.n must be at most 0, the sources of a neuron, itself left out, got 1; "
        "lower it or allow autapses",
    ),
    (
        {"rule": "fixed_out_degree", "n": 5, "allow_multapses": False},
        5,
        4,
        f"{RULE}.n must be at most 4, the targets of a neuron, got 5; lower it or allow multapses",
    ),
    (
        {"rule": "fixed_out_degree", "n": 5, "allow_multapses": False, "allow_autapses": False},
        5,
        None,
        f"{RULE}.n must be at most 4, the targets of a neuron, itself left out, got 5; "
        "lower it or allow multapses",
    ),
    (
        {"rule": "fixed_total_number", "n": 21, "allow_multapses": False},
        5,
        4,
        f"{RULE}.n must be at most 20, the pairs, got 21; lower it or allow multapses",
    ),
    (
        {"rule": "fixed_total_number", "n": 21, "allow_multapses": False, "allow_autapses": False},
        5,
        None,
        f"{RULE}.n must be at most 20, the pairs, autapses left out, got 21; lower it or allow multapses",
    ),
    (
        {"rule": "fixed_total_number", "n": 1, "allow_autapses": False},
        1,
        None,
        f"{RULE}.n must be at most 0, the pairs, autapses left out, got 1; lower it or allow autapses",
    ),
    (
        {"rule": "small_world", "k": 2, "p_rewire": 0.1},
        5,
        4,
        f"{RULE} must join equal sizes, got 5 and 4; use another rule",
    ),
    (
        {"rule": "small_world", "k": 6, "p_rewire": 0.1},
        6,
        None,
        f"{RULE}.k must be < 6, the population's size, got 6; lower it",
    ),
    (
        {"rule": "small_world", "k": 3, "p_rewire": 0.1},
        5,
        None,
        f"{RULE}.k must be a multiple of 2, got 3; "
        "give the nearest neighbours of each neuron, an even number",
    ),
    (
        CONVOLUTION,
        41,
        36,
        f"{RULE}.source_shape must be that of 41 neurons, the source's size, got 2 x 4 x 5 = 40; "
        "change it or the source's size",
    ),
    (
        CONVOLUTION,
        40,
        35,
        f"{RULE} must make an image of 35 neurons, the target's size, got 3 x 3 x 4 = 36; "
        "change it or the target's size",
    ),
    (
        {**CONVOLUTION, "kernel": [1] * 23},
        40,
        36,
        f"{RULE}.kernel must have 24 entries, got 23; give one for each place",
    ),
    (
        {**CONVOLUTION, "groups": 2},
        40,
        36,
        f"{RULE}.kernel_shape must have 2 channels in over all groups, got 2 in each of 2; "
        "change groups or the shape\n"
        f"{RULE}.groups must be a divisor of the channels out, 3, got 2; change it",
    ),
    (
        {**CONVOLUTION, "dilation": [4, 1]},
        40,
        36,
        f"{RULE}.kernel_shape must leave at least one position of the window, got 0 x 4; "
        "make the kernel smaller or the padding larger",
    ),
    (
        {**CONVOLUTION, "stride": [1]},
        40,
        36,
        f"{RULE}.stride[1] must be given, got nothing; give the step of the window in rows and columns",
    ),
    (
        {**CONVOLUTION, "stride": [1, 1, 1]},
        40,
        36,
        f"{RULE}.stride must have at most 2 entries, got [1, 1, 1]; "
        "give the step of the window in rows and columns",
    ),
    (
        POOLING,
        47,
        8,
        f"{RULE}.source_shape must be that of 47 neurons, the source's size, got 2 x 4 x 6 = 48; "
        "change it or the source's size",
    ),
    (
        POOLING,
        48,
        9,
        f"{RULE} must make an image of 9 neurons, the target's size, got 2 x 2 x 2 = 8; "
        "change it or the target's size",
    ),
    (
        {**POOLING, "window": [5, 3]},
        48,
        8,
        f"{RULE}.window must leave at least one position of the window, got 0 x 2; "
        "make the window smaller or the padding larger",
    ),
    (
        {**CONVOLUTION, "dilation": [3, 1], "padding": [4, 2]},
        40,
        36,
        f"{RULE}.padding[0] must be < 4, the rows that the kernel spans, got 4; lower it\n"
        f"{RULE}.padding[1] must be < 2, the columns that the kernel spans, got 2; lower it",
    ),
    (
        {**POOLING, "padding": [1, 3]},
        48,
        8,
        f"{RULE}.padding[1] must be < 3, the columns that the window spans, got 3; lower it",
    ),
    (
        {**POOLING, "window": [2**20 + 1, 3]},
        48,
        8,
        f"{RULE}.window[0] must be <= 1048576, got 1048577; give the rows and columns of the window",
    ),
    (
        uploaded(),
        1,
        3,
        f"{RULE}.source_stop must be at most 1, the population's size, got 2; neurons are counted from 0",
    ),
    (
        uploaded(),
        2,
        2,
        f"{RULE}.target_stop must be at most 2, the population's size, got 3; neurons are counted from 0",
    ),
    (
        uploaded(sha256="0" * 63 + "A"),
        2,
        3,
        f"{RULE}.sha256 must be 64 hexadecimal digits in lower case, "
        f"got '{'0' * 27}...{'0' * 27}A'; give the SHA-256 of the arrays, 64 hexadecimal digits",
    ),
    (
        {"rule": "all_to_all", "allow_autapses": 1},
        2,
        3,
        f"{RULE}.allow_autapses must be true or false, got 1; "
        "give whether a neuron may meet itself: true or false",
    ),
    (
        {"rule": "fixed_probability", "p": 1.5},
        2,
        3,
        f"{RULE}.p must be <= 1, got 1.5; give the probability of each pair, 0 to 1",
    ),
]


@pytest.mark.parametrize(("rule", "n_sources", "n_targets", "expected"), REFUSED, ids=range(len(REFUSED)))
def test_message(rule: dict[str, Any], n_sources: int, n_targets: int | None, expected: str) -> None:
    assert message(between(rule, n_sources, n_targets)) == expected


# The rule, its sizes, how many synapses there are.
TAKEN: list[tuple[dict[str, Any], int, int | None, int]] = [
    ({"rule": "fixed_in_degree", "n": 5, "allow_multapses": False}, 5, 4, 20),
    ({"rule": "fixed_in_degree", "n": 4, "allow_multapses": False, "allow_autapses": False}, 5, None, 20),
    ({"rule": "fixed_in_degree", "n": 5, "allow_autapses": False}, 1, 3, 15),
    ({"rule": "fixed_in_degree", "n": 7}, 0, 0, 0),
    ({"rule": "fixed_in_degree", "n": 7, "allow_multapses": False}, 3, 0, 0),
    ({"rule": "fixed_in_degree", "n": 7}, 1, 1, 7),
    ({"rule": "fixed_out_degree", "n": 4, "allow_multapses": False}, 5, 4, 20),
    ({"rule": "fixed_out_degree", "n": 7}, 0, 3, 0),
    ({"rule": "fixed_out_degree", "n": 7}, 1, 1, 7),
    ({"rule": "fixed_total_number", "n": 20, "allow_multapses": False}, 5, 4, 20),
    (
        {"rule": "fixed_total_number", "n": 20, "allow_multapses": False, "allow_autapses": False},
        5,
        None,
        20,
    ),
    ({"rule": "fixed_total_number", "n": 0, "allow_multapses": False}, 0, 0, 0),
    ({"rule": "fixed_total_number", "n": 0, "allow_autapses": False}, 1, None, 0),
    ({"rule": "fixed_probability", "p": 1}, 0, 3, 0),
    ({"rule": "fixed_probability", "p": 0.5}, 1, 1, 0),
    ({"rule": "small_world", "k": 4, "p_rewire": 1}, 5, None, 20),
    ({"rule": "small_world", "k": 0, "p_rewire": 1}, 1, None, 0),
    ({"rule": "small_world", "k": 4, "p_rewire": 1}, 0, None, 0),
    ({"rule": "one_to_one"}, 0, 0, 0),
    ({"rule": "all_to_all"}, 1, None, 1),
    (CONVOLUTION, 40, 36, 3 * 2 * (2 * 3) * (2 * 4)),
    ({**CONVOLUTION, "dilation": [3, 1], "padding": [3, 1]}, 40, 3 * 7 * 6, 3 * 2 * (2 * 4) * (2 * 5)),
    (POOLING, 48, 8, 8 * 6),
    ({"rule": "pooling", "source_shape": [1, 1, 1], "window": [2**20] * 2, "padding": [2**19] * 2}, 1, 4, 4),
    (
        {"rule": "pooling", "source_shape": [1, 1, 3], "window": [1, 2**20], "padding": [0, 2**20 - 1]},
        3,
        2**20 + 2,
        3 * 2**20,
    ),
    (uploaded(), 2, 3, 3),
    (uploaded(n=0, source_stop=0, target_stop=0), 0, 0, 0),
]


@pytest.mark.parametrize(("rule", "n_sources", "n_targets", "n_synapses"), TAKEN, ids=range(len(TAKEN)))
def test_sizes_that_just_suit(
    rule: dict[str, Any], n_sources: int, n_targets: int | None, n_synapses: int
) -> None:
    assert parse_network(between(rule, n_sources, n_targets)).n_synapses == n_synapses


@pytest.mark.parametrize("padding", [(0, 0), (1, 0), (2, 1)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3), (5, 1)])
def test_windows_are_counted_where_they_lie_within_the_image(
    stride: tuple[int, int], dilation: tuple[int, int], padding: tuple[int, int]
) -> None:
    """Against every place of every window, one by one."""
    shape, kernel = (2, 7, 11), (4, 1, 3, 2)
    size = [shape[1 + k] + 2 * padding[k] - dilation[k] * (kernel[2 + k] - 1) - 1 for k in (0, 1)]
    places = [size[k] // stride[k] + 1 for k in (0, 1)]
    inside = [
        sum(
            0 <= y * stride[k] - padding[k] + i * dilation[k] < shape[1 + k]
            for y in range(places[k])
            for i in range(kernel[2 + k])
        )
        for k in (0, 1)
    ]
    rule = {
        "rule": "convolution",
        "source_shape": shape,
        "kernel_shape": kernel,
        "kernel": [1] * 24,
        "groups": 2,
        "stride": stride,
        "dilation": dilation,
        "padding": padding,
    }
    network = parse_network(between(rule, 2 * 7 * 11, 4 * places[0] * places[1]))
    assert network.n_synapses == 4 * 1 * inside[0] * inside[1]
