"""What a running gateway is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.blobs import BlobStore
from api.keys import KeyRing
from api.limits import Held
from api.metrics import Metrics
from api.records import Records
from api.settings import Settings
from api.storage import Storage
from api.tickets import Tickets
from cluster import Fleet
from cluster.arrays import ArrayStore, arrays_of


@dataclass
class Gateway:
    """The parts that requests share. The chips are behind `fleet`, and not part of this process."""

    settings: Settings
    fleet: Fleet
    metrics: Metrics
    storage: Storage
    records: Records = field(init=False)
    keys: KeyRing = field(init=False)
    blobs: BlobStore = field(init=False)
    tickets: Tickets = field(default_factory=Tickets)
    arrays: ArrayStore = field(init=False)
    sockets: Held = field(init=False)
    uploads: Held = field(init=False)

    def __post_init__(self) -> None:
        self.records = Records(self.storage)
        self.keys = KeyRing(self.storage)
        self.blobs = BlobStore(self.settings.data / "blobs")
        self.arrays = ArrayStore(arrays_of(self.settings.data))
        limits = self.settings.limits
        self.sockets = Held(limits.sockets, what="stream sockets", instead="close one")
        self.uploads = Held(limits.uploads, what="uploads at once", instead="wait for one to end")

    def deployment_folder(self, deployment_id: str) -> Path:
        """Where the deployment's record is."""
        return self.settings.data / "deployments" / deployment_id

    def run_folder(self, run_id: str) -> Path:
        """Where the run's files are."""
        return self.settings.data / "runs" / run_id


def _gateway(connection: HTTPConnection) -> Gateway:
    return cast(Gateway, connection.app.state.gateway)


TheGateway = Annotated[Gateway, Depends(_gateway)]
"""The gateway, as a parameter of a route."""
