"""The error of the language, and how a value is shown in it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Iterable
from itertools import islice

MAX_SHOWN = 20
"""Problems that one error carries; the rest are only counted."""

Problem = tuple[str, str]
"""Where, and what: ``("populations[2].size", "must be >= 0, got -3; give the number of neurons")``."""


class NetworkError(ValueError):
    """A network description that breaks the language's rules.

    Its text has one line a problem: *where: rule, got value; what to do*, for example
    ``populations[2].parameters.tau_m_ms must be > 0, got -3; give the membrane time constant``.

    Parameters
    ----------
    errors : iterable of (path, message)
        The problems. The first `MAX_SHOWN` are kept.
    n_more : int
        Problems that the caller has counted but does not list.

    Attributes
    ----------
    errors : tuple of (path, message)
        The problems that are kept, in the order of the description.
    n_more : int
        How many more there are.
    """

    def __init__(self, errors: Iterable[Problem], n_more: int = 0) -> None:
        problems = tuple(errors)
        self.errors = problems[:MAX_SHOWN]
        self.n_more = n_more + len(problems) - len(self.errors)
        super().__init__(self.errors, self.n_more)

    def __str__(self) -> str:
        lines = [f"{path} {message}" for path, message in self.errors]
        if self.n_more:
            lines.append(f"and {self.n_more} more")
        return "\n".join(lines)


def join_step(path: str, step: str | int) -> str:
    """Return `path` with one step more: ``a.b``, ``a[3]``, or ``a['odd name']``."""
    if isinstance(step, str) and step.isidentifier():
        return join_path(path, step)
    return f"{path}[{show(step)}]"


def join_path(path: str, rest: str) -> str:
    """Return the path `rest`, which may be empty, as seen from where `path` begins."""
    return f"{path}.{rest}" if path and rest else path or rest


def show(value: object) -> str:
    """Return `value` as an error shows it: on one line, of bounded length, ``true`` and ``null`` as in JSON,
    whole numbers without ``.0``.
    """
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return _SHORT.repr(value)


def names(items: Iterable[str]) -> str:
    """Return the names quoted and listed, the first dozen of them."""
    items = items if isinstance(items, Collection) else list(items)
    rest = f" and {len(items) - 12} more" if len(items) > 12 else ""
    return ", ".join(map(show, islice(items, 12))) + rest


class _Short(reprlib.Repr):
    """Limits every echo: a refused value may be megabytes, or an integer too long to print."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxtuple = 2, 4, 4, 4
        self.maxstring = self.maxother = 60

    def repr_bool(self, x: bool, level: int) -> str:
        return "true" if x else "false"  # As in JSON: what is refused was, or could have been, written in it.

    def repr_NoneType(self, x: None, level: int) -> str:  # noqa: N802
        return "null"

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() <= 128 else f"an integer of {x.bit_length()} bits"


_SHORT = _Short()
