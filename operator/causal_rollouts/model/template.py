"""The name of a pod template: a hash of what a release changes.

The Deployment controller adds `pod-template-hash`, and encoders differ in how
they write an absent creation time; neither makes it another template.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from causal_rollouts.model.world import Json

POD_TEMPLATE_HASH = "pod-template-hash"
"""Label of the Deployment controller; pods that carry it belong to its ReplicaSets."""

LENGTH = 12


def template_hash(template: Json) -> str:
    """The first 12 hex digits of SHA-256 over the template as canonical JSON."""
    text = json.dumps(_essence(template), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def without_label(template: Json, label: str, value: str) -> Json:
    """The template as it was before somebody added this label with this value; itself where it has none."""
    metadata = template.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(labels, Mapping) or labels.get(label) != value:
        return template
    kept = {k: v for k, v in labels.items() if k != label}
    return {**template, "metadata": {**metadata, "labels": kept}}


def _essence(template: Json) -> Json:
    metadata = template.get("metadata")
    if not isinstance(metadata, Mapping):
        return {**template, "metadata": {}}
    kept = {k: v for k, v in metadata.items() if not (k == "creationTimestamp" and v is None)}
    labels = kept.get("labels")
    if isinstance(labels, Mapping):
        kept["labels"] = {k: v for k, v in labels.items() if k != POD_TEMPLATE_HASH}
    return {**template, "metadata": {k: v for k, v in kept.items() if v or k not in EMPTY_MEANS_ABSENT}}


EMPTY_MEANS_ABSENT = frozenset({"labels", "annotations"})
