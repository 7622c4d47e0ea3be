"""Pages to read: help by role, and the glossary from the tables of terms."""

from django.http import HttpResponse
from django.shortcuts import render

from nuan.web.guard import Visit


def help_page(request: Visit) -> HttpResponse:
    return render(request, "web/help.html")


def glossary(request: Visit) -> HttpResponse:
    from nuan.terms.quantities import QUANTITIES

    return render(request, "web/glossary.html", {"quantities": list(QUANTITIES.values())})
