"""Recorder: events on transitions."""

from causal_rollouts.adapters.events import KubeRecorder
from causal_rollouts.adapters.kube import EVENT, ROLLOUT
from causal_rollouts.adapters.records import KubeRolloutStore
from causal_rollouts.model.reasons import Act
from causal_rollouts.model.world import Key
from tests.contract.test_records import spec


class Clock:
    def now(self):
        return 1_800_000_000.25


async def seen(lab):
    await lab.add(ROLLOUT, {"metadata": {"name": "web"}, "spec": spec()})
    return await KubeRolloutStore(lab.operator).rollout(Key(lab.namespace, "web"))


async def test_a_revert_is_a_warning_about_the_rollout(lab):
    rollout = await seen(lab)
    recorder = KubeRecorder(lab.operator, Clock())
    await recorder.tell(rollout, Act.REVERT, "HarmProven", "web-1: latency rose by 30%")
    [event] = await lab.person.list(EVENT, lab.namespace)
    assert (event["type"], event["reason"], event["action"]) == ("Warning", "HarmProven", "Revert")
    assert event["regarding"]["uid"] == rollout.uid
    assert event["note"] == "web-1: latency rose by 30%"


async def test_a_footprint_that_grew_is_a_warning_though_nothing_is_done(lab):
    rollout = await seen(lab)
    await KubeRecorder(lab.operator, Clock()).tell(rollout, Act.HOLD, "OverHeadroom", "web-1: cpu +50%")
    [event] = await lab.person.list(EVENT, lab.namespace)
    assert (event["type"], event["action"]) == ("Warning", "Hold")


async def test_telling_never_fails_however_long_or_often(lab):
    rollout = await seen(lab)
    recorder = KubeRecorder(lab.operator, Clock())
    for _ in range(2):
        await recorder.tell(rollout, Act.HOLD, "GatheringEvidence", "ä" * 5000)
    [event] = await lab.person.list(EVENT, lab.namespace)
    assert 1000 < len(event["note"].encode()) <= 1024
