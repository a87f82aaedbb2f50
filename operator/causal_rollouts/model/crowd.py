"""Other releases at the same time: who runs, who waits, and what they share with this one."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.world import Key


@dataclass(frozen=True, slots=True)
class Limits:
    """How many releases may run at the same time, 0 for any number.

    forbid_overlap: none may run beside one that shares a node or a route with it.
    """

    namespace: int = 0
    cluster: int = 0
    forbid_overlap: bool = False

    @property
    def any(self) -> bool:
        """Something is limited."""
        return bool(self.namespace or self.cluster or self.forbid_overlap)


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Other:
    """Another rollout whose release runs or waits for its turn.

    waiting: since when it waits, None while it runs. routes: `kind/name` in its namespace.
    begun: it has left Preparing, so traffic may be at stake. nodes: where pods of its arms run.
    """

    key: Key
    waiting: float | None = None
    begun: bool = False
    release: str = ""
    routes: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """A release that ran beside this one when a stage began, and the nodes and routes that both used."""

    time: float
    stage: int
    rollout: str
    release: str
    nodes: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
