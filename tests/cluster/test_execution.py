"""A run: how far it goes at a time, its certificate, its record, its recordings."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import cluster.execution
from cluster import DeployOptions, RunOutcome, run_local
from cluster.execution import engine_version, run_meta
from cluster.plan import Plan
from cluster.recordings import Recordings
from cluster.team import ThreadTeam
from cluster.worker import Advance
from network import SpikeDigest, parse_network
from tests.cluster.executions import run_with
from tests.cluster.samples import everything_network, pair, plan_of

pytestmark = pytest.mark.usefixtures("kernels")

EVERY = everything_network()


class TimedTeam(ThreadTeam):
    """Does nothing, in so many seconds a tick of a clock of its own."""

    def __init__(self, plan: Plan, seconds_a_tick: float) -> None:
        super().__init__(plan)
        self.seconds_a_tick, self.clock, self.tick = seconds_a_tick, 0.0, 0
        self.sizes: list[int] = []

    def advance(self, until: int) -> list[Advance]:
        self.sizes.append(until - self.tick)
        self.clock += self.sizes[-1] * self.seconds_a_tick
        self.tick = until
        return [Advance(until, np.zeros(0, np.uint64), [])]


@pytest.mark.parametrize(
    ("seconds_a_tick", "settled"), [(1e-3, 30), (1e-4, 300), (7e-6, 4285), (1.0, 1), (1e-12, 100_000)]
)
def test_an_advance_takes_some_tens_of_milliseconds(
    monkeypatch: pytest.MonkeyPatch, seconds_a_tick: float, settled: int
) -> None:
    team = TimedTeam(plan_of(parse_network(pair())), seconds_a_tick)
    monkeypatch.setattr(cluster.execution, "time", SimpleNamespace(perf_counter=lambda: team.clock))
    record, _ = run_with(team, 1_000_000 if settled > 1000 else 100 * settled + 200)
    assert record["state"] == "complete"
    assert sum(team.sizes) == record["tick"] == record["n_ticks"]
    assert all(after <= 4 * before for before, after in zip(team.sizes, team.sizes[1:], strict=False))
    usual = team.sizes[8:-1]
    assert len(usual) > 5
    assert all(abs(size - settled) <= 1 for size in usual[1:])


def brute_force(outcome: RunOutcome, plan: Plan) -> int:
    """Address events by the description: for each spike, the chips with targets of its population."""
    numbers = {member.name: k for k, member in enumerate(plan.network.members)}
    reached: list[set[int]] = [set() for _ in numbers]
    for projection in plan.network.projections:
        target = numbers[projection.target]
        chips = {c for c, own in enumerate(plan.placement) if any(p.member == target for p in own)}
        reached[numbers[projection.source]] |= chips
    member = np.searchsorted(plan.member_first, outcome.neuron, side="right") - 1
    return sum(len(reached[m]) for m in member.tolist())


@pytest.mark.parametrize(("chips", "placement"), [(1, "default"), (3, "default"), (8, "shuffled")])
def test_every_event_is_accounted_for(chips: int, placement: str) -> None:
    options = DeployOptions(chips=chips, placement=placement)
    outcome = run_local(EVERY, n_ticks=503, options=options)
    certificate = outcome.summary["conservation"]
    assert (outcome.summary["state"], certificate["holds"], certificate["lossless"]) == (
        "complete",
        True,
        True,
    )
    address, synaptic = certificate["address_events"], certificate["synaptic_events"]
    plan = plan_of(EVERY, chips, placement=placement)
    assert address["sent"] == brute_force(outcome, plan) > 500
    assert address["delivered"] + address["in_flight"] == address["sent"]
    assert synaptic["delivered"] + synaptic["in_flight"] == synaptic["sent"] > 10_000
    # Ticks 500 to 502 are of an epoch that has begun: its keys are in the mailboxes.
    assert (address["in_flight"] > 0) == (chips > 1)
    assert synaptic["in_flight"] > 0


def test_synaptic_events_do_not_depend_on_the_placement() -> None:
    sent = [
        run_local(EVERY, n_ticks=503, options=DeployOptions(chips=chips)).summary["conservation"][
            "synaptic_events"
        ]["sent"]
        for chips in (1, 5)
    ]
    assert sent[0] == sent[1] > 10_000


def test_the_record_says_what_the_spikes_say() -> None:
    n_ticks = 777
    outcome = run_local(EVERY, n_ticks=n_ticks, options=DeployOptions(chips=2))
    record = outcome.summary
    digest = SpikeDigest(0.1, n_ticks, EVERY.n_neurons)
    digest.update(outcome.tick, outcome.neuron)
    assert record["digest"] == digest.hexdigest()
    assert record["n_spikes"] == outcome.tick.size == outcome.neuron.size
    assert (record["tick"], record["n_ticks"], record["progress"]) == (n_ticks, n_ticks, 1.0)
    assert record["realtime_factor"] == pytest.approx(record["run_seconds"] / 0.0777)
    assert (record["error"], record["engine_version"]) == (None, engine_version())
    assert record["started"] <= record["ended"]
    counts = np.bincount(outcome.neuron, minlength=EVERY.n_neurons)
    assert list(record["rates_hz"]) == ["exc", "inh", "leaky", "drive", "probe"]
    for member, first in zip(EVERY.members, EVERY.offsets.values(), strict=True):
        expected = counts[first : first + member.size].sum() / member.size / 0.0777
        assert record["rates_hz"][member.name] == pytest.approx(expected)
        assert expected > 0


def test_a_run_of_no_ticks() -> None:
    outcome = run_local(EVERY, n_ticks=0, options=DeployOptions(chips=2))
    record = outcome.summary
    assert (record["state"], record["tick"], record["progress"]) == ("complete", 0, 1.0)
    assert (record["rates_hz"], record["realtime_factor"], record["n_spikes"]) == (None, None, 0)
    assert [states.shape for states in outcome.states] == [(0, 2, 13), (0, 1, 3)]


@pytest.fixture(scope="module")
def recorded() -> list[np.ndarray]:
    return run_local(EVERY, n_ticks=300).states


@pytest.mark.parametrize("placement", ["default", "shuffled"])
@pytest.mark.parametrize("chips", [2, 3, 8])
def test_recordings_do_not_depend_on_the_placement(
    recorded: list[np.ndarray], chips: int, placement: str
) -> None:
    outcome = run_local(EVERY, n_ticks=300, options=DeployOptions(chips=chips, placement=placement))
    assert [states.shape for states in outcome.states] == [(60, 2, 13), (300, 1, 3)]
    for mine, theirs in zip(outcome.states, recorded, strict=True):
        assert np.array_equal(mine, theirs)
        assert np.ptp(mine) > 1.0


def test_recorded_potentials_are_those_of_the_equation() -> None:
    """A neuron without input decays from its initial potential to rest."""
    network = pair(projections=[])
    for population in network["populations"]:
        population["initial"] = {"v_mv": {"kind": "uniform", "low": -64, "high": -51}}
    network["recordings"] = [
        {
            "kind": "state",
            "population": name,
            "variables": ["v_mv"],
            "neurons": {"start": 1, "stop": 10, "step": 4},
            "interval_ms": interval,
        }
        for name, interval in (("second", 1.0), ("first", 4.0))
    ]
    network = parse_network(network)
    each, fourth = run_local(network, n_ticks=41, options=DeployOptions(chips=2, precision="float64")).states
    assert (each.shape, fourth.shape) == ((41, 1, 3), (10, 1, 3))
    for values, every in ((each, 1), (fourth, 4)):
        ticks = np.arange(len(values)) * every
        decay = np.exp(-ticks / 10.0)[:, None]
        assert values[:, 0] + 65 == pytest.approx((values[0, 0] + 65) * decay, rel=1e-12)
    at_start = (each[0, 0] + 65) * math.exp(0.1)
    assert np.all((at_start >= 1) & (at_start <= 14))
    assert np.unique(at_start).size == 3


def test_a_recording_of_no_neurons_is_empty() -> None:
    network = pair()
    network["recordings"] = [
        {
            "kind": "state",
            "population": "second",
            "variables": ["v_mv"],
            "neurons": {"start": 4, "stop": 4},
            "interval_ms": 1.0,
        }
    ]
    (states,) = run_local(parse_network(network), n_ticks=5).states
    assert states.shape[1:] == (1, 0)


def test_what_readers_need_to_know() -> None:
    plan = plan_of(EVERY, 3, placement="shuffled")
    meta = run_meta(plan, "r9", 1234, Recordings.of(EVERY, [[]] * 3))
    assert meta == {
        "run": "r9",
        "timestep_ms": 0.1,
        "n_ticks": 1234,
        "n_neurons": 243,
        "seed": 7,
        "engine_version": engine_version(),
        "populations": [
            {"name": "exc", "first": 0, "size": 120, "kind": "population"},
            {"name": "inh", "first": 120, "size": 40, "kind": "population"},
            {"name": "leaky", "first": 160, "size": 50, "kind": "population"},
            {"name": "drive", "first": 210, "size": 30, "kind": "source"},
            {"name": "probe", "first": 240, "size": 3, "kind": "source"},
        ],
        "recorded": None,
        "recordings": [
            {
                "kind": "state",
                "population": "exc",
                "variables": ["v_mv", "i_ex_pa"],
                "start": 1,
                "stop": 118,
                "step": 9,
                "n_neurons": 13,
                "interval_ticks": 5,
            },
            {
                "kind": "state",
                "population": "leaky",
                "variables": ["v_mv"],
                "start": 0,
                "stop": 3,
                "step": 1,
                "n_neurons": 3,
                "interval_ticks": 1,
            },
        ],
    }
