"""会计科目表: which accounts a company keeps. Numbers follow 企业会计准则 first-level accounts; what comes after the dot is ours.

By home are the accounts that say who owes and who is owed; the rest are one a company.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChartAccount:
    number: str
    kind: str
    name: str
    by_home: bool = False


CHART: dict[str, ChartAccount] = {
    "cash": ChartAccount("1001", "asset", "库存现金"),
    "bank": ChartAccount("1002", "asset", "银行存款"),
    "wechat": ChartAccount("1012.01", "asset", "其他货币资金·微信支付"),
    "alipay": ChartAccount("1012.02", "asset", "其他货币资金·支付宝"),
    "support_clearing": ChartAccount("1012.09", "asset", "财政拨付待核"),
    "receivable": ChartAccount("1122", "asset", "应收热费", by_home=True),
    "government": ChartAccount("1221.01", "asset", "应收政府款项"),
    "refund_claim": ChartAccount("1221.02", "asset", "应收追回退费", by_home=True),
    "subsidy_receivable": ChartAccount("1221.03", "asset", "应收财政补贴（代记）"),
    "cash_difference": ChartAccount("1901.01", "asset", "待处理现金长短款"),
    "prepaid": ChartAccount("2203", "liability", "预收热费", by_home=True),
    "refund_payable": ChartAccount("2241.01", "liability", "应退热费", by_home=True),
    "refund_transit": ChartAccount("2241.02", "liability", "退费在途"),
    "return_payable": ChartAccount("2241.03", "liability", "待退款项"),
    "subsidy_payable": ChartAccount("2241.04", "liability", "应付取暖补贴（代记）", by_home=True),
    "subsidy_overdue": ChartAccount("2241.05", "liability", "逾期取暖补贴（代记）", by_home=True),
    "suspense": ChartAccount("2241.09", "liability", "待查款项"),
    "heat_income": ChartAccount("6001.01", "income", "热费收入"),
    "stop_income": ChartAccount("6001.02", "income", "停热基本热费收入"),
    "refund": ChartAccount("6001.09", "income", "热费退还（抵减收入）"),
    "connection_income": ChartAccount("6051.01", "income", "接入费收入"),
    "government_income": ChartAccount("6117.01", "income", "其他收益·政府欠账"),
    "late_income": ChartAccount("6301.01", "income", "逾期违约金收入"),
    "write_off": ChartAccount("6701.01", "expense", "坏账损失"),
    "late_refund_interest": ChartAccount("6711.01", "expense", "滞退金支出"),
    "bank_fees": ChartAccount("6603.01", "expense", "手续费"),
}


class NoSuchAccountError(LookupError):
    def __init__(self, role: str) -> None:
        super().__init__(f"科目表里没有 {role!r}；有：{'、'.join(CHART)}")


class AccountByHomeError(ValueError):
    def __init__(self, role: str, *, by_home: bool) -> None:
        said = "按户设置，要给出住户" if by_home else "不按户设置"
        super().__init__(f"科目 {CHART[role].name}（{role}）{said}")


def account_code(company: str, role: str, home: str | None = None) -> str:
    """
    >>> account_code("C01", "receivable", "B0042-1-0301")
    'C01/1122/B0042-1-0301'
    """
    if role not in CHART:
        raise NoSuchAccountError(role)
    chart = CHART[role]
    if chart.by_home is not (home is not None):
        raise AccountByHomeError(role, by_home=chart.by_home)
    return f"{company}/{chart.number}" + (f"/{home}" if home else "")
