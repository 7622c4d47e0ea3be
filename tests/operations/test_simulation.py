"""The simulated fleet: who is in it, when it reports, what it packs, and that a parcel is settled once whatever the line does."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from nuan.buildings.sample_city import City, make_city
from nuan.operations.import_registry import import_registry
from nuan.operations.simulation.checking import check
from nuan.operations.simulation.credentials import Credentials, CredentialsError
from nuan.operations.simulation.fleet import Fleet, fleet_of
from nuan.operations.simulation.outbox import Outbox, Parcel, Tally
from nuan.operations.simulation.packing import Packing, entries_of
from nuan.operations.simulation.planning import INTERVAL_S, AtRate, AtSpeed, PaceError
from nuan.operations.simulation.registering import NoSampleCityError, register_fleet
from nuan.operations.simulation.values import Measuring
from nuan.records.devices.models import Device, Gateway
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.simulation.faults import Faults
from nuan.telemetry.simulation.ledger import Entry, Ledger
from nuan.telemetry.store import Store

START_S = 1_768_003_200
NOW = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def city_of_200() -> City:
    return make_city(200)


@pytest.fixture(scope="module")
def fleet(city_of_200: City) -> Fleet:
    return fleet_of(city_of_200)


def test_the_fleet_is_the_city(city_of_200: City, fleet: Fleet) -> None:
    kinds = Counter(device.kind for device in fleet.devices)
    plan = city_of_200.plan
    homes = sum(len(city_of_200.homes_in(bucket)) for bucket in city_of_200.buckets)
    assert (kinds["room"], kinds["meter"], kinds["station"]) == (homes, plan.buildings, plan.stations)
    assert len(set(fleet.series)) == len(fleet.series)
    assert set(fleet.forms.values()) == {"line", "thingsboard", "json", "mbus", "cjt188"}
    assert fleet_of(make_city(200)).devices == fleet.devices


def test_at_speed_each_kind_keeps_its_interval(fleet: Fleet) -> None:
    plan = AtSpeed(fleet, START_S, speed=60)
    times: dict[int, list[int]] = {}
    for elapsed in np.arange(0, 61, 0.5):
        for device, time_s in plan.due(float(elapsed)):
            assert time_s <= START_S + elapsed * 60
            times.setdefault(device.number, []).append(time_s)
    for number, each in times.items():
        assert set(np.diff(each)) == {INTERVAL_S[fleet.devices[number].kind]}
    assert len(times) == len(fleet.devices)


def test_at_rate_nobody_reports_twice_in_a_second(fleet: Fleet) -> None:
    rate = len(fleet.series) / 2
    plan = AtRate(fleet, START_S, rate)
    seen: Counter[tuple[int, int]] = Counter()
    for elapsed in np.arange(0, 10, 0.1):
        seen.update((device.number, time_s) for device, time_s in plan.due(float(elapsed)))
    assert max(seen.values()) == 1
    readings = sum(len(fleet.devices[number].points) for number, _ in seen)
    assert readings == pytest.approx(rate * 9.9, rel=0.02)
    with pytest.raises(PaceError, match="--homes"):
        AtRate(fleet, START_S, 2 * len(fleet.series))


def measured(city: City, fleet: Fleet, faults: Faults, times: range) -> tuple[Packing, set[Entry]]:
    measuring, packing, wanted = Measuring(city, fleet, faults, START_S), Packing(fleet, faults), set()
    for time_s in times:
        for device in fleet.devices:
            report = measuring.report(device, time_s)
            if report is not None:
                packing.add(device, report, float(time_s - START_S))
                wanted |= set(entries_of(device, report))
    return packing, wanted


def test_everything_measured_is_packed_once(city_of_200: City, fleet: Fleet) -> None:
    faults = Faults.parse(
        ["duplicate=20%", "late=30%:60", "disorder=50%", "garbage=20%", "clock=10%:600", "swapped=10%", "reset=10%:60"]
    )
    packing, wanted = measured(city_of_200, fleet, faults, range(START_S, START_S + 300, 60))
    parcels = [parcel for _, parcel in packing.parcels(10.0)]
    early = sum(len(parcel.entries) for parcel in parcels)
    parcels += [parcel for _, parcel in packing.parcels(10.0, all_late=True)]
    entries = [entry for parcel in parcels for entry in parcel.entries]
    assert len(entries) == len(set(entries))
    assert set(entries) == wanted
    assert early < len(wanted)
    assert any(parcel.is_garbage for parcel in parcels)
    assert any(not parcel.entries and not parcel.is_garbage for parcel in parcels)


def test_what_is_dropped_is_not_packed(city_of_200: City, fleet: Fleet) -> None:
    packing, wanted = measured(city_of_200, fleet, Faults.parse(["dropout=50%"]), range(START_S, START_S + 1))
    packed = sum(len(parcel.entries) for _, parcel in packing.parcels(0.0))
    assert 0.3 * len(wanted) < packed < 0.7 * len(wanted)


def test_ill_devices_show_their_illness(city_of_200: City, fleet: Fleet) -> None:
    meter = next(device for device in fleet.devices if device.kind == "meter")
    well = Measuring(city_of_200, fleet, Faults(), START_S).report(meter, START_S + 400)
    ill = {
        kind: Measuring(city_of_200, fleet, Faults.parse([f"{kind}=100%"]), START_S).report(meter, START_S + 400)
        for kind in ("swapped", "units", "reset", "clock")
    }
    assert well is not None
    assert all(ill.values())
    assert ill["swapped"].values["supply_temp"][1] == well.values["return_temp"][1]  # type: ignore[union-attr]
    assert ill["units"].values["energy"][1] == well.values["energy"][1] // 1000  # type: ignore[union-attr]
    assert ill["reset"].values["energy"][1] < 10  # type: ignore[union-attr]
    assert ill["clock"].time_s == well.time_s + 600  # type: ignore[union-attr]


def test_a_parcel_is_counted_when_it_is_settled_and_only_then() -> None:
    async def story() -> None:
        ledger, tally = Ledger(["B1|room_temp|living"]), Tally()
        outbox = Outbox("G1", ledger, tally, most_readings=3)
        first, second = (Parcel("t", b"", [Entry(0, n, 1)]) for n in (1, 2))
        assert outbox.put(first)
        assert outbox.put(second)
        assert not outbox.put(Parcel("t", b"", [Entry(0, 3, 1), Entry(0, 4, 1)])), "a full outbox takes nothing more"
        taken = await outbox.take()
        assert (taken is first, ledger.total.readings, tally.dropped) == (True, 0, 2)
        outbox.again([taken])
        assert await outbox.take() is first
        outbox.acknowledged(first)
        assert await outbox.take() is second
        assert not outbox.is_empty
        outbox.refused(second, "no")
        assert (outbox.is_empty, outbox.readings, ledger.total.readings, tally.refused, tally.again) == (
            True,
            0,
            1,
            1,
            1,
        )

    asyncio.run(story())


def stored(root: Path, rows: list[tuple[str, int, int]]) -> None:
    with Store(root, write=True) as store:
        for name, time_s, value in rows:
            ids = store.register([SeriesKey.parse(name)])
            store.append(ReadingBatch.of(ids, np.array([time_s], np.int64), np.array([value], np.int32)))
        store.compact()


def test_the_check_finds_one_reading_that_is_missing(tmp_path: Path) -> None:
    names = ["B1|room_temp|living", "B2|room_temp|living"]
    rows = [(names[n % 2], START_S + n, 2000 + n) for n in range(10)]
    ledger = Ledger(names)
    ledger.add([Entry(names.index(name), time_s, value) for name, time_s, value in rows])
    ledger.write(tmp_path / "ledger.json")
    stored(tmp_path / "whole", [*rows, *rows[:3]])
    report = check(tmp_path / "ledger.json", tmp_path / "whole")
    assert (report.ok, report.acknowledged, report.stored, report.missing) == (True, 10, 10, 0)
    for nth, lost in enumerate(([*rows[:4], *rows[5:]], [*rows[:9], (*rows[9][:2], 1)], rows[::2])):
        stored(tmp_path / f"lost-{nth}", list(lost))
        assert not check(tmp_path / "ledger.json", tmp_path / f"lost-{nth}").ok
    stored(tmp_path / "more", [*rows, (names[0], START_S + 1, 7)])
    assert not check(tmp_path / "ledger.json", tmp_path / "more").ok
    ledger.left = 1
    ledger.write(tmp_path / "ledger.json")
    assert check(tmp_path / "ledger.json", tmp_path / "more").ok, (
        "the sender cannot know whether what it still held arrived"
    )
    assert not check(tmp_path / "ledger.json", tmp_path / "lost-0").ok


def test_registering_opens_gateways_once_and_keeps_their_tokens(db: None, city_of_200: City, tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    with pytest.raises(NoSampleCityError):
        register_fleet(path, homes=200, seed=1, season=2025, now=NOW, actor="刘科")
    tables = {
        name: table for name, table in city_of_200.tables().items() if name not in {"measurements", "fuel", "outages"}
    }
    assert import_registry(tables, actor="刘科").ok
    fleet, report = register_fleet(path, homes=200, seed=1, season=2025, now=NOW, actor="刘科")
    assert report.ok
    assert (Gateway.objects.count(), Device.objects.count()) == (len(fleet.companies), len(fleet.devices))
    first = Credentials.read(path)
    assert path.stat().st_mode & 0o077 == 0
    assert set(first.ports) == {gateway for gateway, form in fleet.forms.items() if form == "thingsboard"}
    register_fleet(path, homes=200, seed=1, season=2025, now=NOW, actor="刘科")
    assert Credentials.read(path) == first
    path.unlink()
    register_fleet(path, homes=200, seed=1, season=2025, now=NOW, actor="刘科")
    assert set(Credentials.read(path).tokens) == set(first.tokens)
    assert Credentials.read(path).tokens != first.tokens


def test_a_file_that_is_no_credentials_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"gateways": {}}), "utf-8")
    for name in ("x.json", "nothing.json"):
        with pytest.raises(CredentialsError, match="nuan simulate register"):
            Credentials.read(tmp_path / name)
