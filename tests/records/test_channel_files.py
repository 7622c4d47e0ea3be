"""Files as channels and people hand them in: what reads, and what is refused with row, column and what to do."""

import csv
import io
import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from nuan.records.billing.channels.file_cells import MOST_BYTES, MOST_ROWS
from nuan.records.billing.channels.payment_row import PaymentsRead
from nuan.records.billing.channels.profile import NoSuchChannelError, ProfileError, channel_names, load_profile, profile
from nuan.records.billing.channels.reading import SHOWN, read_payments

TODAY = date(2026, 1, 20)
HEAD = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款状态,手续费"
TOTALS = "总交易单数,应结订单总金额,退款总金额,手续费总金额"


def line(
    txn: str, fen: int, reference: str = "C01-2025-0000001", at: str = "2025-11-03 10:00:00", fee: str = "0.00000"
) -> str:
    cells = (at, "wx1", "1900", txn, reference, "SUCCESS", f"{fen / 100:.2f}", "0", "0", "0.00", "", fee)
    return ",".join("`" + cell for cell in cells)


def bill(*lines: str, fen: int, count: int | None = None, back: int = 0, fee: str = "0.00000") -> str:
    totals = (str(len(lines) if count is None else count), f"{fen / 100:.2f}", f"{back / 100:.2f}", fee)
    return "\n".join([HEAD, *lines, TOTALS, ",".join("`" + cell for cell in totals)]) + "\n"


GOOD = bill(line("1", 240_000), line("2", 5), fen=240_005)


def read(content: str | bytes, channel: str = "wechat", **more: str) -> PaymentsRead:
    return read_payments(
        content if isinstance(content, bytes) else content.encode(), "file", channel, today=TODAY, **more
    )


def codes(found: PaymentsRead) -> list[str]:
    return [finding.code for finding in found.findings if finding.severity == "error"]


def test_a_good_file_reads_row_by_row() -> None:
    found = read(GOOD)
    assert (found.ok, found.total_fen, [row.row for row in found.rows]) == (True, 240_005, [2, 3])
    assert found.days() == (date(2025, 11, 3), date(2025, 11, 3))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"], ids=["utf-8", "bom", "gbk", "gb18030", "utf-16"]
)
def test_encodings_say_the_same(encoding: str) -> None:
    assert read(GOOD.encode(encoding)).rows == read(GOOD).rows


def test_line_ends_and_blank_lines_say_the_same() -> None:
    for text in (GOOD.replace("\n", "\r\n"), GOOD + "\n\n", "\n" + GOOD):
        assert [row.txn_id for row in read(text).rows] == ["1", "2"]


WRONG = {
    "empty": (b"", ["empty"]),
    "only a bom": (b"\xef\xbb\xbf \r\n", ["empty"]),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", ["not_text"]),
    "a web page": (b"<html><body>login</body></html>", ["header_missing"]),
    "other columns": ("日期,金额\n2025-11-03,1.00\n".encode(), ["header_missing"]),
    "a column renamed": (GOOD.replace("应结订单金额", "实收").encode(), ["column_missing"]),
    "total changed": (bill(line("1", 100), fen=200).encode(), ["totals_differ"]),
    "count changed": (bill(line("1", 100), fen=100, count=2).encode(), ["totals_differ"]),
    "fee changed": (bill(line("1", 100, fee="0.01000"), fen=100).encode(), ["totals_differ"]),
    "a row taken out": (GOOD.replace(line("2", 5) + "\n", "").encode(), ["totals_differ", "totals_differ"]),
    "no totals": ("\n".join([HEAD, line("1", 100)]).encode(), ["totals_missing"]),
    "totals without values": ("\n".join([HEAD, line("1", 100), TOTALS]).encode(), ["totals_missing"]),
    "the same number twice": (bill(line("1", 100), line("1", 100), fen=200).encode(), ["duplicate_row"]),
    "a formula": (bill(line("1", 100, reference='=HYPERLINK("x")'), fen=100).encode(), ["formula"]),
    "a formula in quotes": (bill(line("1", 100, reference="=1+1"), fen=100).encode(), ["formula"]),
    "an amount in words": (bill(line("1", 100).replace("1.00", "一元"), fen=100).encode(), ["amount"]),
    "three decimals": (bill(line("1", 100).replace("1.00", "1.001"), fen=100).encode(), ["amount"]),
    "a negative receipt": (bill(line("1", -100), fen=-100).encode(), ["amount_not_positive"]),
    "scientific notation": (bill(line("4.2E+27", 100), fen=100).encode(), ["digits_lost"]),
    "no number": (bill(line("", 100), fen=100).encode(), ["id_missing"]),
    "an unknown state": (bill(line("1", 100).replace("SUCCESS", "MAYBE"), fen=100).encode(), ["kind_unknown"]),
    "no time": (bill(line("1", 100, at="soon"), fen=100).encode(), ["time"]),
    "the future": (bill(line("1", 100, at="2026-02-01 10:00:00"), fen=100).encode(), ["in_future"]),
    "a workbook cut in half": (b"PK\x03\x04" + b"x" * 200, ["broken_workbook"]),
    "a column twice": (GOOD.replace("公众账号ID", "商户号").encode(), ["column_twice"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_refuses_the_file(name: str) -> None:
    content, expected = WRONG[name]
    found = read(content)
    assert not found.ok
    assert codes(found) == expected
    assert all(finding.remedy_zh and finding.message_zh for finding in found.findings)


def test_a_finding_says_row_column_and_value() -> None:
    *_, finding = read(bill(line("1", 100), line("2", 100).replace("1.00", "一元"), fen=200)).findings
    assert (finding.row, finding.field, finding.value) == (3, "应结订单金额", "一元")
    assert "第 3 行" in finding.sentence()


def test_the_wrong_month_is_told_row_by_row() -> None:
    found = read(bill(line("1", 100), line("2", 100, at="2025-12-01 10:00:00"), fen=200), month="2025-11")
    assert [(finding.code, finding.row) for finding in found.findings if finding.severity == "error"] == [
        ("wrong_month", 3)
    ]


def test_many_faults_are_counted_not_listed_without_end() -> None:
    found = read(bill(*(line(str(n), 100, at="soon") for n in range(500)), fen=50_000))
    assert len(codes(found)) == SHOWN
    assert found.findings[-1].count == 500 - SHOWN + 1


def test_too_large_is_refused_before_it_is_read() -> None:
    assert codes(read(b"x" * (MOST_BYTES + 1))) == ["too_large"]
    assert codes(read(b"a\n" * (MOST_ROWS + 1))) == ["too_many_rows"]


def test_a_day_of_a_large_city_reads_in_seconds() -> None:
    count = 30_000
    found = read(bill(*(line(str(n), 100) for n in range(count)), fen=100 * count))
    assert (found.ok, len(found.rows)) == (True, count)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_a_file_cut_anywhere_is_never_taken_for_whole(seed: int) -> None:
    """Cut at any byte: refused, or nothing of the money is missing."""
    whole = GOOD.encode()
    cut = whole[: random.Random(seed).randrange(len(whole))]
    found = read(cut)
    assert not found.ok or (found.total_fen == 240_005 and len(found.rows) == 2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=30), st.integers(0, 29), st.integers(1, 10**6))
def test_no_single_amount_can_be_altered(amounts: list[int], which: int, by: int) -> None:
    lines = [line(str(number), fen) for number, fen in enumerate(amounts)]
    assert read(bill(*lines, fen=sum(amounts))).ok
    which %= len(amounts)
    lines[which] = line(str(which), amounts[which] + by)
    assert codes(read(bill(*lines, fen=sum(amounts)))) == ["totals_differ"]


def workbook(rows: list[list[object]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


BANK = [
    ["交易日期", "交易流水号", "借方金额", "贷方金额", "对方户名", "附言"],
    [date(2025, 11, 3), "F1", None, 2400.1, "王秀兰", "B001-1-0101"],
    [date(2025, 11, 3), "F2", 5, None, "银行", "手续费"],
    ["合计", "2笔", 5, 2400.1, None, None],
]


def test_a_workbook_of_a_bank() -> None:
    found = read(workbook(BANK), "bank")
    assert (found.ok, [row.amount_fen for row in found.rows]) == (True, [240_010])
    assert found.rows[0].payer == "王**"


def test_a_formula_and_lost_digits_in_a_workbook() -> None:
    formula = [row[:] for row in BANK]
    formula[1][3] = "=2400+0.1"
    assert "formula" in codes(read(workbook(formula), "bank"))
    lost = [row[:] for row in BANK]
    lost[1][1] = 42_000_000_000_000_000_000_000_000_001
    assert "digits_lost" in codes(read(workbook(lost), "bank"))


def test_refunds_and_revocations_are_apart_from_receipts() -> None:
    back = ",".join(
        "`" + cell
        for cell in (
            "2025-11-03 12:00:00",
            "wx1",
            "1900",
            "1",
            "x",
            "REFUND",
            "0.00",
            "5001",
            "NT0000000001",
            "1.00",
            "PROCESSING",
            "0.00000",
        )
    )
    found = read(bill(line("1", 240_000), back, fen=240_000, back=100))
    assert [(row.kind, row.txn_id, row.refund_of, row.payout, row.state) for row in found.rows] == [
        ("paid", "1", "", "", ""),
        ("refund", "5001", "1", "NT0000000001", "PROCESSING"),
    ]


def test_a_number_of_columns_that_nobody_published_is_told_and_read() -> None:
    assert [finding.code for finding in read(GOOD).findings] == ["columns_unknown"]
    assert read(GOOD).ok


def test_payers_are_masked_in_what_is_kept() -> None:
    text = GOOD.replace("商户号", "用户标识").replace("`1900", "`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
    assert {row.payer for row in read(text).rows} == {"…eS6o"}


@pytest.mark.parametrize("name", channel_names())
def test_every_channel_has_a_sound_profile(name: str) -> None:
    found = profile(name)
    assert found.kind in {"file", "entry", "internal"}
    assert found.label
    assert found.source
    assert not profile("alipay").confirmed


@pytest.mark.parametrize(
    "text",
    ["- a", "label: x", "{label: x, kind: file, account: bank, confirmed: true, source: s}",
     "{label: x, kind: entry, account: bank, confirmed: true, source: s, columns: {colour: [a]}}",
     "{label: x, kind: entry, account: bank, confirmed: true, source: s, required: [txn_id]}"],
    ids=["no mapping", "lacks", "file without totals", "unknown column", "requires what it does not name"],
)  # fmt: skip
def test_an_unsound_profile_is_told(text: str) -> None:
    with pytest.raises(ProfileError):
        load_profile("x", text)


def test_an_unknown_channel() -> None:
    with pytest.raises(NoSuchChannelError):
        read(GOOD, "paypal")


def test_text_with_commas_and_quotes_is_one_cell() -> None:
    out = io.StringIO()
    csv.writer(out).writerow(["`x, y", "`2"])
    found = read(bill(line("1", 100).replace("`C01-2025-0000001", out.getvalue().split(",`2")[0].strip()), fen=100))
    assert found.rows[0].references == ("x, y",)
