"""Whether what was judged may be paid: the season's cap and the stacking question once more, over all of a home's refunds together.

Each clause has looked at its own part when it judged. Here the parts stand side by side, perhaps judged on different days and under
interpretations signed in between; where they do not fit together nobody is paid before a person has decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from nuan.rules.pack import Pack

REASONS = {
    "undecided": ("判定本身无法认定金额", "the judgement itself names no amount"),
    "fee_unknown": ("全季热费未载明，无法核对封顶", "the season fee is not known, so the cap cannot be checked"),
    "cap_unsigned": ("封顶口径未签署，而合计超过全季热费", "the cap is unsigned and the sum exceeds the season's fee"),
    "over_cap": ("合计超过全季热费", "the sum exceeds the season's fee, which is the cap"),
    "stacking_unsigned": ("叠加口径未签署，而两项退费的日期重叠", "stacking is unsigned and two refunds share days"),
    "not_regenerated": (
        "按现有事实重算，金额与判定不同：先重新判定",
        "reckoned again it comes out otherwise: judge again",
    ),
    "in_other_batch": ("已在另一个未入账的批次里", "it is in another batch that is not booked yet"),
}
"""Why something that was judged is not paid, in both languages."""


@dataclass(frozen=True, slots=True)
class Part:
    """One refund of a home: its clause, fen, and the first and last local day that it is for."""

    clause: str
    amount_fen: int
    first_day: int
    last_day: int


def not_payable(pack: Pack, at: date, season_fee_fen: int | None, parts: Sequence[Part]) -> tuple[str, ...]:
    """The keys of `REASONS` that forbid paying these parts of one home and season together; none where they may be paid."""
    due = [part for part in parts if part.amount_fen > 0]
    total = sum(part.amount_fen for part in due)
    found: list[str] = []
    cap = pack.interpretation("cap", at).candidates
    if due and "season_fee" in cap:
        if season_fee_fen is None:
            found.append("fee_unknown")
        elif total > max(season_fee_fen, 0):
            found.append("over_cap" if len(cap) == 1 else "cap_unsigned")
    stacking = pack.interpretation("stacking", at).candidates
    if len(stacking) > 1 and _share_days(due):
        found.append("stacking_unsigned")
    return tuple(found)


def _share_days(parts: Sequence[Part]) -> bool:
    return any(
        one.clause != other.clause and one.first_day <= other.last_day and other.first_day <= one.last_day
        for one, other in combinations(parts, 2)
    )
