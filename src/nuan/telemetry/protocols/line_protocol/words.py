"""Eight bytes at a time: the load that numba has no word for, and comparing and hashing with it.

Whoever calls these has made sure that eight bytes may be read at the last place (`grammar.PAD` behind the data).
"""

from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

_MIX = np.uint64(0x9FB21C651E98DF25)
_SEED = np.uint64(0x243F6A8885A308D3)


def _load8(typing_context: Any, data: Any, at: Any) -> Any:
    """uint64 of data[at : at + 8], little-endian, wherever it starts; `data` is a contiguous uint8 array."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        word = builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(data, types.int64), build


def _byte(typing_context: Any, data: Any, at: Any) -> Any:
    """data[at] as int64, for places that are never negative: numba's own indexing asks at every byte whether they are."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.zext(builder.load(builder.gep(array.data, [arguments[1]])), ir.IntType(64))

    return types.int64(data, types.int64), build


def _prefetch(typing_context: Any, array: Any, at: Any) -> Any:
    """Ask memory for array[at] without waiting for it; `array` is contiguous, `at` counts its elements."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(place.data, [arguments[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, *[ir.IntType(32)] * 3])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")  # type: ignore[no-untyped-call]
        # for reading, to be kept in all caches, data
        builder.call(function, [pointer, *[ir.Constant(ir.IntType(32), what) for what in (0, 3, 1)]])
        return context.get_dummy_value()

    return types.none(array, types.int64), build


byte: Any = intrinsic(_byte)
load8: Any = intrinsic(_load8)
prefetch: Any = intrinsic(_prefetch)


@nb.njit(cache=True, nogil=True, inline="always")
def tail_mask(size):  # type: ignore[no-untyped-def]
    """Ones over the first `size` bytes of a word, 0 < size < 8."""
    return (np.uint64(1) << np.uint64(8 * size)) - np.uint64(1)


@nb.njit(cache=True, nogil=True)
def hash_span(data, start, end):  # type: ignore[no-untyped-def]
    """64 bits that depend on every byte of data[start:end] and on the length."""
    mixed = _SEED ^ np.uint64(end - start)
    at = start
    while at + 8 <= end:
        mixed = (mixed ^ load8(data, at)) * _MIX
        mixed ^= mixed >> np.uint64(29)
        at += 8
    if at < end:
        mixed = (mixed ^ (load8(data, at) & tail_mask(end - at))) * _MIX
        mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX
    return mixed ^ (mixed >> np.uint64(32))


@nb.njit(cache=True, nogil=True)
def spans_equal(left, at, right, there, size):  # type: ignore[no-untyped-def]
    """left[at : at + size] == right[there : there + size]."""
    done = 0
    while done + 8 <= size:
        if load8(left, at + done) != load8(right, there + done):
            return False
        done += 8
    if done < size:
        return ((load8(left, at + done) ^ load8(right, there + done)) & tail_mask(size - done)) == np.uint64(0)
    return True
