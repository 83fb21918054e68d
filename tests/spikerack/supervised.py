"""A supervisor of small children, run as a program by the supervisor's tests; all tell what happens."""

from __future__ import annotations

import os
import sys

from spikerack.supervisor import Restarts, Sibling, SiblingFailedError, Supervisor

CHILD = r"""
import os, signal, subprocess, sys
name = sys.argv[1]
if name == "parent":
    subprocess.Popen([sys.executable, "-c", sys.argv[2], "grandchild"], start_new_session=True)
os.write(1, f"child {name} {os.getpid()}\n".encode())  # one write, lest lines mix
if name == "mayfly":
    sys.exit(3)
if name == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
"""


def sibling(name: str) -> Sibling:
    async def ready() -> bool:
        return True

    return Sibling(name, [sys.executable, "-c", CHILD, name, CHILD], dict(os.environ), ready)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    supervisor = Supervisor([sibling(name) for name in sys.argv[1:]], say, lambda: Restarts(limit=2))
    try:
        supervisor.run(lambda: say("ready"))
    except SiblingFailedError as error:
        say(f"failed: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
