"""What was written comes back to the bit, or says that it cannot be read; never as something else."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from causal_rollouts.evidence.codec import MAGIC, Codec, StateUnreadable


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Leaf:
    grid: np.ndarray
    colour: Colour


@dataclass(frozen=True, slots=True)
class Tree:
    name: str
    leaves: tuple[Leaf, ...]
    level: float
    at: int | None


CODEC = Codec((Leaf, Tree, Colour))
TREE = Tree(
    "latency",
    (
        Leaf(np.arange(5, dtype=np.float32), Colour.BLUE),
        Leaf(np.zeros((0, 3), dtype=np.int64), Colour.RED),
    ),
    -0.0,
    -(2**62),
)

DTYPES = st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.int8, np.bool_, np.dtype(">f8")])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(Colour)
    | nps.arrays(DTYPES, nps.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)),
    lambda inner: st.tuples(inner, inner) | st.lists(inner).map(tuple),
    max_leaves=12,
)


def same(a: object, b: object) -> bool:
    """Equal in type and in every bit."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.tobytes() == b.tobytes()
        )
    if isinstance(a, tuple):
        return type(b) is tuple and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return isinstance(b, float) and struct.pack("<d", a) == struct.pack("<d", b)
    if isinstance(a, Tree):
        return type(b) is Tree and all(same(getattr(a, n), getattr(b, n)) for n in Tree.__slots__)
    if isinstance(a, Leaf):
        return type(b) is Leaf and same(a.grid, b.grid) and a.colour is b.colour
    return type(a) is type(b) and a == b


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_every_bit_comes_back(value):
    assert same(CODEC.decode(CODEC.encode(value)), value)


def test_nested_states_come_back_and_the_same_state_gives_the_same_bytes():
    data = CODEC.encode(TREE)
    assert same(CODEC.decode(data), TREE)
    assert CODEC.encode(CODEC.decode(data)) == data


def test_a_strided_array_comes_back_as_it_read():
    strided = np.arange(12.0).reshape(3, 4)[:, ::2].T
    assert same(CODEC.decode(CODEC.encode(strided)), np.ascontiguousarray(strided))


def test_a_float_of_numpy_is_a_float_and_an_odd_nan_keeps_its_bits():
    odd = struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\xff")[0]
    assert CODEC.decode(CODEC.encode(np.float64(0.1))) == 0.1
    assert same(CODEC.decode(CODEC.encode(odd)), odd)
    assert math.isnan(odd)


def test_arrays_come_back_so_that_nobody_writes_into_a_state():
    tree = CODEC.decode(CODEC.encode(TREE))
    with pytest.raises(ValueError, match="read-only"):
        tree.leaves[0].grid[0] = 1.0


@given(st.integers(0, len(CODEC.encode(TREE)) - 1), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_a_flipped_byte_anywhere_is_noticed(at, flip):
    data = bytearray(CODEC.encode(TREE))
    data[at] ^= flip
    with pytest.raises(StateUnreadable):
        CODEC.decode(bytes(data))


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_bytes_that_are_no_state_say_so(noise):
    for data in (noise, MAGIC + noise):
        with pytest.raises(StateUnreadable):
            CODEC.decode(data)


@pytest.mark.parametrize("length", range(0, len(CODEC.encode(TREE)), 7))
def test_a_state_that_was_cut_off_is_unreadable(length):
    with pytest.raises(StateUnreadable):
        CODEC.decode(CODEC.encode(TREE)[:length])


def test_bytes_after_the_state_make_it_unreadable():
    packed = zlib.compress(zlib.decompress(CODEC.encode(TREE)[8:]) + b"\x00")
    with pytest.raises(StateUnreadable, match="1 bytes too many"):
        CODEC.decode(MAGIC + zlib.crc32(packed).to_bytes(4, "little") + packed)


def test_a_class_that_changed_its_fields_makes_old_states_unreadable():
    @dataclass(frozen=True, slots=True)
    class Leaf:  # the next version of the one above
        grid: np.ndarray
        hue: Colour

    with pytest.raises(StateUnreadable, match=r"another version: Leaf\(grid,colour\), now Leaf\(grid,hue\)"):
        Codec((Leaf, Tree, Colour)).decode(CODEC.encode(TREE))


def test_an_enum_that_lost_a_member_makes_old_states_unreadable():
    class Colour(StrEnum):
        BLUE = "blue"

    with pytest.raises(StateUnreadable, match="Colour"):
        Codec((Leaf, Tree, Colour)).decode(CODEC.encode(TREE))


def test_a_class_that_is_gone_makes_old_states_unreadable():
    with pytest.raises(StateUnreadable, match="Leaf"):
        Codec((Tree, Colour)).decode(CODEC.encode(TREE))


@pytest.mark.parametrize(
    "value", [{"a": 1}, [1], np.float32(1.0), np.int64(1), np.array(["a", None], dtype=object), object()]
)
def test_what_would_not_come_back_the_same_is_not_written(value):
    with pytest.raises(TypeError):
        CODEC.encode((value,))


def test_a_foreign_class_of_a_known_name_is_not_written():
    @dataclass(frozen=True, slots=True)
    class Leaf:
        grid: int

    with pytest.raises(TypeError, match="Leaf"):
        CODEC.encode(Leaf(1))
