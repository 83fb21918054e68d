"""Values: numbers that are drawn, listed, or functions of distance. A bare number is a constant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from numpy.typing import ArrayLike

from network import (
    Array,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    Exponential,
    Gamma,
    Lognormal,
    Normal,
    Product,
    Sum,
    Uniform,
)
from network.values import Term
from spikerack.builder.parts import flat, part, plain

Bounds = Literal["redraw", "clip"]


def uniform(low: float, high: float) -> Uniform:
    """Return a value drawn uniformly between `low` and `high`."""
    return part(Uniform, "uniform", low=low, high=high)


def normal(
    mean: float,
    sd: float,
    *,
    low: float | None = None,
    high: float | None = None,
    bounds: Bounds = "redraw",
) -> Normal:
    """Return a value drawn from a normal; what lies beyond `low` or `high` is redrawn or clipped."""
    return part(Normal, "normal", mean=mean, sd=sd, low=low, high=high, bounds=bounds)


def lognormal(
    log_mean: float,
    log_sd: float,
    *,
    low: float | None = None,
    high: float | None = None,
    bounds: Bounds = "redraw",
) -> Lognormal:
    """Return a value whose natural logarithm is normal, with that mean and standard deviation."""
    return part(Lognormal, "lognormal", log_mean=log_mean, log_sd=log_sd, low=low, high=high, bounds=bounds)


def exponential(
    mean: float, *, low: float | None = None, high: float | None = None, bounds: Bounds = "redraw"
) -> Exponential:
    """Return a value drawn from an exponential distribution of that mean."""
    return part(Exponential, "exponential", mean=mean, low=low, high=high, bounds=bounds)


def gamma(
    shape: float,
    scale: float,
    *,
    low: float | None = None,
    high: float | None = None,
    bounds: Bounds = "redraw",
) -> Gamma:
    """Return a value drawn from a gamma distribution; its mean is ``shape * scale``."""
    return part(Gamma, "gamma", shape=shape, scale=scale, low=low, high=high, bounds=bounds)


def array(values: ArrayLike | Iterable[float]) -> Array:
    """List the values.

    Parameters
    ----------
    values : array_like
        Of neurons, or of synapses that are one_to_one, shape (n,); of synapses that are all_to_all,
        shape (n_targets, n_sources).
    """
    return part(Array, "array", values=flat(plain(values)))


def distance_linear(at_zero: float, slope_per_um: float) -> DistanceLinear:
    """Return ``at_zero + slope_per_um * distance``."""
    return part(DistanceLinear, "distance_linear", at_zero=at_zero, slope_per_um=slope_per_um)


def distance_exponential(scale: float, length_um: float) -> DistanceExponential:
    """Return ``scale * exp(-distance / length_um)``."""
    return part(DistanceExponential, "distance_exponential", scale=scale, length_um=length_um)


def distance_gaussian(scale: float, sd_um: float, *, mean_um: float = 0.0) -> DistanceGaussian:
    """Return ``scale * exp(-(distance - mean_um)**2 / (2 * sd_um**2))``."""
    return part(DistanceGaussian, "distance_gaussian", scale=scale, sd_um=sd_um, mean_um=mean_um)


def sum_of(*terms: Term, low: float | None = None, high: float | None = None) -> Sum:
    """Add one to four terms, each drawn on its own; the sum is clipped to `low` and `high`."""
    return part(Sum, "sum_of", of=terms, low=low, high=high)


def product_of(*terms: Term, low: float | None = None, high: float | None = None) -> Product:
    """Multiply one to four terms, each drawn on its own; the product is clipped to `low` and `high`."""
    return part(Product, "product_of", of=terms, low=low, high=high)
