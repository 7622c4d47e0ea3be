"""The facts of a situation: home, outages, formal tests, readings, fuel and vehicles, each row read with all its findings."""

from nuan.policies.cases import names
from nuan.policies.cases.situation import ColdDays, HomeFact, OutageFact, Test
from nuan.policies.cases.source import Located
from nuan.policies.cases.values import Reader, area, day, hours, moment, money, temperature, tonnes, truth, whole
from nuan.policies.refunds.columns import CAUSES, PURPOSES
from nuan.terms.places import HOUR_S, day_number

HOME = (
    "area_m2", "price", "price_fen", "fee", "fee_fen", "base_fee", "base_fee_fen", "base_share_percent", "meter_charge",
    "meter_charge_fen", "metered", "stop_heat", "class", "tariff", "note",
)  # fmt: skip
OUTAGE = ("id", "from", "to", "hours", "cause", "attested", "planned", "note")
TEST = (
    "id", "at", "temp_c", "requested", "room", "room_area_m2", "signed_user", "signed_company", "user_refused", "company_absent",
    "no_record", "third_party", "purpose", "note",
)  # fmt: skip


def home(given: Located, read: Reader) -> HomeFact:
    home = given.get("home")
    if home is not None and not isinstance(home, Located):
        read.add(
            given.lines["home"], "home", "应是“项: 值”", "must be a mapping", "如 home: {area_m2: 100, price: 24}。"
        )
        home = None
    home = _with_tariff(home, given)
    if home is None:
        return HomeFact(None, None, None, None, False, False, "residential")
    read.known(home, HOME, names.HOME)
    size = read.get(home, "area_m2", area)
    fee = money(home, ("fee",), ("fee_fen",), read)
    price = money(home, ("price",), ("price_fen",), read)
    if fee is None and price is not None and size is not None:
        fee = (2 * price * size + 100) // 200
    base = money(home, ("base_fee",), ("base_fee_fen",), read)
    percent = read.get(home, "base_share_percent", whole)
    if base is None and percent is not None and fee is not None:
        base = (2 * fee * percent + 100) // 200
    return HomeFact(
        fee_fen=fee,
        base_fee_fen=base,
        meter_charge_fen=money(home, ("meter_charge",), ("meter_charge_fen",), read),
        area_m2_100=size,
        metered=read.get(home, "metered", truth, False),
        stop_heat=read.get(home, "stop_heat", truth, False),
        home_class=str(home.get("class", "residential")),
    )


def billed_by_tariff(given: Located) -> bool:
    """`tariff: pack` (of the situation or of the home): the place's price on the home's area."""
    home = given.get("home")
    return "pack" in (given.get("tariff"), home.get("tariff") if isinstance(home, Located) else None)


def _with_tariff(home: Located | None, given: Located) -> Located | None:
    """What `tariff` says (of the situation or of the home; a price, or keys of the home), laid into the home."""
    own = home.get("tariff") if home is not None else None
    said = [each for each in (given.get("tariff"), own) if each not in (None, "pack")]
    if not said:
        return home
    merged = Located()
    merged.line = given.lines.get("home", given.lines.get("tariff", given.line))
    for each in (*said, home or Located()):
        part = each if isinstance(each, Located) else {"price": each}
        merged.update({key: value for key, value in part.items() if key != "tariff"})
        merged.lines.update(
            part.lines if isinstance(part, Located) else {"price": given.lines.get("tariff", merged.line)}
        )
    return merged


def outage(row: Located, number: int, read: Reader) -> OutageFact:
    read.known(row, OUTAGE, names.OUTAGE)
    start = read.need(row, "from", moment) or 0
    end = read.get(row, "to", moment)
    length = read.get(row, "hours", hours)
    if end is None and length is not None:
        end = start + length
    if end is not None and end <= start:
        read.add(row.line, "to", "恢复不晚于开始", "the outage ends before it starts", "核对起止时间。")
    attested = row.get("attested", True)
    return OutageFact(
        str(row.get("id", f"O{number}")),
        start,
        end,
        read.word(row, "cause", CAUSES, "supplier"),
        attested not in (False, "", None),
    )


def test(row: Located, number: int, read: Reader) -> Test:
    read.known(row, TEST, names.TEST)
    at = read.get(row, "at", moment)
    asked = read.get(row, "requested", moment)
    if at is None and asked is None:
        read.add(
            row.line,
            "at",
            "没有测温时间，也没有申请时间",
            "neither measured nor requested",
            "写 at: 2026-01-01 10:00。",
        )
    taken = at if at is not None else asked or 0
    return Test(
        id=str(row.get("id", f"M{number}")),
        room=str(row.get("room", "living")),
        room_area_m2_100=read.get(row, "room_area_m2", area),
        requested_s=asked if asked is not None else taken,
        measured_s=taken,
        temp_c100=read.get(row, "temp_c", temperature),
        signed_user=read.get(row, "signed_user", truth, True),
        signed_company=read.get(row, "signed_company", truth, True),
        user_refused=read.get(row, "user_refused", truth, False),
        company_absent=read.get(row, "company_absent", truth, False),
        no_record=read.get(row, "no_record", truth, False),
        third_party=read.get(row, "third_party", truth, False),
        purpose=read.word(row, "purpose", PURPOSES, "complaint"),
    )


def cold(row: Located, read: Reader) -> ColdDays:
    read.known(row, ("temp_c", "days"), names.COLD_DAYS)
    return ColdDays(read.need(row, "temp_c", temperature) or 0, read.need(row, "days", whole) or 0)


def moments(given: Located, key: str, read: Reader) -> list[Located]:
    """`repairs: [2026-01-05 10:00]` as well as `repairs: [{at: …}]`."""
    value = given.get(key)
    if isinstance(value, list) and value and not any(isinstance(each, Located) for each in value):
        rows = []
        for each in value:
            row = Located()
            row.line = given.lines[key]
            row["at"] = each
            rows.append(row)
        return rows
    return read.rows(given, key)


def readings(given: Located, read: Reader) -> tuple[tuple[int, int | None], ...]:
    """Hours of the room sensor: (start of the hour, 0.01 °C or None for a gap). Later rows replace earlier ones."""
    found: dict[int, int | None] = {}
    for row in read.rows(given, "readings"):
        read.known(row, ("from", "to", "at", "day", "hours", "temp_c", "gap"), names.READING)
        value = None if row.get("gap") else read.get(row, "temp_c", temperature)
        if row.get("day") is not None:
            start = read.get(row, "day", moment)
            listed = row.get("hours") or []
            if not isinstance(listed, list) or len(listed) > 24:
                read.add(
                    row.line,
                    "hours",
                    "应是至多 24 个小时值",
                    "at most 24 hourly values",
                    "如 hours: [18.0, 17.9, null]。",
                )
                continue
            for hour, each in enumerate(listed):
                cell = Located()
                cell.line = row.lines.get("hours", row.line)
                cell["hours"] = each
                if start is not None:
                    found[start + hour * HOUR_S] = read.get(cell, "hours", temperature)
        elif row.get("at") is not None:
            at = read.get(row, "at", moment)
            if at is not None:
                found[at - at % HOUR_S] = value
        else:
            start, end = read.need(row, "from", moment), read.need(row, "to", moment)
            if start is not None and end is not None:
                for at in range(start - start % HOUR_S, end, HOUR_S):
                    found[at] = value
    return tuple(sorted(found.items()))


def fuel(row: Located, read: Reader) -> list[dict[str, int | None]]:
    """Daily reports of one heat source: `day`, or the same report on every day `from` … `to` (both included)."""
    read.known(row, ("day", "from", "to", "stock_t", "burn_t", "arriving_t"), names.FUEL)
    first = read.need(row, "day" if "from" not in row else "from", day)
    last = read.get(row, "to", day, first)
    if first is None or last is None:
        return []
    report = {
        "stock_t1000": read.get(row, "stock_t", tonnes),
        "burn_t1000": read.get(row, "burn_t", tonnes),
        "arriving_t1000": read.get(row, "arriving_t", tonnes, 0),
    }
    return [{"day": number, **report} for number in range(day_number(first), day_number(last) + 1)]


def vehicle(row: Located, read: Reader) -> dict[str, int | None]:
    read.known(row, ("id", "power_kw", "from", "to"), names.VEHICLE)
    start, end = read.get(row, "from", day), read.get(row, "to", day)
    return {
        "power_kw": read.get(row, "power_kw", whole, 0),
        "available_from": day_number(start) if start else 0,
        "available_to": day_number(end) if end else None,
    }
