"""Lists that leave the page: sorting by named columns only, and files that a spreadsheet cannot be tricked by.

One list is one set of lines; the address says whether it leaves as CSV, which streams and has no end, or as xlsx with real numbers
and their sums. Who stands in a line is masked by the view: nothing here knows what a door is.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls.converters import StringConverter

from nuan.operations.workbooks import Fen, Formula, Sheet, harmless, workbook
from nuan.web.wording import say

Answer = TypeVar("Answer", bound=HttpResponseBase)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSX_ROWS = 50_000
"""So many lines a workbook takes; it says so where there are more, and the CSV has all of them."""


class FileKind(StringConverter):
    """`csv` or `xlsx` at the end of an address."""

    regex = "csv|xlsx"


def sorted_by(request: HttpRequest, sorts: Mapping[str, str], default: str) -> str:
    """The column that `?sort=` names; an unknown name is the default, never passed on to the database."""
    return sorts.get(request.GET.get("sort", ""), sorts[default])


def field_of(value: object) -> str:
    """A value as a CSV field; money in yuan, missing is empty and not zero.

    >>> field_of("=HYPERLINK(1)"), field_of(None), field_of(-5), field_of(Fen(-1205)), field_of(Fen(None))
    ("'=HYPERLINK(1)", '', '-5', '-12.05', '')
    """
    return "" if value is None else harmless(str(value))


class _Line:
    def write(self, text: str) -> str:
        return text


def csv_answer(name: str, heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """UTF-8 with byte-order mark, so that Excel reads the Chinese."""

    def body() -> Iterable[str]:
        writer = csv.writer(_Line())
        yield "\ufeff" + writer.writerow([say(head) for head in heads])
        for line in lines:
            yield writer.writerow([field_of(value) for value in line])

    return _attached(StreamingHttpResponse(body(), content_type="text/csv; charset=utf-8"), name)


def sheet(
    title: str, heads: Sequence[str], lines: Iterable[Sequence[Any]], *, notes: Sequence[str] = (), tail: Sequence[Sequence[Any]] = (),
    summed: bool = True,
) -> Sheet:  # fmt: skip
    """One sheet in the language of the page; a column that holds money has its sum below, where the list is `summed`."""
    rows = list(islice(lines, XLSX_ROWS + 1))
    if len(rows) > XLSX_ROWS:
        rows.pop()
        notes = [*notes, say("只有前 {n} 行,完整的清单请导出 CSV。", n=XLSX_ROWS)]
    words = [say(head) for head in heads]
    sums = [
        word
        for place, word in enumerate(words)
        if summed and any(isinstance(row[place], Fen | Formula) for row in rows)
    ]
    return Sheet(say(title), words, rows, sums, notes, tail, say("合计"))


def xlsx_answer(name: str, sheets: Sequence[Sheet]) -> HttpResponse:
    return _attached(HttpResponse(workbook(sheets), content_type=XLSX), f"{name}.xlsx")


def table_answer(
    form: str, name: str, title: str, heads: Sequence[str], lines: Iterable[Sequence[Any]], *, summed: bool = True
) -> HttpResponseBase:  # fmt: skip
    """A list as the address asks for it: `name` without its ending, `title` of the sheet and `heads` as Chinese keys."""
    if form == "csv":
        return csv_answer(f"{name}.csv", heads, lines)
    return xlsx_answer(name, [sheet(title, heads, lines, summed=summed)])


def _attached(answer: Answer, name: str) -> Answer:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
