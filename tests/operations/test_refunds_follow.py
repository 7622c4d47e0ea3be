"""Whatever becomes of the evidence, in whatever order: what is booked is what is judged, each fen can be worked out again, nothing twice."""

import random
from pathlib import Path

import pytest
from django.db import connection
from judged_city import judge
from refund_cast import posted, proposed, rejudged

from nuan.operations import refund_batches
from nuan.operations.explaining import explain_judgement
from nuan.operations.ledger import account, balance_fen
from nuan.operations.refund_batches import NothingToRefundError, outlook
from nuan.operations.refund_payouts import send_payouts, settle_payout
from nuan.operations.refund_status import by_company
from nuan.records.billing.models import Posting, RefundItem, RefundPayout
from nuan.records.supervision.models import CurrentJudgement
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db
SEASON = "2025-2026"


@pytest.fixture
def readings(registered: None, tmp_path: Path) -> Path:
    judge(tmp_path / "readings", tmp_path)
    return tmp_path / "readings"


def test_every_booked_fen_is_worked_out_again(readings: Path) -> None:
    """The words that the resident reads come from the same rule, and give what the ledger has."""
    batch = posted(proposed())
    items = list(batch.items.select_related("entry", "home"))
    assert len(items) > 20
    with Store(readings) as store:
        for item in items:
            working = explain_judgement(item.judgement_id, store=store)
            assert working.same
            assert working.explanation.amount_fen == item.target_fen == item.amount_fen
            owed = Posting.objects.get(entry=item.entry, account__home=item.home)
            assert -owed.amount_fen == item.amount_fen
            assert working.explanation.sentence


def judged_fen() -> int:
    rows = CurrentJudgement.objects.filter(company_code="C01", subject_level="home", clause__startswith="2.5.3")
    return sum(row.amount_fen or 0 for row in rows)


@pytest.mark.parametrize("seed", range(6))
def test_judgements_that_come_and_go(readings: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Random histories: amounts rise, fall, vanish, come back to what they were; payouts go out, arrive late, come back, or wait meanwhile."""
    monkeypatch.setattr(refund_batches, "reckoned_again", lambda rows: {each.pk: each.amount_fen for each in rows})
    dice = random.Random(seed)
    rows = list(
        CurrentJudgement.objects.filter(company_code="C01", subject_level="home", amount_fen__gt=0).order_by("id")
    )[:3]
    first = {row.pk: row.amount_fen for row in rows}
    under_way: list[RefundPayout] = []
    for step in range(6):
        try:
            batch = posted(proposed())
        except NothingToRefundError:
            assert outlook("C01", SEASON).due == []
        else:
            assert batch.amount_fen == sum(item.amount_fen for item in batch.items.all())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert balance_fen(account("C01", "refund")) == judged_fen() == _standing()
        _owed_is_on_its_way()
        under_way += send_payouts(_some(dice), channel="bank", on=batch.posted_on, actor="周会计")
        for payout in [each for each in under_way if dice.random() < 0.6]:
            settle_payout(payout, paid=dice.random() < 0.5, on=batch.posted_on, actor="周会计", why="试")
            under_way.remove(payout)
        _owed_is_on_its_way()
        for row in rows:
            row.refresh_from_db()
            rejudged(row, dice.choice([0, first[row.pk], first[row.pk] + step, first[row.pk] // 2]))


def test_what_was_withdrawn_on_its_way_and_then_failed_is_not_paid_again(
    readings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refund_batches, "reckoned_again", lambda rows: {each.pk: each.amount_fen for each in rows})
    batch = posted(proposed())
    row = CurrentJudgement.objects.filter(company_code="C01", subject_level="home", amount_fen__gt=0).order_by("id")[0]
    payout = RefundPayout.objects.get(home__code=row.subject, state="pending")
    whole = payout.amount_fen
    send_payouts([payout], channel="bank", on=batch.posted_on, actor="周会计")
    less = row.amount_fen // 2
    rejudged(row, row.amount_fen - less)
    posted(proposed())
    claim = account("C01", "refund_claim", payout.home)
    assert balance_fen(claim) == less
    settle_payout(payout, paid=False, on=batch.posted_on, actor="周会计", why="账户已注销")
    again = RefundPayout.objects.get(home=payout.home, state="pending")
    assert (balance_fen(claim), again.amount_fen) == (0, whole - less)
    _owed_is_on_its_way()


def _some(dice: random.Random) -> list[RefundPayout]:
    return [each for each in RefundPayout.objects.filter(state="pending").order_by("id") if dice.random() < 0.3]


def _standing() -> int:
    """The targets of the last items of all chains."""
    return sum(
        each.target_fen for each in RefundItem.objects.filter(withdrawn=False) if not RefundItem.objects.filter(after=each, withdrawn=False).exists()
    )  # fmt: skip


def _owed_is_on_its_way() -> None:
    """What the ledger owes a home is what waits to be paid to it; what is in transit or taken back too much stands in its own account."""
    for home in {each.home for each in RefundItem.objects.select_related("home")}:
        owed = -balance_fen(account("C01", "refund_payable", home))
        waiting = sum(each.amount_fen for each in RefundPayout.objects.filter(home=home, state="pending"))
        out = sum(each.amount_fen for each in RefundPayout.objects.filter(home=home, state__in=["in_transit", "paid"]))
        booked = sum(each.amount_fen for each in RefundItem.objects.filter(home=home, entry__isnull=False))
        claim = balance_fen(account("C01", "refund_claim", home))
        assert owed == waiting >= 0
        assert owed + out - claim == booked


def test_the_bureau_counts_what_is_not_paid(readings: Path) -> None:
    """By company: judged, less what has reached the homes."""
    batch = posted(proposed())
    (row,) = [each for each in by_company(batch.posted_on) if each.company == "C01"]
    assert (row.judged_fen, row.booked_fen, row.paid_fen, row.unpaid_fen) == (
        judged_fen(),
        judged_fen(),
        0,
        judged_fen(),
    )
    sent = send_payouts(list(batch.payouts.order_by("id")[:5]), channel="bank", on=batch.posted_on, actor="周会计")
    for each in sent[:3]:
        settle_payout(each, paid=True, on=batch.posted_on, actor="周会计")
    (row,) = [each for each in by_company(batch.posted_on) if each.company == "C01"]
    assert row.paid_fen == sum(each.amount_fen for each in sent[:3])
    assert row.unpaid_fen == judged_fen() - row.paid_fen
    assert row.overdue_days == 0
    assert str(row.deadline) == "2026-05-31"
    assert by_company(batch.posted_on, banner="no such banner") == []
