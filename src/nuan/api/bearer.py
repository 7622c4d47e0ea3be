"""Who asks: an organisation by its token. Without one, or with one that does not stand, the answer is 401 with a sentence."""

from dataclasses import dataclass

from django.http import HttpRequest
from ninja.security import HttpBearer

from nuan.records.accounts.models import ApiToken
from nuan.records.accounts.visibility import Scope, scope_of_token


@dataclass(frozen=True)
class Caller:
    token: ApiToken
    scope: Scope


class Bearer(HttpBearer):
    """`Authorization: Bearer nuan_…`; looked up by its SHA-256, so a stolen database opens nothing."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        found = ApiToken.objects.filter(digest=ApiToken.digest_of(token), revoked_at__isnull=True).first()
        return None if found is None else Caller(found, scope_of_token(found))


def scope_of_request(request: HttpRequest) -> Scope:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller.scope
