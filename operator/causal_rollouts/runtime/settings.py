"""What the owner of the operator sets: sources, grid, scope. Never part of a manifest of a user.

Every setting is an environment variable, so that the chart, a shell and a test
say it the same way.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from causal_rollouts.adapters.channels import BadChannels, read_channels
from causal_rollouts.adapters.dialling import Network
from causal_rollouts.analysis.cost import prices_of
from causal_rollouts.model.bins import Grid

PREFIX = "CAUSAL_ROLLOUTS_"


class BadSettings(ValueError):  # noqa: N818 - reads as a sentence in the message
    """A setting is missing or wrong; the message names the variable."""


def _priced(text: str) -> str:
    prices_of(text)
    return text


class OperatorSettings(BaseModel):
    """Environment variables, each with the prefix `CAUSAL_ROLLOUTS_`.

    scrape: seconds between scrapes of the application's pods; a bin is two of them.
    ingest_lag: seconds after a scrape until a query sees it.
    prometheus_networks: comma-separated; empty allows all addresses but those of clouds' metadata.
    channels_file: where notices go, as docs/notifications.md says; channels_networks as prometheus_networks.
    prometheus_body_mib: largest answer that is read.
    namespaces: comma-separated; empty watches all.
    prices: of footprint metrics, like cpu=0.031/core-hour,memory=0.004/GiB-hour; copied into each record.
    lease, lease_namespace: the Lease that only one of several copies holds; empty for a single copy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prometheus_url: str = Field(pattern=r"^https?://[^\s@?#]+$")
    prometheus_token_file: Path | None = None
    prometheus_networks: str = ""
    prometheus_body_mib: int = Field(default=32, ge=1, le=256)
    channels_file: Path | None = None
    channels_networks: str = ""
    scrape: float = Field(default=15.0, gt=0, le=120)
    ingest_lag: float = Field(default=2.0, ge=0, le=300)
    pod_label: str = Field(default="pod", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")
    namespace_label: str = Field(default="namespace", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")
    namespaces: str = ""
    prices: Annotated[str, AfterValidator(_priced)] = ""
    lease: str = Field(default="", pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")
    lease_namespace: str = Field(default="causal-rollouts", pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    health_port: int = Field(default=8080, ge=0, le=65535)
    health_host: str = "0.0.0.0"  # noqa: S104 - the kubelet probes the pod's address
    workers: int = Field(default=8, ge=1, le=64)
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("prometheus_networks", "channels_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in _parts(value):
            ipaddress.ip_network(part)
        return value

    @property
    def networks(self) -> tuple[Network, ...]:
        """Addresses that a metrics source may have, empty for all."""
        return tuple(ipaddress.ip_network(part) for part in _parts(self.prometheus_networks))

    @property
    def channel_networks(self) -> tuple[Network, ...]:
        """Addresses that a channel may have, empty for all."""
        return tuple(ipaddress.ip_network(part) for part in _parts(self.channels_networks))

    @property
    def grid(self) -> Grid:
        """Bins of two scrapes, final two scrapes and the lag after their end."""
        return Grid(width=2 * self.scrape, delay=2 * self.scrape + self.ingest_lag, scrape=self.scrape)

    @property
    def watched(self) -> tuple[str, ...]:
        """Namespaces to watch, empty for all."""
        return _parts(self.namespaces)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_settings(environment: Mapping[str, str] | None = None) -> OperatorSettings:
    """Settings from the environment.

    Raises:
        BadSettings: names each variable that is missing or wrong, and what it must be.
    """
    source = os.environ if environment is None else environment
    given = {k.removeprefix(PREFIX).lower(): v for k, v in source.items() if k.startswith(PREFIX)}
    known = {k: v for k, v in given.items() if k in OperatorSettings.model_fields}
    try:
        settings = OperatorSettings.model_validate(known)
        read_channels(settings.channels_file)
    except BadChannels as error:
        raise BadSettings(f"{PREFIX}CHANNELS_FILE: {error}") from None
    except ValidationError as error:
        lines = [
            f"{PREFIX}{'.'.join(str(p) for p in e['loc']).upper()}: {e['msg']}; set it in the environment"
            for e in error.errors()
        ]
        raise BadSettings("\n".join(lines)) from None
    return settings
