"""One channel file → payments, by its profile: columns by header name, control totals of the file against our own sums.

A file that does not add up is refused whole; what is doubtful about a single row stands in the findings with row and column.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nuan.records.billing.channels.cell_values import UnreadableMoneyError, fen_of, masked_payer, payer_key, present
from nuan.records.billing.channels.control_totals import ControlTotals, Line
from nuan.records.billing.channels.file_cells import cells_of, formulas
from nuan.records.billing.channels.payment_row import Kind, PaymentRow, PaymentsRead
from nuan.records.billing.channels.profile import Profile, profile
from nuan.terms.findings import Finding
from nuan.terms.places import CHINA

SHOWN = 20
"""Findings of one kind that are listed; the rest is counted in the last of them."""


def read_payments(content: bytes, name: str, channel: str, *, today: date, month: str = "") -> PaymentsRead:
    """Read a file of a channel. `month` (`2025-11`) is the month that it should be of; `today` bounds what can have happened.

    Raises NoSuchChannelError.
    """
    return Reading(profile(channel), name, today, month).read(content)


@dataclass
class _Layout:
    """Where the table begins and which column is what."""

    head: int
    at: dict[str, list[int]]
    names: list[str]


class Reading:
    """One file under one profile."""

    def __init__(self, found: Profile, name: str, today: date, month: str = "") -> None:
        self.profile, self.name, self.today, self.month = found, name, today, month
        self.findings: list[Finding] = []
        self.ordered_fen = self.out_fen = 0
        self.strip = found.strip + "\ufeff\u3000"

    def read(self, content: bytes) -> PaymentsRead:
        digest = hashlib.sha256(content).hexdigest()
        cells = cells_of(content, self.name)
        self.findings += cells.findings
        rows: list[PaymentRow] = []
        stated: dict[str, int] = {}
        counted: dict[str, int] = {}
        variant = ""
        layout = self._layout(cells.lines) if not self._refused() else None
        if layout is not None:
            variant = self._variant(layout)
            body, rest = self._body(cells.lines, layout)
            self.findings += formulas(self.name, cells.lines[layout.head : layout.head + len(body)], layout.head + 1)
            read_before = self._refused()
            for number, line in body:
                row = self._row(number, line, layout)
                if row is not None:
                    rows.append(row)
            unread = self._refused() and not read_before
            self._rows_as_a_whole(rows)
            totals = ControlTotals(self.profile, layout.names, self.name)
            stated = totals.read([(number, [self._clean(cell) for cell in line]) for number, line in rest])
            counted = self._counted(rows, len(body))
            if not unread:
                totals.compare(counted)
            self.findings += totals.findings
        return PaymentsRead(
            self.name, self.profile.name, digest, tuple(rows), tuple(_gathered(self.findings)), stated, counted, variant
        )

    def _refused(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)

    def _say(self, code: str, zh: str, en: str, remedy: str, **more: Any) -> None:
        self.findings.append(Finding(self.name, code, zh, en, remedy, **more))

    def _clean(self, text: str) -> str:
        return text.strip(self.strip)

    def _layout(self, lines: Sequence[Line]) -> _Layout | None:
        """The first line that names what the profile requires is the header."""
        nearest: tuple[int, list[str]] | None = None
        for index, line in enumerate(lines[:60]):
            names = [self._clean(cell) for cell in line]
            at = {
                role: [names.index(each) for each in known if each in names]
                for role, known in self.profile.columns.items()
            }
            missing = [role for role in self.profile.required if not at[role]]
            if not missing:
                twice = [each for each, times in Counter(filter(None, names)).items() if times > 1]
                if twice:
                    self._say("column_twice", "列名重复", "a column stands twice", "用渠道的原文件。", row=index + 1, value="、".join(twice))  # fmt: skip
                    return None
                return _Layout(index + 1, at, names)
            if len(missing) < len(self.profile.required) and (nearest is None or len(missing) < len(nearest[1])):
                nearest = (index + 1, missing)
        if nearest is not None:
            wanted = "；".join(" 或 ".join(self.profile.columns[role]) for role in nearest[1])
            self._say("column_missing", "表头缺少列", "the header lacks columns", "用渠道的原文件；银行另有写法时在 profile.yaml 里添上列名。", row=nearest[0], value=wanted)  # fmt: skip
        else:
            self._say(
                "header_missing", f"找不到“{self.profile.label}”账单的表头", "no header of this channel is in the file",
                "核对选的渠道，并用渠道下载的原文件。",
            )  # fmt: skip
        return None

    def _variant(self, layout: _Layout) -> str:
        """Which published type of file it is, by its number of columns; another number is told, and read by name all the same."""
        if not self.profile.variants:
            return ""
        width = len([name for name in layout.names if name])
        for name, columns in self.profile.variants.items():
            if columns == width:
                return name
        known = "、".join(f"{name} {columns}" for name, columns in self.profile.variants.items())
        self._say("columns_unknown", f"有 {width} 列，公布的是 {known} 列；按列名读取", f"{width} columns, published are {known}", "核对是不是旧版账单。", row=layout.head, severity="warning")  # fmt: skip
        return ""

    def _body(self, lines: Sequence[Line], layout: _Layout) -> tuple[list[tuple[int, Line]], list[tuple[int, Line]]]:
        """Lines of payments, and what stands around them (titles, totals), each with its number."""
        rest = [(number, line) for number, line in enumerate(lines[: layout.head - 1], 1)]
        body: list[tuple[int, Line]] = []
        starts = tuple(str(self.profile.totals[key]) for key in ("header", "row") if key in self.profile.totals)
        ended = False
        for number, line in enumerate(lines[layout.head :], layout.head + 1):
            first = self._clean(line[0]) if line else ""
            comment = self.profile.comment and first.startswith(self.profile.comment)
            if not any(self._clean(cell) for cell in line):
                continue
            totals = any(self._clean(cell).startswith(starts) for cell in line[:2]) if starts else False
            ended = ended or totals or self._is_line_of_totals(line)
            if ended or comment:
                rest.append((number, line))
            else:
                body.append((number, line))
        return body, rest

    def _is_line_of_totals(self, line: Line) -> bool:
        text = ",".join(line)
        return any(re.search(pattern, text) for pattern in self.profile.totals.get("lines", ()))

    def _cell(self, line: Line, layout: _Layout, role: str) -> str:
        """The first non-empty of the columns that have this role."""
        for index in layout.at.get(role, ()):
            if index < len(line) and (text := self._clean(line[index])):
                return text
        return ""

    def _row(self, number: int, line: Line, layout: _Layout) -> PaymentRow | None:
        """A line as a payment; None where it is none of ours (money paid out by the bank) or cannot be read, which is then told."""
        before = len(self.findings)
        if len(line) < len(layout.names) and not (
            len(line) >= max(max(at, default=0) for at in layout.at.values()) + 1
        ):
            self._say("row_broken", f"只有 {len(line)} 列，应有 {len(layout.names)} 列", "the row is broken off", "文件可能没有下载完，请重新下载。", row=number)  # fmt: skip
            return None
        kind = self._kind(number, line, layout)
        role = "refund_amount" if kind in ("refund", "revoked") and layout.at.get("refund_amount") else "amount"
        amount = self._money(number, line, layout, role)
        if kind == "paid" and not amount and (out := self._money(number, line, layout, "amount_out")):
            self.out_fen += out
            return None
        fee = self._money(number, line, layout, "fee")
        ordered = self._money(number, line, layout, "ordered")
        self.ordered_fen += ordered or 0
        moment = self._time(number, line, layout)
        txn = self._cell(line, layout, "txn_id")
        refund_id = present(self._cell(line, layout, "refund_id"))
        payout = present(self._cell(line, layout, "payout"))
        if not txn:
            self._say("id_missing", "没有渠道流水号", "the channel's own number is missing", "没有流水号的款项不能防重复，请向渠道核实。", row=number, field=self._named("txn_id"))  # fmt: skip
        elif re.fullmatch(r"\d(?:\.\d+)?E\+?\d+", txn, re.IGNORECASE):
            self._say("digits_lost", "流水号被存成科学计数法，已丢失数字", "the number was stored in scientific notation", "不要用 Excel 另存，用渠道的原文件。", row=number, field=self._named("txn_id"), value=txn)  # fmt: skip
        if kind == "paid" and amount is not None and amount <= 0:
            self._say("amount_not_positive", "收款金额不是正数", "a receipt is not positive", "向渠道核实这一笔。", row=number, field=self._named(role))  # fmt: skip
        if kind == "paid" and layout.at.get("ordered") and ordered is not None and ordered != amount:
            self._say("coupon", "实收与订单金额不同（用了代金券），按实收入账", "settled and ordered amounts differ", "核对代金券由谁承担。", row=number, severity="warning")  # fmt: skip
        if (
            (len(self.findings) > before and self.findings[-1].severity == "error")
            or kind is None
            or amount is None
            or moment is None
        ):
            return None
        payer = self._cell(line, layout, "payer")
        references = [
            self._clean(line[index])
            for index in layout.at.get("references", ())
            if index < len(line) and self._clean(line[index])
        ]
        own = (refund_id or (f"{txn}:{payout}" if payout else f"{txn}:refund")) if kind == "refund" else txn
        if kind == "revoked":
            own = f"{txn}:revoked"
        return PaymentRow(
            number, kind, own[:80], moment, abs(amount), fee or 0, tuple(references), masked_payer(payer), payer_key(payer),
            txn[:80] if kind != "paid" else "", payout[:80], self._cell(line, layout, "state")[:24],
        )  # fmt: skip

    def _named(self, role: str) -> str:
        return self.profile.columns[role][0]

    def _kind(self, number: int, line: Line, layout: _Layout) -> Kind | None:
        if "kind" not in self.profile.columns:
            return "paid"
        text = self._cell(line, layout, "kind")
        found = self.profile.kinds.get(text)
        if found == "paid":
            return "paid"
        if found == "refund":
            return "refund"
        if found == "revoked":
            return "revoked"
        self._say("kind_unknown", "不认识的交易状态", "unknown kind of row", "核对渠道是否改了格式。", row=number, field=self._named("kind"), value=text)  # fmt: skip
        return None

    def _money(self, number: int, line: Line, layout: _Layout, role: str) -> int | None:
        text = self._cell(line, layout, role)
        if not text and (role != "amount" or "amount_out" in self.profile.columns):
            return 0
        try:
            return fen_of(text)
        except UnreadableMoneyError:
            self._no_money(number, role, text)
        return None

    def _no_money(self, number: int, role: str, text: str) -> None:
        self._say("amount", "不是以元为单位、最多两位小数的金额", "not an amount in yuan", "用渠道的原文件，不要改动金额列。", row=number, field=self._named(role), value=text)  # fmt: skip

    def _time(self, number: int, line: Line, layout: _Layout) -> datetime | None:
        day = self._cell(line, layout, "paid_at")
        clock = self._cell(line, layout, "paid_time")
        clock = "" if clock == day else clock
        text = re.sub(r"\s+", " ", f"{day} {clock}".strip())
        for shape in self.profile.times:
            try:
                found = _moment(text, shape)
            except ValueError:
                continue
            if found.date() > self.today:
                self._say("in_future", "交易时间在将来", "the payment lies in the future", "核对文件来源。", row=number, field=self._named("paid_at"), value=text)  # fmt: skip
            elif self.month and found.strftime("%Y-%m") != self.month:
                self._say("wrong_month", f"不是 {self.month} 的款项", f"not a payment of {self.month}", "选对月份，或换成该月的文件。", row=number, field=self._named("paid_at"), value=text)  # fmt: skip
            return found
        self._say("time", "看不懂的时间", "a time that cannot be read", "写成 2025-11-20 08:30:00。", row=number, field=self._named("paid_at"), value=text)  # fmt: skip
        return None

    def _rows_as_a_whole(self, rows: Sequence[PaymentRow]) -> None:
        seen: dict[str, int] = {}
        for row in rows:
            if row.txn_id in seen:
                self._say("duplicate_row", f"流水号与第 {seen[row.txn_id]} 行相同", "the same number stands twice", "同一笔只能有一行：向渠道核实后重新下载。", row=row.row, field=self._named("txn_id"))  # fmt: skip
            seen.setdefault(row.txn_id, row.row)
        if not rows and not self._refused():
            self._say(
                "no_rows", "没有一笔款项", "there is no payment in it", "当天没有交易时不用导入。", severity="warning"
            )

    def _counted(self, rows: Sequence[PaymentRow], lines: int) -> dict[str, int]:
        back = [row for row in rows if row.kind != "paid"]
        paid = [row for row in rows if row.kind == "paid"]
        return {
            "count": lines if self.profile.totals.get("count_of") == "all" else len(paid),
            "amount_fen": sum(row.amount_fen for row in paid),
            "ordered_fen": self.ordered_fen,
            "refunds": len(back),
            "refund_fen": sum(row.amount_fen for row in back),
            "fee_fen": sum(row.fee_fen for row in rows),
            "out_fen": self.out_fen,
        }


def _moment(text: str, shape: str) -> datetime:
    """The commonest shape has a reader that is many times faster."""
    if shape == "%Y-%m-%d %H:%M:%S" and len(text) == 19:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    return datetime.strptime(text, shape).replace(tzinfo=CHINA)


def _gathered(findings: Sequence[Finding]) -> Iterator[Finding]:
    """At most `SHOWN` of one code; the last of them counts what it stands for."""
    times = Counter(finding.code for finding in findings)
    given: Counter[str] = Counter()
    for finding in findings:
        given[finding.code] += 1
        if given[finding.code] == SHOWN and times[finding.code] > SHOWN:
            rest = times[finding.code] - SHOWN + 1
            yield Finding(
                finding.where, finding.code, finding.message_zh, finding.message_en, finding.remedy_zh, finding.row, finding.field,
                finding.value, finding.severity, rest,
            )  # fmt: skip
        elif given[finding.code] < SHOWN:
            yield finding
            continue
        elif times[finding.code] == SHOWN:
            yield finding
