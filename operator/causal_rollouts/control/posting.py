"""What a pass tells people outside of the cluster, and what its status says of that.

It comes after every effect and waits for no endpoint: a channel that is dead
costs a condition, never a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from causal_rollouts.api.status import notified
from causal_rollouts.control.observed import Observed
from causal_rollouts.control.owed import channels, owed
from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Delivery
from causal_rollouts.ports import Ports, Record

CONDITION = "Notified"

WORDS: Mapping[Delivery, str] = {
    Delivery.DELIVERED: "notices are delivered",
    Delivery.UNKNOWN_CHANNEL: "the operator's settings have no such channel; correct the name in "
    "RolloutPolicy.spec.notifications, or have the channel added",
    Delivery.EXPIRED: "a notice was a day old before it could be sent; look whether the operator ran",
    Delivery.UNREADABLE: "the file of channels cannot be read; correct the operator's settings",
    Delivery.NOT_ALLOWED: "its address is not allowed; correct the channel or the allowed networks",
    Delivery.UNREACHED: "the endpoint cannot be reached; look at it and at the network between",
    Delivery.NOT_TRUSTED: "the endpoint's certificate cannot be verified, or it speaks no TLS; mend it",
    Delivery.LATE: "the endpoint does not answer in time; look at it",
    Delivery.BUSY: "the endpoint is overloaded (429 or 503); tell it less, or ask for a higher limit",
    Delivery.BROKEN: "the endpoint fails (5xx); look at it",
    Delivery.REJECTED: "the endpoint refuses it (4xx); correct URL, token or kind of the channel",
    Delivery.REDIRECTED: "the endpoint redirects, which is not followed; name the address it leads to",
}
"""What happened and what to do. Never a URL, and never a word of the other side."""


@dataclass(frozen=True, slots=True)
class Told:
    """cursors: by channel the newest settled notice. said: the condition. waiting: some is owed still."""

    cursors: tuple[tuple[str, str], ...] = ()
    said: tuple[bool, str, str] | None = None
    waiting: bool = False


async def post(o: Observed, records: Sequence[Record], ports: Ports, now: float) -> Told:
    """Send what is owed. records: all of the rollout, oldest first."""
    known = channels(records)
    if not known:
        return Told()
    before = {channel: at for channel, at in notified(o.rollout.status) if channel in known}
    due = owed(records, before)
    fates = await ports.notifier.post(due, now) if due else {}
    after, stuck = dict(before), set[str]()
    for notice in due:
        if notice not in fates:
            stuck.add(notice.channel)
        elif notice.channel not in stuck:
            after[notice.channel] = notice.id
    return Told(tuple(sorted(after.items())), _said(fates) or o.rollout.said(CONDITION), bool(stuck))


def _said(fates: Mapping[Notice, Delivery]) -> tuple[bool, str, str] | None:
    """The newest word of each channel; one that failed is the news."""
    newest = {notice.channel: fate for notice, fate in fates.items()}
    failed = {channel: fate for channel, fate in newest.items() if fate is not Delivery.DELIVERED}
    if not newest:
        return None
    if not failed:
        return True, str(Delivery.DELIVERED), WORDS[Delivery.DELIVERED]
    words = "; ".join(f'channel "{channel}": {WORDS[fate]}' for channel, fate in sorted(failed.items()))
    return False, str(min(failed.items())[1]), words
