"""Who wrote what, from the API server's audit log: all writes but those of Kubernetes' own parts."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any


def events(log: Path, account: str, began: float, ended: float) -> Iterator[dict[str, Any]]:
    """Of accounts that begin so, between two instants. Dry runs are none: they write nothing."""
    for line in log.read_text().splitlines():
        event = json.loads(line)
        when = datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
        dry = "dryRun=" in event.get("requestURI", "")
        if began <= when <= ended and not dry and event["user"]["username"].startswith(account):
            yield event
