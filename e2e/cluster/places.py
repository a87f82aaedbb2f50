"""Where the cluster keeps things: what can be built again, what runs now, and what is big."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """cache: built parts, kept. run: pids, keys, sockets, logs. data: etcd, images, series."""

    cache: Path
    run: Path
    data: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Places":
        home = Path(environ.get("HOME", "/root"))
        cache = environ.get("CAUSAL_ROLLOUTS_CACHE") or str(home / ".cache" / "causal-rollouts")
        run = environ.get("CAUSAL_ROLLOUTS_RUN") or "/run/causal-rollouts"
        data = environ.get("CAUSAL_ROLLOUTS_DATA") or "/var/lib/causal-rollouts"
        return cls(Path(cache).absolute(), Path(run).absolute(), Path(data).absolute())

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def pki(self) -> Path:
        return self.run / "pki"


def places() -> Places:
    return Places.of(os.environ)
