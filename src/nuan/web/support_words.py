"""States of the money pages as word and colour, and labels of the records in the language of the page."""

from nuan.policies.support.arrears import AGES
from nuan.web.wording import say

SUBSIDY_STATES = {
    "overdue": ("逾期未付", "red"),
    "overpaid": ("多付", "red"),
    "unknown": ("金额算不出", "amber"),
    "expired": ("证明已过期", "amber"),
    "due": ("未到期", "grey"),
    "paid": ("已付清", "green"),
    "nothing": ("不应付", "grey"),
}
DEBT_STATES = {
    "unsettled": ("到期未还", "red"),
    "plan_broken": ("未按计划偿还", "red"),
    "due_unknown": ("应付日未登记", "amber"),
    "planned": ("按计划偿还中", "green"),
    "not_due": ("未到期", "grey"),
    "paid": ("已还清", "green"),
}
INSTALMENT_STATES = {
    "kept": ("按期", "green"),
    "late": ("晚付已补", "amber"),
    "broken": ("未付", "red"),
    "pending": ("未到期", "grey"),
}
APPLICATION_STATES = {
    "ineligible": ("不予受理", "red"),
    "waiting": ("待审批", "amber"),
    "refused": ("未同意", "red"),
    "approved": ("已批准", "green"),
    "paid": ("已支付", "green"),
}
TASK_STATES = {
    "late": ("逾期", "red"),
    "loose": ("缺责任人或期限", "red"),
    "open": ("进行中", "grey"),
    "done": ("已完成", "green"),
}
AGE_WORDS = {key: zh for key, _, zh, _ in AGES}


def label(chinese: object) -> str:
    """A label of a record's choices."""
    return say(str(chinese))
