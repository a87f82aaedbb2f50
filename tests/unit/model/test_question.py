"""What a release asks, in words that are sealed with what it registered."""

from dataclasses import replace

from causal_rollouts.adapters.record_form import manifest, record_of
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.model.question import ESTIMANDS, question
from causal_rollouts.model.registration import ArmsPlan
from causal_rollouts.model.switchback import Switchback
from tests.unit.analysis.live_releases import recorded, story
from tests.unit.decision.situations import LATENCY, registration


def checked(reg) -> str:
    return " ".join(one.checked for one in question(reg).assumptions)


def test_the_question_names_target_shares_and_margins():
    found = question(registration())
    assert found.asks == (
        'Are users of Deployment "shop/checkout" worse off with the candidate than with the stable template, '
        "at 5%, 25% of the traffic?"
    )
    (line,) = found.estimands
    assert line == (
        "latency: ratio of geometric mean latency, canary slots against baseline slots of the same start; "
        "harm counts above +5%, safe is shown below +10%"
    )


def test_each_kind_that_a_policy_may_name_has_a_quantity():
    assert set(ESTIMANDS) == set(MetricKind) - {MetricKind.NEIGHBOUR}
    mute = replace(LATENCY, gating=Gating.REVERT_ONLY)
    cpu = Metric("cpu", MetricKind.FOOTPRINT, "cpu_seconds_total", Margins(0.1, 0.2), Gating.REPORT_ONLY)
    lines = question(registration(metrics=(mute, cpu))).estimands
    assert lines[0].endswith("harm counts above +5%, it need not show that it is safe")
    assert lines[1].endswith("warned of above +10%, reverts nothing")


def test_what_a_design_adds_is_among_its_checks():
    plain, rich = registration(), registration(probe=Switchback(), arms=ArmsPlan(pre_period=600.0))
    assert "nothing tells it from an incident" in checked(plain)
    assert "a probe by switchback" in checked(rich)
    assert "a pre-period of their own" in checked(rich)
    assert "a pre-period of their own" not in checked(plain)
    assert "(seed 1)" in checked(plain)


def test_it_stands_in_the_record_that_is_sealed():
    made = story("slow").newest()
    assert made["spec"]["question"] == manifest(record_of(made), "")["spec"]["question"]
    assert made["spec"]["question"]["asks"].startswith('Are users of Deployment "shop/checkout" worse off')
    assert len(made["spec"]["question"]["assumptions"]) == 7
    assert recorded(story("slow"))[0].registration == record_of(made).registration
