"""One-shot annotations that were carried out are removed, so that Git and people see a clean object."""

from __future__ import annotations

from causal_rollouts.control.facts import asked_by
from causal_rollouts.control.observed import Observed
from causal_rollouts.model.actions import ClearRequest
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.ports import VERBS, Record, Requests

PREFIX = "causalrollouts.dev/"


def carried_out(observed: Observed, record: Record) -> tuple[ClearRequest, ...]:
    """Requests whose effect stands in the record, and those for a release that is over."""
    release, asked = record.release, observed.rollout.requests
    done = {
        "pause": release.phase is Phase.PAUSED,
        "resume": release.phase is not Phase.PAUSED,
        "abort": release.outcome is not None,
        "promote": release.phase in {Phase.PROMOTING, Phase.BAKING, Phase.FINISHING}
        or release.outcome is Outcome.PROMOTED,
        "approve": True,
        "extend": True,
        "retry": True,
        "aa": True,
    }
    return tuple(
        ClearRequest(PREFIX + verb, value)
        for verb, value in _values(asked).items()
        if value and (done[verb] or not asked_by(value, record))
    )


def pointless(observed: Observed, *, waiting: bool, due: bool = False) -> tuple[ClearRequest, ...]:
    """Requests while no release runs: left there, they would strike the next one.

    waiting: something still keeps a release from beginning, so that `retry` may yet be of use.
    due: it begins by itself when its time has come, an A/A test too.
    """
    return tuple(
        ClearRequest(PREFIX + verb, value)
        for verb, value in _values(observed.rollout.requests).items()
        if value and not (waiting and verb == "retry") and not (due and verb == "aa")
    )


def _values(asked: Requests) -> dict[str, str]:
    return {verb: getattr(asked, verb) for verb in VERBS}
