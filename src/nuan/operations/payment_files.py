"""Taking in a payment file: read, held against its own totals, matched, booked; the whole file or nothing of it.

The same file again changes nothing, nor does a payment that another file has brought. Two who take in the same at the same moment stand
in line; were they not to, the unique keys of the database would refuse the second.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from nuan.operations.acts import act
from nuan.operations.channel_refunds import keep_rows, look_at_rows
from nuan.operations.ledger import account, post
from nuan.operations.open_bills import books_of
from nuan.operations.payment_booking import PAYMENTS_CLAUSE, Receipt, book_receipts, lock_channel, lock_placing
from nuan.operations.refund_payouts import settle_from_bill
from nuan.records.billing.channels.payment_row import PaymentRow, PaymentsRead
from nuan.records.billing.channels.profile import NoSuchChannelError, profile
from nuan.records.billing.channels.reading import read_payments
from nuan.records.billing.matching import DOUBTS, Books, match, tokens
from nuan.records.billing.models import Payment, PaymentFile, Posting
from nuan.records.registry.models import Company
from nuan.terms.findings import Finding

STATES_ZH = {"imported": "已导入", "known": "以前导入过，没有变化", "refused": "未导入", "checked": "检查完毕，未写入"}


@dataclass
class ImportReport:
    """What became of a file. `placed` are new payments that a rule placed in full, `doubtful` those that wait for a person."""

    name: str
    channel: str
    state: str
    findings: list[Finding] = field(default_factory=list)
    file_id: int | None = None
    rows: int = 0
    new: int = 0
    known: int = 0
    placed: int = 0
    doubtful: int = 0
    total_fen: int = 0
    new_fen: int = 0
    refunds_settled: int = 0
    doubts: dict[str, int] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "findings": [finding.as_dict() for finding in self.findings]}


def import_payments(
    content: bytes, name: str, *, channel: str, company: str, actor: str, today: date, month: str = "", dry_run: bool = False,
    oldest_first: bool = False,
) -> ImportReport:  # fmt: skip
    """Take in a file of a channel for a company; with `dry_run` say what would become of it. Raises NoSuchChannelError."""
    if profile(channel).kind != "file":
        raise NoSuchChannelError(channel)
    read = read_payments(content, name, channel, today=today, month=month)
    report = ImportReport(name, channel, "refused", list(read.findings), rows=len(read.rows), total_fen=read.total_fen)
    if not read.ok:
        return _refuse(report, read, company, actor, dry_run)
    with act("import_payments", actor=actor, subject=f"{company}/{channel}") as row, transaction.atomic():
        lock_channel(company, channel)
        there = PaymentFile.objects.filter(
            company=company, channel=channel, digest=read.digest, state="imported"
        ).first()
        if there is not None:
            report.state, report.file_id, report.known = "known", there.pk, len(read.rows)
            row.nothing_changed = True
            return report
        lock_placing(company)
        fresh = _fresh(read, company, report)
        if any(finding.severity == "error" for finding in report.findings):
            row.nothing_changed = True
        else:
            receipts = _receipts(fresh, channel, company, oldest_first, report)
            row.nothing_changed = dry_run
            if dry_run:
                report.state = "checked"
                return report
            _write(report, read, receipts, company, actor, today)
            row.details = {
                "file": report.file_id,
                "new": report.new,
                "known": report.known,
                "total_fen": report.new_fen,
            }
            return report
    return _refuse(report, read, company, actor, dry_run)


def _refuse(report: ImportReport, read: PaymentsRead, company: str, actor: str, dry_run: bool) -> ImportReport:
    """A refused file stays in the records with its findings, so that somebody looks after it."""
    if not dry_run:
        with act(
            "refuse_payment_file", actor=actor, subject=f"{company}/{report.channel}", why=report.findings[0].code
        ) as row:
            file = _file(report, read, company, actor, PaymentFile.State.REFUSED)
            row.details = {"file": file.pk, "name": report.name}
        report.file_id = file.pk
    return report


def _file(report: ImportReport, read: PaymentsRead, company: str, actor: str, state: str) -> PaymentFile:
    days = read.days() or (None, None)
    return PaymentFile.objects.create(
        company=Company.objects.get(code=company), channel=report.channel, name=report.name[:200], digest=read.digest,
        variant=read.variant, state=state, first_day=days[0], last_day=days[1], rows=report.rows, new=report.new, known=report.known,
        total_fen=report.total_fen, stated=dict(read.stated), findings=[each.as_dict() for each in report.findings], imported_by=actor,
    )  # fmt: skip


def _fresh(read: PaymentsRead, company: str, report: ImportReport) -> list[PaymentRow]:
    """Rows of money coming in that nobody has brought yet. One that was brought with another amount is an error of the file."""
    paid = [row for row in read.rows if row.kind == "paid"]
    rows = Payment.objects.filter(company=company, channel=read.channel, txn_id__in=[row.txn_id for row in paid])
    known = dict(rows.values_list("txn_id", "amount_fen"))
    for row in paid:
        if row.txn_id in known and known[row.txn_id] != row.amount_fen:
            report.findings.append(
                Finding(
                    read.name, "known_otherwise", f"这笔以前导入过，金额是 {known[row.txn_id] / 100:.2f} 元，现在是 {row.amount_fen / 100:.2f} 元",
                    "this payment is known with another amount", "向渠道核实哪一份是真的，再导入。", row=row.row,
                )
            )  # fmt: skip
    report.known = sum(row.txn_id in known for row in paid)
    return [row for row in paid if row.txn_id not in known]


def _receipts(
    fresh: Sequence[PaymentRow], channel: str, company: str, oldest_first: bool, report: ImportReport
) -> list[Receipt]:
    books: Books = books_of(company, {word for row in fresh for word in tokens(row.references)})
    receipts: list[Receipt] = []
    for row in fresh:
        found = match(row.references, row.amount_fen, books, oldest_first=oldest_first)
        books.take(found.parts)
        receipts.append(
            Receipt(
                channel, row.txn_id, row.amount_fen, row.paid_at, row.fee_fen, row.references, row.payer, row.payer_key, row=row.row,
                parts=[part for part in found.parts if part.fen], doubt=found.doubt, home_id=found.home_id,
            )
        )  # fmt: skip
        if found.doubt and len(report.examples) < 50:
            report.examples.append(
                {"row": row.row, "amount_fen": row.amount_fen, "doubt": found.doubt, "why": DOUBTS[found.doubt][0]}
            )
    report.new, report.new_fen = len(receipts), sum(each.amount_fen for each in receipts)
    report.doubts = dict(Counter(each.doubt for each in receipts if each.doubt))
    report.doubtful = sum(report.doubts.values())
    report.placed = report.new - report.doubtful
    return receipts


def _write(
    report: ImportReport, read: PaymentsRead, receipts: list[Receipt], company: str, actor: str, today: date
) -> None:  # fmt: skip
    back = [row for row in read.rows if row.kind == "refund"]
    report.refunds_settled, foreign, findings = settle_from_bill(back, company=company, actor=actor, name=read.name)
    own = [row for row in back if row not in foreign]
    revoked = [row for row in read.rows if row.kind == "revoked"]
    waiting, more = look_at_rows(company, read.channel, read.name, [*foreign, *revoked], own)
    report.findings += findings + more
    file = _file(report, read, company, actor, PaymentFile.State.IMPORTED)
    for each in receipts:
        each.file = file
    book_receipts(company, receipts, today=today, actor=actor)
    _late_fees(read, company, actor, today)
    keep_rows(waiting, file)
    report.state, report.file_id = "imported", file.pk


def _late_fees(read: PaymentsRead, company: str, actor: str, today: date) -> None:
    """A payment that came as a message has no fee yet; the bill of the channel brings it."""
    fees = {row.txn_id: row.fee_fen for row in read.rows if row.kind == "paid" and row.fee_fen}
    rows = list(Payment.objects.filter(company=company, channel=read.channel, txn_id__in=fees, fee_fen=0, file=None))
    booked = dict(
        Posting.objects.filter(
            entry__key__in=[f"payment:{payment.pk}:fee" for payment in rows], account=account(company, "bank_fees")
        ).values_list("entry__key", "amount_fen")
    )
    for payment in rows:
        fee = fees[payment.txn_id]
        if booked.get(f"payment:{payment.pk}:fee") == fee:
            continue  # the bill of the day has brought it; this is the month's
        legs = [(account(company, "bank_fees"), fee), (account(company, profile(read.channel).account), -fee)]
        post(
            key=f"payment:{payment.pk}:fee", kind="payment_fee", on=today, postings=legs, actor=actor, clause=PAYMENTS_CLAUSE,
            memo=f"手续费 {payment.txn_id}"[:200],
        )  # fmt: skip


def file_seen(file: PaymentFile, *, actor: str, now: datetime) -> None:
    """Somebody has looked after a refused file; it leaves the desk and stays in the list."""
    with act("put_file_aside", actor=actor, subject=f"payment_file:{file.pk}") as row:
        row.nothing_changed = file.seen_at is not None
        if file.seen_at is None:
            file.seen_at = now
            file.save(update_fields=["seen_at"])
