"""The manifests of docs/gitops.md: what the page tells users to write is what runs here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
PAGE = Path(__file__).parent.parent.parent / "docs" / "gitops.md"
APP = "checkout"


def manifest(kind: str, name: str, app: str = APP) -> Manifest:
    """The one object of this kind and name on the page, written for `app` instead of the page's."""
    (found,) = [o for o in _objects(app) if o["kind"] == kind and o.get("metadata", {}).get("name") == name]
    return found


def fragment(group: str, app: str = APP) -> Manifest:
    """The one object on the page of this API group."""
    (found,) = [o for o in _objects(app) if o["apiVersion"].partition("/")[0] == group]
    return found


def _objects(app: str) -> Iterator[Manifest]:
    for piece in PAGE.read_text().split("```yaml\n")[1:]:
        for obj in yaml.safe_load_all(piece.partition("```")[0].replace(APP, app)):
            if isinstance(obj, dict) and "kind" in obj:
                yield obj
