"""What the operator's owner says of a metrics source; a manifest never names a URL."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from causal_rollouts.adapters.dialling import Network
from causal_rollouts.ports import Broken


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One metrics source: a bearer token, or a user with a password, both from files.

    deadline: seconds for one request. body: bytes of one answer. at_once: requests under way.
    piece: longest range asked for in one request, in seconds.
    networks: addresses that may be dialled; empty allows all but `dialling.NEVER`.
    """

    url: str
    token_file: Path | None = None
    pod_label: str = "pod"
    namespace_label: str = "namespace"
    deadline: float = 10.0
    body: int = 32 * 1024 * 1024
    at_once: int = 4
    user: str = ""
    password_file: Path | None = None
    piece: float = 600.0
    networks: tuple[Network, ...] = ()

    @property
    def endpoint(self) -> str:
        """Where instant queries go."""
        return f"{self.url.rstrip('/')}/api/v1/query"

    @property
    def rename(self) -> dict[str, str]:
        """Labels of the source -> labels of the gate."""
        return {self.pod_label: "pod", self.namespace_label: "namespace"}

    def headers(self) -> dict[str, str]:
        """Who asks. Files are read anew each time, because tokens and passwords are rotated.

        Raises:
            Broken: a file cannot be read.
        """
        if self.token_file is not None:
            return {"Authorization": f"Bearer {_read(self.token_file)}"}
        if self.user:
            pair = f"{self.user}:{_read(self.password_file)}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}
        return {}


def _read(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Broken(f'"{file}" cannot be read ({type(error).__name__}); correct the setting') from None
