"""`python -m benchmarks`: which run, with which options, and what becomes of those that fail."""

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import benchmarks
from benchmarks import __main__ as everything
from benchmarks.report import Check, Report, Row


def said(name: str, *, holds: bool = True) -> dict[str, Any]:
    return Report(name, name.title(), [Row("a", "s", (1.0,))], [Check("equal digests", holds)]).to_dict()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[dict[str, Any] | None, str | None]]:
    """What each benchmark answers instead of running; others fail the test."""
    given: dict[str, tuple[dict[str, Any] | None, str | None]] = {}
    monkeypatch.setattr(everything, "run_one", lambda name, options: given[name])
    return given


def test_every_benchmark_is_run() -> None:
    names = [info.name for info in pkgutil.iter_modules(benchmarks.__path__) if info.name != "__main__"]
    commands = {name for name in names if hasattr(importlib.import_module(f"benchmarks.{name}"), "main")}
    assert set(everything.QUICK) == commands


@pytest.mark.parametrize("name", everything.QUICK)
def test_benchmarks_take_the_options_that_they_are_given(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--help`` after them ends with 0 only if they are all understood."""
    module = importlib.import_module(f"benchmarks.{name}")
    options = everything.options_of(name, peers=["nest", "brian2", "sanafe"], runs=3, quick=True)
    with pytest.raises(SystemExit) as ended:
        module.main([*options, "--json", "--help"])
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_options_of_peers_and_runs() -> None:
    assert everything.options_of("cuba", peers=["nest", "brian2"], runs=7, quick=False) == [
        "--runs",
        "7",
        "--peer",
        "brian2",
        "--peer",
        "nest",
    ]
    assert everything.options_of("placement", peers=["nest"], runs=7, quick=False) == []


def test_one_that_fails_is_named_and_the_others_run(
    answers: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers |= {"million": (None, "no report"), "build": (said("build"), None)}
    page = tmp_path / "page.md"
    assert everything.main(["--only", "build", "million", "--page", str(page)]) == 1
    assert "failed: million: no report" in capsys.readouterr().err
    assert "## build" in page.read_text()
    assert list(json.loads((tmp_path / "page.json").read_text())) == ["build"]


def test_what_is_not_run_now_stays_as_it_was(answers: dict[str, Any], tmp_path: Path) -> None:
    answers |= {"chips": (said("chips"), None), "brunel": (said("brunel"), None)}
    page = tmp_path / "page.md"
    assert everything.main(["--only", "chips", "--page", str(page)]) == 0
    assert everything.main(["--only", "brunel", "--page", str(page)]) == 0
    text = page.read_text()
    assert text.index("## brunel") < text.index("## chips")


def test_a_quick_look_does_not_replace_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        everything.main(["--quick"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(
        "error: --quick: must not replace the page of full measurements, got no --page; name another file\n"
    )


def test_the_report_is_the_last_object_that_is_one() -> None:
    report = json.dumps(said("cuba"))
    assert everything.last_object(f"hello\n{report}\n{{}}\n[1]\nbye {{\n") == json.loads(report)
    assert everything.last_object("nothing\n{}\n") is None


def test_what_is_wrong_with_a_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended:
        def __init__(self, stdout: str, returncode: int) -> None:
            self.stdout, self.returncode = stdout, returncode

    ended = [
        Ended("", 3),
        Ended(json.dumps(said("x", holds=False)), 1),
        Ended(json.dumps(said("x")), 4),
        Ended(json.dumps(said("x")), 0),
    ]
    monkeypatch.setattr(everything.subprocess, "run", lambda *_, **__: ended.pop(0))
    assert [everything.run_one("x", [])[1] for _ in range(4)] == [
        "must print its report, got nothing and exit code 3",
        "1 checks do not hold, first: equal digests",
        "exit code 4",
        None,
    ]
