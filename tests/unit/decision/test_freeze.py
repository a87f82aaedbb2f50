"""Freeze windows against the clocks of the world, with the nights in which those are moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from causal_rollouts.decision.decide import decide
from causal_rollouts.decision.freeze import frozen_until, instant
from causal_rollouts.decision.situation import Facts
from causal_rollouts.model.freeze import Recurring, Span
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason
from causal_rollouts.model.switchback import Switchback
from causal_rollouts.model.traffic import Change, Weights
from tests.unit.decision.situations import START, evidence, good_stage, registration

WEEKEND = Recurring("0 18 * * 5", 60 * 3600.0, "Europe/Berlin")
HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_weekend_is_frozen_from_friday_evening_to_monday_morning() -> None:
    assert frozen_until(at("2026-11-27T17:59:59+01:00"), (WEEKEND,)) is None
    assert frozen_until(at("2026-11-27T18:00:00+01:00"), (WEEKEND,)) == at("2026-11-30T06:00:00+01:00")
    assert frozen_until(at("2026-11-30T05:59:59.9+01:00"), (WEEKEND,)) == at("2026-11-30T06:00:00+01:00")
    assert frozen_until(at("2026-11-30T06:00:00+01:00"), (WEEKEND,)) is None


def test_a_weekend_in_which_the_clock_is_moved_lasts_as_long() -> None:
    assert frozen_until(at("2026-03-28T12:00:00+01:00"), (WEEKEND,)) == at("2026-03-30T07:00:00+02:00")
    assert frozen_until(at("2026-10-24T12:00:00+02:00"), (WEEKEND,)) == at("2026-10-26T05:00:00+01:00")


def test_a_start_that_the_night_leaves_out_comes_right_after_it() -> None:
    early = Recurring("30 2 * * *", 600.0, "Europe/Berlin")
    assert frozen_until(at("2026-03-29T03:05:00+02:00"), (early,)) == at("2026-03-29T03:10:00+02:00")


def test_windows_that_touch_are_one_freeze() -> None:
    eve, feast = Span(100.0, 200.0), Span(200.0, 300.0)
    assert frozen_until(150.0, (feast, eve)) == 300.0
    assert frozen_until(50.0, (feast, eve)) is None
    always = Recurring("0 0 * * *", 24 * HOUR, "UTC")
    assert frozen_until(at("2026-05-05T05:05:05+00:00"), (always,)) > at("2026-07-01T00:00:00+00:00")


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo", "UTC"])
CRONS = st.sampled_from(
    ["0 18 * * 5", "30 2 * * *", "30 1 * * 0", "15 0-3 * * *", "0 0 1 * *", "*/20 2 * * *"]
)
NEAR_A_CHANGE = st.sampled_from(["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-06-15"])


@settings(max_examples=150, deadline=None)
@given(CRONS, ZONES, NEAR_A_CHANGE, st.floats(-40 * HOUR, 40 * HOUR), st.integers(60, 20 * 3600))
def test_it_is_frozen_exactly_between_a_start_and_its_end(
    cron: str, zone: str, day: str, offset: float, lasting: int
) -> None:
    """Told forwards from long before, which is not how it is computed."""
    now = at(f"{day}T02:00:00+00:00") + offset
    begin = datetime.fromtimestamp(int(now) - 48 * HOUR, ZoneInfo(zone))
    starts = []
    for tick in CronSim(cron, begin):
        if tick.timestamp() > now:
            break
        starts.append(tick.timestamp())
    window = Recurring(cron, float(lasting), zone)
    covered = any(start <= now < start + lasting for start in starts)
    end = frozen_until(now, (window,))
    assert (end is not None) == covered
    if end is not None:
        assert end > now
        assert frozen_until(end, (window,)) is None
        assert frozen_until(end - 1e-3, (window,)) == end


@given(st.floats(1.7e9, 1.9e9))
def test_an_instant_is_told_in_utc_to_the_second(time: float) -> None:
    told = datetime.strptime(instant(time), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(0) <= datetime.fromtimestamp(time, UTC) - told < timedelta(seconds=1)


FROZEN = registration(freeze=(Span(START, START + 7200),))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stage": 1},
        {"facts": Facts(promote="ann")},
        {"phase": Phase.PREPARING, "stage": -1, "blind": False},
        {"phase": Phase.SHIFTING, "stage": 1},
    ],
)
def test_in_a_freeze_nothing_starts_and_nothing_rises(changes: dict[str, object]) -> None:
    assert decide(good_stage(**changes)).reason is not Reason.FROZEN
    decision = decide(good_stage(reg=FROZEN, **changes))
    assert (decision.act, decision.reason) == (Act.HOLD, Reason.FROZEN)
    assert instant(START + 7200) in decision.because
    assert decide(good_stage(reg=FROZEN, after=7300.0, **changes)).reason is not Reason.FROZEN


def test_a_freeze_keeps_nobody_from_going_home() -> None:
    assert decide(good_stage(reg=FROZEN, seen=evidence(log_harm=5.0))).act is Act.REVERT
    assert decide(good_stage(reg=FROZEN, facts=Facts(abort="ann"))).outcome is Outcome.ABORTED
    assert decide(good_stage(reg=FROZEN, facts=Facts(crash_loop="dies"))).act is Act.REVERT
    assert decide(good_stage(reg=FROZEN, seen=evidence(placebo=8.0))).act is Act.PAUSE


def test_no_probe_begins_in_a_freeze() -> None:
    frozen = registration(freeze=FROZEN.freeze, probe=Switchback(after=1))
    ill = {"seen": evidence(shared=0.2), "shared_since": START}
    assert decide(good_stage(reg=registration(probe=Switchback(after=1)), **ill)).act is Act.PROBE
    assert decide(good_stage(reg=frozen, **ill)).reason is Reason.FROZEN


def test_a_promotion_under_way_and_weights_already_set_are_finished() -> None:
    assert decide(good_stage(reg=FROZEN, phase=Phase.PROMOTING, stage=1)).reason is Reason.ROLLING_OUT
    assert decide(good_stage(reg=FROZEN, phase=Phase.BAKING, stage=1)).reason is Reason.BAKING
    risen = (Change(START - 60, 1, Weights(250, 250), "Shifting"),)
    follows = good_stage(reg=FROZEN, phase=Phase.SHIFTING, stage=1, timeline=risen)
    assert decide(follows).reason is Reason.WAITING_FOR_TRAFFIC
