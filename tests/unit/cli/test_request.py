"""`pause`, `resume`, `abort`, `retry`: bound to the release they mean, and to who asked."""

import asyncio

import pytest

from causal_rollouts.cli.exits import Exit
from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Broken, NotYet
from causal_rollouts.runtime.wiring import ports_over
from tests.unit.cli.town import NAME


class Silent:
    async def fetch(self, *_):
        raise Broken("nobody measures here")


def operate(town, passes=4):
    """The operator's own loop, for a moment."""
    ports = ports_over(town.api.client(), Silent(), town.api)
    for _ in range(passes):
        try:
            asyncio.run(reconcile(Key(town.namespace, NAME), ports, Settings(Grid(10.0, 11.0, 5.0))))
        except NotYet:
            continue
        town.pass_time(1)


@pytest.mark.parametrize("verb", ["pause", "abort", "extend"])
def test_a_request_names_the_release_and_the_user(moments, capsys, verb):
    town = moments.town("observing")
    found = town.run(capsys, verb, NAME)
    assert found.code == 0
    assert town.annotations()[f"causalrollouts.dev/{verb}"] == "ann:checkout-1"
    assert "by ann" in found.out
    assert [call.verb for call in town.seen] == ["update"]


def test_the_operator_carries_them_out(moments, capsys):
    town = moments.town("observing")
    phase = lambda: town.record()["status"]["release"]["phase"]  # noqa: E731
    town.run(capsys, "pause", NAME)
    operate(town)
    assert phase() == "Paused"
    assert "paused already" in town.run(capsys, "pause", NAME).out
    town.run(capsys, "resume", NAME)
    operate(town)
    assert phase() == "Observing"
    town.run(capsys, "abort", NAME)
    operate(town)
    assert phase() == "Reverting"
    assert town.record()["status"]["release"]["why"] == "aborted by ann"
    assert not any(key.startswith("causalrollouts.dev/") for key in town.annotations())


def test_a_user_whose_name_has_colons_is_kept_whole(moments, capsys):
    town = moments.town("observing", user="system:serviceaccount:ci:deployer")
    town.run(capsys, "abort", NAME)
    operate(town)
    assert town.record()["status"]["release"]["why"] == "aborted by system:serviceaccount:ci:deployer"


@pytest.mark.parametrize(
    ("verb", "moment", "says"),
    [
        ("abort", "at rest", "has had no release yet"),
        ("abort", "aborted", "no release runs"),
        ("pause", "promoted", "no release runs"),
        ("resume", "aborted", "no release runs"),
        ("retry", "observing", "still runs"),
        ("retry", "promoted", "only a release that failed"),
    ],
)
def test_a_request_without_a_release_for_it_is_refused(moments, capsys, verb, moment, says):
    town = moments.town(moment)
    found = town.run(capsys, verb, NAME)
    assert (found.code, town.seen) == (Exit.FAILED, [])
    assert says in found.err


@pytest.mark.parametrize(
    ("verb", "moment"), [("abort", "reverting"), ("pause", "reverting"), ("resume", "observing")]
)
def test_what_is_done_already_is_said_and_not_asked_again(moments, capsys, verb, moment):
    town = moments.town(moment)
    found = town.run(capsys, verb, NAME, "-o", "json")
    assert (found.code, town.seen) == (0, [])
    assert found.json["release"] == "checkout-1"


def test_an_approval_is_for_the_step_that_waits_and_carries_the_reason(moments, capsys):
    town = moments.town("observing")
    assert "nothing waits for approval" in town.run(capsys, "approve", NAME).out
    assert "nothing waits for you" in town.run(capsys, "promote", NAME).err
    town.change_record(lambda release: release.update(phase="AwaitingApproval", awaits="Advance"))
    town.run(capsys, "approve", NAME, "--reason", "looks  fine")
    assert town.annotations()["causalrollouts.dev/approve"] == "ann:checkout-1/1 looks fine"
    town.run(capsys, "promote", NAME)
    assert town.annotations()["causalrollouts.dev/approve"] == "ann:checkout-1/1"


def test_promote_resumes_a_pause_and_promote_full_rolls_the_fleet(moments, capsys):
    town = moments.town("observing")
    town.run(capsys, "pause", NAME, "--reason", "lunch")
    operate(town)
    town.run(capsys, "promote", NAME)
    operate(town)
    assert town.record()["status"]["release"]["phase"] == "Observing"
    town.run(capsys, "promote", NAME, "--full", "--reason", "incident 42")
    assert town.annotations()["causalrollouts.dev/promote"] == "ann:checkout-1 incident 42"
    operate(town)
    assert town.record()["status"]["release"]["phase"] == "Promoting"
    heard = [(r["verb"], r["user"], r["reason"]) for r in town.record()["status"]["requests"]]
    assert heard == [("pause", "ann", "lunch"), ("resume", "ann", ""), ("promote", "ann", "incident 42")]


def test_retry_is_bound_to_the_release_that_failed(moments, capsys):
    town = moments.town("aborted")
    assert town.run(capsys, "retry", NAME, "-o", "json").json["value"] == "ann:checkout-1"
    operate(town)
    assert town.record()["metadata"]["name"] == "checkout-2"
