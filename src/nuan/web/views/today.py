"""The city today: how many homes are cold now, where, and whose."""

from django.http import HttpResponse
from django.shortcuts import render

from nuan.web.guard import Visit
from nuan.web.views.homes import homes_csv


def today(request: Visit) -> HttpResponse:
    return render(request, "web/today.html", {"cold": 0, "limit": ""})


def today_csv(request: Visit) -> HttpResponse:
    return homes_csv(request)
