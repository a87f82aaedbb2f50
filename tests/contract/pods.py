"""A Deployment of two behind a Service without a route, and slots beside it, as the operator makes them."""

from causal_rollouts.adapters.kube import ARM_LABEL, DEPLOYMENT, POD, RECORD, SERVICE, SLOT_LABEL
from causal_rollouts.adapters.reading import condition
from causal_rollouts.adapters.router import KubeRouter
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.model import actions as act
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.ports import NotYet
from tests.contract.things import deployment, service, template

PLAN = TrafficPlan("web", (), target="web")


class Pods:
    """All named web, with the router that shares the traffic."""

    def __init__(self, lab):
        self.lab = lab
        self.router = KubeRouter(lab.operator)
        self.workloads = KubeWorkloads(lab.operator)

    async def open(self, *slots, gated=True, **spec):
        await self.lab.add(DEPLOYMENT, deployment())
        told = service("web", app="web")
        told["spec"] |= spec
        await self.lab.add(SERVICE, told)
        registered = {"rollout": "web", "rolloutUid": "u", "registration": {}, "templates": {}}
        record = await self.lab.add(RECORD, {"metadata": {"name": "web-1"}, "spec": registered})
        for slot in slots:
            await self.add(slot, record["metadata"]["uid"], gated=gated)
        await self.until(
            stable=2, **{str(arm): sum(s.arm is arm for s in slots) for arm in (Arm.CANARY, Arm.BASELINE)}
        )

    async def add(self, slot, uid, *, gated=True):
        made = act.CreateSlot(slot, template("web", "2"), "hash", "", "web", "web-1", uid, gated=gated)
        await self.workloads.perform(self.lab.namespace, made)

    async def traffic(self):
        return await self.router.traffic(self.lab.namespace, PLAN)

    async def until(self, **endpoints):
        """Pods that could serve, by arm, and the endpoints of stable."""

        async def there():
            traffic = await self.traffic()
            return traffic if endpoints.items() <= traffic.endpoints.items() else None

        return await self.lab.until(f"{endpoints}", there)

    async def move(self, weights):
        """As the loop does, until what each pod should have is in force."""

        async def once():
            traffic = await self.traffic()
            late = [r for r in traffic.routes if r.weights != r.wanted(weights)]
            for route in late:
                try:
                    await self.set(route, weights)
                except NotYet:
                    return None
            return traffic if not late and all(route.accepted for route in traffic.routes) else None

        return await self.lab.until(f"weights {weights}", once)

    async def set(self, route, weights):
        wanted = route.wanted(weights)
        await self.router.perform(
            self.lab.namespace, act.SetWeights("web", route.kind, route.name, wanted, route.version)
        )

    async def serving(self):
        """Arms of the ready pods, as users reach them."""
        pods = await self.lab.operator.list(POD, self.lab.namespace)
        return sorted(
            pod["metadata"]["labels"][ARM_LABEL]
            for pod in pods
            if condition(pod, "Ready").get("status") == "True"
            and not pod["metadata"].get("deletionTimestamp")
        )

    async def pod(self, slot):
        [found] = await self.lab.operator.list(POD, self.lab.namespace, f"{SLOT_LABEL}={slot.id}")
        return found
