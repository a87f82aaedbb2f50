"""Memory over time, called flat or not."""

import pytest

from e2e.soak.flat import flat


def test_what_fills_its_caches_and_stays_there_is_flat():
    found = flat([100.0, 120.0, 140.0, 150.0, 151.0, 150.0, 152.0, 151.0, 153.0, 150.0, 152.0, 154.0])
    assert found.quarters == (120.0, 150.0, 152.0, 152.0)
    assert found.ok


def test_what_goes_on_growing_is_not():
    found = flat([100.0 + i for i in range(40)])
    assert found.growth == pytest.approx(134.5 / 114.5 - 1.0)
    assert not found.ok


def test_a_single_peak_is_no_growth():
    assert flat([100.0] * 38 + [900.0, 100.0]).ok


def test_too_few_samples_tell_nothing():
    with pytest.raises(ValueError, match="7 samples are too few"):
        flat([1.0] * 7)
