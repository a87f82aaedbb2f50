"""Total effect, same-node effect and spill-over of a world in which all three are known."""

from __future__ import annotations

import numpy as np
import pytest

from causal_rollouts.stats.change_scores import contrast
from causal_rollouts.stats.exposure_classes import exposure


def nodes(tau=1.0, spill=0.5, noise=0.0, seed=0):
    """The statistics page, S5a: ten nodes of four pods, four canaries on four nodes."""
    rng = np.random.default_rng(seed)
    node = np.repeat(np.arange(10), 4)
    treated = np.zeros(40, dtype=bool)
    treated[[0, 4, 8, 12]] = True
    touched = node < 4
    d = tau * treated + spill * (~treated & touched) + noise * rng.standard_normal(40)
    return d, treated, touched, np.zeros(40, dtype=np.int64)


def test_each_contrast_answers_its_own_question():
    found = exposure(*nodes())
    assert found.total.estimate == pytest.approx(1.0, abs=1e-12)
    assert found.switch.estimate == pytest.approx(0.5, abs=1e-12)
    assert found.spill.estimate == pytest.approx(0.5, abs=1e-12)
    d, treated, _, stratum = nodes()
    assert contrast(d, treated, stratum).estimate == pytest.approx(1 - 0.5 * 12 / 36, abs=1e-12)


def test_with_one_stratum_the_total_effect_is_the_contrast_with_pure_controls():
    d, treated, touched, stratum = nodes(noise=0.3)
    pure = treated | ~touched
    found = exposure(d, treated, touched, stratum)
    assert found.total.estimate == pytest.approx(contrast(d[pure], treated[pure]).estimate, abs=1e-12)


def test_a_class_without_units_is_not_made_up():
    d, treated, touched, stratum = nodes()
    away = exposure(
        d[treated | ~touched], treated[treated | ~touched], touched[treated | ~touched], stratum[:28]
    )
    assert away.spill is None
    assert away.switch is None
    assert away.total.estimate == pytest.approx(1.0)
    near = exposure(d[touched], treated[touched], touched[touched], stratum[:16])
    assert near.total is None
    assert near.spill is None
    assert near.switch.estimate == pytest.approx(0.5)
