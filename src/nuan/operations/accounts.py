"""Accounts of the people of a real city: made, given a new password, and closed by an act; never deleted, since the audit log names them."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Model

from nuan.operations.acts import act
from nuan.records.accounts.models import COMPANY_ROLES, Role, User
from nuan.records.registry.models import Banner, Company, Home


class AccountError(ValueError):
    """An account that cannot be made or changed as asked; the sentence says why and what to do."""


def create_account(
    *,
    username: str,
    role: str,
    password: str,
    actor: str,
    display_name: str = "",
    company: str | None = None,
    banner: str | None = None,
    home: str | None = None,
) -> User:
    """A new account. The role decides which place it needs: a company, a banner, a home, or none for the city."""
    wanted = _place_of(role)
    given = {name: code for name, code in (("company", company), ("banner", banner), ("home", home)) if code}
    if set(given) != ({wanted} if wanted else set()):
        needs = f"一个 --{wanted}" if wanted else "不带 --company、--banner、--home"
        raise AccountError(f"角色 {role}（{Role(role).label}）需要{needs}")
    if User.objects.filter(username=username).exists():
        raise AccountError(f"账号 {username} 已经有了；换一个名字，或用 nuan account password 重设口令")
    _check_password(password, username)
    with act("create_account", actor=actor, subject=username) as row:
        user = User.objects.create_user(
            username,
            password=password,
            display_name=display_name,
            role=role,
            company=_find(Company, company, "供热企业"),
            banner=_find(Banner, banner, "旗区"),
            home=_find(Home, home, "热用户"),
        )
        row.details = {"role": role, "company": company, "banner": banner}
    return user


def set_password(username: str, password: str, *, actor: str) -> User:
    """A new password; the old one ends at once, and with it every session that it opened."""
    _check_password(password, username)
    with act("set_password", actor=actor, subject=username):
        user = _user(username)
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def close_account(username: str, *, actor: str, why: str) -> User:
    """Nobody signs in with it any more; what it did stays on record. Closing twice changes nothing."""
    with act("close_account", actor=actor, subject=username, why=why) as row:
        user = _user(username)
        row.nothing_changed = not user.is_active
        if user.is_active:
            user.is_active = False
            user.save(update_fields=["is_active"])
    return user


def _place_of(role: str) -> str | None:
    if role not in Role.values:
        raise AccountError(f"没有角色 {role}；可用：{'、'.join(Role.values)}")
    if role in {each.value for each in COMPANY_ROLES}:
        return "company"
    return {Role.BANNER.value: "banner", Role.RESIDENT.value: "home"}.get(role)


def _find(model: type[Model], code: str | None, zh: str) -> Any:
    if code is None:
        return None
    found = model._default_manager.filter(code=code).first()
    if found is None:
        raise AccountError(f"没有编号为 {code} 的{zh}；先用 nuan import registry 登记，或改正编号")
    return found


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise AccountError(f"没有账号 {username}；nuan account list 列出全部账号")
    return user


def _check_password(password: str, username: str) -> None:
    try:
        validate_password(password, User(username=username))
    except ValidationError as error:
        raise AccountError("；".join(error.messages)) from None
