"""The page docs/import.md, made from the tables of the import (`make docs`); a test holds it up to date."""

from nuan.operations.registry_tables import TABLES, Field
from nuan.telemetry.files.problems import PROBLEMS

HEAD = """# Taking in a registry and readings

Every file comes in whole or not at all. What is wrong with it is told all at once, with row, column and what to do.
The same file twice changes nothing. Killed in the middle, the file is there whole or not at all; import it again.

```
nuan import template ./my-city                              # empty tables with headers and an example row
nuan import registry ./my-city                              # or one workbook: 登记表.xlsx
nuan import readings rooms-*.csv --mapping my-city.yaml     # add --dry-run to check only, --json for programs
```

Exit codes: 0 done; 1 there are findings that stopped something; 2 the command or the mapping was not understood.

## Registry

A folder with one CSV or xlsx file for each table, named after it (`homes.csv` or `热用户.csv`), or one workbook with a sheet for each.
UTF-8, UTF-16 and GBK are recognised. Headers may be the English keys or the Chinese words. Tables may come one by one; what a row refers
to must stand in the same import or in the records already. Rows that are there and equal stay untouched, rows that differ are changed
and counted, nothing is ever deleted; a formal measurement is never changed. An empty fee is 未载明, not zero. Times without a zone are
Beijing time.
"""
MAPPING = """
## Readings: the mapping

A YAML file says which column of which file is which measured point. `examples/xai4heat/mapping.yaml` is a real one.

```yaml
zone: Asia/Shanghai              # for times that carry no zone; each file may name its own
files:                           # the first whose `match` fits the file name is taken
  - match: "station-*.csv"       # wide: one column for each point
    time: {column: 时间, format: "%Y-%m-%d %H:%M"}
    columns:
      供水温度: {place: H01-S03, quantity: supply_temp, unit: °C}
      瞬时热量: {place: H01-S03, quantity: heat_power, unit: GJ/h}
      累计热量: {place: H01-S03, quantity: heat_energy, unit: GJ, zero: missing}
    ignore: ["备注*"]
  - match: "rooms-*.xlsx"        # long: place, quantity, value in a row
    sheet: 室温
    time: {columns: [日期, 时刻]}
    long:
      place: 户号
      quantity: 指标
      value: 数值
      quantities:
        室温: {quantity: room_temp, position: living}
        湿度: {quantity: room_humidity}
  - match: "*.parquet"           # long, one quantity for the whole file
    time: ts
    long: {place: home, value: temp, is: {quantity: room_temp, scale: 0.1}}
```

| key | meaning |
|---|---|
| `format` | csv, xlsx or parquet; by the file's suffix when not given |
| `sheet`, `header_row` | which sheet (the first), which row holds the headers (1) |
| `delimiter`, `decimal`, `encoding` | told from the file when not given (decimal: `.`); UTF-8 with or without mark, UTF-16, GBK/GB18030 |
| `missing` | further words for “no value”; empty, `-`, `—`, `NaN`, `null`, `缺测` are known |
| `time.format` | `auto` (default), `excel` (serial days), `epoch_s`, `epoch_ms`, or a pattern such as `%d.%m.%Y %H:%M` |
| `time.zone` | an IANA zone; counts for times that carry none. Times with an offset keep their own |
| `quantity`, `unit` | a quantity of [nomenclature.md](nomenclature.md); its own unit when not given, else converted |
| `scale` | the cell is multiplied by this first: 0.1 for values in tenths; 4 for kWh in a quarter of an hour → kW |
| `zero: missing` | a zero is this device's mark for none |
| `position` | where at the place: room, living, supply, return; a usual one when not given |

Values are rounded to the quantity's resolution, half away from zero, and kept as whole numbers. A reading of the same point, moment and
value counts once. One file may hold up to 16 million readings.

## What can be wrong with a file of readings

*refuse*: nothing of the file is taken in. *flag*: the reading is kept with its flag and counts as no coverage (a double counts).
*leave out*: the value is not taken in, the rest is. *tell*: only said.

| code | effect | what it says | why |
|---|---|---|---|
"""
TAIL = """
A sensor is called stuck when one value stands for longer than its quantity allows, in the file or together with what is stored from before
it. The readings stored before keep the flags that they came with.
"""
_KINDS = {
    "text": "text",
    "int": "whole number",
    "float": "number",
    "bool": "是 or 否",
    "date": "date",
    "moment": "date and time",
}


def _what(field: Field) -> str:
    if field.allowed:
        return "one of " + ", ".join(field.allowed)
    if field.refers:
        return f"code in `{field.refers}`"
    if field.kind == "decimal":
        return f"number, up to {len(str(field.scale)) - 1} decimals"
    return _KINDS[field.kind]


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for table in TABLES.values():
        key = " and ".join(f"`{name}`" for name in table.key)
        parts.append(f"\n### `{table.name}` {table.zh}\n\nThe same row: the same {key}.\n\n")
        parts.append("| key | Chinese headers | needed | what | example |\n|---|---|---|---|---|\n")
        for field in table.fields:
            needed = "yes" if field.required else ""
            parts.append(f"| `{field.name}` | {'、'.join(field.zh)} | {needed} | {_what(field)} | {field.example} |\n")
    parts.append(MAPPING)
    parts += [
        f"| `{each.code}` | {each.effect} | {each.zh} · {each.en} | {each.reason} |\n" for each in PROBLEMS.values()
    ]
    return "".join([*parts, TAIL])
