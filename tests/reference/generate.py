"""Makes all committed reference data anew: `python -m tests.reference.generate [cases | microcircuit]`.

Runs in the environment that `make reference` builds, with numpy and nest-simulator only.
"""

import sys

from tests.reference.generate_delta_edges import delta_edge_cases
from tests.reference.generate_exp_edges import exp_edge_cases
from tests.reference.generate_last_bit import last_bit_cases
from tests.reference.generate_microcircuit import measure
from tests.reference.generate_recurrent import recurrent_cases
from tests.reference.nest_peer import with_nest_spikes


def show(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def generate_cases() -> None:
    """Write the cases with NEST's spikes."""
    for case in (*recurrent_cases(), *delta_edge_cases(), *exp_edge_cases(), *last_bit_cases()):
        path = with_nest_spikes(case).save()
        show(f"{path.name}: {path.stat().st_size} bytes")


def main(wanted: list[str]) -> None:
    """Generate what is wanted, or all of it."""
    steps = {"cases": generate_cases, "microcircuit": lambda: measure(show)}
    for name in wanted or steps:
        steps[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
