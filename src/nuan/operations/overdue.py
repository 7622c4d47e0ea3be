"""What follows when a bill is not paid in time: late fees with their dates and dunning, both stopped while a case is open.

What is open is read from the ledger: the home's receivable, oldest bill first. Nothing here, and nothing anywhere, cuts a home off.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta

import polars as pl
from django.utils import timezone

from nuan.operations.acts import act
from nuan.operations.bill_writing import NewDocument, NewLine, lock_company, write_documents
from nuan.operations.city_packs import season_of, signed_records
from nuan.operations.ledger import require_open
from nuan.operations.ledger_bulk import copy_rows
from nuan.operations.overdue_bills import StandingBill, bills_to_look_at
from nuan.operations.overpaid import paid_beyond_into_credit
from nuan.policies import catalogue
from nuan.policies.dunning.steps import steps, steps_due
from nuan.policies.tariffs.late_fee import LateFee, due_day, late_fee
from nuan.records.billing.models import Bill, BillingHold, DunningNotice
from nuan.records.registry.models import Company, Home
from nuan.rules.pack import Pack
from nuan.terms.money import format_yuan

Hold = tuple[date, date | None]


class HoldError(ValueError):
    """A hold that cannot be placed or lifted, and why."""


def holds_of(company: str, homes: Collection[int] | None = None) -> dict[int, list[Hold]]:
    """The cases that are or were open about homes of a company: first and last day (None: still open), by home."""
    rows = BillingHold.objects.filter(home__company=company)
    if homes is not None:
        rows = rows.filter(home__in=list(homes))
    found: dict[int, list[Hold]] = defaultdict(list)
    for home, since, until in rows.values_list("home", "since", "until"):
        found[home].append((since, until))
    return found


def _stopped(holds: Sequence[Hold], day: date) -> bool:
    return any(since <= day and (until is None or until >= day) for since, until in holds)


def open_hold(home: Home) -> BillingHold | None:
    """The hold that nobody has lifted yet."""
    return BillingHold.objects.filter(home=home, until=None).order_by("-id").first()


def place_hold(home: Home, *, reason: str, since: date, actor: str) -> BillingHold:
    """Nothing is demanded and no late fee runs from `since` on. Raises HoldError without a reason and where a hold stands already."""
    if not reason.strip():
        raise HoldError("请写明争议的内容 / say what the dispute is about")
    with act("hold_billing", actor=actor, subject=home.code, why=reason.strip()):
        Home.objects.select_for_update(no_key=True).get(pk=home.pk)
        if (there := open_hold(home)) is not None:
            raise HoldError(f"自 {there.since} 起已经暂停催缴和违约金 / on hold since {there.since} already")
        return BillingHold.objects.create(home=home, reason=reason.strip(), since=since, placed_by=actor)


def release_hold(hold: BillingHold, *, until: date, actor: str, why: str = "") -> BillingHold:
    """`until` is the last day of the hold; `why` says what came of the case. Raises HoldError where it was lifted before."""
    with act("release_billing_hold", actor=actor, subject=hold.home.code, why=why.strip() or hold.reason):
        if BillingHold.objects.select_for_update().get(pk=hold.pk).until is not None:
            raise HoldError("这次暂停已经解除 / this hold was lifted before")
        hold.until, hold.released_by = until, actor
        hold.save(update_fields=["until", "released_by"])
    return hold


def reckon_late_fee(each: StandingBill, until: date, pack: Pack, holds: Sequence[Hold] = ()) -> LateFee:
    """The whole late fee of a bill up to a day, days of an open case left out; what was added to it counts from its own day."""
    due = each.owed_since(each.due_on or due_day(pack, season_of(pack, each.season)))
    return late_fee(pack, due, each.base_fen, each.paid, until, held=holds, later=each.later)


def charge_late_fees(
    homes: Iterable[Home] | None, company: str, *, until: date, actor: str
) -> dict[str, int]:  # fmt: skip
    """Book what late fees have become since the last time, for these homes or all of the company's (None): more where days have passed, less
    where a payment of an earlier day has come to light or the bill was lowered. Raises ClosedBooksError.

    Counts: `charged`, `lowered`, `fen`, `held` homes, and what a place does not state under its key.
    """
    counts: dict[str, int] = defaultdict(int)
    packs: dict[str, Pack] = {}
    which = None if homes is None else [home.pk for home in homes]
    with act("charge_late_fees", actor=actor, subject=f"{company}:{until}") as row:
        require_open(company, until)
        lock_company(company)
        holds = holds_of(company, which)
        stopped = {home for home, each in holds.items() if _stopped(each, until)}
        counts["held"] = len(stopped)
        documents: list[NewDocument] = []
        for each in bills_to_look_at(company, until, which):
            if each.home in stopped or (each.late_until is not None and each.late_until > until):
                continue
            pack = packs.setdefault(each.pack, packs.get(each.pack) or catalogue.pack(each.pack, signed_records()))
            reckoned = reckon_late_fee(each, until, pack, holds.get(each.home, ()))
            if reckoned.amount_fen is None:
                counts[reckoned.why] += 1
            elif reckoned.amount_fen != each.late_fen:
                documents.append(_late_document(each, reckoned, reckoned.amount_fen - each.late_fen, until))
        write_documents(company, Bill.Kind.LATE_FEE, documents, on=until, actor=actor)
        lowered = [each.about[0] for each in documents if each.total_fen < 0]
        for bill in Bill.objects.filter(pk__in=lowered):
            paid_beyond_into_credit(bill, on=until, actor=actor, why="违约金重新计算")
        counts["charged"], counts["lowered"] = len(documents) - len(lowered), len(lowered)
        counts["fen"] = sum(each.total_fen for each in documents)
        row.details = dict(counts)
        row.nothing_changed = not documents
    return {name: count for name, count in counts.items() if count or name == "charged"}


def _late_document(each: StandingBill, reckoned: LateFee, fen: int, until: date) -> NewDocument:
    words = "；".join(f"{s.first} 至 {s.last} {s.days} 天 × {format_yuan(s.open_fen)} 元 × {s.daily_percent} %" for s in reckoned.spans)  # fmt: skip
    before = f"；减已计 {format_yuan(each.late_fen)} 元" if each.late_fen else ""
    line = NewLine("late_fee", fen, f"{words or '没有逾期'}{before}"[:200], parameter="late_fee.daily_percent")
    return NewDocument(
        (each.bill, each.number), each.home, each.season, each.pack, each.pack_version, [line], f"{each.number} 逾期违约金",
        inputs={"until": until.isoformat(), "capped": reckoned.capped},
    )  # fmt: skip


def take_dunning_steps(
    homes: Iterable[Home] | None, company: str, *, today: date, actor: str
) -> list[DunningNotice]:  # fmt: skip
    """Write the notices that are due, for these homes or all (None); sending them is somebody else's work. None for homes with an open case or
    nothing open."""
    all_steps, made = steps(), []
    which = None if homes is None else [home.pk for home in homes]
    phone = Company.objects.get(pk=company).service_phone or "供热企业"
    with act("dun", actor=actor, subject=f"{company}:{today}") as row:
        lock_company(company)
        holds = holds_of(company, which)
        looked = [each for each in bills_to_look_at(company, today, which) if each.open_fen > 0]
        taken = _steps_taken([each.bill for each in looked])
        for each in looked:
            due = each.owed_since(each.due_on)
            if due is None:
                continue
            for step in steps_due(
                all_steps, due, today, taken[each.bill], _stopped(holds.get(each.home, ()), today)
            ):  # fmt: skip
                text = step.zh.format(
                    number=each.number, yuan=format_yuan(each.open_fen), due=due, days=(today - due).days, phone=phone
                )  # fmt: skip
                made.append(
                    DunningNotice(
                        bill_id=each.bill, step=step.key, channel=step.channel, due_on=due + timedelta(days=step.after_days), text=text,
                        made_by=actor[:120],
                    )
                )  # fmt: skip
        _write_notices(made)
        row.details = {"notices": len(made)}
        row.nothing_changed = not made
    return made


def _steps_taken(bills: Sequence[int]) -> dict[int, set[str]]:
    taken: dict[int, set[str]] = defaultdict(set)
    for bill, step in DunningNotice.objects.filter(bill__in=bills).values_list("bill", "step"):
        taken[bill].add(step)
    return taken


def _write_notices(made: Sequence[DunningNotice]) -> None:
    names = ("bill_id", "step", "channel", "due_on", "text", "made_by")
    now = pl.lit(timezone.now()).alias("made_at")
    if made:
        frame = pl.DataFrame({name: [getattr(each, name) for each in made] for name in names})
        copy_rows(DunningNotice, frame.with_columns(now))
