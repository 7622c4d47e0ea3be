"""The table of a device import: its columns, and a file of it → rows and findings. Read like the registry's tables."""

from pathlib import Path

import polars as pl

from nuan.operations.registry_cells import tidy
from nuan.operations.registry_tables import Field, RegistryTable
from nuan.records.devices.models import Device
from nuan.telemetry.files.mapping import FileMapping, TimeColumns
from nuan.telemetry.files.pieces import pieces
from nuan.telemetry.files.problems import Findings
from nuan.terms.findings import Finding

KIND_WORDS = {zh: code for code, zh in Device.Kind.choices}
DEVICES = RegistryTable("devices", "设备", ("gateway", "code"), (
    Field("gateway", "text", ("网关", "网关代码"), True, example="GW-01"),
    Field("code", "text", ("表号", "设备编号", "序列号", "代码"), True, example="00012345"),
    Field("profile", "text", ("模板", "设备模板"), True, example="room"),
    Field("kind", "text", ("类别", "设备类别"), True, allowed=tuple(Device.Kind.values), example="room_sensor"),
    Field("place", "text", ("地点", "地点代码", "安装地点", "户号"), True, example="B0042-1-0301"),
    Field("position", "text", ("位置",), default="room", example="living"),
    Field("maker", "text", ("厂家", "制造商"), default=""),
    Field("installed_on", "date", ("安装日期",), example="2024-09-01"),
    Field("calibrated_on", "date", ("检定日期",), example="2024-08-15"),
    Field("calibration_valid_until", "date", ("检定有效期至", "有效期至"), example="2027-08-14"),
))  # fmt: skip


def read_devices(path: Path) -> tuple[pl.DataFrame, list[Finding]]:
    """A CSV or a sheet with headers of `DEVICES`, every cell as text, and findings about the file."""
    found = Findings(path.name)
    parts = [piece.frame for piece in pieces(path, FileMapping(match="*", time=TimeColumns(())), found)]
    findings = [finding for finding in found.found if finding.code != "cut_end"]
    if not parts:
        return pl.DataFrame(schema={field.name: pl.String for field in DEVICES.fields}), findings
    frame = pl.concat(parts)
    blank = frame.select(pl.all_horizontal(pl.all().is_null() | (pl.all() == ""))).to_series()
    return frame.filter(~blank), findings


def tidy_devices(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    """Columns of their kinds; 热量表 and heat_meter are the same word."""
    for header in ("kind", "类别", "设备类别"):
        if header in frame.columns and frame[header].dtype == pl.String:
            frame = frame.with_columns(pl.col(header).str.strip_chars().replace(KIND_WORDS))
    return tidy(DEVICES, frame)
