"""What the pass saw besides telemetry: whose fault a pod's trouble is, and who asked for what."""

from dataclasses import replace

import pytest

from causal_rollouts.control.facts import asked_by, gather
from causal_rollouts.decision.situation import Template
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Times
from causal_rollouts.model.world import Crash, Waiting
from causal_rollouts.ports import Requests
from tests.unit.control import sights
from tests.unit.control.sights import NOW, SLOTS, fleet, pod, record, registration, release, rollout, seen

CANARY, BASELINE = SLOTS
TIMES = Times(ready_timeout=60.0)


def facts(state=None, **changes):
    state = state or release()
    return gather(seen(**changes), record(state, registration=registration(times=TIMES)), NOW)


def waiting(slot: Slot, reason: str, restarts: int = 0) -> Waiting:
    return Waiting(slot.id, f"checkout-{slot.id}-x", reason, "exit code 1, Error", restarts)


@pytest.mark.parametrize(
    ("value", "who"),
    [
        ("true", "a user"),
        ("ann:checkout-1", "ann"),
        ("checkout-1", "a user"),
        ("ann:checkout-2", ""),
        ("ann", ""),
        ("", ""),
        ("system:serviceaccount:ci:bot:checkout-1", "system:serviceaccount:ci:bot"),
    ],
)
def test_a_request_counts_for_the_release_that_it_names(value: str, who: str) -> None:
    assert asked_by(value, record()) == who
    assert gather(seen(rollout=rollout(requests=Requests(abort=value))), record(), NOW).abort == who


@pytest.mark.parametrize(
    ("found", "template"),
    [("new", Template.CANDIDATE), ("old", Template.STABLE), ("third", Template.OTHER)],
)
def test_the_template_is_known_by_its_hash(found: str, template: Template) -> None:
    assert facts(fleet=fleet(target=sights.target(template_hash=found))).template is template


@pytest.mark.parametrize(
    ("state", "bypassed"),
    [
        ({}, True),
        ({"phase": Phase.PROMOTING}, False),
        ({"phase": Phase.BAKING}, False),
        ({"phase": Phase.PAUSED, "resume": Phase.PROMOTING}, False),
        ({"phase": Phase.PAUSED, "resume": Phase.OBSERVING}, True),
    ],
)
def test_a_target_that_runs_though_the_release_does_not_roll_was_resumed_by_hand(
    state, bypassed: bool
) -> None:
    running = fleet(target=sights.target(paused=False))
    assert facts(release(**state), fleet=running).bypassed is bypassed


def two_canaries(*waits: Waiting):
    slots = (*(sights.slot_state(s) for s in SLOTS), sights.slot_state(Slot(Arm.CANARY, 1)))
    return fleet(slots=slots, waiting=waits)


def test_a_crash_loop_of_every_canary_is_certain() -> None:
    second = Slot(Arm.CANARY, 1)
    both = two_canaries(waiting(CANARY, "CrashLoopBackOff"), waiting(second, "Error", restarts=2))
    assert "every canary pod crashes" in facts(fleet=both).crash_loop


@pytest.mark.parametrize(
    "waits",
    [
        (waiting(CANARY, "CrashLoopBackOff"),),
        (waiting(CANARY, "CrashLoopBackOff"), waiting(Slot(Arm.CANARY, 1), "Error", restarts=1)),
        (
            waiting(CANARY, "CrashLoopBackOff"),
            waiting(Slot(Arm.CANARY, 1), "CrashLoopBackOff"),
            waiting(BASELINE, "CrashLoopBackOff"),
        ),
    ],
    ids=["one of two", "one crash is no loop", "baseline crashes too"],
)
def test_anything_less_is_not(waits) -> None:
    assert facts(fleet=two_canaries(*waits)).crash_loop == ""


def test_crashes_of_fresh_pods_of_the_stable_template_block_and_blame_nobody() -> None:
    both = (waiting(CANARY, "CrashLoopBackOff"), waiting(BASELINE, "CrashLoopBackOff"))
    found = facts(fleet=fleet(waiting=both))
    assert (found.crash_loop, found.never_ready) == ("", "")
    assert "fresh pods of the stable template crash too" in found.blocked


PROMOTING = release(phase=Phase.PROMOTING, stage=1)
ONE, TWO = Crash("p1", 3, "exit code 1"), Crash("p2", 2, "exit code 1")


def fleet_with(*crashing: Crash, replicas: int = 5, old: tuple[Crash, ...] = (), waiting=()):
    new = sights.replica_set("new", replicas, crashing=crashing)
    return fleet(replica_sets=(sights.replica_set("old", 2, crashing=old), new), waiting=waiting)


def test_new_pods_of_the_fleet_that_crash_are_told_while_it_rolls() -> None:
    assert "p1 3 times" in facts(PROMOTING, fleet=fleet_with(ONE, TWO)).crash_loop
    assert "p1 3 times" in facts(PROMOTING, fleet=fleet_with(ONE, replicas=1)).crash_loop


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (PROMOTING, fleet_with(ONE)),
        (PROMOTING, fleet_with()),
        (PROMOTING, fleet_with(ONE, TWO, old=(ONE,))),
        (PROMOTING, fleet_with(ONE, TWO, waiting=(waiting(BASELINE, "CrashLoopBackOff"),))),
        (release(phase=Phase.OBSERVING), fleet_with(ONE, TWO)),
    ],
    ids=["one of five", "none", "old ones too", "baseline too", "no roll"],
)
def test_one_pod_or_a_shared_cause_is_no_tripwire(state, found) -> None:
    assert facts(state, fleet=found).crash_loop == ""


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "Unschedulable", "CreateContainerConfigError"])
def test_what_the_cluster_does_to_a_pod_is_not_the_candidates_fault(reason: str) -> None:
    found = facts(fleet=fleet(waiting=(waiting(CANARY, reason),)))
    assert reason in found.blocked
    assert found.crash_loop == ""


def test_a_quota_is_told_in_its_own_words() -> None:
    refused = (sights.slot_state(CANARY, failure="exceeded quota: pods"), sights.slot_state(BASELINE))
    assert "exceeded quota: pods" in facts(fleet=fleet(slots=refused)).blocked


def late(canary: float, *, baseline: bool = True, state=None):
    """A canary pod of this age that is not ready."""
    slots = (sights.slot_state(CANARY, ready=False), sights.slot_state(BASELINE, ready=baseline))
    pods = (pod(CANARY, NOW - canary), pod(BASELINE, NOW - 200, ready=NOW - 190))
    shifting = state or release(phase=Phase.SHIFTING, since=NOW - 300)
    return facts(shifting, fleet=fleet(slots=slots, pods=pods))


def test_a_canary_that_had_its_time_and_is_not_ready_is_told() -> None:
    assert "canary-0" in late(canary=60).never_ready


@pytest.mark.parametrize(
    "found",
    [
        late(canary=59),
        late(canary=100, baseline=False),
        late(canary=100, state=release(phase=Phase.SHIFTING, since=NOW - 59)),
        late(canary=100, state=release(phase=Phase.SHIFTING, since=NOW - 300, blocked_since=NOW - 200)),
        late(canary=100, state=release(phase=Phase.OBSERVING, since=NOW - 300)),
    ],
    ids=["young pod", "baseline is not ready either", "young stage", "was blocked until now", "not shifting"],
)
def test_and_nothing_else_is(found) -> None:
    assert found.never_ready == ""


def test_a_slot_without_a_pod_is_nobodys_fault() -> None:
    shifting = release(phase=Phase.SHIFTING, since=NOW - 300)
    slots = (sights.slot_state(CANARY, ready=False), sights.slot_state(BASELINE))
    assert facts(shifting, fleet=fleet(slots=slots, pods=())).never_ready == ""


def test_baseline_pods_that_do_not_start_block() -> None:
    shifting = release(phase=Phase.SHIFTING, since=NOW - 300)
    slots = (sights.slot_state(CANARY), sights.slot_state(BASELINE, ready=False))
    assert "StableNotStartable" in facts(shifting, fleet=fleet(slots=slots)).blocked


@pytest.mark.parametrize(
    ("phase", "told"),
    [(Phase.PREPARING, True), (Phase.OBSERVING, True), (Phase.PROMOTING, False), (Phase.BAKING, False)],
)
def test_what_must_be_mended_stops_the_stages_and_no_roll(phase: Phase, told: bool) -> None:
    found = facts(release(phase=phase), problems=("spec.x: wrong; right",))
    assert bool(found.problems) is told


def test_a_missing_target_is_said_and_asks_nothing_of_its_pods() -> None:
    found = facts(fleet=None)
    assert found.target_gone
    assert (found.crash_loop, found.blocked, found.never_ready, found.bypassed) == ("", "", "", False)


def test_whoever_fights_for_the_weights_is_told_after_the_third_time() -> None:
    assert facts(replace(release(), contested=2)).contested == ""
    assert "3 times" in facts(replace(release(), contested=3)).contested
