"""What a host does for the chips on it: shared memory, the abort word, compiled kernels.

The shared memory is an anonymous file (`memfd`): it never has a name in any folder, so nothing is left of
it when its users are gone, however they went. Other processes open it through ``/proc/<pid>/fd``.
"""

from __future__ import annotations

import mmap
import os
from typing import Literal

from cluster.exchange import Mailboxes, Shape, abort, clear
from cluster.options import DeployOptions
from cluster.plan import Plan
from cluster.systems import SYSTEMS
from cluster.team import ThreadTeam
from network import FixedTotalNumber, Network, Normal, PoissonInput, PoissonSource, Population, Projection


class SharedMailboxes:
    """The exchange's memory of one deployment on this host."""

    def __init__(self, shape: Shape) -> None:
        self._file = os.memfd_create("spikerack-exchange", os.MFD_CLOEXEC)
        os.ftruncate(self._file, shape.n_bytes)
        self.path = f"/proc/{os.getpid()}/fd/{self._file}"
        self._mailboxes = shape.mailboxes(mmap.mmap(self._file, shape.n_bytes))

    def abort(self) -> None:
        """Make every wait of every chip end."""
        abort(self._mailboxes)

    def clear(self) -> None:
        """Return to epoch 0; no chip may be running."""
        clear(self._mailboxes)


def attach(path: str, shape: Shape) -> Mailboxes:
    """Return the mailboxes at `path`, as `SharedMailboxes` names it, in the memory of this process."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return shape.mailboxes(mmap.mmap(file, shape.n_bytes))
    finally:
        os.close(file)


def warm_up(precision: Literal["float32", "float64"]) -> None:
    """Compile all kernels, or find them compiled, with a tiny network that uses each."""
    neurons = Population(
        name="neurons",
        size=2,
        model="lif_curr_exp",
        initial={"v_mv": Normal(mean=-65.0, sd=1.0)},
        inputs=(PoissonInput(rate_hz=1.0, weight=1.0, receptor="excitatory"),),
    )
    source = PoissonSource(name="source", size=2, rate_hz=1.0)
    projection = Projection(
        source="source",
        target="neurons",
        connectivity=FixedTotalNumber(n=2),
        weight=1.0,
        delay_ms=1.0,
        receptor="excitatory",
    )
    network = Network(
        name="warm-up",
        timestep_ms=1.0,
        seed=0,
        populations=(neurons,),
        sources=(source,),
        projections=(projection,),
    )
    team = ThreadTeam(Plan(network, SYSTEMS["rack-2x2"], DeployOptions(chips=2, precision=precision)))
    try:
        team.build(lambda phase, share: None)
        team.reset()
        team.advance(2)
        team.tallies()
    finally:
        team.close()
