"""Values: a bare number is a constant, an object with a ``kind`` is a distribution to draw from.

A value is drawn once for each neuron or synapse that it describes, by counter-based random numbers, so
it is the same wherever that neuron is placed.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from network.errors import NetworkError, show
from network.schema import Description, Number

MIN_MASS = 1e-3
"""Least share of a normal that its redraw bounds may leave: about 1,000 draws a value at most."""

REACH_SD = 9.0
"""Standard deviations that a normal draw can stray: 53 random bits end at 8.57."""


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


class Normal(Description):
    """A value drawn from a normal distribution, with bounds that redraw or clip what lies beyond them."""

    kind: Literal["normal"] = Field(default="normal", description="the word normal")
    mean: Number = Field(description="the mean")
    sd: Annotated[Number, Field(ge=0)] = Field(description="the standard deviation")
    low: Number | None = Field(default=None, description="the lower bound, or null for none")
    high: Number | None = Field(default=None, description="the upper bound, or null for none")
    bounds: Literal["redraw", "clip"] = Field(
        default="redraw", description="what happens to a draw beyond a bound: redraw or clip"
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            rule = f"must be < high, {show(self.high)}, got {show(self.low)}"
            raise NetworkError([("low", f"{rule}; lower low or raise high")])
        if not math.isfinite(abs(self.mean) + REACH_SD * self.sd):
            raise NetworkError([("sd", f"must leave draws finite, got {show(self.sd)}; lower it")])
        if self.bounds == "redraw" and self.mass < MIN_MASS:
            rule = f"must leave at least {MIN_MASS} of the normal to redraw from, got {self.mass:.3g}"
            raise NetworkError([("bounds", f"{rule}; move low or high towards the mean, or clip")])
        return self

    @property
    def mass(self) -> float:
        """The share of the unbounded normal that lies between the bounds."""
        return max(0.0, self._below(self.high, 1.0) - self._below(self.low, 0.0, strictly=True))

    def _below(self, bound: float | None, default: float, *, strictly: bool = False) -> float:
        """Return the probability of a draw below `bound`; `default` where there is no bound."""
        if bound is None:
            return default
        if self.sd == 0.0:
            return float(self.mean < bound if strictly else self.mean <= bound)
        return 0.5 * math.erfc(max(-1e3, min(1e3, (self.mean - bound) / self.sd)) / math.sqrt(2.0))


def _variant(value: object) -> str | None:
    """Return the tag of a value: its ``kind``, or ``number`` for whatever is not an object."""
    if isinstance(value, dict):
        kind = value.get("kind")
        return kind if isinstance(kind, str) and kind != "number" else None
    return getattr(value, "kind", "number")


Value: TypeAlias = Annotated[
    Annotated[Number, Tag("number")] | Annotated[Uniform, Tag("uniform")] | Annotated[Normal, Tag("normal")],
    Discriminator(_variant),
]
"""A number, `Uniform` or `Normal`."""


def lowest(value: Value) -> float:
    """Return the lowest value that can be drawn; -inf for a normal without a lower bound."""
    match value:
        case Uniform():
            return value.low
        case Normal():
            return value.low if value.low is not None else (-math.inf if value.sd > 0 else value.mean)
        case _:
            return value


def highest(value: Value) -> float:
    """Return the highest value that can be drawn; a normal without an upper bound reaches `REACH_SD`."""
    match value:
        case Uniform():
            return value.high
        case Normal():
            return value.high if value.high is not None else value.mean + REACH_SD * value.sd
        case _:
            return value
