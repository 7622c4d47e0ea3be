"""What the sample city's companies own, repaired and spent, whom its banners support and what they owe: tables for the importer. All invented.

Faults are planted in one place each: `demo_support.PLANTED` names them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from django.db.models import Sum

from nuan.records.registry.models import Building, Contract, Home, Substation
from nuan.terms.season import Season

WARRANTED, FORGOTTEN, LATE, BARE = ("C01", "999901"), ("C03", "999902"), "999902", "999903"
"""Company and banner of the repair charged wrongly and of the cost left out; the banner that pays late; the one without fund and budget."""
_EVERY = 50
"""One home in so many is supported."""


@dataclass(frozen=True)
class Place:
    """A company in a banner, with some of its stations and buildings."""

    company: str
    banner: str
    stations: list[str]
    buildings: list[str]
    area_m2: int = 0

    @property
    def key(self) -> str:
        return f"{self.company}-{self.banner[-2:]}"


def places() -> list[Place]:
    found: dict[tuple[str, str], Place] = {}
    for code, company, banner in Substation.objects.order_by("code").values_list("code", "company_id", "banner_id"):
        place = found.setdefault((company, banner), Place(company, banner, [], []))
        if len(place.stations) < 4:
            place.stations.append(code)
    areas = Contract.objects.values("home__company_id", "home__banner_id").annotate(sum=Sum("area_m2_100"))
    for area in areas:
        key = area["home__company_id"], area["home__banner_id"]
        found[key] = replace(found[key], area_m2=area["sum"] // 100)
    for place in found.values():
        own = Building.objects.filter(loop__substation__in=place.stations).order_by("code")
        place.buildings.extend(own.values_list("code", flat=True)[:6])
    return list(found.values())


def tables(season: Season, resident_home: str) -> dict[str, pl.DataFrame]:
    """assets repairs costs beneficiaries debts debt_payments funding."""
    known = places()
    first = season.first_day
    rows = {
        "assets": [row for place in known for row in _assets(place, first)],
        "repairs": [row for place in known for row in _repairs(place, first)],
        "costs": [row for place in known for row in _costs(place, first)],
        "beneficiaries": list(_beneficiaries(season, resident_home)),
        "debts": [row for place in known for row in _debts(place, first)],
        "debt_payments": [row for place in known for row in _debt_payments(place, first)],
        "funding": [row for banner in sorted({place.banner for place in known}) for row in _funding(banner, first)],
    }
    return {name: pl.DataFrame(each, infer_schema_length=None) for name, each in rows.items() if each}


def _assets(place: Place, first: date) -> Iterator[dict[str, Any]]:
    old = {"owner": "company", "handover": "done", "handed_over_on": date(2012, 9, 1), "warranty": "none", "warranty_until": None,
           "builder": "", "contract_ref": ""}  # fmt: skip
    new = old | {
        "handed_over_on": date(first.year - 1, 9, 20), "warranty": "until", "warranty_until": date(first.year + 1, 4, 15),
        "builder": "示例置业",
    }  # fmt: skip
    own = old | {"owner": "user", "handover": "unknown", "handed_over_on": None, "contract_ref": "供用热合同第十条"}

    def row(number: int, kind: str, name: str, position: str, base: dict[str, Any], building: str | None = None) -> Any:
        return {
            "code": f"G-{place.key}-{number:02d}", "name": name, "kind": kind, "company": place.company, "banner": place.banner,
            "building": building, "position": position, **base,
        }  # fmt: skip

    for number, station in enumerate(place.stations, 1):
        yield row(number, "station_equipment", f"{station} 换热机组", "outside", old)
        yield row(number + 10, "buried_pipe", f"{station} 二次网支线", "outside", old)
    block = place.buildings[0] if place.buildings else None
    yield row(21, "riser", f"{block} 供水立管", "outside", old, block)
    yield row(22, "valve", f"{block} 分户阀门", "boundary", old, block)
    yield row(23, "household_meter", f"{block} 分户热量表", "boundary", new, block)
    yield row(24, "indoor_pipe", f"{block} 户内管道", "inside", own, block)
    yield row(25, "buried_pipe", "新建小区庭院管网", "outside", new)
    yield row(
        26,
        "buried_pipe",
        "待移交小区庭院管网",
        "outside",
        old | {"handover": "pending", "handed_over_on": None, "owner": "builder"},
    )


def _repairs(place: Place, first: date) -> Iterator[dict[str, Any]]:
    wrong = (place.company, place.banner) == WARRANTED
    summer, winter = date(first.year, 7, 12), date(first.year, 12, 20)
    given = [
        (1, 1, summer, "upkeep", "18600.00", "company", "换热机组夏季养护"),
        (2, 11, summer + timedelta(days=20), "renewal", "268000.00", "company", "支线更新 120 米"),
        (3, 21, winter, "repair", "3860.50", "company", "立管漏水抢修"),
        (4, 24, winter + timedelta(days=9), "repair", "420.00", "user", "户内管道接头更换"),
        (
            5,
            25,
            winter + timedelta(days=25),
            "repair",
            "46800.00",
            "company" if wrong else "builder",
            "新建小区庭院管网焊口泄漏",
        ),
    ]
    for number, asset, on, category, cost, charged, memo in given:
        yield {
            "code": f"W-{place.key}-{number:03d}", "asset": f"G-{place.key}-{asset:02d}", "on": on, "category": category,
            "cost_yuan": cost, "charged_to": charged, "invoice_ref": f"FP{on:%Y%m%d}{number:02d}", "memo": memo,
        }  # fmt: skip


def _costs(place: Place, first: date) -> Iterator[dict[str, Any]]:
    """The repairs that the company paid, and the rest of what a season costs."""
    forgotten = (place.company, place.banner) == FORGOTTEN
    number = 0
    for repair in _repairs(place, first):
        if repair["charged_to"] == "company":
            number += 1
            renewal = repair["category"] == "renewal"
            warranted = repair["asset"].endswith("-25")
            yield _cost(place, number, repair["on"], repair["category"], repair["cost_yuan"], not warranted and not (forgotten and renewal)) | {
                "asset": repair["asset"], "repair": repair["code"],
            }  # fmt: skip
    # fen per m² in each of three months
    for category, fen in (("fuel", 390), ("power", 62), ("water", 11), ("labour", 84), ("depreciation", 105)):
        for month in range(3):
            number += 1
            on = date(first.year, 11 + month, 28) if month < 2 else date(first.year + 1, 1, 28)
            yield _cost(place, number, on, category, f"{max(1, fen * place.area_m2 // 100)}.00", True)


def _cost(place: Place, number: int, on: date, category: str, yuan: str, reported: bool) -> dict[str, Any]:
    return {
        "code": f"K-{place.key}-{number:03d}", "company": place.company, "banner": place.banner, "asset": None, "repair": None,
        "on": on, "category": category, "amount_yuan": yuan, "in_price_cost": reported,
    }  # fmt: skip


def _beneficiaries(season: Season, resident_home: str) -> Iterator[dict[str, Any]]:
    """One home in fifty, at least eight a banner, and the home of the cast; in the first banner one whose evidence ran out, in the last
    one that is there twice."""
    first = season.first_day
    kinds = ("low_income", "low_income", "destitute", "near_low_income", "special_care")
    for banner in Home.objects.order_by("banner_id").values_list("banner_id", flat=True).distinct():
        homes = list(
            Contract.objects.filter(season=season.key, stop_heat=False, home__banner_id=banner).order_by("home__code").values_list("home__code", flat=True)
        )  # fmt: skip
        chosen = homes[:: max(1, min(_EVERY, len(homes) // 8))]
        if resident_home in homes and resident_home not in chosen:
            chosen.append(resident_home)
        for number, home in enumerate(chosen, 1):
            expired = banner == WARRANTED[1] and number == 3
            welfare = number == 5
            row = {
                "code": f"BT-{banner[-2:]}-{number:04d}", "home": home, "category": "welfare" if welfare else kinds[number % 5],
                "institution": f"示例敬老院{banner[-1]}" if welfare else "", "evidence_ref": f"SL-{banner}-{first.year}-{number:05d}",
                "evidence_issuer": "示例民政局", "valid_from": date(first.year - 1 if expired else first.year, 7, 1),
                "valid_to": date(first.year if expired else first.year + 1, 6, 30),
            }  # fmt: skip
            yield row
            if banner == BARE and number == 2:
                yield row | {
                    "code": f"{row['code']}-2",
                    "evidence_ref": f"{row['evidence_ref']}-2",
                    "valid_from": date(first.year, 8, 1),
                }


def _debts(place: Place, first: date) -> Iterator[dict[str, Any]]:
    given = [
        ("works", "示例住房和城乡建设局", "1860000.00", date(first.year - 3, 8, 31), date(first.year - 2, 12, 31)),
        ("subsidy", "示例财政局", "640000.00", date(first.year - 1, 11, 30), date(first.year + 1, 6, 30)),
    ]
    if place.banner != BARE:
        given.append(
            (
                "infrastructure_fee",
                "示例自然资源局",
                "925000.00",
                date(first.year - 2, 5, 20),
                date(first.year - 1, 12, 31),
            )
        )
    if place.banner == WARRANTED[1]:
        given.append(
            ("coal_price", "示例发展和改革委员会", "310000.00", date(first.year, 12, 31), date(first.year + 1, 9, 30))
        )
    for number, (kind, debtor, yuan, incurred, due) in enumerate(given, 1):
        yield {
            "code": f"QZ-{place.key}-{number}", "banner": place.banner, "debtor": debtor, "company": place.company, "kind": kind,
            "amount_yuan": yuan, "incurred_on": incurred, "due_on": due, "document": f"示例结算书〔{incurred.year}〕{number}号",
        }  # fmt: skip


def _debt_payments(place: Place, first: date) -> Iterator[dict[str, Any]]:
    """What was paid before any plan; what was paid since goes through the acts."""
    yield {
        "code": f"CH-{place.key}-01", "debt": f"QZ-{place.key}-1", "amount_yuan": "360000.00", "on": date(first.year - 1, 12, 20),
        "reference": "拨付单",
    }  # fmt: skip


def _funding(banner: str, first: date) -> Iterator[dict[str, Any]]:
    kinds = [
        ("budget", "供热专项预算", 6_000_000),
        ("central", "老旧管网改造中央资金", 2_400_000),
        ("bond", "供热管网专项债券", 8_000_000),
    ]
    for kind, name, yuan in kinds:
        if banner == BARE and kind == "budget":
            continue
        yield {
            "code": f"ZJ-{banner[-2:]}-{kind}", "name": f"{name}（演示）", "banner": banner, "kind": kind, "committed_yuan": f"{yuan}.00",
            "valid_from": date(first.year, 1, 1), "valid_to": date(first.year + 1, 12, 31), "document": "",
        }  # fmt: skip
