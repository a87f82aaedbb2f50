"""How a command ends: the exit codes, and the one exception that carries words for a person.

Codes 1 and 4 belong to what was asked; 69 and 70 say that the question could
not even be put, so that a pipeline never takes an outage for a revert.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a shell sees."""

    OK = 0
    FAILED = 1
    USAGE = 2
    TIMEOUT = 4
    UNAVAILABLE = 69
    UNEXPECTED = 70
    INTERRUPTED = 130


class Stopped(Exception):  # noqa: N818 - the command stops; the message is for the person
    """Nothing more can be done: what is wrong, where, what to do."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code
