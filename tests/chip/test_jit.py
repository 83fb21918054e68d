import re
import tempfile
from pathlib import Path

import numba
import numpy as np
import pytest

from chip import jit
from chip.arithmetic import log
from chip.delivery import push
from chip.jit import cache_folder
from chip.queues import read_arrivals
from chip.tick import advance_tick
from chip.words import add_words
from cluster.loop import run

ROOT = Path(jit.__file__).parents[1]
PACKAGES = ("api", "chip", "cluster", "network", "router", "spikerack")


def test_all_sources_with_kernels_are_known() -> None:
    """The folder of compiled kernels is named by these sources: one that is missed would stay as it was."""
    with_kernels = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if package != "chip" and re.search(r"@\w*kernel\b|njit", path.read_text())
    }
    assert with_kernels == set(jit._ELSEWHERE)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the files of another source tree, which `jit` takes for its own."""
    names = ["chip/jit.py", "chip/tick.py", "chip/neurons/lif.py", *jit._ELSEWHERE]
    files = [tmp_path / name for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("one")
    monkeypatch.setattr(jit, "__file__", str(files[0]))
    monkeypatch.setenv("SPIKERACK_KERNELS", str(tmp_path / "kernels"))
    return files


def test_an_edit_or_a_new_name_gives_another_folder(sources: list[Path]) -> None:
    seen = {cache_folder()}
    assert {cache_folder()} == seen
    for file in sources[1:]:
        file.write_text("two")
        seen.add(cache_folder())
    sources[1].rename(sources[1].with_name("tock.py"))
    seen.add(cache_folder())
    assert len(seen) == len(sources) + 1
    assert all(folder.is_dir() and folder.parent.name == "kernels" for folder in seen)


def test_a_source_without_kernels_changes_nothing(sources: list[Path]) -> None:
    folder = cache_folder()
    (sources[-1].parent / "plan.py").write_text("two")
    assert cache_folder() == folder


def test_the_user_cache_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKERACK_KERNELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().parent == tmp_path / "spikerack"


def test_where_nothing_can_be_written_the_temporary_folder_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SPIKERACK_KERNELS", str(tmp_path / "file"))
    assert cache_folder().parent.parent == Path(tempfile.gettempdir())


@pytest.mark.parametrize("compiled", [log, advance_tick])
def test_kernels_are_exact_and_release_the_interpreter(compiled: object) -> None:
    options = compiled.targetoptions  # type: ignore[attr-defined]
    assert options["nogil"]
    assert options["error_model"] == "numpy"
    assert not options.get("fastmath", False)


@pytest.mark.parametrize("compiled", [add_words, push, read_arrivals, advance_tick, run])
def test_kernels_of_a_tick_cannot_allocate(compiled: object) -> None:
    """So they count no references to arrays either: what would count them is not there."""

    def allocates(n):
        return np.empty(n).size

    options = compiled.targetoptions  # type: ignore[attr-defined]
    assert numba.jit(**log.targetoptions)(allocates)(3) == 3
    with pytest.raises(numba.core.errors.TypingError, match="Only accept returning of array"):
        numba.jit(**options)(allocates)(3)
