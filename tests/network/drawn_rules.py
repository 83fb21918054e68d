"""Random connectivity rules that suit the sizes of their ends, as JSON's own types."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st

from tests.network.drawn_values import OF_DISTANCE, number, of_distance

SIMPLE = (
    "all_to_all",
    "fixed_in_degree",
    "fixed_out_degree",
    "fixed_total_number",
    "fixed_probability",
    "explicit",
)


def connected(rule: dict[str, Any], n_sources: int, n_targets: int, *, recurrent: bool) -> int | None:
    """Return how many values an array must have with that rule; None where there is no array."""
    if rule["rule"] == "one_to_one":
        return n_targets
    if rule["rule"] == "all_to_all" and (rule["allow_autapses"] or not recurrent):
        return n_sources * n_targets if n_sources * n_targets <= 200 else None
    return None


@st.composite
def rule_between(
    draw: st.DrawFn, h: float, n_sources: int, n_targets: int, *, recurrent: bool, spatial: bool
) -> dict[str, Any]:
    """Draw a rule between two populations."""
    equal = ["one_to_one", "small_world", "small_world"] if n_sources == n_targets else []
    name = draw(st.sampled_from([*SIMPLE, *equal, *(["distance_dependent"] * 2 if spatial else [])]))
    autapses, multapses = draw(st.booleans()), draw(st.booleans())
    own = int(recurrent and not autapses)
    both = {"rule": name, "allow_autapses": autapses, "allow_multapses": multapses}
    paired = {"rule": name, "allow_autapses": autapses}
    match name:
        case "fixed_in_degree":
            n = draw(draws(n_sources - own, n_drawing=n_targets, multapses=multapses))
            return {**both, "n": n}
        case "fixed_out_degree":
            n = draw(draws(n_targets - own, n_drawing=n_sources, multapses=multapses))
            return {**both, "n": n}
        case "fixed_total_number":
            pairs = n_sources * n_targets - own * n_sources
            return {**both, "n": draw(draws(pairs, n_drawing=1, multapses=multapses))}
        case "fixed_probability":
            return {**paired, "p": draw(number(0, 1))}
        case "all_to_all":
            return paired
        case "distance_dependent":
            return paired | draw(kernels())
        case "small_world":
            k = 2 * draw(st.integers(0, min(max(n_targets - 1, 0) // 2, 6)))
            return {"rule": name, "k": k, "p_rewire": draw(st.sampled_from([0, 0.3, 1]))}
        case "explicit":
            return draw(explicit(h, n_sources, n_targets))
        case _:
            return {"rule": name}


def draws(candidates: int, *, n_drawing: int, multapses: bool) -> st.SearchStrategy[int]:
    """Draw how many of the candidates each drawing neuron may draw."""
    if not n_drawing:
        return st.integers(0, 50)
    return st.integers(0, min(max(candidates, 0), 60) if not multapses or candidates < 1 else 20)


@st.composite
def kernels(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a distance-dependent rule has beside its name."""
    kind = draw(st.sampled_from(OF_DISTANCE))
    p = draw(of_distance(0, 2, kind, slope=draw(number(-0.1, 0.1))))
    # At most half of the least extent of a torus, and extents are 1 um or more.
    return {"p": p} | draw(st.just({}) | st.fixed_dictionaries({"radius_um": number(0.01, 0.5)}))


@st.composite
def explicit(draw: st.DrawFn, h: float, n_sources: int, n_targets: int) -> dict[str, Any]:
    """Draw a list of synapses."""
    n = draw(st.integers(0, 20)) if n_sources and n_targets else 0

    def listed(entries: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(entries, min_size=n, max_size=n))

    rule = {
        "rule": "explicit",
        "sources": listed(st.integers(0, max(n_sources - 1, 0))),
        "targets": listed(st.integers(0, max(n_targets - 1, 0))),
    }
    if draw(st.booleans()):
        rule["weights"] = listed(number(-80, 80))
    if draw(st.booleans()):
        rule["delays_ms"] = [k * h for k in listed(st.integers(1, 2000))]
    return rule


@st.composite
def images(draw: st.DrawFn) -> tuple[dict[str, Any], int, int]:
    """Draw a convolution or pooling, with the sizes of its two ends."""
    small, window = st.integers(1, 5), [draw(st.integers(1, 3)) for _ in range(2)]
    stride = [draw(st.integers(1, 3)) for _ in range(2)]
    pooled = draw(st.booleans())
    dilation = [1, 1] if pooled else [draw(st.integers(1, 2)) for _ in range(2)]
    reach = [dilation[k] * (window[k] - 1) + 1 for k in range(2)]
    padding = [draw(st.integers(0, min(reach[k] - 1, 2))) for k in range(2)]
    image = [max(draw(small), reach[k] - 2 * padding[k]) for k in range(2)]
    places = [(image[k] + 2 * padding[k] - reach[k]) // stride[k] + 1 for k in range(2)]
    common = {"stride": stride, "padding": padding}
    if pooled:
        shape = [draw(st.integers(1, 3)), *image]
        return (
            {"rule": "pooling", "source_shape": shape, "window": window, **common},
            prod(shape),
            shape[0] * prod(places),
        )
    groups, each, out = (draw(st.integers(1, 2)) for _ in range(3))
    shape, kernel_shape = [groups * each, *image], [groups * out, each, *window]
    kernel = draw(st.lists(number(-10, 10), min_size=prod(kernel_shape), max_size=prod(kernel_shape)))
    rule = {"rule": "convolution", "source_shape": shape, "kernel_shape": kernel_shape, "kernel": kernel}
    return (
        {**rule, **common, "dilation": dilation, "groups": groups},
        prod(shape),
        groups * out * prod(places),
    )
