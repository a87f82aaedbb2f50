"""The files that `-f` names: one, a directory of them, or what comes in by stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from causal_rollouts.cli.exits import Exit, Stopped

ENDINGS = frozenset({".yaml", ".yml", ".json"})
"""Of a directory the files that kubectl takes too."""

STDIN = "-"


def manifest_files(named: Iterable[str], *, recursive: bool) -> Iterator[tuple[str, bytes]]:
    """Name and content of each, in the order given, those of a directory by name.

    Raises:
        Stopped: one cannot be read, or a directory holds none.
    """
    for name in named:
        if name == STDIN:
            yield "stdin", sys.stdin.buffer.read()
            continue
        for path in _paths(Path(name), recursive=recursive):
            try:
                yield str(path), path.read_bytes()
            except (OSError, ValueError) as error:
                said = error.strerror if isinstance(error, OSError) else str(error)
                raise Stopped(f"{path}: cannot be read: {said}; give another file", Exit.USAGE) from None


def _paths(named: Path, *, recursive: bool) -> list[Path]:
    if not named.is_dir():
        return [named]
    listed = named.rglob("*") if recursive else named.iterdir()
    found = sorted(path for path in listed if path.suffix in ENDINGS and path.is_file())
    if not found:
        deeper = "" if recursive else ", or look deeper with -R"
        raise Stopped(f"{named}: holds no {', '.join(sorted(ENDINGS))}; give another{deeper}", Exit.USAGE)
    return found
