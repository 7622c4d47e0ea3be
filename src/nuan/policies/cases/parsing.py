"""YAML of one situation → `Situation`, or all its findings at once, each with its line and what to do."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from fractions import Fraction
from typing import Any

from nuan.policies.cases.situation import KINDS, ColdDays, Expectation, HomeFact, OutageFact, Situation, Test
from nuan.policies.cases.source import Located
from nuan.policies.cases.values import (
    Reader,
    area,
    day,
    moment,
    money,
    plain,
    temperature,
    tonnes,
    truth,
    until,
    whole,
    yuan_to_fen,
)
from nuan.policies.refunds.columns import CAUSES, PURPOSES
from nuan.policies.refunds.law import season_rule
from nuan.rules.interpretation import Signed, UnknownOption
from nuan.rules.pack import Pack, UnknownKey, UnknownPack, contract_layer, load_pack
from nuan.terms.findings import FindingsError
from nuan.terms.places import HOUR_S, day_number, to_epoch
from nuan.terms.season import Season, SeasonError, SeasonRule

TOP = (
    "id", "title", "note", "pack", "season", "law_date", "known_on", "as_of", "home", "outages", "measurements", "repairs",
    "cold_days", "readings", "fuel", "vehicles", "interpretations", "parameters", "expected",
)  # fmt: skip
HOME = (
    "area_m2", "price", "price_fen", "fee", "fee_yuan", "fee_fen", "season_fee", "season_fee_fen", "base_fee", "base_fee_yuan",
    "base_fee_fen", "base_share_percent", "meter_charge", "meter_charge_fen", "metered", "stop_heat", "class", "tariff",
)  # fmt: skip
OUTAGE = ("id", "from", "to", "start", "end", "hours", "cause", "attested", "planned", "note")
TEST = (
    "id", "at", "temp_c", "requested", "room", "room_area_m2", "signed_user", "signed_company", "user_refused", "company_absent",
    "no_record", "third_party", "purpose", "note",
)  # fmt: skip
EXPECTED = ("amount", "amount_fen", "verdict", "why", "low", "low_fen", "high", "high_fen", "value")
VERDICTS = ("met", "breached", "undecidable")
_CLAUSE = re.compile(r"^\d\.\d[\w.]*(?: \d{4}-\d{2}-\d{2})?$")


def parse(given: Located, where: str) -> Situation:
    """Raises FindingsError with every finding of the situation."""
    read = Reader(where)
    read.known(given, TOP)
    if given.get("id") is None:
        read.add(given.line, "id", "情形没有编号", "the situation has no id", "写 id: 一个不重复的短名。")
    pack = _pack(given, read)
    law_date = read.get(given, "law_date", day)
    season, season_days = _season(given, pack, law_date, read)
    home = _home(given, read)
    as_of_key = "as_of" if given.get("as_of") is not None else "known_on"
    as_of = read.get(given, as_of_key, until)
    readings = _readings(given, read)
    outages = tuple(_outage(row, number, read) for number, row in enumerate(read.rows(given, "outages"), 1))
    tests = tuple(_test(row, number, read) for number, row in enumerate(read.rows(given, "measurements"), 1))
    cold = tuple(_cold(row, read) for row in read.rows(given, "cold_days"))
    repairs = tuple(read.need(row, "at", moment) or 0 for row in _moments(given, "repairs", read))
    fuel = tuple(report for row in read.rows(given, "fuel") for report in _fuel(row, read))
    vehicles = tuple(_vehicle(row, read) for row in read.rows(given, "vehicles"))
    expected = tuple(_expected(given, read))
    if cold and tests:
        read.add(
            given.lines["cold_days"],
            "cold_days",
            "cold_days 与 measurements 不能同时给出",
            "give one of both",
            "保留其中一项。",
        )
    if read.findings or pack is None or season is None:
        raise FindingsError(read.findings)
    return Situation(
        where=where,
        line=given.line,
        id=str(given["id"]),
        title=str(given.get("title") or ""),
        pack=pack,
        season=season,
        season_days=season_days,
        law_date=law_date or season.first_day,
        as_of_s=to_epoch(season.end) if as_of is None else as_of,
        home=home,
        outages=outages,
        tests=tests,
        repairs=repairs,
        cold_days=cold,
        readings=readings,
        fuel=fuel,
        vehicles=vehicles,
        has_fuel=given.get("fuel") is not None,
        has_vehicles=given.get("vehicles") is not None,
        expected=expected,
        raw=given,
    )


def _pack(given: Located, read: Reader) -> Pack | None:
    line = given.lines.get("pack", given.line)
    spec = given.get("pack", "directive")
    inline = spec if isinstance(spec, Located) else Located()
    read.known(inline, ("base", "name", "parameters", "interpretations"))
    own: dict[str, Any] = {**(inline.get("parameters") or {}), **(given.get("parameters") or {})}
    name = str(spec.get("base", spec.get("name", "directive"))) if isinstance(spec, Located) else str(spec)
    answers: dict[str, Any] = dict(spec.get("interpretations") or {}) if isinstance(spec, Located) else {}
    answers.update(given.get("interpretations") or {})
    signed = [
        Signed(key, str(option), signed_by="情形给定")
        for key, option in answers.items()
        if option not in (None, "unsigned")
    ]
    above = [contract_layer(plain(own))] if own else []
    try:
        return load_pack(name, signed, above=above)
    except UnknownPack as error:
        read.add(line, "pack", "没有这个规则包", "no such pack", f"可用：{'、'.join(error.known)}。", name)
    except UnknownOption as error:
        place = given.lines.get("interpretations", line)
        read.add(
            place, error.key, "解释没有这个选项", "no such option", f"可选：{'、'.join(error.options)}。", error.option
        )
    except UnknownKey as error:
        place = given.lines.get("interpretations" if error.kind == "解释" else "parameters", line)
        read.add(place, error.key, f"没有这个{error.kind}", "unknown key", "参见 docs/cases.md 的列表。")
    return None


def _season(given: Located, pack: Pack | None, law_date: date | None, read: Reader) -> tuple[Season | None, int | None]:
    line = given.lines.get("season", given.line)
    spec = given.get("season")
    if spec is None:
        read.add(
            line,
            "season",
            "没有写供热期",
            "no season",
            "写 season: 2025-2026，或 season: {start: 2025-10-15, end: 2026-04-15}。",
        )
        return None, None
    days = None
    try:
        if isinstance(spec, Located) and "start" in spec:
            read.known(spec, ("start", "end", "start_time", "end_time", "days"))
            first, last = read.need(spec, "start", day), read.need(spec, "end", day)
            days = read.get(spec, "days", whole)
            if first is None or last is None:
                return None, None
            rule = SeasonRule(
                first.month,
                first.day,
                last.month,
                last.day,
                str(spec.get("start_time", "00:00")),
                str(spec.get("end_time", "24:00")),
            )
            season = rule.season(first.year)
            if season.last_day != last:
                read.add(line, "season", "供热期跨了不止一年", "the season spans more than a year", "核对起止日期。")
            return season, days
        if isinstance(spec, Located):
            read.known(spec, ("year", "days"))
            days = read.get(spec, "days", whole)
            year = read.need(spec, "year", whole)
        else:
            year = int(str(spec).split("-")[0])
    except (SeasonError, ValueError):
        read.add(
            line,
            "season",
            "不是供热期",
            "not a season",
            "写 2025-2026，或 {start: 2025-10-15, end: 2026-04-15}。",
            spec,
        )
        return None, None
    if pack is None or year is None:
        return None, days
    found = season_rule(pack, law_date or date(year, 12, 31))
    if found is None:
        read.add(
            line,
            "season",
            f"规则包 {pack.name} 未载明供热期",
            "the pack does not say when the season is",
            "写 season: {start: …, end: …}。",
        )
        return None, days
    return found.season(year), days


def _home(given: Located, read: Reader) -> HomeFact:
    home = given.get("home")
    if home is not None and not isinstance(home, Located):
        read.add(
            given.lines["home"], "home", "应是“项: 值”", "must be a mapping", "如 home: {area_m2: 100, price: 24}。"
        )
        home = None
    if home is None:
        return HomeFact(None, None, None, None, False, False, "residential")
    read.known(home, HOME)
    size = read.get(home, "area_m2", area)
    fee = money(home, ("fee", "season_fee", "fee_yuan"), ("fee_fen", "season_fee_fen"), read)
    price = money(home, ("price",), ("price_fen",), read)
    if fee is None and price is not None and size is not None:
        fee = (2 * price * size + 100) // 200
    base = money(home, ("base_fee", "base_fee_yuan"), ("base_fee_fen",), read)
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


def _outage(row: Located, number: int, read: Reader) -> OutageFact:
    read.known(row, OUTAGE)
    start = read.need(row, "from" if "start" not in row else "start", moment) or 0
    end = read.get(row, "to" if "end" not in row else "end", moment)
    hours = row.get("hours")
    if end is None and hours is not None:
        with suppress(ValueError):
            end = start + int(Fraction(str(hours)) * HOUR_S)
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


def _test(row: Located, number: int, read: Reader) -> Test:
    read.known(row, TEST)
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


def _cold(row: Located, read: Reader) -> ColdDays:
    read.known(row, ("temp_c", "days"))
    return ColdDays(read.need(row, "temp_c", temperature) or 0, read.need(row, "days", whole) or 0)


def _moments(given: Located, key: str, read: Reader) -> list[Located]:
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


def _readings(given: Located, read: Reader) -> tuple[tuple[int, int | None], ...]:
    """Hours of the room sensor: (start of the hour, 0.01 °C or None for a gap). Later rows replace earlier ones."""
    hours: dict[int, int | None] = {}
    for row in read.rows(given, "readings"):
        read.known(row, ("from", "to", "at", "day", "hours", "temp_c", "gap"))
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
                    hours[start + hour * HOUR_S] = read.get(cell, "hours", temperature)
        elif row.get("at") is not None:
            at = read.get(row, "at", moment)
            if at is not None:
                hours[at - at % HOUR_S] = value
        else:
            start, end = read.need(row, "from", moment), read.need(row, "to", moment)
            if start is not None and end is not None:
                for at in range(start - start % HOUR_S, end, HOUR_S):
                    hours[at] = value
    return tuple(sorted(hours.items()))


def _fuel(row: Located, read: Reader) -> list[dict[str, int | None]]:
    """Daily reports of one heat source: `day`, or the same report on every day `from` … `to` (both included)."""
    read.known(row, ("day", "from", "to", "stock_t", "burn_t", "arriving_t"))
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


def _vehicle(row: Located, read: Reader) -> dict[str, int | None]:
    read.known(row, ("id", "power_kw", "from", "to"))
    start, end = read.get(row, "from", day), read.get(row, "to", day)
    return {
        "power_kw": read.get(row, "power_kw", whole, 0),
        "available_from": day_number(start) if start else 0,
        "available_to": day_number(end) if end else None,
    }


def _expected(given: Located, read: Reader) -> Iterable[Expectation]:
    expected = given.get("expected")
    if expected is None:
        return
    if not isinstance(expected, Located):
        read.add(
            given.lines["expected"],
            "expected",
            "应是“项: 值”",
            "must be a mapping",
            "如 expected: {outage_refund: 39.34}。",
        )
        return
    for key, value in expected.items():
        line = expected.lines[key]
        target = key.removesuffix("_fen")
        target = {"total": "total_refund", "refund": "total_refund"}.get(target, target)
        if target not in KINDS and not _CLAUSE.match(target):
            read.add(
                line, key, "不认识这一项", "unknown key", f"可用：{'、'.join(KINDS)}（可加 _fen），或条款号，如 2.5.2。"
            )
            continue
        if isinstance(value, Located):
            read.known(value, EXPECTED)
            why = value.get("why") or ()
            yield Expectation(
                target,
                line,
                amount_fen=money(value, ("amount",), ("amount_fen",), read),
                verdict=read.word(value, "verdict", VERDICTS, "met") if "verdict" in value else None,
                why=(str(why),) if isinstance(why, str) else tuple(str(each) for each in why),
                low_fen=money(value, ("low",), ("low_fen",), read),
                high_fen=money(value, ("high",), ("high_fen",), read),
                value=read.get(value, "value", whole),
            )
        elif str(value) in VERDICTS:
            yield Expectation(target, line, verdict=str(value))
        elif value is not None:
            fen = read.get(expected, key, whole if key.endswith("_fen") else yuan_to_fen)
            yield Expectation(target, line, amount_fen=fen)
