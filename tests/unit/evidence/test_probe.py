"""What a probe leaves in the state, and what its end says."""

from dataclasses import replace

import numpy as np
import pytest

from causal_rollouts.evidence.assess import assess
from causal_rollouts.evidence.continuous import ContinuousState
from causal_rollouts.evidence.framing import framing
from causal_rollouts.evidence.gate_state import decode
from causal_rollouts.evidence.probe import probe_test
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.switchback import Standing, Switchback
from causal_rollouts.model.traffic import HOME, Change
from tests.unit.evidence.looks import every_second_bin
from tests.unit.evidence.sample_world import GRID, LATENCY, World, make

WORLD = World(stage_bins=60, canaries=(3,), weights=(200,), metrics=(LATENCY,))
PLAN = Switchback(cycles=5, shortest=4, longest=4)
START = WORLD.t0_time + 12 * GRID.width + 4.0
FIRST = GRID.after(START)


def probed(run, reg):
    """The release of the run with a probe from `START` on; only the weights that were set differ."""
    weights = run.timeline[0].weights
    legs = reg.probe.legs(reg.seed, 0)
    changes = [Change(START, 0, weights if legs[0] else HOME, Phase.PROBING)]
    for i in range(1, len(legs)):
        if legs[i] != legs[i - 1]:
            time = GRID.start(FIRST + i) + 2.0
            changes.append(Change(time, 0, weights if legs[i] else HOME, Phase.PROBING))
    return (*run.timeline, *changes)


def states(step, plan=PLAN):
    run = make(WORLD)
    reg = replace(WORLD.registration(), probe=plan)
    timeline, state, found = probed(run, reg), None, None
    indices = [i for i in every_second_bin(run) if i % step == every_second_bin(run)[0] % step]
    for index in indices:
        look = run.look(index)
        known = tuple(c for c in timeline if c.time <= look.time)
        found = assess(reg, run.pods, known, run.telemetry(0.0, GRID.end(look.last_final)), look, state)
        state = found.state
    return reg, found.evidence, decode(reg, state)


def engine(state) -> ContinuousState:
    return state.metrics[0].engine


def test_every_bin_of_a_probe_has_its_level_also_those_that_a_switch_spoils():
    _, evidence, state = states(2)
    bins = engine(state).probed[:, 0].astype(int).tolist()
    assert bins[: PLAN.bins] == list(range(FIRST, FIRST + PLAN.bins))
    assert np.isfinite(engine(state).probed[:, 1]).all()
    assert evidence.probe is not None
    assert (evidence.probe.seen, evidence.probe.bins) == (PLAN.bins, PLAN.bins)


def test_looks_that_were_missed_leave_the_same_levels():
    one, other = (engine(states(step)[2]).probed[: PLAN.bins] for step in (2, 6))
    assert (one == other).all()


def test_the_budget_of_probes_is_taken_from_the_metrics():
    _, evidence, _ = states(2)
    assert evidence.log_threshold == pytest.approx(-np.log(0.01 * 0.7))
    assert evidence.probe.alpha == pytest.approx(0.01 * 0.3)


def over(effect, *, plan=PLAN, names=("latency",), seen=1.0, next_bin=None):
    reg = replace(WORLD.registration(), probe=plan)
    run = make(WORLD)
    _, _, state = states(2)
    on = np.array(reg.probe.legs(reg.seed, 0))
    rng = np.random.default_rng(3)
    level = effect * on + rng.normal(0.0, 0.03, len(on))
    rows = np.column_stack((FIRST + np.arange(len(on)), level))[: round(seen * len(on))]
    one = replace(engine(state), probed=rows, next_bin=FIRST + len(on) if next_bin is None else next_bin)
    frame = framing(reg, run.pods, run.timeline, FIRST + len(on), state.known)
    probing = replace(frame, probe=Standing(FIRST, 0))
    return probe_test(reg, probing, dict.fromkeys(names, one))


LONG = Switchback()


def test_harm_to_everybody_is_shown_and_an_incident_is_not():
    assert over(0.25, plan=LONG).harm
    assert over(0.25, plan=LONG).effect == pytest.approx(0.25, abs=0.03)
    assert not over(0.0, plan=LONG).harm
    assert not over(-0.25, plan=LONG).harm


def test_nothing_is_said_before_the_last_bin_is_taken_in():
    assert over(0.25, plan=LONG, next_bin=FIRST + LONG.bins - 1) is None


def test_probes_and_metrics_share_what_there_is():
    shared = over(0.25, plan=replace(LONG, probes=3), names=("latency", "db"))
    assert shared.alpha == pytest.approx(0.01 * 0.3 / 3 / 2)


def test_what_was_hardly_seen_proves_little():
    assert over(0.25, plan=LONG, seen=0.1).p > 0.003


def test_without_a_policy_to_probe_or_a_level_there_is_no_test():
    run = make(WORLD)
    frame = framing(WORLD.registration(), run.pods, run.timeline, FIRST, states(2)[2].known)
    assert probe_test(WORLD.registration(), replace(frame, probe=Standing(FIRST, 0)), {}) is None
