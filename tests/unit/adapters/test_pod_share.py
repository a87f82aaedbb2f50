"""Weights on pods are in force when the Service follows them, and not when they are written."""

from causal_rollouts.adapters.kube import POD
from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.traffic import HOME, Weights
from e2e.embedded.controllers import publish_endpoints
from tests.contract.labs import in_process
from tests.contract.pods import Pods

CANARY = Slot(Arm.CANARY, 0)
SOME = Weights.of_pods(1, 0, 2)


async def test_a_pod_is_in_or_out_only_when_the_endpoints_say_so() -> None:
    """Nobody is home while a kubelet, or who publishes endpoints, has not heard of it."""
    async with in_process() as lab:
        pods = Pods(lab)
        await pods.open(CANARY)
        for weights in (SOME, HOME):
            [seen] = (await pods.traffic()).routes
            await pods.set(seen, weights)
            [told] = (await pods.traffic()).routes
            assert (told.weights, told.accepted) == (weights, False)
            await lab.wait()
            [told] = (await pods.traffic()).routes
            assert (told.weights, told.accepted) == (weights, True)


async def test_a_pod_that_cannot_serve_keeps_no_weights_from_being_in_force() -> None:
    async with in_process() as lab:
        pods = Pods(lab)
        await pods.open(CANARY)
        await pods.move(SOME)
        pod = await pods.pod(CANARY)
        unable = [
            {**c, "status": "False"} if c["type"] in ("ContainersReady", "Ready") else c
            for c in pod["status"]["conditions"]
        ]
        patch = {"status": {"conditions": unable}}
        await lab.person.merge(POD, lab.namespace, pod["metadata"]["name"], patch, status=True)
        publish_endpoints(lab.operator.server)
        [told] = (await pods.traffic()).routes
        assert (told.weights, told.accepted) == (SOME, True)
