"""Forms of a home's credit and of money that goes back: who may send them, what is sent twice, what a stranger gets."""

from collections.abc import Callable

from django.test import Client

from billed_city import bill_everybody, prepare
from nuan.operations.open_bills import credit_fen
from nuan.operations.payment_queue import place
from nuan.records.accounts.models import Role, User
from nuan.records.billing.matching import Part
from nuan.records.billing.models import Allocation, Bill, Decision, Payment, PaymentReturn
from nuan.records.registry.models import Company
from refund_stage import ON, a_payment, finance

AsCast = Callable[[str | None], Client]
CREDITS = "/payments/credits/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def other_finance() -> Client:
    return signed_in(User.objects.create(username="别家", role=Role.FINANCE, company=Company.objects.get(code="C02")))


def with_credit() -> Bill:
    """The open bill of a home that has 100 yuan of credit."""
    prepare()
    bill_everybody()
    bill = Bill.objects.get(home__code="B001-1-0101", kind="bill")
    place(a_payment().pk, [Part(bill.home_id, None, 10_000, "person")], actor="周会计", today=ON)
    return bill


def test_credit_is_used_once_and_taken_back(as_cast: AsCast) -> None:
    client = as_cast("周会计")
    assert "没有住户有余额" in client.get(CREDITS).content.decode()
    bill = with_credit()
    body = client.get(CREDITS).content.decode()
    assert bill.number in body
    assert "0101" not in body.replace(bill.number, "")
    form = {"act": "use", "bill": str(bill.pk), "key": "k1", "yuan": "60", "why": "住户同意"}
    assert client.post(CREDITS, form | {"why": " "}).status_code == 422
    assert client.post(CREDITS, form | {"yuan": "100.01"}).status_code == 422
    assert client.post(CREDITS, form | {"yuan": "六十"}).status_code == 422
    assert [client.post(CREDITS, form).status_code for _ in range(2)] == [302, 302]
    assert credit_fen(bill.home_id) == 4_000
    used = Allocation.objects.get(bill=bill)
    undo = {"act": "undo", "allocation": str(used.pk), "why": "反悔"}
    assert [client.post(CREDITS, undo).status_code for _ in range(2)] == [302, 422]
    assert credit_fen(bill.home_id) == 10_000
    assert client.post(CREDITS, {"act": "dance"}).status_code == 404
    assert "0101" not in b"".join(client.get("/payments/credits.csv").streaming_content).decode()


def test_credit_of_another_company_is_not_there(as_cast: AsCast) -> None:
    as_cast(None)
    bill, stranger = with_credit(), other_finance()
    assert bill.number not in stranger.get(CREDITS).content.decode()
    form = {"act": "use", "bill": str(bill.pk), "key": "k1", "yuan": "60", "why": "x"}
    assert stranger.post(CREDITS, form).status_code == 404
    placed = Allocation.objects.get()
    assert stranger.post(CREDITS, {"act": "undo", "allocation": str(placed.pk), "why": "x"}).status_code == 404
    assert credit_fen(bill.home_id) == 10_000


def test_money_goes_back_by_two_people(as_cast: AsCast) -> None:
    client, payment = as_cast("周会计"), a_payment()
    address = f"/payments/{payment.pk}/"
    form = {"act": "return", "yuan": "100", "why": "付错了公司"}
    assert client.post(address, form | {"why": ""}).status_code == 422
    assert [client.post(address, form).status_code for _ in range(2)] == [302, 302]
    found = PaymentReturn.objects.get()
    one, hidden = {"return": str(found.pk)}, 'value="return_yes"'
    yes = one | {"act": "return_yes", "seen": found.content_hash}
    assert hidden not in client.get(address).content.decode()
    refused = client.post(address, yes)
    assert (refused.status_code, Decision.objects.count()) == (422, 0)
    assert "须由另一人审批" in refused.content.decode()
    second = signed_in(finance("郑主管"))
    assert found.number in second.get("/finance/").content.decode()
    assert found.number not in client.get("/finance/").content.decode()
    assert found.number in second.get("/payments/").content.decode()
    assert hidden in second.get(address).content.decode()
    assert second.post(address, yes | {"seen": "0" * 64}).status_code == 422
    assert [second.post(address, yes).status_code for _ in range(2)] == [302, 422]
    assert client.post(address, one | {"act": "return_send"}).status_code == 302
    paid = one | {"act": "return_paid", "on": "2026-01-12", "channel_txn": "50001"}
    assert client.post(address, paid | {"on": "2999-01-01"}).status_code == 422
    assert [client.post(address, paid).status_code for _ in range(2)] == [302, 302]
    found.refresh_from_db()
    payment.refresh_from_db()
    assert (found.state, payment.open_fen) == ("paid", 0)
    assert client.post(address, one | {"act": "return_dance"}).status_code == 404
    assert "已付" in client.get(address).content.decode()


def test_strangers_send_nothing_back(as_cast: AsCast) -> None:
    client, payment = as_cast("周会计"), a_payment()
    address = f"/payments/{payment.pk}/"
    client.post(address, {"act": "return", "yuan": "100", "why": "错"})
    found = PaymentReturn.objects.get()
    form = {"act": "return_yes", "return": str(found.pk), "seen": found.content_hash}
    city = signed_in(User.objects.get(username="刘科"))
    strangers = [other_finance(), city, *(signed_in(User.objects.get(username=n)) for n in ("小李", "王阿姨", "外人"))]
    for stranger in strangers:
        assert stranger.post(address, form).status_code == 404
    assert Decision.objects.count() == 0
    assert client.post(address, {"act": "return_withdraw", "return": str(found.pk), "why": "再看"}).status_code == 302
    assert Payment.objects.get().open_fen == 10_000
