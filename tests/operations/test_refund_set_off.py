"""Too much was refunded: the next refund pays it back where the place has signed that, by two people, told, and reversible by two people."""

from datetime import date
from unittest.mock import patch

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from nuan.operations import ledger, refund_batches
from nuan.operations.approvals import ContentChangedError, SamePersonError
from nuan.operations.ledger import account, balance_fen
from nuan.operations.ledger_check import check
from nuan.operations.refund_batches import decide_refunds, propose_refunds
from nuan.operations.refund_payouts import send_payouts, settle_payout
from nuan.operations.refund_posting import post_refunds
from nuan.operations.refund_set_off_undo import SetOffError, ask_undo, decide_undo
from nuan.operations.refund_status import by_company
from nuan.records.accounts.models import User
from nuan.records.billing.models import Entry, RefundBatch, RefundNotice, RefundPayout, RefundSetOff
from nuan.records.registry.models import Company, Home
from nuan.records.supervision.models import CurrentJudgement, Judgement
from refund_stage import ON, a_posted_batch, finance
from small_city import AS_OF, SEASON

pytestmark = pytest.mark.django_db
OVERPAID = 2_623


def judged(home: str, clause: str, fen: int, pack: str) -> None:
    """A newer judgement of the home, as a later run adds it."""
    old = Judgement.objects.filter(subject=home, clause="2.5.3a").order_by("id")[0]
    new = Judgement.objects.get(pk=old.pk)
    new.pk, new.clause, new.amount_fen, new.pack, new.digest = (
        None,
        clause,
        fen,
        pack,
        f"{old.pk:030x}{clause:>10}{fen:>12}",
    )
    new.save(force_insert=True)
    CurrentJudgement.objects.update_or_create(
        clause=clause, subject_level="home", subject=home, item=SEASON,
        defaults={"judgement": new, "verdict": "breached", "amount_fen": fen, "company_code": "C01", "banner_code": "150602"},
    )  # fmt: skip


def propose() -> RefundBatch:
    with patch.object(refund_batches, "reckoned_again", lambda rows: {each.pk: each.amount_fen for each in rows}):
        return propose_refunds(company="C01", season=SEASON, by=finance("周会计"))


def post(batch: RefundBatch) -> RefundBatch:
    decide_refunds(batch, by=finance("郑主管"), seen_hash=batch.content_hash)
    return post_refunds(batch, by=finance("周会计"), on=ON)


def standing(home: Home) -> tuple[int, int]:
    """Owed to the home, claimed from it."""
    return -balance_fen(account("C01", "refund_payable", home)), balance_fen(account("C01", "refund_claim", home))


@pytest.fixture
def overpaid(city: None) -> Home:
    """A home whose refund was paid out and then withdrawn by its evidence: the claim stands, because taking back was not asked of it."""
    a_posted_batch()
    home = Home.objects.get(code="B001-1-0101")
    for each in send_payouts(RefundPayout.objects.filter(home=home), channel="bank", on=ON, actor="周会计"):
        settle_payout(each, paid=True, on=ON, actor="周会计")
    judged(home.code, "2.5.3a", 0, "demo-city")
    post(propose())
    assert standing(home) == (0, OVERPAID)
    return home


def test_the_next_refund_pays_it_back_and_says_so(overpaid: Home) -> None:
    judged(overpaid.code, "2.5.3b", 10_000, "demo-city")
    batch = propose()
    assert batch.set_off == {overpaid.code: OVERPAID}
    post(batch)
    assert standing(overpaid) == (10_000 - OVERPAID, 0)
    assert RefundPayout.objects.get(batch=batch).amount_fen == 10_000 - OVERPAID
    entry = RefundSetOff.objects.get().entry
    assert entry.clause == "2.5.3b"
    assert "五百六十八条" in entry.details["ground"]
    told = RefundNotice.objects.filter(home=overpaid).latest("id").text
    for words in ("100.00 元", "其中 26.23 元抵扣以前多退给您的热费", "民法典", "其余 73.77 元付给您", "不同意抵扣"):
        assert words in told
    assert [each.code for each in check(now=AS_OF) if each.severity == "error"] == []
    row = by_company(ON, company="C01")[0]
    assert row.paid_fen >= OVERPAID


def test_a_smaller_refund_pays_back_a_part_and_nothing_goes_out(overpaid: Home) -> None:
    judged(overpaid.code, "2.5.3b", 1_000, "demo-city")
    batch = post(propose())
    assert standing(overpaid) == (0, OVERPAID - 1_000)
    assert not RefundPayout.objects.filter(batch=batch).exists()
    assert "这次没有要付的" in RefundNotice.objects.filter(home=overpaid).latest("id").text


def test_where_nobody_has_signed_it_the_whole_refund_is_paid(overpaid: Home) -> None:
    judged(overpaid.code, "2.5.3b", 10_000, "directive")
    with patch.object(refund_batches, "not_payable", lambda *rest: ()):
        batch = propose()
    assert batch.set_off == {}
    post(batch)
    assert standing(overpaid) == (10_000, OVERPAID)


def test_what_is_set_off_is_part_of_what_two_people_saw(overpaid: Home) -> None:
    judged(overpaid.code, "2.5.3b", 10_000, "demo-city")
    batch = propose()
    with pytest.raises(IntegrityError), transaction.atomic():
        RefundBatch.objects.filter(pk=batch.pk).update(set_off={})
    batch.set_off = {overpaid.code: 1}
    assert refund_batches.content_hash(batch) != batch.content_hash
    entry = Entry.objects.latest("id")
    with pytest.raises(IntegrityError), transaction.atomic():
        RefundSetOff.objects.create(batch=batch, home=overpaid, amount_fen=1, entry=entry)
    batch.refresh_from_db()
    post(batch)
    with pytest.raises(IntegrityError), transaction.atomic():
        RefundSetOff.objects.update(undone=entry)


def test_taking_it_back_needs_two_people_and_pays_the_rest(overpaid: Home) -> None:
    judged(overpaid.code, "2.5.3b", 10_000, "demo-city")
    batch = post(propose())
    found = RefundSetOff.objects.get()
    with pytest.raises(SetOffError):
        ask_undo(found.pk, by=finance("周会计"), why=" ")
    found = ask_undo(found.pk, by=finance("周会计"), why="用户不同意抵扣")
    digest = found.asked["hash"]
    with pytest.raises(SamePersonError):
        decide_undo(found.pk, by=finance("周会计"), seen_hash=digest, on=ON)
    with pytest.raises(ContentChangedError):
        decide_undo(found.pk, by=finance("郑主管"), seen_hash="0" * 64, on=ON)
    decide_undo(found.pk, by=finance("郑主管"), seen_hash=digest, on=ON)
    assert standing(overpaid) == (10_000, OVERPAID)
    waiting = RefundPayout.objects.filter(home=overpaid, state="pending")
    assert sum(each.amount_fen for each in waiting) == 10_000
    assert "已撤销" in RefundNotice.objects.filter(home=overpaid).latest("id").text
    with pytest.raises(SetOffError):
        decide_undo(found.pk, by=finance("郑主管"), seen_hash=digest, on=ON)
    with pytest.raises(SetOffError):
        ask_undo(found.pk, by=finance("周会计"), why="再来一次")
    assert [each.code for each in check(now=AS_OF) if each.severity == "error"] == []
    assert batch.posted_on == ON == date(2026, 1, 10)


def test_the_pages_show_it_and_take_two_people(overpaid: Home, client: Client) -> None:
    judged(overpaid.code, "2.5.3b", 10_000, "demo-city")
    batch = propose()
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(finance("周会计"), backend=backend)
    assert "入账时抵扣" in client.get(f"/refunds/{batch.pk}/").content.decode()
    post(batch)
    found = RefundSetOff.objects.get()
    form = {"setoff": found.pk, "why": "用户不同意"}
    assert client.post(f"/refunds/{batch.pk}/", form | {"act": "setoff_ask"}).status_code == 302
    found.refresh_from_db()
    answer = form | {"act": "setoff_yes", "seen": found.asked["hash"]}
    assert client.post(f"/refunds/{batch.pk}/", answer).status_code == 422
    client.force_login(finance("郑主管"), backend=backend)
    assert client.post(f"/refunds/{batch.pk}/", answer | {"setoff": "7" * 40}).status_code == 404
    assert client.post(f"/refunds/{batch.pk}/", answer).status_code == 302
    client.force_login(User.objects.get(username="王阿姨"), backend=backend)
    body = client.get("/my-money/").content.decode()
    assert "从退费里抵扣的" in body


def test_a_claim_of_another_company_is_not_set_off(overpaid: Home) -> None:
    """The home has come over from a company that it owes something: that stays between those two."""
    before = Company.objects.exclude(code="C01").order_by("code")[0].code
    legs = [(account(before, "refund_claim", overpaid), 4_000), (account(before, "refund"), -4_000)]
    ledger.post(key="elsewhere", kind="refund", on=ON, postings=legs, actor="周会计")
    judged(overpaid.code, "2.5.3b", 10_000, "demo-city")
    batch = propose()
    assert batch.set_off == {overpaid.code: OVERPAID}
    post(batch)
    assert standing(overpaid) == (10_000 - OVERPAID, 0)
    assert balance_fen(account(before, "refund_claim", overpaid)) == 4_000
