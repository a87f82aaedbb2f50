"""The rules of a probe: traffic off and on at drawn times, while everybody is worse."""

from __future__ import annotations

import math
from dataclasses import replace

from causal_rollouts.decision.situation import Situation
from causal_rollouts.decision.verdict import verdict
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import ProbeTest
from causal_rollouts.model.percent import percent
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict
from causal_rollouts.model.release import Release
from causal_rollouts.model.switchback import probes_begun, standing


def probing(s: Situation) -> Decision | None:
    """While a probe runs nothing rises but by its own draw; what it has shown when it is over decides."""
    if s.release.phase is not Phase.PROBING or s.registration.probe is None:
        return None
    test = s.evidence.probe if s.evidence is not None else None
    if test is None:
        return Decision(verdict(s), Act.HOLD, Reason.PROBING, _how_far(s))
    if test.harm:
        because = f"{_shown(test)}: the candidate's traffic makes everybody worse"
        return Decision(Verdict.HARM, Act.REVERT, Reason.BACKEND_HARM, because, Outcome.REVERTED)
    because = f"{_shown(test)}: not shown to be the candidate's doing; the stage goes on"
    return Decision(verdict(s), Act.HOLD, Reason.PROBE_SETTLED, because)


def probe_due(s: Situation) -> Decision | None:
    """Everybody got worse and stays so: find out by drawn times whether the candidate does it."""
    plan, since = s.registration.probe, s.release.shared_since
    if plan is None or since is None or s.evidence is None or not s.observing:
        return None
    begun, grid = probes_begun(s.release.timeline), s.registration.grid
    if not s.evidence.fresh or begun >= plan.probes or s.now - since < plan.after * grid.width:
        return None
    minutes = plan.bins * grid.width / 60.0
    because = (
        f"stable and baseline are {percent(s.evidence.shared)} against their past for {s.now - since:.0f} s; "
        f"traffic goes off the candidate and back at drawn times for {minutes:.0f} min to see whether it is "
        f"the cause (probe {begun + 1} of {plan.probes})"
    )
    return Decision(Verdict.SHARED_INCIDENT, Act.PROBE, Reason.PROBING, because)


def incident_noted(release: Release, decision: Decision, now: float) -> Release:
    """Since when everybody is worse; between two looks the last word stands."""
    if decision.reason is Reason.BETWEEN_LOOKS or release.phase is not Phase.OBSERVING:
        return release
    shared = decision.reason is Reason.SHARED_INCIDENT
    if shared == (release.shared_since is not None):
        return release
    return replace(release, shared_since=now if shared else None)


def _shown(test: ProbeTest) -> str:
    if math.isnan(test.effect):
        return f"the probe saw {test.seen} of {test.bins} bins, too few"
    return (
        f"{test.metric} of everybody is {percent(test.effect)} with traffic on the candidate against without "
        f"(p {test.p:.4f}, harm from {test.alpha:.4f} down, {test.seen} of {test.bins} bins)"
    )


def _how_far(s: Situation) -> str:
    grid, plan = s.registration.grid, s.registration.probe
    now = standing(grid, s.release.timeline)
    if now is None or plan is None:
        return "a probe begins"
    done = min(max(grid.index(s.now) - now.first, 0), plan.bins)
    state = "without" if s.release.desired.weights.canary == 0 else "with"
    return f"probe: bin {done} of {plan.bins}, {state} traffic on the candidate"
