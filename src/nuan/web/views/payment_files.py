"""Payment files: hand in, look at what would happen, take in; each file with what was found in it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.payment_files import ImportReport, file_seen, import_payments
from nuan.operations.uploads import keep, kept
from nuan.records.billing.channels.file_cells import MOST_BYTES
from nuan.records.billing.channels.profile import NoSuchChannelError, channel_names, profile
from nuan.records.billing.models import PaymentFile
from nuan.terms.findings import Finding
from nuan.web.guard import Visit
from nuan.web.wording import in_english, say

PAGE = 50
SESSION = "payment_file"


def _channels() -> list[dict[str, Any]]:
    found = [profile(name) for name in channel_names()]
    return [
        {"name": each.name, "label": each.label, "confirmed": each.confirmed} for each in found if each.kind == "file"
    ]


def payment_files(request: Visit) -> HttpResponse:
    """`check` looks at a file and changes nothing; `import` takes in the file that was just looked at."""
    company = request.scope.code
    context: dict[str, Any] = {"channels": _channels()}
    status = 200
    if request.method == "POST":
        report = _import(request, company) if request.POST.get("act") == "import" else _check(request, company)
        if report is None:
            context["error"], status = say("请选一个文件和渠道。"), 422
        elif report.state in {"imported", "known"}:
            words = (
                "已导入:新收款 {new} 笔,核销 {placed} 笔,待人工 {doubtful} 笔。"
                if report.state == "imported"
                else "这份文件以前导入过,没有变化。"
            )
            messages.success(request, say(words, new=report.new, placed=report.placed, doubtful=report.doubtful))
            return redirect("payment_file", pk=report.file_id)
        else:
            context |= {"report": report, "sentences": [_sentence(each) for each in report.findings]}
            status = 200 if report.state == "checked" else 422
    rows = PaymentFile.objects.filter(company=company).order_by("-id")
    context["pages"] = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "web/money/payment_files.html", context, status=status)


def _sentence(finding: Finding) -> tuple[str, str]:
    return finding.sentence("en" if in_english() else "zh"), finding.severity


def _check(request: Visit, company: str) -> ImportReport | None:
    upload = request.FILES.get("file")
    channel, month = request.POST.get("channel", ""), request.POST.get("month", "")[:7]
    if upload is None or (upload.size or 0) > MOST_BYTES or channel not in channel_names():
        return None
    content = upload.read()
    asked = {"digest": keep(content), "name": (upload.name or "file")[:200], "channel": channel, "month": month}
    request.session[SESSION] = asked
    return _run(request, content, company, asked, dry_run=True)


def _import(request: Visit, company: str) -> ImportReport | None:
    asked = request.session.get(SESSION) or {}
    content = kept(str(asked.get("digest", "")))
    if content is None or request.POST.get("digest") != asked.get("digest"):
        return None
    report = _run(request, content, company, asked, dry_run=False)
    del request.session[SESSION]
    return report


def _run(request: Visit, content: bytes, company: str, asked: dict[str, str], *, dry_run: bool) -> ImportReport | None:
    try:
        return import_payments(
            content, asked["name"], channel=asked["channel"], company=company, actor=request.user.username,
            today=timezone.localdate(), month=asked["month"], dry_run=dry_run,
        )  # fmt: skip
    except NoSuchChannelError:
        return None


def payment_file(request: Visit, pk: int) -> HttpResponse:
    found = get_object_or_404(PaymentFile, pk=pk, company=request.scope.code)
    if request.method == "POST":
        file_seen(found, actor=request.user.username, now=timezone.now())
        return redirect("finance")
    rows = found.payments.select_related("home__building").order_by("row")
    context = {
        "file": found,
        "sentences": [_sentence(Finding(**each)) for each in found.findings],
        "pages": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "label": profile(found.channel).label if found.channel in channel_names() else found.channel,
        "confirmed": found.channel in channel_names() and profile(found.channel).confirmed,
    }
    return render(request, "web/money/payment_file.html", context)
