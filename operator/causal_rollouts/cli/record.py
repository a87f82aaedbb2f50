"""`record NAME`: a recording of a running or past release, to be replayed anywhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from causal_rollouts.analysis.recording import write
from causal_rollouts.cli.beside import with_reference
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.past_release import Reach, past_release
from causal_rollouts.cli.printing import as_json, say


async def run(asked: argparse.Namespace, reach: Reach) -> Exit:
    """Write the recording and say what is in it."""
    directory: Path = asked.output
    _must_be_free(directory)
    recording = await with_reference(asked, reach, await past_release(asked, asked.name, reach))
    try:
        write(recording, directory)
    except OSError as error:
        raise Stopped(f"{directory}: cannot be written: {error.strerror}; give another -o DIR") from error
    counts = {
        "pods": len(recording.pods),
        "looks": len(recording.looks or ()),
        "series": len(recording.series),
        "samples": sum(len(series.times) for series in recording.series),
    }
    if asked.format == "json":
        say(as_json({"directory": str(directory), "release": recording.run.release, **counts}))
    else:
        said = ", ".join(f"{count} {what}" for what, count in counts.items())
        say(f"{directory}: {recording.run.release}: {said}")
    return Exit.OK


def _must_be_free(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Stopped(f"{directory}: is there already; give -o a new or empty directory", Exit.USAGE)
