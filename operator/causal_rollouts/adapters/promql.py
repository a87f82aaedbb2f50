"""PromQL from structure: nothing that a user wrote is ever pasted into a query.

Names are checked, values are escaped, and the namespace is forced, so a
manifest can ask for no series but those of its own pods.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from causal_rollouts.ports import Refused, Scope

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def selector(
    names: Sequence[str], scope: Scope, *, pod_label: str = "pod", namespace_label: str = "namespace"
) -> str:
    """Instant selector of these series for these pods.

    Raises:
        Refused: a name is not one that Prometheus knows.
    """
    for name in names:
        if not METRIC_NAME.fullmatch(name):
            raise Refused(f'"{name}" is no metric name; use letters, digits, _ and :')
    for label in (pod_label, namespace_label):
        if not LABEL_NAME.fullmatch(label) or label == "__name__":
            raise Refused(f'"{label}" is no label name; use letters, digits and _, and not __name__')
    if not scope.namespace or not scope.pods:
        raise Refused("a query needs a namespace and at least one pod")
    # A metric may be called `sum` or `nan`, which before the braces is no name: all names stand inside.
    which = quoted(names[0]) if len(names) == 1 else quoted("|".join(re.escape(name) for name in names))
    matchers = [
        f"__name__{'=' if len(names) == 1 else '=~'}{which}",
        f"{namespace_label}={quoted(scope.namespace)}",
        f"{pod_label}=~{quoted('|'.join(re.escape(pod) for pod in scope.pods))}",
    ]
    return f"{{{','.join(matchers)}}}"


def over(instant: str, seconds: float) -> str:
    """Range selector: the raw samples of the last `seconds` before the query's time."""
    return f"{instant}[{max(1, round(seconds * 1000))}ms]"


def quoted(value: str) -> str:
    """A PromQL string: backslash, quote and line ends escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
