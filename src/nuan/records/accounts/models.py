"""One user, one role, one place. A token acts for an organisation and sees what its place sees."""

import hashlib
import secrets

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    RESIDENT = "resident", "居民"
    DESK = "desk", "客服"
    CREW = "crew", "抢修"
    DISPATCH = "dispatch", "调度"
    FINANCE = "finance", "财务"
    BANNER = "banner", "旗区主管部门"
    CITY = "city", "市级主管部门"


COMPANY_ROLES = frozenset({Role.DESK, Role.CREW, Role.DISPATCH, Role.FINANCE})


class User(AbstractUser):
    """A person who signs in. `company`, `banner` or `home` bounds what they see; a city user sees all."""

    role = models.CharField(max_length=12, choices=Role.choices, default=Role.RESIDENT)
    display_name = models.CharField(max_length=60, blank=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, null=True, blank=True)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, null=True, blank=True)
    home = models.ForeignKey("registry.Home", models.PROTECT, null=True, blank=True)


class ApiToken(models.Model):
    """A token of an organisation. Only its SHA-256 is kept; the text is shown once."""

    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=12, choices=Role.choices)
    company = models.ForeignKey("registry.Company", models.PROTECT, null=True, blank=True)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    @staticmethod
    def new_text() -> str:
        return "nuan_" + secrets.token_urlsafe(32)

    @staticmethod
    def digest_of(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()
