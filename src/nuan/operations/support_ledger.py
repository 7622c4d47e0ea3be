"""保障资金 in the ledger of the company that it concerns: what government owes it, and the subsidies of its homes, payable, overdue and paid.

Each figure is brought to what the records say by an entry for the difference, under a key that counts; a payment is booked once and
taken back by reversing its entry. Asked again, nothing changes. The subsidies of homes are kept as a pair of accounts beside the
company's own money (代记): government pays them, and where nothing is outstanding both are empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

from nuan.operations.acts import act
from nuan.operations.ledger import account, open_day, post, reverse
from nuan.operations.ledger_bulk import home_accounts
from nuan.operations.payment_booking import Legs
from nuan.operations.support_reports import SubsidyRow, books, subsidy_rows
from nuan.records.billing.chart import CHART
from nuan.records.billing.models import Entry
from nuan.records.registry.models import Home
from nuan.records.support.models import DebtPayment, GovernmentDebt, SubsidyPayment

DEBTS, SUBSIDIES = "3.2", "3.1"
_BOOKED = """
SELECT coalesce(r.details, e.details)->>'subject', split_part(a.code, '/', 2), sum(p.amount_fen), count(DISTINCT e.id)
FROM billing_entry e LEFT JOIN billing_entry r ON r.id = e.reverses_id JOIN billing_posting p ON p.entry_id = e.id
JOIN billing_account a ON a.id = p.account_id
WHERE coalesce(r.kind, e.kind) = ANY(%(kinds)s) AND (%(only)s::text[] IS NULL OR coalesce(r.details, e.details)->>'subject' = ANY(%(only)s)) GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class SupportBooked:
    """How many entries a run has made, and subsidies of which nobody can say how much is owed (they are not zero, and not booked)."""

    debts: int = 0
    debt_payments: int = 0
    subsidies: int = 0
    overdue: int = 0
    subsidy_payments: int = 0
    unknown: int = 0

    @property
    def entries(self) -> int:
        return self.debts + self.debt_payments + self.subsidies + self.overdue + self.subsidy_payments


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('support ledger'))")


def _booked(kinds: list[str], only: Iterable[str] | None = None) -> dict[tuple[str, str], tuple[int, int]]:
    """(subject, number of the account) → (balance, entries)."""
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED, {"kinds": kinds, "only": None if only is None else list(only)})
        return {(subject, number): (int(fen), int(times)) for subject, number, fen, times in cursor.fetchall()}


def book_debts(debts: Iterable[GovernmentDebt], *, actor: str) -> tuple[int, int]:
    """Debts and their payments as they are recorded now: how many entries for debts, and for payments.

    应收政府款项 / 其他收益; a payment: 财政拨付待核 / 应收政府款项, which the bank statement clears.
    """
    wanted = {debt.code: debt for debt in debts}
    with act("book_government_debts", actor=actor, clause=DEBTS) as row, transaction.atomic():
        _lock()
        there = _booked(["government_debt"], wanted)
        made = 0
        for code, debt in sorted(wanted.items()):
            fen, times = there.get((code, CHART["government"].number), (0, 0))
            if missing := debt.amount_fen - fen:
                made += 1
                legs = [
                    (account(debt.company_id, "government"), missing),
                    (account(debt.company_id, "government_income"), -missing),
                ]
                post(
                    key=f"government_debt:{code}:{times}", kind="government_debt", on=open_day(debt.company_id, debt.incurred_on), postings=legs,
                    actor=actor, clause=DEBTS, memo=f"{debt.get_kind_display()} {code}"[:200],
                    details={"subject": code, "debt_kind": debt.kind, "incurred_on": debt.incurred_on.isoformat()},
                )  # fmt: skip
        paid = _book_debt_payments(wanted, actor)
        row.details, row.nothing_changed = {"debts": made, "payments": paid}, not (made or paid)
    return made, paid


def _book_debt_payments(debts: Mapping[str, GovernmentDebt], actor: str) -> int:
    rows = DebtPayment.objects.filter(debt__code__in=debts).select_related("debt").order_by("on", "id")
    keys = {f"debt_payment:{each.code}": each for each in rows}
    known = set(Entry.objects.filter(key__in=keys).values_list("key", flat=True))
    for key, each in keys.items():
        if key not in known:
            company = each.debt.company_id
            legs = [
                (account(company, "support_clearing"), each.amount_fen),
                (account(company, "government"), -each.amount_fen),
            ]
            post(
                key=key, kind="debt_payment", on=open_day(company, each.on), postings=legs, actor=actor, clause=DEBTS,
                memo=f"偿还 {each.debt.code}"[:200], details={"subject": each.debt.code, "payment": each.code, "paid_on": each.on.isoformat()},
            )  # fmt: skip
    return len(keys) - len(known & set(keys))


def book_subsidy_payments(payments: Iterable[SubsidyPayment], *, actor: str) -> int:
    """应付取暖补贴 of the home / 应收财政补贴, once each; a row that takes another back reverses that one's entry. How many were made."""
    made = 0
    for each in payments:
        key, home = f"subsidy_payment:{each.code}", each.beneficiary.home
        if Entry.objects.filter(key=key).exists():
            continue
        if each.reverses_id is not None:
            first = Entry.objects.filter(key=f"subsidy_payment:{each.reverses.code}").first() if each.reverses else None
            if first is None or Entry.objects.filter(reverses=first).exists():
                continue
            reverse(
                first,
                why=f"补贴拨付 {each.code} 冲回",
                actor=actor,
                on=open_day(home.company_id, each.on),
                clause=SUBSIDIES,
            )
        else:
            legs = [
                (account(home.company_id, "subsidy_payable", home), each.amount_fen),
                (account(home.company_id, "subsidy_receivable"), -each.amount_fen),
            ]
            post(
                key=key, kind="subsidy_payment", on=open_day(home.company_id, each.on), postings=legs, actor=actor, clause=SUBSIDIES,
                memo=f"补贴拨付 {each.programme} {each.season}"[:200],
                details={"subject": f"{each.programme}/{each.season}/{home.code}", "payment": each.code, "reference": each.reference},
            )  # fmt: skip
        made += 1
    return made


def book_imported(tables: Iterable[str], *, actor: str) -> None:
    """After a file of debts or payments: what it brought is in the ledger when the import is done."""
    brought = set(tables)
    if brought & {"debts", "debt_payments"}:
        book_debts(GovernmentDebt.objects.all(), actor=actor)
    if "subsidy_payments" in brought:
        rows = SubsidyPayment.objects.select_related("beneficiary__home", "reverses").order_by("id")
        book_subsidy_payments(
            rows.exclude(Exists(Entry.objects.filter(key=Concat(Value("subsidy_payment:"), OuterRef("code"))))),
            actor=actor,
        )


def book_support(season: str, day: date, *, actor: str) -> SupportBooked:
    """Bring the ledger to what the records say at the end of `day`: all debts, and the subsidies of a season. Run once a day."""
    debts, debt_payments = book_debts(GovernmentDebt.objects.filter(incurred_on__lte=day), actor=actor)
    with act("book_subsidies", actor=actor, subject=season, clause=SUBSIDIES) as row, transaction.atomic():
        _lock()
        rows = subsidy_rows(books(season, day, ("subsidy",))[1]["subsidy"], day)
        known = [each for each in rows if each.payable_fen is not None]
        new = _bring(
            "subsidy",
            "subsidy_receivable",
            "subsidy_payable",
            {each: each.payable_fen or 0 for each in known},
            season,
            day,
            actor,
        )
        unpaid = (
            SubsidyPayment.objects.filter(season=season, on__lte=day)
            .select_related("beneficiary__home", "reverses")
            .order_by("id")
        )
        paid = book_subsidy_payments(unpaid, actor=actor)
        late = {each: each.standing.outstanding_fen if each.state == "overdue" else 0 for each in known}
        moved = _bring("subsidy_overdue", "subsidy_payable", "subsidy_overdue", late, season, day, actor)
        found = SupportBooked(debts, debt_payments, new, moved, paid, len(rows) - len(known))
        row.details, row.nothing_changed = (
            {"entries": found.entries, "unknown": found.unknown},
            not (new or moved or paid),
        )
    return found


def _bring(
    kind: str, debit: str, credit: str, targets: Mapping[SubsidyRow, int], season: str, day: date, actor: str
) -> int:
    """An entry for each home whose figure is another than is booked; how many."""
    there = _booked([kind])
    wanted: dict[str, list[tuple[SubsidyRow, int, int]]] = {}
    for row, target in targets.items():
        fen, times = there.get((f"{row.programme}/{season}/{row.home}", CHART[credit].number), (0, 0))
        if target != -fen:
            wanted.setdefault(row.company, []).append((row, target + fen, times))
    homes = {
        home.code: home.pk
        for home in Home.objects.filter(code__in=[row.home for rows in wanted.values() for row, *_ in rows])
    }
    for company, rows in sorted(wanted.items()):
        own = sorted({homes[row.home] for row, *_ in rows})
        ids = {
            role: home_accounts(company, role, own) if CHART[role].by_home else account(company, role).pk
            for role in (debit, credit)
        }
        legs, on = Legs(company), open_day(company, day)
        for row, fen, times in rows:
            subject, pk = f"{row.programme}/{season}/{row.home}", homes[row.home]
            details = {
                "subject": subject,
                "payable_fen": row.payable_fen,
                "due_day": row.due_day,
                "evidence": row.evidence,
            }
            debited, credited = (
                found[pk] if isinstance(found := ids[role], dict) else found for role in (debit, credit)
            )
            legs.add(
                f"{kind}:{subject}:{times}", kind, on, f"{row.programme} {season}", details, (debited, fen), (credited, -fen), clause=SUBSIDIES
            )  # fmt: skip
        legs.book(actor)
    return sum(map(len, wanted.values()))
