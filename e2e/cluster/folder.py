"""A folder that is either whole or not there: filled beside its place and renamed into it."""

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
