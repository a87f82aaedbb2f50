"""RolloutStore: rollouts, and records as the write-ahead log."""

import asyncio
from dataclasses import replace

import pytest

from causal_rollouts.adapters.kube import FINALIZER, NAMESPACE, RECORD, ROLLOUT
from causal_rollouts.adapters.record_form import digest
from causal_rollouts.adapters.records import KubeRolloutStore
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm, Pod, Slot
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.metrics import Gating, Margins, Matcher, Metric, MetricKind
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict
from causal_rollouts.model.registration import Registration, Stage
from causal_rollouts.model.release import Desired, PlannedSlot, Release, Templates
from causal_rollouts.model.template import template_hash
from causal_rollouts.model.trace import Point, Reading
from causal_rollouts.model.traffic import HOME, Change, TrafficPlan, Weights
from causal_rollouts.model.world import Key
from causal_rollouts.ports import LoggedDecision, NotYet, Record, Refused
from tests.contract.things import template


@pytest.fixture
def store(lab):
    return KubeRolloutStore(lab.operator)


def spec(target="web"):
    metric = {"name": "errors", "errors": {"counter": "requests_total", "bad": [{"code": "5.."}]}}
    return {
        "targetRef": {"name": target},
        "traffic": {"service": "web", "httpRoutes": [{"name": "web"}]},
        "metrics": [metric],
    }


async def rollout(lab, store, name="web", **annotations):
    notes = {f"causalrollouts.dev/{verb}": value for verb, value in annotations.items()}
    await lab.add(ROLLOUT, {"metadata": {"name": name, "annotations": notes}, "spec": spec()})
    return await store.rollout(Key(lab.namespace, name))


def record(lab, name="web-1", **fields):
    metric = Metric(
        "errors",
        MetricKind.ERRORS,
        "requests_total",
        Margins(0.05, 0.1),
        Gating.BOTH,
        bad=(Matcher((("code", "5.."),)),),
    )
    weights = Weights(50, 100)
    pod = Pod("web-canary-0-x", "u1", Arm.CANARY, "canary-0", "node1", "a", 1.5e9, None)
    made = Record(
        name=name,
        uid="",
        version="",
        key=Key(lab.namespace, "web"),
        rollout_uid="r1",
        registration=Registration(
            name,
            lab.namespace,
            "web",
            7,
            Grid(30.0, 32.5, 15.0),
            (Stage(50, 60.0, 600.0),),
            (metric,),
            traffic=TrafficPlan("web", (("HTTPRoute", "web"),), "web"),
        ),
        templates=Templates(template("web", "2"), template("web", "1")),
        release=Release(
            id=name,
            candidate_hash="c",
            stable_hash="s",
            stable_set="web-abc",
            phase=Phase.OBSERVING,
            since=1_800_000_000.125,
            stage=0,
            stage_since=1_800_000_001.0,
            desired=Desired(weights, (PlannedSlot(Slot(Arm.CANARY, 0), "node1"),), services=True),
            timeline=(Change(1_800_000_000.25, None, HOME), Change(1_800_000_001.0, 0, weights, "Shifting")),
            pods=(pod,),
            resume=Phase.OBSERVING,
            replicas=6,
        ),
        state=bytes(range(256)),
        seq=1,
        effective={"stages": {"value": [{"weight": 5}], "from": "policy"}},
    )
    return replace(made, **fields)


def line(number):
    said = Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.GATHERING_EVIDENCE, "nothing yet")
    return LoggedDecision(float(number), number, said, 0, 50, {"logHarm": "-inf", "n": None, "x": 0.1})


async def test_a_rollout_is_read_with_its_requests(lab, store):
    seen = await rollout(lab, store, pause="admin:web-1")
    assert (seen.key, seen.deleting, seen.held) == (Key(lab.namespace, "web"), False, False)
    assert (seen.requests.pause, seen.requests.abort) == ("admin:web-1", "")
    assert seen.spec == spec()
    assert seen.generation == 1
    assert await store.rollout(Key(lab.namespace, "other")) is None
    assert await store.policy("no-such-policy") is None


async def test_two_rollouts_on_one_target_are_seen_oldest_first(lab, store):
    await rollout(lab, store, "b")
    await asyncio.sleep(0)
    await lab.add(ROLLOUT, {"metadata": {"name": "c"}, "spec": spec("other")})
    found = await store.rollouts_on(lab.namespace, "web")
    assert found == (Key(lab.namespace, "b"),)
    await rollout(lab, store, "z")
    assert set(await store.rollouts_on(lab.namespace, "web")) == {
        Key(lab.namespace, "b"),
        Key(lab.namespace, "z"),
    }


async def test_a_record_is_read_back_exactly_as_written(lab, store):
    point = Point(1.5, 0, 50, -0.25, "Inconclusive", (Reading("errors", float("nan"), -1.0, 1.0, 0.5, 2.0),))
    opened = await store.open(record(lab, decisions=(line(1),), trace=(point,)))
    assert opened.uid
    assert opened.version
    [seen] = await store.records(opened.key)
    assert repr(seen.trace) == repr(opened.trace)  # nan is not equal to itself
    expected = replace(opened, trace=seen.trace, decisions=seen.decisions)
    assert seen == expected
    assert seen.decisions[0].evidence == {"logHarm": "-inf", "x": 0.1}


async def test_each_write_replaces_what_was_there(lab, store):
    opened = await store.open(record(lab))
    release = replace(opened.release, resume=None, stage_since=None, timeline=opened.release.timeline[:1])
    written = await store.write_ahead(replace(opened, release=release, state=None, seq=2))
    [seen] = await store.records(opened.key)
    assert seen == written
    assert (seen.release.resume, seen.release.stage_since, seen.state) == (None, None, None)


async def test_an_old_view_writes_nothing(lab, store):
    opened = await store.open(record(lab))
    newer = await store.write_ahead(replace(opened, seq=2))
    with pytest.raises(NotYet):
        await store.write_ahead(replace(opened, seq=2, state=b"other"))
    assert await store.records(opened.key) == (newer,)


async def test_a_record_is_opened_once(lab, store):
    opened = await store.open(record(lab))
    with pytest.raises(NotYet):
        await store.open(record(lab, seq=9))
    assert await store.records(opened.key) == (opened,)


class Stops:
    """The API server of a writer that dies between two writes."""

    def __init__(self, kube):
        self.kube = kube

    def __getattr__(self, name):
        return getattr(self.kube, name)

    async def merge(self, *args, **kwargs):
        raise asyncio.CancelledError


async def test_a_writer_that_stopped_before_its_first_status_began_nothing(lab, store):
    with pytest.raises(asyncio.CancelledError):
        await KubeRolloutStore(Stops(lab.operator)).open(record(lab))
    assert await store.records(Key(lab.namespace, "web")) == ()
    opened = await store.open(record(lab))
    assert await store.records(opened.key) == (opened,)


async def test_a_half_made_record_of_another_template_is_kept_as_withdrawn(lab, store):
    with pytest.raises(asyncio.CancelledError):
        await KubeRolloutStore(Stops(lab.operator)).open(record(lab))
    other = record(lab, templates=Templates(template("web", "3"), template("web", "1")))
    with pytest.raises(NotYet):
        await store.open(other)
    [left] = await store.records(other.key)
    assert (left.name, left.final, left.release.outcome) == ("web-1", True, Outcome.WITHDRAWN)
    assert left.release.candidate_hash == template_hash(template("web", "2"))
    following = await store.open(replace(other, name="web-2", previous="web-1"))
    assert [r.name for r in await store.records(other.key)] == ["web-1", following.name]


class Counts:
    """The API server, and how often it was asked for one object."""

    def __init__(self, kube):
        self.kube, self.read = kube, []

    def __getattr__(self, name):
        return getattr(self.kube, name)

    async def get(self, kind, namespace, name):
        self.read.append(name)
        return await self.kube.get(kind, namespace, name)


async def ended(lab, store, number, outcome):
    opened = await store.open(record(lab, f"web-{number}", decisions=(line(1),)))
    over = replace(opened.release, phase=Phase.DONE, outcome=outcome)
    await store.write_ahead(replace(opened, release=over, state=None, final=True, seq=2))


async def test_a_pass_reads_the_newest_records_and_each_version_once(lab, store):
    ends = [Outcome.PROMOTED, Outcome.PROMOTED, *[Outcome.REVERTED] * 4]
    for number, outcome in enumerate(ends, start=1):
        await ended(lab, store, number, outcome)
    running = await store.open(record(lab, "web-7"))
    counts = Counts(lab.operator)
    passing = KubeRolloutStore(counts)
    seen = await passing.ledger(running.key)
    assert seen.names == tuple(f"web-{number}" for number in range(1, 8))
    assert [r.name for r in seen.newest] == ["web-2", "web-3", "web-4", "web-5", "web-6", "web-7"]
    assert seen.newest[-1] == running
    first = seen.newest[0]
    release = running.release
    assert (first.release.outcome, first.release.candidate_hash) == (Outcome.PROMOTED, release.candidate_hash)
    assert (first.templates.candidate, first.trace, first.release.timeline) == ({}, (), ())
    counts.read.clear()
    newer = await store.write_ahead(replace(running, seq=9))
    again = await passing.ledger(running.key)
    assert again.newest == (*seen.newest[:-1], newer)
    assert await passing.ledger(running.key) == again
    assert counts.read == ["web-7"]


async def test_a_record_that_was_deleted_is_told_of_no_more(lab, store):
    await ended(lab, store, 1, Outcome.PROMOTED)
    await ended(lab, store, 2, Outcome.REVERTED)
    assert len((await store.ledger(Key(lab.namespace, "web"))).newest) == 2
    await lab.operator.delete(RECORD, lab.namespace, "web-2")
    seen = await store.ledger(Key(lab.namespace, "web"))
    assert (seen.names, [r.name for r in seen.newest]) == (("web-1",), ["web-1"])


async def test_records_come_oldest_first_and_only_of_this_rollout(lab, store):
    for number in (9, 10, 11):
        await store.open(record(lab, f"web-{number}"))
    await store.open(record(lab, "other-1", key=Key(lab.namespace, "other")))
    found = await store.records(Key(lab.namespace, "web"))
    assert [r.name for r in found] == ["web-9", "web-10", "web-11"]


async def test_an_ended_record_is_sealed_and_the_next_one_names_its_digest(lab, store):
    opened = await store.open(record(lab))
    done = replace(opened.release, phase=Phase.DONE, outcome=Outcome.PROMOTED, why="promoted")
    ended = await store.write_ahead(replace(opened, release=done, state=None, final=True, seq=2))
    raw = await lab.find(RECORD, "web-1")
    sealed = raw["status"]["digest"]
    assert digest(raw["spec"], raw["status"]) == sealed
    with pytest.raises(Refused):
        await store.write_ahead(replace(ended, seq=3))
    following = await store.open(record(lab, "web-2", previous="web-1"))
    assert following.previous == f"web-1@sha256:{sealed}"


async def test_only_the_last_decisions_are_kept(lab, store):
    opened = await store.open(record(lab, decisions=tuple(line(n) for n in range(100))))
    [seen] = await store.records(opened.key)
    assert [d.seq for d in seen.decisions] == list(range(40, 100))


async def test_a_status_is_written_only_when_it_differs(lab, store):
    seen = await rollout(lab, store)
    status = {"phase": "Idle", "message": "waiting", "observedGeneration": 1}
    await store.publish(seen, status)
    seen = await store.rollout(seen.key)
    assert seen.status == status
    await store.publish(seen, dict(status))
    assert (await store.rollout(seen.key)).version == seen.version
    await store.publish(seen, {"phase": "Idle"})
    assert (await store.rollout(seen.key)).status == {"phase": "Idle"}
    with pytest.raises(NotYet):
        await store.publish(seen, {"phase": "Other"})


async def test_the_finalizer_comes_and_goes_beside_others(lab, store):
    seen = await rollout(lab, store)
    await lab.person.merge(ROLLOUT, lab.namespace, "web", {"metadata": {"finalizers": ["example.com/other"]}})
    for _ in range(2):
        await store.perform(seen, act.AddFinalizer())
    assert (await store.rollout(seen.key)).held
    await lab.person.delete(ROLLOUT, lab.namespace, "web")
    assert (await store.rollout(seen.key)).deleting
    for _ in range(2):
        await store.perform(seen, act.RemoveFinalizer())
    raw = await lab.find(ROLLOUT, "web")
    assert raw["metadata"]["finalizers"] == ["example.com/other"]
    await lab.person.merge(ROLLOUT, lab.namespace, "web", {"metadata": {"finalizers": None}})
    assert await store.rollout(seen.key) is None
    await store.perform(seen, act.RemoveFinalizer())


async def test_a_request_is_cleared_only_while_it_is_the_one_that_was_carried_out(lab, store):
    seen = await rollout(lab, store, abort="admin:web-1")
    note = "causalrollouts.dev/abort"
    await store.perform(seen, act.ClearRequest(note, "bob:web-1"))
    assert (await store.rollout(seen.key)).requests.abort == "admin:web-1"
    for _ in range(2):
        await store.perform(seen, act.ClearRequest(note, "admin:web-1"))
    assert (await store.rollout(seen.key)).requests.abort == ""
    assert FINALIZER not in (await lab.find(ROLLOUT, "web"))["metadata"].get("finalizers", [])


async def test_the_policy_of_a_namespace_is_read_from_its_label(lab, store):
    assert await store.bound_policy(lab.namespace) == ""
    labels = {"metadata": {"labels": {"causalrollouts.dev/policy": "standard"}}}
    try:
        await lab.person.merge(NAMESPACE, "", lab.namespace, labels)
    except NotYet:
        await lab.person.create(NAMESPACE, "", {"metadata": {"name": lab.namespace, **labels["metadata"]}})
    assert await store.bound_policy(lab.namespace) == "standard"
    assert await store.bound_policy("no-such-namespace") == ""


async def test_other_rollouts_are_told_that_run_or_wait(lab, store):
    mine = await rollout(lab, store, "web")
    runs = await rollout(lab, store, "runs")
    waits = await rollout(lab, store, "waits")
    await rollout(lab, store, "rests")
    await store.perform(runs, act.AddFinalizer())
    said = {"status": "True", "reason": "WaitingForOthers", "message": "1 of 1", "observedGeneration": 1}
    queued = {"type": "Queued", "lastTransitionTime": "2026-03-01T12:00:00Z", **said}
    await store.publish(waits, {"observedGeneration": 1, "conditions": [queued]})
    found = {o.key.name: o for o in await store.others(mine.key) if o.key.namespace == lab.namespace}
    assert found.keys() == {"runs", "waits"}
    assert (found["runs"].waiting, found["runs"].routes) == (None, ("HTTPRoute/web",))
    assert found["waits"].waiting == 1_772_366_400.0
    await store.perform(await store.rollout(runs.key), act.RemoveFinalizer())


async def test_an_old_record_is_deleted_exactly_once(lab, store):
    made = await rollout(lab, store)
    opened = await store.open(record(lab))
    await store.perform(made, act.DeleteRecord("web-1", opened.uid))
    await store.perform(made, act.DeleteRecord("web-1", opened.uid))
    assert await store.records(opened.key) == ()
