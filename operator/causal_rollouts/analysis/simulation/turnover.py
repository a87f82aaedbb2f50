"""Pods that come and go while a release is judged: what a cluster does to a fleet that nobody releases to."""

from __future__ import annotations

from causal_rollouts.analysis.simulation.chance import draws
from causal_rollouts.analysis.simulation.fleet import replaced, scaled, there_at
from causal_rollouts.analysis.simulation.setting import Setting
from causal_rollouts.model.arms import Arm, Pod


class Turnover:
    """Scaling by plan, replacements by chance; asked once for each bin, in the order of time."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self._setting = setting
        self._seed = seed
        self._luck = draws(seed, "turnover")

    def until(self, time: float, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        """The pods of a bin that begins at `time`, from those of the bin before."""
        return self._stable(time, self._arms(time, self._scaled(time, pods)))

    def _scaled(self, time: float, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        setting = self._setting
        for after, by in setting.scaling:
            if 0.0 <= setting.begin + after - time < setting.grid.width:
                pods = scaled(pods, by, time, setting.start_up, setting.nodes, self._seed)
        return pods

    def _arms(self, time: float, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        if not self._setting.arm_turnover:
            return pods
        chance = self._setting.arm_turnover * self._setting.grid.width / 3600.0
        for victim in there_at(pods, time, stable=False):
            if self._luck.random() < chance:
                pods = replaced(pods, victim, time, self._setting.start_up)
        return pods

    def _stable(self, time: float, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        if not self._setting.turnover:
            return pods
        for _ in range(self._luck.poisson(self._setting.turnover * self._setting.grid.width / 3600.0)):
            there = [p for p in pods if p.arm is Arm.STABLE and p.deleted is None and p.ready]
            victim = there[int(self._luck.integers(len(there)))]
            pods = replaced(pods, victim, time, self._setting.start_up)
        return pods
