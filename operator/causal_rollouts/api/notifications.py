"""Notifications of a policy to the subscriptions of a registration."""

from __future__ import annotations

from collections.abc import Sequence

from causal_rollouts.api.v1alpha1_notifications import Notification
from causal_rollouts.model.notices import Subscription
from causal_rollouts.model.reasons import Severity


def subscriptions(listed: Sequence[Notification]) -> tuple[Subscription, ...]:
    """All, in the order that decides which entry of a channel counts."""
    return tuple(
        Subscription(
            channel=one.channel,
            when=tuple(one.when or ()),
            at_least=Severity(one.at_least or Severity.INFO),
            severity=Severity(one.severity) if one.severity else None,
        )
        for one in listed
    )
