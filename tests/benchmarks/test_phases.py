"""The variant that reads the clock: a lap after each phase, in code that still parses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks.phases import PHASES, make
from benchmarks.variant import VariantError


def laps(path: Path) -> list[str]:
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lap"
    ]


def test_each_phase_has_a_lap_of_its_own(tmp_path: Path) -> None:
    folder = make(tmp_path)
    found = laps(folder / "chip/tick.py") + laps(folder / "cluster/loop.py")
    assert len(set(found)) == len(PHASES)
    # Spikes are collected in two places: of neurons, and of sources. Before an advance there is waiting.
    assert len(found) == len(PHASES) + 2
    [run] = [
        node
        for node in ast.parse((folder / "cluster/loop.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "run"
    ]
    waiting = list(PHASES).index("wait_for")
    first = min(int(lap.rsplit(" ", 1)[1][:-1]) for lap in found) + waiting
    assert ast.unparse(run.body[1]) == f"lap(chip.output.counters, {first})"


def test_a_phase_that_is_not_called_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PHASES, "learn", "learning")
    with pytest.raises(VariantError) as caught:
        make(tmp_path)
    assert str(caught.value) == (
        "variant with phases: the tick and the loop must call learn, found no such call; see what is called "
        "now and name it in benchmarks/phases.py"
    )
