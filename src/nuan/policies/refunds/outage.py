"""停热退费: what a home gets back for outages, over columns, in whole fen.

Outages whose cause counts are clipped to the season and merged per home (overlapping and abutting ones are one), then
held against the threshold of the day on which they began, with its comparison word; days are counted and the fee is
divided once, at the end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from nuan.policies.refunds.columns import CAUSES, UNKNOWN, Bool, Homes, Int64, Outages, mark, share
from nuan.policies.refunds.decision import Decision, Options, decide, narrowed
from nuan.policies.refunds.law import RefundLaw
from nuan.terms.money import INT64_MAX
from nuan.terms.places import CHINA_OFFSET_S, DAY_S

AXES = ("outage_day", "causes", "attestation", "cumulative_edge", "metered_outage", "season_days", "cap")
COUNTING = ("outage_day", "causes", "attestation", "cumulative_edge", "cause_unknown")
SOURCE, SUPPLIER, USER, _, _, UNSAID = range(len(CAUSES))


@dataclass(frozen=True)
class Merged:
    """Disjoint outages sorted by home and start; `member[i]` is the merged outage that input row i went into (-1: none)."""

    home: Int64
    start_s: Int64
    end_s: Int64
    member: Int64


@dataclass(frozen=True)
class Counted:
    """Merged outages with what they are worth: `units` are days, or seconds where outages are counted by time."""

    merged: Merged
    qualifies: Bool
    units: Int64
    by_time: bool


@dataclass(frozen=True)
class OutageRefund:
    """`decision` per home; `counted` and `home_units` for the options that hold, where open for those that count most outages."""

    decision: Decision
    counted: Counted
    home_units: Int64
    open_at_as_of: Bool


def ended(outages: Outages, as_of_s: int) -> Int64:
    """Ends, with outages that still go on counted to `as_of_s`; nothing after it is known."""
    return np.minimum(np.where(outages.end_s == UNKNOWN, as_of_s, outages.end_s), as_of_s)


def counts(outages: Outages, causes: str, attestation: str, unsaid_counts: bool) -> Bool:
    """Which rows count under these options; a cause nobody established counts or not as the caller supposes."""
    known = (
        (outages.cause == SOURCE) | (outages.cause == SUPPLIER)
        if causes == "source_and_supplier"
        else (outages.cause != USER) & (outages.cause != UNSAID)
    )
    if unsaid_counts:
        known = known | (outages.cause == UNSAID)
    return np.asarray(known & outages.attested if attestation == "required" else known)


def merge(home: Int64, start_s: Int64, end_s: Int64, keep: Bool) -> Merged:
    """Union per home. Rows with `keep` false or nothing left in them go nowhere."""
    live = keep & (end_s > start_s)
    member = np.full(len(home), -1, np.int64)
    rows = np.flatnonzero(live)
    if not len(rows):
        empty = np.zeros(0, np.int64)
        return Merged(empty, empty, empty, member)
    homes, starts, ends = home[rows], start_s[rows], end_s[rows]
    first = int(starts.min())
    width = int(ends.max()) - first + 2
    if (int(homes.max()) + 1) * width > INT64_MAX:
        raise OverflowError("too many homes for one batch of outages")
    base = homes * width - first
    key_start, key_end = base + starts, base + ends
    order = None
    if (key_start[1:] < key_start[:-1]).any():
        order = np.argsort(key_start, kind="stable")
        key_start, key_end, homes, base = key_start[order], key_end[order], homes[order], base[order]
    reach = np.maximum.accumulate(key_end)
    fresh = np.ones(len(rows), np.bool_)
    np.greater(key_start[1:], reach[:-1], out=fresh[1:])
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], len(rows)) - 1
    group = np.cumsum(fresh) - 1
    member[rows if order is None else rows[order]] = group
    return Merged(homes[heads], key_start[heads] - base[heads], reach[tails] - base[heads], member)


def count(merged: Merged, homes: int, law: RefundLaw, option: str, edge: str) -> Counted:
    """Hold merged outages against the thresholds and count what the qualifying ones are worth."""
    length = merged.end_s - merged.start_s
    qualifies = long_enough(merged, homes, law, edge) if not law.later else np.zeros(len(length), np.bool_)
    if law.later:
        piece = law.piece_of(merged.start_s)
        for i, own in enumerate(law.pieces):
            qualifies |= (piece == i) & long_enough(merged, homes, own, edge)
    if option == "by_time":
        units = length
    elif option == "blocks_24h_up":
        units = -(-length // DAY_S)
    elif option == "blocks_24h_whole":
        units = length // DAY_S
    else:
        units = touched_days(merged, qualifies)
    return Counted(merged, qualifies, np.where(qualifies, units, 0), option == "by_time")


def long_enough(merged: Merged, homes: int, law: RefundLaw, edge: str) -> Bool:
    """Whether each outage alone, or all of its home together, pass the limits of one law; no limit is passed by nothing."""
    length = merged.end_s - merged.start_s
    if law.threshold_s is None:
        return np.zeros(len(length), np.bool_)
    qualifies = length >= law.threshold_s if law.threshold_inclusive else length > law.threshold_s
    if law.cumulative_s is not None:
        total = np.bincount(merged.home, weights=length, minlength=homes).astype(np.int64)
        enough = total >= law.cumulative_s if edge == "inclusive" else total > law.cumulative_s
        qualifies = qualifies | enough[merged.home]
    return np.asarray(qualifies)


def limit_unknown(merged: Merged, law: RefundLaw) -> Bool:
    """Outages that began while the law named no limit."""
    silent = np.array([piece.threshold_s is None for piece in law.pieces])
    return silent[law.piece_of(merged.start_s)] if silent.any() else np.zeros(len(merged.home), np.bool_)


def touched_days(merged: Merged, qualifies: Bool) -> Int64:
    """Calendar days each outage touches; a day that two qualifying outages of a home touch counts with the first."""
    first = (merged.start_s + CHINA_OFFSET_S) // DAY_S
    last = (merged.end_s - 1 + CHINA_OFFSET_S) // DAY_S
    days = last - first + 1
    paid = np.flatnonzero(qualifies)
    if len(paid) > 1:
        before, after = paid[:-1], paid[1:]
        shared = (merged.home[before] == merged.home[after]) & (last[before] == first[after])
        days[after[shared]] -= 1
    return days


def outage_axes(homes: Homes, outages: Outages, law: RefundLaw) -> dict[str, tuple[str, ...]]:
    """The open questions that these facts can be touched by, and whether a cause nobody established counts."""
    axes = {key: law.candidates(key) for key in AXES}
    unsaid = bool((outages.cause == UNSAID).any())
    in_doubt = unsaid or bool(((outages.cause != SOURCE) & (outages.cause != SUPPLIER)).any())
    narrow = narrowed(
        axes,
        {
            "causes": in_doubt,
            "attestation": not bool(outages.attested.all()),
            "cumulative_edge": any(piece.cumulative_s is not None for piece in law.pieces),
            "metered_outage": bool(homes.metered.any()),
            "season_days": law.span.days_inclusive != law.span.days_elapsed,
        },
    )
    narrow["cause_unknown"] = ("counts", "does_not") if unsaid else ("does_not",)
    return narrow


def payable_base(homes: Homes, metered_option: str) -> Int64:
    """The fee that is divided: of a metered home the basic fee where the law says so. UNKNOWN stays UNKNOWN."""
    if metered_option == "base_fee":
        return np.where(homes.metered, homes.base_fee, homes.fee) if homes.metered.any() else homes.fee
    return homes.fee


def outage_refund(homes: Homes, outages: Outages, law: RefundLaw, as_of_s: int) -> OutageRefund:
    """Refunds of every home in `homes`. A law without an outage threshold leaves homes with outages undecided."""
    n = len(homes)
    start = np.maximum(outages.start_s, law.span.start_s)
    end = np.minimum(ended(outages, as_of_s), law.span.end_s)
    going = np.zeros(n, np.bool_)
    going[outages.home[(outages.end_s == UNKNOWN) & (start < end)]] = True
    if all(piece.threshold_s is None for piece in law.pieces):
        touched = np.zeros(n, np.bool_)
        touched[outages.home[end > start]] = True
        zero = np.zeros(n, np.int64)
        nothing = merge(outages.home, start, end, np.zeros(len(outages), np.bool_))
        counted = Counted(nothing, np.zeros(0, np.bool_), np.zeros(0, np.int64), False)
        return OutageRefund(decide({}, lambda _: zero, {"refund_outage.threshold_h": touched}), counted, zero, going)
    axes = outage_axes(homes, outages, law)
    memory: dict[tuple[str, ...], tuple[Counted, Int64]] = {}

    def counted_for(options: Options) -> tuple[Counted, Int64]:
        key = tuple(options[name] for name in COUNTING)
        if key not in memory:
            keep = counts(outages, options["causes"], options["attestation"], options["cause_unknown"] == "counts")
            merged = merge(outages.home, start, end, keep)
            counted = count(merged, n, law, options["outage_day"], options["cumulative_edge"])
            memory[key] = counted, per_home(counted, n)
        return memory[key]

    def reckon(options: Options) -> Int64:
        counted, units = counted_for(options)
        base = payable_base(homes, options["metered_outage"])
        days = law.span.days(options["season_days"])
        amount = pay(base, units, days * DAY_S if counted.by_time else days, homes.stop_heat)
        return np.minimum(amount, np.maximum(homes.fee, 0)) if options["cap"] == "season_fee" else amount

    shown = {key: options[-1] if key in ("causes", "attestation") else options[0] for key, options in axes.items()}
    counted, units = counted_for(shown)
    lacking = dict(missing_fees(homes, axes["metered_outage"], due_under_any(axes, counted_for, n)))
    unknown = limit_unknown(counted.merged, law)
    if unknown.any():
        lacking["refund_outage.threshold_h"] = mark(n, counted.merged.home[unknown]) & ~homes.stop_heat
    decision = decide(axes, reckon, lacking)
    return OutageRefund(decision, counted, units, going)


def per_home(counted: Counted, homes: int) -> Int64:
    """Units summed over a home's outages; exact, since sums stay far below 2**53."""
    if not len(counted.units):
        return np.zeros(homes, np.int64)
    return np.bincount(counted.merged.home, weights=counted.units, minlength=homes).astype(np.int64)


def pay(base: Int64, units: Int64, denominator: int, stop_heat: Bool) -> Int64:
    """`base × units ÷ denominator`; a home that asked for no heat, or whose fee nobody knows, gets nothing here."""
    if stop_heat.any():
        units = np.where(stop_heat, 0, units)
    if len(base) and int(base.min()) < 0:
        base = np.maximum(base, 0)
    return share(base, units, denominator)


def missing_fees(homes: Homes, metered_options: tuple[str, ...], due: Bool) -> Mapping[str, Bool]:
    """Homes that are owed something but whose fee (or basic fee) is 未载明."""
    owed = due & ~homes.stop_heat
    lacking = {"fee_unknown": owed & (homes.fee < 0)}
    if "base_fee" in metered_options:
        lacking["base_fee_unknown"] = owed & homes.metered & (homes.base_fee < 0)
    return lacking


def due_under_any(
    axes: Mapping[str, tuple[str, ...]], counted_for: Callable[[Options], tuple[Counted, Int64]], homes: int
) -> Bool:
    """Homes that some choice of options owes something."""
    due = np.zeros(homes, np.bool_)
    for choice in product(*(axes[name] for name in COUNTING)):
        due |= counted_for(dict(zip(COUNTING, choice, strict=True)))[1] > 0
    return due
