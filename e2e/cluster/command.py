"""Running a program to its end: bounded, quiet when it succeeds, telling when it fails."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from e2e.cluster.trouble import ClusterTrouble


def run(
    argv: Sequence[str | Path],
    *,
    seconds: float = 60,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
) -> str:
    """Standard output of `argv`; ClusterTrouble with the end of its complaint when it fails or is slow."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClusterTrouble(f"{' '.join(words[:6])}: not done after {seconds:.0f} s") from None
    except FileNotFoundError:
        raise ClusterTrouble(f"{words[0]}: no such program") from None
    if check and done.returncode != 0:
        complaint = (done.stderr or done.stdout).strip()[-800:]
        raise ClusterTrouble(f"{' '.join(words[:6])}: exit status {done.returncode}: {complaint}")
    return done.stdout
