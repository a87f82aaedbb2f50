"""What a policy may say of notifications, and what is wrong with what it says."""

import pytest

from causal_rollouts.model.notices import Subscription
from causal_rollouts.model.reasons import Severity
from tests.unit.api.specs import problems, resolved, spec

Json = dict[str, object]


def policy(*entries: object) -> Json:
    return {"notifications": list(entries)}


def test_entries_become_subscriptions_in_their_order() -> None:
    given = policy(
        {"channel": "oncall", "when": ["HarmProven", "Contaminated"], "severity": "Page"},
        {"channel": "team", "atLeast": "Ticket"},
    )
    assert resolved(policy=given).registration.notifications == (
        Subscription("oncall", ("HarmProven", "Contaminated"), Severity.INFO, Severity.PAGE),
        Subscription("team", (), Severity.TICKET),
    )
    assert resolved().registration.notifications == ()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "[0].channel: is missing; add it"),
        (
            {"channel": "On Call"},
            "[0].channel: 'On Call' has another form; write a short",
        ),
        (
            {"channel": "https://x"},
            "[0].channel: 'https://x' has another form",
        ),
        (
            {"channel": "a", "when": ["Harmful"]},
            "[0].when[0]: 'Harmful' has another form; use one of AATested, Aborted",
        ),
        ({"channel": "a", "when": []}, "[0].when: "),
        (
            {"channel": "a", "atLeast": "Loud"},
            "[0].atLeast: 'Loud' is not known; use 'Page', 'Ticket' or 'Info'",
        ),
        (
            {"channel": "a", "when": ["HarmProven", "NoData"], "severity": "Page"},
            "[0].severity: a verdict for want of data never pages; use Ticket or Info",
        ),
    ],
)
def test_what_is_wrong_is_said_with_field_and_fix(entry: Json, said: str) -> None:
    (found,) = problems(spec(), policy(entry))
    assert found.startswith(f"RolloutPolicy.spec.notifications{said}")


def test_a_rollout_cannot_name_channels() -> None:
    mine = resolved(spec(notifications=[{"channel": "mine"}]))
    assert mine.registration.notifications == ()


def test_what_is_told_stands_among_the_settings_in_force() -> None:
    given = policy({"channel": "team", "atLeast": "Ticket"})
    shown = resolved(policy=given).effective["notifications"]
    assert shown == {"value": given["notifications"], "from": "policy"}
    assert "notifications" not in resolved().effective
