"""A bill as PDF: its numbers, its words as words and not as markup, and a clear sentence where no Chinese font is there."""

from pathlib import Path

import pytest

from billed_city import bill_everybody, prepare
from nuan.operations import bill_pdf as made
from nuan.operations.bill_documents import NewLine, adjust
from nuan.operations.bill_explaining import explain_bill
from nuan.operations.bill_pdf import FontMissingError, bill_pdf
from nuan.records.billing.models import Bill
from nuan.records.registry.models import Building


@pytest.fixture
def bill(city: None) -> Bill:
    prepare()
    bill_everybody()
    return Bill.objects.get(home__code="B001-1-0201", kind="bill")


def test_a_bill_is_one_pdf_and_always_the_same(bill: Bill) -> None:
    first = bill_pdf(explain_bill(bill))
    assert first.startswith(b"%PDF")
    assert first == bill_pdf(explain_bill(bill))


def test_the_regenerated_lines_are_the_posted_ones(bill: Bill) -> None:
    for each in Bill.objects.all():
        shown = explain_bill(each)
        assert shown.same is True
        assert sum(line.line.amount_fen for line in shown.lines) == each.total_fen
        assert all(line.working_zh and line.source for line in shown.lines)


def test_words_are_words(bill: Bill) -> None:
    """`#` and `$` and brackets of a name stay what they are; run as markup they would read files or fail."""
    nasty = '#read("/etc/passwd") $x$ *b* ] #{'
    Building.objects.filter(code="B001").update(name=nasty)
    document = adjust(bill, [NewLine("adjustment", 5, nasty)], on=bill.issued_on, why=nasty, actor="周会计")
    for each in (Bill.objects.get(pk=bill.pk), document):
        assert bill_pdf(explain_bill(each)).startswith(b"%PDF")


def test_without_a_chinese_font_there_is_a_sentence_and_no_pdf(
    bill: Bill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUAN_FONTS", str(tmp_path))
    made._fonts.cache_clear()
    with pytest.raises(FontMissingError, match="fonts-noto-cjk"):
        bill_pdf(explain_bill(bill))
    made._fonts.cache_clear()
