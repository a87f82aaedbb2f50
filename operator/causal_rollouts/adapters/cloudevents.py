"""A notice as a CloudEvent 1.0, in both content modes of its HTTP binding.

`id` with `source` is the key that duplicates are dropped by: delivery is at
least once, and what is sent again has the same two.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import quote

from causal_rollouts.adapters.kube import GROUP, Object
from causal_rollouts.model.notices import Notice

STRUCTURED = "application/cloudevents+json; charset=utf-8"
TYPE = "dev.causalrollouts.release"
_AS_IT_IS = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')
"""What a header value of the binding carries as it is; all else is percent-encoded, line ends too."""


def event(notice: Notice) -> Object:
    """The event in JSON format."""
    return {**attributes(notice), "datacontenttype": "application/json", "data": data(notice)}


def structured(notice: Notice) -> tuple[dict[str, str], bytes]:
    """Headers and body: the whole event is the body."""
    return {"Content-Type": STRUCTURED}, json.dumps(event(notice), ensure_ascii=False).encode()


def binary(notice: Notice) -> tuple[dict[str, str], bytes]:
    """Headers and body: attributes are headers, the body is the data."""
    headers = {f"ce-{name}": quote(value, safe=_AS_IT_IS) for name, value in attributes(notice).items()}
    body = json.dumps(data(notice), ensure_ascii=False).encode()
    return {**headers, "Content-Type": "application/json"}, body


def attributes(notice: Notice) -> dict[str, str]:
    """Context attributes. `severity` is an extension."""
    return {
        "specversion": "1.0",
        "id": notice.id,
        "source": f"/namespaces/{notice.namespace}/rolloutrecords/{notice.release}/{notice.record_uid}",
        "type": f"{TYPE}.{notice.cause}",
        "subject": f"{notice.namespace}/{notice.rollout}",
        "time": when(notice),
        "severity": str(notice.severity).lower(),
    }


def data(notice: Notice) -> Object:
    """What happened."""
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "namespace": notice.namespace,
        "rollout": notice.rollout,
        "release": notice.release,
        "seq": notice.seq,
        "phase": str(notice.phase or ""),
        "act": str(notice.act),
        "cause": notice.cause,
        "severity": str(notice.severity),
        "verdict": str(notice.verdict),
        "message": notice.because,
        "step": notice.step,
        "steps": notice.steps,
        "weight": notice.share,
    }


def when(notice: Notice) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(notice.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
