"""A city small enough to read: two banners, two companies, three stations, four buildings, twelve homes, the whole cast."""

from datetime import UTC, date, datetime

from nuan.operations.city_now import compute_city_now
from nuan.records.accounts.models import Role, User
from nuan.records.audit.models import AuditEntry
from nuan.records.devices.models import DeadLetter, Device, DeviceProfile, Gateway, GatewayPulse
from nuan.records.emergency.models import Outage
from nuan.records.registry.models import (
    Banner,
    Building,
    Company,
    Contract,
    HeatSource,
    Home,
    Loop,
    Resident,
    Substation,
)
from nuan.records.supervision.models import BoardCell, CurrentJudgement, HomeSeason, Judgement, PlaceNow, Run

AS_OF = datetime(2026, 1, 20, 8, tzinfo=UTC)
SEASON = "2025-2026"
ROOM_PROFILE = "protocol: mqtt_json\nkind: room_sensor\npoints: {t: {quantity: room_temp}}\n"
CAST = {
    "王阿姨": (Role.RESIDENT, None, None, "B001-1-0101"),
    "小李": (Role.DESK, "C01", None, None),
    "老张": (Role.CREW, "C01", None, None),
    "陈调度": (Role.DISPATCH, "C01", None, None),
    "周会计": (Role.FINANCE, "C01", None, None),
    "乌主任": (Role.BANNER, None, "150602", None),
    "刘科": (Role.CITY, None, None, None),
    "外人": (Role.DESK, "C02", None, None),
}


def build_city(homes_per_building: int = 3) -> None:
    for code, name in (("150602", "东胜区"), ("150603", "康巴什区")):
        Banner.objects.create(code=code, name=name)
    for code, name in (("C01", "暖阳热力"), ("C02", "远山供热")):
        Company.objects.create(code=code, name=name, service_phone="0477-1234567")
    run = Run.objects.create(
        season=SEASON, as_of=AS_OF, state=Run.State.DONE, finished_at=AS_OF,
        rules_fingerprint="f" * 64, manifest_hash="m" * 64, registry_hash="r" * 64, homes=4 * homes_per_building,
    )  # fmt: skip
    places = (("H01", "C01", "150602"), ("H01", "C01", "150602"), ("H02", "C02", "150603"), ("H02", "C02", "150603"))
    for number, (source, company, banner) in enumerate(places, 1):
        HeatSource.objects.get_or_create(
            code=source, defaults={"name": f"{source} 热源厂", "company_id": company, "banner_id": banner}
        )
        station = f"{source}-S0{number}"
        Substation.objects.create(
            code=station, name=f"第{number}换热站", source_id=source, company_id=company, banner_id=banner,
            longitude=109.9 + number / 100, latitude=39.8,
        )  # fmt: skip
        Loop.objects.create(code=f"{station}-L1", name="低区", substation_id=station)
        building = f"B00{number}"
        Building.objects.create(
            code=building, name=f"暖城小区{number}号楼", estate="暖城小区", loop_id=f"{station}-L1", banner_id=banner,
            longitude=109.9 + number / 100, latitude=39.81, floors=6, built_year=1998,
        )  # fmt: skip
        for door in range(1, homes_per_building + 1):
            home = Home.objects.create(
                code=f"{building}-1-{door:02d}01", building_id=building, substation_id=station, company_id=company,
                banner_id=banner, entrance="1", floor=door, door=f"{door:02d}01",
            )  # fmt: skip
            Contract.objects.create(home=home, season=SEASON, area_m2_100=9050, season_fee_fen=240_000)
            Resident.objects.create(home=home, name="王秀兰", phone="13900001111")
            cold = door == 1
            HomeSeason.objects.create(
                home=home, season=SEASON, run=run, days=bytes([0b01_10_01_10 if cold else 0b01_01_01_01] * 24),
                days_met=48 if cold else 96, days_breached=48 if cold else 0, days_undecidable=0,
                hours_below=400 if cold else 0, longest_below_h=31 if cold else 0, min_c100=1460 if cold else 1900,
                mean_c100=1700 if cold else 2050, threshold_c100=1800, first_day=1, last_day=2 if cold else 1,
                last_temp_c100=1710 if cold else 2040, last_time_s=int(AS_OF.timestamp()) - 3600,
            )  # fmt: skip
            if cold:
                judge(run, "2.5.2", "home", home.code, company, banner, "breached", 1460, 1800, "0.01 °C", None)
                judge(run, "2.5.3a", "home", home.code, company, banner, "breached", 111_600, 86_400, "s", 2623)
        judge(run, "2.5", "substation", station, company, banner, "met", 0, 2, "days", None)
        Outage.objects.create(
            code=f"O{number}",
            level="substation",
            place=station,
            started_at=AS_OF,
            cause="supplier",
            attested_by="乌主任",
        )
    for level, columns in (("banner", ("150602", "150603")), ("company", ("C01", "C02"))):
        for column in columns:
            for clause, colour in (("2.5.2", "red"), ("2.5.3a", "amber"), ("2.4.2a", "green")):
                BoardCell.objects.create(
                    clause=clause, column_level=level, column=column, colour=colour, number=f"{column} 的数",
                    computed_at=AS_OF, run=run,
                )  # fmt: skip
    now = [
        ("city", "", 4),
        ("banner", "150602", 2),
        ("banner", "150603", 2),
        ("company", "C01", 2),
        ("company", "C02", 2),
    ]
    now += [("substation", f"{source}-S0{number}", 1) for number, (source, _, _) in enumerate(places, 1)]
    for level, code, buildings in now:
        PlaceNow.objects.create(
            season=SEASON, level=level, code=code, homes=buildings * homes_per_building, cold=buildings,
            warm=buildings * (homes_per_building - 1), unknown=0, coldest_c100=1710, newest_s=int(AS_OF.timestamp()) - 3600,
            oldest_s=int(AS_OF.timestamp()) - 3600, computed_at=AS_OF, run=run,
        )  # fmt: skip
    compute_city_now(run)
    AuditEntry.objects.create(at=AS_OF, actor="刘科", act="judge_season", previous_hash="0" * 64, hash="1" * 64)


def judge(run, clause, level, subject, company, banner, verdict, value, threshold, unit, amount_fen) -> Judgement:  # type: ignore[no-untyped-def]
    row = Judgement.objects.create(
        run=run, clause=clause, subject_level=level, subject=subject, company_code=company, banner_code=banner,
        period_start=1_768_000_000, period_end=1_768_111_600, verdict=verdict, value=value, threshold=threshold, unit=unit,
        amount_fen=amount_fen, branch="base", pack="directive", pack_version="1", digest="d" * 64,
    )  # fmt: skip
    CurrentJudgement.objects.create(
        clause=clause, subject_level=level, subject=subject, item=SEASON, judgement=row, verdict=verdict,
        company_code=company, banner_code=banner, amount_fen=amount_fen,
    )  # fmt: skip
    return row


def seat_the_cast() -> None:
    for name, (role, company, banner, home) in CAST.items():
        User.objects.create(
            username=name, display_name=name, role=role, company_id=company, banner_id=banner,
            home=Home.objects.get(code=home) if home else None,
        )  # fmt: skip


def seat_the_gateways() -> None:
    """A gateway for each company, a heat meter due for verification and one that is verified, a room sensor, three dead letters."""
    for number, company in enumerate(("C01", "C02")):
        gateway = Gateway.objects.create(
            code=f"GW-{company}", name=f"{company} 站群", company_id=company, protocol="mqtt", digest=f"{number}" * 64,
            opened_at=AS_OF,
        )  # fmt: skip
        profile, _ = DeviceProfile.objects.get_or_create(
            code="room",
            defaults={"name": "室温采集器", "protocol": "mqtt_json", "kind": "room_sensor", "text": ROOM_PROFILE},
        )
        banner = ("150602", "150603")[number]
        for serial, kind, until in (("001", "heat_meter", date(2020, 1, 1)), ("002", "heat_meter", date(2099, 1, 1)), ("003", "room_sensor", None)):  # fmt: skip
            Device.objects.create(
                gateway=gateway, code=serial, profile=profile, kind=kind, level="home", place=f"B00{2 * number + 1}-1-0101",
                position=f"p{serial}", banner_id=banner, calibration_valid_until=until,
            )  # fmt: skip
        GatewayPulse.objects.create(
            gateway=gateway, last_seen_s=int(AS_OF.timestamp()), clock_offset_s=40, clock_spread_s=1
        )
        for index, (reason, payload) in enumerate((("unknown_device", b'{"t": 20}'), ("unknown_device", b'{"t": 21}'), ("checksum", b"\x68\x03\x03\x68"))):  # fmt: skip
            DeadLetter.objects.create(
                lane=f"w{number}", sequence=1, index=index, gateway=gateway.code, company_id=company, protocol="json",
                device="009", address=f"nuan/{gateway.code}/009", arrived_s=int(AS_OF.timestamp()), reason=reason, payload=payload,
            )  # fmt: skip
