"""Stories over the embedded world: begin where history stands, say what happens, look how it ends.

Worlds are saved where stories begin or fork, so that none waits for history
twice; the promises are checked after every step of all of them.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from causal_rollouts.adapters.kube import DEPLOYMENT, HTTP_ROUTE, POD, ROLLOUT, ROUTES, SERVICE, Kind
from causal_rollouts.analysis.simulation.climate import Climate, Harm
from causal_rollouts.model.traffic import ROUTE_FIELDS
from causal_rollouts.ports import Ports
from e2e import rollouts
from e2e.demo.manifests import App
from e2e.embedded.patches import clone
from e2e.embedded.shop import NAMESPACE, WORKERS
from e2e.embedded.world import EmbeddedWorld, uncut
from tests.unit.control.promises import Promises, WatchedApi

Json = dict[str, Any]
HISTORY = 640.0
HARMS: Mapping[str, Harm] = {
    "slow": Harm(slower=0.5),
    "failing": Harm(errors=0.05),
    "late": Harm(slower=0.9, onset=175.0),
    "greedy": Harm(backend=3.0),
}
"""What a version does; any other name does no harm.

`late` turns bad when the fleet already rolls; `greedy` slows everybody down by its share of the traffic.
"""


@functools.cache
def _with_history(replicas: int, seed: int, *, arms_listed: bool, routed: Kind = HTTP_ROUTE) -> bytes:
    world = EmbeddedWorld(
        Climate(),
        HARMS,
        api=WatchedApi(),
        replicas=replicas,
        seed=seed,
        arms_listed=arms_listed,
        routed=routed,
    )
    world.run(HISTORY)
    return world.saved()


@functools.cache
def _at(version: str, phase: str, stage: int, seed: int, routed: Kind) -> bytes:
    """An ordinary release of a version, saved as soon as it is in a phase of a stage."""
    story = tell(seed=seed, routed=routed)
    story.request(version)
    assert story.reach(phase, stage=stage), f"{version} never came to {phase} of stage {stage}"
    return story.world.saved()


def tell(
    *,
    replicas: int = 10,
    seed: int = 1,
    arms_listed: bool = False,
    routed: Kind = HTTP_ROUTE,
    policy: Json | None = None,
    spec: Json | None = None,
    cut: Callable[[Ports], Ports] = uncut,
) -> "Story":
    """A service with history, just put under the gate. policy: defaults to change. spec: of the rollout."""
    history = _with_history(replicas, seed, arms_listed=arms_listed, routed=routed)
    story = Story(EmbeddedWorld.restored(history, cut))
    story.apply(policy or {}, {"traffic": traffic_of(story.world), **(spec or {})})
    story.run(2)
    return story


def traffic_of(world: EmbeddedWorld) -> Json:
    """What shares the requests of the app, as its rollout says it."""
    if world.routed == WORKERS:
        return {"podShare": {}}
    if world.routed == POD:
        return {"service": world.name, "podShare": {}}
    return {"service": world.name, ROUTE_FIELDS[world.routed.kind]: [{"name": world.name}]}


def during(
    phase: str,
    stage: int = 0,
    *,
    version: str = "good",
    seed: int = 1,
    routed: Kind = HTTP_ROUTE,
    cut: Callable[[Ports], Ports] = uncut,
) -> "Story":
    """A release that has just come to this phase."""
    return Story(EmbeddedWorld.restored(_at(version, phase, stage, seed, routed), cut))


CLIMB = [
    ("Preparing", -1),
    ("Shifting", 0),
    ("Observing", 0),
    ("Shifting", 1),
    ("Observing", 1),
    ("Promoting", 1),
    ("Baking", 1),
    ("Finishing", 1),
    ("Done", 1),
]
"""What an ordinary release of two stages goes through to its promotion: (phase, stage)."""

ALONG = (
    "Preparing",
    "PrePeriod",
    "Replacing",
    "Shifting",
    "Observing",
    "Probing",
    "Promoting",
    "Baking",
    "Finishing",
    "Done",
)


def _along(phase: str, stage: int) -> tuple[int, int]:
    """How far a release has come; a pause and a revert are no place on this way."""
    return stage, ALONG.index(phase) if phase in ALONG else len(ALONG)


@dataclass(slots=True)
class Story:
    """A world whose promises are checked at each step.

    path: (phase, stage) of the newest release, each time it changed. canary: its weights in thousandths.
    """

    world: EmbeddedWorld
    promises: Promises = field(init=False)
    path: list[tuple[str, int]] = field(default_factory=list)
    canary: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.promises = Promises(self.world)
        self._note()

    def apply(self, policy: Json, spec: Json) -> None:
        """Policy and rollout as users write them."""
        made = rollouts.policy()
        made["spec"]["defaults"] |= policy
        app = App(self.world.name, self.world.name, NAMESPACE)
        self.world.apply(made, rollouts.rollout(app, **spec))

    def request(self, version: str, **env: str) -> None:
        """Git applies a version."""
        self.world.request(version, **env)

    def ask(self, verb: str, value: str = "true") -> None:
        """A person annotates the rollout."""
        self.world.annotate(verb, value)

    def step(self) -> None:
        """One second."""
        self.world.step()
        self.promises.check()
        self._note()

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Seconds; True as soon as `until` holds."""
        for _ in range(round(seconds)):
            self.step()
            if until():
                return True
        return False

    def reach(self, phase: str, stage: int | None = None, seconds: float = 900.0) -> bool:
        """Until the newest release is in a phase (of a stage)."""

        def there() -> bool:
            return self.phase == phase and (stage is None or self.stage == stage)

        return there() or self.run(seconds, until=there)

    def goes_on(self, seconds: float = 150.0) -> bool:
        """It comes further than it has come so far."""
        so_far = _along(self.phase, self.stage)
        return self.run(seconds, until=lambda: _along(self.phase, self.stage) > so_far)

    def end(self, seconds: float = 900.0) -> str:
        """How the newest release ends, after a few more seconds at rest; "" if it does not."""
        self.reach("Done", seconds=seconds)
        self.run(3)
        return str(self.world.release().get("outcome") or "")

    @property
    def phase(self) -> str:
        return str(self.world.release().get("phase", ""))

    @property
    def stage(self) -> int:
        return int(self.world.release().get("stage", -1))

    @property
    def weight(self) -> int:
        """Canary's, in thousandths."""
        return self.world.weights().canary

    @property
    def arms(self) -> tuple[int, int]:
        """Pods of canary and baseline that take work."""
        pods = self.world.serving()
        return pods["canary"], pods["baseline"]

    def condition(self, kind: str) -> Json:
        """One condition of the rollout, {} where it is absent."""
        return self.world.condition(kind)

    def reasons(self) -> list[str]:
        """Reasons of the decisions on record, in order."""
        return [d["decision"]["reason"] for d in self.world.decisions()]

    def acts(self) -> list[str]:
        """What was done, holds left out."""
        return [d["decision"]["act"] for d in self.world.decisions() if d["decision"]["act"] != "Hold"]

    def edit(self, kind: Kind, change: Callable[[Json], None], name: str = "", user: str = "git") -> None:
        """Somebody writes into an object."""
        old = self.world.api.find(kind, NAMESPACE, name or self.world.name)
        assert old is not None, f"there is no {kind.kind}"
        new = clone(old)
        change(new)
        self.world.api.change(kind, old, new, user, manager=user)
        self.promises.check(somebody_moved_weights=kind in ROUTES.values())

    def delete(self, kind: Kind = ROLLOUT, name: str = "", propagation: str = "Background") -> Json:
        """Somebody deletes an object; what it was."""
        old = self.world.api.find(kind, NAMESPACE, name or self.world.name)
        assert old is not None, f"there is no {kind.kind}"
        self.world.api.remove(kind, old, propagation, "git")
        return clone(old)

    def at_home(self) -> bool:
        """No weight on an arm, no pod of an arm."""
        return self.weight == 0 and self.world.weights().baseline == 0 and not self.world.arm_pods()

    def _note(self) -> None:
        if (self.phase, self.stage) != (self.path[-1] if self.path else None) and self.phase:
            self.path.append((self.phase, self.stage))
        if not self.canary or self.canary[-1] != self.weight:
            self.canary.append(self.weight)


__all__ = ["DEPLOYMENT", "HTTP_ROUTE", "ROLLOUT", "SERVICE", "Story", "during", "tell"]
