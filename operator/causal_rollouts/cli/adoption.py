"""What a target still lacks before it can be gated, and in which order it has to come.

The order is the point: a Service that selects a label which its pods do not
carry yet sends to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from causal_rollouts.adapters.kube import ARM_LABEL, GATE_LABEL, Object
from causal_rollouts.adapters.reading import deletion_asked, labels, name, section
from causal_rollouts.api.v1alpha1_stages import HEAVIEST_OF_PODS
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import ROUTE_FIELDS

ARM_LINE = f"{ARM_LABEL}: {Arm.STABLE}"
GATE_LINE = f"{GATE_LABEL}: enabled"


BY_PODS = (
    "    podShare: {}",
    "  stages:",
    "  - {weight: 10, minDuration: 5m, maxDuration: 30m}",
    f"  - {{weight: {HEAVIEST_OF_PODS}, minDuration: 10m, maxDuration: 1h}}",
)
"""A ladder of its own, since the usual one goes beyond what pods can share."""


class Need(StrEnum):
    """How one step stands."""

    THERE = "there"
    ADD = "add"
    LATER = "later"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to stand in Git. text: YAML to paste; why: what it is for, or why it must wait."""

    title: str
    need: Need
    text: str
    why: str

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {"title": self.title, "state": str(self.need), "yaml": self.text, "why": self.why}


@dataclass(frozen=True, slots=True)
class Target:
    """What was found. routes: (kind, name), none where the number of pods makes the share (podShare).

    pods: of the Deployment. rollouts: that name it. policy: to refer to, "" for none.
    """

    namespace: str
    deployment: Object
    service: Object
    routes: Sequence[tuple[str, str]]
    pods: Sequence[Object]
    rollouts: Sequence[Object]
    policy: str


def steps(target: Target) -> tuple[Step, ...]:
    """All of them, in the order in which they are safe."""
    if not target.routes:
        return (_without_arm(target), _gate(target), _rollout(target))
    return (_in_template(target), _in_selector(target), _gate(target), _rollout(target))


def _in_template(target: Target) -> Step:
    carried = _carried(target)
    return Step(
        f'Deployment "{name(target.deployment)}", spec.template.metadata.labels',
        Need.THERE if carried else Need.ADD,
        _nested(("spec", "template", "metadata", "labels"), ARM_LINE),
        "tells pods of the stable arm from those of a release; it rolls out once, as a usual change",
    )


def _in_selector(target: Target) -> Step:
    selected = section(target.service, "spec", "selector").get(ARM_LABEL)
    carried = _carried(target)
    without = _without(target)
    title = f'Service "{name(target.service)}", spec.selector'
    text = _nested(("spec", "selector"), ARM_LINE)
    if selected == Arm.STABLE and not carried:
        why = (
            "the selector asks for a label that new pods do not carry, so they get no traffic: take this "
            "line out, do the step above, and put it back when all pods have it"
        )
        return Step(title, Need.WRONG, text, why)
    if selected == Arm.STABLE:
        return Step(title, Need.THERE, text, "sends only to pods of the stable arm")
    if not carried or without:
        missing = f"{len(without)} of {len(target.pods)} pods lack the label" if carried else "the step above"
        why = f"wait for {missing}; earlier it would take pods out of the traffic"
        return Step(title, Need.LATER, text, f"{why} (kubectl get pods -L {ARM_LABEL})")
    return Step(title, Need.ADD, text, "sends only to pods of the stable arm; all pods have the label now")


def _without_arm(target: Target) -> Step:
    there = ARM_LABEL in section(target.service, "spec", "selector")
    return Step(
        f'Service "{name(target.service)}", spec.selector, without the arm',
        Need.WRONG if there else Need.THERE,
        _nested(("spec", "selector"), ARM_LINE),
        "no route sends to it, so pods of the arms get their traffic through it: take this line out",
    )


def _gate(target: Target) -> Step:
    title = f'Deployment "{name(target.deployment)}", metadata.labels'
    text = _nested(("metadata", "labels"), GATE_LINE)
    there = labels(target.deployment).get(GATE_LABEL) == "enabled"
    if there and target.routes and not (_carried(target) and not _without(target)):
        why = (
            "there before the arm label: once a CausalRollout names this Deployment, the operator lets a "
            "change of the template pass that adds that label and nothing else"
        )
        return Step(title, Need.THERE, text, why)
    why = "from here on a new template is a request for a release, so it comes in one commit with the rollout"
    if not _prepared(target):
        why += ", and after the steps above, which it would hold back"
    return Step(title, Need.THERE if there else _when(target), text, why)


def _rollout(target: Target) -> Step:
    named = next((name(obj) for obj in target.rollouts), name(target.deployment))
    return Step(
        f'CausalRollout "{named}"',
        Need.THERE if target.rollouts else _when(target),
        manifest(target),
        "what is released, and over which traffic",
    )


def manifest(target: Target) -> str:
    """The whole CausalRollout; everything else comes from the policy or has a default."""
    lines = [
        "apiVersion: causalrollouts.dev/v1alpha1",
        "kind: CausalRollout",
        "metadata:",
        f"  name: {name(target.deployment)}",
        f"  namespace: {target.namespace}",
        "spec:",
        f"  targetRef: {{name: {name(target.deployment)}}}",
        *([f"  policyRef: {{name: {target.policy}}}"] if target.policy else []),
        "  traffic:",
        f"    service: {name(target.service)}",
        *(f"    {field}: [{', '.join(listed)}]" for field, listed in _by_field(target.routes).items()),
        *([] if target.routes else BY_PODS),
    ]
    return "\n".join(lines)


def _by_field(routes: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """References to routes, under the field of spec.traffic that takes their kind."""
    found: dict[str, list[str]] = {}
    for kind, named in routes:
        found.setdefault(ROUTE_FIELDS[kind], []).append(f"{{name: {named}}}")
    return found


def _carried(target: Target) -> bool:
    return labels(section(target.deployment, "spec", "template")).get(ARM_LABEL) == Arm.STABLE


def _without(target: Target) -> list[str]:
    return [name(pod) for pod in target.pods if labels(pod).get(ARM_LABEL) != Arm.STABLE]


def _when(target: Target) -> Need:
    return Need.ADD if _prepared(target) else Need.LATER


def _prepared(target: Target) -> bool:
    """Template and selector carry the arm, or where no route is there the selector does not."""
    if not target.routes:
        return ARM_LABEL not in section(target.service, "spec", "selector")
    return _carried(target) and section(target.service, "spec", "selector").get(ARM_LABEL) == Arm.STABLE


def _nested(path: Sequence[str], line: str) -> str:
    rows = [f"{'  ' * depth}{part}:" for depth, part in enumerate(path)]
    return "\n".join([*rows, f"{'  ' * len(path)}{line}"])


def stable_pods(pods: Sequence[Object]) -> list[Object]:
    """Pods of the Deployment itself that stay: neither slots nor on their way out."""
    arms = {Arm.CANARY, Arm.BASELINE}
    return [p for p in pods if labels(p).get(ARM_LABEL) not in arms and deletion_asked(p) is None]
