"""Each cell of the board says a colour and a figure in words; a clause without a rule says so."""

import pytest

from nuan.operations.board import Count, Tally, colour_of, compute_board, headline
from nuan.policies.catalogue import CLAUSES, clause
from nuan.records.registry.models import Banner, Company
from nuan.records.supervision.models import BoardCell, Run
from small_city import SEASON, build_city


def tally(level: str, met: int = 0, breached: int = 0, undecidable: int = 0, fen: int = 0, item: str = "") -> Tally:
    numbers = {"met": met, "breached": breached, "undecidable": undecidable}
    counts = [
        Count(
            "x",
            level,
            item,
            "C01",
            "150602",
            verdict,
            number,
            number,
            fen if verdict == "breached" else 0,
            150,
            "day_10",
        )
        for verdict, number in numbers.items()
        if number
    ]
    return Tally(counts)


@pytest.mark.parametrize(
    ("cell", "colour"),
    [
        pytest.param(tally("home"), "grey", id="nothing judged"),
        pytest.param(tally("home", undecidable=9), "grey", id="nothing decided is not green"),
        pytest.param(tally("home", met=100), "green", id="all met"),
        pytest.param(tally("home", met=100, undecidable=20), "green", id="some doubt"),
        pytest.param(tally("home", met=80, undecidable=20), "amber", id="much doubt"),
        pytest.param(tally("home", met=96, breached=4), "amber", id="4 of 100 homes"),
        pytest.param(tally("home", met=95, breached=5), "red", id="5 of 100 homes"),
        pytest.param(tally("banner", met=2, breached=1), "red", id="one banner without a vehicle"),
    ],
)
def test_colours(cell: Tally, colour: str) -> None:
    assert colour_of(cell) == colour


@pytest.mark.parametrize(
    ("key", "cell", "words"),
    [
        pytest.param("2.5.2", tally("home", met=90, breached=10), "10 户不达标（10.0%）", id="rooms"),
        pytest.param("2.5.2", tally("home", met=90, undecidable=2), "均达标，2 户无法判定", id="rooms, some unknown"),
        pytest.param("2.5.3a", tally("home", breached=3, fen=123_456), "应退 1,234.56 元，3 户", id="refund"),
        pytest.param("2.5.3a", tally("home", met=3), "没有应退的户", id="no refund"),
        pytest.param("2.5", tally("substation", breached=2, item="throttling"), "限热 2 站", id="throttled stations"),
        pytest.param("2.4.2a", tally("source", met=2), "最低可用 15.0 天", id="fuel"),
        pytest.param("2.6.1", tally("banner", met=2, breached=1), "1 个旗区不足", id="vehicles"),
    ],
)
def test_words(key: str, cell: Tally, words: str) -> None:
    assert headline(clause(key), "city", cell) == words


@pytest.mark.django_db
def test_no_clause_and_no_column_is_left_out() -> None:
    build_city()
    run = Run.objects.get()
    compute_board(run)
    columns = 1 + Banner.objects.count() + Company.objects.count()
    assert BoardCell.objects.count() == len(CLAUSES) * columns
    for cell in BoardCell.objects.all():
        assert cell.number
        if clause(cell.clause).rule is None:
            assert (cell.colour, cell.number) == ("grey", clause(cell.clause).status_zh[:60])
    rooms = BoardCell.objects.get(clause="2.5.2", column_level="company", column="C01")
    assert (rooms.colour, rooms.breached) == ("red", 2)
    assert run.season == SEASON
