"""What a scrape shows of notices."""

from prometheus_client import CollectorRegistry

from causal_rollouts.adapters.channels import BadChannels, Channel
from causal_rollouts.adapters.postbox import Postbox
from causal_rollouts.model.reasons import Delivery
from causal_rollouts.runtime.notice_metrics import NoticeMetrics
from tests.unit.adapters.notice import notice, settle
from tests.unit.control.listening import Listener


async def test_sent_failed_and_given_up_are_counted_by_channel_from_0_on() -> None:
    listener = Listener({"oncall": Delivery.BUSY})
    box = listener.postbox()
    registry = CollectorRegistry()
    registry.register(NoticeMetrics(box))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"causal_rollouts_notices_{name}", labels)

    assert value("sent_total", channel="team") == 0
    assert value("dropped_total", channel="oncall", kind="Busy") == 0
    await settle(box, notice(), notice(channel="oncall"), notice(channel="nowhere"))
    assert value("sent_total", channel="team") == 1
    assert value("failed_total", channel="oncall", kind="Busy") == 8
    assert value("dropped_total", channel="oncall", kind="Busy") == 1
    assert value("dropped_total", channel="nowhere", kind="UnknownChannel") == 1
    assert value("waiting", channel="team") == 0


async def test_a_bad_file_of_channels_does_not_break_a_scrape() -> None:
    def bad() -> dict[str, Channel]:
        raise BadChannels("no YAML")

    registry = CollectorRegistry()
    registry.register(NoticeMetrics(Postbox(bad, Listener().send)))
    assert list(registry.collect())
