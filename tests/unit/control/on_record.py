"""What a record says of its own decisions: each follows by the rules from what it stood on."""

from dataclasses import replace

from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.api.plain import from_plain
from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.moments import KEPT, Moment, again
from causal_rollouts.decision.situation import situate
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.ports import LoggedDecision, Record
from e2e.embedded.world import EmbeddedWorld


def follow_by_the_rules(world: EmbeddedWorld) -> None:
    """Every decision of every record is decided again."""
    records = [record_of(one) for one in world.records() if "release" in (one.get("status") or {})]
    for record in records:
        for line in record.decisions:
            _follows(record, line)


def _follows(record: Record, line: LoggedDecision) -> None:
    stood = [moment for moment in record.moments if moment.time <= line.time]
    if len(stood) == KEPT:
        return
    # Two copies of an operator may pass in one instant here.
    then = [moment for moment in stood if moment.time == line.time] or stood[-1:]
    assert line.decision in [_decided(record, line, moment) for moment in then], (record.name, then)


def _decided(record: Record, line: LoggedDecision, moment: Moment) -> Decision:
    evidence = from_plain(Evidence, line.evidence) if line.evidence else None
    approved = tuple(a for a in record.release.approvals if a.time <= line.time)
    then = again(moment, record.release.timeline, approved, None)
    decided = decide(situate(record.registration, then, evidence, moment.facts, line.time))
    if evidence is None and not moment.facts.provider_error:
        # The verdict of the look before stands, and that look need not be a line of the record.
        return replace(decided, verdict=line.decision.verdict)
    return decided
