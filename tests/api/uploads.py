"""Bodies of uploads, whole and broken."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import msgpack
import numpy as np

KNOWN = "arrays must be columns of synapses, sources, targets, weights, delays_ms, got"

NPZ = {"Content-Type": "application/x-npz"}
MSGPACK = {"Content-Type": "application/msgpack"}

SYNAPSES = {
    "sources": np.array([0, 1, 7, 7], np.uint32),
    "targets": np.array([1, 0, 1, 1], np.uint32),
    "weights": np.array([10.0, -2.5, 0.0, 10.0]),
    "delays_ms": np.array([0.1, 1.5, 0.3, 0.1]),
}
SPIKES = {"times_ms": np.array([1.5, 0.3, 0.3, 2.0]), "neurons": np.array([1, 2, 0, 1], np.uint32)}


def npz(columns: dict[str, Any], *, compressed: bool = False) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **columns)
    return file.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(descr: str, shape: str, data: bytes = b"", *, fortran: bool = False, version: int = 1) -> bytes:
    """Return a .npy file whose header says what it is told to."""
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def packed(columns: dict[str, Any], *, kind: str = "synapses", step: int = 3, **first: Any) -> bytes:
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    n = max((array.size for array in arrays.values()), default=0)
    dtypes = {name: array.dtype.str for name, array in arrays.items()}
    parts = [msgpack.packb({"kind": kind, "n": n, "columns": dtypes} | first)]
    for begin in range(0, n, step):
        chunk = {name: array[begin : begin + step].tobytes() for name, array in arrays.items()}
        parts.append(msgpack.packb(chunk))
    return b"".join(parts)


def first(**changes):
    return msgpack.packb(
        {"kind": "synapses", "n": 2, "columns": {"sources": "<u4", "targets": "<u4"}} | changes
    )


def refusal(call, content, headers, kind="synapses"):
    answer = call("POST", f"/v1/arrays?kind={kind}", content=content, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert call("GET", "/v1/arrays").json()["items"] == []
    assert list(call.fleet.data.glob("arrays/*")) == list(call.fleet.data.glob("arrays/.*")) == []
    return answer.status_code, answer.json()["type"].removeprefix("/problems/"), answer.json()["detail"]


def malformed(call, content, headers, kind="synapses"):
    status, slug, detail = refusal(call, content, headers, kind)
    assert (status, slug) == (400, "malformed-request"), detail
    return detail
