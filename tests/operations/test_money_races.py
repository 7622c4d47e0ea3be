"""Two at the same moment. Each story first proves that its race exists: with the guards taken away the money is there twice.

Then the guards of the database alone (no lock, no luck: the second is refused whole), then the line that everybody stands in.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from payment_samples import TODAY, wechat
from race_stage import both, meet, somebody_sends, without
from refund_cast import rejudged

from billed_city import ISSUED, approved, bill_everybody, prepare
from nuan.operations import bill_runs, payment_files, payment_queue, refund_batches, refund_payouts
from nuan.operations.bill_documents import cancel
from nuan.operations.bill_runs import post_run
from nuan.operations.open_bills import credit_fen, open_of_bills
from nuan.operations.payment_files import import_payments
from nuan.operations.refund_batches import NothingToRefundError, propose_refunds
from nuan.records.billing.matching import Part
from nuan.records.billing.models import (
    Allocation,
    Bill,
    Entry,
    Payment,
    PaymentFile,
    RefundBatch,
    RefundItem,
    RefundPayout,
)
from nuan.records.registry.models import Banner
from nuan.records.supervision.models import CurrentJudgement, Judgement
from refund_stage import finance
from small_city import build_city, seat_the_cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def billed() -> Bill:
    build_city()
    seat_the_cast()
    prepare()
    bill_everybody()
    return Bill.objects.get(home__code="B001-1-0101", kind="bill")


def one_file(bill: Bill) -> Callable[[], object]:
    text = wechat([("4200001", bill.number, bill.total_fen)]).encode()
    return lambda: import_payments(text, "f.csv", channel="wechat", company="C01", actor="周会计", today=TODAY).state


def test_the_same_file_by_two_control_the_race_exists(billed: Bill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_files, "lock_channel", lambda *_: None)
    monkeypatch.setattr(payment_files, "lock_placing", lambda *_: None)
    meet(monkeypatch, payment_files, "_fresh")
    with without("payment_once_a_channel", "file_taken_in_once"):
        assert both(one_file(billed)) == ["imported", "imported"]
        assert Payment.objects.count() == 2, "without lock and key the money is there twice"


def test_the_same_file_by_two_the_database_lets_one_in(billed: Bill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_files, "lock_channel", lambda *_: None)
    monkeypatch.setattr(payment_files, "lock_placing", lambda *_: None)
    meet(monkeypatch, payment_files, "_fresh")
    results = both(one_file(billed))
    assert sorted(type(each).__name__ for each in results) == ["IntegrityError", "str"]
    assert (Payment.objects.count(), PaymentFile.objects.count(), Allocation.objects.count()) == (1, 1, 1)
    assert Entry.objects.filter(kind__in=["payment", "allocation"]).count() == 2


def test_the_same_file_by_two_one_after_the_other(billed: Bill) -> None:
    assert sorted(map(str, both(one_file(billed)))) == ["imported", "known"]
    assert (Payment.objects.count(), Entry.objects.filter(kind="payment").count()) == (1, 1)


SCRIPT = """
import sys
from datetime import date
from pathlib import Path
from nuan.cli.main import setup_records
setup_records()
from nuan.operations.bill_documents import cancel
from nuan.operations.bill_runs import post_run
from nuan.operations.open_bills import credit_fen, open_of_bills
from nuan.operations.payment_files import import_payments
path = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(import_payments(path.read_bytes(), path.name, channel="wechat", company="C01", actor="two", today=date(2026, 1, 20)).state)
"""


def test_the_same_file_by_two_processes(billed: Bill, tmp_path: Path) -> None:
    """Four processes, two files that overlap: each payment once, whoever comes first."""
    bills = list(Bill.objects.filter(company="C01", kind="bill").order_by("id")[:3])
    rows = [(f"42{each.pk}", each.number, each.total_fen) for each in bills]
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    files[0].write_text(wechat(rows[:2]))
    files[1].write_text(wechat(rows))
    said = connection.settings_dict
    url = f"postgresql://{said['USER']}:{said['PASSWORD']}@/{said['NAME']}?host={said['HOST']}"
    environment = os.environ | {"NUAN_HOME": str(tmp_path), "DATABASE_URL": url}
    started = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(files[n % 2])], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]  # fmt: skip
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in started:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    states = [each.communicate(timeout=120)[0].strip() for each in started]
    assert sorted(states) == ["imported", "imported", "known", "known"]
    assert sorted(Payment.objects.values_list("txn_id", flat=True)) == sorted(txn for txn, *_ in rows)
    assert sum(Payment.objects.values_list("open_fen", flat=True)) == 0


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    build_city()
    seat_the_cast()
    Banner.objects.update(pack="demo-city")
    finance("郑主管")
    monkeypatch.setattr(refund_batches, "reckoned_again", lambda rows: {each.pk: each.amount_fen for each in rows})


def propose() -> object:
    return propose_refunds(company="C01", season="2025-2026", by=finance("周会计")).items_count


def test_two_batches_of_one_judgement_control_the_race_exists(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refund_batches, "_one_at_a_time", lambda *_: None)
    meet(monkeypatch, refund_batches, "outlook")
    with without("refund_begins_once", "judgement_paid_once"):
        assert both(propose) == [2, 2]
        assert RefundItem.objects.count() == 4, "without lock and key a judgement is in two batches"


def test_two_batches_of_one_judgement_the_database_lets_one_in(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refund_batches, "_one_at_a_time", lambda *_: None)
    meet(monkeypatch, refund_batches, "outlook")
    results = both(propose)
    assert {type(each) for each in results} == {IntegrityError, int}
    assert (RefundBatch.objects.count(), RefundItem.objects.count()) == (1, 2)


def test_two_batches_of_one_judgement_one_after_the_other(judged: None) -> None:
    results = both(propose)
    assert {type(each) for each in results} == {NothingToRefundError, int}
    assert RefundItem.objects.count() == 2


def booked_batch() -> RefundBatch:
    batch = propose_refunds(company="C01", season="2025-2026", by=finance("周会计"))
    refund_batches.decide_refunds(batch, by=finance("郑主管"), seen_hash=batch.content_hash)
    return batch


def test_a_batch_booked_by_two_is_booked_once(judged: None) -> None:
    from nuan.operations.refund_posting import post_refunds

    batch = booked_batch()
    results = both(lambda: post_refunds(batch, by=finance("周会计"), on=TODAY).state)
    assert results == ["posted", "posted"]
    assert Entry.objects.filter(kind="refund").count() == 2
    assert RefundPayout.objects.count() == 2


def test_a_payout_sent_and_settled_by_two_moves_once(judged: None) -> None:
    from nuan.operations.refund_posting import post_refunds

    post_refunds(booked_batch(), by=finance("周会计"), on=TODAY)
    payouts = list(RefundPayout.objects.all())
    sent = both(lambda: len(refund_payouts.send_payouts(payouts, channel="bank", on=TODAY, actor="周会计")))
    assert sorted(map(int, map(str, sent))) == [0, 2]
    answers = [refund_payouts.Answer(each, True, TODAY, "F") for each in payouts]
    settled = both(lambda: refund_payouts.settle_payouts(answers, actor="周会计").paid)
    assert sorted(map(int, map(str, settled))) == [0, 2]
    assert Entry.objects.filter(kind="payout").count() == 4


def waiting(bill: Bill) -> Payment:
    import_payments(
        wechat([("1", "王阿姨家", bill.total_fen)]).encode(),
        "f.csv",
        channel="wechat",
        company="C01",
        actor="周会计",
        today=TODAY,
    )
    return Payment.objects.get()


def test_one_receipt_placed_by_two_is_placed_once(billed: Bill) -> None:
    payment = waiting(billed)
    parts = [Part(billed.home_id, billed.pk, billed.total_fen, "person")]
    results = both(lambda: len(payment_queue.place(payment.pk, parts, actor="周会计", today=TODAY)))
    assert sorted(type(each).__name__ for each in results) == ["MoreThanOpenError", "int"]
    assert Allocation.objects.count() == 1


def test_one_bill_paid_by_two_receipts_control_the_race_exists(billed: Bill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the line both see the bill open, and it is paid twice over; with it the second hears that nothing is open."""
    for txn in ("1", "2"):
        text = wechat([(txn, "王阿姨家", billed.total_fen)]).encode()
        import_payments(text, "f.csv", channel="wechat", company="C01", actor="周会计", today=TODAY)
    first, second = Payment.objects.order_by("id")
    todo = [first.pk, second.pk]
    parts = [Part(billed.home_id, billed.pk, billed.total_fen, "person")]

    def place() -> object:
        return len(payment_queue.place(todo.pop(), parts, actor="周会计", today=TODAY))

    with monkeypatch.context() as patched:
        patched.setattr(payment_queue, "lock_placing", lambda *_: None)
        meet(patched, payment_queue, "_may_be_placed")
        assert both(place) == [1, 1]
    assert sum(Allocation.objects.values_list("amount_fen", flat=True)) == 2 * billed.total_fen
    for each in list(Allocation.objects.all()):
        payment_queue.take_back(each.pk, actor="周会计", today=TODAY, why="两次都撤销")
    todo += [first.pk, second.pk]
    assert sorted(type(each).__name__ for each in both(place)) == ["MoreThanOpenError", "int"]
    assert sum(Allocation.objects.values_list("amount_fen", flat=True)) == billed.total_fen


def test_json_of_findings_is_plain() -> None:
    report = import_payments(b"", "x.csv", channel="wechat", company="C01", actor="周会计", today=TODAY, dry_run=True)
    assert json.loads(json.dumps(report.as_dict(), ensure_ascii=False))["state"] == "refused"


def supplement_while_sending(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """A supplement is booked while the first payout is being sent: what is owed in all, and what is on its way or waits for it."""
    from nuan.operations import refund_posting

    refund_posting.post_refunds(booked_batch(), by=finance("周会计"), on=TODAY)
    first = list(RefundPayout.objects.all())
    row = CurrentJudgement.objects.filter(subject=first[0].home.code, amount_fen__gt=0).order_by("id")[0]
    rejudged(row, (row.amount_fen or 0) + 5_000)
    more = booked_batch()
    sender = somebody_sends(monkeypatch, refund_posting, first, TODAY)
    refund_posting.post_refunds(more, by=finance("周会计"), on=TODAY)
    sender.join(60)
    owed = sum(RefundItem.objects.values_list("amount_fen", flat=True))
    live = RefundPayout.objects.filter(state__in=["pending", "in_transit"]).values_list("amount_fen", flat=True)
    return owed, sum(live)


def test_a_supplement_beside_a_payout_control_the_race_exists(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from nuan.operations import refund_posting

    monkeypatch.setattr(refund_posting, "_hold_payouts", lambda homes: None)
    owed, live = supplement_while_sending(monkeypatch)
    assert live > owed, "without the hold the home is paid twice"


def test_a_supplement_beside_a_payout_is_paid_once(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    owed, live = supplement_while_sending(monkeypatch)
    assert live == owed


def two_batches_of_one_home(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Two clauses of one home, booked in two batches at the same moment."""
    from nuan.operations import refund_posting

    row = CurrentJudgement.objects.filter(clause="2.5.3a", subject_level="home", amount_fen__gt=0).order_by("id")[0]
    other = Judgement.objects.get(pk=row.judgement_id)
    other.pk, other.clause, other.digest = None, "2.5.3b", "b" * 64
    other.period_start, other.period_end = other.period_end + 86_400, other.period_end + 2 * 86_400
    other.save(force_insert=True)
    row.pk, row.clause, row.judgement = None, "2.5.3b", other
    row.save(force_insert=True)
    batches = []
    for clause in ("2.5.3a", "2.5.3b"):
        batch = propose_refunds(company="C01", season="2025-2026", clause=clause, by=finance("周会计"))
        refund_batches.decide_refunds(batch, by=finance("郑主管"), seen_hash=batch.content_hash)
        batches.append(batch)
    meet(monkeypatch, refund_posting, "owed_by_home")
    todo = list(batches)
    assert both(lambda: refund_posting.post_refunds(todo.pop(), by=finance("周会计"), on=TODAY).state) == [
        "posted",
        "posted",
    ]
    owed = sum(RefundItem.objects.values_list("amount_fen", flat=True))
    return owed, sum(RefundPayout.objects.filter(state="pending").values_list("amount_fen", flat=True))


def test_two_batches_of_one_home_control_the_race_exists(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from nuan.operations import refund_posting

    monkeypatch.setattr(refund_posting, "_one_at_a_time", lambda company: None)
    owed, live = two_batches_of_one_home(monkeypatch)
    assert live < owed, "without the line the second batch takes the first one's payout for its own"


def test_two_batches_of_one_home_are_paid_in_full(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    owed, live = two_batches_of_one_home(monkeypatch)
    assert live == owed


def test_a_run_posted_by_two_control_the_race_exists(unjudged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    run = approved()
    monkeypatch.setattr(bill_runs, "lock_company", lambda company: None)
    meet(monkeypatch, bill_runs, "current_draft")
    results = both(lambda: post_run(run, issued_on=ISSUED, actor="周会计").bills)
    assert sum(isinstance(each, IntegrityError) for each in results) == 1, "both saw a run that nobody had posted"
    assert Bill.objects.count() == run.bills


def test_a_run_posted_by_two_is_posted_once(unjudged: None) -> None:
    run = approved()
    results = both(lambda: str(post_run(run, issued_on=ISSUED, actor="周会计").again))
    assert sorted(map(str, results)) == ["False", "True"]
    assert Bill.objects.count() == run.bills


def test_a_cancelled_bill_paid_at_the_same_moment_keeps_no_money(unjudged: None) -> None:
    """Whichever comes first, nothing stays on a bill that is no more."""
    bill_everybody()
    bill = Bill.objects.filter(company="C01", kind="bill").order_by("id")[0]
    content = wechat([("1", bill.number, bill.total_fen)]).encode()

    def cancels() -> str:
        return cancel(bill, on=TODAY, why="冲销", actor="周会计").kind

    def pays() -> str:
        return import_payments(content, "a.csv", channel="wechat", company="C01", actor="周会计", today=TODAY).state

    turns = iter([cancels, pays])
    gate = threading.Lock()

    def one() -> str:
        with gate:
            work = next(turns)
        return work()

    both(one)
    assert open_of_bills([bill.pk])[0].open_fen == 0
    assert Payment.objects.get().open_fen + credit_fen(bill.home_id) == bill.total_fen


@pytest.fixture
def unjudged() -> None:
    build_city()
    seat_the_cast()
    prepare()
