"""The user's Git repository: a bare one that is served, and a clone in which commits are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster.command import run
from e2e.cluster.progress import say

Manifest = dict[str, Any]
BRANCH = "main"

# Whoever runs this may have settings of their own; commits here must not depend on them.
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "team",
    "GIT_AUTHOR_EMAIL": "team@example.com",
    "GIT_COMMITTER_NAME": "team",
    "GIT_COMMITTER_EMAIL": "team@example.com",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """bare: what is served. clone: where commits are made."""

    bare: Path
    clone: Path

    @classmethod
    def create(cls, folder: Path, name: str) -> "Repository":
        """An empty one, `name`.git in this folder."""
        made = cls(folder / f"{name}.git", folder / name)
        run(["git", "init", "-q", "--bare", f"--initial-branch={BRANCH}", made.bare], env=ENVIRONMENT)
        run(["git", "init", "-q", f"--initial-branch={BRANCH}", made.clone], env=ENVIRONMENT)
        made._git("remote", "add", "origin", str(made.bare))
        return made

    def commit(self, files: Mapping[str, list[Manifest]], message: str) -> str:
        """Write these files, commit and push; the commit's id."""
        for path, objects in files.items():
            whole = self.clone / path
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.write_text(yaml.safe_dump_all(objects, sort_keys=False))
        self._git("add", "--all")
        self._git("commit", "-q", "-m", message)
        return self._push(message)

    def revert(self) -> str:
        """`git revert` of the newest commit, pushed; the new commit's id."""
        self._git("revert", "--no-edit", "HEAD")
        return self._push(self._git("log", "-1", "--format=%s").strip())

    def read(self, path: str) -> list[Manifest]:
        """A file's objects as Git has them now."""
        return [found for found in yaml.safe_load_all((self.clone / path).read_text()) if found]

    def head(self) -> str:
        """Id of the newest commit."""
        return self._git("rev-parse", "HEAD").strip()

    def _push(self, message: str) -> str:
        self._git("push", "-q", "origin", BRANCH)
        say(f"git: {message} ({self.head()[:8]})")
        return self.head()

    def _git(self, *words: str) -> str:
        return run(["git", *words], cwd=self.clone, env=ENVIRONMENT)
