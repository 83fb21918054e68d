"""What is compared of the rules that NEST has too: histograms of what they join. Needs numpy only.

A rule's networks are made with some seeds in NEST and here, and of all of them together each histogram is
compared by a two-sample chi-square. `generate_rules` says a `RuleCase` in NEST, `to_network` in the language.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data" / "rules.json"

TIMESTEP_MS = 0.1
SIGNIFICANCE = 1e-4
LIMIT = NormalDist().inv_cdf(1.0 - SIGNIFICANCE)
"""Of `deviate`: one right rule in ten thousand is above it."""

FEW = 10
"""Cells that have fewer entries are made one."""

Histograms = dict[str, list[int]]


@dataclass(frozen=True)
class RuleCase:
    """One projection, from `sizes[0]` neurons onto `sizes[1]`, or of one population onto itself.

    Attributes
    ----------
    rule : dict
        The connectivity, in the language's words.
    grid : (shape, extent in um, periodic) or None
        Where both populations stand: on the same grid.
    weight, delay_ms : value in the language's words
    """

    name: str
    rule: dict[str, Any]
    sizes: tuple[int, int] = (200, 150)
    recurrent: bool = False
    grid: tuple[tuple[int, ...], tuple[float, ...], bool] | None = None
    weight: Any = 1.0
    delay_ms: Any = 1.0
    edges: tuple[float, ...] = field(default=(), repr=False)

    def to_network(self, seed: int) -> dict[str, Any]:
        """Describe the case in the project's language."""
        names = ("source", "source") if self.recurrent else ("source", "target")
        sizes = dict(zip(names, self.sizes, strict=True))
        return {
            "name": self.name.replace(" ", "-"),
            "timestep_ms": TIMESTEP_MS,
            "seed": seed,
            "populations": [self._population(name, size) for name, size in sizes.items()],
            "projections": [
                {
                    "source": names[0],
                    "target": names[1],
                    "connectivity": self.rule,
                    "weight": self.weight,
                    "delay_ms": self.delay_ms,
                }
            ],
        }

    def _population(self, name: str, size: int) -> dict[str, Any]:
        described: dict[str, Any] = {"name": name, "size": size, "model": "lif_curr_delta"}
        if self.grid:
            shape, extent, periodic = self.grid
            described["positions"] = {
                "kind": "grid",
                "shape": list(shape),
                "extent_um": list(extent),
                "periodic": periodic,
            }
        return described

    def positions_um(self) -> np.ndarray:
        """(n, d) float64, from the corner of the space: the middle of each cell, last dimension fastest."""
        assert self.grid is not None
        shape, extent, _ = self.grid
        return (np.indices(shape).reshape(len(shape), -1).T + 0.5) * (np.array(extent) / shape)

    def distance_um(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """(n, d) and (n, d) positions to (n,) distances, the short way round a periodic space."""
        assert self.grid is not None
        _, extent, periodic = self.grid
        apart = np.abs(source - target)
        if periodic:
            apart = np.minimum(apart, np.array(extent) - apart)
        return np.sqrt((apart**2).sum(axis=1))


def histograms(case: RuleCase, columns: Mapping[str, np.ndarray]) -> Histograms:
    """Return what is compared of one network.

    Parameters
    ----------
    case : RuleCase
    columns : mapping
        (n_synapses,) arrays: `source`, `target`, within their populations; `weight`; `delay_ticks`;
        `distance_um`, where the case has a grid.
    """
    source, target = columns["source"].astype(np.int64), columns["target"].astype(np.int64)
    n_sources, n_targets = case.sizes
    found = {
        "in_degree": np.bincount(np.bincount(target, minlength=n_targets)),
        "out_degree": np.bincount(np.bincount(source, minlength=n_sources)),
        "multiplicity": np.bincount(
            np.bincount(source * n_targets + target, minlength=n_sources * n_targets)
        ),
    }
    if case.recurrent:
        found["autapses"] = np.bincount((source == target).astype(np.int64), minlength=2)
    if case.grid:
        # A grid's distances are square roots of few numbers; edges between them leave no doubt.
        found["distance"] = np.bincount((columns["distance_um"] / _BIN_UM + 1e-6).astype(np.int64))
    if case.edges:
        found["weight"] = np.bincount(np.searchsorted(case.edges, columns["weight"]))
    if isinstance(case.delay_ms, dict):
        found["delay_ticks"] = np.bincount(columns["delay_ticks"].astype(np.int64))
    return {key: counts.tolist() for key, counts in found.items()}


def added(parts: list[Histograms]) -> Histograms:
    """Return the sums of histograms; missing cells at the end count 0."""
    total: Histograms = {}
    for part in parts:
        for key, counts in part.items():
            length = max(len(counts), len(total.get(key, [])))
            total[key] = (_as_long(counts, length) + _as_long(total.get(key, []), length)).tolist()
    return total


def deviate(one: list[int], reference: list[int]) -> float:
    """Return the two-sample chi-square of two histograms as a standard normal deviate.

    Where the reference has all entries in one cell, nothing is left to chance: 0 if so has the other,
    infinity if not.

    References
    ----------
    Press et al., Numerical Recipes, section 14.3, for unequal totals; Wilson and Hilferty 1931, PNAS 17:684:
    the cube root of chi-square / df is nearly normal.
    """
    length = max(len(one), len(reference))
    a, b = _as_long(one, length).astype(float), _as_long(reference, length).astype(float)
    if (b > 0).sum() == 1:
        return 0.0 if np.array_equal(a > 0, b > 0) else np.inf
    rare = a + b < FEW
    a, b = (np.append(each[~rare], each[rare].sum()) for each in (a, b))
    a, b = a[a + b > 0], b[a + b > 0]
    ratio = np.sqrt(a.sum() / b.sum())
    statistic, freedom = float(((a / ratio - b * ratio) ** 2 / (a + b)).sum()), a.size - 1
    if freedom == 0:
        return 0.0
    spread = 2.0 / (9.0 * freedom)
    return float(((statistic / freedom) ** (1.0 / 3.0) - (1.0 - spread)) / np.sqrt(spread))


def load() -> dict[str, Any]:
    """Return the committed table: NEST's version and seeds, and each case's histograms."""
    table: dict[str, Any] = json.loads(DATA.read_text())
    return table


def _as_long(counts: list[int], length: int) -> np.ndarray:
    return np.pad(np.array(counts, np.int64), (0, length - len(counts)))


def _cases() -> tuple[RuleCase, ...]:
    return (*_pairings(), *_recurrent(), *_in_space(), *_values())


def _pairings() -> list[RuleCase]:
    single = {"allow_multapses": False}
    return [
        RuleCase("one_to_one", {"rule": "one_to_one"}, (150, 150)),
        RuleCase("all_to_all", {"rule": "all_to_all"}),
        RuleCase("in_degree", {"rule": "fixed_in_degree", "n": 20}),
        RuleCase("in_degree single", {"rule": "fixed_in_degree", "n": 120, **single}),
        RuleCase("out_degree", {"rule": "fixed_out_degree", "n": 20}),
        RuleCase("out_degree single", {"rule": "fixed_out_degree", "n": 90, **single}),
        RuleCase("total_number", {"rule": "fixed_total_number", "n": 6000}),
        RuleCase("probability", {"rule": "fixed_probability", "p": 0.1}),
        RuleCase("probability high", {"rule": "fixed_probability", "p": 0.8}),
    ]


def _recurrent() -> list[RuleCase]:
    rules = {
        "all_to_all": {"rule": "all_to_all"},
        "in_degree": {"rule": "fixed_in_degree", "n": 30},
        "out_degree": {"rule": "fixed_out_degree", "n": 30},
        "total_number": {"rule": "fixed_total_number", "n": 4500},
        "probability": {"rule": "fixed_probability", "p": 0.3},
    }
    cases = []
    for name, rule in rules.items():
        for autapses in (True, False):
            for multapses in (True, False) if name in ("in_degree", "out_degree") else (True,):
                allowed = {"allow_autapses": autapses}
                allowed |= {} if multapses else {"allow_multapses": False}
                words = [
                    name,
                    "recurrent",
                    *(() if autapses else ("others",)),
                    *(() if multapses else ("single",)),
                ]
                cases.append(RuleCase(" ".join(words), {**rule, **allowed}, (150, 150), recurrent=True))
    return cases


_BIN_UM = 7.3


def _in_space() -> list[RuleCase]:
    gaussian = {"kind": "distance_gaussian", "scale": 0.8, "sd_um": 25.0}
    ring = {"kind": "distance_gaussian", "scale": 0.6, "sd_um": 10.0, "mean_um": 40.0}
    exponential = {"kind": "distance_exponential", "scale": 0.9, "length_um": 20.0}
    linear = {"kind": "distance_linear", "at_zero": 0.7, "slope_per_um": -0.01}
    plane = ((16, 12), (160.0, 90.0))
    solid = ((7, 6, 5), (105.0, 90.0, 75.0))
    cases = []
    for name, kernel, radius in (
        ("gaussian", gaussian, None),
        ("ring", ring, None),
        ("exponential", exponential, None),
        ("linear", linear, None),
        ("gaussian within 30", gaussian, 30.0),
    ):
        for boundary, periodic in (("open", False), ("periodic", True)):
            rule = {"rule": "distance_dependent", "p": kernel}
            rule |= {"radius_um": radius} if radius else {}
            size = plane[0][0] * plane[0][1]
            cases.append(
                RuleCase(f"{name} {boundary}", rule, (size, size), recurrent=True, grid=(*plane, periodic))
            )
    rule = {"rule": "distance_dependent", "p": exponential, "allow_autapses": False}
    cases.append(RuleCase("exponential solid", rule, (210, 210), recurrent=True, grid=(*solid, True)))
    return cases


def _values() -> list[RuleCase]:
    """Weights and delays. Bounds keep the 16 bits of a weight much finer than a bin of its histogram."""
    normal = {"kind": "normal", "mean": 1.0, "sd": 0.4, "low": 0.0, "high": 2.5}
    lognormal = {"kind": "lognormal", "log_mean": -0.2, "log_sd": 0.5, "low": 0.0, "high": 4.0}
    exponential = {"kind": "exponential", "mean": 0.8, "low": 0.1, "high": 5.0}
    uniform = {"kind": "uniform", "low": -0.5, "high": 2.0}
    ends = {"normal": (0.0, 2.5), "lognormal": (0.0, 3.0), "exponential": (0.1, 3.5), "uniform": (-0.5, 2.0)}
    laws = {"normal": normal, "lognormal": lognormal, "exponential": exponential, "uniform": uniform}
    rule = {"rule": "all_to_all"}
    cases = [
        RuleCase(f"weight {name}", rule, (60, 50), weight=law, edges=tuple(np.linspace(*ends[name], 18)))
        for name, law in laws.items()
    ]
    delay = {"kind": "normal", "mean": 1.5, "sd": 0.75, "low": 0.05}
    return [
        *cases,
        RuleCase("delay normal", rule, (60, 50), delay_ms=delay),
        RuleCase("delay uniform", rule, (60, 50), delay_ms={"kind": "uniform", "low": 0.3, "high": 2.1}),
        RuleCase(
            "delay exponential", rule, (60, 50), delay_ms={"kind": "exponential", "mean": 1.0, "low": 0.1}
        ),
    ]


CASES = {case.name: case for case in _cases()}
