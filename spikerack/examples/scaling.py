"""The scale of an example: what it may be, and how sizes follow it."""

from __future__ import annotations

from network import NetworkError


def check_scale(scale: float) -> None:
    """Refuse a scale that is not above 0 and at most 1.

    Raises
    ------
    NetworkError
        It is not.
    """
    if not 0 < scale <= 1:
        raise NetworkError([("scale", f"must be > 0 and <= 1, got {scale}; 1 is the published size")])


def scaled(full: float, scale: float) -> int:
    """Return a size or in-degree at `scale`: rounded half to even as NumPy does, and 1 at least."""
    return max(1, round(full * scale))
