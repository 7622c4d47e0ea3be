"""Signing in and out. One-click accounts exist only where `demo.json` names them."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from nuan.records.accounts.models import User
from nuan.web.context import demo_facts
from nuan.web.guard import Visit


def demo_accounts() -> list[User]:
    """The cast of the synthetic city, in the order in which `demo.json` names them; empty in a real city."""
    facts = demo_facts()
    if facts is None:
        return []
    names = [account["username"] for account in facts.get("accounts", [])]
    found = {
        user.username: user
        for user in User.objects.filter(username__in=names, is_active=True).select_related("company", "banner")
    }
    return [found[name] for name in names if name in found]


class SignIn(LoginView):
    template_name = "web/login.html"
    redirect_authenticated_user = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"accounts": demo_accounts()}

    def get_success_url(self) -> str:
        return self.get_redirect_url() or "/"


sign_in = SignIn.as_view()
sign_out = LogoutView.as_view()


def demo_sign_in(request: Visit) -> HttpResponse:
    """Sign in as one of the demo city's people without a password."""
    if request.method != "POST":
        raise Http404
    for user in demo_accounts():
        if user.username == request.POST.get("username"):
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("/")
    raise Http404


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Shown by django-axes after too many wrong passwords."""
    return render(request, "web/locked.html", status=429)
