from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cluster import kernelparts, warmup
from cluster.kernelparts import EXAMPLES, compile_loop, compile_rules
from cluster.options import DeployOptions
from cluster.warmup import PHASE, warm_up
from cluster.worker import Worker
from network import Network
from network.connectivity import Connectivity
from tests.cluster.samples import everything_network

ALL_RULES = [rule.__name__ for rule in EXAMPLES]
NOTHING = Network(name="nothing", timestep_ms=1.0, seed=0, populations=())
Commands = list[list[list[str]]]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """What is compiled in processes side by side; the folder of kernels is empty, and there are two cores."""
    batches: Commands = []

    def run(commands: Sequence[Sequence[str]], bar: Any) -> None:
        batches.append([list(command) for command in commands])

    monkeypatch.setattr(warmup, "CACHE_FOLDER", tmp_path)
    monkeypatch.setattr(warmup.os, "sched_getaffinity", lambda process: {0, 1})
    monkeypatch.setattr(warmup, "_run", run)
    return batches


def test_every_rule_has_an_example() -> None:
    assert set(EXAMPLES) == set(Connectivity.__args__[0].__args__)  # type: ignore[attr-defined]


def test_what_runs_chips_and_what_builds_them_is_compiled_side_by_side_and_once(started: Commands) -> None:
    told: list[tuple[str, float]] = []
    warm_up(NOTHING, DeployOptions(), lambda phase, share: told.append((phase, share)))
    assert started == [[["loop", "float32"], ["rules", "float32", "FixedTotalNumber"]]]
    assert told == [(PHASE, 0.0)]
    warm_up(NOTHING, DeployOptions(), lambda phase, share: told.append((phase, share)))
    assert (len(started), len(told)) == (1, 1)


def test_only_what_is_missing_is_compiled(started: Commands) -> None:
    warm_up(NOTHING, DeployOptions())
    network = everything_network()
    warm_up(network, DeployOptions())
    used = {type(projection.connectivity).__name__ for projection in network.projections}
    assert started[1:] == [[["rules", "float32", *sorted(used - {"FixedTotalNumber"})]]]
    warm_up(NOTHING, DeployOptions(precision="float64"))
    assert started[2:] == [[["loop", "float64"], ["rules", "float64", "FixedTotalNumber"]]]


def test_one_core_compiles_one_after_the_other(started: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup.os, "sched_getaffinity", lambda process: {0})
    warm_up(NOTHING, DeployOptions())
    assert started == [[["loop", "float32"]], [["rules", "float32", "FixedTotalNumber"]]]


def test_each_function_moves_the_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    _python(tmp_path, monkeypatch, "echo one; echo two")
    warm_up(NOTHING, DeployOptions(), lambda phase, share: told.append(share))
    assert told == [k / warmup._USUAL for k in range(5)]
    assert len(list(tmp_path.glob("*.compiled"))) == 2


def test_what_cannot_be_compiled_is_told_and_not_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _python(tmp_path, monkeypatch, "echo no room >&2; exit 3")
    before = set(threading.enumerate())
    with pytest.raises(RuntimeError) as caught:
        warm_up(NOTHING, DeployOptions())
    assert str(caught.value) == (
        "compiling kernels: loop float32 must end with 0, got 3; it said:\nno room\n"
    )
    assert not list(tmp_path.glob("*.compiled"))
    assert set(threading.enumerate()) == before


def _python(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a shell script in the place of Python; the folder of kernels is an empty one."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(warmup, "CACHE_FOLDER", folder)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_compiling_leaves_no_thread(precision: Any) -> None:
    before = set(threading.enumerate())
    compile_loop(precision)
    compile_rules(precision, ALL_RULES)
    assert set(threading.enumerate()) == before


@pytest.mark.usefixtures("kernels")
def test_the_rules_are_compiled_without_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the loop is the other part's")

    monkeypatch.setattr(Worker, "attach", refuse)
    compile_rules("float32", ["OneToOne"])


@pytest.mark.usefixtures("kernels")
def test_a_part_is_chosen_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(kernelparts, "compile_loop", lambda *args: asked.append(args))
    monkeypatch.setattr(kernelparts, "compile_rules", lambda *args: asked.append(args))
    assert kernelparts.main(["loop", "float64"]) == 0
    assert kernelparts.main(["rules", "float32", "OneToOne", "Pooling"]) == 0
    assert asked == [("float64",), ("float32", ["OneToOne", "Pooling"])]
