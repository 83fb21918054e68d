"""What an operator can set, from the environment (prefix ``SPIKERACK_``)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cluster.hostmemory import host_memory

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _memory_budget() -> int:
    """Four fifths of what the host or container has: the rest is for Ray, the gateway and the file cache."""
    return int(host_memory() * 0.8)


class Limits(BaseModel):
    """What is refused before anything is allocated. Counts are for each owner unless said otherwise."""

    body_bytes: int = Field(default=32 * 2**20, ge=1, description="Largest body that describes a network.")
    small_body_bytes: int = Field(default=2**16, ge=1, description="Largest body of every other request.")
    neurons: int = Field(default=16_000_000, ge=1, description="Neurons of one network.")
    synapses: int = Field(default=4_000_000_000, ge=1, description="Expected synapses of one network.")
    memory_bytes: int = Field(
        default_factory=_memory_budget,
        ge=1,
        description="Estimated memory of all live deployments of all owners, and so the most of one.",
    )
    upload_bytes: int = Field(
        default=8 * 2**30, ge=1, description="Largest upload of arrays, as it is sent and as it is stored."
    )
    upload_entries: int = Field(
        default=1_000_000_000, ge=1, description="Synapses or spikes of one upload of arrays."
    )
    uploads: int = Field(default=2, ge=1, description="Uploads of arrays at once.")
    arrays: int = Field(default=1_000, ge=1, description="Stored arrays.")
    array_bytes: int = Field(default=64 * 2**30, ge=1, description="Bytes of all stored arrays.")
    duration_ms: float = Field(default=3_600_000.0, gt=0, description="Longest run, in biological time.")
    free_disk_bytes: int = Field(
        default=2**30, ge=0, description="Room on the disk that a run needs to start."
    )
    networks: int = Field(default=1_000, ge=1, description="Stored networks.")
    deployments: int = Field(default=16, ge=1, description="Live deployments.")
    runs: int = Field(default=16, ge=1, description="Runs that have not ended.")
    sockets: int = Field(default=32, ge=1, description="Open stream websockets.")
    spikes_a_page: int = Field(default=5_000_000, ge=1, description="Most spikes in one answer.")


class Streaming(BaseModel):
    """The pace of the spike streams."""

    frame_ms: float = Field(
        default=25.0, ge=16, le=33, description="Time between two data frames of a live run."
    )
    queue_frames: int = Field(default=16, ge=2, description="Frames that wait for one viewer.")
    heartbeat_s: float = Field(default=1.0, gt=0, description="A viewer hears something at least this often.")
    lossless_timeout_s: float = Field(default=10.0, gt=0, description="Longest send to a lossless viewer.")
    latest_timeout_s: float = Field(default=60.0, gt=0, description="Longest send to a viewer that skips.")


class Settings(BaseSettings):
    """The gateway's settings; nested ones as in ``SPIKERACK_LIMITS__NEURONS=1000``."""

    model_config = SettingsConfigDict(
        env_prefix="SPIKERACK_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    data: Path = Field(default=Path("spikerack-data"), description="The data folder.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8787, ge=0, le=65535, description="Port to listen on; 0 for any free one.")
    auth: bool = Field(default=True, description="Whether API keys are asked for.")
    key_file: Path | None = Field(
        default=None, description="Where the first key is also written, with mode 0600."
    )
    origins: tuple[str, ...] = Field(
        default=(), description="Exact origins whose web pages may open streams, as https://example.org."
    )
    backend: Literal["ray", "local"] = Field(
        default="ray", description="Ray actors, or threads of the gateway."
    )
    ray_address: str | None = Field(
        default=None, description="Address of the Ray head; None asks Ray to find it."
    )
    poll_s: float = Field(default=0.5, gt=0, description="Time between two looks for lost deployments.")
    limits: Limits = Limits()
    streaming: Streaming = Streaming()

    @model_validator(mode="after")
    def _open_only_at_home(self) -> Self:
        if not self.auth and self.host not in LOOPBACK:
            raise ValueError(
                f"SPIKERACK_AUTH: may be off only on a loopback host, got host {self.host!r}; "
                "set SPIKERACK_HOST=127.0.0.1 or leave SPIKERACK_AUTH on"
            )
        return self
