"""Documents about a bill: adjustments, cancellations, late fees. A bill is never edited; each of these is numbered, booked and stays."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.db.models import Q, Sum

from nuan.operations.acts import act
from nuan.operations.bill_writing import CLAUSE, NewDocument, NewLine, write_documents
from nuan.operations.ledger import NoGroundError, require_open
from nuan.operations.overpaid import paid_beyond_into_credit
from nuan.records.billing.models import Bill, BillLine


class DocumentError(ValueError):
    """A document that cannot be made, and why."""


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


def standing_fen(bill: Bill) -> int:
    """What a bill comes to with its adjustments and cancellation; late fees are apart."""
    lines = BillLine.objects.filter(Q(bill=bill) | Q(bill__about=bill)).exclude(kind="late_fee")
    return int(lines.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def documents_so_far(bill: Bill) -> int:
    """How many adjustments and cancellations a bill has."""
    return bill.documents.exclude(kind=Bill.Kind.LATE_FEE).count()


def _lock(bill: Bill, seen: int | None) -> None:
    """Two who adjust or cancel one bill at once queue at its row; the second has not seen what the first wrote."""
    # not the key: whoever places a payment on this bill meanwhile refers to it, and we wait for them in `paid_beyond_into_credit`
    Bill.objects.select_for_update(no_key=True).get(pk=bill.pk)
    if seen is not None and seen != documents_so_far(bill):
        raise SeenOtherwiseError(bill.number)


def _document(bill: Bill, kind: str, lines: Sequence[NewLine], *, on: date, memo: str, actor: str) -> Bill:
    if not memo.strip():
        raise NoGroundError(bill.number)
    if not lines or not sum(line.amount_fen for line in lines):
        raise DocumentError(f"{bill.number}：没有金额可记")
    due_on = max(bill.due_on, on) if kind == Bill.Kind.ADJUSTMENT and bill.due_on is not None else None
    new = NewDocument(
        (bill.pk, bill.number), bill.home_id, bill.season, bill.pack, bill.pack_version, lines, memo, due_on
    )  # fmt: skip
    with transaction.atomic():
        require_open(bill.company_id, on)
        ((number, _),) = write_documents(bill.company_id, str(kind), [new], on=on, actor=actor)
        made = Bill.objects.get(pk=number)
        paid_beyond_into_credit(
            bill, on=on, actor=actor, why=f"{made.get_kind_display()} {made.number}：{memo.strip()}"
        )
    return made
