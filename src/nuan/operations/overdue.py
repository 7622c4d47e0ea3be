"""What follows when a bill is not paid in time: late fees with their dates and dunning, both stopped while a case is open.

What is open is read from the ledger: the home's receivable, oldest bill first. Nothing here, and nothing anywhere, cuts a home off.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from nuan.operations.acts import act
from nuan.operations.bill_documents import NewLine, late_fee_document, standing_fen
from nuan.operations.city_packs import season_of, signed_records
from nuan.policies import catalogue
from nuan.policies.dunning.steps import steps, steps_due
from nuan.policies.tariffs.late_fee import LateFee, due_day, late_fee
from nuan.records.billing.chart import account_code
from nuan.records.billing.models import Allocation, Bill, BillingHold, DunningNotice, Posting
from nuan.records.registry.models import Home
from nuan.rules.pack import Pack
from nuan.terms.money import format_yuan

NOT_PAYMENTS = ("bill", "adjustment", "cancellation", "late_fee")


class HoldError(ValueError):
    """A hold that cannot be placed or lifted, and why."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A bill with what is open of it on a day and the payments that went to it."""

    bill: Bill
    open_fen: int
    paid: tuple[tuple[date, int], ...]


def held(home: Home, day: date) -> bool:
    """Whether a case about the home's bills is open on a day."""
    rows = BillingHold.objects.filter(home=home, since__lte=day)
    return any(row.until is None or row.until >= day for row in rows)


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


def bills_with_payments(home: Home, company: str, until: date) -> list[Overdue]:
    """The home's bills, oldest first, each with the payments placed on it; what the ledger received without naming a bill goes to the
    oldest that is open."""
    legs = (
        Posting.objects.filter(account__code=account_code(company, "receivable", home.code), entry__on__lte=until)
        .exclude(entry__kind__in=NOT_PAYMENTS)
        .exclude(entry__reverses__kind__in=NOT_PAYMENTS)
        .order_by("entry__on", "id")
        .values_list("entry_id", "entry__on", "amount_fen")
    )
    rows = list(legs)
    placed = dict(
        Allocation.objects.filter(entry_id__in=[entry for entry, _, _ in rows], bill__isnull=False).values_list(
            "entry_id", "bill_id"
        )
    )
    bills = Bill.objects.filter(home=home, company_id=company, kind=Bill.Kind.BILL, issued_on__lte=until)
    totals = {bill: standing_fen(bill) for bill in bills.order_by("issued_on", "id")}
    paid: dict[int, list[tuple[date, int]]] = {bill.pk: [] for bill in totals}
    for entry, on, fen in rows:
        if entry in placed:
            paid.setdefault(placed[entry], []).append((on, -fen))
            continue
        left = -fen
        for bill, total in totals.items():
            share = min(left, total - sum(part for _, part in paid[bill.pk])) if left > 0 else 0
            if share > 0:
                paid[bill.pk].append((on, share))
                left -= share
    return [
        Overdue(bill, total - sum(fen for _, fen in paid[bill.pk]), tuple(paid[bill.pk]))
        for bill, total in totals.items()
    ]


def owed_since(bill: Bill, due: date | None) -> date | None:
    """The last day on which a bill is in time: nobody is late with a bill that was not there yet."""
    return None if due is None else max(due, bill.issued_on)


def _pack(bill: Bill, cache: dict[str, Pack]) -> Pack:
    if bill.pack not in cache:
        cache[bill.pack] = catalogue.pack(bill.pack, signed_records())
    return cache[bill.pack]


def reckon_late_fee(each: Overdue, until: date, pack: Pack) -> LateFee:
    """The whole late fee of a bill up to a day, days of an open case left out."""
    season = season_of(pack, each.bill.season)
    due = owed_since(each.bill, each.bill.due_on or due_day(pack, season))
    holds = list(BillingHold.objects.filter(home_id=each.bill.home_id, since__lte=until).values_list("since", "until"))
    return late_fee(pack, due, standing_fen(each.bill), each.paid, until, held=holds)


def charge_late_fees(homes: Iterable[Home], company: str, *, until: date, actor: str) -> dict[str, int]:
    """Book what has become due since the last time. Counts: `charged`, `fen`, `held`, and what a place does not state under its key."""
    counts: dict[str, int] = defaultdict(int)
    packs: dict[str, Pack] = {}
    with act("charge_late_fees", actor=actor, subject=f"{company}:{until}") as row:
        for home in homes:
            if held(home, until):
                counts["held"] += 1
                continue
            for each in bills_with_payments(home, company, until):
                reckoned = reckon_late_fee(each, until, _pack(each.bill, packs))
                if reckoned.amount_fen is None:
                    counts[reckoned.why] += 1
                    continue
                before = sum(each.bill.documents.filter(kind=Bill.Kind.LATE_FEE).values_list("total_fen", flat=True))
                if reckoned.amount_fen <= before:
                    continue
                fen = reckoned.amount_fen - before
                words = "；".join(f"{s.first} 至 {s.last} {s.days} 天 × {format_yuan(s.open_fen)} 元 × {s.daily_percent} %" for s in reckoned.spans)  # fmt: skip
                line = NewLine("late_fee", fen, f"{words}{f'；减已计 {format_yuan(before)} 元' if before else ''}"[:200], parameter="late_fee.daily_percent")  # fmt: skip
                late_fee_document(each.bill, [line], on=until, actor=actor, details={"until": until.isoformat(), "capped": reckoned.capped})  # fmt: skip
                counts["charged"] += 1
                counts["fen"] += fen
        row.details = dict(counts)
        row.nothing_changed = not counts["charged"]
    return dict(counts)


def take_dunning_steps(homes: Iterable[Home], company: str, *, today: date, actor: str) -> list[DunningNotice]:
    """Write the notices that are due; sending them is somebody else's work. None for homes with an open case or nothing open."""
    all_steps, made = steps(), []
    with act("dun", actor=actor, subject=f"{company}:{today}") as row:
        for home in homes:
            stopped = held(home, today)
            for each in bills_with_payments(home, company, today):
                due = owed_since(each.bill, each.bill.due_on)
                if each.open_fen <= 0 or due is None:
                    continue
                taken = set(each.bill.notices.values_list("step", flat=True))
                for step in steps_due(all_steps, due, today, taken, stopped):
                    text = step.zh.format(
                        number=each.bill.number, yuan=format_yuan(each.open_fen), due=due,
                        days=(today - due).days, phone=home.company.service_phone or "供热企业",
                    )  # fmt: skip
                    made.append(
                        DunningNotice.objects.create(
                            bill=each.bill, step=step.key, channel=step.channel, due_on=due + timedelta(days=step.after_days),
                            text=text, made_by=actor,
                        )
                    )  # fmt: skip
        row.details = {"notices": len(made)}
        row.nothing_changed = not made
    return made
