"""The file of channels: what is wrong is said by field and fix, and never by value."""

from pathlib import Path

import pytest

from causal_rollouts.adapters.channels import BadChannels, Kind, read_channels
from causal_rollouts.runtime.settings import BadSettings, read_settings

GOOD = """
oncall: {kind: CloudEvents, url: "https://events.example.com/in", token: t0ken-5b1e}
team: {kind: Slack, url: "https://hooks.example.com/services/5b1e"}
"""


def file(folder: Path, text: str) -> Path:
    made = folder / "channels.yaml"
    made.write_text(text)
    return made


def test_a_good_file_is_read_and_read_anew_when_it_changes(tmp_path: Path) -> None:
    made = file(tmp_path, GOOD)
    found = read_channels(made)
    assert (found["oncall"].kind, found["oncall"].token) == (Kind.CLOUD_EVENTS, "t0ken-5b1e")
    file(tmp_path, GOOD.replace("t0ken", "a-newer-one"))
    assert read_channels(made)["oncall"].token == "a-newer-one-5b1e"  # noqa: S105 - nobody's
    assert read_channels(None) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b", "holds no list of channels"),
        ("", "holds no list of channels"),
        ("a: [5b1e", "is no YAML"),
        ("a: " + "x" * 70_000, "holds no list of channels"),
        ("Team: {kind: Slack, url: 'https://x/5b1e'}", "lower case letters"),
        ("team: 5b1e", "team: is no channel; write kind and url"),
        (
            "team: {kind: 5b1e, url: 'https://x'}",
            "team.kind: is not known; use CloudEvents, CloudEventsBinary, Slack",
        ),
        ("team: {kind: Slack}", "team.url: is no address"),
        ("team: {kind: Slack, url: 'ftp://x/5b1e'}", "team.url: is no address"),
        ("team: {kind: Slack, url: 'https://me:5b1e@x/'}", "team.url: is no address"),
        ("team: {kind: Slack, url: 'https://x/ 5b1e'}", "team.url: is no address"),
        ("team: {kind: Slack, url: 'https://x/#5b1e'}", "team.url: is no address"),
        ("team: {kind: Slack, url: 'https://x:5b1e/'}", "team.url: is no address"),
        ("team: {kind: Slack, url: 'https:///5b1e'}", "team.url: is no address"),
        (
            "team: {kind: Slack, url: 'https://x', token: \"a\\n5b1e\"}",
            "team.token: holds what no header may",
        ),
        ("team: {kind: Slack, url: 'http://x', token: 5b1e-}", "team.url: a token would go over plain HTTP"),
        ("team: {kind: Slack, url: 'https://x', header: 5b1e}", "team: has a field that is not known"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(tmp_path: Path, text: str, said: str) -> None:
    made = file(tmp_path, text)
    environment = {
        "CAUSAL_ROLLOUTS_PROMETHEUS_URL": "http://prometheus:9090",
        "CAUSAL_ROLLOUTS_CHANNELS_FILE": str(made),
    }
    with pytest.raises(BadSettings, match="CAUSAL_ROLLOUTS_CHANNELS_FILE: ") as caught:
        read_settings(environment)
    assert said in str(caught.value)
    assert "5b1e" not in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadChannels, match=r"a\.kind: .*; b\.url: "):
        read_channels(file(tmp_path, "a: {url: 'https://x'}\nb: {kind: Slack}"))


def test_a_file_that_is_not_there_and_wrong_networks_are_named(tmp_path: Path) -> None:
    good = {"CAUSAL_ROLLOUTS_PROMETHEUS_URL": "http://prometheus:9090"}
    with pytest.raises(BadSettings, match=r"CHANNELS_FILE: .*cannot be read .*mount the Secret"):
        read_settings(good | {"CAUSAL_ROLLOUTS_CHANNELS_FILE": str(tmp_path / "none")})
    with pytest.raises(BadSettings, match="CAUSAL_ROLLOUTS_CHANNELS_NETWORKS"):
        read_settings(good | {"CAUSAL_ROLLOUTS_CHANNELS_NETWORKS": "everywhere"})
    both = read_settings(good | {"CAUSAL_ROLLOUTS_CHANNELS_NETWORKS": "10.0.0.0/8,::1"})
    assert len(both.channel_networks) == 2
