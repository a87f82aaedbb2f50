"""Raw samples on disk: one series a line, in the shape of a range-vector result.

Half a million numbers have to be read before a replay can begin, so the fast
path does nothing per sample but convert it; what is wrong with a line is only
looked for once a line is known to be wrong.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from causal_rollouts.analysis.rows import YEAR_5000, BadRecording
from causal_rollouts.model.telemetry import Series

Key = tuple[tuple[str, str], ...]


def read_samples(path: Path) -> tuple[Series, ...]:
    """All series of a file, in its order; lines that continue a series are joined to it.

    Raises:
        BadRecording: not gzip, not JSON, unsorted or repeated samples: with the line and the series.
    """
    found: dict[Key, Series] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path.name} line {number}"
        series = _series(line, where)
        key = tuple(sorted(series.labels.items()))
        found[key] = _joined(found[key], series, where) if key in found else series
    return tuple(found.values())


def write_samples(path: Path, series: Iterable[Series]) -> None:
    """Write them so that the same samples give the same bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
        for one in series:
            values = [[t, _written(v)] for t, v in zip(one.times, one.values, strict=True)]
            row = {"metric": dict(one.labels), "values": values}
            packed.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as packed:
            yield from packed
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadRecording(f"{path.name}: is no whole gzip file ({error}); write it again") from None


def _series(line: bytes, where: str) -> Series:
    try:
        row = json.loads(line)
        labels, pairs = row["metric"], row["values"]
        times = array("d", [pair[0] for pair in pairs])
        values = array("d", [float(pair[1]) for pair in pairs])
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise BadRecording(
            f'{where}: is not {{"metric":{{...}},"values":[[t,"v"],...]}} ({type(error).__name__}: {error}); '
            "write one series a line"
        ) from None
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise BadRecording(f"{where}.metric: labels must be texts; quote them")
    if "__name__" not in labels:
        raise BadRecording(f"{where}.metric: has no __name__; add the name of the series")
    series = Series(labels, times, values)
    _check_order(series, where)
    return series


def _check_order(series: Series, where: str) -> None:
    if not series.times:
        return
    times = np.asarray(series.times)
    ordered = np.diff(times) > 0
    if ordered.all() and times[-1] <= YEAR_5000 and math.isfinite(times[0]):
        return
    if ordered.all():
        raise BadRecording(f"{where} ({_named(series)}): times look like milliseconds; give seconds")
    at = int(np.argmin(ordered)) + 1
    raise BadRecording(
        f"{where} ({_named(series)}): sample {at + 1} at {times[at]} is not after the one before at "
        f"{times[at - 1]}; sort by time and drop duplicates"
    )


def _joined(before: Series, after: Series, where: str) -> Series:
    if before.times and after.times and before.times[-1] >= after.times[0]:
        raise BadRecording(
            f"{where} ({_named(after)}): the series was on an earlier line up to {before.times[-1]} and this "
            f"one begins at {after.times[0]}; write each sample once"
        )
    times, values = array("d", before.times), array("d", before.values)
    times.extend(after.times)
    values.extend(after.values)
    return Series(before.labels, times, values)


def _named(series: Series) -> str:
    labels: Mapping[str, str] = series.labels
    inner = ",".join(f"{k}={v}" for k, v in sorted(labels.items()) if k != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"


def _written(value: float) -> str:
    if math.isfinite(value) and value == int(value):
        return str(int(value))
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")
