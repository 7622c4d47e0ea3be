"""Who sits at the keyboard, where a command needs a person: name and password, never a token and never the machine's login."""

import os

import click

from nuan.cli.main import Refused
from nuan.records.accounts.models import User


def signed_in(username: str) -> User:
    """Asks for the password without showing it; a script may give it in NUAN_PASSWORD."""
    from django.contrib.auth.backends import ModelBackend

    password = os.environ.get("NUAN_PASSWORD") or click.prompt(f"{username} 的口令", hide_input=True, err=True)
    found = ModelBackend().authenticate(None, username=username, password=password)
    if not isinstance(found, User):
        raise Refused("用户名或口令不对 / wrong name or password")
    return found
