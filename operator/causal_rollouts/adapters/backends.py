"""The weights of one rule of a route: what they mean, and the patch that changes only them.

During a release every weight of the rule is multiplied by `WHOLE`, so that the
Service's own part can be split into thousandths while other backends keep their
share exactly. Going home divides again, so that at rest the rule is as Git wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from causal_rollouts.adapters.kube import Object
from causal_rollouts.adapters.reading import section
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import HOME, WHOLE, Weights

MOST = 1_000_000
"""Largest weight that the Gateway API takes."""

MOST_BACKENDS = 16


def arm_service(service: str, arm: Arm) -> str:
    """Name of an arm's Service; stable is the user's own."""
    return service if arm is Arm.STABLE else f"{service}-{arm}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that sends to the Service. at: index in `backends` of each arm that is listed."""

    index: int
    backends: Sequence[Object]
    at: dict[Arm, int]

    @property
    def armed(self) -> bool:
        """Both arms are listed."""
        return len(self.at) == len(Arm)

    def weight(self, arm: Arm) -> int:
        """Weight of an arm, 0 when it is not listed."""
        return _weight(self.backends[self.at[arm]]) if arm in self.at else 0

    @property
    def total(self) -> int:
        """Weight of the Service as a whole, with its arms."""
        return sum(self.weight(arm) for arm in Arm)

    @property
    def away(self) -> bool:
        """An arm has traffic."""
        return self.weight(Arm.CANARY) + self.weight(Arm.BASELINE) > 0

    @property
    def others(self) -> dict[int, int]:
        """Weights of backends that are not ours, by index."""
        return {i: _weight(b) for i, b in enumerate(self.backends) if i not in self.at.values()}


def rules_to(route: Object, service: str) -> tuple[Rule, ...]:
    """The rules of a route that send to a Service."""
    rules = section(route, "spec").get("rules") or ()
    found = (_rule(i, rule.get("backendRefs") or (), service) for i, rule in enumerate(rules))
    return tuple(rule for rule in found if rule is not None)


def weights_in(rule: Rule) -> Weights:
    """The weights in force, to the nearest thousandth."""
    if not rule.away:
        return HOME
    canary, baseline = (round(rule.weight(arm) * WHOLE / rule.total) for arm in (Arm.CANARY, Arm.BASELINE))
    return Weights(canary, min(baseline, WHOLE - canary))


def home_weight(rule: Rule, noted: int | None = None) -> int:
    """What the rule gives the Service at home. noted: what it gave before the arms had traffic.

    Without a note it can be told as long as nobody wrote other weights by hand.
    """
    if rule.away and noted is not None:
        return noted
    return rule.total // (WHOLE if _multiplied(rule) else 1)


def change(
    rule: Rule, service: str, weights: Weights, *, inject: bool, noted: int | None = None
) -> list[Object]:
    """JSON Patch operations that give a rule its weights; empty when it has them.

    inject: the arms are ours to add, and to remove at home; else Git lists them. noted: see `home_weight`.
    """
    wanted = _wanted(rule, weights, noted)
    at = f"/spec/rules/{rule.index}/backendRefs"
    ops: list[Object] = [
        {"op": "test", "path": f"{at}/{i}/name", "value": rule.backends[i]["name"]} for i in sorted(wanted[0])
    ]
    body: list[Object] = [
        {"op": "add", "path": f"{at}/{i}/weight", "value": weight}
        for i, weight in sorted(wanted[0].items())
        if rule.backends[i].get("weight") != weight
        and not (inject and weights == HOME and i in _arms_of(rule))
    ]
    if inject and weights == HOME:
        # From the end, so that the indices of what is still to be removed stay true.
        body += [{"op": "remove", "path": f"{at}/{i}"} for i in sorted(_arms_of(rule), reverse=True)]
    else:
        body += [
            {"op": "add", "path": f"{at}/-", "value": _listed(rule, service, arm, weight)}
            for arm, weight in wanted[1].items()
        ]
    return [*ops, *body] if body else []


def _wanted(rule: Rule, weights: Weights, noted: int | None) -> tuple[dict[int, int], dict[Arm, int]]:
    """Weights by index, and those of arms that are not listed yet."""
    factor = WHOLE if rule.away and (noted is not None or _multiplied(rule)) else 1
    # Rounded up, so that a weight somebody wrote by hand does not turn into none.
    total, others = home_weight(rule, noted), {i: -(-w // factor) for i, w in rule.others.items()}
    if weights == HOME:
        parts = {Arm.STABLE: total, Arm.BASELINE: 0, Arm.CANARY: 0}
    else:
        parts = {
            Arm.STABLE: total * weights.stable,
            Arm.BASELINE: total * weights.baseline,
            Arm.CANARY: total * weights.canary,
        }
        others = {i: w * WHOLE for i, w in others.items()}
    there = {rule.at[arm]: weight for arm, weight in parts.items() if arm in rule.at}
    missing = {arm: weight for arm, weight in parts.items() if arm not in rule.at}
    return {**others, **there}, missing


def _multiplied(rule: Rule) -> bool:
    return rule.away and all(weight % WHOLE == 0 for weight in (rule.total, *rule.others.values()))


def _arms_of(rule: Rule) -> list[int]:
    return [i for arm, i in rule.at.items() if arm is not Arm.STABLE]


def _listed(rule: Rule, service: str, arm: Arm, weight: int) -> Object:
    """The stable backend under another name: same port, same filters."""
    return {**rule.backends[rule.at[Arm.STABLE]], "name": arm_service(service, arm), "weight": weight}


def _rule(index: int, backends: Sequence[Object], service: str) -> Rule | None:
    names = {arm_service(service, arm): arm for arm in Arm}
    at: dict[Arm, int] = {}
    for i, backend in enumerate(backends):
        if is_service(backend) and not backend.get("namespace") and backend["name"] in names:
            at.setdefault(names[backend["name"]], i)
    rule = Rule(index, backends, at)
    return rule if Arm.STABLE in at and rule.total > 0 else None


def is_service(backend: Any) -> bool:
    """The backend is a Service, which is what it is when nothing is said."""
    return (backend.get("kind") or "Service") == "Service" and not backend.get("group")


def _weight(backend: Object) -> int:
    weight = backend.get("weight")
    return 1 if weight is None else int(weight)
