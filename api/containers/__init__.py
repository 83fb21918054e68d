"""What uploaded arrays arrive in: npz files, and streams of msgpack maps. Both are read part by part.

Nothing here trusts a length that a body claims: what is claimed is compared with the limits before anything
is read, and with what is there afterwards. Nothing is ever unpickled. Start reading at `api.containers.room`.
"""

from api.containers.npz import read_npz
from api.containers.packed import read_packed
from api.containers.room import Room

__all__ = ["Room", "read_npz", "read_packed"]
