"""A recording: everything a decision needs, in a directory, so that it can be taken again without a cluster.

What a live gate did and what an imagined gate would have done are told apart
by one file only: with looks.jsonl a replay looks when the operator looked. What
it saw of pods, routes and people then is in moments.jsonl.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import yaml

from causal_rollouts.analysis import rows
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.analysis.samples import read_samples, write_samples
from causal_rollouts.api.plain import NotPlain, from_plain, sparse, to_plain
from causal_rollouts.decision.moments import Moment
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.people import Approval
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.telemetry import Look, Series
from causal_rollouts.model.traffic import Change

T = TypeVar("T")
Timed = TypeVar("Timed", Look, Moment)

DEFAULT_GRID = Grid(width=30.0, delay=32.0, scrape=15.0)
"""The operator's own defaults, in force where a recording has no run.json."""

BESIDE = "reference"
"""The directory in it that holds the recording of its reference, where there is one."""

FILES = ("rollout.yaml", "pods.json", "timeline.json", "samples.jsonl.gz")
"""Without these there is no recording; the others may be missing."""


@dataclass(frozen=True, slots=True)
class Run:
    """How the operator ran. source: where samples came from; labels: our word -> label name there.

    scatter: what the release had registered of fresh pods.
    """

    grid: Grid = DEFAULT_GRID
    seed: int = 0
    release: str = ""
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    scatter: tuple[Scatter, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """One release as it was seen. manifest: the CausalRollout as applied, policy resolved into it.

    looks: as the operator really looked, or None where nobody did. approvals: by people, oldest first.
    reference: of a service that the release did not reach, over the same time.
    moments: what decisions stood on besides evidence; none where nobody looked.
    """

    manifest: Mapping[str, object]
    pods: tuple[Pod, ...]
    timeline: tuple[Change, ...]
    run: Run
    series: tuple[Series, ...]
    looks: tuple[Look, ...] | None = None
    approvals: tuple[Approval, ...] = ()
    reference: Recording | None = None
    moments: tuple[Moment, ...] = ()

    @property
    def own_series(self) -> tuple[Series, ...]:
        """Those of the pods of the release; a source may have told of others too."""
        names = {pod.name for pod in self.pods}
        return tuple(series for series in self.series if series.labels.get("pod") in names)


def read(directory: Path, *, staged: bool = True) -> Recording:
    """Read a recording directory. staged: it is one of a release, so a stage must have begun.

    Raises:
        BadRecording: a file is missing or says something that cannot be; the message names it and the fix.
    """
    if not directory.is_dir():
        raise BadRecording(f"{directory}: is no directory; give the directory of a recording")
    absent = [name for name in FILES if not (directory / name).is_file()]
    if absent:
        raise BadRecording(f"{directory}: {', '.join(absent)} missing; a recording needs {', '.join(FILES)}")
    return Recording(
        manifest=_manifest(directory / "rollout.yaml"),
        pods=_pods(directory / "pods.json"),
        timeline=_timeline(directory / "timeline.json", staged=staged),
        run=_run(directory / "run.json"),
        series=_unit_named(read_samples(directory / "samples.jsonl.gz"), directory),
        looks=_looks(directory / "looks.jsonl"),
        approvals=_approvals(directory / "approvals.json"),
        reference=_reference(directory / BESIDE),
        moments=_moments(directory / "moments.jsonl"),
    )


def write(recording: Recording, directory: Path) -> None:
    """Write a recording directory; files of an earlier one are overwritten."""
    directory.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dict(recording.manifest), sort_keys=False)
    (directory / "rollout.yaml").write_text(text)
    _dump(directory / "pods.json", [rows.pod_row(pod) for pod in recording.pods])
    _dump(directory / "timeline.json", [rows.change_row(change) for change in recording.timeline])
    run = recording.run
    _dump(
        directory / "run.json",
        {
            "bin": run.grid.width,
            "delay": run.grid.delay,
            "scrape": run.grid.scrape,
            "seed": run.seed,
            "release": run.release,
            "source": run.source,
            "labels": dict(run.labels),
            **({"scatter": to_plain(run.scatter)} if run.scatter else {}),
        },
    )
    (directory / "approvals.json").unlink(missing_ok=True)
    if recording.approvals:
        _dump(directory / "approvals.json", to_plain(recording.approvals))
    looks = recording.looks
    _dump_lines(directory / "looks.jsonl", None if looks is None else [rows.look_row(look) for look in looks])
    _dump_lines(directory / "moments.jsonl", [sparse(one) for one in recording.moments] or None)
    write_samples(directory / "samples.jsonl.gz", recording.series)
    shutil.rmtree(directory / BESIDE, ignore_errors=True)
    if recording.reference is not None:
        write(recording.reference, directory / BESIDE)


def _reference(directory: Path) -> Recording | None:
    if not directory.exists():
        return None
    try:
        return read(directory, staged=False)
    except BadRecording as error:
        raise BadRecording(f"{directory.name}: {error}") from None


def _manifest(path: Path) -> Mapping[str, object]:
    try:
        found = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadRecording(f"{path.name}: is no YAML ({error}); write the CausalRollout as applied") from None
    manifest = rows.mapping(found, path.name)
    if manifest.get("kind") != "CausalRollout":
        raise BadRecording(
            f"{path.name}: kind is {manifest.get('kind')!r}; write the CausalRollout as applied, its policy "
            "resolved into it"
        )
    return manifest


def _pods(path: Path) -> tuple[Pod, ...]:
    found = rows.rows(_json(path), path.name)
    pods = tuple(rows.pod(row, f"{path.name}[{i}]") for i, row in enumerate(found))
    seen: set[str] = set()
    for i, pod in enumerate(pods):
        if pod.name in seen:
            raise BadRecording(f"{path.name}[{i}].pod: {pod.name!r} is there twice; give each pod one row")
        seen.add(pod.name)
    return pods


def _timeline(path: Path, *, staged: bool) -> tuple[Change, ...]:
    found = rows.rows(_json(path), path.name)
    timeline = tuple(rows.change(row, f"{path.name}[{i}]") for i, row in enumerate(found))
    for i, (before, after) in enumerate(pairwise(timeline), start=1):
        if after.time < before.time:
            raise BadRecording(
                f"{path.name}[{i}].time: {after.time} lies before {before.time} of the row above; sort them"
            )
    if staged and all(change.stage is None for change in timeline):
        raise BadRecording(f"{path.name}: no change has a stage; give the first stage as 0")
    return timeline


def _approvals(path: Path) -> tuple[Approval, ...]:
    if not path.is_file():
        return ()
    return _each(Approval, _json(path), path.name, "write user, stage, act and time of each")


def _run(path: Path) -> Run:
    if not path.is_file():
        return Run()
    found = rows.mapping(_json(path), path.name)
    seed = found.get("seed", 0)
    if not isinstance(seed, int):
        raise BadRecording(f"{path.name}.seed: {seed!r} is no integer")
    return Run(
        grid=rows.grid(found, path.name),
        seed=seed,
        release=rows.text(found, "release", path.name),
        source=rows.text(found, "source", path.name),
        labels={k: str(v) for k, v in rows.mapping(found.get("labels") or {}, f"{path.name}.labels").items()},
        scatter=_scatter(found.get("scatter") or [], f"{path.name}.scatter"),
    )


def _scatter(found: object, where: str) -> tuple[Scatter, ...]:
    known = _each(Scatter, found, where, "give metric, ratio and df of each")
    for one in known:
        if not (0.0 <= one.ratio < math.inf and 0.0 < one.df < math.inf):
            raise BadRecording(f"{where}: ratio {one.ratio}, df {one.df}: a ratio from 0 up, df above 0")
    return known


def _each(kind: type[T], found: object, where: str, fix: str) -> tuple[T, ...]:
    """The rows of a list, each as one of a kind."""
    try:
        return tuple(from_plain(kind, row) for row in rows.rows(found, where))
    except NotPlain as error:
        raise BadRecording(f"{where}: {error}; {fix}") from None


def _looks(path: Path) -> tuple[Look, ...] | None:
    if not path.is_file():
        return None
    return tuple(_by_time((rows.look(row, where), where) for row, where in _lines(path, "look")))


def _moments(path: Path) -> tuple[Moment, ...]:
    if not path.is_file():
        return ()
    return tuple(_by_time((_moment(row, where), where) for row, where in _lines(path, "moment")))


def _moment(row: object, where: str) -> Moment:
    try:
        return from_plain(Moment, row)
    except NotPlain as error:
        raise BadRecording(
            f"{where}: {error}; give time and standing of each, as `record` writes it"
        ) from None


def _lines(path: Path, what: str) -> Iterator[tuple[object, str]]:
    """Each line that is not empty, and where it stands."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        where = f"{path.name} line {number}"
        try:
            if line.strip():
                yield json.loads(line), where
        except ValueError as error:
            raise BadRecording(f"{where}: is no JSON ({error}); write one {what} a line") from None


def _by_time(found: Iterable[tuple[Timed, str]]) -> Iterator[Timed]:
    before = -math.inf
    for one, where in found:
        if one.time < before:
            raise BadRecording(f"{where}.time: lies before the line above; sort by time")
        before = one.time
        yield one


def _unit_named(series: tuple[Series, ...], directory: Path) -> tuple[Series, ...]:
    """The gate speaks of `pod` and `namespace`; run.json says what this source called them."""
    run = _run(directory / "run.json")
    renamed = {theirs: ours for ours, theirs in run.labels.items() if theirs != ours}
    if not renamed:
        return series
    return tuple(
        replace(one, labels={renamed.get(name, name): value for name, value in one.labels.items()})
        for one in series
    )


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except (ValueError, UnicodeDecodeError) as error:
        raise BadRecording(f"{path.name}: is no JSON ({error}); write it again") from None


def _dump_lines(path: Path, found: Sequence[object] | None) -> None:
    path.unlink(missing_ok=True)
    if found is not None:
        path.write_text("".join(json.dumps(one) + "\n" for one in found))


def _dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")
