"""The digests of three networks on this CPU; ``python -m tests.placement.digest_here`` prints them.

A module of its own, so that a test can call it in a process whose compiler takes the CPU for another.
"""

from __future__ import annotations

import json

from cluster import DeployOptions, run_local
from cluster.loop import run
from tests.cluster.samples import everything_network
from tests.placement.changing import changing_network
from tests.placement.language import language_network

N_TICKS = 5000
CHIPS = 2


def digests(precision: str) -> dict[str, object]:
    """Run a network of both models and of all that is drawn; return what must be the same everywhere."""
    network = everything_network()
    options = DeployOptions(chips=CHIPS, precision=precision)
    outcome = run_local(network, n_ticks=N_TICKS, options=options)
    kept = ("state", "digest", "synapse_digest", "rates_hz")
    samples = [float(states.sum()).hex() for states in outcome.states]
    return {key: outcome.summary[key] for key in kept} | {"samples": samples}


def changing_digests(precision: str) -> dict[str, object]:
    """Do the same with inputs and sources that change over time."""
    options = DeployOptions(chips=CHIPS, precision=precision)
    summary = run_local(changing_network(), n_ticks=N_TICKS, options=options).summary
    return {key: summary[key] for key in ("state", "digest", "rates_hz")}


def language_digest() -> str:
    """Build a network of all rules and distributions; return the digest of its synapses."""
    summary = run_local(language_network(), n_ticks=1, options=DeployOptions(chips=CHIPS)).summary
    return str(summary["synapse_digest"])


def uses_wide_registers() -> bool:
    """Whether the kernels, compiled in this process, use registers that the first x86-64 had not."""
    code = "".join(run.inspect_asm().values())
    return "ymm" in code or "zmm" in code


if __name__ == "__main__":
    runs = {precision: digests(precision) for precision in ("float32", "float64")}
    changing = {precision: changing_digests(precision) for precision in runs}
    built = language_digest()
    print(json.dumps({"runs": runs, "changing": changing, "built": built, "wide": uses_wide_registers()}))
