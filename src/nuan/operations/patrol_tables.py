"""The tables of a file import about patrols: routes and their points. A route that was walked keeps its plan."""

from collections.abc import Mapping
from types import MappingProxyType

from nuan.operations.registry_shapes import Field, RegistryTable

POINT_KINDS = ("substation", "chamber", "pipe", "valve", "building", "source", "other")
WHEN = ("season", "year")
PATROL_TABLES = (
    RegistryTable("patrol_routes", "巡线线路", ("code",), (
        Field("code", "text", ("线路编号", "编号", "代码"), True, example="XL-01"),
        Field("name", "text", ("线路名称", "名称"), True, example="城北一次网东线"),
        Field("company", "text", ("供热企业", "企业代码"), True, refers="companies", example="C01"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("every_days", "int", ("周期天数", "几天一巡", "巡检周期"), True, low=1, high=366, example="7"),
        Field("when", "text", ("时段", "巡线时段"), default="season", allowed=WHEN, example="season"),
        Field("starts_on", "date", ("起始日", "起"), True, example="2025-10-15"),
        Field("ends_on", "date", ("截止日", "止")),
    )),
    RegistryTable("patrol_points", "巡线点", ("route", "number"), (
        Field("route", "text", ("线路", "线路编号"), True, refers="patrol_routes", example="XL-01"),
        Field("number", "int", ("序号",), True, low=1, high=1000, example="1"),
        Field("kind", "text", ("种类", "点位种类"), default="other", allowed=POINT_KINDS, example="chamber"),
        Field("place", "text", ("地点代码", "地点"), default="", example="J-12"),
        Field("name", "text", ("点位名称", "名称"), True, example="12号检查井"),
        Field("look_at", "text", ("看什么", "检查内容"), default="", example="井内积水、阀门、补偿器"),
        Field("longitude", "float", ("经度",), low=-180, high=180, example="109.98"),
        Field("latitude", "float", ("纬度",), low=-90, high=90, example="39.83"),
        Field("since", "date", ("启用日期", "启用")),
        Field("until", "date", ("停用日期", "停用")),
    )),
)  # fmt: skip
PATROL_WORDS_ZH: Mapping[str, str] = MappingProxyType({
    "供暖季": "season", "采暖季": "season", "全年": "year", "检查井": "chamber", "井室": "chamber", "管段": "pipe", "换热站": "substation",
    "阀门": "valve", "楼栋": "building", "热源": "source", "其他": "other",
})  # fmt: skip
