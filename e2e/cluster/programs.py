"""Long-running programs of the cluster: started once, known by pid and start time, stopped by that alone.

A pid by itself is recycled by the kernel; pid, start time and boot together are not, so nothing of
somebody else's is ever stopped. Each program also carries a mark in its environment: one that was
started in the very moment when `up` was killed is still found.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from e2e.cluster.folder import write_whole
from e2e.cluster.progress import say
from e2e.cluster.trouble import ClusterTrouble

MARK = "CAUSAL_ROLLOUTS_CLUSTER"
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, for all time."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int, proc: Path = Path("/proc")) -> "Identity | None":
        """None when there is no such process, or only its corpse."""
        stat = _stat(pid, proc)
        if stat is None or stat[0] in "ZX":
            return None
        return cls(pid, stat[1], BOOT.read_text().strip())

    def is_alive(self) -> bool:
        return Identity.of(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        if self.is_alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def _stat(pid: int, proc: Path) -> tuple[str, int] | None:
    """State letter and start time in ticks since boot; the name before them may hold blanks and brackets."""
    try:
        text = (proc / str(pid) / "stat").read_text()
    except OSError:
        return None
    rest = text.rpartition(")")[2].split()
    return rest[0], int(rest[19])


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


class Programs:
    """The programs of one run folder: one small file each under pids/, one log each under logs/."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._pids = run / "pids"
        self._logs = run / "logs"

    def start(self, program: Program) -> None:
        """Start it unless it runs already."""
        if self.running(program.name):
            return
        self._pids.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(program.name).open("ab") as log:
            child = subprocess.Popen(
                program.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**_own_environment(), **program.env, MARK: str(self._run)},
                cwd=self._run,
            )
        identity = Identity.of(child.pid)
        if identity is None:
            raise ClusterTrouble(
                f"{program.name} ended at once; its last words:\n{self.last_words(program.name)}"
            )
        entry = {"name": program.name, "argv": program.argv, "env": program.env, **asdict(identity)}
        write_whole(self._pids / f"{program.name}.json", json.dumps(entry))

    def names(self) -> list[str]:
        """Every program that was started and not stopped, running or not."""
        return sorted(entry.stem for entry in self._pids.glob("*.json"))

    def identity(self, name: str) -> Identity | None:
        try:
            entry = json.loads((self._pids / f"{name}.json").read_text())
            return Identity(entry["pid"], entry["started"], entry["boot"])
        except (OSError, ValueError, KeyError):
            return None

    def running(self, name: str) -> bool:
        identity = self.identity(name)
        return identity is not None and identity.is_alive()

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def last_words(self, name: str, lines: int = 8) -> str:
        try:
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def check(self, *names: str) -> None:
        """ClusterTrouble with its last words when a program that should run does not."""
        for name in names:
            if not self.running(name):
                raise ClusterTrouble(f"{name} does not run; its last words:\n{self.last_words(name)}")

    def pause(self, name: str) -> None:
        self._send(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._send(name, signal.SIGCONT)

    def stop(self, names: Sequence[str], seconds: float = 10) -> None:
        """Ask them all to end, wait for all together, then insist."""
        known = {name: identity for name in names if (identity := self.identity(name))}
        end(known.values(), seconds)
        for name in names:
            (self._pids / f"{name}.json").unlink(missing_ok=True)

    def strays(self) -> Iterator[Identity]:
        """Every process that carries our mark, however it came to be."""
        mark = f"{MARK}={self._run}".encode()
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                marked = mark in (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            identity = Identity.of(int(folder.name)) if marked else None
            if identity and identity.pid != os.getpid():
                yield identity

    def _send(self, name: str, number: signal.Signals) -> None:
        identity = self.identity(name)
        if identity is None or not identity.is_alive():
            raise ClusterTrouble(f"{name} does not run")
        identity.send(number)


def _own_environment() -> dict[str, str]:
    """Ours without proxies and the user's kubeconfig: what the cluster is made of speaks only inside it."""
    unwanted = {"http_proxy", "https_proxy", "all_proxy", "kubeconfig"}
    return {name: value for name, value in os.environ.items() if name.lower() not in unwanted}


def end(identities: Iterable[Identity], seconds: float = 10) -> None:
    """SIGTERM (a stopped process is woken for it), then SIGKILL to what is left after `seconds`."""
    left = [identity for identity in identities if identity.is_alive()]
    for identity in left:
        identity.send(signal.SIGTERM)
        identity.send(signal.SIGCONT)
    left = _outlive(left, seconds)
    for identity in left:
        identity.send(signal.SIGKILL)
    for identity in _outlive(left, 5):
        say(f"  process {identity.pid} does not end")


def _outlive(identities: list[Identity], seconds: float) -> list[Identity]:
    until = time.monotonic() + seconds
    while identities and time.monotonic() < until:
        time.sleep(0.05)
        identities = [identity for identity in identities if identity.is_alive()]
    return identities
