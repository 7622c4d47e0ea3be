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

    @property
    def low(self) -> int | None:
        """Counts, lengths and money are never negative; temperatures and days may be."""
        return 0 if self.unit in _NEVER_NEGATIVE else None


_NEVER_NEGATIVE = {"h", "分", "0.01 m²", "0.001 t", "0.001 m³/h", "kW", "homes"}


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    zh: str
    row_is: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The columns that no two rows share."""

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {column.name: column.dtype for column in self.columns}


TEXT, INT, INT32, BOOL = pl.String(), pl.Int64(), pl.Int32(), pl.Boolean()
CAUSES = ("source", "supplier", "user", "third_party", "force_majeure", "unknown")
LEVELS = ("source", "substation", "loop", "building", "home")
PURPOSES = ("complaint", "retest", "dispute")
ASSET_KINDS = ("buried_pipe", "riser", "station_equipment", "household_meter", "valve", "indoor_pipe", "radiator")
OWNERS = ("company", "user", "builder", "unknown")
POSITIONS = ("outside", "boundary", "inside", "unknown")
HANDOVERS = ("done", "pending", "unknown")
WARRANTIES = ("until", "none", "unknown")
WORKS = ("repair", "upkeep", "renewal")
PAYERS = ("company", "builder", "user", "fund", "unknown")
COST_CATEGORIES = (*WORKS, "fuel", "power", "water", "labour", "depreciation", "other")
MOVEMENTS = ("deposit", "spending")
EVIDENCE = ("valid", "expired", "unknown")
DEBT_KINDS = ("subsidy", "works", "infrastructure_fee", "coal_price")
FUNDING_KINDS = ("budget", "central", "bond", "ppp", "fund")
HAZARD_LEVELS = ("general", "serious", "major")
HAZARD_SOURCES = ("patrol", "leak_warning", "alarm", "resident", "inspection", "staff")
NIL_SUBJECTS = ("fund", "plan", "beneficiaries", "arrears", "funding")
_DAY = "days since 1970-01-01, UTC+8"


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
        ), ("home",)),
        Table("home_day", "户日室温", "one home on one local day", (
            _c("home", TEXT, "热用户"), _c("day", INT32, "日", "days since 1970-01-01, UTC+8"), _c("hours_due", INT32, "应供小时", "h"),
            _c("hours_covered", INT32, "有效小时", "h"), _c("min_c100", INT32, "最低室温", "0.01 °C", True),
            _c("mean_c100", INT32, "平均室温", "0.01 °C", True), _c("hours_below", INT32, "低于标准小时", "h"),
            _c("longest_below_h", INT32, "最长连续低温", "h"), _c("hours_above", INT32, "过热小时", "h"),
        ), ("home", "day")),
        Table("outage", "停热事件", "one interruption", (
            _c("outage_id", TEXT, "编号"), _c("level", TEXT, "层级", allowed=LEVELS), _c("code", TEXT, "地点"),
            _c("start_s", INT, "开始", "epoch s"), _c("end_s", INT, "恢复", "epoch s", True), _c("planned", BOOL, "计划内"),
            _c("cause", TEXT, "原因", allowed=CAUSES), _c("attested_by", TEXT, "认定人"),
        ), ("outage_id",)),
        Table("outage_home", "户停热", "one interruption for one home", (
            _c("outage_id", TEXT, "编号"), _c("home", TEXT, "热用户"), _c("start_s", INT, "开始", "epoch s"),
            _c("end_s", INT, "恢复", "epoch s", True), _c("cause", TEXT, "原因", allowed=CAUSES),
        ), ("outage_id", "home")),
        Table("measurement", "测温记录", "a formal measurement", (
            _c("measurement_id", TEXT, "编号"), _c("home", TEXT, "热用户"), _c("room", TEXT, "房间"),
            _c("room_area_m2_100", INT, "房间面积", "0.01 m²", True), _c("requested_s", INT, "申请时间", "epoch s", True),
            _c("measured_s", INT, "测温时间", "epoch s", True), _c("temp_c100", INT32, "测得温度", "0.01 °C", True),
            _c("method", TEXT, "方法"), _c("signed_user", BOOL, "用户签字"), _c("signed_company", BOOL, "企业签字"),
            _c("user_refused", BOOL, "用户拒绝"), _c("company_absent", BOOL, "企业未到"), _c("no_record", BOOL, "企业未留存记录"),
            _c("third_party", BOOL, "第三方"), _c("purpose", TEXT, "目的", allowed=PURPOSES),
        ), ("measurement_id",)),
        Table("fuel_day", "燃料日报", "one source on one day", (
            _c("source", TEXT, "热源"), _c("day", INT32, "日", "days since 1970-01-01, UTC+8"), _c("stock_t1000", INT, "库存", "0.001 t", True),
            _c("burn_t1000", INT, "日耗", "0.001 t", True), _c("arriving_t1000", INT, "在途", "0.001 t"),
        ), ("source", "day")),
        Table("station_hour", "站小时", "one substation, one hour", (
            _c("substation", TEXT, "换热站"), _c("hour_s", INT, "小时", "epoch s"), _c("outdoor_c100", INT32, "室外温度", "0.01 °C", True),
            _c("supply_c100", INT32, "供水温度", "0.01 °C", True), _c("return_c100", INT32, "回水温度", "0.01 °C", True),
            _c("flow_m3h_1000", INT, "流量", "0.001 m³/h", True), _c("heat_kw_10", INT, "热功率", "0.1 kW", True),
        ), ("substation", "hour_s")),
        Table("station_day", "站日", "one substation on one day", (
            _c("substation", TEXT, "换热站"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("day", INT32, "日", "days since 1970-01-01, UTC+8"), _c("hours_covered", INT32, "有效小时", "h"),
            _c("outdoor_mean_c100", INT32, "室外日均温", "0.01 °C", True), _c("supply_mean_c100", INT32, "供水日均温", "0.01 °C", True),
            _c("expected_supply_c100", INT32, "应供水温", "0.01 °C", True), _c("heat_hours", INT32, "热量有效小时", "h"), _c("heat_kwh", INT, "供热量", "kWh", True),
            _c("expected_heat_kwh", INT, "应供热量", "kWh", True), _c("rooms_covered", INT32, "有效户数", "homes"),
            _c("rooms_mean_c100", INT32, "户均室温", "0.01 °C", True), _c("outage_hours", INT32, "停热小时", "h"),
        ), ("substation", "day")),
        Table("vehicle", "移动应急热源车", "one vehicle", (
            _c("vehicle_id", TEXT, "编号"), _c("banner", TEXT, "旗区"), _c("power_kw", INT, "功率", "kW"),
            _c("available_from", INT32, "可用起", "days since 1970-01-01, UTC+8"),
            _c("available_to", INT32, "可用止", "days since 1970-01-01, UTC+8", True),
        ), ("vehicle_id",)),
        Table("building_meter", "楼栋计量", "homes of one class in one building", (
            _c("building", TEXT, "楼栋"), _c("banner", TEXT, "旗区"), _c("company", TEXT, "供热企业"), _c("home_class", TEXT, "用户类别"),
            _c("built_year", INT, "建成年份", "year", True), _c("homes", INT, "户数", "homes"), _c("homes_metered", INT, "计量户数", "homes"),
            _c("homes_billed_metered", INT, "已出账计量户数", "homes"), _c("homes_billed_by_heat", INT, "按用热量收费户数", "homes"),
        ), ("building", "home_class")),
        Table("banners", "旗区", "one banner", (_c("banner", TEXT, "代码"), _c("name", TEXT, "名称")), ("banner",)),
        Table("sources", "热源", "one heat source", (
            _c("source", TEXT, "代码"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"), _c("fuel", TEXT, "燃料"),
        ), ("source",)),
        Table("asset", "供热设施", "one facility or pipe that may need repair", (
            _c("asset", TEXT, "编号"), _c("kind", TEXT, "种类", allowed=ASSET_KINDS), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("owner", TEXT, "产权人", allowed=OWNERS), _c("position", TEXT, "相对计量装置或入户端口的位置", allowed=POSITIONS),
            _c("handover", TEXT, "移交", allowed=HANDOVERS), _c("handed_over_day", INT32, "移交日", _DAY, True),
            _c("warranty", TEXT, "保修", allowed=WARRANTIES), _c("warranty_until_day", INT32, "保修期末日", _DAY, True),
            _c("contract", BOOL, "合同载明户内设施归用户"),
        ), ("asset",)),
        Table("repair", "维修养护更新", "one piece of work on an asset", (
            _c("repair", TEXT, "编号"), _c("asset", TEXT, "设施"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("day", INT32, "日", _DAY), _c("category", TEXT, "类别", allowed=WORKS), _c("cost_fen", INT, "费用", "分"),
            _c("charged_to", TEXT, "实际列支", allowed=PAYERS),
        ), ("repair",)),
        Table("cost", "供热成本", "one line of a company's cost ledger", (
            _c("cost", TEXT, "编号"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"), _c("asset", TEXT, "设施", nullable=True),
            _c("repair", TEXT, "维修编号", nullable=True), _c("day", INT32, "日", _DAY), _c("category", TEXT, "类别", allowed=COST_CATEGORIES),
            _c("amount_fen", INT, "金额", "分"), _c("in_price_cost", BOOL, "已列入定价成本"),
        ), ("cost",)),
        Table("fund_account", "保障资金账户", "one banner's maintenance fund", (
            _c("account", TEXT, "账户"), _c("banner", TEXT, "旗区"), _c("opened_day", INT32, "设立日", _DAY),
        ), ("account",)),
        Table("fund_movement", "保障资金收支", "one deposit into a fund or spending from it", (
            _c("movement", TEXT, "编号"), _c("account", TEXT, "账户"), _c("banner", TEXT, "旗区"), _c("day", INT32, "日", _DAY),
            _c("kind", TEXT, "收支", allowed=MOVEMENTS), _c("amount_fen", INT, "金额", "分"), _c("asset", TEXT, "设施", nullable=True),
            _c("position", TEXT, "设施位置", nullable=True, allowed=POSITIONS),
        ), ("movement",)),
        Table("subsidy", "取暖补贴", "what one programme owes one home in the season", (
            _c("programme", TEXT, "补贴项目"), _c("home", TEXT, "热用户"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("payable_fen", INT, "应付", "分", True), _c("paid_fen", INT, "已付", "分"), _c("due_day", INT32, "应付日", _DAY, True),
            _c("evidence", TEXT, "证明", allowed=EVIDENCE),
        ), ("programme", "home")),
        Table("plan", "实施方案", "one banner's plan for the season", (
            _c("plan", TEXT, "编号"), _c("banner", TEXT, "旗区"), _c("approved_day", INT32, "批准日", _DAY, True),
        ), ("plan",)),
        Table("plan_task", "任务清单", "one task of a plan", (
            _c("plan", TEXT, "方案"), _c("number", INT32, "序号"), _c("banner", TEXT, "旗区"), _c("owner", TEXT, "责任人", nullable=True),
            _c("due_day", INT32, "完成期限", _DAY, True), _c("done_day", INT32, "完成日", _DAY, True),
        ), ("plan", "number")),
        Table("debt", "政府欠账", "one debt of the government to a company", (
            _c("debt", TEXT, "编号"), _c("banner", TEXT, "旗区"), _c("company", TEXT, "供热企业"), _c("kind", TEXT, "种类", allowed=DEBT_KINDS),
            _c("amount_fen", INT, "金额", "分"), _c("incurred_day", INT32, "发生日", _DAY), _c("due_day", INT32, "应付日", _DAY, True),
        ), ("debt",)),
        Table("debt_payment", "欠账偿还", "one payment of a debt", (
            _c("payment", TEXT, "编号"), _c("debt", TEXT, "欠账"), _c("banner", TEXT, "旗区"), _c("company", TEXT, "供热企业"),
            _c("day", INT32, "日", _DAY), _c("amount_fen", INT, "金额", "分"),
        ), ("payment",)),
        Table("instalment", "清偿分期", "one instalment of the settlement plan in force for a debt", (
            _c("debt", TEXT, "欠账"), _c("number", INT32, "期次"), _c("banner", TEXT, "旗区"), _c("company", TEXT, "供热企业"),
            _c("agreed_day", INT32, "议定日", _DAY), _c("due_day", INT32, "应付日", _DAY), _c("amount_fen", INT, "金额", "分"),
        ), ("debt", "number")),
        Table("funding", "资金来源", "one source of money for heating", (
            _c("funding", TEXT, "编号"), _c("banner", TEXT, "旗区"), _c("kind", TEXT, "种类", allowed=FUNDING_KINDS),
            _c("committed_fen", INT, "承诺", "分"), _c("used_fen", INT, "已用", "分"), _c("from_day", INT32, "起", _DAY),
            _c("to_day", INT32, "止", _DAY, True),
        ), ("funding",)),
        Table("nil_report", "零报告", "a banner's signed statement that there is none of something", (
            _c("banner", TEXT, "旗区"), _c("subject", TEXT, "事项", allowed=NIL_SUBJECTS), _c("day", INT32, "日", _DAY),
        ), ("banner", "subject")),
        Table("hazard", "隐患", "one hazard that was reported and is not rejected", (
            _c("hazard", TEXT, "编号"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("source", TEXT, "来源", allowed=HAZARD_SOURCES), _c("level", TEXT, "级别", nullable=True, allowed=HAZARD_LEVELS),
            _c("reported_s", INT, "上报", "epoch s"), _c("graded_s", INT, "定级", "epoch s", True), _c("deadline_s", INT, "整改期限", "epoch s", True),
            _c("rectified_s", INT, "整改完成", "epoch s", True), _c("closed_s", INT, "销号", "epoch s", True),
        ), ("hazard",)),
        Table("patrol_point", "巡线点", "one point of a patrol route", (
            _c("route", TEXT, "线路"), _c("number", INT32, "序号"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("every_days", INT32, "周期", "day"), _c("season_only", BOOL, "只在供暖季"), _c("from_day", INT32, "线路起", _DAY),
            _c("to_day", INT32, "线路止", _DAY, True), _c("since_day", INT32, "点位起", _DAY, True), _c("until_day", INT32, "点位止", _DAY, True),
        ), ("route", "number")),
        Table("patrol_check", "巡线打卡", "one check-in at a point of a patrol route", (
            _c("route", TEXT, "线路"), _c("number", INT32, "序号"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"),
            _c("day", INT32, "日", _DAY),
        ), ("route", "number", "day")),
        Table("warning", "管网预警", "one alarm about the network that was told to somebody", (
            _c("warning", TEXT, "编号"), _c("company", TEXT, "供热企业"), _c("banner", TEXT, "旗区"), _c("code", TEXT, "种类"),
            _c("priority", INT32, "优先级"), _c("raised_s", INT, "触发", "epoch s"), _c("answered_s", INT, "确认", "epoch s", True),
        ), ("warning",)),
    )
})  # fmt: skip


def empty(table: str) -> pl.DataFrame:
    """A table of the right shape without rows."""
    return pl.DataFrame(schema=TABLES[table].schema)


# (table, what must hold, its column, Chinese, English): rows in which a null keeps a side unknown hold.
_ROW_RULES: tuple[tuple[str, pl.Expr, str, str, str], ...] = tuple(
    (table, holds, column, zh, en)
    for tables, holds, column, zh, en in (
        (("outage", "outage_home"), pl.col("end_s") > pl.col("start_s"), "end_s", "恢复早于开始", "ends before it starts"),
        (("home_day",), pl.col("hours_covered") <= pl.col("hours_due"), "hours_covered", "有效小时多于应供小时", "more hours covered than due"),
        (("home_day",), pl.col("hours_below") <= pl.col("hours_covered"), "hours_below", "低温小时多于有效小时", "more hours below than covered"),
        (("home_day",), pl.col("longest_below_h") <= pl.col("hours_below"), "longest_below_h", "连续低温长于低温小时", "a run longer than all hours below"),
        (("home_day",), pl.col("min_c100") <= pl.col("mean_c100"), "min_c100", "最低高于平均", "the lowest is above the mean"),
        (("home_day",), pl.col("min_c100").is_not_null() == (pl.col("hours_covered") > 0), "min_c100", "有读数才有温度", "temperatures go with covered hours"),
        (("measurement",), pl.col("measured_s").is_not_null() | pl.col("temp_c100").is_null(), "measured_s", "有温度而无测温时间", "a temperature without its time"),
        (("vehicle",), pl.col("available_to") >= pl.col("available_from"), "available_to", "可用止早于可用起", "available to before from"),
    )
    for table in tables
)  # fmt: skip


def _line(rows: pl.Series) -> int:
    """The line of the first true row as a person counts in a file: the header is line 1."""
    return int(rows.arg_max() or 0) + 2


def _column_findings(table: str, column: Column, frame: pl.DataFrame) -> list[Finding]:
    series = frame[column.name]
    found: list[Finding] = []
    missing = series.is_null()
    if missing.any() and not column.nullable:
        found.append(
            Finding(
                table, "null", "不能为空", "must not be empty", "请填写，或删去该行。", _line(missing), column.name, count=int(missing.sum()),
            )
        )  # fmt: skip
    if column.allowed:
        wrong = ~series.is_in(list(column.allowed)).fill_null(True)
        if wrong.any():
            found.append(
                Finding(
                    table, "unknown_word", "不是规定的取值", "not one of the allowed words", f"可用：{'、'.join(column.allowed)}。",
                    _line(wrong), column.name, str(series.filter(wrong)[0]), count=int(wrong.sum()),
                )
            )  # fmt: skip
    if column.low is not None:
        wrong = (series < column.low).fill_null(False)
        if wrong.any():
            found.append(
                Finding(
                    table, "negative", "不能为负", "must not be negative", "请核对数值和单位。",
                    _line(wrong), column.name, str(series.filter(wrong)[0]), count=int(wrong.sum()),
                )
            )  # fmt: skip
    return found


def check(table: str, frame: pl.DataFrame) -> list[Finding]:
    """All that is wrong with a frame that claims to be a fact table: columns, types, nulls, words, signs, keys, contradictions.

    One finding for each kind of fault and column, with the line of its first row (header = 1) and the number of rows.
    """
    shape = TABLES[table]
    findings: list[Finding] = []
    sound: set[str] = set()
    for column in shape.columns:
        if column.name not in frame.columns:
            remedy = f"请补上“{column.zh}”列。"
            findings.append(
                Finding(table, "missing_column", "缺少此列", "the column is missing", remedy, field=column.name)
            )
        elif frame[column.name].dtype != column.dtype:
            remedy, dtype = f"应为 {column.dtype}。", str(frame[column.name].dtype)
            findings.append(
                Finding(table, "wrong_type", "类型不对", "wrong type", remedy, field=column.name, value=dtype)
            )
        else:
            sound.add(column.name)
            findings += _column_findings(table, column, frame)
    for name in frame.columns:
        if name not in shape.schema:
            remedy = "请删去，或改成规定的列名。"
            findings.append(Finding(table, "unknown_column", "多出此列", "the column is not known", remedy, field=name))
    if sound.issuperset(shape.key):
        twice = frame.select(pl.struct(shape.key).is_duplicated()).to_series()
        if twice.any():
            again = frame.select(~pl.struct(shape.key).is_first_distinct()).to_series()
            value = " ".join(str(part) for part in frame.filter(again).select(shape.key).row(0))
            findings.append(
                Finding(
                    table, "duplicate", "重复", "given twice", "同一键只能有一行，请合并或删去。",
                    _line(again), "+".join(shape.key), value, count=int(again.sum()),
                )
            )  # fmt: skip
    for where, holds, name, zh, en in _ROW_RULES:
        if where == table and sound.issuperset(holds.meta.root_names()):
            broken = frame.select(~holds.fill_null(True)).to_series()
            if broken.any():
                findings.append(
                    Finding(
                        table, "contradiction", zh, en, "请核对该行。", _line(broken), name, count=int(broken.sum())
                    )
                )
    return findings
