"""What a page tells people to type, typed."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from e2e.chart.helm import ROOT
from e2e.cluster.progress import say

LONGEST = 900


class Shell:
    """A terminal in one folder that keeps what is exported, from one block of commands to the next."""

    def __init__(self, folder: Path, exported: Mapping[str, str] = MappingProxyType({})) -> None:
        self._folder = folder
        # A proxy of this machine is no part of the page; a clone is not what .venv has installed.
        self._kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        self._kept |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'operator'}", **exported}

    def type(self, commands: str) -> int:
        """Exit status of the first command that fails, else 0."""
        kept = self._folder / "environment"
        script = f"set -euo pipefail\n{commands}\nenv -0 >{kept}\n"
        for line in commands.splitlines():
            say(f"$ {line}")
        words = ["bash", "-c", script]
        done = subprocess.run(words, cwd=self._folder, env=self._kept, timeout=LONGEST, check=False)
        if done.returncode == 0:
            lines = kept.read_text().split("\0")
            self._kept = dict(line.split("=", 1) for line in lines if line)
        return done.returncode
