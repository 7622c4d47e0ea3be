"""What has been run and what has been done: judging runs and the audit log."""

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render

from nuan.records.audit.models import AuditEntry
from nuan.records.supervision.models import Run, SignedInterpretation
from nuan.web.guard import Visit


def runs(request: Visit) -> HttpResponse:
    rows = Run.objects.annotate(pieces=Count("buckets")).order_by("-id")
    return render(request, "web/runs.html", {"pages": Paginator(rows, 30).get_page(request.GET.get("page"))})


def audit(request: Visit) -> HttpResponse:
    rows = AuditEntry.objects.order_by("-id")
    if act := request.GET.get("act"):
        rows = rows.filter(act=act)
    context = {
        "pages": Paginator(rows, 50).get_page(request.GET.get("page")),
        "acts": AuditEntry.objects.order_by("act").values_list("act", flat=True).distinct(),
        "signed": SignedInterpretation.objects.order_by("-id")[:20],
    }
    return render(request, "web/audit.html", context)
