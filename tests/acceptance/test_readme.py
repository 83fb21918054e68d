"""The README's Python example, run as it stands there on a service."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from spikerack.launch import Launched
from tests.readme import block

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_the_python_example_prints_what_it_says(service: Launched) -> None:
    access = {"SPIKERACK_URL": service.url, "SPIKERACK_API_KEY": service.api_key}
    result = subprocess.run(
        [sys.executable, "-c", block("From Python", 0)],
        env=os.environ | access,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == (block("From Python", 1), "")
