"""Reads a clause's cases.yaml: officers' rows (°C, tonnes, dates) become fact tables, one subject over one season."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import polars as pl
import yaml

from nuan.facts.book import FactBook
from nuan.facts.schemas import TABLES
from nuan.rules.interpretation import Signed
from nuan.rules.pack import Pack, contract_layer, load_pack
from nuan.terms.places import CHINA, day_number, day_start, to_epoch
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)
# officers write °C, t, yuan, dates and times; fact tables hold 0.01 °C, kg, fen, day numbers and epoch seconds
UNITS = {"_c": ("_c100", 100), "_t": ("_t1000", 1000), "_yuan": ("_fen", 100)}


@dataclass(frozen=True)
class Case:
    clause: str
    name: str
    book: FactBook
    pack: Pack
    level: str
    code: str
    item: str
    expect: Any


def cases(folder: str) -> Iterator[Case]:
    text = (files("nuan.policies.directive") / folder / "cases.yaml").read_text("utf-8")
    sheet = yaml.safe_load(text)
    for told in sheet["cases"]:
        subject = {**sheet["subject"], **told.get("subject", {})}
        yield Case(
            clause=sheet["clause"],
            name=told["name"],
            book=_book(told.get("tables", sheet["tables"]), told, sheet.get("rows", {})),
            pack=_pack(told.get("pack", sheet["pack"]), told),
            level=subject["level"],
            code=subject["code"],
            item=told.get("item", subject["item"]),
            expect=told["expect"],
        )


def _pack(name: str, told: Mapping[str, Any]) -> Pack:
    signed = [Signed(key, option, signed_by="刘科") for key, option in told.get("signed", {}).items()]
    for key, decisions in told.get("signed_from", {}).items():
        signed += [Signed(key, option, valid_from=day, signed_by="刘科", signed_on=day) for day, option in decisions]
    pack = load_pack(name, signed, above=[contract_layer(told["contract"])] if "contract" in told else ())
    if told.get("unsigned"):
        layers = tuple(_without_interpretations(layer) for layer in pack.layers)
        pack = Pack(pack.name, layers, pack.signed, pack.vocabulary, pack.questions)
    return pack


def _without_interpretations(layer: Any) -> Any:
    from dataclasses import replace

    return replace(layer, content={**layer.content, "interpretations": {}})


def _book(tables: Mapping[str, Any], told: Mapping[str, Any], ordinary: Mapping[str, Any]) -> FactBook:
    """`ordinary` is one row a table; under `facts` a case gives its rows of a table by what differs from that (`[]`: no row)."""
    as_of = told.get("as_of")
    as_of_s = SEASON.interval.end if as_of is None else day_start(day_number(as_of))
    filled = {name: _table(name, row, told) for name, row in tables.items()}
    changes = {name: [{}] for name in ordinary} | told.get("facts", {})
    for name, rows in changes.items():
        filled[name] = _frame(name, [{**ordinary.get(name, {}), **row} for row in rows])
    if "vehicles" in told:
        filled["vehicle"] = _frame("vehicle", [_vehicle(i, each) for i, each in enumerate(told["vehicles"])])
    if "measurements" in told:
        rows = [_measurement(i, each) for i, each in enumerate(told["measurements"])]
        filled["measurement"] = _frame("measurement", rows)
    return FactBook(SEASON, as_of_s, filled)


def _table(name: str, ordinary: Mapping[str, Any] | list[dict[str, Any]], told: Mapping[str, Any]) -> pl.DataFrame:
    """A row, or several; a table of days gets one for each day of the season."""
    if isinstance(ordinary, list):
        return _frame(name, ordinary)
    ordinary = {**ordinary, **told.get("every_day", {}).get(name, {})}
    if "day" not in TABLES[name].schema:
        return _frame(name, [ordinary])
    rows: dict[int, Any] = {day: dict(ordinary) for day in SEASON.day_numbers}
    for when, change in told.get("days", {}).get(name, {}).items():
        for day in _days(when):
            rows[day] = None if change == "none" else {**(rows.get(day) or ordinary), **change}
    return _frame(name, [{**row, "day": day} for day, row in sorted(rows.items()) if row is not None])


def _days(when: date | str) -> range:
    if isinstance(when, date):
        return range(day_number(when), day_number(when) + 1)
    first, last = (date.fromisoformat(part) for part in when.split(".."))
    return range(day_number(first), day_number(last) + 1)


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([dict(_fixed(key, value) for key, value in row.items()) for row in rows], TABLES[name].schema)


def _fixed(key: str, value: Any) -> tuple[str, Any]:
    for suffix, (fixed, scale) in UNITS.items():
        if key.endswith(suffix):
            return key.removesuffix(suffix) + fixed, None if value is None else round(value * scale)
    if isinstance(value, datetime):
        return key, to_epoch(value.replace(tzinfo=CHINA))
    return key, day_number(value) if isinstance(value, date) else value


def _vehicle(number: int, told: Mapping[str, Any]) -> dict[str, Any]:
    to = told.get("to")
    return {
        "vehicle_id": f"V{number}",
        "banner": told.get("banner", "150602"),
        "power_kw": told.get("power_kw", 1000),
        "available_from": day_number(told["from"]),
        "available_to": None if to is None else day_number(to),
    }


def _measurement(number: int, told: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(told["at"]).replace(tzinfo=CHINA)
    return {
        "measurement_id": f"M{number}",
        "home": told["home"],
        "measured_s": to_epoch(at),
        "temp_c": told["temp_c"],
        "user_refused": told.get("user_refused", False),
    }
