"""A record as it stands in the API server: what is fixed in `spec`, what moves in `status`.

Written in the plain form without nulls, so that a merge patch replaces it and
what is read back hashes to the same digest.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from causal_rollouts.adapters.kube import NAME_LABEL, RECORD, ROLLOUT_LABEL, Object
from causal_rollouts.adapters.reading import created, name, section, uid
from causal_rollouts.api.plain import NotPlain, from_plain, sparse, to_plain
from causal_rollouts.decision.moments import Moment
from causal_rollouts.model import glances
from causal_rollouts.model.crowd import Beside
from causal_rollouts.model.people import Heard
from causal_rollouts.model.question import question
from causal_rollouts.model.reasons import Outcome, Phase
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.release import Release, Templates
from causal_rollouts.model.template import template_hash
from causal_rollouts.model.trace import Point
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Broken, LoggedDecision, Record

KEPT = 60
"""Decisions in one record."""


def manifest(record: Record, previous: str) -> Object:
    """The object to be created, without its status. previous: name and digest of the record before it."""
    spec = {
        "rollout": record.key.name,
        "rolloutUid": record.rollout_uid,
        "previous": previous,
        "registration": to_plain(record.registration),
        "question": to_plain(question(record.registration)),
        "templates": to_plain(record.templates),
        "effective": to_plain(record.effective) if record.effective is not None else None,
    }
    return {
        "apiVersion": RECORD.api_version,
        "kind": RECORD.kind,
        "metadata": {
            "name": record.name,
            "namespace": record.key.namespace,
            "labels": {NAME_LABEL: record.key.name, ROLLOUT_LABEL: record.name},
        },
        "spec": without_nulls(spec),
    }


def status_of(record: Record) -> Object:
    """The status, as a merge patch that replaces the old one: nulls take fields away."""
    return {
        "seq": record.seq,
        "release": _for_merge(to_plain(record.release)),
        "state": base64.b64encode(record.state).decode("ascii") if record.state is not None else None,
        "decisions": without_nulls(to_plain(record.decisions[-KEPT:])),
        "trace": without_nulls(to_plain(record.trace)),
        "looks": glances.written(record.glances),
        "beside": without_nulls(to_plain(record.beside)),
        "requests": without_nulls(to_plain(record.requests)),
        "moments": sparse(record.moments),
        "final": record.final,
    }


def record_of(obj: Object) -> Record:
    """The record, exactly as it was written.

    Raises:
        Broken: it is in a form that this version cannot read.
    """
    spec, status, meta = section(obj, "spec"), section(obj, "status"), obj["metadata"]
    state = status.get("state")
    try:
        return Record(
            name=name(obj),
            uid=uid(obj),
            version=str(meta["resourceVersion"]),
            key=Key(str(meta["namespace"]), str(spec["rollout"])),
            rollout_uid=str(spec["rolloutUid"]),
            registration=from_plain(Registration, spec["registration"]),
            templates=from_plain(Templates, spec["templates"]),
            release=from_plain(Release, status["release"]),
            state=base64.b64decode(state, validate=True) if state is not None else None,
            seq=int(status["seq"]),
            decisions=tuple(from_plain(LoggedDecision, line) for line in status.get("decisions") or ()),
            final=bool(status.get("final")),
            previous=str(spec.get("previous") or ""),
            effective=spec.get("effective"),
            trace=tuple(from_plain(Point, line) for line in status.get("trace") or ()),
            glances=glances.read(str(status.get("looks") or "")),
            requests=tuple(from_plain(Heard, line) for line in status.get("requests") or ()),
            moments=tuple(from_plain(Moment, line) for line in status.get("moments") or ()),
            beside=tuple(from_plain(Beside, line) for line in status.get("beside") or ()),
        )
    except (NotPlain, KeyError, ValueError) as error:
        raise Broken(
            f'RolloutRecord "{meta["namespace"]}/{name(obj)}" cannot be read by this version: {error}; '
            "run the version that wrote it, or delete the record once its release is over"
        ) from error


def begun(obj: Object) -> bool:
    """Its first status was written; without one the release never began."""
    return "release" in section(obj, "status")


def same_beginning(obj: Object, made: Object) -> bool:
    """A record that somebody created has the spec that is to be created now."""
    return digest(section(obj, "spec"), {}) == digest(made["spec"], {})


def abandoned(obj: Object) -> Record:
    """The end of a record whose writer stopped before its release began. Nothing was done for it.

    Raises:
        Broken: it is in a form that this version cannot read.
    """
    templates = section(obj, "spec", "templates")
    never = Release(
        id=name(obj),
        candidate_hash=template_hash(section(templates, "candidate")),
        stable_hash=template_hash(section(templates, "stable")),
        stable_set="",
        phase=Phase.DONE,
        since=created(obj),
        outcome=Outcome.WITHDRAWN,
        why="the operator stopped before this release began, and then another was asked for",
    )
    return record_of({**obj, "status": {"release": to_plain(never), "seq": 0, "final": True}})


def digest(spec: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """SHA-256 over spec and status, without the digest itself; with `previous` in the spec it is a chain."""
    rest = {key: value for key, value in status.items() if key != "digest"}
    whole = _as_read_back(without_nulls({"spec": spec, "status": rest}))
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def without_nulls(value: Any) -> Any:
    """Plain JSON without fields that are null."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without_nulls(item) for item in value]
    return value


def _for_merge(value: Any) -> Any:
    """In objects a null takes the old value away; a list replaces the old one, so there it has no use."""
    if isinstance(value, Mapping):
        return {key: _for_merge(item) for key, item in value.items()}
    return without_nulls(value)


def _as_read_back(value: Any) -> Any:
    """Numbers as the API server gives them back: 5.0 comes back as 5."""
    if isinstance(value, dict):
        return {key: _as_read_back(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_read_back(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
