"""One emulated chip: neurons, synapse memory, Poisson inputs, sources, probes. Plain data plus kernels.

It takes axon numbers and gives neuron numbers; it knows no router, no process and no client. Start reading
at `chip.spec` (what a chip is told to be), then `chip.tick` (what it does in a tick), `chip.memory` (its
synapses) and `chip.neurons` (the models).
"""

from chip.emulated import Chip, Snapshot
from chip.errors import ChipError, SlotOverflow, SnapshotMismatch
from chip.neurons import MODELS, NeuronModel
from chip.spec import BANK_NEURONS, AxonBlock, ChipSpec, InputSpec, ProbeSpec, SliceSpec, Terminal
from chip.weights import SLOT_CAPACITY

__all__ = [
    "BANK_NEURONS",
    "MODELS",
    "SLOT_CAPACITY",
    "AxonBlock",
    "Chip",
    "ChipError",
    "ChipSpec",
    "InputSpec",
    "NeuronModel",
    "ProbeSpec",
    "SliceSpec",
    "SlotOverflow",
    "Snapshot",
    "SnapshotMismatch",
    "Terminal",
]
