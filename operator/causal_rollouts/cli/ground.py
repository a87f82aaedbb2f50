"""What `plan` and `aa` stand on: a manifest with its policy, and the past of the service's own pods."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from causal_rollouts.analysis.past import NoPast, Past, recorded_past
from causal_rollouts.analysis.recording import Recording, read
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.api.resolve import Unresolvable, resolve
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.world import Json

ROLLOUT, POLICY = "CausalRollout", "RolloutPolicy"

NEEDS = (
    "needs the past of the service's own pods: give --prometheus URL (the server that the operator asks), or "
    "--recording DIR (as `record` writes one)"
)
SPARE = 10
"""Bins asked for before a history, so that pods are old enough in its first one."""


@dataclass(frozen=True, slots=True)
class Ground:
    """name: namespace/name of the rollout. source: where the past came from, for people."""

    name: str
    registration: Registration
    past: Past
    source: str


@dataclass(frozen=True, slots=True)
class _Manifest:
    """A CausalRollout, and the spec of its policy where one is at hand."""

    rollout: Json
    policy: Json | None

    def part(self, name: str) -> Json:
        """`metadata` or `spec`, empty where it is missing or something else."""
        found = self.rollout.get(name)
        return found if isinstance(found, Mapping) else {}

    @property
    def namespace(self) -> str:
        """Of the rollout."""
        return str(self.part("metadata").get("namespace") or "default")

    @property
    def name(self) -> str:
        """Of the rollout."""
        return str(self.part("metadata").get("name") or "rollout")

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.namespace}/{self.name}"


async def ground(asked: argparse.Namespace) -> Ground:
    """All of it, from the options `-f`, `--policy` and where the past is to be found.

    Raises:
        Stopped: something is missing or wrong; says which file or field, and the fix.
    """
    if (asked.recording is None) == (not asked.prometheus):
        raise Stopped(f"{asked.verb}: {NEEDS}", Exit.USAGE)
    try:
        return await (_from_prometheus(asked) if asked.recording is None else _from_recording(asked))
    except (BadRecording, NoPast) as error:
        raise Stopped(str(error), Exit.USAGE) from error


async def _from_recording(asked: argparse.Namespace) -> Ground:
    recording = read(asked.recording)
    manifest = _manifest(asked, recording)
    reg = _registration(manifest, recording.run.grid)
    return Ground(manifest.title, reg, recorded_past(reg, recording), str(asked.recording))


async def _from_prometheus(asked: argparse.Namespace) -> Ground:
    # The client is slow to import, and a directory needs none.
    from causal_rollouts.cli.own_past import own_past

    manifest = _manifest(asked, None)
    width = 2.0 * asked.scrape
    reg = _registration(manifest, Grid(width, width + asked.ingest_lag, asked.scrape))
    window = asked.window or reg.times.history + SPARE * width
    return Ground(manifest.title, reg, await own_past(asked, reg, window), asked.prometheus)


def _manifest(asked: argparse.Namespace, recording: Recording | None) -> _Manifest:
    """The rollout of `-f`, else the recorded one; the policy of `--policy`, else one beside the rollout."""
    found = [] if asked.file is None else _documents(asked.file)
    rollouts = [one for one in found if one.get("kind") == ROLLOUT]
    if asked.file is not None and len(rollouts) != 1:
        kinds = ", ".join(str(one.get("kind")) for one in found) or "nothing"
        raise Stopped(f"{asked.file}: holds {kinds}; give a file with one {ROLLOUT}", Exit.USAGE)
    if not rollouts and recording is None:
        raise Stopped(f"{asked.verb}: give the {ROLLOUT} with -f FILE", Exit.USAGE)
    beside = found if asked.policy is None else _documents(asked.policy)
    policies = [one for one in beside if one.get("kind") == POLICY]
    if asked.policy is not None and len(policies) != 1:
        raise Stopped(f"{asked.policy}: holds {len(policies)} {POLICY}; give a file with one", Exit.USAGE)
    spec = policies[0].get("spec") if policies else None
    rollout = rollouts[0] if rollouts or recording is None else recording.manifest
    return _Manifest(rollout, spec if isinstance(spec, Mapping) else None)


def _documents(path: Path) -> list[Json]:
    try:
        found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise Stopped(f"{path}: cannot be read: {error.strerror}; give another file", Exit.USAGE) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = " ".join(str(error).split())
        raise Stopped(f"{path}: is no YAML ({first}); give a manifest", Exit.USAGE) from error
    return [one for one in found if isinstance(one, Mapping)]


def _registration(manifest: _Manifest, grid: Grid) -> Registration:
    try:
        return resolve(
            manifest.part("spec"),
            manifest.policy,
            namespace=manifest.namespace,
            release=f"{manifest.name}-1",
            seed=0,
            grid=grid,
        ).registration
    except Unresolvable as error:
        raise Stopped("\n".join(str(problem) for problem in error.problems), Exit.USAGE) from error
