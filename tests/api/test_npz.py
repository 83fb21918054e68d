"""What is no npz file of ours is refused whole, and says why."""

from __future__ import annotations

import os
import pickle
import zipfile
import zlib
from pathlib import Path

import msgpack
import numpy as np
import pytest

from api.containers import npz as npz_container
from tests.api.uploads import (
    KNOWN,
    MSGPACK,
    NPZ,
    SYNAPSES,
    first,
    malformed,
    npy,
    npz,
    packed,
    refusal,
    zipped,
)

SAVEZ = "write it with numpy.savez"
SOURCES = npy("'<u4'", "(2,)", bytes(8))
TARGETS = {"targets.npy": SOURCES}


def sources(content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    return zipped({"sources.npy": content}, method)


@pytest.mark.slow
def test_both_containers_and_all_ways_to_write_them_give_one_content(call):
    wide = {name: a.astype(">i8" if a.dtype.kind == "u" else ">f8") for name, a in SYNAPSES.items()}
    bodies = [
        (npz(SYNAPSES), NPZ),
        (npz(SYNAPSES), {"Content-Type": "application/zip"}),
        (npz(SYNAPSES, compressed=True), NPZ),
        (npz(wide), NPZ),
        (npz(dict(reversed(SYNAPSES.items()))), NPZ),
        (packed(SYNAPSES), MSGPACK),
        (packed(SYNAPSES, step=1), MSGPACK),
        (packed(wide, step=10), MSGPACK),
        (packed(dict(reversed(SYNAPSES.items()))), MSGPACK),
    ]
    answers = [
        call("POST", "/v1/arrays?kind=synapses", content=body, headers=headers) for body, headers in bodies
    ]
    assert [answer.status_code for answer in answers] == [201] + 8 * [200]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["connectivity"]["source_stop"] == 8


def test_version_two_and_a_part_at_a_time(call, monkeypatch):
    monkeypatch.setattr(npz_container, "CHUNK", 2)
    values = np.arange(7, dtype="<u4")
    long = npy("'<u4'", "(7,)", values.tobytes(), version=2)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        body = zipped({"sources.npy": long, "targets.npy": long}, method)
        answer = call("POST", "/v1/arrays?kind=synapses", content=body, headers=NPZ)
        assert answer.json()["connectivity"]["source_stop"] == 7, answer.text
    same = call(
        "POST", "/v1/arrays?kind=synapses", content=npz({"sources": values, "targets": values}), headers=NPZ
    )
    assert same.json() == answer.json()


def test_an_object_array_is_never_unpickled(call, tmp_path):
    class Payload:
        def __reduce__(self):
            return Path.touch, (tmp_path / "pwned",)

    objects = np.array([Payload(), Payload()], dtype=object)
    pickled = pickle.dumps(objects)
    told = "must hold plain numbers, got 'object'; store each column on its own"
    for body in (
        npz({"sources": objects, "targets": SYNAPSES["targets"]}),
        sources(npy("'|O'", "(2,)", pickled)),
    ):
        assert malformed(call, body, NPZ) == f"sources.npy: {told}"
    assert malformed(call, sources(pickled), NPZ).startswith("sources.npy: must be a .npy file of version")
    assert malformed(call, pickled, NPZ) == (
        f"body: must be an npz file, got something that does not end as one; {SAVEZ}"
    )
    assert malformed(call, pickled, MSGPACK).startswith("body: must be")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "must have 8 bytes more, got 0; send the whole file"),
        (b"\x93NUMPY", "must have 8 bytes more, got 6; send the whole file"),
        (
            npy("'<u4'", "(2,)", bytes(8), version=3),
            f"must be a .npy file of version 1.0 or 2.0, got b'\\x93NUMPY\\x03\\x00'; {SAVEZ}",
        ),
        (
            b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little"),
            f"must have a header of at most 1024 bytes, got 4294967295; {SAVEZ}",
        ),
        (npy("'<u4'", "(2,)")[:20], "must have 58 bytes more, got 10; send the whole file"),
        (npy("'<u4'", "2"), f"must have a header as NumPy writes it, got an error: ValueError; {SAVEZ}"),
        (npy("'<u4'", "(2.5,)"), f"must have a header as NumPy writes it, got an error: ValueError; {SAVEZ}"),
        (
            npy("__import__('os')", "(2,)"),
            f"must have a header as NumPy writes it, got an error: ValueError; {SAVEZ}",
        ),
        (
            npy("-" * 900 + "1", "(2,)"),
            f"must have a header as NumPy writes it, got an error: ValueError; {SAVEZ}",
        ),
        (npy("'<u4'", "(2, 1)"), "must have one dimension, in C order, got (2, 1); ravel it"),
        (npy("'<u4'", "()"), "must have one dimension, in C order, got (); ravel it"),
        (npy("'<u4'", "(-2,)"), "must have one dimension, in C order, got (-2,); ravel it"),
        (
            npy("'<u4'", "(2,)", bytes(8), fortran=True),
            "must have one dimension, in C order, got (2,) in Fortran order; ravel it",
        ),
        (
            npy("[('a', '<u4')]", "(2,)", bytes(8)),
            "must hold plain numbers, got \"[('a', '<u4')]\"; store each column on its own",
        ),
        (
            npy("('<u4', (2,))", "(2,)", bytes(16)),
            "must hold plain numbers, got \"('<u4', (2,))\"; store each column on its own",
        ),
        (
            npy("'<u4'", "(2,)", bytes(7)),
            "must have 76 bytes for 2 entries of <u4, got 75; send the whole array",
        ),
        (
            npy("'<u4'", "(2,)", bytes(9)),
            "must have 76 bytes for 2 entries of <u4, got 77; send the whole array",
        ),
    ],
)
def test_members_that_are_no_columns(call, content, told):
    assert malformed(call, sources(content), NPZ) == f"sources.npy: {told}"


def test_a_member_that_is_no_npy_file(call):
    for name in ("sources", "sources.txt", "../../etc/passwd"):
        told = f"body: must hold .npy files, got {name!r}; {SAVEZ}"
        assert malformed(call, zipped({name: SOURCES}), NPZ) == told


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (
            {"weights.npy": npy("'<i8'", "(1,)", bytes(8))},
            "weights must hold float32 or float64, got 'int64'; convert it",
        ),
        (
            {"sources.npy": npy("'<f8'", "(1,)", bytes(8))},
            "sources must hold integers, got 'float64'; convert it",
        ),
        (
            {"sources.npy": npy("'|S4'", "(1,)", bytes(4))},
            "sources must hold integers, got '|S4'; convert it",
        ),
        ({"x/sources.npy": SOURCES}, f"{KNOWN} 'x/sources'; remove it"),
        ({"neurons.npy": SOURCES}, f"{KNOWN} 'neurons'; remove it"),
        ({}, "sources must be given, got no columns; add it"),
        ({"sources.npy": SOURCES}, "targets must be given, got only 'sources'; add it"),
        (
            {"sources.npy": SOURCES, "targets.npy": npy("'<u4'", "(3,)", bytes(12))},
            "targets must have as many entries as sources, 2, got 3; give one entry for each of the synapses",
        ),
        (
            TARGETS | {"sources.npy": npy("'<i4'", "(2,)", b"\0\0\0\0\xff\xff\xff\xff")},
            "sources[1] must be >= 0, got -1; neurons are counted from 0",
        ),
        (
            TARGETS | {"sources.npy": npy("'>i8'", "(1,)", b"\0\0\0\1\0\0\0\0")},
            "sources[0] must be < 4294967296, got 4294967296; neurons are counted from 0",
        ),
    ],
)
def test_columns_that_break_a_rule(call, members, told):
    status, slug, detail = refusal(call, zipped(members), NPZ)
    assert (status, slug, detail) == (422, "invalid-arrays", told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"weights": [1.0, np.nan, 0, 0]},
            "weights[1] must be a finite number, got nan; replace or remove it",
        ),
        (
            {"weights": [1.0, 0, np.inf, 0]},
            "weights[2] must be a finite number, got inf; replace or remove it",
        ),
        ({"delays_ms": [0.1, 0, 0, 0]}, "delays_ms[1] must be > 0, got 0; a delay is one tick or more"),
        (
            {"delays_ms": [0.1, 0.1, -0.1, 0]},
            "delays_ms[2] must be > 0, got -0.1; a delay is one tick or more",
        ),
    ],
)
def test_values_that_break_a_rule(call, changes, told):
    spoilt = SYNAPSES | {name: np.array(values, np.float64) for name, values in changes.items()}
    for body, headers in ((npz(spoilt), NPZ), (packed(spoilt), MSGPACK)):
        assert refusal(call, body, headers) == (422, "invalid-arrays", told)
    answer = call("POST", "/v1/arrays?kind=synapses", content=npz(spoilt), headers=NPZ)
    path, _, message = told.partition(" ")
    assert answer.json()["errors"] == [{"path": path, "message": message}]


def test_a_column_is_held_once(call):
    body = zipped({"sources.npy": SOURCES, "twourcy.npy": SOURCES}).replace(b"twourcy", b"sources")
    assert malformed(call, body, NPZ) == ("body: must hold each column once, got sources twice; remove one")


@pytest.mark.parametrize(("method", "number"), [(zipfile.ZIP_BZIP2, 12), (zipfile.ZIP_LZMA, 14)])
def test_other_ways_of_compressing(call, method, number):
    assert malformed(call, sources(SOURCES, method), NPZ) == (
        f"sources.npy: must be stored or deflated, got the method {number}; {SAVEZ}"
    )


def test_an_encrypted_member(call):
    body = bytearray(sources(SOURCES))
    central = body.index(b"PK\1\2")
    body[6] |= 1
    body[central + 8] |= 1
    assert malformed(call, bytes(body), NPZ) == (
        f"sources.npy: must not be encrypted, got an encrypted member; {SAVEZ}"
    )


def test_a_checksum_that_is_wrong(call):
    body = bytearray(zipped({"sources.npy": SOURCES, "targets.npy": SOURCES}))
    body[body.index(SOURCES) + len(SOURCES) - 1] ^= 1
    assert malformed(call, bytes(body), NPZ) == (
        f"sources.npy: must be a whole member, got an error: Bad CRC-32 for file 'sources.npy'; {SAVEZ}"
    )


def test_an_npz_cut_anywhere_or_with_something_behind_it(call):
    body = npz({"sources": SYNAPSES["sources"], "targets": SYNAPSES["targets"]}, compressed=True)
    for length in (0, 1, 21, 22, 30, len(body) // 2, len(body) - 1):
        told = malformed(call, body[:length], NPZ)
        assert told == f"body: must be an npz file, got something that does not end as one; {SAVEZ}"
    assert malformed(call, body + b"\0", NPZ).startswith("body: must be an npz file")
    end = body[-22:]
    assert malformed(call, body[: len(body) // 2] + end, NPZ).startswith(
        "body: must be an npz file, got an error:"
    )


@pytest.mark.parametrize("seed", range(40))
def test_an_npz_with_flipped_bytes(call, seed):
    """Nothing that a byte can do makes a fault of ours, or leaves a draft."""
    rng = np.random.default_rng(seed)
    body = bytearray(npz(SYNAPSES, compressed=bool(seed % 2)))
    for place in rng.integers(0, len(body), 3):
        body[place] ^= int(rng.integers(1, 256))
    answer = call("POST", "/v1/arrays?kind=synapses", content=bytes(body), headers=NPZ)
    assert answer.status_code in {200, 201, 400, 422}, answer.text
    assert list(call.fleet.data.glob("arrays/.*")) == []


def test_a_directory_without_end(call):
    entry = b"PK\1\2" + bytes(42)
    body = entry * 200_000
    end = (
        b"PK\5\6" + bytes(4) + (65_535).to_bytes(2, "little") * 2 + len(body).to_bytes(4, "little") + bytes(6)
    )
    assert malformed(call, body + end, NPZ) == (
        f"body: must have a directory of at most 8 members and 4096 bytes, got 65535 and {len(body)}; "
        "leave out all but the columns"
    )
    small = end[:8] + (1).to_bytes(2, "little") * 2 + (46).to_bytes(4, "little") + bytes(6)
    end_64 = b"PK\6\6" + (44).to_bytes(8, "little") + bytes(12) + (200_000).to_bytes(8, "little") * 2
    end_64 += len(body).to_bytes(8, "little") + bytes(8)
    locator = b"PK\6\7" + bytes(4) + len(body).to_bytes(8, "little") + (1).to_bytes(4, "little")
    assert malformed(call, body + end_64 + locator + small, NPZ) == (
        f"body: must have a directory of at most 8 members and 4096 bytes, got 200000 and {len(body)}; "
        "leave out all but the columns"
    )


def test_a_zip_in_a_zip(call):
    body = npz(SYNAPSES)
    for _ in range(3):
        body = zipped({"sources.npy": body}, zipfile.ZIP_DEFLATED)
    assert malformed(call, body, NPZ).startswith(
        "sources.npy: must be a .npy file of version 1.0 or 2.0, got b'PK"
    )


def _deflated(pieces: list[bytes]) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(deflate.compress(piece) for piece in pieces), deflate.flush()])


@pytest.mark.slow
def test_more_than_the_directory_says(call):
    """The member says that it has 8 bytes of entries; a hundred million come out of it."""
    header = SOURCES[:-8]
    bomb = _deflated([header, *(bytes(10**6) for _ in range(100))])
    honest = sources(SOURCES, zipfile.ZIP_DEFLATED)
    data = _deflated([SOURCES])
    place, directory = honest.index(data), honest.index(b"PK\1\2")
    local = honest[:18] + len(bomb).to_bytes(4, "little") + honest[22:place]
    central = (
        honest[directory : directory + 20] + len(bomb).to_bytes(4, "little") + honest[directory + 24 : -22]
    )
    end = honest[-22:-6] + len(local + bomb).to_bytes(4, "little") + b"\0\0"
    answer = refusal(call, local + bomb + central + end, NPZ)
    # What the directory says is read and no more; it happens to be the column, and the other one is missing.
    assert answer == (422, "invalid-arrays", "targets must be given, got only 'sources'; add it")


@pytest.mark.parametrize("n", [2**31, 2**53, 2**63 - 1])
def test_more_entries_than_an_upload_may_have(call, n):
    told = (
        f"upload: upload_entries must be at most 1000000000, the estimate is {n}; make it smaller, "
        "or ask the operator to raise SPIKERACK_LIMITS__UPLOAD_ENTRIES"
    )
    header = npy("'<u4'", f"({n},)")
    for body, headers in ((sources(header), NPZ), (first(n=n), MSGPACK)):
        assert refusal(call, body, headers) == (422, "over-limit", told)


def test_a_number_of_entries_beyond_all_integers(call):
    header = npy("'<u4'", f"({10**300},)")
    assert refusal(call, sources(header), NPZ)[:2] == (422, "over-limit")


def test_all_columns_together_have_a_limit(call):
    n = 900_000_000
    body = msgpack.packb(
        {"kind": "synapses", "n": n, "columns": {"sources": "<u4", "targets": "<u4", "weights": "<f8"}}
    )
    assert refusal(call, body, MSGPACK) == (
        422,
        "over-limit",
        f"upload: upload_bytes must be at most {8 * 2**30}, the estimate is {16 * n}; make it smaller, "
        "or ask the operator to raise SPIKERACK_LIMITS__UPLOAD_BYTES",
    )


def test_random_bytes(call):
    junk = os.urandom(1000)
    for headers in (NPZ, MSGPACK):
        assert refusal(call, junk, headers)[:2] == (400, "malformed-request")
