"""How kernels are compiled: the decorator, the folder of compiled code, and the few instructions Numba lacks.

Numba's own cache sees an edit of the module that a kernel stands in, and not an edit of what the kernel
calls in another module. So the folder is keyed by all sources that may hold kernels; Numba itself keys by
CPU.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaExperimentalFeatureWarning
from numba.extending import intrinsic

_ELSEWHERE = ("cluster/exchange.py", "cluster/loop.py")
"""Sources with kernels outside this package; `tests/chip` holds that there are no others."""


def _sources_digest() -> str:
    """Hash every Python source that may hold a kernel, or a constant that is compiled into one."""
    package = Path(__file__).resolve().parent
    root = package.parent
    digest = hashlib.sha256(numba.__version__.encode())
    for path in (*sorted(package.rglob("*.py")), *(root / name for name in _ELSEWHERE)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def cache_folder() -> Path:
    """Return the folder of compiled kernels for the sources as they are.

    `SPIKERACK_KERNELS` names the parent folder; otherwise the user's cache folder, and where that cannot be
    written (a read-only container) the system's temporary folder.
    """
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spikerack"
    parent = Path(os.environ.get("SPIKERACK_KERNELS") or default)
    folder = parent / f"kernels-{_sources_digest()}"
    if _writable(folder):
        return folder
    return Path(tempfile.gettempdir()) / f"spikerack-{os.getuid()}" / folder.name


CACHE_FOLDER = cache_folder()
numba.config.CACHE_DIR = str(CACHE_FOLDER)

# Kernels of models are called through a tuple of functions of one signature, which Numba calls experimental.
warnings.filterwarnings("ignore", category=NumbaExperimentalFeatureWarning)


def _compiled(**options: Any) -> Callable[[Any], Any]:
    """Return a decorator: with the interpreter lock free and no fast-math (all CPUs give the same results).

    Kernels that call a kernel get a twin of it, without what only Python needs: taking the arrays of a chip's
    tuples out of Python objects is a third of all that there is to compile. The twin becomes part of what
    calls it, and is on disk with that.
    """
    options |= {"nogil": True, "error_model": "numpy"}

    def decorate(function: Any) -> Any:
        compiled = numba.njit(cache=True, **options)(function)
        part = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)
        compiled.get_call_template, compiled.get_overload = part.get_call_template, part.get_overload
        return compiled

    return decorate


kernel = _compiled()
"""Compile, cached on disk."""

tick_kernel = _compiled(_nrt=False)
"""The same for what runs every tick: it may allocate nothing, and counts no references to arrays.

Numba counts references to each array of each tuple that is passed to a function, with atomic instructions: 30
of 120 us of a tick of the cortical microcircuit.
"""

inner_kernel = _compiled(_nrt=False, forceinline=True)
"""The same for what is called for every few words: its code becomes part of its caller."""


def _prefetching(*, write: bool, locality: int) -> Any:
    """Return an intrinsic that asks for a cache line, in the first-level cache; it never faults.

    Parameters
    ----------
    write : bool
        Whether the line will be written.
    locality : int
        LLVM's number: 3 where the line is to stay in all caches, 0 where it is used once.
    """

    def prefetch(typingctx: Any, array: Any, index: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = _word_pointer(context, builder, signature.args[0], args[0], args[1])
            raw = builder.bitcast(pointer, cgutils.voidptr_t)
            word = ir.IntType(32)
            function_type = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
            function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
            builder.call(function, [raw, word(int(write)), word(locality), word(1)])
            return context.get_dummy_value()

        return types.void(array, index), codegen

    return intrinsic(prefetch)


prefetch = _prefetching(write=False, locality=3)
"""Ask for the cache line that holds ``array[index]``."""

prefetch_once = _prefetching(write=False, locality=0)
"""The same for what is read once: when it leaves the first-level cache, it takes no place in the others."""

prefetch_to_write = _prefetching(write=True, locality=3)
"""Ask for the line to write to it: a store that has to wait for its line lets all later ones wait."""


@intrinsic
def leading_zeros(typingctx: Any, word: Any) -> Any:
    """Return the leading zeros of a uint32 that is not 0, as uint32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint32(types.uint32), codegen


@intrinsic
def trailing_zeros(typingctx: Any, word: Any) -> Any:
    """Return the trailing zeros of a uint64 that is not 0, as uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen


@intrinsic
def count_ones(typingctx: Any, word: Any) -> Any:
    """Return how many bits of a uint64 are set, as int64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


def _word_pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    view = context.make_array(array_type)(context, builder, array)
    return builder.gep(view.data, [index])


@intrinsic
def touch(typingctx: Any, array: Any, index: Any) -> Any:
    """Load the int32 ``array[index]`` only to have its cache line; many prefetches at once get dropped."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.load_atomic(
            _word_pointer(context, builder, signature.args[0], args[0], args[1]), "monotonic", 4
        )
        return context.get_dummy_value()

    return types.void(array, index), codegen


@intrinsic
def load_acquire(typingctx: Any, array: Any, index: Any) -> Any:
    """Read the int64 ``array[index]``; nothing after it is done before it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _word_pointer(context, builder, signature.args[0], args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, index), codegen


@intrinsic
def store_release(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Write int64 `value` to ``array[index]``; everything before it is visible to who reads it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _word_pointer(context, builder, signature.args[0], args[0], args[1])
        builder.store_atomic(args[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(array, index, types.int64), codegen
