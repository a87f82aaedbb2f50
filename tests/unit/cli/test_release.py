"""`release`: all that the operator held is let go of, traffic first; the Deployment stays as it runs."""

import sys

import pytest

from causal_rollouts.adapters.kube import (
    DEPLOYMENT,
    FINALIZER,
    GRPC_ROUTE,
    HTTP_ROUTE,
    REPLICA_SET,
    ROLLOUT,
    SERVICE,
)
from causal_rollouts.cli.exits import Exit
from causal_rollouts.ports import NotYet, Refused
from e2e.embedded import shop
from e2e.embedded.apiserver import OPERATOR
from tests.unit.cli.town import NAME, USER

ARMS = {f"{NAME}-canary", f"{NAME}-baseline"}
RUNNING = ("observing", "reverting", "promoting", "baking")
ALL = ("at rest", "requested", *RUNNING, "aborted", "promoted")


def let_go(town, capsys, *words):
    return town.run(capsys, "release", NAME, "--yes", *words)


def pods_of_the_fleet(town):
    sets = town.api.stored(REPLICA_SET, town.namespace)
    return {
        rs["metadata"]["name"]: rs["status"].get("readyReplicas", 0)
        for rs in sets
        if rs["metadata"]["name"] not in town.slots()
    }


@pytest.mark.parametrize("moment", ALL)
def test_nothing_of_a_release_is_left(moments, capsys, moment):
    town = moments.town(moment)
    found = let_go(town, capsys)
    assert found.code == 0, found.err
    assert town.backends() == {NAME: 1}
    assert town.slots() == []
    assert ARMS.isdisjoint(town.services())
    assert FINALIZER not in town.rollout()["metadata"].get("finalizers", [])
    assert town.rollout()["status"]["phase"] == "Idle"
    if moment not in {"at rest", "requested"}:
        assert town.record()["status"]["final"] is True


@pytest.mark.parametrize("moment", ALL)
def test_a_second_run_finds_nothing_and_writes_nothing(moments, capsys, moment):
    town = moments.town(moment)
    let_go(town, capsys)
    found = let_go(town, capsys)
    assert (found.code, town.seen) == (0, [])
    assert "nothing is held" in found.out


def test_traffic_goes_first_and_the_arms_after_a_drain(moments, capsys):
    town = moments.town("observing")
    times = {}

    def note(call):
        times.setdefault((call.verb, call.kind), town.api.time)

    town.api.before = note
    let_go(town, capsys)
    home, slots = times["patch", "HTTPRoute"], times["delete", "ReplicaSet"]
    assert times["merge", "RolloutRecord"] <= home
    assert slots - home >= 5.0
    assert times["delete", "Service"] >= slots


def test_weights_that_the_gateway_does_not_take_keep_the_arms(moments, capsys):
    town = moments.town("observing", gateway=False)
    found = let_go(town, capsys)
    assert found.code == Exit.FAILED
    assert "no gateway has taken" in found.err
    assert len(town.slots()) == 6
    assert set(town.services()) >= ARMS
    town.controllers.gateway = True
    assert let_go(town, capsys).code == 0
    assert town.slots() == []


@pytest.mark.parametrize("moment", ["observing", "promoting"])
def test_a_deployment_between_two_templates_is_left_to_the_person(moments, capsys, moment):
    town = moments.town(moment)
    before = town.target()["spec"]["template"]
    found = let_go(town, capsys)
    assert town.target()["spec"]["paused"] is True
    assert town.target()["spec"]["template"] == before
    assert "Choose:" in found.out
    assert f"rollout resume deployment/{NAME}" in found.out
    assert f"patch deployment {NAME} --type=json" in found.out
    assert town.record()["status"]["release"]["stableSet"] in found.out


def test_half_a_roll_goes_neither_on_nor_back(moments, capsys):
    town = moments.town("promoting")
    let_go(town, capsys)
    mixed = pods_of_the_fleet(town)
    assert len([count for count in mixed.values() if count]) == 2
    town.pass_time(60)
    assert pods_of_the_fleet(town) == mixed


def test_a_fleet_that_is_whole_is_not_paused(moments, capsys):
    town = moments.town("baking")
    found = let_go(town, capsys)
    assert town.target()["spec"].get("paused") is None
    assert "Choose:" not in found.out


@pytest.mark.parametrize(("bypass", "paused"), [({USER}, None), (set(), True)])
def test_a_pause_that_has_no_reason_any_more_is_ended_by_who_may(moments, capsys, bypass, paused):
    town = moments.town("aborted")
    town.api.bypass = bypass
    shop.release(town.api, f"{NAME}:v1", name=NAME, VERSION="v1")
    found = let_go(town, capsys)
    assert town.target()["spec"].get("paused") is paused
    assert ("un-paused" in found.out) is not paused
    assert ("the gate keeps it so" in found.out) is bool(paused)


def test_a_rollout_that_hangs_in_its_deletion_is_freed(moments, capsys):
    town = moments.town("observing")
    town.api.remove(ROLLOUT, town.rollout(), "Background")
    assert town.rollout()["metadata"]["deletionTimestamp"]
    assert let_go(town, capsys).code == 0
    assert town.rollout() is None
    assert town.backends() == {NAME: 1}
    assert town.slots() == []


def test_a_rollout_that_is_gone_is_let_go_of_by_its_record(moments, capsys):
    town = moments.town("observing")
    town.api.forget(ROLLOUT, town.rollout())
    found = let_go(town, capsys)
    assert found.code == 0
    assert (town.backends(), town.slots()) == ({NAME: 1}, [])
    assert "stays: an operator" not in found.out


def test_the_route_of_the_record_counts_and_not_an_edited_spec(moments, capsys):
    town = moments.town("observing")
    town.change(ROLLOUT, NAME, lambda r: r["spec"]["traffic"].update(service="other", httpRoutes=[]))
    assert let_go(town, capsys).code == 0
    assert town.backends() == {NAME: 1}


def test_weights_left_on_a_grpc_route_come_home_too(moments, capsys):
    town = moments.town("promoted")
    stray = shop.route(NAME, arms=True, kind=GRPC_ROUTE)
    for backend, weight in zip(stray["spec"]["rules"][0]["backendRefs"], (8500, 500, 1000), strict=True):
        backend["weight"] = weight
    town.api.add(GRPC_ROUTE, town.namespace, stray)
    traffic = {"service": NAME, "grpcRoutes": [{"name": NAME}]}
    town.change(ROLLOUT, NAME, lambda r: r["spec"].update(traffic=traffic))
    assert let_go(town, capsys).code == 0
    [rule] = town.api.find(GRPC_ROUTE, town.namespace, NAME)["spec"]["rules"]
    assert [backend["weight"] for backend in rule["backendRefs"]] == [10, 0, 0]


def test_services_that_git_lists_stay(moments, capsys):
    town = moments.town("at rest")
    town.change(HTTP_ROUTE, NAME, lambda r: r.update(spec=shop.route(NAME, arms=True)["spec"]))
    found = let_go(town, capsys)
    assert set(town.services()) >= ARMS
    assert "take them out in Git first" in found.out


def test_services_that_another_route_lists_stay(moments, capsys):
    town = moments.town("at rest")
    town.api.add(HTTP_ROUTE, town.namespace, {**shop.route(NAME, arms=True), "metadata": {"name": "beta"}})
    found = let_go(town, capsys)
    assert found.code == 0
    assert set(town.services()) >= ARMS
    assert 'route "beta" still points at' in found.out


def test_a_service_of_that_name_that_is_not_ours_stays(moments, capsys):
    town = moments.town("at rest")
    canary = f"{NAME}-canary"
    town.change(SERVICE, canary, lambda s: s["metadata"].pop("annotations"))
    let_go(town, capsys)
    assert canary in town.services()


def test_weights_left_behind_without_a_release_go_home(moments, capsys):
    town = moments.town("promoted")
    stray = moments.town("observing").api.find(HTTP_ROUTE, town.namespace, NAME)["spec"]
    town.change(HTTP_ROUTE, NAME, lambda r: r.update(spec=stray))
    assert town.backends() != {NAME: 1}
    let_go(town, capsys)
    assert town.backends()[NAME] == sum(town.backends().values())


def test_a_conflict_is_tried_again(moments, capsys):
    town = moments.town("observing")
    left = {"RolloutRecord": 2, "HTTPRoute": 2}

    def conflict(call):
        if call.verb in {"merge", "patch"} and left.get(call.kind, 0) > 0:
            left[call.kind] -= 1
            raise NotYet("the object has been modified")

    town.api.before = conflict
    assert let_go(town, capsys).code == 0
    assert left == {"RolloutRecord": 0, "HTTPRoute": 0}
    assert town.slots() == []


def test_whoever_may_not_write_the_record_changes_nothing(moments, capsys):
    town = moments.town("observing")

    def forbidden(call):
        if call.verb == "merge" and call.kind == "RolloutRecord":
            raise Refused('user "ann" cannot patch resource "rolloutrecords/status"')

    town.api.before = forbidden
    found = let_go(town, capsys)
    assert found.code == Exit.FAILED
    assert "cannot patch" in found.err
    assert town.seen == []


@pytest.mark.parametrize("moment", ALL)
def test_a_dry_run_says_it_all_and_writes_nothing(moments, capsys, moment):
    town = moments.town(moment)
    found = town.run(capsys, "release", NAME, "--dry-run", "-o", "json")
    assert (found.code, town.seen) == (0, [])
    would, done = found.json["would"], let_go(town, capsys, "-o", "json").json["done"]
    assert _objects(would) == _objects(done)


def _objects(lines):
    """What is touched, each once."""
    kinds = {"HTTPRoute", "ReplicaSet", "Deployment", "CausalRollout", "Services"}
    return sorted(
        {" ".join(line.partition(":")[0].split()[:2]) for line in lines if line.split()[0] in kinds}
    )


def test_nothing_is_done_without_a_yes(moments, capsys, monkeypatch):
    town = moments.town("observing")
    found = town.run(capsys, "release", NAME)
    assert (found.code, town.seen) == (Exit.USAGE, [])
    assert "--yes" in found.err
    monkeypatch.setattr(sys, "stdin", _Terminal("n\n"))
    assert town.run(capsys, "release", NAME).code == Exit.FAILED
    assert town.seen == []
    monkeypatch.setattr(sys, "stdin", _Terminal("y\n"))
    assert town.run(capsys, "release", NAME).code == 0
    assert town.slots() == []


class _Terminal:
    def __init__(self, answer):
        self._answer = answer

    def isatty(self):
        return True

    def readline(self):
        return self._answer


def test_an_unknown_name_is_answered(moments, capsys):
    found = moments.town("observing").run(capsys, "release", "cart", "--yes")
    assert found.code == Exit.USAGE
    assert "neither a CausalRollout nor a record" in found.err


def test_a_deployment_that_is_gone_does_not_hold_the_rest(moments, capsys):
    town = moments.town("observing")
    town.api.remove(DEPLOYMENT, town.target(), "Background", OPERATOR)
    town.pass_time(1)
    assert let_go(town, capsys).code == 0
    assert town.backends() == {NAME: 1}
    assert FINALIZER not in town.rollout()["metadata"].get("finalizers", [])


def test_the_drain_begins_when_the_gateway_has_the_weights(moments, capsys):
    town = moments.town("observing", gateway=False)
    deleted = []

    def late(town):
        town.controllers.gateway = town.slept >= 20

    def note(call):
        if (call.verb, call.kind) == ("delete", "ReplicaSet"):
            deleted.append(town.slept)

    town.operator, town.api.before = late, note
    assert let_go(town, capsys).code == 0
    assert min(deleted) >= 25
