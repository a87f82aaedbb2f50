"""Other tools' rules over releases that were simulated: the same service, seen through their queries."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from causal_rollouts.analysis.clocked_release import ClockedRelease
from causal_rollouts.analysis.closed_loop import main
from causal_rollouts.analysis.peers.beside import PEERS, beside
from causal_rollouts.analysis.peers.side_by_side import kept_beside, side_by_side, table
from causal_rollouts.analysis.peers.traffic import Signal, Traffic
from causal_rollouts.analysis.peers.verdict import PASSED, PeerVerdict
from causal_rollouts.analysis.peers.watched import Unwatchable, recorded, watched
from causal_rollouts.analysis.simulated_release import End, SimulatedRelease
from causal_rollouts.analysis.simulation.climate import Harm
from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.decision.allocation import allocate
from causal_rollouts.evidence.frame import Frame
from causal_rollouts.model.registration import Stage, Times
from tests.unit.analysis.recordings import QUIET, struck
from tests.unit.analysis.recordings import recorded as recording_of

LADDER = (Stage(100, 240.0, 900.0), Stage(300, 240.0, 900.0))
SETTING = Setting(
    QUIET, replicas=12, nodes=6, stages=LADDER, times=Times(bake=60.0), stage_seconds=(600.0, 900.0)
)


def clocked(seed: int = 3, **harm: float) -> ClockedRelease:
    release = ClockedRelease(replace(SETTING, harm=Harm(**harm)), seed)
    release.run()
    return release


def gated(seed: int = 3, **harm: float) -> SimulatedRelease:
    release = SimulatedRelease(replace(SETTING, harm=Harm(**harm)), seed)
    release.run()
    return release


def test_every_rule_fails_a_release_that_is_much_worse():
    found = beside(clocked(slower=math.log(2.0), errors=0.05).watched())
    assert set(found) == set(PEERS)
    assert [name for name, verdict in found.items() if not verdict.failed] == []


def test_a_delay_counts_from_the_first_weight_and_ends_on_a_check():
    found = beside(clocked(slower=math.log(2.0)).watched())
    offset = clocked().watched().offset
    assert 0.0 <= offset < SETTING.grid.width
    assert found["Flagger, usual"].at == offset + 300.0
    assert found["Argo, usual, limit 3"].at == offset + 1200.0
    assert found["Kayenta"].at == offset + 600.0


def test_stages_by_the_clock_last_as_long_as_the_setting_says():
    seen = clocked(slower=math.log(2.0)).watched()
    first, second = seen.stages
    assert (first, seen.complete) == (0, True)
    width = SETTING.grid.width
    # A look every second bin; the slots of the next stage take their start-up.
    assert second * width == pytest.approx(600.0 + SETTING.start_up, abs=4 * width)
    assert (len(seen.canary) - second) * width == pytest.approx(900.0, abs=4 * width)


def test_both_courses_are_one_release_until_one_of_them_moves():
    ours, theirs = gated().watched(), clocked().watched()
    # The slots of the next stage are there before its weights.
    moved = min(ours.stages[1], theirs.stages[1]) - 4
    assert moved > 8
    for arm in ("canary", "baseline"):
        mine, other = getattr(ours, arm), getattr(theirs, arm)
        assert np.array_equal(mine.counts[:moved], other.counts[:moved])
        assert np.array_equal(mine.errors[:moved], other.errors[:moved])
    assert np.array_equal(ours.past.counts, theirs.past.counts)


def test_a_release_that_our_gate_reverted_is_known_only_so_far():
    seen = gated(slower=math.log(1.6)).watched()
    assert not seen.complete
    assert len(seen.canary) * SETTING.grid.width < 400.0
    assert beside(seen)["Kayenta"] == PASSED


def test_a_promoted_release_ends_where_promotion_began():
    seen = gated().watched()
    assert seen.complete
    spent = gated_seconds()
    assert seen.at(len(seen.canary)) == pytest.approx(spent, abs=4 * SETTING.grid.width)


def gated_seconds() -> float:
    ended = SimulatedRelease(SETTING, 3).run()
    assert ended.end is End.PROMOTED
    return ended.seconds


def test_the_canary_is_seen_with_its_share_and_its_likes_with_as_many_pods():
    seen = clocked().watched()
    second = seen.stages[1]
    canary, baseline, past, alike = (
        float(arm.requests.sum())
        for arm in (part(seen.canary, second), part(seen.baseline, second), seen.past, seen.alike)
    )
    rate = QUIET.load.per_second * SETTING.grid.width
    assert canary / (second * rate) == pytest.approx(0.1, rel=0.05)
    assert baseline == pytest.approx(canary, rel=0.05)
    assert past / (len(seen.past) * rate) == pytest.approx(1.0, rel=0.05)
    canaries = allocate(SETTING.stages, SETTING.arms, SETTING.replicas)[0].canaries
    assert alike / past * SETTING.replicas == pytest.approx(canaries, rel=0.1)


def part(traffic: Traffic, end: int) -> Traffic:
    return replace(
        traffic,
        counts=traffic.counts[:end],
        errors=traffic.errors[:end],
        requests=traffic.requests[:end],
        seen=traffic.seen[:end],
    )


def test_a_recording_on_disk_is_judged_like_a_simulated_release():
    fine, slow = recorded(recording_of()), recorded(recording_of(slower=0.8))
    usual, slower, baseline = (
        arm.read(Signal.MEDIAN, 4, 40) or math.nan for arm in (fine.canary, slow.canary, fine.baseline)
    )
    assert slower / usual == pytest.approx(1.8, rel=0.25)
    assert baseline == pytest.approx(usual, rel=0.1)
    assert beside(slow)["Flagger, worst"].failed
    assert beside(slow)["Kayenta, our margins"].failed
    assert not beside(fine)["Kayenta, our margins"].failed


def test_rules_without_a_control_blame_a_shared_outage_on_the_release():
    found = beside(recorded(struck()))
    assert found["Argo, usual"].failed
    assert not found["Kayenta, our margins"].failed


def test_a_release_without_a_stage_is_refused_with_the_fix():
    frame = Frame((), None, (), 1, {}, frozenset(), None, 0, 1)
    with pytest.raises(Unwatchable, match="judge a recording that reached its first stage"):
        watched(SETTING.registration(1), frame, {}, 0, 0.0, complete=False)


def test_the_table_says_share_and_median_minutes():
    ours = side_by_side(End.REVERTED, 120.0, "latency", {"Tool": PeerVerdict(True, 600.0, "p50")})
    missed = side_by_side(End.PAUSED, 900.0, "OutOfTime", {"Tool": PASSED})
    later = side_by_side(End.REVERTED, 360.0, "latency", {"Tool": PASSED})
    lines = table("clock", {"latency+25%": [ours, missed, later]}).splitlines()
    assert lines[0] == "| failed, minutes (clock) | latency+25% (harm, 3) |"
    assert lines[2:] == [
        "| this gate | 67%, 4.0 |",
        "| this gate, left to people | 33%, 15.0 |",
        "| Tool | 33%, 10.0 |",
    ]


@pytest.mark.parametrize("course", ["gate", "clock"])
def test_the_command_asks_other_tools_and_keeps_what_they_said(
    course: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    kept = tmp_path / "runs.jsonl"
    asked = ["--scenario", "errors+2pp", "-n", "1", "--seed", "4"]
    assert main([*asked, "--peers", course, "--keep", str(kept)]) == 0
    printed = capsys.readouterr().out.split("\n\n")[1]
    assert printed.splitlines()[0] == f"| failed, minutes ({course}) | errors+2pp (harm, 1) |"
    assert [line.split(" | ")[0] for line in printed.splitlines()[2:]] == [
        f"| {name}" for name in ("this gate", "this gate, left to people", *PEERS)
    ]
    assert set(json.loads(kept.read_text())["peers"][course]) == set(PEERS)
    assert main(["--table", str(kept)]) == 0
    assert printed.strip() in capsys.readouterr().out


def test_courses_that_are_kept_in_one_file_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = tmp_path / "runs.jsonl"
    run = {"scenario": "drift", "seed": 1, "allocation": "design", "end": "paused", "seconds": 60.0}
    said = {"failed": True, "at": 60.0, "why": "p50"}
    lines = [{**run, "cause": "OutOfTime", "peers": {course: {"Tool": said}}} for course in ("gate", "clock")]
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = kept_beside(kept, "design")
    assert {course: len(runs["drift"]) for course, runs in found.items()} == {"gate": 1, "clock": 1}
    assert kept_beside(kept, "four") == {}


def test_without_the_flag_no_other_tool_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = tmp_path / "runs.jsonl"
    assert main(["--scenario", "errors+2pp", "-n", "1", "--seed", "4", "--keep", str(kept)]) == 0
    assert json.loads(kept.read_text())["peers"] == {}
    assert "this gate" not in capsys.readouterr().out
