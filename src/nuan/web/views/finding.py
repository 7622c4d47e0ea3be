"""Search by code or name. The question comes by POST, so that no home's code ends in a log or a history."""

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from nuan.web.guard import Visit
from nuan.web.journal import masked

MOST = 20


def search(request: Visit) -> HttpResponse:
    if request.method not in {"POST", "GET"}:
        raise Http404
    words = request.POST.get("q", "").replace("\0", "").strip()[:60]
    scope = request.scope
    if not words:
        return render(request, "web/search.html", {"words": ""})
    exact = scope.homes().filter(code__iexact=words).values_list("pk", flat=True).first()
    if exact is not None:
        return redirect("home", pk=exact)
    stations = scope.stations().filter(Q(code__iexact=words) | Q(name__icontains=words)).order_by("code")[:MOST]
    buildings = (
        scope.buildings()
        .filter(Q(code__iexact=words) | Q(name__icontains=words) | Q(estate__icontains=words))
        .order_by("code")[:MOST]
    )
    homes = [
        (home.pk, masked(home))
        for home in scope.homes().filter(code__istartswith=words).select_related("building").order_by("code")[:MOST]
    ]
    context = {"words": words, "stations": list(stations), "buildings": list(buildings), "homes": homes}
    return render(request, "web/search.html", context)
