"""Uploaded arrays: lists of synapses and of spikes that are too long for a description.

What it is not: the containers that they arrive in (`api.containers`), or their rules (`network.arrays`).
Start reading at `cluster.arrays.store`; `cluster.arrays.draft` is how something comes into it, and
`cluster.arrays.agreement` compares a network with what it names.
"""

from cluster.arrays.agreement import array_problems, references, require_arrays
from cluster.arrays.draft import Draft
from cluster.arrays.store import ArrayStore, arrays_of
from cluster.arrays.stored import SpikeColumns, StoredArrays, SynapseColumns

__all__ = [
    "ArrayStore",
    "Draft",
    "SpikeColumns",
    "StoredArrays",
    "SynapseColumns",
    "array_problems",
    "arrays_of",
    "references",
    "require_arrays",
]
