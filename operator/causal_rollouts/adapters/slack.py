"""A notice as an incoming webhook of Slack takes it; Mattermost and others read the same.

Texts of people and of telemetry pass through here, so the three letters that
Slack gives a meaning are escaped: nobody calls a whole channel by a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Severity

COLOURS: Mapping[Severity, str] = {
    Severity.PAGE: "danger",
    Severity.TICKET: "warning",
    Severity.INFO: "good",
}


def message(notice: Notice) -> tuple[dict[str, str], bytes]:
    """Headers and body."""
    title = f"{notice.severity}: {notice.namespace}/{notice.rollout}: {notice.release}: {notice.cause}"
    fields = {
        "Phase": str(notice.phase or ""),
        "Decision": str(notice.act),
        "Verdict": str(notice.verdict),
        "Step": f"{notice.step}/{notice.steps}",
        "Canary": notice.share,
    }
    body = {
        "text": escaped(title),
        "attachments": [
            {
                "color": COLOURS[notice.severity],
                "fallback": escaped(f"{title}: {notice.because}"),
                "text": escaped(notice.because),
                "fields": [{"title": k, "value": escaped(v), "short": True} for k, v in fields.items()],
                "footer": notice.id,
                "ts": int(notice.time),
            }
        ],
    }
    return {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body, ensure_ascii=False).encode()


def escaped(text: str) -> str:
    """`<!channel>` as a text that calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
