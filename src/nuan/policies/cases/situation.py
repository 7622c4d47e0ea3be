"""A situation, parsed: one home in one season under one pack, its facts, and what its author expects."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from nuan.policies.cases.source import Located
from nuan.rules.pack import Pack
from nuan.terms.season import Season

KINDS = {
    "outage_refund": "停热退费",
    "temperature_refund": "室温退费",
    "month_refund": "一个月退费",
    "total_refund": "退费合计",
    "late_interest": "滞退金",
}


@dataclass(frozen=True)
class OutageFact:
    id: str
    start_s: int
    end_s: int | None
    cause: str
    attested: bool


@dataclass(frozen=True)
class Test:
    """A formal measurement. `temp_c100` None = not taken."""

    id: str
    room: str
    room_area_m2_100: int | None
    requested_s: int
    measured_s: int
    temp_c100: int | None
    signed_user: bool
    signed_company: bool
    user_refused: bool
    company_absent: bool
    no_record: bool
    third_party: bool
    purpose: str

    __test__ = False


@dataclass(frozen=True)
class ColdDays:
    """Failing days already counted, at one temperature."""

    temp_c100: int
    days: int


@dataclass(frozen=True)
class HomeFact:
    fee_fen: int | None
    base_fee_fen: int | None
    meter_charge_fen: int | None
    area_m2_100: int | None
    metered: bool
    stop_heat: bool
    home_class: str


@dataclass(frozen=True)
class Expectation:
    """One line of `expected`. `None` fields are not checked; `amount_fen` None with verdict undecidable = no amount."""

    target: str
    line: int
    amount_fen: int | None = None
    verdict: str | None = None
    why: tuple[str, ...] = ()
    low_fen: int | None = None
    high_fen: int | None = None
    value: int | None = None
    deadline: date | None = None


@dataclass(frozen=True)
class Situation:
    where: str
    line: int
    id: str
    title: str
    pack: Pack
    season: Season
    season_days: int | None
    law_date: date | None
    as_of_s: int
    home: HomeFact
    outages: tuple[OutageFact, ...] = ()
    tests: tuple[Test, ...] = ()
    repairs: tuple[int, ...] = ()
    cold_days: tuple[ColdDays, ...] = ()
    readings: tuple[tuple[int, int | None], ...] = ()
    fuel: tuple[dict[str, int | None], ...] = ()
    vehicles: tuple[dict[str, int | None], ...] = ()
    paid_on: date | None = None
    late_rate: Fraction | None = None
    late_by_user: bool = False
    has_fuel: bool = False
    has_vehicles: bool = False
    expected: tuple[Expectation, ...] = ()
    raw: Located = field(default_factory=Located)
