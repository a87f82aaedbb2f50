"""A quick release whose policy tells channels, and somebody at the other end who keeps what arrives."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from causal_rollouts.adapters.channels import Channel, Kind
from causal_rollouts.adapters.kube import POLICY
from causal_rollouts.adapters.postbox import Answer, Pace, Postbox
from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Delivery
from causal_rollouts.ports import Ports
from e2e.embedded.patches import clone
from tests.unit.control.scripted import Silent, quick
from tests.unit.control.stories import Story

BOTH = [{"channel": "team"}, {"channel": "oncall", "atLeast": "Ticket"}]
CHANNELS: Mapping[str, Channel] = {
    name: Channel(name, Kind.SLACK, "https://example.com/5b1e") for name in ("team", "oncall")
}


@dataclass
class Listener:
    """answers: by channel, where not all is well. got: (channel, notice) of each attempt that arrived."""

    answers: dict[str, Delivery] = field(default_factory=dict)
    got: list[tuple[str, Notice]] = field(default_factory=list)
    tries: int = 0

    async def send(self, channel: Channel, notice: Notice) -> Answer:
        self.tries += 1
        fate = self.answers.get(channel.name, Delivery.DELIVERED)
        if fate is Delivery.DELIVERED:
            self.got.append((channel.name, notice))
        return Answer(fate)

    def postbox(self, channels: Mapping[str, Channel] = CHANNELS) -> Postbox:
        """Of a process that has just begun."""
        return Postbox(lambda: channels, self.send, Pace(), sleep=self._sleep)

    async def _sleep(self, _: float) -> None:
        await asyncio.sleep(0)

    def heard(self, channel: str) -> list[str]:
        """Severity and cause of what a channel heard, in order."""
        return [f"{n.severity} {n.cause}" for name, n in self.got if name == channel]

    def ids(self, channel: str) -> list[str]:
        return [n.id for name, n in self.got if name == channel]


def listened(listener: Listener, notifications: list[dict[str, Any]] | None = None) -> Story:
    """At rest, under a policy that tells."""
    box = listener.postbox()
    story = quick(lambda ports: replace(ports, notifier=box))
    old = story.world.api.stored(POLICY)[0]
    new = clone(old)
    new["spec"]["notifications"] = BOTH if notifications is None else notifications
    story.world.api.change(POLICY, old, new, "git", manager="git")
    return story


def restarted(story: Story, listener: Listener, channels: Mapping[str, Channel] = CHANNELS) -> None:
    """Another process takes over, with nothing in memory."""
    box = listener.postbox(channels)

    def cut(ports: Ports) -> Ports:
        return replace(ports, metrics=Silent(), notifier=box)

    story.world.cut = cut
    story.world.connect()


def cursors(story: Story) -> dict[str, str]:
    """By channel, the newest settled notice as the status has it."""
    listed = (story.world.rollout().get("status") or {}).get("notified") or []
    return {line["channel"]: line["id"] for line in listed}
