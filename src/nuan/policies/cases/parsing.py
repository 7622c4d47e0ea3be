"""YAML of one situation → `Situation`, or all its findings at once, each with its line and what to do."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from nuan.policies.cases import given_facts, names
from nuan.policies.cases.situation import KINDS, Expectation, Situation
from nuan.policies.cases.source import Located
from nuan.policies.cases.values import (
    Reader,
    daily_rate,
    day,
    moment,
    money,
    plain,
    truth,
    until,
    whole,
    yuan_to_fen,
)
from nuan.policies.refunds.fee import season_fee
from nuan.policies.refunds.law import season_rule
from nuan.rules.interpretation import Signed, UnknownOption
from nuan.rules.pack import Pack, UnknownKey, UnknownPack, contract_layer, load_pack
from nuan.rules.parameter import ContradictoryAnswersError
from nuan.terms.findings import FindingsError
from nuan.terms.places import to_epoch
from nuan.terms.season import Season, SeasonError, SeasonRule

TOP = (
    "id", "title", "note", "pack", "season", "law_date", "known_on", "as_of", "home", "tariff", "outages", "measurements", "repairs",
    "cold_days", "readings", "fuel", "vehicles", "paid_on", "late_rate", "late_by_user", "interpretations", "parameters", "expected",
)  # fmt: skip
EXPECTED = ("amount", "amount_fen", "verdict", "why", "low", "low_fen", "high", "high_fen", "value", "deadline")
VERDICTS = ("met", "breached", "undecidable")
_CLAUSE = re.compile(r"^\d\.\d[\w.]*(?: \d{4}-\d{2}-\d{2})?$")


def parse(given: Located, where: str) -> Situation:
    """Raises FindingsError with every finding of the situation."""
    read = Reader(where)
    read.known(given, TOP, names.TOP)
    if given.get("id") is None:
        read.add(given.line, "id", "情形没有编号", "the situation has no id", "写 id: 一个不重复的短名。")
    pack = _pack(given, read)
    law_date = read.get(given, "law_date", day)
    season, season_days = _season(given, pack, law_date, read)
    home = given_facts.home(given, read)
    as_of_key = "as_of" if given.get("as_of") is not None else "known_on"
    as_of = read.get(given, as_of_key, until)
    readings = given_facts.readings(given, read)
    outages = tuple(given_facts.outage(row, number, read) for number, row in enumerate(read.rows(given, "outages"), 1))
    tests = tuple(given_facts.test(row, number, read) for number, row in enumerate(read.rows(given, "measurements"), 1))
    cold = tuple(given_facts.cold(row, read) for row in read.rows(given, "cold_days"))
    repairs = tuple(read.need(row, "at", moment) or 0 for row in given_facts.moments(given, "repairs", read))
    fuel = tuple(report for row in read.rows(given, "fuel") for report in given_facts.fuel(row, read))
    vehicles = tuple(given_facts.vehicle(row, read) for row in read.rows(given, "vehicles"))
    expected = tuple(_expected(given, read))
    if cold and tests:
        read.add(
            given.lines["cold_days"],
            "cold_days",
            "cold_days 与 measurements 不能同时给出",
            "give one of both",
            "保留其中一项。",
        )
    paid_on = read.get(given, "paid_on", day)
    late_rate = read.get(given, "late_rate", daily_rate)
    late_by_user = read.get(given, "late_by_user", truth, False)
    if given_facts.billed_by_tariff(given) and pack is not None and season is not None and home.area_m2_100 is not None:
        home = replace(home, fee_fen=season_fee(pack, season, home.area_m2_100))
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
        law_date=law_date,
        as_of_s=to_epoch(season.end) if as_of is None else as_of,
        home=home,
        outages=outages,
        tests=tests,
        repairs=repairs,
        cold_days=cold,
        readings=readings,
        fuel=fuel,
        vehicles=vehicles,
        paid_on=paid_on,
        late_rate=late_rate,
        late_by_user=late_by_user,
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
        read.add(line, "pack", "没有这个规则包", "no such pack", names.remedy(name, error.known), name)
    except UnknownOption as error:
        place = given.lines.get("interpretations", line)
        read.add(
            place,
            error.key,
            "解释没有这个选项",
            "no such option",
            names.remedy(error.option, error.options),
            error.option,
        )
    except UnknownKey as error:
        place = given.lines.get("interpretations" if error.kind == "解释" else "parameters", line)
        read.add(
            place,
            error.key,
            f"没有这个{error.kind}",
            "unknown key",
            f"{_nearest_key(error)}参见 docs/cases.md 的列表。",
        )
    except ContradictoryAnswersError as error:
        shown = " / ".join(f"{each.value} ({each.valid_from}…{each.valid_to or ''})" for each in error.answers)
        place = given.lines.get("parameters", line)
        read.add(place, error.key, "同一天有两个数", "two answers to one day", "用 from、to 把两者的日期分开。", shown)
    except ValueError as error:
        place = given.lines.get("parameters", line)
        read.add(
            place,
            "parameters",
            "日期或数值不能读",
            "a date or number cannot be read",
            "from、to 写 2026-01-01。",
            error,
        )
    return None


def _nearest_key(error: UnknownKey) -> str:
    pack = load_pack("directive")
    like = names.nearest(error.key, pack.questions if error.kind == "解释" else pack.vocabulary)
    return f"是不是 {like}？" if like else ""


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
        target = names.canonical(names.EXPECTED).get(target, target)
        if target not in KINDS and not _CLAUSE.match(target):
            read.add(
                line,
                key,
                "不认识这一项",
                "unknown key",
                f"{names.remedy(target, KINDS)}可加 _fen；或条款号，如 2.5.2。",
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
                deadline=read.get(value, "deadline", day),
            )
        elif str(value) in VERDICTS:
            yield Expectation(target, line, verdict=str(value))
        elif value is not None:
            fen = read.get(expected, key, whole if key.endswith("_fen") else yuan_to_fen)
            yield Expectation(target, line, amount_fen=fen)
