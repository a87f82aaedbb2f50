"""A release is made from its tag alone: whatever does not fit is refused before anything is built."""

import shutil
import subprocess
from pathlib import Path

import pytest

from e2e.api.manifests import ROOT

VERSION = "7.8.9"
TAG = f"v{VERSION}"
FITTING = {
    "pyproject.toml": f'version = "{VERSION}"\n',
    "charts/causal-rollouts/Chart.yaml": f"version: {VERSION}\nappVersion: {VERSION}\n",
    "CHANGELOG.md": f"## [{VERSION}] - 2026-11-28\n",
    ".gitignore": "dist/\n",
}
BEYOND = "the build begins"


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def repository(folder: Path, **instead: str) -> Path:
    """One commit of what the script reads, and the script; where it would build, it says so and ends."""
    for name, text in {**FITTING, **instead}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "release.sh", folder / "scripts")
    venv = folder / "scripts" / "venv.sh"
    venv.write_text(f"#!/bin/sh\necho {BEYOND} >&2\nexit 7\n")
    venv.chmod(0o755)
    (folder / "dist").mkdir()
    (folder / "dist" / "of-an-earlier-one").touch()
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "One")
    return folder


def release(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["scripts/release.sh", *words], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode != 0
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("pyproject.toml", 'version = "7.8.8"\n', "pyproject.toml: version is not 7.8.9"),
        (
            "charts/causal-rollouts/Chart.yaml",
            f"version: 7.8.8\nappVersion: {VERSION}\n",
            "Chart.yaml: version is not 7.8.9",
        ),
        (
            "charts/causal-rollouts/Chart.yaml",
            f"version: {VERSION}\nappVersion: 7.8.8\n",
            "Chart.yaml: appVersion is not 7.8.9",
        ),
        ("CHANGELOG.md", "## [Unreleased]\n", "CHANGELOG.md has no section [7.8.9]"),
    ],
)
def test_a_file_that_names_another_version_is_told(tmp_path, file, text, said):
    folder = repository(tmp_path, **{file: text})
    git(folder, "tag", TAG)
    assert release(folder, TAG) == said
    assert (folder / "dist" / "of-an-earlier-one").exists(), "it began before it knew"


def test_a_commit_without_the_tag_and_a_changed_tree_are_refused(tmp_path):
    folder = repository(tmp_path)
    assert release(folder, TAG) == f"HEAD is not {TAG}; check the tag out"
    git(folder, "tag", TAG)
    (folder / "new.txt").touch()
    assert release(folder, TAG) == "the tree has changes; commit or drop them"


def test_where_all_fits_it_builds_and_begins_with_what_builds_need(tmp_path):
    folder = repository(tmp_path)
    git(folder, "tag", TAG)
    assert release(folder, TAG) == BEYOND
