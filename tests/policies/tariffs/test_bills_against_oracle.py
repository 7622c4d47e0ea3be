"""Bills are exact to the fen against an oracle that was written apart, on tariffs, splits and mid-season changes that nobody chose."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_bill import SlowHome, slow_bill

from nuan.policies.tariffs.billing import KINDS, bill
from nuan.policies.tariffs.columns import ABSENT, GJ, KWH, BilledHomes
from nuan.policies.tariffs.tariff import tariff
from nuan.policies.tariffs.working import working
from nuan.rules.pack import Pack, contract_layer, load_pack
from nuan.terms.season import Season, SeasonRule

FIRST, LAST = date(2025, 10, 15), date(2026, 4, 15)
yuan = st.decimals(min_value=0, max_value=99, places=2).map(str)
heat_price = st.decimals(min_value=0, max_value=2, places=4).map(str)
percent = st.decimals(min_value=0, max_value=100, places=1).map(str)
day = st.integers(min_value=1, max_value=182).map(lambda n: FIRST + timedelta(days=n))


def season() -> Season:
    return SeasonRule(10, 15, 4, 15).season(2025)


@st.composite
def dated(draw: Any, value: Any, *, unknown: bool = True) -> Any:
    """A value for the whole season, or one that changes on up to three days of it; sometimes unknown from a day on."""
    cuts = sorted(draw(st.sets(day, max_size=3)))
    values = value if not unknown else st.one_of(value, value, value, st.just(None)) if cuts else value
    edges = [date(2000, 1, 1), *cuts, None]
    return [
        {"value": draw(values), "from": start, "to": stop, "article": None, "note": "测试"}
        for start, stop in pairwise(edges)
    ]


@st.composite
def contents(draw: Any) -> dict[str, Any]:
    unit = draw(st.sampled_from(["per_m2_season", "per_m2_season", "per_m2_month"]))
    content: dict[str, Any] = {
        "tariff.unit": unit,
        "tariff.area_kind": draw(st.sampled_from(["building", "inner", "usable"])),
        "tariff.metered_unit": draw(st.sampled_from(["kWh", "GJ"])),
        "tariff.usable_ratio": draw(st.sampled_from([None, "0.75", "0.7"])),
        "tariff.months": 6,
        "stop_heat.base_fee_percent": draw(dated(percent)),
        "tariff.metered_over_area_max": draw(st.one_of(dated(percent), st.just("none"), st.just(None))),
        "tariff.base_share_max": draw(st.sampled_from([None, "30", "100"])),
    }
    if draw(st.booleans()):
        content |= {
            "tariff.height_percent": draw(percent),
            "tariff.height_from_m": draw(st.sampled_from(["3.2", "2.8"])),
            "tariff.height_step_m": draw(st.sampled_from(["0.1", "0.25"])),
            "tariff.height_rounding": draw(st.sampled_from(["whole", "begun"])),
        }
    else:
        content["tariff.height_percent"] = None
    for name in ("home", "other"):
        content[f"tariff.price_{name}"] = draw(dated(yuan))
        content[f"tariff.price_{name}_month"] = draw(dated(yuan))
        content[f"tariff.base_price_{name}"] = draw(dated(yuan))
        content[f"tariff.metered_price_{name}"] = draw(dated(heat_price))
        content[f"tariff.connection_fee_{name}"] = draw(st.one_of(st.just(None), yuan, dated(yuan)))
    return {key: value if isinstance(value, list) else {"value": value} for key, value in content.items()}


known = st.one_of(st.none(), st.integers(min_value=-5, max_value=300_000))
homes = st.builds(
    SlowHome,
    dwelling=st.booleans(),
    area=known,
    building=known,
    inner=known,
    usable=known,
    ceiling_mm=st.one_of(st.none(), st.integers(min_value=2000, max_value=12_000)),
    heat_1000=st.one_of(st.none(), st.integers(min_value=-5, max_value=90_000_000)),
    unit=st.sampled_from(["kWh", "GJ"]),
    metered=st.booleans(),
    stopped=st.booleans(),
    new_area=st.one_of(st.none(), st.integers(min_value=1, max_value=30_000)),
).filter(
    lambda home: all(value != ABSENT for value in (home.area, home.building, home.inner, home.usable, home.heat_1000))
)


def columns(rows: list[SlowHome]) -> BilledHomes:
    def column(name: str) -> list[int]:
        return [ABSENT if (value := getattr(row, name)) is None else value for row in rows]

    return BilledHomes.of(
        len(rows), area_m2_100=column("area"), building_m2_100=column("building"), inner_m2_100=column("inner"),
        usable_m2_100=column("usable"), ceiling_mm=column("ceiling_mm"), heat_1000=column("heat_1000"),
        heat_unit=[GJ if row.unit == "GJ" else KWH for row in rows], connection_m2_100=column("new_area"),
        is_dwelling=[row.dwelling for row in rows], metered=[row.metered for row in rows], stopped=[row.stopped for row in rows],
    )  # fmt: skip


def check(pack: Pack, rows: list[SlowHome]) -> None:
    by = tariff(pack, season())
    billed = bill(columns(rows), by)
    lines = billed.lines
    sums = np.zeros(len(rows), dtype=np.int64)
    np.add.at(sums, lines.home, lines.amount_fen)
    assert sums.tolist() == billed.total_fen.tolist(), "the lines sum to the bill"
    for index, row in enumerate(rows):
        expected = slow_bill(pack, FIRST, LAST, row)
        assert bool(billed.refused[index]) is ("why" in expected), (row, expected)
        if "why" in expected:
            assert not (lines.home == index).any()
            continue
        mine = lines.home == index
        by_kind: dict[str, int] = {}
        for kind, amount in zip(lines.kind[mine].tolist(), lines.amount_fen[mine].tolist(), strict=True):
            by_kind[KINDS[kind]] = by_kind.get(KINDS[kind], 0) + amount
        assert {kind: amount for kind, amount in by_kind.items() if amount} == expected["by_kind"], row
        assert int(billed.total_fen[index]) == expected["total"]
        told, _ = working(columns([row]), by)
        assert sum(line.amount_fen for line in told) == expected["total"], "the working says the same fen"


@settings(max_examples=60, deadline=None)
@given(contents(), st.lists(homes, min_size=1, max_size=12))
def test_bills_are_exact_to_the_fen(content: dict[str, Any], rows: list[SlowHome]) -> None:
    check(load_pack("demo-city", above=[contract_layer(content)]), rows)


def test_the_oracle_finds_a_price_sampled_at_the_start() -> None:
    """The check can fail: 24 yuan until 31 December and 30 from New Year on is neither 24 nor 30 for the season."""
    price = [
        {"value": 24, "from": date(2000, 1, 1), "to": date(2026, 1, 1)},
        {"value": 30, "from": date(2026, 1, 1)},
    ]
    pack = load_pack("demo-city", above=[contract_layer({"tariff.price_home": price})])
    row = SlowHome(area=10_000)
    check(pack, [row])
    total = slow_bill(pack, FIRST, LAST, row)["total"]
    assert total == 274_426  # 78 days at 24, 105 at 30
    assert total not in {240_000, 300_000}
