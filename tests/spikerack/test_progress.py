from __future__ import annotations

import pytest

from spikerack.progress import bar, phases, shown


def test_without_a_terminal_progress_is_lines_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with bar("build") as on_progress:
        for percent in (0, 4, 12, 19, 100):
            on_progress(percent / 100, "place")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["build:   0 %  place", "build:  10 %  place", "build: 100 %  place"]


def test_nothing_is_shown_unasked(capfd: pytest.CaptureFixture[str]) -> None:
    with shown("build", False) as on_progress:
        on_progress(0.5, "place")
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with bar("build") as on_progress:
        on_progress(0.5, "place")
    assert "build" in capfd.readouterr().err


def test_each_phase_has_its_own_bar(capfd: pytest.CaptureFixture[str]) -> None:
    with phases() as on_phase:
        for phase, done in (("build", 0.5), ("build", 1.0), ("run", 0.1)):
            on_phase(phase, done, "")
    assert [line.strip() for line in capfd.readouterr().err.splitlines()] == [
        "build:  50 %",
        "build: 100 %",
        "run:  10 %",
    ]
