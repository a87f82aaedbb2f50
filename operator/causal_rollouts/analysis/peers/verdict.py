"""What another tool's rule would have done with a release."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerVerdict:
    """failed: it would have rolled back. at: seconds from the first weight on the candidate, else None."""

    failed: bool
    at: float | None
    why: str


PASSED = PeerVerdict(failed=False, at=None, why="")
"""Nothing was held against the release as far as it was recorded."""
