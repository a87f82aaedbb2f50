"""What goes over the wire: CloudEvents 1.0 by its rules, and Slack's incoming webhook."""

import json
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import pytest

from causal_rollouts.adapters import cloudevents, slack, webhooks
from causal_rollouts.model.reasons import Severity
from tests.unit.adapters.notice import channels, endpoint, notice, settle

UGLY = 'a "word" of 50%,\r\nX-Evil: yes äöü \u20ac <!channel> & <http://evil|here>'


def checked(event: dict[str, object]) -> None:
    """The rules of the specification for context attributes, and its JSON format."""
    for name, value in event.items():
        assert re.fullmatch("[a-z0-9]{1,20}", name), f"{name} is no attribute's name"
        assert name == "data" or (isinstance(value, str) and value), f"{name} is empty or no text"
        if name != "data":
            assert not re.search("[\x00-\x1f\x7f-\x9f]", str(value)), f"{name} holds a control character"
    assert event["specversion"] == "1.0"
    assert {"id", "source", "type"} <= event.keys()
    assert re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", str(event["source"])), "no URI-reference"
    assert str(event["type"]).startswith("dev.causalrollouts."), "no reverse-DNS name of ours"
    when = str(event["time"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", when)
    assert datetime.fromisoformat(when).timestamp() == notice().time


async def test_structured_the_event_is_the_body(tmp_path: Path) -> None:
    async with endpoint() as there, webhooks.connect(channels(tmp_path, there.url), ()) as postbox:
        await settle(postbox, notice(because=UGLY))
    ((headers, body),) = there.got
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    found = json.loads(body)
    checked(found)
    assert (found["id"], found["type"]) == ("checkout-7.12", "dev.causalrollouts.release.HarmProven")
    assert found["source"] == "/namespaces/shop/rolloutrecords/checkout-7/6b1e"
    assert (found["subject"], found["severity"]) == ("shop/checkout", "ticket")
    assert found["datacontenttype"] == "application/json"
    assert found["data"]["message"] == UGLY
    assert (found["data"]["weight"], found["data"]["step"], found["data"]["steps"]) == ("5%", 1, 3)


async def test_binary_the_attributes_are_headers_and_the_body_is_the_data(tmp_path: Path) -> None:
    async with endpoint() as there:
        file = channels(tmp_path, there.url, kind="CloudEventsBinary")
        async with webhooks.connect(file, ()) as postbox:
            await settle(postbox, notice(because=UGLY))
    ((headers, body),) = there.got
    assert headers["Content-Type"] == "application/json"
    given = {
        k.lower().removeprefix("ce-"): unquote(v) for k, v in headers.items() if k.lower().startswith("ce-")
    }
    assert "datacontenttype" not in given
    checked(given)
    assert given == {
        k: v for k, v in cloudevents.event(notice()).items() if k not in {"data", "datacontenttype"}
    }
    assert json.loads(body) == cloudevents.event(notice(because=UGLY))["data"]


def test_a_header_of_the_binary_mode_is_one_line_whatever_stands_in_it() -> None:
    headers, _ = cloudevents.binary(notice(cause=UGLY))
    assert unquote(headers["ce-type"]).endswith(UGLY)
    assert re.fullmatch("[!-~]+", headers["ce-type"]), "a blank, a line end or a letter that is not ASCII"
    assert '"' not in headers["ce-type"]


def test_the_same_transition_has_one_id_and_another_has_another() -> None:
    def identity(**changes: object) -> tuple[object, object]:
        found = cloudevents.event(notice(**changes))
        return found["source"], found["id"]

    assert identity() == identity(channel="oncall", severity=Severity.PAGE)
    others = [identity(seq=13), identity(release="checkout-8"), identity(record_uid="other cluster")]
    assert len({identity(), *others}) == 4


async def test_slack_is_told_in_a_line_with_details_and_nobody_is_called_by_a_reason(tmp_path: Path) -> None:
    async with (
        endpoint() as there,
        webhooks.connect(channels(tmp_path, there.url, kind="Slack"), ()) as postbox,
    ):
        await settle(postbox, notice(because=UGLY))
    ((headers, body),) = there.got
    assert headers["Content-Type"].startswith("application/json")
    found = json.loads(body)
    assert found["text"] == "Ticket: shop/checkout: checkout-7: HarmProven"
    (attached,) = found["attachments"]
    assert attached["color"] == "warning"
    assert attached["footer"] == "checkout-7.12"
    assert {f["title"]: f["value"] for f in attached["fields"]}["Canary"] == "5%"
    assert "&lt;!channel&gt; &amp; &lt;http://evil|here&gt;" in attached["text"]
    assert b"<" not in body
    assert b">" not in body


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_has_a_colour(severity: Severity) -> None:
    assert json.loads(slack.message(notice(severity=severity))[1])["attachments"][0]["color"]
