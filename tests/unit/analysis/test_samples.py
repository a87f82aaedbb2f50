from __future__ import annotations

import gzip
import math
import random
from array import array
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.analysis.samples import read_samples, write_samples
from causal_rollouts.model.telemetry import Series

TIMES = st.lists(st.floats(0, 4e9, allow_nan=False), max_size=20, unique=True).map(sorted)
VALUES = st.floats(width=64)
LABELS = st.dictionaries(st.sampled_from(["pod", "le", "code"]), st.text(max_size=8))


@st.composite
def some_series(draw: st.DrawFn) -> list[Series]:
    out: dict[tuple[tuple[str, str], ...], Series] = {}
    for i in range(draw(st.integers(0, 4))):
        labels = {"__name__": f"metric_{i}", **draw(LABELS)}
        times = draw(TIMES)
        values = draw(st.lists(VALUES, min_size=len(times), max_size=len(times)))
        out[tuple(sorted(labels.items()))] = Series(labels, array("d", times), array("d", values))
    return list(out.values())


@given(some_series())
def test_any_samples_come_back_as_they_went(series: list[Series]):
    with TemporaryDirectory() as directory:
        path = Path(directory) / "samples.jsonl.gz"
        write_samples(path, series)
        found = read_samples(path)
    assert [(dict(s.labels), list(s.times)) for s in found] == [(s.labels, list(s.times)) for s in series]
    for one, other in zip(found, series, strict=True):
        assert all(
            a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one.values, other.values, strict=True)
        )


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_message(data: bytes):
    with TemporaryDirectory() as directory:
        path = Path(directory) / "samples.jsonl.gz"
        path.write_bytes(gzip.compress(data))
        if data.strip():
            with pytest.raises(BadRecording, match=r"^samples\.jsonl\.gz line "):
                read_samples(path)
        else:
            assert read_samples(path) == ()


@given(some_series(), st.randoms(use_true_random=False))
def test_batches_cut_anywhere_and_mixed_give_the_same_series(series: list[Series], luck: random.Random):
    rest = [(one, 0) for one in series]
    lines: list[Series] = []
    while rest:
        one, begin = rest.pop(luck.randrange(len(rest)))
        end = luck.randint(begin, len(one.times))
        lines.append(Series(one.labels, one.times[begin:end], one.values[begin:end]))
        if end < len(one.times):
            rest.append((one, end))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "samples.jsonl.gz"
        write_samples(path, lines)
        found = {one.labels["__name__"]: plain(one) for one in read_samples(path)}
    assert found == {one.labels["__name__"]: plain(one) for one in series}


def plain(one: Series) -> tuple[list[float], str]:
    """NaN equal to itself, and -0 equal to 0."""
    return list(one.times), repr([value + 0.0 for value in one.values])
