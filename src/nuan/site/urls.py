"""All addresses."""

from django.urls import URLPattern, URLResolver, include, path

from nuan.api.payment_events import payment_event
from nuan.api.v1 import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", api.urls),
    path("api/payment-events/<str:channel>/<str:company>/", payment_event),
    path("", include("nuan.web.urls")),
]
