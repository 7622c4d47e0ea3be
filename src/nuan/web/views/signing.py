"""Signing an interpretation: a page that says what will change and for whom, then an act with a name under it."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from nuan.operations.city_packs import signed_records
from nuan.operations.interpretations import NoReasonError, sign_interpretation
from nuan.policies import catalogue
from nuan.rules.interpretation import UnknownOption
from nuan.rules.pack import UnknownKey, UnknownPack
from nuan.web.clause_words import OpenPoint, pack_title
from nuan.web.guard import Visit
from nuan.web.wording import say


def _point(pack: str, key: str) -> OpenPoint:
    try:
        question = catalogue.pack(pack, signed_records()).interpretation(key)
    except (UnknownPack, UnknownKey):
        raise Http404 from None
    uses = [use for each in catalogue.CLAUSES for use in each.interpretation_uses if use.key == key]
    return OpenPoint(question, uses[0].touches_zh if uses else "")


def interpretation(request: Visit, key: str) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    pack = asked.get("pack", "directive")
    point = _point(pack, key)
    clause = next((each.id for each in catalogue.CLAUSES if key in {use.key for use in each.interpretation_uses}), "")
    context: dict[str, Any] = {
        "point": point,
        "pack": pack,
        "pack_title": pack_title(pack),
        "clause": clause,
        "chosen": asked.get("option", ""),
        "reason": asked.get("reason", ""),
        "valid_from": asked.get("valid_from", timezone.localdate().isoformat()),
    }
    if request.method != "POST":
        return render(request, "web/interpretation.html", context)
    try:
        sign_interpretation(
            key=key,
            option=context["chosen"],
            pack=pack,
            valid_from=date.fromisoformat(context["valid_from"]),
            signed_on=timezone.localdate(),
            reason=context["reason"],
            actor=request.user.display_name or request.user.username,
            clause=clause,
        )
    except (UnknownOption, NoReasonError, ValueError):
        sentence = say("没有签署:请选一个口径,写明理由和生效日期。")
        return render(request, "web/interpretation.html", context | {"error": sentence}, status=422)
    messages.success(request, say("已签署。从下一次判定起按这个口径算;以前的判定留着。"))
    return redirect("clause", key=clause) if clause else redirect("board")
