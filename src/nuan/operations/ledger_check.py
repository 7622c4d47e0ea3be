"""`nuan ledger check`: whether the ledger still says what it said, looked at from outside the triggers that should keep it so.

Every question is one set-based statement; what it finds comes as findings, with up to `SHOWN` keys.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import connection

from nuan.operations.ledger_chain import SORT_MEMORY, broken_days, end_of, unsealed_since
from nuan.terms.findings import Finding

SHOWN = 5
SEAL_WITHIN_H = 36
"""A day that is not sealed so long after its end is a fault: the daily timer does not run."""
_QUESTIONS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "entry_unbalanced", "凭证借贷不平或少于两笔", "entry does not balance or has fewer than two legs", "查明由谁绕过触发器写入",
        """SELECT e.key FROM billing_entry e LEFT JOIN (SELECT entry_id, sum(amount_fen) AS fen, count(*) AS legs FROM billing_posting
           GROUP BY entry_id) p ON p.entry_id = e.id WHERE p.fen IS DISTINCT FROM 0 OR p.legs < 2""",
    ),
    (
        "foreign_account", "凭证用了别家企业的科目", "entry uses another company's account", "冲销后重记",
        """SELECT e.key FROM billing_posting p JOIN billing_entry e ON e.id = p.entry_id JOIN billing_account a ON a.id = p.account_id
           WHERE a.company_id <> e.company_id""",
    ),
    (
        "period_wrong", "凭证日期不在其期间", "entry's day is not in its period", "查明由谁绕过触发器写入",
        """SELECT key FROM billing_entry WHERE period <> to_char("on", 'YYYY-MM')""",
    ),
    (
        "booked_into_closed_period", "结账之后记入已结期间", "booked into a period after it was closed", "查明由谁绕过触发器写入",
        """SELECT e.key FROM billing_entry e JOIN billing_ledgerperiod c ON c.company_id = e.company_id AND c.period = e.period
           WHERE e.recorded_at > c.closed_at""",
    ),
    (
        "key_twice", "同一编号入账两次", "one key booked twice", "冲销其中一张",
        "SELECT key FROM billing_entry GROUP BY key HAVING count(*) > 1",
    ),
    (
        "reversal_uneven", "冲销凭证与原凭证不互为相反", "a reversal does not mirror what it reverses", "查明由谁绕过触发器写入",
        """SELECT e.key FROM billing_entry e JOIN billing_posting p ON p.entry_id IN (e.id, e.reverses_id)
           WHERE e.reverses_id IS NOT NULL GROUP BY e.key, p.account_id HAVING sum(p.amount_fen) <> 0""",
    ),
    (
        "bill_is_not_its_lines", "账单与明细之和不符", "a bill is not the sum of its lines", "查明由谁绕过触发器写入",
        """SELECT b.number FROM billing_bill b LEFT JOIN (SELECT bill_id, sum(amount_fen) AS fen FROM billing_billline GROUP BY bill_id) l
           ON l.bill_id = b.id WHERE l.fen IS DISTINCT FROM b.total_fen""",
    ),
    (
        "bill_is_not_ledger", "账单与账面不符", "a bill is not what the ledger says", "查明由谁绕过触发器写入",
        """SELECT b.number FROM billing_bill b LEFT JOIN (SELECT p.entry_id, a.home_id, sum(p.amount_fen) AS fen FROM billing_posting p
           JOIN billing_account a ON a.id = p.account_id WHERE a.home_id IS NOT NULL GROUP BY p.entry_id, a.home_id) l
           ON l.entry_id = b.entry_id AND l.home_id = b.home_id WHERE l.fen IS DISTINCT FROM b.total_fen""",
    ),
    (
        "bill_number_missing", "账单编号不连续", "bill numbers have holes", "查明缺号去向",
        """SELECT company_id || '-' || year FROM billing_bill GROUP BY company_id, year
           HAVING count(*) <> max(seq) OR min(seq) <> 1""",
    ),
    (
        "run_without_four_eyes", "批次没有另一人审批即入账", "a run was posted without another person's approval", "冲销该批次并重新审批",
        """SELECT 'bill_run:' || r.run_id FROM billing_runposting r JOIN billing_proposal p ON p.id = r.proposal_id
           WHERE p.content_hash <> r.content_hash OR p.subject <> 'bill_run:' || r.run_id OR NOT EXISTS (SELECT 1 FROM billing_decision d
               WHERE d.proposal_id = p.id AND d.answer = 'approved' AND d.content_hash = r.content_hash AND d.decided_by_id <> p.proposed_by_id)""",
    ),
    (
        "bill_of_no_posted_run", "账单所属批次没有入账记录", "a bill of a run that was never posted", "查明由谁绕过触发器写入",
        """SELECT b.number FROM billing_bill b WHERE b.run_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM billing_runposting r WHERE r.run_id = b.run_id)""",
    ),
    (
        "run_total_differs", "批次合计与所出账单不符", "a run's total is not the sum of its bills", "核对该批次",
        """SELECT 'bill_run:' || r.id FROM billing_billrun r JOIN billing_runposting p ON p.run_id = r.id LEFT JOIN
           (SELECT run_id, sum(total_fen) AS fen, count(*) AS n FROM billing_bill WHERE run_id IS NOT NULL GROUP BY run_id) b ON b.run_id = r.id
           WHERE b.fen IS DISTINCT FROM r.total_fen OR b.n IS DISTINCT FROM r.bills""",
    ),
    (
        "return_without_four_eyes", "原路退回没有另一人审批即入账", "money went back without another person's approval", "查明由谁绕过触发器写入",
        """SELECT 'payment_return:' || r.id FROM billing_paymentreturn r WHERE r.state NOT IN ('proposed', 'rejected')
           AND NOT nuan_approved('payment_return', 'payment_return:' || r.id, r.content_hash)""",
    ),
    (
        "payment_does_not_add_up", "收款与核销、退回、未核销之和不符", "a payment is not what is placed, gone back and open of it", "查明由谁绕过触发器写入",
        """SELECT 'payment:' || p.id FROM billing_payment p LEFT JOIN (SELECT payment_id, sum(amount_fen) AS fen FROM billing_allocation
           GROUP BY payment_id) a ON a.payment_id = p.id LEFT JOIN (SELECT payment_id, sum(amount_fen) AS fen FROM billing_paymentreturn
           WHERE state IN ('pending', 'in_transit', 'paid') GROUP BY payment_id) r ON r.payment_id = p.id LEFT JOIN
           (SELECT payment_id, sum(amount_fen) AS fen FROM billing_channelrefund WHERE state = 'booked' GROUP BY payment_id) c ON c.payment_id = p.id
           WHERE p.amount_fen <> p.open_fen + coalesce(a.fen, 0) + coalesce(r.fen, 0) + coalesce(c.fen, 0)""",
    ),
    (
        "channel_refund_without_four_eyes", "平台退款没有另一人审批即入账", "a channel's refund was booked without another person's approval", "查明由谁绕过触发器写入",
        """SELECT 'channel_refund:' || c.id FROM billing_channelrefund c WHERE c.state = 'booked'
           AND NOT nuan_approved('channel_refund', 'channel_refund:' || c.id, c.content_hash)""",
    ),
    (
        "support_is_not_ledger", "政府欠账与账面不符", "debts of government are not what the ledger says", "运行 nuan ledger support 后再查",
        """SELECT c.code FROM registry_company c LEFT JOIN (SELECT d.company_id, sum(d.amount_fen - coalesce(p.fen, 0)) AS fen FROM support_governmentdebt d
           LEFT JOIN (SELECT debt_id, sum(amount_fen) AS fen FROM support_debtpayment GROUP BY 1) p ON p.debt_id = d.id GROUP BY 1) d ON d.company_id = c.code
           LEFT JOIN (SELECT a.company_id, sum(p.amount_fen) AS fen FROM billing_posting p JOIN billing_account a ON a.id = p.account_id
           JOIN billing_entry e ON e.id = p.entry_id LEFT JOIN billing_entry r ON r.id = e.reverses_id
           WHERE coalesce(r.kind, e.kind) IN ('government_debt', 'debt_payment') AND a.code LIKE '%/1221.01' GROUP BY 1) l ON l.company_id = c.code
           WHERE coalesce(d.fen, 0) <> coalesce(l.fen, 0)""",
    ),
    (
        "subsidy_payment_not_booked", "补贴拨付没有入账", "a subsidy payment is not in the ledger", "运行 nuan ledger support 后再查",
        """SELECT s.code FROM support_subsidypayment s WHERE s.reverses_id IS NULL AND NOT EXISTS (SELECT 1 FROM billing_entry e
           WHERE e.key = 'subsidy_payment:' || s.code)""",
    ),
    (
        "bill_overpaid", "账单核销多于应收", "more was placed on a bill than it comes to", "撤销多核销的收款，转入住户余额",
        """SELECT b.number FROM (SELECT bill_id, sum(amount_fen) AS fen FROM billing_allocation WHERE bill_id IS NOT NULL GROUP BY bill_id) a
           JOIN billing_bill b ON b.id = a.bill_id LEFT JOIN (SELECT about_id, sum(total_fen) AS fen FROM billing_bill
           WHERE about_id IS NOT NULL GROUP BY about_id) d ON d.about_id = b.id WHERE a.fen > b.total_fen + coalesce(d.fen, 0)""",
    ),
    (
        "same_person", "提请与审批为同一人", "one person proposed and decided", "重新审批",
        """SELECT p.subject FROM billing_decision d JOIN billing_proposal p ON p.id = d.proposal_id WHERE d.decided_by_id = p.proposed_by_id""",
    ),
)  # fmt: skip
GUARDS = (
    "entry_balances", "entry_recorded", "entry_open_books", "entry_lock", "posting_with_entry", "bills_add_up", "lines_before_bill",
    "decision_by_another", "run_is_approved", "account_stays", "period_lock", "day_lock", "channel_refund_moves", "set_off_is_approved",
)  # fmt: skip
_APPEND_ONLY = (
    "entry",
    "posting",
    "bill",
    "billline",
    "billrun",
    "runposting",
    "proposal",
    "decision",
    "ledgerday",
    "ledgerperiod",
)


def check(*, now: datetime, progress: Callable[[str], None] = lambda what: None) -> list[Finding]:
    """Everything that does not hold; empty for a ledger that cannot be faulted."""
    found: list[Finding] = []
    for code, zh, en, remedy, statement in _QUESTIONS:
        progress(code)
        found += _ask(code, zh, en, remedy, statement)
    progress("chain")
    for broken in broken_days():
        found.append(Finding("账本", "chain_broken", f"{broken.day} {broken.why}", f"the chain breaks on {broken.day}", "以备份核对当日凭证", value=str(broken.day)))  # fmt: skip
    waiting = unsealed_since(now)
    if waiting is not None:
        hours = int((now - end_of(waiting)).total_seconds() // 3600)
        late = "error" if hours >= SEAL_WITHIN_H else "warning"
        found.append(Finding("账本", "day_unsealed", f"{waiting} 起尚未封存，已过 {hours} 小时", f"not sealed since {waiting}, {hours} h over", "运行 nuan ledger seal，并查看每日封存的定时任务", value=str(waiting), severity=late))  # fmt: skip
    progress("triggers")
    return found + _disabled_triggers()


def _ask(code: str, zh: str, en: str, remedy: str, statement: str) -> list[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET work_mem = '{SORT_MEMORY}'")
        cursor.execute(f"SELECT count(*), (array_agg(k))[1:{SHOWN}] FROM ({statement}) AS q(k)")
        count, keys = cursor.fetchone()
        cursor.execute("RESET work_mem")
    if not count:
        return []
    return [Finding("账本", code, zh, en, remedy, value="、".join(map(str, keys)), count=int(count))]


def _disabled_triggers() -> list[Finding]:
    """A guard that somebody has taken away or switched off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname || '@' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relname LIKE 'billing%'"
        )
        there = {row[0] for row in cursor.fetchall()}
    missing = [name for name in GUARDS if not any(each.startswith(f"{name}@") for each in there)]
    missing += [f"append_only@{table}" for table in _APPEND_ONLY if f"append_only_rows@billing_{table}" not in there]
    if not missing:
        return []
    return [Finding("数据库", "guard_missing", "账本的触发器缺失或被停用", "a guard of the ledger is missing or disabled", "重新启用后再次检查", value="、".join(missing), count=len(missing))]  # fmt: skip
