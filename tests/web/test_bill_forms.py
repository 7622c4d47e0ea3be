"""Forms about bills and stop-heat: seen before written, written once, by those in charge; bill runs wait on the other person's desk."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billed_city import approved, bill_everybody, person, prepare
from nuan.operations.bill_documents import standing_fen
from nuan.operations.bill_runs import decide_run, preview, propose_run
from nuan.operations.overdue import open_hold, place_hold
from nuan.records.audit.models import AuditEntry
from nuan.records.billing.models import Bill, BillingHold, Proposal, StopHeatApplication
from nuan.records.registry.models import Contract, Home
from small_city import SEASON

LESS = {"act": "adjust", "way": "less", "amount": "200", "why": "面积复核"}
VOID = {"act": "cancel", "why": "户主变更"}
STOP = {"home": "b003-1-0101", "season": SEASON, "on": "2025-09-15"}


@pytest.fixture
def billed(city: None) -> None:
    prepare()
    bill_everybody()


def client_of(name: str) -> Client:
    client = Client()
    client.force_login(person(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def bill_of(home: str = "B001-1-0101") -> Bill:
    return Bill.objects.get(home__code=home, kind="bill")


def written() -> int:
    return Bill.objects.exclude(kind="bill").count()


@pytest.mark.parametrize(
    ("form", "shown", "after", "number"),
    [(LESS, "会出这样一张调整单", 197_200, "C01-2"), (VOID, "会出这样一张冲销单", 0, "C01-2")],
)
def test_a_document_is_seen_first_and_pressing_twice_makes_one(
    billed: None, form: dict[str, str], shown: str, after: int, number: str
) -> None:
    client, bill = client_of("周会计"), bill_of()
    address = f"/bills/{bill.pk}/"
    looked = client.post(address, form)
    assert (looked.status_code, written()) == (200, 0)
    body = looked.content.decode()
    assert shown in body
    assert form["why"] in body
    assert client.post(address, form | {"step": "save"}).status_code == 422, "nobody has looked"
    seen = form | {"step": "save", "seen": str(looked.context["came"].looked.seen)}
    answers = [client.post(address, seen) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 422]
    assert (written(), Proposal.objects.filter(kind="bill_document").count()) == (0, 1)
    second = client_of("郑主管")
    agreed = {"act": "approve", "seen": Proposal.objects.get(kind="bill_document").content_hash}
    assert client.post(address, agreed).status_code == 422, "not by the same person"
    assert [second.post(address, agreed).status_code for _ in range(2)] == [302, 422]
    assert (written(), standing_fen(bill)) == (1, after)
    assert number in client.get(address).content.decode()
    made = bill.documents.get()
    assert AuditEntry.objects.get(subject=bill.number, act__in=["adjust_bill", "cancel_bill"]).actor == "周会计、郑主管"
    assert client.post(f"/bills/{made.pk}/", form).status_code == 404, "an adjustment is not adjusted"


def test_two_who_looked_at_the_same_bill_ask_for_one_adjustment(billed: None) -> None:
    first, second, address = client_of("周会计"), client_of("郑主管"), f"/bills/{bill_of().pk}/"
    for client in (first, second):
        assert client.post(address, LESS).context["came"].looked.seen == 0
    save = LESS | {"step": "save", "seen": "0"}
    assert first.post(address, save).status_code == 302
    refused = second.post(address, save)
    assert refused.status_code == 422
    assert "在等另一人审批" in refused.content.decode()
    assert second.post(address, save | {"seen": "1"}).status_code == 422, "nobody has seen that many documents"
    assert Proposal.objects.filter(kind="bill_document").count() == 1


@pytest.mark.parametrize(
    "form",
    [
        LESS | {"why": " "}, LESS | {"amount": "二百"}, LESS | {"amount": "-200"}, LESS | {"amount": "0"}, LESS | {"way": ""},
        LESS | {"amount": "9" * 40}, LESS | {"amount": "99999"}, LESS | {"amount": "1.001"}, VOID | {"why": ""}, {"act": "hold"},
        {"act": "release", "why": "查清"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_sentence(billed: None, form: dict[str, str]) -> None:
    answer = client_of("周会计").post(f"/bills/{bill_of().pk}/", form | {"step": "save", "seen": "0"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert (written(), BillingHold.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", ["王阿姨", "小李", "乌主任", "刘科", "外人", "吴会计", "陈调度"])
def test_nobody_else_acts_on_a_bill(billed: None, name: str) -> None:
    client, address = client_of(name), f"/bills/{bill_of().pk}/"
    for form in (LESS, VOID, {"act": "hold", "why": "争议"}, {"act": "release", "why": "好"}):
        assert client.post(address, form | {"step": "save", "seen": "0"}).status_code == 404
    assert (written(), BillingHold.objects.count()) == (0, 0)
    page = client.get(address)
    assert page.status_code == 404 or 'id="acts"' not in page.content.decode()


def test_forms_of_a_bill_need_the_token_of_the_page(billed: None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("周会计"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(f"/bills/{bill_of().pk}/", LESS).status_code == 403
    assert client.post(f"/bills/{bill_of().pk}/", {"act": "dance"}).status_code == 403
    assert client_of("周会计").post(f"/bills/{bill_of().pk}/", {"act": "dance"}).status_code == 404


def test_a_dispute_holds_once_and_is_lifted_once(billed: None) -> None:
    client, bill, today = client_of("周会计"), bill_of(), timezone.localdate()
    address, hold = f"/bills/{bill.pk}/", {"act": "hold", "why": "室温不达标"}
    assert [client.post(address, hold).status_code for _ in range(2)] == [302, 422]
    assert open_hold(bill.home)
    assert "室温不达标" in client.get(address).content.decode()
    resident = client_of("王阿姨").get(address).content.decode()
    assert "有争议在处理" in resident
    assert "室温不达标" not in resident, "the clerk's note is not the resident's"
    lift = {"act": "release", "why": "已测温,达标"}
    assert client.post(address, lift | {"why": ""}).status_code == 422
    assert [client.post(address, lift).status_code for _ in range(2)] == [302, 422]
    assert open_hold(bill.home) is None
    assert AuditEntry.objects.get(act="release_billing_hold").why == "已测温,达标"
    place_hold(bill.home, reason="再来", since=today + timedelta(days=2), actor="小李")
    assert BillingHold.objects.count() == 2


def stop(client: Client, form: dict[str, object]) -> int:
    """Look, then record what was seen; the status of the second answer."""
    looked = client.post("/bills/stop-heat/", form)
    return client.post("/bills/stop-heat/", form | {"step": "save", "seen": looked.context.get("seen", "")}).status_code


@pytest.mark.parametrize(("name", "code"), [("周会计", "B001-1-0101"), ("外人", "B003-1-0101")])
def test_an_application_is_decided_before_ones_eyes(city: None, name: str, code: str) -> None:
    """Finance of one company, the service desk of the other."""
    prepare()
    client, form = client_of(name), STOP | {"home": code.lower()}
    body = client.post("/bills/stop-heat/", form).content.decode()
    assert "同意停热" in body
    assert not StopHeatApplication.objects.exists()
    assert client.post("/bills/stop-heat/", form | {"step": "save", "seen": "x"}).status_code == 422
    assert stop(client, form) == 302
    assert Contract.objects.get(home__code=code, season=SEASON).stop_heat
    assert stop(client, form) == 422, "accepted once"
    assert StopHeatApplication.objects.count() == 1


def test_a_refusal_says_why_and_the_resident_reads_it(city: None) -> None:
    prepare()
    client, form = client_of("小李"), STOP | {"home": "B001-1-0101", "on": "2025-09-16", "facts": ["arrears"]}
    body = client.post("/bills/stop-heat/", form).content.decode()
    assert "有欠费未清" in body
    assert "超过申请截止日 2025-09-15" in body
    assert [stop(client, form), stop(client, form)] == [302, 422]
    assert StopHeatApplication.objects.get().accepted is False
    assert not Contract.objects.get(home__code="B001-1-0101", season=SEASON).stop_heat
    mine = client_of("王阿姨").get("/my-bills/").content.decode()
    assert "不同意停热" in mine
    assert "有欠费未清" in mine
    assert stop(client, STOP | {"home": "B001-1-0101", "on": "2025-09-15"}) == 302, "a new one after a refused one"


def test_the_list_is_filtered_and_leaves_without_doors(city: None) -> None:
    prepare()
    client = client_of("周会计")
    stop(client, STOP | {"home": "B001-1-0101"})
    stop(client, STOP | {"home": "B001-1-0201", "on": "2025-10-01"})
    asked = {
        state: client.get("/bills/stop-heat/", {"state": state}) for state in ("", "accepted", "refused", "open", "x")
    }
    assert [len(page.context["rows"]) for page in asked.values()] == [2, 1, 1, 0, 2]
    assert "0101" not in asked[""].content.decode()
    body = b"".join(client.get("/bills/stop-heat.csv?state=refused").streaming_content).decode()
    assert body.count("\n") == 2
    assert "超过申请截止日" in body
    assert "0201" not in body
    assert len(client_of("外人").get("/bills/stop-heat/").context["rows"]) == 0
    city = client_of("刘科").get("/bills/stop-heat/")
    assert len(city.context["rows"]) == 2
    assert 'id="record"' not in city.content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"home": "B003-1-0101"}, "没有这个户号"), ({"home": ""}, "请填写"), ({"season": "2025"}, "2025"), ({"season": "2031-2032"}, "合同"),
        ({"on": "gestern"}, "日期"), ({"on": "2999-01-01"}, "不能晚于今天"), ({"home": "B001-1-0101"}, "已有账单"),
    ],
)  # fmt: skip
def test_an_application_that_cannot_be_taken_is_a_sentence(billed: None, change: dict[str, str], words: str) -> None:
    answer = client_of("小李").post("/bills/stop-heat/", STOP | {"home": "B001-1-0101"} | change)
    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize("name", ["刘科", "王阿姨", "乌主任", "老张"])
def test_nobody_else_records_an_application(city: None, name: str) -> None:
    prepare()
    form = STOP | {"home": "B001-1-0101", "step": "save", "seen": "accepted|"}
    assert client_of(name).post("/bills/stop-heat/", form).status_code == 404
    assert not StopHeatApplication.objects.exists()


def test_bill_runs_wait_on_the_desk_of_the_other(city: None) -> None:
    prepare()
    run = preview("C01", SEASON, actor="周会计")
    maker, checker = client_of("周会计"), client_of("郑主管")
    line, words = f'href="/billing/runs/{run.pk}/"', "等您审批"
    assert line not in checker.get("/finance/").content.decode(), "a preview waits for nobody"
    propose_run(run, by=person("周会计"))
    theirs = checker.get("/finance/").content.decode()
    assert words in theirs
    assert line in theirs
    mine = maker.get("/finance/").content.decode()
    assert words not in mine.replace("等您审批的", "")
    assert "您提请的出账在等另一人审批" in mine
    assert line not in client_of("吴会计").get("/finance/").content.decode()
    refused = maker.post(f"/billing/runs/{run.pk}/", {"act": "approve", "seen": run.content_hash})
    assert refused.status_code == 422, "whoever proposed it does not approve it"
    decide_run(run, by=person("郑主管"), seen_hash=run.content_hash)
    assert "待入账" in maker.get("/finance/").content.decode()
    maker.post(f"/billing/runs/{run.pk}/", {"act": "post"})
    assert line not in maker.get("/finance/").content.decode()


def test_a_rejected_run_waits_for_nobody(city: None) -> None:
    prepare()
    run = preview("C01", SEASON, actor="周会计")
    propose_run(run, by=person("周会计"))
    decide_run(run, by=person("郑主管"), seen_hash=run.content_hash, approve=False, why="面积不对")
    for name in ("周会计", "郑主管"):
        assert f"/billing/runs/{run.pk}/" not in client_of(name).get("/finance/").content.decode()


def test_queries_of_the_forms_are_bounded(billed: None, django_assert_max_num_queries: Callable) -> None:
    client = client_of("周会计")
    for home in Home.objects.filter(company="C01"):
        StopHeatApplication.objects.create(
            home=home, season=SEASON, applied_on=date(2025, 9, 1), accepted=None, decided_by="x"
        )
    for path, most in (("/bills/stop-heat/", 12), (f"/bills/{bill_of().pk}/", 26), ("/finance/", 32)):
        with django_assert_max_num_queries(most):
            assert client.get(path).status_code == 200


def test_an_approved_run_is_there_for_both_to_post(city: None) -> None:
    prepare()
    run = approved()
    for name in ("周会计", "郑主管"):
        assert f"/billing/runs/{run.pk}/" in client_of(name).get("/finance/").content.decode()


def test_the_desk_gets_there_from_the_page_of_a_home(billed: None) -> None:
    ours, theirs = Home.objects.get(code="B001-1-0101"), Home.objects.get(code="B003-1-0101")
    client = client_of("小李")
    body = client.get(f"/homes/{ours.pk}/").content.decode()
    for path in (f"/bills/?home={ours.pk}", f"/bills/stop-heat/?home={ours.pk}"):
        assert f'href="{path}"' in body
    assert [row.home_id for row in client.get(f"/bills/?home={ours.pk}").context["pages"]] == [ours.pk]
    assert client.get(f"/bills/stop-heat/?home={ours.pk}").context["form"]["home"] == ours.code
    assert client.get(f"/bills/stop-heat/?home={theirs.pk}").context["form"]["home"] == "", "another company's home"
    assert client.get("/bills/stop-heat/?home=" + "9" * 30).status_code == 200
    assert "stop-heat" not in client_of("王阿姨").get("/my-home/").content.decode()
