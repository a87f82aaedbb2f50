"""Comparisons that also keep book, for the table in docs/statistics.md (pytest -v prints it)."""

from __future__ import annotations

import numpy as np
import pytest

FOUND: dict[tuple[str, str], float] = {}


@pytest.fixture
def agree():
    """Assert that our numbers are theirs, and remember the largest difference of each pair."""

    def check(function: str, oracle: str, ours, theirs, within: float = 1e-8) -> None:
        apart = float(np.max(np.abs(np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float))))
        key = (function, oracle)
        FOUND[key] = max(FOUND.get(key, 0.0), apart)
        assert apart <= within, f"{function} against {oracle}: {ours} is not {theirs}"

    return check


def pytest_terminal_summary(terminalreporter, config):
    if config.option.verbose > 0 and FOUND:
        terminalreporter.section("largest differences from the oracles")
        for (function, oracle), apart in sorted(FOUND.items()):
            terminalreporter.write_line(f"| `{function}` | {oracle} | {apart:.1e} |")
