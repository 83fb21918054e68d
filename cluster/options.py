"""How a network is to be put on a system."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Placement = Literal["default", "consecutive", "shuffled"]
Precision = Literal["float32", "float64"]


class DeployOptions(BaseModel):
    """Choices of a deployment that change speed and precision, never which network is emulated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chips: int = Field(default=1, ge=1, le=4096, description="Chips to use, the first of the system's tree.")
    placement: Placement = Field(
        default="default",
        description="`default` gives each chip an equal share of every population; `consecutive` gives chip "
        "k the k-th equal share of all neurons in order of declaration; `shuffled` deals finer slices to "
        "chips at random (keyed by the network's seed).",
    )
    precision: Precision = Field(default="float32", description="Arithmetic of the neurons' state.")
