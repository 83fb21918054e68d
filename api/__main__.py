"""``python -m api``: the gateway, with settings from the environment."""

from __future__ import annotations

import sys

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from api.app import create_app
from api.serving import serve
from api.settings import Settings
from api.storage import make_private
from api.validation import message_of
from cluster import Fleet, LocalFleet

USAGE = 2


def main() -> int:
    """Serve until told to stop; return the exit code."""
    try:
        settings = Settings()
    except ValidationError as error:
        return _refuse([_told(item) for item in error.errors()])
    if settings.backend == "ray" and settings.ray_address is None:
        advice = "use `spikerack serve`, which starts a Ray head, or SPIKERACK_BACKEND=local"
        return _refuse([f"SPIKERACK_RAY_ADDRESS: must be host:port of a Ray head, got nothing; {advice}"])
    try:
        make_private(settings.data)
    except RuntimeError as error:
        return _refuse([str(error)])
    fleet = _fleet(settings)
    try:
        serve(create_app(settings, fleet), settings)
    finally:
        fleet.close()
    return 0


def _told(detail: ErrorDetails) -> str:
    """Name the variable of a setting; those that contradict each other name themselves."""
    message = message_of(detail, otherwise="change the variable")
    name = "__".join(map(str, detail["loc"])).upper()
    return f"SPIKERACK_{name}: {message}" if name else message


def _refuse(lines: list[str]) -> int:
    print(*lines, sep="\n", file=sys.stderr)
    return USAGE


def _fleet(settings: Settings) -> Fleet:
    if settings.ray_address is None or settings.backend == "local":
        return LocalFleet(settings.data)
    from cluster.ray_fleet import RayFleet  # Ray takes seconds to import.

    return RayFleet(settings.ray_address, settings.data)


if __name__ == "__main__":
    sys.exit(main())
