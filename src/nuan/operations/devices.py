"""Devices: registered from a table, exchanged, verified (检定). A device that is gone stays in the records with its dates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import polars as pl

from nuan.operations.acts import act
from nuan.operations.bulk import Counts, upsert
from nuan.operations.device_profiles import known_tables
from nuan.operations.device_table import DEVICES, tidy_devices
from nuan.operations.gateways import turn_the_page
from nuan.operations.registry_cells import rows_at_fault
from nuan.records.devices.models import Device, DeviceProfile, Gateway
from nuan.records.registry.models import Building, HeatSource, Home, Loop, Substation
from nuan.telemetry.intake.directory import ProfilePoint
from nuan.terms.findings import Finding

Profiles = Mapping[str, Mapping[str, ProfilePoint]]
PLACES = (("source", HeatSource), ("substation", Substation), ("loop", Loop), ("building", Building), ("home", Home))
_BANNERS = {
    "source": "banner_id", "substation": "banner_id", "loop": "substation__banner_id", "building": "banner_id",
    "home": "banner_id",
}  # fmt: skip
_GONE = (
    "closed_gateway",
    "网关不存在或已停用",
    "no such gateway, or it is closed",
    "请先用 nuan gateway add 开通网关。",
)
_NO_PROFILE = ("unknown_profile", "没有这个设备模板", "no such device profile", "可用的模板见 nuan device profiles。")
_NOWHERE = ("unknown_place", "没有登记这个地点", "the place is not registered", "请先导入登记册。")
_TWICE = ("double_device", "同一网关下表号重复", "the same serial number twice behind a gateway", "请只保留一行。")
_SAME_SERIES = (
    "double_series", "与另一台在用设备测的是同一处同一量", "another device in use measures the same there",
    "请区分位置（position），或先登记换表。",
)  # fmt: skip


class DeviceError(ValueError):
    """What cannot be done with a device, in one sentence."""


@dataclass(frozen=True)
class DevicesReport:
    """What became of a table of devices. With findings of severity error nothing was written."""

    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


def places_with_banners() -> pl.DataFrame:
    """Every code that a device may stand at: `place`, `level`, `banner_id`."""
    parts = []
    for level, model in PLACES:
        rows = list(model.objects.values_list("code", _BANNERS[level]))
        columns = {"place": [row[0] for row in rows], "banner_id": [row[1] for row in rows]}
        frame = pl.DataFrame(columns, schema={"place": pl.String, "banner_id": pl.String})
        parts.append(frame.with_columns(level=pl.lit(level)))
    return pl.concat(parts)


def register_devices(table: pl.DataFrame, *, actor: str, source: str = "", dry_run: bool = False) -> DevicesReport:
    """Headers of `device_table.DEVICES` → records, whole or not at all. Rows that are there and equal stay untouched."""
    frame, findings = tidy_devices(table)
    if any(finding.severity == "error" for finding in findings):
        return DevicesReport(findings=findings)
    findings.extend(_wrong_rows(frame))
    report = DevicesReport(findings=findings)
    if not report.ok or dry_run:
        return report
    placed = frame.join(places_with_banners(), on="place", how="left", maintain_order="left")
    rows = placed.rename({"gateway": "gateway_id", "profile": "profile_id"})
    with act("register_devices", actor=actor, subject=source) as row:
        counts = upsert(Device, rows, ["gateway_id", "code"])
        row.details = {"created": counts.created, "changed": counts.changed}
        row.nothing_changed = counts.created == counts.changed == 0
        if not row.nothing_changed:
            turn_the_page()
    return DevicesReport(counts, findings)


def _wrong_rows(frame: pl.DataFrame) -> Iterator[Finding]:
    open_gateways = list(Gateway.objects.filter(closed_at=None).values_list("code", flat=True))
    profiles = {code: table.points for code, table in known_tables().items()}
    places = places_with_banners()["place"]
    checks = (("gateway", open_gateways, _GONE), ("profile", list(profiles), _NO_PROFILE), ("place", places, _NOWHERE))
    for name, known, text in checks:
        unknown = ~frame[name].is_in(pl.Series(known, dtype=pl.String).implode())
        yield from rows_at_fault(unknown, DEVICES, name, frame, text)
    keys = pl.struct("gateway", "code")
    yield from rows_at_fault(frame.select(~keys.is_first_distinct()).to_series(), DEVICES, "code", frame, _TWICE)
    yield from _wrong_series(frame, profiles)
    yield from _too_many(frame, {code: len(points) for code, points in profiles.items()})


def _wrong_series(frame: pl.DataFrame, profiles: Profiles) -> Iterator[Finding]:
    """One device for one series at a time: two would write over each other."""
    mine = set(zip(frame["gateway"], frame["code"], strict=True))
    others = Device.objects.filter(removed_on=None, place__in=frame["place"].unique().to_list())
    taken: set[tuple[str, str, str]] = set()
    for gateway, code, profile, place, position in others.values_list(
        "gateway_id", "code", "profile_id", "place", "position"
    ):
        if (gateway, code) not in mine:
            taken.update(_series_of(profiles.get(profile, {}), place, position))
    wrong = []
    for profile, place, position in frame.select("profile", "place", "position").iter_rows():
        own = _series_of(profiles.get(profile, {}), place, position)
        wrong.append(not own.isdisjoint(taken))
        taken |= own
    yield from rows_at_fault(pl.Series(wrong, dtype=pl.Boolean), DEVICES, "place", frame, _SAME_SERIES)


def _series_of(points: Mapping[str, ProfilePoint], place: str, position: str) -> set[tuple[str, str, str]]:
    return {
        (f"{place}-{row.below}" if row.below else place, row.quantity, row.position or position)
        for row in points.values()
    }


def _too_many(frame: pl.DataFrame, sizes: dict[str, int]) -> Iterator[Finding]:
    """A gateway's limit of series holds at the door: what is registered is what may be sent."""
    limits = dict(Gateway.objects.values_list("code", "max_series"))
    for (code,), part in frame.group_by("gateway"):
        mine = part["code"].to_list()
        before = Device.objects.filter(gateway_id=code, removed_on=None).exclude(code__in=mine)
        count = sum(
            sizes.get(profile, 0) for profile in [*before.values_list("profile_id", flat=True), *part["profile"]]
        )
        limit = limits.get(str(code), count)
        if count > limit:
            yield Finding(
                "devices", "too_many_series", f"网关 {code} 的测点将达到 {count}，上限为 {limit}",
                f"gateway {code} would have {count} points, its limit is {limit}", "请拆到另一个网关，或提高上限。",
                field="gateway", value=str(code),
            )  # fmt: skip


def exchange_device(
    old: int, *, code: str, on: date, actor: str, last_register: Decimal | None = None, first_register: Decimal | None = None,
    why: str = "", profile: str | None = None, calibrated_on: date | None = None, valid_until: date | None = None,
) -> Device:  # fmt: skip
    """换表: from `on` the device `code` stands where the old one stood. The counters at the change go into the records, so that
    consumption runs on over the exchange instead of jumping."""
    with act("exchange_device", actor=actor, why=why) as row:
        before = Device.objects.select_for_update().get(pk=old)
        if before.removed_on is not None:
            raise DeviceError(f"设备 {before.code} 已于 {before.removed_on} 拆除")
        if before.installed_on is not None and on < before.installed_on:
            raise DeviceError(f"换表日期 {on} 早于旧表安装日期 {before.installed_on}")
        if Device.objects.filter(gateway=before.gateway, code=code).exists():
            raise DeviceError(f"网关 {before.gateway_id} 下已有表号 {code}")
        if profile is not None and not DeviceProfile.objects.filter(pk=profile).exists():
            raise DeviceError(f"没有设备模板“{profile}”")
        before.removed_on, before.last_register = on, last_register
        before.save(update_fields=["removed_on", "last_register"])
        after = Device.objects.create(
            gateway=before.gateway, code=code, profile_id=profile or before.profile_id, kind=before.kind, level=before.level,
            place=before.place, position=before.position, banner_id=before.banner_id, maker=before.maker, installed_on=on,
            predecessor=before, first_register=first_register, calibrated_on=calibrated_on,
            calibration_valid_until=valid_until,
        )  # fmt: skip
        row.subject, row.details = f"{before.code} → {code}", {"device": after.pk, "on": on}
        turn_the_page()
    return after


def record_calibration(device: int, *, on: date, valid_until: date, actor: str, why: str = "") -> Device:
    """检定: the date and how long it holds, as the certificate says."""
    if valid_until <= on:
        raise DeviceError("检定有效期须晚于检定日期")
    with act("record_calibration", actor=actor, why=why) as row:
        found = Device.objects.select_for_update().get(pk=device)
        row.subject = found.code
        row.details = {"device": found.pk, "on": on, "valid_until": valid_until}
        row.nothing_changed = (found.calibrated_on, found.calibration_valid_until) == (on, valid_until)
        found.calibrated_on, found.calibration_valid_until = on, valid_until
        found.save(update_fields=["calibrated_on", "calibration_valid_until"])
    return found
