"""Whether the parts of a recording fit each other, before time is spent on deciding it again."""

from __future__ import annotations

from itertools import pairwise

from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.model.registration import Registration

MOST_LOOKS = 100_000
"""A month of looks twice a minute; more than that is a wrong time somewhere."""


def check(recording: Recording, reg: Registration) -> None:
    """Say what does not fit.

    Raises:
        BadRecording: with file, place and fix.
    """
    for i, change in enumerate(recording.timeline):
        if change.stage is not None and change.stage >= len(reg.stages):
            raise BadRecording(
                f"timeline.json[{i}].stage: {change.stage}, but rollout.yaml has stages 0 to "
                f"{len(reg.stages) - 1}; correct one of the two"
            )
    if recording.looks is None:
        _check_span(recording)
    else:
        _check_looks(recording)


def _check_span(recording: Recording) -> None:
    begin = next(change.time for change in recording.timeline if change.stage is not None)
    ends = [series.times[-1] for series in recording.series if series.times]
    end = max([recording.timeline[-1].time, *ends])
    _check_count(begin, end, recording, "timeline.json, samples.jsonl.gz")


def _check_looks(recording: Recording) -> None:
    looks, grid = recording.looks or (), recording.run.grid
    for i, look in enumerate(looks):
        if not 0 <= look.last_final <= grid.last_final(look.time):
            raise BadRecording(
                f"looks.jsonl look {i + 1}.lastFinalBin: bin {look.last_final} of {grid.width:g} s was not "
                f"final at {look.time}; the newest that was is {grid.last_final(look.time)}"
            )
    for i, (before, after) in enumerate(pairwise(looks)):
        if after.last_final < before.last_final:
            raise BadRecording(
                f"looks.jsonl look {i + 2}.lastFinalBin: {after.last_final} lies before "
                f"{before.last_final} of the look above; a bin is looked at once"
            )
    if looks:
        first, last = grid.end(looks[0].last_final), grid.end(looks[-1].last_final)
        _check_count(first, last, recording, "looks.jsonl")


def _check_count(begin: float, end: float, recording: Recording, where: str) -> None:
    looks = (end - begin) / (2.0 * recording.run.grid.width)
    if looks > MOST_LOOKS:
        raise BadRecording(
            f"{where}: times from {begin:.0f} to {end:.0f} are {(end - begin) / 86400.0:.0f} days; "
            "correct the one that is wrong"
        )
