"""Adding words to slots: what every layout ends in."""

from __future__ import annotations

import numpy as np

from chip.jit import inner_kernel, tick_kernel, touch

_LINE_SLOTS = 16


@inner_kernel
def add_words(words, begin, end, slots, slot, shift):
    """Add consecutive words to the slots of one bank and receptor."""
    base, places = np.uint64(slot), np.int64(shift)
    for j in range(np.uint64(begin), np.uint64(end)):
        word = words[j]
        slots[base + np.uint64(word & np.uint32(0xFFFF))] += np.int32(
            (np.int64(np.int32(word)) >> 16) << places
        )


@tick_kernel
def warm(slots, begin, end):
    """Fetch a bank's slots in sequence: others have had the cache since, and additions come in any order."""
    for slot in range(begin, end, _LINE_SLOTS):
        touch(slots, slot)
