"""Evidence state as bytes, the same bits back.

The record holds one copy of these bytes and every tick starts from them, so a
restart continues exactly where the last tick stood. Pickle would run whatever
somebody wrote into a record, and JSON would lose bits and width of arrays.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAGIC: Final = b"CRE1"
"""Layout of this file's format; what the fields mean is told by the shapes written beside the values."""

_LIMIT: Final = 1 << 23
_NONE, _FALSE, _TRUE, _INT, _FLOAT, _TEXT, _TUPLE, _ENUM, _OBJECT, _ARRAY = range(10)
_DOUBLE = struct.Struct("<d")


class StateUnreadable(Exception):  # noqa: N818 - reads as a sentence where it is caught
    """The bytes are not a state that this version wrote; the message says why."""


class Codec:
    """Writes and reads frozen dataclasses made of None, bool, int, float, str, tuple, enums and arrays.

    classes: every dataclass and enum that may occur. A class whose fields changed since the bytes were
    written makes them unreadable: guessing at sufficient statistics would be worse than stopping.
    """

    def __init__(self, classes: Iterable[type]) -> None:
        self._classes = {cls.__name__: cls for cls in classes}

    def encode(self, state: object) -> bytes:
        """The state as bytes; equal states give equal bytes.

        Raises:
            TypeError: a value of a kind or class that is not among those named above.
        """
        writer = _Writer(self._classes)
        writer.value(state)
        packed = zlib.compress(writer.shapes() + bytes(writer.body), 6)
        return MAGIC + zlib.crc32(packed).to_bytes(4, "little") + packed

    def decode(self, data: bytes) -> object:
        """Inverse of `encode`, bit for bit; arrays come back read-only.

        Raises:
            StateUnreadable: other format, damaged, or written for other shapes of the classes.
        """
        if data[:4] != MAGIC:
            raise StateUnreadable(f"evidence state: begins with {data[:4]!r}, this version reads {MAGIC!r}")
        packed = data[8:]
        if zlib.crc32(packed).to_bytes(4, "little") != data[4:8]:
            raise StateUnreadable("evidence state: checksum differs, the record was damaged or edited")
        try:
            unpacker = zlib.decompressobj()
            plain = unpacker.decompress(packed, _LIMIT)
            if not unpacker.eof:
                raise StateUnreadable(f"evidence state: cut off or larger than {_LIMIT} bytes")
            reader = _Reader(plain, self._classes)
            value = reader.whole()
        except (
            zlib.error,
            struct.error,
            ValueError,
            TypeError,
            IndexError,
            KeyError,
            RecursionError,
        ) as error:
            raise StateUnreadable(f"evidence state: cannot be read ({error!r})") from None
        return value


@cache
def _shape(cls: type) -> str:
    """What must not have changed: the name and the fields or members, in order."""
    names = [f.name for f in fields(cls)] if is_dataclass(cls) else [m.name for m in _members(cls)]
    return f"{cls.__name__}({','.join(names)})"


@cache
def _members(cls: type) -> tuple[Enum, ...]:
    if not issubclass(cls, Enum):
        raise TypeError(f"{cls.__name__} is neither a dataclass nor an enum")
    return tuple(cls)


class _Writer:
    def __init__(self, classes: dict[str, type]) -> None:
        self.body = bytearray()
        self._classes = classes
        self._used: dict[type, tuple[int, tuple[str, ...]]] = {}
        # Names of units and nodes come again in every metric.
        self._texts: dict[str, bytes] = {}
        self._by_type: dict[type, Callable[..., None]] = {
            type(None): lambda _: self.body.append(_NONE),
            bool: lambda value: self.body.append(_TRUE if value else _FALSE),
            int: self._int,
            float: self._float,
            np.float64: self._float,
            str: self._text,
            tuple: self._tuple,
            np.ndarray: self._array,
        }

    def shapes(self) -> bytes:
        """The shapes of the classes that occur, in the order of their numbers."""
        text = ";".join(_shape(cls) for cls in self._used).encode()
        return len(text).to_bytes(4, "little") + text

    def value(self, value: object) -> None:
        self._by_type.get(type(value), self._named)(value)

    def _named(self, value: object) -> None:
        cls: type = type(value)
        number, names = self._used.get(cls) or self._number(cls)
        if isinstance(value, Enum):
            self._tag(_ENUM, number)
            self._size(_members(cls).index(value))
            return
        self._tag(_OBJECT, number)
        for name in names:
            part = getattr(value, name)
            self._by_type.get(type(part), self._named)(part)

    def _number(self, cls: type) -> tuple[int, tuple[str, ...]]:
        if self._classes.get(cls.__name__) is not cls:
            raise TypeError(f"evidence state holds a {cls.__module__}.{cls.__qualname__}, which is not known")
        names = tuple(f.name for f in fields(cls)) if is_dataclass(cls) else ()
        return self._used.setdefault(cls, (len(self._used), names))

    def _tag(self, tag: int, size: int) -> None:
        self.body.append(tag)
        self._size(size)

    def _size(self, size: int) -> None:
        while size > 127:
            self.body.append(size & 127 | 128)
            size >>= 7
        self.body.append(size)

    def _bytes(self, tag: int, data: bytes) -> None:
        self._tag(tag, len(data))
        self.body += data

    def _text(self, value: str) -> None:
        known = self._texts.get(value)
        if known is None:
            begin = len(self.body)
            self._bytes(_TEXT, value.encode())
            self._texts[value] = bytes(self.body[begin:])
        else:
            self.body += known

    def _float(self, value: float) -> None:
        self.body.append(_FLOAT)
        self.body += _DOUBLE.pack(value)

    def _int(self, value: int) -> None:
        length = (value.bit_length() + 8) // 8
        self._bytes(_INT, value.to_bytes(length, "little", signed=True))

    def _tuple(self, value: tuple[object, ...]) -> None:
        self._tag(_TUPLE, len(value))
        for item in value:
            self._by_type.get(type(item), self._named)(item)

    def _array(self, array: NDArray[np.generic]) -> None:
        if array.dtype.hasobject or array.dtype.names:
            raise TypeError(f"evidence state holds an array of {array.dtype}, which has no fixed bits")
        self._bytes(_ARRAY, array.dtype.str.encode())
        self._size(array.ndim)
        for length in array.shape:
            self._size(length)
        self.body += array.tobytes()


class _Reader:
    def __init__(self, data: bytes, classes: dict[str, type]) -> None:
        self._data = data
        self._at = 0
        self._names = classes
        self._classes: list[tuple[type, int]] = []
        # In the order of the tags.
        self._by_tag: tuple[Callable[[], object], ...] = (
            lambda: None,
            lambda: False,
            lambda: True,
            lambda: int.from_bytes(self._take(self._size()), "little", signed=True),
            lambda: _DOUBLE.unpack(self._take(8))[0],
            lambda: self._take(self._size()).decode(),
            lambda: tuple([self._value() for _ in range(self._size())]),
            lambda: _members(self._classes[self._size()][0])[self._size()],
            self._object,
            self._array,
        )

    def whole(self) -> object:
        """The one value that the bytes hold."""
        text = self._take(int.from_bytes(self._take(4), "little")).decode()
        self._classes = [self._known(shape) for shape in text.split(";") if shape]
        value = self._value()
        if self._at != len(self._data):
            raise StateUnreadable(f"evidence state: {len(self._data) - self._at} bytes too many")
        return value

    def _known(self, shape: str) -> tuple[type, int]:
        name = shape.partition("(")[0]
        cls = self._names.get(name)
        if cls is None or _shape(cls) != shape:
            now = "unknown" if cls is None else _shape(cls)
            raise StateUnreadable(f"evidence state: written by another version: {shape}, now {now}")
        return cls, len(fields(cls)) if is_dataclass(cls) else 0

    def _value(self) -> object:
        tag = self._data[self._at]
        self._at += 1
        return self._by_tag[tag]()

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise StateUnreadable("evidence state: cut off")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _size(self) -> int:
        size = shift = 0
        while (byte := self._data[self._at]) > 127:
            self._at += 1
            size |= (byte & 127) << shift
            shift += 7
        self._at += 1
        return size | byte << shift

    def _object(self) -> object:
        cls, count = self._classes[self._size()]
        return cls(*[self._value() for _ in range(count)])

    def _array(self) -> object:
        dtype = np.dtype(self._take(self._size()).decode())
        shape = tuple([self._size() for _ in range(self._size())])
        # A copy: a view into the bytes would be unaligned, and slow for every sum that follows.
        array = np.frombuffer(self._take(math.prod(shape) * dtype.itemsize), dtype).reshape(shape).copy()
        array.flags.writeable = False
        return array
