"""停热申请: decided by the place's window and grounds, recorded with its reasons; an accepted one stops the contract for the season."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from nuan.operations.acts import act
from nuan.operations.bill_writing import lock_company
from nuan.operations.city_packs import season_of, signed_records
from nuan.policies import catalogue
from nuan.policies.tariffs.stop_heat import GROUNDS, StopHeat, stop_heat
from nuan.records.billing.models import Bill, StopHeatApplication
from nuan.records.registry.models import Contract, Home


class StopHeatError(ValueError):
    """An application that cannot be taken, and why."""


@dataclass(frozen=True, slots=True)
class Reasoned:
    """The answer of the place's rule with its reasons in words, before anything is recorded."""

    answer: StopHeat
    reasons: tuple[str, ...]
    pack: str

    @property
    def why(self) -> str:
        return "；".join(self.reasons)


def reason_on(home: Home, *, season: str, applied_on: date, facts: Collection[str]) -> Reasoned:
    """What would be decided. Raises StopHeatError where no application can be taken: no contract, a bill, one that was accepted before."""
    pack = catalogue.pack(home.banner.pack, signed_records())
    answer = stop_heat(pack, season_of(pack, season), applied_on, facts)
    if not Contract.objects.filter(home=home, season=season).exists():
        raise StopHeatError(f"{home.code} 在 {season} 季没有供用热合同")
    if Bill.objects.filter(home=home, season=season, kind="bill").exclude(documents__kind="cancellation").exists():
        raise StopHeatError(f"{home.code} 在 {season} 季已有账单；请先冲销，再办理停热")
    _not_twice(home, season, applied_on, facts)
    reasons = [GROUNDS[ground][0] for ground in answer.grounds]
    if answer.late:
        reasons.append(f"超过申请截止日 {answer.last_day}")
    reasons += [f"未载明：{pack.parameter(key).zh}" for key in answer.missing]
    return Reasoned(answer, tuple(reasons), pack.name)


def _not_twice(home: Home, season: str, applied_on: date, facts: Collection[str]) -> None:
    """An accepted application stands; the same one again (a button pressed twice) is no other. A refused one may be followed by a new one."""
    before = StopHeatApplication.objects.filter(home=home, season=season)
    if before.filter(accepted=True).exists():
        raise StopHeatError(f"{home.code} 在 {season} 季的停热申请已经同意")
    if before.filter(applied_on=applied_on, facts=sorted(facts)).exists():
        raise StopHeatError(f"{home.code} 在 {applied_on} 的同一份停热申请已经登记")


def apply_to_stop(
    home: Home, *, season: str, applied_on: date, facts: Collection[str], actor: str
) -> StopHeatApplication:
    """Decide and record. `facts` are the grounds that were found to hold. A home that has its bill keeps it: cancel that first."""
    with act("decide_stop_heat", actor=actor, subject=home.code) as row:
        lock_company(home.company_id)  # a run that is being posted ends first, and its bill is then seen
        contracts = Contract.objects.select_for_update(no_key=True).filter(home=home, season=season)
        locked = [contract.pk for contract in contracts]
        found = reason_on(home, season=season, applied_on=applied_on, facts=facts)
        row.why = found.why
        made = StopHeatApplication.objects.create(
            home=home, season=season, applied_on=applied_on, facts=sorted(facts), accepted=found.answer.accepted,
            why=found.why, decided_by=actor[:120],
        )  # fmt: skip
        if found.answer.accepted:
            Contract.objects.filter(pk__in=locked).update(stop_heat=True)
        row.details = {"accepted": found.answer.accepted, "applied_on": applied_on.isoformat()}
    return made
