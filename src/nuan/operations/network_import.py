"""`import_network`: a file becomes the network of a company, or all that is wrong with it is said and nothing is written."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl
from django.conf import settings
from django.db.models import Max

from nuan.network.graph import Network
from nuan.operations.acts import act
from nuan.operations.network_files import keep, read_network
from nuan.records.registry.models import Building, Company, Home, Substation
from nuan.records.twin.models import NetworkPlace, NetworkVersion
from nuan.terms.findings import Finding, FindingsError

MOST_NAMES = 5


@dataclass(frozen=True)
class NetworkImport:
    """`version` is None after a dry run, and after findings that stop it. `unchanged`: this very network is in force already."""

    network: Network
    findings: list[Finding] = field(default_factory=list)
    version: NetworkVersion | None = None
    unchanged: bool = False

    @property
    def ok(self) -> bool:
        return all(each.severity != "error" for each in self.findings)

    def required(self) -> "NetworkImport":
        if not self.ok:
            raise FindingsError(self.findings)
        return self


def import_network(
    text: str,
    *,
    source: str,
    company: str,
    actor: str,
    now: datetime,
    valid_from: datetime | None = None,
    dry_run: bool = False,
) -> NetworkImport:
    """Warnings let it pass and stay with the version; one error stops it. `source`: name of the file, which tells its format."""
    network, found = read_network(text, source)
    return keep_network(
        network, found, source=source, company=company, actor=actor, now=now, valid_from=valid_from, dry_run=dry_run
    )


def keep_network(
    network: Network, found: list[Finding], *, source: str, company: str, actor: str, now: datetime, valid_from: datetime | None = None, dry_run: bool = False,
) -> NetworkImport:  # fmt: skip
    """The same for a network that is there already."""
    found = list(found)
    if not Company.objects.filter(code=company).exists():
        found.append(
            Finding(
                "company", "company_unknown", "没有这家企业", "there is no such company", "先登记企业", value=company
            )
        )
    places, wrong = _places(network, company)
    found += wrong
    if dry_run or any(each.severity == "error" for each in found):
        return NetworkImport(network, found)
    newest = NetworkVersion.objects.filter(company=company).order_by("-number").first()
    with act("import_network", actor=actor, subject=company) as row:
        digest = keep(Path(settings.NUAN_HOME), network)
        if newest is not None and newest.digest == digest:
            row.nothing_changed = True
            return NetworkImport(network, found, newest, unchanged=True)
        last = NetworkVersion.objects.filter(company=company).aggregate(last=Max("number"))["last"] or 0
        version = NetworkVersion.objects.create(
            company_id=company, number=last + 1, digest=digest, name=network.name[:120], source=source[:200],
            valid_from=valid_from or now, imported_at=now, imported_by=actor[:120], findings=[each.as_dict() for each in found],
            pipes=network.pipes.height, valves=network.valves.height, stations=network.substations.height,
            sources=network.sources.height, length_m=float(network.pipes["length_m"].sum()), placed=len(places),
        )  # fmt: skip
        NetworkPlace.objects.bulk_create(
            NetworkPlace(version=version, substation=name, level=level, code=code) for name, level, code in places
        )
        row.details = {"version": version.number, "digest": digest, "source": source, "pipes": version.pipes}
    return NetworkImport(network, found, version)


def _places(network: Network, company: str) -> tuple[list[tuple[str, str, str]], list[Finding]]:
    """What each substation feeds, by its column `place`; where that is empty, by its own name."""
    asked = {
        name: place or name for name, place in network.substations.select("substation", "place").iter_rows()
    }  # the registry's codes are unique over its levels
    codes = set(asked.values())
    levels: dict[str, str] = {}
    homes = Home.objects.filter(code__in=codes, company=company).values_list("code", flat=True)
    buildings = Building.objects.filter(code__in=codes, loop__substation__company=company).values_list(
        "code", flat=True
    )
    stations = Substation.objects.filter(code__in=codes, company=company).values_list("code", flat=True)
    for level, known in (("home", homes), ("building", buildings), ("substation", stations)):
        levels |= dict.fromkeys(known, level)
    missing = [name for name, place in asked.items() if place not in levels]
    found = []
    if missing:
        shown = "、".join(missing[:MOST_NAMES]) + ("…" if len(missing) > MOST_NAMES else "")
        found.append(
            Finding(
                "substations", "place_unknown", "热力站没有对应登记册里的换热站、楼栋或住户",
                "stations that are no station, building or home of this company's registry",
                "在 place 列填登记编号；没有对应的站，影响的住户就算不出", field="place", value=shown, count=len(missing), severity="warning",
            )
        )  # fmt: skip
    return [(name, levels[place], place) for name, place in asked.items() if place in levels], found


def with_places(network: Network, places: dict[str, str]) -> tuple[Network, list[Finding]]:
    """The network with the places of a table (substation → registry code) entered; what the network does not have is a finding."""
    known = set(network.substations["substation"])
    strange = [name for name in places if name not in known]
    found = [
        Finding("places", "substation_unknown", "管网里没有这个热力站", "the network has no such substation", "改正名称", value=name)
        for name in strange
    ]  # fmt: skip
    column = pl.col("substation").replace_strict(places, default=pl.col("place"), return_dtype=pl.String)
    return network.with_table("substations", network.substations.with_columns(place=column)), found
