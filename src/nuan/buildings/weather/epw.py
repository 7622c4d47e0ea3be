"""Reads EnergyPlus weather files (EPW). Format: EnergyPlus *Auxiliary Programs*, "EPW CSV Format (In/Out)".

Eight header lines, then one line an hour: year, month, day, hour 1–24 (the hour that ends then), minute, flags, dry bulb °C (field 7),
…, global horizontal Wh/m² (field 14), …, wind speed m/s (field 22). 99.9 °C, 9999 Wh/m² and 999 m/s mean "missing".
"""

from pathlib import Path

import numpy as np

from nuan.buildings.weather.year import HOURS_OF_YEAR, FloatArray, WeatherYear, _day_of_common_year
from nuan.terms.findings import Finding
from nuan.terms.places import day_date, day_number

_HEADER_LINES = 8
_FIELDS = {"outdoor_c": (6, 99.9, -70.0, 70.0), "solar": (13, 9999.0, 0.0, 1500.0), "wind": (21, 999.0, 0.0, 60.0)}
_ZH = {"outdoor_c": "干球温度", "solar": "水平面总辐射", "wind": "风速"}
_LONGEST_BRIDGE_H = 6


def read_epw(path: Path) -> tuple[WeatherYear | None, list[Finding]]:
    """The year, or None when a finding is an error. Up to six missing hours in a row are bridged by a straight line (a warning)."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as problem:
        return None, [_finding(path, "unreadable", "文件打不开", "the file cannot be opened", value=str(problem))]
    return parse_epw(text, path.name)


def parse_epw(text: str, name: str = "EPW") -> tuple[WeatherYear | None, list[Finding]]:
    where = Path(name)
    lines = text.splitlines()
    if not lines or not lines[0].startswith("LOCATION,"):
        return None, [_finding(where, "not_epw", "不是 EPW 文件：首行应以 LOCATION 开头", "not an EPW file", row=1)]
    place = lines[0].split(",")[1].strip()
    columns = {key: np.full(HOURS_OF_YEAR, np.nan) for key in _FIELDS}
    seen = np.zeros(HOURS_OF_YEAR, dtype=bool)
    findings: list[Finding] = []
    for row, line in enumerate(lines[_HEADER_LINES:], _HEADER_LINES + 1):
        if not line.strip():
            continue
        fields = line.split(",")
        hour = _hour_of_year(fields)
        if hour is None:
            findings.append(_finding(where, "bad_time", "日期或时刻不对", "not a month, day and hour 1–24", row=row))
            continue
        if hour < 0:
            continue
        if seen[hour]:
            findings.append(_finding(where, "duplicate_hour", "同一小时出现两次", "the hour is given twice", row=row))
        seen[hour] = True
        for key, (at, missing, low, high) in _FIELDS.items():
            try:
                value = float(fields[at])
            except (ValueError, IndexError):
                findings.append(_finding(where, "not_a_number", "不是数字", "not a number", row=row, field=_ZH[key]))
                continue
            if value == missing or (key != "outdoor_c" and value >= missing):
                continue
            if not low <= value <= high:
                findings.append(
                    _finding(
                        where, "out_of_range", "超出合理范围", "out of range", row=row, field=_ZH[key], value=str(value)
                    )
                )
                continue
            columns[key][hour] = value
    if not seen.all():
        count = int((~seen).sum())
        findings.append(
            _finding(where, "missing_hours", "全年 8760 小时不全", "hours of the year are missing", count=count)
        )
    if any(finding.severity == "error" for finding in findings):
        return None, findings
    for key in columns:
        columns[key], found = _bridged(columns[key], where, key)
        findings += found
    if any(finding.severity == "error" for finding in findings):
        return None, findings
    return WeatherYear(place, columns["outdoor_c"], columns["wind"], columns["solar"]), findings


def _hour_of_year(fields: list[str]) -> int | None:
    """Index of the hour, −1 for 29 February (left out), None for what is no hour."""
    try:
        month, day, hour = int(fields[1]), int(fields[2]), int(fields[3])
        if not 1 <= hour <= 24:
            return None
        if (month, day) == (2, 29):
            return -1
        moment = day_date(day_number(day_date(0).replace(year=2001, month=month, day=day)))
    except (ValueError, IndexError):
        return None
    return _day_of_common_year(moment) * 24 + hour - 1


def _bridged(values: FloatArray, where: Path, key: str) -> tuple[FloatArray, list[Finding]]:
    holes = np.isnan(values)
    if not holes.any():
        return values, []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], holes.astype(np.int8), [0]])))
    longest = int((edges[1::2] - edges[::2]).max())
    if longest > _LONGEST_BRIDGE_H or holes.all():
        message = ("连续缺测太长，无法补齐", "too many hours in a row are missing")
        return values, [_finding(where, "long_gap", *message, field=_ZH[key], count=int(holes.sum()))]
    at = np.arange(len(values))
    filled = np.interp(at, at[~holes], values[~holes])
    message = ("缺测，按前后直线补齐", "missing hours, bridged by a straight line")
    return filled, [
        _finding(where, "bridged", *message, field=_ZH[key], count=int(holes.sum()), severity="warning"),
    ]


def _finding(
    where: Path,
    code: str,
    zh: str,
    en: str,
    row: int | None = None,
    field: str | None = None,
    value: str | None = None,
    count: int = 1,
    severity: str = "error",
) -> Finding:
    return Finding(
        where.name,
        code,
        zh,
        en,
        "请换用完整的 EPW 文件（全年 8760 小时）。" if severity == "error" else "请核对。",
        row=row,
        field=field,
        value=value,
        count=count,
        severity="error" if severity == "error" else "warning",
    )
