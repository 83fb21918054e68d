"""Run all benchmarks, one after the other; fail when one fails."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main() -> int:
    """Run every module of this package that has a `main`, with default arguments."""
    names = [info.name for info in pkgutil.iter_modules(benchmarks.__path__) if not info.name.startswith("_")]
    modules = [importlib.import_module(f"benchmarks.{name}") for name in sorted(names)]
    return max(int(module.main([])) for module in modules if hasattr(module, "main"))


if __name__ == "__main__":
    sys.exit(main())
