"""One-shot annotations that were carried out are removed, so that Git and people see a clean object."""

from __future__ import annotations

from causal_rollouts.control.facts import asked_by
from causal_rollouts.control.observed import Observed
from causal_rollouts.model.actions import ClearRequest
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.ports import Record

PREFIX = "causalrollouts.dev/"


def carried_out(observed: Observed, record: Record) -> tuple[ClearRequest, ...]:
    """Requests whose effect stands in the record, and requests for a release that is over."""
    release, asked = record.release, observed.rollout.requests
    done = {
        "pause": release.phase is Phase.PAUSED,
        "resume": release.phase is not Phase.PAUSED,
        "abort": release.outcome is not None,
        "promote": release.phase in {Phase.PROMOTING, Phase.BAKING, Phase.FINISHING}
        or release.outcome is Outcome.PROMOTED,
        "retry": True,
    }
    values = {"pause": asked.pause, "resume": asked.resume, "abort": asked.abort, "promote": asked.promote}
    clear = [
        ClearRequest(PREFIX + verb, value)
        for verb, value in values.items()
        if asked_by(value, record) and done[verb]
    ]
    if asked.retry:
        clear.append(ClearRequest(f"{PREFIX}retry", asked.retry))
    return tuple(clear)
