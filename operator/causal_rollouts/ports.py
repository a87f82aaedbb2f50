"""What the control loop asks of the outside, and the three ways it can fail.

Adapters implement these against a real cluster; the embedded story and the
tests implement the API underneath them, so the same adapters run there too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

from causal_rollouts.decision.moments import Moment
from causal_rollouts.model.actions import Action
from causal_rollouts.model.crowd import Beside, Other
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.glances import Glance
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.notices import Notice
from causal_rollouts.model.people import Heard
from causal_rollouts.model.reasons import Act, Delivery, Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release, Templates
from causal_rollouts.model.telemetry import Series
from causal_rollouts.model.trace import Point
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.model.world import Fleet, Json, Key, SlotState, Traffic


class NotYet(Exception):  # noqa: N818 - the three outcomes read as words, not as errors
    """Somebody else wrote first, or the thing is not there yet: look again and try again."""


class Refused(Exception):  # noqa: N818
    """The API said no to what we asked; the message is for the user."""


class Broken(Exception):  # noqa: N818
    """The other side cannot be reached or does not make sense."""


@dataclass(frozen=True, slots=True)
class Requests:
    """One-shot annotations bound to a release, as people wrote them (`<user>:<release>`), "" if absent.

    aa: how long an A/A test shall last, `<user>:<duration>`: it is for no release, and only at rest.
    """

    pause: str = ""
    resume: str = ""
    abort: str = ""
    retry: str = ""
    approve: str = ""
    promote: str = ""
    extend: str = ""
    aa: str = ""


VERBS = tuple(field.name for field in fields(Requests))
"""What people may ask for; each is an annotation of its name."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A CausalRollout as read. spec and status are the raw objects; `api` gives them meaning."""

    key: Key
    uid: str
    version: str
    generation: int
    deleting: bool
    held: bool
    requests: Requests
    spec: Json
    status: Json

    def condition(self, kind: str) -> Json:
        """One condition of its status, empty where there is none."""
        listed = self.status.get("conditions")
        found: Sequence[object] = listed if isinstance(listed, list) else ()
        return next((c for c in found if isinstance(c, Mapping) and c.get("type") == kind), {})

    def said(self, kind: str) -> tuple[bool, str, str] | None:
        """(holds, reason, message) of one condition of its status, None where there is none."""
        found = self.condition(kind)
        if not found:
            return None
        return found.get("status") == "True", str(found.get("reason")), str(found.get("message"))


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision that changed something, with the evidence in force. evidence is plain JSON.

    phase: that the release was in after it, None in records of versions that did not note it.
    """

    time: float
    seq: int
    decision: Decision
    stage: int
    weight: int
    evidence: Json
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A RolloutRecord. state: the encoded evidence, dropped when final. version "" before it exists.

    beside: other releases that ran when a stage of this one began. requests: of people, as carried out.
    moments: what its decisions stood on besides the evidence.
    """

    name: str
    uid: str
    version: str
    key: Key
    rollout_uid: str
    registration: Registration
    templates: Templates
    release: Release
    state: bytes | None
    seq: int
    decisions: tuple[LoggedDecision, ...] = ()
    final: bool = False
    previous: str = ""
    effective: Mapping[str, object] | None = None
    trace: tuple[Point, ...] = ()
    glances: tuple[Glance, ...] = ()
    beside: tuple[Beside, ...] = ()
    requests: tuple[Heard, ...] = ()
    moments: tuple[Moment, ...] = ()


RECENT = 3
"""Ended releases whose records a pass sees; more have not ended between two notices."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """names: of all records of a rollout, oldest first. newest: the last of them, oldest first.

    The running one is whole. Of ended ones there are `RECENT` and as many more as reach back to a promotion,
    where there are that many, without evidence, templates, pods and timeline.
    """

    names: tuple[str, ...]
    newest: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose series are asked for: the namespace is forced, pods are exact names."""

    namespace: str
    pods: tuple[str, ...]


class Clock(Protocol):
    """Time enters here and nowhere else."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class Policies(Protocol):
    """RolloutPolicies, and the namespaces that are bound to one."""

    async def policy(self, name: str) -> Json | None:
        """Spec of a RolloutPolicy, or None. Raises Broken."""
        ...

    async def bound_policy(self, namespace: str) -> str:
        """The policy that the namespace's label names, "" where it names none. Raises Broken."""
        ...


class RolloutStore(Policies, Protocol):
    """CausalRollouts, policies and records."""

    async def rollout(self, key: Key) -> Rollout | None:
        """The rollout, or None when it is gone. Raises Broken."""
        ...

    async def rollouts_on(self, namespace: str, target: str) -> tuple[Key, ...]:
        """All rollouts of a namespace that name this target, oldest first. Raises Broken."""
        ...

    async def others(self, key: Key) -> tuple[Other, ...]:
        """All other rollouts, of any namespace, whose release runs or waits for its turn. Raises Broken."""
        ...

    async def ledger(self, key: Key) -> Ledger:
        """What each pass needs of a rollout's records. Raises Broken."""
        ...

    async def records(self, key: Key) -> tuple[Record, ...]:
        """All records of a rollout, whole, oldest first. Raises Broken."""
        ...

    async def open(self, record: Record) -> Record:
        """Create the record. Raises NotYet when it exists already."""
        ...

    async def write_ahead(self, record: Record) -> Record:
        """Write state and intent under `record.version`. Raises NotYet on conflict: do not act."""
        ...

    async def publish(self, rollout: Rollout, status: Json) -> None:
        """Write the rollout's status if it differs. Raises NotYet on conflict."""
        ...

    async def perform(self, rollout: Rollout, action: Action) -> None:
        """AddFinalizer, RemoveFinalizer, ClearRequest, DeleteRecord."""
        ...


class Workloads(Protocol):
    """The target, its ReplicaSets and pods, and the slots."""

    async def fleet(self, namespace: str, target: str) -> Fleet | None:
        """All that runs for one target, or None when the Deployment is not there. Raises Broken."""
        ...

    async def unsupported(self, namespace: str, target: str) -> tuple[str, ...]:
        """Why this target cannot be gated: `field: what; fix`, each. Empty when it can. Raises Broken."""
        ...

    async def slots(self, namespace: str, target: str) -> tuple[SlotState, ...]:
        """Slots of a target, also of one that is not there any more. Raises Broken."""
        ...

    async def perform(self, namespace: str, action: Action) -> None:
        """Slots, pausing, ReplicaSets and pods. Raises NotYet, Refused, Broken."""
        ...


class TrafficRouter(Protocol):
    """Service and routes."""

    async def traffic(self, namespace: str, plan: TrafficPlan) -> Traffic:
        """As they stand, with what the user must mend in `problems`. Raises Broken."""
        ...

    async def perform(self, namespace: str, action: Action) -> None:
        """EnsureArmServices, DeleteArmServices, SetWeights. Raises NotYet, Refused, Broken."""
        ...


class MetricsSource(Protocol):
    """Raw samples."""

    async def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> tuple[Series, ...]:
        """Samples in (start, end]; every label kept. Raises Broken (no or part of an answer), Refused."""
        ...


class Recorder(Protocol):
    """Kubernetes events, on transitions only."""

    async def tell(self, rollout: Rollout, act: Act, reason: str, message: str) -> None:
        """One event. Never raises: an event is a courtesy."""
        ...


class Notifier(Protocol):
    """Notices to people outside of the cluster."""

    async def post(self, owed: Sequence[Notice], now: float) -> Mapping[Notice, Delivery]:
        """Take what is owed, and tell of those that are settled: delivered, or given up.

        Waits for no endpoint and never raises. To post the same again is to ask what became of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them, as the composition root puts them together."""

    rollouts: RolloutStore
    workloads: Workloads
    router: TrafficRouter
    metrics: MetricsSource
    recorder: Recorder
    notifier: Notifier
    clock: Clock
