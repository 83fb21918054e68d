"""The memory that there is: the machine's, or less where a control group of either version says so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from cluster import SYSTEMS, CapacityError, DeployOptions, fit, hostmemory, run_local
from cluster.hostmemory import control_groups, free_memory, host_memory
from cluster.room import ACTOR_BYTES, PROCESS_BYTES, Room, room_here
from network import parse_network
from tests.cluster.samples import pair


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def membership(folder: Path, text: str) -> Path:
    write(folder, {"cgroup": text})
    return folder / "cgroup"


def test_version_2_with_the_groups_above(tmp_path: Path) -> None:
    files = {
        "app/run/memory.max": "max\n",
        "app/run/memory.current": "100\n",
        "app/memory.max": "1000\n",
        "app/memory.current": "400\n",
        "app/memory.stat": "anon 300\ninactive_file 60\nactive_file 40\n",
    }
    write(tmp_path, files)
    assert control_groups(tmp_path, membership(tmp_path, "0::/app/run\n")) == [(1000, 340)]


def test_a_container_of_version_2_that_does_not_see_its_path(tmp_path: Path) -> None:
    write(tmp_path, {"memory.max": "1000\n", "memory.current": "400\n"})
    own = membership(tmp_path, "0::/../kubepods/pod7\n")
    assert control_groups(tmp_path, own) == [(1000, 400)]


def test_version_1(tmp_path: Path) -> None:
    files = {
        "memory/run/memory.limit_in_bytes": "2000\n",
        "memory/run/memory.usage_in_bytes": "900\n",
        "memory/run/memory.stat": "inactive_file 1\ntotal_inactive_file 200\n",
        "memory/memory.limit_in_bytes": f"{2**63 - 4096}\n",
        "memory/memory.usage_in_bytes": "5000\n",
    }
    write(tmp_path, files)
    own = membership(tmp_path, "5:cpuset:/run\n4:cpu,memory:/run\n0::/\n")
    assert control_groups(tmp_path, own) == [(2000, 700)]


def test_no_control_groups(tmp_path: Path) -> None:
    assert control_groups(tmp_path, tmp_path / "none") == []


@pytest.mark.parametrize(
    ("groups", "total", "free"),
    [([], 800, 300), ([(500, 300), (10**9, 0)], 500, 200), ([(900, 100)], 800, 300), ([(500, 600)], 500, 0)],
)
def test_the_least_of_machine_and_groups(
    monkeypatch: pytest.MonkeyPatch, groups: list[tuple[int, int]], total: int, free: int
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=800, available=300))
    monkeypatch.setattr(hostmemory, "control_groups", lambda: groups)
    assert (host_memory(), free_memory()) == (total, free)


def test_a_host_has_memory() -> None:
    assert 0 < free_memory() <= host_memory()


def test_workers_and_their_cores() -> None:
    threads, actors = Room("local", 4), Room("ray", 4)
    assert [threads.n_workers(n) for n in (1, 4, 16)] == [1, 4, 4]
    assert [actors.n_workers(n) for n in (1, 4, 16)] == [1, 4, 16]
    assert [threads.n_builders(n) for n in (0, 1, 2, 3, 16)] == [4, 4, 2, 1, 1]


def test_processes() -> None:
    assert [Room(alone=alone).process_bytes(2) for alone in (True, False)] == [PROCESS_BYTES, 0]
    service, own = (Room("ray", 2, alone=alone) for alone in (False, True))
    assert service.process_bytes(3) - service.process_bytes(2) == ACTOR_BYTES
    assert own.process_bytes(2) > service.process_bytes(2)


def test_room_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.room.free_memory", lambda: 12345)
    assert room_here("local", threads=1) == Room("local", 1, 12345)
    assert room_here("ray", threads=1, memory_bytes=7) == Room("ray", 1, 7)


def test_a_run_that_the_host_has_no_memory_for_builds_nothing() -> None:
    phases: list[str] = []
    network, room = parse_network(pair()), room_here("local", memory_bytes=1000)
    need = fit(network, SYSTEMS["rack-8x8"], DeployOptions(), room).memory_bytes
    with pytest.raises(CapacityError) as caught:
        run_local(
            network,
            n_ticks=1,
            memory_bytes=1000,
            progress=lambda phase, share, detail: phases.append(phase),
        )
    assert str(caught.value) == (
        f"host: memory_bytes must be at most 1000, got {need}; "
        "use fewer synapses or neurons, or a host with more memory"
    )
    assert phases == []
