"""Sum of lines = bill, sum of bills = ledger, and what the resident reads is both; runs cannot be pushed past the other person."""

import re
from collections.abc import Callable

import pytest
from django.db.models import Sum
from django.test import Client

from billed_city import ISSUED, bill_everybody, contract, person, prepare
from nuan.operations.bill_changes import propose_change
from nuan.operations.bill_documents import NewLine, adjust, cancel
from nuan.operations.bill_runs import decide_run, post_run, preview, propose_run
from nuan.operations.ledger import account, balance_fen
from nuan.operations.tokens import create_token
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import Bill, BillRun, Decision, Proposal, RunPosting
from nuan.records.registry.models import Home
from nuan.terms.money import format_yuan
from small_city import SEASON


@pytest.fixture
def billed(city: None) -> None:
    prepare()
    bill_everybody()


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def money_in(body: str) -> list[str]:
    return re.findall(r"-?[\d,]+\.\d\d(?= 元)", body)


def test_every_resident_reads_what_the_ledger_says(billed: None) -> None:
    """Every home of the city, by rendering its pages: list, bill, lines; beside the records, summed apart."""
    changed = Bill.objects.get(home__code="B003-1-0101", kind="bill")
    adjust(changed, [NewLine("adjustment", -12_345, "面积更正")], on=changed.issued_on, why="面积复核", actor="吴会计")
    gone = Bill.objects.get(home__code="B004-1-0101", kind="bill")
    cancel(gone, on=gone.issued_on, why="户主变更", actor="吴会计")
    seen = 0
    for home in Home.objects.select_related("company"):
        resident = User.objects.filter(home=home).first() or User.objects.create(
            username=f"resident-{home.pk}", role=Role.RESIDENT, home=home
        )
        client = sign_in(resident)
        page = client.get("/my-bills/").content.decode()
        owed = balance_fen(account(home.company_id, "receivable", home))
        assert money_in(page)[0] == format_yuan(owed), home.code
        documents = list(Bill.objects.filter(home=home).order_by("id"))
        assert sum(each.total_fen for each in documents) == owed
        for each in documents:
            assert format_yuan(each.total_fen) in page
            body = client.get(f"/bills/{each.pk}/").content.decode()
            steps = re.search(r'<ol class="steps">(.*?)</ol>', body, re.DOTALL)
            assert steps is not None
            lines = re.findall(r'<span class="nowrap">(-?[\d,]+\.\d\d) 元', steps[1])
            fen = [round(float(text.replace(",", "")) * 100) for text in lines]
            assert sum(fen) == each.total_fen
            assert money_in(body)[0] == format_yuan(each.total_fen)
            assert "结果和已出的账单不同" not in body
            seen += 1
    assert seen == Bill.objects.count() == 12
    total = sum(
        balance_fen(account(code, "receivable", home)) for home in Home.objects.all() for code in [home.company_id]
    )
    assert total == Bill.objects.aggregate(fen=Sum("total_fen"))["fen"]


def test_every_yuan_can_be_followed_there_and_back(billed: None) -> None:
    bill = Bill.objects.get(home__code="B001-1-0101", kind="bill")
    resident, finance = sign_in(person("王阿姨")), sign_in(person("周会计"))
    assert f'href="/bills/{bill.pk}/"' in resident.get("/my-bills/").content.decode()
    page = resident.get(f"/bills/{bill.pk}/").content.decode()
    assert 'href="/tariffs/?pack=demo-city#tariff.price_home"' in page
    assert "/ledger/" not in page, "a resident is shown no way that is closed"
    assert 'id="tariff.price_home"' in resident.get("/tariffs/?pack=demo-city").content.decode()
    page = finance.get(f"/bills/{bill.pk}/").content.decode()
    assert f'href="/ledger/entries/{bill.entry_id}/"' in page
    entry = finance.get(f"/ledger/entries/{bill.entry_id}/").content.decode()
    assert f'href="/bills/{bill.pk}/"' in entry
    assert 'href="/clauses/2.5.1/"' in entry
    leg = bill.entry.postings.get(account__home=bill.home)
    assert f'href="/ledger/accounts/{leg.account_id}/"' in entry
    assert (
        f'href="/ledger/entries/{bill.entry_id}/"'
        in finance.get(f"/ledger/accounts/{leg.account_id}/").content.decode()
    )


def test_strangers_see_none_of_it(billed: None) -> None:
    bill = Bill.objects.get(home__code="B001-1-0101", kind="bill")
    neighbour = User.objects.create(username="邻居", role=Role.RESIDENT, home=Home.objects.get(code="B001-1-0201"))
    addresses = [
        f"/bills/{bill.pk}/",
        f"/bills/{bill.pk}/bill.pdf",
        f"/ledger/entries/{bill.entry_id}/",
        f"/billing/runs/{bill.run_id}/",
    ]
    for user in (neighbour, person("吴会计"), person("外人")):
        assert [sign_in(user).get(address).status_code for address in addresses] == [404] * 4, user.username
    assert bill.number not in sign_in(person("外人")).get("/bills/").content.decode()


def test_a_run_through_the_pages(city: None) -> None:
    prepare()
    maker, checker = sign_in(person("周会计")), sign_in(person("郑主管"))
    answer = maker.post("/billing/runs/", {"season": SEASON})
    run = BillRun.objects.get()
    assert answer["Location"] == f"/billing/runs/{run.pk}/"
    page = maker.get(f"/billing/runs/{run.pk}/").content.decode()
    assert page.index("例外在前") < page.index("按项目")
    assert "计量用户没有本季用热量读数" in page
    address = f"/billing/runs/{run.pk}/"
    assert maker.post(address, {"act": "post"}).status_code == 422
    assert maker.post(address, {"act": "propose"}).status_code == 302
    assert "另一人审批" in maker.get(address).content.decode()
    assert maker.post(address, {"act": "approve", "seen": run.content_hash}).status_code == 422, "the same person"
    assert checker.post(address, {"act": "approve", "seen": "0" * 64}).status_code == 422, "has not seen this content"
    assert not Decision.objects.exists()
    assert checker.post(address, {"act": "approve", "seen": run.content_hash}).status_code == 302
    contract("B001-1-0101", area_m2_100=9051)
    assert maker.post(address, {"act": "post"}).status_code == 422, "changed after the approval"
    contract("B001-1-0101", area_m2_100=9050)
    assert maker.post(address, {"act": "post"}).status_code == 302
    assert RunPosting.objects.filter(run=run).exists()
    assert Bill.objects.count() == 4


@pytest.mark.parametrize("act", ["propose", "approve", "post"])
def test_a_token_and_a_stranger_move_nothing(city: None, act: str) -> None:
    prepare()
    run = preview("C01", SEASON, actor="周会计")
    _, text = create_token(name="财务", role=Role.FINANCE, company="C01", actor="刘科")
    client = Client(headers={"authorization": f"Bearer {text}"})
    assert client.get("/api/v1/homes").status_code == 200, "the token is good where tokens are heard"
    answer = client.post(f"/billing/runs/{run.pk}/", {"act": act, "seen": run.content_hash})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")
    for name in ("小李", "乌主任", "王阿姨", "吴会计"):
        assert sign_in(person(name)).post(f"/billing/runs/{run.pk}/", {"act": act}).status_code == 404
    assert not Proposal.objects.exists()


def test_without_csrf_nothing_is_posted(city: None) -> None:
    prepare()
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("周会计"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/billing/runs/", {"season": SEASON}).status_code == 403
    assert not BillRun.objects.exists()


BOUNDS = [
    ("/billing/runs/", "周会计", 16), ("/bills/", "周会计", 12), ("/bills.csv", "周会计", 6), ("/ledger/", "周会计", 10),
    ("/ledger/entries/", "周会计", 10), ("/my-bills/", "王阿姨", 9), ("/tariffs/", "刘科", 6),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "most"), BOUNDS, ids=[bound[0] for bound in BOUNDS])
def test_queries_do_not_grow_with_the_city(
    billed: None, django_assert_max_num_queries: Callable, path: str, name: str, most: int
) -> None:
    client = sign_in(person(name))
    with django_assert_max_num_queries(most):
        answer = client.get(path)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == 200
    assert b"B001-1-0101" not in body or name == "王阿姨", "no door in a list"


def test_a_wrong_bill_is_cancelled_by_two_on_its_page(billed: None, as_cast: Callable[[str | None], Client]) -> None:
    found = Bill.objects.filter(company="C01", kind="bill").order_by("id")[0]
    address = f"/bills/{found.pk}/"
    first = as_cast("周会计")
    assert 'value="cancel"' in first.get(address).content.decode()
    assert first.post(address, {"act": "cancel", "why": " "}).status_code == 422
    assert first.post(address, {"act": "cancel", "why": "面积错了"}).status_code == 200, "looked at first"
    assert first.post(address, {"act": "cancel", "why": "面积错了", "step": "save", "seen": "0"}).status_code == 302
    seen = Proposal.objects.get(kind="bill_document").content_hash
    assert 'value="approve"' not in first.get(address).content.decode()
    assert first.post(address, {"act": "approve", "seen": seen}).status_code == 422
    assert not found.documents.exists()
    for name in ("小李", "王阿姨", "外人"):
        assert as_cast(name).post(address, {"act": "approve", "seen": seen}).status_code == 404, name
    second = sign_in(person("郑主管"))
    assert seen in second.get(address).content.decode()
    assert second.post(address, {"act": "approve", "seen": "x" * 64}).status_code == 422
    assert second.post(address, {"act": "approve", "seen": seen}).status_code == 302
    assert second.post(address, {"act": "approve", "seen": seen}).status_code == 422
    assert [each.kind for each in found.documents.all()] == ["cancellation"]


def test_the_desk_says_which_bills_wait_for_whom(city: None, as_cast: Callable[[str | None], Client]) -> None:
    prepare()
    run = preview("C01", SEASON, actor="周会计")
    propose_run(run, by=person("周会计"))
    row = f'href="/billing/runs/{run.pk}/"'
    assert "您提请的出账在等另一人审批" in as_cast("周会计").get("/finance/").content.decode()
    second = sign_in(person("郑主管"))
    assert row in second.get("/finance/").content.decode()
    decide_run(run, by=person("郑主管"), seen_hash=run.content_hash)
    assert row in as_cast("周会计").get("/finance/").content.decode(), "now it waits to be posted"
    post_run(run, issued_on=ISSUED, actor="周会计")
    assert row not in second.get("/finance/").content.decode()
    found = Bill.objects.filter(company="C01").order_by("id")[0]
    propose_change(found, [], why="面积错了", by=person("周会计"))
    assert f'href="/bills/{found.pk}/"' in second.get("/finance/").content.decode()
