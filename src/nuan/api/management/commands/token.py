"""`token create|list|revoke`: tokens of organisations for the API. The text of a new token is printed once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from nuan.operations.tokens import TokenPlaceError, create_token, revoke_token
from nuan.records.accounts.models import ApiToken, Role


class Command(BaseCommand):
    help = "Create, list or revoke API tokens of organisations."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        create = acts.add_parser("create", help="print a new token, once")
        create.add_argument("--name", required=True, help="what it is for")
        create.add_argument("--role", required=True, choices=[role.value for role in Role if role != Role.RESIDENT])
        create.add_argument("--company", help="code, for company roles")
        create.add_argument("--banner", help="code, for the banner role")
        create.add_argument("--actor", required=True, help="who decides this; stands in the audit log")
        revoke = acts.add_parser("revoke", help="end a token")
        revoke.add_argument("number", type=int)
        revoke.add_argument("--actor", required=True)
        revoke.add_argument("--why", default="")
        acts.add_parser("list", help="numbers, names and states, never the texts")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "create":
            self._create(options)
        elif options["act"] == "revoke":
            try:
                token = revoke_token(options["number"], actor=options["actor"], why=options["why"])
            except ApiToken.DoesNotExist:
                raise CommandError(f"there is no token {options['number']}") from None
            self.stdout.write(f"{token.pk} {token.name}: revoked")
        else:
            for token in ApiToken.objects.order_by("id"):
                state = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else "stands"
                place = token.company_id or token.banner_id or "city"
                self.stdout.write(f"{token.pk}\t{token.name}\t{token.role}\t{place}\t{state}")

    def _create(self, options: dict[str, Any]) -> None:
        wanted = {name: options[name] for name in ("name", "role", "company", "banner", "actor")}
        try:
            token, text = create_token(**wanted)
        except TokenPlaceError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{token.pk} {token.name}\n{text}")
