"""The sums that a file states of itself, against the sums of its rows: the first thing that a half-written or altered file gets wrong."""

import re
from collections.abc import Callable, Mapping, Sequence

from nuan.records.billing.channels.cell_values import fen_of
from nuan.records.billing.channels.profile import Profile
from nuan.terms.findings import Finding

Line = Sequence[str]
Say = Callable[..., None]
COUNTED_ZH = {
    "count": "笔数", "amount_fen": "收款金额", "ordered_fen": "订单金额", "refund_fen": "退款金额", "refunds": "退款笔数",
    "fee_fen": "手续费", "out_fen": "支出金额",
}  # fmt: skip


class ControlTotals:
    """What a file says about itself. `names` are the columns of its table, for a line of totals that stands under them."""

    def __init__(self, profile: Profile, names: Sequence[str], where: str) -> None:
        self.profile, self.names, self.where = profile, names, where
        self.stated: dict[str, int] = {}
        self.findings: list[Finding] = []

    def read(self, rest: Sequence[tuple[int, Line]]) -> dict[str, int]:
        """From the lines around the table, already stripped, each with its number. A line of totals that breaks off counts as missing."""
        totals = self.profile.totals
        names: Mapping[str, Sequence[str]] = totals.get("names", {})
        for position, (number, texts) in enumerate(rest):
            if "header" in totals and list(texts[:1]) == [totals["header"]]:
                values = rest[position + 1][1] if position + 1 < len(rest) else ()
                if len(values) < len(texts):
                    break
                self._take(number + 1, names, dict(zip(texts, values, strict=False)))
            elif "row" in totals and any(text.startswith(str(totals["row"])) for text in texts[:2]):
                if found := re.search(r"(\d+)\s*笔", ",".join(texts)):
                    self.stated["count"] = int(found.group(1))
                self._take(number, names, dict(zip(self.names, texts, strict=False)))
            for pattern in totals.get("lines", ()):
                if match := re.search(pattern, ",".join(texts)):
                    self._take(number, {key: [key] for key in match.groupdict()}, match.groupdict())
        if "amount_fen" not in self.stated or ("count" not in self.stated and "header" in totals):
            self._say("totals_missing", "没有找到账单自己的合计", "the file's own totals are missing", "文件可能没有下载完，或被截断：请重新下载。")  # fmt: skip
        return self.stated

    def _take(self, number: int, names: Mapping[str, Sequence[str]], values: Mapping[str, str | None]) -> None:
        for key, known in names.items():
            text = next((values[name] for name in known if values.get(name)), None)
            if text is None:
                continue
            try:
                self.stated[key] = fen_of(text) if key.endswith("_fen") else int(text)
            except ValueError:
                self._say(
                    "totals_unreadable",
                    "合计看不懂",
                    "a total cannot be read",
                    "用渠道的原文件。",
                    row=number,
                    value=text,
                )

    def compare(self, counted: Mapping[str, int]) -> None:
        """Every sum that the file states has to be ours. Directions are told by the columns, so signs do not count."""
        for key, said in self.stated.items():
            own = counted[key]
            if abs(said) != abs(own):
                shown = f"账单写 {_shown(key, said)}，逐笔加起来 {_shown(key, own)}"
                self._say("totals_differ", f"{COUNTED_ZH[key]}对不上：{shown}", f"stated {key} {said}, counted {own}", "整份不导入：重新下载，仍不符时找渠道。", field=COUNTED_ZH[key])  # fmt: skip

    def _say(
        self,
        code: str,
        zh: str,
        en: str,
        remedy: str,
        *,
        row: int | None = None,
        field: str | None = None,
        value: str | None = None,
    ) -> None:
        self.findings.append(Finding(self.where, code, zh, en, remedy, row=row, field=field, value=value))


def _shown(key: str, value: int) -> str:
    return f"{value / 100:.2f} 元" if key.endswith("_fen") else str(value)
