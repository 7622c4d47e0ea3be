"""What every page of the network begins with: the company's network, the run that is looked at, how old it is; or 404 for a stranger."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from nuan.network.steady import State
from nuan.operations.live import live_now
from nuan.operations.network_files import NetworkGoneError
from nuan.operations.network_run import state_of
from nuan.operations.network_twin import Twin, twin_of, twin_of_version
from nuan.operations.place_names import names_of
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.registry.models import Company
from nuan.records.twin.models import NetworkRun
from nuan.web.guard import Visit
from nuan.web.live_words import ago, duration
from nuan.web.wording import say

STALE_AFTER = timedelta(hours=2)
RUNS_OFFERED = 24
STILL_KG_PER_S = 1e-3
WHY_WORDS = {"no_water": "断水", "pressure": "压差不够", "cold": "水温不够", "most": "到了流量上限", "": ""}


@dataclass(frozen=True)
class Stage:
    """`run` is the one asked for, else the newest that settled; `state` None where nothing has been computed yet."""

    company: Company
    now: datetime
    twin: Twin
    run: NetworkRun | None
    state: State | None
    runs: list[NetworkRun]
    role: str

    @cached_property
    def names(self) -> dict[str, str]:
        """Substation of the network → what people call it."""
        known = names_of(set(self.twin.places.values()))
        return {name: known[place] for name, place in self.twin.places.items()}

    def name(self, substation: str) -> str:
        return self.names.get(substation, substation)

    @cached_property
    def stations(self) -> pl.DataFrame:
        """Computed figures of all substations, with the pressures at both ends; empty without a state."""
        if self.state is None:
            return pl.DataFrame()
        table = self.state.substations()
        ends = self.state.arrays.network.substations.select(
            "supply_node", "return_node", "protected", need_kw="heat_kw"
        )
        nodes = self.state.nodes()
        table = pl.concat([table, ends], how="horizontal")
        table = table.with_columns(idle=pl.col("met") & (pl.col("flow_kg_per_s") < STILL_KG_PER_S))
        for side in ("supply", "return"):
            part = nodes.select(pl.col("node").alias(f"{side}_node"), pl.col("pressure_bar").alias(f"{side}_bar"))
            table = table.join(part, on=f"{side}_node", how="left", maintain_order="left")
        return table

    @property
    def idle(self) -> int:
        """Stations that take no heat."""
        return int(self.stations["idle"].sum()) if self.stations.height else 0

    def worst(self, count: int) -> list[dict[str, Any]]:
        """Stations with the least pressure difference, those that get too little first."""
        if self.state is None:
            return []
        flowing = self.stations.filter((pl.col("flow_kg_per_s") > STILL_KG_PER_S) | ~pl.col("met"))
        rows = flowing.sort(["met", "dp_bar"], nulls_last=False).head(count).iter_rows(named=True)
        return [row | {"name": self.name(row["substation"]), "why": WHY_WORDS[row["why"]]} for row in rows]

    @property
    def age(self) -> str:
        """How old the run is, in words."""
        return "" if self.run is None else ago(int(self.run.at.timestamp()), self.now)

    @property
    def stale(self) -> str:
        """Empty while the run is fresh, or when an older one was asked for."""
        if self.run is None or self.now - self.run.at <= STALE_AFTER:
            return ""
        return say("管网计算已陈旧:{t}没有重新计算", t=duration((self.now - self.run.at).total_seconds()))

    @property
    def turned_since(self) -> list[str]:
        """Valves that stand otherwise than the run has them."""
        if self.state is None or self.run is None or self.run.version_id != self.twin.version.pk:
            return []
        then, now = self.state.arrays.network.valves["open"], self.twin.network.valves["open"]
        return self.twin.network.valves.filter(then != now)["valve"].to_list()

    def context(self, here: str, **more: Any) -> dict[str, Any]:
        """What `network_head.html` needs."""
        may = {f"may_{name}": self.role in MAY_OPEN[f"network_{name}"] for name in ("outage", "what_if", "valve_set")}
        return (
            {"stage": self, "here": here, "now": self.now, "is_old": self.now < timezone.now() - timedelta(days=1)}
            | may
            | more
        )


def companies_in_sight(request: Visit) -> list[Company]:
    return list(request.scope.companies().order_by("code"))


def stage(request: Visit, code: str) -> Stage:
    """404 for a company out of sight, and for one that has no network."""
    company = get_object_or_404(request.scope.companies(), code=code)
    now = live_now(timezone.now())
    try:
        twin = twin_of(code, now)
        if twin is None:
            raise Http404
        runs = list(NetworkRun.objects.filter(company=company).select_related("version").order_by("-at")[:RUNS_OFFERED])
        asked = request.GET.get("at", "")
        run = next((each for each in runs if str(each.pk) == asked), None)
        run = run or next((each for each in runs if each.settled), None)
        state = None if run is None else state_of(run)
        if run is not None and run.version_id != twin.version.pk:
            twin = twin_of_version(run.version, now)
    except NetworkGoneError as error:
        raise Http404(str(error)) from error
    return Stage(company, now, twin, run, state, runs, request.role)
