"""Where the network comes from: its versions with what the checks found, the special sites, and how well computing meets measuring."""

from statistics import mean, median

from django.http import HttpResponse
from django.shortcuts import render

from nuan.operations.network_twin import sites_of
from nuan.records.twin.models import NetworkRun, NetworkVersion
from nuan.web.guard import Visit
from nuan.web.live_words import quantity_name
from nuan.web.network_stage import Stage, stage
from nuan.web.wording import pick, say

POSITIONS = {"supply": "供水", "return": "回水", "": ""}
UNITS = {"pressure": "bar", "primary_supply_temp": "°C"}
DOUBTFUL = {"pressure": 0.3, "primary_supply_temp": 3.0}
"""运行参数: a difference beyond these is worth a look, at the gauge or at the drawing."""
MOST_RUNS = 24


def network_versions(request: Visit, company: str) -> HttpResponse:
    found = stage(request, company)
    versions = NetworkVersion.objects.filter(company=company).order_by("-number")
    rows = [
        {"version": each, "in_force": each.pk == found.twin.version.pk, "findings": [(f["severity"], pick(f["message_zh"], f["message_en"]), f) for f in each.findings]}
        for each in versions
    ]  # fmt: skip
    context = found.context(
        "versions", rows=rows, sites=sites_of(company, found.now), residuals=residual_rows(found), fit=fit(found),
        runs=NetworkRun.objects.filter(company=company).order_by("-at")[:MOST_RUNS],
    )  # fmt: skip
    return render(request, "web/network/versions.html", context)


def residual_rows(found: Stage) -> list[dict[str, object]]:
    """Measured against computed, the greatest differences first."""
    rows = []
    for each in [] if found.run is None else found.run.residuals:
        difference = each["measured"] - each["computed"]
        limit = DOUBTFUL[each["quantity"]]
        rows.append({
            **each, "name": found.name(each["substation"]), "what": quantity_name(each["quantity"]), "side": say(POSITIONS[each["position"]]) if each["position"] else "",
            "unit": UNITS[each["quantity"]], "difference": difference, "doubtful": abs(difference) > limit, "rank": abs(difference) / limit,
        })  # fmt: skip
    return sorted(rows, key=lambda row: -float(str(row["rank"])))


def fit(found: Stage) -> list[tuple[str, int, float, float, str]]:
    """Per quantity: how many points, mean and median absolute difference."""
    parts: dict[str, list[float]] = {}
    for each in [] if found.run is None else found.run.residuals:
        parts.setdefault(each["quantity"], []).append(each["measured"] - each["computed"])
    return [
        (quantity_name(key), len(values), mean(values), median(abs(value) for value in values), UNITS[key])
        for key, values in parts.items()
    ]
