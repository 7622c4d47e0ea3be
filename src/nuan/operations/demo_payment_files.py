"""Payment files of the sample city, written as the channels write them, so that the real importers read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WECHAT_HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
    "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
WECHAT_TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
ALIPAY_HEAD = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
    "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
FEE_PER_MILLE = 6


@dataclass(frozen=True, slots=True)
class Paid:
    """Somebody pays: the channel's number, what they wrote, fen, and the day's minute."""

    txn: str
    reference: str
    fen: int
    minute: int


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _clock(minute: int) -> str:
    return f"{8 + minute // 60 % 12:02d}:{minute % 60:02d}:00"


def wechat_file(day: date, rows: Sequence[Paid], back: Sequence[Paid] = ()) -> bytes:
    """A trade bill of one day (ALL, 27 columns) with its totals; `back` was refunded at the platform the same day, its fee with it."""
    lines, fees = [WECHAT_HEAD], 0
    for each in rows:
        fee = each.fen * FEE_PER_MILLE // 1000
        fees += fee
        cells = (
            f"{day} {_clock(each.minute)}", "wx0000000000demo", "1900000001", "0", "", each.txn, each.reference, f"oDemo{each.txn[-10:]}", "JSAPI",
            "SUCCESS", "OTHERS", "CNY", _yuan(each.fen), "0.00", "0", "0", "0.00", "0.00", "", "", "采暖费", "", f"{_yuan(fee)}000", "0.60%",
            _yuan(each.fen), "0.00", "",
        )  # fmt: skip
        lines.append(",".join("`" + cell for cell in cells))
    for each in back:
        fee = each.fen * FEE_PER_MILLE // 1000
        fees -= fee
        cells = (
            f"{day} 21:00:00", "wx0000000000demo", "1900000001", "0", "", each.txn, each.reference, f"oDemo{each.txn[-10:]}", "JSAPI", "REFUND",
            "OTHERS", "CNY", "0.00", "0.00", f"50{each.txn[2:]}", f"shop-{each.txn[-6:]}", _yuan(each.fen), "0.00", "ORIGINAL", "SUCCESS", "采暖费",
            "", f"-{_yuan(fee)}000", "0.60%", "0.00", _yuan(each.fen), "",
        )  # fmt: skip
        lines.append(",".join("`" + cell for cell in cells))
    total, gone = _yuan(sum(each.fen for each in rows)), _yuan(sum(each.fen for each in back))
    totals = (str(len(rows) + len(back)), total, gone, "0.00", f"{_yuan(fees)}000", total, gone)
    return "\n".join([*lines, WECHAT_TOTALS, ",".join("`" + cell for cell in totals), ""]).encode()


def alipay_file(day: date, rows: Sequence[Paid]) -> bytes:
    """业务明细 of one day, in GBK as the platform gives it."""
    rule = "-" * 20
    lines = ["#支付宝业务明细查询", "#账号：[20880000000000000156]", f"#起始日期：[{day} 00:00:00]   终止日期：[{day} 24:00:00]", f"#{rule}业务明细列表{rule}", ALIPAY_HEAD]  # fmt: skip
    for each in rows:
        cells = (
            f"{each.txn}\t", f"{each.reference}\t", "交易\t", "采暖费", f"{day} {_clock(each.minute)}", f"{day} {_clock(each.minute)}", "\t", "\t", "\t",
            "\t", "*先生(138****0000)\t", _yuan(each.fen), _yuan(each.fen), "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00\t", "0.00", "\t", "0.00",
            "0.00", "",
        )  # fmt: skip
        lines.append(",".join(cells))
    total = _yuan(sum(each.fen for each in rows))
    lines += [f"#{rule}业务明细列表结束{rule}", f"#交易合计：{len(rows)}笔，商家实收共{total}元，商家优惠共0.00元", "#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元", ""]  # fmt: skip
    return "\n".join(lines).encode("gb18030")


def bank_file(day: date, rows: Sequence[Paid]) -> bytes:
    """A statement of one day, in GBK, with a line of totals."""
    lines = ["账号：6222****0001,户名：示例热力", "交易日期,交易时间,交易流水号,借方金额,贷方金额,余额,对方户名,附言"]
    lines += [
        f"{day:%Y%m%d},{_clock(each.minute)},{each.txn},,{_yuan(each.fen)},,李先生,{each.reference}" for each in rows
    ]
    lines += [f"合计,{len(rows)}笔,,0.00,{_yuan(sum(each.fen for each in rows))},,,", ""]
    return "\n".join(lines).encode("gb18030")


WRITERS = {"wechat": wechat_file, "alipay": alipay_file, "bank": bank_file}
