"""Makes committed reference data anew: `python -m tests.reference.generate [STEP ...]`, all steps but `full`.

Runs in the environment that `make reference` builds, and imports numpy and nest-simulator only; the step
`expanded` imports the project, too.
"""

import sys

from tests.reference.generate_currents import current_cases
from tests.reference.generate_delta_edges import delta_edge_cases
from tests.reference.generate_exp_edges import exp_edge_cases
from tests.reference.generate_last_bit import last_bit_cases
from tests.reference.generate_microcircuit import measure
from tests.reference.generate_recurrent import recurrent_cases
from tests.reference.generate_rules import generate_rules
from tests.reference.generate_statistics import measure_statistics
from tests.reference.nest_peer import with_nest_spikes


def show(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def generate_cases() -> None:
    """Write the cases with NEST's spikes."""
    for case in (
        *recurrent_cases(),
        *delta_edge_cases(),
        *exp_edge_cases(),
        *last_bit_cases(),
        *current_cases(),
    ):
        path = with_nest_spikes(case).save()
        show(f"{path.name}: {path.stat().st_size} bytes")


def expanded() -> None:
    """Write the rule-made cases; the project is imported for them alone."""
    from tests.reference.generate_expanded import generate_expanded

    generate_expanded(show)


STEPS = {
    "cases": generate_cases,
    "expanded": expanded,
    "rules": lambda: generate_rules(show),
    "microcircuit": lambda: measure(show),
    "statistics": lambda: measure_statistics(0.1, "poisson", 5, show),
    "full": lambda: measure_statistics(1.0, "dc", 4, show),
}


def main(wanted: list[str]) -> None:
    """Generate what is wanted, or all but what takes most of an hour."""
    for name in wanted or [name for name in STEPS if name != "full"]:
        STEPS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
