"""The page of all benchmarks: what stands on it, and what it takes from where."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.page import against_must, draw, page_of, targets, write_page
from benchmarks.report import Check, Report, Row, Target


def said(name: str = "million", *, holds: bool = True) -> dict[str, Any]:
    rows = [
        Row("near", "wall s a biological s", (0.8, 0.9, 0.7), Target(1.0, 0.6), "2.07 Hz"),
        Row("streamed", "spikes a second", (6e6,), Target(5e6, 20e6, better="higher")),
        Row("building", "s", (12_345.0, 3.0, 4.0)),
    ]
    return Report(name, "A million | neurons", rows, [Check("one digest", holds)]).to_dict()


def test_targets_stand_in_a_table_with_what_was_measured() -> None:
    page = page_of({"million": said()}, "benchmarks.svg").splitlines()
    head = page.index("## Targets")
    assert page[head + 2 : head + 6] == [
        "| measure | must | aim | measured | least to most | runs | reached |  |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| million: near, wall s a biological s | 1 | 0.6 | 0.8 | 0.7 to 0.9 | 3 | must | 2.07 Hz |",
        "| million: streamed, spikes a second | 5,000,000 | 20,000,000 | 6,000,000 |  | 1 | must |  |",
    ]


def test_each_benchmark_has_a_section() -> None:
    page = page_of({"million": said(), "build": said("build", holds=False)}, None)
    first, second = page.split("## million")[1].split("## build")
    assert "| building | s | 4 | 3 to 12,345 | 3 |  |" in first.splitlines()
    assert "Holds: one digest." in first.splitlines()
    assert "**1 of 1 checks do not hold:**\n\n- one digest" in second
    assert "![" not in page


def test_a_missed_target_says_no() -> None:
    result = Report("x", "X", [Row("a", "s", (3.0,), Target(2.0, 1.0))]).to_dict()
    assert "| x: a, s | 2 | 1 | 3 |  | 1 | **no** |  |" in page_of({"x": result}, None).splitlines()


def test_a_page_without_results_has_no_targets() -> None:
    assert "## " not in page_of({}, None)


@pytest.mark.parametrize(("better", "value", "ratio"), [("lower", 3.0, 1.5), ("higher", 4.0, 0.5)])
def test_ratios_are_below_one_where_it_is_better(better: Any, value: float, ratio: float) -> None:
    row = Row("a", "s", (value,), Target(2.0, 1.0, better=better)).to_dict()
    assert against_must(row, value) == ratio


@pytest.mark.slow
def test_the_picture_has_a_bar_a_target_and_is_the_same_again(tmp_path: Path) -> None:
    goals = list(targets({"million": said()}))
    assert [row["measure"] for _, row in goals] == ["near", "streamed"]
    for name in ("one.svg", "two.svg"):
        draw(goals, tmp_path / name)
    one, two = ((tmp_path / name).read_text() for name in ("one.svg", "two.svg"))
    assert one == two
    assert "<!-- million: near -->" in one
    assert "<!-- million: streamed -->" in one


@pytest.mark.slow
def test_the_page_names_the_picture_beside_it(tmp_path: Path) -> None:
    write_page({"million": said()}, tmp_path / "docs" / "page.md")
    assert "](page.svg)" in (tmp_path / "docs" / "page.md").read_text()
    assert (tmp_path / "docs" / "page.svg").is_file()
