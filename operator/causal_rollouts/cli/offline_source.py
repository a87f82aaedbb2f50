"""The Prometheus of a command that asks one, from the options that all of them share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.cli.exits import Exit, Stopped

if TYPE_CHECKING:
    from causal_rollouts.adapters.prometheus_offline import OfflinePrometheus


def source_settings(asked: argparse.Namespace) -> SourceSettings:
    """What --prometheus, --token-file and the names of labels say."""
    return SourceSettings(
        asked.prometheus,
        token_file=asked.token_file,
        pod_label=asked.pod_label,
        namespace_label=asked.namespace_label,
    )


def offline_connect() -> Callable[[SourceSettings], AbstractContextManager[OfflinePrometheus]]:
    """The client's `connect`, imported when it is needed.

    Raises:
        Stopped: the client is not installed.
    """
    try:
        from causal_rollouts.adapters.prometheus_offline import connect
    except ImportError as error:
        raise Stopped(
            f"--prometheus needs {error.name}; install causal-rollouts[offline]", Exit.UNEXPECTED
        ) from error
    return connect
