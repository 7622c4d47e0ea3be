"""The tables of a file import about money and maintenance: assets, repairs, costs, beneficiaries, payments, debts, funding."""

from collections.abc import Mapping
from types import MappingProxyType

from nuan.facts.schemas import (
    ASSET_KINDS,
    COST_CATEGORIES,
    DEBT_KINDS,
    FUNDING_KINDS,
    HANDOVERS,
    OWNERS,
    PAYERS,
    POSITIONS,
    WARRANTIES,
    WORKS,
)
from nuan.operations.registry_shapes import Field, RegistryTable

CATEGORIES = ("low_income", "destitute", "near_low_income", "special_care", "welfare")
_MOST = 100_000_000_000

SUPPORT_TABLES = (
    RegistryTable("assets", "供热设施", ("code",), (
        Field("code", "text", ("设施编号", "编号", "代码"), True, example="G-001"),
        Field("name", "text", ("设施名称", "名称"), True, example="祥和小区一次网支线"),
        Field("kind", "text", ("设施种类", "种类"), True, allowed=ASSET_KINDS, example="buried_pipe"),
        Field("company", "text", ("供热企业", "企业代码"), True, refers="companies", example="C01"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("building", "text", ("楼栋", "楼栋代码"), refers="buildings", example="B0042"),
        Field("owner", "text", ("产权人",), default="unknown", allowed=OWNERS, example="company"),
        Field("position", "text", ("位置", "相对计量装置或入户端口"), default="unknown", allowed=POSITIONS, example="outside"),
        Field("handover", "text", ("移交",), default="unknown", allowed=HANDOVERS, example="done"),
        Field("handed_over_on", "date", ("移交日期", "移交日"), example="2023-09-01"),
        Field("warranty", "text", ("保修",), default="unknown", allowed=WARRANTIES, example="until"),
        Field("warranty_until", "date", ("保修至", "保修期末日"), example="2026-04-15"),
        Field("builder", "text", ("建设单位",), default="", example="祥和置业"),
        Field("contract_ref", "text", ("供用热合同条款",), default=""),
    )),
    RegistryTable("repairs", "维修记录", ("code",), (
        Field("code", "text", ("维修编号", "编号"), True, example="W-2026-001"),
        Field("asset", "text", ("设施", "设施编号"), True, refers="assets", example="G-001"),
        Field("on", "date", ("日期", "维修日期"), True, example="2026-01-20"),
        Field("category", "text", ("类别",), True, allowed=WORKS, example="repair"),
        Field("cost_yuan", "decimal", ("费用", "费用元"), True, scale=100, low=0, high=_MOST, example="8600.00"),
        Field("charged_to", "text", ("列支单位", "实际列支"), default="unknown", allowed=PAYERS, example="company"),
        Field("invoice_ref", "text", ("发票号", "结算单号"), default=""),
        Field("memo", "text", ("备注",), default=""),
    )),
    RegistryTable("costs", "供热成本", ("code",), (
        Field("code", "text", ("凭证编号", "编号"), True, example="K-2026-001"),
        Field("company", "text", ("供热企业", "企业代码"), True, refers="companies", example="C01"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("asset", "text", ("设施", "设施编号"), refers="assets", example="G-001"),
        Field("repair", "text", ("维修编号",), refers="repairs", example="W-2026-001"),
        Field("on", "date", ("日期",), True, example="2026-01-20"),
        Field("category", "text", ("类别",), True, allowed=COST_CATEGORIES, example="repair"),
        Field("amount_yuan", "decimal", ("金额", "金额元"), True, scale=100, low=0, high=_MOST, example="8600.00"),
        Field("in_price_cost", "bool", ("列入定价成本",), True, example="是"),
        Field("invoice_ref", "text", ("发票号", "凭证号"), default=""),
        Field("memo", "text", ("备注",), default=""),
    )),
    RegistryTable("beneficiaries", "补贴对象", ("code",), (
        Field("code", "text", ("对象编号", "编号"), True, example="BT-0001"),
        Field("home", "text", ("户号", "热用户编号"), True, refers="homes", example="B0042-1-0301"),
        Field("category", "text", ("对象类别", "类别"), True, allowed=CATEGORIES, example="low_income"),
        Field("institution", "text", ("机构名称",), default=""),
        Field("evidence_ref", "text", ("证明编号",), True, example="DB-2025-000123"),
        Field("evidence_issuer", "text", ("出具单位",), default="", example="民政局"),
        Field("valid_from", "date", ("有效期起", "证明起"), True, example="2025-07-01"),
        Field("valid_to", "date", ("有效期止", "证明止"), example="2026-06-30"),
    )),
    RegistryTable("subsidy_payments", "补贴拨付", ("code",), (
        Field("code", "text", ("拨付编号", "编号"), True, example="BF-0001"),
        Field("beneficiary", "text", ("补贴对象", "对象编号"), True, refers="beneficiaries", example="BT-0001"),
        Field("programme", "text", ("补贴项目",), True, example="BT-2025"),
        Field("season", "text", ("采暖季", "供暖季"), True, example="2025-2026"),
        Field("amount_yuan", "decimal", ("金额", "金额元"), True, scale=100, low=0, high=_MOST, example="600.00"),
        Field("on", "date", ("日期", "拨付日期"), True, example="2025-11-20"),
        Field("reference", "text", ("凭证号",), default=""),
    )),
    RegistryTable("debts", "政府欠账", ("code",), (
        Field("code", "text", ("欠账编号", "编号"), True, example="QZ-001"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("debtor", "text", ("欠款单位",), True, example="住房和城乡建设局"),
        Field("company", "text", ("供热企业", "企业代码"), True, refers="companies", example="C01"),
        Field("kind", "text", ("欠账种类", "种类"), True, allowed=DEBT_KINDS, example="works"),
        Field("amount_yuan", "decimal", ("金额", "金额元"), True, scale=100, low=0, high=_MOST, example="900000.00"),
        Field("incurred_on", "date", ("发生日期", "发生日"), True, example="2023-06-01"),
        Field("due_on", "date", ("应付日期", "应付日"), example="2024-12-31"),
        Field("document", "text", ("依据",), default=""),
    )),
    RegistryTable("debt_payments", "欠账偿还", ("code",), (
        Field("code", "text", ("偿还编号", "编号"), True, example="CH-001"),
        Field("debt", "text", ("欠账", "欠账编号"), True, refers="debts", example="QZ-001"),
        Field("amount_yuan", "decimal", ("金额", "金额元"), True, scale=100, low=0, high=_MOST, example="300000.00"),
        Field("on", "date", ("日期", "偿还日期"), True, example="2025-06-30"),
        Field("reference", "text", ("凭证号",), default=""),
    )),
    RegistryTable("funding", "资金来源", ("code",), (
        Field("code", "text", ("资金编号", "编号"), True, example="ZJ-2025"),
        Field("name", "text", ("资金名称", "名称"), True, example="2025年供热专项预算"),
        Field("banner", "text", ("旗区", "旗区代码"), True, refers="banners", example="150602"),
        Field("kind", "text", ("资金种类", "种类"), True, allowed=FUNDING_KINDS, example="budget"),
        Field("committed_yuan", "decimal", ("承诺金额", "金额"), True, scale=100, low=0, high=_MOST, example="5000000.00"),
        Field("valid_from", "date", ("起", "起始日"), True, example="2025-01-01"),
        Field("valid_to", "date", ("止", "截止日"), example="2026-12-31"),
        Field("document", "text", ("文号",), default=""),
    )),
)  # fmt: skip
SUPPORT_WORDS_ZH: Mapping[str, str] = MappingProxyType({
    "直埋管道": "buried_pipe", "管道": "buried_pipe", "立管": "riser", "换热站设备": "station_equipment", "热量表": "household_meter",
    "热计量装置": "household_meter", "阀门": "valve", "户内管道": "indoor_pipe", "散热器": "radiator", "建设单位": "builder",
    "以外": "outside", "端口本身": "boundary", "以内": "inside", "未登记": "unknown", "已移交": "done", "尚未移交": "pending",
    "有保修期": "until", "没有保修期": "none", "维修": "repair", "养护": "upkeep", "更新": "renewal", "保障资金": "fund",
    "燃料": "fuel", "电力": "power", "水": "water", "人工": "labour", "折旧": "depreciation", "其他": "other", "低保": "low_income",
    "特困": "destitute", "低保边缘": "near_low_income", "优抚": "special_care", "公益性机构": "welfare", "供热补贴": "subsidy",
    "工程费": "works", "基础设施配套费": "infrastructure_fee", "配套费": "infrastructure_fee", "煤价疏导": "coal_price",
    "供热企业": "company", "热用户": "user", "用户": "user", "财政预算": "budget", "预算": "budget", "中央资金": "central", "债券": "bond", "债券资金": "bond", "PPP": "ppp", "基金": "fund",
})  # fmt: skip
