"""The operator dies before and after every single call of a release with a probe in it."""

import pytest

from tests.unit.control.test_crash_anywhere import (
    PARTS,
    PROBES,
    dies_at_each_place,
    dies_in_every_second_pass,
)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", PROBES)
def test_dying_before_or_after_a_call_changes_nothing_in_the_end(name: str, part: int) -> None:
    dies_at_each_place(name, part)


@pytest.mark.parametrize("name", PROBES)
def test_dying_in_every_second_pass_at_another_call_each_time(name: str) -> None:
    dies_in_every_second_pass(name)
