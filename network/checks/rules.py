"""What a connectivity rule asks of the sizes of its two ends."""

from __future__ import annotations

import math
from collections.abc import Iterator

from network.connectivity import (
    Connectivity,
    Convolution,
    Drawn,
    Explicit,
    FixedInDegree,
    FixedOutDegree,
    FixedTotalNumber,
    OneToOne,
    Pooling,
    SmallWorld,
    Uploaded,
)
from network.errors import Problem, show


def rule_problems(
    path: str, rule: Connectivity, n_sources: int, n_targets: int, recurrent: bool
) -> Iterator[Problem]:
    """Yield the problems of a rule between `n_sources` and `n_targets` neurons.

    Parameters
    ----------
    path : str
        Where the rule stands.
    rule : Connectivity
    n_sources, n_targets : int
    recurrent : bool
        Whether both ends are the same population, so that a neuron could meet itself.
    """
    match rule:
        case OneToOne() if n_sources != n_targets:
            yield path, f"must join equal sizes, got {n_sources} and {n_targets}; use another rule"
        case FixedInDegree() | FixedOutDegree() | FixedTotalNumber():
            yield from _draw_problems(f"{path}.n", rule, n_sources, n_targets, recurrent)
        case SmallWorld():
            yield from _ring_problems(path, rule, n_sources, n_targets)
        case Convolution() | Pooling():
            yield from _image_problems(path, rule, n_sources, n_targets)
        case Explicit():
            yield from _index_problems(f"{path}.sources", rule.sources, n_sources)
            yield from _index_problems(f"{path}.targets", rule.targets, n_targets)
        case Uploaded():
            yield from _stop_problems(f"{path}.source_stop", rule.source_stop, n_sources)
            yield from _stop_problems(f"{path}.target_stop", rule.target_stop, n_targets)


def _draw_problems(
    path: str,
    rule: FixedInDegree | FixedOutDegree | FixedTotalNumber,
    n_sources: int,
    n_targets: int,
    recurrent: bool,
) -> Iterator[Problem]:
    """Yield the problem of more draws than there are candidates."""
    own = 1 if recurrent and not rule.allow_autapses else 0  # Candidates that a neuron loses: itself.
    match rule:
        case FixedInDegree():
            n_drawing, candidates, whose = n_targets, n_sources - own, "sources of a neuron"
            empty = f"must be 0 from an empty source, got {rule.n}; give the source neurons"
        case FixedOutDegree():
            n_drawing, candidates, whose = n_sources, n_targets - own, "targets of a neuron"
            empty = f"must be 0 onto an empty target, got {rule.n}; give the target neurons"
        case FixedTotalNumber():
            n_drawing, candidates, whose = 1, n_sources * n_targets - own * n_sources, "pairs"
            empty = f"must be 0 between empty populations, got {rule.n}; give them neurons"
    if not rule.n or not n_drawing or (rule.allow_multapses and candidates > 0):
        return
    if not n_sources or not n_targets:
        yield path, empty
    elif rule.n > candidates:
        yield (
            path,
            f"{_most(rule, candidates, whose, own)}, got {rule.n}; lower it{_allowing(rule, candidates)}",
        )


def _most(rule: Drawn, candidates: int, whose: str, own: int) -> str:
    without = ", itself left out" if own and whose != "pairs" else ", autapses left out" if own else ""
    return f"must be at most {max(candidates, 0)}, the {whose}{without}"


def _allowing(rule: Drawn, candidates: int) -> str:
    return " or allow autapses" if candidates <= 0 else " or allow multapses"


def _ring_problems(path: str, rule: SmallWorld, n_sources: int, n_targets: int) -> Iterator[Problem]:
    if n_sources != n_targets:
        yield path, f"must join equal sizes, got {n_sources} and {n_targets}; use another rule"
    elif n_targets and rule.k >= n_targets:
        yield f"{path}.k", f"must be < {n_targets}, the population's size, got {rule.k}; lower it"


def _image_problems(
    path: str, rule: Convolution | Pooling, n_sources: int, n_targets: int
) -> Iterator[Problem]:
    if math.prod(rule.source_shape) != n_sources:
        got = _image(rule.source_shape)
        rule_text = f"must be that of {n_sources} neurons, the source's size, got {got}"
        yield f"{path}.source_shape", f"{rule_text}; change it or the source's size"
    elif math.prod(rule.target_shape) != n_targets:
        got = _image(rule.target_shape)
        rule_text = f"must make an image of {n_targets} neurons, the target's size, got {got}"
        yield path, f"{rule_text}; change it or the target's size"


def _image(shape: tuple[int, ...]) -> str:
    return " x ".join(map(show, shape)) + f" = {show(math.prod(shape))}"


def _index_problems(path: str, indices: tuple[int, ...], size: int) -> Iterator[Problem]:
    if indices and max(indices) >= size:
        k = next(k for k, index in enumerate(indices) if index >= size)
        rule = f"must be < {size}, the population's size, got {show(indices[k])}"
        yield f"{path}[{k}]", f"{rule}; neurons are counted from 0"


def _stop_problems(path: str, stop: int, size: int) -> Iterator[Problem]:
    if stop > size:
        yield path, f"must be at most {size}, the population's size, got {stop}; neurons are counted from 0"
