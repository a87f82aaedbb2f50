"""The example and the rejected manifests, read as files that a user would apply."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
REJECTED = sorted((ROOT / "tests" / "rejected").glob("*.yaml"))

EXPECT = "# expect: "
ONLY_SERVER = "# only the API server can tell"
SKIPPED = " ... "


def documents(path: Path) -> list[Manifest]:
    """Every object of a file."""
    return [found for found in yaml.safe_load_all(path.read_text()) if found]


@dataclass(frozen=True, slots=True)
class Rejected:
    """before: objects that must be there first. last: the one that is refused.

    parts: what the message holds, in this order; the first names the field, the last the fix.
    """

    parts: tuple[str, ...]
    before: tuple[Manifest, ...]
    last: Manifest
    only_server: bool

    @classmethod
    def read(cls, path: Path) -> "Rejected":
        lines = path.read_text().splitlines()
        if not lines[0].startswith(EXPECT):
            raise ValueError(f"{path.name}: the first line must be `{EXPECT}FIELD{SKIPPED}FIX`")
        *before, last = documents(path)
        parts = tuple(lines[0].removeprefix(EXPECT).split(SKIPPED))
        return cls(parts, tuple(before), last, ONLY_SERVER in lines)

    @property
    def field(self) -> str:
        """`spec.stages[0].weight`: the field alone, without the API server's words."""
        return self.parts[0].removeprefix("unknown field ").removesuffix(": Required value").strip('"')


def holds_in_order(text: str, parts: tuple[str, ...]) -> bool:
    """Whether the text holds all parts, one after the other."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True
