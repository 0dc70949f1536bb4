"""All settings, from the environment. Nothing exists only in production. docs/settings.md lists the names."""

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from compliance.engine.errors import LawError
from config import env, sso

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(env.text("BREACHCLOCK_VAR", str(BASE_DIR / "var"))).resolve()
VAR.mkdir(parents=True, exist_ok=True)

DEBUG = env.flag("DEBUG", default=False)
DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL")
EMBEDDED = not DATABASE_URL
HTTPS = env.flag("HTTPS", default=False)
# Weak secrets and careless settings are refused here.
EARNEST = HTTPS or not EMBEDDED
if DEBUG and HTTPS:
    raise ImproperlyConfigured("DEBUG: expected no with HTTPS: its pages show the inside of the program to everybody")


def _secret_key() -> str:
    """The given key, or one made once for the embedded default. A weak key is refused."""
    given = env.text("SECRET_KEY")
    if given:
        if len(given) < 40:
            raise ImproperlyConfigured("SECRET_KEY: expected at least 40 random characters")
        if EARNEST and (len(given) < 50 or len(set(given)) < 10 or given.startswith("django-insecure-")):
            raise ImproperlyConfigured("SECRET_KEY: expected at least 50 random characters, not an example")
        return given
    if not EMBEDDED:
        raise ImproperlyConfigured("SECRET_KEY: expected one (or SECRET_KEY_FILE) when DATABASE_URL is set")
    path = VAR / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(60))
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = _secret_key()
# The keys of what is encrypted at rest (compliance.vault): a file, or a command that prints them. Made once for the embedded default.
KEY_COMMAND = os.environ.get("BREACHCLOCK_KEY_COMMAND", "")
KEY_FILE = os.environ.get("BREACHCLOCK_KEY_FILE", str(VAR / "encryption_keys") if EMBEDDED else "")
# A secret that an orchestrator mounts belongs to somebody else and is protected by its mount.
KEY_FILE_OWNER_ONLY = env.flag("BREACHCLOCK_KEY_FILE_OWNER_ONLY", default=True)
KEY_FILE_IS_OURS = EMBEDDED and not KEY_COMMAND and "BREACHCLOCK_KEY_FILE" not in os.environ
if not EMBEDDED and not KEY_FILE and not KEY_COMMAND:
    raise ImproperlyConfigured(
        "BREACHCLOCK_KEY_FILE: expected one (or BREACHCLOCK_KEY_COMMAND) when DATABASE_URL is set"
    )
# Keys that were in use before: links and second factors made with them stay good, sessions too.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
if EARNEST and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS: '*': expected the names under which people reach this site")
# Where links in messages point to.
SITE_URL = env.text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "compliance",
    "incidents",
    "reports",
    "config",
]

MIDDLEWARE = [
    "config.logs.remember",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages with rows by the hundred shrink to a tenth. Django pads them at random, so that their size tells nothing.
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "incidents.access.middleware.no_null",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # A view is for people signed in unless it declares otherwise (incidents.access.decides).
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "incidents.access.middleware.remember",
    "allauth.account.middleware.AccountMiddleware",
    # A second factor where the role needs one; showing again who it is before some changes.
    "config.accounts_guard.Guard",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.accounts_guard.permissions",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "incidents.display.context",
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    if DATABASE_URL:
        return dict(dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "breachclock.sqlite3",
        "OPTIONS": {
            # Writers queue up at BEGIN instead of failing in the middle; readers never wait.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
        "TEST": {"NAME": VAR / "test.sqlite3"},
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "config.passwords.BreachedPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
# A session ends so long after signing in, whatever is done in it.
SESSION_COOKIE_AGE = int(env.number("BREACHCLOCK_SESSION_HOURS", 12, least=1) * 3600)
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = (
    ("__Host-sessionid", "__Host-csrftoken") if HTTPS else ("sessionid", "csrftoken")
)
# "policy": the roles of access.yaml work with a second factor only; "offered": nobody has to (demonstrations, tests).
SECOND_FACTOR = env.text("BREACHCLOCK_SECOND_FACTOR", "policy")
if SECOND_FACTOR not in ("policy", "offered"):
    raise ImproperlyConfigured(f"BREACHCLOCK_SECOND_FACTOR: {SECOND_FACTOR!r}: expected policy or offered")


def _providers() -> dict[str, sso.Provider]:
    path = env.text("BREACHCLOCK_SSO")
    try:
        return sso.read_providers(Path(path)) if path else {}
    except LawError as error:
        raise ImproperlyConfigured(f"BREACHCLOCK_SSO: {error}") from None


# Identity providers, and which of their groups gives which role: docs/sign-in.md.
SSO = _providers()
ACCOUNT_ADAPTER = "config.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
# Nobody signs up; that the form for signing in has a password follows from here too.
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "config.accounts_forms.LoginForm",
    "reauthenticate": "config.accounts_forms.ReauthenticateForm",
    "change_password": "config.accounts_forms.ChangePasswordForm",  # a class  # nosec B105
    "reset_password": "config.accounts_forms.ResetPasswordForm",  # a class  # nosec B105
    "reset_password_from_key": "config.accounts_forms.ResetPasswordKeyForm",  # a class  # nosec B105
}
MFA_ADAPTER = "config.accounts.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# The library remembers a used code for as long as one code lasts: with more tolerance it could be used again.
MFA_TOTP_TOLERANCE = 0
# Invitations prove the address.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers allow passkeys without HTTPS on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_FORMS = {
    "authenticate": "config.accounts_forms.AuthenticateForm",
    "reauthenticate": "config.accounts_forms.ReauthenticateCodeForm",
    "activate_totp": "config.accounts_forms.ActivateForm",
    "add_webauthn": "config.accounts_forms.AddKeyForm",
    "edit_webauthn": "config.accounts_forms.RenameKeyForm",
}
SOCIALACCOUNT_ADAPTER = "config.accounts.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = sso.apps_of(SSO)
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False

LANGUAGE_CODE = env.text("LANGUAGE_CODE", "ko")
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True
# Frozen documents and proofs, by digest; never below a web root.
FILES_ROOT = Path(env.text("BREACHCLOCK_FILES", str(VAR / "files")))
# Where the channel "file drop" puts frozen filings for something else to fetch; without it the channel is not offered.
FILING_DROP = env.text("BREACHCLOCK_FILING_DROP")
# A certificate (PKCS#12) that signs frozen filings, and the file that holds its passphrase; without it nothing is signed.
SIGNING_CERTIFICATE = env.text("BREACHCLOCK_SIGNING_CERTIFICATE")
SIGNING_PASSPHRASE_FILE = env.text("BREACHCLOCK_SIGNING_PASSPHRASE_FILE")
# A folder of certificates (*.pem) and revocation lists (*.crl) to embed, kept up to date by the house; needs TSA_URL.
SIGNING_REVOCATION = env.text("BREACHCLOCK_SIGNING_REVOCATION")
# A scanner for malware (clamd) that files are shown to: a socket's path or host:port. Without it nothing is scanned.
CLAMD = env.text("BREACHCLOCK_CLAMD")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# How long a token of the API may be good, and how many requests a token, person or address may make in which time.
API_TOKEN_MAX_DAYS = int(env.number("BREACHCLOCK_API_TOKEN_MAX_DAYS", 90, least=1))
API_RATE = env.text("BREACHCLOCK_API_RATE", "300/min")

# Anchors of the journal: on another disk than the database, if there is one.
JOURNAL_ANCHORS = Path(env.text("JOURNAL_ANCHORS", str(VAR / "anchors")))
# An authority that time-stamps the anchors (RFC 3161), and the roots its certificates hang on (PEM).
TSA_URL = env.address("TSA_URL")
TSA_ROOTS = env.text("TSA_ROOTS")
if TSA_URL and not Path(TSA_ROOTS).is_file():
    raise ImproperlyConfigured(f"TSA_ROOTS: {TSA_ROOTS!r}: expected a file of root certificates (PEM) with TSA_URL")
if SIGNING_REVOCATION and not (TSA_URL and Path(SIGNING_REVOCATION).is_dir()):
    raise ImproperlyConfigured(
        f"BREACHCLOCK_SIGNING_REVOCATION: {SIGNING_REVOCATION!r}: expected a folder, with TSA_URL"
    )
# Somebody outside who is told each minute that all is well, and notices when it stops.
WATCHER_URL = env.address("WATCHER_URL")

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "frame-src": [CSP.SELF],
    "object-src": [CSP.SELF],
    # A form that begins single sign-on is led on to the provider.
    "form-action": [CSP.SELF, *sorted({origin for provider in SSO.values() for origin in provider.origins})],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.SELF],
}
X_FRAME_OPTIONS = "SAMEORIGIN"
# Our own pages show documents in a frame; other sites may not.
SILENCED_SYSTEM_CHECKS = ["security.W019"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.flag("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Attempts are counted by the address that the one proxy in front saw.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1

DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Breachclock <breachclock@localhost>")
SMTP_HOST = env.text("EMAIL_HOST")


def _mailers() -> dict[str, Any]:
    """SMTP where a host is given; otherwise each message becomes a file under var/mail."""
    if not SMTP_HOST:
        return {
            "default": {
                "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                "OPTIONS": {"file_path": str(VAR / "mail")},
            }
        }
    return {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": SMTP_HOST,
                "port": int(env.number("EMAIL_PORT", 25)),
                "username": env.text("EMAIL_HOST_USER"),
                "password": env.text("EMAIL_HOST_PASSWORD"),
                "use_tls": env.flag("EMAIL_USE_TLS", default=False),
                "timeout": env.number("EMAIL_TIMEOUT", 20),
            },
        }
    }


MAILERS = _mailers()

# Hosts inside the house to which webhooks and chat messages may go all the same.
WEBHOOK_HOSTS = env.words("BREACHCLOCK_WEBHOOK_HOSTS")
# What Apprise may be used for, by the first part of its addresses. The ones that reach into this machine are not here.
CHAT_SERVICES = env.words(
    "BREACHCLOCK_CHAT_SERVICES",
    "betterstack,clicksend,dingtalk,discord,feishu,form,forms,gchat,gotify,gotifys,ilert,infobip,json,jsons,kakaotalk,lark,"
    "line,mmost,mmosts,msgbird,nctalk,nctalks,nexmo,ntfy,ntfys,opsgenie,pagerduty,plivo,pover,rocket,rockets,signl4,sinch,"
    "slack,sns,spike,splunk,squadcast,tgram,twilio,vonage,webex,workflows,wxteams,xml,xmls,zulip",
)


def _celery() -> dict[str, Any]:
    """Redis where it is given; otherwise messages are files, which is enough for one machine."""
    if REDIS_URL:
        return {"broker_url": REDIS_URL}
    folders = {name: VAR / "celery" / name for name in ("messages", "processed", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://",
        "broker_transport_options": {
            "data_folder_in": str(folders["messages"]),
            "data_folder_out": str(folders["messages"]),
            "processed_folder": str(folders["processed"]),
            "control_folder": str(folders["control"]),
            "store_processed": False,
        },
    }


# How often beat wakes somebody up to look. The database decides what is due.
NUDGE_SECONDS = env.number("BREACHCLOCK_NUDGE_SECONDS", 5, least=0.2)
CELERY = {
    **_celery(),
    "task_ignore_result": True,
    "task_acks_late": True,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "broker_connection_retry_on_startup": True,
    "beat_scheduler": "config.beat:Scheduler",
    "beat_schedule_filename": str(VAR / "celerybeat-schedule"),
    "timezone": "UTC",
    "beat_schedule": {
        "fire-due": {
            "task": "incidents.tasks.fire_due",
            "schedule": NUDGE_SECONDS,
            "options": {"expires": max(NUDGE_SECONDS * 2, 5)},
        },
        "send-outbox": {
            "task": "incidents.tasks.send_outbox",
            "schedule": NUDGE_SECONDS,
            "options": {"expires": max(NUDGE_SECONDS * 2, 5)},
        },
        "sweep": {"task": "incidents.tasks.sweep", "schedule": 3600, "options": {"expires": 600}},
        "watch": {"task": "incidents.tasks.watch", "schedule": 60, "options": {"expires": 50}},
        # 03:10 in Seoul. A night that was missed is caught up with by the watch.
        "nightly": {"task": "incidents.tasks.nightly", "schedule": crontab(hour=18, minute=10)},
        "verify-filings": {"task": "reports.tasks.verify_filings", "schedule": crontab(hour=18, minute=40)},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # JSON in production, lines in the embedded default; nothing of what people wrote (config.logs).
    "formatters": {"plain": {"()": "config.logs.formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "WARNING")},
    "loggers": {
        "breachclock": {"level": env.text("LOG_LEVEL", "INFO")},
        # These write addresses of webhooks and chats, which hold keys.
        **{name: {"level": "CRITICAL", "propagate": False} for name in ("apprise", "urllib3", "requests")},
    },
}
