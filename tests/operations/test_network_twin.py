"""A company's network on the platform: imported once, turned by hand, computed, broken, rehearsed; nothing of it is lost or invented."""

from datetime import timedelta

import polars as pl
import pytest
from django.db import IntegrityError, transaction

import small_network
import small_ring
from nuan.network.formats import geojson, nuan_json
from nuan.network.graph.checks import findings
from nuan.operations.network_breakage import breakage
from nuan.operations.network_files import NetworkGoneError, digest_of, load
from nuan.operations.network_import import import_network, keep_network, with_places
from nuan.operations.network_outage import open_outages
from nuan.operations.network_rehearsal import RehearsalError, Scenario, rehearse
from nuan.operations.network_run import compute_network, newest_run, state_of
from nuan.operations.network_twin import twin_of
from nuan.operations.valve_positions import ValveError, set_valve
from nuan.records.audit.models import AuditEntry
from nuan.records.emergency.models import Outage
from nuan.records.twin.models import NetworkRun, NetworkVersion, ValvePosition
from nuan.terms.findings import FindingsError
from small_city import AS_OF

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture(autouse=True)
def home(settings, tmp_path):  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path
    return tmp_path


def imported(text: str, **more: object):  # type: ignore[no-untyped-def]
    given: dict[str, object] = {"source": "net.json", "company": "C01", "actor": "陈调度", "now": AS_OF}
    return import_network(text, **(given | more))  # type: ignore[arg-type]


class TestImport:
    def test_a_dry_run_writes_nothing_and_says_what_would_be_there(self, home) -> None:  # type: ignore[no-untyped-def]
        done = imported(nuan_json.write(small_ring.ring()), dry_run=True)
        assert done.ok
        assert done.version is None
        assert not NetworkVersion.objects.exists()
        assert not (home / "network").exists()

    def test_the_tables_lie_under_their_own_hash(self, home) -> None:  # type: ignore[no-untyped-def]
        version = imported(nuan_json.write(small_ring.ring())).version
        path = home / "network" / "tables" / f"{version.digest}.json"
        assert digest_of(path.read_text("utf-8")) == version.digest
        assert load(home, version.digest).pipes["pipe"].to_list() == small_ring.ring().pipes["pipe"].to_list()

    def test_the_same_file_again_changes_nothing(self) -> None:
        text = nuan_json.write(small_ring.ring())
        first, again = imported(text).version, imported(text)
        assert again.unchanged
        assert again.version == first
        assert AuditEntry.objects.filter(act="import_network").count() == 1

    def test_another_drawing_is_another_version(self) -> None:
        imported(nuan_json.write(small_ring.ring()))
        assert imported(nuan_json.write(small_ring.ring(scale=1.1))).version.number == 2

    def test_all_errors_are_said_at_once_and_stop_it(self) -> None:
        network = small_ring.ring()
        broken = network.with_table(
            "pipes",
            network.pipes.with_columns(
                length_m=pl.when(pl.col("pipe") == "P01-G").then(0.0).otherwise(pl.col("length_m")),
                to_node=pl.when(pl.col("pipe") == "P12-G").then(pl.lit("nowhere")).otherwise(pl.col("to_node")),
            ),
        )
        done = imported(nuan_json.write(broken))
        assert {each.code for each in done.findings if each.severity == "error"} == {
            "length_m_impossible",
            "end_unknown",
        }
        assert done.version is None
        with pytest.raises(FindingsError):
            done.required()

    def test_a_station_that_nobody_knows_is_a_warning_that_stays_with_the_version(self) -> None:
        done = imported(nuan_json.write(small_ring.ring()))
        assert [f["code"] for f in done.version.findings] == ["place_unknown"]
        assert done.version.placed == 2

    def test_places_can_come_as_a_table(self) -> None:
        network, strange = with_places(small_ring.ring(), {"X3": "B003", "X9": "B001"})
        assert [each.code for each in strange] == ["substation_unknown"]
        done = keep_network(network, [], source="x", company="C02", actor="外人", now=AS_OF)
        assert done.version.placed == 1, "B003 is a building of C02; the others are not its own"

    def test_an_unknown_company_is_an_error(self) -> None:
        assert "company_unknown" in {
            each.code for each in imported(nuan_json.write(small_ring.ring()), company="C99").findings
        }

    @pytest.mark.parametrize(
        "text", ["", "{}", "[1, 2]", '{"nuan_network": 7}', "\x00", '{"type": "FeatureCollection", "features": 3}']
    )
    def test_whatever_is_no_network_is_a_finding(self, text: str) -> None:
        done = imported(text)
        assert not done.ok
        assert done.findings

    def test_geojson_comes_in_too(self) -> None:
        assert imported(geojson.write(small_ring.ring()), source="net.geojson").version.pipes == 8

    def test_tables_that_were_changed_on_disk_are_not_believed(self, home) -> None:  # type: ignore[no-untyped-def]
        version = imported(nuan_json.write(small_ring.ring())).version
        path = home / "network" / "tables" / f"{version.digest}.json"
        path.write_text(path.read_text("utf-8").replace("1000.0", "1001.0"), "utf-8")
        with pytest.raises(NetworkGoneError):
            twin_of("C01", AS_OF)

    @pytest.mark.parametrize("model", [NetworkVersion, ValvePosition])
    def test_what_was_said_is_never_edited(self, model) -> None:  # type: ignore[no-untyped-def]
        small_network.build_network()
        set_valve("C01", "V01a-G", is_open=False, since=AS_OF, reason="检修", actor="陈调度", now=AS_OF)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            model.objects.update(company_id="C02")


class TestValves:
    def test_the_newest_word_counts_and_the_drawing_stays(self) -> None:
        version = small_network.build_network()
        set_valve(
            "C01", "V01a-G", is_open=False, since=AS_OF - timedelta(hours=2), reason="换阀", actor="陈调度", now=AS_OF
        )
        closed = twin_of("C01", AS_OF)
        assert not closed.positions["V01a-G"].is_open
        assert closed.network.valves.filter(valve="V01a-G")["open"].to_list() == [False]
        assert load_again(version)["open"].all()
        set_valve("C01", "V01a-G", is_open=True, since=AS_OF, reason="换好了", actor="陈调度", now=AS_OF)
        assert twin_of("C01", AS_OF).positions["V01a-G"].is_open
        earlier = twin_of("C01", AS_OF - timedelta(hours=1))
        assert not earlier.positions["V01a-G"].is_open, "what was known at an earlier moment is still known"

    @pytest.mark.parametrize(
        ("valve", "hours", "reason"), [("V99", 0, "换阀"), ("V01a-G", 0, "  "), ("V01a-G", 1, "换阀")], ids=["unknown", "no reason", "future"]
    )  # fmt: skip
    def test_what_cannot_be_is_refused_with_a_sentence(self, valve: str, hours: int, reason: str) -> None:
        small_network.build_network()
        with pytest.raises(ValveError, match=" / "):
            set_valve(
                "C01",
                valve,
                is_open=False,
                since=AS_OF + timedelta(hours=hours),
                reason=reason,
                actor="陈调度",
                now=AS_OF,
            )
        assert not ValvePosition.objects.exists()

    def test_an_older_word_than_the_newest_is_refused(self) -> None:
        small_network.build_network()
        set_valve("C01", "V01a-G", is_open=False, since=AS_OF, reason="换阀", actor="陈调度", now=AS_OF)
        with pytest.raises(ValveError, match="earlier"):
            set_valve(
                "C01",
                "V01a-G",
                is_open=True,
                since=AS_OF - timedelta(hours=1),
                reason="记错",
                actor="陈调度",
                now=AS_OF,
            )


def load_again(version: NetworkVersion) -> pl.DataFrame:
    from django.conf import settings

    return load(settings.NUAN_HOME, version.digest).valves


class TestRun:
    def test_a_run_comes_back_as_it_was_computed(self) -> None:
        small_network.build_network()
        run = newest_run("C01")
        state = state_of(run)
        assert run.settled
        assert run.modelled == 3
        assert run.measured == 0
        assert state.substations()["heat_kw"].to_list() == pytest.approx([900.0] * 3, rel=1e-3)
        assert run.worst_dp_bar == pytest.approx(state.substations()["dp_bar"].min())

    def test_a_second_run_of_the_same_minute_replaces_the_first(self) -> None:
        small_network.build_network()
        compute_network("C01", AS_OF + timedelta(seconds=20))
        assert NetworkRun.objects.count() == 1

    def test_old_runs_go_with_their_files(self, home) -> None:  # type: ignore[no-untyped-def]
        small_network.build_network()
        compute_network("C01", AS_OF + timedelta(days=15))
        assert NetworkRun.objects.count() == 1
        assert len(list((home / "network" / "states" / "C01").iterdir())) == 1

    def test_a_company_without_a_network_has_no_run(self) -> None:
        assert compute_network("C02", AS_OF) is None

    def test_measured_heat_goes_in_and_gauges_are_compared(self) -> None:
        small_network.build_network()
        at = AS_OF + timedelta(minutes=30)
        gauge("H01-S01", "heat_power", "primary", 450.0, at)
        gauge("H01-S02", "pressure", "supply", 4.0, at)
        gauge("H01-S02", "pressure", "return", 1.0, at - timedelta(hours=3))
        run = compute_network("C01", at)
        state = state_of(run)
        assert run.measured == 1
        assert state.substations()["heat_kw"].to_list() == pytest.approx([450.0, 900.0, 900.0], rel=1e-3)
        assert [(row["substation"], row["position"], row["measured"]) for row in run.residuals] == [
            ("X2", "supply", 4.0)
        ], "stale is not measured"

    def test_outdoor_temperature_scales_what_is_not_measured(self) -> None:
        small_network.build_network()
        gauge("H01-S01", "outdoor_temp", "outdoor", 0.1, AS_OF)
        run = compute_network("C01", AS_OF + timedelta(minutes=1))
        assert run.outdoor_c == pytest.approx(0.1)
        share = (20 - 0.1 - 3) / (20 + 16.8 - 3)
        assert state_of(run).substations()["heat_kw"][0] == pytest.approx(900 * share, rel=1e-3)


def gauge(place: str, quantity: str, position: str, value: float, at) -> None:  # type: ignore[no-untyped-def]
    import numpy as np

    from nuan.operations.live import push_live
    from nuan.telemetry.live import LiveTable
    from nuan.telemetry.series import SeriesKey, SeriesTable
    from nuan.terms.quantities import to_fixed

    names, table, now = SeriesTable(), LiveTable(), int(at.timestamp())
    names.add([SeriesKey(place, quantity, position)])
    table.update(
        np.array([0], np.uint32),
        np.array([now]),
        np.array([to_fixed(quantity, value)], np.int32),
        np.zeros(1, np.uint8),
        now,
    )
    push_live(table.changed_since(0), names)


class TestBrokenPipe:
    def asked(self, pipe: str, **more: bool):  # type: ignore[no-untyped-def]
        small_network.build_network()
        return breakage(twin_of("C01", AS_OF), state_of(newest_run("C01")), pipe, AS_OF, **more)

    def test_in_a_ring_nobody_loses_water_and_the_pressures_are_told(self) -> None:
        found = self.asked("P12-G")
        assert sorted(step.valve for step in found.valves) == ["V12a-G", "V12a-H", "V12b-G", "V12b-H"]
        assert found.lost == []
        assert found.homes == 0
        assert found.water_m3 == pytest.approx(2 * 1000 * 3.14159265 / 4 * 0.15**2, rel=1e-6)
        assert found.minutes == 40
        assert found.crews == [(1, 40.0), (2, 20.0), (3, 20.0)]

    def test_homes_buildings_and_the_school_behind_a_cut_are_counted(self) -> None:
        small_network.build_network()
        for valve in ("V12a-G", "V12a-H"):
            set_valve("C01", valve, is_open=False, since=AS_OF, reason="检修", actor="陈调度", now=AS_OF)
        found = self.asked("P01-G")
        assert [hit.who.substation for hit in found.lost] == ["X1"]
        assert found.homes == 3
        assert found.buildings == 1
        assert [site.name for site, _ in found.sites] == ["暖城小学"]
        assert found.site_kw == 80.0

    def test_a_station_outside_the_registry_is_said_not_counted_as_nobody(self) -> None:
        small_network.build_network()
        for valve in ("V23b-G", "V23b-H"):
            set_valve("C01", valve, is_open=False, since=AS_OF, reason="检修", actor="陈调度", now=AS_OF)
        found = self.asked("P30-G")
        assert [hit.who.substation for hit in found.lost] == ["X3"]
        assert found.uncounted == 1
        assert found.lost[0].who.homes is None

    def test_one_crew_is_sent_the_short_way(self) -> None:
        found = self.asked("P12-G")
        assert {name[:4] for name in found.route[:2]} in ({"V12a"}, {"V12b"}), (
            "both valves of one end, then the other end"
        )
        assert found.route_m < 1500

    def test_outages_are_opened_once_and_only_for_known_places(self) -> None:
        small_network.build_network()
        for valve in ("V12a-G", "V12a-H"):
            set_valve("C01", valve, is_open=False, since=AS_OF, reason="检修", actor="陈调度", now=AS_OF)
        Outage.objects.all().delete()
        lost = [hit.who for hit in self.asked("P01-G").lost]
        made = open_outages(lost, pipe="P01-G", company="C01", started_at=AS_OF, actor="陈调度", now=AS_OF)
        assert [(each.level, each.place, each.cause) for each in made] == [("substation", "H01-S01", "unknown")]
        assert open_outages(lost, pipe="P01-G", company="C01", started_at=AS_OF, actor="陈调度", now=AS_OF) == []
        assert AuditEntry.objects.filter(act="record_outage", actor="陈调度").count() == 1


class TestRehearsal:
    def asked(self, scenario: Scenario):  # type: ignore[no-untyped-def]
        small_network.build_network()
        return rehearse(
            twin_of("C01", AS_OF), state_of(newest_run("C01")), scenario, outdoor_now_c=-5.0, actor="刘科", now=AS_OF
        )  # fmt: skip

    def test_without_its_plant_everybody_grows_cold_old_houses_first(self) -> None:
        found = self.asked(Scenario(closed=(("sources", "H01"),)))
        assert {each.who.substation: each.why for each in found.sufferers} == dict.fromkeys(
            ("X1", "X2", "X3"), "no_water"
        )
        assert found.cold_homes == found.homes == 6
        assert found.missing_kw == pytest.approx(2700.0)
        known = next(each for each in found.sufferers if each.who.substation == "X1")
        assert known.share == 0.0
        assert known.hours_until_owed is not None
        assert known.after_24h_c < known.after_6h_c < 20.0

    def test_nothing_is_written_but_who_asked_what(self) -> None:
        small_network.build_network()
        runs, alarms = NetworkRun.objects.count(), ValvePosition.objects.count()
        before = twin_of("C01", AS_OF).network.valves.clone()
        self.asked(Scenario(closed=(("pipes", "P01-G"),), load_factor=1.5))
        assert (NetworkRun.objects.count(), ValvePosition.objects.count()) == (runs, alarms)
        assert twin_of("C01", AS_OF).network.valves.equals(before)
        row = AuditEntry.objects.get(act="rehearse_network")
        assert row.details["closed"] == ["pipes:P01-G"]

    def test_more_than_the_valves_pass_is_short_not_served(self) -> None:
        found = self.asked(Scenario(load_factor=3.0))
        assert found.sufferers
        assert {each.why for each in found.sufferers} <= {"pressure", "cold"}
        assert all(0 < each.share < 1 for each in found.sufferers)

    def test_colder_weather_asks_for_more(self) -> None:
        assert self.asked(Scenario(outdoor_c=-6.0)).state.sources()["heat_kw"][0] > 2700 * 1.03

    @pytest.mark.parametrize(
        "scenario", [Scenario(closed=(("pipes", "nein"),)), Scenario(load_factor=9.0), Scenario(outdoor_c=-99.0), Scenario(closed=(("nodes", "n0-G"),))]
    )  # fmt: skip
    def test_what_cannot_be_rehearsed_is_refused(self, scenario: Scenario) -> None:
        with pytest.raises(RehearsalError, match=" / "):
            self.asked(scenario)
        assert not AuditEntry.objects.filter(act="rehearse_network").exists()


def test_the_small_network_is_sound() -> None:
    assert [each for each in findings(small_ring.ring()) if each.severity == "error"] == []
