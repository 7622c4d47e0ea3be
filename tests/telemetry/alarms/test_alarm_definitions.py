"""The shipped table: every row can be watched, says 运行参数, and none of its numbers is one of the law's."""

from importlib.resources import files

import pytest
import yaml
from alarm_town import Town

from nuan.telemetry.alarms.definitions import (
    Definition,
    DefinitionError,
    Kind,
    in_force,
    limit_text,
    shipped,
    to_limit,
)
from nuan.terms.quantities import QuantityTextError

ROWS = yaml.safe_load((files("nuan.telemetry.alarms") / "definitions.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("code", ROWS)
def test_every_row_says_what_its_numbers_are(code: str) -> None:
    assert ROWS[code]["note"] == "运行参数"
    assert shipped()[code].zh != shipped()[code].en


def test_every_kind_is_in_use_and_every_outage_has_dependents() -> None:
    assert {d.kind for d in shipped().values()} == set(Kind)
    assert {d.level for d in shipped().values() if d.outage} == {"source", "substation", "gateway"}


@pytest.mark.parametrize("definition", shipped().values(), ids=lambda d: d.code)
def test_a_definition_survives_the_records(definition: Definition) -> None:
    assert Definition.from_dict(definition.as_dict()) == definition


@pytest.mark.parametrize("definition", [d for d in shipped().values() if d.kind != Kind.STUCK], ids=lambda d: d.code)
def test_a_limit_survives_its_form(definition: Definition) -> None:
    text = limit_text(definition.kind, definition.quantity, definition.limit_on)
    assert to_limit(definition.kind, definition.quantity, text) == definition.limit_on


@pytest.mark.parametrize("text", ["", "x", "1,5", "12h"])
def test_a_limit_that_is_no_number_is_refused(text: str) -> None:
    for kind, quantity in ((Kind.STALE, "*"), (Kind.LOW, "supply_temp")):
        with pytest.raises(QuantityTextError):
            to_limit(kind, quantity, text)


@pytest.mark.parametrize(
    "values",
    [
        {"level": "banner"}, {"quantity": "smell"}, {"quantity": "*"}, {"limit_off": 2700}, {"against": "flow"}, {"kind": Kind.DEVIATION},
        {"kind": Kind.DEVIATION, "against": "flow"}, {"kind": Kind.SILENT}, {"level": "gateway"},
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(DefinitionError):
        shipped()["station_supply_low"].changed(**values)


def test_what_is_switched_off_watches_nothing() -> None:
    off = shipped()["home_cold"].changed(enabled=False)
    town = Town(changes=(off,))
    assert not any(town.name(row)[0] == "home_cold" for row in range(len(town.watches)))


def test_the_closest_definition_watches() -> None:
    base = shipped()["station_supply_low"]
    town = Town(
        changes=(
            base.changed(place="S2", limit_on=2000, limit_off=2100),
            base.changed(company="C1", limit_on=2500, limit_off=2600),
        )
    )
    limits = {
        town.name(row)[1]: int(town.watches.limit_on[row])
        for row in range(len(town.watches))
        if town.name(row)[0] == base.code
    }
    assert limits == {"S1": 2500, "S2": 2000, "S3": 2500}


def test_a_code_that_is_not_shipped_any_more_watches_nothing() -> None:
    gone = Definition("gone", Kind.LOW, "home", "room_temp", 1, 2, "旧", "old", 1)
    assert "gone" not in in_force([gone])
