"""Addresses that nobody means well with: a NUL, an absurd page, an unknown sort; and what a stranger sees instead."""

from collections.abc import Callable

import pytest
from django.test import Client

from nuan.web.board_words import figure


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/homes/?banner=%00", 400),
        ("/homes.csv?company=%00", 400),
        ("/clauses/2.5.2/?verdict=%00", 400),
        ("/stations/%00/", 400),
        ("/api/v1/homes?building=%00", 400),
        ("/homes/?page=99999999999999999999", 200),
        ("/homes/?sort=;drop", 200),
        ("/homes/99999999999999999999999/", 404),
        ("/clauses/2.5.2/?at=0001-01-01", 200),
    ],
)
def test_a_strange_address_is_no_error_of_ours(
    as_cast: Callable[[str | None], Client], address: str, status: int
) -> None:
    assert as_cast("刘科").get(address).status_code == status


def test_a_nul_in_a_search_finds_nothing(as_cast: Callable[[str | None], Client]) -> None:
    assert as_cast("刘科").post("/search/", {"q": "\0"}).status_code == 200


def test_not_there_and_not_yours_look_the_same(as_cast: Callable[[str | None], Client]) -> None:
    client = as_cast("王阿姨")
    hidden, missing = client.get("/audit/"), client.get("/homes/999999999/")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content.count("没有这一页".encode()) == missing.content.count("没有这一页".encode()) > 0


def test_a_resident_is_shown_no_way_that_is_closed(as_cast: Callable[[str | None], Client]) -> None:
    client = as_cast("王阿姨")
    for path in ("/my-home/", "/clauses/2.5.2/", "/clauses/2.5.3a/"):
        body = client.get(path).content.decode()
        for closed in ('href="/stations/', 'href="/buildings/', 'href="/homes/"', "judgements.csv"):
            assert closed not in body, (path, closed)


@pytest.mark.parametrize(
    ("stored", "english"),
    [
        ("420 户不达标（79.4%），2 户无法判定", "420 homes below standard (79.4%), 2 homes undecidable"),
        ("应退 8,549.09 元，319 户，38 户无法判定", "8,549.09 yuan owed, 319 homes, 38 homes undecidable"),
        ("过量供热 1 站，提前停热 2 站", "over-heating: 1 substation, early stop: 2 substations"),
        ("最低可用 5.0 天，1 处热源不达标", "lowest cover 5.0 days, 1 heat source below standard"),
        ("1 个旗区不足", "missing in 1 banner"),
        ("3 户金额无法判定", "amount undecidable for 3 homes"),
        ("全部达标", "all met"),
        ("暂无判定", ""),
    ],
)
def test_a_cell_speaks_english(monkeypatch: pytest.MonkeyPatch, stored: str, english: str) -> None:
    monkeypatch.setattr("nuan.web.board_words.in_english", lambda: True)
    assert figure(stored) == english
