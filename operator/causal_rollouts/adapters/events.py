"""Kubernetes events about a rollout: a courtesy, never a reason to fail."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from causal_rollouts.adapters.kube import EVENT, GROUP, ROLLOUT, Kube, Object
from causal_rollouts.model.reasons import Act, Reason
from causal_rollouts.ports import Broken, Clock, NotYet, Refused, Rollout

LONGEST = 1024
"""Bytes of an event's note that the API server takes."""

ALARMING = frozenset({Act.REVERT, Act.PAUSE})
WARNINGS = frozenset({str(Reason.FOOTPRINT_GREW), str(Reason.OVER_HEADROOM)})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KubeRecorder:
    """Recorder over events.k8s.io. instance: which copy of the operator speaks."""

    kube: Kube
    clock: Clock
    instance: str = "operator"

    async def tell(self, rollout: Rollout, act: Act, reason: str, message: str) -> None:
        """One event. Never raises."""
        try:
            await self.kube.create(EVENT, rollout.key.namespace, self._event(rollout, act, reason, message))
        except (NotYet, Refused, Broken) as error:
            log.warning("event %s of %s was not written: %s", reason, rollout.key, error)

    def _event(self, rollout: Rollout, act: Act, reason: str, message: str) -> Object:
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        what = f"{rollout.uid}/{now.isoformat()}/{act}/{reason}/{message}"
        return {
            "metadata": {
                "name": f"{rollout.key.name}.{hashlib.sha256(what.encode()).hexdigest()[:16]}",
                "namespace": rollout.key.namespace,
            },
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"{GROUP}/operator",
            "reportingInstance": self.instance,
            "action": str(act),
            "reason": reason,
            "type": "Warning" if act in ALARMING or reason in WARNINGS else "Normal",
            "note": shorten(message),
            "regarding": {
                "apiVersion": ROLLOUT.api_version,
                "kind": ROLLOUT.kind,
                "namespace": rollout.key.namespace,
                "name": rollout.key.name,
                "uid": rollout.uid,
            },
        }


def shorten(text: str) -> str:
    """At most `LONGEST` bytes, never half a letter."""
    return text.encode()[:LONGEST].decode(errors="ignore")
