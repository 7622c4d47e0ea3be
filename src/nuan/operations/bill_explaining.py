"""怎么算的 of a bill: the same run that billed the city, on one home, from what the bill was reckoned from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nuan.operations.bill_inputs import MEASURES
from nuan.operations.city_packs import season_of, signed_records
from nuan.policies import catalogue
from nuan.policies.tariffs.columns import ABSENT, GJ, KWH, BilledHomes
from nuan.policies.tariffs.tariff import tariff
from nuan.policies.tariffs.working import LABELS, WorkedLine, working
from nuan.records.billing.models import Bill, BillLine


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a document with its working; `working_zh` is empty where nothing but the amount is recorded."""

    line: BillLine
    label_zh: str
    label_en: str
    working_zh: str
    working_en: str
    source: str


@dataclass(frozen=True, slots=True)
class ShownBill:
    """`same`: reckoned again today it gives the same fen; None where the rules are no longer those of the bill, or it is no such bill."""

    bill: Bill
    lines: tuple[ShownLine, ...]
    same: bool | None


def homes_of(inputs: dict[str, Any]) -> BilledHomes:
    """The one home of a bill as columns."""
    given: dict[str, Any] = {name: [ABSENT if inputs.get(name) is None else inputs[name]] for name in MEASURES}
    flags = {name: [bool(inputs.get(name))] for name in ("is_dwelling", "metered", "stopped")}
    return BilledHomes.of(1, heat_unit=np.array([GJ if inputs.get("in_gj") else KWH]), **given, **flags)


def worked(bill: Bill) -> list[WorkedLine] | None:
    """The working by the rules that billed it; None where the pack has another version now."""
    if bill.kind != Bill.Kind.BILL or bill.pack not in catalogue.packs():
        return None
    pack = catalogue.pack(bill.pack, signed_records())
    if pack.version != bill.pack_version:
        return None
    return working(homes_of(bill.inputs), tariff(pack, season_of(pack, bill.season)))[0]


def explain_bill(bill: Bill) -> ShownBill:
    lines = list(bill.lines.order_by("position"))
    told = worked(bill)
    if told is None:
        return ShownBill(bill, tuple(_stored(line) for line in lines), None)
    same = [(line.kind, line.amount_fen) for line in lines] == [(each.kind, each.amount_fen) for each in told]
    if not same:
        return ShownBill(bill, tuple(_stored(line) for line in lines), False)
    shown = tuple(
        ShownLine(line, each.label_zh, each.label_en, each.working_zh, each.working_en, each.source)
        for line, each in zip(lines, told, strict=True)
    )
    return ShownBill(bill, shown, True)


def _stored(line: BillLine) -> ShownLine:
    zh, en = LABELS.get(line.kind, (line.kind, line.kind))
    return ShownLine(line, zh, en, line.words, line.words, "")
