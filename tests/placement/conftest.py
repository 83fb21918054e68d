from __future__ import annotations

from tests.cluster.conftest import kernels

__all__ = ["kernels"]
