"""Lists that leave the page: sorting by named columns only, and CSV that a spreadsheet cannot be tricked by."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from nuan.web.wording import say

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def sorted_by(request: HttpRequest, sorts: Mapping[str, str], default: str) -> str:
    """The column that `?sort=` names; an unknown name is the default, never passed on to the database."""
    return sorts.get(request.GET.get("sort", ""), sorts[default])


def harmless(value: object) -> str:
    """Text for a CSV field; what a spreadsheet would run as a formula gets an apostrophe. Missing is empty, not zero.

    >>> harmless("=HYPERLINK(1)"), harmless(None), harmless(-5)
    ("'=HYPERLINK(1)", '', '-5')
    """
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text.startswith(FORMULA_STARTS):
        try:
            float(text)
        except ValueError:
            return "'" + text
    return text


class _Line:
    def write(self, text: str) -> str:
        return text


def csv_answer(name: str, heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """UTF-8 with byte-order mark, so that Excel reads the Chinese."""

    def body() -> Iterable[str]:
        writer = csv.writer(_Line())
        yield "\ufeff" + writer.writerow([say(head) for head in heads])
        for line in lines:
            yield writer.writerow([harmless(value) for value in line])

    answer = StreamingHttpResponse(body(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
