"""The door of every page: asks `visibility` whether the role may come in, and hands the view its scope."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path

from nuan.records.accounts.visibility import ANONYMOUS, MAY_OPEN, Scope, role_of, scope_of

View = Callable[..., HttpResponseBase]


class Visit(HttpRequest):
    """A request that has passed the door (for type checkers; the object is Django's own)."""

    scope: Scope
    role: str


def page(route: str, view: View, name: str) -> URLPattern:
    """An address that opens for the roles in `MAY_OPEN[name]`; a page without a row there cannot be wired."""
    allowed = MAY_OPEN[name]

    def guarded(request: Any, **kwargs: Any) -> HttpResponseBase:
        request.role = role_of(request.user)
        if request.role not in allowed:
            if request.role == ANONYMOUS:
                return redirect_to_login(request.get_full_path())
            raise Http404
        request.scope = scope_of(request.user)
        return view(request, **kwargs)

    return path(route, guarded, name=name)
