"""Random networks over the whole language: small, valid, and of models and parameters that chips take.

`networks` draws descriptions, as JSON's own types. Sizes are 0 to 40, prime or not. Numbers have few
decimals, so that weights keep a magnitude that a chip can hold. Uploads are left out: their arrays would have
to be somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.network.drawn_rules import connected, images, rule_between
from tests.network.drawn_values import axonal_delay, delay, number, value, waveform

SIZES = (0, 1, 2, 3, 5, 7, 11, 12, 13, 16, 23, 31, 37, 40)

MODELS = {"lif_curr_exp": ("excitatory", "inhibitory"), "lif_curr_delta": ("delta",)}
"""Receptors by model."""

PARAMETERS = {
    "tau_m_ms": (5, 30),
    "t_ref_ms": (0, 5),
    "c_m_pf": (100, 400),
    "v_rest_mv": (-75, -60),
    "v_reset_mv": (-75, -60),
    "v_threshold_mv": (-55, -45),
    "i_offset_pa": (-100, 300),
}
STATES = {"v_mv": (-80, -50)}
CURRENTS = {"i_ex_pa": (0, 100), "i_in_pa": (-100, 0)}
TIME_CONSTANTS = {"tau_syn_ex_ms": (0.5, 10), "tau_syn_in_ms": (0.5, 10)}


@dataclass(frozen=True)
class Space:
    """What all positions of one network have in common."""

    extent_um: tuple[float, ...]
    periodic: bool


@st.composite
def networks(draw: st.DrawFn, max_projections: int = 5) -> dict[str, Any]:
    """Draw a network."""
    h = draw(st.sampled_from([0.1, 0.25, 1.0]))
    space = draw(spaces())
    populations = [draw(population(f"p{k}", h, space)) for k in range(draw(st.integers(1, 3)))]
    sources = [draw(source(f"s{k}", h, space)) for k in range(draw(st.integers(0, 3)))]
    projections = [
        draw(projection(str(k), h, [*populations, *sources], populations))
        for k in range(draw(st.integers(0, max_projections)))
    ]
    if draw(st.booleans()):
        rule, *sizes = draw(images())
        ends = [
            draw(population(name, h, None, size)) for name, size in zip(("in", "out"), sizes, strict=True)
        ]
        populations += ends
        projections.append(draw(described(f"image {rule['rule']}", h, *ends, rule)))
    network = {
        "name": draw(st.text("aß語 _-", min_size=1, max_size=5)),
        "timestep_ms": h,
        "seed": draw(st.integers(0, 2**63 - 1)),
        "populations": populations,
        "sources": sources,
        "projections": projections,
    }
    kept = st.lists(recording(h, populations, sources, projections), max_size=3)
    return {**network, "recordings": draw(kept)}


def spaces() -> st.SearchStrategy[Space]:
    """Draw a space of one to three dimensions."""
    extents = st.lists(st.integers(1, 500), min_size=1, max_size=3)
    return st.builds(Space, extents.map(tuple), st.booleans())


@st.composite
def positions(draw: st.DrawFn, size: int, space: Space) -> dict[str, Any]:
    """Draw positions of `size` neurons: on a grid, or free."""
    common = {"extent_um": list(space.extent_um), "periodic": space.periodic}
    if draw(st.booleans()):
        common["centre_um"] = [draw(number(-50, 50)) for _ in space.extent_um]
    if draw(st.booleans()):
        return {"kind": "grid", "shape": draw(factors(size, len(space.extent_um))), **common}
    coordinates = [draw(value(-extent / 2, extent / 2, n=size)) for extent in space.extent_um]
    return {"kind": "free", "coordinates_um": coordinates, **common}


@st.composite
def factors(draw: st.DrawFn, n: int, n_factors: int) -> list[int]:
    """Draw whole numbers whose product is `n`."""
    if n_factors == 1:
        return [n]
    if n == 0:
        return [0] * n_factors
    first = draw(st.sampled_from([k for k in range(1, n + 1) if n % k == 0]))
    return [first, *draw(factors(n // first, n_factors - 1))]


@st.composite
def population(
    draw: st.DrawFn, name: str, h: float, space: Space | None, size: int | None = None
) -> dict[str, Any]:
    """Draw a population; its positions too, unless `space` is None."""
    n = draw(st.sampled_from(SIZES)) if size is None else size
    model = draw(st.sampled_from(sorted(MODELS)))
    described: dict[str, Any] = {"name": name, "size": n, "model": model}
    if space is not None and draw(st.booleans()):
        described["positions"] = draw(positions(n, space))
    spatial = "positions" in described
    with_currents = model == "lif_curr_exp"
    ranges = {
        "parameters": PARAMETERS | (TIME_CONSTANTS if with_currents else {}),
        "initial": STATES | (CURRENTS if with_currents else {}),
    }
    for table, known in ranges.items():
        chosen = draw(st.lists(st.sampled_from(sorted(known)), max_size=3, unique=True))
        described[table] = {key: draw(value(*known[key], n=n, spatial=spatial)) for key in chosen}
    inputs = input_of(h, n, MODELS[model], spatial=spatial)
    return {**described, "inputs": draw(st.lists(inputs, max_size=2))}


@st.composite
def input_of(
    draw: st.DrawFn, h: float, n: int, receptors: tuple[str, ...], *, spatial: bool
) -> dict[str, Any]:
    """Draw an input."""
    kind = draw(st.sampled_from(["poisson", "dc", "current", "noise"]))
    if kind == "noise":
        sd, every = draw(number(0, 50)), draw(st.integers(1, 20)) * h
        return {"kind": kind, "mean_pa": draw(number(-50, 50)), "sd_pa": sd, "interval_ms": every}
    if kind == "poisson":
        rate, weight = draw(value(0, 2000, n=n, spatial=spatial)), draw(number(-20, 20))
        described = {
            "kind": kind,
            "rate_hz": rate,
            "weight": weight,
            "receptor": draw(st.sampled_from(receptors)),
        }
        return described | draw(modulation(h))
    described = {"kind": kind, "current_pa": draw(value(-200, 400, n=n, spatial=spatial))}
    return described | ({"waveform": draw(waveform(h, -2, 2))} if kind == "current" else {})


def modulation(h: float) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a modulation between 0 and 5, or none."""
    return st.just({}) | st.fixed_dictionaries({"modulation": waveform(h, 0, 5)})


@st.composite
def source(draw: st.DrawFn, name: str, h: float, space: Space) -> dict[str, Any]:
    """Draw a source."""
    n = draw(st.sampled_from(SIZES))
    kind = draw(st.sampled_from(["poisson", "correlated_poisson", "spike_times"]))
    described: dict[str, Any] = {"kind": kind, "name": name, "size": n}
    if draw(st.booleans()):
        described["positions"] = draw(positions(n, space))
    if kind == "spike_times":
        ticks = st.lists(st.integers(1, 100), max_size=4, unique=True)
        return {**described, "times_ms": [[k * h for k in sorted(draw(ticks))] for _ in range(n)]}
    if kind == "correlated_poisson":
        described["correlation"] = draw(st.sampled_from([0.1, 0.5, 1]))
    return {**described, "rate_hz": draw(number(0, 20)), **draw(modulation(h))}


@st.composite
def projection(
    draw: st.DrawFn, name: str, h: float, members: list[dict[str, Any]], targets: list[dict[str, Any]]
) -> dict[str, Any]:
    """Draw a projection between any two."""
    ends = draw(st.sampled_from(members)), draw(st.sampled_from(targets))
    spatial = all("positions" in end for end in ends)
    sizes, recurrent = [end["size"] for end in ends], ends[0] is ends[1]
    rule = draw(rule_between(h, *sizes, recurrent=recurrent, spatial=spatial))
    return draw(described(name, h, *ends, rule))


@st.composite
def described(
    draw: st.DrawFn, name: str, h: float, one: dict[str, Any], other: dict[str, Any], rule: dict[str, Any]
) -> dict[str, Any]:
    """Draw the rest of a projection with that rule."""
    listed = connected(rule, one["size"], other["size"], recurrent=one is other)
    values = {"n": listed, "spatial": "positions" in one and "positions" in other}
    fields: dict[str, Any] = {
        "name": name,
        "source": one["name"],
        "target": other["name"],
        "connectivity": rule,
    }
    if rule["rule"] != "convolution" and "weights" not in rule:
        fields["weight"] = draw(value(*draw(st.sampled_from([(-80, 80), (0, 80), (-80, 0)])), **values))
    if draw(st.booleans()):
        fields["axonal_delay_ms"] = draw(axonal_delay(h, **values))
    if "delays_ms" not in rule:
        beside = fields.get("axonal_delay_ms", 0.0)
        all_axonal = st.just(0.0) if isinstance(beside, float) and beside > 0.0 else st.nothing()
        fields["delay_ms"] = draw(all_axonal | delay(h, **values))
    fields["receptor"] = draw(st.sampled_from(MODELS[other["model"]]))
    memory = st.just({}) | st.fixed_dictionaries({"weight_bits": st.integers(2, 16)})
    codes = st.lists(number(-80, 80), min_size=1, max_size=8, unique=True)
    return fields | draw(memory | st.fixed_dictionaries({"codebook": codes}))


@st.composite
def recording(
    draw: st.DrawFn,
    h: float,
    populations: list[dict[str, Any]],
    sources: list[dict[str, Any]],
    projections: list[dict[str, Any]],
) -> dict[str, Any]:
    """Draw a recording."""
    kind = draw(st.sampled_from(["state", "spikes", *(["weights"] if projections else [])]))
    every = {"interval_ms": draw(st.integers(1, 30)) * h}
    if kind == "weights":
        chosen = draw(st.sampled_from(projections))
        sizes = {member["name"]: member["size"] for member in (*populations, *sources)}
        ends = {
            f"{end}s": draw(neurons(sizes[chosen[end]]))
            for end in ("source", "target")
            if draw(st.booleans())
        }
        return {"kind": kind, "projection": chosen["name"], **ends, **every}
    if kind == "spikes":
        member = draw(st.sampled_from([*populations, *sources]))
        some = {"neurons": draw(neurons(member["size"]))} if draw(st.booleans()) else {}
        return {"kind": kind, "population": member["name"], **some}
    member = draw(st.sampled_from(populations))
    known = ["v_mv", *(CURRENTS if member["model"] == "lif_curr_exp" else ())]
    variables = draw(st.lists(st.sampled_from(known), min_size=1, unique=True))
    chosen_neurons = draw(neurons(member["size"]))
    return {
        "kind": kind,
        "population": member["name"],
        "variables": variables,
        "neurons": chosen_neurons,
        **every,
    }


@st.composite
def neurons(draw: st.DrawFn, size: int) -> dict[str, Any]:
    """Draw a range of neurons."""
    start, stop = sorted((draw(st.integers(0, size)), draw(st.integers(0, size))))
    return {"start": start, "stop": stop, "step": draw(st.integers(1, 3))}
