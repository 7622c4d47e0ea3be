"""What a run stands on: season, moment, packs, contracts, outages and measurements, cut into pieces of work that can be skipped."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import polars as pl

from nuan.facts.book import FactBook
from nuan.facts.outages import outage_homes
from nuan.network.topology import SupplyTree
from nuan.operations.city_packs import CityPacks
from nuan.operations.hazard_facts import hazard_facts
from nuan.operations.recorded_facts import PlaceRecords, homes_of, measurements_at, outages_at, place_records
from nuan.operations.support_facts import support_facts
from nuan.rules.fingerprint import fingerprint
from nuan.telemetry.series import bucket_of
from nuan.terms.places import to_epoch

DECIDING = ("nuan.rules", "nuan.policies", "nuan.facts", "nuan.telemetry.rollups", "nuan.buildings")
"""Packages whose source decides a result; their fingerprint is stored with every run."""
PLACES = "places"
FEWEST_HOMES = 500


@dataclass(frozen=True)
class HomePiece:
    """The homes of some buckets of the store, with what is recorded about them."""

    name: str
    buckets: range
    homes: pl.DataFrame
    outage: pl.DataFrame
    outage_home: pl.DataFrame
    measurement: pl.DataFrame

    def tables(self) -> dict[str, pl.DataFrame]:
        """What is recorded, as fact tables; `home_day` comes from the readings."""
        return {
            "homes": self.homes, "outage": self.outage, "outage_home": self.outage_home, "measurement": self.measurement,
        }  # fmt: skip

    def only(self, codes: Sequence[str]) -> "HomePiece":
        """The piece with some of its homes."""
        wanted = pl.col("home").is_in(list(codes))
        return HomePiece(
            self.name, self.buckets, self.homes.filter(wanted), self.outage, self.outage_home.filter(wanted),
            self.measurement.filter(wanted),
        )  # fmt: skip


@dataclass(frozen=True)
class Basis:
    """`as_of_s` is a full hour, at latest the season's end in every pack: what comes after it changes nothing."""

    season: str
    as_of_s: int
    packs: CityPacks
    fingerprint: str
    homes: pl.DataFrame
    outage: pl.DataFrame
    measurement: pl.DataFrame
    places: PlaceRecords
    buckets: int

    @cached_property
    def support(self) -> Mapping[str, pl.DataFrame]:
        """The fact tables of money, maintenance, hazards and patrols, read when somebody asks: a home's working needs none of them."""
        return support_facts(self.season, self.as_of_s) | hazard_facts(self.as_of_s)

    def pieces(self, fewest: int = FEWEST_HOMES) -> list[HomePiece]:
        """Neighbouring buckets together, so that a piece has `fewest` homes or more; every bucket by itself in a large city."""
        width = 1
        while width < self.buckets and self.homes.height * width < fewest * self.buckets:
            width *= 2
        numbers = pl.Series("piece", [bucket_of(h, self.buckets) // width for h in self.homes["home"]], dtype=pl.Int32)
        outage_home = outage_homes(self.outage, SupplyTree.from_homes(self.homes))
        own_outages = _by_piece(outage_home, self.homes["home"], numbers)
        own_measurements = _by_piece(self.measurement, self.homes["home"], numbers)
        result = []
        for number, homes in sorted(_parts(self.homes, numbers).items()):
            buckets = range(number * width, min((number + 1) * width, self.buckets))
            own = own_outages.get(number, outage_home.clear())
            result.append(
                HomePiece(
                    f"bucket={buckets.start:02d}-{buckets.stop - 1:02d}",
                    buckets,
                    homes,
                    self.outage.filter(pl.col("outage_id").is_in(own["outage_id"].unique().to_list())),
                    own,
                    own_measurements.get(number, self.measurement.clear()),
                )
            )
        return result

    def book(self, pack: str, tables: Mapping[str, pl.DataFrame]) -> FactBook:
        return FactBook(self.packs.seasons[pack], self.as_of_s, tables)

    def inputs_hash(self, banners: Sequence[str], tables: Sequence[pl.DataFrame]) -> str:
        """Of everything but the readings that decides the judgements of a piece."""
        packs = sorted({self.packs.by_banner[banner] for banner in banners})
        head = {
            "rules": self.fingerprint,
            "season": self.season,
            "as_of": self.as_of_s,
            "packs": {name: self.packs.packs[name].version for name in packs},
            "by_banner": {banner: self.packs.by_banner[banner] for banner in sorted(banners)},
        }
        digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
        for table in tables:
            digest.update(table.write_csv().encode())
        return digest.hexdigest()

    def piece_hash(self, piece: HomePiece) -> str:
        banners = piece.homes["banner"].unique().sort().to_list()
        return self.inputs_hash(banners, [piece.homes, piece.outage, piece.outage_home, piece.measurement])

    def places_hash(self) -> str:
        records = self.places
        tables = [
            records.stations,
            records.sources,
            records.banners,
            records.fuel_day,
            records.vehicle,
            records.building_meter,
        ]
        tables += [self.support[name] for name in sorted(self.support)]
        return self.inputs_hash(list(self.packs.by_banner), [*tables, self.homes, self.outage])

    def registry_hash(self) -> str:
        return hashlib.sha256((self.homes.write_csv() + self.places.stations.write_csv()).encode()).hexdigest()


@cache
def rules_fingerprint() -> str:
    """Of the source that decides; it does not change while a process runs."""
    return fingerprint(*DECIDING)


def _parts(frame: pl.DataFrame, piece: pl.Series) -> dict[int, pl.DataFrame]:
    parts = frame.with_columns(piece.alias("piece")).partition_by("piece", as_dict=True, include_key=False)
    return {int(str(key[0])): part for key, part in parts.items()}


def _by_piece(frame: pl.DataFrame, homes: pl.Series, piece: pl.Series) -> dict[int, pl.DataFrame]:
    where = pl.DataFrame({"home": homes, "piece": piece})
    numbers = frame.select("home").join(where, on="home", how="left", maintain_order="left")["piece"]
    return _parts(frame.filter(numbers.is_not_null()), numbers.drop_nulls())


def basis(season: str, as_of_s: int, packs: CityPacks, buckets: int, codes: Sequence[str] | None = None) -> Basis:
    """Read the records once. `codes` limits it to some homes (outages and places stay whole)."""
    end_s = max((to_epoch(each.end) for each in packs.seasons.values()), default=as_of_s)
    homes = homes_of(season, codes)
    return Basis(
        season=season,
        as_of_s=min(as_of_s, end_s),
        packs=packs,
        fingerprint=rules_fingerprint(),
        homes=homes,
        outage=outages_at(as_of_s),
        measurement=measurements_at(as_of_s, codes),
        places=place_records(as_of_s, season if codes is None else None),
        buckets=buckets,
    )
