"""The laws' refund rules written down a second time, by hand from the texts, for the oracle."""

from fractions import Fraction as F

ALL = {
    "outage_day": ["calendar_days_touched", "blocks_24h_up", "blocks_24h_whole", "by_time"],
    "window_days_apart": ["at_most_29", "at_most_30"],
    "window_kind": ["rolling", "calendar_month"],
    "month_fee": ["season_months", "thirty_days", "named_month"],
    "same_day_fails": ["count_each", "one_per_day"],
    "repair_resets": ["reset", "no_reset"],
    "reset_after_refund": ["reset", "no_reset"],
    "cap": ["season_fee", "none"],
    "causes": ["source_and_supplier", "all_but_user"],
    "attestation": ["required", "not_required"],
    "season_days": ["inclusive", "elapsed"],
    "overlap": ["favour_user", "favour_company"],
    "temperature_start": ["request_day", "first_fail_day"],
    "temperature_end": ["retest_day_included", "retest_day_excluded"],
    "temperature_of_day": ["last_measured", "lowest", "first"],
    "fail_without_temperature": ["smallest_tier", "largest_tier"],
    "metered_outage": ["base_fee", "season_fee"],
    "metered_temperature": ["base_fee", "season_fee", "meter_reading"],
    "cumulative_edge": ["exclusive", "inclusive"],
}
SILENT = {
    "user_refuses": None,
    "user_unsigned": None,
    "company_absent": None,
    "company_unsigned": None,
}
FROM = F(14), F(16), F(18)


def bands(*shares):
    low, middle, high = FROM
    top, mid, bottom = shares
    return [(middle, True, high, False, top), (low, True, middle, False, mid), (None, False, low, False, bottom)]


OVERLAPPING = [
    (F(16), True, F(18), False, 30),
    (F(14), True, F(16), True, 50),
    (None, False, F(14), True, 100),
]
BASE = {
    "threshold": (">=", 24),
    "cumulative_days": None,
    "kind": "tiers",
    "tiers": [],
    "persist_hours": 0,
    "minimum": F(18),
    "fails": None,
    "window_days": None,
    "presumptions": SILENT,
}
SHANDONG = {
    "outage_day": "by_time", "season_days": "inclusive", "causes": "all_but_user", "attestation": "not_required", "cap": "season_fee",
}  # fmt: skip
REQUEST_TO_RETEST = {"temperature_start": "request_day", "temperature_end": "retest_day_included"}
BEFORE_RETEST = {"temperature_start": "first_fail_day", "temperature_end": "retest_day_excluded"}
DIRECTIVE = BASE | {"threshold": (">", 24), "kind": "none", "fails": 3, "window_days": 30}
REFUSE_PASS_ABSENT_FAIL = SILENT | {"user_refuses": "pass", "user_unsigned": "pass", "company_absent": "fail"}

LAWS = {
    "directive": (DIRECTIVE, {"season_days": "inclusive"}),
    "demo-city": (
        DIRECTIVE | {"presumptions": REFUSE_PASS_ABSENT_FAIL},
        {
            "outage_day": "calendar_days_touched", "window_days_apart": "at_most_29", "window_kind": "rolling",
            "month_fee": "season_months", "same_day_fails": "one_per_day", "repair_resets": "reset", "reset_after_refund": "reset",
            "cap": "season_fee", "causes": "source_and_supplier", "attestation": "not_required", "season_days": "inclusive",
            "metered_outage": "base_fee", "metered_temperature": "base_fee",
        },
    ),
    "shandong": (BASE | {"kind": None}, SHANDONG),
    "qingdao": (
        BASE | {"tiers": bands(20, 50, 100)}, SHANDONG | BEFORE_RETEST | {"outage_day": None},
    ),
    "weifang": (
        BASE | {"tiers": [(F(16), True, F(18), False, 50), (None, False, F(16), False, 100)]},
        SHANDONG | {"season_days": "elapsed", "metered_outage": "base_fee", "temperature_start": "request_day"},
    ),
    "linyi": (
        BASE
        | {
            "tiers": bands(20, 50, 100),
            "presumptions": {
                "user_refuses": "pass", "user_unsigned": "pass", "company_absent": "below:14", "company_unsigned": "below:14",
            },
        },
        SHANDONG
        | BEFORE_RETEST
        | {"outage_day": None, "temperature_of_day": "lowest", "metered_temperature": "season_fee"},
    ),
    "taian": (BASE | {"tiers": bands(30, 50, 100)}, SHANDONG | REQUEST_TO_RETEST),
    "binzhou": (
        BASE | {"tiers": OVERLAPPING, "presumptions": REFUSE_PASS_ABSENT_FAIL},
        SHANDONG | REQUEST_TO_RETEST | {"overlap": "favour_user"},
    ),
    "heze": (
        BASE
        | {"threshold": (">", 24), "cumulative_days": 7, "tiers": OVERLAPPING, "presumptions": REFUSE_PASS_ABSENT_FAIL},
        SHANDONG | REQUEST_TO_RETEST | {"outage_day": None, "overlap": "favour_user"},
    ),
    "luoyang": (
        BASE
        | {
            "threshold": (">=", 12),
            "tiers": [(F(14), True, F(18), False, 50), (None, False, F(14), False, 100)],
            "persist_hours": 48,
        },
        SHANDONG | {"temperature_start": "request_day", "metered_temperature": "meter_reading"},
    ),
}  # fmt: skip


def law(pack: str, signed: dict[str, str]):
    """The oracle's law: numbers, and for each question the answers that may still hold."""
    numbers, stated = LAWS[pack]
    questions = {}
    for key, options in ALL.items():
        answer = signed.get(key) or stated.get(key)
        questions[key] = [answer] if answer else options
    return numbers | {"questions": questions}
