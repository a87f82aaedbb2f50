"""One decision from one situation: pure and total."""

from __future__ import annotations

from causal_rollouts.decision.restraints import restrained
from causal_rollouts.decision.rules import RULES, hold
from causal_rollouts.decision.situation import Situation
from causal_rollouts.model.decision import Decision


def decide(situation: Situation) -> Decision:
    """The first rule that has something to say, else hold; a rise only where nothing restrains it."""
    for rule in RULES:
        if decision := rule(situation):
            return restrained(situation, decision)
    return hold(situation)
