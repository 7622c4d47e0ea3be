"""Judgements become money: proposed, looked at by another person, booked once, followed when the evidence changes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from judged_city import judge
from refund_cast import ON, SEASON, approved, person, posted, proposed, rejudged, zheng, zhou

from nuan.operations import refund_batches
from nuan.operations.approvals import (
    ContentChangedError,
    NotApprovedError,
    NotInChargeError,
    PersonNeededError,
    SamePersonError,
)
from nuan.operations.ledger import account, balance_fen
from nuan.operations.refund_batches import (
    BatchSettledError,
    JudgementMovedError,
    NothingToRefundError,
    content_hash,
    decide_refunds,
    outlook,
    proposal_of,
    propose_refunds,
)
from nuan.operations.refund_posting import post_refunds
from nuan.records.accounts.models import ApiToken, Role
from nuan.records.billing.models import Entry, RefundBatch, RefundItem, RefundNotice, RefundPayout
from nuan.records.supervision.models import CurrentJudgement

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(registered: None, tmp_path: Path) -> None:
    """Both refunding clauses reckon from records, so the town is judged without a reading."""
    judge(tmp_path / "readings", tmp_path)


def owed() -> int:
    rows = CurrentJudgement.objects.filter(company_code="C01", subject_level="home", amount_fen__gt=0)
    return sum(row.amount_fen for row in rows)


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reckoning again agrees with whatever stands: for stories in which a test has put a judgement into the records."""
    monkeypatch.setattr(refund_batches, "reckoned_again", lambda rows: {each.pk: each.amount_fen for each in rows})


def test_a_town_is_refunded_what_was_judged(judged: None) -> None:
    batch = posted(proposed())
    settle()
    assert batch.amount_fen == owed() > 0
    assert {each["detail"] for each in batch.blocked} == {"cause_unknown"}
    assert sum(each.amount_fen for each in batch.items.all()) == batch.amount_fen
    assert balance_fen(account("C01", "refund")) == batch.amount_fen
    for item in batch.items.select_related("home", "entry"):
        assert item.entry.clause == item.clause
        assert item.entry.details["judgement"] == item.judgement_id
    for payout in RefundPayout.objects.all():
        assert -balance_fen(account("C01", "refund_payable", payout.home)) == payout.amount_fen
    assert RefundNotice.objects.count() == batch.homes_count
    assert "应退您家热费" in RefundNotice.objects.first().text
    with pytest.raises(NothingToRefundError):
        proposed()


def test_booking_twice_is_booking_once(judged: None) -> None:
    batch = posted(proposed())
    entries = Entry.objects.count()
    assert post_refunds(batch, by=zheng(), on=ON).state == "posted"
    assert Entry.objects.count() == entries
    assert RefundPayout.objects.count() == batch.homes_count


def test_the_same_person_does_not_approve(judged: None) -> None:
    batch = proposed()
    with pytest.raises(SamePersonError):
        decide_refunds(batch, by=zhou(), seen_hash=batch.content_hash)
    with pytest.raises(NotApprovedError):
        post_refunds(batch, by=zhou(), on=ON)


@pytest.mark.parametrize(
    ("name", "role", "company"),
    [("小李", Role.DESK, "C01"), ("外财", Role.FINANCE, "C02"), ("乌主任", Role.BANNER, None)],
)
def test_nobody_else_approves(judged: None, name: str, role: str, company: str | None) -> None:
    batch = proposed()
    with pytest.raises(NotInChargeError):
        decide_refunds(batch, by=person(name, role, company), seen_hash=batch.content_hash)


def test_a_token_neither_proposes_nor_approves(judged: None) -> None:
    token = ApiToken.objects.create(name="t", digest="d" * 64, role=Role.FINANCE, company_id="C01")
    batch = proposed()
    with pytest.raises(PersonNeededError):
        decide_refunds(batch, by=token, seen_hash=batch.content_hash)  # type: ignore[arg-type]


def test_what_was_not_seen_is_not_approved(judged: None) -> None:
    batch = proposed()
    with pytest.raises(ContentChangedError):
        decide_refunds(batch, by=zheng(), seen_hash="0" * 64)


def as_written(statement: str, *values: object) -> Callable[[], None]:
    """SQL straight at the database, past every operation."""

    def run() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    return run


def test_the_database_itself_refuses(judged: None) -> None:
    """A changed batch, one that nobody approved, an item slipped in, a judgement twice: past all operations."""
    batch = proposed()
    item = batch.items.first()
    copied = (
        "INSERT INTO billing_refunditem (batch_id, home_id, clause, season, item, judgement_id, digest, before_fen, target_fen,"
        " amount_fen, evidence, withdrawn) SELECT %s, home_id, clause, season, %s, %s, digest, 0, 5, 5, '{}', false"
        " FROM billing_refunditem WHERE id = %s"
    )
    other = RefundBatch.objects.create(
        company_id="C01", season=SEASON, content_hash="x", items_count=1, homes_count=1, amount_fen=1, created_by="x"
    )
    entry = Entry.objects.first()
    attempts = {
        "amount changed": as_written("UPDATE billing_refunditem SET target_fen = target_fen + 1, amount_fen = amount_fen + 1 WHERE id = %s", item.pk),
        "item deleted": as_written("DELETE FROM billing_refunditem WHERE id = %s", item.pk),
        "item slipped in": as_written(copied, batch.pk, "other", 999_999, item.pk),
        "judged thing begun twice": as_written(copied, other.pk, item.item, 999_998, item.pk),
        "judgement paid twice": as_written(copied, other.pk, "other", item.judgement_id, item.pk),
        "booked unapproved": as_written("UPDATE billing_refundbatch SET state = 'posted' WHERE id = %s", batch.pk),
        "hash changed": as_written("UPDATE billing_refundbatch SET content_hash = 'y' WHERE id = %s", batch.pk),
        "payout of nothing": as_written(
            "INSERT INTO billing_refundpayout (batch_id, home_id, company_id, kind, amount_fen, attempt, state, channel, why, channel_txn,"
            " created_at) VALUES (%s, %s, 'C01', 'refund', 5, 1, 'pending', '', '', '', now())", batch.pk, item.home_id),
    }  # fmt: skip
    assert entry is None
    for name, attempt in attempts.items():
        with pytest.raises(IntegrityError):
            attempt()
        assert RefundItem.objects.count() == batch.items.count(), name


def test_a_batch_changed_after_approval_is_not_booked(judged: None) -> None:
    """The database lets no item be changed; here a trigger is taken away to show that the hash sees it as well."""
    batch = approved(proposed())
    settle()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_refunditem DISABLE TRIGGER only_these_change")
        cursor.execute("ALTER TABLE billing_refunditem DISABLE TRIGGER refund_booked_when_approved")
        cursor.execute(
            "UPDATE billing_refunditem SET target_fen = target_fen + 1, amount_fen = amount_fen + 1 WHERE batch_id = %s",
            [batch.pk],
        )
    assert content_hash(batch) != batch.content_hash
    with pytest.raises(ContentChangedError):
        post_refunds(batch, by=zhou(), on=ON)


def test_evidence_that_changed_after_approval_stops_the_booking(judged: None) -> None:
    batch = approved(proposed())
    item = batch.items.first()
    rejudged(CurrentJudgement.objects.get(judgement_id=item.judgement_id), item.target_fen - 1)
    with pytest.raises(JudgementMovedError):
        post_refunds(batch, by=zhou(), on=ON)
    assert Entry.objects.count() == 0


def test_a_batch_sent_back_lets_go_of_its_judgements(judged: None) -> None:
    batch = proposed()
    again = outlook("C01", SEASON)
    assert again.due == []
    decide_refunds(batch, by=zheng(), seen_hash=batch.content_hash, approve=False, why="先核对停热时间")
    assert proposed().amount_fen == batch.amount_fen
    with pytest.raises(BatchSettledError):
        decide_refunds(batch, by=zheng(), seen_hash=batch.content_hash)


def test_more_is_a_supplement_and_less_takes_back(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = posted(proposed())
    steady(monkeypatch)
    more, less, gone, *_ = first.items.select_related("home").order_by("-target_fen")
    rejudged(CurrentJudgement.objects.get(judgement_id=more.judgement_id), more.target_fen + 100)
    rejudged(CurrentJudgement.objects.get(judgement_id=less.judgement_id), less.target_fen - 100)
    rejudged(CurrentJudgement.objects.get(judgement_id=gone.judgement_id), 0, "met")
    second = posted(proposed())
    settle()
    assert sorted(each.amount_fen for each in second.items.all()) == sorted([100, -100, -gone.target_fen])
    assert {each.after_id for each in second.items.all()} == {more.pk, less.pk, gone.pk}
    for item, left in ((more, more.target_fen + 100), (less, less.target_fen - 100), (gone, 0)):
        owed_fen = -balance_fen(account("C01", "refund_payable", item.home))
        waiting = sum(each.amount_fen for each in RefundPayout.objects.filter(home=item.home, state="pending"))
        others = sum(
            each.target_fen for each in RefundItem.objects.filter(home=item.home, batch=first).exclude(pk=item.pk)
        )
        assert owed_fen == waiting == left + others
    assert balance_fen(account("C01", "refund")) == owed()
    assert Entry.objects.filter(key=f"refund:{gone.pk}").exists()
    assert RefundNotice.objects.filter(home=gone.home, kind="withdrawn").exists()


def test_what_nobody_can_decide_is_not_paid_and_said(judged: None) -> None:
    row = CurrentJudgement.objects.filter(company_code="C01", subject_level="home", amount_fen__gt=0, clause="2.5.3a")[
        0
    ]
    new = rejudged(row, None, "undecidable")
    new.refresh_from_db()
    batch = proposed()
    assert row.subject in {each["home"] for each in batch.blocked if each["reason"] == "undecided"}
    assert not batch.items.filter(home__code=row.subject, clause="2.5.3a", item=row.item).exists()


def test_what_is_not_reckoned_again_is_not_paid(judged: None) -> None:
    row = CurrentJudgement.objects.filter(company_code="C01", subject_level="home", amount_fen__gt=0)[0]
    rejudged(row, row.amount_fen + 7)
    batch = proposed()
    assert [each["home"] for each in batch.blocked if each["reason"] == "not_regenerated"] == [row.subject]


def test_more_than_the_season_fee_is_held_up(judged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    steady(monkeypatch)
    row = CurrentJudgement.objects.filter(company_code="C01", subject_level="home", amount_fen__gt=0)[0]
    rejudged(row, 99_999_999)
    batch = proposed()
    assert {each["reason"] for each in batch.blocked if each["home"] == row.subject} <= {"over_cap", "cap_unsigned"}
    assert not batch.items.filter(home__code=row.subject).exists()


def test_only_finance_proposes(judged: None) -> None:
    with pytest.raises(NotInChargeError):
        propose_refunds(company="C01", season=SEASON, by=person("小李", Role.DESK))
    assert RefundBatch.objects.count() == 0
    assert proposal_of(proposed()).needed == 1
