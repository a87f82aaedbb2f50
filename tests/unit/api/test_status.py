from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.api.status import StatusView, render
from causal_rollouts.api.status_schema import ROLLOUT_STATUS
from tests.unit.api.schemas import fits

OBSERVING = StatusView(
    phase="Observing",
    reason="GatheringEvidence",
    message="gathering evidence",
    running=True,
    failed=False,
    release="checkout-1",
    step="1/3",
    weight="5%",
    verdict="Inconclusive",
    record="checkout-1",
    seq=3,
    supported=(True, "Supported", "can be gated"),
    evidence=(True, "Ok", "complete"),
    traffic=(True, "Applied", "canary 5%"),
)
PROMOTED = replace(OBSERVING, phase="Promoted", reason="Promoted", running=False, outcome="Promoted")
REVERTED = replace(OBSERVING, phase="Reverted", reason="Reverted", running=False, failed=True)


def conditions(status: Any) -> dict[str, str]:
    return {c["type"]: c["status"] for c in status["conditions"]}


def transitions(status: Any) -> dict[str, str]:
    return {c["type"]: c["lastTransitionTime"] for c in status["conditions"]}


def test_a_running_release_is_in_progress_for_kstatus():
    found = conditions(render({}, 1, 1e9, OBSERVING))
    assert (found["Ready"], found["Reconciling"]) == ("Unknown", "True")
    assert "Stalled" not in found


def test_a_promoted_release_is_current_and_a_reverted_one_failed():
    promoted, reverted = (conditions(render({}, 1, 1e9, view)) for view in (PROMOTED, REVERTED))
    assert promoted["Ready"] == "True"
    assert (reverted["Ready"], reverted["Stalled"]) == ("False", "True")
    for found in (promoted, reverted):
        assert "Reconciling" not in found
    stalled = next(c for c in render({}, 1, 1e9, REVERTED)["conditions"] if c["type"] == "Stalled")
    assert stalled["reason"] == "Reverted"


def test_what_is_abnormal_goes_when_it_is_over():
    during = render({}, 1, 1e9, REVERTED)
    assert "Stalled" not in conditions(render(during, 2, 2e9, PROMOTED))


def test_the_same_view_renders_to_the_same_status_at_any_time():
    first = render({}, 7, 1e9, OBSERVING)
    assert render(first, 7, 1.5e9, OBSERVING) == first


def test_a_transition_time_moves_only_when_its_status_flips():
    first = render({}, 1, 1e9, OBSERVING)
    worded = render(first, 2, 1.1e9, replace(OBSERVING, message="other words", reason="SafetyProven"))
    assert transitions(worded) == transitions(first)
    assert worded["conditions"][0]["message"] == "other words"
    lost = render(worded, 2, 1.2e9, replace(OBSERVING, evidence=(False, "NoData", "nothing arrived")))
    assert {k for k, v in transitions(lost).items() if v != transitions(worded)[k]} == {"EvidenceValid"}
    assert transitions(lost)["EvidenceValid"] == "2008-01-10T21:20:00Z"


def test_the_generation_is_observed_everywhere():
    found = render({}, 5, 1e9, OBSERVING)
    assert found["observedGeneration"] == 5
    assert {c["observedGeneration"] for c in found["conditions"]} == {5}


def test_what_is_not_known_has_no_field():
    found = render({}, 1, 1e9, StatusView("Idle", "Idle", "waiting", running=False, failed=False))
    assert set(found) == {"observedGeneration", "phase", "message", "conditions"}
    assert set(conditions(found)) == {"Ready"}


def test_a_foreign_condition_list_does_not_confuse():
    odd = {"conditions": [{"status": "True"}, "x", {"type": "Ready", "status": "Unknown"}]}
    assert conditions(render(odd, 1, 1e9, OBSERVING))["Ready"] == "Unknown"
    assert conditions(render({"conditions": None}, 1, 1e9, OBSERVING))["Ready"] == "Unknown"


WORDS = st.text(max_size=2000)
SAID = st.none() | st.tuples(st.booleans(), st.sampled_from(["Ok", "NoData"]), WORDS)


@given(
    st.builds(
        StatusView,
        phase=st.sampled_from(["Observing", "Idle"]),
        reason=st.just("Reason"),
        message=WORDS,
        running=st.booleans(),
        failed=st.booleans(),
        release=st.just("r" * 60),
        step=st.just("10/10"),
        weight=st.just("70%"),
        verdict=st.just("SharedIncident"),
        effect=WORDS,
        pending_spec=st.booleans(),
        record=st.just("r" * 60),
        seq=st.integers(0, 2**53),
        supported=SAID,
        evidence=SAID,
        traffic=SAID,
        outcome=st.sampled_from(["", "Promoted"]),
        metrics=st.lists(WORDS, max_size=21).map(tuple),
    ),
    st.integers(1, 2**40),
)
def test_however_much_there_is_to_say_a_status_stays_under_4_kib(view: StatusView, generation: int):
    status = render({}, generation, 1.7e9, view)
    assert len(json.dumps(status, ensure_ascii=False).encode()) < 4096
    assert fits(ROLLOUT_STATUS, status) == []
    assert render(json.loads(json.dumps(status)), generation, 1.8e9, view) == status


def test_the_longest_status_there_can_be_is_cut_to_fit():
    said = (False, "Unsupported", "\U0001f600" * 5000)
    view = replace(
        OBSERVING,
        message=said[2],
        effect=said[2],
        failed=True,
        outcome="Reverted",
        pending_spec=True,
        release="r" * 60,
        record="r" * 60,
        metrics=(said[2],) * 21,
        supported=said,
        evidence=said,
        traffic=said,
    )
    status = render({}, 2**40, 1.7e9, view)
    assert len(json.dumps(status, ensure_ascii=False).encode()) < 4096
    assert len(conditions(status)) == 6
    assert status["message"].endswith("…")
