"""What each version of the demo service does to its users; one binary, told apart by the pod template."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Version:
    """name: as in the story. env: the harm, as the service reads it. says: in plain words.

    memory: limit of its container, None for that of the app.
    """

    name: str
    says: str
    env: Mapping[str, str] = field(default_factory=dict)
    memory: str | None = None

    def harm(self, **knobs: float) -> "Version":
        """The same version with other knobs, such as `harm(LATENCY_FACTOR=1.3, ONSET=60)`."""
        return replace(self, env={**self.env, **{name: f"{value:g}" for name, value in knobs.items()}})


def _known(*versions: Version) -> Mapping[str, Version]:
    return MappingProxyType({version.name: version for version in versions})


VERSIONS = _known(
    Version("v1", "the stable one"),
    Version("v2", "as good as v1, another template"),
    Version("v3", "answers take 1.6 times as long", {"LATENCY_FACTOR": "1.6"}),
    Version("v4", "five requests in a hundred fail on top of the usual", {"ERROR_SHARE": "0.05"}),
    # Long enough to become ready and be given traffic, so that users do see the crash.
    Version("v5", "crashes 15 s after each start", {"CRASH_AFTER": "15"}),
    Version("v6", "as good as v1, yet another template"),
    # Quicker by itself by about as much as the CPU that it takes from its node makes all pods there wait.
    Version(
        "v7",
        "quicker by itself, and keeps the CPU of its node busy meanwhile",
        {"BURN_CORES": "1", "LATENCY_FACTOR": "0.5"},
    ),
    Version(
        "v8",
        "two more calls to the backend beside each answer, which does not wait for them",
        {"BACKEND_BESIDE": "2"},
    ),
    # Twelve seconds or so from a start to the end: long enough to be ready and have traffic.
    Version("v9", "leaks 4 MB a second and is killed at its limit", {"LEAK_MB_PER_MIN": "240"}, "64Mi"),
)
