"""Values: a bare number is a constant, an object with a ``kind`` is drawn, listed, or a function of distance.

A value is drawn once for each neuron or synapse that it describes, by counter-based random numbers, so
it is the same wherever that neuron is placed. The set is closed: there is no user code in a description.
"""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from network.errors import NetworkError, show
from network.mass import gamma_below, normal_below
from network.schema import Description, Number, Numbers

MIN_MASS = 1e-3
"""Least share of a distribution that its redraw bounds may leave: about 1,000 draws a value at most."""

REACH_SD = 9.0
"""Standard deviations that a normal draw can stray: 53 random bits end at 8.57."""

MAX_TERMS = 4
"""Terms of a sum or product."""

LEAST_UM = 1e-6
"""The least length of a space or function of distance: a picometre, so that no ratio overflows."""

MOST = 1e30
"""Largest magnitude of what a function of distance is made of: float32 ends at 3.4e38."""

MOST_SO_FAR = 1e300
"""Largest magnitude of a sum or product after any of its terms: an infinity times 0 is no number."""

Magnitude = Annotated[Number, Field(ge=-MOST, le=MOST)]

Bounds = Literal["redraw", "clip"]


class Uniform(Description):
    """A value drawn uniformly between two bounds."""

    kind: Literal["uniform"] = Field(default="uniform", description="the word uniform")
    low: Number = Field(description="the lower bound")
    high: Number = Field(description="the upper bound")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            rule = f"must be <= high, {show(self.high)}, got {show(self.low)}"
            raise NetworkError([("low", f"{rule}; swap them")])
        if not math.isfinite(self.high - self.low):
            raise NetworkError([("high", f"must be a finite way from low, got {show(self.high)}; lower it")])
        return self


class Truncated(Description):
    """Base of distributions with bounds that redraw or clip what lies beyond them."""

    low: Number | None = Field(default=None, description="the lower bound, or null for none")
    high: Number | None = Field(default=None, description="the upper bound, or null for none")
    bounds: Bounds = Field(
        default="redraw", description="what happens to a draw beyond a bound: redraw or clip"
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            rule = f"must be < high, {show(self.high)}, got {show(self.low)}"
            raise NetworkError([("low", f"{rule}; lower low or raise high")])
        problem = self._spread_problem()
        if problem:
            raise NetworkError([problem])
        if self.bounds == "redraw" and self.mass < MIN_MASS:
            rule = f"must leave at least {MIN_MASS} of the {self._noun} to redraw from, got {self.mass:.3g}"
            raise NetworkError([("bounds", f"{rule}; move low or high towards the mean, or clip")])
        return self

    @property
    def mass(self) -> float:
        """The share of the unbounded distribution that lies between the bounds."""
        above = 1.0 if self.high is None else self._below(self.high, False)
        return max(0.0, above - (0.0 if self.low is None else self._below(self.low, True)))

    @property
    def _noun(self) -> str:
        return str(getattr(self, "kind", "distribution"))

    def _spread_problem(self) -> tuple[str, str] | None:
        """Return the problem if draws could leave the numbers."""
        raise NotImplementedError

    def _below(self, bound: float, strictly: bool) -> float:
        """Return the probability of a draw below `bound`, or at it unless `strictly`."""
        raise NotImplementedError


class Normal(Truncated):
    """A value drawn from a normal distribution."""

    kind: Literal["normal"] = Field(default="normal", description="the word normal")
    mean: Number = Field(description="the mean")
    sd: Annotated[Number, Field(ge=0)] = Field(description="the standard deviation")

    def _spread_problem(self) -> tuple[str, str] | None:
        if math.isfinite(abs(self.mean) + REACH_SD * self.sd):
            return None
        return "sd", f"must leave draws finite, got {show(self.sd)}; lower it"

    def _below(self, bound: float, strictly: bool) -> float:
        return normal_below(bound, self.mean, self.sd, strictly)


class Lognormal(Truncated):
    """A value whose natural logarithm is normal."""

    kind: Literal["lognormal"] = Field(default="lognormal", description="the word lognormal")
    log_mean: Number = Field(description="the mean of the logarithm")
    log_sd: Annotated[Number, Field(ge=0)] = Field(description="the standard deviation of the logarithm")

    def _spread_problem(self) -> tuple[str, str] | None:
        if abs(self.log_mean) + REACH_SD * self.log_sd <= 600.0:
            return None
        rule = f"must keep |log_mean| + {REACH_SD:g} log_sd at most 600"
        return "log_sd", f"{rule}, got {show(self.log_sd)}; lower it"

    def _below(self, bound: float, strictly: bool) -> float:
        if bound <= 0.0:
            return 0.0
        return normal_below(math.log(bound), self.log_mean, self.log_sd, strictly)


class Exponential(Truncated):
    """A value drawn from an exponential distribution, from 0 up."""

    kind: Literal["exponential"] = Field(default="exponential", description="the word exponential")
    mean: Annotated[Number, Field(gt=0)] = Field(description="the mean")

    def _spread_problem(self) -> tuple[str, str] | None:
        if math.isfinite(self.mean * 50.0):
            return None
        return "mean", f"must leave draws finite, got {show(self.mean)}; lower it"

    def _below(self, bound: float, strictly: bool) -> float:
        return -math.expm1(-bound / self.mean) if bound > 0.0 else 0.0


class Gamma(Truncated):
    """A value drawn from a gamma distribution: its mean is shape times scale."""

    kind: Literal["gamma"] = Field(default="gamma", description="the word gamma")
    shape: Annotated[Number, Field(ge=0.01, le=1e6)] = Field(description="the shape, 0.01 to 1e6")
    scale: Annotated[Number, Field(gt=0)] = Field(description="the scale")

    def _spread_problem(self) -> tuple[str, str] | None:
        if math.isfinite((self.shape + 100.0 * (1.0 + math.sqrt(self.shape))) * self.scale):
            return None
        return "scale", f"must leave draws finite, got {show(self.scale)}; lower it"

    def _below(self, bound: float, strictly: bool) -> float:
        return gamma_below(bound / self.scale, self.shape)


class Array(Description):
    """Listed values.

    For neurons, one each. For synapses, one each of a one_to_one projection in order of neurons, or of an
    all_to_all projection with all sources of target 0 first.
    """

    kind: Literal["array"] = Field(default="array", description="the word array")
    values: Numbers = Field(description="the values", repr=False)


class DistanceLinear(Description):
    """``at_zero + slope * distance``.

    The distance is that between a synapse's two neurons; for a value of a neuron, that from the centre of
    its population's positions.
    """

    kind: Literal["distance_linear"] = Field(
        default="distance_linear", description="the word distance_linear"
    )
    at_zero: Magnitude = Field(description="the value at distance 0")
    slope_per_um: Magnitude = Field(description="the change of the value with each um")


class DistanceExponential(Description):
    """``scale * exp(-distance / length)``."""

    kind: Literal["distance_exponential"] = Field(
        default="distance_exponential", description="the word distance_exponential"
    )
    scale: Magnitude = Field(description="the value at distance 0")
    length_um: Annotated[Number, Field(ge=LEAST_UM)] = Field(
        description="the distance of a decay to 1/e in um"
    )


class DistanceGaussian(Description):
    """``scale * exp(-(distance - mean)**2 / (2 sd**2))``."""

    kind: Literal["distance_gaussian"] = Field(
        default="distance_gaussian", description="the word distance_gaussian"
    )
    scale: Magnitude = Field(description="the value at the peak")
    sd_um: Annotated[Number, Field(ge=LEAST_UM)] = Field(description="the standard deviation in um")
    mean_um: Annotated[Number, Field(ge=0)] = Field(default=0.0, description="the distance of the peak in um")


OfDistance = DistanceLinear | DistanceExponential | DistanceGaussian
"""The values that are functions of distance."""


def _variant(value: object) -> str | None:
    """Return the tag of a value: its ``kind``, or ``number`` for whatever is not an object."""
    if isinstance(value, dict):
        kind = value.get("kind")
        return kind if isinstance(kind, str) and kind != "number" else None
    return getattr(value, "kind", "number")


_Drawn: TypeAlias = (
    Annotated[Number, Tag("number")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Lognormal, Tag("lognormal")]
    | Annotated[Exponential, Tag("exponential")]
    | Annotated[Gamma, Tag("gamma")]
)
_Spatial: TypeAlias = (
    Annotated[DistanceLinear, Tag("distance_linear")]
    | Annotated[DistanceExponential, Tag("distance_exponential")]
    | Annotated[DistanceGaussian, Tag("distance_gaussian")]
)

Term: TypeAlias = Annotated[_Drawn | _Spatial, Discriminator(_variant)]
"""What a sum or product is made of."""


class Combined(Description):
    """Base of values made of several: the result is clipped to the bounds."""

    of: Annotated[tuple[Term, ...], Field(min_length=1, max_length=MAX_TERMS)] = Field(
        description="the terms, one to four"
    )
    low: Number | None = Field(default=None, description="the least result, or null for no bound")
    high: Number | None = Field(default=None, description="the greatest result, or null for no bound")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            rule = f"must be <= high, {show(self.high)}, got {show(self.low)}"
            raise NetworkError([("low", f"{rule}; lower low or raise high")])
        return self


class Sum(Combined):
    """The sum of its terms, each drawn on its own."""

    kind: Literal["sum"] = Field(default="sum", description="the word sum")


class Product(Combined):
    """The product of its terms, each drawn on its own."""

    kind: Literal["product"] = Field(default="product", description="the word product")


Value: TypeAlias = Annotated[
    _Drawn
    | Annotated[Array, Tag("array")]
    | _Spatial
    | Annotated[Sum, Tag("sum")]
    | Annotated[Product, Tag("product")],
    Discriminator(_variant),
]
"""A number, a distribution, an array, a function of distance, or a sum or product of these."""


def needs_distance(value: Any) -> bool:
    """Return whether a value is a function of distance."""
    return isinstance(value, OfDistance) or any(map(needs_distance, getattr(value, "of", ())))


def bounds_of(value: Value, reach_um: float = math.inf) -> tuple[float, float]:
    """Return the least and the greatest value that can be drawn.

    Parameters
    ----------
    value : Value
    reach_um : float
        The greatest distance that a function of distance can meet.

    Returns
    -------
    tuple of two floats
        Infinite where a distribution or a function of distance has no bound; a normal reaches `REACH_SD`.
    """
    match value:
        case Uniform():
            return value.low, value.high
        case Array():
            return min(value.values, default=0.0), max(value.values, default=0.0)
        case Truncated():
            low, high = _reach_of(value)
            # Clipped at both ends: all of a distribution may lie beyond one bound, and all draws are that
            # bound.
            return _clip(low, value.low, value.high), _clip(high, value.low, value.high)
        case DistanceLinear():
            ends = (
                value.at_zero,
                value.at_zero + (value.slope_per_um * reach_um if value.slope_per_um else 0.0),
            )
            return min(ends), max(ends)
        case DistanceExponential():
            ends = value.scale, value.scale * math.exp(-reach_um / value.length_um)
            return min(ends), max(ends)
        case DistanceGaussian():
            return _peak_bounds(value, reach_um)
        case Combined():
            low, high = partial_bounds(value, reach_um)[-1]
            return _clip(low, value.low, value.high), _clip(high, value.low, value.high)
        case _:
            return value, value


def partial_bounds(value: Combined, reach_um: float = math.inf) -> list[tuple[float, float]]:
    """Return the bounds of a sum or product of its first term, its first two, and so on, without its own."""
    ends = [bounds_of(term, reach_um) for term in value.of]
    return list(itertools.accumulate(ends, _sums if isinstance(value, Sum) else _products))


def _sums(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], one[1] + other[1]


def _products(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    products = [_times(a, b) for a in one for b in other]
    return min(products), max(products)


def _peak_bounds(value: DistanceGaussian, reach_um: float) -> tuple[float, float]:
    """Return the bounds of a peak: at either end of the distances, or at the peak if it lies between."""
    off = [value.mean_um, abs(reach_um - value.mean_um), *([0.0] if value.mean_um <= reach_um else [])]
    ends = [value.scale * math.exp(-0.5 * (d / value.sd_um) * (d / value.sd_um)) for d in off]
    return min(ends), max(ends)


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def _clip(x: float, low: float | None, high: float | None) -> float:
    x = x if low is None else max(x, low)
    return x if high is None else min(x, high)


def _reach_of(value: Truncated) -> tuple[float, float]:
    """Return the least and the greatest draw of a distribution without its bounds."""
    match value:
        case Normal():
            return value.mean - REACH_SD * value.sd, value.mean + REACH_SD * value.sd
        case Lognormal():
            reach = REACH_SD * value.log_sd
            return math.exp(value.log_mean - reach), math.exp(value.log_mean + reach)
        case Exponential():
            return 0.0, 37.0 * value.mean
        case Gamma():
            return 0.0, (value.shape + 40.0 * (1.0 + math.sqrt(value.shape))) * value.scale
        case _:
            raise NotImplementedError(type(value).__name__)


def lowest(value: Value) -> float:
    """Return the lowest value that can be drawn."""
    return bounds_of(value)[0]


def highest(value: Value) -> float:
    """Return the highest value that can be drawn."""
    return bounds_of(value)[1]
