"""Schemas of what the operator writes: the rollout's status, and the record.

The record's content is the operator's own plain form (`api.plain`), which the
API server keeps as it is.
"""

from __future__ import annotations

from typing import Final

Schema = dict[str, object]

_TEXT: Final[Schema] = {"type": "string", "maxLength": 1024}
_OPEN: Final[Schema] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _text(description: str) -> Schema:
    return {"description": description, **_TEXT}


def _open(description: str) -> Schema:
    return {"description": description, **_OPEN}


def _number(description: str) -> Schema:
    return {"description": description, "type": "integer", "format": "int64", "minimum": 0}


CONDITION: Final[Schema] = {
    "type": "object",
    "required": ["type", "status", "reason", "message", "lastTransitionTime"],
    "properties": {
        "type": {
            "description": "Ready always; Reconciling, Stalled and Queued while true; Supported, "
            "EvidenceValid, TrafficApplied and FootprintSteady where there is something to say.",
            "type": "string",
            "maxLength": 64,
        },
        "status": {
            "description": "Of Ready: Unknown while a release runs, False after one that ended badly.",
            "type": "string",
            "enum": ["True", "False", "Unknown"],
        },
        "reason": {
            "description": "A word for programs; of Ready while a release runs, that of the newest decision.",
            "type": "string",
            "maxLength": 128,
            "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        },
        "message": {"description": "The reason in words, with the fix.", "type": "string", "maxLength": 2048},
        "lastTransitionTime": {
            "description": "When the status last flipped.",
            "type": "string",
            "format": "date-time",
        },
        "observedGeneration": _number("The generation of the rollout that this is about."),
    },
}

ROLLOUT_STATUS: Final[Schema] = {
    "type": "object",
    "properties": {
        "observedGeneration": _number("The generation of the rollout that this status is about."),
        "phase": _text("Idle, the phase of the release that runs, or how a release ended badly."),
        "release": _text("Name of the newest release."),
        "step": _text("Stage of all, like 2/3; 0 before the first."),
        "weight": _text("Share of the requests that the canary shall have, like 5%."),
        "verdict": _text(
            "What the newest evidence says: Safe, Harm, Inconclusive, NoData, ProviderError, Contaminated or "
            "SharedIncident."
        ),
        "effect": _text("Effect of the first metric that has one, with its interval."),
        "outcome": _text("How the newest release ended."),
        "message": _text("What is going on, and what to do where something is to be done."),
        "pendingSpec": {
            "description": "The spec was edited while a release runs; the next release has it.",
            "type": "boolean",
        },
        "metrics": {
            "description": "One line for each metric: what is known of its effect.",
            "type": "array",
            "maxItems": 32,
            "x-kubernetes-list-type": "atomic",
            "items": _TEXT,
        },
        "record": {
            "description": "The RolloutRecord of the newest release.",
            "type": "object",
            "properties": {
                "name": _text("Its name."),
                "seq": _number("Sequence number of its writes."),
            },
        },
        "notified": {
            "description": "For each channel the newest notice that is settled; what came after it is owed.",
            "type": "array",
            "maxItems": 32,
            "x-kubernetes-list-type": "atomic",
            "items": {
                "type": "object",
                "properties": {
                    "channel": _text("Name of the channel."),
                    "id": _text("Release and sequence number of the notice."),
                },
            },
        },
        "conditions": {
            "description": "In the sense of kstatus.",
            "type": "array",
            "maxItems": 16,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
            "items": CONDITION,
        },
    },
}

RECORD_SPEC: Final[Schema] = {
    "type": "object",
    "required": ["rollout", "rolloutUid", "registration", "templates"],
    "x-kubernetes-validations": [
        {
            "rule": "self == oldSelf",
            "message": "a release keeps what it registered; leave the record as it is, "
            "the next release registers anew",
        }
    ],
    "properties": {
        "rollout": _text("Name of the CausalRollout."),
        "rolloutUid": _text("Its uid: a rollout made anew under the same name is another one."),
        "previous": _text("Name and digest of the record before this one; empty in the first."),
        "registration": _open(
            "What was fixed before the first look: stages, metrics, margins, budget, times, seed of the draw."
        ),
        "question": _open(
            "In words: what the release asks, the quantity each metric estimates, and how each assumption "
            "of the answer is checked."
        ),
        "templates": _open("Pod templates of stable and candidate."),
        "effective": _open(
            "Each setting with its value and who said it: rollout, policy, default or guardrail; or traffic, "
            "where the way it is shared leaves no choice."
        ),
    },
}

RECORD_STATUS: Final[Schema] = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {
        "seq": _number("Sequence number of its writes."),
        "final": {"description": "The release is over; nothing here can change any more.", "type": "boolean"},
        "state": {
            "description": "The evidence so far, encoded; dropped when the record is final.",
            "type": "string",
            "maxLength": 262144,
        },
        "release": {
            "description": "Where the release stands, and the intent that is written before any effect.",
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {
                "phase": {"description": "Its phase.", "type": "string", "maxLength": 64},
                "outcome": {
                    "description": "How it ended.",
                    "type": "string",
                    "maxLength": 64,
                    "nullable": True,
                },
            },
        },
    },
}
