"""停热: what holds where nobody said anything. A home that was stopped last season and has not applied anew goes on being stopped, or is
supplied, as the place's law says; and an application that waits longer than the law gives is named with its days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from nuan.operations.acts import act
from nuan.operations.bill_inputs import last_season
from nuan.operations.bill_writing import lock_company
from nuan.operations.city_packs import season_of, signed_records
from nuan.operations.overdue_bills import StandingBill, standing_bills
from nuan.policies import catalogue
from nuan.policies.tariffs.stop_heat import last_day_of_silence, on_silence
from nuan.records.billing.models import StopHeatApplication
from nuan.records.registry.models import Contract, Home
from nuan.rules.pack import Pack

STOPPED, SUPPLIED, UNKNOWN, BILLED, TOO_EARLY = "stopped", "supplied", "unknown", "billed", "too_early"
WORDS = {
    STOPPED: "视为继续停热", SUPPLIED: "照常供热", UNKNOWN: "规定未载明，待定", BILLED: "视为继续停热，但已有账单：请先冲销，再办理",
    TOO_EARLY: "交费期限未过，还不能认定",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Silent:
    """A home that was stopped last season and said nothing about this one."""

    home: Home
    answer: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An application without an answer; `overdue_days` None: the place names no time to answer."""

    application: StopHeatApplication
    answer_by: date | None
    overdue_days: int | None


def silent_homes(company: str, season: str, today: date) -> list[Silent]:
    """By home: what its silence means on a day."""
    applied = StopHeatApplication.objects.filter(season=season, home__company=company)
    homes = list(
        Home.objects.filter(company=company, contracts__season=last_season(season), contracts__stop_heat=True)
        .filter(pk__in=Contract.objects.filter(season=season, stop_heat=False).values("home"))
        .exclude(pk__in=applied.values("home")).select_related("banner").order_by("id")
    )  # fmt: skip
    bills = standing_bills(company, today, [home.pk for home in homes]) if homes else []
    own = {
        each.home: each
        for each in bills
        if each.season == season and each.base_fen + sum(fen for _, fen in each.later) > 0
    }
    packs: dict[str, Pack] = {}
    found = []
    for home in homes:
        pack = packs.setdefault(
            home.banner.pack, packs.get(home.banner.pack) or catalogue.pack(home.banner.pack, signed_records())
        )
        found.append(_of(home, pack, season, own.get(home.pk), today))
    return found


def _of(home: Home, pack: Pack, key: str, bill: StandingBill | None, today: date) -> Silent:
    season = season_of(pack, key)
    stopped = on_silence(pack, season, stopped_last_season=True, paid_in_full_on=_paid_in_full_on(bill))
    until = last_day_of_silence(pack, season)
    if stopped is None:
        return Silent(home, UNKNOWN, None)
    if not stopped:
        return Silent(home, SUPPLIED, until)
    if until is not None and today <= until:
        return Silent(home, TOO_EARLY, until)
    return Silent(home, BILLED if bill is not None else STOPPED, until)


def _paid_in_full_on(bill: StandingBill | None) -> date | None:
    if bill is None or bill.open_fen > 0:
        return None
    left = bill.base_fen + sum(fen for _, fen in bill.later)
    for on, fen in bill.paid:
        left -= fen
        if left <= 0:
            return on
    return None


def continue_stops(company: str, season: str, *, today: date, actor: str) -> list[Silent]:
    """Stop the contracts of those whose silence means that they go on being stopped, and write that down as the answer. All silent homes."""
    with act("continue_stops", actor=actor, subject=f"{company}:{season}", why="未办停热手续") as row:
        lock_company(company)
        found = silent_homes(company, season, today)
        stopped = [each for each in found if each.answer == STOPPED]
        StopHeatApplication.objects.bulk_create(
            [
                StopHeatApplication(
                    home=each.home, season=season, applied_on=today, facts=[], accepted=True, decided_by=actor[:120],
                    why=f"上季停热，截至 {each.until} 未办手续也未交清全额热费，视为继续停热",
                )
                for each in stopped
            ],
            batch_size=5000,
        )  # fmt: skip
        Contract.objects.filter(season=season, home__in=[each.home for each in stopped]).update(stop_heat=True)
        row.details = {"stopped": len(stopped), "silent": len(found)}
        row.nothing_changed = not stopped
    return found


def waiting_applications(company: str, today: date) -> list[Waiting]:
    """Applications that nobody could decide yet, the oldest first, with the day by which the place wants an answer."""
    rows = StopHeatApplication.objects.filter(home__company=company).select_related("home__banner").order_by("id")
    return list(_waiting(rows, today))


def _waiting(rows: Iterable[StopHeatApplication], today: date) -> Iterable[Waiting]:
    newest = {(row.home_id, row.season): row for row in rows}
    for row in newest.values():
        if row.accepted is not None:
            continue
        pack = catalogue.pack(row.home.banner.pack, signed_records())
        days = pack.value("stop_heat.answer_days", row.applied_on)
        by = None if days is None else row.applied_on + timedelta(days=int(days))
        yield Waiting(row, by, None if by is None else max((today - by).days, 0))
