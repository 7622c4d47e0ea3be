"""演练: close things, raise the load, let it grow cold, and see who suffers. Nothing is written but that somebody asked."""

from django.http import HttpResponse
from django.shortcuts import render

from nuan.operations.network_rehearsal import (
    LOAD_FACTORS,
    OUTDOOR_C,
    Rehearsal,
    RehearsalError,
    Scenario,
    parse_names,
    rehearse,
)
from nuan.web.forms import actor_of
from nuan.web.guard import Visit
from nuan.web.network_stage import WHY_WORDS, Stage, stage
from nuan.web.wording import pick, say

ROWS = 200
TABLE_WORDS = {"pipes": "管道", "valves": "阀门", "sources": "热源"}


def _choices(found: Stage) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Table, its word, and (value, name) of all that may be closed."""
    network = found.twin.network
    lists = (
        ("sources", network.sources["source"]),
        ("valves", network.valves["valve"]),
        ("pipes", network.pipes["pipe"]),
    )
    return [(table, say(TABLE_WORDS[table]), [(f"{table}:{name}", name) for name in names]) for table, names in lists]


def network_what_if(request: Visit, company: str) -> HttpResponse:
    found = stage(request, company)
    result: Rehearsal | None = None
    why = ""
    asked = request.POST if request.method == "POST" else request.GET
    form = {
        "closed": asked.getlist("closed"), "opened": asked.getlist("opened"), "load": asked.get("load", "100"), "outdoor": asked.get("outdoor", ""),
    }  # fmt: skip
    if request.method == "POST":
        try:
            if found.state is None:
                raise RehearsalError("这个管网还没有算过 / this network has not been computed yet")
            outdoor_now = None if found.run is None else found.run.outdoor_c
            result = rehearse(
                found.twin,
                found.state,
                _scenario(form),
                outdoor_now_c=outdoor_now,
                actor=actor_of(request),
                now=found.now,
            )
        except RehearsalError as error:
            why = pick(*(str(error).split(" / ") * 2)[:2])
    rows = (
        []
        if result is None
        else [(each, say(WHY_WORDS[each.why]) if each.why else "") for each in result.sufferers[:ROWS]]
    )
    closed_now = found.twin.network.valves.filter(~found.twin.network.valves["open"])["valve"].to_list()
    context = found.context(
        "what_if", result=result, rows=rows, why=why, form=form, choices=_choices(found), closed_now=[(f"valves:{name}", name) for name in closed_now],
        bounds=(LOAD_FACTORS, OUTDOOR_C), more=0 if result is None else max(len(result.sufferers) - ROWS, 0),
    )  # fmt: skip
    return render(request, "web/network/what_if.html", context, status=422 if why else 200)


def _scenario(form: dict[str, object]) -> Scenario:
    try:
        factor = float(str(form["load"]) or "100") / 100
        outdoor = float(str(form["outdoor"])) if str(form["outdoor"]).strip() else None
    except ValueError:
        raise RehearsalError("负荷和室外温度要写数字 / load and outdoor temperature are numbers") from None
    closed, opened = parse_names(form["closed"]), parse_names(form["opened"])  # type: ignore[arg-type]
    if not closed and not opened and factor == 1.0 and outdoor is None:
        raise RehearsalError(
            "请至少选一样:关什么、负荷、室外温度 / choose something to close, a load or an outdoor temperature"
        )
    return Scenario(closed, opened, factor, outdoor)
