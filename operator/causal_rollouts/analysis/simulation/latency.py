"""Shares of requests per bucket, given how slow a pod is at the moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from causal_rollouts.analysis.simulation.climate import Answers

Floats = NDArray[np.float64]

LOGISTIC = np.pi / np.sqrt(3.0)
"""A logistic variate of standard deviation 1 has scale 1 / LOGISTIC."""


def bucket_shares(answers: Answers, level: Floats, slow: Floats) -> Floats:
    """[pod, bucket]: probability of each bucket, the last one above the last edge.

    level: log slowdown by pod. slow: share of slow requests by pod.
    """
    edges = np.log(np.asarray(answers.edges))
    distance = (edges[None, :] - np.log(answers.median) - level[:, None]) / answers.spread
    far = distance - np.log(answers.slow_factor) / answers.spread
    below = (1.0 - slow[:, None]) * _below(answers.shape, distance) + slow[:, None] * _below(
        answers.shape, far
    )
    bounded = np.concatenate((np.zeros((level.size, 1)), below, np.ones((level.size, 1))), axis=1)
    parts = np.maximum(np.diff(bounded, axis=1), 0.0)
    shares: Floats = parts / parts.sum(axis=1, keepdims=True)
    return shares


def edge_with_share(answers: Answers, share: float) -> float:
    """Bucket edge above which an undisturbed service has nearest to this share of requests."""
    at_rest = bucket_shares(answers, np.zeros(1), np.array([answers.slow_share]))[0]
    above = np.maximum(1.0 - np.cumsum(at_rest)[:-1], 1e-12)
    return answers.edges[int(np.argmin(np.abs(np.log(above / share))))]


def _below(shape: str, distance: Floats) -> Floats:
    found: Floats = expit(distance * LOGISTIC) if shape == "loglogistic" else ndtr(distance)
    return found
