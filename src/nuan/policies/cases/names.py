"""The names a situation may use: other words for a key, and the nearest known word for one that is not known."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

Aliases = Mapping[str, tuple[str, ...]]

TEMPERATURE = ("temp", "temperature", "temperature_c", "temp_celsius")
BEGIN = ("start", "started_at", "start_at", "began", "begin")
FINISH = ("end", "ended_at", "end_at", "until", "restored_at")
TOP: Aliases = {
    "title": ("name",),
    "note": ("description",),
    "pack": ("jurisdiction",),
    "outages": ("outage",),
    "measurements": ("measurement", "tests"),
    "repairs": ("repaired_at",),
    "paid_on": ("paid", "paid_at"),
    "late_rate": ("late_fee_rate",),
    "interpretations": ("interpretation",),
    "parameters": ("parameter",),
    "expected": ("expect", "expectations"),
}
HOME: Aliases = {
    "area_m2": ("area", "area_sqm"),
    "price": ("price_yuan", "unit_price", "price_per_m2"),
    "fee": ("season_fee", "fee_yuan", "season_fee_yuan"),
    "fee_fen": ("season_fee_fen",),
    "base_fee": ("base_fee_yuan",),
    "meter_charge": ("meter_charge_yuan",),
    "stop_heat": ("stopped",),
    "class": ("home_class",),
}
OUTAGE: Aliases = {
    "from": BEGIN,
    "to": FINISH,
    "hours": ("duration_h", "duration_hours"),
    "attested": ("attested_by",),
}
TEST: Aliases = {
    "at": ("measured", "measured_at", "taken_at", "time"),
    "requested": ("requested_at", "asked_at"),
    "temp_c": TEMPERATURE,
    "room_area_m2": ("room_area",),
    "signed_user": ("user_signed",),
    "signed_company": ("company_signed",),
    "user_refused": ("refused",),
}
COLD_DAYS: Aliases = {"temp_c": TEMPERATURE}
READING: Aliases = {"temp_c": TEMPERATURE, "from": BEGIN, "to": FINISH, "at": ("time", "measured_at"), "day": ("date",)}
FUEL: Aliases = {
    "day": ("date",),
    "from": BEGIN,
    "to": FINISH,
    "stock_t": ("stock",),
    "burn_t": ("burn",),
    "arriving_t": ("arriving",),
}
VEHICLE: Aliases = {"power_kw": ("power",), "from": ("available_from", *BEGIN), "to": ("available_to", *FINISH)}
EXPECTED: Aliases = {
    "outage_refund": ("outage",),
    "temperature_refund": ("temperature",),
    "month_refund": ("month",),
    "total_refund": ("total", "refund"),
    "late_interest": ("interest",),
}


def canonical(aliases: Aliases) -> dict[str, str]:
    """Every other word with the key it stands for."""
    return {other: key for key, others in aliases.items() for other in others}


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`, None where none is.

    >>> nearest("temprature_c", ("temperature_c", "at"))
    'temperature_c'
    """
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def remedy(word: str, known: Iterable[str]) -> str:
    """What to do about an unknown word, in Chinese: the nearest one first, then all."""
    known = tuple(known)
    like = nearest(word, known)
    return (f"是不是 {like}？" if like else "") + f"可用：{'、'.join(known)}。"
