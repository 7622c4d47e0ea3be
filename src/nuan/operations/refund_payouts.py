"""A refund's way to the home: payable → in transit → paid, each step booked; what fails is payable again and waits for another attempt.

Every step looks at the payout under a lock and is booked under a key of its own, so a list that is sent twice and a result that
arrives twice change nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import polars as pl
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from nuan.operations.acts import act
from nuan.operations.bulk import change_rows
from nuan.operations.city_packs import season_of, signed_records
from nuan.operations.ledger import account, open_day, post, reverse
from nuan.operations.ledger_bulk import home_accounts
from nuan.operations.payment_booking import Legs
from nuan.operations.refund_notices import tell_payouts
from nuan.policies import catalogue
from nuan.policies.refunds.payout import payout
from nuan.records.accounts.models import Role, User
from nuan.records.billing.channels.file_cells import cells_of
from nuan.records.billing.channels.payment_row import PaymentRow
from nuan.records.billing.chart import CHART
from nuan.records.billing.models import Account, Entry, RefundPayout
from nuan.terms.findings import Finding

ACCOUNT_OF = {"wechat": "wechat", "alipay": "alipay", "bank": "bank", "counter": "cash"}
"""From which account a channel pays."""
RESULT_COLUMNS = ("付款编号", "结果", "完成日期", "渠道流水号", "原因")
State = RefundPayout.State
TEXTS = {"state", "why", "channel", "channel_txn"}


class PayoutError(ValueError):
    """Why a payout does not move, as a sentence."""


class PayoutStateError(PayoutError):
    def __init__(self, found: RefundPayout, asked: str) -> None:
        super().__init__(f"付款 {found.number} 现在是“{found.get_state_display()}”，不能{asked} / it is {found.state}")


class NoChannelError(PayoutError):
    def __init__(self, channel: str) -> None:
        super().__init__(f"“{channel}”不能付款；能付的渠道：{'、'.join(ACCOUNT_OF)} / no channel that pays out")


class NotFinanceError(PayoutError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} 不是该企业的财务，不能付款 / only finance of the company pays out")


def may_pay_out(person: User, company: str) -> User:
    """Finance of the company. Raises NotFinanceError."""
    if person.role != Role.FINANCE or not company or person.company_id != company:
        raise NotFinanceError(person.username)
    return person


@dataclass(frozen=True, slots=True)
class Answer:
    """What the channel says about one payout."""

    payout: RefundPayout
    paid: bool
    on: date
    channel_txn: str = ""
    why: str = ""


@dataclass
class Settled:
    """How many an answer has moved, and how many were known."""

    paid: int = 0
    failed: int = 0
    known: int = 0


def _locked(payouts: Iterable[RefundPayout]) -> list[RefundPayout]:
    """As they are now, held until the transaction ends, always in the same order."""
    rows = RefundPayout.objects.select_for_update(of=("self",)).filter(pk__in=[each.pk for each in payouts])
    return list(rows.select_related("home", "batch", "refund_of").order_by("pk"))


def _save(payouts: Sequence[RefundPayout], *columns: str) -> None:
    rows = {"id": [each.pk for each in payouts]} | {name: [getattr(each, name) for each in payouts] for name in columns}
    change_rows(RefundPayout, pl.DataFrame(rows, schema_overrides=dict.fromkeys(set(columns) & TEXTS, pl.String)))


def _book(
    kind: str, payouts: Sequence[RefundPayout], on: date, actor: str, debit: str, credit: str, words: str
) -> None:
    """An entry for each payout, from one account of the chart to another: `refund_payable`, `refund_transit`, `prepaid` or a channel's."""
    for company in sorted({each.company_id for each in payouts}):
        day = open_day(company, on)
        own = [each for each in payouts if each.company_id == company]
        homes = sorted({each.home_id for each in own})
        of = {
            role: home_accounts(company, role, homes) if CHART[role].by_home else account(company, role).pk
            for role in (debit, credit)
        }
        legs = Legs(company)
        for each in own:
            ids = [found[each.home_id] if isinstance(found := of[role], dict) else found for role in (debit, credit)]
            details = {"payout": each.number, "channel_txn": each.channel_txn} | (
                {"done_on": on.isoformat()} if day != on else {}
            )
            legs.add(f"payout:{each.pk}:{kind}", "payout", day, f"{words} {each.number}", details, (ids[0], each.amount_fen), (ids[1], -each.amount_fen))  # fmt: skip
        legs.book(actor)


def send_payouts(payouts: Iterable[RefundPayout], *, channel: str = "", on: date, actor: str) -> list[RefundPayout]:
    """Put payouts on their way: `channel` for those that have none of their own. Those already on their way stay as they are.

    The payouts that are now in transit, for the list that goes to the bank or platform. Raises NoChannelError.
    """
    if channel and channel not in ACCOUNT_OF:
        raise NoChannelError(channel)
    with act("send_payouts", actor=actor) as row, transaction.atomic():
        sent = [each for each in _locked(payouts) if each.state == State.PENDING]
        now = timezone.now()
        for each in sent:
            each.channel = each.channel or channel
            if each.channel not in ACCOUNT_OF:
                raise NoChannelError(each.channel)
            each.state, each.sent_at = State.IN_TRANSIT, now
        _book("sent", sent, on, actor, "refund_payable", "refund_transit", "退费付款")
        _save(sent, "state", "sent_at", "channel")
        row.details = {"payouts": len(sent), "amount_fen": sum(each.amount_fen for each in sent)}
        row.nothing_changed = not sent
    return sent


def settle_payout(found: RefundPayout, *, paid: bool, on: date, actor: str, channel_txn: str = "", why: str = "", late_rate: Fraction | None = None) -> RefundPayout:  # fmt: skip
    """One answer; see `settle_payouts`."""
    settle_payouts([Answer(found, paid, on, channel_txn, why)], actor=actor, late_rate=late_rate)
    found.refresh_from_db()
    return found


def settle_payouts(answers: Sequence[Answer], *, actor: str, late_rate: Fraction | None = None) -> Settled:
    """The channel's answers. Paid: it leaves our account, and interest is reckoned where it comes late. Failed: payable again, anew.

    The same answer again changes nothing; another answer raises PayoutStateError, and then nothing is written.
    """
    done = Settled()
    with act("settle_payouts", actor=actor) as row, transaction.atomic():
        now = {each.pk: each for each in _locked(answer.payout for answer in answers)}
        moved: list[RefundPayout] = []
        for answer in answers:
            found, wanted = now[answer.payout.pk], State.PAID if answer.paid else State.FAILED
            if found.state == wanted:
                done.known += 1
                continue
            if found.state != State.IN_TRANSIT:
                raise PayoutStateError(found, "记为已付" if answer.paid else "记为失败")
            found.state, found.done_on, found.channel_txn, found.why = (
                wanted,
                answer.on,
                answer.channel_txn[:80],
                answer.why[:200],
            )
            moved.append(found)
        _book_answers(moved, actor)
        _save(moved, "state", "done_on", "channel_txn", "why")
        set_off = _set_off([each for each in moved if each.state == State.FAILED], actor)
        for each in moved:
            if (
                each.state == State.PAID
                and each.deadline is not None
                and each.done_on is not None
                and each.done_on > each.deadline
            ):
                _late_interest(each, each.done_on, actor, late_rate)
            elif each.state == State.FAILED:
                _again(each, each.amount_fen - set_off.get(each.pk, 0))
        tell_payouts(moved, set_off)
        done.paid = sum(each.state == State.PAID for each in moved)
        done.failed = len(moved) - done.paid
        row.subject = moved[0].number if len(moved) == 1 else ""
        row.details = {"paid": done.paid, "failed": done.failed, "amount_fen": sum(each.amount_fen for each in moved)}
        row.nothing_changed = not moved
    return done


def _book_answers(moved: Sequence[RefundPayout], actor: str) -> None:
    for channel, on in sorted({(each.channel, each.done_on) for each in moved if each.state == State.PAID}):
        paid = [each for each in moved if each.state == State.PAID and (each.channel, each.done_on) == (channel, on)]
        _book("paid", paid, on, actor, "refund_transit", ACCOUNT_OF[channel], "退费已付")
    for each in moved:
        if each.state == State.FAILED:
            sent = Entry.objects.get(key=f"payout:{each.pk}:sent")
            reverse(
                sent,
                why=each.why or "付款失败",
                actor=actor,
                on=each.done_on and open_day(each.company_id, each.done_on),
            )


def _again(failed: RefundPayout, fen: int) -> None:
    """Another attempt, which waits for a person to choose the way."""
    if fen > 0:
        RefundPayout.objects.create(
            batch_id=failed.batch_id, home_id=failed.home_id, company_id=failed.company_id, kind=failed.kind, amount_fen=fen,
            attempt=failed.attempt + 1, deadline=failed.deadline,
        )  # fmt: skip


def _set_off(failed: Sequence[RefundPayout], actor: str) -> dict[int, int]:
    """What of payouts that failed is not paid again, by payout: a refund that was taken back while its payout was on its way stands as a claim
    on the home, and falls away against money that has never reached it."""
    claims: dict[tuple[str, int], tuple[Account, int]] = {}
    rows = Account.objects.filter(
        home__in={each.home_id for each in failed}, code__contains=f"/{CHART['refund_claim'].number}/"
    )
    for claim in rows.annotate(fen=Sum("postings__amount_fen")).filter(fen__gt=0):
        claims[claim.company_id, claim.home_id or 0] = claim, int(claim.fen)
    done: dict[int, int] = {}
    for each in failed:
        where = (each.company_id, each.home_id)
        if each.kind != RefundPayout.Kind.REFUND or where not in claims:
            continue
        claim, left = claims[where]
        fen = min(each.amount_fen, left)
        if fen > 0:
            post(
                key=f"payout:{each.pk}:set_off", kind="payout", on=open_day(each.company_id, each.done_on or timezone.localdate()),
                postings=[(account(each.company_id, "refund_payable", each.home), fen), (claim, -fen)], actor=actor,
                memo=f"退费更正，未付成的 {each.number} 不再付", details={"payout": each.number},
            )  # fmt: skip
            claims[where], done[each.pk] = (claim, left - fen), fen
    return done


def _late_interest(found: RefundPayout, on: date, actor: str, late_rate: Fraction | None) -> None:
    """What the pack adds to a refund that is paid after its deadline. Where nobody can say how much, that is written down, not zero."""
    if found.kind == RefundPayout.Kind.INTEREST or found.deadline is None or on <= found.deadline:
        return
    evidence = (
        found.batch.items.filter(home=found.home).exclude(judgement_id=None).values_list("evidence", flat=True).first()
    )
    if not evidence:
        return
    pack = catalogue.pack(evidence["pack"], signed_records())
    if late_rate is None and (percent := pack.value("late_fee.daily_percent", on)) is not None:
        late_rate = Fraction(str(percent)) / 100
    due = payout(pack, season_of(pack, found.batch.season), found.amount_fen, on, late_rate)
    if due.interest_fen is None:
        found.why = f"滞退金未能认定：{'、'.join(due.why)}"[:200]
        found.save(update_fields=["why"])
    elif due.interest_fen:
        legs = [
            (account(found.company_id, "late_refund_interest"), due.interest_fen),
            (account(found.company_id, "refund_payable", found.home), -due.interest_fen),
        ]
        post(
            key=f"payout:{found.pk}:interest", kind="refund_interest", on=open_day(found.company_id, on), postings=legs, actor=actor,
            memo=f"滞退金 {found.number}，迟 {due.days_late} 天", details={"days_late": due.days_late},
        )  # fmt: skip
        RefundPayout.objects.create(
            batch_id=found.batch_id, home_id=found.home_id, company_id=found.company_id, kind=RefundPayout.Kind.INTEREST,
            amount_fen=due.interest_fen, channel=found.channel, refund_of=found.refund_of,
        )  # fmt: skip


def credit_payouts(payouts: Iterable[RefundPayout], *, on: date, actor: str, why: str) -> int:
    """Set refunds against next season: they go into the homes' credit, from which the next bill is paid. How many."""
    with act("credit_payouts", actor=actor, why=why) as row, transaction.atomic():
        todo = [each for each in _locked(payouts) if each.state != State.CREDITED]
        for each in todo:
            if each.state != State.PENDING:
                raise PayoutStateError(each, "抵下季热费")
            each.state, each.done_on, each.channel = State.CREDITED, on, "prepaid"
        _book("credit", todo, on, actor, "refund_payable", "prepaid", "退费抵下季")
        _save(todo, "state", "done_on", "channel")
        for each in todo:
            _late_interest(each, on, actor, None)
        tell_payouts(todo)
        row.details = {"payouts": len(todo)}
        row.nothing_changed = not todo
    return len(todo)


@dataclass
class Results(Settled):
    """What a file of results did."""

    findings: list[Finding] = field(default_factory=list)


def by_number(company: str, number: str) -> RefundPayout | None:
    digits = number.strip().removeprefix("NT")
    if not digits.isdecimal() or len(digits) > 18:
        return None
    return RefundPayout.objects.filter(company=company, pk=int(digits)).first()


def take_results(content: bytes, name: str, *, company: str, actor: str, today: date) -> Results:
    """The bank's or platform's answer to a list of payouts: a table with the columns of `RESULT_COLUMNS`. All of it, or nothing."""
    cells = cells_of(content, name)
    results = Results(findings=list(cells.findings))
    head = next(
        (i for i, line in enumerate(cells.lines) if set(RESULT_COLUMNS[:2]) <= {cell.strip() for cell in line}), None
    )
    if head is None:
        if not results.findings:
            results.findings.append(
                Finding(name, "header_missing", "找不到表头", "no header", f"表头应有：{'、'.join(RESULT_COLUMNS)}。")
            )
        return results
    names = [cell.strip() for cell in cells.lines[head]]
    answers: list[Answer] = []
    for number, line in enumerate(cells.lines[head + 1 :], head + 2):
        values = dict(zip(names, (cell.strip() for cell in line), strict=False))
        if any(values.values()):
            found = _result(name, number, values, company, today, results)
            answers += [found] if found else []
    twice = [number for number, times in Counter(each.payout.number for each in answers).items() if times > 1]
    for number in twice:
        results.findings.append(Finding(name, "payout_twice", "同一付款编号出现两次", "a payout stands twice", "一笔只留一行。", field="付款编号", value=number))  # fmt: skip
    if not results.findings:
        done = settle_payouts(answers, actor=actor)
        results.paid, results.failed, results.known = done.paid, done.failed, done.known
    return results


def _result(
    name: str, number: int, values: dict[str, str], company: str, today: date, results: Results
) -> Answer | None:  # fmt: skip
    def say(code: str, zh: str, en: str, column: str, remedy: str) -> None:
        results.findings.append(
            Finding(name, code, zh, en, remedy, row=number, field=column, value=values.get(column, ""))
        )

    found = by_number(company, values.get("付款编号", ""))
    if found is None:
        say("payout_unknown", "没有这笔付款", "no such payout", "付款编号", "核对付款编号，用系统导出的名单。")
        return None
    answer = {"成功": True, "失败": False}.get(values.get("结果", ""))
    if answer is None:
        say("result_unknown", "结果只能是“成功”或“失败”", "neither paid nor failed", "结果", "还没有结果的行请删去。")
        return None
    try:
        on = date.fromisoformat(values.get("完成日期", "") or today.isoformat())
    except ValueError:
        say("day", "看不懂的日期", "a day that cannot be read", "完成日期", "写成 2026-05-20。")
        return None
    if on > today:
        say("in_future", "完成日期在将来", "a day in the future", "完成日期", "核对日期。")
        return None
    if found.state not in (State.IN_TRANSIT, State.PAID if answer else State.FAILED):
        say(
            "payout_state",
            f"这笔现在是“{found.get_state_display()}”",
            f"it is {found.state}",
            "付款编号",
            "核对是不是旧的名单。",
        )
        return None
    return Answer(found, answer, on, values.get("渠道流水号", ""), values.get("原因", ""))


def settle_from_bill(rows: Sequence[PaymentRow], *, company: str, actor: str, name: str) -> tuple[int, list[PaymentRow], list[Finding]]:  # fmt: skip
    """Refund rows of a platform's bill that carry our number: how many were settled, and the rows that are none of ours.

    A row that says that it is under way says nothing: it never changes.
    """
    answers: list[Answer] = []
    foreign: list[PaymentRow] = []
    findings: list[Finding] = []
    for row in rows:
        found = by_number(company, row.payout) if row.payout.startswith("NT") else None
        if found is None or found.amount_fen != row.amount_fen:
            foreign.append(row)
            if found is not None:
                findings.append(Finding(name, "payout_otherwise", f"退款金额与付款 {found.number} 不同", "not the amount of our payout", "核对平台上退了多少。", row=row.row, severity="warning"))  # fmt: skip
        elif row.state == "SUCCESS" and found.state == State.IN_TRANSIT:
            answers.append(Answer(found, True, row.paid_at.date(), row.txn_id))
    return settle_payouts(answers, actor=actor).paid if answers else 0, foreign, findings
