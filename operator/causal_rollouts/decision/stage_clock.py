"""The clock of a stage or a pre-period: it stands while data are invalid."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.decision.probe import incident_noted
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Phase, Reason
from causal_rollouts.model.release import Release

BLIND = frozenset({Reason.PROVIDER_ERROR, Reason.NO_DATA, Reason.INCOMPLETE_DATA, Reason.SHARE_MISMATCH})
"""Holds for want of valid data."""

_CLOCKED = frozenset({Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PRE_PERIOD})


def clocked(release: Release, decision: Decision, now: float) -> Release:
    """The release with invalid data and incidents noted; between two looks the last word stands."""
    release = incident_noted(release, decision, now)
    blind = decision.reason in BLIND
    if release.phase not in _CLOCKED or decision.reason is Reason.BETWEEN_LOOKS:
        return release
    if blind == (release.invalid_since is not None):
        return release
    if blind:
        return replace(release, invalid_since=now)
    lost = now - (release.invalid_since or now)
    return replace(release, invalid_since=None, invalid_seconds=release.invalid_seconds + lost)
