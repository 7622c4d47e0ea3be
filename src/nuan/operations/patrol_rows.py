"""What only shows between rows about patrols, or against what was walked already: then a changed plan would change what was due."""

from collections.abc import Iterator, Mapping

import polars as pl

from nuan.operations.hazards import owner_of
from nuan.operations.registry_cells import rows_at_fault
from nuan.operations.registry_shapes import RegistryTable
from nuan.records.hazards.models import CheckIn, PatrolPoint, PatrolRoute
from nuan.terms.findings import Finding

PLAN = ("company", "banner", "every_days", "when", "starts_on")
_IN_REGISTRY = ("source", "substation", "building")


def patrol_findings(table: RegistryTable, frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> Iterator[Finding]:
    if table.name == "patrol_routes":
        yield from _backwards(table, frame, "starts_on", "ends_on")
        yield from _walked(table, frame)
    elif table.name == "patrol_points":
        yield from _backwards(table, frame, "since", "until")
        yield from _new_on_walked(table, frame)
        yield from _unknown_places(table, frame, tables)


def _backwards(table: RegistryTable, frame: pl.DataFrame, start: str, end: str) -> Iterator[Finding]:
    text = ("backwards", "结束早于开始", "ends before it begins", "请核对起止日期。")
    yield from rows_at_fault(frame[end] < frame[start], table, end, frame, text)


def _walked(table: RegistryTable, frame: pl.DataFrame) -> Iterator[Finding]:
    """Company, cycle and first day of a route that was walked stay as they were."""
    walked = {
        route.code: (route.company_id, route.banner_id, route.every_days, route.when, route.starts_on)
        for route in PatrolRoute.objects.filter(walks__check_ins__isnull=False).distinct()
    }
    rows = frame.select("code", *PLAN).iter_rows()
    wrong = pl.Series(
        [code in walked and walked[code] != plan for code, *rest in rows for plan in [tuple(rest)]], dtype=pl.Boolean
    )
    text = (
        "walked_already", "线路已经巡过,企业、旗区、周期、时段和起始日不能改", "the route was walked already: its plan stays",
        "给旧线路写上截止日,另用新编号登记新线路。",
    )  # fmt: skip
    yield from rows_at_fault(wrong, table, "every_days", frame, text)


def _new_on_walked(table: RegistryTable, frame: pl.DataFrame) -> Iterator[Finding]:
    """A point that is added to a walked route has to say since when, or the rounds of the past would miss it."""
    walked = set(CheckIn.objects.values_list("point__route__code", flat=True).distinct())
    there = set(PatrolPoint.objects.values_list("route__code", "number"))
    rows = frame.select("route", "number", "since").iter_rows()
    wrong = pl.Series(
        [route in walked and (route, number) not in there and since is None for route, number, since in rows],
        dtype=pl.Boolean,
    )
    text = (
        "since_when",
        "线路已经巡过,新点位要写启用日期",
        "the route was walked already: say since when the point is there",
        "填写启用日期。",
    )
    yield from rows_at_fault(wrong, table, "since", frame, text)


def _unknown_places(table: RegistryTable, frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> Iterator[Finding]:
    """A substation, building or source is in the registry and of the route's company and banner; pipes and chambers are the network's."""
    given = {
        code
        for name in ("sources", "substations", "buildings")
        for code in (tables[name]["code"] if name in tables else ())
    }
    routes = {
        code: (company, banner)
        for code, company, banner in PatrolRoute.objects.values_list("code", "company_id", "banner_id")
    }
    if "patrol_routes" in tables:
        routes |= {
            code: (company, banner)
            for code, company, banner in tables["patrol_routes"].select("code", "company", "banner").iter_rows()
        }
    wrong = []
    for route, kind, place in frame.select("route", "kind", "place").iter_rows():
        asked = bool(place) and kind in _IN_REGISTRY and place not in given
        wrong.append(asked and owner_of(kind, place) != routes.get(route))
    text = (
        "unknown_place", "登记册中没有这个地点,或不属于线路的企业和旗区", "no such place of the route's company and banner",
        "改正地点代码,或把种类改为其他。",
    )  # fmt: skip
    yield from rows_at_fault(pl.Series(wrong, dtype=pl.Boolean), table, "place", frame, text)
