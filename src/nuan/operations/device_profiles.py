"""Device profiles: tables of points, checked when they are defined, so that no reading fails on one later."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from nuan.operations.acts import act
from nuan.operations.gateways import turn_the_page
from nuan.records.devices.models import DeviceProfile
from nuan.telemetry.intake.directory import ProfilePoint
from nuan.terms.findings import Finding, FindingsError
from nuan.terms.quantities import QUANTITIES

KNOWN = {"quantity", "position", "scale", "offset", "below"}


def profile_points(points: Mapping[str, Mapping[str, Any]]) -> dict[str, ProfilePoint]:
    """The rows of a checked profile."""
    return {
        name: ProfilePoint(
            row["quantity"], str(row.get("position", "")), Fraction(str(row.get("scale", 1))),
            Fraction(str(row.get("offset", 0))), str(row.get("below", "")),
        )
        for name, row in points.items()
    }  # fmt: skip


def wrong_points(code: str, points: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """All that is wrong with a profile's table."""
    found: list[Finding] = []
    series: dict[tuple[str, str, str], str] = {}

    def wrong(name: str, field: str, what: tuple[str, str, str, str], value: object) -> None:
        found.append(Finding(code, *what, field=f"{name}.{field}", value=str(value)))

    if not points:
        found.append(Finding(code, "no_points", "没有测点", "no points", "请至少写一个测点。"))
    for name, row in points.items():
        for key in set(row) - KNOWN:
            wrong(
                name,
                key,
                ("unknown_key", "没有这个字段", "no such field", f"可用：{'、'.join(sorted(KNOWN))}。"),
                row[key],
            )
        if row.get("quantity") not in QUANTITIES:
            what = ("unknown_quantity", "没有这个量", "no such quantity", "见 docs/nomenclature.md。")
            wrong(name, "quantity", what, row.get("quantity"))
            continue
        for key in ("scale", "offset"):
            try:
                number = Fraction(str(row.get(key, 1)))
            except (ValueError, ZeroDivisionError):
                number = None
            if number is None or (key == "scale" and number == 0):
                what = ("not_a_number", "不是可用的数", "no number that can be used", "请写成 0.1 或 1/10。")
                wrong(name, key, what, row.get(key))
        for key in ("position", "below"):
            if any(mark in str(row.get(key, "")) for mark in "|\n\t"):
                wrong(
                    name, key, ("bad_word", "含有不能用的字符", "has a character that cannot stand here", ""), row[key]
                )
        place = (row["quantity"], str(row.get("position", "")), str(row.get("below", "")))
        if place in series:
            what = (
                "double_point",
                "与另一个测点是同一序列",
                "the same series as another point",
                "请区分位置（position）。",
            )
            wrong(name, "position", what, series[place])
        series[place] = name
    return found


def define_profiles(profiles: Mapping[str, tuple[str, Mapping[str, Mapping[str, Any]]]], *, actor: str) -> int:
    """code → (name, points): add or change; how many changed. All findings as one FindingsError, and then nothing is written."""
    found = [finding for code, (_, points) in profiles.items() for finding in wrong_points(code, points)]
    if found:
        raise FindingsError(found)
    with act("define_profiles", actor=actor, subject="、".join(profiles)[:120]) as row:
        changed = sum(_define(code, name, points) for code, (name, points) in profiles.items())
        row.details, row.nothing_changed = {"changed": changed}, changed == 0
        if changed:
            turn_the_page()
    return changed


def _define(code: str, name: str, points: Mapping[str, Mapping[str, Any]]) -> bool:
    wanted = {"name": name, "points": {point: dict(row) for point, row in points.items()}}
    known = DeviceProfile.objects.select_for_update().filter(pk=code).first()
    if known is not None and {"name": known.name, "points": known.points} == wanted:
        return False
    DeviceProfile.objects.update_or_create(code=code, defaults=wanted)
    return True


def known_profiles(codes: Iterable[str] | None = None) -> dict[str, dict[str, ProfilePoint]]:
    rows = DeviceProfile.objects.all() if codes is None else DeviceProfile.objects.filter(pk__in=codes)
    return {row.code: profile_points(row.points) for row in rows}
