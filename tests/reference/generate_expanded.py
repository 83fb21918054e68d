"""Makes the rule-made networks' spikes: chips expand the rules, NEST runs what came out, synapse by synapse.

The only generator that needs the project, and its compiled kernels, beside NEST.
"""

from collections.abc import Callable

from tests.reference.expanded import FOLDER, NETWORKS, as_case
from tests.reference.expanding import expand
from tests.reference.nest_peer import with_nest_spikes


def generate_expanded(show: Callable[[str], None]) -> None:
    """Write all cases, with NEST's spikes."""
    FOLDER.mkdir(exist_ok=True)
    for name, described in NETWORKS.items():
        case = with_nest_spikes(as_case(described, expand(described, n_chips=1)))
        path = case.save(FOLDER)
        show(f"{name}: {case}, {path.stat().st_size} bytes")
