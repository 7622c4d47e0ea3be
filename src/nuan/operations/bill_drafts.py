"""The bills of a company as they would be: lines, totals, exceptions first. Nothing is written here."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from nuan.operations.bill_inputs import BillInputs, bill_inputs, columns
from nuan.policies.tariffs.billing import KINDS, bill
from nuan.rules.fingerprint import fingerprint

BLOCKING_NEGATIVE = "negative_bill"
JUMP, CONTRACT_DIFFERS = "jump_against_last_season", "contract_says_otherwise"
WARNINGS: dict[str, tuple[str, str]] = {
    JUMP: ("与上季相比变化超过比例", "differs from last season by more than the place's share"),
    CONTRACT_DIFFERS: ("合同约定热费与按热价计算不同", "the contract's fee is not what the tariff gives"),
}


@dataclass(frozen=True)
class Draft:
    """`lines`: home_id, position, kind, part, quantity, amount_fen, parameter. `bills`: home_id, home, pack, total_fen.
    `exceptions`: home_id, code, blocking, detail."""

    inputs: BillInputs
    bills: pl.DataFrame
    lines: pl.DataFrame
    exceptions: pl.DataFrame
    content_hash: str
    fingerprint: str
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def total_fen(self) -> int:
        return int(self.bills["total_fen"].sum())


_LINES = {
    "home_id": pl.Int64, "position": pl.Int64, "kind": pl.String, "part": pl.Int64, "quantity": pl.Int64, "amount_fen": pl.Int64,
    "parameter": pl.String,
}  # fmt: skip
_BILLS = {"home_id": pl.Int64, "home": pl.String, "pack": pl.String, "total_fen": pl.Int64}
_EXCEPTIONS = {"home_id": pl.Int64, "code": pl.String, "blocking": pl.Boolean, "detail": pl.String}


def draft_bills(company: str, season: str, pack_name: str | None = None) -> Draft:
    """Everything that a run of this company and season would post now."""
    inputs = bill_inputs(company, season, pack_name)
    todo = inputs.homes.filter(~pl.col("billed_already"))
    bills, lines, exceptions, notes = [], [], [], {"height_unknown": 0, "nothing_owed": 0, "billed_already": 0}
    notes["billed_already"] = inputs.homes.height - todo.height
    for (name,), homes in todo.group_by("pack", maintain_order=True):
        each = _of_pack(inputs, str(name), homes)
        bills.append(each[0])
        lines.append(each[1])
        exceptions.append(each[2])
        for key, count in each[3].items():
            notes[key] += count
    all_bills = pl.concat([pl.DataFrame(schema=_BILLS), *bills]).sort("home_id")
    all_lines = pl.concat([pl.DataFrame(schema=_LINES), *lines]).sort("home_id", "position")
    all_exceptions = pl.concat([pl.DataFrame(schema=_EXCEPTIONS), *exceptions]).sort("blocking", "code", "home_id", descending=[True, False, False])  # fmt: skip
    rules = fingerprint("nuan.rules", "nuan.policies")
    return Draft(
        inputs,
        all_bills,
        all_lines,
        all_exceptions,
        _content_hash(inputs, all_bills, all_lines, all_exceptions),
        rules,
        _summary(inputs, all_bills, all_lines, all_exceptions, notes),
    )


def _content_hash(inputs: BillInputs, bills: pl.DataFrame, lines: pl.DataFrame, exceptions: pl.DataFrame) -> str:
    """Over every line to be posted, with who is billed by which version of which pack and when it is due, and every exception that both saw."""
    digest = hashlib.sha256(f"{inputs.company}\0{inputs.season}\0{sorted(inputs.packs.versions().items())}".encode())
    digest.update(str(sorted((name, each.due_on) for name, each in inputs.tariffs.items())).encode())
    for frame, names in (
        (bills, ("home_id", "pack", "total_fen")),
        (lines, tuple(_LINES)),
        (exceptions, ("home_id", "code")),
    ):
        for name in names:
            column = frame[name]
            if column.dtype == pl.Int64:
                digest.update(column.to_numpy().astype("<i8").tobytes())
            else:
                digest.update("\0".join(column.to_list()).encode())
    return digest.hexdigest()


def _of_pack(inputs: BillInputs, name: str, homes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, dict[str, int]]:  # fmt: skip
    by = inputs.tariffs[name]
    with_contract = homes.filter(~pl.col("no_contract"))
    exceptions = [_exceptions(homes.filter("no_contract")["home_id"], "no_contract", blocking=True)]
    if by.tariff is None:
        exceptions.append(_exceptions(with_contract["home_id"], "tariff_impossible", blocking=True, detail=by.impossible[:200]))  # fmt: skip
        return pl.DataFrame(schema=_BILLS), pl.DataFrame(schema=_LINES), pl.concat(exceptions), {}
    billed = bill(columns(with_contract), by.tariff)
    ids = with_contract["home_id"].to_numpy()
    for code, mask in billed.why.items():
        exceptions.append(_exceptions(pl.Series(ids[mask]), code, blocking=True))
    negative = billed.total_fen < 0
    exceptions.append(_exceptions(pl.Series(ids[negative]), BLOCKING_NEGATIVE, blocking=True))
    owed = billed.total_fen > 0
    exceptions += _warnings(inputs, name, with_contract, billed.total_fen, owed)
    parameter = {(kind, dwelling): "" for kind in KINDS for dwelling in (True, False)}
    for (of_class, kind), charge in billed.charges.items():
        parameter[kind, of_class == "home"] = _parameter(kind, charge.key)
    rows = billed.lines
    kept = owed[rows.home]
    kind = pl.Series([KINDS[code] for code in range(len(KINDS))])
    names = kind.gather(rows.kind[kept])
    lines = pl.DataFrame(
        {
            "home_id": ids[rows.home[kept]], "kind": names, "part": rows.part[kept], "quantity": rows.quantity[kept],
            "amount_fen": rows.amount_fen[kept], "dwelling": with_contract["is_dwelling"].to_numpy()[rows.home[kept]],
        }
    ).with_columns(pl.int_range(1, pl.len() + 1).over("home_id").alias("position"))  # fmt: skip
    keys = pl.DataFrame([(kind, flag, key) for (kind, flag), key in parameter.items()], schema=["kind", "dwelling", "parameter"], orient="row")  # fmt: skip
    lines = lines.join(keys, on=["kind", "dwelling"], how="left", maintain_order="left").select(list(_LINES))
    bills = pl.DataFrame({"home_id": ids[owed], "home": with_contract["home"].to_numpy()[owed], "pack": name, "total_fen": billed.total_fen[owed]}, schema=_BILLS)  # fmt: skip
    nothing = int(((billed.total_fen == 0) & ~billed.refused).sum())
    return (
        bills,
        lines,
        pl.concat(exceptions),
        {"height_unknown": int(billed.height_unknown.sum()), "nothing_owed": nothing},
    )


def _parameter(kind: str, key: str) -> str:
    """The parameter that stands behind a line of this kind."""
    return {"height": "tariff.height_percent", "cap": "tariff.metered_over_area_max", "stop": "stop_heat.base_fee_percent"}.get(kind, key)  # fmt: skip


def _exceptions(homes: pl.Series, code: str, *, blocking: bool, detail: str = "") -> pl.DataFrame:
    return pl.DataFrame({"home_id": homes.cast(pl.Int64)}).with_columns(
        pl.lit(code).alias("code"), pl.lit(blocking).alias("blocking"), pl.lit(detail).alias("detail")
    )


def _warnings(inputs: BillInputs, name: str, homes: pl.DataFrame, total: Any, owed: Any) -> list[pl.DataFrame]:
    """A jump against last season, where the place says which share is one; a contract that names another fee."""
    pack, season = inputs.packs.packs[name], inputs.packs.seasons[name]
    found = []
    limit = pack.value("bill.jump_percent", season.first_day)
    last = homes["last_fen"].fill_null(0).to_numpy()
    if limit is not None:
        jumped = owed & (last > 0) & (np.abs(total - last) * 100 > last * int(limit))
        found.append(
            _exceptions(pl.Series(homes["home_id"].to_numpy()[jumped]), JUMP, blocking=False, detail=f"> {limit} %")
        )
    agreed = homes["season_fee_fen"].fill_null(-1).to_numpy()
    plain = (
        ~homes["metered"].to_numpy()
        & ~homes["stopped"].to_numpy()
        & (homes["connection_m2_100"].fill_null(0) == 0).to_numpy()
    )
    plain &= (homes["ceiling_mm"].fill_null(0) == 0).to_numpy()
    differs = owed & plain & (agreed >= 0) & (agreed != total)
    return [*found, _exceptions(pl.Series(homes["home_id"].to_numpy()[differs]), CONTRACT_DIFFERS, blocking=False)]


def _summary(inputs: BillInputs, bills: pl.DataFrame, lines: pl.DataFrame, exceptions: pl.DataFrame, notes: dict[str, int]) -> dict[str, Any]:  # fmt: skip
    kinds = lines.group_by("kind").agg(pl.col("amount_fen").sum(), pl.len().alias("n")).sort("kind")
    counts = exceptions.group_by("code", "blocking").len().sort("code")
    last = inputs.homes["last_fen"].sum()
    return {
        "homes": inputs.homes.height,
        "by_kind": {row["kind"]: {"lines": row["n"], "fen": row["amount_fen"]} for row in kinds.to_dicts()},
        "exceptions": {row["code"]: row["len"] for row in counts.to_dicts()},
        "blocked_homes": exceptions.filter("blocking")["home_id"].n_unique(),
        "last_season_fen": int(last) if inputs.homes["last_fen"].is_not_null().any() else None,
        "due": {name: each.due_on.isoformat() if each.due_on else None for name, each in inputs.tariffs.items()},
        **notes,
    }
