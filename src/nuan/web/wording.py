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
    "stop_judging": "停止判定",
    "revoke_token": "收回令牌",
}


def spoken(code: str) -> str:
    """A code in words; one that has none is shown as it is."""
    return say(WORDS[code]) if code in WORDS else code


def pick(chinese: str, foreign: str) -> str:
    """One of two texts that come in both languages (titles of clauses, findings)."""
    return foreign if in_english() and foreign else chinese
