"""The small city with demo tariffs, two finance people a company, and homes of every kind a bill knows."""

from datetime import date

from nuan.operations.bill_runs import decide_run, post_run, preview, propose_run
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import BillingCard, BillRun
from nuan.records.registry.models import Banner, Contract, Home
from small_city import SEASON

ISSUED = date(2025, 10, 20)


def prepare() -> None:
    """B001: 0101 plain, 0201 high rooms, 0301 metered; B002: 0101 stopped, 0201 metered without reading, 0301 without area; C02: plain."""
    Banner.objects.update(pack="demo-city")
    for name, company in (("郑主管", "C01"), ("吴会计", "C02"), ("冯主管", "C02")):
        User.objects.get_or_create(
            username=name, defaults={"role": Role.FINANCE, "company_id": company, "display_name": name}
        )
    Contract.objects.update(season_fee_fen=217_200)
    card("B001-1-0201", ceiling_mm=3450)
    card("B001-1-0301", heat_1000=12_000_000)
    contract("B001-1-0301", metered=True)
    contract("B002-1-0101", stop_heat=True)
    contract("B002-1-0201", metered=True)
    contract("B002-1-0301", area_m2_100=0)


def card(home: str, **given: object) -> None:
    BillingCard.objects.create(home=Home.objects.get(code=home), season=SEASON, **given)


def contract(home: str, **given: object) -> None:
    Contract.objects.filter(home__code=home).update(**given)


def person(name: str) -> User:
    return User.objects.get(username=name)


def approved(company: str = "C01") -> BillRun:
    """A run that one proposed and another approved."""
    maker, checker = ("周会计", "郑主管") if company == "C01" else ("吴会计", "冯主管")
    run = preview(company, SEASON, actor=maker)
    propose_run(run, by=person(maker))
    decide_run(run, by=person(checker), seen_hash=run.content_hash)
    return run


def bill_everybody() -> None:
    for company in ("C01", "C02"):
        post_run(approved(company), issued_on=ISSUED, actor="周会计")
