"""A production-like environment is clean to ``check --deploy``; what is weak there stops the start with its name."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, subprocess_env

# The database has to be there: fields of PostgreSQL ask it.
pytestmark = pytest.mark.django_db

GOOD = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "EMAIL_HOST": "mail.example.test",
    "HTTPS": "yes",
    "BEHIND_PROXY": "yes",
    "ALLOWED_HOSTS": "desk.example.test",
    "SITE_URL": "https://desk.example.test",
    "BREACHCLOCK_SECOND_FACTOR": "policy",
}


def run(tmp_path: Path, *command: str, **given: str) -> subprocess.CompletedProcess[str]:
    env = subprocess_env(**GOOD | {"BREACHCLOCK_VAR": str(tmp_path)} | given)
    done = [sys.executable, "manage.py", *command]
    return subprocess.run(done, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_the_check_for_deployment_finds_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "check", "--deploy", "--fail-level", "WARNING")
    assert done.stderr == ""
    assert done.returncode == 0
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"BREACHCLOCK_SECOND_FACTOR": "offered"}, "nobody is asked for a second factor"),
        ({"REDIS_URL": ""}, "each process counts failed sign-ins by itself"),
        ({"HTTPS": "no"}, "SECURE_HSTS_SECONDS"),
    ],
)
def test_the_check_for_deployment_warns(tmp_path: Path, given: dict[str, str], words: str) -> None:
    done = run(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **given)
    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"SECRET_KEY": "x" * 60}, "SECRET_KEY: expected at least 50 random characters, not an example"),
        (
            {"SECRET_KEY": "django-insecure-" + "abcdefghijklmnop" * 3},
            "SECRET_KEY: expected at least 50 random characters, not an example",
        ),
        ({"DEBUG": "yes"}, "DEBUG: expected no with HTTPS: its pages show the inside of the program to everybody"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: '*': expected the names under which people reach this site"),
        (
            {"BREACHCLOCK_SECOND_FACTOR": "never"},
            "BREACHCLOCK_SECOND_FACTOR: 'never': expected policy or offered",
        ),
        (
            {"BREACHCLOCK_SSO": "/nowhere/sso.yaml"},
            "BREACHCLOCK_SSO: sso.yaml: ?: expected a readable UTF-8 file "
            "([Errno 2] No such file or directory: '/nowhere/sso.yaml')",
        ),
    ],
)
def test_a_weak_or_senseless_setting_stops_the_start(tmp_path: Path, given: dict[str, str], line: str) -> None:
    done = run(tmp_path, "check", **given)
    assert (done.returncode, done.stderr.strip()) == (2, f"settings: {line}")


def test_cookies_and_headers_of_production(tmp_path: Path) -> None:
    ask = (
        "from django.test import Client; from django.conf import settings as s;"
        "a = Client().get('/accounts/password/reset/', secure=True, headers={'host': 'desk.example.test', "
        "'x-forwarded-for': '10.0.0.1'});"
        "print(a.status_code, a['Strict-Transport-Security'], '|', a['Permissions-Policy'][:20], '|',"
        " a['Referrer-Policy'], '|', a['X-Content-Type-Options'], '|', a['Cross-Origin-Opener-Policy']);"
        "print(a.cookies['__Host-csrftoken'].OutputString());"
        "print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE)"
    )
    done = run(tmp_path, "shell", "--no-imports", "-c", ask)
    first, second, third = done.stdout.strip().splitlines()
    assert first == (
        "200 max-age=31536000; includeSubDomains; preload | accelerometer=(), au | same-origin | nosniff | same-origin"
    )
    assert {"Secure", "Path=/", "SameSite=Lax"} <= set(second.split("; "))
    assert third == "__Host-sessionid True True Lax"


def test_a_role_of_the_providers_file_that_is_not_ours_is_found_by_check(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(secrets.token_urlsafe(30))
    (tmp_path / "sso.yaml").write_text(
        "providers:\n- {id: house, kind: openid_connect, name: {ko: 집, en: House}, server: 'https://idp.example.test',\n"
        "   client_id: x, client_secret_file: secret, groups_from: groups,\n"
        "   groups: {A: [{entity: hanbit, role: emperor}]}}\n",
        encoding="utf-8",
    )
    done = run(tmp_path, "check", BREACHCLOCK_SSO=str(tmp_path / "sso.yaml"))
    assert done.returncode == 1
    assert "house: 'emperor': expected one of" in done.stderr
