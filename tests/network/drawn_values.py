"""Random values, delays and waveforms within given bounds, as JSON's own types."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

DISTRIBUTIONS = ("uniform", "normal", "lognormal", "exponential", "gamma")
OF_DISTANCE = ("distance_linear", "distance_exponential", "distance_gaussian")


def number(low: float, high: float) -> st.SearchStrategy[float]:
    """Draw a number of two decimals."""
    return st.integers(round(low * 100), round(high * 100)).map(lambda hundredths: hundredths / 100)


@st.composite
def value(draw: st.DrawFn, low: float, high: float, *, n: int | None = None, spatial: bool = False) -> Any:
    """Draw a value whose draws lie between `low` and `high`; an array only if it has `n` entries."""
    kinds = ["number", *DISTRIBUTIONS, "sum", "product", *(["array"] if n is not None else [])]
    kind = draw(st.sampled_from([*kinds, *(OF_DISTANCE if spatial and low <= 0 <= high else ())]))
    if kind == "number":
        return draw(number(low, high))
    if kind == "array":
        return {"kind": kind, "values": draw(st.lists(number(low, high), min_size=n or 0, max_size=n or 0))}
    if kind in ("sum", "product"):
        terms = st.lists(term(low, high, spatial=spatial), min_size=1, max_size=4)
        return {"kind": kind, "of": draw(terms), "low": low, "high": high}
    if kind in OF_DISTANCE:
        return draw(of_distance(low, high, kind, slope=0.0))
    return draw(distribution(low, high, kind))


@st.composite
def term(draw: st.DrawFn, low: float, high: float, *, spatial: bool) -> Any:
    """Draw a term of a sum or product whose result is clipped."""
    kind = draw(st.sampled_from(["number", *DISTRIBUTIONS, *(OF_DISTANCE if spatial else ())]))
    if kind == "number":
        return draw(number(low, high))
    if kind in OF_DISTANCE:
        return draw(of_distance(low, high, kind, slope=draw(number(-1, 1))))
    return draw(distribution(low, high, kind))


@st.composite
def distribution(draw: st.DrawFn, low: float, high: float, kind: str) -> dict[str, Any]:
    """Draw a distribution whose draws lie between `low` and `high`."""
    if kind == "uniform":
        ends = sorted((draw(number(low, high)), draw(number(low, high))))
        return {"kind": kind, "low": max(ends[0], low), "high": min(ends[1], high)}
    bounded = {"kind": kind, "low": low, "high": high, "bounds": "clip"}
    if kind == "normal":
        bounds = draw(st.sampled_from(["redraw", "clip"]))
        mean = min(max(draw(number(low, high)), low), high)
        sd = (high - low) * draw(st.sampled_from([0.001, 0.1, 0.5]))
        return {**bounded, "mean": mean, "sd": sd, "bounds": bounds}
    if kind == "lognormal":
        return {**bounded, "log_mean": draw(number(-2, 4)), "log_sd": draw(number(0, 2))}
    if kind == "exponential":
        return {**bounded, "mean": draw(number(0.01, 20))}
    return {**bounded, "shape": draw(number(0.01, 20)), "scale": draw(number(0.01, 5))}


@st.composite
def of_distance(draw: st.DrawFn, low: float, high: float, kind: str, *, slope: float) -> dict[str, Any]:
    """Draw a function of distance that starts between `low` and `high`."""
    start = draw(number(low, high))
    if kind == "distance_linear":
        return {"kind": kind, "at_zero": start, "slope_per_um": slope}
    if kind == "distance_exponential":
        return {"kind": kind, "scale": start, "length_um": draw(number(1, 500))}
    return {"kind": kind, "scale": start, "sd_um": draw(number(1, 500)), "mean_um": draw(number(0, 100))}


def delay(h: float, *, n: int | None, spatial: bool) -> st.SearchStrategy[Any]:
    """Draw a dendritic delay of at least a tick: a few, or thousands of ticks."""
    constants = st.integers(1, 40).map(lambda k: k * h) | st.integers(1000, 30_000).map(lambda k: k * h)
    drawn = drawn_delay(h, 20 * h, spatial=spatial) | drawn_delay(h, 3000 * h, spatial=spatial)
    return constants | drawn | (st.nothing() if n is None else listed_delay(h, 1, n))


def axonal_delay(h: float, *, n: int | None, spatial: bool) -> st.SearchStrategy[Any]:
    """Draw an axonal delay, which may be 0."""
    constants = st.integers(0, 20).map(lambda k: k * h)
    listed = st.nothing() if n is None else listed_delay(h, 0, n)
    return constants | drawn_delay(0.0, 20 * h, spatial=spatial) | listed


def drawn_delay(low: float, high: float, *, spatial: bool) -> st.SearchStrategy[Any]:
    """Draw a delay that is no constant: constants stand on the time grid."""
    return value(low, high, spatial=spatial).filter(lambda made: isinstance(made, dict))


def listed_delay(h: float, least: int, n: int) -> st.SearchStrategy[Any]:
    """Draw an array of `n` delays on the time grid."""
    ticks = st.lists(st.integers(least, 300), min_size=n, max_size=n)
    return ticks.map(lambda listed: {"kind": "array", "values": [k * h for k in listed]})


@st.composite
def waveform(draw: st.DrawFn, h: float, low: float, high: float) -> dict[str, Any]:
    """Draw a waveform between `low` and `high`."""
    kind = draw(st.sampled_from(["steps", "ramp", "sine"]))
    if kind == "steps":
        ticks = sorted(draw(st.lists(st.integers(0, 100), max_size=4, unique=True)))
        values = [draw(number(low, high)) for _ in ticks]
        return {"kind": kind, "times_ms": [k * h for k in ticks], "values": values}
    if kind == "ramp":
        start = draw(st.integers(0, 50))
        stop = start + draw(st.integers(1, 50))
        ends = {"first": draw(number(low, high)), "last": draw(number(low, high))}
        return {"kind": kind, "start_ms": start * h, "stop_ms": stop * h, **ends}
    middle, reach = (low + high) / 2, (high - low) / 2
    return {
        "kind": kind,
        "offset": middle,
        "amplitude": reach * draw(st.sampled_from([-1, -0.5, 0, 0.25, 1])),
        "frequency_hz": draw(number(0, 500)),
        "phase_degrees": draw(number(-360, 360)),
    }
