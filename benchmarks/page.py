"""The page of all benchmarks: what each said last, as tables, and a picture of the targets.

Results are dictionaries as `benchmarks.report.Report.to_dict` makes them, by the benchmark's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

from matplotlib.figure import Figure

Results = Mapping[str, Mapping[str, Any]]

HEAD = """# Benchmarks

Written by `make bench`, from what each benchmark said when it was run last. `make bench ARGS="--only million
chips"` runs some anew; with `ARGS="--peers nest brian2 sanafe"` the peers take turns with ours (`make
bench-peers` installs them). `python -m benchmarks.NAME` prints one, and its `--help` says how it measures. A
value is the median of its runs; *must* is what is asked for, *aim* what would be better still.
"""
LABELS = {"moonshot": "aim", "must": "must", "no": "**no**"}
COLOURS = {"moonshot": "#2a7f3f", "must": "#3b6fb5", "no": "#b5443b"}


def write_page(results: Results, page: Path) -> None:
    """Write the page, and the picture beside it: the same name with `svg`."""
    page.parent.mkdir(parents=True, exist_ok=True)
    picture = page.with_suffix(".svg")
    goals = list(targets(results))
    if goals:
        draw(goals, picture)
    page.write_text(page_of(results, picture.name if goals else None), encoding="utf-8")


def targets(results: Results) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows that have a target, each with its benchmark's name."""
    for name, result in results.items():
        for row in result["rows"]:
            if row["target"] is not None:
                yield name, row


def page_of(results: Results, picture: str | None) -> str:
    """Return the page's text; `picture` is a file beside it."""
    parts = [HEAD]
    goals = list(targets(results))
    if goals:
        parts.append("## Targets\n\n" + target_table(goals))
    if picture is not None:
        parts.append(
            f"![Each target's measure, as a share of what it must be, on a logarithmic scale]({picture})\n"
        )
    parts += [section(name, result) for name, result in results.items()]
    return "\n".join(parts)


def target_table(goals: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Return the table of all targets."""
    rows = [
        [
            f"{name}: {row['measure']}, {row['unit']}",
            number(row["target"]["must"]),
            number(row["target"]["moonshot"]),
            number(row["median"]),
            spread(row),
            str(len(row["values"])),
            LABELS[row["reached"]],
            row["note"],
        ]
        for name, row in goals
    ]
    return table(["measure", "must", "aim", "measured", "least to most", "runs", "reached", ""], rows)


def section(name: str, result: Mapping[str, Any]) -> str:
    """Return what one benchmark said: measures, checks, and where."""
    rows = [
        [
            row["measure"],
            row["unit"],
            number(row["median"]),
            spread(row),
            str(len(row["values"])),
            row["note"],
        ]
        for row in result["rows"]
    ]
    parts = [f"## {name}\n\n{result['title']}.\n"]
    if rows:
        parts.append(table(["measure", "unit", "median", "least to most", "runs", ""], rows))
    return "\n".join([*parts, checks_line(result["checks"]), machine_line(result["machine"])])


def checks_line(checks: Sequence[Mapping[str, Any]]) -> str:
    """Say that all checks hold, or which do not."""
    broken = [check["what"] for check in checks if not check["holds"]]
    if not broken:
        return f"All {len(checks)} checks hold.\n" if len(checks) != 1 else f"Holds: {checks[0]['what']}.\n"
    lines = "".join(f"- {cell(what)}\n" for what in broken)
    return f"**{len(broken)} of {len(checks)} checks do not hold:**\n\n{lines}"


def machine_line(machine: Mapping[str, Any]) -> str:
    """Say where a benchmark was run."""
    return (
        f"Commit {machine['commit']}, {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['memory_gib']:g} GiB, Python {machine['python']}, Numba {machine['numba']}, "
        f"NumPy {machine['numpy']}.\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(text: str) -> str:
    """Return text that may stand in a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def number(value: float) -> str:
    """Return a number with three digits, or all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def spread(row: Mapping[str, Any]) -> str:
    """Return the least and the greatest value, if there are several."""
    values = row["values"]
    return f"{number(min(values))} to {number(max(values))}" if len(values) > 1 else ""


def draw(goals: Sequence[tuple[str, Mapping[str, Any]]], path: Path) -> None:
    """Draw a bar for each target: how far the measure is from what it must be; shorter is better."""
    labels = [f"{name}: {row['measure']}" for name, row in goals]
    lengths = [against_must(row, row["median"]) for _, row in goals]
    aims = [against_must(row, row["target"]["moonshot"]) for _, row in goals]
    least = min(*lengths, *aims, 1.0) / 2.0
    figure = Figure(figsize=(9.0, 1.2 + 0.32 * len(goals)), layout="constrained")
    axes = figure.add_subplot()
    places = range(len(goals))
    widths = [length - least for length in lengths]
    axes.barh(places, widths, left=least, color=[COLOURS[row["reached"]] for _, row in goals], height=0.6)
    axes.plot(aims, places, "k|", markersize=11, label="aim")
    axes.axvline(1.0, color="black", linewidth=1.0, label="must")
    axes.set_xscale("log")
    axes.set_xlim(left=least)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set_xlabel("measured / must (must / measured where more is better): shorter is better")
    axes.legend(loc="lower right")
    with matplotlib.rc_context({"svg.hashsalt": "benchmarks"}):
        figure.savefig(path, metadata={"Date": None})


def against_must(row: Mapping[str, Any], value: float) -> float:
    """Return how many times what it must be a value takes: 1 just reaches it, less is better."""
    goal = row["target"]
    ratio = value / goal["must"] if goal["better"] == "lower" else goal["must"] / value
    return float(ratio)
