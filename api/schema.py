"""The database's schema as a list of migrations: what is released is never edited, only added to."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        secret_sha256 BLOB NOT NULL,
        scopes TEXT NOT NULL,
        created TEXT NOT NULL,
        expires TEXT
    ) STRICT;
    CREATE TABLE networks (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        n_neurons INTEGER NOT NULL,
        n_synapses_expected INTEGER NOT NULL,
        timestep_ms REAL NOT NULL,
        seed INTEGER NOT NULL,
        created TEXT NOT NULL
    ) STRICT;
    CREATE INDEX networks_of_owner ON networks (owner);
    CREATE INDEX networks_of_blob ON networks (sha256);
    CREATE TABLE deployments (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        network_id TEXT REFERENCES networks (id) ON DELETE SET NULL,
        network_name TEXT NOT NULL,
        timestep_ms REAL NOT NULL,
        system TEXT NOT NULL,
        chips INTEGER NOT NULL,
        placement TEXT NOT NULL,
        precision TEXT NOT NULL,
        n_neurons INTEGER NOT NULL,
        n_synapses INTEGER NOT NULL,
        memory_bytes INTEGER NOT NULL,
        created TEXT NOT NULL,
        ended TEXT,
        failure TEXT,
        released TEXT
    ) STRICT;
    CREATE INDEX deployments_of_owner ON deployments (owner);
    CREATE INDEX deployments_of_network ON deployments (network_id);
    CREATE INDEX live_deployments ON deployments (ended) WHERE ended IS NULL;
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        deployment_id TEXT NOT NULL REFERENCES deployments (id),
        duration_ms REAL NOT NULL,
        timestep_ms REAL NOT NULL,
        n_ticks INTEGER NOT NULL,
        created TEXT NOT NULL,
        ended TEXT
    ) STRICT;
    CREATE INDEX runs_of_owner ON runs (owner);
    CREATE INDEX runs_of_deployment ON runs (deployment_id);
    CREATE INDEX live_runs ON runs (ended) WHERE ended IS NULL;
    CREATE TABLE answers (
        owner TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        request_sha256 BLOB NOT NULL,
        created TEXT NOT NULL,
        status INTEGER,
        headers TEXT,
        body BLOB,
        PRIMARY KEY (owner, idempotency_key)
    ) STRICT;
    """,
    """
    CREATE TABLE arrays (
        id TEXT NOT NULL,
        owner TEXT NOT NULL,
        kind TEXT NOT NULL,
        n INTEGER NOT NULL,
        n_bytes INTEGER NOT NULL,
        columns TEXT NOT NULL,
        described TEXT NOT NULL,
        created TEXT NOT NULL,
        PRIMARY KEY (owner, id)
    ) STRICT;
    CREATE INDEX arrays_of_content ON arrays (id);
    CREATE TABLE network_arrays (
        network_id TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
        array_id TEXT NOT NULL,
        PRIMARY KEY (network_id, array_id)
    ) STRICT;
    CREATE INDEX networks_of_arrays ON network_arrays (array_id);
    """,
)
