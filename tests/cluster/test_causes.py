"""What the record of a deployment says of each error that can end its building."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import ray.exceptions

from chip import SlotOverflow
from cluster.causes import cause_of
from cluster.errors import ArraysLost, DeploymentLost

CHIP = "chip (board 0, chip 1)"
GONE = "0a: must be in the store, and are not; upload them"
OVERFLOW = SlotOverflow("cells", "delta", 3, 2**31, 2**31 - 1, "projection 0")
REPORT = "report it with the network's id"


def remote(error: Exception) -> Exception:
    """An error of an actor as `ray.get` raises it."""
    raised: Exception = ray.exceptions.RayTaskError("build", "Traceback", error).as_instanceof_cause()
    return raised


def lost(cause: Exception) -> DeploymentLost:
    """The error of a team of actors whose chip has failed."""
    problem = DeploymentLost(f"{CHIP}: {cause}")
    problem.__cause__ = remote(cause)
    return problem


def too_large() -> MemoryError:
    """What NumPy raises; no host has a pebibyte."""
    with pytest.raises(MemoryError) as caught:
        np.empty(2**50, np.uint8)
    return caught.value


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        (
            too_large(),
            "chips: must be built within the host's free memory, got a need of 1.00 PiB; "
            "use more chips or release deployments",
        ),
        (
            lost(too_large()),
            f"{CHIP}: must be built within the host's free memory, got a need of 1.00 PiB; "
            "use more chips or release deployments",
        ),
        (
            MemoryError(),
            "chips: must be built within the host's free memory, got a need of more than that; "
            "use more chips or release deployments",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "disk: must have room for what is built, got none; "
            "delete runs or arrays, or ask the operator for room",
        ),
        (
            lost(OSError(errno.ENOSPC, "No space left on device")),
            "disk: must have room for what is built, got none; "
            "delete runs or arrays, or ask the operator for room",
        ),
        (OSError(errno.EIO, "Input/output error"), f"[Errno 5] Input/output error; {REPORT}"),
        (ZeroDivisionError("division by zero"), f"division by zero; {REPORT}"),
        (AssertionError(), f"AssertionError; {REPORT}"),
        (lost(ZeroDivisionError("division by zero")), f"{CHIP}: division by zero; {REPORT}"),
        (DeploymentLost(f"{CHIP}: its process died"), f"{CHIP}: its process died; {REPORT}"),
        (ArraysLost(f"arrays {GONE}"), f"arrays {GONE}"),
        (OVERFLOW, str(OVERFLOW)),
        (lost(OVERFLOW), f"{CHIP}: {OVERFLOW}"),
        (lost(ArraysLost(f"arrays {GONE}")), f"{CHIP}: arrays {GONE}"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_causes(problem: Exception, cause: str) -> None:
    assert cause_of(problem) == f"building failed: {cause}"
