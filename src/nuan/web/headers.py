"""At the door of everything: no foreign host, no stored copies of pages that show somebody's home, no NUL in an address."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


class PageHeadersMiddleware:
    def __init__(self, answer: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # PostgreSQL holds no NUL in a text, so an address with one can name nothing.
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest()
        response = self.answer(request)
        response.setdefault("Content-Security-Policy", POLICY)
        if request.user.is_authenticated:
            response.setdefault("Cache-Control", "private, no-store")
        return response
