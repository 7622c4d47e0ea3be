"""The people of the money stories and a judged town: who proposes, who approves, and what the town's judgements owe."""

from datetime import date

from nuan.operations.refund_batches import decide_refunds, proposal_of, propose_refunds
from nuan.operations.refund_posting import post_refunds
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import RefundBatch
from nuan.records.supervision.models import CurrentJudgement, Judgement

SEASON = "2025-2026"
ON = date(2026, 5, 20)


def person(name: str, role: str = Role.FINANCE, company: str | None = "C01") -> User:
    found, _ = User.objects.get_or_create(
        username=name, defaults={"display_name": name, "role": role, "company_id": company}
    )
    return found


def zhou() -> User:
    return person("周会计")


def zheng() -> User:
    return person("郑主管")


def proposed(clause: str = "") -> RefundBatch:
    return propose_refunds(company="C01", season=SEASON, clause=clause, by=zhou())


def approved(batch: RefundBatch) -> RefundBatch:
    decide_refunds(batch, by=zheng(), seen_hash=proposal_of(batch).content_hash)
    return batch


def posted(batch: RefundBatch) -> RefundBatch:
    return post_refunds(approved(batch), by=zhou(), on=ON)


def rejudged(row: CurrentJudgement, fen: int | None, verdict: str = "breached") -> Judgement:
    """A newer judgement of the same thing, as a later run would add it."""
    old = row.judgement
    new = Judgement.objects.get(pk=old.pk)
    new.pk, new.amount_fen, new.verdict, new.digest = None, fen, verdict, f"{old.pk:064x}"
    new.save(force_insert=True)
    row.judgement, row.amount_fen, row.verdict = new, fen, verdict
    row.save()
    return new
