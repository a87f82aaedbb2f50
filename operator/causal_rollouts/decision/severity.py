"""Which decisions people hear of, and how loudly.

Page: traffic may be at risk and nobody acts on it. Ticket: a person should look
today. Info: nobody has to do anything. The same three as in the alerts. What
too little data has brought about never pages, whoever asks for it: a night
without traffic is no emergency.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from causal_rollouts.model.decision import Decision
from causal_rollouts.model.notices import Subscription
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Severity, Verdict

SEVERITY: Mapping[str, Severity] = MappingProxyType(
    {
        # Everybody is worse and the gate only holds; or it is blind while the candidate has traffic.
        Reason.SHARED_INCIDENT: Severity.PAGE,
        Reason.STATE_UNREADABLE: Severity.PAGE,
        # The gate acted or stopped by itself; a person mends what it cannot.
        Reason.HARM_PROVEN: Severity.TICKET,
        Reason.NEIGHBOUR_HARM: Severity.TICKET,
        Reason.BACKEND_HARM: Severity.TICKET,
        Reason.CRASH_LOOP: Severity.TICKET,
        Reason.NEVER_READY: Severity.TICKET,
        Reason.BLOCKED: Severity.TICKET,
        Reason.CONTAMINATED: Severity.TICKET,
        Reason.OUT_OF_TIME: Severity.TICKET,
        Reason.ROUTE_CONTESTED: Severity.TICKET,
        Reason.INVALID_SPEC: Severity.TICKET,
        Reason.DESIGN_UNSOUND: Severity.TICKET,
        Reason.OVER_HEADROOM: Severity.TICKET,
        Reason.AWAITING_APPROVAL: Severity.TICKET,
        Reason.BYPASSED: Severity.TICKET,
        Verdict.HARM: Severity.TICKET,
        # People did it, or all is well.
        Reason.ABORTED: Severity.INFO,
        Reason.DELETED: Severity.INFO,
        Reason.SUPERSEDED: Severity.INFO,
        Reason.WITHDRAWN: Severity.INFO,
        Reason.PAUSED_BY_USER: Severity.INFO,
        Reason.PROMOTED_BY_USER: Severity.INFO,
        Reason.FROZEN: Severity.INFO,
        # For the pipeline that releases it.
        Reason.HELD: Severity.INFO,
        Reason.PROBING: Severity.INFO,
        Reason.SAFETY_PROVEN: Severity.INFO,
        Reason.TIME_PASSED: Severity.INFO,
        Reason.AA_TESTED: Severity.INFO,
        Outcome.PROMOTED: Severity.INFO,
        Outcome.REVERTED: Severity.INFO,
        # Muted: heard only by a channel that names them.
        Reason.NO_DATA: Severity.INFO,
        Reason.INCOMPLETE_DATA: Severity.INFO,
        Reason.SHARE_MISMATCH: Severity.INFO,
        Reason.PROVIDER_ERROR: Severity.INFO,
    }
)
"""By cause: the reason of a decision, the outcome at the end, or the verdict Harm that nobody acts on."""

MUTED = frozenset({Reason.NO_DATA, Reason.INCOMPLETE_DATA, Reason.SHARE_MISMATCH, Reason.PROVIDER_ERROR})
"""Windows that could not be judged."""

LOW_SAMPLE: frozenset[str] = MUTED | {Reason.OUT_OF_TIME, Reason.DESIGN_UNSOUND}
"""Nothing was shown, for want of data or of data that can be compared: never a page."""

_WAITS = MUTED | {
    Reason.SHARED_INCIDENT,
    Reason.BLOCKED,
    Reason.INVALID_SPEC,
    Reason.DESIGN_UNSOUND,
    Reason.OVER_HEADROOM,
    Reason.AWAITING_APPROVAL,
    Reason.HELD,
    Reason.FROZEN,
}
"""Holds that somebody may want to hear of; all others are the machine at work."""

_LOUDNESS = tuple(Severity)


def cause(decision: Decision, phase: Phase | None, outcome: Outcome | None) -> str:
    """Why people hear of it, "" where they do not. outcome: of the release, once it is over."""
    if phase is Phase.DONE:
        return str(outcome or "")
    if decision.act is not Act.HOLD:
        return str(decision.reason) if decision.reason in SEVERITY else ""
    if decision.reason in _WAITS:
        return str(decision.reason)
    ending = phase in {Phase.REVERTING, Phase.FINISHING}
    return str(Verdict.HARM) if decision.verdict is Verdict.HARM and not ending else ""


def severity(why: str, decision: Decision, phase: Phase | None) -> Severity:
    """What the table says; harm that goes on until a person agrees to revert it pages.

    The end itself is good news: why it ends was told when it began to.
    """
    if phase is Phase.DONE:
        return Severity.INFO
    if decision.awaits is Act.REVERT:
        return Severity.PAGE
    return SEVERITY.get(why, Severity.INFO)


def heard(by: Subscription, why: str, natural: Severity) -> Severity | None:
    """How loudly a channel hears of it, None where it does not. natural: without the policy's own word."""
    named = why in by.when
    if (by.when and not named) or (why in MUTED and not named):
        return None
    found = by.severity or natural
    if found is Severity.PAGE and why in LOW_SAMPLE:
        found = Severity.TICKET
    return found if _LOUDNESS.index(found) <= _LOUDNESS.index(by.at_least) else None
