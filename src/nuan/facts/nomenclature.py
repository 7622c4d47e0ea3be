"""The page docs/nomenclature.md, made from the tables of quantities, flags, facts and words (`make docs`); a test holds it up to date."""

from collections.abc import Sequence
from fractions import Fraction

from nuan.facts.schemas import TABLES, Column
from nuan.telemetry.readings import UNTRUSTED, Flag
from nuan.terms.glossary import GLOSSARY
from nuan.terms.places import Level
from nuan.terms.quantities import QUANTITIES, UNITS

_HEAD = """# Nomenclature: name · unit · 中文

Made by `make docs` from `nuan.terms.quantities`, `nuan.telemetry.readings`,
`nuan.facts.schemas` and `nuan.terms.glossary`; edit those, not this page.

Inside Nuan every quantity has one unit and one resolution and is kept as a whole number of steps. Other units are converted at the
border, exactly, by `parse_value` and `convert`. The plausible range says when a reading is flagged as out of range; it says nothing
about the law.
"""


def _number(value: Fraction) -> str:
    """A decimal text: every bound and resolution here is a whole number of some power of ten."""
    return f"{float(value):g}" if value.denominator != 1 else f"{value.numerator:,}".replace(",", " ")


def _rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)])


def _quantities() -> str:
    rows = []
    for each in QUANTITIES.values():
        others = [f"`{name}`" for name, (unit, _, _) in UNITS.items() if unit == each.unit and name != each.unit]
        checks = []
        if each.jump_per_hour is not None:
            checks.append(f"跳变 > {_number(each.jump_per_hour)} {each.unit}/h")
        if each.stuck_hours is not None:
            checks.append(f"卡死 ≥ {each.stuck_hours} h")
        if each.zero_is_missing:
            checks.append("0 视为缺测")
        rows.append(
            (
                f"`{each.key}`", each.zh, each.en, each.unit, _number(each.resolution), f"{_number(each.low)} … {_number(each.high)}",
                f"`{each.column_suffix}`", "；".join(checks), " ".join(others),
            )
        )  # fmt: skip
    head = ("key", "中文", "English", "unit", "resolution", "plausible", "column", "checked", "also read")
    return _rows(head, rows)


def _flags() -> str:
    return _rows(
        ("flag", "bit", "中文", "trusted"),
        [(f"`{flag.name}`", str(int(flag)), flag.zh, "no" if flag & UNTRUSTED else "yes") for flag in Flag if flag],
    )


def _column(column: Column) -> tuple[str, ...]:
    words = " ".join(f"`{word}`" for word in column.allowed)
    return f"`{column.name}`", column.zh, str(column.dtype), column.unit, "yes" if column.nullable else "", words


def _facts() -> str:
    parts = []
    for table in TABLES.values():
        key = ", ".join(f"`{name}`" for name in table.key)
        head = ("column", "中文", "type", "unit", "may be null", "words")
        parts.append(
            f"### `{table.name}` {table.zh}\n\nA row is {table.row_is}; key: {key}.\n\n"
            + _rows(head, [_column(column) for column in table.columns])
        )
    return "\n\n".join(parts)


def page() -> str:
    """The whole page as Markdown."""
    levels = _rows(("level", "中文"), [(f"`{level}`", level.zh) for level in Level])
    return "\n".join(
        [
            _HEAD,
            "## Quantities\n",
            _quantities(),
            "\nMoney is whole fen (`_fen`, 分). Times are epoch seconds (`_s`), days are local day numbers (`day`), durations hours (`_h`).",
            "\n## Flags of a reading\n",
            _flags(),
            "\n## Places\n",
            levels,
            "\n## Fact tables\n",
            _facts(),
            "\n## Words\n",
            _rows(("English", "中文", "meaning"), [(word.en, word.zh, word.meaning) for word in GLOSSARY]),
            "",
        ]
    )
