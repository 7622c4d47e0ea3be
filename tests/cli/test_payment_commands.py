"""`nuan payments` and `nuan refunds` from the outside: words, JSON, exit codes; each person with their own password."""

import json
from pathlib import Path

import django
import pytest
from click.testing import CliRunner, Result

django.setup()

from nuan.cli.main import main  # noqa: E402
from nuan.records.billing.models import Entry, Payment, RefundBatch, RefundPayout  # noqa: E402
from refund_stage import a_posted_batch, a_proposed_batch, finance  # noqa: E402 -- Django first

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]
PASSWORD = "a-long-password"


def nuan(*words: str, **more: object) -> Result:
    return CliRunner().invoke(main, list(words), **more)  # type: ignore[arg-type]


def person(name: str) -> str:
    found = finance(name)
    found.set_password(PASSWORD)
    found.save()
    return name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "20251103ALL.csv"
    text = "交易时间,微信订单号,商户订单号,交易状态,应结订单金额\n`2025-11-03 10:00:00,`1,`王阿姨家,`SUCCESS,`100.00\n总交易单数,应结订单总金额\n`1,`100.00\n"
    path.write_text(text, "utf-8")
    return path


def take(file: Path, *more: str) -> Result:
    return nuan("payments", "import", str(file), "--channel", "wechat", "--company", "C01", *more)


def test_a_file_is_looked_at_and_then_taken_in_once(file: Path) -> None:
    looked = take(file, "--dry-run", "--json")
    assert (looked.exit_code, json.loads(looked.output)["state"], Payment.objects.count()) == (0, "checked", 0)
    assert "已导入" in take(file).output
    assert "以前导入过" in take(file).output
    assert Payment.objects.count() == 1


def test_a_refused_file_leaves_with_one(file: Path) -> None:
    file.write_text(file.read_text("utf-8").replace("`1,`100.00", "`1,`200.00"), "utf-8")
    answer = take(file)
    assert answer.exit_code == 1
    assert "收款金额对不上" in answer.output
    assert take(file, "--month", "2025-12").exit_code == 1


def test_what_is_not_there_leaves_with_two(file: Path) -> None:
    assert nuan("payments", "import", str(file), "--channel", "paypal", "--company", "C01").exit_code == 2
    assert nuan("payments", "import", str(file), "--channel", "counter", "--company", "C01").exit_code == 2
    assert nuan("payments", "import", str(file), "--channel", "wechat", "--company", "C99").exit_code == 2


def test_channels_say_what_is_not_confirmed() -> None:
    answer = nuan("payments", "channels")
    assert "alipay" in answer.output
    assert "未经确认" in answer.output


def test_from_the_batch_to_the_money(tmp_path: Path) -> None:
    one, other = person("周会计"), person("郑主管")
    batch = str(a_proposed_batch().pk)
    assert nuan("refunds", "post", batch, "--as", one, "--password", PASSWORD).exit_code == 2
    own = nuan("refunds", "approve", batch, "--as", one, "--password", PASSWORD)
    assert own.exit_code == 2
    assert "须由另一人审批" in own.output
    assert nuan("refunds", "approve", batch, "--as", other, "--password", "wrong").exit_code == 2
    assert nuan("refunds", "approve", batch, "--as", other, "--password", PASSWORD).exit_code == 0
    posted = nuan("refunds", "post", batch, "--as", one, "--password", PASSWORD, "--json")
    assert json.loads(posted.output)["state"] == "posted"
    sent = nuan("refunds", "payout", "send", batch, "--as", one, "--password", PASSWORD)
    assert sent.output.splitlines()[0].startswith("付款编号")
    assert "0101" not in sent.output
    payout = RefundPayout.objects.order_by("id")[0]
    answer = tmp_path / "answer.csv"
    answer.write_text(f"付款编号,结果,完成日期\n{payout.number},成功,2026-05-20\n", "utf-8")
    assert "已付 1 笔" in nuan("refunds", "payout", "results", str(answer), "--as", one, "--password", PASSWORD).output
    answer.write_text(f"付款编号,结果\n{payout.number},也许\n", "utf-8")
    assert nuan("refunds", "payout", "results", str(answer), "--as", one, "--password", PASSWORD).exit_code == 1
    status = json.loads(nuan("refunds", "status", "--json").output)
    ours = next(row for row in status if row["company"] == "C01")
    assert ours["judged_fen"] - ours["paid_fen"] == ours["unpaid_fen"] > 0
    assert Entry.objects.filter(kind="refund").count() == 2


def test_nothing_to_refund_and_no_such_batch() -> None:
    one = person("周会计")
    a_posted_batch()
    again = nuan("refunds", "propose", "--company", "C01", "--season", "2025-2026", "--as", one, "--password", PASSWORD)
    assert again.exit_code == 2
    assert nuan("refunds", "post", "999", "--as", one, "--password", PASSWORD).exit_code == 2
    assert nuan("refunds", "approve", "999", "--as", "niemand", "--password", PASSWORD).exit_code == 2
    assert RefundBatch.objects.count() == 1


def test_the_credit_of_a_home(file: Path) -> None:
    from nuan.operations.payment_queue import place
    from nuan.records.billing.matching import Part
    from nuan.records.registry.models import Home

    take(file)
    payment, home = Payment.objects.get(), Home.objects.get(code="B001-1-0101")
    place(payment.pk, [Part(home.pk, None, 10_000, "person")], actor="周会计", today=payment.paid_at.date())
    assert "B001-1-0101 余额 100.00 元" in nuan("payments", "credits", "b001-1-0101").output
    told = json.loads(nuan("payments", "credits", "B001-1-0101", "--json").output)
    assert told == {"home": "B001-1-0101", "credit_fen": 10_000, "open": []}
    assert nuan("payments", "credits", "nowhere").exit_code == 2
