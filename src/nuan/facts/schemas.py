"""The fact tables: every column with its type, unit and Chinese name. docs/nomenclature.md is made from this."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from nuan.terms.findings import Finding


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    dtype: pl.DataType
    zh: str
    unit: str = ""
    nullable: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    zh: str
    row_is: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {column.name: column.dtype for column in self.columns}


TEXT, INT, INT32, BOOL = pl.String(), pl.Int64(), pl.Int32(), pl.Boolean()
CAUSES = ("source", "supplier", "user", "third_party", "force_majeure", "unknown")
LEVELS = ("source", "substation", "loop", "building", "home")
PURPOSES = ("complaint", "retest", "dispute")


def _c(
    name: str, dtype: pl.DataType, zh: str, unit: str = "", nullable: bool = False, allowed: tuple[str, ...] = ()
) -> Column:
    return Column(name, dtype, zh, unit, nullable, allowed)


TABLES: Mapping[str, Table] = MappingProxyType({
    table.name: table
    for table in (
        Table("homes", "供用热合同", "one home's contract for the season", (
            _c("home", TEXT, "热用户"), _c("building", TEXT, "楼栋"), _c("loop", TEXT, "环路"), _c("substation", TEXT, "换热站"),
            _c("source", TEXT, "热源"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("area_m2_100", INT, "计费面积", "0.01 m²"), _c("home_class", TEXT, "用户类别"),
            _c("season_fee_fen", INT, "采暖季热费", "分", True), _c("stop_heat", BOOL, "停热"), _c("metered", BOOL, "计量收费"),
            _c("base_fee_fen", INT, "基本热费", "分", True),
        )),
        Table("home_day", "户日室温", "one home on one local day", (
            _c("home", TEXT, "热用户"), _c("day", INT32, "日", "days since 1970-01-01, UTC+8"), _c("hours_due", INT32, "应供小时", "h"),
            _c("hours_covered", INT32, "有效小时", "h"), _c("min_c100", INT32, "最低室温", "0.01 °C", True),
            _c("mean_c100", INT32, "平均室温", "0.01 °C", True), _c("hours_below", INT32, "低于标准小时", "h"),
            _c("longest_below_h", INT32, "最长连续低温", "h"), _c("hours_above", INT32, "过热小时", "h"),
        )),
        Table("outage", "停热事件", "one interruption", (
            _c("outage_id", TEXT, "编号"), _c("level", TEXT, "层级", allowed=LEVELS), _c("code", TEXT, "地点"),
            _c("start_s", INT, "开始", "epoch s"), _c("end_s", INT, "恢复", "epoch s", True), _c("planned", BOOL, "计划内"),
            _c("cause", TEXT, "原因", allowed=CAUSES), _c("attested_by", TEXT, "认定人"),
        )),
        Table("outage_home", "户停热", "one interruption for one home", (
            _c("outage_id", TEXT, "编号"), _c("home", TEXT, "热用户"), _c("start_s", INT, "开始", "epoch s"),
            _c("end_s", INT, "恢复", "epoch s", True), _c("cause", TEXT, "原因", allowed=CAUSES),
        )),
        Table("measurement", "测温记录", "a formal measurement", (
            _c("measurement_id", TEXT, "编号"), _c("home", TEXT, "热用户"), _c("room", TEXT, "房间"),
            _c("room_area_m2_100", INT, "房间面积", "0.01 m²", True), _c("requested_s", INT, "申请时间", "epoch s", True),
            _c("measured_s", INT, "测温时间", "epoch s", True), _c("temp_c100", INT32, "测得温度", "0.01 °C", True),
            _c("method", TEXT, "方法"), _c("signed_user", BOOL, "用户签字"), _c("signed_company", BOOL, "企业签字"),
            _c("user_refused", BOOL, "用户拒绝"), _c("company_absent", BOOL, "企业未到"), _c("third_party", BOOL, "第三方"),
            _c("purpose", TEXT, "目的", allowed=PURPOSES),
        )),
        Table("fuel_day", "燃料日报", "one source on one day", (
            _c("source", TEXT, "热源"), _c("day", INT32, "日", "days since 1970-01-01, UTC+8"), _c("stock_t1000", INT, "库存", "0.001 t", True),
            _c("burn_t1000", INT, "日耗", "0.001 t", True), _c("arriving_t1000", INT, "在途", "0.001 t"),
        )),
        Table("station_hour", "站小时", "one substation, one hour", (
            _c("substation", TEXT, "换热站"), _c("hour_s", INT, "小时", "epoch s"), _c("outdoor_c100", INT32, "室外温度", "0.01 °C", True),
            _c("supply_c100", INT32, "供水温度", "0.01 °C", True), _c("return_c100", INT32, "回水温度", "0.01 °C", True),
            _c("flow_m3h_1000", INT, "流量", "0.001 m³/h", True), _c("heat_kw_10", INT, "热功率", "0.1 kW", True),
        )),
        Table("station_day", "站日", "one substation on one day", (
            _c("substation", TEXT, "换热站"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("day", INT32, "日", "days since 1970-01-01, UTC+8"), _c("hours_covered", INT32, "有效小时", "h"),
            _c("outdoor_mean_c100", INT32, "室外日均温", "0.01 °C", True), _c("supply_mean_c100", INT32, "供水日均温", "0.01 °C", True),
            _c("expected_supply_c100", INT32, "应供水温", "0.01 °C", True), _c("heat_kwh", INT, "供热量", "kWh", True),
            _c("expected_heat_kwh", INT, "应供热量", "kWh", True), _c("rooms_covered", INT32, "有效户数", "homes"),
            _c("rooms_mean_c100", INT32, "户均室温", "0.01 °C", True), _c("outage_hours", INT32, "停热小时", "h"),
        )),
        Table("vehicle", "移动应急热源车", "one vehicle", (
            _c("vehicle_id", TEXT, "编号"), _c("banner", TEXT, "旗区"), _c("power_kw", INT, "功率", "kW"),
            _c("available_from", INT32, "可用起", "days since 1970-01-01, UTC+8"),
            _c("available_to", INT32, "可用止", "days since 1970-01-01, UTC+8", True),
        )),
        Table("banners", "旗区", "one banner", (_c("banner", TEXT, "代码"), _c("name", TEXT, "名称"))),
        Table("sources", "热源", "one heat source", (
            _c("source", TEXT, "代码"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"), _c("fuel", TEXT, "燃料"),
        )),
    )
})  # fmt: skip


def empty(table: str) -> pl.DataFrame:
    """A table of the right shape without rows."""
    return pl.DataFrame(schema=TABLES[table].schema)


def check(table: str, frame: pl.DataFrame) -> list[Finding]:
    """All that is wrong with a frame that claims to be a fact table: columns, types, nulls, words."""
    findings: list[Finding] = []

    def add(
        code: str,
        zh: str,
        en: str,
        remedy: str,
        field: str,
        row: int | None = None,
        value: str | None = None,
        count: int = 1,
    ) -> None:
        findings.append(Finding(table, code, zh, en, remedy, row=row, field=field, value=value, count=count))

    for column in TABLES[table].columns:
        if column.name not in frame.columns:
            add("missing_column", "缺少此列", "the column is missing", f"请补上“{column.zh}”列。", column.name)
            continue
        series = frame[column.name]
        if series.dtype != column.dtype:
            add("wrong_type", "类型不对", "wrong type", f"应为 {column.dtype}。", column.name, value=str(series.dtype))
            continue
        nulls = series.null_count()
        if nulls and not column.nullable:
            row = series.is_null().arg_max()
            add("null", "不能为空", "must not be empty", "请填写，或删去该行。", column.name, row=row, count=nulls)
        if column.allowed:
            wrong = frame.filter(pl.col(column.name).is_not_null() & ~pl.col(column.name).is_in(list(column.allowed)))
            if wrong.height:
                add(
                    "unknown_word", "不是规定的取值", "not one of the allowed words",
                    f"可用：{'、'.join(column.allowed)}。", column.name, value=str(wrong[column.name][0]), count=wrong.height,
                )  # fmt: skip
    for name in frame.columns:
        if name not in TABLES[table].schema:
            add("unknown_column", "多出此列", "the column is not known", "请删去，或改成规定的列名。", name)
    return findings
