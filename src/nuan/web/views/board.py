"""The clause board: the directive as rows, banners or companies as columns, coloured by stored cells."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render

from nuan.records.accounts.models import Role
from nuan.records.registry.models import Banner
from nuan.records.supervision.models import BoardCell
from nuan.web.clause_words import ClauseWords, clause_rows
from nuan.web.guard import Visit

FIRST_PAGES = {Role.RESIDENT: "my_home", Role.DISPATCH: "alarms", Role.FINANCE: "finance"}


@dataclass(frozen=True)
class BoardRow:
    clause: ClauseWords
    cells: list[tuple[str, BoardCell | None]]
    opens_section: bool


def rows(cells: Iterable[BoardCell], columns: list[Any]) -> list[BoardRow]:
    """Every clause, whether it has cells or not: no clause is left out of the board."""
    by_place = {(cell.clause, cell.column): cell for cell in cells}
    result, section = [], ""
    for words in clause_rows():
        found = [(column.name, by_place.get((words.id, column.code))) for column in columns]
        result.append(BoardRow(words, found, words.section != section))
        section = words.section
    return result


def table(cells: QuerySet[BoardCell], level: str, columns: list[Any]) -> dict[str, Any]:
    chosen = list(cells.filter(column_level=level))
    return {
        "columns": columns,
        "rows": rows(chosen, columns),
        "counts": {colour: sum(cell.colour == colour for cell in chosen) for colour in BoardCell.Colour.values},
        "level": level,
        "has_cells": bool(chosen),
        "computed_at": max((cell.computed_at for cell in chosen), default=None),
    }


def board(request: Visit) -> HttpResponse:
    scope = request.scope
    both = scope.kind == "city"
    level = request.GET.get("by", "banner") if both else scope.kind
    if level not in {"banner", "company"}:
        level = "banner"
    places: list[Any] = list(scope.companies() if level == "company" else scope.banners())
    places.sort(key=lambda place: place.code)
    context = table(scope.cells(BoardCell.objects.all()), level, places)
    return render(request, "web/board.html", context | {"may_toggle": both})


def public(request: Visit) -> HttpResponse:
    """What anybody may see: the board by banner, in colours and words, without homes, money or companies."""
    return render(
        request,
        "web/public.html",
        table(BoardCell.objects.all(), "banner", list(Banner.objects.order_by("code"))),
    )


def start(request: Any) -> HttpResponse:
    """`/`: alarms for dispatchers, the desk for finance, the board for bureaus and companies, their own home for residents, else the public page."""
    if not request.user.is_authenticated:
        return redirect("public")
    return redirect(FIRST_PAGES.get(request.user.role, "board"))
