"""A city's season paid and refunded through the real doors: a WeChat bill of every home of a company imported, then its judged refunds
proposed, reckoned again, approved, booked, sent and settled; against one payment and one payout at a time."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench.billing import ISSUED, SEASON, bill_everybody, build, check_ledger, cpu_seconds, timed
from bench.board import _stop_server

RESULTS = Path(__file__).parent / "results" / "payments.json"
TODAY = date(2026, 5, 20)
COMPANY = "C01"
ONE_BY_ONE = 100


def judged(home_folder: Path) -> tuple[int, float]:
    """One outage of 31 hours at the first source, and the season judged from the records (no readings)."""
    from nuan.operations.judging import judge_season
    from nuan.records.emergency.models import Outage
    from nuan.records.registry.models import Contract
    from nuan.records.supervision.models import CurrentJudgement
    from nuan.telemetry.store import Store

    Contract.objects.update(season_fee_fen=240_000)
    Outage.objects.create(
        code="O1", level="source", place="H01", started_at=datetime(2026, 1, 5, 2, tzinfo=UTC),
        ended_at=datetime(2026, 1, 6, 9, tzinfo=UTC), cause="supplier", attested_by="bench",
    )  # fmt: skip
    with Store(home_folder / "readings", write=True) as store:
        _, seconds = timed(
            lambda: judge_season(SEASON, actor="bench", store=store, as_of=datetime(2026, 5, 1, tzinfo=UTC))
        )
    return CurrentJudgement.objects.filter(clause="2.5.3a", company_code=COMPANY, amount_fen__gt=0).count(), seconds


CPU: dict[str, float] = {}
"""Seconds of processor time by step, of this process and its server: what the work costs on whatever machine, however busy."""


def measured(name: str, work: Callable[[], Any]) -> tuple[Any, float]:
    before = cpu_seconds()
    found, seconds = timed(work)
    CPU[name] = round(cpu_seconds() - before, 1)
    print(f"    {name}: {seconds:.1f} s, {CPU[name]} s of processor", flush=True)
    return found, seconds


def paid() -> dict[str, float]:
    from nuan.operations.demo_payment_files import Paid, wechat_file
    from nuan.operations.payment_files import import_payments
    from nuan.records.billing.models import Bill

    bills = list(
        Bill.objects.filter(company=COMPANY, kind="bill", total_fen__gt=0)
        .order_by("id")
        .values_list("number", "total_fen")
    )
    rows = [Paid(f"42{number:018d}", bill, fen, number) for number, (bill, fen) in enumerate(bills)]
    content = wechat_file(ISSUED, rows)

    def take(some: bytes, name: str) -> Any:
        return import_payments(some, name, channel="wechat", company=COMPANY, actor="bench", today=TODAY)

    report, seconds = measured("import", lambda: take(content, "all.csv"))
    again, again_s = measured("same file again", lambda: take(content, "all.csv"))
    singles = [wechat_file(ISSUED, [Paid(f"43{n:018d}", f"x{n}", 100, n)]) for n in range(ONE_BY_ONE)]
    _, single_s = timed(lambda: [take(each, f"{n}.csv") for n, each in enumerate(singles)])
    assert (report.state, report.placed, again.state) == ("imported", len(rows), "known")
    return {"payments": len(rows), "import_s": seconds, "again_s": again_s, "one_by_one_per_s": ONE_BY_ONE / single_s}


def refunded() -> dict[str, float]:
    from nuan.operations.refund_batches import decide_refunds, propose_refunds
    from nuan.operations.refund_payouts import Answer, send_payouts, settle_payouts
    from nuan.operations.refund_posting import post_refunds
    from nuan.records.accounts.models import User

    maker, checker = (User.objects.get(username=f"{name}1") for name in ("maker", "checker"))
    batch, propose_s = measured(
        "propose", lambda: propose_refunds(company=COMPANY, season=SEASON, clause="2.5.3a", by=maker)
    )
    _, approve_s = measured("approve", lambda: decide_refunds(batch, by=checker, seen_hash=batch.content_hash))
    _, post_s = measured("post", lambda: post_refunds(batch, by=maker, on=TODAY))
    waiting = list(batch.payouts.all())
    few, rest = waiting[:ONE_BY_ONE], waiting[ONE_BY_ONE:]
    _, few_s = timed(lambda: [send_payouts([each], channel="bank", on=TODAY, actor="bench") for each in few])
    sent, send_s = measured("send", lambda: send_payouts(rest, channel="bank", on=TODAY, actor="bench"))
    _, settle_s = measured(
        "settle", lambda: settle_payouts([Answer(each, True, TODAY, f"F{each.pk}") for each in sent], actor="bench")
    )
    return {
        "refunds": batch.items_count, "propose_s": propose_s, "approve_s": approve_s, "post_s": post_s, "send_s": send_s,
        "settle_s": settle_s, "sent": len(sent), "one_by_one_sent_per_s": len(few) / few_s,
    }  # fmt: skip


def run(homes: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="nuan-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["NUAN_HOME"] = folder
        os.environ.pop("DATABASE_URL", None)
        from nuan.cli.main import setup_records

        setup_records()
        from django.db import connection

        build(homes)
        bill_everybody()
        count, judge_s = judged(Path(folder))
        print(f"  {count} refunds judged in {judge_s:.0f} s", flush=True)
        came = paid()
        print(f"  {came}", flush=True)
        went = refunded()
        print(f"  {went}", flush=True)
        checked = check_ledger()
        connection.close()
        _stop_server(Path(folder) / "pg")
    return {
        "homes": homes,
        "payments": int(came["payments"]),
        "imported_per_s": round(came["payments"] / came["import_s"]),
        "same_file_again_s": round(came["again_s"], 1),
        "one_by_one_per_s": round(came["one_by_one_per_s"]),
        "refunds": int(went["refunds"]),
        "refunds_posted_per_s": round(went["refunds"] / went["post_s"]),
        "payouts_sent_per_s": round(went["sent"] / went["send_s"]),
        "payouts_settled_per_s": round(went["sent"] / went["settle_s"]),
        "sent_one_by_one_per_s": round(went["one_by_one_sent_per_s"]),
        "cpu_seconds": CPU,
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "seconds": {name: round(value, 1) for name, value in {**came, **went}.items() if name.endswith("_s")},
        **checked,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="20 000 homes instead of 500 000 (100 000 of the company that is paid)"
    )
    parser.add_argument("--homes", type=int, default=None)
    options, _ = parser.parse_known_args()
    homes = options.homes or (20_000 if options.quick else 500_000)
    started = time.perf_counter()
    found = run(homes)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    print(f"{time.perf_counter() - started:.0f} s")
    if homes >= 500_000:
        RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0 if not found["findings"] else 1


if __name__ == "__main__":
    sys.exit(main())
