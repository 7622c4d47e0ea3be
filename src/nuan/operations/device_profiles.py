"""Device profiles: tables of points, checked when they are defined, so that no reading fails on one later."""

from collections.abc import Mapping

from nuan.operations.acts import act
from nuan.operations.gateways import turn_the_page
from nuan.records.devices.models import DeviceProfile
from nuan.telemetry.intake.directory_file import Table, read_table, table_of
from nuan.telemetry.protocols.profile import load_profile, shipped_texts
from nuan.terms.findings import Finding, FindingsError


def wrong_profile(code: str, text: str) -> list[Finding]:
    """All that is wrong with a profile's YAML; two points of one series would write over each other."""
    profile, found = load_profile(text, code)
    if profile is None:
        return found
    names: dict[tuple[str, str, str], str] = {}
    for name, row in table_of(profile).points.items():
        series = (row.quantity, row.position, row.below)
        if series in names:
            found.append(
                Finding(
                    code, "double_point", "与另一个测点是同一序列", "the same series as another point",
                    "请区分位置（position）。", field=f"points.{name}", value=names[series],
                )
            )  # fmt: skip
        names[series] = name
    return found


def define_profiles(texts: Mapping[str, str], *, actor: str) -> int:
    """code → YAML: add or change; how many changed. All findings as one FindingsError, and then nothing is written."""
    found = [finding for code, text in texts.items() for finding in wrong_profile(code, text)]
    if found:
        raise FindingsError(found)
    with act("define_profiles", actor=actor, subject="、".join(texts)[:120]) as row:
        changed = sum(_define(code, text) for code, text in texts.items())
        row.details, row.nothing_changed = {"changed": changed}, changed == 0
        if changed:
            turn_the_page()
    return changed


def _define(code: str, text: str) -> bool:
    profile, _ = load_profile(text, code)
    assert profile is not None
    known = DeviceProfile.objects.select_for_update().filter(pk=code).first()
    if known is not None and known.text == text:
        return False
    wanted = {"name": profile.name, "protocol": profile.protocol, "kind": profile.kind, "text": text}
    DeviceProfile.objects.update_or_create(code=code, defaults=wanted)
    return True


def define_shipped_profiles(*, actor: str) -> int:
    """Those that come with Nuan and are not there yet; a city that changed one keeps its own."""
    known = set(DeviceProfile.objects.values_list("code", flat=True))
    return define_profiles({code: text for code, text in shipped_texts().items() if code not in known}, actor=actor)


def known_tables() -> dict[str, Table]:
    return {row.code: read_table(row.code, row.text) for row in DeviceProfile.objects.all()}
