"""Keeps a long list of synapses in a folder, in a process of its own, which holds the list.

``python -m benchmarks.upload`` is that process; it speaks `benchmarks.telling`. Others call `keep_apart`.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.process import run_apart
from benchmarks.telling import task, tell, tell_finished, tell_result
from network import Uploaded
from spikerack.arrays import save


@dataclass(frozen=True)
class Kept:
    """A list that is kept: what a projection takes of it, and how long it took to keep."""

    rule: Uploaded
    seconds: float


def keep_apart(folder: str, *, n: int, n_neurons: int) -> Kept:
    """Keep `n` synapses of a population with itself, drawn with normal weights, in `folder`.

    Raises
    ------
    RunFailed
        The process ended without a result.
    """
    asked = {"folder": folder, "n": n, "n_neurons": n_neurons}
    result = run_apart([sys.executable, "-m", "benchmarks.upload"], asked).result
    return Kept(Uploaded.model_validate(result["rule"]), result["seconds"])


def keep(folder: str, n: int, n_neurons: int) -> dict[str, Any]:
    """Draw the list and keep it; return its description and the seconds that keeping took."""
    tell("building")
    generator = np.random.default_rng(1)
    sources, targets = generator.integers(0, n_neurons, (2, n), np.uint32)
    weights = generator.standard_normal(n, np.float32)
    tell("running")
    begin = time.perf_counter()
    rule = save(folder, sources=sources, targets=targets, weights=weights)
    seconds = time.perf_counter() - begin
    tell_finished()
    return {"rule": rule.model_dump(mode="json"), "seconds": seconds}


if __name__ == "__main__":
    tell_result(keep(**task()))
