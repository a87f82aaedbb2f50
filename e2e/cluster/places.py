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
        cache = Path(environ.get("CAUSAL_ROLLOUTS_CACHE") or home / ".cache" / "causal-rollouts").absolute()
        # Who may not write there cannot run the recipe, but may use kind or a cluster of somebody else's.
        system = os.access("/run", os.W_OK)
        run = environ.get("CAUSAL_ROLLOUTS_RUN") or (
            "/run/causal-rollouts" if system else cache / "running" / "run"
        )
        data = environ.get("CAUSAL_ROLLOUTS_DATA") or (
            "/var/lib/causal-rollouts" if system else cache / "running" / "data"
        )
        return cls(cache, Path(run).absolute(), Path(data).absolute())

    def environment(self) -> dict[str, str]:
        """What `of` makes these same places of."""
        return {
            "CAUSAL_ROLLOUTS_CACHE": str(self.cache),
            "CAUSAL_ROLLOUTS_RUN": str(self.run),
            "CAUSAL_ROLLOUTS_DATA": str(self.data),
        }

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def pki(self) -> Path:
        return self.run / "pki"


def places() -> Places:
    return Places.of(os.environ)
