"""Who may open which page, and which records they see there. Nothing else in the project decides this.

`MAY_OPEN` says which roles a page answers; `scope_of` says where a person's sight ends. Both are closed by default: a page
without a row cannot be wired, and a user without a place sees nothing. What lies outside the scope is answered like what
does not exist: 404.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from django.db.models import Model, Q, QuerySet

from nuan.records.accounts.models import COMPANY_ROLES, ApiToken, Role, User
from nuan.records.registry.models import Banner, Building, Company, Home, Substation

ANONYMOUS: Final = "anonymous"
OFFICIALS: Final = frozenset({*COMPANY_ROLES, Role.BANNER, Role.CITY})
SIGNED_IN: Final = OFFICIALS | {Role.RESIDENT}
EVERYBODY: Final = SIGNED_IN | {ANONYMOUS}
WATCHERS: Final = frozenset({Role.DISPATCH, Role.CREW, Role.DESK, Role.BANNER, Role.CITY})
ALARM_HANDLERS: Final = frozenset({Role.DISPATCH, Role.CREW})
ALARM_SETTERS: Final = frozenset({Role.DISPATCH, Role.CITY})
CITY_ONLY: Final = frozenset({Role.CITY})
FINANCE: Final = frozenset({Role.FINANCE})
REFUND_DESK: Final = FINANCE | {Role.CITY}
REFUND_WATCH: Final = REFUND_DESK | {Role.BANNER}
BILL_DESK: Final = REFUND_DESK | {Role.DESK}
RESIDENTS: Final = frozenset({Role.RESIDENT})
MONEY: Final = frozenset({Role.FINANCE, Role.BANNER, Role.CITY})
BUREAUS: Final = frozenset({Role.BANNER, Role.CITY})

MAY_OPEN: Final[dict[str, frozenset[str]]] = {
    "login": EVERYBODY,
    "demo_login": EVERYBODY,
    "logout": EVERYBODY,
    "public": EVERYBODY,
    "help": EVERYBODY,
    "glossary": EVERYBODY,
    "clause": EVERYBODY,
    "board": OFFICIALS,
    "clause_csv": OFFICIALS,
    "judgement": SIGNED_IN,
    "interpretation": CITY_ONLY,
    "today": OFFICIALS,
    "today_csv": OFFICIALS,
    "map": OFFICIALS,
    "map_places": OFFICIALS,
    "companies": OFFICIALS,
    "companies_csv": OFFICIALS,
    "stations": OFFICIALS,
    "station": OFFICIALS,
    "building": OFFICIALS,
    "homes": OFFICIALS,
    "homes_csv": OFFICIALS,
    "home": SIGNED_IN,
    "my_home": RESIDENTS,
    "devices": OFFICIALS,
    "devices_csv": OFFICIALS,
    "device": OFFICIALS,
    "device_exchange": frozenset({Role.DISPATCH}),
    "device_verified": frozenset({Role.DISPATCH}),
    "gateway": OFFICIALS,
    "dead_letters": OFFICIALS,
    "dead_letters_act": frozenset({Role.DISPATCH, Role.CITY}),
    "search": OFFICIALS,
    "runs": OFFICIALS,
    "audit": CITY_ONLY,
    "alarms": WATCHERS,
    "alarms_csv": WATCHERS,
    "alarm": WATCHERS,
    "alarm_acts": ALARM_HANDLERS,
    "live": OFFICIALS,
    "live_station": OFFICIALS,
    "networks": WATCHERS,
    "network": WATCHERS,
    "network_geojson": WATCHERS,
    "network_list": WATCHERS,
    "network_list_csv": WATCHERS,
    "network_profile": WATCHERS,
    "network_broken": WATCHERS,
    "network_outage": frozenset({Role.DISPATCH}),
    "network_what_if": frozenset({Role.DISPATCH, Role.BANNER, Role.CITY}),
    "network_valve": WATCHERS,
    "network_valve_set": frozenset({Role.DISPATCH}),
    "network_versions": WATCHERS,
    "quality": OFFICIALS,
    "quality_csv": OFFICIALS,
    "suggestion_dismiss": frozenset({Role.DISPATCH}),
    "station_health": OFFICIALS,
    "station_health_csv": OFFICIALS,
    "one_station_health": OFFICIALS,
    "station_finding_dismiss": frozenset({Role.DISPATCH}),
    "alarm_definitions": WATCHERS,
    "alarm_definition": WATCHERS,
    "notices": ALARM_SETTERS,
    "finance": FINANCE,
    "counter": FINANCE,
    "payment_files": FINANCE,
    "payment_file": FINANCE,
    "payment_queue": FINANCE,
    "payment_queue_table": FINANCE,
    "payment": FINANCE,
    "home_credits": FINANCE,
    "home_credits_table": FINANCE,
    "channel_refunds": FINANCE,
    "channel_refunds_table": FINANCE,
    "refund_batches": REFUND_DESK,
    "refund_batch": REFUND_DESK,
    "refund_batch_table": REFUND_DESK,
    "refund_payouts": REFUND_DESK,
    "refund_payouts_table": REFUND_DESK,
    "refund_item": REFUND_DESK | RESIDENTS,
    "refund_watch": REFUND_WATCH,
    "refund_watch_table": REFUND_WATCH,
    "refund_watch_homes": REFUND_WATCH,
    "refund_watch_homes_table": REFUND_WATCH,
    "my_money": RESIDENTS,
    "tariffs": EVERYBODY,
    "bill_runs": REFUND_DESK,
    "bill_run": REFUND_DESK,
    "bill_run_table": REFUND_DESK,
    "bills": BILL_DESK,
    "bills_table": BILL_DESK,
    "unpaid": FINANCE,
    "unpaid_table": FINANCE,
    "bill": BILL_DESK | RESIDENTS,
    "bill_file": BILL_DESK | RESIDENTS,
    "stop_heat": BILL_DESK,
    "stop_heat_table": BILL_DESK,
    "my_bills": RESIDENTS,
    "ledger": REFUND_DESK,
    "ledger_account": REFUND_DESK,
    "ledger_entries": REFUND_DESK,
    "ledger_entries_table": REFUND_DESK,
    "ledger_entry": REFUND_DESK,
    "support": MONEY,
    "repairs": MONEY,
    "support_costs": MONEY,
    "maintenance_funds": MONEY,
    "fund_application": MONEY,
    "subsidies": BUREAUS,
    "beneficiary": BUREAUS,
    "arrears": MONEY,
    "debt": MONEY,
    "funding": BUREAUS,
    "local_plans": BUREAUS,
    "support_entry": MONEY,
    "support_xlsx": MONEY,
    "hazards": WATCHERS,
    "hazards_csv": WATCHERS,
    "hazards_xlsx": WATCHERS,
    "hazard_report": WATCHERS,
    "hazard_photo": WATCHERS,
    "hazard_watch": BUREAUS,
    "hazard_watch_csv": BUREAUS,
    "hazard_watch_xlsx": BUREAUS,
    "hazard": WATCHERS,
    "alarm_hazard": WATCHERS,
    "patrols": WATCHERS,
    "patrols_csv": WATCHERS,
    "patrols_xlsx": WATCHERS,
    "patrol_route": WATCHERS,
    "patrol_walk": ALARM_HANDLERS,
}

M = TypeVar("M", bound=Model)


def role_of(user: Any) -> str:
    """The role of a signed-in user, or `anonymous`."""
    return user.role if isinstance(user, User) else ANONYMOUS


@dataclass(frozen=True)
class Scope:
    """Where somebody's sight ends: the whole city, a banner, a company, one home, or nowhere."""

    kind: Literal["city", "banner", "company", "home", "nothing"]
    code: str = ""

    def _bounded(self, queryset: QuerySet[M], column: dict[str, str]) -> QuerySet[M]:
        if self.kind == "city":
            return queryset
        if self.kind not in column or not self.code:
            return queryset.none()
        return queryset.filter(**{column[self.kind]: self.code})

    def homes(self) -> QuerySet[Home]:
        return self.limit_homes(Home.objects.all())

    def limit_homes(self, queryset: QuerySet[Home]) -> QuerySet[Home]:
        return self._bounded(queryset, {"banner": "banner_id", "company": "company_id", "home": "code"})

    def of_homes(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Bound rows that have a `home` (seasons, contracts, measurements)."""
        columns = {"banner": "home__banner_id", "company": "home__company_id", "home": "home__code"}
        return self._bounded(queryset, columns)

    def buildings(self) -> QuerySet[Building]:
        columns = {"banner": "banner_id", "company": "loop__substation__company_id"}
        return self._bounded(Building.objects.all(), columns)

    def stations(self) -> QuerySet[Substation]:
        return self._bounded(Substation.objects.all(), {"banner": "banner_id", "company": "company_id"})

    def banners(self) -> QuerySet[Banner]:
        """A company sees the banners in which it has stations."""
        if self.kind == "company":
            return Banner.objects.filter(substations__company_id=self.code).distinct()
        return self._bounded(Banner.objects.all(), {"banner": "code"})

    def companies(self) -> QuerySet[Company]:
        """A banner sees the companies that have stations in it."""
        if self.kind == "banner":
            return Company.objects.filter(substations__banner_id=self.code).distinct()
        return self._bounded(Company.objects.all(), {"company": "code"})

    def of_companies(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Bound rows that have a `company` (gateways, dead letters); a banner sees those of the companies that have stations in it."""
        if self.kind == "banner" and self.code:
            return queryset.filter(company__in=self.companies())
        return self._bounded(queryset, {"company": "company_id"})

    def devices(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Bound rows that hang behind a gateway; the caller brings the queryset, so this room knows no device."""
        return self._bounded(queryset, {"banner": "banner_id", "company": "gateway__company_id"})

    def of_places(
        self, queryset: QuerySet[M], *, banner: str = "banner_id", company: str = "company_id"
    ) -> QuerySet[M]:
        """Bound rows by the columns that name their banner and company."""
        return self._bounded(queryset, {"banner": banner, "company": company})

    def judgements(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Bound `Judgement` or `CurrentJudgement` rows; the caller brings the queryset, so this room knows no clause."""
        if self.kind == "home":
            return queryset.filter(subject_level="home", subject=self.code) if self.code else queryset.none()
        return self._bounded(queryset, {"banner": "banner_code", "company": "company_code"})

    def placed(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Bound rows that carry `company_code` and `banner_code` (alarms, live points)."""
        return self._bounded(queryset, {"banner": "banner_code", "company": "company_code"})

    def bills(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Bound rows that have a `company` and a `home`: a company sees its own, a resident those of the home."""
        return self._bounded(queryset, {"company": "company_id", "home": "home__code"})

    def books(self, queryset: QuerySet[M], column: str = "company_id") -> QuerySet[M]:
        """Bound rows of a company's books; nobody but the company and the city looks into them."""
        return self._bounded(queryset, {"company": column})

    def cells(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Bound board cells: the city sees every column, a banner or company its own."""
        if self.kind == "city":
            return queryset
        if self.kind not in {"banner", "company"} or not self.code:
            return queryset.none()
        return queryset.filter(Q(column_level=self.kind, column=self.code))


NOWHERE: Final = Scope("nothing")


def scope_of(user: Any) -> Scope:
    """The scope of a user; somebody who has not signed in, or whose place is not entered, sees nothing."""
    if not isinstance(user, User) or not user.is_active:
        return NOWHERE
    if user.role == Role.RESIDENT:
        return Scope("home", user.home.code) if user.home is not None else NOWHERE
    return _scope(user.role, user.banner_id, user.company_id)


def scope_of_token(token: ApiToken) -> Scope:
    """The scope of an organisation's token; a token never stands for a resident."""
    return _scope(token.role, token.banner_id, token.company_id)


def _scope(role: str, banner: str | None, company: str | None) -> Scope:
    if role == Role.CITY:
        return Scope("city")
    if role == Role.BANNER and banner:
        return Scope("banner", banner)
    if role in COMPANY_ROLES and company:
        return Scope("company", company)
    return NOWHERE
