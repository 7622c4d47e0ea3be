"""`nuan bill` and `nuan ledger`: a season from preview to posting with two people at the keyboard, and the books looked at."""

import subprocess
import sys
from pathlib import Path

import django
import pytest

django.setup()

from click.testing import CliRunner, Result  # noqa: E402
from django.db import connection  # noqa: E402

from billed_city import bill_everybody, person, prepare  # noqa: E402
from nuan.cli.bill import bill  # noqa: E402
from nuan.cli.ledger import ledger  # noqa: E402
from nuan.records.billing.models import Bill, BillRun, LedgerPeriod  # noqa: E402


@pytest.fixture(autouse=True)
def town(city: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nuan.cli.bill.setup_records", lambda: None)
    monkeypatch.setattr("nuan.cli.ledger.setup_records", lambda: None)
    prepare()
    for name in ("周会计", "郑主管"):
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
    assert run(bill, "post", number, "--user", "周会计").exit_code == 1, "nobody has approved"
    assert run(bill, "propose", number, "--user", "周会计").exit_code == 0
    same = run(bill, "approve", number, "--user", "周会计", "--seen", made.content_hash)
    assert (same.exit_code, "另一人" in same.output) == (1, True)
    other = run(bill, "approve", number, "--user", "郑主管", "--seen", "x" * 64)
    assert (other.exit_code, "不同" in other.output) == (1, True)
    assert run(bill, "approve", number, "--user", "郑主管", "--seen", made.content_hash).exit_code == 0
    assert run(bill, "post", number, "--user", "周会计", "--on", "2025-10-20", password="falsch").exit_code == 1
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
    assert run(ledger, "close", "C01", "2025-10", "--user", "周会计", "--seen", seen).exit_code == 1
    assert run(ledger, "close", "C01", "2025-10", "--user", "郑主管", "--seen", seen).exit_code == 0
    assert LedgerPeriod.objects.get().closed_by == "周会计"
    assert "没有要封存" in run(ledger, "seal").output
