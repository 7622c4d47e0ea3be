"""What can be wrong with a file of readings: which problems refuse the whole file, which only flag or leave out, and why.

docs/import.md shows this table; a test holds them equal.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from nuan.terms.findings import Finding

Effect = Literal["refuse", "flag", "leave out", "tell"]
SHOWN = 5
"""So many rows of one problem in one column are shown one by one; the rest are counted in the last."""


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    effect: Effect
    zh: str
    en: str
    remedy_zh: str
    reason: str


_ROWS = (
    Problem("empty_file", "refuse", "文件是空的", "the file is empty", "请重新导出该文件。", "nothing can be taken from it; an empty export hides a fault upstream"),
    Problem("broken_file", "refuse", "文件不完整或已损坏", "the file is cut off or damaged", "请重新下载或导出完整的文件。", "what is there may be half; half a file must not pass as a whole one"),
    Problem("half_row", "refuse", "该行的列数与表头不符（文件可能只有一半）", "a row with another number of columns than the header", "请检查该行，或重新导出完整的文件。", "a cut row can end inside a number: 17.9 becomes 1"),
    Problem("too_many", "refuse", "一个文件的读数过多", "too many readings in one file", "请按日期或地点分成几个文件（每个不超过 1600 万个读数）。", "a file is stored in one piece, so that it is there whole or not at all"),
    Problem("no_mapping", "refuse", "没有与文件名相符的映射", "no mapping fits the file name", "请在映射文件的 files 下增加 match。", "guessing what columns mean would invent readings"),
    Problem("wrong_encoding", "refuse", "无法识别文件编码", "the encoding cannot be told", "请另存为 UTF-8，或在映射中写明 encoding。", "place codes would be garbled"),
    Problem("missing_column", "refuse", "缺少映射所需的列", "a column that the mapping names is not there", "请核对表头，或修改映射。", "the file is another one than the mapping describes"),
    Problem("missing_sheet", "refuse", "没有这个工作表", "no such sheet", "请核对工作表名称，或修改映射中的 sheet。", "the file is another one than the mapping describes"),
    Problem("unknown_column", "tell", "映射中没有此列，未读取", "a column that the mapping does not name was left out", "如需导入，请在映射中写明；否则写入 ignore。", "files carry more than we need"),
    Problem("not_a_time", "refuse", "无法识别的时间", "not a time", "请改成映射中的时间格式。", "a reading without its time is none, and mostly the format is wrong for every row"),
    Problem("no_time_zone", "refuse", "时间没有时区，映射也未写明", "the times carry no zone and the mapping names none", "请在映射的 time 中写明 zone，如 Asia/Shanghai。", "eight hours of error would move every day's verdict"),
    Problem("mixed_time_zones", "refuse", "同一列中有的时间带时区，有的不带", "some times carry a zone, others do not", "请统一时间写法。", "the times without a zone cannot be trusted to be of the mapping's zone"),
    Problem("other_time_zone", "tell", "时间自带的时区与映射不同，以自带的为准", "the times carry another zone than the mapping; theirs counts", "请核对映射中的 zone。", "the moment is certain all the same"),
    Problem("no_such_time", "leave out", "当地没有这个时刻（夏令时跳过）", "this local time does not exist (clocks went forward)", "请核对时区；该行未导入。", "the moment cannot be known"),
    Problem("ambiguous_time", "tell", "当地有两个这样的时刻（夏令时重复），取较早者", "this local time exists twice (clocks went back); the earlier is taken", "如有需要，请导出带时区的时间。", "an hour a year, and known"),
    Problem("not_a_number", "refuse", "不是数字", "not a number", "请只填数字；缺测请留空，或在映射的 missing 中写明其记号。", "a word in a column of numbers is mostly a shifted column or a unit in the cell"),
    Problem("wrong_unit", "refuse", "单位似乎不对", "the unit seems to be another", "请在映射中写明真实单位（unit）。", "readings in a wrong unit are wrong every one"),
    Problem("out_of_range", "flag", "超出量程，已标记并保留", "outside the plausible range; flagged and kept", "请检查传感器；标记的读数不计入覆盖。", "a sensor's fault is itself a fact about that hour"),
    Problem("too_large", "leave out", "数值过大，无法保存", "too large to be stored", "请检查该值；该值未导入。", "no quantity reaches it; it would need another resolution"),
    Problem("unknown_place", "refuse", "没有登记这个地点", "the place is not in the registry", "请先导入登记表（nuan import registry），或改正映射。", "readings of nobody would judge nobody"),
    Problem("unknown_quantity", "refuse", "没有这种量", "no such quantity", "可用的量见 docs/nomenclature.md。", "its unit and resolution are unknown"),
    Problem("unknown_unit", "refuse", "单位与该量不符", "no unit of this quantity", "请核对单位。", "the conversion is unknown"),
    Problem("double", "flag", "同一测点同一时刻出现多次且数值不同，已标记", "one point and moment several times with different values; flagged", "请核对数据来源；以后写入者为准。", "gateways send twice; both values are kept, the later one stands"),
    Problem("stuck", "flag", "长时间不变，已标记为卡死", "did not change for too long; flagged as stuck", "请检查传感器。", "a sensor's fault is itself a fact about those hours"),
    Problem("jump", "flag", "跳变过大，已标记", "changed faster than it can; flagged as a jump", "请检查传感器。", "a spike is no temperature"),
    Problem("future", "flag", "时间晚于到达时间，已标记", "later than its own arrival; flagged", "请校准设备时钟。", "nothing is silently re-stamped"),
    Problem("missing_mark", "flag", "数值为缺测记号（零），已标记为缺测", "the value is the device's mark for none (zero); flagged as missing", "请检查设备通讯。", "missing is not zero"),
    Problem("cut_end", "tell", "最后一行没有换行符，文件可能被截断", "the last line has no line end; the file may be cut", "请核对最后一行。", "many programs write files so; the row itself is whole"),
)  # fmt: skip

PROBLEMS: Mapping[str, Problem] = MappingProxyType({row.code: row for row in _ROWS})


def problem(
    code: str,
    where: str,
    *,
    row: int | None = None,
    field: str | None = None,
    value: str | None = None,
    count: int = 1,
    hint_zh: str = "",
) -> Finding:
    """A finding in the words of the table; `hint_zh` is added to the remedy."""
    what = PROBLEMS[code]
    return Finding(
        where, code, what.zh, what.en, what.remedy_zh + hint_zh, row=row, field=field, value=value, count=count,
        severity="error" if what.effect == "refuse" else "warning",
    )  # fmt: skip


class Findings:
    """Collects findings of one file; of each problem in each column the first are kept one by one, the rest counted."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._kept: list[Finding] = []
        self._seen: Counter[tuple[str, str | None]] = Counter()
        self._last: dict[tuple[str, str | None], int] = {}

    def add(
        self,
        code: str,
        *,
        row: int | None = None,
        field: str | None = None,
        value: str | None = None,
        count: int = 1,
        hint_zh: str = "",
    ) -> None:
        key = (code, field)
        if self._seen[key] < SHOWN:
            self._last[key] = len(self._kept)
            self._kept.append(
                problem(code, self.where, row=row, field=field, value=value, count=count, hint_zh=hint_zh)
            )
            self._seen[key] += 1
        else:
            at = self._last[key]
            last = self._kept[at]
            self._kept[at] = problem(
                code, self.where, row=last.row, field=field, value=last.value, count=last.count + count, hint_zh=hint_zh
            )

    @property
    def refused(self) -> bool:
        return any(finding.severity == "error" for finding in self._kept)

    @property
    def found(self) -> list[Finding]:
        return list(self._kept)
