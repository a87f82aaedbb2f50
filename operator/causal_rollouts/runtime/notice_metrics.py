"""Counters of notices: sent, failed attempts, given up, and how many wait, by channel.

Read from the postbox at each scrape, so that the postbox knows nothing of
metrics. A channel is shown by its name, never by where it leads.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from causal_rollouts.adapters.channels import BadChannels
from causal_rollouts.adapters.postbox import Postbox
from causal_rollouts.model.reasons import Delivery

PREFIX = "causal_rollouts_notices"
FAILED = tuple(kind for kind in Delivery if kind is not Delivery.DELIVERED)


class NoticeMetrics(Collector):
    """What one postbox did since it was made."""

    def __init__(self, postbox: Postbox) -> None:
        self._postbox = postbox

    def collect(self) -> Iterator[Metric]:
        """Every channel that is set or was told to; from nothing to one is no increase, so all begin at 0."""
        box = self._postbox
        sent = CounterMetricFamily(f"{PREFIX}_sent", "Notices that an endpoint took", labels=["channel"])
        failed = CounterMetricFamily(
            f"{PREFIX}_failed", "Attempts that an endpoint did not take", labels=["channel", "kind"]
        )
        dropped = CounterMetricFamily(
            f"{PREFIX}_dropped", "Notices that were given up", labels=["channel", "kind"]
        )
        waiting = GaugeMetricFamily(f"{PREFIX}_waiting", "Notices in line", labels=["channel"])
        for channel in self._channels():
            sent.add_metric([channel], box.settled[channel, Delivery.DELIVERED])
            waiting.add_metric([channel], box.waiting(channel))
            for kind in FAILED:
                failed.add_metric([channel, kind], box.attempts[channel, kind])
                dropped.add_metric([channel, kind], box.settled[channel, kind])
        yield from (sent, failed, dropped, waiting)

    def _channels(self) -> list[str]:
        told = {channel for channel, _ in (*self._postbox.settled, *self._postbox.attempts)}
        try:
            return sorted(told | self._postbox.channels().keys())
        except BadChannels:
            return sorted(told)
