"""The lines behind the channels: bounded, patient for a while, and each channel for itself."""

import asyncio
from pathlib import Path

import pytest

from causal_rollouts.adapters.channels import BadChannels, Channel, Kind
from causal_rollouts.adapters.postbox import Answer, Pace, Postbox
from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Delivery
from tests.unit.adapters.notice import NOW, notice, settle

HERE = {name: Channel(name, Kind.SLACK, "http://x") for name in ("team", "oncall")}


class Far:
    """The other side: what it was sent, and what it answers by channel."""

    def __init__(self, **answers: Delivery) -> None:
        self.answers, self.got = answers, list[tuple[str, str]]()

    async def send(self, channel: Channel, said: Notice) -> Answer:
        self.got.append((channel.name, said.id))
        return Answer(self.answers.get(channel.name, Delivery.DELIVERED))


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


def box(far: Far, **pace: float) -> Postbox:
    return Postbox(lambda: HERE, far.send, Pace(**pace), sleep=at_once)  # type: ignore[arg-type]


async def test_what_is_posted_again_is_sent_once() -> None:
    far = Far()
    postbox = box(far)
    for _ in range(3):
        assert await settle(postbox, notice()) == {"checkout-7.12": "Delivered"}
    assert far.got == [("team", "checkout-7.12")]
    assert postbox.settled["team", Delivery.DELIVERED] == 1


async def test_a_dead_channel_is_tried_eight_times_and_holds_up_no_other() -> None:
    far = Far(team=Delivery.UNREACHED)
    postbox = box(far)
    both = notice(), notice(channel="oncall")
    assert await postbox.post(both, NOW) == {}
    await asyncio.sleep(0)
    assert ("oncall", "checkout-7.12") in far.got[:2]
    await settle(postbox, *both)
    assert far.got.count(("team", "checkout-7.12")) == 8
    assert postbox.attempts["team", Delivery.UNREACHED] == 8
    assert postbox.settled["team", Delivery.UNREACHED] == 1


async def test_a_channel_that_nobody_set_and_an_old_notice_are_given_up_at_once() -> None:
    far = Far()
    postbox = box(far)
    old, lost = notice(time=NOW - 86_401), notice(channel="nowhere")
    assert await postbox.post((old, lost), NOW) == {
        old: Delivery.EXPIRED,
        lost: Delivery.UNKNOWN_CHANNEL,
    }
    assert far.got == []


async def test_what_a_full_line_does_not_take_stays_owed_and_is_taken_later() -> None:
    far = Far()
    postbox = box(far, line=2)
    many = [notice(seq=seq) for seq in range(5)]
    assert await postbox.post(many, NOW) == {}
    assert postbox.waiting("team") == 2
    assert set((await settle(postbox, *many)).values()) == {"Delivered"}
    assert [at for _, at in far.got] == [f"checkout-7.{seq}" for seq in range(5)]


async def test_while_the_file_of_channels_is_bad_notices_wait() -> None:
    far, broken = Far(), True

    def channels() -> dict[str, Channel]:
        if broken:
            raise BadChannels("is no YAML")
        return HERE

    postbox = Postbox(channels, far.send)
    assert await postbox.post((notice(),), NOW) == {}
    assert postbox.waiting("team") == 0
    broken = False
    assert await settle(postbox, notice()) == {"checkout-7.12": "Delivered"}


async def test_a_sender_that_breaks_does_not_break_the_line(caplog: pytest.LogCaptureFixture) -> None:
    async def send(channel: Channel, said: Notice) -> Answer:
        raise RuntimeError("http://user:pass@host")

    postbox = Postbox(lambda: HERE, send, Pace(attempts=2), sleep=at_once)
    assert await settle(postbox, notice(seq=1), notice(seq=2)) == {
        "checkout-7.1": "ServerError",
        "checkout-7.2": "ServerError",
    }
    assert "pass" not in caplog.text


async def test_who_stops_leaves_nothing_running_and_nothing_settled(tmp_path: Path) -> None:
    async def send(channel: Channel, said: Notice) -> Answer:
        await asyncio.sleep(60)
        return Answer(Delivery.DELIVERED)

    postbox = Postbox(lambda: HERE, send)
    await postbox.post((notice(),), NOW)
    await asyncio.wait_for(postbox.close(), 1)
    assert postbox.settled.total() == 0
