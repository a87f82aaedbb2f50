"""Whole releases that tell people: each transition once, across restarts, whatever the endpoint does."""

import asyncio

import pytest

from causal_rollouts.adapters.kube import POLICY, ROLLOUT
from causal_rollouts.control import reconcile
from causal_rollouts.model.reasons import Delivery
from e2e.embedded.apiserver import OPERATOR
from e2e.embedded.patches import clone
from tests.unit.control import scripted
from tests.unit.control.listening import CHANNELS, Listener, cursors, listened, restarted
from tests.unit.control.stories import Story

PROMOTED = ["Info SafetyProven", "Info SafetyProven", "Info Promoted"]


def looks(monkeypatch: pytest.MonkeyPatch, script: scripted.Script) -> None:
    monkeypatch.setattr(reconcile, "look", scripted.looking(script))


def request(story: Story, version: str = "v2") -> None:
    story.request(version, START_SECONDS="1")


def test_a_promotion_is_told_step_by_step_and_only_to_who_hears_of_it(monkeypatch) -> None:
    looks(monkeypatch, scripted.harmless)
    listener = Listener()
    story = listened(listener)
    request(story)
    assert story.end() == "Promoted"
    story.run(12)
    assert listener.heard("team") == PROMOTED
    assert listener.heard("oncall") == []
    assert cursors(story) == {"team": listener.ids("team")[-1]}
    assert story.condition("Notified")["status"] == "True"


def test_harm_is_a_ticket_and_its_end_is_told_too(monkeypatch) -> None:
    looks(monkeypatch, scripted.harm_in_a_stage)
    listener = Listener()
    story = listened(
        listener, [{"channel": "team"}, {"channel": "oncall", "when": ["HarmProven"], "severity": "Page"}]
    )
    request(story)
    assert story.end() == "Reverted"
    story.run(12)
    assert listener.heard("team") == ["Info SafetyProven", "Ticket HarmProven", "Info Reverted"]
    assert listener.heard("oncall") == ["Page HarmProven"]
    seqs = {d["seq"] for d in story.world.decisions()}
    assert {int(at.rpartition(".")[2]) for at in listener.ids("team")} <= seqs


def test_at_rest_nothing_is_sent_again_and_nothing_is_written(monkeypatch) -> None:
    looks(monkeypatch, scripted.harmless)
    listener = Listener()
    story = listened(listener)
    request(story)
    story.end()
    story.run(30)
    before, sent = story.world.api.version, listener.tries
    story.run(200)
    assert (story.world.api.version, listener.tries) == (before, sent)


def test_while_a_release_runs_its_status_holds_what_is_settled(monkeypatch) -> None:
    looks(monkeypatch, scripted.harmless)
    listener = Listener()
    story = listened(listener)
    request(story)
    assert story.reach("Observing", 1)
    story.run(3)
    assert listener.heard("team") == PROMOTED[:1]
    (first,) = listener.ids("team")
    assert cursors(story) == {"team": first}
    assert story.condition("Notified")["reason"] == "Delivered"
    restarted(story, listener)
    story.run(2)
    assert listener.ids("team").count(first) == 1


def test_without_notifications_a_status_says_nothing_of_them(monkeypatch) -> None:
    looks(monkeypatch, scripted.harmless)
    story = listened(Listener(), [])
    request(story)
    story.end()
    assert "notified" not in story.world.rollout()["status"]
    assert story.condition("Notified") == {}


@pytest.mark.parametrize("script", [scripted.harmless, scripted.harm_in_a_stage, scripted.harm_while_baking])
def test_a_process_that_is_replaced_in_each_second_tells_all_of_it_and_under_the_same_ids(
    script: scripted.Script, monkeypatch
) -> None:
    looks(monkeypatch, script)
    plain = Listener()
    story = listened(plain)
    request(story)
    end = story.end()
    story.run(12)
    listener = Listener()
    story = listened(listener)
    request(story)
    while story.phase != "Done":
        restarted(story, listener)
        story.step()
    restarted(story, listener)
    story.run(40)
    assert str(story.world.release()["outcome"]) == end
    for channel in CHANNELS:
        assert list(dict.fromkeys(listener.ids(channel))) == plain.ids(channel)


def test_what_was_owed_when_a_process_died_is_sent_once_by_the_next(monkeypatch) -> None:
    looks(monkeypatch, scripted.harm_in_a_stage)
    dead = Listener({"team": Delivery.UNREACHED, "oncall": Delivery.UNREACHED})
    story = listened(dead)
    # A process that dies with everything still in line.
    story.world.ports.notifier.sleep = never  # type: ignore[attr-defined]
    request(story)
    assert story.end() == "Reverted"
    assert cursors(story) == {}
    listener = Listener()
    restarted(story, listener)
    story.run(40)
    assert listener.heard("team") == ["Info SafetyProven", "Ticket HarmProven", "Info Reverted"]
    assert listener.heard("oncall") == ["Ticket HarmProven"]
    restarted(story, listener)
    story.run(100)
    assert len(listener.got) == 4


async def never(_: float) -> None:
    await asyncio.sleep(3600)


def test_a_dead_endpoint_neither_slows_nor_stops_a_release(monkeypatch) -> None:
    looks(monkeypatch, scripted.harm_in_a_stage)

    def took(listener: Listener) -> tuple[list[tuple[str, int]], float]:
        story = listened(listener)
        begin = story.world.api.time
        request(story)
        assert story.end() == "Reverted"
        assert story.world.errors == []
        return story.path, story.world.api.time - begin

    assert took(Listener({"team": Delivery.LATE, "oncall": Delivery.LATE})) == took(Listener())


def test_what_cannot_be_delivered_is_given_up_and_said_without_a_url(monkeypatch, caplog) -> None:
    looks(monkeypatch, scripted.harmless)
    listener = Listener({"team": Delivery.BROKEN})
    story = listened(listener)
    request(story)
    story.end()
    story.run(60)
    found = story.condition("Notified")
    assert (found["status"], found["reason"]) == ("False", "ServerError")
    assert 'channel "team": the endpoint fails (5xx)' in found["message"]
    assert listener.tries == 8 * len(PROMOTED)
    assert cursors(story)["team"].startswith("checkout-1.")
    assert "example.com" not in str(story.world.api.objects)
    assert "example.com" not in caplog.text
    listener.answers.clear()
    request(story, "v3")
    story.end()
    story.run(12)
    assert story.condition("Notified")["status"] == "True"


def test_a_channel_that_nobody_set_is_named_with_what_to_do(monkeypatch) -> None:
    looks(monkeypatch, scripted.harmless)
    listener = Listener()
    story = listened(listener, [{"channel": "nowhere"}])
    request(story)
    assert story.end() == "Promoted"
    found = story.condition("Notified")
    assert (found["status"], found["reason"]) == ("False", "UnknownChannel")
    assert (
        'channel "nowhere": the operator\'s settings have no such channel; correct the name'
        in found["message"]
    )


def test_a_running_release_tells_whom_it_registered(monkeypatch) -> None:
    looks(monkeypatch, scripted.harmless)
    listener = Listener()
    story = listened(listener)
    request(story)
    assert story.reach("Observing", 0)
    old = story.world.api.stored(POLICY)[0]
    new = clone(old)
    new["spec"]["notifications"] = []
    story.world.api.change(POLICY, old, new, "git", manager="git")
    story.step()
    assert story.world.rollout()["status"]["pendingSpec"] is True
    story.end()
    story.run(12)
    assert listener.heard("team") == PROMOTED


def test_the_status_is_written_once_more_for_a_notice_and_no_oftener(monkeypatch) -> None:
    looks(monkeypatch, scripted.harmless)

    def writes(notifications: list[dict[str, str]]) -> int:
        story = listened(Listener(), notifications)
        story.world.api.writes.clear()
        request(story)
        story.end()
        story.run(30)
        return sum(w.user == OPERATOR and w.kind == ROLLOUT.kind for w in story.world.api.writes)

    assert writes([{"channel": "team"}]) - writes([]) <= len(PROMOTED) + 1
