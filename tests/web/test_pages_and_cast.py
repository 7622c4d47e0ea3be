"""Every page has its row: what the whole cast gets there. A page without a row fails, and so does a row without a page."""

import pytest
from django.db.models import Model
from django.urls import reverse

import small_network
import small_support
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.billing.models import RefundBatch
from nuan.records.devices.models import Device
from nuan.records.registry.models import Home
from nuan.records.supervision.models import Judgement
from nuan.web.urls import urlpatterns
from small_storm import stormy

CAST = ("anonymous", "王阿姨", "小李", "老张", "陈调度", "周会计", "乌主任", "刘科", "外人")


def row(anonymous, resident, company, banner, city, stranger) -> dict[str, int]:  # type: ignore[no-untyped-def]
    desk = dict.fromkeys(("小李", "老张", "陈调度", "周会计"), company)
    return {"anonymous": anonymous, "王阿姨": resident} | desk | {"乌主任": banner, "刘科": city, "外人": stranger}


EVERYBODY = row(200, 200, 200, 200, 200, 200)
OFFICIALS = row(302, 404, 200, 200, 200, 200)
OURS = row(302, 404, 200, 200, 200, 404)
OUR_HOME = row(302, 200, 200, 200, 200, 404)
CITY = row(302, 404, 404, 404, 200, 404)
WATCHERS = OFFICIALS | {"周会计": 404}
OUR_ALARM = OURS | {"周会计": 404}
SETTERS = row(302, 404, 404, 404, 200, 404) | {"陈调度": 200}
OUR_FINANCE = row(302, 404, 404, 404, 404, 404) | {"周会计": 200}
REFUND_DESK = OUR_FINANCE | {"刘科": 200}
BILL_DESK = REFUND_DESK | {"小李": 200}
REFUND_WATCH = REFUND_DESK | {"乌主任": 200}
BUREAUS = row(302, 404, 404, 200, 200, 404)
MONEY = BUREAUS | {"周会计": 200}

PAGES: dict[str, tuple[dict[str, str], dict[str, int]]] = {
    "start": ({}, dict.fromkeys(CAST, 302)),
    "login": ({}, EVERYBODY),
    "demo_login": ({}, dict.fromkeys(CAST, 404)),
    "logout": ({}, dict.fromkeys(CAST, 405)),
    "public": ({}, EVERYBODY),
    "help": ({}, EVERYBODY),
    "glossary": ({}, EVERYBODY),
    "board": ({}, OFFICIALS),
    "clause": ({"key": "2.5.2"}, EVERYBODY),
    "clause_csv": ({"key": "2.5.2"}, OFFICIALS),
    "interpretation": ({"key": "outage_day"}, CITY),
    "judgement": ({"pk": "cold home"}, OUR_HOME),
    "today": ({}, OFFICIALS),
    "today_csv": ({}, OFFICIALS),
    "map": ({}, OFFICIALS),
    "map_places": ({}, OFFICIALS),
    "companies": ({}, OFFICIALS),
    "companies_csv": ({}, OFFICIALS),
    "stations": ({}, OFFICIALS),
    "station": ({"code": "H01-S01"}, OURS),
    "building": ({"code": "B001"}, OURS),
    "homes": ({}, OFFICIALS),
    "homes_csv": ({}, OFFICIALS),
    "home": ({"pk": "cold home"}, OUR_HOME),
    "my_home": ({}, row(302, 200, 404, 404, 404, 404)),
    "search": ({}, OFFICIALS),
    "devices": ({}, OFFICIALS),
    "devices_csv": ({}, OFFICIALS),
    "device": ({"pk": "device"}, OURS),
    "device_exchange": ({"pk": "device"}, row(302, 404, 404, 404, 404, 404)),
    "device_verified": ({"pk": "device"}, row(302, 404, 404, 404, 404, 404)),
    "gateway": ({"code": "GW-C01"}, OURS),
    "dead_letters": ({}, OFFICIALS),
    "dead_letters_act": ({}, dict.fromkeys(CAST, 404) | {"anonymous": 302, "陈调度": 405, "刘科": 405}),
    "runs": ({}, OFFICIALS),
    "audit": ({}, CITY),
    "alarms": ({}, WATCHERS),
    "alarms_csv": ({}, WATCHERS),
    "alarm": ({"pk": "alarm"}, OUR_ALARM),
    "alarm_acts": ({}, row(302, 404, 404, 404, 404, 404)),
    "live": ({}, OFFICIALS),
    "live_station": ({"code": "H01-S01"}, OURS),
    "networks": ({}, WATCHERS),
    "network": ({"company": "C01"}, OUR_ALARM),
    "network_geojson": ({"company": "C01"}, OUR_ALARM),
    "network_list": ({"company": "C01"}, OUR_ALARM),
    "network_list_csv": ({"company": "C01"}, OUR_ALARM),
    "network_profile": ({"company": "C01"}, OUR_ALARM),
    "network_broken": ({"company": "C01"}, OUR_ALARM),
    "network_outage": ({"company": "C01"}, row(302, 404, 404, 404, 404, 404)),
    "network_what_if": ({"company": "C01"}, row(302, 404, 404, 200, 200, 404) | {"陈调度": 200}),
    "network_valve": ({"company": "C01"}, OUR_ALARM),
    "network_valve_set": ({"company": "C01"}, row(302, 404, 404, 404, 404, 404)),
    "network_versions": ({"company": "C01"}, OUR_ALARM),
    "quality": ({}, OFFICIALS),
    "quality_csv": ({}, OFFICIALS),
    "suggestion_dismiss": ({"pk": "1"}, row(302, 404, 404, 404, 404, 404)),
    "station_health": ({}, OFFICIALS),
    "station_health_csv": ({}, OFFICIALS),
    "one_station_health": ({"code": "H01-S01"}, OURS),
    "station_finding_dismiss": ({"pk": "1"}, row(302, 404, 404, 404, 404, 404)),
    "alarm_definitions": ({}, WATCHERS),
    "alarm_definition": ({"code": "station_flow_none"}, WATCHERS),
    "notices": ({}, SETTERS),
    "finance": ({}, OUR_FINANCE),
    "counter": ({}, OUR_FINANCE),
    "payment_files": ({}, OUR_FINANCE),
    "payment_file": ({"pk": "ours"}, OUR_FINANCE),
    "payment_queue": ({}, OUR_FINANCE),
    "payment_queue_table": ({"form": "xlsx"}, OUR_FINANCE),
    "payment": ({"pk": "ours"}, OUR_FINANCE),
    "home_credits": ({}, OUR_FINANCE),
    "home_credits_table": ({"form": "xlsx"}, OUR_FINANCE),
    "channel_refunds": ({}, OUR_FINANCE),
    "channel_refunds_table": ({"form": "xlsx"}, OUR_FINANCE),
    "refund_batches": ({}, REFUND_DESK),
    "refund_batch": ({"pk": "ours"}, REFUND_DESK),
    "refund_batch_table": ({"pk": "ours", "form": "xlsx"}, REFUND_DESK),
    "refund_payouts": ({"pk": "ours"}, REFUND_DESK),
    "refund_payouts_table": ({"pk": "ours", "form": "xlsx"}, REFUND_DESK),
    "refund_item": ({"pk": "ours"}, REFUND_DESK | {"王阿姨": 200}),
    "refund_watch": ({}, REFUND_WATCH),
    "refund_watch_table": ({"form": "xlsx"}, REFUND_WATCH),
    "refund_watch_homes": ({"company": "C01", "season": "2025-2026"}, REFUND_WATCH),
    "refund_watch_homes_table": ({"company": "C01", "season": "2025-2026", "form": "xlsx"}, REFUND_WATCH),
    "my_money": ({}, row(302, 200, 404, 404, 404, 404)),
    "tariffs": ({}, EVERYBODY),
    "bill_runs": ({}, REFUND_DESK),
    "bill_run": ({"pk": "ours"}, REFUND_DESK),
    "bill_run_table": ({"pk": "ours", "form": "xlsx"}, REFUND_DESK),
    "bills": ({}, BILL_DESK | {"外人": 200}),
    "bills_table": ({"form": "xlsx"}, BILL_DESK | {"外人": 200}),
    "unpaid": ({}, OUR_FINANCE),
    "unpaid_table": ({"form": "csv"}, OUR_FINANCE),
    "bill": ({"pk": "ours"}, BILL_DESK | {"王阿姨": 200}),
    "bill_file": ({"pk": "ours"}, BILL_DESK | {"王阿姨": 200}),
    "stop_heat": ({}, BILL_DESK | {"外人": 200}),
    "stop_heat_table": ({"form": "xlsx"}, BILL_DESK | {"外人": 200}),
    "my_bills": ({}, row(302, 200, 404, 404, 404, 404)),
    "ledger": ({}, REFUND_DESK),
    "ledger_account": ({"pk": "ours"}, REFUND_DESK),
    "ledger_entries": ({}, REFUND_DESK),
    "ledger_entries_table": ({"form": "xlsx"}, REFUND_DESK),
    "ledger_entry": ({"pk": "ours"}, REFUND_DESK),
    "support": ({}, MONEY),
    "repairs": ({}, MONEY),
    "support_costs": ({}, MONEY),
    "maintenance_funds": ({}, MONEY),
    "fund_application": ({"pk": "support"}, MONEY),
    "subsidies": ({}, BUREAUS),
    "beneficiary": ({"pk": "support"}, BUREAUS),
    "arrears": ({}, MONEY),
    "debt": ({"pk": "support"}, MONEY),
    "funding": ({}, BUREAUS),
    "local_plans": ({}, BUREAUS),
    "support_entry": ({"kind": "debts"}, BUREAUS),
    "support_xlsx": ({"kind": "costs"}, MONEY),
    "hazards": ({}, WATCHERS),
    "hazards_csv": ({}, WATCHERS),
    "hazards_xlsx": ({}, WATCHERS),
    "hazard_report": ({}, WATCHERS),
    "hazard_photo": ({"pk": "photo"}, OUR_ALARM),
    "hazard_watch": ({}, BUREAUS),
    "hazard_watch_csv": ({}, BUREAUS),
    "hazard_watch_xlsx": ({}, BUREAUS),
    "hazard": ({"code": "hazard"}, OUR_ALARM),
    "alarm_hazard": ({"pk": "alarm"}, row(302, 404, 404, 404, 404, 404)),
    "patrols": ({}, WATCHERS),
    "patrols_csv": ({}, WATCHERS),
    "patrols_xlsx": ({}, WATCHERS),
    "patrol_route": ({"code": "XL-01"}, OUR_ALARM),
    "patrol_walk": ({"code": "XL-01"}, row(302, 404, 404, 404, 404, 404) | {"老张": 200, "陈调度": 200}),
}


def test_every_address_has_a_row() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES)
    assert set(MAY_OPEN) | {"start"} == set(PAGES)


def address(name: str) -> str:
    arguments = dict(PAGES[name][0])
    if name.startswith("network_") or name == "network":
        small_network.build_network()
    if arguments.get("pk") == "support":
        arguments["pk"] = str(small_support.row_of(name))
    if arguments.get("pk") == "cold home":
        home = Home.objects.get(code="B001-1-0101")
        rows = {"home": home, "judgement": Judgement.objects.get(subject=home.code, clause="2.5.3a")}
        arguments["pk"] = str(rows[name].pk)
    if name.startswith(("hazard", "patrol")):
        from small_hazards import build_hazard

        found = build_hazard()
        if "code" in arguments and arguments["code"] == "hazard":
            arguments["code"] = found.code
        if arguments.get("pk") == "photo":
            arguments["pk"] = str(found.photos.get().pk)
    if arguments.get("pk") == "alarm":
        arguments["pk"] = str(stormy().pk)
    if arguments.get("pk") == "device":
        arguments["pk"] = str(Device.objects.get(gateway_id="GW-C01", code="001").pk)
    if arguments.get("pk") == "ours":
        arguments["pk"] = str(money(name).pk)
    return reverse(name, kwargs=arguments)


def money(name: str) -> Model:
    """Something of company C01: a file, a payment, a refund batch, or the item of 王阿姨's home."""
    if name in {"bill_run", "bill_run_table", "bill", "bill_file", "ledger_account", "ledger_entry"}:
        return billed(name)
    if name in {"payment_file", "payment"}:
        from refund_stage import a_payment

        payment = a_payment()
        return payment if name == "payment" else payment.file
    from refund_stage import a_posted_batch

    batch = RefundBatch.objects.first() or a_posted_batch()
    return batch if name != "refund_item" else batch.items.get(home__code="B001-1-0101")


def billed(name: str) -> Model:
    """The run, the bill of 王阿姨's home, its entry and its account."""
    from billed_city import bill_everybody, prepare
    from nuan.records.billing.models import Bill

    if not Bill.objects.exists():
        prepare()
        bill_everybody()
    bill = Bill.objects.get(home__code="B001-1-0101")
    account = bill.entry.postings.get(account__home=bill.home).account
    return {"bill_run": bill.run, "bill_run_table": bill.run, "bill": bill, "bill_file": bill}.get(
        name, account if name == "ledger_account" else bill.entry
    )


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.usefixtures("support_rows")
def test_what_the_cast_gets(as_cast, name: str) -> None:  # type: ignore[no-untyped-def]
    clients = {person: as_cast(None if person == "anonymous" else person) for person in CAST}
    path = address(name)
    got = {person: client.get(path).status_code for person, client in clients.items()}
    assert got == PAGES[name][1]
