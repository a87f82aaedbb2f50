"""All figures; it asserts nothing, since a wall clock on a shared machine proves nothing."""

from __future__ import annotations

from bench import clock, replays, starts, tick


def _count() -> int:
    total = 0
    for i in range(1_000_000):
        total += i
    return total


if __name__ == "__main__":
    print(f"this machine counts to a million in {clock.ms(clock.of(_count, 5).cpu)} of CPU\n")
    for part in (tick, replays, starts):
        part.report()
        print()
