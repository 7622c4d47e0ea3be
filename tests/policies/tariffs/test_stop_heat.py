"""Stopping heat: the window, what forbids it, and what silence means."""

from datetime import date

import pytest

from nuan.policies.tariffs.stop_heat import on_silence, stop_heat, window_end
from nuan.rules.pack import load_pack
from nuan.terms.season import Season, SeasonRule

IN_OCTOBER, IN_NOVEMBER = SeasonRule(10, 15, 4, 15).season(2025), SeasonRule(11, 15, 3, 15).season(2025)


@pytest.mark.parametrize(
    ("pack", "season", "last_day"),
    [
        pytest.param("demo-city", IN_OCTOBER, date(2025, 9, 15), id="示例市 9月15日前"),
        pytest.param("heze", IN_NOVEMBER, date(2025, 10, 15), id="菏泽 10月15日前"),
        pytest.param("linyi", IN_NOVEMBER, date(2025, 10, 16), id="临沂 季前三十日"),
        pytest.param("luoyang", IN_NOVEMBER, None, id="洛阳 未载明"),
    ],
)
def test_the_last_day_to_apply(pack: str, season: Season, last_day: date | None) -> None:
    assert window_end(load_pack(pack), season)[0] == last_day


def test_in_time_a_day_late_and_nobody_knows() -> None:
    demo, luoyang = load_pack("demo-city"), load_pack("luoyang")
    assert stop_heat(demo, IN_OCTOBER, date(2025, 9, 15), ()).accepted is True
    late = stop_heat(demo, IN_OCTOBER, date(2025, 9, 16), ())
    assert (late.accepted, late.late) == (False, True)
    unknown = stop_heat(luoyang, IN_NOVEMBER, date(2025, 9, 1), ())
    assert (unknown.accepted, unknown.missing) == (None, ("stop_heat.apply_days_before",))


def test_only_what_the_place_names_forbids() -> None:
    applied = date(2025, 9, 1)
    assert stop_heat(load_pack("binzhou"), IN_NOVEMBER, applied, ["shared_safety"]).grounds == ("shared_safety",)
    assert stop_heat(load_pack("binzhou"), IN_NOVEMBER, applied, ["arrears"]).accepted is True
    assert stop_heat(load_pack("demo-city"), IN_OCTOBER, applied, ["arrears"]).accepted is False
    with pytest.raises(ValueError, match="no such ground"):
        stop_heat(load_pack("demo-city"), IN_OCTOBER, applied, ["weather"])


@pytest.mark.parametrize(
    ("pack", "stopped_before", "paid_on", "stopped"),
    [
        pytest.param("heze", True, None, True, id="菏泽 上年报停、未交费：继续报停"),
        pytest.param("heze", True, date(2025, 11, 10), False, id="菏泽 11月10日交清：开通"),
        pytest.param("heze", True, date(2025, 11, 11), True, id="菏泽 11月11日交清：继续报停"),
        pytest.param("heze", False, None, False, id="菏泽 上年用热"),
        pytest.param("demo-city", True, None, False, id="示例市 未申请即供热"),
        pytest.param("linyi", True, None, None, id="临沂 未载明"),
        pytest.param("linyi", False, None, False, id="临沂 上年用热：照常"),
    ],
)
def test_what_silence_means(pack: str, stopped_before: bool, paid_on: date | None, stopped: bool | None) -> None:
    assert on_silence(load_pack(pack), IN_NOVEMBER, stopped_before, paid_on) is stopped
