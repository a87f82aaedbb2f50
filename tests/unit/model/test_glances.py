"""The times of looks survive the record to the millisecond, in few bytes."""

from hypothesis import given
from hypothesis import strategies as st

from causal_rollouts.model import glances
from causal_rollouts.model.glances import KEPT, Glance, exact, noted, written

TIMES = st.floats(1.5e9, 4e9).map(exact)


@given(st.lists(st.builds(Glance, TIMES, st.booleans())))
def test_what_is_written_is_read_again_exactly(found):
    assert glances.read(written(tuple(found))) == tuple(found)


def test_of_a_source_that_stays_away_only_the_first_glance_is_kept():
    seen = ()
    for time, away in ((1.0, False), (2.0, True), (3.0, True), (4.0, False), (5.0, True)):
        seen = noted(seen, time, away=away)
    assert seen == (Glance(1.0), Glance(2.0, away=True), Glance(4.0), Glance(5.0, away=True))


def test_a_day_of_looks_stays_under_ten_kilobytes():
    seen = ()
    for i in range(2 * KEPT):
        seen = noted(seen, exact(1.8e9 + 30.0 * i + 0.0421 * (i % 7)), away=False)
    assert len(seen) == KEPT
    assert len(written(seen)) < 10_000
