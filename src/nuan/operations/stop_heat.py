"""停热申请: decided by the place's window and grounds, recorded with its reasons; an accepted one stops the contract for the season."""

from collections.abc import Collection
from datetime import date

from nuan.operations.acts import act
from nuan.operations.city_packs import season_of, signed_records
from nuan.policies import catalogue
from nuan.policies.tariffs.stop_heat import GROUNDS, stop_heat
from nuan.records.billing.models import Bill, StopHeatApplication
from nuan.records.registry.models import Contract, Home


class StopHeatError(ValueError):
    """An application that cannot be taken, and why."""


def apply_to_stop(
    home: Home, *, season: str, applied_on: date, facts: Collection[str], actor: str
) -> StopHeatApplication:
    """Decide and record. `facts` are the grounds that were found to hold. A home that has its bill keeps it: cancel that first."""
    pack = catalogue.pack(home.banner.pack, signed_records())
    answer = stop_heat(pack, season_of(pack, season), applied_on, facts)
    contract = Contract.objects.filter(home=home, season=season).first()
    if contract is None:
        raise StopHeatError(f"{home.code} 在 {season} 季没有供用热合同")
    if Bill.objects.filter(home=home, season=season, kind="bill").exclude(documents__kind="cancellation").exists():
        raise StopHeatError(f"{home.code} 在 {season} 季已有账单；请先冲销，再办理停热")
    reasons = [GROUNDS[ground][0] for ground in answer.grounds]
    if answer.late:
        reasons.append(f"超过申请截止日 {answer.last_day}")
    reasons += [f"未载明：{pack.parameter(key).zh}" for key in answer.missing]
    with act("decide_stop_heat", actor=actor, subject=home.code, why="；".join(reasons)) as row:
        made = StopHeatApplication.objects.create(
            home=home, season=season, applied_on=applied_on, facts=sorted(facts), accepted=answer.accepted,
            why="；".join(reasons), decided_by=actor[:120],
        )  # fmt: skip
        if answer.accepted:
            Contract.objects.filter(pk=contract.pk).update(stop_heat=True)
        row.details = {"accepted": answer.accepted, "applied_on": applied_on.isoformat()}
    return made
