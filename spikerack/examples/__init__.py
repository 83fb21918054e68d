"""The bundled examples: functions from a scale and a seed to a `network.Network`.

Each is one file with the numbers of its publication; start reading at `spikerack.examples.brunel`, the
shortest. `EXAMPLES` holds them by the name that the command line knows.
"""

from collections.abc import Callable

from network import Network
from spikerack.examples.brunel import brunel
from spikerack.examples.cuba import cuba
from spikerack.examples.microcircuit import microcircuit
from spikerack.examples.million import million

EXAMPLES: dict[str, Callable[..., Network]] = {
    "brunel": brunel,
    "cuba": cuba,
    "microcircuit": microcircuit,
    "million": million,
}
"""The examples by name; each takes ``scale=1.0, seed=1`` and options of its own."""

__all__ = ["EXAMPLES", "brunel", "cuba", "microcircuit", "million"]
