"""The noise of the demo, in one place: a quiet machine proves nothing about false reverts.

Pods of one machine differ by half a percent, and a gate that survives that has survived nothing.
The usual noise is about what shared clusters show: pods and nodes that differ by 3%, nodes and the
whole service that drift within minutes, slow starts, and a pod that stalls now and then.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations are of log latency (error_wobble_sd: of the log error rate); times in seconds."""

    seed: str = "1"
    pod_sd: float = 0.03
    node_sd: float = 0.03
    drift_sd: float = 0.03
    drift_seconds: float = 60
    wobble_sd: float = 0.06
    wobble_seconds: float = 60
    error_wobble_sd: float = 0.2
    cold_factor: float = 1.5
    cold_seconds: float = 10
    bursts_per_hour: float = 0.6
    burst_factor: float = 1.5
    burst_seconds: float = 20
    base_errors: float = 0.005

    def env(self) -> dict[str, str]:
        """The settings as the service reads them."""
        return {
            "SEED": self.seed,
            "POD_SD": f"{self.pod_sd:g}",
            "NODE_SD": f"{self.node_sd:g}",
            "DRIFT_SD": f"{self.drift_sd:g}",
            "DRIFT_SECONDS": f"{self.drift_seconds:g}",
            "WOBBLE_SD": f"{self.wobble_sd:g}",
            "WOBBLE_SECONDS": f"{self.wobble_seconds:g}",
            "ERROR_WOBBLE_SD": f"{self.error_wobble_sd:g}",
            "COLD_FACTOR": f"{self.cold_factor:g}",
            "COLD_SECONDS": f"{self.cold_seconds:g}",
            "BURSTS_PER_HOUR": f"{self.bursts_per_hour:g}",
            "BURST_FACTOR": f"{self.burst_factor:g}",
            "BURST_SECONDS": f"{self.burst_seconds:g}",
            "BASE_ERRORS": f"{self.base_errors:g}",
        }

    def lines(self) -> list[str]:
        """Each disturbance with its setting, to be printed before anything is believed."""
        drift = f"sd {self.drift_sd:.1%}, forgets by 1/e in {self.drift_seconds:g} s"
        wobble = f"sd {self.wobble_sd:.1%}, forgets by 1/e in {self.wobble_seconds:g} s"
        cold = f"{self.cold_factor:g} times as slow, fades by 1/e in {self.cold_seconds:g} s"
        burst = f"{self.burst_factor:g} times as slow for {self.burst_seconds:g} s"
        errors = f"{self.base_errors:.2%} of requests, log rate wobbles by sd {self.error_wobble_sd:g}"
        return [
            f"pod lottery     sd {self.pod_sd:.1%} of latency, drawn once per pod",
            f"node offset     sd {self.node_sd:.1%} of latency, drawn once per node",
            f"node drift      {drift}, shared by the pods of a node",
            f"service wobble  {wobble}, shared by all pods",
            f"cold start      {cold}",
            f"bursts          {self.bursts_per_hour:g} an hour and pod, {burst}",
            f"errors          {errors}",
            f"seed            {self.seed}",
        ]


USUAL = Noise()
QUIET = Noise(
    pod_sd=0,
    node_sd=0,
    drift_sd=0,
    wobble_sd=0,
    error_wobble_sd=0,
    cold_factor=1,
    bursts_per_hour=0,
    burst_factor=1,
)
