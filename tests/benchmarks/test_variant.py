"""Variants of the engine: which statements count, and that the changed engine counts none."""

import ast
from pathlib import Path

import pytest

from benchmarks import variant
from benchmarks.network_run import NetworkRun, described, run
from benchmarks.process import ROOT
from benchmarks.variant import VariantError, drop_counting, environment, uncounted
from benchmarks.waiting import make, waited
from spikerack.examples import brunel

QUICKLY = {"NUMBA_OPT": "0"}
"""Variants are compiled anew whenever they are made: here without optimising."""

SOURCE = """
def kernel(counters, port, flight):
    total = 0
    counters[SENT] += n_words
    chip.output.counters[DELIVERED] += deliver(slots, tick)
    counters[N_SPIKES] += 1
    port.received[0] += end - begin
    state[IN_USE] += 1
    total += np.int64(end) - np.int64(begin)
    total += walk(segments)
    place += 1
    return total
"""

WITHOUT = """
def kernel(counters, port, flight):
    total = 0
    pass
    deliver(slots, tick)
    counters[N_SPIKES] += 1
    pass
    state[IN_USE] += 1
    pass
    walk(segments)
    place += 1
    return total
"""


def test_statements_that_count_are_taken_out_and_what_they_call_is_kept() -> None:
    tree = ast.parse(SOURCE)
    assert drop_counting(tree) == {"counters", "received", "total"}
    assert ast.unparse(ast.fix_missing_locations(tree)) == WITHOUT.strip()


def test_an_engine_that_counts_elsewhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variant, "COUNTING", ("cluster/options.py",))
    with pytest.raises(VariantError) as refused:
        uncounted(tmp_path)
    assert str(refused.value) == (
        "variant without counting: sources must count in counters, entry_events, received, found no such "
        "statement; see where runs are counted now and name it in benchmarks/variant.py"
    )


@pytest.mark.slow
def test_the_variant_counts_nothing_and_fires_the_same_spikes(tmp_path: Path) -> None:
    asked = NetworkRun(described(brunel(0.01)), 200, {"chips": 2})
    folder = uncounted(tmp_path / "variant")
    without, counting = run(asked, folder=folder, environment=environment(folder) | QUICKLY), run(asked)
    assert (without.package, counting.package) == (str(folder), str(ROOT))
    assert without.summary["digest"] == counting.summary["digest"]
    assert counting.summary["state"] == "complete"
    assert counting.summary["n_spikes"] > 0
    assert min(counting.events, counting.traffic) > 0
    assert (without.events, without.traffic) == (0, 0)


@pytest.mark.slow
def test_workers_wait_for_a_share_of_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_OPT", QUICKLY["NUMBA_OPT"])
    folder = make(tmp_path / "variant")
    shares = waited(NetworkRun(described(brunel(0.02)), 2_000, {"chips": 2}), folder)
    assert len(shares) == 2
    assert all(0.0 < share < 1.0 for share in shares)
