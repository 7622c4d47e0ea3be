"""Refund rules over 1 000 000 homes against bare numpy int64 doing the same arithmetic in the same run, equal fen asserted.

python -m bench.refunds [--quick]
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuan.policies.refunds.columns import PURPOSES, UNKNOWN, Homes, Measurements, Outages
from nuan.policies.refunds.law import RefundLaw, refund_law
from nuan.policies.refunds.outage import outage_refund
from nuan.policies.refunds.temperature import temperature_refund
from nuan.policies.refunds.window import month_refund
from nuan.rules.interpretation import Signed
from nuan.rules.pack import load_pack
from nuan.terms.places import CHINA_OFFSET_S, DAY_S
from nuan.terms.season import SeasonRule

Int64 = NDArray[np.int64]
RESULTS = Path(__file__).parent / "results" / "refunds.json"
SEASON = SeasonRule(10, 15, 4, 15).season(2025)
ROUNDS = 5


def share(base: Int64, times: Int64, by: int) -> Int64:
    """Half up."""
    return (2 * base * times + by) // (2 * by)


def totals(home: Int64, weight: Int64, n: int) -> Int64:
    return np.bincount(home, weights=weight, minlength=n).astype(np.int64)


def bare_outages(fee: Int64, rows: Outages, law: RefundLaw, as_of: int) -> Int64:
    """Causes, open ends, clip, sort, merge, threshold, calendar days touched, one division."""
    end = np.minimum(np.where(rows.end_s == UNKNOWN, as_of, rows.end_s), as_of)
    start, end = np.maximum(rows.start_s, law.span.start_s), np.minimum(end, law.span.end_s)
    kept = np.flatnonzero(((rows.cause == 0) | (rows.cause == 1)) & (end > start))
    home, start, end = rows.home[kept], start[kept], end[kept]
    order = np.argsort(home * 2**32 + start, kind="stable")
    home, start, end = home[order], start[order], end[order]
    width = int(end.max()) + 1
    reach = np.maximum.accumulate(home * width + end)
    fresh = np.ones(len(home), np.bool_)
    fresh[1:] = home[1:] * width + start[1:] > reach[:-1]
    heads = np.flatnonzero(fresh)
    who, begin = home[heads], start[heads]
    stop = reach[np.append(heads[1:], len(home)) - 1] - who * width
    long = stop - begin > 86_400
    first, last = (begin + CHINA_OFFSET_S) // DAY_S, (stop - 1 + CHINA_OFFSET_S) // DAY_S
    days = np.where(long, last - first + 1, 0)
    paid = np.flatnonzero(long)
    shared = (who[paid[:-1]] == who[paid[1:]]) & (last[paid[:-1]] == first[paid[1:]])
    days[paid[1:][shared]] -= 1
    return np.minimum(share(fee, totals(who, days, len(fee)), law.span.days_inclusive), fee)


def verdicts(asked: Measurements, law: RefundLaw, as_of: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which tests count, and which of them failed: in the season, known, taken; unsigned, refused and missed ones apart."""
    at, temp, ours = asked.measured_s, asked.temp_c100, ~asked.third_party
    taken = temp != UNKNOWN
    counts = (at >= law.span.start_s) & (at < law.span.end_s) & (at <= as_of)
    passed = (asked.user_refused & ~taken) | (taken & ~asked.signed_user & ours)
    missed = (asked.company_absent & ~taken) | (taken & ~asked.signed_company & ours) | (asked.no_record & ours)
    return counts & ~passed, (taken & (temp < 1800)) | missed


def bare_tiers(fee: Int64, asked: Measurements, law: RefundLaw, as_of: int) -> Int64:
    """Verdicts, sort, pair failures with the next passing test, percent by tier, days × percent, one division."""
    counts, failed = verdicts(asked, law, as_of)
    home, at, temp = asked.home, asked.measured_s, asked.temp_c100
    order = np.argsort(home * 2**32 + at, kind="stable")
    order = order[counts[order]]
    home, at, temp, failed = home[order], at[order], temp[order], failed[order]
    day = (at + CHINA_OFFSET_S) // DAY_S
    asked_day = (asked.requested_s[order] + CHINA_OFFSET_S) // DAY_S
    opens = np.append(True, (home[1:] != home[:-1]) | ~failed[:-1])
    same = np.append(home[1:] == home[:-1], False)
    end = np.where(same, np.append(day[1:], 0), law.span.last_day + 1)
    end += same & np.append(~failed[1:], False)
    percent = np.where(temp >= 1600, 30, np.where(temp >= 1400, 50, 100))
    end = np.minimum(end, law.span.last_day + 1)
    first = np.maximum(np.where(opens, np.minimum(day, asked_day), day), law.span.first_day)
    weight = np.where(failed, (end - first) * percent, 0)
    return np.minimum(share(fee, totals(home, weight, len(fee)), law.span.days_inclusive * 100), fee)


def bare_months(fee: Int64, asked: Measurements, law: RefundLaw, as_of: int) -> Int64:
    """Verdicts, sort, failing days, windows of three within 29 days, used up once counted, season fee ÷ months."""
    counts, failed = verdicts(asked, law, as_of)
    home, at = asked.home, asked.measured_s
    order = np.argsort(home * 2**32 + at, kind="stable")
    assert not (counts & ~failed & (asked.purpose == PURPOSES.index("retest"))).any(), "no repairs in these data"
    order = order[(counts & failed)[order]]
    home, day = home[order], (at[order] + CHINA_OFFSET_S) // DAY_S
    fresh = np.ones(len(home), np.bool_)
    fresh[1:] = (home[1:] != home[:-1]) | (day[1:] != day[:-1])
    home, day = home[fresh], day[fresh]
    start = np.flatnonzero((home[2:] == home[:-2]) & (day[2:] - day[:-2] <= 29))
    hits = []
    while len(start):
        heads = np.ones(len(start), np.bool_)
        heads[1:] = home[start[1:]] != home[start[:-1]]
        hits.append(start[heads])
        lead = start[heads][np.cumsum(heads) - 1]
        start = start[start >= lead + 3]
    found = home[np.sort(np.concatenate(hits))]
    amount = share(fee[found], np.ones(len(found), np.int64), law.span.months)
    return np.minimum(totals(found, amount, len(fee)), fee)


def best(work: Callable[[], Int64]) -> tuple[Int64, float]:
    took = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        answer = work()
        took.append(time.process_time() - begin)
    return answer, min(took)


def run(quick: bool = False) -> dict[str, object]:
    """Seconds of CPU and ratios for the three rules; a million homes, or 50 000 when quick."""
    n = 50_000 if quick else 1_000_000
    chance = np.random.default_rng(7)
    fee = chance.integers(50_000, 900_000, n)
    homes = Homes.of(fee)
    start_s, span = int(SEASON.start.timestamp()), 182 * DAY_S
    as_of = start_s + 200 * DAY_S
    demo = refund_law(load_pack("demo-city"), SEASON)
    taian = refund_law(load_pack("taian", [Signed("temperature_of_day", "last_measured")]), SEASON)

    who = np.sort(chance.integers(0, n, n * 3 // 2))
    begin = start_s + chance.integers(0, span, len(who))
    outages = (who, begin, begin + chance.integers(3_600, 5 * DAY_S, len(who)))
    tested = np.sort(chance.integers(0, n, 2 * n))
    moments = start_s + chance.integers(0, span // 32, len(tested)) * 32 + np.arange(len(tested)) % 32
    tests = (tested, moments, chance.integers(1300, 2100, len(tested)))
    asked = Measurements.of(*tests, purpose=np.full(len(tested), PURPOSES.index("complaint")))
    rows = Outages.of(*outages)
    pairs = {
        "outage": (
            lambda: outage_refund(homes, rows, demo, as_of).decision.amount,
            lambda: bare_outages(fee, rows, demo, as_of),
        ),
        "tiers": (
            lambda: temperature_refund(homes, asked, taian, as_of).decision.amount,
            lambda: bare_tiers(fee, asked, taian, as_of),
        ),
        "month": (
            lambda: month_refund(homes, asked, demo, as_of).decision.amount,
            lambda: bare_months(fee, asked, demo, as_of),
        ),
    }
    found: dict[str, object] = {"homes": n, "outages": len(who), "tests": len(tested)}
    ours_s = bare_s = 0.0
    for name, (ours, bare) in pairs.items():
        expected, bare_cpu = best(bare)
        got, cpu = best(ours)
        assert (got == expected).all(), f"{name}: {int((got != expected).sum())} homes differ"
        found[name] = {
            "cpu_s": round(cpu, 3),
            "bare_numpy_cpu_s": round(bare_cpu, 3),
            "ratio": round(cpu / bare_cpu, 2),
            "total_fen": int(got.sum()),
        }
        ours_s, bare_s = ours_s + cpu, bare_s + bare_cpu
    found["ratio"] = round(ours_s / bare_s, 2)
    found["equal_results"] = True
    found["machine"] = f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 000 homes, nothing kept")
    quick = parser.parse_args().quick
    result = run(quick)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
