"""The two halves of every pitfall: the obvious way is wrong, and ours is not. Rates are printed by -v."""

from __future__ import annotations

import math

import numpy as np
import pytest

FOUND: list[tuple[str, str, str, str]] = []


@pytest.fixture
def exposes():
    """Assert that the naive test errs more than twice as often as it says, and that ours keeps its word."""

    def check(pitfall: str, naive, ours, nominal: float = 0.05) -> None:
        runs = len(ours)
        wrong, kept = float(np.mean(naive)), float(np.mean(ours))
        bound = nominal + 3.0 * math.sqrt(nominal * (1.0 - nominal) / runs)
        FOUND.append((pitfall, f"{wrong:.3f}", f"{kept:.3f}", f"{nominal:g} ({runs} runs: {bound:.3f})"))
        assert wrong > 2.0 * nominal, f"{pitfall}: the naive way fires in {wrong:.3f}"
        assert kept <= bound, f"{pitfall}: ours fires in {kept:.3f}, more than {nominal} + 3 standard errors"

    return check


@pytest.fixture
def misses():
    """Assert that the naive estimate is off by ten standard errors and ours by no more than three."""

    def check(pitfall: str, naive, ours, truth: float) -> None:
        off = [
            (float(np.mean(x)) - truth, float(np.std(x, ddof=1)) / math.sqrt(len(x))) for x in (naive, ours)
        ]
        said = [f"{truth + bias:.3f} (se {se:.3f})" for bias, se in off]
        FOUND.append((pitfall, said[0], said[1], f"truth {truth:.3f}"))
        assert abs(off[0][0]) > 10.0 * off[0][1], f"{pitfall}: the naive way finds {said[0]} for {truth:.3f}"
        assert abs(off[1][0]) <= 3.0 * off[1][1], f"{pitfall}: ours finds {said[1]} for {truth:.3f}"

    return check


def pytest_terminal_summary(terminalreporter, config):
    if config.option.verbose > 0 and FOUND:
        terminalreporter.section("pitfalls: naive, ours, nominal (runs: bound)")
        for row in FOUND:
            terminalreporter.write_line("| " + " | ".join(row) + " |")
