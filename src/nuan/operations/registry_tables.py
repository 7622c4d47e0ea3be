"""The tables of a registry import: headers, kinds and keys. docs/import.md and `nuan import template` are made from this."""

from collections.abc import Mapping
from types import MappingProxyType

from nuan.facts.schemas import CAUSES, LEVELS, PURPOSES
from nuan.operations.patrol_tables import PATROL_TABLES, PATROL_WORDS_ZH
from nuan.operations.registry_shapes import Field, RegistryTable
from nuan.operations.support_tables import SUPPORT_TABLES, SUPPORT_WORDS_ZH

HOME_CLASSES = ("residential", "public", "commercial", "industrial")
FUELS = ("coal", "gas", "waste_heat", "biomass", "electric", "geothermal", "oil")
PACK_DEFAULT = "directive"

_ROWS = (
    RegistryTable("banners", "旗区", ("code",), (
        Field("code", "text", ("旗区代码", "代码", "行政区划代码"), True, example="150602"),
        Field("name", "text", ("旗区", "旗区名称", "名称"), True, example="东胜区"),
        Field("pack", "text", ("口径", "政策包"), default=PACK_DEFAULT, example="directive"),
    )),
    RegistryTable("companies", "供热企业", ("code",), (
        Field("code", "text", ("企业代码", "代码"), True, example="C01"),
        Field("name", "text", ("供热企业", "企业名称", "名称"), True, example="城北热力公司"),
        Field("uscc", "text", ("统一社会信用代码",), default=""),
        Field("service_phone", "text", ("客服电话", "服务电话"), default="", example="0477-8580000"),
    )),
    RegistryTable("sources", "热源", ("code",), (
        Field("code", "text", ("热源代码", "代码"), True, example="H01"),
        Field("name", "text", ("热源", "热源名称", "名称"), True, example="城北热源厂"),
        Field("company", "text", ("供热企业", "企业代码"), True, refers="companies", example="C01"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("fuel", "text", ("燃料",), default="coal", allowed=FUELS, example="coal"),
        Field("capacity_mw", "decimal", ("装机容量", "供热能力", "装机容量MW"), scale=1000, low=0, high=20_000, example="116"),
        Field("longitude", "float", ("经度",), low=-180, high=180, example="109.98"),
        Field("latitude", "float", ("纬度",), low=-90, high=90, example="39.83"),
    )),
    RegistryTable("substations", "换热站", ("code",), (
        Field("code", "text", ("换热站代码", "代码", "站号"), True, example="H01-S03"),
        Field("name", "text", ("换热站", "换热站名称", "名称"), True, example="三号站"),
        Field("source", "text", ("热源", "热源代码"), True, refers="sources", example="H01"),
        Field("company", "text", ("供热企业", "企业代码"), True, refers="companies", example="C01"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("longitude", "float", ("经度",), low=-180, high=180, example="109.99"),
        Field("latitude", "float", ("纬度",), low=-90, high=90, example="39.82"),
    )),
    RegistryTable("loops", "环路", ("code",), (
        Field("code", "text", ("环路代码", "代码"), True, example="H01-S03-L1"),
        Field("name", "text", ("环路", "环路名称", "名称"), True, example="低区"),
        Field("substation", "text", ("换热站", "换热站代码"), True, refers="substations", example="H01-S03"),
    )),
    RegistryTable("buildings", "楼栋", ("code",), (
        Field("code", "text", ("楼栋代码", "代码", "楼栋编号"), True, example="B0042"),
        Field("name", "text", ("楼栋", "楼栋名称", "名称", "楼号"), True, example="7号楼"),
        Field("estate", "text", ("小区", "小区名称"), default="", example="祥和小区"),
        Field("loop", "text", ("环路", "环路代码"), True, refers="loops", example="H01-S03-L1"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("longitude", "float", ("经度",), low=-180, high=180, example="109.99"),
        Field("latitude", "float", ("纬度",), low=-90, high=90, example="39.82"),
        Field("built_year", "int", ("建成年份", "建成年"), low=1800, high=2200, example="2008"),
        Field("floors", "int", ("层数",), low=1, high=200, example="6"),
    )),
    RegistryTable("homes", "热用户", ("code", "season"), (
        Field("code", "text", ("户号", "热用户编号", "代码", "用户编号"), True, example="B0042-1-0301"),
        Field("building", "text", ("楼栋", "楼栋代码"), True, refers="buildings", example="B0042"),
        Field("entrance", "text", ("单元",), default="", example="1"),
        Field("floor", "int", ("楼层",), low=-5, high=200, example="3"),
        Field("door", "text", ("房号", "门牌"), default="", example="301"),
        Field("home_class", "text", ("用户类别",), default="residential", allowed=HOME_CLASSES, example="residential"),
        Field("area_m2", "decimal", ("建筑面积", "计费面积", "面积", "建筑面积㎡"), True, scale=100, low=1, high=100_000, example="89.5"),
        Field("season_fee_yuan", "decimal", ("采暖季热费", "热费", "应缴热费"), scale=100, low=0, high=100_000_000, example="2148.00"),
        Field("base_fee_yuan", "decimal", ("基本热费",), scale=100, low=0, high=100_000_000),
        Field("stop_heat", "bool", ("停热", "报停"), default=False, example="否"),
        Field("metered", "bool", ("计量收费", "热计量"), default=False, example="否"),
        Field("season", "text", ("采暖季", "供暖季"), True, example="2025-2026"),
    )),
    RegistryTable("residents", "居民", ("home", "name"), (
        Field("home", "text", ("户号", "热用户编号"), True, refers="homes", example="B0042-1-0301"),
        Field("name", "text", ("姓名", "户主"), True, example="王阿姨"),
        Field("phone", "text", ("电话", "手机", "联系电话"), default=""),
    )),
    RegistryTable("vehicles", "移动应急热源车", ("code",), (
        Field("code", "text", ("车辆编号", "代码", "车牌"), True, example="V01"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("power_kw", "int", ("功率", "功率kW"), True, low=1, high=100_000, example="1400"),
        Field("available_from", "date", ("可用起", "可用日期"), True, example="2025-10-15"),
        Field("available_to", "date", ("可用止",)),
        Field("station", "text", ("停放点",), default="", example="城北热源厂"),
    )),
    RegistryTable("outages", "停热事件", ("code",), (
        Field("code", "text", ("停热编号", "编号", "代码"), True, example="O-2026-01"),
        Field("level", "text", ("层级",), True, allowed=LEVELS, example="substation"),
        Field("place", "text", ("地点", "地点代码"), True, example="H01-S03"),
        Field("started_at", "moment", ("开始时间", "停热时间"), True, example="2026-01-10 08:00"),
        Field("ended_at", "moment", ("恢复时间",), example="2026-01-11 15:00"),
        Field("planned", "bool", ("计划内",), default=False, example="否"),
        Field("cause", "text", ("原因",), default="unknown", allowed=CAUSES, example="supplier"),
        Field("attested_by", "text", ("认定人",), default=""),
        Field("note", "text", ("备注",), default=""),
    )),
    RegistryTable("fuel", "燃料日报", ("source", "day"), (
        Field("source", "text", ("热源", "热源代码"), True, refers="sources", example="H01"),
        Field("day", "date", ("日期",), True, example="2026-01-10"),
        Field("stock_t", "decimal", ("库存", "库存吨"), scale=1000, low=0, high=2_000_000, example="5200"),
        Field("burn_t", "decimal", ("日耗", "日耗吨"), scale=1000, low=0, high=50_000, example="310"),
        Field("arriving_t", "decimal", ("在途", "在途吨"), scale=1000, default=0, low=0, high=2_000_000, example="0"),
    )),
    RegistryTable("measurements", "测温记录", ("code",), (
        Field("code", "text", ("测温编号", "编号", "代码"), True, example="M-2026-001"),
        Field("home", "text", ("户号", "热用户编号"), True, refers="homes", example="B0042-1-0301"),
        Field("room", "text", ("房间",), default="living", example="living"),
        Field("room_area_m2", "decimal", ("房间面积",), scale=100, low=1, high=10_000, example="18.2"),
        Field("requested_at", "moment", ("申请时间",), example="2026-01-10 09:00"),
        Field("measured_at", "moment", ("测温时间",), example="2026-01-10 15:30"),
        Field("temp_c", "decimal", ("测得温度", "室温"), scale=100, low=-40, high=60, example="16.40"),
        Field("method", "text", ("方法",), default=""),
        Field("instrument", "text", ("仪器", "仪器编号"), default=""),
        Field("signed_user", "bool", ("用户签字",), default=False, example="是"),
        Field("signed_company", "bool", ("企业签字",), default=False, example="是"),
        Field("user_refused", "bool", ("用户拒绝",), default=False),
        Field("company_absent", "bool", ("企业未到",), default=False),
        Field("no_record", "bool", ("企业未留存记录", "未留存记录", "无记录"), default=False),
        Field("third_party", "bool", ("第三方",), default=False),
        Field("purpose", "text", ("目的",), default="complaint", allowed=PURPOSES, example="complaint"),
    )),
)  # fmt: skip

TABLES: Mapping[str, RegistryTable] = MappingProxyType(
    {table.name: table for table in (*_ROWS, *SUPPORT_TABLES, *PATROL_TABLES)}
)
"""In the order in which they must be written: what is referred to comes first."""
WORDS_ZH: Mapping[str, str] = MappingProxyType({
    "居民": "residential", "住宅": "residential", "公建": "public", "商业": "commercial", "工业": "industrial",
    "煤": "coal", "燃煤": "coal", "天然气": "gas", "燃气": "gas", "余热": "waste_heat", "生物质": "biomass", "电": "electric",
    "地热": "geothermal", "油": "oil", "热源": "source", "换热站": "substation", "环路": "loop", "楼栋": "building",
    "热用户": "home", "供热企业": "supplier", "用户自身": "user", "第三方": "third_party", "不可抗力": "force_majeure",
    "未查明": "unknown", "投诉": "complaint", "复测": "retest", "争议": "dispute",
})  # fmt: skip
"""Chinese words that stand for an allowed word."""


def words_of(field: Field) -> dict[str, str]:
    """The Chinese words that stand for an allowed word of this field: 供热企业 is `supplier` as a cause and `company` as an owner."""
    tables = (WORDS_ZH, SUPPORT_WORDS_ZH, PATROL_WORDS_ZH)
    return {zh: word for table in tables for zh, word in table.items() if word in field.allowed}
