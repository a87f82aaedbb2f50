"""TrafficRouter where workers take their jobs from a queue: slots that stand are the weight in force."""

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, POD, RECORD
from causal_rollouts.adapters.router import KubeRouter
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.traffic import TrafficPlan
from tests.contract.things import deployment, template

CANARY, BASELINE, SECOND = Slot(Arm.CANARY, 0), Slot(Arm.BASELINE, 0), Slot(Arm.CANARY, 1)


class Workers:
    """A Deployment without a Service, and slots beside it."""

    def __init__(self, lab, name="web"):
        self.lab, self.name = lab, name
        self.workloads = KubeWorkloads(lab.operator)

    async def open(self, *slots, before=False):
        await self.lab.add(DEPLOYMENT, deployment(self.name))
        registered = {"rollout": self.name, "rolloutUid": "u", "registration": {}, "templates": {}}
        record = await self.lab.add(RECORD, {"metadata": {"name": f"{self.name}-1"}, "spec": registered})
        for slot in slots:
            made = act.CreateSlot(
                slot,
                template(self.name, "2"),
                "hash",
                "",
                self.name,
                f"{self.name}-1",
                record["metadata"]["uid"],
                before=before,
            )
            await self.workloads.perform(self.lab.namespace, made)

    async def traffic(self):
        plan = TrafficPlan("", (), target=self.name)
        return await KubeRouter(self.lab.operator).traffic(self.lab.namespace, plan)

    async def until(self, working, ready):
        async def there():
            traffic = await self.traffic()
            counted = (traffic.endpoints["canary"], traffic.endpoints["baseline"])
            return traffic if (traffic.working, counted) == (working, ready) else None

        return await self.lab.until(f"{working} workers, {ready} of them ready", there)


@pytest.fixture
def workers(lab):
    return Workers(lab)


@pytest.mark.parametrize("before", [False, True], ids=["slots", "slots of a pre-period"])
async def test_slots_work_as_soon_as_they_run(workers, before):
    await workers.open(CANARY, BASELINE, SECOND, before=before)
    traffic = await workers.until((2, 1), (2, 1))
    assert traffic.routes == ()
    assert traffic.problems == ()
    pods = await workers.lab.operator.list(POD, workers.lab.namespace, "causalrollouts.dev/slot")
    assert not any(pod["spec"].get("readinessGates") for pod in pods)


async def test_a_slot_that_is_deleted_works_no_more(workers):
    await workers.open(CANARY, BASELINE)
    await workers.until((1, 1), (1, 1))
    fleet = await workers.workloads.fleet(workers.lab.namespace, "web")
    for state in fleet.slots:
        await workers.workloads.perform(
            workers.lab.namespace, act.DeleteSlot(state.slot, state.name, state.uid)
        )
    await workers.until((0, 0), (0, 0))


async def test_workers_of_another_target_are_not_counted(workers):
    other = Workers(workers.lab, "web-canary")
    await other.open(CANARY, SECOND)
    await other.until((2, 0), (2, 0))
    await workers.open(CANARY, BASELINE)
    await workers.until((1, 1), (1, 1))


async def test_nobody_works_beside_a_fleet_without_slots(workers):
    await workers.open()
    assert (await workers.traffic()).working == (0, 0)
