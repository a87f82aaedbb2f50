"""Renders the reasons of the gate into a page: one that stands in an alert is looked up there.

`python -m causal_rollouts.cli.meanings_page` writes `docs/reasons.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from causal_rollouts.cli.meanings import MEANINGS

HEAD = """<!-- Rendered by `make crds`; edit operator/causal_rollouts/cli/meanings.py instead. -->
# Reasons

Why the gate does what it does, in one word each: the reason of the condition `Ready` while a release
runs, of events, and of every decision in a record. `causal-rollouts explain NAME` prints the same words with
the figures of the release. What verdicts are is in [concepts](concepts.md#verdicts).
"""


def page() -> str:
    """The whole page, in the order of the reasons."""
    parts = [
        f"\n## {reason}\n\n{meaning.what}\n" + (f"\n**Do.** {meaning.fix}\n" if meaning.fix else "")
        for reason, meaning in MEANINGS.items()
    ]
    return HEAD + "".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reasons.md").write_text(page(), encoding="utf-8")
