from __future__ import annotations

import json
import math
from array import array
from dataclasses import replace

import pytest

from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.replay import replay, scheduled_looks
from causal_rollouts.analysis.replay_line import ReplayLine
from causal_rollouts.analysis.shelf import Shelf
from causal_rollouts.analysis.swap import swapped
from causal_rollouts.evidence.assess import assess, needed_since
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.telemetry import Look, Series, Telemetry
from causal_rollouts.model.traffic import HOME, Change
from tests.unit.analysis.recordings import recorded, struck, unseen


def decisions(recording: Recording) -> list[str]:
    return [line.decision for line in replay(recording)]


def metric(line: ReplayLine, name: str):
    return next(m for m in line.metrics if m.name == name)


def test_a_harmless_release_advances_and_is_promoted_at_the_ends_of_its_stages():
    lines = list(replay(recorded()))
    acts = [(line.stage, line.decision) for line in lines if line.decision != "Hold"]
    assert acts == [(0, "Advance"), (1, "Promote")]
    assert [line.time for line in lines] == sorted({line.time for line in lines})
    assert list(dict.fromkeys(line.weight for line in lines)) == [0.0, 10.0, 30.0]


def test_a_slower_candidate_is_reverted_by_its_evidence():
    lines = list(replay(recorded(slower=0.4)))
    first = next(line for line in lines if line.decision == "Revert")
    assert (first.stage, first.reason, first.verdict) == (0, "HarmProven", "Harm")
    assert first.log_harm >= first.log_threshold
    latency = metric(first, "latency")
    assert latency.lower < 0.4 < latency.upper
    assert 0.3 < latency.effect < 0.5
    assert first.log_threshold == pytest.approx(4.605, abs=0.001)


def test_a_failing_candidate_is_reverted_for_its_errors():
    first = next(line for line in replay(recorded(errors=0.03)) if line.decision == "Revert")
    assert "errors" in first.because
    assert metric(first, "errors").log_e_harm > 4.6


@pytest.mark.parametrize("harm", [{"slower": 0.4}, {"errors": 0.03}])
def test_with_the_labels_swapped_the_same_run_does_not_revert(harm: dict[str, float]):
    assert "Revert" in decisions(recorded(**harm))
    assert "Revert" not in decisions(swapped(recorded(**harm)))


def test_swapping_the_labels_turns_the_effect_round():
    there = list(replay(recorded(slower=0.4)))[-1]
    back = list(replay(swapped(recorded(slower=0.4))))[-1]
    assert (1 + metric(there, "latency").effect) * (1 + metric(back, "latency").effect) == pytest.approx(
        1.0, abs=0.05
    )


def test_a_shared_slowdown_is_held_and_not_blamed():
    lines = list(replay(struck()))
    assert "SharedIncident" in {line.verdict for line in lines}
    assert {line.decision for line in lines if line.verdict == "SharedIncident"} == {"Hold"}
    assert "Revert" not in {line.decision for line in lines}


def test_without_data_nothing_advances_and_nobody_is_blamed():
    lines = list(replay(unseen()))
    assert {line.decision for line in lines} <= {"Hold"}
    assert lines[-1].verdict == "NoData"


def test_the_schedule_goes_on_after_a_revert_unless_told_to_stop():
    whole = decisions(recorded(slower=0.4))
    stopped = [line.decision for line in replay(recorded(slower=0.4), stop=True)]
    assert whole.index("Revert") < len(whole) - 5
    assert stopped == whole[: whole.index("Revert") + 1]


def test_until_cuts_and_changes_nothing_before():
    lines = list(replay(recorded()))
    cut = list(replay(recorded(), until=lines[20].time))
    assert cut == lines[:21]


def test_what_comes_later_changes_nothing_before():
    """A replay knows the future; the gate must not."""
    recording = recorded(slower=0.1)
    lines = list(replay(recording))
    end = lines[25].time
    past = replace(
        recording,
        pods=tuple(pod for pod in recording.pods if pod.created <= end),
        timeline=tuple(change for change in recording.timeline if change.time <= end),
        series=tuple(cut(series, end) for series in recording.series),
        looks=tuple(scheduled_looks(recording))[:26],
    )
    told = list(replay(past))
    assert [replace(line, decision="") for line in told] == [
        replace(line, decision="") for line in lines[:26]
    ]


def test_a_replay_says_what_an_operator_says_that_starts_from_its_record_each_time():
    """The operator decodes its state at every look and fetches what it then needs."""
    recording = recorded(slower=0.1)
    reg = registration(recording)
    source = Shelf(recording.series)
    state: bytes | None = None
    for told, look in zip(replay(recording), scheduled_looks(recording), strict=True):
        timeline = tuple(change for change in recording.timeline if change.time <= look.time)
        since = needed_since(reg, timeline, state, look.time)
        fetched = source.between(since, reg.grid.end(look.last_final))
        telemetry = Telemetry(
            {
                metric.name: tuple(s for s in fetched if s.labels["__name__"] in metric.reads)
                for metric in reg.metrics
            }
        )
        found = assess(reg, recording.pods, timeline, telemetry, look, state)
        state = found.state
        assert [m.effect for m in told.metrics] == [relative(m.effect) for m in found.evidence.metrics]
        assert told.log_harm == (found.evidence.log_harm if math.isfinite(found.evidence.log_harm) else None)


def relative(effect: float) -> float | None:
    return math.expm1(effect) if math.isfinite(effect) else None


def test_a_replay_says_the_same_twice():
    assert list(replay(recorded(slower=0.1))) == list(replay(recorded(slower=0.1)))


def test_a_tick_that_came_late_runs_the_missed_looks_first():
    recording = recorded(slower=0.1)
    looks = tuple(scheduled_looks(recording))
    late = (*looks[:10], replace(looks[14], late_bins=8), *looks[15:])
    on_time = {line.bin: line for line in replay(recording)}
    lines = list(replay(replace(recording, looks=late)))
    assert len(lines) == len(late)
    assert [line.metrics for line in lines] == [on_time[line.bin].metrics for line in lines]


def test_harm_in_a_missed_look_is_not_slept_through():
    recording = recorded(slower=0.4)
    looks = tuple(scheduled_looks(recording))
    on_time = next(line for line in replay(recording) if line.decision == "Revert")
    late = list(replay(replace(recording, looks=(*looks[:3], looks[30]))))
    assert late[-1].decision == "Revert"
    assert late[-1].bin == on_time.bin


def test_an_unreachable_source_holds_and_is_said():
    recording = recorded()
    looks = [
        replace(look, provider_error="connection refused") if 12 <= i < 16 else look
        for i, look in enumerate(scheduled_looks(recording))
    ]
    lines = list(replay(replace(recording, looks=tuple(looks))))
    assert {(line.verdict, line.decision) for line in lines[12:16]} == {("ProviderError", "Hold")}
    assert "connection refused" in lines[12].because
    assert lines[-1].decision == "Promote"


def test_a_stage_that_the_gate_would_not_have_left_ends_in_hold():
    recording = recorded()
    second = recording.timeline[-1]
    early = replace(second, time=recording.timeline[1].time + 200.0)
    lines = list(replay(replace(recording, timeline=(*recording.timeline[:-1], early))))
    last = [line for line in lines if line.stage == 0][-1]
    assert (last.decision, last.reason) == ("Hold", "StageTooYoung")


def test_weights_at_home_again_are_the_end():
    recording = recorded()
    home = Change(recording.timeline[-1].time + 200.0, 1, HOME, Phase.REVERTING)
    lines = list(replay(replace(recording, timeline=(*recording.timeline, home))))
    assert {line.reason for line in lines if line.time > home.time} == {"CleaningUp"}


def test_the_gate_keeps_watching_while_the_deployment_rolls():
    recording = recorded(slower=0.4)
    last = recording.timeline[-1]
    rolls = Change(last.time + 120.0, 1, last.weights, Phase.PROMOTING)
    lines = list(replay(replace(recording, timeline=(*recording.timeline, rolls))))
    assert {line.decision for line in lines if line.time > rolls.time} == {"Revert"}


def test_every_line_is_json_with_the_promised_fields():
    for line in replay(recorded()):
        row = json.loads(line.json(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        promised = {
            "time",
            "stage",
            "weight",
            "decision",
            "reason",
            "verdict",
            "logHarm",
            "logThreshold",
            "metrics",
        }
        assert promised <= set(row)
        for one in row["metrics"]:
            told = {"name", "effect", "lower", "upper", "logEHarm", "logESafe", "validity", "naive"}
            assert set(one) == told


def test_pods_that_are_none_of_the_release_are_not_looked_at():
    recording = recorded()
    strange = tuple(
        Series({**s.labels, "pod": "stranger"}, s.times, array("d", (9 * v for v in s.values)))
        for s in recording.series[:40]
    )
    mixed = replace(recording, series=(*recording.series, *strange))
    assert list(replay(mixed)) == list(replay(recording))


def test_looks_of_nobody_are_no_lines():
    assert list(replay(replace(recorded(), looks=()))) == []


def test_one_look_is_one_line():
    looks = tuple(scheduled_looks(recorded()))
    assert len(list(replay(replace(recorded(), looks=(looks[9],))))) == 1
    assert isinstance(looks[9], Look)


def cut(series: Series, end: float) -> Series:
    n = sum(t <= end for t in series.times)
    return Series(series.labels, series.times[:n], series.values[:n])
