"""`record_site`: a hospital, school or care home in a building of the registry; `end_site`: it is protected up to a day."""

from datetime import date

from nuan.operations.acts import act
from nuan.records.twin.models import ProtectedSite


def record_site(
    code: str, *, name: str, kind: str, building: str, actor: str, heat_kw: float | None = None, own_heat: bool = False
) -> ProtectedSite:
    """Raises ValueError for a kind that there is not; a code that is there already is changed."""
    if kind not in ProtectedSite.Kind.values:
        raise ValueError(
            f"没有“{kind}”这类单位；可用：{'、'.join(ProtectedSite.Kind.values)} / no kind of site “{kind}”"
        )
    with act("record_site", actor=actor, subject=code) as row:
        row.details = {"building": building, "kind": kind, "heat_kw": heat_kw, "own_heat": own_heat}
        site, _ = ProtectedSite.objects.update_or_create(
            code=code,
            defaults={"name": name, "kind": kind, "building_id": building, "heat_kw": heat_kw, "own_heat": own_heat},
        )
        return site


def end_site(code: str, *, until: date, why: str, actor: str) -> None:
    with act("end_site", actor=actor, subject=code, why=why) as row:
        row.nothing_changed = not ProtectedSite.objects.filter(code=code).update(until=until)
