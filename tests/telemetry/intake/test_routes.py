"""Topics say whose message it is and how it is read."""

import pytest

from nuan.telemetry.intake.reasons import REASONS, REFUSALS
from nuan.telemetry.intake.routes import Route, route
from nuan.telemetry.protocols.parsed import PROBLEMS


@pytest.mark.parametrize(
    ("topic", "where"),
    [
        ("nuan/G1/77", Route("G1", "77", "json")),
        ("nuan/G1/77/mbus", Route("G1", "77", "mbus")),
        ("nuan/G1/77/json", Route("G1", "77", "json")),
        ("gw/G1/v1/gateway/telemetry", Route("G1", "", "thingsboard")),
        ("gw/G1/v1/devices/me/telemetry", Route("G1", "G1", "thingsboard")),
        ("nuan/G1", None),
        ("nuan//77", None),
        ("nuan/G1/", None),
        ("nuan/G1/77/unheard", None),
        ("nuan/G1/77/mbus/more", None),
        ("v1/gateway/telemetry", None),
        ("gw/G1/v2/gateway/telemetry", None),
        ("", None),
    ],
)
def test_routes(topic: str, where: Route | None) -> None:
    assert route(topic) == where


def test_every_reason_has_words_in_both_languages() -> None:
    assert all(len(words) == 2 and all(words) for words in REASONS.values())
    assert not set(REFUSALS) & set(PROBLEMS)
