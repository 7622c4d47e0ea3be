"""Pages to read: help by role, and the glossary from the tables of terms."""

from django.http import HttpResponse
from django.shortcuts import render

from nuan.terms.quantities import QUANTITIES
from nuan.web.guard import Visit

# Word, its English, what it means here.
WORDS = (
    ("条款", "clause", "文件里的一条,编号照原文"),
    ("事实", "fact", "从读数、登记和报告得出的、有日期的陈述"),
    ("判定", "judgement", "按一条规则、一组事实得出的结论:达标、不达标或无法判定"),
    ("无法判定", "undecidable", "读数不够、数字未载明或口径没人签署;不算达标"),
    ("口径", "interpretation", "文件没说清的地方怎么算,由主管部门签署"),
    ("规则包", "rule pack", "一个地方适用的数字和口径,每个数字带出处"),
    ("未载明", "not stated", "文件没有写;平台不猜"),
    ("户日", "home-day", "一户人家的一天"),
    ("换热站", "substation", "把一次网的热换给二次网的站"),
    ("停热", "outage", "应供热时没有供热"),
)


def help_page(request: Visit) -> HttpResponse:
    return render(request, "web/help.html")


def glossary(request: Visit) -> HttpResponse:
    return render(request, "web/glossary.html", {"quantities": list(QUANTITIES.values()), "words": WORDS})
