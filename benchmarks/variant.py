"""Variants of the engine, to measure what a part of it costs: copies of its sources with statements changed.

The product has no switch for what is measured this way. A variant is a folder that holds the packages; a
process that is started there imports them instead, and compiles their kernels into a folder of its own.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from benchmarks.process import ROOT

PACKAGES = ("api", "benchmarks", "chip", "cluster", "network", "router", "spikerack")
COUNTERS = ("addressed", "counters", "entry_events", "received")
"""Arrays that count, by their names; `counters` also holds a buffer's length, which is no count."""
LENGTH = "N_SPIKES"
TOTAL = "total"
"""What the kernels of delivery call the synaptic events that they have seen."""
CLOCK = """

@intrinsic
def cycles(typingctx):
    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(ir.IntType(64), [])
        counter = cgutils.get_or_insert_function(builder.module, kind, "llvm.readcyclecounter")
        return builder.call(counter, [])

    return types.int64(), codegen


@tick_kernel
def read_cycles():
    return cycles()
"""
"""What variants that read the cycle counter add to `chip.jit`."""

COUNTING = ("chip/delivery.py", "chip/queues.py", "chip/tick.py", "chip/wheel.py", "cluster/loop.py")
"""Where runs are counted."""


class VariantError(RuntimeError):
    """The sources are not such that the variant can be made."""


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of a variant's processes: kernels of its own."""
    return {"SPIKERACK_KERNELS": str(folder / "kernels")}


def uncounted(folder: Path) -> Path:
    """Make the variant that counts neither address events nor synaptic events; return its folder.

    Raises
    ------
    VariantError
        No counting statements were found, or none of one of the counters.
    """
    seen: set[str] = set()
    copy_packages(folder)
    for name in COUNTING:
        if (folder / name).is_file():
            rewrite(folder / name, lambda tree: seen.update(drop_counting(tree)))
    missing = {"counters", "entry_events", "received"} - seen
    if missing:
        raise VariantError(
            f"variant without counting: sources must count in {', '.join(sorted(missing))}, found no such "
            "statement; see where runs are counted now and name it in benchmarks/variant.py"
        )
    return folder


def copy_packages(folder: Path) -> None:
    """Copy the packages into a folder."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))


def append(path: Path, added: str) -> None:
    """Add to the end of a source."""
    path.write_text(path.read_text(encoding="utf-8") + added, encoding="utf-8")


def rewrite(path: Path, change: Callable[[ast.Module], object]) -> None:
    """Replace a source by what `change` makes of its tree."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    change(tree)
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)) + "\n", encoding="utf-8")


def drop_counting(tree: ast.Module) -> Collection[str]:
    """Take out of a tree what only counts, but for calls whose result is counted; return the counters."""
    dropping = _DropCounting()
    dropping.visit(tree)
    return dropping.seen


class _DropCounting(ast.NodeTransformer):
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        counter = _counter(node.target)
        if counter is None:
            return node
        self.seen.add(counter)
        return ast.Expr(node.value) if any(_calls(node.value)) else ast.Pass()


def _counter(target: ast.expr) -> str | None:
    """Return which counter a statement adds to, if it is one."""
    if isinstance(target, ast.Name):
        return TOTAL if target.id == TOTAL else None
    if not isinstance(target, ast.Subscript):
        return None
    name = getattr(target.value, "attr", getattr(target.value, "id", None))
    length = isinstance(target.slice, ast.Name) and target.slice.id == LENGTH
    return str(name) if name in COUNTERS and not length else None


def _calls(value: ast.expr) -> Iterable[ast.Call]:
    """Yield the calls of a value that do something: all but NumPy's casts."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and not ast.unparse(node.func).startswith("np."):
            yield node
