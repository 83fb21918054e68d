"""Run all benchmarks, one after the other; fail when one fails."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main() -> int:
    """Run every module of this package that has a `main`, with default arguments."""
    names = [info.name for info in pkgutil.iter_modules(benchmarks.__path__) if not info.name.startswith("_")]
    return max(int(importlib.import_module(f"benchmarks.{name}").main([])) for name in sorted(names))


if __name__ == "__main__":
    sys.exit(main())
