"""How errors end the command line: one line on standard error, and a stable exit code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

import typer

USAGE, NOT_FOUND, AUTH, RUN_FAILED, OTHER, INTERRUPTED = 2, 3, 4, 5, 1, 130

P = ParamSpec("P")


def exits(command: Callable[P, None]) -> Callable[P, None]:
    """Let a command end with its error's exit code instead of a traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(OTHER) from None
        except Exception as error:
            code = exit_code(error)
            if code is None:
                raise
            typer.echo(f"spikerack: {error.args[0] if isinstance(error, KeyError) else error}", err=True)
            raise typer.Exit(code) from None

    return guarded


def exit_code(error: Exception) -> int | None:
    """Return the exit code of an error; None for one that nobody foresaw.

    The classes are imported here: only who fails waits for them.
    """
    return next((code for family, code in _families() if isinstance(error, family)), None)


def _families() -> list[tuple[type[Exception], int]]:
    from cluster.errors import CapacityError, ClusterError
    from network import NetworkError
    from spikerack import errors, load, serve, supervisor

    return [
        (load.UnknownModelError, USAGE),
        (NetworkError, USAGE),
        (CapacityError, USAGE),
        (errors.AccessError, USAGE),
        (errors.OutputError, USAGE),
        (errors.InvalidRequestError, USAGE),
        (errors.NotFoundError, NOT_FOUND),
        (errors.AuthError, AUTH),
        (errors.RunFailedError, RUN_FAILED),
        (errors.DeploymentFailedError, RUN_FAILED),
        (ClusterError, RUN_FAILED),
        (errors.SpikerackError, OTHER),
        (serve.ServeError, OTHER),
        (supervisor.SiblingFailedError, OTHER),
        (OSError, OTHER),
    ]
