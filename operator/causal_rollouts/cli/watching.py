"""Looking at a rollout again and again, also over an API server that is away for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator

from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.printing import say
from causal_rollouts.cli.standing import Standing, standing
from causal_rollouts.ports import Broken

EVERY = 2.0
"""Seconds between two looks."""


async def looks(cluster: Cluster, name: str) -> AsyncIterator[tuple[Standing, str]]:
    """How it stands, now and every two seconds; while nobody answers the last answer, and why.

    Raises:
        Stopped: there is no such rollout, or not any more. Broken: the first look got no answer.
    """
    seen, away = await standing(cluster, name), ""
    while True:
        yield seen, away
        await cluster.time.sleep(EVERY)
        try:
            seen, away = await standing(cluster, name), ""
        except Broken as error:
            # An API server that restarts is no answer to the question.
            away = f"{name}: cannot be seen for now: {error}"


class Aside:
    """Tells of each absence once, on stderr."""

    def __init__(self) -> None:
        self._silent = False

    def tell(self, away: str) -> None:
        """away: as `looks` has it."""
        if away and not self._silent:
            say(away, aside=True)
        self._silent = bool(away)
