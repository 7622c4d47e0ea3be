"""The sample city pays its bills and gets its refunds, through the real importers and by two people: so that the pages have something to
show. Most pay, some late, some with a wrong number, some too little, too much or twice, some not at all."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from nuan.operations.counter import close_counter_day, day_sums, receive_cash
from nuan.operations.demo_billing import finance_people
from nuan.operations.demo_payment_files import WRITERS, Paid, wechat_file
from nuan.operations.payment_files import import_payments
from nuan.operations.refund_batches import NothingToRefundError, decide_refunds, propose_refunds
from nuan.operations.refund_payouts import Answer, credit_payouts, send_payouts, settle_payouts
from nuan.operations.refund_posting import post_refunds
from nuan.records.accounts.models import User
from nuan.records.billing.models import Bill, PaymentFile, RefundBatch
from nuan.records.registry.models import Company
from nuan.terms.places import CHINA

CHANNELS = (("wechat", 62, 4), ("alipay", 78, 2), ("bank", 97, 2), ("counter", 100, 1))
"""Channel, up to which of a hundred homes it is theirs, on how many days they pay."""
FIRST_DAY, BETWEEN_DAYS = 3, 5
COUNTER_MOST = 12
SAME_CLOCK = 10
PAID_FIRST, FAILED, FAILED_MOST = 7, 8, 200
"""Of ten payouts that were sent: how many are paid, and up to which one fails (among the first two hundred); the rest is in transit."""
Progress = Callable[[str, int, int], None]


def _number(text: str, below: int) -> int:
    """The same for the same text, evenly spread."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") % below


def demo_payments(
    season: str, as_of: datetime, *, resident_home: str, actor: str, progress: Progress = lambda *_: None
) -> None:
    """Payments up to `as_of`, then refunds. What was done before is found again by its keys and not done twice."""
    today = as_of.astimezone(CHINA).date()
    companies = list(Company.objects.order_by("code").values_list("code", flat=True))
    for done, company in enumerate(companies):
        progress("payments", done, len(companies))
        _pay(company, season, today, resident_home, actor)
        _refund(company, season, today, resident_home, first=done == 0, second=done == 1)
    progress("payments", len(companies), len(companies))


def _pay(company: str, season: str, today: date, resident_home: str, actor: str) -> None:
    files: dict[tuple[str, date], list[Paid]] = defaultdict(list)
    counter: list[tuple[Bill, str, int]] = []
    bills = (
        Bill.objects.filter(company=company, season=season, kind="bill", total_fen__gt=0)
        .select_related("home")
        .order_by("id")
    )
    for bill in bills.iterator(chunk_size=5000):
        lot, code = _number(bill.home.code, 1000), bill.home.code
        if code == resident_home:
            lot, channel, days = 500, "wechat", 4
        else:
            share = _number(code + "channel", 100)
            channel, _, days = next(each for each in CHANNELS if share < each[1])
        day = bill.issued_on + timedelta(days=FIRST_DAY + BETWEEN_DAYS * _number(code + "day", days))
        if lot < 40 or day > today:
            continue
        reference = code if channel == "bank" else bill.number
        for times, (words, fen) in enumerate(_habit(lot, reference, bill.total_fen)):
            if channel == "counter":
                counter.append((bill, words, fen))
            else:
                number = f"{'42' if channel == 'wechat' else '20'}{day:%Y%m%d}{bill.pk:012d}{times}"
                files[channel, day].append(Paid(number, words, fen, _number(number, 700)))
    for (channel, day), rows in sorted(files.items()):
        name = f"{channel}-{company}-{day:%Y%m%d}.csv"
        content = wechat_file(day, rows, _refunded_there(rows)) if channel == "wechat" else WRITERS[channel](day, rows)
        import_payments(content, name, channel=channel, company=company, actor=actor, today=today)
    _counter(company, counter[:COUNTER_MOST], today, actor)
    _refused(company, files, today, actor)


def _refunded_there(rows: Sequence[Paid]) -> list[Paid]:
    """One of those who paid twice was refunded by a clerk at the merchant platform, which nobody here has sent."""
    return [each for each in rows if each.txn.endswith("1")][:1]


def _habit(lot: int, reference: str, fen: int) -> Sequence[tuple[str, int]]:
    """What somebody writes and pays, once or twice. `lot` is of a thousand."""
    if lot < 55:
        return [("暖气费 谢谢", fen)]
    if lot < 65:
        return [(reference[:-1] + "9", fen)]
    if lot < 85:
        return [(reference, fen // 200 * 100)]
    if lot < 100:
        return [(reference, fen + 10_000)]
    if lot < 110:
        return [(reference, fen), (reference, fen)]
    return [(reference, fen)]


def _counter(company: str, wanted: Sequence[tuple[Bill, str, int]], today: date, actor: str) -> None:
    if not wanted:
        return
    day = wanted[0][0].issued_on + timedelta(days=FIRST_DAY)
    if day >= today or day_sums(company, day).closed is not None:
        return
    moment = datetime(day.year, day.month, day.day, SAME_CLOCK, tzinfo=CHINA)
    for bill, words, fen in wanted:
        receive_cash(company=company, reference=words, amount_fen=fen, key=f"demo-{bill.pk}", now=moment, actor=actor)
    close_counter_day(company=company, day=day, counted_fen=day_sums(company, day).expected_fen, actor=actor)


def _refused(company: str, files: dict[tuple[str, date], list[Paid]], today: date, actor: str) -> None:
    """One file that somebody has touched: its total no longer fits."""
    known = PaymentFile.objects.filter(company=company, state=PaymentFile.State.REFUSED).exists()
    found = next((key for key in sorted(files) if key[0] == "bank"), None)
    if known or found is None:
        return
    day, rows = found[1], files[found]
    touched = WRITERS["bank"](day, [*rows, Paid("F-extra", "补录", 10_000, 1)]).replace(
        "F-extra,,100.00".encode("gb18030"), "F-extra,,1000.00".encode("gb18030")
    )
    import_payments(
        touched, f"bank-{company}-{day:%Y%m%d}-改.csv", channel="bank", company=company, actor=actor, today=today
    )


def _refund(company: str, season: str, today: date, resident_home: str, *, first: bool, second: bool) -> None:
    """The first company books and pays most of its refunds and has the rest before another person; the second has proposed; others wait."""
    if not (first or second) or RefundBatch.objects.filter(company=company, season=season).exists():
        return
    one, other = finance_people(company)
    try:
        if second:
            propose_refunds(company=company, season=season, by=one)
            return
        batch = propose_refunds(company=company, season=season, clause="2.5.3a", by=one)
        decide_refunds(batch, by=other, seen_hash=batch.content_hash)
        _pay_out(post_refunds(batch, by=one, on=today), today, resident_home, one)
        propose_refunds(company=company, season=season, clause="2.5.3b", by=other)
    except NothingToRefundError:
        return


def _pay_out(batch: RefundBatch, today: date, resident_home: str, by: User) -> None:
    waiting = list(batch.payouts.filter(state="pending").select_related("home").order_by("id"))
    credited = [each for number, each in enumerate(waiting) if number % 10 == 9 and each.home.code != resident_home]
    credit_payouts(credited, on=today, actor=by.username, why="住户选择抵下季热费")
    kept = {each.pk for each in credited} | {each.pk for number, each in enumerate(waiting) if number % 10 == 8}
    sent = send_payouts([each for each in waiting if each.pk not in kept], channel="bank", on=today, actor=by.username)
    answers = []
    for number, each in enumerate(sent):
        if number % 10 < PAID_FIRST or each.home.code == resident_home:
            answers.append(Answer(each, True, today, f"50{each.pk:010d}"))
        elif number % 10 < FAILED and number < FAILED_MOST:
            answers.append(Answer(each, False, today, why="账户已注销"))
    settle_payouts(answers, actor="channel:demo")
