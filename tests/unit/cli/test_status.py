"""`status`, `get`, `list` and `explain`: what is going on, for people and pipelines."""

import pytest

from causal_rollouts.adapters.kube import ROLLOUT
from causal_rollouts.cli.exits import Exit
from causal_rollouts.ports import Broken
from tests.unit.cli.town import NAME


@pytest.mark.parametrize(
    ("moment", "state", "code"),
    [
        ("at rest", "Idle", 0),
        ("requested", "Requested", 0),
        ("observing", "Running", 0),
        ("promoting", "Running", 0),
        ("aborted", "Failed", 1),
        ("promoted", "Idle", 0),
    ],
)
def test_the_exit_code_says_how_the_release_stands(moments, capsys, moment, state, code):
    found = moments.town(moment).run(capsys, "status", NAME, "-o", "json")
    assert (found.json["state"], found.code) == (state, code)


def test_a_rollout_that_cannot_run_is_no_success(moments, capsys):
    town = moments.town("at rest")
    ready = {"type": "Ready", "status": "False", "reason": "NotReady", "message": "spec.traffic: no route"}
    rollout = town.rollout()
    town.api.change(ROLLOUT, rollout, {**rollout, "status": {"conditions": [ready]}}, status=True)
    found = town.run(capsys, "status", NAME)
    assert found.code == Exit.FAILED
    assert "spec.traffic: no route" in found.out


def _becomes(moments, moment, after):
    """An operator that works elsewhere: after some seconds the world is as at another moment."""

    def operator(town):
        if town.slept >= after and town.api.objects is not goal.objects:
            town.api.objects, town.api.time = goal.objects, max(town.api.time, goal.time)

    goal = moments.town(moment).api
    return operator


def test_watch_waits_for_the_end_and_fails_with_an_aborted_release(moments, capsys):
    town = moments.town("observing", operator=_becomes(moments, "aborted", 30))
    found = town.run(capsys, "status", NAME, "--watch", "--timeout", "5m")
    assert found.code == Exit.FAILED
    assert found.out.splitlines()[0].startswith("checkout-1: Observing")
    assert found.out.splitlines()[-1] == "checkout-1: Aborted: aborted by bob"
    assert 30 <= town.slept < 40


def test_watch_does_not_take_the_last_release_for_the_one_that_is_requested(moments, capsys):
    town = moments.town("requested", operator=_becomes(moments, "promoted", 20))
    found = town.run(capsys, "status", NAME, "--watch", "-o", "json")
    assert found.code == Exit.OK
    assert [line["state"] for line in found.lines] == ["Requested", "Idle"]
    assert found.lines[-1]["outcome"] == "Promoted"


def test_a_retry_that_was_asked_for_is_waited_for(moments, capsys):
    town = moments.town("aborted")
    assert town.run(capsys, "retry", NAME).code == 0
    found = town.run(capsys, "status", NAME, "--watch", "--timeout", "20s")
    assert found.code == Exit.TIMEOUT
    assert "Requested" in found.out


def test_watch_gives_up_with_code_4_and_prints_each_state_once(moments, capsys):
    town = moments.town("observing")
    found = town.run(capsys, "status", NAME, "-w", "--timeout", "90s")
    assert found.code == Exit.TIMEOUT
    assert found.out.count("\n") == 1
    assert "not over within 90 s" in found.err
    assert 90 <= town.slept <= 94


def test_an_api_server_that_restarts_does_not_end_the_watch(moments, capsys):
    town = moments.town("observing", operator=_becomes(moments, "promoted", 20))

    def away(call):
        if 4 <= town.slept < 12:
            raise Broken("the API server does not answer")

    town.api.before = away
    found = town.run(capsys, "status", NAME, "--watch")
    assert found.code == Exit.OK
    assert found.err.count("cannot be seen for now") == 1


def test_a_name_that_is_not_there_is_answered_with_those_that_are(moments, capsys):
    found = moments.town("observing").run(capsys, "status", "chekout")
    assert found.code == Exit.USAGE
    assert "there are: checkout" in found.err


def test_get_tells_programs_of_arms_evidence_and_decisions(moments, capsys):
    plain = moments.town("observing").run(capsys, "get", "-o", "json").json
    assert plain["weights"] == {"canary": 10.0, "baseline": 10.0, "stable": 80.0}
    assert sorted({pod["arm"] for pod in plain["arms"]}) == ["baseline", "canary"]
    assert {metric["name"] for metric in plain["evidence"]} >= {"latency", "errors", "restarts"}
    assert plain["decisions"][0]["reason"] == "WaitingForHistory"


def test_list_is_one_line_a_rollout(moments, capsys):
    town = moments.town("observing")
    found = town.run(capsys, "list")
    head, line = found.out.splitlines()
    assert head.split() == ["NAME", "PHASE", "RELEASE", "STEP", "WEIGHT", "VERDICT", "EFFECT", "AGE"]
    assert line.split()[:5] == [NAME, "Observing", "checkout-1", "1/2", "10%"]
    assert town.run(capsys, "list", "-A").out.startswith("NAMESPACE")
    assert town.run(capsys, "list", "-o", "json").json[0]["release"] == "checkout-1"
    del town.api.objects[ROLLOUT.plural]
    assert "no CausalRollout" in town.run(capsys, "list").out
    assert town.run(capsys, "list", "-o", "json").json == []


@pytest.mark.parametrize(
    ("moment", "reason", "says"),
    [
        ("aborted", "Aborted", "retry"),
        ("reverting", "Aborted", "aborted by bob"),
        ("promoting", "RollingOut", "the gate keeps watching"),
    ],
)
def test_explain_tells_why(moments, capsys, moment, reason, says):
    town = moments.town(moment)
    assert says in town.run(capsys, "explain", NAME).out
    assert town.run(capsys, "explain", NAME, "-o", "json").json["reason"] == reason


@pytest.mark.parametrize(("after", "young"), [(10, True), (100, False)])
def test_explain_tells_what_is_missing_for_the_next_step(moments, capsys, after, young):
    town = moments.town("observing")
    town.api.time = town.record()["status"]["release"]["stageSince"] + after
    found = town.run(capsys, "explain", NAME)
    assert "Missing for the next step:" in found.out
    assert "latency: any evidence for safety" in found.out
    assert ("minDuration: 20s more" in found.out) is young


def test_looking_writes_nothing(moments, capsys):
    for words in (["status", NAME], ["get", NAME], ["list"], ["explain", NAME], ["adopt", NAME]):
        town = moments.town("observing")
        town.run(capsys, *words)
        assert town.seen == []


def test_explain_tells_which_condition_does_not_hold(moments, capsys):
    town = moments.town("observing")
    wrong = {"type": "EvidenceValid", "status": "False", "reason": "NoData", "message": "errors: no series"}
    rollout = town.rollout()
    conditions = [c for c in rollout["status"]["conditions"] if c["type"] != "EvidenceValid"]
    status = {**rollout["status"], "conditions": [*conditions, wrong]}
    town.api.change(ROLLOUT, rollout, {**rollout, "status": status}, status=True)
    assert "EvidenceValid: errors: no series" in town.run(capsys, "explain", NAME).out


def test_words_of_a_cluster_do_not_move_the_cursor_of_a_terminal(moments, capsys):
    town = moments.town("observing")
    ready = {"type": "Ready", "status": "Unknown", "reason": "Blocked", "message": "\x1b[2Jgone\x9b1A\r\x07"}
    rollout = town.rollout()
    status = {**rollout["status"], "conditions": [ready], "phase": "\x1b]0;x\x07"}
    town.api.change(ROLLOUT, rollout, {**rollout, "status": status}, status=True)
    for words in (
        ["status", NAME],
        ["get", NAME],
        ["explain", NAME],
        ["list"],
        ["status", NAME, "-o", "json"],
    ):
        out = town.run(capsys, *words).out
        assert not set(out) & {"\x1b", "\x9b", "\r", "\x07"}, words
    assert "gone" in out


def test_a_release_that_waits_for_a_freeze_or_for_others_says_so(moments, capsys):
    town = moments.town("requested")
    said = "a new template was requested; frozen until 2027-01-18T05:00:00Z, it begins then"
    ready = {"type": "Ready", "status": "Unknown", "reason": "Frozen", "message": said}
    town.rollout()["status"] = {"conditions": [ready]}
    found = town.run(capsys, "status", NAME)
    assert found.code == 0
    assert said in found.out


def test_explain_tells_what_was_not_tested(moments, capsys):
    town = moments.town("observing")
    found = town.run(capsys, "explain", NAME)
    assert "Not tested:\n  " in found.out
    told = town.run(capsys, "explain", NAME, "-o", "json").json["untested"]
    assert any("no segments are asked for" in line for line in told)
