"""The sentences of 怎么算的: money, time and the reasons why an amount stays undecided."""

from collections.abc import Iterable

from nuan.policies.refunds.law import RefundLaw
from nuan.terms.money import format_yuan
from nuan.terms.places import local_time

REASONS: dict[str, tuple[str, str]] = {
    "cause_unknown": ("停热原因未查明", "the cause of the outage is not established"),
    "fee_unknown": ("全季热费未载明", "the season fee is not known"),
    "base_fee_unknown": ("基本热费未载明", "the basic fee is not known"),
    "meter_charge_unknown": ("不达标期间的计量热费未提供", "the meter charge of the failing days is not given"),
    "room_area_unknown": ("房间面积或计费面积未提供", "the area of the room or the flat is not given"),
    "test_unclear": (
        "有测温记录无法认定（未测、缺签字规定或测温不完整）",
        "a test cannot be taken as passed or failed",
    ),
    "law_changed": (
        "供热期内规定有变，而不达标天数没有日期",
        "the law changed within the season and the failing days have no dates",
    ),
    "paid_on_unknown": ("退费支付日未给出", "the day of payment is not given"),
    "late_rate_unknown": (
        "供用热合同约定的逾期交费滞纳金比例未提供",
        "the contract's rate for late payment is not given",
    ),
    "refund_undecided": ("退费金额本身未能认定", "the refund itself is undecided"),
    "calendar_unknown": ("该年度节假日安排未公布", "the year's holidays are not announced"),
    "no_tier": ("测得温度不落在任何一档", "the temperature falls into no tier"),
}
WHY_CODES = {
    "cause_unknown": "cause_unknown",
    "fee_unknown": "fee_unknown",
    "base_fee_unknown": "fee_unknown",
    "meter_charge_unknown": "fact_missing",
    "room_area_unknown": "fact_missing",
    "test_unclear": "fact_missing",
    "law_changed": "fact_missing",
    "paid_on_unknown": "fact_missing",
    "late_rate_unknown": "fact_missing",
    "refund_undecided": "fact_missing",
    "calendar_unknown": "parameter_unknown",
    "no_tier": "parameter_unknown",
    "refund_outage.threshold_h": "parameter_unknown",
    "refund_temperature.kind": "parameter_unknown",
}


def reason(key: str, law: RefundLaw, language: str = "zh") -> str:
    """Why `key` keeps an amount undecided: a missing fact, a number that is 未载明, or an unsigned question."""
    if key in REASONS:
        return REASONS[key][0 if language == "zh" else 1]
    if key in law.pack.vocabulary:
        parameter = law.pack.parameter(key)
        return f"{parameter.zh}未载明" if language == "zh" else f"{parameter.en}: not stated by the law"
    question = law.question(key)
    if question.is_open:
        return f"解释未签署：{question.zh}" if language == "zh" else f"unsigned: {question.en}"
    return question.sentence("zh" if language == "zh" else "en")


def why_code(keys: Iterable[str]) -> str:
    """The one code of `rules.judgement.WHY` for a set of reasons; missing facts speak before open questions."""
    codes = [WHY_CODES.get(key, "interpretation_unsigned") for key in keys]
    for code in ("parameter_unknown", "fee_unknown", "cause_unknown", "fact_missing"):
        if code in codes:
            return code
    return codes[0] if codes else ""


def yuan(fen: int) -> str:
    return f"{format_yuan(fen)} 元"


def moment(epoch_s: int) -> str:
    return local_time(epoch_s).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


def duration(seconds: int, language: str = "zh") -> str:
    """
    >>> duration(111_600)
    '31小时'
    """
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if language == "zh":
        return f"{hours}小时" + (f"{minutes}分" if minutes else "") + (f"{left}秒" if left else "")
    return f"{hours} h" + (f" {minutes} min" if minutes else "") + (f" {left} s" if left else "")
