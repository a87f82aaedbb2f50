"""What a scrape shows of the design of a release that runs, and when it is read anew."""

import math
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import CollectorRegistry

from causal_rollouts.control.ledger import summary
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.evidence import Evidence, ShareTest
from causal_rollouts.model.metrics import Gating
from causal_rollouts.model.reasons import Act, Reason, Verdict
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.world import Json, Key
from causal_rollouts.ports import LoggedDecision
from causal_rollouts.runtime import design_metrics
from causal_rollouts.runtime.design_metrics import DesignMetrics
from tests.unit.decision.situations import evidence, footprint, metric, registration

KEY = Key("shop", "checkout")
UNKNOWN = ShareTest(ok=None, requests=3, observed=math.nan, intended=0.05)


def logged(seq: int, found: Evidence | None) -> LoggedDecision:
    decision = Decision(Verdict.SAFE, Act.HOLD, Reason.GATHERING_EVIDENCE, "")
    return LoggedDecision(1000.0 + seq, seq, decision, 0, 50, summary(found))


@dataclass(frozen=True)
class Told:
    """As much of a record as is shown."""

    decisions: tuple[LoggedDecision, ...] = ()
    name: str = "checkout-1"
    key: Key = KEY
    registration: Registration = field(default_factory=registration)

    def then(self, seq: int, found: Evidence | None) -> "Told":
        return replace(self, decisions=(*self.decisions, logged(seq, found)))


class Scrape:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.design = DesignMetrics(self.registry)

    def show(self, told: Told) -> None:
        self.design.show(told)  # type: ignore[arg-type]

    def value(self, name: str, **labels: str) -> float | None:
        whose = {"namespace": "shop", "rollout": "checkout"}
        return self.registry.get_sample_value(f"causal_rollouts_release_{name}", whose | labels)

    def check(self, name: str) -> tuple[float | None, float | None, float | None]:
        """(value, bound, ok)."""
        value, bound = (self.value("check", check=name, what=what) for what in ("value", "bound"))
        return value, bound, self.value("check_ok", check=name)

    def samples(self) -> int:
        return sum(len(family.samples) for family in self.registry.collect())


@pytest.fixture
def scrape() -> Scrape:
    return Scrape()


def test_before_the_first_look_margins_are_those_that_were_registered(scrape: Scrape) -> None:
    scrape.show(Told())
    assert scrape.value("margin", metric="latency", of="harm") == pytest.approx(0.05)
    assert scrape.value("margin", metric="latency", of="safety") == pytest.approx(0.10)
    assert scrape.value("safety_needed_nats", metric="latency", to="promote") == 2.5
    assert scrape.value("check_timestamp_seconds") is None
    assert scrape.check("Completeness") == (None, None, None)


def test_each_check_stands_beside_its_bound_and_the_time_of_its_decision(scrape: Scrape) -> None:
    checks = (Check(CheckName.AGE, 3.0, 1.5, ok=False, note=""),)
    found = evidence(checks=checks, completeness=0.9, placebo=7.0, shared=0.05, shared_margin=0.095)
    scrape.show(Told().then(4, found).then(6, None))
    assert scrape.check("Age") == (3.0, 1.5, 0)
    assert scrape.check("Completeness") == (0.9, 0.95, 0)
    assert scrape.check("Placebo") == (7.0, pytest.approx(math.log(1000)), 0)
    assert scrape.check("SampleRatio") == (0.05, 0.05, 1)
    assert scrape.check("SharedLevel") == (0.05, 0.095, 1)
    assert scrape.value("check_timestamp_seconds") == 1004.0


def test_what_is_not_known_has_no_series(scrape: Scrape) -> None:
    checks = (Check(CheckName.PRE_TREND, math.nan, 0.05, ok=None, note=""),)
    scrape.show(Told().then(1, evidence(checks=checks, share=UNKNOWN, shared=math.nan)))
    assert scrape.check("PreTrend") == (None, 0.05, None)
    assert scrape.check("SampleRatio") == (None, 0.05, None)
    assert scrape.check("SharedLevel") == (None, 0.095, None)


def test_of_several_checks_of_one_name_the_worst_is_shown(scrape: Scrape) -> None:
    def pre_trend(value: float, *, ok: bool | None) -> Check:
        return Check(CheckName.PRE_TREND, value, 0.05, ok, "")

    unknown, fine, near = pre_trend(math.nan, ok=None), pre_trend(0.01, ok=True), pre_trend(0.04, ok=True)
    failed = pre_trend(0.03, ok=False)
    scrape.show(Told().then(1, evidence(checks=(unknown, fine, near))))
    assert scrape.check("PreTrend") == (0.04, 0.05, 1)
    scrape.show(Told().then(2, evidence(checks=(near, failed, unknown))))
    assert scrape.check("PreTrend") == (0.03, 0.05, 0)


def test_growth_of_footprints_is_shown_with_its_interval(scrape: Scrape) -> None:
    scrape.show(Told().then(1, evidence(footprints=(footprint(lower=-math.inf),))))
    assert scrape.value("footprint", footprint="cpu", bound="estimate") == pytest.approx(0.5)
    assert scrape.value("footprint", footprint="cpu", bound="upper") == pytest.approx(0.6)
    assert scrape.value("footprint", footprint="cpu", bound="lower") is None


def test_a_metric_that_only_reverts_needs_no_safety(scrape: Scrape) -> None:
    scrape.show(Told().then(1, evidence(metrics=(metric(name="tail", gating=Gating.REVERT_ONLY),))))
    assert scrape.value("safety_needed_nats", metric="tail", to="promote") is None
    assert scrape.value("margin", metric="latency", of="harm") is not None


def test_evidence_is_read_once_for_each_decision_that_has_some(
    scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counted(told: Told) -> Evidence | None:
        read.append(len(told.decisions))
        return None

    monkeypatch.setattr(design_metrics, "newest_evidence", counted)
    told = Told().then(1, evidence())
    for again in (told, told, told.then(2, None), told.then(3, evidence())):
        scrape.show(again)
    assert read == [1, 2]


def test_the_next_release_shows_nothing_of_the_last(scrape: Scrape) -> None:
    checks = (Check(CheckName.AGE, 3.0, 1.5, ok=False, note=""),)
    scrape.show(Told().then(1, evidence(checks=checks)))
    scrape.show(Told(name="checkout-2"))
    assert scrape.check("Age") == (None, None, None)
    assert scrape.check("Placebo") == (None, None, None)


def test_evidence_of_another_version_leaves_what_was_registered(scrape: Scrape) -> None:
    strange: Json = {"bin": "many"}
    line = replace(logged(1, None), evidence=strange)
    scrape.show(Told((line,)))
    assert scrape.value("margin", metric="latency", of="harm") == pytest.approx(0.05)
    assert scrape.value("check_timestamp_seconds") is None


def test_a_release_that_ended_leaves_no_series(scrape: Scrape) -> None:
    scrape.show(Told().then(1, evidence(footprints=(footprint(),))))
    assert scrape.samples() > 0
    scrape.design.forget(KEY)
    assert scrape.samples() == 0
