"""Tokens of organisations: made and revoked by an act. The text is shown once; only its SHA-256 is kept."""

from django.utils import timezone

from nuan.operations.acts import act
from nuan.records.accounts.models import COMPANY_ROLES, ApiToken, Role


class TokenPlaceError(ValueError):
    """A token needs the place that its role sees, and no other."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"a token of the role “{role}” needs exactly the place of that role (a company, a banner, or none)"
        )


def create_token(
    *, name: str, role: str, company: str | None = None, banner: str | None = None, actor: str
) -> tuple[ApiToken, str]:
    """The record and the text of a new token. Residents have no tokens."""
    wanted = {Role.CITY.value: (None, None), Role.BANNER.value: (None, banner)}
    wanted |= dict.fromkeys((each.value for each in COMPANY_ROLES), (company, None))
    fits = wanted.get(role) == (company, banner) and (role == Role.CITY or bool(company or banner))
    if not fits:
        raise TokenPlaceError(role)
    text = ApiToken.new_text()
    with act("create_token", actor=actor, subject=name) as row:
        token = ApiToken.objects.create(
            name=name, digest=ApiToken.digest_of(text), role=role, company_id=company, banner_id=banner
        )
        row.details = {"token": token.pk, "role": role, "company": company, "banner": banner}
    return token, text


def revoke_token(token_id: int, *, actor: str, why: str = "") -> ApiToken:
    """From now on the token opens nothing; revoking twice changes nothing."""
    with act("revoke_token", actor=actor, why=why) as row:
        token = ApiToken.objects.select_for_update().get(pk=token_id)
        row.subject, row.details = token.name, {"token": token.pk}
        if token.revoked_at is not None:
            row.nothing_changed = True
        else:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
    return token
