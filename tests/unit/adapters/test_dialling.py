"""A metrics source is only dialled where the operator's owner allows it, whatever its name leads to."""

import ipaddress

import pytest

from causal_rollouts.adapters import prometheus
from causal_rollouts.adapters.dialling import allowed
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.ports import Broken
from causal_rollouts.runtime.settings import BadSettings, read_settings
from tests.contract.metrics_servers import T0, stub
from tests.contract.test_metrics_source import END, SHOP, metric

TEN = (ipaddress.ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("address", "networks", "may"),
    [
        ("10.1.2.3", (), True),
        ("127.0.0.1", (), True),
        ("169.254.169.254", (), False),
        ("::ffff:169.254.169.254", (), False),
        ("fe80::1%eth0", (), False),
        ("fd00:ec2::254", (), False),
        ("100.100.100.200", (), False),
        ("10.1.2.3", TEN, True),
        ("::ffff:10.1.2.3", TEN, True),
        ("11.1.2.3", TEN, False),
        ("169.254.169.254", (ipaddress.ip_network("169.254.0.0/16"),), True),
    ],
)
def test_addresses(address, networks, may):
    assert allowed(address, networks) is may


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_an_address_outside_the_networks_is_never_connected_to(name):
    async with stub() as (url, server):
        there = url.replace("127.0.0.1", name)
        async with prometheus.connect(SourceSettings(there, networks=TEN)) as source:
            with pytest.raises(Broken, match="not allowed; correct the URL or the allowed networks"):
                await source.fetch(metric(), SHOP, T0, END)
        assert server.asked == []


async def test_metadata_of_clouds_is_never_connected_to():
    async with prometheus.connect(SourceSettings("http://169.254.169.254", deadline=5.0)) as source:
        with pytest.raises(Broken, match="not allowed"):
            await source.fetch(metric(), SHOP, T0, END)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAUSAL_ROLLOUTS_PROMETHEUS_NETWORKS", "10.0.0.0/8, everywhere"),
        ("CAUSAL_ROLLOUTS_PROMETHEUS_URL", "http://me:secret@prometheus:9090"),
        ("CAUSAL_ROLLOUTS_PROMETHEUS_BODY_MIB", "0"),
    ],
)
def test_a_wrong_setting_is_named(name, value):
    good = {"CAUSAL_ROLLOUTS_PROMETHEUS_URL": "http://prometheus:9090"}
    assert (
        read_settings(good | {"CAUSAL_ROLLOUTS_PROMETHEUS_NETWORKS": "10.0.0.0/8,::1"}).networks[0] == TEN[0]
    )
    with pytest.raises(BadSettings, match=name) as caught:
        read_settings(good | {name: value})
    assert "secret" not in str(caught.value)
