"""The words of the pages: Chinese is the key, the tables in `wording_en/` have the English. One mechanism for templates and views.

A word without English stays Chinese; a test reads all templates and views and refuses a key that the table lacks.
"""

from functools import cache
from pathlib import Path

import yaml
from django.utils.translation import get_language


@cache
def english() -> dict[str, str]:
    table: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / "wording_en").glob("*.yaml")):
        table.update(yaml.safe_load(path.read_text(encoding="utf-8")))
    return table


def in_english() -> bool:
    return (get_language() or "").startswith("en")


def say(chinese: str, **values: object) -> str:
    """The words in the language of the request, with `{name}` filled in."""
    text = english().get(chinese, chinese) if in_english() else chinese
    return text.format(**values) if values else text


# Codes of records that people read: rooms, purposes of a measurement, acts of the audit log.
WORDS = {
    "bedroom": "卧室",
    "living": "客厅",
    "complaint": "投诉测温",
    "retest": "复测",
    "dispute": "争议复核",
    "create_demo_accounts": "建立演示账号",
    "import_registry": "导入登记册",
    "import_readings": "导入读数",
    "correct_readings": "更正读数",
    "judge_homes": "判定住户",
    "judge_places": "判定站源和旗区",
    "judge_season": "完成一次判定",
    "start_judging": "开始判定",
    "sign_interpretation": "签署口径",
    "create_token": "发放令牌",
    "export_with_doors": "导出带门牌的数据",
    "record_outage": "登记停热",
    "import_network": "导入管网",
    "set_valve": "登记阀门开关",
    "rehearse_network": "管网演练",
    "record_site": "登记特殊保障单位",
    "end_site": "结束特殊保障",
    "register_gateway": "开通网关",
    "rotate_gateway": "更换网关令牌",
    "close_gateway": "停用网关",
    "define_profiles": "定义设备模板",
    "register_devices": "登记设备",
    "exchange_device": "登记换表",
    "record_calibration": "登记检定",
    "discard_dead_letters": "弃置死信",
    "replay_dead_letters": "重放死信",
    "dismiss_suggestion": "排除接线提示",
    "dismiss_station_finding": "排除换热站健康的发现",
    "stop_judging": "停止判定",
    "revoke_token": "收回令牌",
    "acknowledge_alarms": "确认告警",
    "shelve_alarms": "搁置告警",
    "unshelve_alarms": "取消搁置告警",
    "change_alarm_definition": "改动告警定义",
    "withdraw_alarm_definition": "撤回告警定义的改动",
    "add_notice_route": "加上通知对象",
    "remove_notice_route": "去掉通知对象",
    "retry_notice": "再发通知",
    "preview_bills": "预览账单",
    "post_bills": "账单入账",
    "propose_bill_run": "提请出账",
    "decide_bill_run": "审批出账",
    "propose_period_close": "提请结账",
    "decide_period_close": "审批结账",
    "close_period": "月末结账",
    "propose_bill_document": "提请更正账单",
    "decide_bill_document": "审批账单更正",
    "adjust_bill": "调整账单",
    "cancel_bill": "冲销账单",
    "charge_late_fees": "计违约金",
    "dun": "催缴",
    "hold_billing": "暂停催缴",
    "release_billing_hold": "恢复催缴",
    "seal_days": "封存账日",
    "export_ledger_with_doors": "导出带门牌的账本",
    "record_billing_cards": "登记计费卡片",
    "decide_stop_heat": "办理停热申请",
    "continue_stops": "认定未办手续的住户继续停热",
    "import_payments": "导入收款文件",
    "refuse_payment_file": "收款文件没过",
    "put_file_aside": "收款文件已处理",
    "place_payment": "核销收款",
    "take_back_payment": "撤销核销",
    "pay_from_credit": "用余额付账单",
    "back_into_credit": "撤销余额抵扣",
    "propose_return": "提请原路退回",
    "propose_payment_return": "提请退回审批",
    "decide_payment_return": "审批原路退回",
    "book_return": "原路退回入账",
    "withdraw_return": "撤回退回申请",
    "send_return": "发出退回付款",
    "settle_return": "记退回付款结果",
    "enter_support_row": "登记或更改保障资金的记录",
    "book_government_debts": "政府欠账入账",
    "book_subsidies": "取暖补贴入账",
    "ask_set_off_undo": "提请撤销抵扣",
    "propose_refund_setoff": "提请撤销抵扣审批",
    "decide_refund_setoff": "审批撤销抵扣",
    "undo_set_off": "撤销抵扣入账",
    "ask_channel_refund": "提请平台退款入账",
    "propose_channel_refund": "提请平台退款审批",
    "decide_channel_refund": "审批平台退款",
    "book_channel_refund": "平台退款入账",
    "withdraw_channel_refund": "撤回平台退款的提请",
    "receive_cash": "柜台收现金",
    "close_counter_day": "柜台日结",
    "receive_channel_event": "渠道消息",
    "propose_refunds": "提请退费",
    "propose_refund_batch": "提请退费审批",
    "decide_refund_batch": "审批退费",
    "withdraw_refunds": "撤回退费批次",
    "post_refunds": "退费入账",
    "send_payouts": "发出退费付款",
    "settle_payouts": "记退费付款结果",
    "credit_payouts": "退费抵下季热费",
    "reverse_entry": "冲销凭证",
    "exact": "按号码和金额",
    "split": "一笔付几张,合计相等",
    "part": "按号码,付了一部分",
    "over": "按号码,多付的进余额",
    "person": "由人核销",
    "oldest_first": "从最早的账单起",
    "overpaid": "账单调低,多付的进余额",
    "undo": "撤销",
    "wechat": "微信支付",
    "alipay": "支付宝",
    "bank": "银行转账",
    "counter": "柜台现金",
    "prepaid": "预存余额",
    "record_repair": "登记维修",
    "cancel_repair": "冲销维修",
    "record_cost": "登记成本",
    "enter_into_price_cost": "更正是否列入定价成本",
    "open_fund": "设立保障资金账户",
    "deposit_fund": "登记保障资金存入",
    "apply_fund": "申请使用保障资金",
    "approve_fund_application": "同意保障资金申请",
    "refuse_fund_application": "不同意保障资金申请",
    "spend_fund": "支付保障资金",
    "set_subsidy_programme": "登记补贴项目",
    "record_subsidy_payment": "登记补贴拨付",
    "reverse_subsidy_payment": "冲销补贴拨付",
    "open_evidence": "查看补贴对象证明",
    "record_debt": "登记政府欠账",
    "settle_debt": "登记欠账偿还",
    "agree_settlement_plan": "登记清偿计划",
    "commit_funding": "登记资金来源",
    "use_funding": "登记资金使用",
    "adopt_plan": "登记实施方案",
    "add_plan_task": "增加任务",
    "complete_task": "完成任务",
    "report_nil": "签署零报告",
    "report_hazard": "上报隐患",
    "hazard_confirm": "隐患定级派人",
    "hazard_reject": "认定不属隐患",
    "hazard_start": "开始整改隐患",
    "hazard_rectify": "隐患整改完成",
    "hazard_pass": "隐患复查通过",
    "hazard_fail": "隐患复查退回",
    "hazard_assign": "换隐患责任人",
    "hazard_grade": "改定隐患级别",
    "hazard_extend": "延长隐患期限",
    "hazard_note": "补充隐患说明",
    "escalate_hazard": "升级上报隐患",
    "assign_patrol": "派巡线",
    "check_in": "巡线打卡",
}


def spoken(code: str) -> str:
    """A code in words; one that has none is shown as it is."""
    return say(WORDS[code]) if code in WORDS else code


def said_by(refused: Exception) -> str:
    """The sentence of an act that refused: `Chinese / English`, in the language of the page."""
    zh, _, en = str(refused).partition(" / ")
    return en if en and in_english() else zh


def pick(chinese: str, foreign: str) -> str:
    """One of two texts that come in both languages (titles of clauses, findings)."""
    return foreign if in_english() and foreign else chinese
