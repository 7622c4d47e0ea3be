"""计费卡片 from a file: measured areas, ceiling heights and the season's consumption, as a CSV with Chinese or English headings."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from nuan.operations.acts import act
from nuan.records.billing.models import BillingCard
from nuan.records.registry.models import Home
from nuan.terms.findings import Finding, FindingsError

# heading → (column, whole units of the column in one of the file's); nothing is converted but the decimal point
COLUMNS: dict[str, tuple[str, int]] = {
    "建筑面积": ("building_m2_100", 100), "building_m2": ("building_m2_100", 100), "套内面积": ("inner_m2_100", 100),
    "inner_m2": ("inner_m2_100", 100), "使用面积": ("usable_m2_100", 100), "usable_m2": ("usable_m2_100", 100),
    "层高": ("ceiling_mm", 1000), "ceiling_m": ("ceiling_mm", 1000), "用热量": ("heat_1000", 1000), "heat": ("heat_1000", 1000),
    "新接入面积": ("connection_m2_100", 100), "connection_m2": ("connection_m2_100", 100),
}  # fmt: skip
HOME, UNIT = ("户号", "home"), ("用热量单位", "heat_unit")
UNITS = {"kwh": "kWh", "gj": "GJ"}
MOST_SHOWN = 200
MOST = {"ceiling_mm": 100_000}
"""More than this is a slip of the point or unit, and does not fit the column; everything else up to `MOST_ELSE`."""
MOST_ELSE = 10**12


def record_cards(data: bytes, name: str, *, season: str, actor: str) -> int:
    """How many cards were written. An empty cell leaves what is recorded; one fault refuses the whole file (FindingsError)."""
    rows, findings = _read(data, name)
    homes = dict(Home.objects.filter(code__in=[home for home, _ in rows]).values_list("code", "pk"))
    for number, (home, _) in enumerate(rows, 2):
        if home not in homes:
            findings.append(_finding(name, number, "home", "unknown_home", "没有这个户号", "no such home", home))
    if findings:
        raise FindingsError(findings[:MOST_SHOWN])
    with act("record_billing_cards", actor=actor, subject=season, why=name) as row:
        for home, values in rows:
            BillingCard.objects.update_or_create(home_id=homes[home], season=season, defaults=dict(values))
        row.details = {"cards": len(rows), "file": name}
        row.nothing_changed = not rows
    return len(rows)


def _finding(name: str, row: int, field: str, code: str, zh: str, en: str, value: str) -> Finding:
    return Finding(name, code, zh, en, "请改正后重新导入；整个文件都没有写入。", row, field, value)


def _read(data: bytes, name: str) -> tuple[list[tuple[str, Mapping[str, Any]]], list[Finding]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    reader = csv.DictReader(io.StringIO(text))
    heads = [head.strip() for head in reader.fieldnames or ()]
    home_head = next((head for head in heads if head in HOME), None)
    unknown = [head for head in heads if head not in {*HOME, *UNIT, *COLUMNS}]
    findings = [_finding(name, 1, head, "unknown_column", "不认识的列", "unknown column", head) for head in unknown]
    if home_head is None:
        return [], [*findings, _finding(name, 1, "户号", "missing_column", "缺少户号列", "no column with the home", "")]
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for number, row in enumerate(reader, 2):
        values: dict[str, Any] = {}
        for head, cell in row.items():
            text_cell = (cell or "").strip() if isinstance(cell, str) else ""
            if head is None or not text_cell:
                continue
            if head.strip() in UNIT:
                unit = UNITS.get(text_cell.lower())
                if unit is None:
                    findings.append(
                        _finding(name, number, head, "unknown_unit", "单位只能是 kWh 或 GJ", "kWh or GJ", text_cell)
                    )
                values["heat_unit"] = unit
            elif head.strip() in COLUMNS:
                column, scale = COLUMNS[head.strip()]
                amount = _whole(text_cell, scale)
                if amount is not None and amount > MOST.get(column, MOST_ELSE):
                    findings.append(
                        _finding(
                            name, number, head, "too_large", "大得不可能，请核对小数点和单位", "cannot be", text_cell
                        )
                    )
                if amount is None:
                    findings.append(
                        _finding(
                            name,
                            number,
                            head,
                            "not_a_number",
                            "不是有效的非负数，或小数位太多",
                            "no such number",
                            text_cell,
                        )
                    )
                values[column] = amount
        rows.append(((row.get(home_head) or "").strip(), values))
    return rows, findings


def _whole(text: str, scale: int) -> int | None:
    """
    >>> _whole("90.5", 100), _whole("-1", 100), _whole("1.2345", 1000)
    (9050, None, None)
    """
    try:
        exact = Decimal(text) * scale
    except InvalidOperation:
        return None
    if not exact.is_finite() or exact < 0 or exact != int(exact):
        return None
    return int(exact)
