"""`nuan bill` and `nuan ledger`: a season from preview to posting with two people at the keyboard, and the books looked at."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import django
import pytest

django.setup()

from click.testing import CliRunner, Result  # noqa: E402
from django.db import connection  # noqa: E402

from billed_city import approved, bill_everybody, person, prepare  # noqa: E402
from nuan.cli.bill import bill  # noqa: E402
from nuan.cli.ledger import ledger  # noqa: E402
from nuan.cli.payments import payments  # noqa: E402
from nuan.operations.payment_files import import_payments  # noqa: E402
from nuan.operations.payment_queue import CreditSpentError, take_back  # noqa: E402
from nuan.records.billing.models import Allocation, Bill, BillRun, LedgerPeriod  # noqa: E402
from nuan.records.registry.models import Banner, Contract, Home  # noqa: E402


@pytest.fixture(autouse=True)
def town(city: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nuan.cli.bill.setup_records", lambda: None)
    monkeypatch.setattr("nuan.cli.ledger.setup_records", lambda: None)
    monkeypatch.setattr("nuan.cli.bill_changes.setup_records", lambda: None)
    monkeypatch.setattr("nuan.cli.payments.setup_records", lambda: None)
    prepare()
    for name in ("周会计", "郑主管", "吴会计"):
        user = person(name)
        user.set_password("geheim-123")
        user.save()


def run(group, *words: str, password: str = "geheim-123") -> Result:  # type: ignore[no-untyped-def]
    return CliRunner().invoke(group, list(words), env={"NUAN_PASSWORD": password})


def test_preview_propose_approve_post() -> None:
    said = run(bill, "preview", "--season", "2025-2026", "--company", "C01")
    assert (said.exit_code, "4 张，7,297.92 元" in said.output) == (0, True), said.output
    assert "计量用户没有本季用热量读数" in said.output
    made = BillRun.objects.get()
    number = str(made.pk)
    assert run(bill, "post", number, "--user", "周会计").exit_code == 2, "nobody has approved"
    assert run(bill, "propose", number, "--user", "周会计").exit_code == 0
    same = run(bill, "approve", number, "--user", "周会计", "--seen", made.content_hash)
    assert (same.exit_code, "另一人" in same.output) == (2, True)
    other = run(bill, "approve", number, "--user", "郑主管", "--seen", "x" * 64)
    assert (other.exit_code, "不同" in other.output) == (2, True)
    assert run(bill, "approve", number, "--user", "郑主管", "--seen", made.content_hash).exit_code == 0
    assert run(bill, "post", number, "--user", "周会计", "--on", "2025-10-20", password="falsch").exit_code == 2
    assert not Bill.objects.exists()
    assert run(bill, "post", number, "--user", "周会计", "--on", "2025-10-20").exit_code == 0
    assert Bill.objects.count() == 4
    assert "以前已经入账" in run(bill, "post", number, "--user", "周会计").output


def test_overdue_charges_and_duns_once() -> None:
    bill_everybody()
    first = run(bill, "overdue", "--company", "C01", "--until", "2026-01-20")
    assert (first.exit_code, "催缴：新写 8 份" in first.output) == (0, True), first.output
    assert Bill.objects.filter(kind="late_fee").count() == 4
    assert "催缴：新写 0 份" in run(bill, "overdue", "--company", "C01", "--until", "2026-01-20").output


def test_check_says_what_does_not_hold() -> None:
    bill_everybody()
    good = run(ledger, "check")
    assert (good.exit_code, good.output.strip()) == (0, "账本无误。")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE billing_posting SET amount_fen = amount_fen + 1 WHERE id = (SELECT min(id) FROM billing_posting)"
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    bad = run(ledger, "check")
    assert bad.exit_code == 1
    assert "借贷不平" in bad.output


def test_export_for_the_auditor(tmp_path: Path) -> None:
    bill_everybody()
    path = tmp_path / "ledger.beancount"
    assert run(ledger, "export", str(path)).exit_code == 0
    done = subprocess.run([str(Path(sys.executable).with_name("bean-check")), str(path)], check=False)
    assert done.returncode == 0
    assert run(ledger, "export", str(path), "--with-doors").exit_code == 2


def test_two_close_a_month() -> None:
    bill_everybody()
    asked = run(ledger, "close", "C01", "2025-10", "--user", "周会计")
    seen = asked.output.split("--seen ")[1].strip()
    assert run(ledger, "close", "C01", "2025-10", "--user", "周会计", "--seen", seen).exit_code == 2
    assert run(ledger, "close", "C01", "2025-10", "--user", "郑主管", "--seen", seen).exit_code == 0
    assert LedgerPeriod.objects.get().closed_by == "周会计"
    assert "没有要封存" in run(ledger, "seal").output


def hash_in(said: Result) -> str:
    return said.output.split("--seen ")[1].split()[0]


def test_a_bill_is_cancelled_by_two() -> None:
    bill_everybody()
    found = Bill.objects.filter(company="C01", kind="bill").order_by("id")[0]
    asked = run(bill, "cancel", found.number, "--why", "面积登记错了", "--user", "周会计")
    assert asked.exit_code == 0, asked.output
    assert not found.documents.exists(), "one person alone changes nothing"
    same = run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "周会计")
    assert (same.exit_code, "另一人" in same.output) == (2, True)
    foreign = run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "吴会计")
    assert foreign.exit_code == 2
    assert run(bill, "decide", found.number, "--seen", "x" * 64, "--user", "郑主管").exit_code == 2
    done = run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "郑主管")
    assert (done.exit_code, "冲销单" in done.output) == (0, True), done.output
    assert found.documents.get().total_fen == -found.total_fen
    assert run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "郑主管").exit_code == 2
    assert run(bill, "cancel", found.number, "--why", "再来", "--user", "周会计").exit_code == 2
    assert run(ledger, "check").exit_code == 0


def test_a_bill_is_adjusted_by_two_once_a_proposal() -> None:
    bill_everybody()
    found = Bill.objects.filter(company="C01", kind="bill").order_by("id")[0]
    asked = run(bill, "adjust", found.number, "--yuan=-20.50", "--why", "阳台不供热", "--user", "周会计")
    assert run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "郑主管").exit_code == 0
    assert [(each.kind, each.total_fen) for each in found.documents.all()] == [("adjustment", -2050)]
    again = run(bill, "adjust", found.number, "--yuan=-20.50", "--why", "阳台不供热", "--user", "周会计")
    assert hash_in(again) != hash_in(asked), "the bill stands otherwise now, so the same words are another content"
    assert run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "郑主管").exit_code == 2
    assert run(bill, "decide", found.number, "--seen", hash_in(again), "--reject", "--user", "郑主管").exit_code == 0
    assert found.documents.count() == 1
    for wrong in ("0", "abc", "1.234"):
        assert run(bill, "adjust", found.number, f"--yuan={wrong}", "--why", "试", "--user", "周会计").exit_code == 2
    too_much = run(bill, "adjust", found.number, "--yuan=-999999", "--why", "试", "--user", "周会计")
    refused = run(bill, "decide", found.number, "--seen", hash_in(too_much), "--user", "郑主管")
    assert (refused.exit_code, "合计为负" in refused.output) == (2, True)
    assert found.documents.count() == 1


def test_an_open_case_is_written_down_and_closed() -> None:
    bill_everybody()
    home = Bill.objects.filter(company="C01", kind="bill").order_by("id")[0].home.code
    assert (
        run(bill, "hold", home, "--reason", "对面积有争议", "--since", "2025-12-01", "--user", "周会计").exit_code == 0
    )
    said = run(bill, "overdue", "--company", "C01", "--until", "2026-01-20")
    assert "催缴：新写 6 份" in said.output, "the home with an open case is left alone"
    assert run(bill, "release", home, "--until", "2025-11-01", "--user", "周会计").exit_code == 2
    assert "解除 1 项" in run(bill, "release", home, "--until", "2026-01-20", "--user", "周会计").output


def test_an_application_to_stop_heat_is_decided() -> None:
    said = run(bill, "stop-heat", "B001-1-0101", "--season", "2025-2026", "--applied", "2025-09-01", "--user", "周会计")
    assert (said.exit_code, "准予停热" in said.output) == (0, True), said.output
    said = run(bill, "stop-heat", "B001-1-0201", "--season", "2025-2026", "--applied", "2025-12-30", "--user", "周会计")
    assert (said.exit_code, "不准停热" in said.output) == (0, True), said.output
    assert (
        run(bill, "stop-heat", "B001-1-0201", "--season", "2025-2026", "--ground", "x", "--user", "周会计").exit_code
        == 2
    )


def test_who_is_not_of_the_companys_finance_posts_nothing() -> None:
    made = approved()
    said = run(bill, "post", str(made.pk), "--user", "吴会计")
    assert (said.exit_code, Bill.objects.count()) == (2, 0)


def test_credit_pays_a_bill() -> None:
    bill_everybody()
    found = Bill.objects.filter(company="C01", kind="bill").order_by("id")[0]
    yuan = f"{(found.total_fen + 5000) / 100:.2f}"
    rows = f"`2025-11-03 10:00:00,`1,`{found.number},`SUCCESS,`{yuan}\n总交易单数,应结订单总金额\n`1,`{yuan}\n"
    text = f"交易时间,微信订单号,商户订单号,交易状态,应结订单金额\n{rows}"
    import_payments(text.encode(), "f.csv", channel="wechat", company="C01", actor="周会计", today=date(2026, 1, 1))
    asked = run(bill, "adjust", found.number, "--yuan=60", "--why", "补差", "--user", "周会计")
    assert run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "郑主管").exit_code == 0
    for _ in range(2):
        said = run(payments, "credit", found.number, "--yuan", "40", "--user", "周会计")
        assert (said.exit_code, "40.00 元" in said.output) == (0, True), said.output
    assert sum(Allocation.objects.filter(bill=found).values_list("amount_fen", flat=True)) == found.total_fen + 4000
    assert run(payments, "credit", found.number, "--yuan", "10.01", "--user", "周会计").exit_code == 2
    assert run(payments, "credit", found.number, "--yuan", "5", "--user", "吴会计").exit_code == 2


def test_credit_that_is_spent_is_not_taken_back() -> None:
    bill_everybody()
    found = Bill.objects.filter(company="C01", kind="bill").order_by("id")[0]
    yuan = f"{(found.total_fen + 5000) / 100:.2f}"
    rows = f"`2025-11-03 10:00:00,`1,`{found.number},`SUCCESS,`{yuan}\n总交易单数,应结订单总金额\n`1,`{yuan}\n"
    text = f"交易时间,微信订单号,商户订单号,交易状态,应结订单金额\n{rows}"
    import_payments(text.encode(), "f.csv", channel="wechat", company="C01", actor="周会计", today=date(2026, 1, 1))
    asked = run(bill, "adjust", found.number, "--yuan=60", "--why", "补差", "--user", "周会计")
    run(bill, "decide", found.number, "--seen", hash_in(asked), "--user", "郑主管")
    assert run(payments, "credit", found.number, "--yuan", "20", "--user", "周会计").exit_code == 0
    over = Allocation.objects.get(bill=None, home=found.home)
    with pytest.raises(CreditSpentError):
        take_back(over.pk, actor="周会计", today=date(2026, 1, 2), why="错了")
    spent = Allocation.objects.get(payment__channel="prepaid")
    assert spent.amount_fen == 2000
    assert run(ledger, "check").exit_code == 0


def test_a_closed_month_and_a_billed_company_are_said_and_not_thrown() -> None:
    made = approved()
    asked = run(ledger, "close", "C01", "2025-10", "--user", "周会计")
    seen = asked.output.split("--seen ")[1].strip()
    assert run(ledger, "close", "C01", "2025-10", "--user", "郑主管", "--seen", seen).exit_code == 0
    said = run(bill, "post", str(made.pk), "--user", "周会计", "--on", "2025-10-20")
    assert (said.exit_code, "2025-10 已经结账" in said.output, Bill.objects.count()) == (2, True, 0)
    said = run(bill, "overdue", "--company", "C01", "--until", "2025-10-31")
    assert (said.exit_code, "已经结账" in said.output) == (2, True)
    assert run(bill, "overdue", "--company", "C99").exit_code == 2
    posted = run(bill, "post", str(made.pk), "--user", "周会计", "--on", "2025-11-03")
    assert posted.exit_code == 0, posted.output
    runs = BillRun.objects.count()
    second = approved("C02")
    assert run(bill, "post", str(second.pk), "--user", "吴会计", "--on", "2025-11-03").exit_code == 0
    said = run(bill, "preview", "--season", "2025-2026", "--company", "C02")
    assert (said.exit_code, "都已出账" in said.output) == (2, True)
    assert BillRun.objects.count() == runs + 1


def test_what_silence_about_stopping_heat_means() -> None:
    Contract.objects.create(
        home=Home.objects.get(code="B001-1-0101"), season="2024-2025", area_m2_100=9050, stop_heat=True
    )
    said = run(bill, "stop-silence", "C01", "--season", "2025-2026", "--on", "2025-11-11", "--user", "周会计")
    assert (said.exit_code, "1 户上季停热、本季未办手续：照常供热" in said.output) == (0, True), said.output
    Banner.objects.update(pack="heze")
    words = ("stop-silence", "C01", "--season", "2025-2026", "--on", "2025-11-11", "--user", "周会计")
    assert "视为继续停热" in run(bill, *words, "--dry-run").output
    assert not Contract.objects.get(home__code="B001-1-0101", season="2025-2026").stop_heat
    assert run(bill, *words).exit_code == 0
    assert Contract.objects.get(home__code="B001-1-0101", season="2025-2026").stop_heat
    assert "都已表示" in run(bill, *words).output
