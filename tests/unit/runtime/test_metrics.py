"""What a scrape of the operator shows while releases go their way."""

import math
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import CollectorRegistry

from causal_rollouts.control import reconcile
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release
from causal_rollouts.model.trace import Point, Reading
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Broken, NotYet, Ports, Record, Refused
from causal_rollouts.runtime.metrics import MeteredStore, RolloutMetrics
from causal_rollouts.runtime.release_metrics import ReleaseMetrics
from tests.unit.control import scripted
from tests.unit.control.stories import Story
from tests.unit.decision.situations import registration

A_RESYNC = 61
WHOSE = {"namespace": "shop", "rollout": "checkout"}


class Scrape:
    """A registry, and the store of a story behind it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = RolloutMetrics(self.registry)
        self.releases = ReleaseMetrics(self.registry)

    def story(self) -> Story:
        return scripted.quick(self.cut)

    def cut(self, ports: Ports) -> Ports:
        return replace(ports, rollouts=MeteredStore(ports.rollouts, self.metrics, self.releases))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"causal_rollouts_{name}", WHOSE | labels)

    def phases(self) -> list[str]:
        (family,) = (f for f in self.registry.collect() if f.name == "causal_rollouts_rollout_phase")
        return [sample.labels["phase"] for sample in family.samples if sample.value == 1]

    def shown(self) -> set[str]:
        return {
            sample.name
            for family in self.registry.collect()
            for sample in family.samples
            if sample.labels.get("rollout") == "checkout"
        }


@pytest.fixture
def scrape() -> Scrape:
    return Scrape()


def test_a_reverted_release_is_shown_with_its_reason_and_one_phase_at_a_time(
    scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "look", scripted.looking(scripted.harm_in_a_stage))
    story = scrape.story()
    story.run(A_RESYNC)
    assert scrape.phases() == ["Idle"]
    story.request("v2")
    assert story.reach("Preparing")
    story.run(2)
    assert scrape.phases() == [story.phase]
    assert story.end() == "Reverted"
    assert scrape.value("rollout_condition", type="Stalled", reason="Reverted") == 1
    assert scrape.value("rollout_condition", type="Ready", reason="Reverted") == 0


def test_a_running_release_shows_what_it_went_by_and_its_end_is_counted(
    scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "look", scripted.looking(scripted.harm_in_a_stage))
    story = scrape.story()
    story.run(A_RESYNC)
    assert scrape.value("release_step") is None
    story.request("v2")
    assert story.reach("Observing", stage=0)
    assert scrape.value("release_step") == 1
    weight = story.weight / 1000
    assert scrape.value("release_weight", arm="canary") == weight
    assert scrape.value("release_weight", arm="stable") == pytest.approx(1.0 - 2 * weight)
    assert story.run(
        120, until=lambda: scrape.value("release_harm_nats") is not None or story.phase == "Done"
    )
    assert story.end() == "Reverted"
    assert scrape.value("releases_total", outcome="Reverted", reason="HarmProven") == 1
    assert not [name for name in scrape.shown() if name.startswith("causal_rollouts_release_")]


def test_effects_and_evidence_are_those_of_the_newest_look(scrape: Scrape) -> None:
    readings = (
        Reading("latency", math.log(1.25), math.log(1.1), math.inf, 6.5, -math.inf),
        Reading("errors", math.nan, math.nan, math.nan, -math.inf, 2.0),
    )
    release = Release("checkout-1", "b", "a", "", Phase.OBSERVING, 0.0, stage=1)
    told = Told(release, (Point(1.0, 1, 100, 6.5, "Harm", readings),))
    scrape.releases.show(told)  # type: ignore[arg-type]
    assert scrape.value("release_effect", metric="latency", bound="estimate") == pytest.approx(0.25)
    assert scrape.value("release_effect", metric="latency", bound="lower") == pytest.approx(0.1)
    assert scrape.value("release_effect", metric="latency", bound="upper") is None
    assert scrape.value("release_effect", metric="errors", bound="estimate") is None
    assert scrape.value("release_evidence_nats", metric="latency", of="harm") == 6.5
    assert scrape.value("release_evidence_nats", metric="errors", of="safety") == 2.0
    assert scrape.value("release_harm_nats") == 6.5
    assert scrape.value("release_harm_budget_nats") == pytest.approx(math.log(100))
    for _ in range(2):
        scrape.releases.show(replace(told, final=True))  # type: ignore[arg-type]
    assert scrape.value("releases_total", outcome="Aborted", reason="") == 1


@dataclass(frozen=True)
class Told:
    """As much of a record as is shown."""

    release: Release
    trace: tuple[Point, ...]
    final: bool = False
    key: Key = field(default_factory=lambda: Key("shop", "checkout"))
    name: str = "checkout-1"
    decisions: tuple[()] = ()
    registration: Registration = field(default_factory=registration)


def test_metrics_that_fail_stop_no_release(scrape: Scrape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "look", scripted.looking(scripted.harm_in_a_stage))
    monkeypatch.setattr(ReleaseMetrics, "show", lambda *_: 1 / 0)
    story = scrape.story()
    story.run(A_RESYNC)
    story.request("v2")
    assert story.end() == "Reverted"


def test_a_rollout_that_is_gone_leaves_no_series(scrape: Scrape) -> None:
    story = scrape.story()
    story.run(A_RESYNC)
    assert scrape.shown()
    story.delete()
    story.run(3)
    assert not scrape.shown()


def test_a_rollout_that_goes_in_the_middle_of_a_release_leaves_no_series(scrape: Scrape) -> None:
    release = Release("checkout-1", "b", "a", "", Phase.OBSERVING, 0.0, stage=1)
    scrape.releases.show(Told(release, ()))  # type: ignore[arg-type]
    assert scrape.value("release_margin", metric="latency", of="harm") is not None
    scrape.releases.forget(Key("shop", "checkout"))
    assert not scrape.shown()


class FullDisk:
    """A store whose records cannot be written; all else goes through."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def write_ahead(self, record: Record) -> Record:
        raise self.error


RECORD = type("Named", (), {"key": Key("shop", "checkout")})()


@pytest.mark.parametrize(
    ("error", "kind", "counted"),
    [(Refused("quota"), "Refused", 1), (Broken("etcd"), "Broken", 1), (NotYet("conflict"), "Broken", 0)],
)
async def test_a_record_that_cannot_be_written_is_counted_and_a_conflict_is_not(
    scrape: Scrape, error: Exception, kind: str, counted: int
) -> None:
    store = MeteredStore(FullDisk(error), scrape.metrics, scrape.releases)  # type: ignore[arg-type]
    with pytest.raises(type(error)):
        await store.write_ahead(RECORD)  # type: ignore[arg-type]
    assert (scrape.value("record_write_failures_total", kind=kind) or 0) == counted


@pytest.mark.parametrize(
    ("error", "kind", "counted"), [(ValueError("x"), "Unexpected", 1), (NotYet("conflict"), "Broken", 0)]
)
async def test_a_pass_that_fails_is_counted_and_fails_on(
    scrape: Scrape, error: Exception, kind: str, counted: int
) -> None:
    async def work(_: Key) -> float | None:
        raise error

    with pytest.raises(type(error)):
        await scrape.metrics.counting(work)(Key("shop", "checkout"))
    assert (scrape.value("pass_failures_total", kind=kind) or 0) == counted
