"""Django settings. Everything that differs between machines comes from the environment; docs/operations.md lists it."""

import os
import secrets
from pathlib import Path

from nuan.site.database import database_from_environment, home_folder

NUAN_HOME: Path = home_folder()
READINGS_ROOT: Path = NUAN_HOME / "readings"

DEBUG = os.environ.get("NUAN_DEBUG", "") == "1"


def _secret_key() -> str:
    """`NUAN_SECRET_KEY`, or a key made once and kept beside the records (one machine, one owner)."""
    given = os.environ.get("NUAN_SECRET_KEY")
    if given:
        return given
    path = NUAN_HOME / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_urlsafe(50))
        path.chmod(0o600)
    return path.read_text().strip()


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = os.environ.get("NUAN_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
WEBHOOK_SECRETS: dict[str, str] = {
    name.strip(): secret.strip()
    for name, _, secret in (pair.partition("=") for pair in os.environ.get("NUAN_WEBHOOK_SECRETS", "").split(";"))
    if secret.strip()
}
"""`company/channel` → the secret that its messages are signed with; none, no messages."""
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "axes",
    "nuan.records.registry",
    "nuan.records.accounts",
    "nuan.records.supervision",
    "nuan.records.emergency",
    "nuan.records.audit",
    "nuan.records.devices",
    "nuan.records.monitoring",
    "nuan.records.billing",
    "nuan.records.support",
    "nuan.records.hazards",
    "nuan.records.twin",
    "nuan.operations",
    "nuan.web",
    "ninja",  # its documentation page, served from here instead of a foreign host
    "nuan.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "nuan.web.language.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "nuan.web.headers.PageHeadersMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "nuan.site.urls"
WSGI_APPLICATION = "nuan.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "nuan.web.context.page",
            ],
        },
    }
]
DATABASES = {"default": database_from_environment()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "nuan.web.views.sign_in.locked_out"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
