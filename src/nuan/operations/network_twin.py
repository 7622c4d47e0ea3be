"""The network of a company as it is in force: the version's tables, with the valves as somebody last said and the special sites marked."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from django.conf import settings
from django.db.models import Q

from nuan.network.graph import Network
from nuan.operations.network_files import load
from nuan.records.twin.models import NetworkPlace, NetworkVersion, ProtectedSite, ValvePosition


@dataclass(frozen=True)
class Position:
    """What is known of a valve: since when, from whom and why. `since` None: as the imported drawing has it."""

    is_open: bool
    since: datetime | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Twin:
    """`places`: substation → (level, registry code)."""

    company: str
    version: NetworkVersion
    network: Network
    positions: dict[str, Position]
    places: dict[str, tuple[str, str]]

    @cached_property
    def at(self) -> dict[str, tuple[float, float]]:
        """Longitude and latitude of the nodes that have them."""
        rows = self.network.nodes.select("node", "longitude", "latitude").drop_nulls()
        return {node: (x, y) for node, x, y in rows.iter_rows()}


def version_in_force(company: str, now: datetime) -> NetworkVersion | None:
    rows = NetworkVersion.objects.filter(company=company, valid_from__lte=now).order_by("-number")
    return rows.first() or NetworkVersion.objects.filter(company=company).order_by("number").first()


def twin_of(company: str, now: datetime) -> Twin | None:
    """None for a company without a network. Raises NetworkGoneError when its tables are lost."""
    version = version_in_force(company, now)
    return None if version is None else twin_of_version(version, now)


def twin_of_version(version: NetworkVersion, now: datetime) -> Twin:
    said = positions_now(version.company_id, now)
    rows = NetworkPlace.objects.filter(version=version).values_list("substation", "level", "code")
    places = {name: (level, code) for name, level, code in rows}
    sites = frozenset(protected_substations(version.company_id, places, now))
    turned = tuple(sorted((valve, each.is_open) for valve, each in said.items()))
    network = _as_it_is(str(settings.NUAN_HOME), version.digest, turned, sites)
    positions = {
        valve: said.get(valve, Position(bool(is_open)))
        for valve, is_open in network.valves.select("valve", "open").iter_rows()
    }
    return Twin(version.company_id, version, network, positions, places)


def positions_now(company: str, now: datetime) -> dict[str, Position]:
    """The newest word on each valve of which there is any."""
    rows = ValvePosition.objects.filter(company=company, since__lte=now).order_by("valve", "-since", "-id")
    return {row.valve: Position(row.is_open, row.since, row.recorded_by, row.reason) for row in rows.distinct("valve")}


def sites_of(company: str, now: datetime) -> list[ProtectedSite]:
    rows = ProtectedSite.objects.filter(building__loop__substation__company=company)
    return list(rows.filter(Q(until=None) | Q(until__gte=now.date())).select_related("building__loop").order_by("code"))


def protected_substations(company: str, places: dict[str, tuple[str, str]], now: datetime) -> set[str]:
    """Substations of the network that feed a special site, by the site's building or by the station above it."""
    fed = {code for site in sites_of(company, now) for code in (site.building_id, site.building.loop.substation_id)}
    return {name for name, (_, code) in places.items() if code in fed}


@lru_cache(maxsize=32)
def _as_it_is(home: str, digest: str, turned: tuple[tuple[str, bool], ...], sites: frozenset[str]) -> Network:
    said = dict(turned)
    network = load(Path(home), digest)
    if said:
        is_open = pl.col("valve").replace_strict(said, default=pl.col("open"), return_dtype=pl.Boolean)
        network = network.with_table("valves", network.valves.with_columns(open=is_open))
    if sites:
        marked = pl.col("protected") | pl.col("substation").is_in(list(sites))
        network = network.with_table("substations", network.substations.with_columns(protected=marked))
    return network


def with_open_flags(network: Network, table: str, flags: np.ndarray) -> Network:
    """The network with the column `open` of a table replaced."""
    return network.with_table(table, network.table(table).with_columns(open=pl.Series(flags.astype(bool))))
