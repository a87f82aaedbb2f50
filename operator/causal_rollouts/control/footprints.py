"""What a pass tells of footprints: a condition, and each warning once."""

from __future__ import annotations

from collections.abc import Iterator

from causal_rollouts.decision.footprint_words import statement, warnings
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.metrics import MetricKind
from causal_rollouts.model.reasons import Reason, Validity
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release

CONDITION = "FootprintSteady"


def measured(reg: Registration) -> bool:
    """The release has a footprint to tell of."""
    return any(metric.kind is MetricKind.FOOTPRINT for metric in reg.metrics)


def steady(evidence: Evidence) -> tuple[bool, str, str]:
    """(holds, reason, message) of the condition."""
    found = list(warnings(evidence))
    if found:
        reasons = {reason for _, reason, _ in found}
        worst = Reason.OVER_HEADROOM if Reason.OVER_HEADROOM in reasons else Reason.FOOTPRINT_GREW
        return False, str(worst), " | ".join(words for _, _, words in found)
    known = " | ".join(statement(one) for one in evidence.footprints)
    return True, str(Validity.OK), known or "no footprint is known yet"


def untold(release: Release, evidence: Evidence | None) -> Iterator[tuple[str, Reason, str]]:
    """Warnings of this look that were never told of this release."""
    if evidence is not None:
        yield from (one for one in warnings(evidence) if one[0] not in release.warned)
