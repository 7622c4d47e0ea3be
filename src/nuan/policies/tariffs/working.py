"""怎么算的: the working of one home's bill, line by line, from the same run that reckons a city."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from nuan.policies.tariffs import billing
from nuan.policies.tariffs.billing import Billed, bill
from nuan.policies.tariffs.columns import BilledHomes
from nuan.policies.tariffs.tariff import Charge, Tariff
from nuan.rules.pack import Pack
from nuan.terms.money import format_yuan

LABELS: dict[str, tuple[str, str]] = {
    billing.AREA: ("面积热费", "area charge"),
    billing.BASIC: ("基本热费", "basic charge"),
    billing.METERED: ("计量热费", "metered charge"),
    billing.HEIGHT: ("超高加收", "surcharge for high rooms"),
    billing.CAP: ("计量收费封顶减免", "taken off by the cap on metered bills"),
    billing.STOP: ("停热基本热费", "basic fee of a stopped home"),
    billing.CONNECTION: ("接入费", "connection fee"),
    "late_fee": ("逾期违约金", "late fee"),
    "adjustment": ("调整", "adjustment"),
    "cancellation": ("冲销", "cancellation"),
}
REASONS: dict[str, tuple[str, str]] = {
    "area_unknown": ("计费面积未登记", "the billed area is not known"),
    "area_not_positive": ("计费面积不是正数", "the billed area is not positive"),
    "heat_unknown": ("计量用户没有本季用热量读数", "a metered home without a reading of this season"),
    "heat_negative": ("用热量为负，表计须核查", "negative consumption: the meter has to be checked"),
    "base_share_exceeded": ("基本热价超过法定占比上限", "the basic price exceeds the share that the law allows"),
    "value_absurd": (
        "面积、层高或用热量大得不可能，请核对小数点和单位",
        "an area, height or consumption that cannot be: check point and unit",
    ),
    "negative_bill": ("账单合计为负", "the bill would be negative"),
    "season_unknown": ("规则包未载明供热期", "the pack does not say when the season is"),
    "tariff_impossible": ("热价参数自相矛盾", "the tariff contradicts itself"),
    "no_contract": ("本季没有供用热合同", "no contract for this season"),
}


def reason_words(code: str, pack: Pack, language: str = "zh") -> str:
    """
    >>> from nuan.rules.pack import load_pack
    >>> reason_words("tariff.price_home", load_pack("directive"))
    '未载明：居民热价'
    """
    found = REASONS.get(code)
    if found is not None:
        return found[language == "en"]
    parameter = pack.parameter(code)
    return f"未载明：{parameter.zh}" if language == "zh" else f"not stated (未载明): {parameter.en}"


@dataclass(frozen=True, slots=True)
class WorkedLine:
    """One line with its working, the parameter that its price comes from, and that number's source."""

    kind: str
    label_zh: str
    label_en: str
    working_zh: str
    working_en: str
    parameter: str
    source: str
    first: date | None
    last: date | None
    amount_fen: int


def working(homes: BilledHomes, by: Tariff) -> tuple[list[WorkedLine], Billed]:
    """The lines of a single home, worded. Their fen are those of the city's run: it is the same run."""
    if len(homes) != 1:
        raise ValueError("the working is of one home at a time")
    billed = bill(homes, by)
    lines = billed.lines
    name = "home" if bool(homes.is_dwelling[0]) else "other"
    found = []
    for row in range(len(lines.home)):
        kind, part = billing.KINDS[int(lines.kind[row])], int(lines.part[row])
        charge = billed.charges[name, kind]
        found.append(_worded(kind, part, int(lines.quantity[row]), int(lines.amount_fen[row]), charge, by, homes))
    return found, billed


def _worded(
    kind: str, part: int, quantity: int, amount_fen: int, charge: Charge, by: Tariff, homes: BilledHomes
) -> WorkedLine:
    stretch = charge.stretches[part]
    price, days = f"{stretch.price.value} {charge.unit}", (by.season.last_day - by.season.first_day).days + 1
    span_zh = f" × {stretch.days}/{days} 天（{stretch.first} 至 {stretch.last}）" if len(charge.stretches) > 1 else ""
    span_en = f" × {stretch.days}/{days} days ({stretch.first} to {stretch.last})" if len(charge.stretches) > 1 else ""
    money = f"{format_yuan(amount_fen)} 元"
    key, source = charge.key, stretch.price.source
    area = f"{decimal(quantity, 100)} m²"
    if kind == billing.METERED:
        zh, en = _heat_words(quantity, by, homes)
        zh, en = f"{zh} × {price}", f"{en} × {price}"
    elif kind == billing.HEIGHT and by.height is not None:
        step, percent = decimal(by.height.step_mm, 1000), f"{float(by.height.percent):g} %"
        zh = f"层高 {decimal(int(homes.ceiling_mm[0]), 1000)} m，超过 {decimal(by.height.from_mm, 1000)} m 计 {quantity} 档（每 {step} m），每档 {percent}"
        en = f"ceiling {decimal(int(homes.ceiling_mm[0]), 1000)} m: {quantity} steps of {step} m, {percent} each"
        key, source, span_zh, span_en = "tariff.height_percent", by.height.said.source, "", ""
    elif kind == billing.CAP:
        limit = " → ".join(dict.fromkeys(str(each.percent.value) for each in charge.stretches))
        zh = f"两部制合计超过按面积收费额的上限（超出部分不高于 {limit} %），超出的减免"
        en = f"what exceeds the area bill by more than {limit} % is taken off"
        key, source, span_zh, span_en = "tariff.metered_over_area_max", stretch.percent.source, "", ""
    elif kind == billing.STOP:
        zh, en = (f"{area} × {price} × {word} {stretch.percent.value} %" for word in ("停热", "stopped home"))
        key, source = "stop_heat.base_fee_percent", stretch.percent.source
    else:
        zh = en = f"{area} × {price}"
    first, last = (stretch.first, stretch.last) if kind not in {billing.HEIGHT, billing.CAP} else (None, None)
    label_zh, label_en = LABELS[kind]
    return WorkedLine(
        kind, label_zh, label_en, f"{zh}{span_zh} = {money}", f"{en}{span_en} = {money}", key, source, first, last, amount_fen
    )  # fmt: skip


def _heat_words(quantity: int, by: Tariff, homes: BilledHomes) -> tuple[str, str]:
    read_in = ("kWh", "GJ")[int(homes.heat_unit[0])]
    said = f"{decimal(quantity, 1000)} {read_in}"
    if read_in == by.heat_unit:
        return said, said
    ratio = "2500/9" if read_in == "GJ" else "9/2500"
    return f"{said}（× {ratio} 折 {by.heat_unit}）", f"{said} (× {ratio} in {by.heat_unit})"


def decimal(quantity: int, scale: int) -> str:
    """
    >>> decimal(9050, 100), decimal(12000, 1000)
    ('90.5', '12')
    """
    exact = Fraction(quantity, scale)
    return f"{float(exact):.3f}".rstrip("0").rstrip(".")
