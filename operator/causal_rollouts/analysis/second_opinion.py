"""A second opinion on a recorded release: estimates at one fixed time, beside the gate that looked all along.

Nothing here decides. Where the gate rests on a model of nodes and drift, these rest
on the draw of the nodes or on trends that can be looked at; each says on which.
"""

from __future__ import annotations

from causal_rollouts.analysis.everybody import of_everybody
from causal_rollouts.analysis.neighbour_contrast import of_neighbours
from causal_rollouts.analysis.opinion import Absent, MetricOpinion, Opinion, Question, SecondOpinion
from causal_rollouts.analysis.panel import MEASURED, design_of, panel_of
from causal_rollouts.analysis.ramp import of_ramp
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.reference import reference_level
from causal_rollouts.analysis.release_contrast import of_release
from causal_rollouts.model.metrics import MetricKind


def second_opinion(recording: Recording, reference: Recording | None = None) -> SecondOpinion:
    """Every latency and error metric of the release; all else has no outcome per slot and bin.

    reference: another service over the same time, which the release did not touch; None for its own.

    Raises:
        BadRecording: the manifest cannot be run, or no bin lies under a stage.
    """
    design, other = design_of(recording), reference or recording.reference
    found = []
    for metric in design.reg.metrics:
        if metric.kind not in MEASURED:
            continue
        panel = panel_of(design, metric)
        if isinstance(panel, str):
            said: list[Opinion | Absent] = [Absent(question, "everything", panel) for question in Question]
        else:
            beside = None if other is None else reference_level(design, metric, other)
            said = [
                *of_release(design, panel),
                *of_neighbours(design, panel),
                *of_ramp(design, panel),
                *of_everybody(design, panel, beside),
            ]
        found.append(
            MetricOpinion(
                metric.name,
                metric.kind is MetricKind.LATENCY,
                tuple(one for one in said if isinstance(one, Opinion)),
                tuple(one for one in said if isinstance(one, Absent)),
            )
        )
    grid = design.reg.grid
    return SecondOpinion(design.reg.release, grid.start(design.t0), grid.start(design.end), tuple(found))
