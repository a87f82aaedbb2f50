"""Frozen values to plain JSON and back, by their annotations.

Records, recordings and `-o json` all speak this one form, so a record can be
read by anything and still be the exact value that the operator had.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TypeVar, cast

T = TypeVar("T")
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class NotPlain(ValueError):  # noqa: N818 - reads as a sentence
    """JSON does not have the shape of the type; the message says where."""


def to_plain(value: object) -> object:
    """Dataclasses become objects with camelCase keys; nan and infinities become words."""
    match value:
        case Enum():
            return value.value
        case float() if not math.isfinite(value):
            return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): to_plain(item) for key, item in value.items()}
        case Sequence():
            return [to_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(f.name): to_plain(getattr(value, f.name)) for f in fields(value)}
    raise NotPlain(f"{type(value).__name__} has no plain form")


def sparse(value: object) -> object:
    """As `to_plain`, without fields of dataclasses that have their default; `from_plain` reads it too."""
    if is_dataclass(value) and not isinstance(value, type):
        told = ((f, getattr(value, f.name)) for f in fields(value))
        return {
            camel(f.name): sparse(found) for f, found in told if f.default is MISSING or found != f.default
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [sparse(item) for item in value]
    return to_plain(value)


def from_plain(cls: type[T], plain: object) -> T:
    """Inverse of `to_plain`. Unknown keys are ignored, absent ones take the default.

    Raises:
        NotPlain: a required key is missing or a value has another type.
    """
    return cast("T", _read(cls, plain, cls.__name__))


@cache
def camel(name: str) -> str:
    """`min_pods` -> `minPods`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@cache
def _hints(cls: type) -> dict[str, object]:
    return dict(typing.get_type_hints(cls))


def _read(kind: object, plain: object, where: str) -> object:
    origin = typing.get_origin(kind)
    if kind is object:
        return plain
    if origin in {typing.Union, types.UnionType}:
        return _read_union(typing.get_args(kind), plain, where)
    if origin is tuple:
        return _read_tuple(typing.get_args(kind), plain, where)
    if origin is not None and issubclass(origin, Mapping):
        return _read_mapping(typing.get_args(kind), plain, where)
    if isinstance(kind, type):
        return _read_simple(kind, plain, where)
    raise NotPlain(f"{where}: cannot read a {kind}")


def _read_simple(kind: type, plain: object, where: str) -> object:
    if is_dataclass(kind):
        return _read_dataclass(kind, plain, where)
    if kind is float:
        if isinstance(plain, str) and plain in _FLOATS:
            return _FLOATS[plain]
        if isinstance(plain, int | float) and not isinstance(plain, bool):
            return float(plain)
    elif issubclass(kind, Enum):
        try:
            return kind(plain)
        except ValueError:
            raise NotPlain(f"{where}: {plain!r} is none of {', '.join(str(m.value) for m in kind)}") from None
    elif isinstance(plain, kind) and (kind is not int or not isinstance(plain, bool)):
        return plain
    raise NotPlain(f"{where}: expected {kind.__name__}, found {plain!r}")


def _read_dataclass(kind: type, plain: object, where: str) -> object:
    if not isinstance(plain, Mapping):
        raise NotPlain(f"{where}: expected an object, found {plain!r}")
    hints = _hints(kind)
    # Where null is allowed, an absent key is read as null: the API server and patches drop nulls.
    nulls = {f.name: None for f in fields(kind) if f.default is MISSING and _may_be_null(hints[f.name])}
    given = nulls | {
        f.name: _read(hints[f.name], plain[camel(f.name)], f"{where}.{camel(f.name)}")
        for f in fields(kind)
        if camel(f.name) in plain
    }
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise NotPlain(f"{where}: {error}") from None


def _may_be_null(kind: object) -> bool:
    return type(None) in typing.get_args(kind)


def _read_union(kinds: tuple[object, ...], plain: object, where: str) -> object:
    if plain is None and type(None) in kinds:
        return None
    problems = []
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            return _read(kind, plain, where)
        except NotPlain as problem:
            problems.append(str(problem))
    raise NotPlain("; ".join(problems) or f"{where}: null is not allowed")


def _read_tuple(kinds: tuple[object, ...], plain: object, where: str) -> object:
    if not isinstance(plain, Sequence) or isinstance(plain, str):
        raise NotPlain(f"{where}: expected a list, found {plain!r}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_read(kinds[0], item, f"{where}[{i}]") for i, item in enumerate(plain))
    if len(kinds) != len(plain):
        raise NotPlain(f"{where}: expected {len(kinds)} items, found {len(plain)}")
    return tuple(
        _read(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, plain, strict=True))
    )


def _read_mapping(kinds: tuple[object, ...], plain: object, where: str) -> object:
    if not isinstance(plain, Mapping):
        raise NotPlain(f"{where}: expected an object, found {plain!r}")
    return {str(key): _read(kinds[1], item, f"{where}.{key}") for key, item in plain.items()}
