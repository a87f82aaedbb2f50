"""Reads an answer of the Prometheus query API with the suspicion it deserves.

A partial answer is no answer: any warning refuses the whole. Not-a-number and
duplicate series are passed on, because the evidence says what they mean.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from typing import Any

from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Refused

WRONG_QUERY = frozenset({400, 422})
OK = 200
LONGEST = 200
"""Characters of a foreign text that may reach a condition or a log."""


def refuse(status: int, body: bytes) -> None:
    """Raise where the HTTP status says that this is no answer.

    Raises:
        Refused: the query is wrong. Broken: anything else, redirects too.
    """
    if status in WRONG_QUERY:
        raise Refused(f"Prometheus refused the query with status {status}: {_reason(body)}")
    if status != OK:
        raise Broken(f"Prometheus answered with status {status}")


def read(body: bytes, *, start: float, end: float, rename: Mapping[str, str]) -> tuple[Series, ...]:
    """Series of a matrix, samples in (start, end] in order.

    rename: label -> label under which the gate knows it.

    Raises:
        Broken: not a matrix, an error, or a partial answer. Refused: the query itself was refused.
    """
    found = whole(body).get("data")
    if not isinstance(found, dict) or found.get("resultType") != "matrix":
        raise Broken("the answer holds no raw samples")
    return series_of(found.get("result") or (), start=start, end=end, rename=rename)


def whole(body: bytes) -> dict[str, Any]:
    """The answer as JSON, if it is a success and complete.

    Raises:
        Broken: not JSON, an error, or a partial answer. Refused: the query itself was refused.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Broken(f"the answer is no JSON: {type(error).__name__}") from None
    if not isinstance(answer, dict):
        raise Broken("the answer is no JSON object")
    if answer.get("status") != "success":
        kind = str(answer.get("errorType", "unknown"))
        message = f"{kind}: {str(answer.get('error', 'no reason given'))[:LONGEST]}"
        raise Refused(message) if kind in {"bad_data", "execution"} else Broken(message)
    if answer.get("warnings"):
        raise Broken(f"the answer is partial: {str(answer['warnings'])[:LONGEST]}")
    return answer


def series_of(result: Any, *, start: float, end: float, rename: Mapping[str, str]) -> tuple[Series, ...]:
    """Series of the result of a range selector, without those that have no sample in (start, end].

    Raises:
        Broken: an entry is not one of a matrix.
    """
    try:
        found = [_series(entry, start, end, rename) for entry in result]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise Broken(f"a series could not be read: {type(error).__name__}") from None
    return tuple(series for series in found if series is not None)


def _series(entry: Any, start: float, end: float, rename: Mapping[str, str]) -> Series | None:
    pairs = [(float(time), float(value)) for time, value in entry.get("values") or ()]
    # Prometheus 2 includes the first instant of a range, 3 does not; here it is never included.
    pairs = sorted((pair for pair in pairs if start < pair[0] <= end), key=lambda pair: pair[0])
    if not pairs:
        return None
    times, values = zip(*pairs, strict=True)
    return Series(_named(entry["metric"], rename), array("d", times), array("d", values))


def _named(labels: Mapping[str, str], rename: Mapping[str, str]) -> dict[str, str]:
    """Labels under the gate's names; a label of the source that has such a name already gives way."""
    others = {str(key): str(value) for key, value in labels.items() if key not in rename}
    return others | {rename[key]: str(value) for key, value in labels.items() if key in rename}


def _reason(body: bytes) -> str:
    """What Prometheus says of a refused query; never more than a line of it."""
    try:
        return str(json.loads(body).get("error", "no reason given"))[:LONGEST]
    except (ValueError, AttributeError, RecursionError):
        return "no reason given"
