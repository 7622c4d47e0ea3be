"""Payment files as their channels write them, for the small city's bills."""

from collections.abc import Sequence
from datetime import date

ALL = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
    "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
SUCCESS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
    "商品名称,商户数据包,手续费,费率,订单金额,费率备注"
)
REFUND = ALL.replace("微信退款单号", "退款申请时间,退款成功时间,微信退款单号")
TODAY = date(2026, 1, 20)
Pay = tuple[str, str, int]
"""Transaction, reference, fen."""
Back = tuple[str, str, str, int, str]
"""Refund, transaction, our number, fen, state."""


def yuan(fen: int) -> str:
    return f"{fen / 100:.2f}"


def _line(values: dict[str, str], head: str) -> str:
    return ",".join("`" + values.get(name, "") for name in head.split(","))


def wechat(pays: Sequence[Pay] = (), backs: Sequence[Back] = (), head: str = ALL, day: str = "2025-11-03") -> str:
    """A trade bill of a day, with a fee of 0.6 % on each receipt."""
    lines, fee, settled, back = [head], 0, 0, 0
    for number, (txn, reference, fen) in enumerate(pays):
        own = round(fen * 6 / 1000)
        fee, settled = fee + own, settled + fen
        lines.append(
            _line(
                {
                    "交易时间": f"{day} 08:{number // 60 % 60:02d}:{number % 60:02d}", "公众账号ID": "wx0123456789", "商户号": "1900000001",
                    "特约商户号": "0", "微信订单号": txn, "商户订单号": reference, "用户标识": f"oUser{txn}", "交易类型": "JSAPI",
                    "交易状态": "SUCCESS", "付款银行": "OTHERS", "货币种类": "CNY", "应结订单金额": yuan(fen), "代金券金额": "0.00",
                    "微信退款单号": "0", "商户退款单号": "0", "退款金额": "0.00", "充值券退款金额": "0.00", "商品名称": "采暖费",
                    "手续费": f"{own / 100:.5f}", "费率": "0.60%", "订单金额": yuan(fen), "申请退款金额": "0.00",
                },
                head,
            )
        )  # fmt: skip
    for refund, txn, payout, fen, state in backs:
        back += fen
        lines.append(
            _line(
                {
                    "交易时间": f"{day} 12:00:00", "公众账号ID": "wx0123456789", "商户号": "1900000001", "特约商户号": "0",
                    "微信订单号": txn, "商户订单号": "x", "交易类型": "JSAPI", "交易状态": "REFUND", "付款银行": "OTHERS", "货币种类": "CNY",
                    "应结订单金额": "0.00", "代金券金额": "0.00", "退款申请时间": f"{day} 12:00:00", "退款成功时间": f"{day} 12:00:09",
                    "微信退款单号": refund, "商户退款单号": payout, "退款金额": yuan(fen), "充值券退款金额": "0.00", "退款类型": "ORIGINAL",
                    "退款状态": state, "商品名称": "采暖费", "手续费": "0.00000", "费率": "0.60%", "订单金额": "0.00", "申请退款金额": yuan(fen),
                },
                head,
            )
        )  # fmt: skip
    rows, totals = (
        str(len(pays) + len(backs)),
        [yuan(settled), yuan(back), "0.00", f"{fee / 100:.5f}", yuan(settled), yuan(back)],
    )
    names = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
    if head == SUCCESS:
        names, totals = "总交易单数,应结订单总金额,手续费总金额,订单总金额", [totals[0], totals[3], totals[4]]
    return "\n".join([*lines, names, ",".join("`" + value for value in (rows, *totals))]) + "\n"


def alipay(pays: Sequence[Pay], day: str = "2025-11-04") -> str:
    head = (
        "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
        "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
        "退款批次号/请求号,服务费（元）,分润（元）,备注"
    )
    rule = "-" * 20
    lines = [
        "#支付宝业务明细查询",
        "#账号：[20880000000000000156]",
        f"#起始日期：[{day} 00:00:00]   终止日期：[{day} 24:00:00]",
        f"#{rule}业务明细列表{rule}",
        head,
    ]
    for txn, reference, fen in pays:
        money = f"{yuan(fen)},{yuan(fen)}"
        lines.append(
            f"{txn}\t,{reference}\t,交易\t,采暖费,{day} 09:00:00,{day} 09:00:05,\t,\t,\t,\t,*兰(139****1111)\t,{money},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,0.00,0.00,"
        )
    total = sum(fen for *_, fen in pays)
    lines += [
        f"#{rule}业务明细列表结束{rule}",
        f"#交易合计：{len(pays)}笔，商家实收共{yuan(total)}元，商家优惠共0.00元",
        "#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元",
        "#导出时间：[2025-11-05 02:00:00]",
    ]
    return "\n".join(lines) + "\n"


def bank(pays: Sequence[Pay], day: str = "20251105") -> str:
    lines = ["账号：6222****0001,户名：暖阳热力", "交易日期,交易时间,交易流水号,借方金额,贷方金额,余额,对方户名,附言"]
    for txn, reference, fen in pays:
        lines.append(f"{day},10:00:00,{txn},,{yuan(fen)},,王秀兰,{reference}")
    total = sum(fen for *_, fen in pays)
    lines.append(f"合计,{len(pays)}笔,,0.00,{yuan(total)},,,")
    return "\n".join(lines) + "\n"
