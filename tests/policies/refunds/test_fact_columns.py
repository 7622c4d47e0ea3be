"""Fact tables → columns of the refund rules: what a table says reaches the rule that asks for it."""

import polars as pl
import pytest

from nuan.facts.schemas import TABLES
from nuan.policies.refunds.columns import UNKNOWN, Homes
from nuan.policies.refunds.frames import Numbered, measurement_columns
from nuan.policies.refunds.law import refund_law
from nuan.policies.refunds.temperature import temperature_refund
from nuan.rules.pack import load_pack
from nuan.terms.places import DAY_S, HOUR_S, day_number, day_start
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)
AT = day_start(day_number(SEASON.first_day) + 78) + 10 * HOUR_S
WHO = Numbered(["B1-1-0101"], Homes.of([240_000]))
PLAIN = {
    "home": "B1-1-0101", "room": "living", "method": "", "signed_user": True, "signed_company": True, "user_refused": False,
    "company_absent": False, "no_record": False, "third_party": False, "purpose": "complaint",
}  # fmt: skip


def measured(**first: object) -> pl.DataFrame:
    rows = [
        PLAIN | {"measurement_id": "M-1", "measured_s": AT, "requested_s": AT, "temp_c100": 1750} | first,
        PLAIN | {"measurement_id": "M-2", "measured_s": AT + 10 * DAY_S, "temp_c100": 1900, "purpose": "retest"},
    ]
    return pl.DataFrame(rows, TABLES["measurement"].schema)


@pytest.mark.parametrize(
    ("first", "fen"),
    [
        pytest.param({}, 2_623, id="17.5 °C: a fifth of ten days"),
        pytest.param({"no_record": True}, 13_115, id="no record kept: below 14 °C, all of ten days"),
        pytest.param({"no_record": True, "third_party": True}, 2_623, id="a third party keeps its own record"),
        pytest.param({"signed_company": False}, 13_115, id="the company did not sign"),
        pytest.param({"temp_c100": 1800}, 0, id="at the standard"),
    ],
)
def test_linyi_reads_what_the_table_says(first: dict[str, object], fen: int) -> None:
    columns, ids = measurement_columns(measured(**first), WHO)
    law = refund_law(load_pack("linyi"), SEASON)
    assert ids == ["M-1", "M-2"]
    assert int(temperature_refund(WHO.homes, columns, law, SEASON.interval.end).decision.amount[0]) == fen


def test_a_missing_number_is_unknown_and_not_zero() -> None:
    columns, _ = measurement_columns(measured(temp_c100=None, requested_s=None), WHO)
    assert (columns.temp_c100[0], columns.requested_s[0]) == (UNKNOWN, UNKNOWN)
