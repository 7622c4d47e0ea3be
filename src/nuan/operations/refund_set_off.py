"""应追回退费 set off against the next refund: what a home has been paid too much is taken from what it is owed next, never from its bank.

The ground is the Civil Code's set-off of debts of one kind, and only where the place has signed that it may be done
(`claim_set_off`); unsigned, the claim stands and the whole refund is paid. How much is part of what two people approve.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Sum

from nuan.operations.city_packs import signed_records
from nuan.operations.ledger_bulk import home_accounts
from nuan.operations.payment_booking import Legs
from nuan.policies import catalogue
from nuan.policies.refunds.set_off import GROUND_ZH, may_be_set_off
from nuan.records.billing.chart import CHART
from nuan.records.billing.models import Entry, Posting, RefundBatch, RefundSetOff
from nuan.records.registry.models import Home

if TYPE_CHECKING:
    from nuan.operations.refund_batches import Due

KIND = "refund_setoff"


def owed_by_home(company: str, homes: Collection[int], role: str) -> dict[int, int]:
    """By the ledger, in fen and positive: what the company owes each home (`refund_payable`), or the home the company (`refund_claim`).

    A home that has come from another company brings no debts along: those are between it and that company."""
    chart = CHART[role]
    rows = (
        Posting.objects.filter(
            account__company=company, account__home__in=homes, account__code__startswith=f"{company}/{chart.number}/"
        )
        .values_list("account__home")
        .annotate(fen=Sum("amount_fen"))
    )
    sign = -1 if chart.kind == "liability" else 1
    return dict.fromkeys(homes, 0) | {home: sign * int(fen or 0) for home, fen in rows if home is not None}


def set_off_of(company: str, due: Iterable["Due"], last_day: Mapping[int, date]) -> dict[str, int]:
    """Fen by home code that a batch of these refunds would set off; `last_day`: of what was judged, by judgement."""
    by_home: dict[int, list[Due]] = defaultdict(list)
    for each in due:
        by_home[each.home.pk].append(each)
    claims, payable = owed_by_home(company, by_home, "refund_claim"), owed_by_home(company, by_home, "refund_payable")
    signed = signed_records() if any(fen > 0 for fen in claims.values()) else []
    found = {}
    for pk, ones in by_home.items():
        judged = next((each.judgement for each in ones if each.judgement is not None and each.amount_fen > 0), None)
        fen = min(claims[pk], payable[pk] + sum(each.amount_fen for each in ones))
        if judged is not None and fen > 0 and may_be_set_off(catalogue.pack(judged.pack, signed), last_day[judged.pk]):
            found[ones[0].home.code] = fen
    return found


def book_set_off(batch: RefundBatch, homes: Mapping[int, Home], payable: dict[int, int], *, on: date, actor: str) -> dict[int, RefundSetOff]:  # fmt: skip
    """应退热费 / 应追回退费, an entry a home, never more than was approved, owed or claimed; `payable` is lowered by it. By home."""
    asked = {pk: batch.set_off[home.code] for pk, home in homes.items() if home.code in batch.set_off}
    claims = owed_by_home(batch.company_id, asked, "refund_claim")
    fens = {pk: fen for pk in asked if (fen := min(asked[pk], claims[pk], payable[pk])) > 0}
    if not fens:
        return {}
    owed = home_accounts(batch.company_id, "refund_payable", sorted(fens))
    claimed = home_accounts(batch.company_id, "refund_claim", sorted(fens))
    legs = Legs(batch.company_id)
    clauses = dict(batch.items.filter(home__in=fens, amount_fen__gt=0).values_list("home", "clause"))
    for pk, fen in fens.items():
        details = {"batch": batch.pk, "ground": GROUND_ZH, "interpretation": "claim_set_off"}
        legs.add(
            f"setoff:{batch.pk}:{pk}", KIND, on, f"抵扣应追回退费 {batch.season}", details, (owed[pk], fen), (claimed[pk], -fen),
            clause=clauses.get(pk, ""),
        )  # fmt: skip
        payable[pk] -= fen
    booked = legs.book(actor)
    rows = [
        RefundSetOff(batch=batch, home_id=pk, amount_fen=fen, entry=Entry(pk=booked[f"setoff:{batch.pk}:{pk}"]))
        for pk, fen in fens.items()
    ]
    return {each.home_id: each for each in RefundSetOff.objects.bulk_create(rows, batch_size=5000)}
