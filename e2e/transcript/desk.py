"""A person at a terminal before the embedded world: commands run in this process, time passes in them."""

import asyncio
import contextlib
import io
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from causal_rollouts.cli.cluster import Cluster, Where
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from e2e.embedded.client import Client
from e2e.embedded.world import EmbeddedWorld
from e2e.transcript.notebook import Notebook

PERSON = "ann"


class Person(Client):
    """The API as a person sees it, who can ask who they are."""

    async def create(self, kind: Any, namespace: str, obj: dict[str, Any]) -> dict[str, Any]:
        if kind.kind == "SelfSubjectReview":
            return {"status": {"userInfo": {"username": self.user}}}
        return await super().create(kind, namespace, obj)


@dataclass(slots=True)
class WorldTime:
    """The world's clock: it goes on while a command sleeps. left: seconds until a person has seen enough."""

    world: EmbeddedWorld
    left: float = float("inf")

    def now(self) -> float:
        return self.world.api.now()

    async def sleep(self, seconds: float) -> None:
        if self.left <= 0:
            # Ctrl-C.
            raise KeyboardInterrupt
        self.left -= seconds
        # The world has an event loop of its own, and no two run in one thread.
        await asyncio.to_thread(self.world.run, seconds)


@dataclass(slots=True)
class Desk:
    """Types commands and writes down what they print."""

    world: EmbeddedWorld
    notebook: Notebook = field(default_factory=Notebook)

    def type(self, line: str, *, seconds: float = float("inf")) -> int:
        """One command as it stands in a shell. seconds: after them it is stopped, as with Ctrl-C."""
        program, *words = shlex.split(line)
        assert program == "causal-rollouts", line
        clock = WorldTime(self.world, seconds)

        @asynccontextmanager
        async def opener(where: Where) -> AsyncIterator[Cluster]:
            user = Person(self.world.api, PERSON, "causal-rollouts")
            yield Cluster(user, self.world.key.namespace, clock)

        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = main(words, opener)
        stopped = code == Exit.INTERRUPTED
        text = printed.getvalue() + ("^C" if stopped else "")
        self.notebook.command(line, text, 0 if stopped else code)
        print(f"$ {line}\n{text}")
        return code

    def wait(self, phase: str, seconds: float = 900) -> None:
        """Until the release is in a phase."""
        if not self.world.run(seconds, lambda: self.world.release().get("phase") == phase):
            raise AssertionError(f"never {phase}: {self.world.release()}, {self.world.errors}")
