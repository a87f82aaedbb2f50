"""Reads an answer of the Prometheus query API with the suspicion it deserves.

A partial answer is no answer: any warning refuses the whole. Not-a-number and
duplicate series are passed on, because the evidence says what they mean.
Nothing that a server wrote is ever repeated to a user: errors are told in our
own words, by their kind.
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
OVERLOADED = 429
MEBI = 1 << 20

KINDS = {
    "bad_data": "it takes the query for wrong",
    "execution": "the query needs more than it allows (samples, series or memory)",
    "timeout": "the query timed out",
    "canceled": "the query was cancelled",
    "unavailable": "it is not ready",
    "internal": "it failed inside",
}
"""Kinds of errors of the query API; the text beside them is never read."""


def refuse(status: int, body: bytes) -> None:
    """Raise where the HTTP status says that this is no answer.

    Raises:
        Refused: the query is wrong. Broken: anything else, redirects too.
    """
    if status == OK:
        return
    if status in WRONG_QUERY:
        raise Refused(f"Prometheus refused the query with status {status}: {_kind(body)}; see its log")
    if 300 <= status < 400:
        raise Broken(
            f"Prometheus answered with a redirect (status {status}), which is not followed; "
            "set the address where it leads"
        )
    overloaded = "is overloaded: it " if status == OVERLOADED else ""
    raise Broken(f"Prometheus {overloaded}answered with status {status}")


def too_large(most: int) -> str:
    """What is said of a body beyond the cap, in bytes."""
    return (
        f"the answer is larger than {most / MEBI:.3g} MiB; let the pods export fewer series, "
        "or raise the operator's limit"
    )


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
        message = f"Prometheus answered with an error: {_told(answer)}"
        raise Refused(message) if answer.get("errorType") in ("bad_data", "execution") else Broken(message)
    if answer.get("warnings"):
        raise Broken("the answer is partial: Prometheus warns that a part of its stores did not answer")
    return answer


def series_of(result: Any, *, start: float, end: float, rename: Mapping[str, str]) -> tuple[Series, ...]:
    """Series of the result of a range selector, without those that have no sample in (start, end].

    Raises:
        Broken: an entry is not one of a matrix.
    """
    try:
        found = [_series(entry, start, end, rename) for entry in result]
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
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


def _kind(body: bytes) -> str:
    """What kind of error a refused query is."""
    try:
        return _told(json.loads(body))
    except (ValueError, RecursionError):
        return "without a reason"


def _told(answer: Any) -> str:
    kind = answer.get("errorType") if isinstance(answer, dict) else None
    return KINDS.get(kind, "without a reason") if isinstance(kind, str) else "without a reason"
