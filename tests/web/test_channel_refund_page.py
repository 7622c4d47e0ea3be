"""平台退款 on the page: who may propose, who may agree, and what a stranger or a doubled form gets."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from nuan.operations.payment_files import import_payments
from nuan.records.billing.models import ChannelRefund, Entry
from refund_stage import finance

AsCast = Callable[[str | None], Client]
PATH = "/payments/platform-refunds/"
FILE = (
    "交易时间,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款状态\n"
    "`2025-11-03 10:00:00,`1,`付错了,`SUCCESS,`100.00,`0,`0,`0.00,`\n"
    "`2025-11-03 12:00:00,`1,`付错了,`REFUND,`0.00,`r1,`shop,`30.00,`PROCESSING\n"
    "总交易单数,应结订单总金额,退款总金额\n`2,`100.00,`30.00\n"
)


@pytest.fixture
def found(as_cast: AsCast) -> ChannelRefund:
    as_cast("周会计")
    report = import_payments(
        FILE.encode(), "f.csv", channel="wechat", company="C01", actor="周会计", today=date(2026, 1, 1)
    )
    assert report.state == "imported", report.findings
    return ChannelRefund.objects.get()


def as_second() -> Client:
    client = Client()
    client.force_login(finance("郑主管"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_one_proposes_another_agrees(as_cast: AsCast, found: ChannelRefund) -> None:
    client = as_cast("周会计")
    assert "平台退款" in client.get("/finance/").content.decode()
    body = client.get(PATH).content.decode()
    assert "PROCESSING,文件以后不会再变" in body
    assert client.post(PATH, {"act": "propose", "refund": found.pk, "why": ""}).status_code == 422
    assert client.post(PATH, {"act": "propose", "refund": found.pk, "why": "平台上查实了"}).status_code == 302
    assert 'value="approve"' not in client.get(PATH).content.decode()
    found.refresh_from_db()
    form = {"act": "approve", "refund": found.pk, "seen": found.content_hash}
    assert client.post(PATH, form).status_code == 422
    other = as_second()
    assert 'value="approve"' in other.get(PATH).content.decode()
    assert other.post(PATH, form | {"seen": "0" * 64}).status_code == 422
    assert other.post(PATH, form).status_code == 302
    assert other.post(PATH, form).status_code == 422
    assert Entry.objects.filter(kind="channel_refund").count() == 1
    assert "没有平台上退的款" in client.get(PATH).content.decode()
    assert "r1" in client.get(PATH + "?all=1").content.decode()


@pytest.mark.parametrize("name", [None, "王阿姨", "小李", "乌主任", "刘科", "外人"])
def test_nobody_else_sends_anything(as_cast: AsCast, found: ChannelRefund, name: str | None) -> None:
    answer = as_cast(name).post(PATH, {"act": "propose", "refund": found.pk, "why": "x"})
    assert answer.status_code == (302 if name is None else 404)
    found.refresh_from_db()
    assert found.state == "found"


def test_strange_questions(as_cast: AsCast, found: ChannelRefund) -> None:
    client = as_cast("周会计")
    for form in ({"act": "dance", "refund": found.pk}, {"act": "propose", "refund": "9" * 30}, {"act": "propose"}):
        assert client.post(PATH, form).status_code == 404
