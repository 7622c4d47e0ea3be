"""The addresses of the pages. Each goes through the guard under its name in `visibility.MAY_OPEN`."""

from django.urls import path

from nuan.web.guard import page
from nuan.web.views import (
    board,
    clauses,
    companies,
    finding,
    homes,
    journals,
    map,
    places,
    reading,
    sign_in,
    signing,
    today,
)

urlpatterns = [
    path("", board.start, name="start"),
    page("login/", sign_in.sign_in, "login"),
    page("login/demo/", sign_in.demo_sign_in, "demo_login"),
    page("logout/", sign_in.sign_out, "logout"),
    page("public/", board.public, "public"),
    page("board/", board.board, "board"),
    page("clauses/<str:key>/", clauses.clause, "clause"),
    page("clauses/<str:key>/judgements.csv", clauses.clause_csv, "clause_csv"),
    page("interpretations/<str:key>/", signing.interpretation, "interpretation"),
    page("judgements/<int:pk>/", clauses.judgement, "judgement"),
    page("today/", today.today, "today"),
    page("today.csv", today.today_csv, "today_csv"),
    page("map/", map.city_map, "map"),
    page("map/places.geojson", map.map_places, "map_places"),
    page("companies/", companies.companies, "companies"),
    page("companies.csv", companies.companies_csv, "companies_csv"),
    page("stations/", places.stations, "stations"),
    page("stations/<str:code>/", places.station, "station"),
    page("buildings/<str:code>/", places.building, "building"),
    page("homes/", homes.homes, "homes"),
    page("homes.csv", homes.homes_csv, "homes_csv"),
    page("homes/<int:pk>/", homes.home, "home"),
    page("my-home/", homes.my_home, "my_home"),
    page("search/", finding.search, "search"),
    page("runs/", journals.runs, "runs"),
    page("audit/", journals.audit, "audit"),
    page("help/", reading.help_page, "help"),
    page("glossary/", reading.glossary, "glossary"),
]
