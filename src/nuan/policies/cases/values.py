"""Values of a situation file: yuan, temperatures, areas, moments; and a reader that keeps every finding instead of the first."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from nuan.policies.cases.names import Aliases, canonical, nearest, remedy
from nuan.policies.cases.source import Located
from nuan.policies.refunds.law import hundredths
from nuan.terms.findings import Finding
from nuan.terms.places import CHINA, DAY_S, HOUR_S, to_epoch

_MOMENT = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$")


class BadValueError(ValueError):
    """A value that does not parse; carries what is wrong and what to do, in Chinese, and in English."""

    def __init__(self, zh: str, en: str, remedy: str) -> None:
        self.zh, self.en, self.remedy = zh, en, remedy
        super().__init__(en)


def yuan_to_fen(value: Any) -> int:
    """
    >>> yuan_to_fen("2,400.50 元"), yuan_to_fen(24)
    (240050, 2400)
    """
    text = str(value).replace(",", "").replace("元", "").replace("¥", "").strip()
    try:
        fen = Fraction(text) * 100
    except ValueError:
        raise BadValueError("不是金额", "not an amount", "写元，如 2400 或 2400.50；写分用 …_fen。") from None
    if fen.denominator != 1 or fen < 0:
        raise BadValueError(
            "金额须不为负，且不多于两位小数", "an amount has at most two decimals", "写元，如 2400.50。"
        )
    return int(fen)


def whole(value: Any) -> int:
    try:
        number = Fraction(str(value))
    except ValueError:
        raise BadValueError("不是数字", "not a number", "写整数。") from None
    if number.denominator != 1 or number < 0:
        raise BadValueError("须是不为负的整数", "must be a whole number", "写整数。")
    return int(number)


def temperature(value: Any) -> int:
    try:
        found = hundredths(str(value).replace("℃", "").replace("°C", "").strip())
    except ValueError:
        raise BadValueError("不是温度", "not a temperature", "写摄氏度，至多两位小数，如 17.99。") from None
    if not -5000 <= found <= 6000:
        raise BadValueError("温度超出可能范围", "an impossible temperature", "写摄氏度，如 17.99。")
    return found


def area(value: Any) -> int:
    try:
        found = Fraction(str(value)) * 100
    except ValueError:
        raise BadValueError("不是面积", "not an area", "写平方米，如 100 或 89.5。") from None
    if found.denominator != 1 or found <= 0:
        raise BadValueError("面积须大于零，至多两位小数", "an area has at most two decimals", "写平方米，如 89.5。")
    return int(found)


def truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise BadValueError("须是 true 或 false", "must be true or false", "写 true 或 false。")


def moment(value: Any) -> int:
    """Epoch seconds; local time (UTC+8) unless an offset is given; a bare date is its 00:00; 24:00 is the end of the day.

    >>> moment("2026-01-01 24:00") == moment("2026-01-02")
    True
    """
    match = _MOMENT.match(str(value).strip())
    if match is None:
        raise BadValueError("不是时间", "not a time", "写 2026-01-01 22:00 或 2026-01-01T22:00:00+08:00。")
    year, month, day_, hour, minute, second, offset = match.groups()
    try:
        start = datetime(int(year), int(month), int(day_), tzinfo=CHINA)
    except ValueError:
        raise BadValueError("没有这一天", "there is no such day", "核对年月日。") from None
    passed = int(hour or 0) * HOUR_S + int(minute or 0) * 60 + int(second or 0)
    if passed > DAY_S or int(minute or 0) > 59 or int(second or 0) > 59:
        raise BadValueError("一天里没有这个时刻", "there is no such time of day", "时刻在 00:00 与 24:00 之间。")
    shift = 0
    if offset:
        zone = timedelta(0)
        if offset != "Z":
            digits = offset[1:].replace(":", "")
            zone = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if offset[0] == "-" else 1)
        shift = 8 * HOUR_S - int(zone.total_seconds())
    return to_epoch(start) + passed + shift


def day(value: Any) -> date:
    text = str(value).strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadValueError("不是日期", "not a date", "写 2026-01-01。") from None


class Reader:
    """Reads keys of located mappings and keeps every finding instead of stopping at the first."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.findings: list[Finding] = []

    def add(self, line: int, field: str, zh: str, en: str, remedy: str, value: Any = None) -> None:
        shown = None if value is None else str(value)
        self.findings.append(Finding(self.where, "bad_value", zh, en, remedy, row=line, field=field, value=shown))

    def known(self, given: Located, allowed: Iterable[str], aliases: Aliases | None = None) -> None:
        """Put other words for a key in the key's place; every key that is neither is a finding."""
        allowed, stands_for = tuple(allowed), canonical(aliases or {})
        for key in list(given):
            line = given.lines.get(key, given.line)
            if key in stands_for:
                self._rename(given, key, stands_for[key])
            elif key not in allowed:
                like = nearest(key, (*allowed, *stands_for))
                suggested = stands_for.get(like, like) if like else None
                hint = f"是不是 {suggested}？" if suggested else ""
                self.add(line, key, "不认识这一项", "unknown key", f"{hint}可用：{'、'.join(allowed)}。")

    def _rename(self, given: Located, key: str, name: str) -> None:
        line, value = given.lines.pop(key, given.line), given.pop(key)
        if name in given and given[name] != value:
            self.add(
                line,
                key,
                f"与 {name} 是同一项，却写了不同的值",
                f"the same as {name}, with another value",
                "只写一个。",
                value,
            )
        given[name] = given.get(name, value)
        given.lines.setdefault(name, line)

    def get(self, given: Located, key: str, parse: Callable[[Any], Any], default: Any = None) -> Any:
        value = given.get(key)
        if value is None:
            return default
        try:
            return parse(value)
        except BadValueError as error:
            self.add(given.lines.get(key, given.line), key, error.zh, error.en, error.remedy, value)
            return default

    def need(self, given: Located, key: str, parse: Callable[[Any], Any]) -> Any:
        if given.get(key) is None:
            self.add(given.line, key, "缺少此项", "missing", "请补上。")
            return None
        return self.get(given, key, parse)

    def word(self, given: Located, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = given.get(key, default)
        if value not in allowed:
            self.add(
                given.lines.get(key, given.line),
                key,
                "不是可用的词",
                "not an allowed word",
                remedy(str(value), allowed),
                value,
            )
            return default
        return str(value)

    def rows(self, given: Located, key: str) -> list[Located]:
        value = given.get(key)
        if value is None:
            return []
        if isinstance(value, Located):
            return [value]
        if not isinstance(value, list) or not all(isinstance(each, Located) for each in value):
            self.add(
                given.lines.get(key, given.line),
                key,
                "应是一个列表，每行是“项: 值”",
                "must be a list of mappings",
                "参见 docs/cases.md。",
            )
            return []
        return value


def hours(value: Any) -> int:
    """Seconds of a number of hours."""
    try:
        seconds = Fraction(str(value)) * HOUR_S
    except ValueError:
        raise BadValueError("不是小时数", "not a number of hours", "写小时，如 31 或 24.5。") from None
    if seconds <= 0:
        raise BadValueError("小时数须大于零", "hours must be positive", "写小时，如 31 或 24.5。")
    return int(seconds)


def daily_rate(value: Any) -> Fraction:
    """A share of an amount a day.

    >>> daily_rate("1‰"), daily_rate("0.05%"), daily_rate("0.001")
    (Fraction(1, 1000), Fraction(1, 2000), Fraction(1, 1000))
    """
    text = str(value).strip()
    unit = {"‰": 1000, "%": 100}.get(text[-1:], 1)
    try:
        rate = Fraction(text.rstrip("‰%").strip()) / unit
    except (ValueError, ZeroDivisionError):
        raise BadValueError("不是每日比例", "not a daily rate", "写 1‰、0.05% 或 0.001。") from None
    if not 0 <= rate < 1:
        raise BadValueError("每日比例须在0与1之间", "a daily rate lies between 0 and 1", "写 1‰、0.05% 或 0.001。")
    return rate


def tonnes(value: Any) -> int:
    try:
        return int(Fraction(str(value)) * 1000)
    except ValueError:
        raise BadValueError("不是吨数", "not tonnes", "写吨，如 1500。") from None


def until(value: Any) -> int:
    """A bare date means its end: everything that happened on that day is known."""
    return moment(value) + (DAY_S if len(str(value).strip()) <= 10 else 0)


def money(given: Located, yuan_keys: tuple[str, ...], fen_keys: tuple[str, ...], read: Reader) -> int | None:
    found = [read.get(given, key, yuan_to_fen) for key in yuan_keys if given.get(key) is not None]
    found += [read.get(given, key, whole) for key in fen_keys if given.get(key) is not None]
    if len(set(found)) > 1:
        read.add(given.line, yuan_keys[0], "同一金额写了不同的数", "amounts disagree", "只写一个。")
    return found[0] if found else None


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value if isinstance(value, int | bool | str) or value is None else str(value)
