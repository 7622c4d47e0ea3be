"""Who bears a repair: the vectorised decision against one written down plainly, and the days on which it turns."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.facts.schemas import HANDOVERS, OWNERS, POSITIONS, TABLES, WARRANTIES
from nuan.policies.catalogue import pack
from nuan.policies.support.payer import BRANCHES, decide, least_until, with_least_warranty
from nuan.terms.places import day_number

DAYS = st.integers(20_000, 20_400)


@st.composite
def assets(draw: st.DrawFn) -> dict[str, object]:
    handover, warranty = draw(st.sampled_from(HANDOVERS)), draw(st.sampled_from(WARRANTIES))
    return {
        "asset": "G", "kind": "riser", "company": "C", "banner": "B", "owner": draw(st.sampled_from(OWNERS)),
        "position": draw(st.sampled_from(POSITIONS)), "handover": handover, "handed_over_day": draw(DAYS) if handover == "done" else None,
        "warranty": warranty, "warranty_until_day": draw(DAYS) if warranty == "until" else None, "contract": draw(st.booleans()),
    }  # fmt: skip


def plainly(asset: dict, day: int, least: int | None) -> str:  # type: ignore[type-arg]
    """The same law, one question after another."""
    if asset["owner"] == "user" and asset["position"] == "inside":
        return "user" if asset["contract"] else ""
    if asset["owner"] == "user" and asset["position"] == "unknown":
        return ""
    if asset["owner"] == "unknown" and asset["position"] in ("inside", "unknown"):
        return ""
    if asset["handover"] != "done" or day < asset["handed_over_day"]:
        return ""
    if asset["warranty"] == "until":
        return "builder" if day <= asset["warranty_until_day"] else "company"
    if asset["warranty"] == "none":
        return "company"
    return "builder" if least is not None and day <= least else ""


def decided(asset: dict, day: int, least: int | None = None) -> tuple[str, str]:  # type: ignore[type-arg]
    frame = pl.DataFrame([asset], TABLES["asset"].schema).with_columns(
        pl.Series("day", [day], dtype=pl.Int32), pl.Series("least_until_day", [least], dtype=pl.Int32)
    )
    return decide(frame).select("payer", "branch").row(0)  # type: ignore[return-value]


@given(assets(), DAYS, st.none() | DAYS)
def test_the_columns_say_what_the_law_says(asset: dict[str, object], day: int, least: int | None) -> None:
    payer, branch = decided(asset, day, least)
    assert payer == plainly(asset, day, least)
    assert BRANCHES[branch].payer == payer


ORDINARY = {
    "asset": "G", "kind": "riser", "company": "C", "banner": "B", "owner": "company", "position": "outside", "handover": "done",
    "handed_over_day": 20_000, "warranty": "until", "warranty_until_day": 20_100, "contract": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("day", "payer"),
    [(19_999, ""), (20_000, "builder"), (20_100, "builder"), (20_101, "company")],
    ids=["the day before the hand-over", "the hand-over day", "the last day of the warranty", "the day after it"],
)
def test_the_days_on_which_it_turns(day: int, payer: str) -> None:
    assert decided(ORDINARY, day)[0] == payer


@pytest.mark.parametrize(
    ("handed_over", "seasons", "until"),
    [
        (date(2024, 9, 1), 2, date(2026, 4, 15)),
        (date(2025, 1, 10), 2, date(2026, 4, 15)),  # a season that runs at the hand-over counts: the shortest reading
        (date(2024, 4, 15), 2, date(2025, 4, 15)),
        (date(2024, 4, 16), 2, date(2026, 4, 15)),
        (date(2024, 9, 1), 1, date(2025, 4, 15)),
    ],
)
def test_the_least_warranty(handed_over: date, seasons: int, until: date) -> None:
    assert least_until(handed_over, seasons, (4, 15)) == until


def test_the_least_warranty_is_only_for_what_is_not_recorded() -> None:
    rows = [
        ORDINARY | {"asset": name, "warranty": warranty, "warranty_until_day": None, "handed_over_day": day_number(date(2024, 9, 1))}
        for name, warranty in (("A", "unknown"), ("B", "none"))
    ]  # fmt: skip
    frame = pl.DataFrame(rows, TABLES["asset"].schema)
    known = with_least_warranty(frame, pack("demo-city"), (4, 15))["least_until_day"].to_list()
    assert known == [day_number(date(2026, 4, 15)), None]
    silent = with_least_warranty(frame, pack("directive"), (4, 15))["least_until_day"].to_list()
    assert silent == [None, None]


def test_a_wrong_edge_would_be_seen() -> None:
    day = ORDINARY["warranty_until_day"]
    assert isinstance(day, int)
    assert decided(ORDINARY, day)[0] != decided(ORDINARY, day + timedelta(days=1).days)[0]
