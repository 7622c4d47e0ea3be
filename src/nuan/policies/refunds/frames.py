"""Fact tables → the columns of the refund rules. Homes are numbered by their row in the `homes` table."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from nuan.policies.refunds.columns import CAUSES, PURPOSES, UNKNOWN, Bool, Homes, Int64, Measurements, Outages, ints


@dataclass(frozen=True)
class Numbered:
    """Home codes in row order; rows of other tables about homes that have no contract are left out."""

    codes: list[str]
    homes: Homes

    def join(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`frame` with the home's row number as `row`."""
        rows = pl.DataFrame(
            {"home": self.codes, "row": np.arange(len(self.codes))}, schema={"home": pl.String, "row": pl.Int64}
        )
        return frame.join(rows, on="home", how="inner", maintain_order="left")


def _filled(series: pl.Series) -> Int64:
    return ints(series.cast(pl.Int64).fill_null(UNKNOWN).to_numpy())


def _flags(series: pl.Series) -> Bool:
    return np.ascontiguousarray(series.fill_null(False).to_numpy(), dtype=np.bool_)


def _words(series: pl.Series, words: tuple[str, ...]) -> Int64:
    return ints(series.replace_strict({word: i for i, word in enumerate(words)}, return_dtype=pl.Int64).to_numpy())


def numbered(homes: pl.DataFrame) -> Numbered:
    return Numbered(
        homes["home"].to_list(),
        Homes.of(
            _filled(homes["season_fee_fen"]),
            _filled(homes["base_fee_fen"]),
            _flags(homes["metered"]),
            _flags(homes["stop_heat"]),
            _filled(homes["area_m2_100"]),
        ),
    )


def outage_columns(outage_home: pl.DataFrame, outage: pl.DataFrame, who: Numbered) -> tuple[Outages, list[str]]:
    """Outages of homes and their ids. An outage with an empty `attested_by` is not attested."""
    frame = who.join(outage_home)
    if outage.height:
        attested = outage.select("outage_id", (pl.col("attested_by") != "").alias("attested")).unique("outage_id")
        frame = frame.join(attested, on="outage_id", how="left", maintain_order="left").with_columns(
            pl.col("attested").fill_null(False)
        )
    else:
        frame = frame.with_columns(pl.lit(True).alias("attested"))
    columns = Outages(
        _filled(frame["row"]),
        _filled(frame["start_s"]),
        _filled(frame["end_s"]),
        _words(frame["cause"], CAUSES),
        _flags(frame["attested"]),
    )
    return columns, frame["outage_id"].to_list()


def measurement_columns(measurement: pl.DataFrame, who: Numbered) -> tuple[Measurements, list[str]]:
    frame = who.join(measurement)
    columns = Measurements(
        home=_filled(frame["row"]),
        room=ints(frame["room"].rank("dense").fill_null(0).to_numpy()) if frame.height else np.zeros(0, np.int64),
        room_area_m2_100=_filled(frame["room_area_m2_100"]),
        requested_s=_filled(frame["requested_s"]),
        measured_s=_filled(frame["measured_s"]),
        temp_c100=_filled(frame["temp_c100"]),
        signed_user=_flags(frame["signed_user"]),
        signed_company=_flags(frame["signed_company"]),
        user_refused=_flags(frame["user_refused"]),
        company_absent=_flags(frame["company_absent"]),
        no_record=_flags(frame["no_record"]),
        third_party=_flags(frame["third_party"]),
        purpose=_words(frame["purpose"], PURPOSES),
    )
    return columns, frame["measurement_id"].to_list()
