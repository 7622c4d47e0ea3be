"""A slow, independent reckoning of refunds for one home, with datetime, Decimal and Fraction and nothing of the project's.

Written from the wording of the laws, minute decisions as in docs/cases.md; no numpy, no shared helper.
"""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product

ONE_DAY = timedelta(days=1)
OPEN = "undecided"


def fen(amount: Fraction) -> int:
    exact = Decimal(amount.numerator * 10) / Decimal(amount.denominator)
    half = Fraction(amount.numerator, amount.denominator) * 2
    if half.denominator == 1 and half.numerator % 2 == 1:
        return half.numerator // 2 + 1
    return int((exact / 10).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def agreed(amounts):
    """One amount when every reading of the law gives the same, else OPEN."""
    distinct = set(amounts)
    return distinct.pop() if len(distinct) == 1 else OPEN


def season_days(season, how):
    if how == "elapsed":
        return Fraction((season["end"] - season["start"]) / ONE_DAY)
    return Fraction((season["last"] - season["first"]).days + 1)


def choices(law, names):
    """Every way in which the open questions may still be answered; a settled one has one answer."""
    return [dict(zip(names, combo, strict=True)) for combo in product(*(law["questions"][name] for name in names))]


# --- outages -----------------------------------------------------------------------------------------------------


def glued(spans):
    found = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def outage(home, outages, law, season, now):
    """A home's outage refund in fen, or OPEN."""
    names = ["outage_day", "causes", "attestation", "cumulative_edge", "metered_outage", "season_days", "cap"]
    results, needs_fee, needs_base = [], False, False
    for choice in choices(law, names):
        for unknown_counts in (True, False):
            spans = []
            for each in outages:
                if choice["causes"] == "source_and_supplier":
                    counts = each["cause"] in {"source", "supplier"}
                else:
                    counts = each["cause"] not in {"user", "unknown"}
                if each["cause"] == "unknown":
                    counts = unknown_counts
                if choice["attestation"] == "required" and not each["attested"]:
                    counts = False
                start = max(each["start"], season["start"])
                end = min(each["end"] if each["end"] is not None else now, now, season["end"])
                if counts and start < end:
                    spans.append((start, end))
            spans = glued(spans)
            word, hours = law["threshold"]
            limit = timedelta(hours=hours)
            long = [s for s in spans if s[1] - s[0] > limit or (word == ">=" and s[1] - s[0] == limit)]
            if law["cumulative_days"] is not None:
                whole = sum((end - start for start, end in spans), timedelta(0))
                edge = timedelta(days=law["cumulative_days"])
                if whole > edge or (choice["cumulative_edge"] == "inclusive" and whole == edge):
                    long = spans
            days = Fraction(0)
            if choice["outage_day"] == "calendar_days_touched":
                touched = set()
                for start, end in long:
                    moment = start
                    while moment < end:
                        touched.add(moment.date())
                        moment = datetime.combine(moment.date() + ONE_DAY, datetime.min.time())
                days = Fraction(len(touched))
            else:
                for start, end in long:
                    length = Fraction((end - start) // timedelta(seconds=1), 86400)
                    if choice["outage_day"] == "blocks_24h_whole":
                        length = Fraction(length.numerator // length.denominator)
                    elif choice["outage_day"] == "blocks_24h_up":
                        length = Fraction(-(-length.numerator // length.denominator))
                    days += length
            if home["stopped"]:
                days = Fraction(0)
            base = home["fee"]
            if home["metered"] and choice["metered_outage"] == "base_fee":
                base = home["base_fee"]
                needs_base = needs_base or (days > 0 and base is None)
            needs_fee = needs_fee or (days > 0 and home["fee"] is None)
            amount = fen(Fraction(base or 0) * days / season_days(season, choice["season_days"]))
            if choice["cap"] == "season_fee":
                amount = min(amount, home["fee"] or 0)
            results.append(amount)
    return OPEN if needs_fee or needs_base else agreed(results)


# --- temperatures ------------------------------------------------------------------------------------------------


def said(test, law):
    """(verdict, temperature or None) of one test under the law's presumptions."""
    rules, temp = law["presumptions"], test["temp"]
    heard = []

    def presume(rule):
        if rule == "pass":
            heard.append(("presumed", None))
        elif rule == "fail":
            heard.append(("fail", "none"))
        elif rule is not None:
            heard.append(("fail", Fraction(rule.split(":")[1]) - Fraction(1, 100)))

    if temp is None:
        if test["refused"]:
            presume(rules["user_refuses"])
        if test["absent"]:
            presume(rules["company_absent"])
    elif not test["third_party"]:
        if not test["signed_user"]:
            presume(rules["user_unsigned"])
        if not test["signed_company"]:
            presume(rules["company_unsigned"])
    if not heard:
        if temp is None:
            return "unclear", None
        return ("pass" if temp >= law["minimum"] else "fail"), temp
    if temp is None and test["refused"] and test["absent"] and (rules["company_absent"] is None):
        return "unclear", None
    if len({verdict for verdict, _ in heard}) > 1:
        return "unclear", None
    verdict, presumed = heard[-1]
    if verdict == "presumed":
        return "presumed", temp
    return "fail", None if presumed == "none" else presumed


def percent(temp, law, overlap):
    holding = []
    for low, low_in, high, high_in, share in law["tiers"]:
        above = low is None or temp > low or (low_in and temp == low)
        below = high is None or temp < high or (high_in and temp == high)
        if above and below:
            holding.append(share)
    if not holding:
        return None
    return max(holding) if overlap == "favour_user" else min(holding)


def temperature(home, tests, law, season, now):
    """A home's refund by tiers in fen, or OPEN. Tests of one room, each on a visit of its own."""
    tests = [t for t in tests if season["start"] <= t["at"] < season["end"] and t["at"] <= now]
    heard = [(t, *said(t, law)) for t in sorted(tests, key=lambda t: t["at"])]
    if law["kind"] is None:
        return OPEN if any(v == "fail" for _, v, _ in heard) else 0
    if law["kind"] != "tiers":
        return 0
    if home["stopped"]:
        return 0
    if any(v == "unclear" for _, v, _ in heard):
        return OPEN
    names = [
        "overlap", "temperature_start", "temperature_end", "temperature_of_day", "fail_without_temperature",
        "metered_temperature", "season_days", "cap",
    ]  # fmt: skip
    results, lacks = [], False
    last_day = min((now - timedelta(seconds=1)).date(), season["last"])
    presumed_days = {t["at"].date() for t, v, _ in heard if v == "presumed"}
    failed_days = {t["at"].date() for t, v, _ in heard if v == "fail"}
    for choice in choices(law, names):
        per_day, charged = [], 0
        stretches, current = [], None
        for t, verdict, temp in heard:
            if verdict == "fail":
                if current is None:
                    current = {"tests": [], "closed": None}
                    stretches.append(current)
                current["tests"].append((t, temp))
            elif verdict == "pass":
                if current is not None:
                    current["closed"] = t
                current = None
        for stretch in stretches:
            shares = []
            for _, temp in stretch["tests"]:
                if temp is None:
                    ends = [row[4] for row in law["tiers"]]
                    shares.append(min(ends) if choice["fail_without_temperature"] == "smallest_tier" else max(ends))
                else:
                    shares.append(percent(temp, law, choice["overlap"]))
            first_test = stretch["tests"][0][0]
            start = first_test["at"].date()
            if choice["temperature_start"] == "request_day":
                start = min(start, first_test["requested"].date())
            if stretch["closed"] is not None:
                end = stretch["closed"]["at"].date()
                if choice["temperature_end"] == "retest_day_excluded":
                    end -= ONE_DAY
                lasted = stretch["closed"]["at"] - min(first_test["requested"], first_test["at"])
            else:
                end = last_day
                lasted = min(now, season["end"]) - min(first_test["requested"], first_test["at"])
            if law["persist_hours"] and lasted < timedelta(hours=law["persist_hours"]):
                continue
            day = max(start, season["first"])
            while day <= min(end, season["last"]):
                if day not in presumed_days or day in failed_days:
                    if choice["temperature_of_day"] == "lowest":
                        share = max(shares)
                    elif choice["temperature_of_day"] == "first":
                        share = shares[0]
                    else:
                        known = [s for (t, _), s in zip(stretch["tests"], shares, strict=True) if t["at"].date() <= day]
                        share = known[-1] if known else shares[0]
                    per_day.append(share)
                day += ONE_DAY
        charged = sum(per_day)
        base = home["fee"]
        denominator = season_days(season, choice["season_days"]) * 100
        if home["metered"] and choice["metered_temperature"] == "base_fee":
            base = home["base_fee"]
        elif home["metered"] and choice["metered_temperature"] == "meter_reading":
            base = home["meter_charge"]
            denominator = Fraction(max(len(per_day) * 100, 1))
        if per_day and (base is None or home["fee"] is None):
            lacks = True
        amount = fen(Fraction(base or 0) * charged / denominator)
        if choice["cap"] == "season_fee":
            amount = min(amount, home["fee"] or 0)
        results.append(amount)
    return OPEN if lacks else agreed(results)


# --- three failures in thirty days -------------------------------------------------------------------------------


def next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month(home, tests, repairs, law, season, now):
    """A home's month refund in fen, or OPEN."""
    if law["fails"] is None:
        return 0
    tests = [t for t in tests if season["start"] <= t["at"] < season["end"] and t["at"] <= now]
    heard = [(t, said(t, law)[0]) for t in sorted(tests, key=lambda t: t["at"])]
    failing = [t["at"] for t, v in heard if v == "fail"]
    unclear = sum(v == "unclear" for _, v in heard)
    if unclear and not home["stopped"] and len(failing) + unclear >= law["fails"]:
        return OPEN
    mended = sorted([*repairs, *(t["at"] for t, v in heard if v == "pass" and t["purpose"] == "retest")])
    names = [
        "same_day_fails", "repair_resets", "window_days_apart", "window_kind", "reset_after_refund", "month_fee",
        "metered_temperature", "season_days", "cap",
    ]  # fmt: skip
    results, lacks = [], False
    for choice in choices(law, names):
        if choice["metered_temperature"] == "meter_reading":
            continue
        eras = [[]]
        marks = list(mended) if choice["repair_resets"] == "reset" else []
        for at in failing:
            while marks and marks[0] < at:
                marks.pop(0)
                eras.append([])
            if choice["same_day_fails"] == "one_per_day" and eras[-1] and eras[-1][-1].date() == at.date():
                continue
            eras[-1].append(at)
        ends = []
        for era in eras:
            i = 0
            while i + law["fails"] <= len(era):
                first, last = era[i].date(), era[i + law["fails"] - 1].date()
                if choice["window_kind"] == "calendar_month":
                    near = (first.year, first.month) == (last.year, last.month)
                else:
                    apart = law["window_days"] - (choice["window_days_apart"] == "at_most_29")
                    near = (last - first).days <= apart
                if near:
                    ends.append(last)
                i += law["fails"] if near and choice["reset_after_refund"] == "reset" else 1
        base = home["base_fee"] if home["metered"] and choice["metered_temperature"] == "base_fee" else home["fee"]
        if ends and not home["stopped"] and (base is None or home["fee"] is None):
            lacks = True
        amount = 0
        for last in ends:
            if home["stopped"]:
                continue
            days = season_days(season, choice["season_days"])
            if choice["month_fee"] == "season_months":
                part = Fraction(1, season["months"])
            elif choice["month_fee"] == "thirty_days":
                part = Fraction(30) / days
            else:
                first_of = last.replace(day=1)
                begin, stop = max(first_of, season["first"]), min(next_month(first_of), season["last"] + ONE_DAY)
                part = Fraction((stop - begin).days) / days
            amount += fen(Fraction(base or 0) * part)
        if choice["cap"] == "season_fee":
            amount = min(amount, home["fee"] or 0)
        results.append(amount)
    return OPEN if lacks else agreed(results)
