"""What a host does for the chips on it: shared memory and the abort word.

The shared memory is an anonymous file (`memfd`): it never has a name in any folder, so nothing is left of
it when its users are gone, however they went. Other processes open it through ``/proc/<pid>/fd``.
"""

from __future__ import annotations

import mmap
import os

from cluster.exchange import Mailboxes, Shape, abort, clear


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
