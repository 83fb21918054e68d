"""A team of Ray actors: one actor a chip, one host actor that owns their shared memory.

Ray is placement, life, death and control. Spikes between chips never pass through it.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from cluster.errors import DeploymentLost
from cluster.exchange import Mailboxes, Shape
from cluster.host import SharedMailboxes, attach
from cluster.plan import Plan
from cluster.synapses import Synapses, Window
from cluster.team import Progress, peak_bytes_of_process
from cluster.warmup import warm_up
from cluster.worker import Advance, Built, Tally, Worker, chips_of_workers

_LOOK_SECONDS = 0.2
_RESERVE_SECONDS = 10.0
_STOP_SECONDS = 4.0


def _one_each(plan: Plan) -> tuple[range, ...]:
    """Return the chips of each actor: one."""
    return chips_of_workers(plan.n_chips, plan.n_chips)


class Watched:
    """An actor whose death is noticed by who waits for `watch`."""

    def watch(self) -> None:
        """Never return."""
        threading.Event().wait()


@ray.remote(num_cpus=0, max_restarts=0, max_concurrency=3)
class HostActor(Watched):
    """One a host and deployment: compiled kernels, the exchange's memory, the abort word."""

    def __init__(self, plan: Plan) -> None:
        self._mailboxes = SharedMailboxes(Shape.of(plan, _one_each(plan)))
        self._plan = plan

    def warm_up(self) -> str:
        """Compile kernels; return the path of the shared memory."""
        warm_up(self._plan.network, self._plan.options)
        return self._mailboxes.path

    def abort(self) -> None:
        """Make every wait of every chip end."""
        self._mailboxes.abort()

    def clear(self) -> None:
        """Return to epoch 0."""
        self._mailboxes.clear()


@ray.remote(num_cpus=0, max_restarts=0, max_concurrency=3, resources={"chip": 1})
class ChipActor(Watched):
    """One emulated chip."""

    def __init__(self, plan: Plan, chip: int) -> None:
        self._plan, self._number, self._share = plan, chip, 0.0
        self._worker: Worker | None = None
        self._mailboxes: Mailboxes | None = None

    def progress(self) -> float:
        """Return the share of the building that is done."""
        return self._share

    def build(self, path: str) -> Built:
        """Build the chip and open the exchange's memory at `path`."""

        def report(share: float) -> None:
            self._share = share

        chips = _one_each(self._plan)
        self._worker = Worker(self._plan, chips, self._number, report)
        self._worker.attach(attach(path, Shape.of(self._plan, chips)))
        return self._worker.built()

    def reset(self) -> None:
        """Return to tick 0."""
        self.worker.reset()

    def advance(self, until: int) -> Advance:
        """Run to tick `until`."""
        return self.worker.advance(until)

    def synapses(self, window: Window) -> Synapses:
        """Return the synapses of a window that stand on this chip."""
        return self.worker.synapses(window)

    def tally(self) -> Tally:
        """Return the counters."""
        return self.worker.tally()

    def peak_bytes(self) -> int:
        """Return the largest resident memory of this process."""
        return peak_bytes_of_process()

    @property
    def worker(self) -> Worker:
        """The worker, once built."""
        assert self._worker is not None, "build first"
        return self._worker


class RayTeam:
    """Chips as Ray actors, owned by the process that makes the team: they end with it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._host: Any = None
        self._slots: Any = None
        self._chips: list[Any] = []
        self._watches: dict[Any, str] = {}
        self._closed = False
        self._listing = threading.Lock()

    def build(self, progress: Progress) -> list[Built]:
        """Start the host and the chips, and build all chips side by side.

        Raises
        ------
        DeploymentLost
            The cluster has too few chip slots, or an actor died.
        """
        progress("waiting for a host", 0.0)
        self._slots = self._reserve()
        plan = ray.put(self.plan)
        progress("compiling kernels", 0.0)
        self._host = HostActor.options(scheduling_strategy=self._on(0)).remote(plan)  # type: ignore[attr-defined]
        path = self._host.warm_up.remote()
        self._chips = [
            ChipActor.options(scheduling_strategy=self._on(chip)).remote(plan, chip)  # type: ignore[attr-defined]
            for chip in range(self.plan.n_chips)
        ]
        names = [self.plan.chip_name(chip) for chip in range(self.plan.n_chips)]
        actors = zip((self._host, *self._chips), ("host", *names), strict=True)
        self._watches = {actor.watch.remote(): name for actor, name in actors}
        self._get([path], progress=lambda: progress("compiling kernels", 0.5))
        progress("starting chips", 0.0)
        building = [chip.build.remote(path) for chip in self._chips]
        return self._get(building, progress=lambda: self._report(progress))

    def reset(self) -> None:
        """Return all chips to tick 0."""
        self._get([self._host.clear.remote()])
        self._get([chip.reset.remote() for chip in self._chips])

    def advance(self, until: int) -> list[Advance]:
        """Run all chips to tick `until`; the death of one stops the others."""
        return self._get([chip.advance.remote(until) for chip in self._chips])

    def tallies(self) -> list[Tally]:
        """Return the counters of all chips."""
        return self._get([chip.tally.remote() for chip in self._chips])

    def synapses(self, window: Window) -> list[Synapses]:
        """Return the synapses of a window from all chips.

        One window at a time, so that an actor always has a thread left for `advance`. What fails here stops
        no run: the run's own calls notice a death.
        """
        with self._listing:
            refs = [chip.synapses.remote(window) for chip in self._chips]
            try:
                return list(ray.get(refs))
            except ray.exceptions.RayActorError as error:
                raise DeploymentLost(self.died() or "deployment: released") from error

    def died(self) -> str | None:
        """Return the cause when the host or a chip has died; its process ends the wait for its `watch`."""
        done, _ = ray.wait(list(self._watches), num_returns=1, timeout=0) if self._watches else ([], [])
        return f"{self._watches[done[0]]}: its process died" if done and not self._closed else None

    def peak_bytes(self) -> int:
        """Return the sum of the chips' largest resident memories."""
        return sum(self._get([chip.peak_bytes.remote() for chip in self._chips]))

    def close(self) -> None:
        """End all actors. Idempotent."""
        self._closed = True
        self._stop_waits()
        for actor in (*self._chips, self._host):
            if actor is not None:
                with contextlib.suppress(Exception):
                    ray.kill(actor)
        if self._slots is not None:
            with contextlib.suppress(Exception):
                remove_placement_group(self._slots)

    def _get(self, refs: list[Any], progress: Callable[[], None] = lambda: None) -> list[Any]:
        """Return the values of all `refs`, in order; the first error or death stops all chips.

        Raises
        ------
        DeploymentLost
            An actor died, or failed.
        """
        left = list(refs)
        while left:
            done, left = ray.wait(left, num_returns=len(left), timeout=_LOOK_SECONDS)
            progress()
            cause = self.died() if left else None
            for ref in done:
                try:
                    ray.get(ref)
                except Exception as error:
                    self._stop_waits()
                    raise self._lost(refs, ref, error) from error
            if cause is not None:
                self._stop_waits()
                raise DeploymentLost(cause)
        return list(ray.get(refs))

    def _lost(self, refs: list[Any], ref: Any, error: Exception) -> DeploymentLost:
        if self._closed:
            return DeploymentLost("deployment: released")
        if isinstance(error, ray.exceptions.RayActorError):
            died = self.died()
            if died is not None:
                return DeploymentLost(died)
        whole = len(refs) == self.plan.n_chips
        where = self.plan.chip_name(refs.index(ref)) if whole else "deployment"
        cause = "its process died" if isinstance(error, ray.exceptions.RayActorError) else _first_line(error)
        return DeploymentLost(f"{where}: {cause}")

    def _stop_waits(self) -> None:
        if self._host is not None:
            with contextlib.suppress(Exception):
                ray.get(self._host.abort.remote(), timeout=_STOP_SECONDS)

    def _report(self, progress: Progress) -> None:
        with contextlib.suppress(Exception):
            shares = ray.get([chip.progress.remote() for chip in self._chips], timeout=_LOOK_SECONDS)
            progress("building chips", sum(shares) / len(shares))

    def _reserve(self) -> Any:
        """Reserve a chip slot for each chip, all on one host: they exchange through its memory."""
        slots = placement_group([{"chip": 1.0}] * self.plan.n_chips, strategy="STRICT_PACK")
        if not slots.wait(_RESERVE_SECONDS):
            remove_placement_group(slots)
            free = int(ray.available_resources().get("chip", 0))
            raise DeploymentLost(
                f"cluster: free chip slots on one host must be at least {self.plan.n_chips}, got {free} on "
                "all hosts together; release a deployment, use fewer chips, or start workers with more"
            )
        return slots

    def _on(self, bundle: int) -> PlacementGroupSchedulingStrategy:
        return PlacementGroupSchedulingStrategy(self._slots, placement_group_bundle_index=bundle)


def _first_line(error: Exception) -> str:
    cause = getattr(error, "cause", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


class PrivateRayTeam(RayTeam):
    """A team with a Ray cluster of its own, for one run from the command line."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        # Ray's logs and sockets go where `close` removes them; a socket's path may have 107 characters.
        self._folder = tempfile.TemporaryDirectory(prefix="srk-", dir="/tmp", ignore_cleanup_errors=True)
        ray.init(
            address="local",
            _temp_dir=self._folder.name,
            num_cpus=max(plan.n_chips, 1),
            resources={"chip": float(plan.n_chips)},
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
        )

    def close(self) -> None:
        """End all actors and the cluster."""
        super().close()
        ray.shutdown()
        self._folder.cleanup()
