"""死信: what came and could not be read or placed, by reason and gateway; read again or put away, after a question."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max, Min, QuerySet
from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils import timezone

from nuan.operations.dead_letters import DeadLetterError, discard_dead_letters
from nuan.operations.replaying import MOST, ReplayReport, replay_dead_letters
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.devices.models import DeadLetter
from nuan.telemetry.intake.reasons import REASONS
from nuan.telemetry.protocols.details import detail_words
from nuan.web.guard import Visit
from nuan.web.wording import pick, say

PAGE = 30
SHOWN = 2_000
CLOCKS = ("clock_ahead", "clock_behind")


@dataclass(frozen=True)
class Shown:
    """A payload as a person can read it."""

    text: str
    is_hex: bool
    length: int

    @property
    def cut(self) -> bool:
        return self.length > SHOWN


def payload_shown(payload: bytes) -> Shown:
    """As text where all of it is text, else in hexadecimal, sixteen bytes a line.

    >>> payload_shown(b"\\x68\\x03").text
    '68 03'
    """
    part = bytes(payload)[:SHOWN]
    try:
        text = part.decode("utf-8")
    except UnicodeDecodeError as error:
        # a cut in the middle of a sign is not binary
        text = part[: error.start].decode("utf-8") if error.start > len(part) - 4 and len(payload) > SHOWN else "\0"
    if any(ord(sign) < 32 and sign not in "\t\r\n" for sign in text):
        lines = (part[at : at + 16].hex(" ") for at in range(0, len(part), 16))
        return Shown("\n".join(lines), True, len(payload))
    return Shown(text, False, len(payload))


def reason_words(code: str) -> str:
    return pick(*REASONS[code]) if code in REASONS else code


def letter_rows(request: Visit, asked: Any) -> QuerySet[DeadLetter]:
    """The letters of the scope as the address, or the form, asks."""
    rows = request.scope.of_companies(DeadLetter.objects.all())
    state = asked.get("state") or DeadLetter.State.OPEN
    rows = rows.filter(state=state) if state in DeadLetter.State.values else rows.none()
    for key in ("reason", "gateway"):
        if key in asked and (asked[key] or asked.get("all")):
            rows = rows.filter(**{key: asked[key]})
    return rows


def dead_letters(request: Visit) -> HttpResponse:
    every = request.scope.of_companies(DeadLetter.objects.filter(state=DeadLetter.State.OPEN))
    groups = (
        every.values("reason", "gateway")
        .annotate(n=Count("id"), first=Min("arrived_s"), last=Max("arrived_s"))
        .order_by("-n", "reason", "gateway")
    )
    asked = {key: value for key, value in request.GET.items() if value}
    pages = Paginator(letter_rows(request, asked).order_by("-arrived_s", "-id"), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "groups": [(row, reason_words(row["reason"])) for row in groups[:100]],
        "count": every.count(),
        "pages": pages,
        "rows": [
            (letter, reason_words(letter.reason), pick(*detail_words(letter.detail)), payload_shown(letter.payload))
            for letter in pages
        ],
        "reasons": sorted({row["reason"]: reason_words(row["reason"]) for row in groups}.items()),
        "gateways": sorted({row["gateway"] for row in groups}),
        "states": DeadLetter.State.choices,
        "may_act": request.role in MAY_OPEN["dead_letters_act"],
    }
    return render(request, "web/dead_letters.html", context)


def _chosen(request: Visit) -> QuerySet[DeadLetter]:
    """All of a reason and gateway, or those that are ticked; never what lies outside the scope or is settled."""
    if request.POST.get("all"):
        return letter_rows(
            request, {"reason": request.POST.get("reason", ""), "gateway": request.POST.get("gateway", ""), "all": "1"}
        )
    numbers = [int(each) for each in request.POST.getlist("letter") if each.isdigit()]
    return letter_rows(request, {}).filter(pk__in=numbers)


def dead_letters_act(request: Visit) -> HttpResponse:
    """Asks first; with `sure` it is done."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    act = "discard" if request.POST.get("act") == "discard" else "replay"
    chosen = _chosen(request)
    why, stamp = request.POST.get("why", "").strip(), bool(request.POST.get("stamp"))
    context: dict[str, Any] = {
        "act": act,
        "count": chosen.count(),
        "most": MOST,
        "letters": request.POST.getlist("letter"),
        "all": request.POST.get("all", ""),
        "reason": request.POST.get("reason", ""),
        "gateway": request.POST.get("gateway", ""),
        "has_clocks": chosen.filter(reason__in=CLOCKS).exists(),
        "why": why,
        "stamp": stamp,
    }
    if not context["count"]:
        messages.warning(request, say("没有选中死信,或者它们已经处理过了。"))
        return redirect("dead_letters")
    if not request.POST.get("sure"):
        return render(request, "web/dead_letters_act.html", context)
    numbers = list(chosen.order_by("id").values_list("pk", flat=True)[:MOST])
    actor = request.user.display_name or request.user.username
    try:
        if act == "discard":
            count = discard_dead_letters(numbers, actor=actor, why=why, now=timezone.now())
            messages.success(request, say("已弃置 {n} 封死信;它们和原因都留在记录里。", n=count))
        else:
            report = replay_dead_letters(
                numbers, root=settings.READINGS_ROOT, actor=actor, now=timezone.now(), why=why, stamp_by_arrival=stamp
            )  # fmt: skip
            messages.success(request, told(report))
    except DeadLetterError as error:
        return render(request, "web/dead_letters_act.html", context | {"error": say(str(error))}, status=422)
    return redirect("dead_letters")


def told(report: ReplayReport) -> str:
    """What became of a replay, in words."""
    parts = [say("已重放 {n} 封,写入 {readings} 个读数。", n=report.replayed, readings=report.readings)]
    for code, count in sorted(report.still.items()):
        parts.append(say("{n} 封仍不能处理:{reason}。", n=count, reason=reason_words(code)))
    return " ".join(parts)
