"""Schemas of what the operator writes: the rollout's status, and the record.

The record's content is the operator's own plain form (`api.plain`), which the
API server keeps as it is.
"""

from __future__ import annotations

from typing import Final

Schema = dict[str, object]

_TEXT: Final[Schema] = {"type": "string", "maxLength": 1024}
_OPEN: Final[Schema] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

CONDITION: Final[Schema] = {
    "type": "object",
    "required": ["type", "status", "reason", "message", "lastTransitionTime"],
    "properties": {
        "type": {"type": "string", "maxLength": 64},
        "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
        "reason": {"type": "string", "maxLength": 128, "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"},
        "message": {"type": "string", "maxLength": 2048},
        "lastTransitionTime": {"type": "string", "format": "date-time"},
        "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
    },
}

ROLLOUT_STATUS: Final[Schema] = {
    "type": "object",
    "properties": {
        "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
        "phase": _TEXT,
        "release": _TEXT,
        "step": _TEXT,
        "weight": _TEXT,
        "verdict": _TEXT,
        "effect": _TEXT,
        "outcome": _TEXT,
        "message": _TEXT,
        "pendingSpec": {"type": "boolean"},
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
            "properties": {"name": _TEXT, "seq": {"type": "integer", "format": "int64", "minimum": 0}},
        },
        "conditions": {
            "type": "array",
            "maxItems": 8,
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
        "rollout": _TEXT,
        "rolloutUid": _TEXT,
        "previous": _TEXT,
        "registration": _OPEN,
        "templates": _OPEN,
        "effective": _OPEN,
    },
}

RECORD_STATUS: Final[Schema] = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {
        "seq": {"type": "integer", "format": "int64", "minimum": 0},
        "final": {"type": "boolean"},
        "state": {"type": "string", "maxLength": 262144},
        "release": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {
                "phase": {"type": "string", "maxLength": 64},
                "outcome": {"type": "string", "maxLength": 64, "nullable": True},
            },
        },
    },
}
