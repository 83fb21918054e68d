from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from api.blobs import BlobStore
from api.errors import NotFound
from api.records import Records
from api.schema import MIGRATIONS
from api.storage import Storage, make_private


@pytest.fixture
def storage(tmp_path):
    storage = Storage(tmp_path / "data")
    yield storage
    storage.close()


def _pragma(storage, name):
    return next(iter(storage.query(f"PRAGMA {name}")[0].values()))


def test_the_database_is_set_up(storage, tmp_path):
    assert _pragma(storage, "journal_mode") == "wal"
    assert _pragma(storage, "foreign_keys") == 1
    assert _pragma(storage, "synchronous") == 2
    assert next(iter(storage.query("PRAGMA busy_timeout")[0].values())) == 5000
    assert _pragma(storage, "user_version") == len(MIGRATIONS)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_folder_that_was_open_is_closed(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    tmp_path.chmod(0o755)
    Storage(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_folder_of_another_user(tmp_path, monkeypatch):
    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", denied)
    with pytest.raises(RuntimeError) as caught:
        make_private(tmp_path)
    assert str(caught.value) == (
        f"data folder {tmp_path}: must belong to user {os.geteuid()}, who runs the gateway, "
        f"got {tmp_path.stat().st_uid}; change its owner or set SPIKERACK_DATA"
    )


def test_a_second_gateway_is_kept_away(storage, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        Storage(tmp_path / "data")
    assert str(caught.value) == (
        f"data folder {tmp_path / 'data'}: one gateway may use it, another does; "
        "stop it or set SPIKERACK_DATA"
    )


def test_a_newer_schema_is_left_alone(tmp_path):
    Storage(tmp_path).close()
    with sqlite3.connect(tmp_path / "gateway.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RuntimeError) as caught:
        Storage(tmp_path)
    assert str(caught.value) == (
        f"data folder: schema version must be at most {len(MIGRATIONS)}, got 99; "
        "start the newer version that wrote it"
    )


def test_a_failed_transaction_leaves_nothing(storage):
    records = Records(storage)
    sql = "INSERT INTO answers (owner, idempotency_key, request_sha256, created) VALUES ('o', 'k', x'00', '')"
    with pytest.raises(sqlite3.IntegrityError), records.transaction(), records.transaction():
        storage.execute(f"{sql}, ('o', 'k', x'00', '')")
    assert storage.query("SELECT * FROM answers") == []


def test_a_run_needs_its_deployment(storage):
    row = {
        "id": "r",
        "deployment_id": "none",
        "duration_ms": 1.0,
        "timestep_ms": 0.1,
        "n_ticks": 10,
        "created": "",
    }
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        Records(storage).add("runs", "own", row)


def test_records_of_another_owner_are_not_there(storage):
    records = Records(storage)
    row = {
        "id": "net_1",
        "name": "n",
        "sha256": "00",
        "n_neurons": 1,
        "n_synapses_expected": 0,
        "timestep_ms": 0.1,
        "seed": 2**63 - 1,
        "created": "",
    }
    assert records.add("networks", "mine", row)["seed"] == 2**63 - 1
    for act in (records.one, records.remove, records.change):
        with pytest.raises(NotFound) as caught:
            act("networks", "other", "net_1")
        assert str(caught.value) == (
            "network: must be the id of one of your networks, got 'net_1'; list them at /v1/networks"
        )
    assert records.count("networks", "other") == 0
    assert records.page("networks", "other", limit=9) == []
    assert records.one("networks", "mine", "net_1")["name"] == "n"


def test_blobs_are_named_by_what_they_hold(tmp_path):
    blobs = BlobStore(tmp_path / "blobs")
    digest = blobs.put(b"spikes")
    assert digest == hashlib.sha256(b"spikes").hexdigest()
    assert blobs.put(b"spikes") == digest
    assert blobs.get(digest) == b"spikes"
    assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == [digest]
    blobs.delete(digest)
    blobs.delete(digest)
    with pytest.raises(FileNotFoundError):
        blobs.get(digest)


def test_a_spoilt_blob_is_noticed(tmp_path):
    blobs = BlobStore(tmp_path)
    digest = blobs.put(b"spikes")
    (tmp_path / digest[:2] / digest).write_bytes(b"spoilt")
    with pytest.raises(OSError, match="blob") as caught:
        blobs.get(digest)
    assert str(caught.value) == (
        f"blob {digest}: content must have the SHA-256 of its name, and has not; restore the file"
    )


def test_a_blob_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    blobs = BlobStore(tmp_path)

    def broken(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="no space left"):
        blobs.put(b"spikes")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_everything_outlives_the_gateway(fleet, call, restart):
    run_id = call.run()
    fleet.advance(run_id, 100, [(5, 1)])
    fleet.end(run_id)
    paths = [f"/v1/runs/{run_id}", f"/v1/runs/{run_id}/spikes", "/v1/networks", "/v1/deployments", "/v1/keys"]
    before = [call("GET", path).json() for path in paths]
    again = restart()
    assert [again("GET", path).json() for path in paths] == before
