"""The wheel of one commit is the same bytes wherever and whenever it is built."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from e2e.api.manifests import ROOT

INTO_IT = ("pyproject.toml", "README.md", "LICENSE")


def built(folder: Path, *, when: float, epoch: str) -> Path:
    """From a copy of the sources whose files are of another time."""
    shutil.copytree(ROOT / "operator", folder / "operator", ignore=shutil.ignore_patterns("__pycache__"))
    for name in INTO_IT:
        shutil.copy(ROOT / name, folder / name)
    for path in folder.rglob("*"):
        os.utime(path, (when, when))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out"],
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        check=True,
        capture_output=True,
    )
    (wheel,) = (folder / "out").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    places = [tmp_path_factory.mktemp(name) for name in ("here", "elsewhere")]
    return [built(p, when=1.6e9 + 1e7 * i, epoch="1700000000") for i, p in enumerate(places)]


def test_two_builds_are_the_same_bytes(wheels):
    first, second = (hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels)
    assert first == second
    assert wheels[0].name == wheels[1].name


def test_it_holds_the_package_and_nothing_else(wheels):
    names = zipfile.ZipFile(wheels[0]).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"causal_rollouts", "causal_rollouts-0.1.0.dist-info"}
    assert not [name for name in names if "/tests/" in name or name.endswith(".pyc")]
    assert "causal_rollouts/runtime/app.py" in names
