"""A set-off is taken back while a refund of the same home is being sent: one waits for the other, and nothing is paid twice.

Without the hold the sender had the payouts and waited for the audit log, and who took back had the log and waited for the payouts.
"""

import pytest
from payment_samples import TODAY
from race_stage import somebody_sends
from refund_cast import rejudged

from nuan.operations import refund_batches, refund_payouts, refund_posting, refund_set_off, refund_set_off_undo
from nuan.records.billing.models import RefundBatch, RefundPayout, RefundSetOff
from nuan.records.registry.models import Banner
from nuan.records.supervision.models import CurrentJudgement
from refund_stage import finance
from small_city import build_city, seat_the_cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    build_city()
    seat_the_cast()
    Banner.objects.update(pack="demo-city")
    finance("郑主管")
    monkeypatch.setattr(refund_batches, "reckoned_again", lambda rows: {each.pk: each.amount_fen for each in rows})


def booked_batch() -> RefundBatch:
    batch = refund_batches.propose_refunds(company="C01", season="2025-2026", by=finance("周会计"))
    refund_batches.decide_refunds(batch, by=finance("郑主管"), seen_hash=batch.content_hash)
    return batch


def undone_while_sending(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """A set-off is taken back while what was left of that refund is being sent: what is owed in all, and what is on its way or waits."""
    monkeypatch.setattr(refund_set_off, "may_be_set_off", lambda *rest: True)
    refund_posting.post_refunds(booked_batch(), by=finance("周会计"), on=TODAY)
    first = RefundPayout.objects.order_by("id")[0]
    home = first.home
    for each in refund_payouts.send_payouts([first], channel="bank", on=TODAY, actor="周会计"):
        refund_payouts.settle_payout(each, paid=True, on=TODAY, actor="周会计")
    row = CurrentJudgement.objects.filter(subject=home.code, amount_fen__gt=0).order_by("id")[0]
    rejudged(row, 0)
    refund_posting.post_refunds(booked_batch(), by=finance("周会计"), on=TODAY)
    rejudged(row, 50_000)
    refund_posting.post_refunds(booked_batch(), by=finance("周会计"), on=TODAY)
    found = RefundSetOff.objects.get()
    refund_set_off_undo.ask_undo(found.pk, by=finance("周会计"), why="用户不同意抵扣")
    found.refresh_from_db()
    waiting = list(RefundPayout.objects.filter(home=home, state="pending"))
    sender = somebody_sends(monkeypatch, refund_set_off_undo, waiting, TODAY)
    refund_set_off_undo.decide_undo(found.pk, by=finance("郑主管"), seen_hash=found.asked["hash"], on=TODAY)
    sender.join(60)
    live = RefundPayout.objects.filter(home=home, state__in=["pending", "in_transit"])
    return 50_000, sum(live.values_list("amount_fen", flat=True))


def test_a_set_off_undone_beside_a_payout_is_paid_once(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    owed, live = undone_while_sending(monkeypatch)
    assert live == owed
    assert RefundPayout.objects.filter(state="in_transit").exists(), "and the sender has sent"
