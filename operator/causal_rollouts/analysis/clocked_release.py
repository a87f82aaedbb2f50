"""A simulated release that nobody judges: its stages pass by the clock.

Where our gate ends a release, a slower rule of another tool would still have
been looking. Judged on this course instead, every rule has the whole release
and none has a say in it.
"""

from __future__ import annotations

from causal_rollouts.analysis.simulated_release import End, Ended, SimulatedRelease
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.reasons import Act, Phase, Reason, Verdict


class ClockedRelease(SimulatedRelease):
    """Each stage lasts as long as the setting says; the release ends with the last one."""

    def _look(self, index: int, now: float) -> Decision:
        """What the clock says."""
        del index
        release, seconds = self._release, self._setting.stage_seconds
        lasts = seconds[min(release.stage, len(seconds) - 1)]
        if release.phase is not Phase.OBSERVING or now - release.since < lasts:
            return Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.STAGE_TOO_YOUNG, "")
        last = release.stage == len(self._setting.stages) - 1
        act = Act.PROMOTE if last else Act.ADVANCE
        return Decision(Verdict.INCONCLUSIVE, act, Reason.TIME_PASSED, "")

    def _follow(self, decision: Decision, now: float) -> Ended | None:
        """Move on; nothing is left to be seen after the last stage."""
        ended = super()._follow(decision, now)
        if decision.act is Act.PROMOTE:
            return self._ended(End.PROMOTED, decision, now)
        return ended
