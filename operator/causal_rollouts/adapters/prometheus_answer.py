"""Reads an answer of the Prometheus query API with the suspicion it deserves.

A partial answer is no answer: any warning refuses the whole. Not-a-number and
duplicate series are passed on, because the evidence says what they mean.
"""

from __future__ import annotations

from array import array
from typing import Any

from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Refused


def read(answer: Any, *, start: float, end: float, rename: dict[str, str]) -> tuple[Series, ...]:
    """Series of a matrix, samples in (start, end] in order.

    rename: label -> label under which the gate knows it.

    Raises:
        Broken: not a matrix, an error, or a partial answer. Refused: the query itself was refused.
    """
    if not isinstance(answer, dict):
        raise Broken("the answer is no JSON object")
    if answer.get("status") != "success":
        kind = str(answer.get("errorType", "unknown"))
        message = f"{kind}: {str(answer.get('error', 'no reason given'))[:200]}"
        raise Refused(message) if kind in {"bad_data", "execution"} else Broken(message)
    if answer.get("warnings"):
        raise Broken(f"the answer is partial: {str(answer['warnings'])[:200]}")
    found = answer.get("data")
    if not isinstance(found, dict) or found.get("resultType") != "matrix":
        raise Broken("the answer holds no raw samples")
    return tuple(
        series
        for entry in found.get("result", [])
        if (series := _series(entry, start, end, rename)) is not None
    )


def _series(entry: Any, start: float, end: float, rename: dict[str, str]) -> Series | None:
    try:
        pairs = sorted(
            (float(time), float(value))
            for time, value in entry.get("values", [])
            if start < float(time) <= end
        )
        labels = {rename.get(str(k), str(k)): str(v) for k, v in entry["metric"].items()}
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise Broken(f"a series could not be read: {error}") from None
    if not pairs:
        return None
    times, values = zip(*pairs, strict=True)
    return Series(labels, array("d", times), array("d", values))
