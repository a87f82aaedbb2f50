"""All rules of other tools over one release.

Each is named after the tool and the setting that makes a difference: what the
threshold stands on where it needs one, and how many failures it forgives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from causal_rollouts.analysis.peers.argo import AnalysisRun
from causal_rollouts.analysis.peers.flagger import Flagger
from causal_rollouts.analysis.peers.kayenta import Kayenta
from causal_rollouts.analysis.peers.limits import Ground
from causal_rollouts.analysis.peers.pipecd import AnalysisStage
from causal_rollouts.analysis.peers.verdict import PeerVerdict
from causal_rollouts.analysis.peers.watched import Watched


class Peer(Protocol):
    """A rule with its settings."""

    def judge(self, watched: Watched) -> PeerVerdict:
        """What it would have done with a release."""


PEERS: Mapping[str, Peer] = {
    "Flagger, usual": Flagger(),
    "Flagger, worst": Flagger(ground=Ground.WORST),
    "Argo, usual": AnalysisRun(),
    "Argo, worst": AnalysisRun(ground=Ground.WORST),
    "Argo, usual, limit 3": AnalysisRun(failure_limit=3),
    "Argo, worst, limit 3": AnalysisRun(failure_limit=3, ground=Ground.WORST),
    "Kayenta": Kayenta(),
    "Kayenta, our margins": Kayenta(own_margins=True),
    "Kayenta, our margins, one run": Kayenta(interval=3600.0, own_margins=True),
    "PipeCD, limit 0": AnalysisStage(failure_limit=0),
    "PipeCD, limit 1": AnalysisStage(),
}
"""By name."""


def beside(watched: Watched) -> dict[str, PeerVerdict]:
    """The verdict of each."""
    return {name: peer.judge(watched) for name, peer in PEERS.items()}
