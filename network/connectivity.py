"""Connectivity: which source neurons meet which target neurons. One class a rule, told apart by ``rule``.

Rules that draw do so independently and with replacement unless ``allow_multapses`` is false: a pair may then
be drawn more than once. A neuron may meet itself unless ``allow_autapses`` is false, which only matters in a
projection of a population onto itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from network.errors import NetworkError, Problem, show
from network.schema import Description, Indices, Number, Numbers, Sha256, Whole
from network.values import DistanceExponential, DistanceGaussian, DistanceLinear
from network.windows import Axis

MAX_FAN_IN = 2**31
MAX_SYNAPSES = 2**53


class Paired(Description):
    """Base of rules that may leave out a neuron's synapses onto itself."""

    allow_autapses: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="whether a neuron may meet itself: true or false"
    )


class Drawn(Paired):
    """Base of rules that draw pairs, and may leave out repeated ones."""

    allow_multapses: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="whether a pair may be drawn more than once: true or false"
    )


class OneToOne(Description):
    """Source neuron i meets target neuron i; both populations have the same size."""

    rule: Literal["one_to_one"] = Field(default="one_to_one", description="the word one_to_one")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return min(n_sources, n_targets)


class AllToAll(Paired):
    """Each source neuron meets each target neuron once."""

    rule: Literal["all_to_all"] = Field(default="all_to_all", description="the word all_to_all")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return n_sources * n_targets


class FixedInDegree(Drawn):
    """Each target neuron draws `n` source neurons."""

    rule: Literal["fixed_in_degree"] = Field(
        default="fixed_in_degree", description="the word fixed_in_degree"
    )
    n: Annotated[Whole, Field(ge=0, le=MAX_FAN_IN)] = Field(description="the synapses onto each neuron")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.n * n_targets


class FixedTotalNumber(Drawn):
    """`n` synapses, each between a source and a target that are drawn."""

    rule: Literal["fixed_total_number"] = Field(
        default="fixed_total_number", description="the word fixed_total_number"
    )
    n: Annotated[Whole, Field(ge=0, le=MAX_SYNAPSES)] = Field(description="the number of synapses")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.n


class FixedOutDegree(Drawn):
    """Each source neuron draws `n` target neurons."""

    rule: Literal["fixed_out_degree"] = Field(
        default="fixed_out_degree", description="the word fixed_out_degree"
    )
    n: Annotated[Whole, Field(ge=0, le=MAX_FAN_IN)] = Field(description="the synapses from each neuron")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.n * n_sources


class FixedProbability(Paired):
    """Each pair of a source and a target neuron is joined with probability `p`, at most once."""

    rule: Literal["fixed_probability"] = Field(
        default="fixed_probability", description="the word fixed_probability"
    )
    p: Annotated[Number, Field(ge=0, le=1)] = Field(description="the probability of each pair, 0 to 1")

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the expected number of synapses between `n_sources` and `n_targets` neurons."""
        return round(self.p * n_sources * n_targets)


Kernel: TypeAlias = Annotated[
    DistanceLinear | DistanceExponential | DistanceGaussian, Field(discriminator="kind")
]
"""A probability that is a function of distance; clipped to 0 to 1."""


class DistanceDependent(Paired):
    """Each pair is joined with a probability that is a function of its distance, at most once.

    Both populations have positions. Pairs further apart than `radius_um` are never joined. The function is
    clipped to 0 to 1: where it is below 0 no pair is joined, and where it is above 1 each pair is.
    """

    rule: Literal["distance_dependent"] = Field(
        default="distance_dependent", description="the word distance_dependent"
    )
    p: Kernel = Field(description="the probability as a function of distance")
    radius_um: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="the greatest distance of a pair in um, or null for any"
    )

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the most synapses that are possible between `n_sources` and `n_targets` neurons."""
        return n_sources * n_targets


class SmallWorld(Description):
    """A ring in which each neuron receives from its `k` nearest, each synapse rewired with probability.

    Neuron i receives from i - k/2 ... i + k/2 without itself, counted around the ring; with probability
    `p_rewire` a synapse's source is drawn from all neurons but its target instead, which may repeat a pair.

    References
    ----------
    Watts and Strogatz 1998, Nature 393:440, for directed synapses.
    """

    rule: Literal["small_world"] = Field(default="small_world", description="the word small_world")
    k: Annotated[Whole, Field(ge=0, le=MAX_FAN_IN, multiple_of=2)] = Field(
        description="the nearest neighbours of each neuron, an even number"
    )
    p_rewire: Annotated[Number, Field(ge=0, le=1)] = Field(
        description="the probability that a synapse is rewired, 0 to 1"
    )

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.k * n_targets


MAX_WINDOW = 2**20
"""Rows and columns of a window at most."""

Extent = Annotated[Whole, Field(ge=1, le=2**31)]
Places = Annotated[Whole, Field(ge=1, le=MAX_WINDOW)]
Pair: TypeAlias = tuple[Extent, Extent]
Padding = tuple[Annotated[Whole, Field(ge=0, le=2**31)], Annotated[Whole, Field(ge=0, le=2**31)]]


class Window(Description):
    """Base of rules whose populations are images: neuron (channel, row, column), last axis fastest."""

    source_shape: tuple[Extent, Extent, Extent] = Field(
        description="the channels, rows and columns of the source population"
    )
    stride: Pair = Field(default=(1, 1), description="the step of the window in rows and columns")
    padding: Padding = Field(
        default=(0, 0),
        description="the rows and columns of silence added on each side, fewer than the window spans",
    )

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The rows and columns of the image and of the windows over it."""
        raise NotImplementedError

    def _along(self, places: Pair, dilation: Pair) -> tuple[Axis, Axis]:
        rows, columns = (
            Axis(self.source_shape[1 + k], self.stride[k], self.padding[k], dilation[k], places[k])
            for k in (0, 1)
        )
        return rows, columns

    def _window_problems(self, name: str, noun: str) -> Iterator[Problem]:
        """Yield the problems of a window that has no position, or one in silence alone."""
        positions = [axis.n_positions for axis in self.axes]
        if min(positions) < 1:
            rule = "must leave at least one position of the window"
            got = " x ".join(map(str, positions))
            yield name, f"{rule}, got {got}; make the {noun} smaller or the padding larger"
        for k, (axis, what) in enumerate(zip(self.axes, ("rows", "columns"), strict=True)):
            if axis.padding >= axis.reach:
                rule = f"must be < {axis.reach}, the {what} that the {noun} spans"
                yield f"padding[{k}]", f"{rule}, got {axis.padding}; lower it"


class Convolution(Window):
    """A two-dimensional convolution (cross-correlation, as in deep learning) whose weights are shared.

    Target (channel o, row y, column x) receives, for each channel c of its group and each place (i, j) of the
    kernel, from source (c, y stride - padding + i dilation, x stride - padding + j dilation) where there is
    one, with weight ``kernel[o, c, i, j]``. A line is an image of one row.
    """

    rule: Literal["convolution"] = Field(default="convolution", description="the word convolution")
    kernel_shape: tuple[Extent, Extent, Places, Places] = Field(
        description="the kernel's channels out, channels in of one group, rows and columns"
    )
    kernel: Numbers = Field(description="the weights, last axis fastest", repr=False)
    dilation: Pair = Field(default=(1, 1), description="the distance of kernel places in rows and columns")
    groups: Extent = Field(default=1, description="the groups of channels that are convolved apart")

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        problems = list(self._shape_problems())
        if problems:
            raise NetworkError(problems)
        return self

    def _shape_problems(self) -> Iterator[Problem]:
        n_out, n_in, rows, columns = self.kernel_shape
        n = n_out * n_in * rows * columns
        if len(self.kernel) != n:
            yield "kernel", f"must have {n} entries, got {len(self.kernel)}; give one for each place"
        if n_in * self.groups != self.source_shape[0]:
            rule = f"must have {show(self.source_shape[0])} channels in over all groups"
            yield "kernel_shape", f"{rule}, got {n_in} in each of {self.groups}; change groups or the shape"
        if n_out % self.groups:
            rule = f"must be a divisor of the channels out, {n_out}"
            yield "groups", f"{rule}, got {self.groups}; change it"
        yield from self._window_problems("kernel_shape", "kernel")

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The rows and columns of the image and of the windows over it."""
        return self._along(self.kernel_shape[2:], self.dilation)

    @property
    def target_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the target population."""
        rows, columns = self.axes
        return self.kernel_shape[0], rows.n_positions, columns.n_positions

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        n_out, n_in, *_ = self.kernel_shape
        return n_out * n_in * math.prod(axis.n_inside for axis in self.axes)

    @property
    def most_fan_in(self) -> int:
        """A bound of the synapses onto one target."""
        return self.kernel_shape[1] * math.prod(axis.most_inside for axis in self.axes)


class Pooling(Window):
    """Each target receives from all sources of its window, in its own channel, with the given weight."""

    rule: Literal["pooling"] = Field(default="pooling", description="the word pooling")
    window: tuple[Places, Places] = Field(description="the rows and columns of the window")

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        problems = list(self._window_problems("window", "window"))
        if problems:
            raise NetworkError(problems)
        return self

    @property
    def target_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the target population."""
        rows, columns = self.axes
        return self.source_shape[0], rows.n_positions, columns.n_positions

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.source_shape[0] * math.prod(axis.n_inside for axis in self.axes)

    @property
    def most_fan_in(self) -> int:
        """A bound of the synapses onto one target."""
        return math.prod(axis.most_inside for axis in self.axes)

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The rows and columns of the image and of the windows over it."""
        return self._along(self.window, (1, 1))


class Explicit(Description):
    """A list of synapses: synapse k goes from ``sources[k]`` to ``targets[k]``."""

    rule: Literal["explicit"] = Field(default="explicit", description="the word explicit")
    sources: Indices = Field(description="the source neuron of each synapse, counted from 0", repr=False)
    targets: Indices = Field(description="the target neuron of each synapse, counted from 0", repr=False)
    weights: Numbers | None = Field(
        default=None, description="the weight of each synapse, or null if the projection gives it", repr=False
    )
    delays_ms: Numbers | None = Field(
        default=None,
        description="the delay of each synapse in ms, or null if the projection gives it",
        repr=False,
    )

    @model_validator(mode="after")
    def _equally_long(self) -> Self:
        lists = {"targets": self.targets, "weights": self.weights, "delays_ms": self.delays_ms}
        rule = f"must have as many entries as sources, {len(self.sources)}, got"
        problems = [
            (name, f"{rule} {len(values)}; give one entry for each synapse")
            for name, values in lists.items()
            if values is not None and len(values) != len(self.sources)
        ]
        if problems:
            raise NetworkError(problems)
        return self

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return len(self.sources)


class Uploaded(Description):
    """A list of synapses that was uploaded as binary arrays.

    What the description says of the arrays must be what they hold: uploading answers with this object, and a
    deployment compares.
    """

    rule: Literal["uploaded"] = Field(default="uploaded", description="the word uploaded")
    sha256: Sha256 = Field(description="the SHA-256 of the arrays, 64 hexadecimal digits")
    n: Annotated[Whole, Field(ge=0, le=MAX_SYNAPSES)] = Field(description="the number of synapses")
    source_stop: Annotated[Whole, Field(ge=0, le=2**32)] = Field(
        description="the greatest source neuron plus one, 0 if there are no synapses"
    )
    target_stop: Annotated[Whole, Field(ge=0, le=2**32)] = Field(
        description="the greatest target neuron plus one, 0 if there are no synapses"
    )
    weights: tuple[Number, Number] | None = Field(
        default=None, description="the least and the greatest weight, or null if the projection gives it"
    )
    weight_granule: Annotated[Whole, Field(ge=-1074, le=1023)] | None = Field(
        default=None,
        description="the greatest g such that all weights are multiples of 2**g, or null if there is none",
    )
    delays_ms: tuple[Number, Number] | None = Field(
        default=None,
        description="the least and the greatest delay in ms, or null if the projection gives it",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("weights", "delays_ms"):
            bounds = getattr(self, name)
            if bounds is not None and bounds[0] > bounds[1]:
                rule = f"must be the least before the greatest, got {show(bounds)}"
                raise NetworkError([(name, f"{rule}; give what the upload answered")])
        return self

    def n_synapses(self, n_sources: int, n_targets: int) -> int:
        """Return the number of synapses between `n_sources` and `n_targets` neurons."""
        return self.n


Connectivity: TypeAlias = Annotated[
    OneToOne
    | AllToAll
    | FixedInDegree
    | FixedOutDegree
    | FixedTotalNumber
    | FixedProbability
    | DistanceDependent
    | SmallWorld
    | Convolution
    | Pooling
    | Explicit
    | Uploaded,
    Field(discriminator="rule"),
]
"""One of the rules."""
