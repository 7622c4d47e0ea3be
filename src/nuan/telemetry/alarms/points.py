"""Points as columns, and which definition watches which of them: worked out once for a registry, used every tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.alarms.definitions import ANY, GATEWAY, Definition, Kind
from nuan.terms.places import Level
from nuan.terms.quantities import QUANTITIES

NOWHERE = -1
Index = NDArray[np.int32]


@dataclass(frozen=True)
class Points:
    """n real points, then one for each source, substation and gateway that has points: it is as new as the newest of them.

    `source`, `station`, `gateway` are numbers of places above (`NOWHERE`: none); `names[i]` is (place, quantity, position).
    `ids` are those of the records; a whole place has none and is −1.
    """

    ids: NDArray[np.int64]
    names: Sequence[tuple[str, str, str]]
    level: Sequence[str]
    company: Sequence[str]
    source: Index
    station: Index
    gateway: Index
    sources: Sequence[str]
    stations: Sequence[str]
    gateways: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)


def with_whole_places(
    ids: NDArray[np.int64],
    names: Sequence[tuple[str, str, str]],
    level: Sequence[str],
    company: Sequence[str],
    source: Sequence[str],
    station: Sequence[str],
    gateway: Sequence[str],
) -> Points:
    """Columns of real points (empty text: hangs on nothing) with their whole places behind them.

    A station's whole is made of its own points, not of the homes below; so is a source's. A gateway's is everything that it brings.
    """
    at = {"source": _numbers(source), "station": _numbers(station), "gateway": _numbers(gateway)}
    numbers = {name: column.tolist() for name, (column, _) in at.items()}
    own: dict[tuple[str, int], list[int]] = {}
    for i, place_level in enumerate(level):
        for whole, name in ((Level.SOURCE, "source"), (Level.SUBSTATION, "station")):
            if place_level == whole and numbers[name][i] != NOWHERE:
                own.setdefault((name, numbers[name][i]), []).append(i)
        if numbers["gateway"][i] != NOWHERE:
            own.setdefault(("gateway", numbers["gateway"][i]), []).append(i)
    extra: list[tuple[str, str, str, int, int, int]] = []
    for (name, number), members in own.items():
        one, code = members[0], at[name][1][number]
        brought = {numbers["gateway"][i] for i in members}
        by = brought.pop() if len(brought) == 1 else NOWHERE
        if name == "source":
            extra.append((code, Level.SOURCE, company[one], number, NOWHERE, NOWHERE))
        elif name == "station":
            extra.append((code, Level.SUBSTATION, company[one], numbers["source"][one], number, by))
        else:
            extra.append((code, GATEWAY, company[one], NOWHERE, NOWHERE, number))
    columns = {
        name: np.array([row[place] for row in extra], np.int32)
        for name, place in (("source", 3), ("station", 4), ("gateway", 5))
    }
    return Points(
        np.concatenate([ids, np.full(len(extra), -1, np.int64)]),
        [*names, *((row[0], "", "") for row in extra)],
        [*level, *(row[1] for row in extra)],
        [*company, *(row[2] for row in extra)],
        np.concatenate([at["source"][0], columns["source"]]),
        np.concatenate([at["station"][0], columns["station"]]),
        np.concatenate([at["gateway"][0], columns["gateway"]]),
        at["source"][1],
        at["station"][1],
        at["gateway"][1],
    )


def _numbers(texts: Sequence[str]) -> tuple[Index, list[str]]:
    index: dict[str, int] = {}
    found = [NOWHERE if not text else index.setdefault(text, len(index)) for text in texts]
    return np.array(found, np.int32), list(index)


KINDS: Sequence[Kind] = tuple(Kind)


@dataclass(frozen=True)
class Watches:
    """One row for each definition and point that it watches, sorted by code and point. `definition` indexes `definitions`; `against` is the
    point with which a deviation compares."""

    definitions: Sequence[Definition]
    point: NDArray[np.int32]
    definition: NDArray[np.int32]
    kind: NDArray[np.int8]
    against: NDArray[np.int32]
    limit_on: NDArray[np.int64]
    limit_off: NDArray[np.int64]
    delay_on_s: NDArray[np.int64]
    delay_off_s: NDArray[np.int64]
    recover_s: NDArray[np.int64]
    outage: NDArray[np.bool_]
    codes: Sequence[str]
    keys: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.point)

    def find(self, code: str, point: int) -> int:
        """The row in which the point is watched by any definition of the code; `NOWHERE` if it is not."""
        if code not in self.codes or not len(self):
            return NOWHERE
        key = (self.codes.index(code) << 32) + point
        row = int(np.searchsorted(self.keys, key))
        return row if row < len(self) and int(self.keys[row]) == key else NOWHERE


def watch(points: Points, in_force: Mapping[str, Sequence[Definition]]) -> Watches:
    """Lay the definitions over the points; of several of one code the closest counts (place, then company, then all)."""
    level, company = np.array(points.level, object), np.array(points.company, object)
    quantity, position = (np.array([name[i] for name in points.names], object) for i in (1, 2))
    place = np.array([name[0] for name in points.names], object)
    by_name = {name: i for i, name in enumerate(points.names) if points.ids[i] >= 0}
    definitions: list[Definition] = []
    rows: list[NDArray[np.int64]] = []
    codes = list(in_force)
    for code_number, variants in enumerate(in_force.values()):
        base = variants[0]
        wanted = level == base.level
        if base.kind == Kind.SILENT:
            wanted &= points.ids < 0
        else:
            wanted &= points.ids >= 0
            wanted &= np.isin(quantity, list(QUANTITIES)) if base.quantity == ANY else quantity == base.quantity
        if base.position:
            wanted &= position == base.position
        closest = np.full(len(points), NOWHERE)
        for variant in variants:
            fits = wanted.copy()
            if variant.company:
                fits &= company == variant.company
            if variant.place:
                fits &= place == variant.place
            closest[fits] = len(definitions)
            definitions.append(variant)
        for number in np.unique(closest[closest != NOWHERE]).tolist():
            if definitions[number].enabled:
                chosen = np.flatnonzero(closest == number)
                rows.append(np.stack([chosen + (code_number << 32), chosen, np.full(len(chosen), number)]))
    laid = np.concatenate([*rows, np.zeros((3, 0), np.int64)], axis=1)
    keys, point, definition = laid[:, np.argsort(laid[0], kind="stable")]
    against = np.full(len(point), NOWHERE, np.int32)
    for number in (n for n, each in enumerate(definitions) if each.against):
        for row in np.flatnonzero(definition == number).tolist():
            name = points.names[point[row]]
            against[row] = by_name.get((name[0], definitions[number].against, name[2]), NOWHERE)

    def column(values: Sequence[int], dtype: type) -> NDArray[Any]:
        return np.array(values or [0], dtype)[definition] if len(point) else np.zeros(0, dtype)

    return Watches(
        definitions,
        point.astype(np.int32),
        definition.astype(np.int32),
        column([KINDS.index(d.kind) for d in definitions], np.int8),
        against,
        column([d.limit_on for d in definitions], np.int64),
        column([d.limit_off for d in definitions], np.int64),
        column([d.delay_on_s for d in definitions], np.int64),
        column([d.delay_off_s for d in definitions], np.int64),
        column([d.recover_s for d in definitions], np.int64),
        column([d.outage for d in definitions], np.bool_),
        codes,
        keys,
    )
