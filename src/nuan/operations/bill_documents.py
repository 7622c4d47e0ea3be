"""Documents about a bill: adjustments, cancellations, late fees. A bill is never edited; each of these is numbered, booked and stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q, Sum

from nuan.operations.acts import act
from nuan.operations.bill_runs import CLAUSE, INCOME, bill_number, take_numbers
from nuan.operations.ledger import Leg, NoGroundError, account, post
from nuan.operations.ledger_bulk import reserve_ids
from nuan.records.billing.models import Bill, BillLine


class DocumentError(ValueError):
    """A document that cannot be made, and why."""


@dataclass(frozen=True, slots=True)
class NewLine:
    kind: str
    amount_fen: int
    words: str = ""
    quantity: int = 0
    parameter: str = ""


class SeenOtherwiseError(DocumentError):
    """Between looking and writing another document came, maybe by the same button pressed twice."""

    def __init__(self, number: str) -> None:
        super().__init__(
            f"账单 {number} 在您查看之后又有了新的单据；请看过再办 / the bill has a newer document than you have seen"
        )


def adjusted_fen(bill: Bill, lines: Sequence[NewLine]) -> int:
    """What the bill would come to with these lines. Raises DocumentError where it may not be adjusted so."""
    if bill.kind != Bill.Kind.BILL:
        raise DocumentError(f"{bill.number} 不是账单；请调整它所说明的账单 {bill.about.number if bill.about else ''}")
    if bill.documents.filter(kind=Bill.Kind.CANCELLATION).exists():
        raise DocumentError(f"账单 {bill.number} 已经冲销，不能再调整")
    after = standing_fen(bill) + sum(line.amount_fen for line in lines)
    if after < 0:
        raise DocumentError(f"调整后账单 {bill.number} 合计为负；请冲销后重新出账")
    return after


def adjust(
    bill: Bill, lines: Sequence[NewLine], *, on: date, why: str, actor: str, seen: int | None = None
) -> Bill:  # fmt: skip
    """Owe more or less than the bill said: lines of a new document with a reference. Raises DocumentError and NoGroundError.

    `seen`: `documents_so_far` when the person looked; with another number by now nothing is written.
    """
    with act("adjust_bill", actor=actor, subject=bill.number, clause=CLAUSE, why=why.strip()) as row:
        _lock(bill, seen)
        adjusted_fen(bill, lines)
        made = _document(bill, Bill.Kind.ADJUSTMENT, lines, on=on, memo=why, actor=actor)
        row.details = {"number": made.number, "total_fen": made.total_fen}
    return made


def mirror(bill: Bill) -> list[NewLine]:
    """The lines that take back a bill with all its adjustments and late fees. Raises DocumentError where it may not be cancelled."""
    if bill.kind != Bill.Kind.BILL:
        raise DocumentError(f"{bill.number} 不是账单，不能冲销")
    there = bill.documents.filter(kind=Bill.Kind.CANCELLATION).first()
    if there is not None:
        raise DocumentError(f"账单 {bill.number} 已由 {there.number} 冲销")
    mirrored = [bill, *bill.documents.order_by("id")]
    return [
        NewLine(line.kind, -line.amount_fen, f"冲销 {each.number} 第 {line.position} 行", line.quantity, line.parameter)
        for each in mirrored
        for line in each.lines.order_by("position")
    ]


def cancel(bill: Bill, *, on: date, why: str, actor: str, seen: int | None = None) -> Bill:
    """Mirror a bill with its adjustments and late fees, line by line; the home can be billed anew. A bill is cancelled once. `seen` as in `adjust`."""
    with act("cancel_bill", actor=actor, subject=bill.number, clause=CLAUSE, why=why.strip()) as row:
        _lock(bill, seen)
        made = _document(bill, Bill.Kind.CANCELLATION, mirror(bill), on=on, memo=why, actor=actor)
        row.details = {"number": made.number, "total_fen": made.total_fen}
    return made


def late_fee_document(
    bill: Bill, lines: Sequence[NewLine], *, on: date, actor: str, details: dict[str, object]
) -> Bill:
    """What has become due in late fees since the last such document; called inside the act that reckoned it."""
    return _document(
        bill, Bill.Kind.LATE_FEE, lines, on=on, memo=f"{bill.number} 逾期违约金", actor=actor, inputs=details
    )


def standing_fen(bill: Bill) -> int:
    """What a bill comes to with its adjustments and cancellation; late fees are apart."""
    lines = BillLine.objects.filter(Q(bill=bill) | Q(bill__about=bill)).exclude(kind="late_fee")
    return int(lines.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def documents_so_far(bill: Bill) -> int:
    """How many adjustments and cancellations a bill has."""
    return bill.documents.exclude(kind=Bill.Kind.LATE_FEE).count()


def _lock(bill: Bill, seen: int | None) -> None:
    """Two who adjust or cancel one bill at once queue at its row; the second has not seen what the first wrote."""
    Bill.objects.select_for_update().get(pk=bill.pk)
    if seen is not None and seen != documents_so_far(bill):
        raise SeenOtherwiseError(bill.number)


def _document(
    bill: Bill, kind: str, lines: Sequence[NewLine], *, on: date, memo: str, actor: str, inputs: dict[str, object] | None = None
) -> Bill:  # fmt: skip
    total = sum(line.amount_fen for line in lines)
    if not memo.strip():
        raise NoGroundError(bill.number)
    if not lines or not total:
        raise DocumentError(f"{bill.number}：没有金额可记")
    with transaction.atomic():
        seq = take_numbers(bill.company_id, on.year, 1)
        number = bill_number(bill.company_id, on.year, seq)
        entry = post(
            key=f"bill:{number}", kind=str(kind), on=on, postings=_legs(bill, lines, total), actor=actor, clause=CLAUSE,
            memo=f"{memo.strip()} {number}"[:200], details={"bill": number, "about": bill.number},
        )  # fmt: skip
        fresh = reserve_ids(Bill, 1)[0]
        BillLine.objects.bulk_create(
            BillLine(
                bill_id=fresh, position=position, kind=line.kind, quantity=line.quantity, amount_fen=line.amount_fen,
                parameter=line.parameter, words=line.words[:200],
            )
            for position, line in enumerate(lines, 1)
        )  # fmt: skip
        return Bill.objects.create(
            id=fresh, kind=kind, about=bill, company_id=bill.company_id, home_id=bill.home_id, season=bill.season, year=on.year,
            seq=seq, number=number, issued_on=on, due_on=bill.due_on if kind == Bill.Kind.ADJUSTMENT else None, total_fen=total,
            entry=entry, memo=memo.strip()[:200], pack=bill.pack, pack_version=bill.pack_version, inputs=inputs or {},
        )  # fmt: skip


def _legs(bill: Bill, lines: Sequence[NewLine], total: int) -> list[Leg]:
    by_role: dict[str, int] = {}
    for line in lines:
        role = INCOME.get(line.kind, "heat_income")
        by_role[role] = by_role.get(role, 0) - line.amount_fen
    legs = [(account(bill.company_id, "receivable", bill.home), total)]
    return legs + [(account(bill.company_id, role), fen) for role, fen in sorted(by_role.items()) if fen]
