"""The test that needs no model: what else the draw could have been, and how far off that would be.

Units stand in clusters, and whole clusters were put in random order, block by block, before
the arms were laid over them. So two clusters of a block that hold the same number of units of
each stratum could as well have had each other's treatments: given the places taken, every
exchange was equally likely.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Labels = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Law:
    """Assignments that were as likely as the real one, [draws, units]; possible: how many there are.

    enumerated: all of them, the real one among them. Else a sample, the real one not in it.
    """

    draws: Bools
    possible: int
    enumerated: bool


@dataclass(frozen=True, slots=True)
class Exact:
    """p of the sharp null, one-sided; least: the smallest p that this law could have given."""

    p: float
    least: float
    possible: int
    enumerated: bool


def exchanges(
    treated: Bools,
    cluster: Ints,
    stratum: Ints,
    block: Ints | None = None,
    *,
    most: int = 20_000,
    seed: int = 0,
) -> Law:
    """The law of the treatment given the places: clusters alike in their strata exchange their labels.

    treated, cluster, stratum, block [units]; block: within which clusters were put in random order, one for
    all units of a cluster; None: all in one. The units of a cluster in an order that does not depend on
    treatment.
    most: beyond so many assignments `most - 1` are drawn with `seed`. Conditional randomisation test: Athey,
    Eckles and Imbens 2018.
    Kind: exact (an enumeration) or a seeded sample.
    """
    members = [np.flatnonzero(cluster == c) for c in np.unique(cluster)]
    members = [m[np.argsort(stratum[m], kind="stable")] for m in members]
    kinds: dict[tuple[int, ...], list[Ints]] = {}
    for m in members:
        where = 0 if block is None else int(block[m[0]])
        kinds.setdefault((where, *stratum[m].tolist()), []).append(m)
    alike = list(kinds.values())
    labels = [[tuple(treated[m].tolist()) for m in group] for group in alike]
    possible = math.prod(_arrangements(group) for group in labels)
    if possible <= most:
        chosen: Iterator[tuple[tuple[Labels, ...], ...]] = product(
            *(tuple(_distinct(Counter(group), len(group))) for group in labels)
        )
        return Law(_laid(chosen, alike, len(treated)), possible, enumerated=True)
    rng = np.random.default_rng(seed)
    drawn = (
        tuple(tuple(group[i] for i in rng.permutation(len(group)).tolist()) for group in labels)
        for _ in range(most - 1)
    )
    return Law(_laid(drawn, alike, len(treated)), possible, enumerated=False)


def randomization_p(observed: float, drawn: Floats, law: Law) -> Exact:
    """Share of a law with T >= T_obs; of a sample (1 + #{T >= T_obs})/(1 + B).

    observed: T of the real assignment; drawn [draws]: of those of the law. Exact under the sharp null for any
    dependence. Fisher 1935; of a sample: Phipson and Smyth 2010.
    """
    if law.enumerated:
        share = _beyond(observed, drawn) / len(drawn)
        return Exact(share, 1.0 / law.possible, law.possible, enumerated=True)
    least = 1.0 / (1 + len(drawn))
    return Exact(sampled_p(observed, drawn, len(drawn)), least, law.possible, enumerated=False)


def sampled_p(observed: float, drawn: Floats, draws: int) -> float:
    """(1 + #{T >= T_obs})/(1 + B) of a sample of B draws. Phipson and Smyth 2010, eq. (2). Kind: exact."""
    return (1 + _beyond(observed, drawn)) / (1 + draws)


def _beyond(observed: float, drawn: Floats) -> int:
    slack = 1e-9 * (float(np.max(np.abs(drawn), initial=0.0)) + abs(observed))
    return int(np.sum(drawn >= observed - slack))


def mean_differences(d: Floats, draws: Bools, stratum: Ints) -> Floats:
    """The contrast of `change_scores.contrast` under each assignment of a law, [draws].

    d, stratum [units], all finite; each draw has the same number of treated units in a stratum.
    Kind: exact (arithmetic).
    """
    weight, total = 0.0, np.zeros(len(draws))
    for g in np.unique(stratum):
        mine = stratum == g
        n, n1 = int(mine.sum()), int(draws[0, mine].sum())
        if 0 < n1 < n:
            sums = draws[:, mine] @ d[mine]
            share = n1 * (n - n1) / n
            total += share * (sums / n1 - (d[mine].sum() - sums) / (n - n1))
            weight += share
    found: Floats = total / weight if weight else np.full(len(draws), np.nan)
    return found


def _arrangements(labels: list[Labels]) -> int:
    found = math.factorial(len(labels))
    for times in Counter(labels).values():
        found //= math.factorial(times)
    return found


def _distinct(left: Counter[Labels], length: int) -> Iterator[tuple[Labels, ...]]:
    """All distinct orders of a multiset."""
    if length == 0:
        yield ()
        return
    for label in sorted(left):
        if left[label]:
            left[label] -= 1
            for rest in _distinct(left, length - 1):
                yield (label, *rest)
            left[label] += 1


def _laid(chosen: Iterator[tuple[tuple[Labels, ...], ...]], alike: list[list[Ints]], units: int) -> Bools:
    place = np.concatenate([m for group in alike for m in group])
    flat = [[on for group in draw for label in group for on in label] for draw in chosen]
    found = np.zeros((len(flat), units), dtype=np.bool_)
    found[:, place] = np.array(flat, dtype=np.bool_)
    return found
