"""A walk up a ladder of two stages, path by path, against what the rules of the gate would do."""

import numpy as np
import pytest

from causal_rollouts.analysis.plan_design import Glance
from causal_rollouts.analysis.plan_ladder import Ladder, walk
from causal_rollouts.analysis.plan_reach import LevelOutlook, Reach
from causal_rollouts.model.metrics import Gating, MetricKind

GLANCES = (
    Glance(0, 5, 100.0, ripe=False),
    Glance(0, 9, 200.0, ripe=True),
    Glance(0, 13, 300.0, ripe=True),
    Glance(1, 17, 100.0, ripe=True),
    Glance(1, 21, 200.0, ripe=True),
)
NEVER = [np.inf] * 5


def outlook(name, gating=Gating.BOTH):
    some = np.ones(5)
    return LevelOutlook(
        name, MetricKind.LATENCY, gating, some, some, some, some, some, some, some, asked=(0.1, 0.25)
    )


def reach(caught=NEVER, suspects=NEVER, advances=NEVER, promotes=NEVER, agrees=NEVER):
    return Reach(*(np.array([row]) for row in (caught, suspects, advances, promotes, agrees)))


def walked(*pairs, effects=None):
    ladder = Ladder(GLANCES, (True,) * 5, tuple(o for o, _ in pairs), ())
    return walk(ladder, [r for _, r in pairs], effects or {})


def test_a_release_that_is_safe_from_the_first_look_waits_for_each_minimum():
    found = walked((outlook("latency"), reach()))
    assert found.promoted.all()
    assert found.seconds.tolist() == [300.0]
    assert found.last_seconds.tolist() == [100.0]


def test_harm_comes_first_where_a_look_shows_both():
    found = walked((outlook("latency"), reach(caught=[np.inf, -1, np.inf, np.inf, np.inf])))
    assert found.reverted.all()
    assert found.seconds.tolist() == [200.0]


def test_a_path_that_went_up_is_not_reverted_by_later_looks_of_the_stage_it_left():
    found = walked((outlook("latency"), reach(caught=[np.inf, np.inf, -1, np.inf, np.inf])))
    assert found.promoted.all()


def test_without_enough_evidence_time_runs_out():
    found = walked((outlook("latency"), reach(promotes=[-np.inf] * 5)))
    assert found.paused.all()
    assert found.stage.tolist() == [1]
    assert found.seconds.tolist() == [400.0]


def test_suspicion_of_a_metric_that_may_only_revert_holds_traffic():
    pair = outlook("latency"), reach()
    doubted = reach(suspects=[-1, -1, np.inf, np.inf, np.inf])
    found = walked(pair, (outlook("slow", Gating.REVERT_ONLY), doubted))
    assert found.promoted.all()
    assert found.seconds.tolist() == [400.0]
    told = walked(pair, (outlook("slow", Gating.REPORT_ONLY), doubted))
    assert told.seconds.tolist() == [300.0]


def test_a_stage_that_contradicts_holds_and_any_gating_metric_can():
    silent = reach(agrees=[np.inf, -1, -1, np.inf, np.inf])
    found = walked((outlook("latency"), reach()), (outlook("errors"), silent))
    assert found.paused.all()
    assert found.stage.tolist() == [0]


@pytest.mark.parametrize(("effect", "end"), [(0.05, "promoted"), (0.15, "paused"), (0.3, "reverted")])
def test_the_effect_decides(effect, end):
    limits = reach(caught=[0.2] * 5, advances=[0.1] * 5, promotes=[0.1] * 5)
    assert getattr(walked((outlook("latency"), limits), effects={"latency": effect}), end).all()
