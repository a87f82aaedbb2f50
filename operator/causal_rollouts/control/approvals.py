"""People's words to a release: approvals are counted, and each request that was carried out is kept."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.model.actions import ClearRequest
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.people import Approval, Heard, read
from causal_rollouts.model.reasons import Phase, Reason
from causal_rollouts.model.release import Release
from causal_rollouts.ports import Record

MOST = 60
"""Approvals and requests kept in one record."""


def heard(record: Record, value: str, now: float) -> Release:
    """The release with an approval counted that is meant for the step that waits now, and for no other.

    Without a name it is nobody's: `true` approves nothing.
    """
    release, asked = record.release, read(value) if value else None
    if asked is None or not asked.user or asked.release != record.name or release.awaits is None:
        return release
    if asked.step != release.stage + 1:
        return release
    said = Approval(asked.user, release.stage, release.awaits, now, asked.reason)
    return replace(release, approvals=(*release.approvals, said)[-MOST:])


def awaiting(release: Release, decision: Decision, now: float) -> Release:
    """Whether a step waits for people, and for which one; between two looks the last word stands."""
    if decision.reason is Reason.BETWEEN_LOOKS:
        return release
    release = replace(release, awaits=decision.awaits)
    if decision.awaits is not None and release.phase is Phase.OBSERVING:
        return replace(release, phase=Phase.AWAITING_APPROVAL, since=now)
    if decision.awaits is None and release.phase is Phase.AWAITING_APPROVAL:
        return replace(release, phase=Phase.OBSERVING, since=now)
    return release


def noted(record: Record, done: tuple[ClearRequest, ...], before: Release, now: float) -> Record:
    """The record with the requests that this pass carried out; one that could not be cleared stands once."""
    lines = list(record.requests)
    for action in done:
        verb, value = action.annotation.rpartition("/")[2], action.value
        asked = read(value)
        mine = value == "true" or (asked is not None and asked.release == record.name)
        ignored = verb == "approve" and len(record.release.approvals) == len(before.approvals)
        if not mine or ignored or (lines and (lines[-1].verb, lines[-1].value) == (verb, value)):
            continue
        user, reason = (asked.user, asked.reason) if asked is not None and value != "true" else ("", "")
        lines.append(Heard(now, verb, user, before.stage, reason, value))
    return replace(record, requests=tuple(lines)[-MOST:])
