"""Limits are a company's to set, with a reason; the closest setting counts; nonsense is refused with a sentence."""

import pytest
from living_city import Living

from nuan.operations.alarm_settings import (
    NoReasonForChangeError,
    NoSuchDefinitionError,
    change_alarm_definition,
    definition_for,
    withdraw_alarm_definition,
)
from nuan.records.audit.models import AuditEntry
from nuan.records.monitoring.models import AlarmDefinition
from nuan.telemetry.alarms.definitions import DefinitionError
from small_city import AS_OF, build_city

pytestmark = pytest.mark.django_db
CODE = "station_pressure_high"


def change(reason: str = "高层小区", company: str = "", place: str = "", **values: object) -> None:
    change_alarm_definition(CODE, values=values, reason=reason, actor="陈调度", now=AS_OF, company=company, place=place)


def test_the_closest_setting_counts() -> None:
    build_city()
    change(limit_on=7000, limit_off=6500)
    change(company="C01", limit_on=6000, limit_off=5500)
    change(company="C01", place="H01-S02", limit_on=9000, limit_off=8500)
    found = [
        definition_for(CODE, *key).limit_on
        for key in (("C02", ""), ("C01", ""), ("C01", "H01-S01"), ("C01", "H01-S02"))
    ]
    assert found == [7000, 6000, 6000, 9000]
    living = Living.warm()
    living.minute()
    for station in ("H01-S01", "H01-S02", "H02-S03"):
        living.values[station, "pressure"] = 6.5
    living.minute(2)
    assert living.open() == [(CODE, "H01-S01", "active")]
    withdraw_alarm_definition(CODE, reason="改回", actor="陈调度", company="C01")
    living.minute(3)
    assert living.open() == [(CODE, "H01-S01", "cleared")]


def test_a_change_says_what_was_before() -> None:
    change(limit_on=7000, limit_off=6500)
    entry = AuditEntry.objects.get(act="change_alarm_definition")
    assert (entry.why, entry.details["limit_on"], entry.details["limit_off"]) == (
        "高层小区",
        [8000, 7000],
        [7500, 6500],
    )


@pytest.mark.parametrize(
    ("values", "word"),
    [
        pytest.param({"limit_on": 7000, "limit_off": 7500}, "回差", id="hysteresis the wrong way round"),
        pytest.param({"priority": 5}, "优先级", id="priority"),
        pytest.param({"delay_on_s": -1}, "延时", id="delay"),
        pytest.param({"tell": ("everybody",)}, "角色", id="listener"),
        pytest.param({"escalate_min": 0}, "升级", id="escalation without minutes"),
        pytest.param({"zh": " "}, "文字", id="no words"),
        pytest.param({"outage": True}, "不能改", id="what the shape of the table says"),
    ],
)
def test_nonsense_is_refused(values: dict[str, object], word: str) -> None:
    with pytest.raises(DefinitionError, match=word):
        change(**values)
    assert not AlarmDefinition.objects.exists()


def test_a_change_needs_a_reason_a_definition_and_a_place_of_the_company() -> None:
    build_city()
    with pytest.raises(NoReasonForChangeError):
        change(reason=" ", priority=2)
    with pytest.raises(NoSuchDefinitionError):
        change_alarm_definition("x", values={}, reason="y", actor="刘科", now=AS_OF)
    with pytest.raises(DefinitionError, match="没有编号"):
        change(company="C01", place="H02-S03", priority=2)
    assert not AlarmDefinition.objects.exists()


def test_no_change_is_no_act() -> None:
    change(priority=1)
    assert not AuditEntry.objects.exists()
    assert not AlarmDefinition.objects.exists()
