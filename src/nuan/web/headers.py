"""Headers of every answer: no foreign host, no stored copies of pages that show somebody's home."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


class PageHeadersMiddleware:
    def __init__(self, answer: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.answer(request)
        response.setdefault("Content-Security-Policy", POLICY)
        if request.user.is_authenticated:
            response.setdefault("Cache-Control", "private, no-store")
        return response
