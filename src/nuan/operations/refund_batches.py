"""Refunds from judgements: a batch is proposed, looked at by another person, and booked. What was judged is followed, never overtaken.

A judgement that is worth more now gives a supplement, one that is worth less or stands no more gives an item that takes back; both go
through a batch like the first. What may not be paid stays out of the batch and is listed with its reason.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from nuan.operations import approvals
from nuan.operations.acts import act
from nuan.operations.city_packs import signed_records
from nuan.operations.refund_reckoning import REFUNDING, reckoned_again
from nuan.operations.refund_set_off import set_off_of
from nuan.policies import catalogue
from nuan.policies.refunds.payable import Part, not_payable
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import Decision, Proposal, RefundBatch, RefundItem
from nuan.records.registry.models import Company, Contract, Home
from nuan.records.supervision.models import CurrentJudgement, Judgement
from nuan.terms.places import local_day

KIND = "refund_batch"
LISTED = 200
"""Homes that are named in a batch's list of what is blocked; all are counted."""
Key = tuple[str, str, str]
"""Home code, clause, item: what is judged separately within a season."""


class RefundError(ValueError):
    """Why a batch is not made or not booked, as a sentence."""


class NothingToRefundError(RefundError):
    def __init__(self, company: str, season: str, blocked: int) -> None:
        more = f"；{blocked} 项因未决事项不能付，见清单" if blocked else ""
        super().__init__(f"企业 {company} 的 {season} 季没有新的应退或应更正的金额{more} / nothing to refund")


class JudgementMovedError(RefundError):
    def __init__(self, batch: RefundBatch, count: int) -> None:
        super().__init__(
            f"批次 {batch.pk} 里有 {count} 项的判定在提请之后变了：请退回本批次，重新提请 / judgements have changed since"
        )


class BatchSettledError(RefundError):
    def __init__(self, batch: RefundBatch) -> None:
        super().__init__(f"批次 {batch.pk} 已经{batch.get_state_display()} / the batch is settled")


@dataclass(frozen=True)
class Due:
    """What one judgement asks for beyond what stood before."""

    home: Home
    clause: str
    item: str
    judgement: Judgement | None
    before: RefundItem | None
    target_fen: int

    @property
    def before_fen(self) -> int:
        return self.before.target_fen if self.before else 0

    @property
    def amount_fen(self) -> int:
        return self.target_fen - self.before_fen


@dataclass(frozen=True)
class Blocked:
    """Judged, and not payable: why."""

    home: str
    clause: str
    item: str
    amount_fen: int | None
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Outlook:
    """What a batch made now would hold."""

    due: list[Due]
    blocked: list[Blocked]

    @property
    def amount_fen(self) -> int:
        return sum(each.amount_fen for each in self.due)


def outlook(company: str, season: str, clause: str = "") -> Outlook:
    """What is owed by judgements of a company's homes beyond what is booked or proposed, and what may not be paid, with the reason."""
    clauses = [clause] if clause else list(REFUNDING)
    current = {
        (row.subject, row.clause, row.item): row
        for row in CurrentJudgement.objects.filter(
            subject_level="home", company_code=company, clause__in=clauses, judgement__run__season=season
        ).select_related("judgement__run")
    }
    heads = _heads(company, season, clauses)
    keys = [key for key, row in current.items() if row.amount_fen != 0 or key in heads]
    keys += [key for key in heads if key not in current]
    homes = {
        home.code: home for home in Home.objects.filter(code__in={code for code, *_ in keys}).select_related("banner")
    }
    due: list[Due] = []
    blocked: list[Blocked] = []
    for key in sorted(keys):
        code, own, item = key
        row, head = current.get(key), heads.get(key)
        if row is not None and row.amount_fen is None:
            why = row.judgement.why if row.verdict == Judgement.Verdict.UNDECIDABLE else ""
            blocked.append(Blocked(code, own, item, head.target_fen if head else None, "undecided", why))
            continue
        target = max(int(row.amount_fen or 0), 0) if row is not None else 0
        one = Due(homes[code], own, item, row.judgement if row is not None else None, head, target)
        if one.amount_fen and head is not None and head.entry_id is None:
            blocked.append(Blocked(code, own, item, one.amount_fen, "in_other_batch", str(head.batch_id)))
        elif one.amount_fen:
            due.append(one)
    due, more = _as_reckoned_again(due)
    blocked += more
    due, more = _within_caps(company, season, due)
    return Outlook(due, blocked + more)


def _heads(company: str, season: str, clauses: Sequence[str]) -> dict[Key, RefundItem]:
    """The last item of each chain that stands."""
    followed = RefundItem.objects.filter(after=OuterRef("pk"), withdrawn=False)
    rows = RefundItem.objects.filter(
        ~Exists(followed), batch__company=company, season=season, clause__in=clauses, withdrawn=False
    ).select_related("home")
    return {(row.home.code, row.clause, row.item): row for row in rows}


def _as_reckoned_again(due: list[Due]) -> tuple[list[Due], list[Blocked]]:
    """Only what the rules give again to the fen is paid."""
    again = reckoned_again(each.judgement for each in due if each.judgement is not None)
    kept, blocked = [], []
    for each in due:
        if each.judgement is None or again.get(each.judgement.pk, -1) == each.judgement.amount_fen:
            kept.append(each)
        else:
            blocked.append(Blocked(each.home.code, each.clause, each.item, each.amount_fen, "not_regenerated"))
    return kept, blocked


def _within_caps(company: str, season: str, due: list[Due]) -> tuple[list[Due], list[Blocked]]:
    """All refunds of a home and season together against its cap and the stacking question; taking back is never held up."""
    by_home: dict[str, list[Due]] = defaultdict(list)
    for each in due:
        by_home[each.home.code].append(each)
    fees = dict(
        Contract.objects.filter(season=season, home__code__in=by_home).values_list("home__code", "season_fee_fen")
    )
    standing: dict[str, list[Part]] = defaultdict(list)
    for (code, own, item), head in _heads(company, season, REFUNDING).items():
        if code in by_home and not any((each.clause, each.item) == (own, item) for each in by_home[code]):
            standing[code].append(Part(own, head.target_fen, *head.evidence.get("days", (0, -1))))
    signed = signed_records()
    packs = {name: catalogue.pack(name, signed) for name in {each.judgement.pack for each in due if each.judgement}}
    kept, blocked = [], []
    for code, ones in by_home.items():
        parts = standing[code] + [Part(each.clause, each.target_fen, *_days(each.judgement)) for each in ones]
        judged = next((each.judgement for each in ones if each.judgement), None)
        reasons = not_payable(packs[judged.pack], _last_day(judged), fees.get(code), parts) if judged else ()
        for each in ones:
            if reasons and each.amount_fen > 0:
                blocked += [Blocked(code, each.clause, each.item, each.amount_fen, reason) for reason in reasons[:1]]
            else:
                kept.append(each)
    return kept, blocked


def _days(judgement: Judgement | None) -> tuple[int, int]:
    return (0, -1) if judgement is None else (local_day(judgement.period_start), local_day(judgement.period_end - 1))


def _last_day(judgement: Judgement) -> date:
    from nuan.terms.places import day_date

    return day_date(local_day(judgement.period_end - 1))


def propose_refunds(*, company: str, season: str, clause: str = "", by: User) -> RefundBatch:
    """A batch of all that is owed now, put before another person. Raises NothingToRefundError, ApprovalError.

    Two that are made at the same moment: the database lets one of them have each judgement, the other is refused whole.
    """
    with act("propose_refunds", actor=by.username, subject=company, clause=clause) as row, transaction.atomic():
        _one_at_a_time(company)
        found = outlook(company, season, clause)
        if not found.due:
            raise NothingToRefundError(company, season, len(found.blocked))
        lines = [_line(each) for each in found.due]
        set_off = set_off_of(
            company, found.due, {each.judgement.pk: _last_day(each.judgement) for each in found.due if each.judgement}
        )
        batch = RefundBatch.objects.create(
            company=Company.objects.get(code=company), season=season, clause=clause, content_hash=hash_of(lines, set_off), set_off=set_off,
            items_count=len(lines), homes_count=len({each.home.pk for each in found.due}), amount_fen=found.amount_fen,
            blocked=_told(found.blocked), created_by=by.username,
        )  # fmt: skip
        RefundItem.objects.bulk_create([_item(batch, each) for each in found.due], batch_size=5000)
        approvals.propose(
            kind=KIND, subject=batch.subject, company=company, content_hash=batch.content_hash, by=by,
            summary={"amount_fen": batch.amount_fen, "homes": batch.homes_count, "items": batch.items_count},
        )  # fmt: skip
        row.details = {
            "batch": batch.pk,
            "amount_fen": batch.amount_fen,
            "items": len(lines),
            "blocked": len(found.blocked),
            "set_off_fen": sum(set_off.values()),
        }
    return batch


def _one_at_a_time(company: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"refunds {company}"])


def _line(each: Due) -> dict[str, Any]:
    judged = each.judgement
    return {
        "home": each.home.code, "clause": each.clause, "item": each.item, "judgement": judged.pk if judged else None,
        "digest": judged.digest if judged else "", "before_fen": each.before_fen, "target_fen": each.target_fen,
    }  # fmt: skip


def hash_of(lines: Iterable[Mapping[str, Any]], set_off: Mapping[str, int] | None = None) -> str:
    """Of exactly these lines, in any order, with what is set off by home."""
    told = [*lines, {"set_off": set_off}] if set_off else lines
    texts = sorted(json.dumps(line, ensure_ascii=False, sort_keys=True) for line in told)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def content_hash(batch: RefundBatch) -> str:
    """Of the batch as it lies in the records now."""
    rows = batch.items.values_list("home__code", "clause", "item", "judgement_id", "digest", "before_fen", "target_fen")
    names = ("home", "clause", "item", "judgement", "digest", "before_fen", "target_fen")
    return hash_of((dict(zip(names, row, strict=True)) for row in rows), batch.set_off)


def _item(batch: RefundBatch, each: Due) -> RefundItem:
    judged = each.judgement
    evidence: dict[str, Any] = {}
    if judged is not None:
        evidence = {
            "pack": judged.pack, "pack_version": judged.pack_version, "run": judged.run_id, "branch": judged.branch,
            "period": [judged.period_start, judged.period_end], "days": list(_days(judged)), "facts": judged.facts,
        }  # fmt: skip
    return RefundItem(
        batch=batch, home=each.home, clause=each.clause, season=batch.season, item=each.item,
        judgement_id=judged.pk if judged else None, digest=judged.digest if judged else "", before_fen=each.before_fen,
        target_fen=each.target_fen, amount_fen=each.amount_fen, after=each.before, evidence=evidence,
    )  # fmt: skip


def _told(blocked: Sequence[Blocked]) -> list[dict[str, Any]]:
    return [
        {"home": each.home, "clause": each.clause, "item": each.item, "amount_fen": each.amount_fen, "reason": each.reason,
         "detail": each.detail}
        for each in blocked[:LISTED]
    ] + ([{"reason": "more", "count": len(blocked) - LISTED}] if len(blocked) > LISTED else [])  # fmt: skip


def proposal_of(batch: RefundBatch) -> Proposal | None:
    return approvals.newest(KIND, batch.subject)


def decide_refunds(batch: RefundBatch, *, by: User, seen_hash: str, approve: bool = True, why: str = "") -> Decision:
    """Another person's yes or no to exactly what they saw. A batch that is sent back lets go of its judgements.

    Raises ApprovalError, JudgementMovedError, BatchSettledError.
    """
    with transaction.atomic():
        batch = RefundBatch.objects.select_for_update().get(pk=batch.pk)
        proposal = proposal_of(batch)
        if proposal is None or batch.state != RefundBatch.State.PROPOSED:
            raise BatchSettledError(batch)
        if approve:
            _still_judged(batch)
        decision = approvals.decide(
            proposal, by=by, seen_hash=seen_hash, content_hash=content_hash(batch), approve=approve, why=why
        )
        if not approve:
            batch.items.update(withdrawn=True)
            batch.state = RefundBatch.State.REJECTED
            batch.save(update_fields=["state"])
    return decision


def withdraw_refunds(batch: RefundBatch, *, by: User, why: str) -> None:
    """Finance of the company takes a batch back that is not booked; its judgements are free again. Raises NotInChargeError, BatchSettledError."""
    if by.role != Role.FINANCE or by.company_id != batch.company_id:
        raise approvals.NotInChargeError(by.username, batch.company_id)
    with act("withdraw_refunds", actor=by.username, subject=batch.subject, why=why), transaction.atomic():
        batch = RefundBatch.objects.select_for_update().get(pk=batch.pk)
        if batch.state != RefundBatch.State.PROPOSED:
            raise BatchSettledError(batch)
        batch.items.update(withdrawn=True)
        batch.state = RefundBatch.State.REJECTED
        batch.save(update_fields=["state"])


def _still_judged(batch: RefundBatch) -> None:
    """Each item's judgement is still the current one, with the same amount."""
    items = list(batch.items.select_related("home"))
    now = {
        (row.subject, row.clause, row.item): row
        for row in CurrentJudgement.objects.filter(
            subject_level="home", subject__in={each.home.code for each in items}, clause__in=REFUNDING,
            judgement__run__season=batch.season,
        )
    }  # fmt: skip
    moved = 0
    for each in items:
        row = now.get((each.home.code, each.clause, each.item))
        same = row is None if each.judgement_id is None else row is not None and row.judgement_id == each.judgement_id
        moved += not same
    if moved:
        raise JudgementMovedError(batch, moved)
