"""A tick missed and made up later leaves the same evidence, to the bit."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causal_rollouts.evidence import continuous
from causal_rollouts.model.metrics import Margins
from tests.unit.evidence.latency_world import T0, Fleet, draw

MARGINS = Margins(0.05, 0.10)
FLEET = Fleet(stable=11, nodes=4, grows=(2, 3, 4), stage_bins=8, history=44, missing=0.1, effect=0.1)
BINS = FLEET.stage_bins * len(FLEET.grows)
RELEASES = [
    replace(draw(np.random.default_rng(1), FLEET), excluded=frozenset({T0, T0 + 1, T0 + 8, T0 + 9, T0 + 16})),
    replace(draw(np.random.default_rng(2), FLEET), until_stable=T0 + 19),
]


def story(release, cuts):
    """State after absorbing everything, cut at the given bins, each look with the frame of its time."""
    state = continuous.begin(release.frame(T0 - 1), release.part(release.first, T0))
    bounds = [T0, *sorted(cuts), release.end]
    for begin, end in pairwise(bounds):
        state = continuous.absorb(state, release.frame(end - 1), release.part(begin, end))
    return state


def by_id(state):
    ids = (*state.stable, *state.slots)
    table = {i: tuple(s) for i, s in zip(ids, state.sums.tolist(), strict=True)}
    anchors = dict(zip(state.slots, state.anchors.tolist(), strict=True))
    marks = [
        (m.bin, {i: tuple(s) for i, s in zip(ids, m.sums.tolist(), strict=False) if s[0]}, m.service.tolist())
        for m in state.marks
    ]
    return table, anchors, state.pure.tolist(), state.service.tolist(), marks, state.reference


@pytest.mark.parametrize("release", RELEASES)
@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(T0 + 1, T0 + BINS - 1), max_size=BINS - 1))
def test_evidence_does_not_depend_on_how_bins_arrived(release, cuts):
    tick_by_tick = story(release, range(T0 + 1, T0 + BINS))
    otherwise = story(release, cuts)
    np.testing.assert_equal(by_id(otherwise), by_id(tick_by_tick))
    frame = release.frame(release.end - 1)
    np.testing.assert_equal(
        continuous.judge(otherwise, frame, MARGINS), continuous.judge(tick_by_tick, frame, MARGINS)
    )


def test_a_bin_that_was_consumed_is_never_scored_again():
    release = RELEASES[0]
    state = story(release, [T0 + 10])
    again = continuous.absorb(state, release.frame(release.end - 1), release.part(release.first, release.end))
    assert again is state


def test_bins_that_are_not_final_yet_are_left_for_later():
    release = RELEASES[0]
    state = continuous.begin(release.frame(T0 - 1), release.part(release.first, T0))
    state = continuous.absorb(state, release.frame(T0 + 5), release.part(T0, release.end))
    assert state.next_bin == T0 + 6


def test_a_past_that_ends_before_the_release_is_carried_on_without_a_new_fit():
    release = RELEASES[0]
    late = continuous.begin(release.frame(T0 - 3), release.part(release.first, T0 - 2))
    fitted = late.components
    late = continuous.absorb(late, release.frame(T0 - 1), release.part(T0 - 2, T0))
    assert late.next_bin == T0
    assert late.components is fitted


@pytest.mark.parametrize("release", RELEASES)
def test_the_state_holds_nothing_but_what_a_record_can_carry(release):
    state = story(release, [T0 + 10])
    size = sum(a.nbytes for a in (state.sums, state.pure, state.offsets, state.anchors, state.service))
    size += sum(m.sums.nbytes + m.service.nbytes for m in state.marks)
    units = len(state.stable) + len(state.slots)
    assert size <= units * 8 * (2 * (2 + len(release.windows)) + 1) + 100
