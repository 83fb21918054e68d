"""Connectivity rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from network import (
    AllToAll,
    Convolution,
    DistanceDependent,
    DistanceExponential,
    DistanceGaussian,
    DistanceLinear,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    NetworkError,
    OneToOne,
    Pooling,
    SmallWorld,
    Uploaded,
)
from network.errors import show
from spikerack.builder.parts import part


def one_to_one() -> OneToOne:
    """Connect neuron i with neuron i."""
    return OneToOne()


def all_to_all(*, allow_autapses: bool = True) -> AllToAll:
    """Connect each neuron with each."""
    return part(AllToAll, "all_to_all", allow_autapses=allow_autapses)


def fixed_in_degree(n: int, *, allow_autapses: bool = True, allow_multapses: bool = True) -> FixedInDegree:
    """Draw `n` source neurons for each target neuron, with replacement unless `allow_multapses` is false."""
    return part(
        FixedInDegree, "fixed_in_degree", n=n, allow_autapses=allow_autapses, allow_multapses=allow_multapses
    )


def fixed_out_degree(n: int, *, allow_autapses: bool = True, allow_multapses: bool = True) -> FixedOutDegree:
    """Draw `n` target neurons for each source neuron, with replacement unless `allow_multapses` is false."""
    return part(
        FixedOutDegree,
        "fixed_out_degree",
        n=n,
        allow_autapses=allow_autapses,
        allow_multapses=allow_multapses,
    )


def fixed_total_number(
    n: int, *, allow_autapses: bool = True, allow_multapses: bool = True
) -> FixedTotalNumber:
    """Draw `n` pairs of a source and a target neuron, with replacement unless `allow_multapses` is false."""
    return part(
        FixedTotalNumber,
        "fixed_total_number",
        n=n,
        allow_autapses=allow_autapses,
        allow_multapses=allow_multapses,
    )


def fixed_probability(p: float, *, allow_autapses: bool = True) -> FixedProbability:
    """Connect each pair with probability `p`."""
    return part(FixedProbability, "fixed_probability", p=p, allow_autapses=allow_autapses)


def distance_dependent(
    p: DistanceLinear | DistanceExponential | DistanceGaussian,
    *,
    radius_um: float | None = None,
    allow_autapses: bool = True,
) -> DistanceDependent:
    """Connect each pair with a probability that depends on its distance, and none beyond `radius_um`."""
    return part(
        DistanceDependent, "distance_dependent", p=p, radius_um=radius_um, allow_autapses=allow_autapses
    )


def small_world(k: int, p_rewire: float) -> SmallWorld:
    """Connect each neuron from its `k` nearest on a ring, rewired with probability `p_rewire`."""
    return part(SmallWorld, "small_world", k=k, p_rewire=p_rewire)


def convolution(
    kernel: ArrayLike,
    source_shape: Sequence[int],
    *,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
) -> Convolution:
    """Connect two images by a convolution (cross-correlation, as in deep learning).

    Parameters
    ----------
    kernel : (n_out, n_in, rows, columns) array_like
        The weights; `n_in` is the number of channels in of one group.
    source_shape : (int, int, int)
        The channels, rows and columns of the source population.
    stride, padding, dilation : (int, int)
        In rows and columns.
    groups : int
        The groups of channels that are convolved apart.
    """
    weights = _kernel(kernel)
    return part(
        Convolution,
        "convolution",
        source_shape=source_shape,
        kernel_shape=weights.shape,
        kernel=weights.ravel(),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


def _kernel(kernel: ArrayLike) -> NDArray[np.float64]:
    try:
        weights = np.asarray(kernel, np.float64)
    except (TypeError, ValueError):
        got = show(kernel)
    else:
        if weights.ndim == 4:
            return weights
        got = f"shape {weights.shape}"
    rule = f"must be an array of 4 dimensions, got {got}"
    raise NetworkError([("convolution.kernel", f"{rule}; give the weights by out, in, row and column")])


def pooling(
    window: Sequence[int],
    source_shape: Sequence[int],
    *,
    stride: Sequence[int] | None = None,
    padding: Sequence[int] = (0, 0),
) -> Pooling:
    """Connect each target from all sources of a window of an image, in its own channel.

    Parameters
    ----------
    window : (int, int)
        Its rows and columns.
    source_shape : (int, int, int)
        The channels, rows and columns of the source population.
    stride : (int, int), optional
        In rows and columns; that of the window if omitted.
    padding : (int, int)
        In rows and columns.
    """
    return part(
        Pooling,
        "pooling",
        window=window,
        source_shape=source_shape,
        stride=window if stride is None else stride,
        padding=padding,
    )


def explicit(
    sources: ArrayLike | Iterable[int],
    targets: ArrayLike | Iterable[int],
    *,
    weights: ArrayLike | Iterable[float] | None = None,
    delays_ms: ArrayLike | Iterable[float] | None = None,
) -> Explicit:
    """List the synapses: the source and target neuron of each, and its weight and delay if they differ."""
    return part(Explicit, "explicit", sources=sources, targets=targets, weights=weights, delays_ms=delays_ms)


def uploaded(answer: Mapping[str, Any] | Uploaded) -> Uploaded:
    """Take the synapses that were uploaded, by what the upload answered."""
    return answer if isinstance(answer, Uploaded) else part(Uploaded, "uploaded", **answer)
