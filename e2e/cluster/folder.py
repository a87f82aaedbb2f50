"""Folders and files that are either whole or not there: made beside their place and renamed into it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def fill(place: Path) -> Iterator[Path]:
    """An empty folder to fill; it becomes `place` when the body ends well and vanishes when not."""
    building = place.parent / ".building" / f"{place.name}.{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        yield building
        shutil.rmtree(place, ignore_errors=True)
        building.rename(place)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """For its owner alone to read; most of what is written so is a secret."""
    beside = path.with_name(f".{path.name}")
    beside.touch(mode=0o600)
    beside.write_text(text)
    beside.replace(path)
