"""Durations and percentages as people write them in manifests."""

from __future__ import annotations

import re

DURATION = r"^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,7}s)?$"
PERCENT = r"^[0-9]{1,4}(\.[0-9]{1,4})?%$"
DECIMAL = r"^[0-9]{1,3}(\.[0-9]{1,6})?$"

_SECONDS = {"h": 3600, "m": 60, "s": 1}


def seconds(text: str) -> float:
    """`1h30m` -> 5400.

    Raises:
        ValueError: says the form that is expected.
    """
    if not text or not re.fullmatch(DURATION, text):
        raise ValueError(f'"{text}" is no duration; write it like 30s, 5m or 1h30m')
    return float(sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"([0-9]+)([hms])", text)))


def fraction(text: str) -> float:
    """`5%` -> .05.

    Raises:
        ValueError: says the form that is expected.
    """
    if not re.fullmatch(PERCENT, text):
        raise ValueError(f'"{text}" is no percentage; write it like 5% or 0.3%')
    return float(text.removesuffix("%")) / 100


def decimal(text: str) -> float:
    """`0.01` -> .01.

    Raises:
        ValueError: says the form that is expected.
    """
    if not re.fullmatch(DECIMAL, text):
        raise ValueError(f'"{text}" is no decimal; write it like 0.01')
    return float(text)
