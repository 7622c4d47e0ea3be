"""Corrected readings stand on the home's page with their reason, for the office and for the resident, and for nobody else."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from nuan.operations.correct_readings import Correction, correct_readings
from nuan.records.registry.models import Home
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db
START = 1_767_196_800
CODE = "B001-1-0101"
WHY = "探头偏高,送检证书 24-117"


@pytest.fixture
def corrected(city: None, tmp_path: Path) -> Home:
    key = SeriesKey(CODE, "room_temp", "living")
    with Store(tmp_path / "readings", write=True) as store:
        store.append(ReadingBatch.of(store.series_id(key), np.array([START]), np.array([2000], np.int32)))
    correct_readings(
        Correction(key, START, START + 86_400, shift=Fraction("-0.8")), actor="陈调度", why=WHY,
        root=tmp_path / "readings", arrival_s=START,
    )  # fmt: skip
    return Home.objects.get(code=CODE)


@pytest.mark.parametrize("person", ["小李", "刘科"])
def test_the_office_sees_why(corrected: Home, as_cast: Callable[[str | None], Client], person: str) -> None:
    page = as_cast(person).get(f"/homes/{corrected.pk}/").content.decode()
    assert WHY in page
    assert "加 -0.8 °C" in page
    assert "2026-01-01" in page
    assert "陈调度" not in page, "who did it stands in the audit log"


def test_the_resident_sees_it_and_a_stranger_nothing(corrected: Home, as_cast: Callable[[str | None], Client]) -> None:
    assert WHY in as_cast("王阿姨").get(f"/homes/{corrected.pk}/").content.decode()
    assert as_cast("外人").get(f"/homes/{corrected.pk}/").status_code == 404


def test_where_nothing_was_corrected_nothing_is_said(city: None, as_cast: Callable[[str | None], Client]) -> None:
    page = as_cast("小李").get(f"/homes/{Home.objects.get(code=CODE).pk}/").content.decode()
    assert "更正过的读数" not in page
