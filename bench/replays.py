"""Replay of a 70-minute recording of 30 pods, beyond the start-up of the interpreter and its imports."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from bench import clock, fleets
from causal_rollouts.analysis.recording import write

ONCE = """
import sys, time
from pathlib import Path
from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.replay import replay
import causal_rollouts.cli.replay
a = time.perf_counter(), time.process_time()
recording = read(Path(sys.argv[1]))
b = time.perf_counter(), time.process_time()
ticks = sum(1 for line in replay(recording) if line.json())
c = time.perf_counter(), time.process_time()
print(ticks, b[0] - a[0], c[0] - b[0], c[1] - a[1])
"""
"""A process of its own each time: nothing is warm but the disk."""


def report() -> None:
    recording = fleets.seventy_minutes()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "recording"
        write(recording, path)
        runs = [_once(path) for _ in range(5)]
        whole = clock.of_process(["-m", "causal_rollouts.cli.main", "replay", str(path), "-o", "jsonl"], 3)
    start = clock.of_process(["-c", "import causal_rollouts.cli.replay"], 3)
    ticks, reading, deciding, cpu = min(runs, key=lambda run: run[3])
    first = min(s.times[0] for s in recording.series)
    minutes = (max(s.times[-1] for s in recording.series) - first) / 60
    samples = sum(len(s.times) for s in recording.series)
    print(f"replay of {minutes:.0f} min, {len(recording.pods)} pods, {samples} samples, {ticks:.0f} ticks")
    print(f"  reading the recording        {clock.ms(reading):>10} wall")
    print(
        f"  deciding every tick          {clock.ms(deciding):>10} wall  {clock.ms(deciding / ticks)} a tick"
    )
    print(f"  both                         {clock.ms(cpu):>10} CPU   budget 1000 ms")
    print(f"  faster than life             {60 * minutes / (reading + deciding):>7.0f} x")
    imports = clock.ms(start.wall)
    print(f"  whole command                {clock.ms(whole.wall):>10} wall  of which imports {imports}")


def _once(path: Path) -> tuple[float, float, float, float]:
    ran = subprocess.run(
        [sys.executable, "-c", ONCE, str(path)], check=True, stdout=subprocess.PIPE, text=True, timeout=300
    )
    ticks, reading, deciding, cpu = map(float, ran.stdout.split())
    return ticks, reading, deciding, cpu
