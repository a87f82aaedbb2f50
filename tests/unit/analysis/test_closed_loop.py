from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from causal_rollouts.analysis.calibration_table import row
from causal_rollouts.analysis.closed_loop import Allocation, Case, main
from causal_rollouts.analysis.simulated_release import End, Ended, SimulatedRelease
from causal_rollouts.analysis.simulation.climate import Harm, Incident
from causal_rollouts.analysis.simulation.reach import contrast_sd, distance
from causal_rollouts.analysis.simulation.scenarios import SCENARIOS, Kind
from causal_rollouts.analysis.simulation.setting import EPOCH, Setting
from causal_rollouts.analysis.tally import tally
from causal_rollouts.model.registration import Stage, Times
from causal_rollouts.stats.binomial import clopper_pearson
from tests.unit.analysis.recordings import QUIET

LADDER = (Stage(100, 240.0, 900.0), Stage(300, 240.0, 900.0))
SETTING = Setting(QUIET, replicas=12, nodes=6, stages=LADDER, times=Times(bake=60.0))


def ended(setting: Setting = SETTING, seed: int = 3, **harm: float) -> Ended:
    return SimulatedRelease(replace(setting, harm=Harm(**harm)), seed).run()


def test_a_harmless_release_climbs_the_ladder():
    found = ended()
    assert (found.end, found.stage) == (End.PROMOTED, 1)
    assert found.seconds >= 480.0


def test_a_slower_release_is_reverted_in_its_first_stage():
    found = ended(slower=math.log(1.4))
    assert (found.end, found.stage, found.cause) == (End.REVERTED, 0, "latency")
    assert found.seconds < 300.0


def test_harm_that_comes_after_promotion_began_is_still_reverted():
    late = replace(SETTING, times=Times(bake=900.0))
    found = ended(late, slower=math.log(2.0), onset=560.0)
    assert found.end is End.REVERTED
    assert found.promoted


def test_a_release_in_an_incident_waits_for_its_end():
    incident = Incident(EPOCH + 120.0, 75.0, slower=math.log(1.8))
    found = ended(replace(SETTING, climate=replace(QUIET, incidents=(incident,))))
    assert found.end is End.PROMOTED
    assert found.seconds > ended().seconds + 60.0


def test_a_stage_without_an_answer_is_paused_at_its_deadline():
    few = replace(SETTING, climate=replace(QUIET, load=replace(QUIET.load, per_second=4.0)))
    found = ended(few)
    assert (found.end, found.cause) == (End.PAUSED, "OutOfTime")
    assert found.seconds >= 900.0


def test_looks_from_the_encoded_state_are_the_same_looks():
    setting = replace(SETTING, harm=Harm(slower=0.03))
    encoded = SimulatedRelease(setting, 5, encoded=True).run()
    plain = SimulatedRelease(setting, 5).run()
    assert replace(encoded, state_bytes=0) == plain
    assert 0 < encoded.state_bytes <= 32 * 1024


def test_a_run_is_fixed_by_its_case():
    case = Case("turnover", 11)
    assert SimulatedRelease(case.setting(), 11).run() == SimulatedRelease(case.setting(), 11).run()


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_can_be_drawn_under_every_allocation(name: str):
    for allocation in Allocation:
        setting = Case(name, 1, allocation).setting()
        assert setting.registration(1).stages
        assert (SCENARIOS[name].kind is Kind.NULL) or setting.harm != Harm()


# The bounds that the recipe's own tables state, to their rounding.
@pytest.mark.parametrize(
    ("k", "n", "upper"),
    [
        (0, 300, 0.012),
        (1, 300, 0.018),
        (2, 300, 0.024),
        (3, 300, 0.029),
        (12, 5100, 0.0041),
        (1, 2200, 0.0025),
    ],
)
def test_bounds_are_those_that_others_computed(k: int, n: int, upper: float):
    assert clopper_pearson(k, n)[1] == pytest.approx(upper, abs=0.0006)


def test_bounds_close_at_the_ends():
    assert clopper_pearson(0, 10) == (0.0, pytest.approx(1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == (pytest.approx(0.025**0.1), 1.0)


def test_a_tally_counts_ends_and_delays():
    run = Ended(End.REVERTED, 120.0, 0, "latency", 0.2, 4, 0, False, False, 0)
    late = replace(run, seconds=600.0, promoted=True)
    fine = replace(run, end=End.PROMOTED, seconds=1260.0, cause="Baking", promoted=True)
    stuck = replace(run, end=End.PAUSED, cause="OutOfTime")
    found = tally([run, late, fine, stuck])
    assert (found.reverted, found.promoted, found.paused, found.late) == (2, 1, 1, 1)
    assert (found.to_revert, found.to_promote) == (360.0, 1260.0)
    assert found.causes == (("latency", 2),)
    assert found.reasons == (("OutOfTime", 1),)


def test_the_command_prints_a_table_and_keeps_every_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = tmp_path / "runs.jsonl"
    assert main(["--scenario", "errors+2pp", "-n", "2", "--keep", str(kept)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].startswith("| errors+2pp | harm | 2 |")
    runs = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [run["seed"] for run in runs] == [0, 1]
    assert {run["end"] for run in runs} <= {"reverted", "paused", "promoted"}


def test_a_call_that_was_cut_off_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept = tmp_path / "runs.jsonl"
    fields = asdict(Ended(End.PROMOTED, 1260.0, 2, "Baking", 0.0, 70, 0, False, True, 0))
    done = {"scenario": "errors+2pp", "seed": 0, "allocation": "design", **fields}
    kept.write_text(json.dumps(done) + "\n")
    for _ in range(2):
        assert main(["--scenario", "errors+2pp", "-n", "2", "--keep", str(kept)]) == 0
        assert [json.loads(line)["seed"] for line in kept.read_text().splitlines()] == [0, 1]
        (row,) = (line for line in capsys.readouterr().out.splitlines() if "errors+2pp" in line)
        assert row.startswith("| errors+2pp | harm | 2 | 1 |"), "the run that was kept is not in the table"


def test_kept_runs_become_one_table_and_a_seed_counts_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "runs.jsonl"
    fields = asdict(Ended(End.REVERTED, 120.0, 0, "latency", 0.2, 4, 0, False, False, 0))
    runs = [
        {"scenario": "latency+25%", "seed": 1, "allocation": "design", **fields},
        {"scenario": "latency+25%", "seed": 1, "allocation": "design", **fields, "end": "paused"},
        {"scenario": "latency+25%", "seed": 1, "allocation": "four", **fields},
        {"scenario": "drift", "seed": 1, "allocation": "design", **fields},
        {"scenario": "plain", "seed": 1, "allocation": "design", **fields, "end": "promoted"},
    ]
    path.write_text("".join(json.dumps(run) + "\n" for run in runs))
    assert main(["--table", str(path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    names = [line.split(" | ")[0] for line in printed[2:5]]
    assert names == ["| plain", "| drift", "| latency+25%"]
    assert printed[4].startswith("| latency+25% | harm | 1 | 0 |")
    assert printed[-1] == "All nulls together: 1 of 2 reverted (1.26% to 98.74%)."


def test_reach_is_counted_of_harms_that_stood_out_far_enough():
    caught = Ended(End.REVERTED, 120.0, 0, "latency", 0.2, 4, 0, False, False, 0)
    missed = replace(caught, end=End.PAUSED, cause="OutOfTime")
    line = row("latency+25%", [caught, missed, missed, caught], [5.3, 6.0, 5.1, None])
    assert "| 2, 1 (50%) |" in line
    assert "| - |" in row("plain", [caught], [None])


class Even:
    """A service without nodes' own offsets, slow enough in its requests to leave the pods alone."""

    unevenness = replace(QUIET.unevenness, pods=0.05, nodes=0.0)
    climate = replace(QUIET, unevenness=unevenness, load=replace(QUIET.load, per_second=1e9))
    setting = replace(SETTING, climate=climate, harm=Harm(slower=math.log(1.25)))


def test_reach_is_the_shift_beyond_the_null_in_sds_of_the_draw_of_pods():
    # Three canaries and three baselines in the first stage; sd .05 each.
    z = math.log(1.25 / 1.02) / (0.05 * math.sqrt(2 / 3))
    assert distance(Even.setting, 0) == pytest.approx(z, rel=1e-4)
    assert distance(replace(Even.setting, harm=Harm(errors=0.1)), 0) is None


def test_nodes_cost_reach_as_far_as_stable_pods_leave_them_unknown():
    uneven = replace(Even.unevenness, nodes=0.05)
    climate = replace(Even.climate, unevenness=uneven)
    known = replace(Even.setting, climate=climate, replicas=12000, nodes=6)
    # A pod per node says of it half of what there is to know; fewer pods than nodes say nothing of some.
    half = replace(Even.setting, climate=climate, replicas=12, nodes=12)
    none = replace(Even.setting, climate=climate, replicas=11, nodes=12)
    first = [contrast_sd(setting, 0) ** 2 for setting in (half, none)]
    assert first == pytest.approx([0.0025 * 1.5 * 2 / 3, 0.0025 * 2 * 2 / 3], rel=1e-3)
    assert contrast_sd(known, 0) < contrast_sd(half, 0)


def test_few_requests_cost_reach():
    few = replace(Even.climate, load=replace(QUIET.load, per_second=4.0))
    per_slot = 4.0 * 0.1 / 3 * 900.0
    chance = QUIET.answers.spread**2 / per_slot
    assert contrast_sd(replace(Even.setting, climate=few), 0) ** 2 == pytest.approx((0.0025 + chance) * 2 / 3)


def test_an_unknown_scenario_is_named_with_those_that_exist(capsys: pytest.CaptureFixture[str]):
    assert main(["--scenario", "meteor"]) == 2
    assert "meteor" in capsys.readouterr().err
