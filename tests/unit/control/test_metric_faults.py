"""A release while its Prometheus fails in every known way: nothing rises, nobody is blamed, it heals."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from causal_rollouts.adapters import prometheus
from causal_rollouts.adapters.kube import POD
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.ports import Ports
from e2e.embedded.world import one_loop
from tests.contract.faulty_proxy import FaultyProxy, between, simulated
from tests.contract.metric_faults import HARMLESS_SAMPLES, NO_ANSWER, WRONG_SAMPLES, Case
from tests.unit.control.stories import Story, during

BLAMELESS = {"NoData", "Inconclusive", "Safe", "ProviderError"}
BLIND = {**NO_ANSWER, **WRONG_SAMPLES}
PATIENT, IMPATIENT = 60.0, 0.1
"""Deadlines: a healthy answer may take its time on a busy machine."""


class Behind:
    """A story whose operator asks a Prometheus over HTTP, through a proxy."""

    def __init__(self, phase: str, stage: int, **more: Any) -> None:
        """more: settings of the source."""
        self.more = more
        self.stack = AsyncExitStack()
        self.proxy: FaultyProxy
        self.source: prometheus.Prometheus
        self.story = during(phase, stage, cut=self.cut)

    def cut(self, ports: Ports) -> Ports:
        self.source = one_loop().run_until_complete(self._connect(ports))
        return replace(ports, metrics=self.source)

    async def _connect(self, ports: Ports) -> prometheus.Prometheus:
        self.proxy = await self.stack.enter_async_context(between(simulated(ports.metrics._source)))
        settings = SourceSettings(self.proxy.url, deadline=PATIENT, body=4 << 20, **self.more)
        return await self.stack.enter_async_context(prometheus.connect(settings))

    def close(self) -> None:
        one_loop().run_until_complete(self.stack.aclose())

    def fails(self, case: Case | None) -> None:
        self.proxy.fault = case.fault if case else None
        deadline = IMPATIENT if case and case.slow else PATIENT
        self.source._settings = replace(self.source._settings, deadline=deadline)


@pytest.fixture
def observing() -> Iterator[Behind]:
    behind = Behind("Observing", 0)
    yield behind
    behind.close()


def verdicts(story: Story) -> set[str]:
    return {d["decision"]["verdict"] for d in story.world.decisions()}


@pytest.mark.parametrize("name", BLIND)
def test_weights_stand_nobody_is_blamed_and_the_release_goes_on_after(observing: Behind, name: str) -> None:
    story, case = observing.story, BLIND[name]
    observing.fails(case)
    story.run(25, until=lambda: story.condition("EvidenceValid").get("status") == "False")
    held = story.weight
    story.run(45)
    told = story.condition("EvidenceValid")
    assert told["status"] == "False", "it says that its evidence is valid"
    assert case.words in told["message"]
    assert (story.phase, story.stage, story.weight) == ("Observing", 0, held)
    assert verdicts(story) <= BLAMELESS
    observing.fails(None)
    assert story.goes_on(), "it does not heal"
    assert story.condition("EvidenceValid")["status"] == "True"


@pytest.mark.parametrize("name", HARMLESS_SAMPLES)
def test_what_the_evidence_can_bear_blames_nobody(observing: Behind, name: str) -> None:
    """From here to the end of the release."""
    observing.fails(HARMLESS_SAMPLES[name])
    assert observing.story.end() == "Promoted"
    assert verdicts(observing.story) <= BLAMELESS


def test_pods_of_the_fleet_that_come_and_go_blame_nobody(observing: Behind) -> None:
    story = observing.story
    story.promises.disturbed = True
    for _ in range(6):
        story.delete(POD, next(name for name in names(story) if "canary" not in name and "base" not in name))
        story.run(10)
    assert story.end() == "Promoted"
    assert verdicts(story) <= BLAMELESS


def names(story: Story) -> list[str]:
    """Of pods that are not about to go."""
    pods = story.world.api.stored(POD, "shop")
    return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
