"""Repairs and costs: recorded as acts, decided by the rule of 2.7.3 before they are recorded, taken back by a reversing row."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from nuan.facts.schemas import TABLES
from nuan.operations.acts import act
from nuan.operations.city_packs import signed_records
from nuan.policies import catalogue
from nuan.policies.refunds.law import season_rule
from nuan.policies.support.payer import BRANCHES, PAYERS, decide, with_least_warranty
from nuan.records.support.models import Asset, CostEntry, Repair
from nuan.terms.places import day_number


class CostError(ValueError):
    """Why a repair or cost is not recorded."""


class AmountError(CostError):
    def __init__(self) -> None:
        super().__init__("金额须大于零 / the amount must be positive")


class FutureError(CostError):
    def __init__(self, on: date) -> None:
        super().__init__(f"{on} 还没有到，不能登记 / {on} has not come yet")


class CodeTakenError(CostError):
    def __init__(self, code: str) -> None:
        super().__init__(f"编号 {code} 已经登记过 / {code} is recorded already")


class AlreadyReversedError(CostError):
    def __init__(self, code: str) -> None:
        super().__init__(f"{code} 已经冲销过，或本身就是冲销 / {code} is taken back already")


@dataclass(frozen=True, slots=True)
class PayerDecision:
    """Who bears a repair of an asset on a day; `payer` is empty where that cannot be decided."""

    branch: str
    payer: str
    warranty_until: date | None

    @property
    def reason_zh(self) -> str:
        return BRANCHES[self.branch].zh

    @property
    def reason_en(self) -> str:
        return BRANCHES[self.branch].en

    @property
    def payer_words(self) -> tuple[str, str]:
        return PAYERS[self.payer]


def payer_of(asset: Asset, on: date) -> PayerDecision:
    """The rule of 2.7.3 on one asset and day, by the pack of its banner: what the form shows before anything is saved."""
    return payers_of([(asset, on)])[0]


def payers_of(wanted: list[tuple[Asset, date]]) -> list[PayerDecision]:
    """The same for many, in their order; the packs of several banners are read once each."""
    found: dict[int, PayerDecision] = {}
    by_pack: dict[str, list[int]] = {}
    for place, (asset, _) in enumerate(wanted):
        by_pack.setdefault(asset.banner.pack, []).append(place)
    signed = signed_records() if wanted else []
    for name, places in by_pack.items():
        pack = catalogue.pack(name, signed)
        schema = TABLES["asset"].schema
        rows = [_asset_row(wanted[place][0]) for place in places]
        frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
            pl.Series("day", [day_number(wanted[place][1]) for place in places], dtype=pl.Int32)
        )
        rule = season_rule(pack, wanted[places[0]][1])
        end = None if rule is None else (rule.end_month, rule.end_day)
        decided = decide(with_least_warranty(frame, pack, end))
        for place, branch, payer in zip(places, decided["branch"], decided["payer"], strict=True):
            found[place] = PayerDecision(branch, payer, wanted[place][0].warranty_until)
    return [found[place] for place in range(len(wanted))]


def _asset_row(asset: Asset) -> tuple[object, ...]:
    def number(day: date | None) -> int | None:
        return None if day is None else day_number(day)

    return (
        asset.code, asset.kind, asset.company_id, asset.banner_id, asset.owner, asset.position, asset.handover,
        number(asset.handed_over_on), asset.warranty, number(asset.warranty_until), bool(asset.contract_ref),
    )  # fmt: skip


def record_repair(
    *, code: str, asset: Asset, on: date, category: str, cost_fen: int, charged_to: str, invoice_ref: str = "", memo: str = "",
    today: date, actor: str,
) -> Repair:  # fmt: skip
    """One repair; what the company pays itself goes into its cost ledger with it, as price cost where the rule says it belongs there.

    Raises AmountError, FutureError, CodeTakenError.
    """
    _check(cost_fen, on, today)
    if Repair.objects.filter(code=code).exists():
        raise CodeTakenError(code)
    decision = payer_of(asset, on)
    with act("record_repair", actor=actor, subject=code, clause="2.7.3", why=decision.reason_zh) as row:
        repair = Repair.objects.create(
            code=code, asset=asset, on=on, category=category, cost_fen=cost_fen, charged_to=charged_to, invoice_ref=invoice_ref,
            memo=memo, recorded_by=actor,
        )  # fmt: skip
        if charged_to == Repair.ChargedTo.COMPANY:
            CostEntry.objects.create(
                code=code, company=asset.company, banner=asset.banner, asset=asset, repair=repair, on=on, category=category,
                amount_fen=cost_fen, in_price_cost=decision.payer == "company", invoice_ref=invoice_ref, recorded_by=actor,
            )  # fmt: skip
        row.details = {"asset": asset.code, "fen": cost_fen, "charged_to": charged_to, "bears": decision.payer}
    return repair


def cancel_repair(repair: Repair, *, why: str, today: date, actor: str) -> Repair:
    """Take a repair back, and its line in the cost ledger with it; both rows stay."""
    with act("cancel_repair", actor=actor, subject=repair.code, clause="2.7.3", why=why):
        fresh = Repair.objects.select_for_update().get(pk=repair.pk)
        if fresh.reverses_id is not None or Repair.objects.filter(reverses=fresh).exists():
            raise AlreadyReversedError(repair.code)
        for cost in CostEntry.objects.filter(repair=fresh, reverses=None, reversed_by=None):
            _reverse_cost(cost, today, actor)
        return Repair.objects.create(
            code=f"{fresh.code}-R", asset_id=fresh.asset_id, on=today, category=fresh.category, cost_fen=-fresh.cost_fen,
            charged_to=fresh.charged_to, memo=why[:300], reverses=fresh, recorded_by=actor,
        )  # fmt: skip


def record_cost(
    *, code: str, asset: Asset | None, company: str, banner: str, on: date, category: str, amount_fen: int, in_price_cost: bool,
    invoice_ref: str = "", memo: str = "", today: date, actor: str,
) -> CostEntry:  # fmt: skip
    """One line of a company's cost ledger. Raises AmountError, FutureError, CodeTakenError."""
    _check(amount_fen, on, today)
    if CostEntry.objects.filter(code=code).exists():
        raise CodeTakenError(code)
    with act("record_cost", actor=actor, subject=code, clause="2.7.4") as row:
        row.details = {"company": company, "fen": amount_fen, "category": category, "in_price_cost": in_price_cost}
        return CostEntry.objects.create(
            code=code, company_id=company, banner_id=banner, asset=asset, on=on, category=category, amount_fen=amount_fen,
            in_price_cost=in_price_cost, invoice_ref=invoice_ref, memo=memo, recorded_by=actor,
        )  # fmt: skip


def enter_into_price_cost(cost: CostEntry, *, in_price_cost: bool, today: date, actor: str) -> CostEntry:
    """A line that was left out, or that does not belong, is taken back and entered again the other way."""
    with act("enter_into_price_cost", actor=actor, subject=cost.code, clause="2.7.4") as row:
        fresh = CostEntry.objects.select_for_update().get(pk=cost.pk)
        if fresh.reverses_id is not None or CostEntry.objects.filter(reverses=fresh).exists():
            raise AlreadyReversedError(cost.code)
        _reverse_cost(fresh, today, actor)
        row.details = {"in_price_cost": in_price_cost, "fen": fresh.amount_fen}
        return CostEntry.objects.create(
            code=f"{fresh.code}-N", company_id=fresh.company_id, banner_id=fresh.banner_id, asset_id=fresh.asset_id,
            repair_id=fresh.repair_id, on=fresh.on, category=fresh.category, amount_fen=fresh.amount_fen,
            in_price_cost=in_price_cost, invoice_ref=fresh.invoice_ref, memo=fresh.memo, recorded_by=actor,
        )  # fmt: skip


def _reverse_cost(cost: CostEntry, today: date, actor: str) -> None:
    CostEntry.objects.create(
        code=f"{cost.code}-R", company_id=cost.company_id, banner_id=cost.banner_id, asset_id=cost.asset_id,
        repair_id=cost.repair_id, on=today, category=cost.category, amount_fen=-cost.amount_fen, in_price_cost=cost.in_price_cost,
        reverses=cost, recorded_by=actor,
    )  # fmt: skip


def _check(fen: int, on: date, today: date) -> None:
    if fen <= 0:
        raise AmountError
    if on > today:
        raise FutureError(on)
