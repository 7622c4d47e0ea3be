"""What a home gets in all: outage, temperature and month refunds together, by the stacking rule, under the season's cap."""

import numpy as np

from nuan.policies.refunds.columns import UNKNOWN, Bool, Homes, Int64, mark
from nuan.policies.refunds.decision import Decision, Options, decide
from nuan.policies.refunds.law import RefundLaw
from nuan.policies.refunds.outage import Counted
from nuan.terms.places import CHINA_OFFSET_S, DAY_S

WIDTH = 10_000_000


def overlapping(counted: Counted, homes: int, home: Int64, first_day: Int64, last_day: Int64) -> Bool:
    """Homes of which a qualifying outage shares a local day with one of the given stretches (last day included)."""
    merged, paid = counted.merged, counted.qualifies
    if not paid.any() or not len(home):
        return np.zeros(homes, np.bool_)
    who = merged.home[paid] * WIDTH
    starts = who + (merged.start_s[paid] + CHINA_OFFSET_S) // DAY_S
    ends = who + (merged.end_s[paid] - 1 + CHINA_OFFSET_S) // DAY_S
    at = np.searchsorted(ends, home * WIDTH + first_day)
    inside = at < len(ends)
    hit = inside & (starts[np.minimum(at, len(ends) - 1)] <= home * WIDTH + last_day)
    return mark(homes, home[hit])


def settle(
    homes: Homes, outage: Decision, temperature: Decision, month: Decision, overlap: Bool, law: RefundLaw
) -> Decision:
    """The total. Undecided where a part is; for parts that overlap the stacking question decides, then the cap."""
    parts = (outage, temperature, month)
    amounts = [np.where(part.decided, part.amount, 0) for part in parts]
    several = overlap & (amounts[0] > 0) & (amounts[1] + amounts[2] > 0)
    axes = {"stacking": law.candidates("stacking") if several.any() else ("stack",), "cap": law.candidates("cap")}

    def reckon(options: Options) -> Int64:
        total = amounts[0] + amounts[1] + amounts[2]
        if options["stacking"] == "larger_only":
            total = np.where(several, np.maximum(amounts[0], amounts[1] + amounts[2]), total)
        return np.minimum(total, np.maximum(homes.fee, 0)) if options["cap"] == "season_fee" else total

    decision = decide(axes, reckon)
    undecided = ~(outage.decided & temperature.decided & month.decided)
    if not undecided.any():
        return decision
    open_keys = dict(decision.open_keys)
    for part in parts:
        for key, mask in part.open_keys.items():
            open_keys[key] = mask | open_keys[key] if key in open_keys else mask
    low = np.where(undecided, np.maximum.reduce([part.low for part in parts]), decision.low)
    high = np.where(undecided, outage.high + temperature.high + month.high, decision.high)
    return Decision(np.where(undecided, UNKNOWN, decision.amount), low, high, open_keys)
