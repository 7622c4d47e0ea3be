"""A refund of the small city, booked by two people: for the pages and doors that show one. What it rests on is taken as reckoned again."""

from datetime import date
from unittest.mock import patch

from nuan.operations import refund_batches
from nuan.operations.payment_files import import_payments
from nuan.operations.refund_posting import post_refunds
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import Payment, RefundBatch, RefundPayout
from nuan.records.registry.models import Banner

ON = date(2026, 1, 10)


def finance(name: str, company: str = "C01") -> User:
    return User.objects.get_or_create(
        username=name, defaults={"display_name": name, "role": Role.FINANCE, "company_id": company}
    )[0]


def a_proposed_batch() -> RefundBatch:
    Banner.objects.update(pack="demo-city")
    agreed = patch.object(refund_batches, "reckoned_again", lambda rows: {each.pk: each.amount_fen for each in rows})
    with agreed:
        return refund_batches.propose_refunds(company="C01", season="2025-2026", by=finance("周会计"))


def a_posted_batch() -> RefundBatch:
    batch = a_proposed_batch()
    refund_batches.decide_refunds(batch, by=finance("郑主管"), seen_hash=batch.content_hash)
    return post_refunds(batch, by=finance("周会计"), on=ON)


def a_payout() -> RefundPayout:
    return RefundPayout.objects.filter(batch=a_posted_batch()).order_by("id")[0]


def a_payment() -> Payment:
    """One receipt of company C01 that waits for a person, with the file that brought it."""
    there = Payment.objects.filter(company="C01").first()
    if there is not None:
        return there
    text = (
        "交易时间,微信订单号,商户订单号,交易状态,应结订单金额,手续费\n`2025-11-03 10:00:00,`4200001,`王阿姨家,`SUCCESS,`100.00,`0.60000\n"
        "总交易单数,应结订单总金额,手续费总金额\n`1,`100.00,`0.60000\n"
    )
    import_payments(text.encode(), "20251103.csv", channel="wechat", company="C01", actor="周会计", today=ON)
    return Payment.objects.get(company="C01")
