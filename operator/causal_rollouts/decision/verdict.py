"""What the evidence says on its own, whatever is done about it."""

from __future__ import annotations

from causal_rollouts.decision.situation import Situation
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.reasons import Validity, Verdict


def verdict(s: Situation) -> Verdict:
    """Of the newest look; before the first one of this pass, the last that is known."""
    if s.facts.provider_error:
        return Verdict.PROVIDER_ERROR
    if s.evidence is None:
        return s.release.verdict or Verdict.NO_DATA
    return _what_bins_say(s.evidence, promote=s.last_stage)


def _what_bins_say(e: Evidence, *, promote: bool) -> Verdict:
    order = (
        (e.harm, Verdict.HARM),
        (e.validity is not Validity.OK, without_data(e.validity)),
        (e.contaminated, Verdict.CONTAMINATED),
        (e.shared_incident, Verdict.SHARED_INCIDENT),
        (e.unsound() is None and e.safe(promote=promote), Verdict.SAFE),
    )
    return next((found for holds, found in order if holds), Verdict.INCONCLUSIVE)


def without_data(found: Validity) -> Verdict:
    """The verdict on bins that may not be used."""
    return Verdict.PROVIDER_ERROR if found is Validity.PROVIDER_ERROR else Verdict.NO_DATA
