"""What the money pages and their files show, read from the records by the same pure rules that judge: one answer for both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl
from django.db.models import F, Q, Sum

from nuan.facts.book import FactBook
from nuan.operations.city_packs import CityPacks, city_packs
from nuan.operations.stored_readings import store
from nuan.operations.support_facts import support_facts
from nuan.policies.directive.c2_7_4.rule import costed
from nuan.policies.directive.c3_2.rule import DebtStands, debts_stand
from nuan.policies.support.arrears import Instalment as Part
from nuan.policies.support.arrears import Kept, age_of, instalments_kept
from nuan.policies.support.price_cost import BELONGS, DOUBTFUL, GROUNDS
from nuan.policies.support.subsidy import Standing, standing
from nuan.records.registry.models import Contract, Substation
from nuan.records.support.models import Beneficiary
from nuan.terms.places import day_number, day_start

EXCEPTIONS = ("overdue", "overpaid", "unknown", "expired")
_ORDER = {name: place for place, name in enumerate((*EXCEPTIONS, "due", "paid", "nothing"))}


def end_of(day: date) -> int:
    """Epoch seconds of the end of a local day: what happened on it is known."""
    return day_start(day_number(day) + 1)


@dataclass(frozen=True, slots=True)
class SubsidyRow:
    programme: str
    home: str
    company: str
    banner: str
    payable_fen: int | None
    paid_fen: int
    due_day: int | None
    evidence: str
    standing: Standing

    @property
    def state(self) -> str:
        """The standing, but for a home that is owed nothing because its evidence had run out."""
        if self.standing.state == "paid" and not self.payable_fen:
            return "expired" if self.evidence == "expired" else "nothing"
        return self.standing.state


def subsidy_rows(subsidy: pl.DataFrame, day: date) -> list[SubsidyRow]:
    """The fact table `subsidy` as of a day, what needs somebody first."""
    today = day_number(day)
    rows = [
        SubsidyRow(*each, standing=standing(each[4], each[5], each[6], today)) for each in subsidy.iter_rows()
    ]  # fmt: skip
    return sorted(
        rows,
        key=lambda row: (_ORDER[row.state], -row.standing.overdue_days, -row.standing.outstanding_fen, row.programme, row.home),
    )  # fmt: skip


@dataclass(frozen=True)
class SubsidySum:
    """One banner's or the city's subsidies in figures."""

    banner: str
    homes: int
    payable_fen: int
    paid_fen: int
    overdue_fen: int
    overdue_homes: int
    most_days: int
    exceptions: int


def subsidy_sums(rows: Sequence[SubsidyRow]) -> list[SubsidySum]:
    found = []
    for banner in sorted({row.banner for row in rows}):
        own = [row for row in rows if row.banner == banner]
        late = [row for row in own if row.state == "overdue"]
        found.append(
            SubsidySum(
                banner,
                len({row.home for row in own}),
                sum(row.payable_fen or 0 for row in own),
                sum(row.paid_fen for row in own),
                sum(row.standing.outstanding_fen for row in late),
                len(late),
                max((row.standing.overdue_days for row in late), default=0),
                sum(row.state in EXCEPTIONS for row in own),
            )
        )
    return found


def registered_twice(homes: Collection[str] | None = None) -> list[str]:
    """Homes with two registrations whose evidence overlaps; they are owed once, and somebody should tidy it."""
    # one filter, so that all three conditions are about the same other row
    rows = Beneficiary.objects.filter(
        Q(home__beneficiaries__pk__gt=F("pk")),
        Q(valid_to=None) | Q(home__beneficiaries__valid_from__lte=F("valid_to")),
        Q(home__beneficiaries__valid_to=None) | Q(home__beneficiaries__valid_to__gte=F("valid_from")),
    )
    found = rows.values_list("home__code", flat=True).distinct().order_by("home__code")
    return [home for home in found if homes is None or home in homes]


@dataclass(frozen=True)
class DebtRow:
    """A debt as of a day with the bucket of its age and its instalments."""

    stands: DebtStands
    banner: str
    company: str
    amount_fen: int
    age: str
    days_late: int
    kept: list[Kept] = field(default_factory=list)


def debt_rows(facts: Mapping[str, pl.DataFrame], book: FactBook, day: date) -> list[DebtRow]:
    """Unsettled and broken ones first, then by what is outstanding."""
    today = day_number(day)
    known = {row["debt"]: row for row in facts["debt"].iter_rows(named=True)}
    found = []
    for stands in debts_stand(book, today):
        row = known[stands.debt]
        plan = facts["instalment"].filter(pl.col("debt") == stands.debt)
        payments = facts["debt_payment"].filter(pl.col("debt") == stands.debt).select("day", "amount_fen").iter_rows()
        kept: list[Kept] = []
        if plan.height:
            parts = [Part(*each) for each in plan.select("number", "due_day", "amount_fen").iter_rows()]
            kept = instalments_kept(parts, list(payments), today, int(plan["agreed_day"][0]))
        late = 0 if row["due_day"] is None or not stands.outstanding_fen else max(0, today - row["due_day"])
        age = age_of(row["incurred_day"], today)
        found.append(DebtRow(stands, row["banner"], row["company"], row["amount_fen"], age, late, kept))
    order = {"unsettled": 0, "plan_broken": 1, "due_unknown": 2, "planned": 3, "not_due": 4, "paid": 5}
    return sorted(found, key=lambda each: (order[each.stands.state], -each.stands.outstanding_fen, each.stands.debt))


def ageing(rows: Sequence[DebtRow]) -> dict[str, dict[str, int]]:
    """Fen outstanding by kind and bucket of age."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.stands.outstanding_fen:
            own = found.setdefault(row.stands.kind, {})
            own[row.age] = own.get(row.age, 0) + row.stands.outstanding_fen
    return found


def books(
    season: str, day: date, only: Collection[str] | None = None
) -> tuple[CityPacks, dict[str, pl.DataFrame], dict[str, FactBook]]:
    """Packs, fact tables (all, or those named) and a book by pack, of what was known at the end of `day`."""
    packs = city_packs(season)
    facts = support_facts(season, end_of(day), only)
    made = {}
    for name in packs.packs:
        here = [banner for banner, own in packs.by_banner.items() if own == name]
        tables = {
            table: frame.filter(pl.col("banner").is_in(here)) if "banner" in frame.columns else frame
            for table, frame in facts.items()
        }
        made[name] = FactBook(packs.seasons[name], end_of(day), tables)
    return packs, facts, made


def bounded(
    facts: Mapping[str, pl.DataFrame], banners: Collection[str] | None, company: str | None
) -> dict[str, pl.DataFrame]:
    """The tables as far as somebody's sight goes; a table that speaks of no company is empty for one that may see only its own."""
    found = {}
    for name, frame in facts.items():
        if banners is not None and "banner" in frame.columns:
            frame = frame.filter(pl.col("banner").is_in(list(banners)))
        if company is not None and "company" in frame.columns:
            frame = frame.filter(pl.col("company") == company)
        found[name] = frame
    return found


@dataclass(frozen=True)
class CostLine:
    """Cost of one category and ground, in fen; `included` as the rule says, None where it is doubtful."""

    category: str
    ground: str
    included: bool | None
    lines: int
    amount_fen: int
    reported_fen: int


@dataclass(frozen=True)
class CostReport:
    """The cost of supply of a company in a banner (or all of both) for the twelve months that end with a season.

    `heat_kwh` is what the stations' meters showed, in the share `hours_percent` of the hours; None where nobody asked or nothing is known.
    """

    season: str
    lines: list[CostLine]
    area_m2_100: int
    heat_kwh: int | None = None
    hours_percent: int | None = None

    @property
    def price_cost_fen(self) -> int:
        """What enters: what belongs by this clause, and of other costs what the company reports."""
        return sum(each.amount_fen if each.included else 0 for each in self.lines if each.ground != "other_cost") + sum(
            each.reported_fen for each in self.lines if each.ground == "other_cost"
        )

    @property
    def left_out_fen(self) -> int:
        return sum(
            each.amount_fen - each.reported_fen for each in self.lines if each.included and each.ground != "other_cost"
        )

    @property
    def fen_per_m2(self) -> int | None:
        return (
            None if not self.area_m2_100 else (200 * self.price_cost_fen + self.area_m2_100) // (2 * self.area_m2_100)
        )

    @property
    def fen_per_gj(self) -> int | None:
        """1 GJ = 277.777… kWh: fen × 1000 ÷ (kWh × 3.6)."""
        if not self.heat_kwh:
            return None
        return (self.price_cost_fen * 10_000 + self.heat_kwh * 18) // (self.heat_kwh * 36)


def cost_lines(frame: pl.DataFrame) -> list[CostLine]:
    grouped = frame.group_by("category", "ground").agg(
        pl.len().alias("lines"),
        pl.col("amount_fen").sum(),
        pl.col("amount_fen").filter("in_price_cost").sum().alias("reported_fen"),
    )
    found = []
    for category, ground, lines, amount, reported in grouped.sort("ground", "category").iter_rows():
        included = None if ground in DOUBTFUL else ground in BELONGS
        found.append(CostLine(category, ground, included, lines, amount, reported))
    order = list(GROUNDS)
    return sorted(found, key=lambda each: (order.index(each.ground), each.category))


def costs_of(
    season: str, day: date, banners: Collection[str] | None, company: str | None, *, season_only: bool = False
) -> pl.DataFrame:
    """The cost ledger with its grounds, as far as somebody's sight goes; of the season's year, or of the season's own days."""
    packs, _, made = books(season, day, ("asset", "repair", "cost"))
    parts = [
        costed(book, packs.packs[name], book.season.day_numbers if season_only else None) for name, book in made.items()
    ]
    frame = pl.concat(parts) if parts else pl.DataFrame()
    return bounded({"cost": frame}, banners, company)["cost"] if frame.width else frame


def cost_report(
    season: str,
    day: date,
    banners: Collection[str] | None,
    company: str | None,
    frame: pl.DataFrame,
    *,
    with_heat: bool = False,
) -> CostReport:
    """`frame` is what `costs_of` gives for the same sight."""
    contracts = Contract.objects.filter(season=season, stop_heat=False)
    if banners is not None:
        contracts = contracts.filter(home__banner_id__in=list(banners))
    if company is not None:
        contracts = contracts.filter(home__company_id=company)
    area = int(contracts.aggregate(sum=Sum("area_m2_100"))["sum"] or 0)
    lines = cost_lines(frame) if frame.width else []
    heat, percent = heat_of(season, day, banners, company) if with_heat else (None, None)
    return CostReport(season, lines, area, heat, percent)


def heat_of(
    season: str, day: date, banners: Collection[str] | None, company: str | None
) -> tuple[int | None, int | None]:
    """kWh that the stations' meters showed over the season so far, and the share of hours (percent) of which they showed anything."""
    stations = Substation.objects.all()
    if banners is not None:
        stations = stations.filter(banner_id__in=list(banners))
    if company is not None:
        stations = stations.filter(company_id=company)
    codes = list(stations.values_list("code", flat=True))
    seasons = list(city_packs(season).seasons.values())
    if not codes or not seasons:
        return None, None
    start, stop = min(each.interval.start for each in seasons), max(each.interval.end for each in seasons)
    hours = (min(stop, end_of(day)) - start) // 3600
    opened = store()
    if hours <= 0 or opened is None:
        return None, None
    wanted, kw_10, known = set(codes), 0, 0
    for bucket in opened.buckets_of("heat_power"):
        tile = opened.dense_hours("heat_power", bucket, start, hours, reduce="mean")
        seen: set[str] = set()
        for key, row in sorted((opened.series.key(int(series)), row) for row, series in enumerate(tile.series)):
            # of several points of one station the first by name counts, as in `station_hour`
            if key.place in wanted and key.place not in seen:
                seen.add(key.place)
                have = tile.hours[row] != tile.gap
                kw_10 += int(tile.hours[row][have].astype("int64").sum())
                known += int(have.sum())
    return (kw_10 // 10, 100 * known // (hours * len(codes))) if known else (None, None)
