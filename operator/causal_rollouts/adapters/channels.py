"""Where notices go: channels by name, from a file of the operator's owner.

URLs and tokens stand in a mounted Secret and nowhere else. What is wrong with
the file is said by its field, never by its value: a value may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import yaml

LARGEST = 65536
"""Bytes of the file: that of a Secret would be a megabyte, and no list of channels is."""

MOST = 32
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
TOKEN = re.compile(r"[!-~]{1,4096}")
FIELDS = frozenset({"kind", "url", "token"})


class BadChannels(ValueError):  # noqa: N818 - reads as a sentence in the message
    """The file cannot be used; the message names each field and what to do."""


class Kind(StrEnum):
    """What the endpoint understands."""

    CLOUD_EVENTS = "CloudEvents"
    CLOUD_EVENTS_BINARY = "CloudEventsBinary"
    SLACK = "Slack"


@dataclass(frozen=True, slots=True)
class Channel:
    """One endpoint. Its URL and token are kept out of what is printed of it."""

    name: str
    kind: Kind
    url: str = field(repr=False)
    token: str = field(default="", repr=False)


def read_channels(file: Path | None) -> Mapping[str, Channel]:
    """Channels by name; none without a file. A mounted Secret is rotated, so one that changed is read anew.

    Raises:
        BadChannels: it is not there, or something in it is wrong; says all.
    """
    if file is None:
        return {}
    try:
        seen = file.stat()
    except OSError as error:
        raise _unreadable(file, error) from None
    return _read(file, (seen.st_ino, seen.st_mtime_ns, seen.st_size))


@lru_cache(maxsize=4)
def _read(file: Path, _: tuple[int, int, int]) -> Mapping[str, Channel]:
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
        found = yaml.safe_load(raw.decode("utf-8")) if len(raw) <= LARGEST else None
    except OSError as error:
        raise _unreadable(file, error) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        # In the words of the parser would stand a line of the file.
        raise BadChannels(
            f'"{file}" is no YAML; write one line "name: {{kind: ..., url: ...}}" a channel'
        ) from None
    if not isinstance(found, dict) or not 0 < len(found) <= MOST:
        raise BadChannels(f'"{file}" holds no list of channels; write 1 to {MOST} of them, each by its name')
    problems = [problem for name, value in found.items() for problem in _problems(name, value)]
    if problems:
        raise BadChannels("; ".join(problems))
    return {
        name: Channel(name, Kind(value["kind"]), value["url"], value.get("token", ""))
        for name, value in found.items()
    }


def _unreadable(file: Path, error: OSError) -> BadChannels:
    return BadChannels(
        f'"{file}" cannot be read ({type(error).__name__}); mount the Secret or correct the setting'
    )


def _problems(name: Any, value: Any) -> Iterator[str]:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield "a channel has another name than lower case letters, digits and -; rename it"
        return
    if not isinstance(value, dict):
        yield f"{name}: is no channel; write kind and url"
        return
    if value.keys() - FIELDS:
        yield f"{name}: has a field that is not known; use {', '.join(sorted(FIELDS))}"
    if value.get("kind") not in list(Kind):
        yield f"{name}.kind: is not known; use {', '.join(Kind)}"
    parts = _parts(value.get("url"))
    if parts is None:
        yield f"{name}.url: is no address like https://host/path, without user and without #; correct it"
    token = value.get("token", "")
    if token != "" and not (isinstance(token, str) and TOKEN.fullmatch(token)):
        yield f"{name}.token: holds what no header may; write printable ASCII without blanks, or leave it out"
    elif token and parts is not None and parts.scheme != "https":
        yield f"{name}.url: a token would go over plain HTTP; use https:// or leave the token out"


def _parts(url: Any) -> SplitResult | None:
    if not isinstance(url, str) or not re.fullmatch(r"[!-~]{1,2048}", url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    wrong = parts.scheme not in {"http", "https"} or not parts.hostname or port == 0
    return None if wrong or parts.username is not None or "#" in url else parts
